"""The message screen, and a whole message as pages without any server.

Nothing here may know a URL: the caller says which actions a page has and where blocks lead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from gateway import markup
from gateway.device import WML, Device
from gateway.language import Language
from gateway.markup.layout import Layout, MessagePage, Octets
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import clean, safe_label
from gateway.message.model import Message
from gateway.rendition.blocks import Block, Position, Run
from gateway.rendition.context import Context

#: A subject or a sender takes at most this part of a page's octets, counted in characters.
_SHARE: Final = 10
#: Lines of the device's width that a title takes.
_TITLE_LINES: Final = 2
#: Octets of an address outside that a WML deck can afford for a link.
LONGEST_HREF: Final = 200


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """One page as sent; `compiled` is the size of a WML deck in WBXML octets, None for XHTML."""

    octets: bytes
    content_type: str
    compiled: int | None


def reading_context(
    language: Language, *, fold: bool = True, unfolded: frozenset[str] = frozenset()
) -> Context:
    """Say how somebody of this language reads."""
    return Context(
        translate=language.gettext,
        ngettext=language.ngettext,
        timezone=language.zone,
        date=language.long_date,
        fold=fold,
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
    subject = clean(message.envelope.subject) or _("(no subject)")
    senders = message.envelope.from_ or message.envelope.sender
    who = safe_label(senders[0]) if senders else _("(nobody)")
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


def outside_link(run: Run, device: Device) -> str:
    """Lead to where a link of the sender's leads, if the device's pages can hold the address."""
    return run.link if device.markup != WML or len(run.link) <= LONGEST_HREF else ""


def message_pages(
    message: Message,
    octets: Octets,
    device: Device,
    *,
    fold: bool = True,
    language: Language | None = None,
    zone: tzinfo | None = None,
) -> Iterator[RenderedPage]:
    """Yield every page of a message as a device would get it, with addresses as the gateway would give."""
    language = Language(
        language.tag if language else "en", zone or (language.zone if language else Language().zone)
    )
    _ = language.gettext

    def lead(block: Block, run: Run | None) -> str:
        return outside_link(run, device) if run is not None else _address(1, block.at) + "?u=" + block.target

    def frame(shown: MessagePage) -> Screen:
        actions = []
        if shown.next is not None:
            actions.append(Action(_("Next"), _address(shown.number + 1, shown.next), "#", "accept"))
        if shown.start is not None:
            actions.append(Action(_("Prev"), _address(shown.number - 1, shown.start), "*"))
        actions.append(Action(_("Reply"), "r1.1", "1", "options" if shown.next else "accept"))
        actions.append(Action(_("Inbox"), "i", "0"))
        actions.append(Action(_("Sign out"), "bye?t=" + "0" * 18, "9"))
        return message_screen(message, shown, device, language, actions)

    layout = Layout(message, octets, device, reading_context(language, fold=fold), frame, lead)
    for shown in layout.all():
        yield _rendered(layout.screen(shown), device)


def _address(number: int, position: Position) -> str:
    return f"m1.1.{number}.{position.encode()}"


def _rendered(screen: Screen, device: Device) -> RenderedPage:
    octets, content_type = markup.encode(screen, device)
    compiled = len(markup.compiled(screen, device)) if device.markup == WML else None
    return RenderedPage(octets, content_type, compiled)
