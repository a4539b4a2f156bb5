"""What a person types to find mail: every piece is understood, or named in an error."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.query import (
    EMPTY,
    KEYS,
    LARGEST,
    LONGEST,
    MOST_TERMS,
    NO_DATE,
    NO_SIZE,
    TOO_LONG,
    UNCLOSED,
    UNKNOWN,
    BadQuery,
    Query,
    Term,
    flag,
    parse,
)

TODAY = date(2026, 3, 31)


def day(year: int, month: int, day: int) -> date:
    return date(year, month, day)


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("", []),
        ("  \t\r\n ", []),
        ("lamp", [Term("word", "lamp")]),
        ("two words", [Term("word", "two"), Term("word", "words")]),
        ('"two  words"', [Term("word", "two words")]),
        ("„zwei Worte“", [Term("word", "zwei Worte")]),
        ("Grüße да 日本", [Term("word", "Grüße"), Term("word", "да"), Term("word", "日本")]),
        ("from:bob", [Term("from", "bob")]),
        ("FROM:Bob", [Term("from", "Bob")]),
        ("from: bob to:me@example.net", [Term("from", "bob"), Term("to", "me@example.net")]),
        ('subject:"big lamp" text:x', [Term("subject", "big lamp"), Term("text", "x")]),
        ('from: "Bob B" x', [Term("from", "Bob B"), Term("word", "x")]),
        ("-from:bob -lamp", [Term("from", "bob", True), Term("word", "lamp", True)]),
        ("a - b", [Term("word", "a"), Term("word", "-"), Term("word", "b")]),
        ("is:unread is:flagged", [Term("is", "unread"), Term("is", "flagged")]),
        ("is:READ -is:unanswered", [Term("is", "unread", True), Term("is", "answered")]),
        ("has:attachment", [Term("has", "attachment")]),
        ("larger:2m smaller:500k", [Term("larger", 2 * 1024**2), Term("smaller", 500 * 1024)]),
        ("larger:1000 larger:1MB", [Term("larger", 1000), Term("larger", 1024**2)]),
        ("since:2026-11-03", [Term("since", day(2026, 11, 3))]),
        ("before:3.11.2026", [Term("before", day(2026, 11, 3))]),
        ("since:11/2026 before:2026", [Term("since", day(2026, 11, 1)), Term("before", day(2026, 1, 1))]),
        ("since:2026-11", [Term("since", day(2026, 11, 1))]),
        ("since:0d", [Term("since", TODAY)]),
        ("since:7d before:2w", [Term("since", day(2026, 3, 24)), Term("before", day(2026, 3, 17))]),
        ("since:1m", [Term("since", day(2026, 2, 28))]),
        ("since:25m since:1y", [Term("since", day(2024, 2, 29)), Term("since", day(2025, 3, 31))]),
        ("12:30 3:1", [Term("word", "12:30"), Term("word", "3:1")]),
        ("x x", [Term("word", "x")]),
    ],
)
def test_what_is_understood(typed: str, terms: list[Term]) -> None:
    assert parse(typed, TODAY) == Query(tuple(terms))


@pytest.mark.parametrize(
    ("typed", "reason", "piece"),
    [
        ("lamp foo:bar", UNKNOWN, "foo:bar"),
        ("http://example.org/", UNKNOWN, "http://example.org/"),
        ("is:purple x", UNKNOWN, "is:purple"),
        ("has:teeth", UNKNOWN, "has:teeth"),
        ('from:"bob', UNCLOSED, 'from:"bob'),
        ('a 5"disk', UNCLOSED, '5"disk'),
        ("from:", EMPTY, "from:"),
        ("from: subject:x", EMPTY, "from:"),
        ('a ""', EMPTY, '""'),
        ('-""', EMPTY, '-""'),
        ("since:yesterday", NO_DATE, "since:yesterday"),
        ("since:2026-02-30", NO_DATE, "since:2026-02-30"),
        ("since:3/11/2026", NO_DATE, "since:3/11/2026"),
        ("since:0000", NO_DATE, "since:0000"),
        ("since:9999y", NO_DATE, "since:9999y"),
        ("since:900m", NO_DATE, "since:900m"),
        ("since:١٢", NO_DATE, "since:١٢"),
        ("larger:big", NO_SIZE, "larger:big"),
        ("larger:4g", NO_SIZE, "larger:4g"),
        ("larger:²", NO_SIZE, "larger:²"),
        ("larger:-1", NO_SIZE, "larger:-1"),
        ("x" * (LONGEST + 1), TOO_LONG, ""),
        (" ".join(map(str, range(MOST_TERMS + 1))), TOO_LONG, ""),
    ],
)
def test_what_is_not_understood_is_named(typed: str, reason: str, piece: str) -> None:
    with pytest.raises(BadQuery) as caught:
        parse(typed, TODAY)
    assert (caught.value.reason, caught.value.piece) == (reason, piece)
    assert piece in str(caught.value)


def test_attachments_are_approximate() -> None:
    assert parse("x has:attachment", TODAY).is_approximate
    assert parse("-has:attachments", TODAY).is_approximate
    assert not parse("x is:unread", TODAY).is_approximate


def test_filters_join_a_query() -> None:
    assert parse("x", TODAY) + flag("unread") == parse("x is:unread", TODAY)
    assert parse("is:unread", TODAY) + flag("unread") == flag("unread")
    assert flag("flagged", False) == parse("-is:flagged", TODAY)


# Every way of writing something that might be a query, and everything else.
NAMED = [f"{key}:" for key in KEYS]
VALUES = ["-", '"', " ", ":", "7d", "2m", "2026-11-03", "11/2026", "unread", "attachment"]
TYPED = st.lists(st.sampled_from(NAMED + VALUES) | st.text(max_size=12), max_size=30).map("".join)


def read(typed: str, today: date = TODAY) -> Query | BadQuery:
    try:
        return parse(typed, today)
    except BadQuery as error:
        return error


@given(TYPED, st.dates())
def test_only_a_bad_query_is_raised_and_the_rest_is_bounded(typed: str, today: date) -> None:
    found = read(typed, today)
    if isinstance(found, BadQuery):
        assert found.reason % {"piece": found.piece}
        return
    assert len(found.terms) <= MOST_TERMS
    for term in found.terms:
        assert term.key in KEYS or term.key == "word"
        if isinstance(term.value, str):
            assert term.value
            assert not set(term.value) & set('\0\r\n"')
            term.value.encode()
        elif isinstance(term.value, int):
            assert 0 <= term.value <= LARGEST


@given(TYPED)
def test_the_canonical_form_reads_back_as_the_same(typed: str) -> None:
    found = read(typed)
    if isinstance(found, BadQuery):
        return
    again = read(str(found), date(2000, 1, 1))
    if isinstance(again, BadQuery):
        # The canonical form may be longer than what was typed ("1y").
        assert again.reason == TOO_LONG
        return
    assert again == found
    assert str(again) == str(found)
