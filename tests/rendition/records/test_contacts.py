"""Contacts in a mail: cards of every version are shown in words."""

from __future__ import annotations

import pytest

from gateway.message.mime import wire_format
from gateway.rendition import Context, render
from tests.rendition.mails import said

OLD = """BEGIN:VCARD
VERSION:2.1
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg M=C3=BCller
TITLE;CHARSET=ISO-8859-1;QUOTED-PRINTABLE:Gesch=E4ftsf=FChrer
NOTE;ENCODING=QUOTED-PRINTABLE:one=0D=0A=
two=3B three
PHOTO;ENCODING=BASE64;TYPE=JPEG:/9j/4AAQSkZJRgABAQ
TEL;CELL:+49 30 1
END:VCARD
"""
NEW = r"""BEGIN:VCARD
VERSION:4.0
item1.FN:Jörg
  Müller
ORG:Lamps\; and more;Bulbs
ADR:;;Main Street 1;Town;;12345;
URL:https://lamps.example/a
END:VCARD
"""


@pytest.mark.parametrize(
    ("card", "rows"),
    [
        (
            OLD,
            [
                "Name: Jörg Müller",
                "Title: Geschäftsführer",
                "Note: one\ntwo; three",
                "Phone: +49 30 1",
            ],
        ),
        (
            NEW,
            [
                "Name: Jörg Müller",
                "Organisation: Lamps; and more, Bulbs",
                "Address: Main Street 1, Town, 12345",
                "Web: https://lamps.example/a",
            ],
        ),
    ],
    ids=["2.1", "4.0"],
)
def test_a_card_is_shown_in_words(card: str, rows: list[str]) -> None:
    octets = f"Content-Type: text/vcard; charset=utf-8\n\n{card}".encode()
    found = wire_format.parse(octets)
    shown = [line.partition(" ")[2] for line in said(list(render(found.message, Context(), found.octets)))]
    assert shown == rows
