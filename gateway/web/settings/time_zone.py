"""The time zone: chosen from a short list, or found by town or by hours from UTC.

Nothing here may change anything by GET, or accept a name that the time zone database does not know.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Blueprint, Response

from gateway.account import profile as profiles
from gateway.language import zones
from gateway.markup.keys import BACK_KEY
from gateway.markup.screen import Action, Life, Screen
from gateway.web.request.field_forms import SAVED, FormField, apply_once, form_screen
from gateway.web.request.fitted_list import fitted_rows
from gateway.web.request.respond import respond
from gateway.web.request.screens import inbox_action
from gateway.web.request.visit import Visit, current, link

zone = Blueprint("zone", __name__)


def _(msgid: str) -> str:
    return msgid


#: Maximum number of zones on a page.
MOST: Final = 30
_NO_ZONE: Final = _("There is no such time zone. Choose one from the list.")


@zone.get("/sz")
def show() -> Response:
    """Show the current zone and a short list of others."""
    visit = current()
    return respond(_choice_screen(visit, (_now(visit), visit.config.timezone, *zones.SHORT_LIST), ""))


@zone.post("/sz")
def change() -> Response:
    """Save the chosen zone."""
    visit = current()
    form = visit.form()
    name, sentence = form.get("zone", ""), visit.language.gettext(_NO_ZONE)

    def keep() -> str:
        profiles.choose(visit.signed_in, timezone=name)
        return SAVED

    if profiles.is_zone(name):
        sentence = apply_once(visit, form, keep)
    screen = _choice_screen(visit, (_now(visit), visit.config.timezone, *zones.SHORT_LIST), sentence)
    return respond(screen, Life.NEVER)


@zone.get("/sz0")
def ask() -> Response:
    """Ask for a town or for hours."""
    return respond(_search_screen(current(), "", ""))


@zone.post("/sz0")
def find() -> Response:
    """Show the zones that match; change nothing."""
    visit = current()
    _ = visit.language.gettext
    typed = visit.form().get("find", "").strip()
    found = zones.find(typed, visit.now)
    if found:
        return respond(_choice_screen(visit, found, ""), Life.NEVER)
    sentence = _("Nothing found. Try a larger town nearby.") if typed else ""
    return respond(_search_screen(visit, typed, sentence), Life.NEVER)


def _now(visit: Visit) -> str:
    return visit.profile.zone(visit.config.timezone).key


def _choice_screen(visit: Visit, candidates: tuple[str, ...], sentence: str) -> Screen:
    """Make the form with as many zones as fit."""
    _ = visit.language.gettext
    names = zones.distinct(candidates, MOST)
    holds = _now(visit)
    now = _("It is %(time)s now (%(zone)s).") % {
        "time": f"{visit.now.astimezone(visit.language.zone):%H:%M}",
        "zone": zones.label(holds, visit.now),
    }
    value = holds if holds in names else names[0]
    actions = (Action(_("Find a town"), link("zone.ask")),)

    def screen(most: int) -> Screen:
        options = tuple((name, zones.label(name, visit.now)) for name in names[:most])
        field = FormField("zone", _("Time zone"), value, options)
        target = link("zone.show")
        return form_screen(visit, _("Time zone"), target, [field], sentence, notes=[now], actions=actions)

    return fitted_rows(screen, visit.fits, len(names))


def _search_screen(visit: Visit, typed: str, sentence: str) -> Screen:
    _ = visit.language.gettext
    field = FormField("find", _("Town, or hours from UTC such as +1"), typed, room=zones.LONGEST)
    back = Action(_("Time zone"), link("zone.show"), BACK_KEY)
    made = form_screen(visit, _("Find a town"), link("zone.ask"), [field], sentence, search=True)
    return replace(made, life=Life.PRIVATE, actions=(back, inbox_action(visit, key="")))
