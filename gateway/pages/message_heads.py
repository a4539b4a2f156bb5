"""The head of a message: who it is from, when it came, to whom, and what is attached, in as few lines as possible.

Nothing here may know a URL, or leave out the sender. On small screens a date is as short as in a list.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from gateway.device import WML, Device
from gateway.language import Language
from gateway.markup.direction import ended
from gateway.markup.repertoire import fit
from gateway.markup.screen import shorten
from gateway.message import media_types
from gateway.message.headers.header_fields import clean, safe_label
from gateway.message.model import Address, Envelope, Message, Part
from gateway.rendition.documents import effective_type

#: Minimum characters in a line of a screen that is not small.
_WIDE: Final = 40
#: Maximum characters of a recipient, and of a file's name.
_WHO: Final = 24
_NAME: Final = 40
#: Characters at the end of a name that stay when it is shortened: ".docx".
_ENDING: Final = 5
#: Maximum number of files that are named; the others are counted.
_FILES: Final = 3


@dataclass(frozen=True, slots=True)
class Head:
    """The lines above the text of a message; "" for what is omitted. `others`: `to` in a word, if possible."""

    subject: str
    who: str
    when: str
    to: str
    attached: str
    pages: str
    others: str = ""

    @property
    def line(self) -> str:
        """The line below the subject."""
        line = ", ".join(text for text in (self.who, self.when, self.to) if text)
        return f"{line} · {self.pages}" if self.pages else line


def on_first_screen(head: Head, device: Device) -> Head:
    """Leave out of the head of a deck what would push the text off the screen; the details have all of it.

    One line is left for the text, as far as the first line of the subject and the sender allow. The sender is not
    repeated where the title of the deck names them.
    """
    if device.markup != WML:
        return head
    if device.shows_titles and len(head.who) <= device.columns:
        head = replace(head, who="")
    room = device.lines - 1 - bool(head.attached)
    if len(_lines(head.line, device)) > 1 and (head.others or len(_lines(head.line, device)) >= room):
        head = replace(head, to=head.others)
    if len(_lines(head.line, device)) > max(room - 1, 1):
        head = replace(head, to="")
    kept = _lines(head.subject, device)[: max(room - len(_lines(head.line, device)), 1)]
    return replace(head, subject=shorten(head.subject, len(" ".join(kept))))


def _lines(text: str, device: Device) -> list[str]:
    return textwrap.wrap(text, device.columns, break_on_hyphens=False)


def when(message: Message, device: Device, language: Language, now: datetime | None) -> str:
    """Return when a message was sent: in full on wide screens, and if today's date is not known."""
    sent = message.envelope.date or message.received
    short = now is not None and device.columns < _WIDE
    return language.moment(sent, now) if short and now else language.long_date(sent)


def to_whom(envelope: Envelope, device: Device, language: Language, own: Collection[str]) -> str:
    """Return whom a message is to; "" if only to its reader (one of the addresses `own`), to nobody, or not known."""
    _ = language.gettext
    people = (*envelope.to, *envelope.cc)
    mine = any(one.spec.lower() in own for one in people)
    if not people or not own or (mine and len(people) == 1):
        return ""
    label = shorten(fit(safe_label(people[0]), device), min(_WHO, device.columns))
    first = _("to me") if mine else _("to %(who)s") % {"who": ended(label)}
    return f"{first} {others}" if (others := _others(people, language)) else first


def others_too(envelope: Envelope, language: Language, own: Collection[str]) -> str:
    """Return how many people besides its reader got a message; "" for none or if it is not known."""
    people = (*envelope.to, *envelope.cc)
    return _others(people, language) if any(one.spec.lower() in own for one in people) else ""


def _others(people: Sequence[Address], language: Language) -> str:
    return f"+{language.number(len(people) - 1)}" if len(people) > 1 else ""


def attached(files: Sequence[Part], device: Device, language: Language) -> str:
    """Return the names of the first files, each with its kind, and how many more there are; "" for none.

    On a WAP phone each name has one line.
    """
    small = device.markup == WML
    named = files[: 1 if small else _FILES]
    names = [_named(part, device, language, small) for part in named]
    more = f" +{language.number(len(files) - len(named))}" if len(files) > len(named) else ""
    return f"{', '.join(names)}{more}"


def _named(part: Part, device: Device, language: Language, small: bool) -> str:
    kind = language.gettext(media_types.words(effective_type(part.media_type, part.filename, b"")))
    name = fit(clean(part.filename), device)
    if not name:
        return kind
    if small:  # the ending says what it is, if it has one
        width = device.columns - 1
        name = name if len(name) <= width else f"{shorten(name, width - _ENDING)}{name[-_ENDING:]}"
        return ended(name) if "." in name else f"{ended(name)} ({kind})"
    return f"{ended(shorten(name, _NAME))} ({kind})"
