"""Protected header fields: the subject inside a signed part replaces a placeholder like "..." (RFC 9788).

Nothing here may be called for a message with a real subject of its own, or claim that a signature is valid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from gateway.message import media_types
from gateway.message.headers import header_fields
from gateway.message.mime import body, cms
from gateway.message.mime.part_tree import envelope_from_header
from gateway.message.model import Message, Part

#: What programs write in place of a subject (RFC 9788 §3.2.1, and drafts before it).
PLACEHOLDERS: Final = frozenset(
    ("...", "[...]", "…", "[…]", "encrypted message", "encrypted subject", "p≡p", "pep")
)
#: Types of an S/MIME body.
OPAQUE: Final = media_types.names(media_types.SMIME)
#: Octets of a body that are read to find the header in it.
_LOOK: Final = 64 * 1024


def with_subject(message: Message, octets: Callable[[str, int], Iterator[bytes]]) -> Message:
    """Return a message with the subject of its signed part, if its own is a placeholder."""
    if message.envelope.subject.strip().lower() not in PLACEHOLDERS:
        return message
    for part in message.root.walk():
        header = _header(part, octets)
        subject = envelope_from_header(header)[0].subject if header else ""
        if subject and subject.strip().lower() not in PLACEHOLDERS:
            return replace(message, envelope=replace(message.envelope, subject=header_fields.clean(subject)))
    return message


def _header(part: Part, octets: Callable[[str, int], Iterator[bytes]]) -> bytes:
    """Return the header of a part that may contain protected fields, b"" for any other part."""
    if part.media_type == "multipart/signed" and part.parts:
        inner = part.parts[0].section
        return next(octets(f"{inner}.MIME", 0), b"") if inner else b""
    if part.media_type in OPAQUE:
        content = cms.read_body(body.whole(part, octets(part.section, 0), _LOOK)[0], _LOOK)[1]
        return content.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return b""
