"""The list of folders, in pages like other lists, each folder on one key, with its unread count.

Nothing here may change a folder. A page shows the names of its own rows only: a folder is indented below its parent if
that is on the same page, and otherwise shown with its whole path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response

from gateway.markup.keys import KEYS
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Screen
from gateway.store.base import OTHERS, PERSONAL, SHARED, Folder
from gateway.web.request import mailbox_names
from gateway.web.request.fitted_list import fitted_list, row_within
from gateway.web.request.respond import respond
from gateway.web.request.screens import make_screen, paging_actions, range_words
from gateway.web.request.visit import Visit, current, link, list_link

folders = Blueprint("folders", __name__)


def _(msgid: str) -> str:
    return msgid


#: The three lists: subscribed folders, all folders, all folders for editing.
SUBSCRIBED, ALL, CHANGE = "", "a", "e"
#: Rows per page: one per number key.
MOST_ROWS: Final = 9
#: Maximum characters of a name in a row; the first that fits is used.
_WIDTHS: Final = (60, 40, 30, 24, 18, 12)
#: Indentation for each parent on the page, and its maximum depth.
_INDENT: Final = "-"
_DEEPEST: Final = 4
_HEADINGS: Final = {OTHERS: _("Other people's"), SHARED: _("Shared")}


@dataclass(frozen=True, slots=True)
class FolderRow:
    """One folder in the list; `heading` starts another namespace, `href` is empty if the folder cannot be opened."""

    href: str
    key: str
    indent: str
    name: str
    unseen: str
    heading: str = ""


@folders.get("/z")
@folders.get("/z<any(a,e):kind>")
@folders.get("/z.<int:top>", endpoint="page")
@folders.get("/z<any(a,e):kind>.<int:top>", endpoint="page")
def show(kind: str = SUBSCRIBED, top: int = 0) -> Response:
    """Show one page of the folders."""
    return show_list(kind, top)


def show_list(kind: str = SUBSCRIBED, top: int = 0, sentence: str = "") -> Response:
    """Show one page of the folders, under a sentence about the previous request."""
    visit = current()
    most = min(visit.device.rows, MOST_ROWS)
    with visit.signed_in.store() as store:
        found = store.folders(all=kind != SUBSCRIBED, counted=slice(top, top + most))
    if not found.whole:
        sentence = sentence or visit.language.gettext(mailbox_names.MORE_FOLDERS)
    top = row_within(top, len(found))
    page = found[top : top + most]
    targets = [_target(visit, folder, kind) for folder in page]

    def screen(width: int, count: int) -> Screen:
        return _screen(visit, kind, top, len(found), _rows(visit, page[:count], targets, width), sentence)

    return respond(fitted_list(screen, visit.fits, _WIDTHS, len(page)))


def _target(visit: Visit, folder: Folder, kind: str) -> str:
    """Return where a row links to: the messages, or the actions of the folder."""
    if kind != CHANGE and not folder.open:
        return ""
    number = visit.signed_in.mailboxes.number(folder.name, folder.uidvalidity)
    if kind == CHANGE:
        return link("folder.show", number=number)
    return (
        list_link("mailbox.inbox")
        if folder.role == "inbox"
        else list_link("mailbox.by_number", number=number)
    )


def _rows(visit: Visit, page: Sequence[Folder], targets: Sequence[str], width: int) -> list[FolderRow]:
    rows = []
    above = {(folder.namespace, folder.path) for folder in page if not folder.role}
    before = PERSONAL
    for key, (folder, href) in enumerate(zip(page, targets, strict=False), 1):
        depths = [
            depth for depth in range(1, len(folder.path)) if (folder.namespace, folder.path[:depth]) in above
        ]
        names = [
            fit(name, visit.device).strip() or "?"
            for name in mailbox_names.names(visit, folder, max(depths, default=0))
        ]
        heading = _HEADINGS[folder.namespace] if folder.namespace not in (before, PERSONAL) else ""
        before = folder.namespace
        rows.append(
            FolderRow(
                href,
                str(key) if href else "",
                _INDENT * min(len(depths), _DEEPEST),
                mailbox_names.short(names, width),
                visit.language.number(folder.unseen) if folder.unseen else "",
                visit.language.gettext(heading),
            )
        )
    return rows


def _screen(
    visit: Visit, kind: str, top: int, count: int, rows: Sequence[FolderRow], sentence: str
) -> Screen:
    _ = visit.language.gettext
    most = min(visit.device.rows, MOST_ROWS)
    last = top + len(rows)
    next_page, before = (
        _link(kind, last) if last < count else "",
        _link(kind, max(0, top - most)) if top else "",
    )
    actions = [
        *paging_actions(visit, next_page, before),
        Action(_("Menu"), link("menu.show"), KEYS["Menu"], "options"),
    ]
    change = Action(_("Change folders"), _link(CHANGE, 0))
    if kind == SUBSCRIBED:
        actions += [change, Action(_("All folders"), _link(ALL, 0))]
    elif kind == ALL:
        actions += [change, Action(_("Subscribed only"), _link(SUBSCRIBED, 0))]
    else:
        actions += [
            Action(_("New folder"), link("folder.new")),
            Action(_("Folders"), _link(SUBSCRIBED, 0)),
        ]
    title = _("Change folders") if kind == CHANGE else _("Folders")
    values = {"sentence": sentence, "rows": rows, "range": range_words(visit, top + 1, last, count, whole="")}
    return make_screen(visit, "folders", title, values, actions)


def _link(kind: str, top: int) -> str:
    values = {"kind": kind} if kind else {}
    return list_link("folders.page", top=top, **values) if top else list_link("folders.show", **values)
