"""What the person typed into a mail, as posted by one form.

Nothing here may drop a character of it. A field that was not on the page is None: its initial value still holds. On a
small phone the text comes in pieces; `saved_length` says how much of the saved text the page continued, so that the
same piece, posted twice, appears once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from gateway.account.profile import Identity
from gateway.composing.basis import Basis
from gateway.message.headers import address_lists
from gateway.message.model import Address
from gateway.message.outgoing import resumed

PEOPLE: Final = ("to", "cc", "bcc")
#: Names of form fields that are not typed.
PICKED, ASKED, BEGUN = "pick", "asked", "begun"
#: The choice of a copy to oneself, see `account.profile`.
COPY: Final = "copy_to_self"

#: Maximum characters of the beginning of a name; longer text is a mistake, and no page has room to ask about it.
LONGEST_BEGINNING: Final = 30
#: Characters by which a page refers to such a beginning.
_MARK: Final = 8

#: Turns the first letters of a name into the possible recipients, the likeliest first.
Complete = Callable[[str], Sequence[Address]]


@dataclass(frozen=True, slots=True)
class TypedMail:
    """What was posted from one page. `sender`: the number of an identity; `piece`: what was typed."""

    to: str | None = None
    cc: str | None = None
    bcc: str | None = None
    subject: str | None = None
    sender: str | None = None
    piece: str = ""
    saved_length: int = 0
    copy_to_self: str = ""

    def typed(self, field: str) -> str | None:
        """Return what was typed into a recipient field."""
        return {"to": self.to, "cc": self.cc, "bcc": self.bcc}[field]

    def text(self, basis: Basis) -> str:
        """Return the whole text: what was saved before, then the piece."""
        return resumed.append_piece(resumed.visible_prefix(basis.text, self.saved_length), self.piece)


@dataclass(frozen=True, slots=True)
class UnresolvedRecipient:
    """Text in a recipient field that is not an address, and the addresses that it may stand for."""

    field: str
    piece: str
    choices: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class MailContent:
    """A mail as it would be sent now. `unparsed`: recipient fields with text that is not an address."""

    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    unparsed: tuple[tuple[str, str], ...]
    subject: str
    sender: Identity
    text: str

    @property
    def recipients(self) -> tuple[Address, ...]:
        return (*self.to, *self.cc, *self.bcc)

    def people(self, field: str) -> tuple[Address, ...]:
        return {"to": self.to, "cc": self.cc, "bcc": self.bcc}[field]


def read(form: Mapping[str, str]) -> TypedMail:
    """Parse a posted form; a recipient picked from several replaces the letters that were typed."""
    begun = form.get(BEGUN, "")
    return TypedMail(
        **{field: _picked(form, form[field]) for field in PEOPLE if field in form},
        subject=form.get("subject"),
        sender=form.get("from"),
        piece=form.get("text", ""),
        copy_to_self=form.get(COPY, ""),
        saved_length=int(begun) if begun.isascii() and begun.isdigit() and len(begun) < 8 else 0,
    )


def piece_mark(piece: str) -> str:
    """Return what a page has instead of the text that it asks about, short because each of its buttons repeats it."""
    return piece if len(piece) <= _MARK else sha256(piece.encode("utf-8", "replace")).hexdigest()[:_MARK]


def _picked(form: Mapping[str, str], typed: str) -> str:
    mark, picked = form.get(ASKED, ""), form.get(PICKED, "")
    asked = next((piece for piece in address_lists.parse_typed(typed)[1] if piece_mark(piece) == mark), "")
    if not asked or not picked:
        return typed
    pieces = [piece for one in re.split("[,;\n]", typed) if (piece := one.strip())]
    if asked not in pieces:  # written in a way that cannot be split at commas
        good, bad = address_lists.parse_typed(typed)
        pieces = [*(one.spec for one in good), *bad]
    return ", ".join(picked if piece == asked else piece for piece in pieces)


def unresolved_recipients(content: MailContent, complete: Complete) -> tuple[UnresolvedRecipient, ...]:
    """Return the recipients that are not addresses, each with the addresses that it may stand for."""

    def choices(piece: str) -> tuple[Address, ...]:
        return tuple(complete(piece)) if "@" not in piece and len(piece) <= LONGEST_BEGINNING else ()

    return tuple(
        UnresolvedRecipient(field, piece, choices(piece))
        for field, typed in content.unparsed
        for piece in address_lists.parse_typed(typed)[1]
    )


def mail_content(mail: TypedMail, basis: Basis, identities: Sequence[Identity]) -> MailContent:
    """Return the mail as it would be sent: what was typed, and the initial values of all other fields."""
    names = {one.spec.lower(): one for field in PEOPLE for one in basis.people(field)}
    people: dict[str, tuple[Address, ...]] = {}
    unparsed: dict[str, str] = dict(basis.unparsed)
    for field in PEOPLE:
        typed = mail.typed(field)
        if typed is None:
            people[field] = basis.people(field)
            continue
        good, bad = address_lists.parse_typed(typed)
        people[field] = tuple(_named(one, names) for one in good)
        unparsed.pop(field, None)
        if bad:
            unparsed[field] = typed
    return MailContent(
        **people,
        unparsed=tuple(unparsed.items()),
        subject=basis.subject if mail.subject is None else mail.subject,
        sender=_sender(mail.sender, identities) or basis.sender,
        text=mail.text(basis),
    )


def _named(one: Address, names: Mapping[str, Address]) -> Address:
    known = names.get(one.spec.lower())
    return one if one.name or known is None else replace(one, name=known.name)


def _sender(number: str | None, identities: Sequence[Identity]) -> Identity | None:
    if number is None or not re.fullmatch("[0-9]{1,4}", number) or int(number) >= len(identities):
        return None
    return identities[int(number)]


def is_changed(now: MailContent, before: MailContent) -> bool:
    """Return whether two versions of a mail differ in more than white space and display names."""
    return _plain(now) != _plain(before) or now.unparsed != before.unparsed


def _plain(content: MailContent) -> tuple[object, ...]:
    people = [tuple(address.spec.lower() for address in content.people(name)) for name in PEOPLE]
    return (*people, content.subject.strip(), content.text.split(), content.sender.address)
