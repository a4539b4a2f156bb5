"""The blocks of a message that has been read once, so that its next page is not read anew.

Nothing here may fetch, or differ from reading anew: reading from the position of any block yields the same blocks that
follow it here (see `gateway.rendition.segments`). Where that is not certain, nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final, Protocol

from gateway.pages.known_pages import KnownPages, weight
from gateway.rendition.blocks import Block, Position, cut
from gateway.rendition.wholes import ReadSection

#: Maximum weight of the blocks of a message that are worth keeping, and of their pages besides, in octets.
MOST: Final = 160 * 1024
MOST_PAGES: Final = 80 * 1024


class KnownBlocks:
    """The blocks of a message up to its end, as one reader sees them; `whole`: from its beginning.

    `pages`: the pages that were laid out of them last.
    """

    def __init__(self, blocks: Sequence[Block], whole: bool, weight: int) -> None:
        self._blocks, self._whole, self._weight = tuple(blocks), whole, weight
        self.pages = KnownPages(None, 0)

    def since(self, start: Position | None) -> Iterator[Block] | None:
        """Return the blocks from a position on, None if no block begins there."""
        if start is None:
            return iter(self._blocks) if self._whole else None
        places = [(at.section, at.start, at.state) for at in [block.at for block in self._blocks]]
        place = start.section, start.start, start.state
        if place not in places:
            return None
        index = places.index(place)
        first = self._blocks[index]
        if start.skip < first.at.skip:
            return None
        if start.skip > first.at.skip:
            first = cut(first, start.skip - first.at.skip)[1]
        rest = (self._blocks[number] for number in range(index + 1, len(self._blocks)))
        return chain((first,) if first.runs or start.skip == 0 else (), rest)

    @property
    def weight(self) -> int:
        """Roughly how many octets the blocks and pages take in memory."""
        return self._weight + self.pages.weight


class Shelf(Protocol):
    """Where the blocks of one message are kept. `made_of`: as in `KnownPages`."""

    @property
    def made_of(self) -> object: ...

    def get(self) -> KnownBlocks | None: ...

    def put(self, blocks: KnownBlocks) -> None: ...


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
            shelf.put(KnownBlocks(self._blocks, self._whole, self._weight))


class KeptBlocks:
    """The blocks of a message from any position on: those on the `shelf`, or those that `read` returns.

    `pages`: those that were laid out of them.
    """

    def __init__(
        self,
        read: Callable[[Position | None], Iterator[Block]],
        octets: CountedOctets,
        most: int,
        shelf: Shelf | None,
    ) -> None:
        self._read, self._octets, self._most, self._shelf = read, octets, most, shelf
        self._recording: Recording | None = None
        known = shelf.get() if shelf is not None else None
        made_of = shelf.made_of if shelf is not None else None
        same = known is not None and known.pages.made_of == made_of
        self.pages = known.pages if known is not None and same else KnownPages(made_of, MOST_PAGES)
        self._begun = self.pages.weight

    def __call__(self, start: Position | None) -> Iterator[Block]:
        known = self._shelf.get() if self._shelf is not None else None
        rest = known.since(start) if known is not None else None
        if rest is not None:
            return rest
        self._recording = Recording(self._read(start), start is None, self._octets, self._most)
        return self._recording

    def keep(self) -> None:
        """Put the blocks that were read last on the shelf, and the pages that were laid out."""
        if self._shelf is None:
            return
        if self._recording is not None:
            self._recording.keep(self._shelf)
        known = self._shelf.get()
        if known is not None and self.pages.weight > self._begun:
            known.pages = self.pages
            self._shelf.put(known)
