"""The files of a message: what they are, in words, how they are best looked at, and how to get at them.

Nothing here may fetch more than a document may have, or open what is inside a file: `inside` does that. A file is
named by its section, and one inside another file by its place there ("2" and then ?z=0-3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import chain
from typing import Final

from flask import request

from gateway.device import WML
from gateway.errors import BadRequest, NotFound
from gateway.markup import Pictured
from gateway.markup.screen import Action, shorten
from gateway.message import body
from gateway.message.headers import clean
from gateway.message.model import Message, Part
from gateway.rendition.choose import attachments
from gateway.rendition.documents import DocumentError, kinds, readable
from gateway.rendition.documents.bounds import OCTETS_LIMIT, TOO_LARGE
from gateway.rendition.loose import unsealed
from gateway.rendition.notes import gaps
from gateway.store.base import MailStore, MessageRef
from gateway.web import inside
from gateway.web.converters import SectionConverter
from gateway.web.visit import Visit, link, list_link


def _(msgid: str) -> str:
    return msgid


#: Files within files that are opened.
DEEPEST: Final = 3
#: Octets, encoded, of a picture inside a page that is one: less is an ornament, a logo or a tracker.
REAL_PICTURE: Final = 4000
#: Octets of base64 in a line of mail for 57 of the file (RFC 2045 §6.8).
_BASE64_LINE: Final = (57, 78)
_SECTION: Final = re.compile(SectionConverter.regex)
_INSIDE: Final = re.compile(r"\d{1,4}(?:-\d{1,4})*\Z")
#: Lines of a title, and characters of a name in full.
_TITLE_LINES: Final = 2
_NAME: Final = 100


class View(Enum):
    """How a file is looked at."""

    PICTURE = auto()
    MESSAGE = auto()
    CONTENTS = auto()
    READ = auto()  # as the same text in a mail is
    DOCUMENT = auto()
    NONE = auto()


_ENDPOINTS: Final = {
    View.PICTURE: "picture.page",
    View.MESSAGE: "nested.first",
    View.CONTENTS: "attachment.contents",
    View.READ: "document.first",
    View.DOCUMENT: "document.first",
    View.NONE: "document.first",  # which says so, and offers the original
}


_VIEWS: Final[dict[str, View]] = {
    kinds.MESSAGE: View.MESSAGE,
    kinds.ZIP: View.CONTENTS,
    kinds.TNEF: View.CONTENTS,
    kinds.TEXT: View.READ,
    kinds.HTML: View.READ,
    kinds.CALENDAR: View.READ,
    kinds.CONTACT: View.READ,
} | {f"image/{kind}": View.PICTURE for kind in ("jpeg", "png", "gif", "webp", "avif", "bmp", "vnd.wap.wbmp")}

_WORDS: Final[dict[str, str]] = {
    kinds.PDF: "PDF",
    kinds.DOCX: _("Word document"),
    "application/msword": _("Word document"),
    kinds.ODT: _("Text document"),
    kinds.RTF: _("Text document"),
    kinds.XLSX: _("Spreadsheet"),
    kinds.XLSB: _("Spreadsheet"),
    kinds.XLS: _("Spreadsheet"),
    kinds.ODS: _("Spreadsheet"),
    kinds.CSV: _("Table"),
    kinds.TEXT: _("Text"),
    kinds.SOURCE: _("Text"),
    kinds.HTML: _("Web page"),
    kinds.ZIP: _("Zip archive"),
    kinds.TNEF: _("Outlook attachment"),
    kinds.MESSAGE: _("Message"),
    kinds.CALENDAR: _("Invitation"),
    kinds.CONTACT: _("Contact"),
}
_GENERAL_WORDS: Final = {"image": _("Picture"), "audio": _("Sound"), "video": _("Video"), "text": _("Text")}


@dataclass(frozen=True, slots=True)
class Place:
    """A file: its message, its part, and the way down through the files it lies in."""

    number: int
    uid: int
    section: str = ""
    way: tuple[int, ...] = ()

    @classmethod
    def asked(cls, number: int, uid: int, section: str) -> Place:
        """Name what this request is about; raise BadRequest for a way that leads nowhere."""
        way = request.args.get("z", "")
        if way and not _INSIDE.match(way):
            raise BadRequest("way into a file")
        steps = tuple(int(step) for step in way.split("-")) if way else ()
        if len(steps) > DEEPEST:
            raise BadRequest("files within files")
        return cls(number, uid, section, steps)

    def below(self, index: int) -> Place:
        return replace(self, way=(*self.way, index))

    def above(self) -> Place:
        """Name what holds this: a file, or the message."""
        return replace(self, way=self.way[:-1]) if self.way else replace(self, section="")

    @property
    def message(self) -> dict[str, object]:
        return {"number": self.number, "uid": self.uid}

    @property
    def query(self) -> dict[str, object]:
        return {"z": "-".join(map(str, self.way))} if self.way else {}

    def link(self, endpoint: str, **values: object) -> str:
        return link(endpoint, **self.message, section=self.section, **self.query, **values)


def reference(visit: Visit, place: Place) -> MessageRef:
    """Resolve the short id of a mailbox, and name the message for good."""
    name, uidvalidity = visit.mailbox(place.number)
    return MessageRef(name, uidvalidity, place.uid)


# What there is.


def files(message: Message) -> tuple[Part, ...]:
    """List the files of a message in order: attachments, and the pictures inside its pages that are pictures."""
    chosen = {id(part) for part in attachments(message)}
    return tuple(part for part in message.root.walk() if id(part) in chosen or _is_real_picture(part))


def _is_real_picture(part: Part) -> bool:
    return view_of(part) is View.PICTURE and bool(part.content_id) and part.octets >= REAL_PICTURE


def picture_lead(visit: Visit, where: Mapping[str, object], section: str) -> str:
    """Lead to a picture's page, with a small form of it to show where pages can have pictures and should."""
    href = link("picture.page", **where, section=section)
    if visit.device.markup == WML or not visit.device.images or not visit.device.pictures:
        return href
    return Pictured(href, link("picture.image", **where, section=section, m=1))


def is_section(target: str) -> bool:
    """Say whether a picture's target is a part of the message, and not an address elsewhere."""
    return _SECTION.fullmatch(target) is not None


def find(message: Message, section: str) -> Part:
    """Return the part of a section; raise NotFound."""
    for part in message.root.walk():
        if part.section == section:
            return part
    raise NotFound("section of a message")


def is_open(part: Part) -> bool:
    """Say whether the server has looked into a message, so that its parts can be fetched one by one."""
    return part.envelope is not None and bool(part.parts)


def embedded(part: Part, found: Message) -> Message:
    """Make a message of a part that is one, with what is missing of it."""
    assert part.envelope is not None
    inside = f"{part.section}."
    missing = [gap for gap in gaps(found) if gap.part is not None and gap.part.section.startswith(inside)]
    return Message(part.envelope, part.parts[0], octets=part.octets, defects=tuple(missing))


# What it is.


def kind_of(part: Part, octets: bytes = b"") -> str:
    """Name the media type that a file really has, as far as can be told without it, or with its beginning."""
    return kinds.effective_type(part.media_type, part.filename, octets)


def view_of(part: Part, octets: bytes = b"") -> View:
    """Choose how a file is looked at."""
    kind = kind_of(part, octets)
    if kind in _VIEWS:
        return _VIEWS[kind]
    return View.DOCUMENT if readable(kind, "") or kind == kinds.OCTETS else View.NONE


def size_of(part: Part) -> int:
    """Return how many octets a file has, about: what is encoded is only known in that form."""
    if part.encoding == "base64":
        return part.octets * _BASE64_LINE[0] // _BASE64_LINE[1]
    return part.octets


def name_of(visit: Visit, part: Part) -> str:
    """Call a file by the name that its sender gave it, else by what it is."""
    if part.filename:
        return shorten(clean(part.filename), _NAME)
    if part.envelope is not None and part.envelope.subject:
        return shorten(clean(part.envelope.subject), _NAME)
    return words_of(visit, part)


def words_of(visit: Visit, part: Part) -> str:
    """Say what a file is."""
    kind = kind_of(part)
    words = _WORDS.get(kind) or _GENERAL_WORDS.get(kind.partition("/")[0]) or _("File")
    return visit.language.gettext(words)


def size_words(visit: Visit, octets: int) -> str:
    """Say a size in at most seven characters."""
    say = visit.language.gettext
    if octets < 1000:
        return say(_("%s B")) % octets
    if octets < 1_000_000:
        return say(_("%s KB")) % round(octets / 1000)
    unit, large = (_("%s MB"), octets / 1e6) if octets < 1_000_000_000 else (_("%s GB"), octets / 1e9)
    return say(unit) % visit.language.number(round(large, 1) if large < 10 else round(large))


def title_of(visit: Visit, part: Part) -> str:
    """Shorten a file's name to a title."""
    return shorten(name_of(visit, part), visit.device.columns * _TITLE_LINES)


# Getting at it.


@dataclass(frozen=True, slots=True)
class File:
    """A file with what it holds, nothing of which is encoded any more."""

    part: Part
    octets: bytes


def fetch(store: MailStore, ref: MessageRef, part: Part) -> bytes:
    """Fetch a whole part; raise DocumentError, before or after, if it is larger than any document may be."""
    if size_of(part) <= OCTETS_LIMIT:
        pieces = store.octets(ref, part.section)
        first = next(pieces, b"")
        octets, was_cut = body.whole(unsealed(part, first), chain((first,), pieces), OCTETS_LIMIT)
        if not was_cut:
            return octets
    raise DocumentError(TOO_LARGE)


def opened(part: Part, octets: bytes, way: tuple[int, ...]) -> File:
    """Go down into a file; raise DocumentError or NotFound."""
    for index in way:
        part, octets = inside.entry(kind_of(part, octets), octets, index)
    return File(replace(part, encoding="binary", octets=len(octets)), octets)


def whole(visit: Visit, place: Place) -> File:
    """Fetch a file, given back the connection before it is opened; raise DocumentError."""
    ref = reference(visit, place)
    with visit.signed_in.store() as store:
        part = find(store.structure(ref), place.section)
        octets = fetch(store, ref, part)
    return opened(part, octets, place.way)


# What every screen about a file offers.


def to_look_at(place: Place, part: Part, octets: bytes = b"") -> str:
    """Lead to the page that shows a file best."""
    return place.link(_ENDPOINTS[view_of(part, octets)])


def description(visit: Visit, part: Part) -> str:
    """Say kind and size."""
    return f"{words_of(visit, part)} · {size_words(visit, size_of(part))}"


def original(visit: Visit, place: Place, key: str = "1") -> Action:
    """Offer the file itself."""
    return Action(visit.language.gettext("Original"), place.link("download.original"), key)


def ways_on(visit: Visit, place: Place) -> tuple[Action, ...]:
    """Lead back to the list that a file stands in, to the message, and home."""
    say = visit.language.gettext
    above = place.above()
    up = above.link("attachment.contents") if above.section else link("attachment.listing", **place.message)
    return (
        Action(say("Attachments"), up, "2"),
        Action(say("Message"), link("message.first", **place.message), "3"),
        Action(say("Inbox"), list_link("mailbox.inbox"), "0"),
    )
