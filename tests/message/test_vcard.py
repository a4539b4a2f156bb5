"""vCards of all versions and makers are read; what is written is read back unchanged."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import vcard
from gateway.message.vcard import Card
from tests import bounded

NOKIA = (
    b"BEGIN:VCARD\r\nVERSION:2.1\r\nREV:20040101T120000Z\r\nN;ENCODING=8BIT;CHARSET=UTF-8:M\xc3\xbcller;J\xc3\xb6rg;;;\r\n"
    b"TEL;PREF;CELL:+49170123\r\nTEL;VOICE:030 1\r\nEMAIL:joerg@example.org\r\nEND:VCARD\r\n"
)
SONY = (
    b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;A=\r\nnna\r\n"
    b"NOTE;ENCODING=QUOTED-PRINTABLE:one=0D=0A=\r\ntwo\r\n"
    b"PHOTO;ENCODING=BASE64;JPEG:\r\n /9j/4AAQ=\r\n\r\nX-IRMC-LUID:00\r\nEMAIL;INTERNET;PREF:b@x.org\r\nEND:VCARD\r\n"
)
APPLE = (
    b"BEGIN:VCARD\nVERSION:3.0\nN:Doe;Joe;;;\nFN:Joe\\, the Doe\nitem1.EMAIL;type=INTERNET:joe@x.org\n"
    b"item1.X-ABLabel:_$!<Other>!$_\nEMAIL;type=INTERNET;type=HOME;type=pref:joe@\n home.org\n"
    b"ORG:Acme\\; Sons;Sales\nNOTE:a\\nb\\\\n\nEND:VCARD\n"
)
FOUR = (
    b'BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ann\r\nTEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+1-555;ext=5\r\n'
    b'EMAIL;PID=4.1;ALTID="a:b;c":mailto:ann@x.org\r\nEND:VCARD\r\n'
)


@pytest.mark.parametrize(
    ("octets", "card"),
    [
        (NOKIA, Card("Jörg Müller", ("joerg@example.org",), ("+49170123", "030 1"))),
        (SONY, Card("Anna Müller", ("b@x.org",), note="one\ntwo")),
        (APPLE, Card("Joe, the Doe", ("joe@home.org", "joe@x.org"), (), "Acme; Sons, Sales", "a\nb\\n")),
        (FOUR, Card("Ann", ("ann@x.org",), ("+1-555",))),
        (NOKIA.replace(b"\r\n", b"\r"), Card("Jörg Müller", ("joerg@example.org",), ("+49170123", "030 1"))),
        (FOUR.decode().encode("utf-16"), Card("Ann", ("ann@x.org",), ("+1-555",))),
        (b"\xef\xbb\xbf" + FOUR, Card("Ann", ("ann@x.org",), ("+1-555",))),
    ],
)
def test_cards_of_all_makers(octets: bytes, card: Card) -> None:
    assert vcard.parse(octets) == ([card], 0, 0)


def test_several_in_a_file_and_one_inside_another() -> None:
    inside = b"BEGIN:VCARD\nFN:Boss\nAGENT:\nBEGIN:VCARD\nFN:Secretary\nTEL:1\nEND:VCARD\nTEL:2\nEND:VCARD\n"
    nobody = b"BEGIN:VCARD\nFN:Nobody\nEMAIL:nonsense\nEND:VCARD\n"
    cards, others, _ = vcard.parse(b"words\n" + FOUR + inside + nobody + b"END:VCARD\n" + APPLE)
    assert [card.name for card in cards] == ["Ann", "Boss", "Joe, the Doe"]
    assert cards[1].phones == ("2",)
    assert others == 1
    many, rest, beyond = vcard.parse(FOUR * (vcard.CARD_LIMIT + 3))
    assert (len(many), rest, beyond) == (vcard.CARD_LIMIT, 0, 3)


def test_what_is_kept_is_clean() -> None:
    made = vcard.normalized(
        Card(
            " A\u202e\r\nB" + "x" * 99,
            ("a@b.c", "A@b.c", "no", "d@e.f\r\nX:"),
            ("1\n2", "", "1 2"),
            "o" * 99,
            "n\r\n\0o",
        )
    )
    assert made == Card(("A B" + "x" * 99)[:60], ("a@b.c",), ("1 2",), "o" * 60, "n\no")


def test_what_is_written() -> None:
    [card], *_ = vcard.parse(APPLE)
    assert vcard.write([card]) == (
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:Doe;Joe\\, the;;;\r\nFN:Joe\\, the Doe\r\n"
        b"EMAIL;TYPE=INTERNET:joe@home.org\r\n"
        b"EMAIL;TYPE=INTERNET:joe@x.org\r\nORG:Acme\\; Sons\\, Sales\r\nNOTE:a\\nb\\\\n\r\nEND:VCARD\r\n"
    )


TEXT = st.text(
    st.one_of(st.sampled_from('\\;,:\n"= \u00fc\u4e2dnN'), st.characters(exclude_categories=["Cs"])),
    max_size=90,
)
SPECS = ["a@b.c", "ü@bücher.de", '"a;b,c\\\\d"@x.y', "x" * 60 + "@long.example.org"]
CARDS = st.lists(
    st.builds(
        Card,
        TEXT,
        st.lists(st.sampled_from(SPECS), max_size=3).map(tuple),
        st.lists(TEXT, max_size=3).map(tuple),
        TEXT,
        TEXT,
    ).map(vcard.normalized),
    max_size=3,
)  # fmt: skip


@given(CARDS)
def test_what_is_written_is_read_again_the_same(cards: list[Card]) -> None:
    octets = vcard.write(cards)
    assert max(map(len, octets.split(b"\r\n"))) <= 75
    octets.decode()
    named = [card for card in cards if card]
    read, others, _ = vcard.parse(octets)
    assert others == len(cards) - len(named)
    for one, other in zip(read, named, strict=True):
        assert one == other or (not other.name and one.name == other.organisation)


@given(st.binary(max_size=500))
def test_any_octets_are_cards_or_none(octets: bytes) -> None:
    for written in (
        octets,
        b"BEGIN:VCARD\n" + octets + b"\nEND:VCARD\n",
        b"BEGIN:VCARD\nTEL:1\nNOTE:" + octets,
    ):
        cards, others, _ = vcard.parse(written)
        assert others >= 0
        assert cards == [vcard.normalized(card) for card in cards]


@given(
    st.lists(
        st.sampled_from(
            ["BEGIN:VCARD", "END:VCARD", "VERSION:2.1", "FN:x", "N:a;b", "EMAIL;PREF:a@b.c",
             "TEL;ENCODING=QUOTED-PRINTABLE:1=",
             " =", "=", "TEL:2", ";:", "X;Y=\"", "NOTE;CHARSET=utf-7;QUOTED-PRINTABLE:+AAA-",
             "a.b.EMAIL:x@y", ""]
        ),
        max_size=20,
    )
)  # fmt: skip
def test_cards_of_odd_lines(lines: list[str]) -> None:
    cards, *_ = vcard.parse("\n".join(lines).encode())
    assert all(cards)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "folded lines": lambda: b"a" * 1_000_000 + b"\n" + b" =\n" * 300_000,
    "parameters": lambda: b"N" + b";x" * 900_000,
    "quotes": lambda: b'N;"' * 600_000,
    "quoted-printable": lambda: b"NOTE;QUOTED-PRINTABLE:" + b"=\n" * 900_000,
    "backslashes": lambda: b"N:" + b"\\;" * 900_000,
    "cards": lambda: b"BEGIN:VCARD\n" * 150_000,
    "addresses": lambda: b"EMAIL:a@b\n" * 180_000,
    "groups": lambda: b"a." * 900_000,
    "dashes": lambda: b"a-" * 900_000,
}


def _parse(octets: bytes) -> None:
    vcard.parse(octets)


@pytest.mark.parametrize("name", HOSTILE)
def test_time_is_linear(name: str) -> None:
    bounded.call(_parse, b"BEGIN:VCARD\n" + HOSTILE[name]() + b"\nEND:VCARD\n")
