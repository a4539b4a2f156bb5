"""The person's saved searches: list, rename and remove.

Nothing here may know what a search looks for. Each favourite is one value in the account memory, under a number; its
title is its "name", or else its "query".
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response

from gateway.account.profile import FAVOURITES
from gateway.errors import NotFound
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, shorten
from gateway.message.headers.header_fields import clean
from gateway.web.request.field_forms import (
    SAVED,
    FormField,
    apply_once,
    form_screen,
    remove_action,
    remove_once,
)
from gateway.web.request.respond import respond
from gateway.web.request.screens import notice_screen, settings_actions
from gateway.web.request.visit import Visit, current, link

favourites = Blueprint("favourites", __name__)


def _(msgid: str) -> str:
    return msgid


LONGEST_NAME: Final = 40
#: Rows per page, on keys 1 to 9.
ROWS: Final = 9
_WIDTH: Final = 24


def names(visit: Visit) -> list[tuple[str, str]]:
    """Return the keys and titles of all favourites, sorted by title."""
    kept = visit.signed_in.memory.all(FAVOURITES)
    found = [(name, _title(visit, value)) for name, value in kept.items() if name.isalnum()]
    return sorted(found, key=lambda pair: pair[1].casefold())


@favourites.get("/sf")
def show() -> Response:
    """List the favourites."""
    return _list(current(), "")


@favourites.route("/sf<name>", methods=["GET", "POST"])
def favourite(name: str) -> Response:
    """Rename a favourite."""
    visit = current()
    _ = visit.language.gettext
    form, value = visit.posted(), _value(visit, name)
    if form is not None:
        title = clean(form.get("name", ""))[:LONGEST_NAME]

        def keep() -> str:
            visit.signed_in.memory.change(FAVOURITES, name, lambda now: now and now | {"name": title})
            return SAVED

        return _list(visit, apply_once(visit, form, keep))
    field = FormField(
        "name", _("Name"), str(value.get("name") or value.get("query") or ""), room=LONGEST_NAME
    )
    remove = remove_action(visit, link("favourites.remove", name=name))
    target = link("favourites.favourite", name=name)
    return respond(form_screen(visit, _("Saved search"), target, [field], actions=(remove,)), Life.PRIVATE)


@favourites.post("/sf<name>.x")
def remove(name: str) -> Response:
    """Remove a favourite."""
    visit = current()
    sentence = remove_once(visit, lambda: visit.signed_in.memory.remove(FAVOURITES, name))
    return _list(visit, sentence)


def _value(visit: Visit, name: str) -> dict[str, Any]:
    value = visit.signed_in.memory.get(FAVOURITES, name)
    if value is None:
        raise NotFound(f"favourite {name}")
    return value


def _title(visit: Visit, value: dict[str, Any]) -> str:
    words = fit(clean(str(value.get("name") or value.get("query"))), visit.device)
    return shorten(words, _WIDTH).strip() or "-"


def _list(visit: Visit, sentence: str) -> Response:
    _ = visit.language.gettext
    found = names(visit)
    actions = [
        Action(title, link("favourites.favourite", name=name), str(key) if key <= ROWS else "")
        for key, (name, title) in enumerate(found, 1)
    ]
    lines = () if found else (_("No saved searches yet. Search, then press Save search below the results."),)
    actions += settings_actions(visit)
    screen = notice_screen(visit, _("Saved searches"), sentence, actions, lines)
    return respond(screen, Life.NEVER if sentence else Life.CHECK)
