"""Choosing: which parts of a message are read, in which order, and which stay attachments.

Nothing here may read a part to its end: at most the beginning of a text that may be an excuse. RFC 2046 §5.1
(mixed, alternative, digest), RFC 2387 (related), RFC 3462 (report), RFC 1847 (signed, encrypted).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from gateway.message.model import Message, Part
from gateway.message.structure import is_sealed
from gateway.rendition.loose import is_loose


class View(Enum):
    """How a part is read."""

    TEXT = auto()
    HTML = auto()
    ENRICHED = auto()
    MARKDOWN = auto()
    CALENDAR = auto()
    CARD = auto()
    DELIVERY = auto()
    NESTED = auto()
    PICTURE = auto()
    SIGNED = auto()
    ENCRYPTED = auto()
    LOOSE = auto()  # a multipart that nobody found parts in
    SEALED = auto()  # a message that lies in an encoding


@dataclass(frozen=True, slots=True)
class Reading:
    """One part to be read."""

    part: Part
    view: View


_VIEWS: Final[dict[str, View]] = {
    "text/html": View.HTML,
    "application/xhtml+xml": View.HTML,
    "text/x-amp-html": View.HTML,
    "text/enriched": View.ENRICHED,
    "text/richtext": View.ENRICHED,
    "text/markdown": View.MARKDOWN,
    "text/x-markdown": View.MARKDOWN,
    "text/calendar": View.CALENDAR,
    "text/vcard": View.CARD,
    "text/x-vcard": View.CARD,
    "text/directory": View.CARD,
    "message/delivery-status": View.DELIVERY,
    "message/global-delivery-status": View.DELIVERY,
    "message/rfc822": View.NESTED,
    "message/global": View.NESTED,
    "application/pkcs7-mime": View.ENCRYPTED,
    "application/x-pkcs7-mime": View.ENCRYPTED,
    "multipart/encrypted": View.ENCRYPTED,
}
_PICTURES: Final = frozenset(
    f"image/{kind}" for kind in ["jpeg", "jpg", "pjpeg", "png", "gif", "webp", "bmp", "avif", "x-ms-bmp"]
)
_PROSE: Final = frozenset(
    {"text/plain", "text/enriched", "text/richtext", "text/markdown", "text/x-markdown"}
)
#: Parts that belong to the protocol and are nothing to a person.
_PROTOCOL: Final = frozenset(
    [
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-encrypted",
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
        "text/x-amp-html",
        "text/watch-html",
    ]
)

#: A longer text is no excuse, characters; and octets of the part, encoded, that are not even looked at.
EXCUSE_LIMIT: Final = 700
EXCUSE_OCTETS: Final = 3 * EXCUSE_LIMIT
#: Fewer words than this beside an HTML part of so many times the size are an excuse, too.
FEW_WORDS: Final = 12
RATIO: Final = 20
_URL: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_WORD: Final = re.compile(r"\w{2,}")
_EXCUSE: Final = re.compile(
    r"(?:(?:not?|n['’]t|unable|cannot|kein\w*|nicht|pas|non?|não|nie|niet|не|inte|ikke|ei)\b[^.]{0,60}\bhtml"
    r"|\bhtml\b[^.]{0,60}\b(?:not|n['’]t|capable|enabled?|compatible|fähig\w*|nicht|kein\w*|kompatib\w*|"
    r"uniquement|only|activ\w*|format|unterstützt|поддерж\w*|formaat|formát\w*|formatie)"
    r"|\b(?:format|formato|im|in|en|au|w|formaat|формате|auf|requires?|view\w*|enable)\s+html\b"
    r"|\bhtml[- ](?:e-?mail|version|format|message|nachricht|viewer|client)"
    r"|\bthis is an html\b"
    r"|(?:view|read|open|see)\b[^.]{0,40}\b(?:in (?:your|a|the) (?:web )?browser|online)\b"
    r"|\b(?:im|in ihrem|online) (?:browser|ansehen|lesen)\b"
    r"|\b(?:dans votre|en tu|en su|nel|no seu|in uw|w) (?:navigateur|navegador|browser|przeglądarce)\b"
    r"|в браузере)",
    re.IGNORECASE,
)


def has_own_view(part: Part) -> bool:
    """Say whether positions in a part count its blocks: only plain text is read from an octet on."""
    return part.media_type in _VIEWS


def _is_multipart(part: Part) -> bool:
    return part.media_type.startswith("multipart/")


def _view(part: Part, alone: bool = False) -> View | None:
    """Say how a part that is no multipart is read; None for an attachment."""
    view = _VIEWS.get(part.media_type)
    if is_sealed(part.media_type, part.encoding):
        return View.SEALED
    if view in (View.NESTED, View.DELIVERY, View.ENCRYPTED):
        return view
    if part.media_type in _PICTURES:
        return View.PICTURE if part.disposition != "attachment" else None
    if part.maintype != "text":
        return None
    if view in (View.CALENDAR, View.CARD):
        return view
    if not alone and part.disposition == "attachment":
        return None
    named = bool(part.filename) and part.disposition != "inline"
    if view is None and named and not alone and part.media_type not in _PROSE:
        return None
    return view or (View.TEXT if part.media_type not in ("text/rtf", "text/css") else None)


def _leaf(part: Part, wanted: Callable[[Part], bool]) -> Part | None:
    """Return the first part below that is wanted, without entering embedded messages."""
    waiting = [part]
    while waiting:
        part = waiting.pop()
        if wanted(part):
            return part
        if _is_multipart(part):
            waiting.extend(reversed(part.parts))
    return None


def _html_of(part: Part) -> Part | None:
    return _leaf(
        part, lambda leaf: leaf.media_type in ("text/html", "application/xhtml+xml") and leaf.octets > 0
    )


def _prose_of(part: Part) -> Part | None:
    return _leaf(part, lambda leaf: leaf.media_type in _PROSE)


def is_excuse(text: str, html_octets: int) -> bool:
    """Say whether a text part holds nothing, or only that there is an HTML part."""
    said = text.strip()
    if not said or said[:200].lower().startswith(("<html", "<!doctype html", "<div", "<table")):
        return True
    if len(said) >= EXCUSE_LIMIT:
        return False
    prose = _URL.sub("", said)
    words = len(_WORD.findall(prose))
    if words == 0:
        return True
    if _EXCUSE.search(prose) is not None and words < 100:
        return True
    return words < FEW_WORDS and html_octets > RATIO * len(said) and html_octets > 4096


def _root_of(related: Part) -> tuple[Part, ...]:
    """Return the root of a multipart/related (RFC 2387 §3.2)."""
    start = related.parameters.get("start", "").strip("<> ")
    for part in related.parts:
        if start and part.content_id.strip("<> ") == start:
            return (part,)
    # QUIRK: some put an attachment first; the root is what can be read
    readable = [part for part in related.parts if _html_of(part) or _prose_of(part)]
    return tuple((readable or list(related.parts))[:1])


class Chooser:
    """Chooses the parts to read. `peek` returns the beginning of a text part, decoded."""

    def __init__(self, root: Part, peek: Callable[[Part], str], start_section: str | None = None) -> None:
        self._root = root
        self._peek = peek
        self._start = start_section
        self._started = start_section is None
        self._calendar = False

    def readings(self) -> Iterator[Reading]:
        """Yield the parts to read, in order, from the one in the start section on."""
        waiting = [self._root]
        while waiting:
            part = waiting.pop()
            reading, further = self._opened(part)
            if reading is not None:
                self._started = self._started or part.section == self._start
                if self._started:
                    yield reading
            waiting.extend(reversed(further))

    def _opened(self, part: Part) -> tuple[Reading | None, tuple[Part, ...]]:
        """Return how a part is read, and which parts below it are to be looked at."""
        if part.media_type != "multipart/encrypted" and is_loose(part):
            return Reading(part, View.LOOSE), part.parts
        match part.media_type:
            case "multipart/alternative":
                return None, self._best(part)
            case "multipart/related":
                return None, _root_of(part)
            case "multipart/signed":
                return Reading(part, View.SIGNED), part.parts[:1]
            case "multipart/encrypted":
                return Reading(part, View.ENCRYPTED), ()
            case "multipart/report":
                return None, part.parts[:2]
        if _is_multipart(part):
            return None, part.parts
        view = _view(part, alone=part is self._root)
        if view is View.CALENDAR:
            if self._calendar:
                return None, ()
            self._calendar = True
        if view is None:
            return None, ()
        return Reading(part, view), part.parts if view is View.NESTED else ()

    def _best(self, alternative: Part) -> tuple[Part, ...]:
        """Choose the one part of multipart/alternative that says most in least; an invitation beside it stays."""
        parts = alternative.parts
        invitations = tuple(part for part in parts if part.media_type == "text/calendar")
        if not self._started:
            for part in parts:
                if any(inner.section == self._start for inner in part.walk()):
                    return (part, *(other for other in invitations if other is not part))
        prose = next((part for part in parts if _html_of(part) is None and _prose_of(part) is not None), None)
        html = next((part for part in reversed(parts) if _html_of(part) is not None), None)
        if prose is None or html is None:
            best = prose or html
            return (best, *invitations) if best is not None else parts[-1:]
        excused = self._started and self._is_excuse(prose, html)
        return (html if excused else prose, *invitations)

    def _is_excuse(self, prose: Part, html: Part) -> bool:
        text, page = _prose_of(prose), _html_of(html)
        if text is None or page is None or text.octets > EXCUSE_OCTETS:
            return False
        return text.octets == 0 or is_excuse(self._peek(text), page.octets)


def attachments(message: Message) -> tuple[Part, ...]:
    """Return the parts that are not read with the message, in order."""
    found: list[Part] = []
    waiting: list[tuple[Part, str]] = [(message.root, "")]
    while waiting:
        part, above = waiting.pop()
        if _is_multipart(part):
            waiting.extend((inner, part.media_type) for inner in reversed(part.parts))
        elif part.media_type in ("message/rfc822", "message/global"):
            sealed = is_sealed(part.media_type, part.encoding)
            if part.disposition == "attachment" or above == "multipart/report" or sealed:
                found.append(part)
            if above != "multipart/report":
                waiting.extend((inner, "") for inner in reversed(part.parts))
        elif _is_attached(part, above, alone=part is message.root):
            found.append(part)
    return tuple(found)


def _is_attached(part: Part, above: str, alone: bool) -> bool:
    if part.media_type in _PROTOCOL:
        return False
    if part.maintype == "image" and above == "multipart/related" and part.content_id:
        return part.disposition == "attachment"
    view = _view(part, alone)
    if view in (View.CALENDAR, View.CARD):
        return bool(part.filename)
    if above == "multipart/alternative" and view is not None:
        return False
    return view in (None, View.PICTURE, View.ENCRYPTED)


def pictures(root: Part) -> dict[str, str]:
    """Return the sections of embedded pictures by their Content-ID, which "cid:" URLs name (RFC 2392)."""
    return {
        part.content_id.strip("<> "): part.section
        for part in root.walk()
        if part.content_id and part.media_type in _PICTURES
    }
