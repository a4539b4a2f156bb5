"""Pages: full, memoryless, never endless; exercised on strings, for which a page's size is its length."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hypothesis import given
from hypothesis import strategies as st

from gateway.pages import pagination

BUDGET = 40


def fits(items: list[str]) -> bool:
    return sum(len(item) + 1 for item in items) <= BUDGET


def split(item: str, page: list[str], accept: Callable[[str], bool]) -> tuple[str, str] | None:
    if item.startswith("#"):
        return None
    for end in range(len(item) - 1, 0, -1):
        if accept(item[:end]):
            return item[:end], item[end:]
    return None


def heading(item: str) -> bool:
    return item.startswith("#")


def pages(items: list[str]) -> list[list[str]]:
    return [page for page, _last in pagination.paginate_to_the_end(items, fits, split, heading)]


WORDS = st.lists(
    st.text("abc", min_size=1, max_size=90) | st.text("xyz", min_size=1, max_size=50).map("#".__add__)
)


@given(WORDS)
def test_nothing_is_lost_or_moved(items: list[str]) -> None:
    assert "".join("".join(items) for items in pages(items)) == "".join(items)


@given(WORDS)
def test_a_page_is_within_budget_unless_one_thing_alone_is_not(items: list[str]) -> None:
    for laid in pages(items):
        assert laid
        assert fits(laid) or len(laid) == 1


@given(st.lists(st.text("abc", min_size=1, max_size=90)))
def test_pages_of_what_can_be_split_are_full(items: list[str]) -> None:
    for laid in pages(items)[:-1]:
        assert sum(len(item) + 1 for item in laid) >= BUDGET - 1


@given(WORDS, st.integers(0, 20))
def test_a_page_does_not_depend_on_the_pages_before(items: list[str], number: int) -> None:
    laid = pages(items)
    rest = [item for items in laid[number:] for item in items]
    # items that were split across a page end are whole again only after the page where reading begins
    whole = pages(rest)
    assert ["".join(items) for items in whole] == ["".join(items) for items in laid[number:]]


@given(WORDS)
def test_no_heading_ends_a_page_on_which_something_else_stands(items: list[str]) -> None:
    laid = pages(items)
    for items in laid[:-1]:
        assert not heading(items[-1]) or all(heading(item) for item in items)


def test_what_cannot_be_split_goes_out_alone() -> None:
    assert pages(["a", "#" + "x" * 60, "b"]) == [["a"], ["#" + "x" * 60], ["b"]]


def test_only_what_a_page_needs_is_pulled() -> None:
    pulled = []

    def endless() -> Iterator[str]:
        while True:
            pulled.append(1)
            yield "aaaaaaaaa"

    laid = pagination.paginate_to_the_end(endless(), fits, lambda item, page, accept: None, heading)
    assert next(laid) == (["aaaaaaaaa"] * 4, False)
    assert len(pulled) == 5


def test_the_last_two_pages_are_made_anew_whichever_page_is_begun_with() -> None:
    def even(before: list[str], last: list[str]) -> tuple[list[str], list[str]]:
        both = "".join((*before, *last))
        return [both[: len(both) // 2]], [both[len(both) // 2 :]]

    def evened(text: str) -> list[str]:
        laid = pagination.balanced(pagination.paginate_to_the_end([text], fits, split), even)
        return ["".join(items) for items, _first in laid]

    text = "".join(chr(ord("a") + n % 26) for n in range(3 * (BUDGET - 1) + 1))
    laid = evened(text)
    assert "".join(laid) == text
    assert [len(items) for items in laid] == [39, 39, 20, 20]
    for number in range(len(laid)):
        assert evened("".join(laid[number:])) == laid[number:]
    assert evened("abc") == ["abc"]
