"""What stands above a message: who it is from, when it came, to whom, and what is attached, in as few lines as can be.

Nothing here may know a URL, or leave out the sender. On small screens a date is as short as it is in a list.
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

#: Characters in a line from which on a screen is no small one.
_WIDE: Final = 40
#: Maximum characters of a recipient, and of a file's name.
_WHO: Final = 24
_NAME: Final = 40
#: Characters of a name's ending that stay when it is shortened: ".docx".
_ENDING: Final = 5
#: Files that are named; the others are counted.
_FILES: Final = 3


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the text of a message; "" for what is not said. `others`: `to` in a word, if it can be."""

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
    """Leave out of the head of a deck what keeps the text off the screen; all of it is in the details.

    A line is left to the text, as far as the subject's first line and the sender allow. The sender is not repeated
    where the title of the deck says it.
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
    """Return when a message was sent: in full on wide screens, and if it is not known what today is."""
    sent = message.envelope.date or message.received
    short = now is not None and device.columns < _WIDE
    return language.moment(sent, now) if short and now else language.long_date(sent)


def to_whom(envelope: Envelope, device: Device, language: Language, own: Collection[str]) -> str:
    """Return to whom a message is, "" if to its reader (one of the addresses `own`) alone, to nobody, or not known."""
    _ = language.gettext
    people = (*envelope.to, *envelope.cc)
    mine = any(one.spec.lower() in own for one in people)
    if not people or not own or (mine and len(people) == 1):
        return ""
    label = shorten(fit(safe_label(people[0]), device), min(_WHO, device.columns))
    first = _("to me") if mine else _("to %(who)s") % {"who": ended(label)}
    return f"{first} {others}" if (others := _others(people, language)) else first


def others_too(envelope: Envelope, language: Language, own: Collection[str]) -> str:
    """Return how many got a message of its reader's besides, "" for none or if it is not known."""
    people = (*envelope.to, *envelope.cc)
    return _others(people, language) if any(one.spec.lower() in own for one in people) else ""


def _others(people: Sequence[Address], language: Language) -> str:
    return f"+{language.number(len(people) - 1)}" if len(people) > 1 else ""


def attached(files: Sequence[Part], device: Device, language: Language) -> str:
    """Return the names of the first files, each with its kind, and how many more there are; "" for none.

    On a WAP phone one name has one line.
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
    if small:  # its ending says what it is, if it has one
        width = device.columns - 1
        name = name if len(name) <= width else f"{shorten(name, width - _ENDING)}{name[-_ENDING:]}"
        return ended(name) if "." in name else f"{ended(name)} ({kind})"
    return f"{ended(shorten(name, _NAME))} ({kind})"
