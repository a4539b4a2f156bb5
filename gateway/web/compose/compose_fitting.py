"""The compose page in the size that a device can show and post.

Nothing here may save, send or drop what was typed: the result says whether the page holds all of it, and the caller
does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from gateway import markup
from gateway.composing.typed_mail import PEOPLE
from gateway.device import WML
from gateway.markup.scale import WmlScale
from gateway.markup.screen import Screen
from gateway.message.outgoing import resumed
from gateway.web.compose.compose_form import (
    ATTACH,
    DISCARD,
    FIELDS,
    SAVE,
    SEND,
    ComposeForm,
    Level,
    buttons_of,
    lines_of,
    longest_text,
    screen_of,
    sentence_of,
    tail_of,
    value_of,
)
from gateway.web.request.visit import Visit

#: Maximum characters of recipients that are shown as text if a field for all of them does not fit.
_CROWDED: Final = 60
#: Tried in this order until a page fits. The softkey sends too.
_LEVELS: Final = (
    Level(200),
    Level(60),
    Level(40),
    Level(40, frozenset({DISCARD})),
    Level(25, frozenset({DISCARD, SAVE})),
    Level(25, frozenset({DISCARD, SAVE, SEND})),
    Level(12, frozenset({DISCARD, SAVE, SEND, ATTACH})),
    Level(12, frozenset({DISCARD, SAVE, SEND, FIELDS, ATTACH})),
    Level(0, frozenset({DISCARD, SAVE, SEND, FIELDS, ATTACH})),
)
#: Octets by which the size computed for a level may be too large: compilers write repeated text only once.
_DOUBT: Final = 16
#: A button of a deck.
_BUTTON: Final = re.compile("<anchor.*?</anchor>", re.DOTALL)
#: Where nothing else fits, whatever was saved before: typing more letters finds the others.
_LIKELIEST: Final = _LEVELS[-1]._replace(choices=2)
_XHTML_LEVELS: Final = (Level(400), *_LEVELS[1:3])


def fitting_screen(visit: Visit, form: ComposeForm) -> tuple[Screen, bool]:
    """Make the screen; return it and whether it fits and holds all that was typed; if not, save that first."""
    for laid_out, holds in ((form, _holds_all_fields(form)), _without_crowded_inputs(form)):
        for displayed, complete in _text_variants(visit, laid_out):
            screen = _fitted(visit, displayed)
            if screen is not None:
                return screen, complete and holds
    return screen_of(visit, displayed, _LIKELIEST), False


def _fitted(visit: Visit, form: ComposeForm) -> Screen | None:
    """Make the largest screen of a form that fits; None if none does.

    Writing and measuring a page is expensive, so only the largest is measured, and the sizes of the others are computed
    from it; one that seems to fit is then measured too.
    """
    first, *smaller = _LEVELS if visit.device.markup == WML else _XHTML_LEVELS
    whole = screen_of(visit, form, first)
    room = visit.room_left(whole)
    if room >= 0:
        return whole
    button = _button_octets(markup.write(whole, visit.device)) if visit.device.markup == WML else 0
    room += _octets_of_level(visit, form, first, button)
    for level in smaller:
        may_fit = _octets_of_level(visit, form, level, button) <= room + _DOUBT
        if may_fit or level is smaller[-1]:
            screen = screen_of(visit, form, level)
            if visit.fits(screen):
                return screen
    return None


def _octets_of_level(visit: Visit, form: ComposeForm, level: Level, button: int) -> int:
    """Return roughly how many octets of a page depend on its level; `button`: the octets of one button."""
    lines = [label + text for label, text in lines_of(visit, form, level.width)]
    texts = (sentence_of(form, level.width), tail_of(form, level.width), *lines)
    buttons = buttons_of(visit, form, level.without)
    return button * len(buttons) + sum(len(text.encode("utf-8", "replace")) for text in texts)


def _button_octets(deck: str) -> int:
    """Return roughly how many octets a button takes in a deck: all of them post the same fields."""
    return max((WmlScale().piece(one).own for one in _BUTTON.findall(deck)), default=0)


def _without_crowded_inputs(form: ComposeForm) -> tuple[ComposeForm, bool]:
    """Show recipients that are too many for their field as text; return whether that loses nothing."""
    unparsed = dict(form.content.unparsed)
    crowded = {
        name
        for name in PEOPLE
        if name in form.input_names and name not in unparsed and len(value_of(form, name)) > _CROWDED
    }
    closed = replace(form, input_names=tuple(name for name in form.input_names if name not in crowded))
    return closed, _holds_all_fields(closed)


def _holds_all_fields(form: ComposeForm) -> bool:
    """Return whether everything unsaved above the text has a field on the page."""
    now, first = form.content, form.basis
    moved = {name for name in PEOPLE if now.people(name) != first.people(name)}
    moved |= {name for name, _typed in set(now.unparsed) ^ set(first.unparsed)}
    moved |= {"subject"} if now.subject != first.subject else set()
    moved |= {"from"} if now.sender != first.sender else set()
    return moved <= set(form.input_names)


def _text_variants(visit: Visit, form: ComposeForm) -> Iterator[tuple[ComposeForm, bool]]:
    """Yield ways to show the text (all in the field, only the new piece, none), each with whether it loses nothing."""
    if "text" not in form.input_names:
        yield replace(form, piece="", saved_length=resumed.visible_length(form.content.text)), _is_saved(form)
        return
    if form.saved_length:
        yield form, True
    full = replace(form, piece=form.content.text, saved_length=0)
    if _can_be_posted(visit, full):
        yield full, True
    yield replace(form, piece="", saved_length=resumed.visible_length(form.content.text)), _is_saved(form)
    yield (form if form.saved_length else full), True


def _is_saved(form: ComposeForm) -> bool:
    return form.content.text == form.basis.text


def _can_be_posted(visit: Visit, form: ComposeForm) -> bool:
    return len(form.piece) <= longest_text(visit, form)
