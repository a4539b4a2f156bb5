"""What lists show of messages that this connection has described before, so that only their flags are fetched again.

Nothing here may replace asking the server: which messages are in a list, and their flags, are fetched each time.
Everything else about a message never changes (RFC 9051 §2.3.1.1); its size is compared nevertheless. What is known
belongs to one connection, and so to one session: it is dropped at sign-out and when the connection was idle for
minutes. A page of a list is kept whole, too, for when the server says the same again, octet for octet.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from gateway.store.base import Listing, MessageRef, Summary
from gateway.store.imap import fetched
from gateway.store.imap.beginnings import FirstOctets, beginnings
from gateway.store.imap.fetched import FetchItems
from gateway.store.imap.response import Untagged, Value, number

#: Octets of header fields and of names that are remembered on a connection: some ten pages of a list; as objects they
#: take ten times as much.
MOST: Final = 32 * 1024
#: Octets of one message's fields beyond which it is not remembered; and the least that any other counts as.
LONGEST, LEAST = 4 * 1024, 128
#: Flags-only responses that are recognized by their octets; a longer one is not remembered.
MOST_BRIEF, LONGEST_BRIEF = 256, 256
#: Pages of lists that are kept whole.
MOST_LISTINGS: Final = 3
#: Messages whose sequence number is remembered: each EXPUNGE renumbers them.
MOST_NUMBERED: Final = 128


@dataclass(frozen=True, slots=True)
class _Known:
    """The last row of a message, the flags that it was made with, what to fetch when the message is opened, and what
    the row counts as."""

    summary: Summary
    flags: Value
    beginnings: tuple[FirstOctets, ...]
    weight: int


class KnownRows:
    """Makes rows of lists, from flags alone if the rest is known."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held = 0
        #: The least recently shown first.
        self._known: OrderedDict[MessageRef, _Known] = OrderedDict()
        self._brief: dict[bytes, FetchItems] = {}
        self._uids: dict[int, int] = {}
        self._listings: list[tuple[object, Listing]] = []

    def items(self, line: Untagged) -> FetchItems:
        """Parse a FETCH response as `Untagged.items` does, or raise ImapSyntaxError. The row must not be changed."""
        text = line.pieces[0] if len(line.pieces) == 1 else b""
        if (known := self._brief.get(text)) is not None:
            return known
        row = line.items()
        if text and len(text) <= LONGEST_BRIEF and fetched.is_brief(row):
            if len(self._brief) >= MOST_BRIEF:
                self._brief.clear()
            self._brief[text] = row
        return row

    # --- what is to be fetched ---

    def split(self, mailbox: str, uidvalidity: int, numbers: Iterable[int]) -> tuple[list[int], list[int]]:
        """Divide sequence numbers into those of unknown messages, and those that are likely to be known."""
        refs = {n: MessageRef(mailbox, uidvalidity, self._uids.get(n, 0)) for n in numbers}
        known = [n for n, ref in refs.items() if ref in self._known]
        return sorted(refs.keys() - known), known

    def knows(self, ref: MessageRef) -> bool:
        """Return whether only the flags of a message are needed."""
        return ref in self._known

    def drop_unknown(self, rows: dict[int, FetchItems], ref: Callable[[FetchItems], MessageRef]) -> list[int]:
        """Remove the flags-only rows that are not those of a known message; return their UIDs."""
        unknown = [
            (n, found.uid)
            for n, row in rows.items()
            if fetched.is_brief(row) and not self._of(found := ref(row), row)
        ]
        for n, _ in unknown:
            del rows[n]
        return [uid for _, uid in unknown if uid]

    def beginnings(self, ref: MessageRef) -> tuple[FirstOctets, ...]:
        """Return what to fetch of a message's texts when it is opened, nothing if it is not known."""
        known = self._known.get(ref)
        return known.beginnings if known is not None else ()

    # --- sequence numbers ---

    def number(self, sequence: int, uid: int) -> None:
        """Remember the sequence number of a message in the selected mailbox."""
        if len(self._uids) >= MOST_NUMBERED and sequence not in self._uids:
            self._uids.clear()
        self._uids[sequence] = uid

    def expunge(self, sequence: int) -> None:
        """Renumber all messages after one that is gone (RFC 9051 §7.5.1)."""
        self._uids = {n - (n > sequence): uid for n, uid in self._uids.items() if n != sequence}

    def leave(self) -> None:
        """Forget the sequence numbers and pages: another mailbox is being selected, or this one again."""
        self._uids.clear()
        self._listings.clear()

    # --- pages ---

    def listing(self, asked_and_said: object) -> Listing | None:
        """Return the listing that was made when the same was asked in the same state, and the same was said."""
        return next((listing for same, listing in self._listings if same == asked_and_said), None)

    def keep_listing(self, asked_and_said: object, listing: Listing) -> None:
        """Keep a listing, and what it was made of, in place of the oldest."""
        self._listings = [(asked_and_said, listing), *self._listings[: MOST_LISTINGS - 1]]

    # --- rows ---

    def summaries(self, rows: Iterable[tuple[MessageRef, int, FetchItems]]) -> list[Summary]:
        """Make rows of a list as `fetched.summary` does, from messages with their sequence numbers."""
        rows = list(rows)
        # Use what is known before anything new replaces it.
        known = {ref: self._updated(ref, sequence, row) for ref, sequence, row in rows}
        return [known[ref] or self._learnt(ref, sequence, row) for ref, sequence, row in rows]

    def _updated(self, ref: MessageRef, sequence: int, row: FetchItems) -> Summary | None:
        """Return what is known, with the flags and the number of this row; None if the row itself has everything."""
        known = self._of(ref, row) if fetched.is_brief(row) else None
        if known is None:
            return None
        flags = row.get(b"FLAGS")
        if (known.flags, known.summary.sequence) != (flags, sequence):
            made = replace(known.summary, sequence=sequence, flags=fetched.flags_of(row))
            known = self._known[ref] = replace(known, summary=made, flags=flags)
        self._known.move_to_end(ref)
        return known.summary

    def _learnt(self, ref: MessageRef, sequence: int, row: FetchItems) -> Summary:
        made, root = fetched.summary(ref, sequence, row)
        self._forget(ref)
        weight = max(LEAST, len(fetched.header_of(row)) + len(ref.mailbox))
        if fetched.is_described(row) and weight <= LONGEST:
            self._known[ref] = _Known(made, row.get(b"FLAGS"), beginnings(root), weight)
            self._held += weight
            while self._held > self._most:
                self._forget(next(iter(self._known)))
        return made

    def _of(self, ref: MessageRef, row: FetchItems) -> _Known | None:
        """Return what is known about a message if this row of flags belongs to it."""
        known = self._known.get(ref)
        if known is None or b"FLAGS" not in row or known.summary.octets != number(row.get(b"RFC822.SIZE")):
            return None
        return known

    def _forget(self, ref: MessageRef) -> None:
        if known := self._known.pop(ref, None):
            self._held -= known.weight
