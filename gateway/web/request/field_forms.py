"""Forms of fields with one button, as used by the settings, for both markups.

Nothing here may change anything except through `apply_once`, which applies a change once per ticket
(`gateway.access.idempotency`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.access.idempotency import UNKNOWN, do_once
from gateway.access.outcomes import NOTICE
from gateway.device import WML
from gateway.errors import BadRequest
from gateway.markup.keys import KEYS, MAIN_KEY
from gateway.markup.screen import Action, Screen, StatusMessage, Verbatim
from gateway.web.request import form_bodies
from gateway.web.request.form_bodies import Fields
from gateway.web.request.screens import make_screen, settings_actions
from gateway.web.request.visit import Visit


def _(msgid: str) -> str:
    return msgid


SAVED: Final = _("Saved.")
_REMOVED: Final = _("Removed.")
SLASH_NOTE: Final = _("A slash (/) starts a new line.")
#: Where a line ends in a WML input, which has only one line: at a slash by itself, not at one in a web address.
_LINE_END: Final = re.compile(r"(?<!\S)/(?!\S)")


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form: `options` (value, label) make it a select, `lines` a textarea.

    `room`: maximum number of characters. `plain`: the text is an address or the like, not prose.
    """

    name: str
    label: str
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    room: int = 0
    lines: bool = False
    plain: bool = False


def shown_in(markup: str, text: str) -> str:
    """Return a text of several lines as its input shows it; `typed_in` is the reverse."""
    return " / ".join(text.splitlines()) if markup == WML else text


def typed_in(markup: str, text: str) -> str:
    """Return the lines of a text that was typed into an input."""
    return "\n".join(map(str.strip, _LINE_END.split(text))) if markup == WML else text


def form_screen(
    visit: Visit,
    title: str,
    target: str,
    fields: Sequence[FormField],
    sentence: str = "",
    *,
    notes: Sequence[str] = (),
    search: bool = False,
    actions: Sequence[Action] = (),
) -> Screen:
    """Make the screen of a form; its button has the main key, its fields none.

    `actions`: placed before those to the settings; `search`: the button is Find, and changes nothing.
    """
    _ = visit.language.gettext
    shown = [replace(field, value=Verbatim(field.value)) for field in fields]
    values = {
        "sentence": sentence,
        "notes": notes,
        "fields": shown,
        "button": _("Find") if search else _("Save"),
        "save": MAIN_KEY,
        "target": target,
        "ticket": visit.signed_in.ticket(),
        "fresh": visit.variable_prefix(),
        "probe": form_bodies.PROBE,
    }
    return make_screen(visit, "settings", title, values, (*actions, *settings_actions(visit)))


def apply_once(
    visit: Visit, form: Fields, change: Callable[[], str], good: Container[str] = (SAVED, _REMOVED)
) -> StatusMessage:
    """Apply a change once for a posted form; return its sentence in the person's language.

    `change` returns a msgid, one of `good` if it succeeded. The page that follows already shows its effect.
    """
    try:
        outcome = do_once(visit.signed_in, visit.ticketed_post(form), lambda: {NOTICE: change()})
    except BadRequest as error:
        return StatusMessage(visit.language.gettext(error.sentence), good=False)
    visit.apply_preferences()
    said = outcome.get(NOTICE) or outcome[UNKNOWN]
    return StatusMessage(visit.language.gettext(said), good=said in good)


def remove_action(visit: Visit, href: str) -> Action:
    """Return the action that removes what a form is about; `remove_once` performs it."""
    return Action(visit.language.gettext("Remove"), href, KEYS["Remove"], fields=(visit.ticket_field(),))


def remove_once(visit: Visit, remove: Callable[[], None]) -> StatusMessage:
    """Remove something once for the posted ticket; return the sentence that says so."""

    def change() -> str:
        remove()
        return _REMOVED

    return apply_once(visit, visit.form(), change)
