"""What is put into a mail beside its text: files, parts of other mails, whole mails (RFC 2046, RFC 2183, RFC 2231).

Nothing here may let a file's name or type become a header field of its own, put a whole mail into base64
(RFC 2046 §5.2.1), or change the octets of a part that comes out of a mailbox, but for what no server takes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from gateway.message import filenames, flowed, transport
from gateway.message.fields import field, parameters

#: The type of a file of which nothing is known (RFC 2046 §4.5.1).
UNKNOWN: Final = "application/octet-stream"
WHOLE: Final = "message/rfc822"

_TYPE: Final = re.compile(r"([a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60})(?:\s*;(.*))?", re.I | re.S)
_CHARSET: Final = re.compile(
    r"(?:.*;)?\s*charset\s*=\s*\"?([A-Za-z0-9_.:-]{1,40})\"?\s*(?:;.*)?", re.I | re.S
)
_COPIED: Final = re.compile(rb"content-[!-9;-~]{1,60}[ \t]*:", re.I)
_FIELD: Final = re.compile(rb"[^\r\n]*(?:\r\n[ \t][^\r\n]*)*(?:\r\n|\Z)")


@dataclass(frozen=True, slots=True)
class Attached:
    """A file with its own octets. `media_type` may have a charset; `message/rfc822` is a whole mail."""

    filename: str
    media_type: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Raw:
    """A part of another mail: its MIME header (`BODY[n.MIME]`) and its body, both as they are on the wire."""

    mime_header: bytes
    octets: bytes


Part = Attached | Raw


def entity(part: Part) -> bytes:
    """Write a part: header, blank line, body. Raise ValueError for one that no server would take."""
    return _copied(part) if isinstance(part, Raw) else _attached(part)


def together(first: bytes, parts: Sequence[Part], unique: str) -> tuple[str, str, bytes]:
    """Put parts behind a first one: return the boundary, the encoding that covers all, and the body.

    The boundary is in none of them, and the same for the same parts and `unique`.
    """
    entities = [first, *map(entity, parts)]
    digest = sha256(unique.encode("utf-8", "replace"))
    for one in entities:
        digest.update(one)
    boundary = f"=_{digest.hexdigest()[:32]}"  # "=_" stands in no quoted-printable and no base64
    while any(boundary.encode("ascii") in one for one in entities):
        digest.update(b"again")
        boundary = f"=_{digest.hexdigest()[:32]}"
    mark = b"--" + boundary.encode("ascii")
    # RFC 2045 §6.4: a multipart's encoding says what is inside, at any depth.
    encoding = "7bit" if all(one.isascii() for one in entities) else "8bit"
    return boundary, encoding, b"".join(mark + b"\r\n" + one + b"\r\n" for one in entities) + mark + b"--\r\n"


def _attached(part: Attached) -> bytes:
    media_type, charset = _typed(part.media_type)
    name = filenames.safe(part.filename)
    disposition = field("Content-Disposition", ["attachment;", *parameters({"filename": name})])
    if media_type == WHOLE:
        body = transport.fit(transport.canonical(part.octets))
        encoding = "7bit" if body.isascii() else "8bit"
    else:
        body, encoding = flowed.base64(part.octets), "base64"
    kind = field("Content-Type", [f"{media_type};", f"charset={charset}"] if charset else [media_type])
    return f"{kind}{disposition}Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body


def _typed(written: str) -> tuple[str, str]:
    """Read a media type that a browser says; what cannot be a file's is unknown."""
    match = _TYPE.fullmatch(written.strip())
    media_type = match[1].lower() if match else UNKNOWN
    # RFC 2046 §5: these are made of parts, and cannot be encoded.
    if media_type.startswith(("multipart/", "message/")) and media_type != WHOLE:
        media_type = UNKNOWN
    charset = _CHARSET.fullmatch(match[2]) if match and match[2] and media_type.startswith("text/") else None
    return media_type, charset[1] if charset else ""


def _copied(part: Raw) -> bytes:
    """Take the fields that mean something in a part (RFC 2045 §9), and the body."""
    header = transport.canonical(part.mime_header.partition(b"\n\r\n")[0] + b"\n")
    fields = b"".join(one for one in _FIELD.findall(header) if _COPIED.match(one))
    if fields and not fields.endswith(b"\r\n"):
        fields += b"\r\n"
    return transport.fit(fields + b"\r\n" + part.octets)
