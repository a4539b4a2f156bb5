"""The files of a message: their types, names, links and content.

Nothing here may fetch more than a document may have, or open a container: `containers` does that. A file is addressed
by its section; one inside another file also by its index path there ("2" and then ?z=0-3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from flask import request

from gateway.addresses import nesting_code, nesting_steps
from gateway.device import WML
from gateway.errors import BadRequest, NotFound
from gateway.markup import PictureLink
from gateway.markup.keys import KEYS
from gateway.markup.screen import Action, shorten
from gateway.message import media_types
from gateway.message.headers.header_fields import clean
from gateway.message.media_types import Look
from gateway.message.mime import body
from gateway.message.mime.disposition import REAL_PICTURE
from gateway.message.mime.part_tree import SECTION_PATTERN
from gateway.message.model import Message, Part
from gateway.rendition.documents import DocumentError, effective_type, readable
from gateway.rendition.documents.bounds import OCTETS_LIMIT, TOO_LARGE
from gateway.rendition.loose import unsealed
from gateway.rendition.notes import gaps
from gateway.rendition.selection import attachments
from gateway.store.base import MailStore, MessageRef
from gateway.web.attachments import containers
from gateway.web.mailbox.ways_back import ways_back
from gateway.web.request.visit import Visit, link


def _(msgid: str) -> str:
    return msgid


#: Maximum nesting depth of files that are opened.
DEEPEST: Final = 3
#: A base64 line of 78 octets carries 57 octets of the file (RFC 2045 §6.8).
_BASE64_LINE: Final = (57, 78)
_SECTION: Final = re.compile(SECTION_PATTERN)
#: Lines of a title, and maximum characters of a full name.
_TITLE_LINES: Final = 2
_NAME: Final = 100


_ENDPOINTS: Final = {
    Look.PICTURE: "picture.page",
    Look.MESSAGE: "nested.first",
    Look.CONTENTS: "attachment.contents",
    Look.READ: "document.first",
    Look.DOCUMENT: "document.first",
    None: "document.first",  # which says so, and offers the original
}


@dataclass(frozen=True, slots=True)
class FileAddress:
    """The address of a file: its message, its part, and the path of indices through the files around it."""

    number: int
    uid: int
    section: str = ""
    nesting: tuple[int, ...] = ()

    @classmethod
    def from_request(cls, number: int, uid: int, section: str) -> FileAddress:
        """Read the address from this request. Raise BadRequest for an invalid path."""
        steps = nesting_steps(request.args.get("z", ""))
        if len(steps) > DEEPEST:
            raise BadRequest("files within files")
        return cls(number, uid, section, steps)

    def child(self, index: int) -> FileAddress:
        return replace(self, nesting=(*self.nesting, index))

    def parent(self) -> FileAddress:
        """Return the address of the file or message that contains this one."""
        return replace(self, nesting=self.nesting[:-1]) if self.nesting else replace(self, section="")

    @property
    def message(self) -> dict[str, object]:
        return {"number": self.number, "uid": self.uid}

    @property
    def query(self) -> dict[str, object]:
        return {"z": nesting_code(self.nesting)} if self.nesting else {}

    def link(self, endpoint: str, **values: object) -> str:
        return link(endpoint, **self.message, section=self.section, **self.query, **values)


def reference(visit: Visit, address: FileAddress) -> MessageRef:
    """Resolve the mailbox number and return the message's permanent reference."""
    name, uidvalidity = visit.mailbox(address.number)
    return MessageRef(name, uidvalidity, address.uid)


# Finding files.


def files(message: Message) -> tuple[Part, ...]:
    """List the files of a message in order: attachments, and inline images large enough to matter."""
    chosen = {id(part) for part in attachments(message)}
    return tuple(part for part in message.root.walk() if id(part) in chosen or _is_real_picture(part))


def _is_real_picture(part: Part) -> bool:
    return look_of(part) is Look.PICTURE and bool(part.content_id) and part.octets >= REAL_PICTURE


def picture_link(visit: Visit, where: Mapping[str, object], section: str) -> str:
    """Return the link to a picture's page, with a thumbnail if the device shows pictures and the person wants them."""
    href = link("picture.page", **where, section=section)
    if visit.device.markup == WML or not visit.device.images or not visit.device.pictures:
        return href
    return PictureLink(href, link("picture.image", **where, section=section, m=1))


def is_section(target: str) -> bool:
    """Return whether a picture's target is a part of the message rather than a URL."""
    return _SECTION.fullmatch(target) is not None


def find(message: Message, section: str) -> Part:
    """Return the part with this section. Raise NotFound."""
    for part in message.root.walk():
        if part.section == section:
            return part
    raise NotFound("section of a message")


def is_parsed(part: Part) -> bool:
    """Return whether the server has parsed an embedded message, so that its parts can be fetched one by one."""
    return part.envelope is not None and bool(part.parts)


def embedded(part: Part, found: Message) -> Message:
    """Make a Message of an embedded message part, with the defects that concern it."""
    assert part.envelope is not None
    inside = f"{part.section}."
    missing = [gap for gap in gaps(found) if gap.part is not None and gap.part.section.startswith(inside)]
    return Message(part.envelope, part.parts[0], octets=part.octets, defects=tuple(missing))


# Describing files.


def kind_of(part: Part, octets: bytes = b"") -> str:
    """Return the media type that a file really has, judged by its name and by its first octets if given."""
    return effective_type(part.media_type, part.filename, octets)


def look_of(part: Part, octets: bytes = b"") -> Look | None:
    """Return how to show a file; None if there is no viewer for it."""
    kind = kind_of(part, octets)
    found = media_types.look(kind)
    if found is Look.DOCUMENT and not readable(kind, "") and kind != media_types.OCTETS:
        return None
    return found


def size_of(part: Part) -> int:
    """Return the approximate size of a file in octets; only its encoded size is known exactly."""
    if part.encoding == "base64":
        return part.octets * _BASE64_LINE[0] // _BASE64_LINE[1]
    return part.octets


def name_of(visit: Visit, part: Part) -> str:
    """Return the name that the sender gave a file, or else its type."""
    if part.filename:
        return shorten(clean(part.filename), _NAME)
    if part.envelope is not None and part.envelope.subject:
        return shorten(clean(part.envelope.subject), _NAME)
    return type_name(visit, part)


def type_name(visit: Visit, part: Part) -> str:
    """Return the type of a file in the person's language."""
    return visit.language.gettext(media_types.words(kind_of(part)))


def title_of(visit: Visit, part: Part) -> str:
    """Shorten a file's name for a title."""
    return shorten(name_of(visit, part), visit.device.columns * _TITLE_LINES)


# Fetching files.


@dataclass(frozen=True, slots=True)
class File:
    """A file and its decoded content."""

    part: Part
    octets: bytes


def fetch(store: MailStore, ref: MessageRef, part: Part) -> bytes:
    """Fetch a whole part. Raise DocumentError if it is larger than any document may be."""
    if size_of(part) <= OCTETS_LIMIT:
        pieces = store.octets(ref, part.section)
        first = next(pieces, b"")
        octets, was_cut = body.whole(unsealed(part, first), chain((first,), pieces), OCTETS_LIMIT)
        if not was_cut:
            return octets
    raise DocumentError(TOO_LARGE)


def open_nested(part: Part, octets: bytes, nesting: tuple[int, ...]) -> File:
    """Follow a path of indices down into a file. Raise DocumentError or NotFound."""
    for index in nesting:
        part, octets = containers.extract(kind_of(part, octets), octets, index)
    return File(replace(part, encoding="binary", octets=len(octets)), octets)


def fetch_file(visit: Visit, address: FileAddress) -> File:
    """Fetch a file, returning the connection before the file is opened. Raise DocumentError."""
    ref = reference(visit, address)
    with visit.signed_in.store() as store:
        part = find(store.structure(ref), address.section)
        octets = fetch(store, ref, part)
    return open_nested(part, octets, address.nesting)


# What all file screens share.


def view_link(address: FileAddress, part: Part, octets: bytes = b"") -> str:
    """Return the link to the page that shows a file best."""
    return address.link(_ENDPOINTS[look_of(part, octets)])


def description(visit: Visit, part: Part) -> str:
    """Return type and size of a file in the person's language."""
    return f"{type_name(visit, part)} · {visit.language.size(size_of(part))}"


def original(visit: Visit, address: FileAddress, key: str = KEYS["Original"]) -> Action:
    """Return the action that downloads the file itself."""
    return Action(visit.language.gettext("Original"), address.link("download.original"), key)


def navigation(visit: Visit, address: FileAddress) -> tuple[Action, ...]:
    """Return the actions back to the list of files, to the message and to its list."""
    gettext = visit.language.gettext
    parent = address.parent()
    up = (
        parent.link("attachment.contents")
        if parent.section
        else link("attachment.listing", **address.message)
    )
    return (
        Action(gettext("Attachments"), up, KEYS["Attachments"]),
        *ways_back(visit, address.number, address.uid),
    )
