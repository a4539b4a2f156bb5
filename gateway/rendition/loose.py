"""Multiparts whose boundary never occurs, and messages in an encoding: what a server tells of them is wrong.

Nothing here may fetch. Where no boundary occurs, a server lists an empty part, and all the words are in none. Such a
body is read as one text, in the encoding and charset that the multipart's own header names (which RFC 2045 §6.4 does
not allow, and broken writers do). Where a boundary is found after all, in a body that was encoded or behind a name
that the server did not understand, what it parts is read here (see `render`). A message in an encoding (against RFC
2046 §5.2.1) is decoded, and then taken apart here as well.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from gateway.message import headers, parameters
from gateway.message.model import Part
from gateway.message.structure import is_sealed

#: Octets of a header and of a body that are looked at to learn how the body is to be read.
HEADER_OCTETS: Final = 64 * 1024
LOOK_OCTETS: Final = 16 * 1024

_MULTIPART: Final = "multipart/"
#: Octets in which a header's first name stands.
_FIELD: Final = 300


def is_loose(part: Part) -> bool:
    """Say whether a multipart holds nothing, or one empty text: so servers tell that they found no boundary."""
    if not part.media_type.startswith(_MULTIPART) or len(part.parts) > 1:
        return False
    return all(inner.media_type == "text/plain" and not inner.octets for inner in part.parts)


def sections(part: Part) -> tuple[str, str]:
    """Name the sections of a multipart's body and header (RFC 9051 §6.4.5)."""
    if not part.section:
        return "TEXT", "HEADER"
    if part.section.endswith(".TEXT"):
        return part.section, part.section.removesuffix("TEXT") + "HEADER"
    return part.section, f"{part.section}.MIME"


def as_text(part: Part, header: bytes) -> Part:
    """Make a text of a multipart, to be decoded as its header says."""
    fields: dict[str, bytes] = {}
    for name, value in headers.fields(header)[0]:
        fields.setdefault(name, value)
    named = parameters.combine(parameters.split(fields.get("content-type", b""))[1])[0]
    encoding = headers.decode(fields.get("content-transfer-encoding", b"")).partition(";")[0].strip().lower()
    charset = named.get("charset", "us-ascii")
    return Part(part.section, "text/plain", {"charset": charset}, encoding or "7bit")


def has_boundary(part: Part, beginning: bytes) -> bool:
    """Say whether a body begins to be parted by what the structure names as boundary."""
    boundary = part.parameters.get("boundary", "").encode("utf-8", "replace").rstrip()
    return bool(boundary) and re.search(rb"(?m)^--" + re.escape(boundary), beginning) is not None


def unsealed(part: Part, beginning: bytes) -> Part:
    """Name a message as it is to be decoded. QUIRK: some only say that they are in base64."""
    plain = is_sealed(part.media_type, part.encoding) and headers.is_field(beginning[:_FIELD])
    if plain and part.encoding != "quoted-printable":  # which leaves the names of fields as they are
        return replace(part, encoding="8bit")
    return part


def without_encoding(header: bytes) -> bytes:
    """Leave the transfer encoding out of a header, of a body that is decoded."""
    kept = re.sub(rb"(?im)^content-transfer-encoding[ \t]*:.*(?:\r?\n[ \t].*)*(?:\r?\n|\Z)", b"", header)
    return kept.rstrip(b"\r\n") + b"\r\n\r\n"
