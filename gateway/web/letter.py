"""What a person has typed into a mail, as one form brings it.

Nothing here may drop a character of it. A field that was not on the page is None: what stood in it at first still
holds. On a small phone the text comes in pieces; `begun` says how much of what is kept already the page was about, so
that the same piece, brought twice, is there once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.message import addresses, resumed
from gateway.message.model import Address
from gateway.profile import Identity
from gateway.web.origin import Origin

PEOPLE: Final = ("to", "cc", "bcc")
#: Names of form fields that are not typed.
PICKED, ASKED, BEGUN = "pick", "asked", "begun"

#: From the first letters to those who may be meant, the likeliest first.
Complete = Callable[[str], Sequence[Address]]


@dataclass(frozen=True, slots=True)
class Letter:
    """What came up from one page. `sender`: the number of an identity; `piece`: what was typed into the text."""

    to: str | None = None
    cc: str | None = None
    bcc: str | None = None
    subject: str | None = None
    sender: str | None = None
    piece: str = ""
    begun: int = 0

    def typed(self, field: str) -> str | None:
        """Return what was typed into a field of recipients."""
        return {"to": self.to, "cc": self.cc, "bcc": self.bcc}[field]

    def text(self, origin: Origin) -> str:
        """Return the whole text: what was kept before, and the piece."""
        return resumed.joined(resumed.above(origin.text, self.begun), self.piece)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A piece in a field of recipients that is no address, and who may be meant by it."""

    field: str
    piece: str
    choices: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """A mail as it would be now. `loose`: fields of recipients that hold what is no address, as typed."""

    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    loose: tuple[tuple[str, str], ...]
    subject: str
    sender: Identity
    text: str

    @property
    def everybody(self) -> tuple[Address, ...]:
        return (*self.to, *self.cc, *self.bcc)

    def people(self, field: str) -> tuple[Address, ...]:
        return {"to": self.to, "cc": self.cc, "bcc": self.bcc}[field]


def read(form: Mapping[str, str]) -> Letter:
    """Read what a page brings; who was picked among several takes the place of the letters that were typed."""
    begun = form.get(BEGUN, "")
    return Letter(
        **{field: _picked(form, form[field]) for field in PEOPLE if field in form},
        subject=form.get("subject"),
        sender=form.get("from"),
        piece=form.get("text", ""),
        begun=int(begun) if begun.isascii() and begun.isdigit() and len(begun) < 8 else 0,
    )


def _picked(form: Mapping[str, str], typed: str) -> str:
    asked, picked = form.get(ASKED, ""), form.get(PICKED, "")
    if not asked or not picked or asked not in addresses.typed(typed)[1]:
        return typed
    pieces = [piece for one in re.split("[,;\n]", typed) if (piece := one.strip())]
    if asked not in pieces:  # written in some way that takes more than commas to read
        good, bad = addresses.typed(typed)
        pieces = [*(one.spec for one in good), *bad]
    return ", ".join(picked if piece == asked else piece for piece in pieces)


def doubts(content: Content, complete: Complete) -> tuple[Doubt, ...]:
    """Name what is no address among the recipients, each with who may be meant."""
    return tuple(
        Doubt(field, piece, () if "@" in piece else tuple(complete(piece)))
        for field, typed in content.loose
        for piece in addresses.typed(typed)[1]
    )


def content(letter: Letter, origin: Origin, identities: Sequence[Identity]) -> Content:
    """Say what the mail would be: what was typed, and where nothing could be, what stood there at first."""
    names = {one.spec.lower(): one for field in PEOPLE for one in origin.people(field)}
    people: dict[str, tuple[Address, ...]] = {}
    loose: dict[str, str] = dict(origin.loose)
    for field in PEOPLE:
        typed = letter.typed(field)
        if typed is None:
            people[field] = origin.people(field)
            continue
        good, bad = addresses.typed(typed)
        people[field] = tuple(_named(one, names) for one in good)
        loose.pop(field, None)
        if bad:
            loose[field] = typed
    return Content(
        **people,
        loose=tuple(loose.items()),
        subject=origin.subject if letter.subject is None else letter.subject,
        sender=_sender(letter.sender, identities) or origin.sender,
        text=letter.text(origin),
    )


def _named(one: Address, names: Mapping[str, Address]) -> Address:
    known = names.get(one.spec.lower())
    return one if one.name or known is None else replace(one, name=known.name)


def _sender(number: str | None, identities: Sequence[Identity]) -> Identity | None:
    if number is None or not re.fullmatch("[0-9]{1,4}", number) or int(number) >= len(identities):
        return None
    return identities[int(number)]
