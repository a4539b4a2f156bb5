"""The people one writes to and hears from, and whom a few letters may mean.

Nothing here may know what a screen looks like. All people met are one sealed thing in the account's memory, bounded; it
is written when somebody is new or is written to, and for those who write at most once a day each. What is used most
counts most, and less the longer ago that is.
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

from gateway import contacts
from gateway.message import addresses, headers
from gateway.message.model import Address, Message
from gateway.profile import own_addresses, profile
from gateway.session import Session

KIND: Final = "people"
#: People who are kept, and octets of JSON they may take (gateway/memory.py has the limit for one thing).
MOST: Final = 2000
_ROOM: Final = 200 * 1024
#: A person as a row of JSON.
_ROW: Final = [str, str, int, int, int]
#: Says a row as it will be kept; made once, as there are many.
_said: Final = json.JSONEncoder(separators=(",", ":")).encode
#: Characters of a name and of an address that are kept; times that are counted.
_NAME: Final = 60
_SPEC: Final = 128
_TIMES: Final = 9999
#: How much more a mail that one wrote says than one that came; and days in which a use loses half of its weight.
_WRITTEN: Final = 3.0
_HALF: Final = 90.0
_DAY: Final = 86400.0

#: Who cannot be written to, and would only be in the way.
_NOBODY: Final = re.compile(
    r"(?:no|do-?not|dont)[-_.]?(?:t-)?reply|mailer-?daemon|bounces?\b|postmaster", re.I
)
#: What stands between words of names and addresses.
_PARTED: Final = " @._+-\"'(),&/"
#: Letters that are no accented ones to Unicode, as people without them type them.
_PLAIN: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody met: mails `written` to them and `received`, and the day (since 1970) of the last."""

    spec: str
    name: str = ""
    written: int = 0
    received: int = 0
    day: int = 0

    def weight(self, today: int) -> float:
        """Say how much this person is used."""
        return (_WRITTEN * self.written + self.received) * math.exp2(-max(today - self.day, 0) / _HALF)


def met(session: Session, found: Iterable[Address], wrote: bool, now: float | None = None) -> None:
    """Count that a person wrote to these people, or opened a mail of theirs; own addresses are left out."""
    today = int((time.time() if now is None else now) // _DAY)
    news = [
        Person(one.spec, _name(one.name), int(wrote), int(not wrote), today)
        for one in addresses.unique(found)
        if _is_kept(one, wrote)
    ]
    kept = _people(session.memory.get(KIND), {one.spec.lower() for one in news}) if news else {}
    news = [one for one in news if _changed(kept.get(one.spec.lower()), one) != kept.get(one.spec.lower())]
    # Looked up only where somebody is to be counted: most mails that are opened bring nobody new.
    mine = own_addresses(session, profile(session)) if news else frozenset()
    news = [one for one in news if one.spec.lower() not in mine]
    if not news:
        return

    def changed(value: dict[str, Any] | None) -> dict[str, Any]:
        people = _people(value)
        for one in news:
            people[one.spec.lower()] = _changed(people.pop(one.spec.lower(), None), one)
        return _packed(people.values(), today)

    session.memory.change(KIND, "", changed)


def opened(session: Session, message: Message) -> None:
    """Count that a person opened a mail, unless it was written by no person."""
    said = message.headers
    # RFC 2369 §3.4: where one may post, people write; elsewhere a list is a newsletter.
    by_machine = said.get("auto-submitted", "no").lower() != "no" or (
        "list-post" not in said
        and ("list-unsubscribe" in said or said.get("precedence", "").lower() in ("bulk", "junk", "list"))
    )
    if not by_machine:
        met(session, message.envelope.from_[:1], wrote=False)


def complete(session: Session, prefix: str, most: int = 5, now: float | None = None) -> list[Address]:
    """Name who may be meant by the first letters of words of a name or an address, the most used first."""
    if not folded(prefix).strip():
        return []
    today = int((time.time() if now is None else now) // _DAY)
    people = _people(session.memory.get(KIND))
    booked = {
        spec.lower(): Address(card.name, spec)
        for card in reversed(list(contacts.everybody(session).values()))
        for spec in reversed(card.addresses)
    }
    known = {spec: Address(one.name, one.spec) for spec, one in people.items()} | booked
    ranked = sorted(
        (
            (
                -people[spec].weight(today) if spec in people else 0.0,
                spec not in booked,
                folded(one.label),
                spec,
            )
            for spec, one in known.items()
            if is_meant(prefix, (one.name, one.spec))
        ),
    )
    return [known[spec] for _weight, _book, _label, spec in ranked[:most]]


def _is_kept(one: Address, wrote: bool) -> bool:
    return addresses.valid(one.spec) and len(one.spec) <= _SPEC and (wrote or not _NOBODY.search(one.spec))


def _name(name: str) -> str:
    """Take a name as it is shown; one that pretends to be an address is none."""
    shown = headers.clean(name)[:_NAME].strip()
    return "" if "@" in shown else shown


def _changed(old: Person | None, new: Person) -> Person:
    """Count one more use; of those who write, one a day, and only they whom one writes to change their name."""
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
    """Unpack what is kept, by address in lower case; what cannot be understood is as good as not there."""
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
    """Pack those who are used most, as many as may be kept."""
    ranked = sorted(people, key=lambda one: -one.weight(today))[:MOST]
    room = _ROOM
    rows: list[list[str | int]] = []
    for one in ranked:
        row: list[str | int] = [one.spec, one.name, one.written, one.received, one.day]
        room -= len(_said(row)) + 1
        if room < 0:
            break
        rows.append(row)
    return {"people": rows}


def folded(text: str) -> str:
    """Say text without case and accents, so that it can be found by whoever cannot type them."""
    if text.isascii():
        return text[:_SPEC].lower()
    apart = unicodedata.normalize("NFKD", text[:_SPEC].casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).translate(_PLAIN)


def is_meant(typed: str, texts: Iterable[str]) -> bool:
    """Tell whether each piece of what is typed is the beginning of a word in one of the texts."""
    plain = [folded(text) for text in texts]
    return all(any(_has_word(text, piece) for text in plain) for piece in folded(typed).split())


def _has_word(text: str, piece: str) -> bool:
    """Tell whether a word of text, and what follows it, begins so."""
    at = text.find(piece)
    while at > 0 and text[at - 1] not in _PARTED:
        at = text.find(piece, at + 1)
    return at >= 0
