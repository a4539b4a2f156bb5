"""The bodies of text parts, read from any safe place on, no further than is pulled.

Nothing here may raise for broken octets, hold a whole body, or know where octets come from. Every piece
begins where reading can begin again: from its `at` and `state` exactly the same text comes out as before,
whatever the transfer encoding, the charset, and the sizes in which octets arrive.

How that is kept true: decoded octets are cut into segments (a line, or at most SEGMENT of it) by a rule that
looks only at what follows the segment's first octet; each segment is decoded by a fresh decoder. So reading
that begins at a segment cuts and decodes the rest alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gateway.message import charset, detect, shifts, transfer
from gateway.message.model import Part

#: Decoded octets of a line that are taken as one piece, so that a piece has at most as many characters.
SEGMENT: Final = 1000
#: Octets at the end of a long segment in which a good place to cut is looked for.
_TAIL: Final = 128
#: Octets behind a segment that are needed to see a whole line end (CR CR LF in UTF-32).
_LINE_END: Final = 12

#: A letter in front of the letter that names the codec found by looking at the octets.
_FOUND: Final = "X"
#: The letter that says that the octets confirm the label.
_KEPT: Final = "Y"


@dataclass(frozen=True, slots=True)
class Piece:
    """A line with its "\\n", or a stretch of a long line; `at` and `state` are where reading it begins."""

    text: str
    at: int
    state: str


class _Source:
    """Decoded octets, pulled as needed."""

    def __init__(self, octets: Iterator[bytes], decoder: transfer.Decoder) -> None:
        self._octets = octets
        self._decoder = decoder
        self._buffer = b""
        self._at = 0
        self._ended = False
        self.index = 0

    def peek(self, count: int) -> bytes:
        """Look at the next octets: `count` of them, or fewer if there are no more."""
        waiting = [self._buffer[self._at :]]
        have = len(waiting[0])
        while have < count and not self._ended:
            octets = next(self._octets, None)
            self._ended = octets is None
            waiting.append(self._decoder.finish() if octets is None else self._decoder.feed(octets))
            have += len(waiting[-1])
        if len(waiting) > 1:
            self._buffer, self._at = b"".join(waiting), 0
        return self._buffer[self._at : self._at + count]

    def skip(self, count: int) -> None:
        self._at += count
        self.index += count

    def place(self) -> tuple[int, str]:
        return self._decoder.locate(self.index)


class _Charset:
    """The codec of a body: declared, or found when octets first tell; and its shift state."""

    def __init__(self, label: str, state: str) -> None:
        self.codec = charset.resolve(label)
        self.found = ""
        self.shift = ""
        number = ord(state[1]) - 65 if state.startswith(_FOUND) and len(state) > 1 else -1
        if 0 <= number < len(detect.SNIFFED):
            self._find(detect.SNIFFED[number])
            state = state[2:]
        elif state.startswith(_KEPT) and charset.doubtful(self.codec):
            self.found = _KEPT
            state = state[1:]
        elif charset.guessed(self.codec):
            state = ""
        self.shift = state[:4]

    def _find(self, codec: str) -> None:
        self.codec = codec
        self.found = _FOUND + chr(65 + detect.SNIFFED.index(codec))

    @property
    def open(self) -> bool:
        return not self.found and charset.guessed(self.codec)

    def settle(self, source: _Source, segment: bytes) -> str:
        """Name the codec for a segment, looking further ahead if it is the first that tells."""
        if not self.open:
            self._doubt(source, segment)
            return self.codec
        if self.codec in detect.WIDE or detect.beyond_ascii(segment):
            self._find(detect.sniff(source.peek(detect.SAMPLE), self.codec))
            return self.codec
        return detect.UTF8

    def _doubt(self, source: _Source, segment: bytes) -> None:
        """Take text for UTF-8 that is, whatever its label says; once."""
        if self.found or segment.isascii() or not charset.doubtful(self.codec):
            return
        if detect.surely_utf8(source.peek(detect.SAMPLE), self.codec):
            self._find(detect.UTF8)
        else:
            self.found = _KEPT

    @property
    def state(self) -> str:
        return self.found + self.shift


def text_pieces(
    part: Part, octets: Callable[[int], Iterator[bytes]], start: int = 0, state: str = ""
) -> Iterator[Piece]:
    """Read a text part from `start`, an offset into its encoded body, with the state a Piece gave for it.

    `octets(start)` gives the encoded body from there on; it is pulled only as far as the pieces are.
    """
    kind = transfer.decoder(part.encoding)
    own = kind.STATE_LETTERS
    decoder = kind(start, state[:own])
    coding = _Charset(part.parameters.get("charset", ""), state[own:])
    source = _Source(octets(start), decoder)
    while window := source.peek(SEGMENT + _LINE_END):
        at, encoded_state = source.place()
        first = not (at or state or source.index)
        where = "" if first else encoded_state + coding.state
        codec = coding.settle(source, _first_line(window))
        text, used = _segment(codec, coding.shift, window)
        coding.shift = shifts.after(codec, window[:used], coding.shift)
        source.skip(used)
        text = text.translate(_NOT_TEXT)
        if text:
            yield Piece(text, at, where)


def _first_line(window: bytes) -> bytes:
    end = window.find(b"\n", 0, SEGMENT)
    return window[: end if end >= 0 else SEGMENT]


def _not_text() -> dict[int, str | None]:
    """Map what XML 1.0 forbids (§2.2), and byte order marks, to nothing; page and line feeds to blanks."""
    table: dict[int, str | None] = dict.fromkeys((*range(9), *range(14, 32), 127, 0xFEFF, 0xFFFE, 0xFFFF))
    return table | dict.fromkeys(range(0xD800, 0xE000)) | {0x0B: " ", 0x0C: " "}


_NOT_TEXT: Final = _not_text()


@lru_cache(maxsize=128)  # there are that many codecs
def _line_end(codec: str) -> tuple[re.Pattern[bytes], bool]:
    """Make the pattern of a line end, and say whether it must be looked for unit by unit."""
    width = len("\n".encode(codec)) if codec.startswith(("utf_16_", "utf_32_")) else 1
    feed, back = (re.escape("\n".encode(codec)), re.escape("\r".encode(codec)))
    ends = [b"(?:" + back + b"){0,2}" + feed, back]
    if codec.startswith("cp") and feed != b"\\\n":  # EBCDIC: NEL is its line end (UTR 16)
        ends.append(re.escape("\x85".encode(codec)))
    end = b"(?P<end>" + b"|".join(ends) + b")"
    units = b"(?:.{%d})*?" % width if width > 1 else b""
    return re.compile(units + end, re.DOTALL), width > 1


def _segment(codec: str, shift: str, window: bytes) -> tuple[str, int]:
    """Decode the first segment of a window: its text, and how many octets it has."""
    pattern, by_unit = _line_end(codec)
    match = pattern.match(window) if by_unit else pattern.search(window)
    if match and match.start("end") < SEGMENT:
        line = window[: match.start("end")]
        return _whole(codec, shift, line) + "\n", match.end()
    if len(window) <= SEGMENT:
        return _whole(codec, shift, window), len(window)
    return _stretch(codec, shift, window[:SEGMENT])


def _whole(codec: str, shift: str, octets: bytes) -> str:
    if shift or codec == charset.UTF7:
        return shifts.begin(codec, shift).decode(octets, True)
    return octets.decode(codec, "replace")


def _stretch(codec: str, shift: str, octets: bytes) -> tuple[str, int]:
    """Decode as much of a long line as ends well: after a blank, else between characters that stand alone."""
    decoder = shifts.begin(codec, shift)
    text = decoder.decode(octets[:-_TAIL])
    cuts: list[tuple[int, int]] = []  # characters and octets before a place where nothing is kept back
    for used in range(len(octets) - _TAIL, len(octets)):
        if not decoder.getstate()[0]:
            cuts.append((len(text), used))
        text += decoder.decode(octets[used : used + 1])
    cuts = [cut for cut in cuts if 0 < cut[0] < len(text)]
    whole = [cut for cut in cuts if _parts(text, cut[0])]
    blank = [cut for cut in whole if text[cut[0] - 1].isspace() and not text[cut[0]].isspace()]
    for choice in (blank, whole, cuts):
        if choice:
            count, used = choice[-1]
            return text[:count], used
    return _whole(codec, shift, octets), len(octets)


_JOINER: Final = "\u200d"
_INDICATORS: Final = "".join(map(chr, range(0x1F1E6, 0x1F200)))


def _parts(text: str, index: int) -> bool:
    """Tell whether text may be cut before a character (the cases of UAX 29 that mail can hold)."""
    before, after = text[index - 1], text[index]
    if before < "\u0300" and after < "\u0300":
        return True
    if before == _JOINER or after == _JOINER or unicodedata.combining(after):
        return False
    if unicodedata.category(after) in ("Mn", "Me", "Mc") or "\U0001f3fb" <= after <= "\U0001f3ff":
        return False
    if "\u1160" <= after <= "\u11ff":  # the rest of a Hangul syllable
        return False
    if "\U0001f1e6" <= after <= "\U0001f1ff":  # two regional indicators make a flag
        return (index - len(text[:index].rstrip(_INDICATORS))) % 2 == 0
    return True


def decoded(part: Part, octets: Iterator[bytes]) -> Iterator[bytes]:
    """Decode the transfer encoding of a body as it comes, holding no more than one stretch of it."""
    decoder = transfer.decoder(part.encoding)()
    count = 0
    for stretch in octets:
        given = decoder.feed(stretch)
        count += len(given)
        decoder.locate(count)
        if given:
            yield given
    rest = decoder.finish()
    if rest:
        yield rest


#: Encoded octets for each decoded one that are read at most: escapes take three, and lines end.
_SPREAD: Final = 4
_LEAST_SPREAD: Final = 1024


class Allowance:
    """Octets of a body that end when `limit` of them were pulled since it was last renewed; then it is `spent`."""

    def __init__(self, octets: Iterator[bytes], limit: int) -> None:
        self._octets = octets
        self._limit = self._left = limit
        self.pulled = 0

    def __iter__(self) -> Iterator[bytes]:
        for stretch in self._octets:
            if self.spent:
                return
            self._left -= len(stretch)
            self.pulled += len(stretch)
            yield stretch

    def renew(self) -> None:
        self._left = self._limit

    @property
    def spent(self) -> bool:
        return self._left < 0


def whole(part: Part, octets: Iterator[bytes], cap: int) -> tuple[bytes, bool]:
    """Decode the transfer encoding of a body up to `cap` decoded octets, and say whether it was cut there."""
    out: list[bytes] = []
    size = 0
    allowance = Allowance(octets, _SPREAD * (cap + _LEAST_SPREAD))
    for stretch in decoded(part, iter(allowance)):
        out.append(stretch)
        size += len(stretch)
        if size > cap:
            return b"".join(out)[:cap], True
    return b"".join(out), allowance.spent
