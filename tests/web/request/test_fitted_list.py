"""Fitting a list: nothing wider, and no more rows, would have fitted; and few pages are made to find that out."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from gateway.web.request.fitted_list import first_fitting, fitted_list, row_within

WIDTHS = st.lists(st.integers(1, 200), min_size=1, max_size=12, unique=True).map(
    lambda found: tuple(sorted(found, reverse=True))
)
#: A page as a test sees it: the width of its rows, and how many of them there are.
Page = tuple[int, int]


class Pages:
    """Pages whose rows each weigh their text, as wide as it may be, and something in addition."""

    def __init__(self, texts: list[int], limit: int, frame: int = 40) -> None:
        self.texts, self.limit, self.frame = texts, limit, frame
        self.made: list[Page] = []

    def make(self, width: int, rows: int) -> Page:
        self.made.append((width, rows))
        return width, rows

    def fits(self, page: Page) -> bool:
        width, rows = page
        return self.frame + sum(20 + min(text, width) for text in self.texts[:rows]) <= self.limit


TEXTS = st.lists(st.integers(0, 250), max_size=25)


@given(TEXTS, WIDTHS, st.integers(0, 3000), st.integers(0, 1))
def test_nothing_wider_and_no_more_rows_would_have_fitted(
    texts: list[int], widths: tuple[int, ...], limit: int, least: int
) -> None:
    pages = Pages(texts, limit)
    width, rows = fitted_list(pages.make, pages.fits, widths, len(texts), least)
    if rows == len(texts):
        assert not any(pages.fits((wider, rows)) for wider in widths if wider > width)
    else:
        assert width == widths[-1]
        assert not pages.fits((width, rows + 1))
    assert pages.fits((width, rows)) or (width, rows) == (widths[-1], min(least, len(texts)))


@given(TEXTS, WIDTHS, st.integers(0, 3000))
def test_few_pages_are_made(texts: list[int], widths: tuple[int, ...], limit: int) -> None:
    pages = Pages(texts, limit)
    fitted_list(pages.make, pages.fits, widths, len(texts))
    assert len(pages.made) == len(set(pages.made)) <= 2 + (len(widths) + len(texts)).bit_length()


@given(st.integers(1, 12), WIDTHS, st.data())
def test_whatever_pages_weigh_the_one_that_is_taken_fits_if_the_smallest_does(
    rows: int, widths: tuple[int, ...], data: st.DataObject
) -> None:
    """A narrower row may weigh more: the sign for the letters that are cut off takes three octets."""
    every = list(product(widths, range(rows + 1)))
    fitting = data.draw(st.sets(st.sampled_from(every))) | {(widths[-1], 1)}
    page = fitted_list(lambda *page: page, fitting.__contains__, widths, rows)
    assert page in fitting


def test_all_that_fits_at_once_is_made_once() -> None:
    pages = Pages([10, 10], 1000)
    assert fitted_list(pages.make, pages.fits, (60, 30), 2) == (60, 2)
    assert pages.made == [(60, 2)]


def test_a_list_without_rows_has_a_page_too() -> None:
    pages = Pages([], 0)
    assert fitted_list(pages.make, pages.fits, (60, 30), 0) == (30, 0)


@given(st.lists(st.booleans(), min_size=1))
def test_the_first_that_fits_is_taken_else_the_last(fitting: list[bool]) -> None:
    chosen = first_fitting(iter(range(len(fitting))), fitting.__getitem__)
    assert chosen == (fitting.index(True) if True in fitting else len(fitting) - 1)


@given(st.integers(), st.integers(0, 100))
def test_a_page_begins_at_a_row_that_there_is(asked: int, count: int) -> None:
    first = row_within(asked, count)
    assert first == asked if 0 <= asked < count else first == 0
