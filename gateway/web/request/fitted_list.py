"""Fitting a list into a page: the widest rows that fit, or as many narrow ones as fit.

Nothing here may know what a row or a page consists of. Making and measuring a page is expensive, so this bisects:
shorter lists and narrower rows are assumed never to be larger.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def first_fitting(pages: Iterable[T], fits: Callable[[T], bool]) -> T:
    """Return the first page that fits, or the last if none does."""
    page: T
    for page in pages:
        if fits(page):
            break
    return page


def fitted_list(
    make: Callable[[int, int], T],
    fits: Callable[[T], bool],
    widths: Sequence[int],
    rows: int,
    least: int = 1,
) -> T:
    """Make the page of a list with the widest rows that fit, or else with as many of the narrowest as fit.

    `make` takes the width of a row in characters, and the number of rows; `widths` are in descending order. At least
    `least` of the `rows` are shown, whatever their size.
    """
    choices = [(width, rows) for width in widths]
    choices += [(widths[-1], fewer) for fewer in range(rows - 1, least - 1, -1)]
    made: dict[tuple[int, int], T] = {}

    def is_fitting(choice: tuple[int, int]) -> bool:
        made[choice] = make(*choice)
        return fits(made[choice])

    if is_fitting(choices[0]) or len(choices) == 1:
        return made[choices[0]]
    chosen = choices[bisect_left(choices, True, 1, len(choices) - 1, key=is_fitting)]
    return made[chosen] if chosen in made else make(*chosen)


def fitted_rows(make: Callable[[int], T], fits: Callable[[T], bool], rows: int, least: int = 1) -> T:
    """Make the page of a list with rows of one width, with as many of them as fit."""
    return fitted_list(lambda _width, count: make(count), fits, (0,), rows, least)


def row_within(asked: int, count: int) -> int:
    """Return the index of a page's first row: the requested one if it exists, otherwise 0."""
    return asked if 0 <= asked < count else 0
