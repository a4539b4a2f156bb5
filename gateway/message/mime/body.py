"""Bodies of text parts, read lazily from any safe place.

Nothing here may raise for broken octets, hold a whole body, or know where octets come from. Reading can restart at
every piece: from its `at` and `state` the same text comes out as before, whatever the transfer encoding, the charset,
and the sizes in which octets arrive.

How this is ensured: decoded octets are cut into segments (a line, or at most SEGMENT of it) by a rule that looks only
at what follows the segment's first octet, and each segment is decoded by a fresh decoder. So reading that starts at a
segment cuts and decodes the rest in the same way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gateway.message.charset import decoding, detection, shifts
from gateway.message.mime import transfer
from gateway.message.model import Part

#: Decoded octets of a line in one piece; a piece has at most as many characters.
SEGMENT: Final = 1000
#: Octets at the end of a long segment that are searched for a good place to cut.
_TAIL: Final = 128
#: Octets after a segment that are needed to see a whole line end (CR CR LF in UTF-32).
_LINE_END: Final = 12

#: Letters before the one that names a detected codec: one for each 26 codecs.
_FOUND: Final = "XW"
#: The letter that says that the octets confirm the label.
_LABEL_CONFIRMED: Final = "Y"


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A line with its "\\n", or a stretch of a long line; reading it starts at `at` in `state`."""

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
        """Return the next octets: `count` of them, or fewer if there are no more."""
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
    """The codec of a body, declared or detected as soon as the octets allow, and its shift state."""

    def __init__(self, label: str, state: str) -> None:
        self.codec = decoding.resolve(label)
        self.found = ""
        self.shift = ""
        number = -1
        if state[:1] in tuple(_FOUND) and len(state) > 1:
            number = 26 * _FOUND.index(state[0]) + ord(state[1]) - 65
        if 0 <= number < len(detection.SNIFFED):
            self._find(detection.SNIFFED[number])
            state = state[2:]
        elif state.startswith(_LABEL_CONFIRMED) and decoding.doubtful(self.codec):
            self.found = _LABEL_CONFIRMED
            state = state[1:]
        elif decoding.guessed(self.codec):
            state = ""
        self.shift = state[:4]

    def _find(self, codec: str) -> None:
        self.codec = codec
        further, letter = divmod(detection.SNIFFED.index(codec), 26)
        self.found = _FOUND[further] + chr(65 + letter)

    @property
    def open(self) -> bool:
        return not self.found and decoding.guessed(self.codec)

    def settle(self, source: _Source, segment: bytes) -> str:
        """Choose the codec for a segment, looking further ahead if it is the first that is not ASCII."""
        if not self.open:
            self._doubt(source, segment)
            return self.codec
        if self.codec in detection.WIDE or detection.beyond_ascii(segment):
            self._find(detection.sniff(source.peek(detection.SAMPLE), self.codec))
            return self.codec
        return detection.UTF8

    def _doubt(self, source: _Source, segment: bytes) -> None:
        """Switch to UTF-8 if the text is UTF-8, whatever its label says; checked once."""
        if self.found or segment.isascii() or not decoding.doubtful(self.codec):
            return
        if detection.surely_utf8(source.peek(detection.SAMPLE), self.codec):
            self._find(detection.UTF8)
        else:
            self.found = _LABEL_CONFIRMED

    @property
    def state(self) -> str:
        return self.found + self.shift


def text_pieces(
    part: Part, octets: Callable[[int], Iterator[bytes]], start: int = 0, state: str = ""
) -> Iterator[TextPiece]:
    """Read a text part from `start`, an offset into its encoded body, in the state of a Piece.

    `octets(start)` yields the encoded body from there on; it is pulled only as far as the pieces require.
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
        if not text.rstrip("\n").isprintable():  # nothing that is not text is printable
            text = text.translate(_NOT_TEXT)
        if text:
            yield TextPiece(text, at, where)


def _first_line(window: bytes) -> bytes:
    end = window.find(b"\n", 0, SEGMENT)
    return window[: end if end >= 0 else SEGMENT]


def _not_text() -> dict[int, str | None]:
    """Map what XML 1.0 forbids (§2.2), and byte order marks, to nothing; form feeds and the like to spaces."""
    table: dict[int, str | None] = dict.fromkeys((*range(9), *range(14, 32), 127, 0xFEFF, 0xFFFE, 0xFFFF))
    return table | dict.fromkeys(range(0xD800, 0xE000)) | {0x0B: " ", 0x0C: " "}


_NOT_TEXT: Final = _not_text()


@lru_cache(maxsize=128)  # the number of codecs
def _line_end(codec: str) -> tuple[re.Pattern[bytes], bool]:
    """Return the pattern of a line end, and whether it must be searched code unit by code unit."""
    width = len("\n".encode(codec)) if codec.startswith(("utf_16_", "utf_32_")) else 1
    feed, back = (re.escape("\n".encode(codec)), re.escape("\r".encode(codec)))
    ends = [b"(?:" + back + b"){0,2}" + feed, back]
    if codec.startswith("cp") and feed != b"\\\n":  # EBCDIC: its line end is NEL (UTR 16)
        ends.append(re.escape("\x85".encode(codec)))
    end = b"(?P<end>" + b"|".join(ends) + b")"
    units = b"(?:.{%d})*?" % width if width > 1 else b""
    return re.compile(units + end, re.DOTALL), width > 1


def _segment(codec: str, shift: str, window: bytes) -> tuple[str, int]:
    """Decode the first segment of a window: its text, and how many octets it took."""
    pattern, by_unit = _line_end(codec)
    match = pattern.match(window) if by_unit else pattern.search(window)
    if match and match.start("end") < SEGMENT:
        line = window[: match.start("end")]
        return _whole(codec, shift, line) + "\n", match.end()
    if len(window) <= SEGMENT:
        return _whole(codec, shift, window), len(window)
    return _stretch(codec, shift, window[:SEGMENT])


def _whole(codec: str, shift: str, octets: bytes) -> str:
    if shift or codec == decoding.UTF7:
        return shifts.begin(codec, shift).decode(octets, True)
    return octets.decode(codec, decoding.errors(codec))


def _stretch(codec: str, shift: str, octets: bytes) -> tuple[str, int]:
    """Decode as much of a long line as has a good end: after a space, else between graphemes."""
    decoder = shifts.begin(codec, shift)
    text = decoder.decode(octets[:-_TAIL])
    cuts: list[tuple[int, int]] = []  # characters and octets before a place where nothing is pending
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
    """Return whether text may be cut before a character (the cases of UAX 29 that occur in mail)."""
    before, after = text[index - 1], text[index]
    if before < "\u0300" and after < "\u0300":
        return True
    if before == _JOINER or after == _JOINER or unicodedata.combining(after):
        return False
    if unicodedata.category(after) in ("Mn", "Me", "Mc") or "\U0001f3fb" <= after <= "\U0001f3ff":
        return False
    if "\u1160" <= after <= "\u11ff":  # rest of a Hangul syllable
        return False
    if "\U0001f1e6" <= after <= "\U0001f1ff":  # two regional indicators make a flag
        return (index - len(text[:index].rstrip(_INDICATORS))) % 2 == 0
    return True


def decoded(part: Part, octets: Iterator[bytes]) -> Iterator[bytes]:
    """Decode the transfer encoding of a body incrementally."""
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


#: The most encoded octets read per decoded octet: escapes take three, and lines end.
_SPREAD: Final = 4
_LEAST_SPREAD: Final = 1024


class Allowance:
    """Octets of a body that end after `limit` of them, and those that `renew` adds; then it is `spent`."""

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

    def renew(self, octets: int) -> None:
        """Allow this many more, at most `limit` at a time."""
        self._left = min(self._left + octets, self._limit)

    @property
    def spent(self) -> bool:
        return self._left < 0


def whole(part: Part, octets: Iterator[bytes], cap: int) -> tuple[bytes, bool]:
    """Decode the transfer encoding of a body up to `cap` decoded octets; also return whether it was cut there."""
    out: list[bytes] = []
    size = 0
    allowance = Allowance(octets, _SPREAD * (cap + _LEAST_SPREAD))
    for stretch in decoded(part, iter(allowance)):
        out.append(stretch)
        size += len(stretch)
        if size > cap:
            return b"".join(out)[:cap], True
    return b"".join(out), allowance.spent
