"""Multiparts without their boundary, texts with one, and encoded messages: the server's structure of them is wrong.

Nothing here may fetch. If no boundary occurs, servers list one empty part, and the text is in none. Such a body is
read as one text, in the encoding and charset that the multipart's own header names (which RFC 2045 §6.4 forbids, but
broken writers do). If there is a boundary after all, in a body that was encoded or under a name that the server did
not understand, its parts are read here (see `rendering`). An encoded message (against RFC 2046 §5.2.1) is decoded, and
then parsed here as well.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from gateway.message.headers import header_fields, parameters
from gateway.message.mime.part_tree import is_encoded_message
from gateway.message.model import Part

#: Octets of a header and of a body that are examined to find out how to read the body.
HEADER_OCTETS: Final = 64 * 1024
LOOK_OCTETS: Final = 16 * 1024

#: A delimiter, and a header with a Content field.
_PART_BEGINS: Final = re.compile(
    rb"^--([^\r\n]{1,70})\r?\n(?:[\w-]+:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*){0,5}?content-[a-z-]+:",
    re.IGNORECASE | re.MULTILINE,
)
#: Lines above the first delimiter of a text that consists of parts: header fields, or remarks about MIME.
_PREAMBLE: Final = re.compile(rb"[\w-]+:|[ \t]|.*\b(?:multi-?part|MIME)\b", re.IGNORECASE)
_MULTIPART: Final = "multipart/"
#: Octets that hold the name of a header's first field.
_FIELD: Final = 300


def is_loose(part: Part) -> bool:
    """Return whether a multipart has no part, or one empty text: servers found no boundary."""
    if not part.media_type.startswith(_MULTIPART) or len(part.parts) > 1:
        return False
    return all(inner.media_type == "text/plain" and not inner.octets for inner in part.parts)


def sections(part: Part) -> tuple[str, str]:
    """Return the sections of a multipart's body and header (RFC 9051 §6.4.5)."""
    if not part.section:
        return "TEXT", "HEADER"
    if part.section.endswith(".TEXT"):
        return part.section, part.section.removesuffix("TEXT") + "HEADER"
    return part.section, f"{part.section}.MIME"


def as_text(part: Part, header: bytes) -> Part:
    """Return a multipart as a text part, to be decoded as its header says."""
    fields: dict[str, bytes] = {}
    for name, value in header_fields.fields(header)[0]:
        fields.setdefault(name, value)
    named = parameters.combine(parameters.split(fields.get("content-type", b""))[1])[0]
    encoding = (
        header_fields.decode(fields.get("content-transfer-encoding", b"")).partition(";")[0].strip().lower()
    )
    charset = named.get("charset", "us-ascii")
    return Part(part.section, "text/plain", {"charset": charset}, encoding or "7bit")


def has_boundary(part: Part, beginning: bytes) -> bool:
    """Return whether the boundary that the structure names occurs at the beginning of a body."""
    boundary = part.parameters.get("boundary", "").encode("utf-8", "replace").rstrip()
    return bool(boundary) and b"\n--" + boundary in b"\n" + beginning


def boundary_in(beginning: bytes) -> str:
    """Return the boundary that a body really has, '' if there is none: two dashes, and a part's header below."""
    found = _PART_BEGINS.search(beginning)
    return found[1].decode("latin-1").rstrip() if found else ""


def parts_in(beginning: bytes) -> str:
    """Return the boundary of the parts that a text consists of, '' if it is only a text.

    QUIRK: some headers lack the Content-Type of a multipart, or end before it.
    """
    found = _PART_BEGINS.search(beginning)
    if found is None:
        return ""
    above = (line for line in beginning[: found.start()].splitlines() if line.strip())
    return found[1].decode("latin-1").rstrip() if all(map(_PREAMBLE.match, above)) else ""


def with_boundary(media_type: str, boundary: str) -> bytes:
    """Return a header with which a multipart can be parsed whose own header names another boundary."""
    quoted = re.sub(r'(["\\])', r"\\\1", boundary)
    return f'Content-Type: {media_type}; boundary="{quoted}"\r\n\r\n'.encode("latin-1", "replace")


def unsealed(part: Part, beginning: bytes) -> Part:
    """Return an encoded message with its true encoding. QUIRK: some are only labelled base64."""
    plain = is_encoded_message(part.media_type, part.encoding) and header_fields.is_field(beginning[:_FIELD])
    if plain and part.encoding != "quoted-printable":  # which leaves field names unchanged
        return replace(part, encoding="8bit")
    return part


def without_encoding(header: bytes) -> bytes:
    """Remove the transfer encoding from the header of a decoded body."""
    kept = re.sub(rb"(?im)^content-transfer-encoding[ \t]*:.*(?:\r?\n[ \t].*)*(?:\r?\n|\Z)", b"", header)
    return kept.rstrip(b"\r\n") + b"\r\n\r\n"
