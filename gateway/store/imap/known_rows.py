"""What the rows of lists were read as, by the octets that the server sent: the same octets mean the same.

Nothing here may be asked in place of the server: a list is fetched anew each time, only not read anew. It belongs to
one connection, and so to one session: it goes with it at sign-out and when the connection was idle for minutes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from gateway.store.base import MessageRef, Summary
from gateway.store.imap import fetched
from gateway.store.imap.fetched import Described, Row
from gateway.store.imap.response import Untagged

#: Octets of responses that are remembered on a connection: some fifteen pages of a list; as objects five times as much.
MOST: Final = 64 * 1024
#: Octets of one response beyond which it is not remembered: a row has some 500.
LONGEST: Final = 8 * 1024


class KnownRows:
    """Reads rows, each response once."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held = 0
        #: The least recently read first.
        self._rows: OrderedDict[tuple[bytes, ...], tuple[Row, int]] = OrderedDict()
        self._described: dict[Hashable, Described] = {}
        #: What the rows that are remembered were made into last, by their identity.
        self._summaries: dict[int, tuple[Row, Summary]] = {}

    def items(self, line: Untagged) -> Row:
        """Parse a FETCH response as `Untagged.items` does, or raise Malformed. Nobody may change the row."""
        key = tuple(line.pieces)
        if known := self._rows.get(key):
            self._rows.move_to_end(key)
            return known[0]
        row = line.items()
        size = sum(map(len, key))
        if size <= LONGEST and fetched.is_whole(row):
            self._rows[key] = row, size
            self._held += size
            self._make_room()
        return row

    def summary(self, ref: MessageRef, sequence: int, row: Row) -> Summary:
        """Make a row of a list as `fetched.summary` does."""
        known = self._summaries.get(id(row))
        if known is not None and known[0] is row and (known[1].ref, known[1].sequence) == (ref, sequence):
            return known[1]
        made = self._made(ref, sequence, row)
        if len(self._summaries) < len(self._rows):
            self._summaries[id(row)] = row, made
        return made

    def _made(self, ref: MessageRef, sequence: int, row: Row) -> Summary:
        key = fetched.header_of(row), row.get(b"BODYSTRUCTURE")
        described = self._described.get(key)
        if described is None:
            described = fetched.described(row)
            if len(self._described) < len(self._rows):
                self._described[key] = described
        return fetched.summary(ref, sequence, row, described)

    def _make_room(self) -> None:
        while self._held > self._most:
            _, (_, size) = self._rows.popitem(last=False)
            self._held -= size
            self._summaries.clear()
            self._described.clear()  # what is still on a page is described again
