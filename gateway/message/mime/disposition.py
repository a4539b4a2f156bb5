"""Decides which parts of a message a person would call attachments.

Nothing here may look at a body. The tree alone decides: bodies and their alternatives, pictures that belong to a page,
signatures and reports are not attachments (RFC 2183, RFC 2387, RFC 1847, RFC 6522).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from gateway.message import media_types
from gateway.message.model import Part

#: Octets, encoded, from which on a picture inside a page counts; smaller ones are ornaments, logos or trackers.
REAL_PICTURE: Final = 4000
_SIGNATURES: Final = frozenset((
    *media_types.SIGNATURES,
    *media_types.names(media_types.SMIME),
    media_types.PGP_ENCRYPTED,
    media_types.PGP_KEYS,
))  # fmt: skip
_FORMATTED: Final = (media_types.HTML, *media_types.ENRICHED)
_BODIES: Final = (media_types.TEXT, *_FORMATTED, media_types.MARKDOWN, media_types.WATCH)
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
    return part.media_type != media_types.CALENDAR or part.filename != ""


def besides_text(root: Part, ornaments: bool = False) -> Iterator[Part]:
    """Yield everything that a mail's text does not say, in order; an embedded message is one part.

    Left out: its text in any form, and signatures that would no longer sign anything. `ornaments`: include the style
    sheets and fonts of a page.
    """
    waiting: list[tuple[Part, str]] = [(root, "")]
    first = True
    unread: set[int] = set()
    while waiting:
        part, within = waiting.pop()
        if part.maintype == "multipart":
            unread.update(map(id, _unread_texts(part)))
            waiting.extend((child, part.media_type) for child in reversed(part.parts))
            continue
        detached = within == "multipart/signed" and part.media_type in _SIGNATURES
        is_text = id(part) not in unread and _is_text(part, within, first)
        if not is_text and not detached and (ornaments or not _is_ornament(part, within)):
            yield part
        first = False


def has_html(root: Part) -> bool:
    """Return whether a mail's text has an HTML or other formatted form."""
    left = {id(part) for part in besides_text(root)}
    return any(part.media_type in _FORMATTED and id(part) not in left for part in root.walk())


def _unread_texts(parent: Part) -> Sequence[Part]:
    """Return the texts that nobody sees: the same form a second time, and pages that belong to another page."""
    if parent.media_type == "multipart/alternative":
        plain = [part for part in parent.parts if part.media_type == media_types.TEXT]
        return (*plain[1:], *[part for part in parent.parts if part.media_type == media_types.HTML][:-1])
    if parent.media_type != "multipart/related":
        return ()
    start = parent.parameters.get("start", "").strip("<> ")
    texts = [part for part in parent.parts if part.maintype in ("text", "multipart")]
    named = [part for part in texts if start and part.content_id.strip("<> ") == start]
    root = next(iter(named or texts), None)
    return [part for part in texts if part.content_id and part is not root]


def _is_text(part: Part, within: str, first: bool) -> bool:
    if part.media_type not in (*_BODIES, media_types.AMP) or part.disposition == "attachment":
        return False
    if within == "multipart/encrypted":
        return False
    return first or not part.filename or part.content_id != "" or within == "multipart/alternative"


def _is_ornament(part: Part, within: str) -> bool:
    """Return whether a part is only for the looks of a page."""
    if within != "multipart/related" or not part.content_id:
        return False
    return part.maintype == "font" or part.media_type == "text/css"
