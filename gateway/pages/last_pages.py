"""The last two pages of a document, divided anew where little is left for the last.

Nothing here may know a device: the caller measures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

from gateway.rendition.blocks import Block, split

#: A last page with less than one in so many octets of half of the two pages is evened out.
_ENOUGH: Final = 2


def evened(
    blocks: Sequence[Block],
    last: int,
    octets: Callable[[Block], int],
    leads_on: Callable[[Block], bool],
) -> tuple[list[Block], list[Block]] | None:
    """Divide the blocks of two pages at half of what they take; None if the last has enough, or they cannot be divided.

    `last`: the octets on the last page; `octets`: those of a block. A block for which `leads_on` holds does not end the
    first page.
    """
    ends = list(accumulate(map(octets, blocks)))
    half = ends[-1] // 2
    if last * _ENOUGH > half:
        return None
    index = next(number for number, end in enumerate(ends) if end > half)
    block = blocks[index]
    room = half - (ends[index] - octets(block))
    guess = len(block.text) * room // octets(block)
    halves = None if leads_on(block) else split(block, lambda head: octets(head) <= room, guess, tear=False)
    head = [*blocks[:index], *(halves[:1] if halves else ())]
    tail = [*(halves[1:] if halves else (block,)), *blocks[index + 1 :]]
    while head and leads_on(head[-1]):
        tail.insert(0, head.pop())
    return (head, tail) if head else None
