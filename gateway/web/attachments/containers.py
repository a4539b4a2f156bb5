"""The contents of files that hold other files: archives, winmail.dat, attached messages.

Nothing here may fetch anything. Untrusted archives are unpacked in a confined child process; only messages are parsed
here, since that parser is built for hostile input. Every error is a DocumentError with a sentence for the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from typing import cast

from gateway import confined
from gateway.errors import NotFound
from gateway.message import media_types
from gateway.message.mime import body, cms, wire_format
from gateway.message.mime.tnef import Tnef, TnefContent
from gateway.message.model import Message, Part
from gateway.rendition.documents import ArchiveEntry, DocumentError
from gateway.rendition.documents.bounds import OCTETS_LIMIT, TOO_LARGE, UNKNOWN
from gateway.rendition.notes import ENCRYPTED
from gateway.rendition.selection import attachments


def _(msgid: str) -> str:
    return msgid


def list_files(kind: str, octets: bytes) -> Sequence[Part]:
    """List the files inside a file of this media type. Raise DocumentError."""
    if kind == media_types.ZIP:
        with closing(confined.stream("zip entries", octets)) as found:
            return [_entry_part(cast(ArchiveEntry, each)) for each in found]
    if kind == media_types.TNEF:
        return [_content_part(each) for each in _contents(octets)]
    if kind in (media_types.MESSAGE, media_types.SMIME):
        return attachments(parse_message(octets)[0])
    raise DocumentError(UNKNOWN)


def extract(kind: str, octets: bytes, index: int) -> tuple[Part, bytes]:
    """Extract one file from another. Raise NotFound if there is none, or DocumentError."""
    if kind == media_types.ZIP:
        with closing(confined.stream("zip entries", octets)) as found:
            part = next((_entry_part(cast(ArchiveEntry, each)) for each in islice(found, index, None)), None)
        if part is not None:
            return part, cast(bytes, confined.run("zip entry", octets, index=index))
    elif kind == media_types.TNEF:
        contents = _contents(octets)
        if index < len(contents):
            return _content_part(contents[index]), contents[index].octets
    elif kind in (media_types.MESSAGE, media_types.SMIME):
        opened, mail = parse_message(octets)
        parts = attachments(opened)
        if index < len(parts):
            inner, was_cut = body.whole(parts[index], mail.octets(parts[index].section), OCTETS_LIMIT)
            if was_cut:
                raise DocumentError(TOO_LARGE)
            return parts[index], inner
    raise NotFound("file inside a file")


def parse_message(octets: bytes) -> tuple[Message, wire_format.MessageFile]:
    """Parse a message that came as a file, even if it is signed as a whole. Raise DocumentError."""
    if octets.startswith(cms.SEQUENCE):
        sort, octets = cms.read_body(octets, OCTETS_LIMIT)
        if not octets:
            raise DocumentError(ENCRYPTED if sort is cms.BodyKind.ENCRYPTED else UNKNOWN)
    mail = wire_format.parse(octets)
    return mail.message, mail


def _contents(octets: bytes) -> tuple[TnefContent, ...]:
    """Return the best version of the text, followed by the files."""
    found = cast(Tnef, confined.run("tnef", octets))
    return (*found.bodies[:1], *found.attachments)


def _entry_part(found: ArchiveEntry) -> Part:
    return _part(found.name, media_types.OCTETS, found.octets)


def _content_part(found: TnefContent) -> Part:
    charset = {"charset": found.charset} if found.charset else {}
    return _part(found.filename, found.media_type, len(found.octets), charset)


def _part(name: str, media_type: str, octets: int, parameters: dict[str, str] | None = None) -> Part:
    named = {"filename": name} if name else {}
    return Part("1", media_type, parameters or {}, "binary", octets, "", named)
