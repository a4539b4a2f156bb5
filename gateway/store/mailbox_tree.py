"""The mailbox tree: namespaces, roles, and display order.

Nothing here may do I/O. The role of a mailbox is what the administrator says, or else its attribute, or else a name
that mail programs give it (`special_names`); a name counts only if no mailbox has the attribute. Only a person's own
mailboxes have roles: sent mail must not be filed where others read it.

Standard: RFC 2342 (NAMESPACE); RFC 6154 (special-use); RFC 5258 §3.4 (\\NonExistent); RFC 9051 §5.1.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from gateway.store import raw_names
from gateway.store.base import INBOX, OTHERS, PERSONAL, SHARED, Folder, Mailbox
from gateway.store.special_names import NAMES, PLACES, fold

#: In display order.
ROLES: Final = ("inbox", "drafts", "sent", "trash", "junk", "archive")
#: Special-use attribute (lower case) -> role. QUIRK: servers that had XLIST first use \\Spam.
_ATTRIBUTES: Final = {
    "\\drafts": "drafts",
    "\\sent": "sent",
    "\\trash": "trash",
    "\\junk": "junk",
    "\\spam": "junk",
    "\\archive": "archive",
}
#: Roles whose mail people may delete all at once.
EMPTIED: Final = ("trash", "junk")
_ORDER: Final = {role: at for at, role in enumerate(ROLES)}
_OWNERS: Final = (PERSONAL, OTHERS, SHARED)
_CLOSED: Final = frozenset({"\\noselect", "\\nonexistent"})
#: Special uses of mailboxes that show messages of others (RFC 6154 §2, RFC 8457). QUIRK: Gmail's are as it first had
#: them.
_VIRTUAL: Final = frozenset({"\\all", "\\flagged", "\\important", "\\allmail", "\\starred"})
#: Folders that may contain the ones with a usual name, folded. QUIRK: Gmail has all of its own in "[Gmail]".
_ABOVE: Final = frozenset({"inbox", "[gmail]", "[google mail]"})
#: The most names in a path that ends in a usual one: two of a namespace, and one of those above.
_DEEPEST_USUAL: Final = 3
#: The separators of names on any server (RFC 9051 §5.1 leaves the choice open).
_SEPARATORS: Final = "/.\\^"


@dataclass(frozen=True, slots=True)
class Namespace:
    """The mailboxes that begin with `prefix`, and whose they are."""

    prefix: str
    delimiter: str
    owner: str = PERSONAL


@dataclass(frozen=True, slots=True)
class MailboxCounts:
    """The counts of one mailbox in STATUS."""

    total: int
    unseen: int
    uidvalidity: int
    uidnext: int


#: For a server that does not report its namespaces.
ONE_NAMESPACE: Final = (Namespace("", ""),)


class FoundBy(Enum):
    """How the mailbox of a role was found; the text is for an administrator."""

    NAMED = "named in the configuration"
    MARKED = "special-use"
    BY_NAME = "by its name"


#: By preference.
_BY_PREFERENCE: Final = tuple(FoundBy)


class SpecialMailbox(NamedTuple):
    """The mailbox of a role."""

    name: str
    found_by: FoundBy


class _Placed(NamedTuple):
    mailbox: Mailbox
    path: tuple[str, ...]
    owner: str


def tree(
    mailboxes: Iterable[Mailbox],
    subscribed: frozenset[str],
    spaces: Sequence[Namespace],
    named: Mapping[str, str] | None = None,
) -> tuple[Folder, ...]:
    """Arrange mailboxes in a tree: those with a role first, then each namespace by name.

    `named`: the path or name of a role's mailbox, as the administrator wrote it.
    """
    places = [place for mailbox in mailboxes if (place := _placed(mailbox, spaces)).path]
    parents = _parents(places)
    roles = {found.name: role for role, found in _roles(places, named or {}).items()}
    folders = [
        Folder(mailbox, path, owner, roles.get(mailbox.name, ""), mailbox.name in subscribed, opens, children)
        for mailbox, path, owner in places
        if (opens := is_open(mailbox))
        | (children := path in parents[owner] or "\\haschildren" in lowered(mailbox.attributes))
    ]
    del places, parents  # with thousands, before the keys are made
    folders.sort(key=_place)
    return tuple(folders)


def _parents(places: Sequence[_Placed]) -> dict[str, set[tuple[str, ...]]]:
    """Return the paths below which others are listed, by owner."""
    listed: dict[str, set[tuple[str, ...]]] = {owner: set() for owner in _OWNERS}
    found: dict[str, set[tuple[str, ...]]] = {owner: set() for owner in _OWNERS}
    for place in places:
        listed[place.owner].add(place.path)
    for place in places:
        # The nearest one that is listed is enough: it is itself below all others.
        above = (place.path[:at] for at in range(len(place.path) - 1, 0, -1))
        found[place.owner].update(islice((path for path in above if path in listed[place.owner]), 1))
    return found


def special(
    mailboxes: Iterable[Mailbox], spaces: Sequence[Namespace], named: Mapping[str, str] | None = None
) -> dict[str, SpecialMailbox]:
    """Return the mailbox of each role that has one."""
    return _roles([_placed(mailbox, spaces) for mailbox in mailboxes], named or {})


def _placed(mailbox: Mailbox, spaces: Sequence[Namespace]) -> _Placed:
    """Return a mailbox's path in its namespace; empty for the root of a namespace itself."""
    name = mailbox.name
    if not is_open(mailbox) and any(space.prefix == name + mailbox.delimiter for space in spaces):
        return _Placed(mailbox, (), PERSONAL)
    space = space_with(name, spaces)
    rest = name[len(space.prefix) :]
    path = tuple(filter(None, rest.split(mailbox.delimiter) if mailbox.delimiter else (rest,))) or (name,)
    readable = tuple(map(raw_names.readable, path)) if raw_names.is_raw(name) else path
    return _Placed(mailbox, readable, space.owner)


def space_with(name: str, spaces: Sequence[Namespace]) -> Namespace:
    """Return the namespace of a mailbox: the one with the longest prefix; INBOX is always the person's own.

    QUIRK: in Cyrus shared mailboxes have no prefix; what is below INBOX is not among them.
    """
    if name.upper() == INBOX:
        return Namespace("", "")
    found = None
    for space in spaces:
        if not _begins(name, space.prefix):
            continue
        if not space.prefix and space.owner != PERSONAL and _is_below_inbox(name, _delimiters(spaces)):
            continue
        if found is None or _precedence(space) > _precedence(found):
            found = space
    return found or Namespace("", "")


def _precedence(space: Namespace) -> tuple[int, bool]:
    return len(space.prefix), space.owner == PERSONAL


def _is_below_inbox(name: str, delimiters: str = _SEPARATORS) -> bool:
    return name[: len(INBOX)].upper() == INBOX and name[len(INBOX) : len(INBOX) + 1] in tuple(delimiters)


def _delimiters(spaces: Sequence[Namespace]) -> str:
    return "".join(space.delimiter for space in spaces) or _SEPARATORS


def _begins(name: str, prefix: str) -> bool:
    """Return whether a name has a prefix; the INBOX in it may be in any case."""
    if name.startswith(prefix):
        return True
    return _is_below_inbox(prefix) and name[: len(prefix)].upper() == prefix.upper()


def _roles(places: Iterable[_Placed], named: Mapping[str, str]) -> dict[str, SpecialMailbox]:
    """Return the mailbox of each role; of several, the first by `FoundBy`, usual name, depth and path."""
    claims = sorted(
        (
            ROLES.index(role),
            _BY_PREFERENCE.index(found_by),
            *_rank(place, role),
            place.path,
            place.mailbox.name,
        )
        for place in places
        if place.owner == PERSONAL and is_open(place.mailbox)
        for role, found_by in _claims(place, named)
    )
    found: dict[str, SpecialMailbox] = {}
    taken: set[str] = set()
    for order, found_by, _usual_name, _depth, _path, name in claims:
        if ROLES[order] not in found and name not in taken:
            found[ROLES[order]] = SpecialMailbox(name, _BY_PREFERENCE[found_by])
            taken.add(name)
    return found


def may_have_role(mailbox: Mailbox, named: Mapping[str, str]) -> bool:
    """Return whether a mailbox may turn out to have a role, as far as its row alone shows."""
    *above, leaf = mailbox.name.split(mailbox.delimiter) if mailbox.delimiter else (mailbox.name,)
    usual = len(above) <= _DEEPEST_USUAL and (leaf == INBOX or fold(leaf) in PLACES)
    said = any(_same(name).endswith(_same(leaf)) for name in named.values())
    return usual or said or bool(lowered(mailbox.attributes) & _ATTRIBUTES.keys())


def _claims(place: _Placed, named: Mapping[str, str]) -> Iterator[tuple[str, FoundBy]]:
    """Yield the roles that a mailbox may have, and how each was found."""
    if named:
        names = {_same("/".join(place.path)), _same(place.mailbox.name)}
        yield from ((role, FoundBy.NAMED) for role, name in named.items() if _same(name) in names)
    for attribute in lowered(place.mailbox.attributes) & _ATTRIBUTES.keys():
        yield _ATTRIBUTES[attribute], FoundBy.MARKED
    usual = "inbox" if place.mailbox.name == INBOX else _usual(place.path)
    if usual:
        yield usual, FoundBy.BY_NAME


def _rank(place: _Placed, role: str) -> tuple[int, int]:
    """Return the sort key that decides which of several mailboxes comes first: by its usual name, then by its depth."""
    usual, at = PLACES.get(fold(place.path[-1]), ("", 0))
    return at if usual == role else len(PLACES), len(place.path)


def _same(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _usual(path: Sequence[str]) -> str:
    """Return the role of a usual name at the top, or directly below INBOX or Gmail's own folder; else ""."""
    at_top = len(path) == 1 or (len(path) == 2 and fold(path[0]) in _ABOVE)
    return PLACES.get(fold(path[-1]), ("", 0))[0] if at_top else ""


def path_of(name: str) -> tuple[str, ...]:
    """Return the path of a mailbox of which only the server's name is known: its separator can only be guessed.

    Below INBOX the separator shows; elsewhere names are left as they are.
    """
    if not _is_below_inbox(name):
        return (raw_names.readable(name),)
    rest = name[len(INBOX) + 1 :].split(name[len(INBOX)])
    return tuple(raw_names.readable(each) for each in rest if each) or (name,)


def role_of(name: str) -> str:
    """Guess a mailbox's role from its name alone; directly below INBOX counts as the top level."""
    return "inbox" if name.upper() == INBOX else _usual(_split(path_of(name)))


def _split(path: tuple[str, ...]) -> tuple[str, ...]:
    """Split Gmail's own folder off a name in it; its separator is known."""
    return tuple(path[0].split("/")) if len(path) == 1 and path[0].startswith("[") else path


def _place(folder: Folder) -> str:
    """Return the sort key of a folder: case-folded names come first at each level; one string takes little memory."""
    head = chr(_OWNERS.index(folder.namespace)) + chr(_ORDER.get(folder.role, len(ROLES)))
    return head + "\0".join(f"{name.casefold()}\1{name}" for name in folder.path)


def shown(folders: Iterable[Folder], all: bool) -> tuple[Folder, ...]:
    """Choose what is listed: what is subscribed or has a role; everything if nothing is subscribed."""
    folders = tuple(folders)
    if all or not any(folder.subscribed and not folder.role for folder in folders):
        return folders
    return tuple(folder for folder in folders if folder.subscribed or folder.role)


def space_of(spaces: Sequence[Namespace]) -> Namespace:
    """Choose the namespace for a person's new mailboxes.

    Below INBOX if none is theirs but the whole top level belongs to others: a new folder must not be readable for
    everybody.
    """
    own = [space for space in spaces if space.owner == PERSONAL]
    if own:
        return own[0]
    foreign = next((space for space in spaces if not space.prefix and space.delimiter), None)
    return Namespace(INBOX + foreign.delimiter, foreign.delimiter) if foreign else Namespace("", "")


def whole_name(name: str, spaces: Sequence[Namespace]) -> str:
    """Put a name without a prefix into the personal namespace (RFC 2342 §5), never into a shared one."""
    if name.upper() == INBOX or _is_below_inbox(name, _delimiters(spaces)):
        return normal(name)
    if any(space.prefix and _begins(name, space.prefix) for space in spaces):
        return name
    return space_of(spaces).prefix + name


def name_for(role: str, named: Mapping[str, str], spaces: Sequence[Namespace]) -> str:
    """Return the whole name of the mailbox to create for a role."""
    space = space_of(spaces)
    path = named.get(role) or NAMES[role][0]
    return whole_name(path.replace("/", space.delimiter or "/"), spaces)


def inferred(mailboxes: Iterable[Mailbox]) -> tuple[Namespace, ...]:
    """Infer the namespace on a server that does not report any: below INBOX if everything is there."""
    known = tuple(mailboxes)
    others = [mailbox for mailbox in known if mailbox.name != INBOX]
    delimiter = next((mailbox.delimiter for mailbox in (*others, *known)), "")
    if others and delimiter and all(_is_below_inbox(mailbox.name, delimiter) for mailbox in others):
        return (Namespace(INBOX + delimiter, delimiter),)
    return (Namespace("", delimiter),)


def counted(folder: Folder, counts: Mapping[str, MailboxCounts]) -> Folder:
    """Add the counts to a folder, if there are any."""
    found = counts.get(folder.name)
    if found is None:
        return folder
    return replace(
        folder,
        total=found.total,
        unseen=found.unseen,
        uidvalidity=found.uidvalidity,
        uidnext=found.uidnext,
    )


def normal(name: str) -> str:
    """Write INBOX in its canonical form (RFC 9051 §5.1: it is case-insensitive). QUIRK: Yahoo sends "Inbox"."""
    return INBOX if name.upper() == INBOX else name


def merged(mailbox: Mailbox, before: Mailbox | None) -> Mailbox:
    """Merge two rows of one mailbox, which some servers list twice: it is closed only if both say so."""
    if before is None or before == mailbox:
        return mailbox
    attributes = before.attributes | mailbox.attributes
    if is_open(mailbox) or is_open(before):
        attributes = frozenset(name for name in attributes if name.lower() not in _CLOSED)
    return Mailbox(mailbox.name, mailbox.delimiter or before.delimiter, attributes)


def is_open(mailbox: Mailbox) -> bool:
    """Return whether a mailbox can hold messages."""
    return not _CLOSED & lowered(mailbox.attributes)


def is_virtual(mailbox: Mailbox) -> bool:
    """Return whether a mailbox is marked as one that only shows messages of others."""
    return bool(_VIRTUAL & lowered(mailbox.attributes))


@lru_cache(maxsize=64)
def lowered(attributes: frozenset[str]) -> frozenset[str]:
    """Convert attributes to lower case: they are case-insensitive (RFC 9051 §9). Thousands have the same few."""
    return frozenset(attribute.lower() for attribute in attributes)
