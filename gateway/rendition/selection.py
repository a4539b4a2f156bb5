"""Selection: which parts of a message are read, in which order, and which are attachments.

Nothing here may read a whole part: at most the beginning of a text that may be an excuse. RFC 2046 §5.1
(mixed, alternative, digest), RFC 2387 (related), RFC 3462 (report), RFC 1847 (signed, encrypted).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from gateway.message import media_types
from gateway.message.mime.part_tree import MESSAGES, is_encoded_message
from gateway.message.model import Message, Part
from gateway.rendition import alternatives
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
    DISPOSITION = auto()
    FEEDBACK = auto()
    NESTED = auto()
    PICTURE = auto()
    SIGNED = auto()
    ENCRYPTED = auto()
    LOOSE = auto()  # a multipart in which no part was found
    SEALED = auto()  # an encoded message


@dataclass(frozen=True, slots=True)
class SelectedPart:
    """One part to be read."""

    part: Part
    view: View


#: Reports for programs, which are also read to a person.
_REPORTS: Final = {
    "message/delivery-status": View.DELIVERY,
    "message/global-delivery-status": View.DELIVERY,
    "message/disposition-notification": View.DISPOSITION,
    "message/global-disposition-notification": View.DISPOSITION,
    "message/feedback-report": View.FEEDBACK,
}
_VIEWS: Final[dict[str, View]] = {
    **dict.fromkeys((*media_types.names(media_types.HTML), media_types.AMP), View.HTML),
    **dict.fromkeys(media_types.ENRICHED, View.ENRICHED),
    **dict.fromkeys(media_types.names(media_types.MARKDOWN), View.MARKDOWN),
    media_types.CALENDAR: View.CALENDAR,
    media_types.CONTACT: View.CARD,
    "text/x-vcard": View.CARD,
    "text/directory": View.CARD,
    **_REPORTS,
    **dict.fromkeys(MESSAGES, View.NESTED),
    **dict.fromkeys(media_types.names(media_types.SMIME), View.ENCRYPTED),
    "multipart/encrypted": View.ENCRYPTED,
}
_PICTURES: Final = frozenset(
    name for row in media_types.TABLE if row.look is media_types.Look.PICTURE for name in row.names
)
_PROSE: Final = frozenset({media_types.TEXT, *media_types.ENRICHED, *media_types.names(media_types.MARKDOWN)})
#: Parts for programs, without interest to a person.
_PROTOCOL: Final = frozenset((
    *media_types.SIGNATURES,
    *_REPORTS,
    media_types.PGP_ENCRYPTED,
    media_types.AMP,
    media_types.WATCH,
))  # fmt: skip

#: Octets of each alternative that are compared, encoded; a longer text is read without comparison.
COMPARED: Final = 64 * 1024


#: The first ordinal of a page that is labelled as plain text, beyond any offset into a text.
PAGE_ORDINAL: Final = 36**6
#: The first ordinal of a text that consists of the parts of a multipart.
PARTS_ORDINAL: Final = 2 * 36**6


def has_own_view(part: Part, start: int = 0) -> bool:
    """Return whether a position in a part counts its blocks; in plain text it is an octet offset."""
    return part.media_type in _VIEWS or start >= PAGE_ORDINAL


def _is_multipart(part: Part) -> bool:
    return part.media_type.startswith("multipart/")


def _view(part: Part, alone: bool = False) -> View | None:
    """Return how a part that is not a multipart is read; None for an attachment."""
    view = _VIEWS.get(part.media_type)
    if is_encoded_message(part.media_type, part.encoding):
        return View.SEALED
    if view in (View.NESTED, View.DELIVERY, View.DISPOSITION, View.FEEDBACK, View.ENCRYPTED):
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
    """Return the first part in the tree that is wanted, without entering embedded messages."""
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
        part, lambda leaf: leaf.media_type in media_types.names(media_types.HTML) and leaf.octets > 0
    )


def _prose_of(part: Part) -> Part | None:
    return _leaf(part, lambda leaf: leaf.media_type in _PROSE)


#: Multiparts of which only some parts are read.
_CHOSEN_FROM: Final = ("multipart/alternative", "multipart/related")
#: Octets of an empty text: line ends, a space.
_NOTHING: Final = 8


def _root_of(related: Part) -> tuple[Part, ...]:
    """Return the root of a multipart/related (RFC 2387 §3.1, §3.2), and any texts added after it."""
    start = related.parameters.get("start", "").strip("<> ")
    media_type = related.parameters.get("type", "").strip().lower()
    # QUIRK: some put an attachment or an empty text first, whatever they name: take what can be read
    readable = [part for part in related.parts if _is_readable(part)]
    named = [part for part in readable if start and part.content_id.strip("<> ") == start]
    typed = [part for part in readable if part.media_type == media_type]
    root = next(iter(named or typed or readable or related.parts), None)
    if root is None:
        return ()
    behind = related.parts[related.parts.index(root) + 1 :]
    return (root, *(part for part in behind if _is_added(part)))


def _is_readable(part: Part) -> bool:
    """Return whether a part, or one below it, has text that is not an attachment."""
    return (
        _leaf(part, lambda leaf: (_is_page(leaf) or leaf.media_type in _PROSE) and _says_something(leaf))
        is not None
    )


def _is_page(leaf: Part) -> bool:
    return _VIEWS.get(leaf.media_type) is View.HTML


def has_more(root: Part) -> bool:
    """Return whether text may have been left out: hidden in HTML, in another form, or attached."""
    return any(
        _is_page(part)
        or part.media_type in _CHOSEN_FROM
        or (part.maintype == "text" and part.disposition == "attachment")
        for part in root.walk()
    )


def _says_something(leaf: Part) -> bool:
    return leaf.disposition != "attachment" and leaf.octets > (0 if _is_page(leaf) else _NOTHING)


def _is_added(part: Part) -> bool:
    """Return whether a plain text in a multipart/related was added, as mailing lists add footers."""
    return (
        part.media_type == "text/plain"
        and not part.content_id
        and not part.filename
        and _says_something(part)
    )


#: Octets of an attached text that is read if there is no other.
_ONLY_LIMIT: Final = 64 * 1024


def _only_texts(root: Part) -> frozenset[str]:
    """Return the sections of attached texts if they are the only ones (in an MMS: text_0.txt)."""
    texts = [part for part in root.walk() if part.maintype == "text" and part.octets > _NOTHING]
    if any(part.disposition != "attachment" for part in texts) or any(part.envelope for part in root.walk()):
        return frozenset()
    return frozenset(
        part.section for part in texts if part.media_type == "text/plain" and part.octets <= _ONLY_LIMIT
    )


class Chooser:
    """Chooses the parts to read.

    `peek` returns the beginning of a text part, decoded. `all_of_it`: every alternative is read.
    """

    def __init__(
        self,
        root: Part,
        peek: Callable[[Part], str],
        start_section: str | None = None,
        all_of_it: bool = False,
    ) -> None:
        self._root = root
        self._peek = peek
        self._start = start_section
        self._started = start_section is None
        self._calendar = False
        self._only = _only_texts(root)
        self._all_of_it = all_of_it

    def readings(self) -> Iterator[SelectedPart]:
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

    def _opened(self, part: Part) -> tuple[SelectedPart | None, tuple[Part, ...]]:
        """Return how a part is read, and the parts below it that come next."""
        if part.media_type != "multipart/encrypted" and is_loose(part):
            return SelectedPart(part, View.LOOSE), part.parts
        match part.media_type:
            case chosen_from if self._all_of_it and chosen_from in _CHOSEN_FROM:
                return None, part.parts
            case "multipart/alternative":
                return None, self._best(part)
            case "multipart/related":
                return None, _root_of(part)
            case "multipart/signed":
                return SelectedPart(part, View.SIGNED), part.parts[:1]
            case "multipart/encrypted":
                return SelectedPart(part, View.ENCRYPTED), ()
            case "multipart/report":
                return None, part.parts[:2]
        if _is_multipart(part):
            return None, part.parts
        view = _view(part, alone=part is self._root or part.section in self._only or self._is_last_hope(part))
        if view is View.CALENDAR:
            if self._calendar:
                return None, ()
            self._calendar = True
        if view is None:
            return None, ()
        return SelectedPart(part, view), part.parts if view is View.NESTED else ()

    def _is_last_hope(self, part: Part) -> bool:
        return (
            self._all_of_it and part.media_type in ("text/plain", "text/html") and part.octets <= _ONLY_LIMIT
        )

    def _best(self, alternative: Part) -> tuple[Part, ...]:
        """Choose one part of a multipart/alternative, the plain text if it is complete; keep an invitation beside
        it."""
        parts = alternative.parts
        invitations = tuple(part for part in parts if part.media_type == media_types.CALENDAR)
        if not self._started:
            for part in parts:
                if any(inner.section == self._start for inner in part.walk()):
                    return (part, *(other for other in invitations if other is not part))
        prose, html = _forms(alternative)
        if prose is None or html is None:
            best = prose or html
            return (best, *invitations) if best is not None else parts[-1:]
        lacking = self._started and self._says_more(html, prose)
        return (html if lacking else prose, *invitations)

    def _says_more(self, html: Part, prose: Part) -> bool:
        text, page = _prose_of(prose), _html_of(html)
        if text is None or page is None or text.octets > COMPARED:
            return False
        said = self._peek(text) if text.octets else ""
        return alternatives.is_excuse(said, page.octets) or alternatives.says_more(self._peek(page), said)


def _forms(alternative: Part) -> tuple[Part | None, Part | None]:
    """Return the first alternative with text but no HTML, and the last one with HTML."""
    parts = alternative.parts
    prose = next((part for part in parts if _html_of(part) is None and _prose_of(part) is not None), None)
    return prose, next((part for part in reversed(parts) if _html_of(part) is not None), None)


def both_forms(root: Part) -> tuple[str, str] | None:
    """Return the sections of the plain text and the HTML of a message that has both as alternatives."""
    found = _leaf(root, lambda part: part.media_type == "multipart/alternative")
    if found is None:
        return None
    prose, html = _forms(found)
    if prose is None or html is None:
        return None
    text, page = _prose_of(prose), _html_of(html)
    return (text.section, page.section) if text is not None and page is not None and text.octets else None


def attachments(message: Message) -> tuple[Part, ...]:
    """Return the parts that are not read with the message, in order."""
    found: list[Part] = []
    waiting: list[tuple[Part, str]] = [(message.root, "")]
    letter = _leaf(message.root, lambda part: part.maintype == "text" and part.octets > 0)
    while waiting:
        part, above = waiting.pop()
        if _is_multipart(part):
            waiting.extend((inner, part.media_type) for inner in reversed(part.parts))
        elif _is_file(part, above) and part is not letter and part is not message.root:
            found.append(part)
        elif part.media_type in MESSAGES:
            sealed = is_encoded_message(part.media_type, part.encoding)
            if part.disposition == "attachment" or above == "multipart/report" or sealed:
                found.append(part)
            if above != "multipart/report":
                waiting.extend((inner, "") for inner in reversed(part.parts))
        elif _is_attached(part, above, alone=part is message.root):
            found.append(part)
    return tuple(found)


def _is_file(part: Part, above: str) -> bool:
    """Return whether a text is a file, which is shown with the message and can also be saved."""
    return part.maintype == "text" and bool(part.filename) and above != "multipart/alternative"


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
