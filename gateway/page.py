"""Pages: a stream of items laid out so that each page is as full as its budget allows.

Nothing here may know a markup, a block or a message: whether items fit, and how one is split, is asked of the
caller. A page depends only on the item it begins with, never on the pages before it, so that a page opened by
the position of its first item is the page that a person would have come to by paging.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

Fits = Callable[[list[T]], bool]
Split = Callable[[T, Callable[[T], bool]], tuple[T, T] | None]


def _never(item: object) -> bool:
    return False


def paginate(
    items: Iterable[T], fits: Fits[T], split: Split[T], keep_with_next: Callable[[T], bool] = _never
) -> Iterator[list[T]]:
    """Yield pages, pulling at most one item more than the page needs.

    `fits` says whether a page of these items is within budget. `split(item, accept)` cuts off the largest head
    that `accept` takes, or returns None. An item for which `keep_with_next` holds does not end a page, unless
    nothing else stands on it. What neither fits nor splits goes out alone.
    """
    source = iter(items)
    waiting: deque[T] = deque()
    page: list[T] = []
    while True:
        if waiting:
            item = waiting.popleft()
        else:
            try:
                item = next(source)
            except StopIteration:
                break
        if fits([*page, item]):
            page.append(item)
            continue
        halves = _split_onto(page, item, fits, split)
        if halves is not None:
            page.append(halves[0])
            waiting.appendleft(halves[1])
        elif page:
            waiting.appendleft(item)
            waiting.extendleft(_take_back(page, keep_with_next))
        else:
            page.append(item)
        yield page
        page = []
    if page:
        yield page


def _split_onto(page: list[T], item: T, fits: Fits[T], split: Split[T]) -> tuple[T, T] | None:
    """Split an item so that its head fills up the page."""
    return split(item, lambda head: fits([*page, head]))


def _take_back(page: list[T], keep_with_next: Callable[[T], bool]) -> list[T]:
    """Take from the page's end what must not stand last, last first; leave the page as it is if that is all."""
    keep = len(page)
    while keep and keep_with_next(page[keep - 1]):
        keep -= 1
    if keep == 0:
        return []
    taken = page[keep:]
    del page[keep:]
    taken.reverse()
    return taken


def last_before(pages: Iterable[list[T]], reached: Callable[[T], bool]) -> list[T] | None:
    """Return the last page that begins before the place; `reached` says whether an item is at or behind it."""
    last: list[T] | None = None
    for page in pages:
        if reached(page[0]):
            break
        last = page
    return last
