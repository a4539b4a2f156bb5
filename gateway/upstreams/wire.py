"""Reads and writes the octets of one connection within limits: lines and counted blocks.

Nothing here may know what octets mean, hold more of them than allowed, or wait forever: `begin` sets how long
a whole answer may take, however slowly it trickles in, and its budget: octets received, lines, and bytes held
as objects, which for many small lines is a multiple of the octets.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

from gateway import computing
from gateway.upstreams import deadline

#: Octets read from the socket at a time; a TLS record has at most 16 KB.
RECEIVE: Final = 64 * 1024
#: Octets kept of a line beyond its limit: its beginning, and its end, where a literal is announced.
TAIL: Final = 32
#: Octets sent at a time, each of which the peer must accept within `silence`.
SEND: Final = 64 * 1024


class Overrun(OSError):
    """The answer exceeds its budget."""


class Ended(OSError):
    """The peer closed the connection."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of one answer: octets received, lines among them, and bytes held as objects."""

    octets: int
    lines: int
    held: int


class Ledger:
    """Bytes that all answers of one server currently hold as objects, over all connections; thread-safe."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0
        self._lock = Lock()

    def take(self, size: int) -> None:
        """Count bytes that are held from now on; raise Overrun if they would be too many."""
        with self._lock:
            if self._held + size > self._most:
                raise Overrun("the server's answers together are too long")
            self._held += size

    def give(self, size: int) -> None:
        """Count bytes that are released."""
        with self._lock:
            self._held -= size


class Wire:
    """Reads and writes one socket; not thread-safe. Every failure is an OSError."""

    def __init__(self, sock: socket.socket, silence: float) -> None:
        """`silence`: seconds for which a peer may send nothing, or accept nothing."""
        self.sock = sock
        self.silence = silence
        self.octets_in = 0
        #: Set if a line was longer than its limit; the reader resets it.
        self.cut = False
        self.beginning = b""
        self._held = bytearray()
        self._until = 0.0
        self._octets = self._lines = self._room = 0

    def begin(self, seconds: float, budget: Budget) -> None:
        """Set how long the next answer may take, and its budget."""
        self._until = time.monotonic() + deadline.left(seconds)
        self._octets, self._lines, self._room = budget.octets, budget.lines, budget.held

    def send(self, octets: bytes) -> None:
        """Send all octets, as fast as the peer accepts them; the time does not count against an answer."""
        self._until += deadline.allow(len(octets))
        view = memoryview(octets)
        for at in range(0, len(octets), SEND):
            self.sock.settimeout(min(self.silence, self._left()))
            with computing.waiting():
                self.sock.sendall(view[at : at + SEND])

    @property
    def room(self) -> int:
        """Bytes that may still be held as objects of this answer."""
        return self._room

    def allow(self, size: int) -> None:
        """Add octets to the budget that are handed on and not held."""
        self._octets += size

    def hold(self, size: int) -> None:
        """Count bytes that are held as objects until the answer has been processed."""
        self._room -= size
        if self._room < 0:
            raise Overrun("the answer is too long")

    @property
    def held(self) -> bool:
        """Return whether unread octets have arrived."""
        return bool(self._held) or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0)

    def line(self, limit: int) -> bytes:
        """Read a line with its end; if it exceeds `limit` octets, only the last few are returned and `cut` is set."""
        self._lines -= 1
        if self._lines < 0:
            raise Overrun("the answer has too many lines")
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
        """Read this many octets."""
        while len(self._held) < size:
            self._fill()
        return self._take(size)

    def stretches(self, size: int) -> Iterator[bytes]:
        """Yield this many octets in pieces as they arrive; all of them have to be consumed."""
        while size:
            if not self._held:
                self._fill()
            taken = self._take(min(size, len(self._held)))
            size -= len(taken)
            yield taken

    def arrived(self) -> bytes:
        """Read what has arrived, and wait for something if nothing has."""
        if not self._held:
            self._fill()
        return self._take(len(self._held))

    def put_back(self, octets: bytes) -> None:
        """Put back octets that were read too far, to be read again."""
        self._held[:0] = octets

    def arrived_lines(self, most: int) -> list[bytes]:
        """Return the lines, without LF, that have arrived whole within this many octets; they stay unread."""
        return bytes(self._held[:most]).split(b"\n")[:-1]

    def pass_over(self, lines: Sequence[bytes]) -> None:
        """Take the first of these lines as read."""
        self._lines -= len(lines)
        if self._lines < 0:
            raise Overrun("the answer has too many lines")
        del self._held[: sum(map(len, lines)) + len(lines)]

    def skip(self, size: int) -> None:
        """Read and discard this many octets."""
        for _ in self.stretches(size):
            pass

    def _cut(self, end: int) -> None:
        if not self.cut:
            self.beginning = bytes(self._held[:TAIL])
        self.cut = True
        del self._held[: max(0, end - TAIL)]

    def _take(self, size: int) -> bytes:
        with memoryview(self._held) as view:
            taken = bytes(view[:size])
        del self._held[:size]
        return taken

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def _fill(self) -> None:
        self.sock.settimeout(min(self.silence, self._left()))
        with computing.waiting():
            octets = self.sock.recv(RECEIVE)
        if not octets:
            raise Ended("the peer closed the connection")
        self.octets_in += len(octets)
        self._octets -= len(octets)
        if self._octets < 0:
            raise Overrun("the answer is too long")
        self._held += octets
