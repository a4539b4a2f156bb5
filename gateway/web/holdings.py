"""What the gateway keeps about a person: said, shown page by page, downloaded as one file, and deleted.

Nothing here may delete before it was asked, or leave out anything that is kept and can be read. Mail is never kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from flask import Blueprint, Response

from gateway.device import WML
from gateway.markup.layout import Layout, MessagePage
from gateway.markup.screen import Action, Life, Screen
from gateway.message import filenames
from gateway.rendition.blocks import Block, Kind, Position, Run, cut
from gateway.web.fields import rows_screen, ways_back
from gateway.web.respond import dress, forget_session, respond
from gateway.web.signin import signin_screen
from gateway.web.visit import Visit, current, link

holdings = Blueprint("holdings", __name__)


def _(msgid: str) -> str:
    return msgid


FILENAME: Final = "pocketpost.json"
_EVERYTHING: Final = _(
    "Your settings, people and favourites on all devices go, and so do notes on mail that was not sent for "
    "certain. All your devices are signed out. Your mail stays."
)


@holdings.get("/sk")
def show() -> Response:
    """Say what is kept, and lead to it."""
    visit = current()
    _ = visit.language.gettext
    lines = (_("Settings, people and favourites, sealed. Never mail, never a password that can be read."),)
    show, delete = (
        Action(_("Show"), link("holdings.first"), "1"),
        Action(_("Delete all of it"), link("holdings.ask"), "3"),
    )
    # A WAP phone has nowhere to put a file.
    files = () if visit.device.markup == WML else (Action(_("Download"), link("holdings.download"), "2"),)
    actions = (show, *files, delete, *ways_back(visit))
    return respond(rows_screen(visit, _("Kept about me"), actions, "", lines))


@holdings.get("/skd")
def download() -> Response:
    """Hand over everything as one file."""
    text = json.dumps(_kept(current()), indent=1, ensure_ascii=False, sort_keys=True)
    response = dress(Response(text.encode("utf-8", "replace"), content_type="application/json"))
    response.headers["Content-Disposition"] = filenames.disposition(FILENAME)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = Life.NEVER.value
    return response


@holdings.get("/skp")
def first() -> Response:
    """Show everything, from its beginning."""
    return _show(None, 1)


@holdings.get("/skp.<int:number>.<at:position>")
def page(number: int, position: Position) -> Response:
    """Show everything from a row on."""
    return _show(position, number)


@holdings.get("/skx")
def ask() -> Response:
    """Ask whether everything is to be deleted."""
    return respond(_question(current(), ""), Life.NEVER)


@holdings.post("/skx")
def delete() -> Response:
    """Delete everything and sign out everywhere."""
    visit = current()
    session = visit.signed_in
    ticket = visit.form().get("ticket", "")
    if session.check_ticket(ticket) is None:
        sentence = visit.language.gettext("That request could not be understood.")
        return respond(_question(visit, sentence), Life.NEVER)
    session.forget_everything()
    visit.session = None
    sentence = visit.language.gettext("Everything kept about you is deleted. You are signed out.")
    return forget_session(respond(signin_screen(visit, sentence), Life.NEVER))


def _question(visit: Visit, sentence: str) -> Screen:
    _ = visit.language.gettext
    values = {
        "sentence": sentence or _("Delete all that is kept about you?"),
        "lines": (_(_EVERYTHING),),
        "answer": _("Delete all of it"),
        "short": _("Delete"),
        "target": link("holdings.ask"),
        "ticket": visit.signed_in.ticket(),
    }
    return Screen(
        "ask",
        _("Kept about me"),
        values,
        ways_back(visit),
        life=Life.NEVER,
        words=_,
        language=visit.language.tag,
    )


def _kept(visit: Visit) -> dict[str, Any]:
    return {"kept by": "Pocketpost", "at": visit.now.isoformat(), **visit.signed_in.everything()}


def _show(position: Position | None, number: int) -> Response:
    visit = current()
    blocks = [
        Block(Kind.HEADING if heading else Kind.ROW, (Run(text),), at=Position("", index))
        for index, (heading, text) in enumerate(_rows(_kept(visit)))
    ]

    def blocks_from(start: Position | None) -> Iterator[Block]:
        at = start or Position()
        for block in blocks[at.start : at.start + 1]:
            rest = cut(block, at.skip)[1] if at.skip else block
            if rest.runs:
                yield rest
        yield from blocks[at.start + 1 :]

    def frame(shown: MessagePage) -> Screen:
        return _screen(visit, shown)

    layout = Layout(blocks_from, visit.device, frame, lambda block, run: "")
    return respond(layout.screen(layout.page(position, number)), Life.NEVER)


def _screen(visit: Visit, shown: MessagePage) -> Screen:
    _ = visit.language.gettext
    actions = []
    if shown.next is not None:
        href = link("holdings.page", number=shown.number + 1, position=shown.next)
        actions.append(Action(_("Next"), href, "#", "accept"))
    actions.append(Action(_("Back"), link("holdings.show"), "1"))
    total = "…" if shown.total is None else str(shown.total)
    pages = "" if shown.next is None and shown.number == 1 else f"{shown.number}/{total}"
    return Screen(
        "details",
        _("Kept about me"),
        {"body": shown.body, "pages": pages},
        (*actions, *ways_back(visit)),
        life=Life.NEVER,
        words=_,
        language=visit.language.tag,
    )


def _rows(value: Any, path: str = "") -> Iterator[tuple[bool, str]]:
    """Yield a value's lines, each with whether it is a heading: what is inside stands under its path."""
    inside = value.items() if isinstance(value, dict) else enumerate(value, 1)
    plain = [(name, one) for name, one in inside if not isinstance(one, (dict, list))]
    if path and plain:
        yield True, path
    yield from (
        (False, f"{name}: {_said(one)}" if isinstance(value, dict) else _said(one)) for name, one in plain
    )
    inside = value.items() if isinstance(value, dict) else enumerate(value, 1)
    for name, one in inside:
        if isinstance(one, (dict, list)):
            yield from _rows(one, f"{path} {name or '-'}".strip())


def _said(value: Any) -> str:
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)
