"""IMAP responses as values: what servers say, what they should not say, and only ImapSyntaxError for the rest."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import UnsafeArgument
from gateway.store import server_text
from gateway.store.imap import response
from gateway.store.imap.response import ImapSyntaxError, Value

# Octets that a server may put between quotes; it sends everything else as a literal.
_QUOTABLE = st.binary(max_size=30).filter(lambda octets: not {0, 10, 13} & set(octets))
_VALUES = st.recursive(
    st.none() | st.integers(0, 2**63) | st.binary(max_size=30),
    lambda below: st.lists(below, max_size=5).map(tuple),
    max_leaves=30,
)


def _write(values: tuple[Value, ...]) -> list[bytes]:
    """Write values as a server does: text, with literals where an octet is not allowed between quotes."""
    pieces = [b""]

    def put(value: Value) -> None:
        if value is None:
            pieces[-1] += b"NIL"
        elif isinstance(value, int):
            pieces[-1] += b"%d" % value
        elif isinstance(value, tuple):
            pieces[-1] += b"("
            for at, item in enumerate(value):
                pieces[-1] += b" " if at else b""
                put(item)
            pieces[-1] += b")"
        elif {0, 10, 13} & set(value):
            pieces[-1] += b"{%d}" % len(value)
            pieces.extend([value, b""])
        else:
            pieces[-1] += b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

    for at, value in enumerate(values):
        pieces[-1] += b" " if at else b""
        put(value)
    return pieces


@given(st.lists(_VALUES, max_size=5).map(tuple))
def test_what_a_server_writes_is_what_is_read(values: tuple[Value, ...]) -> None:
    assert response.parse(_write(values)) == values


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_any_octets_are_values_or_malformed(pieces: list[bytes]) -> None:
    for read in (
        lambda: response.parse(pieces),
        lambda: response.untagged([b"* " + pieces[0], *pieces[1:]]).items(),
        lambda: response.untagged([b"* 1 FETCH " + pieces[0], *pieces[1:]]).items(),
    ):
        with suppress(ImapSyntaxError):
            assert read() is not None


@given(st.binary(max_size=80))
def test_any_text_of_a_server_is_one_line(octets: bytes) -> None:
    found = response.status("NO", octets)
    assert not set(found.text) & {chr(n) for n in range(32)}
    assert len(found.text) <= server_text.MAX_TEXT


def test_a_number_of_ten_thousand_digits_is_malformed() -> None:
    with pytest.raises(ImapSyntaxError):
        response.untagged([b"* " + b"9" * 10_000 + b" EXISTS"])


def test_items_of_a_fetch() -> None:
    line = response.untagged(
        [
            b'* 12 FETCH (UID 7 flags (\\Seen $Old) BODY[HEADER.FIELDS ("DATE" FROM)]<0> {4}',
            b"\xe9\r\n)",
            b" X nil)",
        ]
    )
    assert (line.kind, line.number) == ("FETCH", 12)
    assert line.items() == {
        b"UID": 7,
        b"FLAGS": (b"\\Seen", b"$Old"),
        b'BODY[HEADER.FIELDS ("DATE" FROM)]<0>': b"\xe9\r\n)",
        b"X": None,
    }


@pytest.mark.parametrize(
    "text",
    [
        b"(",
        b")",
        b'"open',
        b"(a))",
        b"(a",
        b"(a b c)",
        b"a",
        b"",
        b"(1 2)",
        b"(" * 5000,
        b'"' + b"a" * 50_000,
    ],
)
def test_what_is_no_list_of_items(text: bytes) -> None:
    with pytest.raises(ImapSyntaxError):
        response.untagged([b"* 1 FETCH " + text]).items()


def test_quoted_nil_and_leading_zeros_are_text() -> None:
    assert response.parse([b'"NIL" NIL 007 0 7']) == (b"NIL", None, b"007", 0, 7)


def test_response_codes() -> None:
    found = response.status("OK", b"[APPENDUID 38505 3955] APPEND completed")
    assert (found.code, found.argument, found.text) == ("APPENDUID", b"38505 3955", "APPEND completed")
    assert response.status("NO", b"no [code] here").code == ""


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (
            b"17-Jul-1996 02:44:25 -0700",
            datetime(1996, 7, 17, 2, 44, 25, tzinfo=timezone(timedelta(hours=-7))),
        ),
        (b" 1-jan-2024 00:00:00 +0000", datetime(2024, 1, 1, tzinfo=UTC)),
        (b"31-Feb-2024 00:00:00 +0000", None),
        (b"01-Foo-2024 00:00:00 +0000", None),
        (b"01-Jan-2024 00:00:00 +9900", None),
        (b"yesterday", None),
    ],
)
def test_internal_dates(octets: bytes, expected: datetime | None) -> None:
    assert response.moment(octets) == expected


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 2),
        max_value=datetime(2200, 1, 1),
        timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
)
def test_a_date_written_is_the_date_read(when: datetime) -> None:
    assert response.moment(response.date_time(when).strip(b'"')) == when.replace(microsecond=0)


@pytest.mark.parametrize("text", ["a\r\nb", "a\nb", "a\rb", "a\0b", "é"])
def test_quoted_refuses_what_would_end_the_line(text: str) -> None:
    with pytest.raises(UnsafeArgument):
        response.quoted(text)


@given(st.text(max_size=30))
def test_a_flag_is_an_atom_or_refused(name: str) -> None:
    try:
        written = response.flag_list([name])
    except UnsafeArgument:
        return
    (flags,) = response.parse([written])
    assert isinstance(flags, tuple)
    assert len(flags) == 1


@pytest.mark.parametrize("name", ["\\Seen) FLAGS (\\Deleted", "a b", "", "a\r\nb", "\U0001f600", "{3}", "*"])
def test_flags_that_are_no_atoms(name: str) -> None:
    with pytest.raises(UnsafeArgument):
        response.flag_list([name])


@given(st.sets(st.integers(1, 60), max_size=40))
def test_a_sequence_set_holds_its_numbers(numbers: set[int]) -> None:
    found: set[int] = set()
    for run in response.number_set(numbers).decode().split(",") if numbers else []:
        low, _, high = run.partition(":")
        found |= set(range(int(low), int(high or low) + 1))
    assert found == numbers


@pytest.mark.parametrize("number", [0, -1, 2**32])
def test_no_message_has_this_number(number: int) -> None:
    with pytest.raises(UnsafeArgument):
        response.number_set([number])
