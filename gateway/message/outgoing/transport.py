"""Makes a finished message fit for a server's line lengths and 8-bit support (RFC 5321 §4.5.3.1.6, RFC 6152).

Nothing here may change what a message says: only bodies that cannot be sent as they are get another transfer
encoding, and header fields that cannot are folded, or written in encoded words. Everything else stays the
same, octet for octet. What is signed is not put into seven bits, which would break the signature (RFC 1847 §2.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.message.headers import header_fields
from gateway.message.headers.encoded_words import LONGEST, encoded_words
from gateway.message.mime import body, wire_format
from gateway.message.model import Part
from gateway.message.outgoing import flowed

_BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_FIELD: Final = re.compile(rb"[^\r\n]*(?:\r\n[ \t][^\r\n]*)*(?:\r\n|\Z)")
_ENCODING: Final = re.compile(rb"^content-transfer-encoding[ \t]*:", re.I | re.M)
_TYPE: Final = re.compile(rb"content-type[ \t]*:", re.I)
#: Words beyond ASCII and the spaces between them, without the signs that separate addresses (RFC 5322 §3.2.3).
_LEAST: Final = rb'[^\s()<>\[\]:;@\\,"\x80-\xff]*[\x80-\xff][^\s()<>\[\]:;@\\,"]*'
_WORDS: Final = re.compile(_LEAST + rb"(?:[ \t]+" + _LEAST + rb")*")
_COMPOSITE: Final = ("multipart/", "message/")
_SIGNED: Final = "multipart/signed"


class SignedContent(ValueError):
    """A signed part would have to be re-encoded."""


def is_sendable(octets: bytes, eight: bool = True) -> bool:
    """Return whether octets can be sent as they are; `eight`: the server accepts 8-bit."""
    if b"\0" in octets or not (eight or octets.isascii()):
        return False
    ends = octets.count(b"\r\n")
    if not octets.count(b"\r") == octets.count(b"\n") == ends:  # a lone CR or LF (RFC 5321 §2.3.8)
        return False
    at, size = 0, len(octets)
    while size - at > LONGEST:
        at = octets.rfind(b"\n", at, at + LONGEST + 2) + 1
        if not at:
            return False
    return True


def canonical(octets: bytes) -> bytes:
    """Convert all line ends to CRLF."""
    ends = octets.count(b"\r\n")
    return octets if octets.count(b"\r") == octets.count(b"\n") == ends else _BARE.sub(b"\r\n", octets)


def make_sendable(octets: bytes, eight: bool = True) -> bytes:
    """Return a message, or a part with its header, in a form that can be sent.

    Raise ValueError if that is not possible without changing its content, SignedContent if the content is signed.
    """
    if is_sendable(octets, eight):
        return octets
    parsed = wire_format.parse(octets)
    if any(defect.startswith("parts: more") for defect in parsed.message.defects):
        raise ValueError("more parts than are looked into")
    whole = b"".join(parsed.octets(""))
    out: list[bytes] = []
    at = 0
    for part in parsed.message.root.walk():
        begin, middle, end = _spans(parsed, part)
        out.append(_between(whole[at:begin], eight))
        header, content = whole[begin:middle], whole[middle:end]
        if not eight and part.media_type == _SIGNED and part.parts:
            first, _middle, last = _spans(parsed, part.parts[0])
            if not is_sendable(whole[first:last], eight):
                raise SignedContent("a signed part is not in seven bits")
        if part.parts:
            out.append(_header(header, eight, "7bit" if not eight and _ENCODING.search(header) else ""))
            at = middle
            continue
        encoding = ""
        if not is_sendable(content, eight):
            encoding, content = _encoded(part, b"".join(body.decoded(part, parsed.octets(part.section))))
            if middle == begin:  # a body without a header that could name its encoding
                raise ValueError("a part without a header cannot be encoded")
        out += [_header(header, eight, encoding, opaque=part.media_type.startswith(_COMPOSITE)), content]
        at = end
    out.append(_between(whole[at:], eight))
    return b"".join(out)


def _spans(parsed: wire_format.MessageFile, part: Part) -> tuple[int, int, int]:
    """Return where a part's header begins, where its body begins, and where that ends."""
    if not part.section:
        begin, middle = parsed.span("HEADER")
        return begin, middle, parsed.span("")[1]
    begin, middle = parsed.span(f"{part.section}.MIME")
    return begin, middle, parsed.span(part.section)[1]


def _encoded(part: Part, content: bytes) -> tuple[str, bytes]:
    text = part.media_type.startswith("text/")
    if text and b"\r" not in content.replace(b"\r\n", b"\n") and 3 * _odd(content) < len(content):
        return "quoted-printable", flowed.quoted_printable(content.replace(b"\r\n", b"\n"))
    return "base64", flowed.base64(content)


def _odd(content: bytes) -> int:
    return len(content) - len(content.translate(None, bytes(range(0x80, 0x100))))


def _header(octets: bytes, eight: bool, encoding: str = "", opaque: bool = False) -> bytes:
    """Make a header fit; `encoding` is the body's encoding now; an `opaque` body is no longer parsed."""
    if not encoding and is_sendable(octets, eight):
        return octets
    fields = [_field(match, eight) for match in _FIELD.findall(octets) if match.strip()]
    if encoding:
        fields = [one for one in fields if not _ENCODING.match(one)]
        fields.append(b"Content-Transfer-Encoding: " + encoding.encode("ascii") + b"\r\n")
    if encoding and opaque:
        fields = [one for one in fields if not _TYPE.match(one)]
        fields.append(b"Content-Type: application/octet-stream\r\n")
    return b"".join(fields) + (
        b"\r\n" if encoding or octets.endswith(b"\r\n\r\n") or octets == b"\r\n" else b""
    )


def _field(field: bytes, eight: bool) -> bytes:
    """Make one field fit, including its line end."""
    field = _BARE.sub(b" ", field.replace(b"\0", b"")).removesuffix(b"\r\n")
    if not eight and not field.isascii():
        field = _WORDS.sub(_encoded_in_utf8, field)
    return b"\r\n".join(_folded(line) for line in field.split(b"\r\n")) + b"\r\n"


def _encoded_in_utf8(words: re.Match[bytes]) -> bytes:
    """Write words in some charset as encoded words in UTF-8."""
    octets = header_fields.decode(words.group()).encode("utf-8", "replace")
    return " ".join(encoded_words(octets)).encode("ascii")


def _folded(line: bytes) -> bytes:
    """Fold a line that is too long, at whitespace if it has any."""
    out: list[bytes] = []
    while len(line) > LONGEST:
        cut = line.rfind(b" ", 1, LONGEST)
        cut = cut if cut > 0 and line[:cut].strip() else LONGEST - 1
        out.append(line[:cut])
        line = line[cut:] if line[cut : cut + 1] == b" " else b" " + line[cut:]
    return b"\r\n".join((*out, line))


def _between(octets: bytes, eight: bool) -> bytes:
    """Make what is outside the parts fit: boundaries, and text for programs that do not know MIME."""
    if is_sendable(octets, eight):
        return octets
    plain = octets.replace(b"\0", b"")
    if not eight:
        plain = re.sub(rb"[\x80-\xff]", b"?", plain)
    return b"\r\n".join(_pieces(plain))


def _pieces(octets: bytes) -> Iterator[bytes]:
    for line in canonical(octets).split(b"\r\n"):
        for at in range(0, len(line) or 1, LONGEST):
            yield line[at : at + LONGEST]
