"""Incremental decoders for content transfer encodings, which can map decoded octets back to encoded ones.

Nothing here may raise for broken input, keep more than was fed since the last `locate`, or let the result
depend on how the input was split (RFC 2045 §6; uuencode as in POSIX). For a decoded octet, `locate` returns
an encoded offset and a state from which a new decoder yields the same octets from there on. Octets must be
located in ascending order; everything before the last one is forgotten.
"""

from __future__ import annotations

import re
from binascii import Error as BinasciiError
from binascii import a2b_qp, a2b_uu
from collections import deque
from typing import Final, Protocol

from gateway.message.mime.base64_body import Base64 as Base64


class Decoder(Protocol):
    """Decodes one body. `STATE_LETTERS`: how many capitals its state takes, except at the very start."""

    STATE_LETTERS: int

    def __init__(self, start: int = 0, state: str = "") -> None: ...

    def feed(self, octets: bytes) -> bytes:
        """Take encoded octets, and return what can be decoded."""

    def finish(self) -> bytes:
        """Return what is still pending."""

    def locate(self, index: int) -> tuple[int, str]:
        """Return the place where decoding yields the octets from decoded `index` on."""


class IdentityDecoder:
    """7bit, 8bit, binary, and unknown encodings."""

    STATE_LETTERS = 0

    def __init__(self, start: int = 0, state: str = "") -> None:
        self._start = start

    def feed(self, octets: bytes) -> bytes:
        return octets

    def finish(self) -> bytes:
        return b""

    def locate(self, index: int) -> tuple[int, str]:
        return self._start + index, ""


#: Octets of an encoded line; longer ones, which no standard allows, are handled in stretches.
_LINE: Final = 4096
#: Spaces at the end of a line that are dropped as padding (RFC 2045 §6.7 rule 3; its lines have at most 76).
_PADDING: Final = 76
_LOOKAHEAD: Final = _PADDING + 4
#: An "=" that begins no escape.
_STRAY: Final = re.compile(rb"=(?![0-9A-Fa-f]{2})")
_QP_TOKEN: Final = re.compile(rb"=[0-9A-Fa-f]{2}|=\r?\n|[^=]+|=")
#: What `a2b_qp` decodes differently: stray "=", and spaces before the end of a line and carriage returns.
_QP_STRAY: Final = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n)")
_QP_ODD: Final = re.compile(rb"[ \t]\r?\n|=(?![0-9A-Fa-f]{2}|\r?\n)|\r(?!\n)")
_QP_BLANK_ENDS: Final = (b" \n", b" \r", b"\t\n", b"\t\r")


class QuotedPrintable:
    """Quoted-printable; an invalid escape stays as it is. Stateless: decoding can start at any escape or octet."""

    STATE_LETTERS = 0

    def __init__(self, start: int = 0, state: str = "") -> None:
        self._at = start
        self._kept = b""
        self._given = 0
        # For each line, or clean lines together: decoded end and start, encoded start, octets, those of the line end.
        self._marks: deque[tuple[int, int, int, bytes, int]] = deque()
        self._cursor = (0, 0)

    def feed(self, octets: bytes) -> bytes:
        return self._take(self._kept + octets, False)

    def finish(self) -> bytes:
        return self._take(self._kept, True)

    def _take(self, octets: bytes, final: bool) -> bytes:
        out: list[bytes] = []
        at, odd = 0, _odd_in(octets)
        while at < len(octets):
            if clean := _clean(octets, at, odd):
                out.append(self._decoded(a2b_qp(octets[at:clean]), octets[at:clean], 0))
                at = clean
                continue
            end = octets.find(b"\n", at, at + _LINE + _LOOKAHEAD) + 1
            if end:
                out.append(self._line(octets[at:end]))
            elif len(octets) - at >= _LINE + _LOOKAHEAD:
                end = at + _LINE
                end -= {b"=": 1}.get(octets[end - 1 : end], 0) or {b"=": 2}.get(octets[end - 2 : end - 1], 0)
                out.append(self._literal(octets[at:end], b"", octets[at:end]))
            elif final:
                end = len(octets)
                out.append(self._line(octets[at:]))
            else:
                break
            at = end
        self._kept = octets[at:]
        return b"".join(out)

    def _line(self, line: bytes) -> bytes:
        """Decode a line: drop its end after a soft line break, and always the spaces before its end."""
        if line.endswith(b"=\r\n"):
            return self._literal(line[:-3], b"", line)
        end = b"\r\n" if line.endswith(b"\r\n") else b"\n" if line.endswith(b"\n") else b""
        body = line.rstrip(b" \t\r\n")
        if len(line) - len(end) - len(body) > _PADDING:
            body = line[: len(line) - len(end) - _PADDING]
        if body.endswith(b"="):
            return self._literal(body[:-1], b"", line)
        return self._literal(body, end, line)

    def _literal(self, body: bytes, end: bytes, encoded: bytes) -> bytes:
        decoded = a2b_qp(_STRAY.sub(b"=3D", body)) + end if b"=" in body else body + end
        return self._decoded(decoded, encoded, len(end))

    def _decoded(self, decoded: bytes, encoded: bytes, newline: int) -> bytes:
        given = self._given
        self._given += len(decoded)
        self._marks.append((self._given, given, self._at, encoded, newline))
        self._at += len(encoded)
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
            text = token.group()
            size = len(text) if text[0] != 0x3D else 0 if text.endswith(b"\n") else 1
            if before + size > wanted:
                self._cursor = (before, token.start())
                return at + token.start() + (wanted - before), ""
            before += size
        raise AssertionError("a decoded octet has no encoded one")


def _odd_in(octets: bytes) -> re.Pattern[bytes]:
    """Return the pattern of what is odd in these octets; the one for the usual case is ten times as fast."""
    plain = octets.count(b"\r") == octets.count(b"\r\n") and not any(
        ends in octets for ends in _QP_BLANK_ENDS
    )
    return _QP_STRAY if plain else _QP_ODD


def _clean(octets: bytes, at: int, odd: re.Pattern[bytes]) -> int:
    """Return the end of the whole lines that `a2b_qp` decodes as we do; 0 if the first is not such a line."""
    found = odd.search(octets, at)
    return octets.rfind(b"\n", at, found.start() if found else len(octets)) + 1


#: Octets of a uuencoded line, which has at most 61 characters and its end; a longer line is skipped.
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
        self._dropped = 0  # octets of a line that is too long, so that none of it is read
        self._marks: deque[tuple[int, int, int]] = deque()

    def feed(self, octets: bytes) -> bytes:
        octets = self._kept + octets
        out: list[bytes] = []
        at = 0
        while end := octets.find(b"\n", at) + 1:
            out.append(self._line(octets[at:end]))
            at = end
        if self._dropped or len(octets) - at > _UU_LINE:
            self._dropped += len(octets) - at
            at = len(octets)
        self._kept = octets[at:]
        return b"".join(out)

    def finish(self) -> bytes:
        kept, self._kept = self._kept, b""
        return self._line(kept)

    def _line(self, line: bytes) -> bytes:
        at, too_long = self._at, self._dropped > 0 or len(line) > _UU_LINE
        self._at += self._dropped + len(line)
        self._dropped = 0
        if too_long:
            return b""
        text = line.rstrip(b"\r\n")
        if not self._inside or text == b"end":
            self._inside = _UU_BEGIN.fullmatch(text) is not None
            return b""
        try:
            decoded = a2b_uu(text)
        except BinasciiError:  # QUIRK: some encoders leave odd spaces after the last group
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
    """Return the decoder for an encoding; an unknown one is passed through."""
    return _DECODERS.get(encoding.strip().lower(), IdentityDecoder)
