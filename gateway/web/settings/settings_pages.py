"""The settings: an index of numbered sections, and the sections that are choices: device, reading, language.

Nothing here may change anything by GET. The page that follows already uses the new settings: size, language, time
zone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flask import Blueprint, Response, request

from gateway import language as lang
from gateway.account import profile as profiles
from gateway.account.profile import FAVOURITE
from gateway.markup.screen import Action, Life
from gateway.web.entry import start_page
from gateway.web.mailbox import list_views, saved_searches
from gateway.web.request.field_forms import SAVED, FormField, apply_once, form_screen
from gateway.web.request.preferences import AFTER, CHOICES, PICTURES, SIZE, choice
from gateway.web.request.respond import respond
from gateway.web.request.screens import inbox_action, notice_screen, sign_out_action
from gateway.web.request.visit import Visit, current, link

settings = Blueprint("settings", __name__)


def _(msgid: str) -> str:
    return msgid


#: Label and endpoint of each section; its key is its place in this list.
_SECTIONS: Final = (
    (_("This device"), "settings.device"),
    (_("Name and addresses"), "identities.identities"),
    (_("Quick replies"), "identities.quick"),
    (_("Reading and writing"), "settings.reading"),
    (_("Time zone"), "zone.show"),
    (_("Language"), "settings.language"),
    (_("Saved searches"), "favourites.show"),
    (_("My data"), "stored_data.show"),
)
_LABELS: Final = {SIZE: _("Page size"), PICTURES: _("Pictures"), AFTER: _("After deleting")}
_STARTS: Final = {"inbox": _("Inbox"), "unread": _("Unread"), "folders": _("Folders")}
_ON: Final = (("yes", _("yes")), ("no", _("no")))
#: The value for the language that the browser asks for.
_BROWSER: Final = "-"


@settings.get("/s")
def show() -> Response:
    """Show the sections."""
    visit = current()
    _ = visit.language.gettext
    actions = [
        Action(_(label), link(endpoint), str(key))
        for key, (label, endpoint) in enumerate(_SECTIONS, 1)
        if endpoint != "favourites.show" or visit.signed_in.can.search
    ]
    actions += [sign_out_action(visit, "9"), inbox_action(visit)]
    return respond(notice_screen(visit, _("Settings"), "", actions))


@settings.route("/sd", methods=["GET", "POST"])
def device() -> Response:
    """Show and change the page size on this device, and whether pictures are shown."""
    return _page(_("This device"), _device_fields, _choose)


def _choose(visit: Visit, words: Mapping[str, str]) -> None:
    """Save preferences for this device."""
    visit.signed_in.state.settings.put(visit.signed_in.account, visit.signed_in.device, words)


@settings.route("/sr", methods=["GET", "POST"])
def reading() -> Response:
    """Show and change the start page, the sort order of lists, and whether replies quote."""

    def change(visit: Visit, words: dict[str, str]) -> None:
        values: dict[str, str | bool] = dict(words)
        if "quoting" in words:
            values["quoting"] = words["quoting"] == "yes"
        profiles.choose(visit.signed_in, **values)

    return _page(_("Reading and writing"), _reading_fields, change)


@settings.route("/sl", methods=["GET", "POST"])
def language() -> Response:
    """Show and change the language, chosen from those that this device can display."""

    def change(visit: Visit, words: dict[str, str]) -> None:
        if "language" in words:
            profiles.choose(visit.signed_in, language=words["language"].replace(_BROWSER, "", 1))

    return _page(_("Language"), _language_fields, change)


def _page(
    title: str,
    fields: Callable[[Visit], list[FormField]],
    change: Callable[[Visit, dict[str, str]], None],
) -> Response:
    """Show a form of choices; apply what was posted first."""
    visit = current()
    sentence, form = "", visit.posted()
    if form is not None:
        posted = form

        def apply() -> str:
            change(visit, _chosen(fields(visit), posted))
            return SAVED

        sentence = apply_once(visit, posted, apply)
    _ = visit.language.gettext
    screen = form_screen(visit, _(title), link(str(request.endpoint)), fields(visit), sentence)
    return respond(screen, Life.CHECK if form is None else Life.NEVER)


def _chosen(fields: list[FormField], form: dict[str, str]) -> dict[str, str]:
    """Return the posted values that are among the options."""
    return {
        field.name: form[field.name]
        for field in fields
        if form.get(field.name, "") in [word for word, _label in field.options]
    }


def _device_fields(visit: Visit) -> list[FormField]:
    _ = visit.language.gettext
    return [
        FormField(
            key,
            _(_LABELS[key]),
            choice(visit.settings, key),
            tuple((word, _(label)) for word, label in words.items()),
        )
        for key, words in CHOICES.items()
    ]


def _reading_fields(visit: Visit) -> list[FormField]:
    _ = visit.language.gettext
    profile = visit.profile
    can = visit.signed_in.can
    starts = [(word, _(label)) for word, label in _STARTS.items()]
    starts += [(FAVOURITE + name, label) for name, label in saved_searches.names(visit)]
    starts = [(word, label) for word, label in starts if start_page.is_possible(word, can)]
    sorts = tuple((order.value, _(label)) for order, label in list_views.CHOICES)
    start = profile.start if profile.start in dict(starts) else profiles.STARTS[0]
    return [
        FormField("start", _("After signing in"), start, tuple(starts)),
        *([FormField("sort", _("Sort by"), profile.sort, sorts)] if len(can.orders) > 1 else ()),
        FormField(
            "quoting",
            _("Quote in replies"),
            "yes" if profile.quoting else "no",
            tuple((word, _(label)) for word, label in _ON),
        ),
        *([] if can.append else [copy_field(visit)]),
    ]


def copy_field(visit: Visit) -> FormField:
    """Return the choice of a copy of each mail to oneself, for people who have no folder for sent mail."""
    _ = visit.language.gettext
    options = tuple((word, _(label)) for word, label in _ON)
    return FormField("copy_to_self", _("Copy to me"), visit.profile.copy_to_self or "no", options)


def _language_fields(visit: Visit) -> list[FormField]:
    _ = visit.language.gettext
    offered = [(tag, lang.LANGUAGES[tag].name) for tag in lang.offered(visit.device.charset)]
    now = visit.profile.language if visit.profile.language in dict(offered) else _BROWSER
    return [FormField("language", _("Language"), now, ((_BROWSER, _("as in the browser")), *offered))]
