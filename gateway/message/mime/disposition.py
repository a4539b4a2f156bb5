"""Decides which parts of a message a person would call attachments.

Nothing here may look at a body. By the tree alone: not bodies and their alternatives, pictures that belong to
a page, signatures or reports (RFC 2183, RFC 2387, RFC 1847, RFC 6522).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.message.model import Part

#: Octets, encoded, of a picture inside a page that is one: less is an ornament, a logo or a tracker.
REAL_PICTURE: Final = 4000
_SIGNATURES: Final = frozenset(
    (
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
        "application/pgp-encrypted",
        "application/pgp-keys",
    )
)
_BODIES: Final = (
    "text/plain",
    "text/html",
    "text/enriched",
    "text/richtext",
    "text/markdown",
    "text/watch-html",
)
#: Multiparts whose children are alternatives, or about the message rather than in it.
_NO_ATTACHMENTS: Final = (
    "multipart/alternative",
    "multipart/report",
    "multipart/encrypted",
    "multipart/digest",
)


def has_attachment(root: Part) -> bool:
    """Return whether a message has attachments."""
    return any(True for _ in attachments(root))


def attachments(root: Part) -> Iterator[Part]:
    """Yield the parts that a person would call attachments, in order; an embedded message is one."""
    waiting: list[tuple[Part, str]] = [(root, "")]
    first = True
    while waiting:
        part, within = waiting.pop()
        if part.maintype == "multipart" and part.parts:
            waiting.extend((child, part.media_type) for child in reversed(part.parts))
            continue
        if _is_attachment(part, within, first):
            yield part
        first = False


def _is_attachment(part: Part, within: str, first: bool) -> bool:
    if part.media_type in _SIGNATURES or within in _NO_ATTACHMENTS or part.maintype == "multipart":
        return False
    if part.disposition == "attachment" and not (within == "multipart/related" and part.content_id):
        return True
    if part.media_type in _BODIES:
        return not first and part.filename != "" and not part.content_id
    if part.content_id and (within == "multipart/related" or part.disposition == "inline"):
        return part.maintype not in ("image", "text", "font", "video", "audio", "application")
    return part.media_type != "text/calendar" or part.filename != ""
