"""The favourites: searches that a person has kept, named, renamed and given up here.

Nothing here may know what a search looks for. Each is one thing in the account's memory, under a number; it has a
"name", or else goes by its "query".
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response

from gateway.errors import NotFound
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, shorten
from gateway.message.headers import clean
from gateway.profile import FAVOURITES
from gateway.web.fields import SAVED, Field, form_screen, once, rows_screen, ways_back
from gateway.web.respond import respond
from gateway.web.visit import Visit, current, link

favourites = Blueprint("favourites", __name__)


def _(msgid: str) -> str:
    return msgid


LONGEST_NAME: Final = 40
#: Rows of the page: their keys are 1 to 9.
ROWS: Final = 9
_WIDTH: Final = 24


def names(visit: Visit) -> list[tuple[str, str]]:
    """Return the names in the memory and the titles of all favourites, by title."""
    kept = visit.signed_in.memory.all(FAVOURITES)
    found = [(name, _title(visit, value)) for name, value in kept.items() if name.isalnum()]
    return sorted(found, key=lambda pair: pair[1].casefold())


@favourites.get("/sf")
def show() -> Response:
    """List the favourites."""
    return _list(current(), "")


@favourites.route("/sf<name>", methods=["GET", "POST"])
def favourite(name: str) -> Response:
    """Name a favourite anew."""
    visit = current()
    _ = visit.language.gettext
    form, value = visit.posted(), _value(visit, name)
    if form is not None:
        title = clean(form.get("name", ""))[:LONGEST_NAME]

        def keep() -> str:
            visit.signed_in.memory.change(FAVOURITES, name, lambda now: now and now | {"name": title})
            return SAVED

        return _list(visit, once(visit, form.get("ticket", ""), keep))
    field = Field("name", _("Name"), str(value.get("name") or value.get("query") or ""), room=LONGEST_NAME)
    ticket = ("ticket", visit.signed_in.ticket())
    remove = Action(_("Remove"), link("favourites.remove", name=name), "8", fields=(ticket,))
    target = link("favourites.favourite", name=name)
    return respond(form_screen(visit, _("Favourite"), target, [field], ways=(remove,)), Life.PRIVATE)


@favourites.post("/sf<name>.x")
def remove(name: str) -> Response:
    """Give a favourite up."""
    visit = current()

    def act() -> str:
        visit.signed_in.memory.remove(FAVOURITES, name)
        return _("Removed.")

    return _list(visit, once(visit, visit.form().get("ticket", ""), act))


def _value(visit: Visit, name: str) -> dict[str, Any]:
    value = visit.signed_in.memory.get(FAVOURITES, name)
    if value is None:
        raise NotFound(f"favourite {name}")
    return value


def _title(visit: Visit, value: dict[str, Any]) -> str:
    said = fit(clean(str(value.get("name") or value.get("query"))), visit.device)
    return shorten(said, _WIDTH).strip() or "-"


def _list(visit: Visit, sentence: str) -> Response:
    _ = visit.language.gettext
    found = names(visit)
    actions = [
        Action(title, link("favourites.favourite", name=name), str(key) if key <= ROWS else "")
        for key, (name, title) in enumerate(found, 1)
    ]
    lines = () if found else (_("Searches that you keep stand here."),)
    screen = rows_screen(visit, _("Favourites"), (*actions, *ways_back(visit)), sentence, lines)
    return respond(screen, Life.NEVER if sentence else Life.CHECK)
