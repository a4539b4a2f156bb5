"""The tree of mailboxes: whose each one is, what it is for, where it stands, and in which order they are shown.

Nothing here may do I/O. What a mailbox is for is known by its attribute, or else by a name that mail programs
give it; a name counts only where no mailbox has the attribute.
Standard: RFC 2342 (NAMESPACE); RFC 6154 (special-use); RFC 5258 §3.4 (\\NonExistent); RFC 9051 §5.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from gateway.store.base import INBOX, OTHERS, PERSONAL, SHARED, Folder, Mailbox

#: Role, attribute (lower case), and the names by which servers without special-use keep such mail (folded); in the
#: order in which they are shown.
ROLES: Final = (
    ("inbox", "", ("inbox",)),
    ("drafts", "\\drafts", ("drafts", "draft", "entwürfe", "brouillons", "borradores", "rascunhos")),
    (
        "sent",
        "\\sent",
        ("sent", "sent items", "sent messages", "sent mail", "gesendet", "gesendete elemente"),
    ),
    ("trash", "\\trash", ("trash", "deleted items", "deleted messages", "bin", "papierkorb", "corbeille")),
    ("junk", "\\junk", ("junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail")),
    ("archive", "\\archive", ("archive", "archives", "archiv")),
)
#: What people may delete all mail from at once.
EMPTIED: Final = ("trash", "junk")
_ORDER: Final = {role: at for at, (role, _attribute, _names) in enumerate(ROLES)}
_OWNERS: Final = (PERSONAL, OTHERS, SHARED)
_CLOSED: Final = frozenset({"\\noselect", "\\nonexistent"})


@dataclass(frozen=True, slots=True)
class Namespace:
    """The mailboxes that begin with `prefix`, and whose they are."""

    prefix: str
    delimiter: str
    owner: str = PERSONAL


@dataclass(frozen=True, slots=True)
class Counts:
    """What STATUS says of one mailbox."""

    total: int
    unseen: int
    uidvalidity: int
    uidnext: int


#: What holds for a server that does not tell its namespaces.
ONE_NAMESPACE: Final = (Namespace("", ""),)


def tree(
    mailboxes: Iterable[Mailbox], subscribed: frozenset[str], spaces: Sequence[Namespace]
) -> tuple[Folder, ...]:
    """Put mailboxes into the tree: those with a role first, then each namespace by name."""
    placed = [_placed(mailbox, spaces) for mailbox in mailboxes]
    places = [(mailbox, path, owner) for mailbox, path, owner in placed if path]
    parents = {(owner, path[:at]) for _mailbox, path, owner in places for at in range(1, len(path))}
    roles = _roles(places)
    folders = [
        Folder(
            mailbox,
            path,
            owner,
            roles.get(mailbox.name, ""),
            mailbox.name in subscribed,
            is_open(mailbox),
            (owner, path) in parents or "\\haschildren" in lowered(mailbox.attributes),
        )
        for mailbox, path, owner in places
    ]
    return tuple(sorted((folder for folder in folders if folder.open or folder.children), key=_place))


def _placed(mailbox: Mailbox, spaces: Sequence[Namespace]) -> tuple[Mailbox, tuple[str, ...], str]:
    """Find a mailbox's namespace, and its path from there; the root of a namespace itself has none."""
    name = mailbox.name
    fitting = [space for space in spaces if name.startswith(space.prefix)]
    space = max(fitting, key=lambda space: len(space.prefix), default=Namespace("", ""))
    if not is_open(mailbox) and any(space.prefix == name + mailbox.delimiter for space in spaces):
        return mailbox, (), PERSONAL
    rest = name.removeprefix(space.prefix)
    path = tuple(filter(None, rest.split(mailbox.delimiter) if mailbox.delimiter else (rest,)))
    return mailbox, path or (name,), space.owner


def _roles(places: Iterable[tuple[Mailbox, tuple[str, ...], str]]) -> dict[str, str]:
    """Find the mailbox of each role: the first with its attribute, else the first of its names at the top."""
    own = [(mailbox, path) for mailbox, path, owner in places if owner == PERSONAL and is_open(mailbox)]
    found: dict[str, str] = {}
    for role, attribute, names in ROLES:
        marked = [m.name for m, _path in own if attribute and attribute in lowered(m.attributes)]
        named = [(names.index(path[-1].casefold()), m.name) for m, path in own if _is_named(path, names)]
        taken = [name for name in (*marked, *(name for _at, name in sorted(named))) if name not in found]
        if taken:
            found[taken[0]] = role
    return found


def _is_named(path: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Tell whether a mailbox at the top, or right below INBOX, has one of these names."""
    return path[-1].casefold() in names and (len(path) == 1 or path[:-1] == (INBOX,))


def role_of(name: str) -> str:
    """Guess from a mailbox's name alone what it is for: right below INBOX is as good as at the top."""
    folded = name.casefold()
    for lead in ("inbox.", "inbox/"):
        folded = folded.removeprefix(lead)
    return next((role for role, _attribute, names in ROLES if folded in names), "")


def _place(folder: Folder) -> tuple[int, int, tuple[tuple[str, str], ...]]:
    """Say where a folder stands among all of them."""
    path = tuple((name.casefold(), name) for name in folder.path)
    return _OWNERS.index(folder.namespace), _ORDER.get(folder.role, len(ROLES)), path


def shown(folders: Iterable[Folder], all: bool) -> tuple[Folder, ...]:
    """Choose what is listed: what is subscribed or has a role; everything where nothing is subscribed."""
    folders = tuple(folders)
    if all or not any(folder.subscribed and not folder.role for folder in folders):
        return folders
    return tuple(folder for folder in folders if folder.subscribed or folder.role)


def space_of(spaces: Sequence[Namespace]) -> Namespace:
    """Choose the namespace in which a person's new mailboxes lie."""
    own = [space for space in spaces if space.owner == PERSONAL]
    return own[0] if own else Namespace("", "")


def whole_name(name: str, spaces: Sequence[Namespace]) -> str:
    """Put a name that is in no namespace into the personal one (RFC 2342 §5)."""
    if name.upper() == INBOX or any(name.startswith(space.prefix) for space in spaces):
        return normal(name)
    return space_of(spaces).prefix + name


def counted(folder: Folder, counts: Mapping[str, Counts]) -> Folder:
    """Join a folder with its counts, where there are any."""
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
    """Write INBOX in its one way (RFC 9051 §5.1: it is case-insensitive). QUIRK: Yahoo says "Inbox"."""
    return INBOX if name.upper() == INBOX else name


def is_open(mailbox: Mailbox) -> bool:
    """Tell whether a mailbox can hold messages."""
    return not _CLOSED & lowered(mailbox.attributes)


@lru_cache(maxsize=64)
def lowered(attributes: frozenset[str]) -> frozenset[str]:
    """Write attributes in lower case: case does not matter in them (RFC 9051 §9). Thousands have the same few."""
    return frozenset(attribute.lower() for attribute in attributes)
