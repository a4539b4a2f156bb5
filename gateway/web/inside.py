"""What is inside a file that holds files: an archive, a winmail.dat, a message that came as a file.

Nothing here may fetch. What strangers packed is unpacked in a confined child; only messages are taken apart here,
by a reader that is made for hostile ones. Every error is a DocumentError with its sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from typing import Final, cast

from gateway import confined
from gateway.errors import NotFound
from gateway.message import body, wire
from gateway.message.model import Message, Part
from gateway.message.tnef import Content, Tnef
from gateway.rendition.choose import attachments
from gateway.rendition.documents import DocumentError, Entry, kinds
from gateway.rendition.documents.bounds import OCTETS_LIMIT, TOO_LARGE, UNKNOWN


def _(msgid: str) -> str:
    return msgid


#: What the text of a winmail.dat is called in its list.
TEXT_OF_THE_MESSAGE: Final = _("Text of the message")


def entries(kind: str, octets: bytes) -> Sequence[Part]:
    """List what a file of that kind holds; raise DocumentError."""
    if kind == kinds.ZIP:
        with closing(confined.stream("zip entries", octets)) as found:
            return [_of_entry(cast(Entry, each)) for each in found]
    if kind == kinds.TNEF:
        return [_of_content(each) for each in _contents(octets)]
    if kind == kinds.MESSAGE:
        return attachments(wire.parse(octets).message)
    raise DocumentError(UNKNOWN)


def entry(kind: str, octets: bytes, index: int) -> tuple[Part, bytes]:
    """Take one file out of another; raise NotFound for one that is not there, or DocumentError."""
    if kind == kinds.ZIP:
        with closing(confined.stream("zip entries", octets)) as found:
            part = next((_of_entry(cast(Entry, each)) for each in islice(found, index, None)), None)
        if part is not None:
            return part, cast(bytes, confined.run("zip entry", octets, index=index))
    elif kind == kinds.TNEF:
        contents = _contents(octets)
        if index < len(contents):
            return _of_content(contents[index]), contents[index].octets
    elif kind == kinds.MESSAGE:
        mail = wire.parse(octets)
        parts = attachments(mail.message)
        if index < len(parts):
            inner, was_cut = body.whole(parts[index], mail.octets(parts[index].section), OCTETS_LIMIT)
            if was_cut:
                raise DocumentError(TOO_LARGE)
            return parts[index], inner
    raise NotFound("file inside a file")


def message(octets: bytes) -> tuple[Message, wire.Wire]:
    """Take a message apart that came as a file."""
    mail = wire.parse(octets)
    return mail.message, mail


def _contents(octets: bytes) -> tuple[Content, ...]:
    """List the best form of the text, and the files."""
    found = cast(Tnef, confined.run("tnef", octets))
    return (*found.bodies[:1], *found.attachments)


def _of_entry(found: Entry) -> Part:
    return _part(found.name, kinds.OCTETS, found.octets)


def _of_content(found: Content) -> Part:
    charset = {"charset": found.charset} if found.charset else {}
    return _part(found.filename, found.media_type, len(found.octets), charset)


def _part(name: str, media_type: str, octets: int, parameters: dict[str, str] | None = None) -> Part:
    named = {"filename": name} if name else {}
    return Part("1", media_type, parameters or {}, "binary", octets, "", named)
