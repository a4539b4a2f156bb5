"""An account's address book: contacts by number, as their owner entered them.

Nothing here may know what a screen looks like. The address book is one encrypted value in the account's memory. A
number is never reused, so an old page never leads to somebody else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from gateway.access.session import Session
from gateway.message import vcard
from gateway.message.vcard import Card

KIND: Final = "contacts"
#: Maximum number of contacts, and octets of JSON that they may take (gateway/sealed/memory.py limits one value).
MOST: Final = 1000
_ROOM: Final = 240 * 1024


def contacts(session: Session) -> dict[int, Card]:
    """Return all contacts by number, in the order in which they were added."""
    return _cards(session.memory.get(KIND))


def keep(session: Session, number: int, card: Card) -> int:
    """Store a contact under its number, 0 for a new one; return the number, 0 if there is no room."""
    return next(iter(_changed(session, [(number, card)])), 0)


def add(session: Session, cards: Iterable[Card]) -> tuple[int, int]:
    """Add the contacts that are not in the address book yet; return how many were added, and how many had no room."""
    known = {spec for card in contacts(session).values() for spec in _marks(card)}
    new: list[Card] = []
    for card in cards:
        if card and known.isdisjoint(_marks(card)):
            new.append(card)
        known.update(_marks(card))
    kept = len(_changed(session, [(0, card) for card in new])) if new else 0
    return kept, len(new) - kept


def remove(session: Session, number: int) -> None:
    """Delete a contact."""

    def changed(value: dict[str, Any] | None) -> dict[str, Any]:
        cards = _cards(value)
        cards.pop(number, None)
        return _packed(cards, _last(value))

    session.memory.change(KIND, "", changed)


def find(session: Session, spec: str) -> int:
    """Return the number of the contact with this mail address, 0 for none."""
    wanted = spec.lower()
    cards = contacts(session)
    return next((number for number, card in cards.items() if wanted in map(str.lower, card.addresses)), 0)


def merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Merge two address books: contacts that are only in the second get new numbers, as far as there is room."""
    cards, last = _cards(first), max(_last(first), _last(second))
    known = {mark for card in cards.values() for mark in _marks(card)}
    room = _ROOM - sum(map(_size, cards.values()))
    for card in _cards(second).values():
        room -= _size(card)
        if known.isdisjoint(_marks(card)) and room >= 0 and len(cards) < MOST:
            last += 1
            cards[last] = card
    return _packed(cards, last)


def _marks(card: Card) -> set[str]:
    """Return what identifies a person across cards: the addresses, or, if there are none, the phone numbers."""
    return {spec.lower() for spec in card.addresses} or set(card.phones)


def _changed(session: Session, news: list[tuple[int, Card]]) -> list[int]:
    """Store contacts as far as there is room; return the numbers of those stored."""
    kept: list[int] = []

    def changed(value: dict[str, Any] | None) -> dict[str, Any]:
        kept.clear()
        cards, last = _cards(value), _last(value)
        room = _ROOM - sum(map(_size, cards.values()))
        for number, card in news:
            room -= _size(card) - (_size(cards[number]) if number in cards else 0)
            if room < 0 or (number not in cards and len(cards) >= MOST):
                break
            if not number:
                last += 1
            cards[number or last] = vcard.normalized(card)
            kept.append(number or last)
        return _packed(cards, last)

    session.memory.change(KIND, "", changed)
    return kept


def _cards(value: dict[str, Any] | None) -> dict[int, Card]:
    """Parse the stored value; whatever is malformed counts as missing."""
    rows = (value or {}).get("cards")
    if not isinstance(rows, dict):
        return {}
    return {
        int(number): _card(row)
        for number, row in rows.items()
        if number.isdecimal() and isinstance(row, dict)
    }


def _card(row: dict[str, Any]) -> Card:
    def text(name: str) -> str:
        return value if isinstance(value := row.get(name), str) else ""

    def several(name: str) -> tuple[str, ...]:
        return tuple(map(str, value)) if isinstance(value := row.get(name), list) else ()

    return Card(text("name"), several("addresses"), several("phones"), text("organisation"), text("note"))


def _last(value: dict[str, Any] | None) -> int:
    last = (value or {}).get("last")
    return last if isinstance(last, int) else 0


def _packed(cards: dict[int, Card], last: int) -> dict[str, Any]:
    return {"last": last, "cards": {str(number): _row(card) for number, card in cards.items()}}


def _row(card: Card) -> dict[str, Any]:
    return {name: value for name, value in asdict(card).items() if value}


def _size(card: Card) -> int:
    return len(json.dumps(_row(card))) + 16
