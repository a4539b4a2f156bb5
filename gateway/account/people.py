"""The people that a person writes to and hears from, and completion of their addresses.

Nothing here may know what a screen looks like. The people are one encrypted value of limited size in the account's
memory, written when somebody is new or is written to, and at most once a day for each sender. They are ordered by
frequency of use, decaying over time.
"""

from __future__ import annotations

import json
import math
import re
import time
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.access.session import Session
from gateway.account import address_book
from gateway.account.profile import own_addresses, profile
from gateway.message.headers import address_lists, header_fields
from gateway.message.model import Address, Message
from gateway.state import optional
from gateway.store.session_cache import SessionCache

KIND: Final = "people"
#: Maximum number of people, and octets of JSON that they may take (gateway/sealed/memory.py limits one value).
MOST: Final = 2000
_ROOM: Final = 200 * 1024
#: A person as a row of JSON.
_ROW: Final = [str, str, int, int, int]
#: Encodes a row as it is stored; made once, since there are many rows.
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode
#: Maximum characters of a name and of an address that are stored; highest count of uses.
_NAME: Final = 60
_SPEC: Final = 128
_TIMES: Final = 9999
#: Weight of a mail written relative to one received; days after which a use has lost half of its weight.
_WRITTEN: Final = 3.0
_HALF: Final = 90.0
_DAY: Final = 86400.0

#: Approximate octets of an entry about a sender who was counted, besides name and address.
_COUNTED_OCTETS: Final = 600

#: Addresses that cannot be replied to, and would only clutter the suggestions.
_NOBODY: Final = re.compile(
    r"(?:no|do-?not|dont)[-_.]?(?:t-)?reply|mailer-?daemon|bounces?\b|postmaster", re.I
)
#: Separators between words of names and addresses.
_PARTED: Final = " @._+-\"'(),&/"
#: Letters that Unicode does not decompose, as people type them on other keyboards.
_PLAIN: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
)


@dataclass(frozen=True, slots=True)
class Person:
    """A correspondent: how many mails were `written` to them and `received`, and the day (since 1970) of the last."""

    spec: str
    name: str = ""
    written: int = 0
    received: int = 0
    day: int = 0

    def weight(self, today: int) -> float:
        """Return this person's weight in the order of use."""
        return (_WRITTEN * self.written + self.received) * math.exp2(-max(today - self.day, 0) / _HALF)


def record_people(session: Session, found: Iterable[Address], wrote: bool, now: float | None = None) -> None:
    """Count that a person wrote to these people, or opened a mail from them; their own addresses are left out."""
    with optional("people"):
        _met(session, found, wrote, now)


def _met(session: Session, found: Iterable[Address], wrote: bool, now: float | None) -> bool:
    """Count people; return whether all of them were counted before."""
    today = int((time.time() if now is None else now) // _DAY)
    news = [
        Person(one.spec, _name(one.name), int(wrote), int(not wrote), today)
        for one in address_lists.unique(found)
        if _is_kept(one, wrote)
    ]
    kept = _people(session.memory.get(KIND), {one.spec.lower() for one in news}) if news else {}
    news = [one for one in news if _changed(kept.get(one.spec.lower()), one) != kept.get(one.spec.lower())]
    # Looked up only if somebody is to be counted: most mails that are opened bring nobody new.
    mine = own_addresses(session, profile(session)) if news else frozenset()
    others = [one for one in news if one.spec.lower() not in mine]
    if not others:
        return not news

    def changed(value: dict[str, Any] | None) -> dict[str, Any]:
        people = _people(value)
        for one in others:
            people[one.spec.lower()] = _changed(people.pop(one.spec.lower(), None), one)
        return _packed(people.values(), today)

    session.memory.change(KIND, "", changed)
    return False


def record_sender(session: Session, message: Message, counted: SessionCache) -> None:
    """Count the sender of a mail that was opened, unless it is automated or bulk mail.

    `counted` keeps who was counted already: to find that out anew, all people would have to be decrypted and read.
    """
    # RFC 2369 §3.4: a list that accepts posts carries mail by people; any other list is a newsletter.
    by_machine = message.header("auto-submitted").lower() not in ("", "no") or (
        not message.header("list-post")
        and (
            message.header("list-unsubscribe") != ""
            or message.header("precedence").lower() in ("bulk", "junk", "list")
        )
    )
    if by_machine:
        return
    with optional("people"):
        now, sender = time.time(), message.envelope.from_[:1]
        key, version = (KIND, sender), (session.memory.version(KIND), now // _DAY)
        if counted.get(key) != version and _met(session, sender, wrote=False, now=now):
            counted.put(
                key, version, _COUNTED_OCTETS + 4 * sum(len(one.name) + len(one.spec) for one in sender)
            )


def complete(session: Session, prefix: str, most: int = 5, now: float | None = None) -> list[Address]:
    """Return the people in whose name or address each typed word begins a word, the most used first."""
    if not fold(prefix).strip():
        return []
    today = int((time.time() if now is None else now) // _DAY)
    people = _people(session.memory.get(KIND))
    booked = {
        spec.lower(): Address(card.name, spec)
        for card in reversed(list(address_book.contacts(session).values()))
        for spec in reversed(card.addresses)
    }
    known = {spec: Address(one.name, one.spec) for spec, one in people.items()} | booked
    ranked = sorted(
        (
            (
                -people[spec].weight(today) if spec in people else 0.0,
                spec not in booked,
                fold(one.label),
                spec,
            )
            for spec, one in known.items()
            if matches(prefix, (one.name, one.spec))
        ),
    )
    return [known[spec] for _weight, _book, _label, spec in ranked[:most]]


def merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Merge the people of two accounts that turn out to belong to one person."""
    people = _people(second)
    for spec, one in _people(first).items():
        other = people.get(spec, Person(spec))
        people[spec] = replace(
            one,
            name=one.name or other.name,
            written=min(one.written + other.written, _TIMES),
            received=min(one.received + other.received, _TIMES),
            day=max(one.day, other.day),
        )
    return _packed(people.values(), max((one.day for one in people.values()), default=0))


def _is_kept(one: Address, wrote: bool) -> bool:
    return (
        address_lists.valid(one.spec) and len(one.spec) <= _SPEC and (wrote or not _NOBODY.search(one.spec))
    )


def _name(name: str) -> str:
    """Return a name as it is displayed; "" if it pretends to be an address."""
    shown = header_fields.clean(name)[:_NAME].strip()
    return "" if "@" in shown else shown


def _changed(old: Person | None, new: Person) -> Person:
    """Count one more use: at most one a day for a sender; only mail written to a person changes the name."""
    if old is None:
        return new
    if new.received and old.day >= new.day and old.received and (old.name or not new.name):
        return old
    return replace(
        old,
        name=new.name if new.name and (new.written or not old.name) else old.name,
        written=min(old.written + new.written, _TIMES),
        received=min(old.received + new.received, _TIMES),
        day=max(old.day, new.day),
    )


def _people(value: dict[str, Any] | None, only: Collection[str] = ()) -> dict[str, Person]:
    """Parse the stored value, by address in lower case; whatever is malformed counts as missing."""
    rows = (value or {}).get("people")
    found: dict[str, Person] = {}
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, list) or not row or not isinstance(row[0], str):
            continue
        spec = row[0].lower()
        if (not only or spec in only) and [type(cell) for cell in row] == _ROW:
            found[spec] = Person(*row)
    return found


def _packed(people: Iterable[Person], today: int) -> dict[str, Any]:
    """Return the most used people as a value to store, as many as there is room for."""
    ranked = sorted(people, key=lambda one: -one.weight(today))[:MOST]
    room = _ROOM
    rows: list[list[str | int]] = []
    for one in ranked:
        row: list[str | int] = [one.spec, one.name, one.written, one.received, one.day]
        room -= len(_encode(row)) + 1
        if room < 0:
            break
        rows.append(row)
    return {"people": rows}


def fold(text: str) -> str:
    """Return text without case and accents, so that it can be matched from a keypad."""
    if text.isascii():
        return text[:_SPEC].lower()
    apart = unicodedata.normalize("NFKD", text[:_SPEC].casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).translate(_PLAIN)


def matches(typed: str, texts: Iterable[str]) -> bool:
    """Return whether each word that was typed begins a word in one of the texts."""
    plain = [fold(text) for text in texts]
    return all(any(_has_word(text, piece) for text in plain) for piece in fold(typed).split())


def _has_word(text: str, piece: str) -> bool:
    """Return whether a word of the text, with what follows it, begins with `piece`."""
    at = text.find(piece)
    while at > 0 and text[at - 1] not in _PARTED:
        at = text.find(piece, at + 1)
    return at >= 0
