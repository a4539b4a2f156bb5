"""A connection in between that is cut where it is told to be: after this many octets up or down, whatever they say.

Nothing here may understand a protocol. What was passed on before the cut arrives; what comes after it does not, and
both ends see their connection close. While it is `mute`, connections are made, and nothing passes.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.servers.scripted.proxy import Pass, Proxy

PIECE = 16 * 1024
SECONDS = 0.2  # between two checks whether the proxy is over


@dataclass(frozen=True, slots=True)
class Cut:
    """Octets that pass up (to the server) and down before the connection ends; None: no limit."""

    up: int | None = None
    down: int | None = None


NEVER = Cut()


class Cutting(Proxy):
    """A proxy in front of a port on loopback; `plan` returns where each connection is cut."""

    def __init__(self, target: int, plan: Callable[[], Cut]) -> None:
        super().__init__(target)
        self._plan = plan
        self.cuts = 0
        self.mute = False
        #: Octets that have passed down, on all connections.
        self.down = 0

    def passing(self) -> Pass:
        return partial(self._pass, self._plan())

    def _pass(self, cut: Cut, client: socket.socket, server: socket.socket) -> None:
        ways = {client: (server, cut.up), server: (client, cut.down)}
        with selectors.DefaultSelector() as ready:
            for end in ways:
                ready.register(end, selectors.EVENT_READ)
            while not self.over.is_set():
                if self.mute:
                    self.over.wait(SECONDS)
                    continue
                for key, _ in ready.select(SECONDS):
                    source: socket.socket = key.fileobj  # type: ignore[assignment]
                    target, left = ways[source]
                    octets = source.recv(PIECE)
                    if left is not None and len(octets) > left:
                        target.sendall(octets[:left])
                        self.cuts += 1
                        return
                    if not octets:
                        return
                    target.sendall(octets)
                    self.down += len(octets) if source is server else 0
                    ways[source] = target, None if left is None else left - len(octets)
