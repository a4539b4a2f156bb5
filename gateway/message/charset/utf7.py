"""An incremental UTF-7 decoder (RFC 2152), linear in time, that can start inside a shifted run.

Nothing here may know of parts or messages. Python's codec holds a whole shifted run back until it ends, so
that a long one costs quadratic time; this one emits text after every eighth character.
"""

from __future__ import annotations

import codecs
import re
from binascii import a2b_base64
from typing import Final

_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]+")
#: Characters of a shifted run that make whole UTF-16 code units (8 x 6 bits = 3 x 16 bits).
_GROUP: Final = 8

_DIRECT: Final = 0
_OPENED: Final = 1  # just after "+", where "-" means a plus sign
_SHIFTED: Final = 2

_UTF16: Final = codecs.getincrementaldecoder("utf_16_be")


class Utf7Decoder(codecs.IncrementalDecoder):
    """Decode UTF-7; undecodable octets become U+FFFD, whatever `errors` says."""

    def __init__(self, errors: str = "replace") -> None:
        super().__init__(errors)
        self._mode = _DIRECT
        self._carry = b""
        self._units = _UTF16("replace")

    def decode(self, input: bytes, final: bool = False) -> str:  # type: ignore[override]
        """Decode octets, which may end anywhere unless `final`."""
        out: list[str] = []
        octets, at = bytes(input), 0
        while at < len(octets):
            if self._mode == _DIRECT:
                plus = octets.find(b"+", at)
                end = len(octets) if plus < 0 else plus
                out.append(octets[at:end].decode("ascii", "replace"))
                at = end + 1
                if plus >= 0:
                    self._mode = _OPENED
                continue
            run = _BASE64.match(octets, at)
            if run:
                self._mode = _SHIFTED
                out.append(self._shifted(run.group()))
                at = run.end()
                continue
            if octets[at] == 0x2D:
                at += 1
                if self._mode == _OPENED:
                    out.append("+")
            out.append(self._unshift())
        if final:
            out.append(self._unshift())
        return "".join(out)

    def _shifted(self, characters: bytes) -> str:
        characters = self._carry + characters
        whole = len(characters) - len(characters) % _GROUP
        self._carry = characters[whole:]
        return self._units.decode(a2b_base64(characters[:whole]))

    def _unshift(self) -> str:
        """End a run: its last bits, less than a group, may still hold one or two units."""
        rest = a2b_base64(self._carry + b"A" * (-len(self._carry) % 4))
        units = len(self._carry) * 6 // 16
        text = self._units.decode(rest[: 2 * units], True)
        self.reset()
        return text

    def reset(self) -> None:
        self._mode, self._carry = _DIRECT, b""
        self._units.reset()

    def getstate(self) -> tuple[bytes, int]:
        """Return the pending octets (none where decoding can start) and the mode."""
        sign = b"+" if self._mode == _OPENED else b""
        return sign + self._carry + bytes(self._units.getstate()[0]), self._mode

    def setstate(self, state: tuple[bytes, int]) -> None:
        """Start over in a mode; pending octets are not restored."""
        self.reset()
        self._mode = state[1]

    def shift(self) -> None:
        """Start inside a shifted run."""
        self.setstate((b"", _SHIFTED))
