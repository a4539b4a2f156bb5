"""The compose page: one form for every device, as large as it can show and post.

Nothing here may save, send or drop what was typed. `compose_fitting` decides how much of it is shown. If a text is
longer than its field, the page shows its end and an empty field for more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.composing.basis import Basis
from gateway.composing.typed_mail import (
    ASKED,
    BEGUN,
    COPY,
    PEOPLE,
    PICKED,
    MailContent,
    UnresolvedRecipient,
    piece_mark,
)
from gateway.device import WML, Device
from gateway.markup.keys import KEYS, MAIN_KEY
from gateway.markup.repertoire import fit
from gateway.markup.screen import Life, Screen, Verbatim, shorten
from gateway.message.headers.header_fields import clean, safe_label, safe_spec
from gateway.message.model import Address
from gateway.message.outgoing import resumed
from gateway.store.base import ANSWERED
from gateway.web.compose.text_limits import text_limit
from gateway.web.entry import restored_forms
from gateway.web.request import form_bodies
from gateway.web.request.form_bodies import AFTER
from gateway.web.request.screens import make_screen
from gateway.web.request.visit import Visit, link


def _(msgid: str) -> str:
    return msgid


#: Devices that can post fewer octets than this are told how long a text may be.
_HINT_BELOW: Final = 20_000
#: Characters of a sentence that are always shown; it may name many addresses.
_SENTENCE: Final = 80
#: Maximum characters of the other inputs of a WML page, which are sent back with it.
_LINES: Final = dict.fromkeys(PEOPLE, 120) | {"subject": 60}
#: Minimum deck size in octets for such limits; on smaller decks a button is worth more.
_LINES_FROM: Final = 1300
#: The least width in characters of a line that says what is quoted.
_QUOTED: Final = 40
#: Maximum columns of a text field (RFC 3676 §4.2); screen pixels per line of it, and its minimum and maximum lines.
_COLUMNS: Final = 72
_LINE, _FEWEST, _MOST_ROWS = 64, 3, 16
#: Characters of a recipient that are always shown.
_NAME: Final = 12
#: Characters to show of the end of a longer text.
_TAIL: Final = 160

_LABELS: Final = {
    "from": _("From"),
    "to": _("To"),
    "cc": _("Cc"),
    "bcc": _("Bcc"),
    "subject": _("Subject"),
    "text": _("Text"),
}
#: The order of the fields, and the fields that "More fields" shows.
ORDER: Final = ("from", "to", "cc", "bcc", "subject", "text")
HEADS: Final = ("from", "to", "cc", "bcc", "subject")

SEND, MORE, SAVE, FIELDS, TEXT, ATTACH = "send", "more", "save", "fields", "text", "attach"
DISCARD, LEAVE = "discard", "leave"
#: Label and key of each button in its order, the same on every page on which a mail is written.
BUTTONS: Final = {
    SEND: (_("Send"), MAIN_KEY),
    ATTACH: (_("Attach"), KEYS["Attach"]),
    SAVE: (_("Save"), KEYS["Save"]),
    MORE: (_("Add more"), KEYS["Add more"]),
    TEXT: (_("Text"), KEYS["Text"]),
    DISCARD: (_("Discard"), KEYS["Discard"]),
    FIELDS: (_("More fields"), KEYS["More fields"]),
    LEAVE: (_("Save and close"), KEYS["Save and close"]),
}
#: The label of the last button where nothing is saved, or hardly anything fits.
_CLOSE: Final = _("Close")
#: Maximum number of sendings that a page says it continues.
MOST_AFTER: Final = 3
#: Characters by which a person recognises whom a question is about.
_WHO: Final = 12


class Level(NamedTuple):
    """How much is shown: the width of text outside inputs, buttons to omit, recipients to choose from."""

    width: int
    without: frozenset[str] = frozenset()
    choices: int | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """One field of the form; `options` (value, label) make it a select; `most` is its maxlength, 0 for no limit."""

    name: str
    label: str
    value: Verbatim
    options: tuple[tuple[str, str], ...] = ()
    most: int = 0
    wrong: bool = False

    @property
    def address(self) -> bool:
        return self.name in PEOPLE


@dataclass(frozen=True, slots=True)
class Button:
    """One button that posts the form, with its action."""

    action: str
    label: str
    key: str


@dataclass(frozen=True, slots=True)
class ComposeForm:
    """The contents of the page. `saved_length`: visible length of the text before `piece`.

    `typed`: recipients by field, as they were typed. `restored_form`: its name. `ticket`: the previous page's, if it
    was not used.
    """

    target: tuple[str, Mapping[str, object]]
    basis: Basis
    content: MailContent
    input_names: tuple[str, ...]
    typed: Mapping[str, str] = field(default_factory=dict)
    piece: str = ""
    saved_length: int = 0
    unresolved: tuple[UnresolvedRecipient, ...] = ()
    sentence: str = ""
    restored_form: str = ""
    ticket: str = ""
    copy_to_self: str = ""


def input_names(visit: Visit, basis: Basis, asked: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names of a page's inputs: the initial ones, and those that were asked for.

    "More fields" shows them all; on a small phone without the text, since a form of six fields would be too large to
    show or to post.
    """
    names = {*basis.fields, *(name for name, _typed in basis.unparsed), *(set(ORDER) & set(asked))}
    if {"cc", "bcc"} & set(asked):
        names = set(HEADS) if visit.device.markup == WML else set(ORDER)
    if basis.redirected is not None:
        names = {"to"}
    if len(visit.profile.identities) < 2:
        names.discard("from")
    elif visit.device.markup != WML:
        names.add("from")
    return tuple(name for name in ORDER if name in names)


def longest_text(visit: Visit, form: ComposeForm) -> int:
    others = {name: value_of(form, name) for name in form.input_names if name not in ("text", "from")}
    return text_limit(visit.device, visit.language.tag, form.content, others)


def screen_of(visit: Visit, form: ComposeForm, level: Level) -> Screen:
    _ = visit.language.gettext
    width = level.width
    inputs = _inputs(visit, form, level.choices)
    buttons = buttons_of(visit, form, level.without)
    doubt = _to_ask_about(form)
    endpoint, values = form.target
    hidden = [(BEGUN, str(form.saved_length))] if form.saved_length else []
    hidden += [(ASKED, piece_mark(doubt.piece))] if doubt is not None else []
    hidden += [(restored_forms.FIELD, form.restored_form)] if form.restored_form else []
    if after := [mark for mark in form.basis.after if mark not in form.basis.noted]:
        hidden += [(AFTER, " ".join(after[-MOST_AFTER:]))]
    # The same for Send and Save: what is saved and then sent from one page has one copy.
    ticket = form.ticket or visit.signed_in.ticket()
    shown = {
        "sentence": sentence_of(form, width),
        "lines": lines_of(visit, form, width),
        "tail": tail_of(form, width),
        "inputs": inputs,
        "area": (_columns(visit.device), _rows(visit.device)),
        "hidden": hidden,
        "buttons": buttons,
        "sends": SEND,
        "target": link(endpoint, **values),
        "ticket": ticket,
        "keep": ticket,
        "fresh": visit.variable_prefix(),
        "probe": form_bodies.PROBE,
    }
    return make_screen(visit, "compose", _(form.basis.title), shown, life=Life.PRIVATE)


def _columns(device: Device) -> int:
    """Return the columns of the text field: CSS makes it as wide as the screen, but text browsers need the number."""
    return min(device.columns, _COLUMNS)


def _rows(device: Device) -> int:
    """Return the lines of the text field: about a third of the screen, so that *Send* is visible below a reply."""
    return min(max(device.screen[1] // _LINE, _FEWEST), _MOST_ROWS)


def _inputs(visit: Visit, form: ComposeForm, choices: int | None) -> list[Input]:
    _ = visit.language.gettext
    found: list[Input] = []
    doubt = _to_ask_about(form)
    wrong = {one.field for one in form.unresolved}
    for name in form.input_names:
        options: tuple[tuple[str, str], ...] = ()
        value, most = value_of(form, name, _number(visit, form)), 0
        if name == "from":
            options = tuple(
                (
                    str(number),
                    (one.name and f"{clean(one.name)} {safe_spec(one.address)}") or safe_spec(one.address),
                )
                for number, one in enumerate(visit.profile.identities)
            )
        elif name == "text":
            most = max(longest_text(visit, form), len(value))
        elif visit.device.markup == WML and visit.device.deck_limit >= _LINES_FROM:
            most = max(_LINES[name], len(value))
        label = _(_LABELS[name])
        if name == "text" and visit.device.markup != WML and visit.device.input_limit < _HINT_BELOW:
            # XHTML Basic has no maxlength for a textarea.
            label = _("Text (up to %(count)s characters)") % {"count": visit.language.number(most)}
        found.append(Input(name, label, Verbatim(value), options, most, name in wrong))
        if doubt is not None and doubt.field == name:
            options = tuple(
                (one.spec, f"{safe_label(one)} {safe_spec(one.spec)}".strip())
                for one in doubt.choices[:choices]
            )
            what = shorten(fit(clean(doubt.piece), visit.device), _WHO)
            label = _("Who is %(what)s?") % {"what": what}
            found.append(Input(PICKED, label, Verbatim(doubt.choices[0].spec), options))
    if asks_for_copy(visit, form.basis):
        options = (("yes", _("yes")), ("no", _("no")))
        value = form.copy_to_self or options[0][0]
        found.append(Input(COPY, _("Copy to me"), Verbatim(value), options))
    return found


def asks_for_copy(visit: Visit, initial: Basis) -> bool:
    """Return whether to ask if mail should also go to oneself: once, where no mailbox keeps sent mail."""
    keeps = visit.signed_in.last_seen_can.append
    return not keeps and not visit.profile.copy_to_self and initial.redirected is None


def value_of(form: ComposeForm, name: str, number: int = 0) -> str:
    if name == "text":
        return form.piece
    if name == "subject":
        return clean(form.content.subject)
    if name == "from":
        return str(number)
    typed = form.typed.get(name) or dict(form.content.unparsed).get(name)
    return typed if typed is not None else ", ".join(one.spec for one in form.content.people(name))


def _number(visit: Visit, form: ComposeForm) -> int:
    identities = visit.profile.identities
    return identities.index(form.content.sender) if form.content.sender in identities else 0


def _to_ask_about(form: ComposeForm) -> UnresolvedRecipient | None:
    """Return the unresolved recipient to ask about: the first that has choices and whose field is on the page."""
    return next((one for one in form.unresolved if one.choices and one.field in form.input_names), None)


def buttons_of(visit: Visit, form: ComposeForm, without: frozenset[str]) -> list[Button]:
    small = visit.device.markup == WML
    heads = "text" not in form.input_names if small else "bcc" in form.input_names
    can, names, close = visit.signed_in.last_seen_can, [SEND], ""
    if form.basis.redirected is not None:
        close = _CLOSE
    else:
        short = visit.device.input_limit < _HINT_BELOW or form.saved_length > 0
        names += [TEXT] if heads and small else [*([MORE] if short else []), SAVE] if can.append else []
        names += [] if (heads and small) or not can.append else [ATTACH]
        # On a small phone the text is saved while the other fields are shown.
        names += [] if heads or (small and not can.append) else [FIELDS]
        # Where nothing is saved, the text to discard is one that is kept for a day.
        names += [DISCARD] if can.delete or not can.append else []
        close = "" if can.append and SEND not in without else _CLOSE
    _ = visit.language.gettext
    found = [
        Button(name, _(BUTTONS[name][0]), BUTTONS[name][1])
        for name in BUTTONS
        if name in names and name not in without
    ]
    return [*found, Button(LEAVE, _(close or BUTTONS[LEAVE][0]), BUTTONS[LEAVE][1])]


def lines_of(visit: Visit, form: ComposeForm, width: int) -> list[tuple[str, str]]:
    """Return the values of fields that are not inputs, and the attachments, as labelled lines."""
    _ = visit.language.gettext
    content = form.content
    shown = [name for name in PEOPLE if name not in form.input_names and content.people(name)]
    if not width and len(content.recipients) < 2:
        return []
    lines = [
        (visit.language.before(_(_LABELS[name]), ""), people_line(visit, content.people(name), width))
        for name in shown
    ]
    if not width:  # the recipients are shown in any case
        return lines
    others = [("", content.subject)] if "subject" not in form.input_names and content.subject else []
    if names := [clean(one.name) or _("File") for one in form.basis.enclosures]:
        others.append((visit.language.before(_("Attached"), ""), ", ".join(names)))
    if form.basis.quoted is not None and width >= _QUOTED:
        others.append(("", _said_of_quotation(visit, form.basis)))
    return lines + [(label, shorten(fit(clean(text), visit.device), width)) for label, text in others]


def _said_of_quotation(visit: Visit, initial: Basis) -> str:
    """Say what follows the text that is typed."""
    _ = visit.language.gettext
    if not initial.quoted:
        return _("What was below your text stays there.")
    if initial.original is not None and initial.original.flag == ANSWERED:
        said = _("The message from %(who)s is quoted below your text.")
    else:
        said = _("The message from %(who)s follows your text.")
    return said % {"who": shorten(fit(initial.quoted, visit.device), _QUOTED // 2)}


def people_line(visit: Visit, found: Sequence[Address], width: int) -> str:
    """Return as many addresses as fit in `width` characters, at least one, and how many more there are."""
    labels = [fit(safe_label(one), visit.device) for one in found]
    whole = ", ".join(labels)
    if len(whole) <= width or len(labels) < 2:
        return shorten(whole, max(width, _NAME))
    for count in range(len(labels) - 1, 0, -1):
        line = f"{', '.join(labels[:count])} +{visit.language.number(len(labels) - count)}"
        if len(line) <= width:
            return line
    return f"{shorten(labels[0], max(width, _NAME))} +{visit.language.number(len(labels) - 1)}"


def sentence_of(form: ComposeForm, width: int) -> str:
    return shorten(form.sentence, 4 * width + _SENTENCE)


def tail_of(form: ComposeForm, width: int) -> str:
    """Return the end of the text that the field adds to."""
    text = resumed.visible_prefix(form.content.text, form.saved_length).rstrip() if form.saved_length else ""
    most = min(_TAIL, 2 * width + 20)
    return text if len(text) <= most else "…" + text[-most:].lstrip()
