"""The menu: where else one may go from a list, in at most ten keys, whose mail this is, and how much room is left.

Nothing here may ask the mail server for more than that room, or fail because it does not answer.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, current_app, request

from gateway.errors import StoreError
from gateway.markup.screen import Action, Life, Screen
from gateway.message.headers import safe_spec
from gateway.web.files import size_words
from gateway.web.mailbox import back_action
from gateway.web.places import TOP
from gateway.web.respond import respond
from gateway.web.signin import sign_out_action
from gateway.web.visit import ORIGIN, Visit, current, list_link, relative

menu = Blueprint("menu", __name__)


def _(msgid: str) -> str:
    return msgid


#: Key, label, and path without and with a mailbox's number, where it makes sense.
_WAYS: Final = (
    ("1", _("Inbox"), "i", "i"),
    ("2", _("Folders"), "z", "z"),
    ("3", _("Write"), "c", "c"),
    ("4", _("Search"), "q", "q.{}"),
    ("5", _("View"), "", "v{}"),
    ("6", _("Select"), "x", "x{}"),
    ("7", _("Contacts"), "t", "t"),
    ("8", _("Settings"), "s", "s"),
    ("", _("This folder"), "", "z{}"),
)


@menu.get("/k")
@menu.get("/k<int:number>")
@menu.get("/k<int:number>.<int:top>")
def show(number: int = 0, top: int = 0) -> Response:
    """Show the ways on from a mailbox, or from none."""
    visit = current()
    _ = visit.language.gettext
    paths = [(key, label, (inside if number else path).format(number)) for key, label, path, inside in _WAYS]
    actions = [
        Action(_(label), _path(path) + _rows(visit, path, top), key)
        for key, label, path in paths
        if path and _is_joined(path) and (path != "x" or visit.origin)
    ]
    actions.insert(len(actions) - bool(number), sign_out_action(visit, "9"))
    actions += _back(visit, number, top)
    room = _room(visit)
    values = {"sentence": safe_spec(visit.signed_in.address), "lines": [room] if room else []}
    return respond(
        Screen(
            "notice",
            _("Menu"),
            values,
            tuple(actions),
            life=Life.CHECK,
            words=_,
            language=visit.language.tag,
        )
    )


def _back(visit: Visit, number: int, top: int) -> list[Action]:
    """Lead back to the page of the list that the menu was opened from."""
    label = visit.language.gettext("Back")
    if top:
        return [Action(label, list_link("mailbox.box", number=number, top=top), "0")]
    if number:
        return [replace(back_action(visit, number, visit.mailbox(number)[0]), label=label)]
    return [replace(back_action(visit, 0, ""), label=label)] if visit.origin else []


def _room(visit: Visit) -> str:
    """Say how much of the room for mail is used, where the server tells."""
    quota = None
    with suppress(StoreError), visit.signed_in.store() as store:
        quota = store.quota()
    if quota is None:
        return ""
    return visit.language.gettext("%(used)s of %(limit)s used (%(percent)s%%)") % {
        "used": size_words(visit, quota.used),
        "limit": size_words(visit, quota.limit),
        "percent": visit.language.number(round(100 * quota.used / quota.limit)),
    }


def _path(path: str) -> str:
    here = request.script_root + request.path
    return list_link("mailbox.inbox") if path == "i" else relative(f"{request.script_root}/{path}", here)


def _rows(visit: Visit, path: str, top: int) -> str:
    """Say of which page of the list the rows are to be ticked."""
    if not path.startswith("x"):
        return ""
    return f"?{TOP}={top}" if top else f"?{ORIGIN}={visit.origin}" if visit.origin else ""


def _is_joined(path: str) -> bool:
    """Tell whether the app has this screen."""
    return current_app.url_map.bind("").test("/" + path, "GET")
