"""multipart/form-data: fields and files from one stream (RFC 7578, HTML Living Standard §4.10.21.8).

Nothing here may exceed its limits, or lose what was typed because a file is too large: octets of a file beyond the
limit are read and dropped, and its name is reported. Charsets are found as in `form_bodies`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import BadRequest, TooLong
from gateway.message.headers import filenames, header_fields, parameters
from gateway.message.mime import part_tree
from gateway.web.request import form_bodies

#: Octets of all text fields together, and of one part's header.
TYPED: Final = 256 * 1024
_HEADER: Final = 8 * 1024
#: Maximum number of files in one form.
MOST_FILES: Final = 20
#: Octets to read at a time.
_PIECE: Final = 64 * 1024
#: Characters of a boundary (RFC 2046 §5.1.1).
_BOUNDARY: Final = re.compile(rb"[^\0\r\n]{1,70}")
#: At most this many times the limit is read, so that the browser gets a response; then the stream ends.
PATIENCE: Final = 4

Read = Callable[[int], bytes]


@dataclass(slots=True)
class _Part:
    """One part: its raw names, its own charset, and its content."""

    name: bytes
    filename: bytes | None
    media_type: str
    charset: str
    content: bytearray = field(default_factory=bytearray)
    too_large: bool = False


def parse(content_type: str, read: Read, page_charset: str, limit: int) -> form_bodies.Fields:
    """Parse a form with files of at most `limit` octets together; `read` returns b"" at the end.

    Raise BadRequest for another media type, for too much of anything except files, or if there is no form. A form that
    breaks off inside a file keeps what came before it.
    """
    kind, pairs = parameters.split(content_type.encode("latin-1", "replace"))
    boundary = dict(reversed(pairs)).get(b"boundary", b"")
    if kind != "multipart/form-data" or not _BOUNDARY.fullmatch(boundary):
        raise BadRequest("form type")
    parts = _parts(_Stream(read, boundary, TYPED + PATIENCE * limit), limit)
    raw: dict[bytes, bytes] = {}
    for part in parts:
        if part.filename is None:
            raw.setdefault(part.name, bytes(part.content))
    declared = next((part.charset for part in parts if part.filename is None and part.charset), "")
    charset = form_bodies.charset_of(declared, raw, page_charset)
    typed = ((part, part.charset or charset) for part in parts if part.filename is None)
    return form_bodies.Fields(
        [
            (form_bodies.decode(part.name, charset), form_bodies.decode(bytes(part.content), own))
            for part, own in typed
        ],
        tuple(_upload(part, charset) for part in parts if _is_file(part) and not part.too_large),
        tuple(_name(part, charset) for part in parts if part.too_large),
    )


def _is_file(part: _Part) -> bool:
    """Return whether a part is a file rather than an empty file input (HTML Living Standard §4.10.22.4)."""
    return bool(part.filename or (part.filename is not None and part.content))


def _name(part: _Part, charset: str) -> str:
    # Browsers write a quote and a line end as %22, %0D, %0A, and escape nothing else this way.
    octets = (part.filename or b"").replace(b"%22", b'"').replace(b"%0D", b" ").replace(b"%0A", b" ")
    return filenames.safe(form_bodies.decode(octets, charset))


def _upload(part: _Part, charset: str) -> form_bodies.Upload:
    name = form_bodies.decode(part.name, charset)
    return form_bodies.Upload(name, _name(part, charset), part.media_type, bytes(part.content))


def _parts(stream: _Stream, limit: int) -> list[_Part]:
    """Read all parts, and the files within the limit."""
    found: list[_Part] = []
    typed = files = 0
    for header in stream.headers():
        if len(found) >= form_bodies.MOST_FIELDS:
            raise BadRequest("too many fields")
        part = _described(header)
        found.append(part)
        for piece in stream.body():
            if part.filename is None:
                typed += len(piece)
                if typed > TYPED:
                    raise TooLong("a form of too many octets")
                part.content += piece
            elif not part.too_large:
                files += len(piece)
                part.content += piece
                part.too_large = files > limit
            if part.too_large:
                files -= len(part.content)
                part.content.clear()
        if stream.broken():
            part.too_large = part.filename is not None
            break
        if sum(_is_file(part) for part in found) > MOST_FILES:
            raise BadRequest("too many files")
    if stream.broken() and not any(part.too_large for part in found):
        raise BadRequest("a form that breaks off")
    return found


def _described(header: bytes) -> _Part:
    """Parse the header of one part. Raise BadRequest if it has no name."""
    fields = dict(reversed(header_fields.fields(header)[0]))
    disposition, pairs = parameters.split(fields.get("content-disposition", b""))
    known = dict(reversed(pairs))
    if disposition != "form-data" or b"name" not in known:
        raise BadRequest("a part of a form without a name")
    written = fields.get("content-type", b"")
    kind, more = parameters.split(written or b"text/plain")
    charset = form_bodies.codec_of(dict(reversed(more)).get(b"charset", b"").decode("latin-1"))
    filename = known.get(b"filename")
    media_type = (
        part_tree.media_type(kind.encode("ascii", "replace")) if written else "application/octet-stream"
    )
    if charset and filename is not None and media_type.startswith("text/"):
        media_type += f"; charset={charset}"
    return _Part(known[b"name"], filename, media_type, charset if filename is None else "")


class _Stream:
    """The input stream, split at the boundary."""

    def __init__(self, read: Read, boundary: bytes, most: int) -> None:
        self._read = read
        self._mark = b"\r\n--" + boundary
        self._held = bytearray(b"\r\n")  # so that the first boundary is like the others
        self._left = most
        self._broken = False

    def broken(self) -> bool:
        """Whether the stream ended before the last boundary, or was too long."""
        return self._broken

    def headers(self) -> Iterator[bytes]:
        """Yield the header of each part; read its body before the next one."""
        for _ in self.body():
            pass  # the preamble, for programs that do not know MIME
        while not self.broken():
            if not self._fill(2) or self._held.startswith(b"--"):
                return
            header = b"".join(self._until(b"\r\n\r\n", _HEADER))
            if self.broken():
                return
            if self._fill(len(self._mark)) and self._held.startswith(self._mark[2:]):
                # There is no body: the end of the blank line is the one before the boundary (RFC 2046 §5.1.1).
                self._held[:0] = b"\r\n"
            yield header

    def body(self) -> Iterator[bytes]:
        """Yield the octets up to the next boundary."""
        while True:
            yield from self._until(self._mark)
            if self.broken() or not self._fill(2) or self._held.startswith((b"--", b"\r\n", b" ", b"\t")):
                return
            yield self._mark  # it only begins like a boundary

    def _until(self, mark: bytes, most: int = 0) -> Iterator[bytes]:
        passed = 0
        while (at := self._held.find(mark)) < 0:
            ready = len(self._held) - len(mark) + 1
            if ready > 0:
                passed += ready
                yield bytes(self._held[:ready])
                del self._held[:ready]
            if most and passed > most:
                raise BadRequest("a part of a form with too long a header")
            if not self._more():
                return
        yield bytes(self._held[:at])
        del self._held[: at + len(mark)]

    def _fill(self, count: int) -> bool:
        while len(self._held) < count:
            if not self._more():
                return False
        return True

    def _more(self) -> bool:
        piece = self._read(min(_PIECE, self._left)) if self._left > 0 else b""
        self._left -= len(piece)
        self._held += piece
        self._broken = self._broken or not piece
        return bool(piece)
