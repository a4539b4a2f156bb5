"""The message screen, and all pages of a message without a server.

Nothing here may know a URL: the caller supplies the actions of a page and the link targets of blocks.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from gateway import markup
from gateway.device import WML, Device
from gateway.language import Language
from gateway.markup.direction import marked, right_to_left
from gateway.markup.keys import BACK_KEY, KEYS
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers.header_fields import clean, safe_label
from gateway.message.headers.mailto import unsubscribe
from gateway.message.mime import protected
from gateway.message.model import Message, Part
from gateway.pages import message_heads
from gateway.pages.layout import Layout, MessagePage, of_message
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.context import Context
from gateway.rendition.links.destinations import phone_number
from gateway.rendition.selection import attachments
from gateway.rendition.wholes import ReadSection

#: The fraction of a page's octets that a subject or a sender may take.
_SHARE: Final = 10
#: Lines of the device's width that a title may take.
_TITLE_LINES: Final = 2
#: Characters of a link's short id (see `gateway.sealed.link_ids`), and of a ticket (see `gateway.sealed.vault`).
_ID: Final = 11
_TICKET: Final = 18


def _(msgid: str) -> str:
    return msgid


#: The actions on a page of a message, in order of appearance: label and key.
_ACTIONS: Final = {
    "edit": (_("Edit"), ""),
    "again": (_("Send again"), ""),
    "answer": (_("Accept or decline"), ""),
    "next": (_("Next"), KEYS["Next"]),
    "prev": (_("Prev"), KEYS["Prev"]),
    "reply": (_("Reply"), KEYS["Reply"]),
    "attachments": (_("Attachments"), KEYS["Attachments"]),
    "reply-all": (_("Reply all"), KEYS["Reply all"]),
    "forward": (_("Forward"), KEYS["Forward"]),
    "quick": (_("Quick reply"), KEYS["Quick reply"]),
    "older": (_("Next message"), KEYS["Next message"]),
    "delete": (_("Delete"), KEYS["Delete"]),
    "more": (_("More"), KEYS["More"]),
    "archive": (_("Archive"), KEYS["Archive"]),
    "unsubscribe": (_("Unsubscribe"), ""),
    "home": (_("Inbox"), BACK_KEY),
}
#: The actions that change something, and are posted with a ticket.
_POSTED: Final = frozenset({"delete", "archive"})
#: The actions that WML pages after the first also have.
_BRIEF: Final = frozenset({"edit", "next", "prev", "reply", "delete", "more", "home"})
#: The actions on softkeys: the first of them on the accept key.
_MAIN: Final = frozenset({"edit", "next", "reply", "delete"})


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """One page as sent; `compiled`: size of a WML deck in WBXML octets, None for XHTML."""

    octets: bytes
    content_type: str
    compiled: int | None


def reading_context(
    language: Language,
    *,
    fold: bool = True,
    unfolded: frozenset[str] = frozenset(),
    pictures: bool = True,
) -> Context:
    """Return the rendering context of a person who reads this language."""
    return Context(
        translate=language.gettext,
        ngettext=language.ngettext,
        timezone=language.zone,
        date=language.long_date,
        day=language.day,
        fold=fold,
        pictures=pictures,
        unfolded=unfolded,
    )


class MessageFrame:
    """Makes the screens around the pages of a message; what they share is made once, since several are measured.

    `own`: the reader's addresses; `files`: the attachments. The title of a deck is the sender: phones show title and
    text one below the other.
    """

    def __init__(
        self,
        message: Message,
        device: Device,
        language: Language,
        sentence: str = "",
        *,
        now: datetime | None = None,
        own: Collection[str] = (),
        files: Sequence[Part] = (),
    ) -> None:
        self._device, self._language, self._sentence = device, language, sentence
        room = device.deck_limit // _SHARE
        subject, who = _subject_and_sender(message, device, language.gettext)
        self._title = shorten(subject, device.columns * _TITLE_LINES)
        self._deck_title = shorten(who, device.columns)
        self._subject = _within(subject, room, device.charset)
        self._right_to_left = right_to_left(subject)
        self._who = _within(who, room, device.charset)
        self._when = message_heads.when(message, device, language, now)
        self._to = message_heads.to_whom(message.envelope, device, language, own)
        self._attached = message_heads.attached(files, device, language)
        self._others = message_heads.others_too(message.envelope, language, own)

    def screen(self, shown: MessagePage, actions: Sequence[Action]) -> Screen:
        """Return the screen around a page."""
        language = self._language
        first_deck = shown.first and self._device.markup == WML
        title = self._deck_title if first_deck else self._title
        head = message_heads.Head(
            subject=self._subject if shown.first else title,
            who=self._who,
            when=self._when,
            to=self._to,
            attached=self._attached,
            others=self._others,
            pages="" if shown.total == 1 else f"{shown.number}/{shown.total or '…'}",
        )
        head = message_heads.on_first_screen(head, self._device) if first_deck else head
        values = {
            "sentence": self._sentence,
            "first": shown.first,
            "subject": marked(head.subject),
            "right_to_left": self._right_to_left,
            "head": head,
            "body": shown.body,
        }
        return Screen(
            "message",
            title,
            values,
            tuple(actions),
            life=Life.PRIVATE,
            words=language.gettext,
            language=language.tag,
        )


def _subject_and_sender(message: Message, device: Device, translate: Callable[[str], str]) -> tuple[str, str]:
    _ = translate
    no_subject, nobody = (_("(no subject)"), _("(nobody)")) if message.readable else (_("(unreadable)"), "?")
    senders = message.envelope.from_ or message.envelope.sender
    who = safe_label(senders[0]) if senders else nobody
    return fit(clean(message.envelope.subject) or no_subject, device), fit(who, device)


def _within(text: str, octets: int, charset: str) -> str:
    """Shorten a text to about `octets` octets."""
    size = len(text.encode(charset, "xmlcharrefreplace"))
    return text if size <= octets else shorten(text, max(1, len(text) * octets // size))


def reading_actions(
    translate: Callable[[str], str], device: Device, shown: MessagePage, links: Mapping[str, str], ticket: str
) -> tuple[Action, ...]:
    """Return the actions on a page of a message: `links` are their targets by name; those without one are not offered.

    On WML the pages after the first are for reading on: the other actions of the first page are under More.
    """
    brief = device.markup == WML and not shown.first
    names = [name for name in _ACTIONS if links.get(name) and not (brief and name not in _BRIEF)]
    main = next(name for name in ("edit", "next", "reply") if name in names)
    actions = []
    for name in names:
        label, key = _ACTIONS[name]
        soft = (
            ("accept" if name == main else "options")
            if name in _MAIN and not (brief and name == "delete")
            else ""
        )
        posted = (("ticket", ticket),) if name in _POSTED else ()
        label = links["title"] if name == "home" else translate(label)
        actions.append(Action(label, links[name], key, soft, fields=posted))
    return tuple(actions)


def dial_link(url: str, device: Device) -> str:
    """Return a URL that dials a tel: URL's number (WTAI: WAP-170 §8.1, RFC 3966), '' if it is not a plain number."""
    number = phone_number(url)
    scheme = "wtai://wp/mc;" if device.markup == WML else "tel:"
    return scheme + number if number else ""


def _id_link(run: Run, device: Device) -> str:
    """Return an example target for a link, as long as the gateway's own: the link's page, by its id."""
    if run.link.startswith("tel:"):
        return dial_link(run.link, device)
    key = urlsafe_b64encode(sha256(run.link.encode("utf-8", "replace")).digest()).decode("ascii")[:_ID]
    return f"c{key}" if run.link.startswith("mailto:") else f"../l/{key}"


def message_layout(
    message: Message,
    octets: ReadSection,
    device: Device,
    *,
    fold: bool = True,
    language: Language | None = None,
) -> Layout:
    """Lay out a message that is in no mailbox, with example addresses like the gateway's own."""
    language = language or Language()
    _ = language.gettext

    found = attachments(message)
    around = MessageFrame(message, device, language, files=found)

    def link_target(block: Block, run: Run | None) -> str:
        if run is not None:
            return _id_link(run, device)
        original = block.kind is Kind.NOTE
        return f"o1.1.{block.target}" if original else _address(1, block.at) + "?u=" + block.target

    def frame(shown: MessagePage) -> Screen:
        links = _example_links(shown, message) | {"title": _("Inbox")}
        actions = reading_actions(_, device, shown, links, "0" * _TICKET)
        return around.screen(shown, actions)

    return of_message(message, octets, device, reading_context(language, fold=fold), frame, link_target)


def _example_links(shown: MessagePage, message: Message) -> dict[str, str]:
    """Return example targets like the gateway's own, for message 1 of mailbox 1."""
    return {
        "next": _address(shown.number + 1, shown.next) if shown.next else "",
        "prev": _address(shown.number - 1, shown.start) if shown.start else "",
        "reply": "r1.1",
        "attachments": "a1.1" if attachments(message) else "",
        "unsubscribe": "u1.1" if unsubscribe(message) else "",
        "reply-all": "r1.1.a" if len(message.envelope.to + message.envelope.cc) > 1 else "",
        "forward": "f1.1",
        "quick": "y1.1",
        "older": "j1.1.o",
        "delete": "x1.1.d",
        "archive": "x1.1.a",
        "more": "x1.1",
        "home": "i",
    }


def message_pages(
    message: Message,
    octets: ReadSection,
    device: Device,
    *,
    fold: bool = True,
    language: Language | None = None,
) -> Iterator[RenderedPage]:
    """Yield every page of a message as sent to a device."""
    message = protected.with_subject(message, octets)
    layout = message_layout(message, octets, device, fold=fold, language=language)
    for shown in layout.all():
        yield _rendered(layout.screen(shown), device)


def _address(number: int, position: Position) -> str:
    return f"m1.1.{number}.{position.encode()}"


def _rendered(screen: Screen, device: Device) -> RenderedPage:
    octets, content_type = markup.encode(screen, device)
    compiled = len(markup.compiled(screen, device)) if device.markup == WML else None
    return RenderedPage(octets, content_type, compiled)
