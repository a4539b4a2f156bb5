"""What the gateway stores about a person: shown in pages, downloaded as one file, deleted.

Nothing here may delete without confirmation, or leave out stored data that can be read. Mail is never stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response

from gateway.account.export import everything
from gateway.device import WML
from gateway.markup.screen import Action, Life, Screen, StatusMessage
from gateway.message.headers import filenames
from gateway.pages.layout import MessagePage
from gateway.pages.rows import of_rows
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.web.entry.sign_in import signin_screen
from gateway.web.request import cookies
from gateway.web.request.respond import add_headers, respond
from gateway.web.request.screens import (
    make_screen,
    notice_screen,
    paging_actions,
    question_screen,
    settings_actions,
)
from gateway.web.request.visit import Visit, current, link

stored_data = Blueprint("stored_data", __name__)


def _(msgid: str) -> str:
    return msgid


#: Names of stored values, by the beginning of their path; a path that has no name here is shown itself.
_TITLES: Final = (
    ("memory profile", _("Settings")),
    ("memory contacts", _("Contacts")),
    ("memory people", _("People you write to and hear from")),
    ("memory favourite", _("Saved searches")),
    ("memory search", _("Recent searches")),
    ("memory invitation", _("Invitations")),
    ("memory seen", _("Messages opened")),
    ("sendings", _("Sending")),
    ("kept texts", _("Texts not sent")),
    ("tables sessions", _("Devices signed in")),
    ("tables settings", _("Settings of devices")),
    ("tables reading", _("Where you stopped reading")),
    ("tables mailboxes", _("Folders")),
    ("tables devices", _("Known devices and networks")),
    ("tables", _("Records")),
)
#: Names of values that are times, in seconds since the epoch.
_TIMES: Final = ("at", "begun", "claimed", "expires", "last", "moved", "until", "touched", "used_at")
FILENAME: Final = "pocketpost.json"
_EVERYTHING: Final = _(
    "This deletes your settings, contacts and saved searches, and what is known of mail that may not have been sent. "
    "All your devices are signed out. Your mail stays."
)


@stored_data.get("/sk")
def show() -> Response:
    """Show what is stored, with links to it."""
    visit = current()
    _ = visit.language.gettext
    lines = [
        _(
            "What this gateway knows about you: your settings, contacts, saved searches, and people you write to. "
            "It is encrypted. Your mail stays on the mail server, and nobody can read your password here."
        )
    ]
    if visit.config.admin_show_addresses:
        lines.append(_("The administrator of this gateway can see your address."))
    show, delete = (
        Action(_("Show"), link("stored_data.first"), "1"),
        Action(_("Delete my data"), link("stored_data.ask"), "7"),
    )
    # A WAP phone has nowhere to save a file.
    files = () if visit.device.markup == WML else (Action(_("Download"), link("stored_data.download"), "2"),)
    actions = (show, *files, delete, *settings_actions(visit))
    return respond(notice_screen(visit, _("My data"), "", actions, lines))


@stored_data.get("/skd")
def download() -> Response:
    """Download everything as one file."""
    text = json.dumps(_kept(current()), indent=1, ensure_ascii=False, sort_keys=True)
    response = add_headers(Response(text.encode("utf-8", "replace"), content_type="application/json"))
    response.headers["Content-Disposition"] = filenames.disposition(FILENAME)
    response.headers["Cache-Control"] = Life.NEVER.value
    return response


@stored_data.get("/skp")
def first() -> Response:
    """Show everything, from its beginning."""
    return _show(None, 1)


@stored_data.get("/skp.<int:number>.<at:position>")
def page(number: int, position: Position) -> Response:
    """Show everything from a row on."""
    return _show(position, number)


@stored_data.get("/skx")
def ask() -> Response:
    """Ask whether to delete everything."""
    return respond(_question(current(), ""), Life.NEVER)


@stored_data.post("/skx")
def delete() -> Response:
    """Delete everything and sign out everywhere."""
    visit = current()
    session = visit.signed_in
    ticket = visit.form().get("ticket", "")
    if session.check_ticket(ticket) is None:
        sentence = visit.language.gettext("That could not be understood. Go back and try again.")
        return respond(_question(visit, sentence), Life.NEVER)
    session.forget_account()
    visit.session = None
    sentence = visit.language.gettext("Your data is deleted. You are signed out.")
    return cookies.forget_session(respond(signin_screen(visit, StatusMessage(sentence), ""), Life.NEVER))


def _question(visit: Visit, sentence: str) -> Screen:
    _ = visit.language.gettext
    return question_screen(
        visit,
        _("My data"),
        sentence or _("Delete all your data here?"),
        link("stored_data.ask"),
        settings_actions(visit),
        answer=_("Delete my data"),
        short=_("Delete"),
        lines=(_(_EVERYTHING),),
    )


def _kept(visit: Visit) -> dict[str, Any]:
    return {"kept by": "Pocketpost", "at": visit.now.isoformat(), **everything(visit.signed_in)}


def _show(position: Position | None, number: int) -> Response:
    visit = current()
    rows = [
        Block(Kind.HEADING if heading else Kind.ROW, (Run(_named(visit, text) if heading else text),))
        for heading, text in _rows(visit, everything(visit.signed_in))
    ]

    def frame(shown: MessagePage) -> Screen:
        return _screen(visit, shown)

    layout = of_rows(rows, visit.device, frame)
    return respond(layout.screen(layout.page(position, number)), Life.NEVER)


def _screen(visit: Visit, shown: MessagePage) -> Screen:
    _ = visit.language.gettext
    next_page = ""
    if shown.next is not None:
        next_page = link("stored_data.page", number=shown.number + 1, position=shown.next)
    back = Action(_("Back"), link("stored_data.show"))
    actions = (*paging_actions(visit, next_page, ""), back, *settings_actions(visit))
    total = "…" if shown.total is None else str(shown.total)
    pages = "" if shown.next is None and shown.number == 1 else f"{shown.number}/{total}"
    values = {"body": shown.body, "pages": pages}
    return make_screen(visit, "details", _("My data"), values, actions, life=Life.NEVER)


def _named(visit: Visit, path: str) -> str:
    """Return the heading for a path among the stored values."""
    for beginning, title in _TITLES:
        if path.startswith(beginning):
            return f"{visit.language.gettext(title)}{path.removeprefix(beginning)}"
    return path


def _rows(visit: Visit, value: Any, path: str = "") -> Iterator[tuple[bool, str]]:
    """Yield a value's lines, each with whether it is a heading; nested values follow under their path."""
    inside = value.items() if isinstance(value, dict) else enumerate(value, 1)
    plain = [(name, one) for name, one in inside if not isinstance(one, (dict, list))]
    if path and plain:
        yield True, path
    yield from (
        (False, f"{name}: {_value_text(visit, str(name), one)}" if isinstance(value, dict) else str(one))
        for name, one in plain
    )
    inside = value.items() if isinstance(value, dict) else enumerate(value, 1)
    for name, one in inside:
        if isinstance(one, (dict, list)):
            yield from _rows(visit, one, f"{path} {name}".strip())


def _value_text(visit: Visit, name: str, value: Any) -> str:
    if name in _TIMES and isinstance(value, (int, float)) and value > 0:
        return f"{datetime.fromtimestamp(value, visit.language.zone):%Y-%m-%d %H:%M}"
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)
