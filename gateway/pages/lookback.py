"""Where to start paging in order to reach the page before a position, in content that is read whole.

Nothing here may lay out a page: blocks are only passed over, and those far before the position are dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

from gateway.rendition.blocks import Block, Position, cut
from gateway.rendition.breaks import grapheme_before

#: How far before a position paging begins, in characters of plain text, and the minimum in pages: from this distance,
#: the page before is the same as when paging from the beginning.
_BACK: Final = 96 * 1024
_PAGES_BACK: Final = 4
#: The cost of a run or line in paging, in characters of plain text.
_RUN: Final = 120
#: The minimum octets that a link adds to its text.
_LINK: Final = 20


def approach(
    blocks: Callable[[Position | None], Iterator[Block]],
    deck_limit: int,
    base: Position | None,
    start: Position,
) -> tuple[Position | None, Iterator[Block]]:
    """Walk from `base` to where paging must begin in order to reach `start`; return that position and its blocks."""
    most = max(_BACK, _PAGES_BACK * deck_limit)
    near: deque[Block] = deque()
    size, source = 0, blocks(base)
    for block in source:
        if reaches(block.at, start):
            source = chain((block,), source)
            break
        if (block.at.section, block.at.start) == (start.section, start.start):
            block = _end_of(block, start.skip - block.at.skip, most)
            if block.at.skip:
                near.clear()
                size, base = 0, block.at
        near.append(block)
        size += _effort(block)
        while len(near) > 1 and size - _effort(near[0]) > most:
            size -= _effort(near.popleft())
            base = near[0].at
    return base, chain(near, source)


def reaches(at: Position, start: Position) -> bool:
    return at.section == start.section and (at.start, at.skip) >= (start.start, start.skip)


def _end_of(block: Block, index: int, most: int) -> Block:
    """Cut off the front of a block, leaving text worth `most` effort before its character `index`, and what follows."""
    back = len(block.text) * most // max(_effort(block), 1)
    return cut(block, grapheme_before(block.text, index - back))[1] if index > back else block


def _effort(block: Block) -> int:
    """Return the cost of paging over a block, in characters of plain text."""
    return length(block) + _RUN * (len(block.runs) + block.text.count("\n"))


def length(block: Block) -> int:
    """Return the approximate minimum length of a block in markup."""
    octets = 0
    for run in block.runs:
        octets += len(run.text) + (_LINK if run.link else 0)
    return octets
