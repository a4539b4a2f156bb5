"""The page on which a mail is written: one form for all of them, in as much as a device can show and send up.

Nothing here may save, send, or drop what was typed: a page says whether all that was typed is on it, and who asks for
it sees to the rest. Where a text is longer than the field for it, the page shows its end, and an empty field for more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from gateway import markup
from gateway.device import WML, Device
from gateway.markup.repertoire import fit
from gateway.markup.screen import Life, Screen, Verbatim, shorten
from gateway.message import resumed
from gateway.message.headers import clean, safe_label, safe_spec
from gateway.message.model import Address
from gateway.web import forms, late
from gateway.web.letter import ASKED, BEGUN, PEOPLE, PICKED, Content, Doubt
from gateway.web.origin import Origin
from gateway.web.visit import Visit, link


def _(msgid: str) -> str:
    return msgid


#: Octets of a request besides what is typed: address, headers, ticket, probe, names of fields.
OVERHEAD: Final = 320
#: Octets that a letter takes on its way up, in UTF-8 with escapes: Latin (one in five or so is escaped), letters of
#: two octets, letters of three.
LATIN, TWO, THREE = 2.7, 6.0, 9.0
_SCRIPTS: Final = dict.fromkeys(
    ("ru", "uk", "be", "bg", "sr", "mk", "el", "he", "ar", "fa"), TWO
) | dict.fromkeys(("zh", "ja", "ko", "hi", "th"), THREE)
#: Characters of an empty field for recipients or a subject that somebody will fill.
_ROOM_FOR: Final = 40
#: Characters of recipients that are only shown where there is no room for a field with all of them.
_CROWDED: Final = 60
#: For devices that send up less than this many octets, the page says how long a text may be.
_SAID_BELOW: Final = 20_000
#: For decks from so many octets on: characters of a WML input that come back with the rest of the page, if each
#: takes two octets.
_COMES_BACK: Final = ((5000, 1500), (1300, 500), (0, 280))
#: Characters of a sentence that are shown in any case; it may name many addresses.
_SENTENCE: Final = 80
#: Characters of the other inputs of a WML page, which comes back with them.
_LINES: Final = dict.fromkeys(PEOPLE, 120) | {"subject": 60}
#: Octets of a deck from which on there is room to say so; below, a button is worth more.
_LINES_FROM: Final = 1300
#: Characters of the end of a longer text that are shown.
_TAIL: Final = 160

_LABELS: Final = {
    "from": _("From"),
    "to": _("To"),
    "cc": _("Cc"),
    "bcc": _("Bcc"),
    "subject": _("Subject"),
    "text": _("Text"),
}
#: The order of fields, and what "More fields" opens.
ORDER: Final = ("from", "to", "cc", "bcc", "subject", "text")
HEADS: Final = ("from", "to", "cc", "bcc", "subject")

SEND, MORE, SAVE, FIELDS, TEXT, ATTACH, LEAVE = "send", "more", "save", "fields", "text", "attach", "leave"
_BUTTONS: Final = {
    SEND: _("Send"),
    MORE: _("Add more"),
    SAVE: _("Save"),
    FIELDS: _("More fields"),
    TEXT: _("Text"),
    ATTACH: _("Attach"),
    LEAVE: _("Inbox"),
}
#: Widths of what is only shown, and the buttons that are left out, tried until a page fits. The softkey sends too.
_LEVELS: Final[tuple[tuple[int, frozenset[str]], ...]] = (
    (60, frozenset()),
    (40, frozenset()),
    (25, frozenset({SEND})),
    (25, frozenset({SEND, SAVE})),
    (12, frozenset({SEND, SAVE, ATTACH})),
    (12, frozenset({SEND, SAVE, FIELDS, ATTACH})),
    (0, frozenset({SEND, SAVE, FIELDS, ATTACH})),
)
_XHTML_LEVELS: Final = ((400, frozenset[str]()), *_LEVELS[:2])


@dataclass(frozen=True, slots=True)
class Input:
    """One field of the form; `options` (word, label) make it a choice; `most` characters, 0 for any number."""

    name: str
    label: str
    value: Verbatim
    key: str
    options: tuple[tuple[str, str], ...] = ()
    most: int = 0
    wrong: bool = False

    @property
    def address(self) -> bool:
        return self.name in PEOPLE


@dataclass(frozen=True, slots=True)
class Button:
    """One way on, which posts the form."""

    does: str
    label: str
    key: str


@dataclass(frozen=True, slots=True)
class Paper:
    """What is on the page. `opened`: names of inputs. `begun`: the weight of the text that `piece` is added to.

    `typed`: recipients as they were typed, by field, where they were. `kept`: the name of a text that came back.
    """

    target: tuple[str, Mapping[str, object]]
    origin: Origin
    content: Content
    opened: tuple[str, ...]
    typed: Mapping[str, str] = field(default_factory=dict)
    piece: str = ""
    begun: int = 0
    doubts: tuple[Doubt, ...] = ()
    sentence: str = ""
    kept: str = ""


def opened(visit: Visit, origin: Origin, asked: Collection[str] = ()) -> tuple[str, ...]:
    """Name the inputs of a page: those that a mail opens with, and those that are asked for.

    All are where "More fields" was pressed: on a small phone without the text, since a form of six fields would
    neither fit nor go up.
    """
    names = {*origin.fields, *(name for name, _typed in origin.loose), *(set(ORDER) & set(asked))}
    if {"cc", "bcc"} & set(asked):
        names = set(HEADS) if visit.device.markup == WML else set(ORDER)
    if origin.whole is not None:
        names = {"to"}
    if len(visit.profile.identities) < 2:
        names.discard("from")
    elif visit.device.markup != WML:
        names.add("from")
    return tuple(name for name in ORDER if name in names)


def shown(visit: Visit, paper: Paper) -> tuple[Screen, bool]:
    """Make the page, and say whether it fits and holds all that is typed; else what is on it must be saved first."""
    best: Screen | None = None
    levels = _LEVELS if visit.device.markup == WML else _XHTML_LEVELS
    for laid_out, holds in ((paper, _holds(paper)), _closed(paper)):
        for displayed, whole in _displays(visit, laid_out):
            for width, without in levels:
                screen = _screen(visit, displayed, width, without)
                if markup.size(screen, visit.device) <= visit.device.deck_limit:
                    return screen, whole and holds
            best = best or screen
    assert best is not None
    return best, False


def _closed(paper: Paper) -> tuple[Paper, bool]:
    """Only show those recipients who are too many for a field, and say whether that loses nothing."""
    loose = dict(paper.content.loose)
    crowded = {
        name
        for name in PEOPLE
        if name in paper.opened and name not in loose and len(_value(paper, name)) > _CROWDED
    }
    closed = replace(paper, opened=tuple(name for name in paper.opened if name not in crowded))
    return closed, _holds(closed)


def _holds(paper: Paper) -> bool:
    """Say whether everything above the text that is not kept has a field on the page."""
    now, first = paper.content, paper.origin
    moved = {name for name in PEOPLE if now.people(name) != first.people(name)}
    moved |= {name for name, _typed in set(now.loose) ^ set(first.loose)}
    moved |= {"subject"} if now.subject != first.subject else set()
    moved |= {"from"} if now.sender != first.sender else set()
    return moved <= set(paper.opened)


def _displays(visit: Visit, paper: Paper) -> Iterator[tuple[Paper, bool]]:
    """Yield ways to show the text: all of it in the field, the new piece, none; and whether nothing is lost so."""
    if "text" not in paper.opened:
        yield replace(paper, piece="", begun=resumed.weight(paper.content.text)), _is_kept(paper)
        return
    if paper.begun:
        yield paper, True
    whole = replace(paper, piece=paper.content.text, begun=0)
    if _goes_up(visit, whole):
        yield whole, True
    yield replace(paper, piece="", begun=resumed.weight(paper.content.text)), _is_kept(paper)
    yield (paper if paper.begun else whole), True


def _is_kept(paper: Paper) -> bool:
    return paper.content.text == paper.origin.text


def _goes_up(visit: Visit, paper: Paper) -> bool:
    return len(paper.piece) <= room(visit, paper)


def room(visit: Visit, paper: Paper) -> int:
    """Say how many characters the text field takes, by what the device can send up and get back."""
    device = visit.device
    each = letter_octets(visit.language.tag, paper.content)
    left = device.input_limit - OVERHEAD
    for name in paper.opened:
        if name not in ("text", "from"):
            left -= _escaped(_value(paper, name)) or int(_ROOM_FOR * (each if name == "subject" else 1))
    most = max(int(left / each), _ROOM_FOR)
    return min(most, _comes_back(device)) if device.markup == WML else most


def _comes_back(device: Device) -> int:
    return next(characters for octets, characters in _COMES_BACK if device.deck_limit >= octets)


def letter_octets(tag: str, content: Content) -> float:
    """Say how many octets a letter takes on its way up, by the language and by what is there already."""
    widest = max((ord(one) for one in content.text + content.subject if one.isalpha()), default=0)
    by_text = LATIN if widest < 0x370 else TWO if widest < 0x800 else THREE
    return max(_SCRIPTS.get(tag.partition("-")[0], LATIN), by_text)


def _escaped(text: str) -> int:
    plain = sum(character.isascii() and (character.isalnum() or character in " .-_") for character in text)
    return plain + 3 * (len(text.encode("utf-8", "replace")) - plain)


def _screen(visit: Visit, paper: Paper, width: int, without: frozenset[str]) -> Screen:
    _ = visit.language.gettext
    inputs = _inputs(visit, paper)
    buttons = _buttons(visit, paper, without, len(inputs) + 1)
    doubt = _asked(paper)
    endpoint, values = paper.target
    hidden = [(BEGUN, str(paper.begun))] if paper.begun else []
    hidden += [(ASKED, Verbatim(doubt.piece))] if doubt is not None else []
    hidden += [(late.FIELD, paper.kept)] if paper.kept else []
    session = visit.signed_in
    return Screen(
        "compose",
        _(paper.origin.title),
        {
            "sentence": shorten(paper.sentence, 4 * width + _SENTENCE),
            "lines": _lines(visit, paper, width),
            "tail": _tail(paper, width),
            "inputs": inputs,
            "hidden": hidden,
            "buttons": buttons,
            "sends": SEND,
            "target": link(endpoint, **values),
            "ticket": session.ticket(),
            "keep": session.ticket(),
            "fresh": visit.fresh(),
            "probe": forms.PROBE,
        },
        (),
        life=Life.PRIVATE,
        words=_,
        language=visit.language.tag,
    )


def _inputs(visit: Visit, paper: Paper) -> list[Input]:
    _ = visit.language.gettext
    found: list[Input] = []
    doubt = _asked(paper)
    wrong = {one.field for one in paper.doubts}
    for name in paper.opened:
        options: tuple[tuple[str, str], ...] = ()
        value, most = _value(paper, name, _number(visit, paper)), 0
        if name == "from":
            options = tuple(
                (
                    str(number),
                    (one.name and f"{clean(one.name)} {safe_spec(one.address)}") or safe_spec(one.address),
                )
                for number, one in enumerate(visit.profile.identities)
            )
        elif name == "text":
            most = max(room(visit, paper), len(value))
        elif visit.device.markup == WML and visit.device.deck_limit >= _LINES_FROM:
            most = max(_LINES[name], len(value))
        label = _(_LABELS[name])
        if name == "text" and visit.device.markup != WML and visit.device.input_limit < _SAID_BELOW:
            # XHTML Basic has no maxlength for a text of several lines.
            label = _("Text (at most %(count)s letters)") % {"count": visit.language.number(most)}
        found.append(Input(name, label, Verbatim(value), str(len(found) + 1), options, most, name in wrong))
        if doubt is not None and doubt.field == name:
            options = tuple(
                (one.spec, f"{safe_label(one)} {safe_spec(one.spec)}".strip()) for one in doubt.choices
            )
            label = _("Who is %(what)s?") % {"what": clean(doubt.piece)}
            found.append(Input(PICKED, label, Verbatim(doubt.choices[0].spec), str(len(found) + 1), options))
    return found


def _value(paper: Paper, name: str, number: int = 0) -> str:
    if name == "text":
        return paper.piece
    if name == "subject":
        return clean(paper.content.subject)
    if name == "from":
        return str(number)
    typed = paper.typed.get(name) or dict(paper.content.loose).get(name)
    return typed if typed is not None else ", ".join(one.spec for one in paper.content.people(name))


def _number(visit: Visit, paper: Paper) -> int:
    identities = visit.profile.identities
    return identities.index(paper.content.sender) if paper.content.sender in identities else 0


def _asked(paper: Paper) -> Doubt | None:
    """Return the doubt that the page asks about: the first whose field is on it and that has choices."""
    return next((one for one in paper.doubts if one.choices and one.field in paper.opened), None)


def _buttons(visit: Visit, paper: Paper, without: frozenset[str], key: int) -> list[Button]:
    small = visit.device.markup == WML
    heads = "text" not in paper.opened if small else "bcc" in paper.opened
    names = [SEND]
    if paper.origin.whole is None:
        names += [TEXT] if heads and small else [MORE, SAVE]
        names += [] if heads else [FIELDS]
        names += [] if heads and small else [ATTACH]
    _ = visit.language.gettext
    found = []
    for name in names:
        if name not in without:
            found.append(Button(name, _(_BUTTONS[name]), str(key) if key < 10 else ""))
        key += 1
    return [*found, Button(LEAVE, _(_BUTTONS[LEAVE]), "0")]


def _lines(visit: Visit, paper: Paper, width: int) -> list[tuple[str, str]]:
    """Say what stands in fields that are not open, and what goes along."""
    if not width:
        return []
    _ = visit.language.gettext
    content = paper.content
    lines = [
        (f"{_(_LABELS[name])}: ", _people(content.people(name)))
        for name in PEOPLE
        if name not in paper.opened and content.people(name)
    ]
    if "subject" not in paper.opened and content.subject:
        lines.append(("", clean(content.subject)))
    names = [clean(one.name) or _("File") for one in paper.origin.enclosures]
    if names:
        lines.append((f"{_('Attached')}: ", ", ".join(names)))
    return [(label, shorten(fit(text, visit.device), width)) for label, text in lines]


def _people(found: Sequence[Address]) -> str:
    return ", ".join(safe_label(one) for one in found)


def _tail(paper: Paper, width: int) -> str:
    """Return the end of the text that the field adds to."""
    text = resumed.above(paper.content.text, paper.begun).rstrip() if paper.begun else ""
    most = min(_TAIL, 2 * width + 20)
    return text if len(text) <= most else "…" + text[-most:].lstrip()
