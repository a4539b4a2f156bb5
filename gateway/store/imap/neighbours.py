"""The part of the store that finds the message before or after another one, without a list.

Nothing here may require that the message itself still exists: its UID gives its position permanently (RFC 9051
§2.3.1.1). Messages flagged \\Deleted count as gone. At most three round trips and few octets, whatever the size of the
mailbox.

Standard: RFC 9051 §6.4.4 (SEARCH), RFC 4731 (ESEARCH: MIN, MAX).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.store.base import DELETED, SEEN, MessageRef
from gateway.store.imap import response
from gateway.store.imap.features import Feature
from gateway.store.imap.fetched import FetchItems, flags_of, uid_of
from gateway.store.imap.response import number
from gateway.store.imap.search import criteria
from gateway.store.imap.selected import Selected

# UIDs that are searched first if the server cannot return just the nearest one.
NEAR = 256
# UIDs beyond these whose flags are fetched if the server cannot search: 40 octets each.
MOST_LOOKED_AT = 10_000


class Neighbours(Selected):
    """Finds the message before or after another one."""

    def neighbour(self, ref: MessageRef, older: bool, unread: bool = False) -> MessageRef | None:
        """Return the next older (else newer) message, or the next unread one; None if there is none."""
        self.enter(ref)
        if older:
            low, high = 1, ref.uid - 1
        else:
            low, high = ref.uid + 1, response.MAX_NUMBER
        found = self._best(
            (Feature.EXTENDED_SEARCH, lambda: self._nearest(low, high, older, unread)),
            (Feature.SEARCH, lambda: self._near(low, high, older, unread)),
            (None, lambda: self._looked_at(low, high, older, unread)),
        )
        return MessageRef(ref.mailbox, ref.uidvalidity, found) if found else None

    def newest(self, mailbox: str, most: int) -> tuple[MessageRef, ...]:
        """Return the newest messages of a mailbox that are not flagged \\Deleted, at most `most`, oldest first."""
        self._enter_anew(mailbox)
        if not self._exists:
            return ()
        first = max(1, self._exists - most + 1)
        found: dict[int, FetchItems] = {}
        self._run(b"FETCH %d:%d (UID FLAGS)" % (first, self._exists), rows=found)
        return tuple(
            MessageRef(mailbox, self._uidvalidity, uid)
            for uid in sorted(uid_of(row) for row in found.values() if DELETED not in flags_of(row))
            if uid
        )

    def _nearest(self, low: int, high: int, older: bool, unread: bool) -> int:
        """Have the server return just the nearest UID; 0 if there is none."""
        wanted = b" RETURN (%b)" % (b"MAX" if older else b"MIN")
        return _closest(self._searched(low, high, unread, wanted), older) if low <= high else 0

    def _near(self, low: int, high: int, older: bool, unread: bool) -> int:
        """Search the nearby UIDs, and then all others."""
        for start, end in _stretches(low, high, older, NEAR, high - low + 1):
            if uid := _closest(self._searched(start, end, unread), older):
                return uid
        return 0

    def _looked_at(self, low: int, high: int, older: bool, unread: bool) -> int:
        """Look at the flags of nearby messages, on a server that does not search at all."""
        for start, end in _stretches(low, high, older, NEAR, MOST_LOOKED_AT):
            found: dict[int, FetchItems] = {}
            self._run(b"UID FETCH %d:%d (UID FLAGS)" % (start, end), rows=found)
            without = {DELETED, SEEN} if unread else {DELETED}
            uids = [uid_of(row) for row in found.values() if without.isdisjoint(flags_of(row))]
            if uid := _closest([uid for uid in uids if start <= uid <= end], older):
                return uid
        return 0

    def _searched(self, low: int, high: int, unread: bool, wanted: bytes = b"") -> list[int]:
        keys = b" UNDELETED" + (b" UNSEEN" if unread else b"") + b" UID %d:%d" % (low, high)
        reply = self._asked(b"UID SEARCH" + wanted + keys)
        # "7:*" includes the last message even if it is the sixth; servers may treat a large number the same way.
        nearest = (number(criteria.esearch(reply).get(name)) for name in (b"MIN", b"MAX"))
        return [uid for uid in (*criteria.numbers(reply), *nearest) if low <= uid <= high]


def _stretches(low: int, high: int, older: bool, near: int, far: int) -> Iterator[tuple[int, int]]:
    """Yield the nearest UIDs of a range, and then at most `far` others."""
    if low > high:
        return
    if high - low < near:
        yield low, high
    elif older:
        yield high - near + 1, high
        yield max(low, high - near - far + 1), high - near
    else:
        yield low, low + near - 1
        yield low + near, min(high, low + near + far - 1)


def _closest(uids: list[int], older: bool) -> int:
    return (max if older else min)(uids, default=0)
