"""Pagination: a stream of items divided into pages, each as full as its budget allows.

Nothing here may know a markup, a block or a message: the caller decides whether items fit and how one is split. A page
depends only on its first item, never on the pages before it, so a page opened by the position of its first item is the
same page that a person would reach by paging.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from typing import TypeVar

T = TypeVar("T")

Fits = Callable[[list[T]], bool]
Split = Callable[[T, list[T], Callable[[T], bool]], tuple[T, T] | None]


def _never(item: object) -> bool:
    return False


def balanced(
    pages: Iterable[tuple[list[T], bool]],
    even: Callable[[list[T], list[T]], tuple[list[T], list[T]]],
) -> Generator[tuple[list[T], T | None], None, None]:
    """Yield pages, each with the first item of the next one; `even` redistributes the last two.

    `pages` are marked with whether they are the last. Each is held back until it is known whether the next one is the
    last, so it still depends on nothing before it.
    """
    held: list[T] | None = None
    for page, last in pages:
        if held is not None:
            if last:
                held, page = even(held, page)
            yield held, page[0]
        held = page
    if held is not None:
        yield held, None


def paginate_to_the_end(
    items: Iterable[T],
    fits: Fits[T],
    split: Split[T],
    keep_with_next: Callable[[T], bool] = _never,
    gauge: Callable[[], Callable[[T], bool]] | None = None,
) -> Iterator[tuple[list[T], bool]]:
    """Yield pages, each with whether it is the last.

    At most one item more is pulled than the page needs, or than `gauge` admits. `fits` returns whether a page of these
    items is within budget. `split(item, page, accept)` cuts off the largest head that `accept` admits after what is on
    the page, or returns None. An item for which `keep_with_next` holds does not end a page, unless it is alone there.
    An item that neither fits nor splits gets a page of its own. `gauge`, for an expensive `fits`, begins a page and
    returns a cheap test, which is given the items one by one and never rejects what fits.
    """
    source = iter(items)
    waiting: deque[T] = deque()
    while True:
        page: list[T] = []
        may_fit = gauge() if gauge else _each_time(page, fits)
        over = _gather(page, chain(_drain(waiting), source), may_fit)
        if gauge:
            over = _take_off(page, over, fits, waiting)
        if not over:
            if page:
                yield page, True
            return
        # If an item must not be last, neither may its head.
        halves = None if page and keep_with_next(over[0]) else _split_onto(page, over[0], fits, split)
        if halves is not None:
            page.append(halves[0])
            waiting.appendleft(halves[1])
        elif page:
            waiting.appendleft(over[0])
            waiting.extendleft(_take_back(page, keep_with_next))
        else:
            page.append(over[0])
        yield page, False


def _each_time(page: list[T], fits: Fits[T]) -> Callable[[T], bool]:
    return lambda item: fits([*page, item])


def _drain(waiting: deque[T]) -> Iterator[T]:
    while waiting:
        yield waiting.popleft()


def _gather(page: list[T], items: Iterator[T], may_fit: Callable[[T], bool]) -> list[T]:
    """Put items on the page while they may fit; return the first that does not, none at the end."""
    for item in items:
        if not may_fit(item):
            return [item]
        page.append(item)
    return []


def _take_off(page: list[T], over: list[T], fits: Fits[T], waiting: deque[T]) -> list[T]:
    """Remove from the page's end what does not fit after all; return the first such item."""
    low, high, step = len(page), len(page) + 1, 1
    while low and not fits(page[:low]):
        low, high, step = max(low - step, 0), low, step * 2
    while high - low > 1:
        middle = (low + high) // 2
        if fits(page[:middle]):
            low = middle
        else:
            high = middle
    rest = page[low:] + over
    del page[low:]
    waiting.extendleft(reversed(rest[1:]))
    return rest[:1]


def _split_onto(page: list[T], item: T, fits: Fits[T], split: Split[T]) -> tuple[T, T] | None:
    """Split an item so that its head fills up the page."""
    return split(item, page, lambda head: fits([*page, head]))


def _take_back(page: list[T], keep_with_next: Callable[[T], bool]) -> list[T]:
    """Remove from the page's end what must not be last, last item first; nothing if that would be the whole page."""
    keep = len(page)
    while keep and keep_with_next(page[keep - 1]):
        keep -= 1
    if keep == 0:
        return []
    taken = page[keep:]
    del page[keep:]
    taken.reverse()
    return taken
