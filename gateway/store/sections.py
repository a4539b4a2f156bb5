"""Octets of one section that came whole, kept in a temporary file; and whole messages that we read ourselves.

Nothing here may know a server. Octets beyond HELD are on disk, not in memory, and never have a name there.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from threading import Lock
from typing import Final

from gateway.errors import StateFull, UnsafeArgument
from gateway.message.mime import wire_format
from gateway.message.model import MAX_NUMBER, Message

#: Octets kept in memory, and octets handed out at a time.
HELD: Final = 64 * 1024
PIECE: Final = 32 * 1024
#: Octets of a message that we read ourselves; for that it is in memory, one at a time.
MOST_READ: Final = 16 * 1024 * 1024

_SECTION: Final = re.compile(
    r"(?:[1-9]\d{0,4}(?:\.[1-9]\d{0,4}){0,99}(?:\.(?:HEADER|TEXT|MIME))?|HEADER|TEXT|)\Z", re.ASCII
)

_reading: Final = Lock()


def require_section(section: str, start: int) -> None:
    """Raise UnsafeArgument unless this is a part specifier (RFC 9051 §6.4.5), and a place in a section."""
    if not _SECTION.match(section) or not 0 <= start <= MAX_NUMBER:
        raise UnsafeArgument("no section of a message")


class SectionFile:
    """The sink of a fetch: takes the first literal of more than `above` octets. It is dropped with its last user."""

    def __init__(self, above: int = 0) -> None:
        self.above = above
        self.size = 0
        self._begun = False
        self._file = tempfile.SpooledTemporaryFile(HELD)  # noqa: SIM115

    def begin(self, size: int) -> bool:
        begun, self._begun = self._begun, True
        return not begun

    def write(self, octets: bytes) -> None:
        """Add octets. Raise StateFull."""
        try:
            self._file.write(octets)
        except OSError as error:
            raise StateFull(f"a temporary file: {error.strerror}") from None
        self.size += len(octets)

    def read(self, begin: int, end: int) -> Iterator[bytes]:
        """Yield the octets of a range."""
        while begin < end:
            self._file.seek(begin)
            octets = self._file.read(min(PIECE, end - begin))
            if not octets:
                return
            yield octets
            begin += len(octets)

    def whole(self) -> bytes:
        self._file.seek(0)
        return self._file.read()

    def __del__(self) -> None:
        self._file.close()


class OwnReading:
    """A message that our own reader has parsed, and its octets, of which sections are ranges."""

    def __init__(self, source: SectionFile) -> None:
        with _reading:
            parsed = wire_format.parse(source.whole())
            self.message: Message = parsed.message
            self._spans = parsed.spans
            self._file = SectionFile()
            for octets in parsed.octets(""):
                self._file.write(octets)

    def is_last(self, section: str) -> bool:
        """Return whether a section extends to the end of the message."""
        return self._spans.get(section.upper(), (0, 0))[1] >= self._file.size

    def read(self, section: str, start: int) -> Iterator[bytes]:
        """Yield a section from `start`; nothing if there is no such section."""
        begin, end = self._spans.get(section.upper(), (0, 0))
        return self._file.read(begin + start, end)
