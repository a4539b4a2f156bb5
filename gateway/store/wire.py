"""The octets of one connection, read with limits: lines and counted stretches of an answer.

Nothing here may know what octets mean, hold more of them than it was allowed to, or wait without end: `begin`
says how many octets the whole of an answer may have and how long it may take, however slowly it trickles in.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import Final

#: Octets taken from the socket at a time; a TLS record has at most 16 KB.
RECEIVE: Final = 64 * 1024
#: Octets kept of a line that is longer than its limit: the end of it, where a literal is announced.
TAIL: Final = 32


class Overrun(OSError):
    """The answer has more octets than it may have."""


class Ended(OSError):
    """The peer closed the connection."""


class Wire:
    """Reads and writes one socket; not thread-safe. Everything that fails is an OSError."""

    def __init__(self, sock: socket.socket, silence: float) -> None:
        """`silence`: the seconds for which a peer may say nothing, or take nothing."""
        self.sock = sock
        self.silence = silence
        self.octets_in = 0
        #: Set when a line was longer than its limit; the reader resets it.
        self.cut = False
        self._held = bytearray()
        self._until = 0.0
        self._allowed = 0

    def begin(self, seconds: float, octets: int) -> None:
        """Say how long the next answer may take, and how many octets it may have."""
        self._until = time.monotonic() + seconds
        self._allowed = octets

    def send(self, octets: bytes) -> None:
        """Send all of it."""
        self.sock.settimeout(self.silence)
        self.sock.sendall(octets)

    @property
    def held(self) -> bool:
        """Tell whether octets have come that nobody asked for yet."""
        return bool(self._held) or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0)

    def line(self, limit: int) -> bytes:
        """Read a line with its end; of one beyond `limit` octets only the last few, and `cut` is set."""
        seen = 0
        while (end := self._held.find(b"\n", seen)) < 0:
            if len(self._held) > limit:
                self._cut(len(self._held))
            seen = len(self._held)
            self._fill()
        if end >= limit:
            self._cut(end)
            end = self._held.index(b"\n")
        return self._take(end + 1)

    def exactly(self, size: int) -> bytes:
        """Read so many octets."""
        while len(self._held) < size:
            self._fill()
        return self._take(size)

    def skip(self, size: int) -> None:
        """Read so many octets and keep none."""
        while size:
            if not self._held:
                self._fill()
            size -= len(self._take(min(size, len(self._held))))

    def _cut(self, end: int) -> None:
        self.cut = True
        del self._held[: max(0, end - TAIL)]

    def _take(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def _fill(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self.sock.settimeout(min(self.silence, left))
        octets = self.sock.recv(RECEIVE)
        if not octets:
            raise Ended("the peer closed the connection")
        self.octets_in += len(octets)
        self._allowed -= len(octets)
        if self._allowed < 0:
            raise Overrun("the answer is too long")
        self._held += octets
