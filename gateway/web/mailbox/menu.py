"""The menu of a list: other screens on at most ten keys, the account, and the remaining quota.

Nothing here may ask the mail server for more than the quota, or fail because it does not respond.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, request

from gateway.addresses import relative
from gateway.errors import StoreError
from gateway.markup.keys import KEYS
from gateway.markup.screen import Action
from gateway.message.headers.header_fields import safe_spec
from gateway.web.entry import restored_forms
from gateway.web.mailbox.mailbox_list import back_action
from gateway.web.mailbox.origin_list import TOP
from gateway.web.request.respond import respond
from gateway.web.request.screens import notice_screen, sign_out_action
from gateway.web.request.visit import ORIGIN, Visit, current, link, list_link

menu = Blueprint("menu", __name__)


def _(msgid: str) -> str:
    return msgid


#: Key, label, path without and with a mailbox number where it makes sense, and what the mail store must be able to do.
_LINKS: Final = (
    ("1", _("Inbox"), "i", "i", ""),
    ("2", _("Folders"), "z", "z", "folders"),
    ("3", _("Write"), "c", "c", ""),
    ("", _("Drafts"), "bd", "bd", "append"),
    ("4", _("Search"), "q", "q.{}", "search"),
    ("5", _("View"), "", "v{}", ""),
    ("6", _("Select"), "x", "x{}", "change"),
    ("7", _("Contacts"), "t", "t", ""),
    ("8", _("Settings"), "s", "s", ""),
    ("", _("This folder"), "", "z{}", "folders"),
)


@menu.get("/k")
@menu.get("/k<int:number>")
@menu.get("/k<int:number>.<int:top>")
def show(number: int = 0, top: int = 0) -> Response:
    """Show the menu of a mailbox, or of none."""
    visit = current()
    _ = visit.language.gettext
    room = _quota_sentence(visit)
    can = visit.signed_in.can
    paths = [
        (key, label, (inside if number else path).format(number))
        for key, label, path, inside, need in _LINKS
        if not need or getattr(can, need)
    ]
    actions = [
        Action(_(label), _path(path) + _rows(visit, path, top), key)
        for key, label, path in paths
        if path and (path != "x" or visit.origin)
    ]
    actions.insert(len(actions) - bool(number and can.folders), sign_out_action(visit, "9"))
    if restored_forms.all_saved(visit.signed_in):
        actions.append(Action(_("Your text"), link("restored_forms.show")))
    actions += _back(visit, number, top)
    whose = safe_spec(visit.signed_in.address)
    return respond(notice_screen(visit, _("Menu"), whose, actions, [room] if room else []))


def _back(visit: Visit, number: int, top: int) -> list[Action]:
    """Return the action back to the page of the list from which the menu was opened."""
    label = visit.language.gettext("Back")
    if top:
        return [Action(label, list_link("mailbox.by_number", number=number, top=top), KEYS["Back"])]
    if number:
        return [replace(back_action(visit, number, visit.mailbox(number)[0]), label=label)]
    return [replace(back_action(visit, 0, ""), label=label)] if visit.origin else []


def _quota_sentence(visit: Visit) -> str:
    """Return a sentence on how much of the quota is used, "" if the server does not report it."""
    quota = None
    with suppress(StoreError), visit.signed_in.store() as store:
        quota = store.quota()
    if quota is None:
        return ""
    return visit.language.gettext("%(used)s of %(limit)s used (%(percent)s%%)") % {
        "used": visit.language.size(quota.used),
        "limit": visit.language.size(quota.limit),
        "percent": visit.language.number(round(100 * quota.used / quota.limit)),
    }


def _path(path: str) -> str:
    here = request.script_root + request.path
    return list_link("mailbox.inbox") if path == "i" else relative(f"{request.script_root}/{path}", here)


def _rows(visit: Visit, path: str, top: int) -> str:
    """Return the link to the page on which the rows of the list are ticked."""
    if not path.startswith("x"):
        return ""
    return f"?{TOP}={top}" if top else f"?{ORIGIN}={visit.origin}" if visit.origin else ""
