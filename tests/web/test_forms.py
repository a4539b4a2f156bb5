"""forms: what phones post, in every charset, escaped and raw."""

from __future__ import annotations

import encodings
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadRequest
from gateway.web.forms import PROBE, known, parse

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
    """Punycode takes quadratic time, and escapes say halves of letters, which nothing behind could write down."""
    assert known(label) == ""
    for body in (rb"text=\ud800%2B2AA-", b"text=\\ud800%2B2AA-&_charset_=" + label.encode()):
        assert parse(f"{FORM}; charset={label}", body, "utf-8")["text"] == r"\ud800+2AA-"


def test_labels_are_not_remembered() -> None:
    """`codecs.lookup` keeps what it was asked for, known or not, as long as the process lives."""
    before = len(encodings._cache)  # type: ignore[attr-defined]
    for number in range(20):
        parse(FORM, b"_charset_=never-heard-of-%d" % number, "utf-8")
    assert len(encodings._cache) == before  # type: ignore[attr-defined]
