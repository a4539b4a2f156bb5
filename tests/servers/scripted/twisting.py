"""A proxy in front of an IMAP server that changes what passes through, one command or one response at a time.

Nothing here may know what a quirk is for. A response is a line with its literals; `answer` gets each one with the
commands that are still open, and returns what passes instead: octets, or one of the two ends. `ask` may change a
command on its way up.
"""

from __future__ import annotations

import re
import selectors
import socket
from collections.abc import Callable
from enum import Enum

from tests.servers.scripted.proxy import Pass, Proxy

PIECE = 64 * 1024
SECONDS = 0.1  # between two checks whether the proxy is over
_LITERAL = re.compile(rb"\{(\d+)\}\r?\n\Z")
# A client waits for permission to send any other literal: that comes as lines of its own.
_UNASKED = re.compile(rb"\{(\d+)\+\}\r?\n\Z")


class End(Enum):
    """What ends a connection instead of a response: it is closed, or nothing more comes."""

    CLOSED = "closed"
    SILENCE = "silence"


Answer = Callable[[bytes], "bytes | End"]
Ask = Callable[[bytes], bytes]


class Twisting(Proxy):
    """A proxy in front of a port on loopback."""

    def __init__(
        self, target: int, answer: Answer = lambda response: response, ask: Ask = lambda command: command
    ) -> None:
        super().__init__(target)
        self.answer, self.ask = answer, ask
        #: What has come from clients, line by line with literals.
        self.asked: list[bytes] = []

    def passing(self) -> Pass:
        return self._pass

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        up, down = bytearray(), bytearray()
        silent = False
        with selectors.DefaultSelector() as ready:
            for end in (client, server):
                ready.register(end, selectors.EVENT_READ)
            while not self.over.is_set():
                for key, _ in ready.select(SECONDS):
                    octets = key.fileobj.recv(PIECE)  # type: ignore[union-attr]
                    if not octets:
                        return
                    (up if key.fileobj is client else down).extend(octets)
                while unit := _unit(up, _UNASKED):
                    self.asked.append(unit)
                    server.sendall(self.ask(unit))
                while not silent and (unit := _unit(down)):
                    passed = self.answer(unit)
                    if passed is End.CLOSED:
                        return
                    if isinstance(passed, bytes):
                        client.sendall(passed)
                    silent = passed is End.SILENCE


def _unit(buffer: bytearray, literal: re.Pattern[bytes] = _LITERAL) -> bytes:
    """Take one line with its literals from a buffer; nothing if it has not come completely."""
    at = 0
    while True:
        end = buffer.find(b"\n", at) + 1
        if not end:
            return b""
        found = literal.search(bytes(buffer[at:end]))
        if not found:
            break
        at = end + int(found[1])
    unit = bytes(buffer[:end])
    del buffer[:end]
    return unit
