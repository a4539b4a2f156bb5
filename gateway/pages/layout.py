"""The layout of a message, or of a file attached to one, as pages for one device.

Nothing here may fetch except by pulling blocks, and nothing here may know a URL: `frame` makes the screen
around a page, `link_target` returns the link target of a block. A page depends on where it starts and on nothing
before it, so it can be opened by its position alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final

from markupsafe import Markup

from gateway import markup
from gateway.device import Device
from gateway.markup.screen import Screen
from gateway.message.model import Message
from gateway.pages.known_blocks import CountedOctets, KeptBlocks, Shelf
from gateway.pages.known_pages import KnownPages, PageRequest
from gateway.pages.last_pages import evened
from gateway.pages.lookback import approach, length, reaches
from gateway.pages.pagination import balanced, paginate_to_the_end
from gateway.pages.weighing import weighing
from gateway.rendition.blocks import Accept, Block, Kind, Position, Run, cut, leading, split
from gateway.rendition.context import Context
from gateway.rendition.earlier import earlier
from gateway.rendition.rendering import render
from gateway.rendition.selection import both_forms, has_own_view
from gateway.rendition.wholes import ReadSection

#: Octets of a text beyond the shown page within which pages are counted: with pieces of at most 32 KiB, fewer than 80
#: KiB are fetched. A part that is read whole anyway costs nothing more and is counted to its end.
LOOKAHEAD: Final = 40 * 1024
#: Maximum pages to count ahead; more are shown as "…". Each costs some 1 to 2 ms on a small WML phone.
COUNTED: Final = 100
#: Maximum work for counting pages, in measured runs and tags of some 5 to 10 µs each; more pages are shown as "…". The
#: search for the end of a page measures each of them several times: ordinary mail takes 80 to 200 per page.
WORK: Final = 8_000
#: Pages after which to check whether the text ends within reach: if it is long, counting more would be in vain.
STEP: Final = 2
#: ReadSection left of a text whose end is out of reach: more than are fetched ahead, in pieces of any size.
_BEYOND: Final = LOOKAHEAD + 64 * 1024
#: The fraction of a page that may stay empty so that it ends with a sentence.
_SPARE: Final = 16
#: The blocks of each page, as they are laid out, each page with the first block of the next one.
_Divided = tuple[list[Block], Block | None]
_Pages = Generator[_Divided, None, None]
#: ReadSection before a position within which the page before it is searched for.
LOOKBACK: Final = 32 * 1024
#: For measuring the frame: longer than any position and page number that can occur, except for a deeper section.
_WIDEST: Final = Position("9.9.9.9", 36**8 - 1, "ABC", 36**4 - 1)
_MOST: Final = 9999


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One page of a message. `number` counts from 1. `body`: its blocks, as written.

    `total`: number of pages, None if unknown; `least`: the minimum known. `form`: this is the first page of the
    requested form of the message. `links`: target and text of every link as the device shows it.
    """

    body: Markup
    blocks: tuple[Block, ...]
    start: Position | None
    next: Position | None
    number: int = 1
    total: int | None = None
    form: bool = False
    least: int = 1
    links: tuple[tuple[str, str], ...] = ()

    @property
    def known(self) -> int:
        """How many pages there are, or, negative, at least how many: what `Layout.page` need not count again."""
        return -self.least if self.total is None else self.total

    @property
    def first(self) -> bool:
        return self.start is None or self.form


#: The blocks from a position on, None for the beginning.
Blocks = Callable[[Position | None], Iterator[Block]]


def _from_the_start(_position: Position) -> None:
    return None


def _nothing() -> int:
    return 0


def _keep_nothing() -> None:
    pass


def _nothing_left(_position: Position) -> int:
    return 0


class Layout:
    """Blocks, a device, and the frame around their pages.

    `earlier`: where to begin in order to reach the page before a position. `pulled`: octets fetched so far. `left`:
    octets still to be fetched from a position on, as far as known. `ahead`: maximum pages to count ahead. `section`:
    the longest section that a position here can have. `forms`: where the forms of a message that has several begin;
    their first pages are laid out like the message's own. `even`: a last page with little on it gets some of the page
    before. `known`: pages that need not be laid out again.
    """

    def __init__(
        self,
        blocks: Blocks,
        device: Device,
        frame: Callable[[MessagePage], Screen],
        link_target: markup.LinkResolver,
        *,
        earlier: Callable[[Position], Position | None] = _from_the_start,
        pulled: Callable[[], int] = _nothing,
        left: Callable[[Position], int] = _nothing_left,
        ahead: int = COUNTED,
        section: str = "",
        forms: Iterable[Position] = (),
        even: bool = False,
        keep: Callable[[], None] = _keep_nothing,
        known: KnownPages | None = None,
    ) -> None:
        self._blocks, self._device = blocks, device
        self._known = known or KnownPages(None, 0)
        self._frame, self._link_target = frame, _once(link_target)
        self._earlier, self._pulled, self._left, self._ahead = earlier, pulled, left, ahead
        self._weighing = weighing(device, self._widest_frame, self._write)
        #: Keeps what was read for the next request; to be called last.
        self.keep = keep
        #: The markup written to measure the page that is to be shown, until it is made.
        self._written: dict[int, tuple[Block, Markup]] | None = {}
        self._shown = 0
        self._forms = frozenset(forms)
        self._even = even
        self._widest = replace(_WIDEST, section=max(section, _WIDEST.section, key=len))

    def _widest_frame(self, first: bool) -> str:
        at = self._widest
        widest = MessagePage(Markup(), (), None if first else at, at, 1 if first else _MOST, _MOST)
        return markup.write(self._frame(widest), self._device)

    def _write(self, block: Block) -> Markup:
        if self._written is None:
            return markup.block(block, self._device, self._link_target)
        known = self._written.get(id(block))
        if known is None:
            known = self._written[id(block)] = block, markup.block(block, self._device, self._link_target)
        return known[1]

    def _body(self, blocks: Sequence[Block]) -> Markup:
        return Markup("\n".join(map(self._write, blocks)))  # noqa: S704

    def _sample(self, block: Block) -> Block:
        """Return the part of a block that is weighed: all of it unless it is huge."""
        if not self._weighing.is_huge(block):
            return block
        return cut(block, len(block.text) * self._device.deck_limit // length(block))[0]

    def _pages(self, start: Position | None, blocks: Iterable[Block] | None = None) -> _Pages:
        blocks = self._blocks(start) if blocks is None else blocks
        first = start is None or start in self._forms
        weights = self._weighing
        torn: tuple[Block, Block] | None = None  # the block that was cut last, and the rest of it

        def fits(page: Sequence[Block]) -> bool:
            return weights.fits(page, first)

        def halves(block: Block, page: Sequence[Block], accept: Accept) -> tuple[Block, Block] | None:
            nonlocal torn
            limit, sample = self._device.deck_limit, self._sample(block)
            octets = weights.octets(sample)
            guess = len(sample.text) * weights.room(page, first) // octets
            spare = len(sample.text) * (limit // _SPARE) // octets
            fits(page)  # to begin with what it leaves
            more = partial(weights.more, sample)
            found = split(block, accept, max(guess, 1), tear=not page, spare=spare, more=more)
            torn = (block, found[1]) if found else torn
            return found

        def even(before: list[Block], last: list[Block]) -> tuple[list[Block], list[Block]]:
            whole = torn[0] if torn and torn[1] is last[0] else None  # a block on both pages
            blocks = [*before[:-1], whole, *last[1:]] if whole else [*before, *last]
            found = self._even and evened(blocks, sum(map(weights.octets, last)), weights.octets, _leads_on)
            return found if found and fits(found[1]) else (before, last)

        def gauge() -> Callable[[Block], bool]:
            return weights.gauge(first)

        def pages() -> Iterator[tuple[list[Block], bool]]:
            nonlocal first
            for found in paginate_to_the_end(blocks, fits, halves, _leads_on, gauge):
                first = False
                yield found
                weights.forget()

        return balanced(pages(), even)

    def page(self, start: Position | None = None, number: int = 1, total: int | None = None) -> MessagePage:
        """Lay out the page that starts at `start`.

        Unless `total` (see `MessagePage.known`) is known, count the pages after it as far as that is cheap.
        """
        asked = PageRequest(start, number, total, before=False)
        return self._known.page(asked, partial(self._laid_out, start, number, total))

    def _laid_out(self, start: Position | None, number: int, total: int | None) -> MessagePage:
        division = self._known.division(start)
        if division is not None and (division.next is None or _is_total(total, number)):
            return self._numbered(division.blocks, start, division.next, iter(()), number, total)
        with closing(self._pages(start)) as pages:
            blocks, following = next(pages, ([], None))
            self._shown = self._pulled()
            return self._numbered(blocks, start, _place(following), pages, number, total)

    def _numbered(
        self,
        blocks: Sequence[Block],
        start: Position | None,
        following: Position | None,
        pages: Iterator[_Divided],
        number: int,
        total: int | None,
    ) -> MessagePage:
        """Make a page, and count all pages: `pages` are those after it, `following` is where they begin."""
        body = self._body(blocks)
        self._written = None
        if following is None:
            total = number
        elif total is None or not _is_total(total, number):
            total = self._count(pages, following, number + 1)
        made = self._made(body, blocks, start, following, number, total)
        return replace(made, links=tuple(self._links(blocks)))

    def _links(self, blocks: Iterable[Block]) -> Iterator[tuple[str, str]]:
        for block in blocks:
            if [run for run in block.runs if run.link]:
                for run, _parts in leading(markup.fit_block(block, self._device)):
                    if run.link:
                        yield run.link, run.text

    def _count(self, pages: Iterator[_Divided], at: Position, number: int) -> int:
        """Count pages from the one at `at` to the last; negative: this many were counted, and there are more."""
        most = self._weighing.worked + WORK
        start = at
        for counted, (page, following) in enumerate(islice(pages, self._ahead), 1):
            if start not in self._forms:  # counted as a page that continues, shown as one that begins
                self._known.divided(start, page, _place(following))
            if following is None:
                return number
            number, start = number + 1, following.at
            if self._is_far(at, following.at) or self._weighing.worked > most:
                return -number
            if counted % STEP == 0 and self._left(following.at) > _BEYOND:
                return -number
        _page, following = next(pages, ([], None))
        return number if following is None else -number

    def _is_far(self, begun: Position, at: Position) -> bool:
        """Return whether counting on would fetch too much.

        This is judged by positions, not by what was fetched: its pieces depend on where reading began, and a page must
        have the same count by Prev as by Next.
        """
        fetched = self._pulled() - self._shown
        if at.section != begun.section:
            return fetched > LOOKAHEAD
        return fetched > 0 and at.start - begun.start > LOOKAHEAD

    def _made(
        self,
        body: Markup,
        blocks: Sequence[Block],
        start: Position | None,
        at: Position | None,
        number: int,
        total: int,
    ) -> MessagePage:
        known = total if total > 0 else None
        return MessagePage(body, tuple(blocks), start, at, number, known, start in self._forms, abs(total))

    def page_before(self, start: Position, number: int, total: int | None = None) -> MessagePage:
        """Lay out the page before the one that starts at `start`."""
        asked = PageRequest(start, number, total, before=True)
        return self._known.page(asked, partial(self._laid_out_before, start, number, total))

    def _laid_out_before(self, start: Position, number: int, total: int | None) -> MessagePage:
        # A form other than the default one is only reached from its own beginning.
        for base in dict.fromkeys((self._earlier(start), None, Position(start.section))):
            before, near = approach(self._blocks, self._device.deck_limit, base, start)
            with closing(self._pages(before, near)) as pages:
                blocks, following = next(pages, ([], None))
                pulled = self._pulled()
                if not blocks or reaches(blocks[0].at, start):
                    continue
                while following and not reaches(following.at, start):
                    before = following.at
                    blocks, following = next(pages)
                if not following and not reaches(blocks[-1].at, start):
                    continue
                self._shown = self._pulled()
                number = 1 if before is None or before in self._forms else max(number, 2)
                if self._shown == pulled:
                    return self._numbered(blocks, before, _place(following), pages, number, total)
            # How far pages are counted depends on where reading began: a page must have the same count by Prev as by
            # Next.
            return self._laid_out(before, number, total)
        return self._laid_out(None, 1, total)

    def all(self) -> Iterator[MessagePage]:
        """Lay out every page, each with the total."""
        self._written = None
        pages: list[_Divided] = list(self._pages(None)) or [([], None)]
        for index, (blocks, following) in enumerate(pages):
            start = blocks[0].at if index else None
            yield self._made(
                self._body(blocks), blocks, start, following.at if following else None, index + 1, len(pages)
            )

    def screen(self, page: MessagePage) -> Screen:
        """Return the screen of a page in its frame."""
        return self._frame(page)


def of_message(
    message: Message,
    octets: ReadSection,
    device: Device,
    context: Context,
    frame: Callable[[MessagePage], Screen],
    link_target: markup.LinkResolver,
    shelf: Shelf | None = None,
) -> Layout:
    """Lay out a message, pulling its parts through `octets`; its blocks stay on `shelf` for the next page."""
    counted = CountedOctets(octets)

    def back(start: Position) -> Position | None:
        return earlier(message, counted, start, LOOKBACK)

    def left(at: Position) -> int:
        part = next((part for part in message.root.walk() if part.section == at.section), None)
        return 0 if part is None or has_own_view(part, at.start) else part.octets - at.start

    blocks = KeptBlocks(partial(render, message, context, counted), counted, LOOKAHEAD, shelf)
    longest = max((part.section for part in message.root.walk()), key=len)
    forms = map(Position, both_forms(message.root) or ())
    return Layout(
        blocks,
        device,
        frame,
        link_target,
        earlier=back,
        pulled=lambda: counted.pulled,
        left=left,
        section=longest,
        forms=forms,
        even=True,
        keep=blocks.keep,
        known=blocks.pages,
    )


def _is_total(total: int | None, number: int) -> bool:
    """Return whether a number of pages, as in `MessagePage.known`, can be that of a message whose page this is."""
    return total is not None and not -number <= total <= number


def _place(block: Block | None) -> Position | None:
    return block.at if block is not None else None


def _once(link_target: markup.LinkResolver) -> markup.LinkResolver:
    """Cache link targets: the search for the end of a page writes each link several times."""
    known: dict[tuple[str, str], str] = {}

    def led(block: Block, run: Run | None) -> str:
        if run is None:
            return link_target(block, None)
        key = run.link, run.text
        if key not in known:
            known[key] = link_target(block, run)
        return known[key]

    return led


def _leads_on(block: Block) -> bool:
    return block.kind is Kind.HEADING
