"""Incremental base64 decoding, with plain text after base64 or instead of it (RFC 2045 §6.8).

Nothing here may raise for broken input, or let the result depend on how the input was split (see `transfer`).
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections import deque
from typing import Final

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_ALPHABET: Final = bytes(set(range(256)) - set(_ALPHABET))
_BETWEEN_PADS: Final = re.compile(rb"[^=]+|=+")
_RUN: Final = re.compile(rb"[A-Za-z0-9+/]+")


#: Octets at the start of a body, and of each line, that decide whether they are base64 at all.
_BEGINNING: Final = 256
_JUDGED: Final = 512
#: Plain text has a space between words, or an octet beyond ASCII, at least once in this many octets.
_WORD_LENGTH: Final = 20
_BEYOND_SHARE: Final = 10
#: A first line of this many base64 characters is base64.
_LINE_LEAST: Final = 20
_BETWEEN_WORDS: Final = re.compile(rb"[\w\x80-\xff][,.;:!?)]{0,2} +(?=[(\w\x80-\xff])")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=\r\n]")
#: QUIRK: the end of a part that no header declares follows its base64 in the body of another.
_BOUNDARY_END: Final = re.compile(rb"--(?=-*[\w'()+,./:=?])[\w'()+,./:=?-]{1,70}--[ \t]*\r?\n?\Z")
_LONG_RUN: Final = re.compile(rb"[A-Za-z0-9+/=]{40}")
#: A line which shows that odd octets before it are only noise.
_FULL_LINE: Final = re.compile(rb"^[A-Za-z0-9+/]{40,}={0,2}\s*$", re.MULTILINE)


def _begins_plain(octets: bytes) -> bool:
    """Return whether a body labelled base64 begins as plain text."""
    first = octets.strip().partition(b"\n")[0].strip()
    if _CONTROL.search(octets) or (len(first) >= _LINE_LEAST and not _NOT_BASE64.search(first)):
        return False
    size = len(octets.strip())
    beyond = size - len(octets.strip().translate(None, bytes(range(0x80, 0x100))))
    return _WORD_LENGTH * len(_BETWEEN_WORDS.findall(octets)) > size or _BEYOND_SHARE * beyond > size


def _is_plain(line: bytes) -> bool:
    """Return whether a line after base64 is plain text: words with spaces between them, hardly any letters, or dashes
    before all others."""
    odd = len(_NOT_BASE64.findall(line.strip()))
    if not odd or _LONG_RUN.search(line) or _CONTROL.search(line):
        return False
    return (
        line.startswith(b"--")
        or 2 * odd >= len(line.strip())
        or (b" " in line.strip() and 10 * odd >= len(line.strip()))
    )


class Base64:
    """Base64 with anything between its characters; after padding it starts over.

    State: A to C, octets to skip; D, plain.

    QUIRK: mailing lists append a plain footer to base64, and some programs label plain text as base64: from
    the first line that is not base64, the rest is plain.
    """

    STATE_LETTERS = 1

    def __init__(self, start: int = 0, state: str = "") -> None:
        self._at = start  # encoded octets fed
        self._skip = max("ABC".find(state), 0) if state else 0
        self._carry = b""
        self._carry_at: list[int] = []
        self._given = -self._skip  # decoded index of the next octet
        # For each stretch: decoded end and start, carried offsets, encoded start, octets.
        self._marks: deque[tuple[int, int, list[int], int, bytes]] = deque()
        self._cursor = (0, 0)  # characters before a place in the first mark, and its offset
        self._plain = state == "D"
        self._plain_at = start  # encoded offset
        self._plain_from = 0 if self._plain else -1  # decoded index
        self._begins = start == 0 and not state
        self._judged = bool(state)  # whether the next line, or the rest of it, is known to be base64
        self._kept = b""  # octets not classified yet
        self._break = b""  # the line end before them

    def feed(self, octets: bytes) -> bytes:
        return self._take(self._kept + octets, False)

    def finish(self) -> bytes:
        rest = self._take(self._kept, True)
        return rest if self._plain else rest + self._pad(0)

    def _take(self, octets: bytes, final: bool) -> bytes:
        """Classify lines, and decode those that are base64."""
        self._kept = b""
        if self._plain:
            return self._literal(octets)
        if self._begins:
            if len(octets) < _BEGINNING and not final:
                self._kept = octets
                return b""
            self._begins = False
            if _begins_plain(octets[:_BEGINNING]):
                return self._literal(octets)
        out: list[bytes] = []
        at = 0
        while at < len(octets):
            at = self._line(octets, at, final, out)
            if at < 0:
                break
        return b"".join(out)

    def _line(self, octets: bytes, at: int, final: bool, out: list[bytes]) -> int:
        """Take a line, or as many as are clean; return where the next begins, -1 if there is none."""
        odd = _NOT_BASE64.search(octets, at)
        end = octets.rfind(b"\n", at, odd.start() if odd else len(octets)) + 1
        if self._judged:  # rest of a line
            end = octets.find(b"\n", at) + 1 or len(octets)
        elif not end:
            found = octets.find(b"\n", at, at + _JUDGED) + 1
            near = final or len(octets) - at >= _JUDGED
            if not found and not near:
                self._kept = octets[at:]
                return -1
            line = octets[at : found or at + _JUDGED]
            if _BOUNDARY_END.match(line):
                self._break = b"\n"[: line.endswith(b"\n")]
                out.append(self._pad(len(line)))
                return at + len(line)
            if _is_plain(line):
                if not near:
                    self._kept = octets[at:]
                    return -1
                if not _FULL_LINE.search(octets, at, at + _JUDGED):
                    out += [self._pad(0), self._literal(self._break + octets[at:], len(self._break))]
                    return -1
            end = found or min(at + _JUDGED, len(octets))
        stretch = octets[at:end]
        self._judged = not stretch.endswith(b"\n")
        self._break = b"" if self._judged else b"\r\n" if stretch.endswith(b"\r\n") else b"\n"
        out.append(self._lines(stretch))
        return end

    def _literal(self, octets: bytes, again: int = 0) -> bytes:
        """Emit octets as they are, from here to the end; `again`: how many of them were passed on before."""
        if not self._plain:
            self._plain, self._plain_from = True, self._given
            self._plain_at = self._at - again
        self._at += len(octets) - again
        self._given += len(octets)
        return octets

    def _lines(self, octets: bytes) -> bytes:
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
        """End a group at its padding, or at the end of input."""
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

    def locate(self, index: int) -> tuple[int, str]:
        if self._plain and index >= self._plain_from:
            return self._plain_at + index - self._plain_from, "D"
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
    """Return the offsets of the last `count` characters (at most three, or all of a stretch of three)."""
    found: list[int] = []
    offset = len(octets)
    while len(found) < count:
        offset -= 1
        if octets[offset] in _ALPHABET:
            found.append(at + offset)
    return found[::-1]
