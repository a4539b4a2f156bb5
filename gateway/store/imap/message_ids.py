"""Finds messages by Message-ID, for example after an APPEND whose UID the server did not report.

Nothing here may find a message flagged \\Deleted: without a safe EXPUNGE, that is all that deleting can do. A resent
message keeps its Message-ID and gets a Resent-Message-ID. If the server refuses to search, the header fields of the
newest messages are examined: whatever is looked for was put there a moment, or at most a few mails, ago. Standard: RFC
9051 §6.4.4 (SEARCH; HEADER finds substrings, and no Message-ID is part of another one); RFC 5322 §3.6.6
(Resent-Message-ID).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gateway.errors import NotSupported, UnsafeArgument
from gateway.store.base import DELETED, MessageRef
from gateway.store.imap import response
from gateway.store.imap.features import Feature, refused
from gateway.store.imap.fetched import FetchItems, flags_of, header_of, is_whole, uid_of
from gateway.store.imap.search import criteria
from gateway.store.imap.selected import Selected

#: Messages whose header fields are examined if the server does not search, and octets of each.
NEWEST: Final = 200
FIELD_OCTETS: Final = 1024

_FOLD: Final = re.compile(rb"\r?\n(?=[ \t])")


class MessageIds(Selected):
    """The part of a store that searches header fields."""

    def find_id(self, mailbox: str, message_id: str) -> MessageRef | None:
        """Find the newest message with this Message-ID or Resent-Message-ID that is not flagged \\Deleted."""
        return next(reversed(self.copies(mailbox, message_id)), None)

    def copies(self, mailbox: str, message_id: str) -> list[MessageRef]:
        """Find all messages with this Message-ID or Resent-Message-ID that are not flagged \\Deleted, by UID."""
        if not message_id or not message_id.isascii():
            raise UnsafeArgument("no Message-ID")
        response.safe(message_id)
        return self._all_of(mailbox, ("Message-ID", "Resent-Message-ID"), message_id)

    def find_by_field(self, mailbox: str, field: str, text: str) -> MessageRef | None:
        """Find the newest message with this text in a header field that is not flagged \\Deleted."""
        if not text or not (field + text).isascii():
            raise UnsafeArgument("no text to be found in a header field")
        return next(reversed(self._all_of(mailbox, (field,), text)), None)

    def _all_of(self, mailbox: str, fields: Sequence[str], text: str) -> list[MessageRef]:
        wanted = response.quoted(text)
        keys = b"".join(b"OR " for _field in fields[1:]) + b" ".join(
            b"HEADER %b %b" % (response.quoted(field), wanted) for field in fields
        )
        search = (b"UID SEARCH UNDELETED " + keys,) if self._offers(Feature.SEARCH) else ()
        # Select again, even if it is already selected: a search finds only what the server has reported.
        # QUIRK: Dovecot postpones a NOOP until after the commands that follow it.
        found: list[int] | None = None
        for reply in self._select(mailbox, *search):
            if reply.ok:
                found = criteria.numbers(reply)
            # It may refuse only this key, so nothing is remembered.
            elif not isinstance(error := refused(reply), NotSupported):
                raise error
        uids = self._among_newest(fields, text) if found is None else found
        return [MessageRef(mailbox, self._uidvalidity, uid) for uid in sorted(set(uids))]

    def _among_newest(self, fields: Sequence[str], text: str) -> list[int]:
        """Return which of the newest messages have a text in one of these header fields."""
        if not self._exists:
            return []
        names = " ".join(fields).upper().encode("ascii")
        newest = b"FETCH %d:%d " % (max(1, self._exists - NEWEST + 1), self._exists)
        item = b"(UID FLAGS BODY.PEEK[HEADER.FIELDS (" + names + b")]%b)"
        rows = self._best(
            (Feature.HEADER_GROUPS, lambda: self._rows(newest + item % (b"<0.%d>" % FIELD_OCTETS))),
            (None, lambda: self._rows(newest + item % b"")),
        )
        wanted = text.lower().encode("ascii")
        return [
            uid_of(row)
            for row in rows
            if is_whole(row) and DELETED not in flags_of(row) and wanted in _unfolded(row)
        ]

    def _rows(self, fetch: bytes) -> list[FetchItems]:
        rows: dict[int, FetchItems] = {}
        self._asked(fetch, rows)
        return list(rows.values())


def _unfolded(row: FetchItems) -> bytes:
    return _FOLD.sub(b"", header_of(row)).lower()
