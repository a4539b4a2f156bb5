"""The message screen, and a whole message as pages without any server.

Nothing here may know a URL: the caller says which actions a page has and where blocks lead.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
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
from gateway.rendition.blocks import Block, Position, Run
from gateway.rendition.choose import attachments
from gateway.rendition.context import Context
from gateway.rendition.targets import phone_number

#: A subject or a sender takes at most this part of a page's octets, counted in characters.
_SHARE: Final = 10
#: Lines of the device's width that a title takes.
_TITLE_LINES: Final = 2
#: Characters of a link's short id (see `gateway.links`).
_ID: Final = 11


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
        return _id_link(run, device) if run is not None else _address(1, block.at) + "?u=" + block.target

    def frame(shown: MessagePage) -> Screen:
        actions = []
        if shown.next is not None:
            actions.append(Action(_("Next"), _address(shown.number + 1, shown.next), "#", "accept"))
        if shown.start is not None:
            actions.append(Action(_("Prev"), _address(shown.number - 1, shown.start), "*"))
        actions.append(Action(_("Reply"), "r1.1", "1", "options" if shown.next else "accept"))
        if attachments(message):
            actions.append(Action(_("Attachments"), "a1.1", "2"))
        actions.append(Action(_("Details"), "h1.1", "3"))
        if unsubscribe(message.headers):
            actions.append(Action(_("Unsubscribe"), "u1.1", "4"))
        actions.append(Action(_("Inbox"), "i", "0"))
        actions.append(Action(_("Sign out"), "bye?t=" + "0" * 18, "9"))
        return message_screen(message, shown, device, language, actions)

    return of_message(message, octets, device, reading_context(language, fold=fold), frame, lead)


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
