"""A message, or a file that came with one, laid into pages for one device.

Nothing here may fetch but by pulling blocks, and nothing here may know a URL: `frame` makes the screen around a
page, `lead` says where blocks lead. Pages depend on where they start and on nothing before it, so a page opens
by its position alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final

from markupsafe import Markup

from gateway import markup
from gateway.device import Device
from gateway.markup.scale import scale
from gateway.markup.screen import Screen
from gateway.message.model import Message
from gateway.page import paginate
from gateway.rendition.blocks import Accept, Block, Kind, Position, cut, split
from gateway.rendition.context import Context
from gateway.rendition.earlier import earlier
from gateway.rendition.render import render

Octets = Callable[[str, int], Iterator[bytes]]

#: Octets fetched beyond the shown page in order to say how many pages there are: with pieces of at most
#: 32 KiB this stays below 64 KiB. A part that is read whole anyway costs nothing more and is counted to its end.
LOOKAHEAD: Final = 40 * 1024
#: Pages counted ahead at most; more are "…". Each costs some 5 ms on a small WML phone.
COUNTED: Final = 100
#: The part of a page that may stay empty so that it ends with a sentence.
_SPARE: Final = 16
#: A block of so many times the page's octets is not weighed in order to learn that it does not fit.
_HUGE: Final = 2
#: Octets that a link adds to its text at least.
_LINK: Final = 20
#: Octets before a position in which the page before it is looked for.
LOOKBACK: Final = 32 * 1024
#: Wider than any position and page number that can occur, to measure the frame by.
_WIDEST: Final = Position("9.9.9.9", 36**8 - 1, "ABC", 36**4 - 1)
_MOST: Final = 9999


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One page of a message. `total` is None while not all is known; `number` counts from 1."""

    body: tuple[Markup, ...]
    blocks: tuple[Block, ...]
    start: Position | None
    next: Position | None
    number: int = 1
    total: int | None = None

    @property
    def first(self) -> bool:
        return self.start is None


class Counted:
    """Octets that count what was pulled through them."""

    def __init__(self, octets: Octets) -> None:
        self._octets = octets
        self.pulled = 0

    def __call__(self, section: str, start: int) -> Iterator[bytes]:
        for piece in self._octets(section, start):
            self.pulled += len(piece)
            yield piece


#: The blocks from a position on, None for the beginning.
Blocks = Callable[[Position | None], Iterator[Block]]


def _from_the_start(_position: Position) -> None:
    return None


def _nothing() -> int:
    return 0


class Layout:
    """Blocks, a device, and the frame that their pages stand in.

    `earlier`: where to begin in order to meet the page before a position. `pulled`: octets fetched so far.
    `ahead`: pages counted ahead at most.
    """

    def __init__(
        self,
        blocks: Blocks,
        device: Device,
        frame: Callable[[MessagePage], Screen],
        lead: markup.Lead,
        *,
        earlier: Callable[[Position], Position | None] = _from_the_start,
        pulled: Callable[[], int] = _nothing,
        ahead: int = COUNTED,
    ) -> None:
        self._blocks, self._device = blocks, device
        self._frame, self._lead = frame, lead
        self._earlier, self._pulled, self._ahead = earlier, pulled, ahead
        self._scale = scale(device)
        self._weights: dict[int, tuple[Block, Any]] = {}
        self._shown = 0
        self._frames: dict[bool, Any] = {}

    def _frame_weight(self, first: bool) -> Any:
        if first not in self._frames:
            widest = MessagePage((), (), None if first else _WIDEST, _WIDEST, 1 if first else _MOST, _MOST)
            self._frames[first] = self._scale.page(markup.say(self._frame(widest), self._device))
        return self._frames[first]

    def _weight(self, block: Block) -> Any:
        known = self._weights.get(id(block))
        if known is None:
            known = (block, self._scale.piece(markup.block(block, self._device, self._lead)))
            self._weights[id(block)] = known
        return known[1]

    def _pages(self, start: Position | None) -> Generator[list[Block], None, None]:
        blocks = self._blocks(start)
        first = start is None
        tried: Sequence[Block] = ()

        def fits(page: Sequence[Block]) -> bool:
            nonlocal tried
            tried = page
            weights = [self._frame_weight(first), *map(self._weight, page)]
            return self._scale.fits(weights, self._device.deck_limit)

        def gauge() -> Callable[[Block], bool]:
            load = self._scale.least(self._frame_weight(first))

            def may_fit(block: Block) -> bool:
                nonlocal load
                if _length(block) > _HUGE * self._device.deck_limit:
                    return False
                load += self._scale.least(self._weight(block))
                return load <= self._device.deck_limit

            return may_fit

        def halves(block: Block, accept: Accept) -> tuple[Block, Block] | None:
            length, limit = len(block.text), self._device.deck_limit
            sample = block
            if (
                _length(block) > _HUGE * limit
            ):  # to weigh all of it for each page would cost more than the pages
                sample = cut(block, length * limit // _length(block))[0]
            accept(sample)  # so that `tried` ends with it
            before = [self._frame_weight(first), *map(self._weight, tried[:-1])]
            room = limit - self._scale.rough(before)
            weight = max(self._scale.rough([self._weight(sample)]), 1)
            guess = len(sample.text) * room // weight
            spare = len(sample.text) * (limit // _SPARE) // weight
            return split(block, accept, max(guess, 1), tear=len(tried) == 1, spare=spare)

        for page in paginate(blocks, fits, halves, keep_with_next=_leads_on, gauge=gauge):
            first = False
            yield page
            self._weights.clear()

    def page(self, start: Position | None = None, number: int = 1, total: int | None = None) -> MessagePage:
        """Lay out the page that starts at `start`.

        Where `total` is not known already, count the pages after it as far as that is cheap.
        """
        with closing(self._pages(start)) as pages:
            blocks = next(pages, [])
            self._shown = self._pulled()
            following = next(pages, None)
            if following is None:
                total = number
            elif total is None or total <= number:
                total = self._count(pages, number + 1)
        at = following[0].at if following else None
        return self._made(blocks, start, at, number, total)

    def _count(self, pages: Iterator[list[Block]], number: int) -> int | None:
        for _page in islice(pages, self._ahead):
            number += 1
            if self._pulled() - self._shown > LOOKAHEAD:
                return None
        return number if next(pages, None) is None else None

    def _made(
        self,
        blocks: Sequence[Block],
        start: Position | None,
        at: Position | None,
        number: int,
        total: int | None,
    ) -> MessagePage:
        body = tuple(markup.block(block, self._device, self._lead) for block in blocks)
        return MessagePage(body, tuple(blocks), start, at, number, total)

    def page_before(self, start: Position, number: int) -> MessagePage:
        """Lay out the page before the one that starts at `start`."""
        before: Position | None = None
        for base in dict.fromkeys((self._earlier(start), None)):
            before, found = self._last_before(base, start)
            if found:
                break
        return self.page(before, 1 if before is None else max(number, 2))

    def _last_before(self, base: Position | None, start: Position) -> tuple[Position | None, bool]:
        """Page from `base` on to the last page that begins before `start`; say whether there is one."""
        before, found = base, False
        with closing(self._pages(base)) as pages:
            for index, blocks in enumerate(pages):
                at = blocks[0].at
                if at.section == start.section and (at.start, at.skip) >= (start.start, start.skip):
                    break
                before, found = at if index else base, True
        return before, found

    def all(self) -> Iterator[MessagePage]:
        """Lay out every page, all of them knowing how many there are."""
        pages = list(self._pages(None)) or [[]]
        for index, blocks in enumerate(pages):
            start = blocks[0].at if index else None
            after = pages[index + 1][0].at if index + 1 < len(pages) else None
            yield self._made(blocks, start, after, index + 1, len(pages))

    def screen(self, page: MessagePage) -> Screen:
        """Put a page into its frame."""
        return self._frame(page)


def of_message(
    message: Message,
    octets: Octets,
    device: Device,
    context: Context,
    frame: Callable[[MessagePage], Screen],
    lead: markup.Lead,
) -> Layout:
    """Lay out a message, whose parts are pulled through `octets`."""
    counted = Counted(octets)

    def back(start: Position) -> Position | None:
        return earlier(message, counted, start, LOOKBACK)

    blocks = partial(render, message, context, counted)
    return Layout(blocks, device, frame, lead, earlier=back, pulled=lambda: counted.pulled)


def _length(block: Block) -> int:
    """Say about how long a block is at least, once it is said."""
    return len(block.text) + _LINK * sum(run.link != "" for run in block.runs)


def _leads_on(block: Block) -> bool:
    return block.kind is Kind.HEADING
