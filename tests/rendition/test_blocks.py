"""Splitting blocks: the largest head that is accepted, at a good place, and nothing lost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadRequest
from gateway.rendition.blocks import Block, Kind, Position, Run, cut, split
from gateway.rendition.breaks import CLUSTER_LIMIT, between_graphemes


def paragraph(*texts: str, kind: Kind = Kind.PARAGRAPH, skip: int = 0) -> Block:
    runs = tuple(Run(text, strong=bool(number % 2)) for number, text in enumerate(texts))
    return Block(kind, runs, Position("1", 7, "A", skip), marker="1.")


def halves(text: str, room: int) -> tuple[str, str]:
    found = split(paragraph(text), lambda head: len(head.text) <= room)
    assert found is not None
    return found[0].text, found[1].text


def test_breaks_at_a_sentence_if_little_is_lost_by_it() -> None:
    assert halves("It is cold today here. We stay in and read.", 26) == (
        "It is cold today here.",
        "We stay in and read.",
    )


def test_breaks_at_a_word_if_the_sentence_ended_long_before() -> None:
    assert halves("Yes. We stay inside and read.", 20) == ("Yes. We stay inside", "and read.")


def test_breaks_at_a_line_end_first() -> None:
    assert halves("Main Street 5\n1234 Town, Land", 16) == ("Main Street 5", "1234 Town, Land")


def test_addresses_stay_whole() -> None:
    address = "https://lamps.example.org/houses/lamps.html"
    assert halves(f"Go there today: {address}", 40) == ("Go there today:", address)


def test_cuts_a_word_that_is_longer_than_the_room() -> None:
    assert halves("a" * 30, 10) == ("a" * 10, "a" * 20)


def test_a_few_words_are_not_torn_off() -> None:
    said = "We have said so all of this winter again and again and it is well known here."
    assert halves(said, len(said) - 2)[1] == "is well known here."
    assert halves(said, 12) == ("We have said", said[13:])
    for text, room in ((said, 12), ("1. Do: want to work from home with us?", 30)):
        assert split(paragraph(text), lambda head, room=room: len(head.text) <= room, tear=False) is None


def test_cuts_chinese_anywhere_but_before_a_closing_mark() -> None:
    assert halves("今天天气很好,我们去公园。明天再说", 8)[0] == "今天天气很好,我"
    assert halves("今天天气很好啊。我们去公园", 7)[0] == "今天天气很好"


@pytest.mark.parametrize(
    ("text", "room", "head"),
    [
        ("ae\u0301e\u0301", 2, "a"),
        ("a👩‍👩‍👧b", 3, "a"),
        ("👍🏽👍🏽", 3, "👍🏽"),
        ("🇫🇷🇩🇪", 3, "🇫🇷"),
        ("각각", 4, "각"),
    ],
)
def test_never_cuts_a_grapheme(text: str, room: int, head: str) -> None:
    assert halves(text, room)[0] == head


def test_none_when_not_one_grapheme_fits() -> None:
    assert split(paragraph("👩‍👩‍👧👩‍👩‍👧"), lambda head: len(head.text) < 4) is None
    assert split(paragraph("abc"), lambda head: False) is None
    assert split(paragraph("", kind=Kind.RULE), lambda head: True) is None


@pytest.mark.parametrize("marker", ["1. ", "(2)", "•  ", "-  "])
def test_a_number_does_not_stay_behind_without_its_item(marker: str) -> None:
    assert split(paragraph(f"{marker} Lamps"), lambda head: len(head.text) <= 4, tear=False) is None


def test_a_heap_of_marks_is_cut_rather_than_kept_whole() -> None:
    found = split(paragraph("a" + "\u0301" * 400), lambda head: len(head.text) <= 100)
    assert found is not None
    assert 100 - CLUSTER_LIMIT <= len(found[0].text) <= 100


def test_a_chain_of_joined_pictures_is_cut_rather_than_kept_whole() -> None:
    found = split(paragraph("\U0001f468\u200d" * 400), lambda head: len(head.text) <= 100)
    assert found is not None
    assert 100 - CLUSTER_LIMIT <= len(found[0].text) <= 100


def test_a_split_asks_seldom_whether_it_fits() -> None:
    asked = []
    split(paragraph("word " * 800), lambda head: not asked.append(1) and len(head.text) < 900)  # type: ignore[func-returns-value]
    assert len(asked) <= 14


TEXT = st.text(st.sampled_from("ab .\n今。\u0301\u200d👍🏽🇫🇷"), min_size=2, max_size=60)


@given(TEXT, TEXT, st.integers(1, 60), st.integers(0, 9))
def test_nothing_but_blanks_is_lost(one: str, two: str, room: int, skip: int) -> None:
    block = paragraph(one, two, skip=skip)
    found = split(block, lambda head: len(head.text) <= room)
    if found is None:
        return
    head, tail = found
    dropped = block.text[len(head.text) : tail.at.skip - skip]
    assert head.text + dropped + tail.text == block.text
    assert not dropped.strip()
    assert head.text.strip()
    assert tail.text.strip()
    assert not tail.text[0].isspace()
    assert (head.marker, tail.marker) == ("1.", "")
    assert (head.at, tail.at.start, tail.at.state) == (block.at, 7, "A")
    assert cut(block, tail.at.skip - skip)[1] == tail
    assert (
        between_graphemes(block.text, len(head.text))
        or len(head.text) >= CLUSTER_LIMIT
        or (unicodedata.combining(block.text[0]) > 0)
    )


@given(st.integers(0, 10**7), st.sampled_from(["", "A", "TXB"]), st.integers(0, 4000))
def test_a_position_survives_its_url(start: int, state: str, skip: int) -> None:
    position = Position("1.2.3", start, state, skip)
    assert Position.decode(position.encode()) == position
    assert len(position.encode()) <= 30  # leaves room for mailbox, UID and token in 75 octets of path


@pytest.mark.parametrize(
    "text", ["", "x", "1", "1-", "-1-", "1-a-b-c", "1-é", "1." + "9" * 80 + "-0", "-0\n"]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        Position.decode(text)
