"""The pages of a message that were laid out before, so that showing one again, or the next one, takes no layout.

Nothing here may differ from laying out anew: a page depends on the message and on `made_of`, and on nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from markupsafe import Markup

from gateway.rendition.blocks import Block, Position

if TYPE_CHECKING:
    from gateway.pages.layout import MessagePage

#: Approximate octets that a block, a run, and a page with its share of the index take as objects, besides their text.
_BLOCK_OCTETS: Final = 290
_RUN_OCTETS: Final = 80
_PAGE_OCTETS: Final = 600
#: Octets that a link takes; its target and text are those of a block.
_LINK_OCTETS: Final = 80
#: Approximate octets of what pages were made of: a device, the targets of actions and the reader's addresses.
_MADE_OF_OCTETS: Final = 3000
#: Octets of a reference to a block.
_REFERENCE: Final = 8


class PageRequest(NamedTuple):
    """The request for a page: the one at `start`, or `before` it; `number` and `total` as in `Layout.page`."""

    start: Position | None
    number: int
    total: int | None
    before: bool


class Division(NamedTuple):
    """The blocks of a page that was passed over while pages were counted, and where the next page begins."""

    blocks: tuple[Block, ...]
    next: Position | None


class KnownPages:
    """Pages by request, and divisions by position, of at most `most` octets.

    `made_of`: everything besides the message that its pages depend on, to be compared; None: nothing is known or kept.
    `weight`: octets, as if only the first and the last block of a page were its own: those between are known blocks.
    """

    def __init__(self, made_of: object, most: int) -> None:
        self.made_of = made_of
        self.weight = 0
        self._most = most
        self._pages: dict[PageRequest, tuple[MessagePage, bytes]] = {}
        self._divisions: dict[Position, Division] = {}

    def page(self, asked: PageRequest, lay_out: Callable[[], MessagePage]) -> MessagePage:
        """Return the page that was asked for; laid out unless it is known."""
        known = self._pages.get(asked)
        if known is not None:
            return replace(known[0], body=Markup(known[1].decode("utf-8")))  # noqa: S704
        made = lay_out()
        body = made.body.encode("utf-8")  # a single "…" doubles the octets of a text in memory
        links = _LINK_OCTETS * len(made.links)
        if self._admits(_weight(made.blocks) + len(body) + links):
            # Whoever knows how many pages were counted here gets the same page.
            kept = replace(made, body=Markup()), body
            self._pages[asked] = self._pages[asked._replace(total=made.known)] = kept
        return made

    def division(self, start: Position | None) -> Division | None:
        """Return the division at a position, None if it is not known."""
        return None if start is None else self._divisions.get(start)

    def divided(self, start: Position, blocks: Sequence[Block], following: Position | None) -> None:
        """Note the division at a position."""
        if start not in self._divisions and self._admits(_weight(blocks)):
            self._divisions[start] = Division(tuple(blocks), following)

    def _admits(self, octets: int) -> bool:
        if self.made_of is None or self.weight + octets > self._most:
            return False
        if self.weight == 0:
            octets += _MADE_OF_OCTETS
        self.weight += octets
        return True


def weight(block: Block) -> int:
    """Return roughly how many octets a block takes in memory."""
    texts = sum(_RUN_OCTETS + sys.getsizeof(run.text) + len(run.link) for run in block.runs)
    return _BLOCK_OCTETS + texts


def _weight(blocks: Sequence[Block]) -> int:
    ends = blocks if len(blocks) < 2 else (blocks[0], blocks[-1])
    return _PAGE_OCTETS + _REFERENCE * len(blocks) + sum(map(weight, ends))
