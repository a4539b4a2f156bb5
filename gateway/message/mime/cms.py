"""Reads the content of opaque S/MIME bodies, without keys and without verification.

Nothing here may raise, recurse to whatever depth a sender chooses, or claim that a signature is valid. RFC 5652 §3
(ContentInfo), §5.1 (SignedData), RFC 3274 (CompressedData), RFC 8551 §3.4.2; BER of both forms of length
(X.690 §8).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final, NamedTuple

#: Levels of constructed values that are read, and values of one level.
DEPTH_LIMIT: Final = 16
VALUES_LIMIT: Final = 10_000

#: How such a body begins, unlike any header: the tag of a sequence and a length of more than one octet.
SEQUENCE: Final = (b"\x30\x80", b"\x30\x81", b"\x30\x82", b"\x30\x83", b"\x30\x84")

_SIGNED: Final = bytes.fromhex("2a864886f70d010702")
_ENVELOPED: Final = (bytes.fromhex("2a864886f70d010703"), bytes.fromhex("2a864886f70d0109100117"))
_COMPRESSED: Final = bytes.fromhex("2a864886f70d0109100109")
_OID, _OCTETS, _SEQUENCE, _ZERO = 0x06, 0x04, 0x30, 0xA0
_OCTETS_MADE: Final = 0x24


class BodyKind(Enum):
    """What kind of body it is."""

    SIGNED = auto()
    COMPRESSED = auto()
    ENCRYPTED = auto()
    UNKNOWN = auto()


class _Value(NamedTuple):
    tag: int
    begin: int
    end: int
    next: int


def read_body(octets: bytes, cap: int) -> tuple[BodyKind, bytes]:
    """Return the kind of a body, and its signed or compressed content up to `cap` octets; b"" if encrypted."""
    whole = _first(octets, 0, len(octets), _SEQUENCE)
    if whole is None:
        return BodyKind.UNKNOWN, b""
    oid = _first(octets, whole.begin, whole.end, _OID)
    content = _first(octets, whole.begin, whole.end, _ZERO)
    name = octets[oid.begin : oid.end] if oid else b""
    if name in _ENVELOPED:
        return BodyKind.ENCRYPTED, b""
    if content is None or name not in (_SIGNED, _COMPRESSED):
        return BodyKind.UNKNOWN, b""
    sort = BodyKind.SIGNED if name == _SIGNED else BodyKind.COMPRESSED
    inside = _inside(octets, content, cap)
    if sort is BodyKind.COMPRESSED:
        try:
            inside = zlib.decompressobj().decompress(inside, cap)
        except zlib.error:
            return BodyKind.UNKNOWN, b""
    return (sort, inside) if inside else (BodyKind.UNKNOWN, b"")


def _inside(octets: bytes, content: _Value, cap: int) -> bytes:
    """Return the encapsulated content of SignedData or CompressedData: the first sequence that has any."""
    data = _first(octets, content.begin, content.end, _SEQUENCE)
    for info in _values(octets, data.begin, data.end) if data else ():
        if info.tag != _SEQUENCE or _first(octets, info.begin, info.end, _OID) is None:
            continue
        wrapped = _first(octets, info.begin, info.end, _ZERO)
        if wrapped is not None:
            return b"".join(_strings(octets, wrapped))[:cap]
    return b""


def _strings(octets: bytes, value: _Value) -> Iterator[bytes]:
    """Yield the pieces of an octet string, which may be constructed."""
    waiting = [(value, 0)]
    while waiting:
        value, depth = waiting.pop()
        if value.tag == _OCTETS:
            yield octets[value.begin : value.end]
        elif value.tag in (_OCTETS_MADE, _ZERO) and depth < DEPTH_LIMIT:
            inner = [(one, depth + 1) for one in _values(octets, value.begin, value.end)]
            waiting += reversed(inner)


def _first(octets: bytes, begin: int, end: int, tag: int) -> _Value | None:
    return next((value for value in _values(octets, begin, end) if value.tag == tag), None)


def _values(octets: bytes, begin: int, end: int) -> Iterator[_Value]:
    """Yield the values in a stretch, up to the first that cannot be read."""
    for _ in range(VALUES_LIMIT):
        value = _read(octets, begin, end)
        if value is None or value.tag == 0:
            return
        yield value
        begin = value.next


def _read(octets: bytes, at: int, end: int) -> _Value | None:
    """Read the tag and length of a value, and find the end of an indefinite one; a truncated one ends with the
    octets."""
    header = _header(octets, at, end)
    if header is None:
        return None
    tag, begin, length = header
    if length is not None:
        return _Value(tag, begin, min(begin + length, end), min(begin + length, end))
    at, open_ = begin, 1  # open values of indefinite length
    for _ in range(VALUES_LIMIT):
        header = _header(octets, at, end)
        if header is None:
            return _Value(tag, begin, end, end)
        inner, at, length = header
        if inner == 0 and length == 0:
            open_ -= 1
            if not open_:
                return _Value(tag, begin, at - 2, at)
        elif length is None:
            open_ += 1
        else:
            at += length
    return _Value(tag, begin, end, end)


def _header(octets: bytes, at: int, end: int) -> tuple[int, int, int | None] | None:
    """Read a tag and a length: where the value begins, and how long it is (None: indefinite)."""
    if at + 2 > end or octets[at] & 0x1F == 0x1F:  # tags of several octets do not occur here
        return None
    tag, length, at = octets[at], octets[at + 1], at + 2
    if length == 0x80:
        return tag, at, None
    if length > 0x80:
        count = length & 0x7F
        if count > 4 or at + count > end:
            return None
        length = int.from_bytes(octets[at : at + count])
        at += count
    return tag, at, length
