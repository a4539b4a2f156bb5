"""What folders are called to a person: by what they are for, else by their own names.

Nothing here may ask a server. What the server calls a folder stays reachable: `own_name` says it where it differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.markup.screen import shorten
from gateway.message.headers import clean
from gateway.store.base import INBOX, Folder
from gateway.store.tree import role_of
from gateway.web.visit import Visit


def _(msgid: str) -> str:
    return msgid


_ROLES: Final = {
    "inbox": _("Inbox"),
    "drafts": _("Drafts"),
    "sent": _("Sent"),
    "trash": _("Trash"),
    "junk": _("Junk"),
    "archive": _("Archive"),
}
#: Between the names of a path, whatever the server has there.
SLASH: Final = "/"
#: Instead of the beginning of a path for which a row has no room.
_CUT: Final = "…/"


def title(visit: Visit, folder: Folder) -> str:
    """Name one folder, without those that it is in."""
    if folder.role:
        return visit.language.gettext(_ROLES[folder.role])
    return clean(folder.path[-1]) or "?"


def title_of(visit: Visit, name: str) -> str:
    """Name a mailbox of which no more is known than the server's name."""
    role = role_of(name)
    return visit.language.gettext(_ROLES[role]) if role else clean(name)


def names(visit: Visit, folder: Folder, start: int = 0) -> tuple[str, ...]:
    """Name a folder from the one at depth `start` of its path down."""
    if folder.role:
        return (title(visit, folder),)
    inbox = visit.language.gettext(_ROLES["inbox"])
    said = (inbox if not at and name == INBOX else clean(name) or "?" for at, name in enumerate(folder.path))
    return tuple(said)[start:]


def path(visit: Visit, folder: Folder) -> str:
    """Name a folder with those that it is in."""
    return SLASH.join(names(visit, folder))


def own_name(visit: Visit, folder: Folder) -> str:
    """Say what the server calls a folder, where that is not what it is called here; else nothing."""
    return "" if folder.name in (path(visit, folder), INBOX) else clean(folder.name)


def short(said: Sequence[str], width: int) -> str:
    """Say a path in `width` characters, its end rather than its beginning."""
    whole = SLASH.join(said)
    if len(whole) <= width:
        return whole
    last = said[-1]
    return _CUT + last if len(said) > 1 and len(last) + len(_CUT) <= width else shorten(last, width)
