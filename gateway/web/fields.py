"""Forms of fields with one button, as the settings are made of them: said once for both markups.

Nothing here may change anything: `once` lets a caller's change happen for a ticket's first request, and tells a repeat
what the first one came to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.errors import BadRequest
from gateway.markup.screen import Action, Life, Screen, Verbatim
from gateway.web import forms
from gateway.web.signin import sign_out_action
from gateway.web.visit import Visit, link, list_link


def _(msgid: str) -> str:
    return msgid


SAVED: Final = _("Saved.")
_UNDER_WAY: Final = _("Under way. Look again in a moment.")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form: `options` (word, label) make it a choice, `lines` a text of several lines.

    `room`: characters that may be typed. `plain`: what is typed is an address or the like, no prose.
    """

    name: str
    label: str
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    room: int = 0
    lines: bool = False
    plain: bool = False
    key: str = ""


def form_screen(
    visit: Visit,
    title: str,
    target: str,
    fields: Sequence[Field],
    sentence: str = "",
    *,
    notes: Sequence[str] = (),
    search: bool = False,
    ways: Sequence[Action] = (),
) -> Screen:
    """Make the screen of a form; its fields have the keys from 1 on, and its button the next.

    `ways`: actions before the way back to the settings; `search`: the button is Find, and changes nothing.
    """
    _ = visit.language.gettext
    keyed = [
        replace(field, key=str(number), value=Verbatim(field.value)) for number, field in enumerate(fields, 1)
    ]
    values = {
        "sentence": sentence,
        "notes": notes,
        "fields": keyed,
        "button": _("Find") if search else _("Save"),
        "save": str(len(keyed) + 1),
        "target": target,
        "ticket": visit.signed_in.ticket(),
        "fresh": visit.fresh(),
        "probe": forms.PROBE,
    }
    return Screen(
        "settings",
        title,
        values,
        (*ways, *ways_back(visit)),
        life=Life.CHECK,
        words=_,
        language=visit.language.tag,
    )


def ways_back(visit: Visit) -> tuple[Action, ...]:
    """Lead from a page of the settings to all of them, and away."""
    _ = visit.language.gettext
    return (
        Action(_("Settings"), link("settings.show"), "*"),
        Action(_("Inbox"), list_link("mailbox.inbox"), "0"),
    )


def once(visit: Visit, ticket: str, change: Callable[[], str]) -> str:
    """Let a change happen for a ticket's first request; return what it said, in the person's words.

    `change` returns a msgid. What it changed already holds for the page that is said next.
    """
    session = visit.signed_in
    if session.check_ticket(ticket) is None:
        return visit.language.gettext(BadRequest.sentence)
    claim = session.claim(ticket)
    if claim.fresh:
        said = change()
        session.settle(ticket, {"outcome": said})
    else:  # without an outcome the first request is still at work, or has died
        said = (claim.outcome or {}).get("outcome", _UNDER_WAY)
    visit.prefer()
    return visit.language.gettext(said)


def rows_screen(
    visit: Visit, title: str, actions: Sequence[Action], sentence: str = "", lines: Sequence[str] = ()
) -> Screen:
    """Make a screen that is a list of ways on."""
    return Screen(
        "notice",
        title,
        {"sentence": sentence, "lines": lines},
        tuple(actions),
        life=Life.CHECK,
        words=visit.language.gettext,
        language=visit.language.tag,
    )


__all__ = ["SAVED", "Field", "form_screen", "once", "rows_screen", "sign_out_action", "ways_back"]
