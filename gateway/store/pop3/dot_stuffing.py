"""Undoes the byte-stuffing of multi-line responses (RFC 1939 §3), in pieces of any size.

Nothing here may do I/O, or hold more than the end of a line.
"""

from __future__ import annotations

import re
from typing import Final

# QUIRK: servers that end lines with only LF.
_END: Final = re.compile(rb"\n\.\r?\n")
#: What may be the beginning of the end, at the end of a piece.
_UNDECIDED: Final = re.compile(rb"\n(?:\.\r?)?\Z")


class Unstuffing:
    """Takes the octets after a status line; `rest` is what came after the last line, once that has come (`ended`)."""

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""
        # A response begins as if a line had ended before it.
        self._held = b"\n"
        self._begun = False

    def feed(self, octets: bytes) -> bytes:
        """Return the text of the next octets; nothing after the last line is taken."""
        octets = self._held + octets
        end = _END.search(octets)
        if end is not None:
            self.ended, self.rest, cut = True, octets[end.end() :], end.start() + 1
        else:
            undecided = _UNDECIDED.search(octets, max(0, len(octets) - 3))
            cut = undecided.start() if undecided else len(octets)
        text, self._held = octets[:cut], octets[cut:]
        if text and not self._begun:
            self._begun = True
            return text.replace(b"\n.", b"\n")[1:]
        return text.replace(b"\n.", b"\n")
