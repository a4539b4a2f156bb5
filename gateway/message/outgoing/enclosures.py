"""Parts beside the text of a mail: files, parts of other mails, whole mails (RFC 2046, RFC 2183, RFC 2231).

Nothing here may let a file's name or type become a header field, put a whole mail into base64 (RFC 2046
§5.2.1), or change the octets of a part from a mailbox, except for what no server accepts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from gateway.message import model as structure
from gateway.message.headers import filenames
from gateway.message.headers.encoded_words import field, ids, parameters
from gateway.message.media_types import MESSAGE, OCTETS
from gateway.message.outgoing import flowed, transport

_TYPE: Final = re.compile(r"([a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60})(?:\s*;(.*))?", re.I | re.S)
_CHARSET: Final = re.compile(
    r"(?:.*;)?\s*charset\s*=\s*\"?([A-Za-z0-9_.:-]{1,40})\"?\s*(?:;.*)?", re.I | re.S
)
_ENCODING: Final = re.compile(r"[a-z0-9-]{1,40}", re.I)
_NAME: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,40}", re.I)
_COPIED: Final = re.compile(rb"content-[!-9;-~]{1,60}[ \t]*:", re.I)
_FIELD: Final = re.compile(rb"[^\r\n]*(?:\r\n[ \t][^\r\n]*)*(?:\r\n|\Z)")


@dataclass(frozen=True, slots=True)
class Attached:
    """A file with its octets. `media_type` may have a charset; `message/rfc822` is a whole mail."""

    filename: str
    media_type: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class CopiedPart:
    """A part of another mail: its MIME header (`BODY[n.MIME]`) and its body, both as received."""

    mime_header: bytes
    octets: bytes


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another form of the whole text (RFC 2046 §5.1.4): the words of its Content-Type, and its octets."""

    content_type: tuple[str, ...]
    octets: bytes


OutgoingPart = Attached | CopiedPart | Alternative


def entity(part: OutgoingPart) -> bytes:
    """Write a part: header, blank line, body. Raise ValueError for one that no server would accept."""
    match part:
        case CopiedPart():
            return _copied(part)
        case Alternative():
            head = field("Content-Type", part.content_type)
            return f"{head}Content-Transfer-Encoding: base64\r\n\r\n".encode() + flowed.base64(part.octets)
    return _attached(part)


def multipart(first: bytes, parts: Sequence[OutgoingPart], unique: str) -> tuple[str, str, bytes]:
    """Join parts after a first one: return the boundary, the encoding that covers all, and the body.

    The boundary occurs in none of them, and depends only on the parts and `unique`.
    """
    entities = [first, *map(entity, parts)]
    digest = sha256(unique.encode("utf-8", "replace"))
    for one in entities:
        digest.update(one)
    boundary = f"=_{digest.hexdigest()[:32]}"  # "=_" occurs in neither quoted-printable nor base64
    while any(boundary.encode("ascii") in one for one in entities):
        digest.update(b"again")
        boundary = f"=_{digest.hexdigest()[:32]}"
    mark = b"--" + boundary.encode("ascii")
    # RFC 2045 §6.4: a multipart's encoding covers what is inside, at any depth.
    encoding = "7bit" if all(one.isascii() for one in entities) else "8bit"
    return boundary, encoding, b"".join(mark + b"\r\n" + one + b"\r\n" for one in entities) + mark + b"--\r\n"


def _attached(part: Attached) -> bytes:
    media_type, charset = _typed(part.media_type)
    name = filenames.safe(part.filename)
    disposition = field("Content-Disposition", ["attachment;", *parameters({"filename": name})])
    if media_type == MESSAGE:
        body = transport.make_sendable(transport.canonical(part.octets))
        encoding = "7bit" if body.isascii() else "8bit"
    else:
        body, encoding = flowed.base64(part.octets), "base64"
    kind = field("Content-Type", [f"{media_type};", f"charset={charset}"] if charset else [media_type])
    return f"{kind}{disposition}Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body


def mime_header(part: structure.Part) -> bytes:
    """Write the MIME header of a received part from what its structure says (RFC 2045, RFC 2183)."""
    kind = part.media_type if _TYPE.fullmatch(part.media_type) else OCTETS
    out = [field("Content-Type", _with(kind, part.parameters))]
    if part.disposition:
        disposition = "inline" if part.disposition == "inline" else "attachment"
        out.append(field("Content-Disposition", _with(disposition, part.disposition_parameters)))
    if _ENCODING.fullmatch(part.encoding):
        out.append(field("Content-Transfer-Encoding", [part.encoding]))
    out.append(field("Content-ID", ids([f"<{part.content_id}>"])))
    return "".join(out).encode()


def _with(value: str, found: Mapping[str, str]) -> list[str]:
    named = {name: text for name, text in found.items() if _NAME.fullmatch(name) and text}
    return [f"{value};", *parameters(named)] if named else [value]


def _typed(written: str) -> tuple[str, str]:
    """Validate a media type sent by a browser; one that cannot be a file's becomes UNKNOWN."""
    match = _TYPE.fullmatch(written.strip())
    media_type = match[1].lower() if match else OCTETS
    # RFC 2046 §5: these are made of parts, and cannot be encoded.
    if media_type.startswith(("multipart/", "message/")) and media_type != MESSAGE:
        media_type = OCTETS
    charset = _CHARSET.fullmatch(match[2]) if match and match[2] and media_type.startswith("text/") else None
    return media_type, charset[1] if charset else ""


def _copied(part: CopiedPart) -> bytes:
    """Return the fields that have a meaning in a part (RFC 2045 §9), and the body."""
    header = transport.canonical(part.mime_header.partition(b"\n\r\n")[0] + b"\n")
    fields = b"".join(one for one in _FIELD.findall(header) if _COPIED.match(one))
    if fields and not fields.endswith(b"\r\n"):
        fields += b"\r\n"
    return transport.make_sendable(fields + b"\r\n" + part.octets)
