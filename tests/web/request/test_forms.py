"""forms: what phones post, in every charset, escaped and raw."""

from __future__ import annotations

import encodings
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadRequest
from gateway.web.request.form_bodies import PROBE, Fields, Upload, codec_of, parse

TEXT = "Grüße 5 € да"
#: What each charset can carry of TEXT.
CARRIED = {"utf-8": TEXT, "iso-8859-1": "Grüße 5 ", "windows-1252": "Grüße 5 € "}
FORM = "application/x-www-form-urlencoded"


def _body(fields: dict[str, str], charset: str, raw: bool) -> bytes:
    out = []
    for name, value in fields.items():
        octets = value.encode(charset, "replace")
        escaped = octets.replace(b"%", b"%25").replace(b"&", b"%26").replace(b"+", b"%2B").replace(b" ", b"+")
        out.append(name.encode() + b"=" + (escaped if raw else quote_plus(octets).encode()))
    return b"&".join(out)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("charset", CARRIED)
@pytest.mark.parametrize("by", ["content-type", "_charset_", "probe"])
def test_the_charset_is_found(charset: str, raw: bool, by: str) -> None:
    fields = {"text": CARRIED[charset]}
    content_type = FORM
    if by == "content-type":
        content_type += f"; charset={charset}"
    elif by == "_charset_":
        fields["_charset_"] = charset
    else:
        fields["_probe"] = PROBE
    assert parse(content_type, _body(fields, charset, raw), "us-ascii")["text"] == CARRIED[charset]


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252"])
def test_without_any_sign_the_page_charset_counts(charset: str) -> None:
    assert parse(FORM, _body({"text": "Grüße"}, charset, False), charset)["text"] == "Grüße"


def test_content_type_beats_the_field_beats_the_probe() -> None:
    body = _body({"text": "Grüße", "_charset_": "utf-8"}, "windows-1252", False)
    assert parse(FORM + '; charset="windows-1252"', body, "utf-8")["text"] == "Grüße"
    body = b"text=%D4%C1&_charset_=koi8-r&_probe=%C3%A9"
    assert parse(FORM, body, "utf-8")["text"] == "та"


def test_cyrillic_phones_are_told_by_the_probe_s_end() -> None:
    for charset in ("cp1251", "koi8-r"):
        assert parse(FORM, _body({"text": "да", "_probe": PROBE}, charset, False), "utf-8")["text"] == "да"


def test_octets_outside_the_charset_are_not_lost() -> None:
    assert parse(FORM + ";charset=utf-8", b"text=a%E9%81b", "utf-8")["text"] == "aé\x81b"


def test_line_ends_become_newlines_and_escaped_ampersands_separate() -> None:
    assert parse(FORM, b"text=a%0D%0Ab%0Dc&amp;x=1", "utf-8") == {"text": "a\nb\nc", "x": "1"}


def test_semicolons_belong_to_values() -> None:
    assert parse(FORM, b"ids=1;2;3", "utf-8") == {"ids": "1;2;3"}


def test_other_media_types_are_refused() -> None:
    with pytest.raises(BadRequest):
        parse("application/json", b"{}", "utf-8")
    with pytest.raises(BadRequest):
        parse(FORM, b"&".join(b"a%d=1" % n for n in range(500)), "utf-8")


@given(st.binary(max_size=200), st.text(max_size=40))
def test_any_body_is_read(body: bytes, charset: str) -> None:
    fields = parse(FORM, body, charset)
    assert all(isinstance(value, str) for value in fields.values())


@pytest.mark.parametrize(
    "label", ["punycode", "idna", "unicode_escape", "raw_unicode_escape", "utf-7", "zlib", "x" * 9]
)
def test_what_is_no_charset_cannot_be_named(label: str) -> None:
    """Punycode takes quadratic time, and escapes represent half letters, which nothing after that could write."""
    assert codec_of(label) == ""
    for body in (rb"text=\ud800%2B2AA-", b"text=\\ud800%2B2AA-&_charset_=" + label.encode()):
        assert parse(f"{FORM}; charset={label}", body, "utf-8")["text"] == r"\ud800+2AA-"


def test_labels_are_not_remembered() -> None:
    """`codecs.lookup` remembers what it was asked for, known or not, as long as the process lives."""
    before = len(encodings._cache)  # type: ignore[attr-defined]
    for number in range(20):
        parse(FORM, b"_charset_=never-heard-of-%d" % number, "utf-8")
    assert len(encodings._cache) == before  # type: ignore[attr-defined]


PAIRS = [
    ("to", "a@example.org"),
    ("text", "One.\nTwo."),
    ("do.send", "Send"),
    ("u", "3"),
    ("u", "1"),
    ("ticket", "T"),
]
FILE = Upload("file1", "a.txt", "text/plain", b"octets")


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252"])
def test_the_same_is_the_same_in_whatever_way_it_is_posted(charset: str) -> None:
    def content(text: str, charset: str, **more: str) -> bytes:
        body = _body({"text": text, "to": "a", **more}, charset, False)
        return parse(f"{FORM}; charset={charset}", body, "utf-8").fingerprint("/c?")

    said = content("Grüße\nAnn", "utf-8", ticket="one", keep="two")
    assert content("Grüße\r\nAnn", charset, ticket="three", _charset_=charset) == said
    assert content("Grüße\rAnn", charset, _probe=str(PROBE), kept="00") == said
    assert content("Grüße Ann", charset) != said


def test_order_means_nothing_but_where_a_field_comes_twice() -> None:
    content = Fields(PAIRS).fingerprint("/c?")
    assert Fields(reversed(PAIRS)).fingerprint("/c?") == content
    boxes = [pair for pair in PAIRS if pair[0] != "u"]
    assert Fields([*boxes, ("u", "1;3")]).fingerprint("/c?") == content  # as WML joins them
    twice = [("to", "a"), ("to", "b")]
    assert Fields(twice).fingerprint("/c?") != Fields(reversed(twice)).fingerprint("/c?")


@pytest.mark.parametrize(
    "other",
    [
        Fields([*PAIRS[1:], ("to", "b@example.org")]), Fields(PAIRS[1:]), Fields([*PAIRS, ("cc", "")]),
        Fields([pair if pair[0] != "do.send" else ("do.save", "Save") for pair in PAIRS]),
        Fields(PAIRS[:-2]), Fields(PAIRS, (FILE,)), Fields(PAIRS, (), ("a.txt",)),
    ],
)  # fmt: skip
def test_anything_else_is_something_else(other: Fields) -> None:
    assert other.fingerprint("/c?") != Fields(PAIRS).fingerprint("/c?")
    assert Fields(PAIRS).fingerprint("/c?") != Fields(PAIRS).fingerprint("/c?n=1")


def test_a_button_is_the_same_by_its_name_and_by_a_field() -> None:
    wml = [pair for pair in PAIRS if pair[0] != "do.send"] + [("do", "send")]
    assert Fields(wml).pressed_button() == Fields(PAIRS).pressed_button() == "send"
    assert Fields(wml).fingerprint("/c?") == Fields(PAIRS).fingerprint("/c?")
    assert Fields(PAIRS[:2]).pressed_button() == ""


@pytest.mark.parametrize(
    "other", [{"octets": b"others"}, {"filename": "b.txt"}, {"media_type": "text/html"}, {"field": "file2"}]
)
def test_files_are_told_apart_by_what_is_in_them(other: dict[str, Any]) -> None:
    content = Fields(PAIRS, (FILE,)).fingerprint("/c?")
    assert Fields(PAIRS, (replace(FILE),)).fingerprint("/c?") == content
    assert Fields(PAIRS, (replace(FILE, **other),)).fingerprint("/c?") != content
    assert b"octets" not in content


@given(
    st.lists(st.tuples(st.text(max_size=4), st.text(max_size=6)), max_size=5),
    st.lists(st.tuples(st.text(max_size=4), st.text(max_size=6)), max_size=5),
)
def test_no_two_forms_are_taken_for_one(one: list[tuple[str, str]], other: list[tuple[str, str]]) -> None:
    def plain(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in pairs:
            found.setdefault(f"x{name}", []).append(value)
        return found

    first, second = (Fields([(f"x{name}", value) for name, value in pairs]) for pairs in (one, other))
    assert (first.fingerprint("/") == second.fingerprint("/")) is (plain(one) == plain(other))
