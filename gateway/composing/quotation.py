"""The text of a message for quoting and forwarding.

Nothing here may fetch more of a message than it quotes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from gateway.composing.author import Author
from gateway.composing.mailbox_parts import Enclosure, enclosure
from gateway.message.headers.header_fields import safe_label
from gateway.message.model import Message
from gateway.message.outgoing import reply as replies
from gateway.rendition.blocks import Kind
from gateway.rendition.rendering import render
from gateway.store.base import MailStore, MessageRef

#: Maximum characters of the original to quote in a reply, and to forward as text.
QUOTED: Final = 10 * 1024
FORWARDED: Final = 200_000


class Quoted(NamedTuple):
    """The text of a message, and those of its parts that are cut off in it."""

    text: str
    rest: tuple[Enclosure, ...] = ()


def plain_text(author: Author, ref: MessageRef, found: Message, store: MailStore, most: int) -> str:
    """Render a message as plain text: at most `most` characters, and the rest of the paragraph."""
    return _rendered(author, ref, found, store, most)[0]


def _rendered(
    author: Author, ref: MessageRef, found: Message, store: MailStore, most: int
) -> tuple[str, set[str]]:
    """Return the text of a message, and the sections that are cut off in it."""

    def octets(section: str, start: int) -> Iterator[bytes]:
        return store.octets(ref, section, start)

    lines: list[str] = []
    cut: set[str] = set()
    length = 0
    for block in render(found, author.reading, octets):
        text = ("> " * block.quote + (f"{block.marker} " if block.marker else "") + block.text).rstrip()
        lines.extend((text, ""))
        length += len(text)
        cut |= {block.target} if block.kind is Kind.NOTE else set()
        if length > most:
            lines.append("[…]")
            cut.add(block.at.section)
            break
    return "\n".join(lines).strip(), cut


def quotation(author: Author, ref: MessageRef, found: Message, store: MailStore) -> Quoted:
    """Quote the original's text, at most QUOTED characters of it."""
    senders = found.envelope.from_ or found.envelope.sender
    attribution = author.language.gettext("On %(date)s, %(who)s wrote:") % {
        "date": _date(author, found),
        "who": safe_label(senders[0]) if senders else author.language.gettext("(nobody)"),
    }
    text = plain_text(author, ref, found, store, QUOTED)
    return Quoted(replies.quote(text, attribution, QUOTED))


def forwarded(author: Author, ref: MessageRef, found: Message, store: MailStore) -> Quoted:
    """Return the text of a message to forward; parts that are cut off in it are attached unchanged."""
    text, cut = _rendered(author, ref, found, store, FORWARDED)
    texts = [part for part in found.root.walk() if part.section in cut and part.maintype == "text"]
    text = replies.forwarded(found, text, _date(author, found), author.language.gettext)
    return Quoted(text, tuple(enclosure(ref, part, found) for part in texts))


def _date(author: Author, found: Message) -> str:
    return author.language.long_date(found.envelope.date or found.received)
