"""The judge of `make corpus` is fair: what is read correctly is not a fault, and what is lost is reported."""

from __future__ import annotations

from base64 import encodebytes

import pytest

from tests.corpus import judge, kept, words

HEADER = b"From: a@example.org\nSubject: x\nMIME-Version: 1.0\n"
PAGE = b"<html><p>The green lamp is lit.</p></html>"


def read(message: bytes) -> list[list[str]]:
    return [[" ".join(part.words) for part in choice] for choice in words.parts(message, words.seen)]


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        (b"base64", encodebytes(PAGE), "The green lamp is lit"),
        (
            b"base64",
            encodebytes(PAGE) + b"\n____\nList mailing list\n",
            "The green lamp is lit List mailing list",
        ),
        (b"base64", PAGE, "The green lamp is lit"),
        (b"quoted-printable", b"<p>=3D==3D==3D= the =\nla=6dp", "the lamp"),
    ],
)
def test_what_is_encoded_carelessly_is_decoded(encoding: bytes, body: bytes, text: str) -> None:
    header = HEADER + b"Content-Type: text/html\nContent-Transfer-Encoding: " + encoding + b"\n\n"
    assert read(header + body) == [[text]]


def test_one_boundary_for_two_levels_makes_one_choice() -> None:
    bounds = b'boundary="b"\n\n'
    parts = b"--b\nContent-Type: text/plain\n\nOne\n--b\nContent-Type: text/html\n\nTwo\n--b--\n"
    outer = HEADER + b"Content-Type: multipart/mixed; " + bounds
    assert read(outer + b"--b\nContent-Type: multipart/alternative; " + bounds + parts) == [["One", "Two"]]


def test_words_in_another_place_are_told_from_lost_ones() -> None:
    body, moved = list("abcdefghi"), list("12345")
    reference = [*body[:4], *moved, *body[4:]]
    assert (kept.in_order(reference, [*body, *moved]), kept.elsewhere(reference, [*body, *moved])) == (9, 5)
    for shown in (body, reference, [*body, *moved[::-1]], [*body, *moved[:4]]):
        assert kept.elsewhere(reference, shown) == 0
    assert kept.in_order(reference, reference) == len(reference)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("The green lamp is lit in the room.\n", (0, 0)),
        ("The department\n<http://a.example/>, and then\n<http://b.example/>, wrote it down\n", (0, 0)),
        ("Yes.\n\n" + "".join(f"> the line of number {n} is quoted\n" for n in range(12)), (0, 0)),
    ],
)
def test_what_is_read_well_is_no_fault(text: str, faults: tuple[int, int]) -> None:
    found = judge.judge("x", HEADER + b"\n" + text.encode(), "xhtml", False)
    assert (found.joined, found.unfolded) == faults
    assert found.faults == []
    assert found.text[0] == found.text[1] > 0
