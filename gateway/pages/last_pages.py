"""The last two pages of a document, divided anew if little is left for the last.

Nothing here may know a device: the caller measures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

from gateway.rendition.blocks import Block, split

#: A last page is evened out if it has less than this fraction of half of the two pages, or only a line or two: with
#: more on it, the first page would lose more than the last one gains.
_ENOUGH: Final = 8
_FEW: Final = 100
#: A block smaller than this fraction of the half is not divided.
_PART: Final = 2
#: The first page may miss half by this fraction in order to end with a sentence.
_SPARE: Final = 4


def evened(
    blocks: Sequence[Block],
    last: int,
    octets: Callable[[Block], int],
    leads_on: Callable[[Block], bool],
) -> tuple[list[Block], list[Block]] | None:
    """Divide the blocks of two pages in half by size; None if the last has enough, or they cannot be divided.

    `last`: the octets on the last page; `octets`: returns those of a block. A block for which `leads_on` holds does not
    end the first page.
    """
    ends = list(accumulate(map(octets, blocks)))
    half = ends[-1] // 2
    if last > max(half // _ENOUGH, _FEW):
        return None
    index = next(number for number, end in enumerate(ends) if end > half)
    block = blocks[index]
    room = half - (ends[index] - octets(block))
    guess = len(block.text) * room // octets(block)
    whole = leads_on(block) or octets(block) * _PART < half
    spare = len(block.text) * (half // _SPARE) // octets(block)
    halves = (
        None if whole else split(block, lambda head: octets(head) <= room, guess, tear=False, spare=spare)
    )
    head = [*blocks[:index], *(halves[:1] if halves else ())]
    tail = [*(halves[1:] if halves else (block,)), *blocks[index + 1 :]]
    while head and leads_on(head[-1]):
        tail.insert(0, head.pop())
    return (head, tail) if head else None
