"""A connection in between: what the proxies have in common that cut, twist or translate what passes.

Nothing here may look at what passes. Each connection has a thread of its own, which ends with the proxy.
"""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests import PATIENCE

Pass = Callable[[socket.socket, socket.socket], None]
"""Passes on what a client and a server say, until one of them has ended; an OSError is such an end."""


class Proxy(ABC):
    """A proxy in front of a port on loopback; `over` is set at its end."""

    host = "127.0.0.1"

    def __init__(self, target: int) -> None:
        self._target = target
        self.over = threading.Event()
        self._listener = socket.create_server((self.host, 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="proxy")]

    @abstractmethod
    def passing(self) -> Pass:
        """Return what passes things on for the next connection; called in their order."""

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        for end in (self._listener, *self._ends):
            with suppress(OSError):  # it has been closed
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client, self.passing()), name="proxy")
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket, passing: Pass) -> None:
        with client, socket.create_connection((self.host, self._target)) as server:
            self._ends += (client, server)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(OSError):
                passing(client, server)
