"""Content transfer encodings, decoded piece by piece, with the way back to the encoded octets.

Nothing here may raise for broken input, keep more than was fed since it was last asked, or let the result
depend on how the input was cut (RFC 2045 §6; uuencode as in POSIX). `locate` names, for a decoded octet, an
encoded offset and a state from which a new decoder gives the same octets from there on. Octets must be
located in ascending order; what lies before is forgotten then.
"""

from __future__ import annotations

import re
from binascii import Error as BinasciiError
from binascii import a2b_base64, a2b_uu
from collections import deque
from typing import Final, Protocol


class Decoder(Protocol):
    """One body being decoded. `STATE_LETTERS`: how many capitals its state takes, but at the very start."""

    STATE_LETTERS: int

    def __init__(self, start: int = 0, state: str = "") -> None: ...

    def feed(self, octets: bytes) -> bytes:
        """Take encoded octets, give what can be decoded of them."""

    def finish(self) -> bytes:
        """Give what was still kept back."""

    def locate(self, index: int) -> tuple[int, str]:
        """Name the place where decoding gives the octets from decoded `index` on."""


class Identity:
    """7bit, 8bit, binary, and whatever is not known."""

    STATE_LETTERS = 0

    def __init__(self, start: int = 0, state: str = "") -> None:
        self._start = start

    def feed(self, octets: bytes) -> bytes:
        return octets

    def finish(self) -> bytes:
        return b""

    def locate(self, index: int) -> tuple[int, str]:
        return self._start + index, ""


_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_ALPHABET: Final = bytes(set(range(256)) - set(_ALPHABET))
_BETWEEN_PADS: Final = re.compile(rb"[^=]+|=+")
_RUN: Final = re.compile(rb"[A-Za-z0-9+/]+")


class Base64:
    """Base64 with anything between its characters; padding begins anew. State: A to C, octets to skip."""

    STATE_LETTERS = 1

    def __init__(self, start: int = 0, state: str = "") -> None:
        self._at = start  # encoded octets fed
        self._skip = max("ABC".find(state), 0) if state else 0
        self._carry = b""
        self._carry_at: list[int] = []
        self._given = -self._skip  # decoded index of what comes next
        # Of each stretch: decoded end and begin, carried offsets, encoded begin, octets.
        self._marks: deque[tuple[int, int, list[int], int, bytes]] = deque()
        self._cursor = (0, 0)  # characters before, and offset of, a place in the first mark

    def feed(self, octets: bytes) -> bytes:
        if b"=" not in octets:
            return self._stretch(octets)
        out = []
        for match in _BETWEEN_PADS.finditer(octets):
            stretch = match.group()
            out.append(self._pad(len(stretch)) if stretch[0] == 0x3D else self._stretch(stretch))
        return b"".join(out)

    def _stretch(self, octets: bytes) -> bytes:
        characters = self._carry + octets.translate(None, _NOT_ALPHABET)
        whole = len(characters) - len(characters) % 4
        decoded = a2b_base64(characters[:whole])
        if decoded:
            self._mark(len(decoded), octets)
            self._carry_at = _last(octets, self._at, len(characters) - whole)
        else:
            self._carry_at = self._carry_at + _last(octets, self._at, len(characters) - len(self._carry))
        self._carry = characters[whole:]
        self._at += len(octets)
        return self._give(decoded)

    def _pad(self, signs: int) -> bytes:
        """End a group at its padding, or at the end of all."""
        decoded = b""
        if len(self._carry) > 1:
            decoded = a2b_base64(self._carry + b"=" * (4 - len(self._carry)))
            self._mark(len(decoded), b"")
        self._carry, self._carry_at = b"", []
        self._at += signs
        return self._give(decoded)

    def _mark(self, count: int, octets: bytes) -> None:
        self._marks.append((self._given + count, self._given, self._carry_at, self._at, octets))

    def _give(self, decoded: bytes) -> bytes:
        hidden = max(0, min(-self._given, len(decoded)))
        self._given += len(decoded)
        return decoded[hidden:]

    def finish(self) -> bytes:
        return self._pad(0)

    def locate(self, index: int) -> tuple[int, str]:
        while self._marks and self._marks[0][0] <= index:
            self._marks.popleft()
            self._cursor = (0, 0)
        if not self._marks:
            return (self._carry_at[0] if self._carry_at else self._at), "A"
        _, begin, carried, at, octets = self._marks[0]
        group, skip = divmod(index - begin, 3)
        wanted = group * 4 - len(carried)
        if wanted < 0:
            return carried[0], "ABC"[skip]
        before, offset = self._cursor
        for run in _RUN.finditer(octets, offset):
            if before + len(run.group()) > wanted:
                self._cursor = (before, run.start())
                return at + run.start() + wanted - before, "ABC"[skip]
            before += len(run.group())
        raise AssertionError("a decoded octet has no encoded one")


def _last(octets: bytes, at: int, count: int) -> list[int]:
    """Name the offsets of the last `count` characters (at most three, or all of a stretch of three)."""
    found: list[int] = []
    offset = len(octets)
    while len(found) < count:
        offset -= 1
        if octets[offset] in _ALPHABET:
            found.append(at + offset)
    return found[::-1]


#: Octets of an encoded line that are taken as one; longer ones, which no standard allows, are stretched out.
_LINE: Final = 4096
#: Blanks at the end of a line that are dropped as padding (RFC 2045 §6.7 rule 3; its lines have at most 76).
_PADDING: Final = 76
_LOOKAHEAD: Final = _PADDING + 4
_HEX: Final = {
    bytes((high, low)): bytes((int(chr(high) + chr(low), 16),))
    for high in b"0123456789ABCDEFabcdef"
    for low in b"0123456789ABCDEFabcdef"
}
_QP_TOKEN: Final = re.compile(rb"=[0-9A-Fa-f]{2}|[^=]+|=")


class QuotedPrintable:
    """Quoted-printable; what is no escape stays as it is. Stateless: any escape or octet can be the first."""

    STATE_LETTERS = 0

    def __init__(self, start: int = 0, state: str = "") -> None:
        self._at = start
        self._kept = b""
        self._given = 0
        # Of each line: decoded end and begin, encoded begin, its octets, decoded octets of the line end.
        self._marks: deque[tuple[int, int, int, bytes, int]] = deque()
        self._cursor = (0, 0)

    def feed(self, octets: bytes) -> bytes:
        return self._take(self._kept + octets, False)

    def finish(self) -> bytes:
        return self._take(self._kept, True)

    def _take(self, octets: bytes, final: bool) -> bytes:
        out: list[bytes] = []
        at = 0
        while at < len(octets):
            end = octets.find(b"\n", at, at + _LINE + _LOOKAHEAD) + 1
            if end:
                out.append(self._line(octets[at:end]))
            elif len(octets) - at >= _LINE + _LOOKAHEAD:
                end = at + _LINE
                end -= {b"=": 1}.get(octets[end - 1 : end], 0) or {b"=": 2}.get(octets[end - 2 : end - 1], 0)
                out.append(self._literal(octets[at:end], b""))
            elif final:
                end = len(octets)
                out.append(self._line(octets[at:]))
            else:
                break
            at = end
        self._kept = octets[at:]
        return b"".join(out)

    def _line(self, line: bytes) -> bytes:
        """Decode a line: its end is dropped after a soft break, and blanks before its end always."""
        end = b"\r\n" if line.endswith(b"\r\n") else b"\n" if line.endswith(b"\n") else b""
        body = line[: len(line) - len(end)]
        blanks = len(body) - len(body.rstrip(b" \t\r"))
        body = body[: len(body) - min(blanks, _PADDING)]
        soft = body.endswith(b"=")
        return self._literal(body[:-1] if soft else body, b"" if soft else end, line)

    def _literal(self, body: bytes, end: bytes, line: bytes = b"") -> bytes:
        line = line or body
        decoded = body
        if b"=" in body:
            first, *rest = body.split(b"=")
            decoded = first + b"".join(
                _HEX[piece[:2]] + piece[2:] if piece[:2] in _HEX else b"=" + piece for piece in rest
            )
        decoded += end
        self._marks.append((self._given + len(decoded), self._given, self._at, line, len(end)))
        self._given += len(decoded)
        self._at += len(line)
        return decoded

    def locate(self, index: int) -> tuple[int, str]:
        while self._marks and self._marks[0][0] <= index:
            self._marks.popleft()
            self._cursor = (0, 0)
        if not self._marks:
            return self._at, ""
        end, begin, at, line, newline = self._marks[0]
        if index >= end - newline:
            return at + len(line) - (end - index), ""
        wanted = index - begin
        before, offset = self._cursor
        for token in _QP_TOKEN.finditer(line, offset):
            size = 1 if token.group()[0] == 0x3D else len(token.group())
            if before + size > wanted:
                self._cursor = (before, token.start())
                return at + token.start() + (wanted - before), ""
            before += size
        raise AssertionError("a decoded octet has no encoded one")


#: Octets of a uuencoded line, which has at most 61 characters and its end; a longer one is skipped.
_UU_LINE: Final = 256
_UU_BEGIN: Final = re.compile(rb"begin [0-7]{3,4} .*")


class Uuencode:
    """Uuencode between its begin and end lines. State: two capitals, octets of the first line to skip."""

    STATE_LETTERS = 2

    def __init__(self, start: int = 0, state: str = "") -> None:
        self._at = start
        self._inside = len(state) == 2
        self._skip = (ord(state[0]) - 65) * 26 + ord(state[1]) - 65 if self._inside else 0
        self._given = -self._skip
        self._kept = b""
        self._marks: deque[tuple[int, int, int]] = deque()

    def feed(self, octets: bytes) -> bytes:
        octets = self._kept + octets
        out: list[bytes] = []
        at = 0
        while end := octets.find(b"\n", at) + 1:
            out.append(self._line(octets[at:end]))
            at = end
        if len(octets) - at > _UU_LINE:  # not ours; only where it ends matters
            self._at += len(octets) - at - 1
            at = len(octets) - 1
        self._kept = octets[at:]
        return b"".join(out)

    def finish(self) -> bytes:
        kept, self._kept = self._kept, b""
        return self._line(kept)

    def _line(self, line: bytes) -> bytes:
        at = self._at
        self._at += len(line)
        text = line.rstrip(b"\r\n")
        if not self._inside or text == b"end":
            self._inside = _UU_BEGIN.fullmatch(text) is not None
            return b""
        try:
            decoded = a2b_uu(text) if len(line) <= _UU_LINE else b""
        except BinasciiError:  # QUIRK: some encoders leave odd blanks behind the last group
            count = (text[0] - 32) & 63
            decoded = _lenient_uu(text[: 1 + (count + 2) // 3 * 4])
        if decoded:
            self._marks.append((self._given + len(decoded), self._given, at))
        hidden = max(0, min(-self._given, len(decoded)))
        self._given += len(decoded)
        return decoded[hidden:]

    def locate(self, index: int) -> tuple[int, str]:
        while self._marks and self._marks[0][0] <= index:
            self._marks.popleft()
        if not self._marks:
            return self._at, "AA" if self._inside else ""
        _, begin, at = self._marks[0]
        return at, "".join(chr(65 + digit) for digit in divmod(index - begin, 26))


def _lenient_uu(text: bytes) -> bytes:
    try:
        return a2b_uu(text)
    except BinasciiError:
        return b""


_DECODERS: Final[dict[str, type[Decoder]]] = {
    "base64": Base64,
    "quoted-printable": QuotedPrintable,
    "uuencode": Uuencode,
    "x-uuencode": Uuencode,
    "x-uue": Uuencode,
    "uue": Uuencode,
}


def decoder(encoding: str) -> type[Decoder]:
    """Choose the decoder of an encoding; an unknown one is taken as it is."""
    return _DECODERS.get(encoding.strip().lower(), Identity)
