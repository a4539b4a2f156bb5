"""The sizes of blocks and frames on a page: each is measured once.

Nothing here may do more than measure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeAlias, TypeVar

from markupsafe import Markup

from gateway.device import WML, WML_COMPILED, Device
from gateway.markup.scale import CompiledScale, Scale, WmlScale, XhtmlScale
from gateway.pages.lookback import length
from gateway.rendition.blocks import Block
from gateway.wap.wbxml import Measure

W = TypeVar("W")

#: The cost of measuring a block, in tags, besides its runs and tags.
_WEIGHING: Final = 8
#: A block of this many times the page's octets is too large without measuring.
_HUGE: Final = 2


class Weighing(Generic[W]):
    """The sizes within one layout. `worked`: the cost of measuring so far, in runs and tags.

    `frame` writes the largest frame of the first page (True) or of another, `write` a block; `limit`: octets of a page.
    """

    def __init__(
        self, scale: Scale[W], limit: int, frame: Callable[[bool], str], write: Callable[[Block], Markup]
    ) -> None:
        self._scale, self._limit, self._frame, self._write = scale, limit, frame, write
        self._blocks: dict[int, tuple[Block, W]] = {}
        self._frames: dict[bool, W] = {}
        #: The blocks of the page that was begun last, in order, and their sizes.
        self._begun: list[Block] = []
        self._sizes: list[W] = []
        #: The page that `fits` was asked about last, and whether it is the first.
        self._asked: tuple[bool, list[Block]] | None = None
        self._left = 0
        self.worked = 0

    def fits(self, page: Sequence[Block], first: bool) -> bool:
        """Return whether a page of these blocks, the first or another, is within the limit."""
        asked = first, [*page]
        if asked != self._asked:
            self._asked, self._left = asked, self._scale.room(self._weights(page, first), self._limit)
        return self._left >= 0

    def more(self, block: Block) -> int:
        """Return about how many more characters of a block would have fitted when `fits` was asked last."""
        return self._left * len(block.text) // self.octets(block)

    def gauge(self, first: bool) -> Callable[[Block], bool]:
        """Begin a page: return a cheap test, given its blocks one by one, that never rejects what fits."""
        least, begun, sizes = self._scale.least, list[Block](), list[W]()
        load = least(self._frame_weight(first))
        self._begun, self._sizes = begun, sizes

        def may_fit(block: Block) -> bool:
            nonlocal load
            if self.is_huge(block):
                return False
            size = self._weight(block)
            begun.append(block)
            sizes.append(size)
            load += least(size)
            return load <= self._limit

        return may_fit

    def is_huge(self, block: Block) -> bool:
        """Return whether measuring a whole block would cost more than measuring the pages that it fills."""
        return length(block) > _HUGE * self._limit

    def room(self, page: Sequence[Block], first: bool) -> int:
        """Return roughly how many octets are left beside these blocks."""
        return self._limit - self._scale.rough(self._weights(page, first))

    def octets(self, block: Block) -> int:
        """Return roughly how many octets a block takes."""
        return max(self._scale.rough([self._weight(block)]), 1)

    def forget(self) -> None:
        """Forget the blocks, which belong to one page only."""
        self._blocks.clear()
        self._asked, self._begun, self._sizes = None, [], []

    def _weights(self, page: Sequence[Block], first: bool) -> list[W]:
        known = max(len(page) - 1, 0)  # the last block may be a head that is tried
        if page[:known] != self._begun[:known]:
            known = 0
        return [self._frame_weight(first), *self._sizes[:known], *map(self._weight, page[known:])]

    def _frame_weight(self, first: bool) -> W:
        if first not in self._frames:
            self._frames[first] = self._scale.page(self._frame(first))
        return self._frames[first]

    def _weight(self, block: Block) -> W:
        key = id(block)
        known = self._blocks.get(key)
        if known is None:
            text = self._write(block)
            known = self._blocks[key] = block, self._scale.piece(text)
            self.worked += _WEIGHING + len(block.runs) + text.count("<") + text.count("$")
        return known[1]


AnyWeighing: TypeAlias = Weighing[Measure] | Weighing[int]


def weighing(device: Device, frame: Callable[[bool], str], write: Callable[[Block], Markup]) -> AnyWeighing:
    """Return the `Weighing` for a device."""
    if device.content_type == WML_COMPILED:
        return Weighing(CompiledScale(device.charset), device.deck_limit, frame, write)
    if device.markup == WML:
        return Weighing(WmlScale(), device.deck_limit, frame, write)
    return Weighing(XhtmlScale(device.charset), device.deck_limit, frame, write)
