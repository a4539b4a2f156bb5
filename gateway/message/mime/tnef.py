"""TNEF: the content of winmail.dat, which Outlook puts around rich text and attachments.

Nothing here may raise or decode text other than names: contents are returned as octets with a media type, and
what was wrong as defects. MS-OXTNEF §2.1.3 (attributes), §2.1.3.4 (properties); MS-OXRTFCP §2.1.3.1
(compressed RTF); MS-OXPROPS (property ids).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.message import media_types
from gateway.message.charset import decoding

SIGNATURE: Final = 0x223E9F78
#: Attributes, properties and contents of one file that are read.
ATTRIBUTES_LIMIT: Final = 20_000
PROPERTIES_LIMIT: Final = 4000
CONTENTS_LIMIT: Final = 500
VALUES_LIMIT: Final = 1000
#: Octets of an unpacked RTF body.
RTF_LIMIT: Final = 1024 * 1024
#: Characters of a name.
NAME_LIMIT: Final = 255

_HEADER: Final = struct.Struct("<IH")
_ATTRIBUTE: Final = struct.Struct("<BHHI")
_RTF_HEADER: Final = struct.Struct("<IIII")

# Attributes (MS-OXTNEF §2.1.3.3), without their type.
_MESSAGE_CLASS, _SUBJECT, _BODY, _MESSAGE_PROPERTIES, _CODE_PAGE = 0x8008, 0x8004, 0x800C, 0x9003, 0x9007
_NEW_ATTACHMENT, _TITLE, _DATA, _ATTACHMENT_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005

# Properties (MS-OXPROPS §2).
_P_SUBJECT, _P_BODY, _P_RTF, _P_HTML = 0x0037, 0x1000, 0x1009, 0x1013
_P_DATA, _P_SHORT_NAME, _P_LONG_NAME, _P_MEDIA_TYPE, _P_CONTENT_ID = 0x3701, 0x3704, 0x3707, 0x370E, 0x3712
_P_METHOD: Final = 0x3705
#: PidTagAttachMethod: the data are a message, again in TNEF, after an interface id.
_EMBEDDED_MESSAGE: Final = 5
_INTERFACE_ID: Final = 16

# Types (MS-OXCDATA §2.11.1): the sizes in octets of fixed ones, and those that state their size.
_FIXED: Final = {
    0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4, 0x0014: 8,
    0x0040: 8, 0x0048: 16,
}  # fmt: skip
_STRING8, _UNICODE = 0x001E, 0x001F
_SIZED: Final = frozenset({_STRING8, _UNICODE, 0x000D, 0x0102})
_MULTIPLE: Final = 0x1000
_FIRST_NAMED: Final = 0x8000


@dataclass(frozen=True, slots=True)
class TnefContent:
    """A file or one form of the body. `charset` labels text whose octets do not declare it."""

    filename: str
    media_type: str
    octets: bytes
    charset: str = ""
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Tnef:
    """What was found: `bodies` are alternatives, best first; an embedded message is again a TNEF file."""

    subject: str = ""
    message_class: str = ""
    bodies: tuple[TnefContent, ...] = ()
    attachments: tuple[TnefContent, ...] = ()
    defects: tuple[str, ...] = ()


@dataclass(slots=True)
class _Value:
    kind: int
    octets: bytes


@dataclass(slots=True)
class _File:
    title: bytes = b""
    octets: bytes | None = None
    properties: dict[int, _Value] = field(default_factory=dict)


class _Short(Exception):
    """The octets end before what they announce."""


class _Octets:
    """Reads little-endian numbers and stretches of octets; raises _Short rather than return less."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.at = 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self._octets):
            raise _Short
        self.at += count
        return self._octets[self.at - count : self.at]

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "little")

    def padded(self, count: int) -> bytes:
        """Read a stretch and its padding to a multiple of four, which may be missing at the end."""
        taken = self.take(count)
        self.at = min(self.at + -count % 4, len(self._octets))
        return taken

    @property
    def left(self) -> int:
        return len(self._octets) - self.at


def read(octets: bytes) -> Tnef:
    """Read a winmail.dat; what is broken in it becomes a defect."""
    defects: list[str] = []
    message = _File()
    files: list[_File] = []
    page, subject, message_class, body = "", b"", b"", b""
    for name, data in _attributes(octets, defects):
        if name == _NEW_ATTACHMENT:
            if len(files) >= CONTENTS_LIMIT:
                defects.append(f"tnef: more than {CONTENTS_LIMIT} attachments")
                break
            files.append(_File())
        elif name == _CODE_PAGE:
            page = f"cp{int.from_bytes(data[:4], 'little')}"
        elif name == _SUBJECT:
            subject = data
        elif name == _MESSAGE_CLASS:
            message_class = data
        elif name == _BODY:
            body = data
        elif name == _MESSAGE_PROPERTIES:
            message.properties.update(_properties(data, defects))
        elif files and name == _TITLE:
            files[-1].title = data
        elif files and name == _DATA:
            files[-1].octets = data
        elif files and name == _ATTACHMENT_PROPERTIES:
            files[-1].properties.update(_properties(data, defects))
    page = page if decoding.known(page) else ""
    return Tnef(
        _string(message.properties.get(_P_SUBJECT), page) or _text(subject, page),
        _text(message_class, page),
        tuple(_bodies(message.properties, body, page, defects)),
        tuple(_attachment(file, page) for file in files),
        tuple(dict.fromkeys(defects)),
    )


def _attributes(octets: bytes, defects: list[str]) -> Iterator[tuple[int, bytes]]:
    """Yield attributes by id; checksums are ignored, since a wrong one would help nobody."""
    if len(octets) < _HEADER.size or _HEADER.unpack_from(octets)[0] != SIGNATURE:
        defects.append("tnef: no signature")
        return
    at = _HEADER.size
    for _count in range(ATTRIBUTES_LIMIT):
        if len(octets) - at < _ATTRIBUTE.size:
            return
        level, name, _kind, size = _ATTRIBUTE.unpack_from(octets, at)
        at += _ATTRIBUTE.size
        if level not in (1, 2):
            defects.append("tnef: unknown level")
            return
        if size > len(octets) - at:
            defects.append("tnef: cut")
        yield name, octets[at : at + size]
        at += size + 2
    defects.append(f"tnef: more than {ATTRIBUTES_LIMIT} attributes")


def _properties(data: bytes, defects: list[str]) -> Mapping[int, _Value]:
    """Read the unnamed properties of a list; of several values, the first."""
    found: dict[int, _Value] = {}
    reader = _Octets(data)
    try:
        for _count in range(min(reader.number(4), PROPERTIES_LIMIT)):
            kind, name = reader.number(2), reader.number(2)
            if name >= _FIRST_NAMED:
                _skip_name(reader)
            values = _values(reader, kind)
            if values and name < _FIRST_NAMED:
                found[name] = _Value(kind & ~_MULTIPLE, values[0])
    except _Short:
        defects.append("tnef: properties cut")
    return found


def _skip_name(reader: _Octets) -> None:
    reader.take(16)
    if reader.number(4) == 0:
        reader.take(4)
    else:
        reader.padded(reader.number(4))


def _values(reader: _Octets, kind: int) -> list[bytes]:
    base = kind & ~_MULTIPLE
    several = kind != base or base in _SIZED
    count = reader.number(4) if several else 1
    if count > VALUES_LIMIT:
        raise _Short
    if base in _SIZED:
        return [reader.padded(reader.number(4)) for _index in range(count)]
    if base not in _FIXED:
        raise _Short
    return [reader.take(_FIXED[base]) for _index in range(count)]


def _text(octets: bytes, page: str) -> str:
    return decoding.decode(octets.split(b"\0", 1)[0], page)[0][:NAME_LIMIT].strip()


def _string(value: _Value | None, page: str) -> str:
    if value is None:
        return ""
    if value.kind == _UNICODE:
        return value.octets.decode("utf-16-le", "replace").split("\0", 1)[0][:NAME_LIMIT].strip()
    return _text(value.octets, page) if value.kind == _STRING8 else ""


def _bodies(
    properties: Mapping[int, _Value], plain: bytes, page: str, defects: list[str]
) -> Iterator[TnefContent]:
    """Yield the forms of the body: HTML, then RTF, then plain text."""
    html, rtf, text = properties.get(_P_HTML), properties.get(_P_RTF), properties.get(_P_BODY)
    if html is not None and html.octets.strip(b"\0 \r\n"):
        label = "utf-16-le" if html.kind == _UNICODE else page
        yield TnefContent("", media_types.HTML, html.octets.rstrip(b"\0"), label)
    if rtf is not None and rtf.octets:
        unpacked = decompressed(rtf.octets, defects)
        if unpacked.strip(b"\0 \r\n"):
            yield TnefContent("", media_types.RTF, unpacked)
    if text is not None and text.kind == _UNICODE:
        yield TnefContent(
            "", media_types.TEXT, text.octets.decode("utf-16-le", "replace").rstrip("\0").encode(), "utf-8"
        )
    elif text is not None or plain:
        octets = (text.octets if text is not None else plain).rstrip(b"\0")
        if octets.strip():
            yield TnefContent("", media_types.TEXT, octets, page)


def _attachment(file: _File, page: str) -> TnefContent:
    properties = file.properties
    name = (
        _string(properties.get(_P_LONG_NAME), page)
        or _text(file.title, page)
        or _string(properties.get(_P_SHORT_NAME), page)
    )
    data = properties.get(_P_DATA)
    octets = file.octets if file.octets is not None else data.octets if data is not None else b""
    method = properties.get(_P_METHOD)
    if (
        method is not None
        and int.from_bytes(method.octets, "little") == _EMBEDDED_MESSAGE
        and data is not None
    ):
        return TnefContent(name, media_types.TNEF, data.octets[_INTERFACE_ID:])
    media_type = _string(properties.get(_P_MEDIA_TYPE), page).lower()
    if "/" not in media_type:
        media_type = media_types.OCTETS
    return TnefContent(
        name, media_type, octets, content_id=_string(properties.get(_P_CONTENT_ID), page).strip("<>")
    )


#: Initial content of the window for compressed RTF (MS-OXRTFCP §2.1.2.1).
_WINDOW: Final = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_WINDOW_SIZE: Final = 4096
_COMPRESSED, _UNCOMPRESSED = 0x75465A4C, 0x414C454D


def decompressed(octets: bytes, defects: list[str]) -> bytes:
    """Unpack PidTagRtfCompressed, as far as it is intact and within RTF_LIMIT."""
    if len(octets) < _RTF_HEADER.size:
        defects.append("tnef: rtf cut")
        return b""
    _packed, size, kind, _checksum = _RTF_HEADER.unpack_from(octets)
    data = octets[_RTF_HEADER.size :]
    if kind == _UNCOMPRESSED:
        return data[: min(size, RTF_LIMIT)]
    if kind != _COMPRESSED:
        defects.append("tnef: rtf of unknown kind")
        return b""
    if size > RTF_LIMIT:
        defects.append("tnef: rtf cut")
    return _unpacked(data, min(size, RTF_LIMIT))


def _unpacked(data: bytes, size: int) -> bytes:
    """Unpack LZFu: the output follows the window's initial content, so that a reference is a distance back."""
    out = bytearray(_WINDOW)
    first = len(out)
    at = 0
    while at < len(data) and len(out) - first < size:
        control = data[at]
        at += 1
        for bit in range(8):
            if not control >> bit & 1:
                out += data[at : at + 1]
                at += 1
                continue
            if at + 2 > len(data):
                return bytes(out[first : first + size])
            token = data[at] << 8 | data[at + 1]
            at += 2
            back = (len(out) - (token >> 4)) % _WINDOW_SIZE
            if back == 0:  # a reference to the write position ends the text
                return bytes(out[first : first + size])
            for _index in range((token & 0xF) + 2):
                out.append(out[-back] if back <= len(out) else 0x20)
    return bytes(out[first : first + size])
