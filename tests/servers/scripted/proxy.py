"""A connection in between: what the proxies have in common that cut, twist or translate what passes through.

Nothing here may look at what passes. Connections end with the proxy.
"""

from __future__ import annotations

import socket
from abc import abstractmethod
from collections.abc import Callable

from tests.servers.scripted.listening import Listening

Pass = Callable[[socket.socket, socket.socket], None]
"""Passes on what a client and a server say, until one of them ends; an OSError is such an end."""


class Proxy(Listening):
    """A proxy in front of a port on loopback."""

    hangs_up = True

    def __init__(self, target: int) -> None:
        super().__init__()
        self._target = target
        self._passing: dict[socket.socket, Pass] = {}

    @abstractmethod
    def passing(self) -> Pass:
        """Return what passes data on for the next connection; called in their order."""

    def accepted(self, sock: socket.socket) -> None:
        self._passing[sock] = self.passing()
        super().accepted(sock)

    def serve(self, sock: socket.socket) -> None:
        passing = self._passing.pop(sock)
        sock.settimeout(None)  # an idle connection lasts as long as its two ends wish
        with socket.create_connection((self.host, self._target)) as server:
            self.ends.append(server)
            for end in (sock, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            passing(sock, server)
