"""Parsers of POP3: whatever comes, they return or raise MalformedResponse; what was stuffed comes out as it was."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.store.pop3 import answers
from gateway.store.pop3.answers import MalformedResponse, StatusLine
from gateway.store.pop3.dot_stuffing import Unstuffing

LINES = st.lists(st.text(alphabet="ab.\r \t", max_size=6).map(str.encode), max_size=12)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"+OK", StatusLine(True)),
        (b"+OK Dovecot ready.", StatusLine(True, "", "Dovecot ready.")),
        (b"+ok [x] y", StatusLine(True, "X", "y")),
        (b"-ERR [IN-USE] Do you have another POP session running?",
         StatusLine(False, "IN-USE", "Do you have another POP session running?")),
        (b"-ERR [SYS/TEMP 4] later", StatusLine(False, "SYS/TEMP", "later")),
        (b"-ERR\t[AUTH] no", StatusLine(False, "AUTH", "no")),
        (b"-ERR [no end", StatusLine(False, "", "[no end")),
        (b"-ERR a\x00b\xff", StatusLine(False, "", "a b�")),
    ],
)  # fmt: skip
def test_status_lines(line: bytes, expected: StatusLine) -> None:
    assert answers.status(line) == expected


@pytest.mark.parametrize("line", [b"", b"* OK hi", b"+OKAY", b"220 hi", b"+ ", b" +OK"])
def test_other_lines_are_none(line: bytes) -> None:
    with pytest.raises(MalformedResponse):
        answers.status(line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [(b"1 120", (1, 120)), (b" 007  00120 (two pages)", (7, 120)), (b"2\t5\r", (2, 5)), (b"9 0", (9, 0))],
)
def test_scan_listings(line: bytes, expected: tuple[int, int]) -> None:
    assert answers.scan(line) == expected


@pytest.mark.parametrize("line", [b"1", b"x 1", b"1 x", b"1 2k", b"-1 5", b"1 99999999999", b""])
def test_no_scan_listings(line: bytes) -> None:
    with pytest.raises(MalformedResponse):
        answers.scan(line)


def test_unique_ids_are_octets_as_they_came() -> None:
    assert answers.unique(b"2 QhdPYR:00WBw1Ph7x7") == (2, b"QhdPYR:00WBw1Ph7x7")
    assert answers.unique(b"12  a b\xff \r") == (12, b"a b\xff")
    for line in (b"2", b"2 ", b"x y", b""):
        with pytest.raises(MalformedResponse):
            answers.unique(line)


def test_capabilities() -> None:
    lines = [b"TOP", b"sasl PLAIN login", b"", b"  ", b"EXPIRE 30 USER", b"\xff"]
    found = answers.capabilities(lines)
    assert found["SASL"] == ("PLAIN", "LOGIN")
    assert found["EXPIRE"] == ("30", "USER")
    assert found["TOP"] == ()


@given(st.binary(max_size=100))
def test_nothing_else_is_raised(octets: bytes) -> None:
    for parse in (answers.status, answers.scan, answers.unique):
        with suppress(MalformedResponse):
            parse(octets)
    assert len(answers.capabilities([octets])) <= 1


def fed(pieces: list[bytes]) -> tuple[bytes, Unstuffing]:
    unstuffing, text = Unstuffing(), b""
    for at, piece in enumerate(pieces):
        text += unstuffing.feed(piece)
        if unstuffing.ended:
            unstuffing.rest += b"".join(pieces[at + 1 :])
            break
    return text, unstuffing


@given(
    LINES, st.sampled_from([b"\r\n", b"\n"]), st.lists(st.integers(1, 5), max_size=40), st.binary(max_size=9)
)
@example([b"."], b"\r\n", [1] * 20, b"+OK\r\n")
@example([b".."], b"\n", [2] * 20, b"")
def test_what_was_stuffed_comes_out_as_it_was(
    lines: list[bytes], end: bytes, sizes: list[int], behind: bytes
) -> None:
    lines = [line.rstrip(b"\r") for line in lines]
    stuffed = b"".join((b"." + line if line.startswith(b".") else line) + end for line in lines)
    octets, pieces = stuffed + b"." + end + behind, []
    for size in sizes:
        pieces.append(octets[:size])
        octets = octets[size:]
    text, unstuffing = fed([*pieces, octets])
    assert (text, unstuffing.ended, unstuffing.rest) == (b"".join(line + end for line in lines), True, behind)


@given(st.binary(max_size=200), st.integers(1, 7))
def test_pieces_make_no_difference(octets: bytes, size: int) -> None:
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    text, unstuffing = fed(pieces)
    whole, at_once = fed([octets])
    assert (text, unstuffing.ended, unstuffing.rest) == (whole, at_once.ended, at_once.rest)
    assert len(text) <= len(octets)
