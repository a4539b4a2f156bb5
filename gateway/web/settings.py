"""The settings screen: how large pages are, and whether pictures are wanted, on this device.

Nothing here may change anything by GET. The page that comes back already is as large as was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response

from gateway.errors import BadRequest
from gateway.markup.screen import Action, Life, Screen
from gateway.web.preferences import CHOICES, PICTURES, SIZE, chosen
from gateway.web.respond import respond
from gateway.web.signin import sign_out_action
from gateway.web.visit import Visit, current, link, list_link

settings = Blueprint("settings", __name__)


def _(msgid: str) -> str:
    return msgid


_LABELS = {SIZE: _("Pages"), PICTURES: _("Pictures")}


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting: its field, label and key, and its words with their labels; `now` is the one that holds."""

    name: str
    label: str
    key: str
    options: tuple[tuple[str, str], ...]
    now: str


@settings.get("/s")
def show() -> Response:
    """Show what is chosen."""
    return respond(_screen(current(), ""))


@settings.post("/s")
def change() -> Response:
    """Remember what was chosen; a repeated request changes nothing."""
    visit = current()
    _ = visit.language.gettext
    form, session = visit.form(), visit.signed_in
    ticket = form.get("ticket", "")
    if session.check_ticket(ticket) is None:
        return respond(_screen(visit, _(BadRequest.sentence)), Life.NEVER)
    if session.claim(ticket).fresh:
        session.choose({key: form[key] for key in CHOICES if form.get(key) in CHOICES[key]})
        session.settle(ticket, {"outcome": "saved"})
    visit.prefer()
    return respond(_screen(visit, _("Saved.")), Life.NEVER)


def _screen(visit: Visit, sentence: str) -> Screen:
    _ = visit.language.gettext
    choices = [
        Choice(
            name=key,
            label=_(_LABELS[key]),
            key=str(number),
            options=tuple((word, _(label)) for word, label in words.items()),
            now=chosen(visit.settings, key),
        )
        for number, (key, words) in enumerate(CHOICES.items(), 1)
    ]
    values = {
        "sentence": sentence,
        "choices": choices,
        "save": str(len(choices) + 1),
        "target": link("settings.show"),
        "ticket": visit.signed_in.ticket(),
        "fresh": visit.fresh(),
    }
    actions = (Action(_("Inbox"), list_link("mailbox.inbox"), "0"), sign_out_action(visit, "9"))
    return Screen(
        "settings", _("Settings"), values, actions, life=Life.CHECK, words=_, language=visit.language.tag
    )
