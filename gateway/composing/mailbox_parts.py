"""Attachments from the mailbox: parts of messages, and whole messages.

Nothing here may fetch an attachment before the mail is assembled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.errors import MessageGone
from gateway.message.media_types import CALENDAR, MESSAGE
from gateway.message.mime import body
from gateway.message.mime.disposition import REAL_PICTURE, attachments
from gateway.message.model import Message, Part
from gateway.message.outgoing import builder
from gateway.store.base import MailStore, MessageRef

#: The words of the Content-Type of an answer to an invitation, and its octets at most.
ANSWER_TYPE: Final = ("text/calendar;", "method=REPLY;", "charset=UTF-8")
ANSWER_CAP: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Enclosure:
    """An attachment from the mailbox: a part of a message, or (`part` None) all of it."""

    ref: MessageRef
    part: Part | None
    name: str
    octets: int
    alone: bool = False


def whole_message(ref: MessageRef, found: Message) -> Enclosure:
    """Return a whole message as an attachment."""
    return Enclosure(ref, None, f"{found.envelope.subject or 'message'}.eml", found.octets)


def enclosures(ref: MessageRef, found: Message) -> tuple[Enclosure, ...]:
    """Return the parts of a message other than its text: files, messages, and inline images large enough to matter."""
    chosen = {id(part) for part in attachments(found.root)}
    return tuple(
        Enclosure(ref, part, part.filename or _subject_of(part), part.octets, _is_alone(part, found))
        for part in _outer(found.root)
        if id(part) in chosen or _is_picture(part)
    )


def calendar_answer(ref: MessageRef, found: Message) -> Enclosure | None:
    """Return the other form of a draft's text that answers an invitation (RFC 6047 §2.4), as we write it."""
    if found.root.media_type != "multipart/alternative":
        return None
    for part in found.root.parts:
        named = part.parameters.get("method", "").upper(), part.parameters.get("charset", "").lower()
        if part.media_type == CALENDAR and named == ("REPLY", "utf-8"):
            return Enclosure(ref, part, "", part.octets)
    return None


def alternative(store: MailStore, enclosure: Enclosure) -> builder.Alternative:
    """Fetch another form of the text from a draft."""
    if enclosure.part is None:
        raise ValueError("a whole message is no form of a text")
    octets, _was_cut = body.whole(
        enclosure.part, store.octets(enclosure.ref, enclosure.part.section), ANSWER_CAP
    )
    return builder.Alternative(ANSWER_TYPE, octets)


def _is_alone(part: Part, found: Message) -> bool:
    """Return whether a part is all of a message that is not embedded in another one."""
    return part is found.root and "." not in part.section


def _subject_of(part: Part) -> str:
    return part.envelope.subject if part.envelope is not None else ""


def _is_picture(part: Part) -> bool:
    return part.maintype == "image" and bool(part.content_id) and part.octets >= REAL_PICTURE


def _outer(root: Part) -> Iterator[Part]:
    """Yield the leaves of a message; an embedded message is a leaf."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.maintype == "multipart":
            waiting.extend(reversed(part.parts))
        else:
            yield part


def raw_part(store: MailStore, enclosure: Enclosure) -> builder.Part:
    """Fetch an attachment as it is in the mailbox."""
    if enclosure.part is None:
        return builder.Attached(enclosure.name, MESSAGE, b"".join(store.octets(enclosure.ref, "")))
    section = enclosure.part.section
    header = b"" if enclosure.alone else b"".join(store.octets(enclosure.ref, f"{section}.MIME"))
    if enclosure.alone:  # a message of a single part has that part's fields in its own header
        header = b"".join(store.octets(enclosure.ref, "HEADER"))
    octets = b"".join(store.octets(enclosure.ref, section))
    if not octets and enclosure.part.octets:
        raise MessageGone(f"section {section}")
    return builder.CopiedPart(header, octets)
