"""The primitive data types of WSP: integers of variable length, strings, and a cursor that reads them.

Nothing here may know a header or a PDU. A cursor never reads beyond its end: what is cut off or too large is a WSPError
that names the offset. WAP-230 §8.1, §8.4.2.1 and §8.4.2.2.
"""

from __future__ import annotations

from typing import Final

#: Octets of the longest uintvar: 32 bits, seven in each octet. WAP-230 §8.1.2.
LONGEST_UINTVAR: Final = 5
#: Octets of the longest Multi-octet-integer. WAP-230 §8.4.2.1.
LONGEST_INTEGER: Final = 30
LENGTH_QUOTE: Final = 31
QUOTE: Final = 0x7F
SHORT: Final = 0x80
"""The bit of a Short-integer, and of a well-known name."""
TEXT: Final = 0x20
"""The lowest octet that begins a text; a lower one is a length."""


BLANKS: Final = bytes(range(TEXT + 1))
"""Spaces and control characters: no text begins with one."""


class WSPError(ValueError):
    """The octets are not as WAP-230 describes them; `offset` is where this was noticed."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"octet {offset}: {reason}")
        self.reason, self.offset = reason, offset


def uintvar(number: int) -> bytes:
    """Write a variable-length unsigned integer (WAP-230 §8.1.2)."""
    if not 0 <= number < 1 << 32:
        raise ValueError(f"{number} is no unsigned integer of 32 bits")
    out = [number & 0x7F]
    while number := number >> 7:
        out.append(SHORT | number & 0x7F)
    return bytes(reversed(out))


def multi_octet(number: int) -> bytes:
    """Write a Multi-octet-integer, without its length (WAP-230 §8.4.2.1)."""
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def long_integer(number: int) -> bytes:
    """Write a Long-integer (WAP-230 §8.4.2.1); OverflowError above its 30 octets."""
    octets = multi_octet(number)
    if len(octets) >= LENGTH_QUOTE:
        raise OverflowError(f"{len(octets)} octets of an integer")
    return bytes((len(octets),)) + octets


def integer(number: int) -> bytes:
    """Write an Integer-value: in one octet if it is below 128 (WAP-230 §8.4.2.3)."""
    return bytes((SHORT | number,)) if number < SHORT else long_integer(number)


def text_string(text: bytes) -> bytes:
    """Write a Text-string; one that would pass for a number is quoted (WAP-230 §8.4.2.1). NUL ends it.

    Leading control characters, which no text has and which would pass for a length, are left out, with any spaces
    between them.
    """
    text = text.partition(b"\0")[0].lstrip(BLANKS)
    return (bytes((QUOTE,)) if text and text[0] >= QUOTE else b"") + text + b"\0"


def value_length(octets: bytes) -> bytes:
    """Write octets after their Value-length (WAP-230 §8.4.2.2)."""
    length = len(octets)
    return (bytes((length,)) if length < LENGTH_QUOTE else bytes((LENGTH_QUOTE,)) + uintvar(length)) + octets


class Cursor:
    """A position in octets. `start`: the offset of the first one, as errors count."""

    __slots__ = ("_octets", "_start", "at")

    def __init__(self, octets: bytes, start: int = 0) -> None:
        self._octets, self._start = octets, start
        self.at = 0

    @property
    def offset(self) -> int:
        """The offset of the next octet."""
        return self._start + self.at

    @property
    def left(self) -> int:
        """How many octets are left to read."""
        return len(self._octets) - self.at

    def error(self, reason: str) -> WSPError:
        """Return an error at this position."""
        return WSPError(reason, self.offset)

    def peek(self) -> int:
        """Return the next octet without moving on."""
        if not self.left:
            raise self.error("it ends too early")
        return self._octets[self.at]

    def octet(self) -> int:
        """Read one octet."""
        number = self.peek()
        self.at += 1
        return number

    def take(self, count: int) -> bytes:
        """Read this many octets."""
        if count > self.left:
            raise self.error(f"{count} octets are announced, {self.left} are there")
        self.at += count
        return self._octets[self.at - count : self.at]

    def rest(self) -> bytes:
        """Read all that is left."""
        return self.take(self.left)

    def part(self, count: int) -> Cursor:
        """Return a cursor over the next octets, and move past them."""
        start = self.offset
        return Cursor(self.take(count), start)

    def uintvar(self) -> int:
        """Read a variable-length unsigned integer."""
        number = 0
        for _ in range(LONGEST_UINTVAR):
            octet = self.octet()
            number = number << 7 | octet & 0x7F
            if not octet & SHORT:
                if number >= 1 << 32:
                    raise self.error("an integer has more than 32 bits")
                return number
        raise self.error("an integer has no end")

    def multi_octet(self, count: int) -> int:
        """Read a Multi-octet-integer of this many octets; with none it is 0."""
        if count > LONGEST_INTEGER:
            raise self.error("an integer has more than 30 octets")
        return int.from_bytes(self.take(count), "big")

    def integer(self) -> int:
        """Read an Integer-value."""
        first = self.octet()
        return first & 0x7F if first & SHORT else self.multi_octet(first)

    def text(self) -> bytes:
        """Read a text up to its NUL, without its quote."""
        end = self._octets.find(0, self.at)
        if end < 0:
            raise self.error("a text has no end")
        text = self._octets[self.at : end]
        self.at = end + 1
        return text[1:] if text[:1] == b"\x7f" else text

    def length(self) -> int:
        """Read a Value-length."""
        first = self.octet()
        if first < LENGTH_QUOTE:
            return first
        if first == LENGTH_QUOTE:
            return self.uintvar()
        self.at -= 1
        raise self.error("there is no length")
