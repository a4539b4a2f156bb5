"""Attachments from the mailbox: parts of messages, and whole messages.

Nothing here may fetch an attachment before the mail is assembled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.errors import MessageGone
from gateway.message.headers import header_fields, parameters
from gateway.message.media_types import CALENDAR, MESSAGE
from gateway.message.mime import body, part_tree
from gateway.message.mime.disposition import besides_text
from gateway.message.model import Message, Part
from gateway.message.outgoing import builder
from gateway.store.base import MailStore, MessageRef

#: The words in the Content-Type of an answer to an invitation, and its maximum octets.
ANSWER_TYPE: Final = ("text/calendar;", "method=REPLY;", "charset=UTF-8")
ANSWER_CAP: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Enclosure:
    """An attachment from the mailbox: a part of a message, or all of it (`part` None)."""

    ref: MessageRef
    part: Part | None
    name: str
    octets: int
    alone: bool = False


def whole_message(ref: MessageRef, found: Message) -> Enclosure:
    """Return a whole message as an attachment."""
    return Enclosure(ref, None, f"{found.envelope.subject or 'message'}.eml", found.octets)


def enclosures(ref: MessageRef, found: Message, ornaments: bool = False) -> tuple[Enclosure, ...]:
    """Return all parts of a message besides its text; `ornaments` too, see `disposition.besides_text`."""
    return tuple(enclosure(ref, part, found) for part in besides_text(found.root, ornaments))


def enclosure(ref: MessageRef, part: Part, found: Message) -> Enclosure:
    """Return a part of a message as an attachment."""
    return Enclosure(ref, part, part.filename or _subject_of(part), part.octets, _is_alone(part, found))


def parts_of_draft(ref: MessageRef, found: Message) -> tuple[tuple[Enclosure, ...], Enclosure | None]:
    """Return the attachments of a draft, including the pictures of its page, and its `calendar_answer`."""
    answer = calendar_answer(ref, found)
    attached = enclosures(ref, found, ornaments=True)
    return tuple(one for one in attached if answer is None or one.part is not answer.part), answer


def calendar_answer(ref: MessageRef, found: Message) -> Enclosure | None:
    """Return the part of a draft that answers an invitation beside the text (RFC 6047 §2.4), as we write it."""
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


def raw_part(store: MailStore, enclosure: Enclosure) -> builder.OutgoingPart:
    """Fetch an attachment as it is in the mailbox."""
    if enclosure.part is None:
        return builder.Attached(enclosure.name, MESSAGE, b"".join(store.octets(enclosure.ref, "")))
    part = enclosure.part
    # A message with a single part has that part's fields in its own header.
    header = b"".join(store.octets(enclosure.ref, "HEADER" if enclosure.alone else f"{part.section}.MIME"))
    octets = b"".join(store.octets(enclosure.ref, part.section))
    if not octets and part.octets:
        raise MessageGone(f"section {part.section}")
    # QUIRK: for a part of an embedded message some servers return another header, or none.
    return builder.CopiedPart(header if _describes(header, part) else builder.mime_header(part), octets)


def _describes(header: bytes, part: Part) -> bool:
    """Return whether a MIME header is that of a part, by type and encoding."""
    found: dict[str, bytes] = {}
    for name, value in header_fields.fields(header)[0]:
        found.setdefault(name, value)
    written, _parameters = parameters.split(found.get("content-type", b"text/plain"))
    encoding = found.get("content-transfer-encoding", b"7bit").decode("ascii", "replace")
    return part_tree.media_type(written.encode()) == part.media_type and encoding.strip().lower() == (
        part.encoding or "7bit"
    )
