"""Which message comes before or after another one: the part of the mail store for going on without a list.

Nothing here may depend on the message itself still being there: its UID tells its place for good (RFC 9051
§2.3.1.1). What is flagged \\Deleted counts as gone. Three round trips at most, few octets whatever there is.
Standard: RFC 9051 §6.4.4 (SEARCH), RFC 4731 (ESEARCH: MIN, MAX).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

from gateway.store import response
from gateway.store.base import DELETED, MessageRef
from gateway.store.exchange import refusal
from gateway.store.response import Malformed, Reply, number
from gateway.store.rows import Row, flags_of
from gateway.store.selected import Selected

# UIDs that are looked at first where the server cannot say just the nearest one.
NEAR = 256


class Neighbours(Selected):
    """Finds the message before or after another one."""

    def neighbour(self, ref: MessageRef, older: bool, unread: bool = False) -> MessageRef | None:
        """Name the next older (else newer) message, or the next unread one, None where there is none."""
        self.enter(ref)
        if older:
            low, high = 1, ref.uid - 1
        else:
            low, high = ref.uid + 1, response.MAX_NUMBER
        for start, end in self._stretches(low, high, older):
            uids = self._searched(start, end, older, unread)
            if uids:
                return MessageRef(ref.mailbox, ref.uidvalidity, max(uids) if older else min(uids))
        return None

    def newest(self, mailbox: str, most: int) -> tuple[MessageRef, ...]:
        """Name the newest messages of a mailbox that are not flagged \\Deleted, at most so many, oldest first."""
        self._enter_anew(mailbox)
        if not self._exists:
            return ()
        first = max(1, self._exists - most + 1)
        found: dict[int, Row] = {}
        self._run(b"FETCH %d:%d (UID FLAGS)" % (first, self._exists), rows=found)
        return tuple(
            MessageRef(mailbox, self._uidvalidity, uid)
            for uid in sorted(number(row.get(b"UID")) for row in found.values() if not _is_deleted(row))
            if uid
        )

    def _stretches(self, low: int, high: int, older: bool) -> Iterator[tuple[int, int]]:
        """Yield what to search: everything at once where only the nearest is answered, else what is near first."""
        if low > high:
            return
        if {"ESEARCH", "IMAP4REV2"} & self._capabilities or high - low < NEAR:
            yield low, high
        elif older:
            yield high - NEAR + 1, high
            yield low, high - NEAR
        else:
            yield low, low + NEAR - 1
            yield low + NEAR, high

    def _searched(self, low: int, high: int, older: bool, unread: bool) -> list[int]:
        extended = bool({"ESEARCH", "IMAP4REV2"} & self._capabilities)
        wanted = b" RETURN (%b)" % (b"MAX" if older else b"MIN") if extended else b""
        keys = b" UNDELETED" + (b" UNSEEN" if unread else b"") + b" UID %d:%d" % (low, high)
        (reply,) = self._run(b"UID SEARCH" + wanted + keys)
        if not reply.ok:
            raise refusal(reply)
        # "7:*" names the last message even where it is the sixth: the same may be meant by a large number.
        return [uid for uid in _answered(reply) if low <= uid <= high]


def _is_deleted(row: Row) -> bool:
    return DELETED.lower() in {flag.lower() for flag in flags_of(row)}


def _answered(reply: Reply) -> list[int]:
    """Read the numbers of SEARCH, or of MIN and MAX in ESEARCH."""
    found: list[int] = []
    for line in reply.untagged:
        if line.kind in ("SEARCH", "ESEARCH"):
            with suppress(Malformed):
                values = line.values()
                if line.kind == "ESEARCH":
                    named = pairwise(values)
                    values = tuple(
                        b for a, b in named if response.octets(a).upper() in (b"MIN", b"MAX", b"ALL")
                    )
                found.extend(number(value) for value in values)
    return found
