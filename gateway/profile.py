"""How a person is known and likes to work: name, identities, quick replies, zone, language, start page, quoting, sort.

Nothing here may know what a screen looks like. All of it is one sealed thing in the account's memory, read once a
request; what is found there and cannot be understood is as good as not there. An identity counts only while the
upstream's rule allows its address as a From. The standard quick replies are msgids until somebody says them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.session import Session

KIND: Final = "profile"

#: Characters, so that what a person keeps fits a small phone's form and the sealed thing stays small.
LONGEST_NAME: Final = 50
LONGEST_ADDRESS: Final = 100  # octets
LONGEST_SIGNATURE: Final = 250
LONGEST_QUICK: Final = 200
MOST_IDENTITIES: Final = 9
MOST_QUICK: Final = 27

#: Where a person lands after signing in; or `favourite.` and the favourite's name in the memory.
STARTS: Final = ("inbox", "unread", "folders")
FAVOURITE: Final = "favourite."
#: The kind of a favourite in the memory.
FAVOURITES: Final = "favourite"
#: What a list is sorted by until somebody sorts it otherwise.
SORTS: Final = ("arrival", "date", "sender", "subject", "size", "unread", "threads")


def _(msgid: str) -> str:
    return msgid


#: Offered until a person has sentences of their own; one that is kept as it is follows the language.
STANDARD: Final = (
    _("Yes."),
    _("No."),
    _("Thank you."),
    _("I will call you later."),
    _("I am on my way."),
    _("I will be late."),
    _("I will answer when I am at a computer."),
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a mail is from; `reply_to` and `signature` may be empty."""

    name: str = ""
    address: str = ""
    reply_to: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Quick:
    """A sentence to answer with; `used` so many times. A standard one's text is a msgid until it is spoken."""

    id: int
    text: str
    used: int = 0
    standard: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person has chosen; '' where they chose nothing.

    `identities`: the first is the usual one; its address is the one signed in with unless chosen otherwise. `quick`:
    the most used first. `language`: a tag. `timezone`: an IANA name.
    """

    identities: tuple[Identity, ...]
    quick: tuple[Quick, ...] = ()
    timezone: str = ""
    language: str = ""
    start: str = STARTS[0]
    quoting: bool = True
    sort: str = SORTS[0]

    @property
    def name(self) -> str:
        """The person's name, as it stands in their usual From."""
        return self.identities[0].name

    @property
    def signature(self) -> str:
        """The signature of the usual identity."""
        return self.identities[0].signature

    def zone(self, usual: str) -> ZoneInfo:
        """Return the person's time zone, or the gateway's."""
        return ZoneInfo(self.timezone or usual)

    def spoken(self, words: Callable[[str], str]) -> Profile:
        """Say the standard quick replies in the person's words."""
        return replace(
            self,
            quick=tuple(replace(one, text=words(one.text)) if one.standard else one for one in self.quick),
        )

    def identity(self, address: str) -> Identity:
        """Find the identity of an address; the usual one where there is none."""
        wanted = address.casefold()
        return next((one for one in self.identities if one.address.casefold() == wanted), self.identities[0])


#: Where nobody is signed in.
NOBODY: Final = Profile((Identity(),))


def profile(session: Session) -> Profile:
    """Read what the person of this session has chosen; one look into the memory."""
    kept = session.memory.get(KIND) or {}
    return Profile(
        identities=_identities(session, kept),
        quick=tuple(sorted(_quick(kept), key=lambda one: -one.used)),
        timezone=zone if is_zone(zone := _text(kept, "timezone")) else "",
        language=_text(kept, "language"),
        start=start if is_start(start := _text(kept, "start")) else STARTS[0],
        quoting=kept.get("quoting") is not False,
        sort=sort if (sort := _text(kept, "sort")) in SORTS else SORTS[0],
    )


def allowed(session: Session, address: str) -> bool:
    """Say whether the upstream's rule lets this person send from an address."""
    return session.may_send_from(address)


def own_addresses(session: Session, profile: Profile) -> frozenset[str]:
    """Name every address that is this person's own, in lower case."""
    mine = (session.address, *(one.address for one in profile.identities))
    return frozenset(address.lower() for address in mine)


def choose(session: Session, **values: str | bool) -> None:
    """Keep choices: timezone, language, start, quoting, sort. Values are the caller's to check."""
    _change(session, lambda kept: kept | values)


def all_identities(session: Session) -> list[Identity]:
    """List the identities that are kept, also those that are not allowed any more, as their indexes count."""
    return _all_identities(session, session.memory.get(KIND) or {})


def keep_identity(session: Session, index: int, identity: Identity) -> bool:
    """Keep an identity in place of the one with this index, or as another one; say whether there was room."""
    kept = True

    def update(found: list[Identity]) -> list[Identity]:
        nonlocal kept
        kept = index < len(found) or len(found) < MOST_IDENTITIES
        return [*found[:index], identity, *found[index + 1 :]] if kept else found

    _change_identities(session, update)
    return kept


def remove_identity(session: Session, index: int) -> None:
    """Forget an identity; who has none is known by the address signed in with."""
    _change_identities(session, lambda found: [*found[:index], *found[index + 1 :]])


def _change_identities(session: Session, update: Callable[[list[Identity]], list[Identity]]) -> None:
    def changed(kept: dict[str, Any]) -> dict[str, Any]:
        return kept | {"identities": [asdict(one) for one in update(_all_identities(session, kept))]}

    _change(session, changed)


def keep_quick(session: Session, text: str, quick: int = 0) -> bool:
    """Keep a quick reply, in place of the one with this id or as a new one; say whether there was room."""
    fitted = text[:LONGEST_QUICK]

    def update(found: list[Quick]) -> list[Quick]:
        if any(one.id == quick for one in found):
            return [replace(one, text=fitted, standard=False) if one.id == quick else one for one in found]
        number = max([len(STANDARD), *(one.id for one in found)]) + 1
        return [*found, Quick(number, fitted)] if len(found) < MOST_QUICK else found

    return fitted in (one.text for one in _change_quick(session, update))


def remove_quick(session: Session, quick: int) -> None:
    """Forget a quick reply."""
    _change_quick(session, lambda found: [one for one in found if one.id != quick])


def used(session: Session, quick: int) -> None:
    """Count that a quick reply was sent."""
    _change_quick(
        session, lambda found: [replace(one, used=one.used + 1) if one.id == quick else one for one in found]
    )


@lru_cache(maxsize=128)
def is_zone(name: str) -> bool:
    """Say whether this is the name of a time zone."""
    try:
        return bool(name) and len(name) <= LONGEST_NAME and ZoneInfo(name).key == name
    except (KeyError, ValueError, OSError):
        return False


def is_start(word: str) -> bool:
    """Say whether this is a word for a start page."""
    return word in STARTS or (word.startswith(FAVOURITE) and word.removeprefix(FAVOURITE).isalnum())


def _identities(session: Session, kept: Mapping[str, Any]) -> tuple[Identity, ...]:
    found = tuple(one for one in _all_identities(session, kept) if allowed(session, one.address))
    return found or (Identity(address=session.address),)


def _all_identities(session: Session, kept: Mapping[str, Any]) -> list[Identity]:
    """List the identities that are kept, also those that are not allowed any more."""
    names = [field.name for field in fields(Identity)]
    found = [Identity(**{name: _text(row, name) for name in names}) for row in _rows(kept, "identities")]
    return [one for one in found if one.address] or [Identity(address=session.address)]


def _quick(kept: Mapping[str, Any]) -> list[Quick]:
    if "quick" not in kept:
        return [Quick(number, text, standard=True) for number, text in enumerate(STANDARD, 1)]
    found = []
    for row in _rows(kept, "quick"):
        number, count, text = row.get("id"), row.get("used"), _text(row, "text")
        if not isinstance(number, int) or not isinstance(count, int):
            continue
        if text:
            found.append(Quick(number, text, count))
        elif 0 < number <= len(STANDARD):
            found.append(Quick(number, STANDARD[number - 1], count, standard=True))
    return found


def _change_quick(session: Session, update: Callable[[list[Quick]], list[Quick]]) -> list[Quick]:
    result: list[Quick] = []

    def changed(kept: dict[str, Any]) -> dict[str, Any]:
        result[:] = update(_quick(kept))
        rows = [{"id": one.id, "text": "" if one.standard else one.text, "used": one.used} for one in result]
        return kept | {"quick": rows}

    _change(session, changed)
    return result


def _change(session: Session, update: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    session.memory.change(KIND, "", lambda kept: update(kept or {}))


def _rows(kept: Mapping[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    rows = kept.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""
