"""A person's profile: identities, quick replies, time zone, language, start page, quoting, sort order.

Nothing here may know what a screen looks like. The profile is one encrypted value in the account's memory, read once
per request; whatever is malformed there counts as missing. An identity counts only while the upstream's rule allows its
address in From. The standard quick replies are msgids until they are translated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.access.session import Session
from gateway.message.headers.address_lists import mailbox_of
from gateway.state import optional
from gateway.store.abilities import Order

KIND: Final = "profile"

#: Maximum characters, so that values fit a small phone's form and the profile stays small.
LONGEST_NAME: Final = 50
LONGEST_ADDRESS: Final = 100  # octets
LONGEST_SIGNATURE: Final = 250
LONGEST_QUICK: Final = 200
MOST_IDENTITIES: Final = 9
MOST_QUICK: Final = 27

#: The page after sign-in; or `favourite.` and the favourite's name in the memory.
STARTS: Final = ("inbox", "unread", "folders")
FAVOURITE: Final = "favourite."
#: The kind of a favourite in the memory.
FAVOURITES: Final = "favourite"
#: Sort orders of lists, the default first; each list may override it.
SORTS: Final = tuple(order.value for order in Order if order is not Order.RECEIVED)


def _(msgid: str) -> str:
    return msgid


#: The quick replies until a person edits them; unchanged ones follow the language.
STANDARD: Final = (
    _("Yes."),
    _("No."),
    _("Thank you."),
    _("I'll call you later."),
    _("I'm on my way."),
    _("I'll be late."),
    _("I'll reply when I'm at a computer."),
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A sender of mail; `reply_to` and `signature` may be empty."""

    name: str = ""
    address: str = ""
    reply_to: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class QuickReply:
    """A sentence to reply with, and how often it was `used`. The text of a standard one is a msgid until translated."""

    id: int
    text: str
    used: int = 0
    standard: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """A person's choices; '' for those that have not been made.

    `identities`: the first is the default; its address is the one that signed in unless another was chosen. `quick`:
    the most used first. `language`: a tag. `timezone`: an IANA name. `copy_to_self`: "yes" or "no": whether mail is
    also sent to oneself where no mailbox keeps sent mail.
    """

    identities: tuple[Identity, ...]
    quick: tuple[QuickReply, ...] = ()
    timezone: str = ""
    language: str = ""
    start: str = STARTS[0]
    quoting: bool = True
    copy_to_self: str = ""
    sort: str = SORTS[0]

    @property
    def name(self) -> str:
        """The person's name in their default From."""
        return self.identities[0].name

    @property
    def signature(self) -> str:
        """The signature of the default identity."""
        return self.identities[0].signature

    def zone(self, usual: str) -> ZoneInfo:
        """Return the person's time zone, or the gateway's."""
        return ZoneInfo(self.timezone or usual)

    def quick_in(self, words: Callable[[str], str]) -> tuple[QuickReply, ...]:
        """Return the quick replies, the standard ones translated."""
        return tuple(replace(one, text=words(one.text)) if one.standard else one for one in self.quick)

    def identity(self, address: str) -> Identity:
        """Return the identity with this address; the default one if there is none."""
        wanted = address.casefold()
        return next((one for one in self.identities if one.address.casefold() == wanted), self.identities[0])


#: The profile while nobody is signed in.
ANONYMOUS: Final = Profile((Identity(),))


def profile(session: Session) -> Profile:
    """Read the profile of this session's person, in one read from the memory."""
    kept = session.memory.get(KIND) or {}
    return Profile(
        identities=_identities(session, kept),
        quick=tuple(sorted(_quick(kept), key=lambda one: -one.used)),
        timezone=zone if is_zone(zone := _text(kept, "timezone")) else "",
        language=_text(kept, "language"),
        start=start if is_start(start := _text(kept, "start")) else STARTS[0],
        quoting=kept.get("quoting") is not False,
        copy_to_self=choice if (choice := _text(kept, "copy_to_self")) in ("yes", "no") else "",
        sort=sort if (sort := _text(kept, "sort")) in SORTS else SORTS[0],
    )


def may_send_from(session: Session, address: str) -> bool:
    """Return whether the upstream's rule lets this person send from an address."""
    return session.submission.allows_from(address)


def own_addresses(session: Session, profile: Profile) -> frozenset[str]:
    """Return all of this person's own addresses, in lower case."""
    mine = (session.address, *(one.address for one in profile.identities))
    return frozenset(address.lower() for address in mine)


def is_same_mailbox(one: str, other: str) -> bool:
    """Return whether two addresses differ only in case and in what follows a plus (RFC 5233)."""
    return mailbox_of(one) == mailbox_of(other)


def choose(session: Session, **values: str | bool) -> None:
    """Store choices, by the names of the fields of Profile. The caller has validated the values."""
    _change(session, lambda kept: kept | values)


def all_identities(session: Session) -> list[Identity]:
    """Return all stored identities by index, including those that are no longer allowed."""
    return _all_identities(session, session.memory.get(KIND) or {})


def keep_identity(session: Session, index: int, identity: Identity) -> bool:
    """Store an identity in place of the one with this index, or as a new one; return whether there was room."""
    kept = True

    def update(found: list[Identity]) -> list[Identity]:
        nonlocal kept
        kept = index < len(found) or len(found) < MOST_IDENTITIES
        return [*found[:index], identity, *found[index + 1 :]] if kept else found

    _change_identities(session, update)
    return kept


def remove_identity(session: Session, index: int) -> None:
    """Delete an identity; if there is none left, the address that signed in is used."""
    _change_identities(session, lambda found: [*found[:index], *found[index + 1 :]])


def _change_identities(session: Session, update: Callable[[list[Identity]], list[Identity]]) -> None:
    def changed(kept: dict[str, Any]) -> dict[str, Any]:
        return kept | {"identities": [asdict(one) for one in update(_all_identities(session, kept))]}

    _change(session, changed)


def keep_quick(session: Session, text: str, quick: int = 0) -> bool:
    """Store a quick reply in place of the one with this id, or as a new one; return whether there was room."""
    fitted = text[:LONGEST_QUICK]

    def update(found: list[QuickReply]) -> list[QuickReply]:
        if any(one.id == quick for one in found):
            return [replace(one, text=fitted, standard=False) if one.id == quick else one for one in found]
        number = max([len(STANDARD), *(one.id for one in found)]) + 1
        return [*found, QuickReply(number, fitted)] if len(found) < MOST_QUICK else found

    return fitted in (one.text for one in _change_quick(session, update))


def remove_quick(session: Session, quick: int) -> None:
    """Delete a quick reply."""
    _change_quick(session, lambda found: [one for one in found if one.id != quick])


def count_quick_reply(session: Session, quick: int) -> None:
    """Count that a quick reply was sent."""
    with optional("that a quick reply was used"):
        _change_quick(
            session,
            lambda found: [replace(one, used=one.used + 1) if one.id == quick else one for one in found],
        )


def merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Merge two profiles: the choices of the first take precedence; identities and quick replies of both are kept."""
    addresses = {str(row.get("address")).casefold() for row in _rows(first, "identities")}
    others = [
        row for row in _rows(second, "identities") if str(row.get("address")).casefold() not in addresses
    ]
    made = {**second, **first, "identities": [*_rows(first, "identities"), *others][:MOST_IDENTITIES]}
    if "quick" in first and "quick" in second:
        texts = {row.get("text") for row in _rows(first, "quick")}
        new = [row for row in _rows(second, "quick") if row.get("text") not in texts]
        free = 1 + max([len(STANDARD), *(int(row.get("id", 0)) for row in _rows(first, "quick"))])
        rows = [*_rows(first, "quick"), *({**row, "id": free + at} for at, row in enumerate(new))]
        made["quick"] = rows[:MOST_QUICK]
    return made


@lru_cache(maxsize=128)
def is_zone(name: str) -> bool:
    """Return whether this is the name of a time zone."""
    try:
        return bool(name) and len(name) <= LONGEST_NAME and ZoneInfo(name).key == name
    except (KeyError, ValueError, OSError):
        return False


def is_start(word: str) -> bool:
    """Return whether this is the name of a start page."""
    return word in STARTS or (word.startswith(FAVOURITE) and word.removeprefix(FAVOURITE).isalnum())


def _identities(session: Session, kept: Mapping[str, Any]) -> tuple[Identity, ...]:
    found = tuple(one for one in _all_identities(session, kept) if may_send_from(session, one.address))
    return found or (Identity(address=session.address),)


def _all_identities(session: Session, kept: Mapping[str, Any]) -> list[Identity]:
    """Return all stored identities, including those that are no longer allowed."""
    names = [field.name for field in fields(Identity)]
    found = [Identity(**{name: _text(row, name) for name in names}) for row in _rows(kept, "identities")]
    return [one for one in found if one.address] or [Identity(address=session.address)]


def _quick(kept: Mapping[str, Any]) -> list[QuickReply]:
    if "quick" not in kept:
        return [QuickReply(number, text, standard=True) for number, text in enumerate(STANDARD, 1)]
    found = []
    for row in _rows(kept, "quick"):
        number, count, text = row.get("id"), row.get("used"), _text(row, "text")
        if not isinstance(number, int) or not isinstance(count, int):
            continue
        if text:
            found.append(QuickReply(number, text, count))
        elif 0 < number <= len(STANDARD):
            found.append(QuickReply(number, STANDARD[number - 1], count, standard=True))
    return found


def _change_quick(
    session: Session, update: Callable[[list[QuickReply]], list[QuickReply]]
) -> list[QuickReply]:
    result: list[QuickReply] = []

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
