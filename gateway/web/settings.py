"""The settings: an index of numbered sections, and those that are choices: device, reading, language.

Nothing here may change anything by GET. The page that comes back already is as it was chosen: as large, in that
language, with that time of day.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Blueprint, Response, request

from gateway import language as lang
from gateway import profile as profiles
from gateway.markup.screen import Action, Life
from gateway.profile import FAVOURITE
from gateway.web import favourites
from gateway.web.fields import SAVED, Field, form_screen, once, rows_screen
from gateway.web.preferences import CHOICES, PICTURES, SIZE, chosen
from gateway.web.respond import respond
from gateway.web.signin import sign_out_action
from gateway.web.visit import Visit, current, link, list_link

settings = Blueprint("settings", __name__)


def _(msgid: str) -> str:
    return msgid


#: Label and endpoint of each section; its key is its place.
_SECTIONS: Final = (
    (_("This device"), "settings.device"),
    (_("Name and addresses"), "mine.identities"),
    (_("Quick replies"), "mine.quick"),
    (_("Reading and writing"), "settings.reading"),
    (_("Time zone"), "zone.show"),
    (_("Language"), "settings.language"),
    (_("Favourites"), "favourites.show"),
    (_("Kept about me"), "holdings.show"),
)
_LABELS: Final = {SIZE: _("Pages"), PICTURES: _("Pictures")}
_STARTS: Final = {"inbox": _("Inbox"), "unread": _("Unread"), "folders": _("Folders")}
_SORTS: Final = {
    "arrival": _("Arrival"),
    "date": _("Date"),
    "sender": _("Sender"),
    "subject": _("Subject"),
    "size": _("Size"),
    "unread": _("Unread first"),
    "threads": _("Threads"),
}
_ON: Final = (("yes", _("yes")), ("no", _("no")))
#: Speak as the browser asks for.
_BROWSER: Final = "-"


@settings.get("/s")
def show() -> Response:
    """Show the sections."""
    visit = current()
    _ = visit.language.gettext
    actions = [
        Action(_(label), link(endpoint), str(key)) for key, (label, endpoint) in enumerate(_SECTIONS, 1)
    ]
    actions += [sign_out_action(visit, "9"), Action(_("Inbox"), list_link("mailbox.inbox"), "0")]
    return respond(rows_screen(visit, _("Settings"), actions))


@settings.route("/sd", methods=["GET", "POST"])
def device() -> Response:
    """Show and change how large pages are on this device, and whether pictures are wanted."""
    return _page(_("This device"), _device_fields, lambda visit, words: visit.signed_in.choose(words))


@settings.route("/sr", methods=["GET", "POST"])
def reading() -> Response:
    """Show and change where a person lands, how lists are sorted, and whether answers quote."""

    def change(visit: Visit, words: dict[str, str]) -> None:
        values: dict[str, str | bool] = dict(words)
        if "quoting" in words:
            values["quoting"] = words["quoting"] == "yes"
        profiles.choose(visit.signed_in, **values)

    return _page(_("Reading and writing"), _reading_fields, change)


@settings.route("/sl", methods=["GET", "POST"])
def language() -> Response:
    """Show and change the language, among those whose letters this device can show."""

    def change(visit: Visit, words: dict[str, str]) -> None:
        if "language" in words:
            profiles.choose(visit.signed_in, language=words["language"].replace(_BROWSER, "", 1))

    return _page(_("Language"), _language_fields, change)


def _page(
    title: str,
    fields: Callable[[Visit], list[Field]],
    change: Callable[[Visit, dict[str, str]], None],
) -> Response:
    """Show a form of choices; what was posted is changed first, if it is among them."""
    visit = current()
    sentence, form = "", visit.posted()
    if form is not None:
        posted = form

        def act() -> str:
            change(visit, _chosen(fields(visit), posted))
            return SAVED

        sentence = once(visit, posted.get("ticket", ""), act)
    _ = visit.language.gettext
    screen = form_screen(visit, _(title), link(str(request.endpoint)), fields(visit), sentence)
    return respond(screen, Life.CHECK if form is None else Life.NEVER)


def _chosen(fields: list[Field], form: dict[str, str]) -> dict[str, str]:
    """Return the posted words that stand among the choices."""
    return {
        field.name: form[field.name]
        for field in fields
        if form.get(field.name, "") in [word for word, _label in field.options]
    }


def _device_fields(visit: Visit) -> list[Field]:
    _ = visit.language.gettext
    return [
        Field(
            key,
            _(_LABELS[key]),
            chosen(visit.settings, key),
            tuple((word, _(label)) for word, label in words.items()),
        )
        for key, words in CHOICES.items()
    ]


def _reading_fields(visit: Visit) -> list[Field]:
    _ = visit.language.gettext
    mine = visit.profile
    starts = [(word, _(label)) for word, label in _STARTS.items()]
    starts += [(FAVOURITE + name, label) for name, label in favourites.names(visit)]
    start = mine.start if mine.start in dict(starts) else profiles.STARTS[0]
    return [
        Field("start", _("After signing in"), start, tuple(starts)),
        Field("sort", _("Sort by"), mine.sort, tuple((word, _(label)) for word, label in _SORTS.items())),
        Field(
            "quoting",
            _("Quote in answers"),
            "yes" if mine.quoting else "no",
            tuple((word, _(label)) for word, label in _ON),
        ),
    ]


def _language_fields(visit: Visit) -> list[Field]:
    _ = visit.language.gettext
    offered = [(tag, lang.MANNERS[tag].name) for tag in lang.offered(visit.device.charset)]
    now = visit.profile.language if visit.profile.language in dict(offered) else _BROWSER
    return [Field("language", _("Language"), now, ((_BROWSER, _("as the browser asks")), *offered))]
