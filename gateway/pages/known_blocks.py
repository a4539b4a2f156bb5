"""The blocks of a message that has been read once, so that its next page is not read anew.

Nothing here may fetch, or differ from reading anew: reading from the position of any block yields the same blocks that
follow it here (see `gateway.rendition.segments`). Where that is not certain, nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final, Protocol

from gateway.rendition.blocks import Block, Position, cut
from gateway.rendition.wholes import ReadSection

#: Approximate octets that a block, and a run, take as objects, besides their text.
_BLOCK_OCTETS: Final = 400
_RUN_OCTETS: Final = 150
#: Octets per character of the widest kind of text.
_CHARACTER: Final = 2
#: Maximum weight of blocks that are worth keeping, in octets.
MOST: Final = 160 * 1024


class KnownBlocks:
    """The blocks of a message up to its end, as one reader sees them; `whole`: from its beginning."""

    def __init__(self, blocks: Sequence[Block], whole: bool) -> None:
        self._blocks, self._whole = tuple(blocks), whole
        self._places = {_place(block.at): index for index, block in reversed(list(enumerate(blocks)))}

    def since(self, start: Position | None) -> Iterator[Block] | None:
        """Return the blocks from a position on, None if no block begins there."""
        if start is None:
            return iter(self._blocks) if self._whole else None
        index = self._places.get(_place(start))
        if index is None:
            return None
        first = self._blocks[index]
        if start.skip < first.at.skip:
            return None
        if start.skip > first.at.skip:
            first = cut(first, start.skip - first.at.skip)[1]
        rest = (self._blocks[number] for number in range(index + 1, len(self._blocks)))
        return chain((first,) if first.runs or start.skip == 0 else (), rest)


def _place(at: Position) -> tuple[str, int, str]:
    return at.section, at.start, at.state


def weight(block: Block) -> int:
    """Return roughly how many octets a block takes in memory."""
    texts = sum(_RUN_OCTETS + _CHARACTER * len(run.text) + len(run.link) for run in block.runs)
    return _BLOCK_OCTETS + texts


class Shelf(Protocol):
    """Where the blocks of one message are kept."""

    def get(self) -> KnownBlocks | None: ...

    def put(self, blocks: KnownBlocks, weight: int) -> None: ...


class NothingKept(Exception):
    """More octets would have to be fetched."""


class CountedOctets:
    """The octets of sections, which count how many were pulled. `ended`: no more may be."""

    def __init__(self, octets: ReadSection) -> None:
        self._octets = octets
        self.pulled = 0
        self.ended = False

    def __call__(self, section: str, start: int) -> Iterator[bytes]:
        pieces = self._octets(section, start)
        while True:
            if self.ended:
                raise NothingKept
            piece = next(pieces, None)
            if piece is None:
                return
            self.pulled += len(piece)
            yield piece


class Recording:
    """The blocks of a message as they are read; `keep` puts them on a shelf, with the rest that needs no more octets.

    Texts of which more than `most` octets are fetched piece by piece are not kept: how far their pages are counted
    depends on where reading begins.
    """

    def __init__(self, found: Iterator[Block], whole: bool, octets: CountedOctets, most: int) -> None:
        self._found, self._whole, self._octets, self._most = found, whole, octets, most
        self._blocks: list[Block] = []
        self._weight = 0
        self._begun = -1

    def __iter__(self) -> Iterator[Block]:
        return self

    def __next__(self) -> Block:
        block = next(self._found)
        if self._begun < 0:
            self._begun = self._octets.pulled
        self._weight += weight(block)
        if self._weight <= MOST:
            self._blocks.append(block)
        return block

    def keep(self, shelf: Shelf) -> None:
        """Keep all blocks, unless there are too many, or octets were missing."""
        self._octets.ended = True
        try:
            while self._weight <= MOST and next(self, None) is not None:
                pass
        except NothingKept:
            return
        certain = self._octets.pulled in (self._begun, min(self._octets.pulled, self._most))
        if self._blocks and self._weight <= MOST and certain:
            shelf.put(KnownBlocks(self._blocks, self._whole), self._weight)


class KeptBlocks:
    """The blocks of a message from any position on: those on the `shelf`, or those that `read` returns."""

    def __init__(
        self,
        read: Callable[[Position | None], Iterator[Block]],
        octets: CountedOctets,
        most: int,
        shelf: Shelf | None,
    ) -> None:
        self._read, self._octets, self._most, self._shelf = read, octets, most, shelf
        self._recording: Recording | None = None

    def __call__(self, start: Position | None) -> Iterator[Block]:
        known = self._shelf.get() if self._shelf is not None else None
        rest = known.since(start) if known is not None else None
        if rest is not None:
            return rest
        self._recording = Recording(self._read(start), start is None, self._octets, self._most)
        return self._recording

    def keep(self) -> None:
        """Put the blocks that were read last on the shelf."""
        if self._shelf is not None and self._recording is not None:
            self._recording.keep(self._shelf)
