"""Attachments: which parts of a message a person would call so.

Nothing here may look at a body. By the tree alone: no bodies and their alternatives, no pictures that belong to
a page, no signatures, no reports (RFC 2183, RFC 2387, RFC 1847, RFC 6522).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.message.model import Part

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
#: Multiparts whose children are ways to say the same, or about the message rather than in it.
_NO_ATTACHMENTS: Final = (
    "multipart/alternative",
    "multipart/report",
    "multipart/encrypted",
    "multipart/digest",
)


def has_attachment(root: Part) -> bool:
    """Tell whether a message carries something to keep: no bodies, inline pictures, signatures or reports."""
    return any(True for _ in attachments(root))


def attachments(root: Part) -> Iterator[Part]:
    """Yield the parts that a person would call attachments, in order; embedded messages are one each."""
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
