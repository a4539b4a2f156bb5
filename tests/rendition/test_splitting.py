"""The search for a cut ends when everything left to try leads to the same one: fewer tries, the same halves."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rendition import blocks
from gateway.rendition.blocks import Block, Kind, Position, Run, split

WORDS = st.sampled_from([
    "a", "word", "longer", "sentence.", "End!", "What?", "1.", "–", "x" * 30, "漢字漢字。", "é", "e\u0301", "👨‍👩‍👧",
    "\n", "\n\n", "  ", "b.c", "(12)", "Mr.", "it", "is", "so", " ", " ", " ",
])  # fmt: skip
PROSE = " ".join(f"This is sentence {n} of a text, as people write them." for n in range(60))


def halves(
    text: str, most: int, guess: int, spare: int, tear: bool, more: Callable[[int], int] | None = None
) -> tuple[tuple[Block, Block] | None, int]:
    """Cut a text so that its head has at most this many characters; return the halves and the number of tries.

    `more` returns what is told of how many characters more are left beside a head.
    """
    tried = [0]

    def accept(head: Block) -> bool:
        tried.append(len(head.text))
        return len(head.text) <= most

    told = more and (lambda: more(most - tried[-1]))
    block = Block(Kind.PARAGRAPH, (Run(text),), Position("1", 0))
    return split(block, accept, guess, tear, spare, told), len(tried) - 1


@pytest.fixture(scope="module")
def to_the_end() -> Callable[..., int]:
    """The search that continues until the index is known."""
    search = blocks._largest
    return lambda takes, length, guess, settled: search(takes, length, guess, lambda low, high: False)


@given(
    st.lists(WORDS, min_size=1, max_size=160).map(" ".join),
    st.integers(0, 900), st.floats(0.8, 1.2), st.sampled_from((0, 20, 60, 87)), st.booleans(),
)  # fmt: skip
@settings(max_examples=1500, deadline=None)
def test_the_halves_are_those_of_the_whole_search(
    to_the_end: Callable[..., int], text: str, most: int, off: float, spare: int, tear: bool
) -> None:
    guess = max(int(most * off), 1)
    found, tries = halves(text, most, guess, spare, tear)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_largest", to_the_end)
        expected, most_tries = halves(text, most, guess, spare, tear)
    assert found == expected
    assert tries <= most_tries


def test_prose_takes_fewer_tries(to_the_end: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    cuts = [(most, int(most * chance.uniform(0.9, 1.1))) for most in range(300, 1300, 20)]
    tries = sum(halves(PROSE, most, guess, 60, True)[1] for most, guess in cuts)
    monkeypatch.setattr(blocks, "_largest", to_the_end)
    assert tries < 0.8 * sum(halves(PROSE, most, guess, 60, True)[1] for most, guess in cuts)


@given(
    st.lists(WORDS, min_size=1, max_size=160).map(" ".join),
    st.integers(0, 900), st.floats(0.8, 1.2), st.sampled_from((0, 20, 60, 87)), st.booleans(),
    st.floats(-1, 3), st.integers(-40, 40),
)  # fmt: skip
@settings(max_examples=1500, deadline=None)
def test_what_is_told_of_the_rest_changes_no_halves(
    text: str, most: int, off: float, spare: int, tear: bool, times: float, beside: int
) -> None:
    guess = max(int(most * off), 1)
    found, _tries = halves(text, most, guess, spare, tear, lambda left: int(left * times) + beside)
    assert found == halves(text, most, guess, spare, tear)[0]


def test_what_is_told_of_the_rest_saves_tries() -> None:
    chance = random.Random(1)
    cuts = [(most, int(most * chance.uniform(0.9, 1.1))) for most in range(300, 1300, 20)]
    told = sum(halves(PROSE, most, guess, 60, True, lambda left: left * 9 // 10)[1] for most, guess in cuts)
    plain = sum(halves(PROSE, most, guess, 60, True)[1] for most, guess in cuts)
    assert told < 0.9 * plain
    for most in range(20):
        assert halves(PROSE, most, 1, 60, False, lambda left: left)[1] == 1
