"""A single address in the usual form is read quickly, with the same result as from the parser of whole lists."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.message.headers import address_lists
from gateway.message.headers.address_lists import ADDRESS_LIMIT, parse, parse_groups

PIECES = st.sampled_from([
    "Anna", "anna@example.org", "<", ">", "<anna@example.org>", '"', '"Berg, Anna"', " ", "  ", "\t", "\r\n ", ",", ";",
    ":", "(", ")", "(c)", "@", "\\", "=?utf-8?q?Zo=C3=AB?=", "=?utf-8?b?YUBiLmM=?=", "=?x?q?a <b@c>?=", "=",
    "Zoë", "\udcff", "'Anna'", "[1.2.3.4]", "a@b", ".", "\0", "\x1b", "undisclosed", "mailto:",
    "a.b+c@d-e.f", "'a@b'", "\u200b",
])  # fmt: skip


@given(st.lists(PIECES, max_size=7).map("".join))
@example('"Berg, Anna" <anna@example.org>')
@example(" Zoë  Sender <sender@example.org> ")
@example('""<a@b>')
@example("a@b")
@example('"Berg, Anna":@')
@settings(max_examples=2000, deadline=None)
def test_usual_addresses_are_read_as_lists_are(text: str) -> None:
    found = parse_groups(text, ADDRESS_LIMIT)
    assert parse(text) == (found.addresses, found.more)


@pytest.mark.parametrize(
    "text",
    ["Anna <a@b.c>", '"Berg, Anna" <a@b.c>', "a@b.c", "<a@b.c>", "=?utf-8?q?Zo=C3=AB?= Sender <a@b.c>", ""],
)
def test_they_need_no_parser(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = parse_groups(text, ADDRESS_LIMIT).addresses
    monkeypatch.setattr(address_lists, "_TOKEN", re.compile("(?!)"))
    assert parse(text)[0] == expected
