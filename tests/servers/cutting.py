"""A connection in between that is cut where it is told to: after so many octets up or down, whatever they say.

Nothing here may understand a protocol. What was passed on before the cut arrives; what comes after it does not, and
both ends see their connection close.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

PIECE = 16 * 1024
SECONDS = 0.2  # between two looks whether the proxy is over


@dataclass(frozen=True, slots=True)
class Cut:
    """Octets that pass up (to the server) and down before the connection ends; None: no limit."""

    up: int | None = None
    down: int | None = None


NEVER = Cut()


class Cutting:
    """A proxy in front of a port on loopback; `plan` says for each connection where it is cut."""

    host = "127.0.0.1"

    def __init__(self, target: int, plan: Callable[[], Cut]) -> None:
        self._target, self._plan = target, plan
        self.cuts = 0
        self._over = threading.Event()
        self._listener = socket.create_server((self.host, 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, name="cutting")]

    def __enter__(self) -> Cutting:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client, self._plan()), name="cutting")
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket, cut: Cut) -> None:
        with client, socket.create_connection((self.host, self._target)) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(OSError):
                self._pass(client, server, cut)

    def _pass(self, client: socket.socket, server: socket.socket, cut: Cut) -> None:
        ways = {client: (server, cut.up), server: (client, cut.down)}
        with selectors.DefaultSelector() as ready:
            for end in ways:
                ready.register(end, selectors.EVENT_READ)
            while not self._over.is_set():
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
                    ways[source] = target, None if left is None else left - len(octets)
