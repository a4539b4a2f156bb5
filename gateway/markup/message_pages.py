"""The message screen, and a whole message as pages without any server.

Nothing here may know a URL: the caller says which actions a page has and where blocks lead.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from hashlib import sha256
from typing import Final

from gateway import markup
from gateway.device import WML, Device
from gateway.language import Language
from gateway.markup.layout import Layout, MessagePage, Octets, of_message
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import clean, safe_label
from gateway.message.mailto import unsubscribe
from gateway.message.model import Message
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.choose import attachments
from gateway.rendition.context import Context
from gateway.rendition.targets import phone_number

#: A subject or a sender takes at most this part of a page's octets, counted in characters.
_SHARE: Final = 10
#: Lines of the device's width that a title takes.
_TITLE_LINES: Final = 2
#: Characters of a link's short id (see `gateway.links`), and of a ticket (see `gateway.vault`).
_ID: Final = 11
_TICKET: Final = 18


def _(msgid: str) -> str:
    return msgid


#: What can be done from a page of a message, in the order in which it stands there: label and key.
_WAYS: Final = {
    "edit": (_("Edit"), "1"),
    "next": (_("Next"), "#"),
    "prev": (_("Prev"), "*"),
    "reply": (_("Reply"), "1"),
    "attachments": (_("Attachments"), "2"),
    "details": (_("Details"), "3"),
    "unsubscribe": (_("Unsubscribe"), "4"),
    "quick": (_("Quick reply"), "5"),
    "older": (_("Next message"), "6"),
    "delete": (_("Delete"), "7"),
    "more": (_("More"), "8"),
    "home": (_("Inbox"), "0"),
}
#: What of it stands on the pages after the first on WML too.
_BRIEF: Final = frozenset({"edit", "next", "prev", "reply", "delete", "more", "home"})
#: What a softkey leads to: the first of them on the accept key.
_MAIN: Final = frozenset({"edit", "next", "reply"})


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """One page as sent; `compiled` is the size of a WML deck in WBXML octets, None for XHTML."""

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
    """Say how somebody of this language reads."""
    return Context(
        translate=language.gettext,
        ngettext=language.ngettext,
        timezone=language.zone,
        date=language.long_date,
        fold=fold,
        pictures=pictures,
        unfolded=unfolded,
    )


def message_screen(
    message: Message,
    shown: MessagePage,
    device: Device,
    language: Language,
    actions: Sequence[Action],
    sentence: str = "",
) -> Screen:
    """Make the screen around a page of a message."""
    _ = language.gettext
    room = device.deck_limit // _SHARE
    subject = fit(clean(message.envelope.subject) or _("(no subject)"), device)
    senders = message.envelope.from_ or message.envelope.sender
    who = fit(safe_label(senders[0]) if senders else _("(nobody)"), device)
    title = shorten(subject, device.columns * _TITLE_LINES)
    values = {
        "sentence": sentence,
        "first": shown.first,
        "subject": shorten(subject, room) if shown.first else title,
        "who": shorten(who, room),
        "date": language.long_date(message.envelope.date or message.received),
        "pages": "" if shown.total == 1 else f"{shown.number}/{shown.total or '…'}",
        "body": shown.body,
    }
    return Screen("message", title, values, tuple(actions), life=Life.PRIVATE, words=_, language=language.tag)


def reading_actions(
    translate: Callable[[str], str], device: Device, shown: MessagePage, ways: Mapping[str, str], ticket: str
) -> tuple[Action, ...]:
    """Say what can be done from a page of a message: `ways` leads there by name, and what it lacks is not offered.

    On WML what follows the first page is for reading on: what that page offers besides is More away.
    """
    brief = device.markup == WML and not shown.first
    names = [name for name in _WAYS if ways.get(name) and not (brief and name not in _BRIEF)]
    main = next(name for name in ("edit", "next", "reply") if name in names)
    actions = []
    for name in names:
        label, key = _WAYS[name]
        soft = ("accept" if name == main else "options") if name in _MAIN else ""
        posted = (("ticket", ticket),) if name == "delete" else ()
        label = ways["title"] if name == "home" else translate(label)
        actions.append(Action(label, ways[name], key, soft, fields=posted))
    return tuple(actions)


def dialled(url: str, device: Device) -> str:
    """Lead to the phone's dialling for a tel: URL (WTAI: WAP-170 §8.1, RFC 3966), '' for what is no plain number."""
    number = phone_number(url)
    scheme = "wtai://wp/mc;" if device.markup == WML else "tel:"
    return scheme + number if number else ""


def _id_link(run: Run, device: Device) -> str:
    """Lead where the gateway would: to the page of a link, by an id of the same length."""
    if run.link.startswith("tel:"):
        return dialled(run.link, device)
    key = urlsafe_b64encode(sha256(run.link.encode("utf-8", "replace")).digest()).decode("ascii")[:_ID]
    return f"c{key}" if run.link.startswith("mailto:") else f"../l/{key}"


def message_layout(
    message: Message,
    octets: Octets,
    device: Device,
    *,
    fold: bool = True,
    language: Language | None = None,
    zone: tzinfo | None = None,
) -> Layout:
    """Lay out a message that is in no mailbox, with addresses like those that the gateway would give."""
    language = Language(
        language.tag if language else "en", zone or (language.zone if language else Language().zone)
    )
    _ = language.gettext

    def lead(block: Block, run: Run | None) -> str:
        if run is not None:
            return _id_link(run, device)
        original = block.kind is Kind.NOTE
        return f"o1.1.{block.target}" if original else _address(1, block.at) + "?u=" + block.target

    def frame(shown: MessagePage) -> Screen:
        ways = _example_ways(shown, message) | {"title": _("Inbox")}
        actions = reading_actions(_, device, shown, ways, "0" * _TICKET)
        return message_screen(message, shown, device, language, actions)

    return of_message(message, octets, device, reading_context(language, fold=fold), frame, lead)


def _example_ways(shown: MessagePage, message: Message) -> dict[str, str]:
    """Lead where the gateway would, for message 1 of mailbox 1."""
    return {
        "next": _address(shown.number + 1, shown.next) if shown.next else "",
        "prev": _address(shown.number - 1, shown.start) if shown.start else "",
        "reply": "r1.1",
        "attachments": "a1.1" if attachments(message) else "",
        "details": "h1.1",
        "unsubscribe": "u1.1" if unsubscribe(message.headers) else "",
        "quick": "y1.1",
        "older": "j1.1.o",
        "delete": "x1.1.d",
        "more": "x1.1",
        "home": "i",
    }


def message_pages(
    message: Message,
    octets: Octets,
    device: Device,
    *,
    fold: bool = True,
    language: Language | None = None,
    zone: tzinfo | None = None,
) -> Iterator[RenderedPage]:
    """Yield every page of a message as a device would get it."""
    layout = message_layout(message, octets, device, fold=fold, language=language, zone=zone)
    for shown in layout.all():
        yield _rendered(layout.screen(shown), device)


def _address(number: int, position: Position) -> str:
    return f"m1.1.{number}.{position.encode()}"


def _rendered(screen: Screen, device: Device) -> RenderedPage:
    octets, content_type = markup.encode(screen, device)
    compiled = len(markup.compiled(screen, device)) if device.markup == WML else None
    return RenderedPage(octets, content_type, compiled)
