"""Writes the text of a mail: flowed, and encoded where needed (RFC 3676 §4, RFC 2045 §6).

Nothing here may change a word, or write a line that is too long.
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Iterator
from typing import Final

from gateway.message.headers.encoded_words import LONGEST

#: Characters of a flowed line (RFC 3676 §4.2 rule 5).
_FLOWED: Final = 76
#: Quote marks before a line that are kept when it is flowed.
_DEPTH: Final = 30
#: Octets in one line of base64, so that it has 76 characters (RFC 2045 §6.8).
_BASE64: Final = 57


def text_part(text: str) -> tuple[list[str], str, bytes]:
    """Write text: the value of its Content-Type, its transfer encoding, and its octets."""
    octets, encoding = _body(text)
    charset = "us-ascii" if text.isascii() else "utf-8"
    return ["text/plain;", f"charset={charset};", "format=flowed"], encoding, octets


def base64(octets: bytes) -> bytes:
    """Encode in lines of 76 characters (RFC 2045 §6.8)."""
    starts = range(0, len(octets), _BASE64)
    return b"".join(b2a_base64(octets[at : at + _BASE64], newline=False) + b"\r\n" for at in starts)


def quoted_printable(text: bytes) -> bytes:
    """Encode text with LF line ends (RFC 2045 §6.7)."""
    return b2a_qp(text, istext=True).replace(b"\n", b"\r\n")


def _body(text: str) -> tuple[bytes, str]:
    """Flow the text, and encode it if it is not ASCII or has lines that are too long."""
    lines = [flowed for line in _lines(text) for flowed in _flow(line)]
    octets = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    if octets.isascii() and max(map(len, lines), default=0) <= LONGEST:
        return octets.replace(b"\n", b"\r\n"), "7bit"
    if 3 * sum(octet > 127 for octet in octets) < len(octets):
        return quoted_printable(octets), "quoted-printable"
    return base64(octets.replace(b"\n", b"\r\n")), "base64"


def _lines(text: str) -> list[str]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.removesuffix("\n").split("\n")


_QUOTED: Final = re.compile(rf"(>(?: ?>){{0,{_DEPTH}}}) ?")


def _flow(line: str) -> Iterator[str]:
    """Break one paragraph into flowed lines: all but the last end in a space (RFC 3676 §4)."""
    if line == "-- ":
        yield line
        return
    match = _QUOTED.match(line)
    mark = match.group(1).replace(" ", "") if match else ""
    rest = (line[match.end() :] if match else line).rstrip(" ")
    room = _FLOWED - len(mark) - 1
    while len(rest) > room:
        cut = rest.rfind(" ", 1, room) + 1 or rest.find(" ", room) + 1
        if not cut or not rest[cut:].strip(" "):
            break
        yield _stuff(mark, rest[:cut])
        rest = rest[cut:]
    yield _stuff(mark, rest)


def _stuff(mark: str, text: str) -> str:
    """Prefix a space if the line would have another meaning without it (RFC 3676 §4.4, space-stuffing)."""
    if mark:
        return f"{mark} {text}" if text else mark
    return f" {text}" if text.startswith((" ", ">", "From ")) else text
