"""Parses POP3 responses: status lines, listings, capabilities.

Nothing here may do I/O or know a command. Malformed octets raise MalformedResponse, and nothing else does.

Standard: RFC 1939 §3, §5, §7 (LIST, UIDL); RFC 2449 §5 (CAPA), §8 (response codes); RFC 3206.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.store.server_text import clean

#: Digits of a message number or a size: no maildrop needs more.
_NUMBER: Final = rb"0*(\d{1,10})"
_STATUS: Final = re.compile(rb"(\+OK|-ERR)(?:[ \t]+(.*))?\Z", re.IGNORECASE | re.DOTALL)
_CODE: Final = re.compile(rb"\[([A-Za-z0-9/_.-]{1,64})(?: [^\]]*)?\][ \t]*")
_SCAN: Final = re.compile(rb"\s*" + _NUMBER + rb"\s+" + _NUMBER + rb"(?:\s|\Z)")
# QUIRK: RFC 1939 §7 has 1 to 70 printable characters; some servers write blanks in it, or more.
_UNIQUE: Final = re.compile(rb"\s*" + _NUMBER + rb"\s+(\S.*?)\s*\Z", re.DOTALL)


class MalformedResponse(ValueError):
    """The octets are not a POP3 response."""


@dataclass(frozen=True, slots=True)
class StatusLine:
    """A status line: its response code in upper case, "" if there is none, and its text."""

    ok: bool
    code: str = ""
    text: str = ""

    def __str__(self) -> str:
        code = f"[{self.code}] " if self.code else ""
        return f"{'+OK' if self.ok else '-ERR'} {code}{self.text}".rstrip()


def status(line: bytes) -> StatusLine:
    """Parse a status line without its end."""
    found = _STATUS.match(line)
    if found is None:
        raise MalformedResponse(clean(line))
    rest = found[2] or b""
    code = _CODE.match(rest)
    text = rest[code.end() :] if code else rest
    return StatusLine(
        found[1].upper() == b"+OK", code[1].decode("ascii").upper() if code else "", clean(text)
    )


def scan(line: bytes) -> tuple[int, int]:
    """Parse a line of LIST, or what follows +OK for STAT: two numbers."""
    found = _SCAN.match(line)
    if found is None:
        raise MalformedResponse(clean(line))
    return int(found[1]), int(found[2])


def unique(line: bytes) -> tuple[int, bytes]:
    """Parse a line of UIDL: message number and unique-id."""
    found = _UNIQUE.match(line)
    if found is None:
        raise MalformedResponse(clean(line))
    return int(found[1]), found[2]


def capabilities(lines: Iterable[bytes]) -> Mapping[str, tuple[str, ...]]:
    """Return capabilities with their arguments, in upper case."""
    words = (line.decode("ascii", "replace").upper().split() for line in lines)
    return {name: tuple(arguments) for name, *arguments in filter(None, words)}
