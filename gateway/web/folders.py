"""The list of folders: in pages as other lists are, each folder one press away, with what is unread in it.

Nothing here may change a folder. A page shows the names of its own rows only: a folder stands below the one it is
in where that is on the same page, and else says its whole path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response

from gateway import markup
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen
from gateway.store.base import OTHERS, PERSONAL, SHARED, Folder
from gateway.web import naming
from gateway.web.respond import respond
from gateway.web.visit import Visit, current, link, list_link

folders = Blueprint("folders", __name__)


def _(msgid: str) -> str:
    return msgid


#: The three lists: what is subscribed, everything, and everything to be changed.
SUBSCRIBED, ALL, CHANGE = "", "a", "e"
#: Rows of a page: a keypad has nine keys for them.
MOST_ROWS: Final = 9
#: Characters of a name in a row: the first of them with which the page fits.
_WIDTHS: Final = (60, 40, 30, 24, 18, 12)
#: What stands before a folder's name for each one above it on the page, and how many of them at most.
_STEP: Final = "-"
_DEEPEST: Final = 4
_HEADINGS: Final = {OTHERS: _("Of other people"), SHARED: _("Shared")}


@dataclass(frozen=True, slots=True)
class Row:
    """One folder in the list; `heading` begins another namespace, `href` is empty for what cannot be opened."""

    href: str
    key: str
    steps: str
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
    """Show one page of the folders, under a sentence about what happened before."""
    visit = current()
    most = min(visit.device.rows, MOST_ROWS)
    with visit.signed_in.store() as store:
        found = store.folders(all=kind != SUBSCRIBED, counted=slice(top, top + most))
    top = top if top < len(found) else 0
    page = found[top : top + most]
    targets = [_target(visit, folder, kind) for folder in page]
    for width in _WIDTHS:
        screen = _screen(visit, kind, top, len(found), _rows(visit, page, targets, width), sentence)
        if markup.size(screen, visit.device) <= visit.device.deck_limit:
            return respond(screen)
    while len(page) > 1 and markup.size(screen, visit.device) > visit.device.deck_limit:
        page = page[:-1]
        screen = _screen(visit, kind, top, len(found), _rows(visit, page, targets, _WIDTHS[-1]), sentence)
    return respond(screen)


def _target(visit: Visit, folder: Folder, kind: str) -> str:
    """Say where a row leads: into the folder, or to what can be done with it."""
    if kind != CHANGE and not folder.open:
        return ""
    number = visit.signed_in.mailbox_number(folder.name, folder.uidvalidity)
    if kind == CHANGE:
        return link("folder.show", number=number)
    return list_link("mailbox.inbox") if folder.role == "inbox" else list_link("mailbox.box", number=number)


def _rows(visit: Visit, page: Sequence[Folder], targets: Sequence[str], width: int) -> list[Row]:
    rows = []
    above = {(folder.namespace, folder.path) for folder in page if not folder.role}
    before = PERSONAL
    for key, (folder, href) in enumerate(zip(page, targets, strict=False), 1):
        depths = [
            depth for depth in range(1, len(folder.path)) if (folder.namespace, folder.path[:depth]) in above
        ]
        said = [
            fit(name, visit.device).strip() or "?"
            for name in naming.names(visit, folder, max(depths, default=0))
        ]
        heading = _HEADINGS[folder.namespace] if folder.namespace not in (before, PERSONAL) else ""
        before = folder.namespace
        rows.append(
            Row(
                href,
                str(key) if href else "",
                _STEP * min(len(depths), _DEEPEST),
                naming.short(said, width),
                visit.language.number(folder.unseen) if folder.unseen else "",
                visit.language.gettext(heading),
            )
        )
    return rows


def _screen(visit: Visit, kind: str, top: int, count: int, rows: Sequence[Row], sentence: str) -> Screen:
    _ = visit.language.gettext
    most = min(visit.device.rows, MOST_ROWS)
    actions = []
    if top + len(rows) < count:
        actions.append(Action(_("Next"), _link(kind, top + len(rows)), "#", "accept"))
    if top:
        actions.append(Action(_("Prev"), _link(kind, max(0, top - most)), "*"))
    actions.append(Action(_("Menu"), link("menu.show"), "0", "options"))
    change = Action(_("Change folders"), _link(CHANGE, 0), "" if top else "*")
    if kind == SUBSCRIBED:
        actions += [change, Action(_("All folders"), _link(ALL, 0))]
    elif kind == ALL:
        actions += [change, Action(_("Subscribed only"), _link(SUBSCRIBED, 0))]
    else:
        actions += [
            Action(_("New folder"), link("folder.new"), "" if top else "*"),
            Action(_("Folders"), _link(SUBSCRIBED, 0)),
        ]
    span = _("%(first)s–%(last)s of %(count)s") % {  # noqa: RUF100
        "first": visit.language.number(top + 1),
        "last": visit.language.number(top + len(rows)),
        "count": visit.language.number(count),
    }
    title = _("Change folders") if kind == CHANGE else _("Folders")
    values = {"sentence": sentence, "rows": rows, "range": span}
    return Screen(
        "folders", title, values, tuple(actions), life=Life.CHECK, words=_, language=visit.language.tag
    )


def _link(kind: str, top: int) -> str:
    values = {"kind": kind} if kind else {}
    return list_link("folders.page", top=top, **values) if top else list_link("folders.show", **values)
