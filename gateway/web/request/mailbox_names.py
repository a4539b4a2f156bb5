"""Display names of folders: by their special use, or else their own names.

Nothing here may query a server. The server's own name of a folder stays available through `own_name`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.markup.screen import shorten
from gateway.message.headers.header_fields import clean
from gateway.store.base import INBOX, Folder
from gateway.store.mailbox_tree import path_of, role_of
from gateway.store.raw_names import readable
from gateway.web.request.visit import Visit


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
#: The sentence under a list of folders that is incomplete.
MORE_FOLDERS: Final = _("There are more folders than can be listed.")
#: Separates the names of a path, whatever the server's delimiter.
SLASH: Final = "/"
#: Replaces the beginning of a path that does not fit a row.
_CUT: Final = "…/"
#: Characters of a path in a title or the label of a link.
TITLE: Final = 24


def title(visit: Visit, folder: Folder) -> str:
    """Return the name of one folder, without its parents."""
    if folder.role:
        return visit.language.gettext(_ROLES[folder.role])
    return clean(folder.path[-1]) or "?"


def title_of(visit: Visit, name: str, width: int = 0) -> str:
    """Return the path of a mailbox, given only the server's name for it.

    If `width` is given, names are left out from the left until the path has at most that many characters; the last name
    stays whole.
    """
    role = role_of(name)
    if role:
        return visit.language.gettext(_ROLES[role])
    shown = tuple(clean(each) or "?" for each in path_of(name))
    return short(shown, max(width, len(_CUT + shown[-1]))) if width else SLASH.join(shown)


def names(visit: Visit, folder: Folder, start: int = 0) -> tuple[str, ...]:
    """Return the names of a folder's path from depth `start` on."""
    if folder.role:
        return (title(visit, folder),)
    inbox = visit.language.gettext(_ROLES["inbox"])
    shown = (inbox if not at and name == INBOX else clean(name) or "?" for at, name in enumerate(folder.path))
    return tuple(shown)[start:]


def path(visit: Visit, folder: Folder) -> str:
    """Return the path of a folder."""
    return SLASH.join(names(visit, folder))


def own_name(visit: Visit, folder: Folder) -> str:
    """Return the server's name of a folder if it differs from the displayed one; otherwise ""."""
    name = readable(folder.name)
    return "" if name in (path(visit, folder), INBOX) else clean(name)


def short(shown: Sequence[str], width: int) -> str:
    """Shorten a path to `width` characters from the left, name by name; the last name stays, or its beginning."""
    whole = SLASH.join(shown)
    if len(whole) <= width:
        return whole
    for start in range(1, len(shown)):
        rest = _CUT + SLASH.join(shown[start:])
        if len(rest) <= width:
            return rest
    return shorten(shown[-1], width)
