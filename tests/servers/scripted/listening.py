"""A port on loopback with a thread for each connection: what all scripted servers and proxies are built on.

Nothing here may know a protocol.
"""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests import PATIENCE


class Listening(ABC):
    """Listens from the beginning, accepts connections while it is entered; `over` is set at its end.

    All connections have ended then: immediately if it `hangs_up`, otherwise when the clients end them.
    """

    host = "127.0.0.1"
    hangs_up = False

    def __init__(self) -> None:
        self._listener = socket.create_server((self.host, 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name=type(self).__name__)
        self._threads: list[threading.Thread] = []
        self.over = threading.Event()
        #: Of all connections so far, including those of proxies to their servers.
        self.ends: list[socket.socket] = []

    @abstractmethod
    def serve(self, sock: socket.socket) -> None:
        """Serve one connection, which is closed afterwards; an OSError is also its end."""

    def hang_up(self) -> None:
        """End all connections."""
        for end in self.ends:
            with suppress(OSError):  # it has been closed
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(PATIENCE)
        if self.hangs_up:
            self.hang_up()
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()
        assert not any(thread.is_alive() for thread in (self._acceptor, *self._threads))

    def accepted(self, sock: socket.socket) -> None:
        """Serve a new connection in a thread of its own."""
        thread = threading.Thread(target=self._served, args=(sock,), name=type(self).__name__)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.ends.append(sock)
            self.accepted(sock)

    def _served(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        with sock, suppress(OSError):
            self.serve(sock)
