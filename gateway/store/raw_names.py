"""Mailbox names that are not valid in the server's encoding, kept as they came so that they can be sent back.

Nothing here may lose an octet. In a name as we have it (`str`), an octet that could not be decoded is one character of
a private-use block, from U+10F000 (the value 0) up; unlike a lone surrogate it can be stored and compared as text.
QUIRK: Yandex has names with a bare "&"; many servers pass on raw 8-bit names as a program wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_BASE = 0x10F000
_RAW = re.compile(f"([{chr(_BASE)}-{chr(_BASE + 0xFF)}]+)")


def raw(octets: bytes) -> str:
    """Return octets as a name: printable ASCII except "&" unchanged, everything else as raw octets."""
    return "".join(
        chr(octet if 0x20 <= octet < 0x7F and octet != ord("&") else _BASE + octet) for octet in octets
    )


def is_raw(name: str) -> bool:
    """Return whether a name contains raw octets."""
    return _RAW.search(name) is not None


def encoded(name: str, encode: Callable[[str], bytes]) -> bytes:
    """Return the octets of a name: raw ones as they came, the rest as `encode` writes it."""
    return b"".join(_octets(piece) if raw else encode(piece) for piece, raw in _pieces(name))


def readable(name: str) -> str:
    """Return a name for display: raw octets as UTF-8, which they usually are."""
    if not is_raw(name):
        return name
    return encoded(name, str.encode).decode("utf-8", "replace")


def _octets(piece: str) -> bytes:
    return bytes(ord(letter) - _BASE for letter in piece)


def _pieces(name: str) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a name, and whether they are raw."""
    for at, piece in enumerate(_RAW.split(name)):
        if piece:
            yield piece, bool(at % 2)
