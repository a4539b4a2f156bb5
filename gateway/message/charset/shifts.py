"""Shift states of stateful charsets: what a decoder needs to start in the middle, in a few letters.

Nothing here may keep state: a state is a string of capitals that fits into a position. ISO 2022 (ECMA-35, RFC
1468, RFC 1557), HZ (RFC 1843), UTF-7 (RFC 2152); other charsets have none.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from gateway.message.charset import decoding, utf7

#: Letter, the slot it fills (G0 to G2, or the shift), and its escape sequence.
_DESIGNATIONS: Final = (
    ("A", 0, b"\x1b(J"),
    ("B", 0, b"\x1b(I"),
    ("C", 0, b"\x1b$@"),
    ("D", 0, b"\x1b$B"),
    ("E", 0, b"\x1b$A"),
    ("F", 0, b"\x1b$(C"),
    ("G", 0, b"\x1b$(D"),
    ("H", 0, b"\x1b$(O"),
    ("I", 0, b"\x1b$(P"),
    ("J", 0, b"\x1b$(Q"),
    ("K", 1, b"\x1b$)C"),
    ("L", 2, b"\x1b.A"),
    ("M", 2, b"\x1b.F"),
    ("N", 3, b"\x0e"),
)
_OCTETS: Final = {letter: octets for letter, _, octets in _DESIGNATIONS}
_FILLS: Final = {octets: (slot, letter) for letter, slot, octets in _DESIGNATIONS}
_FILLS_NONE: Final = {b"\x1b(B": 0, b"\x0f": 3, b"\n": 3}
_ESCAPE: Final = re.compile(rb"\x1b(?:\$[@AB]|\$?[()*+.][@-Z])|[\x0e\x0f\n]")

_HZ: Final = re.compile(rb"~[{}~\n]|\n")
_UTF7: Final = re.compile(rb"\+[A-Za-z0-9+/]*+\Z")
_SHIFTED: Final = "S"


def after(codec: str, octets: bytes, state: str) -> str:
    """Return the state after the octets, given the state before them."""
    if codec.startswith("iso2022"):
        return _iso2022(octets, state)
    if codec == "hz":
        for match in _HZ.finditer(octets):
            state = _SHIFTED if match.group() == b"~{" else state if match.group() == b"~~" else ""
        return state
    if codec == decoding.UTF7:
        return _SHIFTED if _UTF7.search((b"+A" if state else b"") + octets) else ""
    return ""


def _iso2022(octets: bytes, state: str) -> str:
    slots = ["", "", "", ""]
    for letter in state:
        if letter in _OCTETS:
            slots[_FILLS[_OCTETS[letter]][0]] = letter
    for match in _ESCAPE.finditer(octets):
        slot, letter = _FILLS.get(match.group(), (_FILLS_NONE.get(match.group(), -1), ""))
        if slot >= 0:
            slots[slot] = letter
    return "".join(slots)


def begin(codec: str, state: str) -> codecs.IncrementalDecoder:
    """Make a decoder in a state; an invalid state is ignored."""
    decoder = decoding.codec_decoder(codec)
    if not state:
        return decoder
    if isinstance(decoder, utf7.Utf7Decoder):
        decoder.shift()
    elif codec == "hz":
        decoder.decode(b"~{")
    elif codec.startswith("iso2022"):
        decoder.decode(b"".join(_OCTETS.get(letter, b"") for letter in state))
    return decoder
