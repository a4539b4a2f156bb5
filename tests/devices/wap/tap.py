"""A relay for datagrams on loopback, which keeps them: what a client that reports little has sent and received.

Nothing here may change, lose or delay a datagram. Each client has a socket of its own towards the server.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread


class Tap:
    """The relay in front of a UDP port. `seen`: ports that a datagram came from and went to, and the datagram."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.seen: list[tuple[int, int, bytes]] = []
        self._front = _socket()
        self._front.bind(("127.0.0.1", 0))
        self.port: int = self._front.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._front, selectors.EVENT_READ)
        self._clients: dict[int, socket.socket] = {}
        self._ended = False

    def replies(self) -> Iterator[bytes]:
        """Yield what came from the server, the newest first."""
        return (data for source, _, data in reversed(self.seen) if source == self.target)

    def run(self) -> None:
        while not self._ended:
            for key, _ in self._selector.select(0.05):
                with suppress(OSError):  # its other end is gone
                    self._pass(key.fileobj, key.data)
        for each in (self._front, *self._clients.values()):
            each.close()
        self._selector.close()

    def stop(self) -> None:
        self._ended = True

    def _pass(self, line: object, client: int | None) -> None:
        assert isinstance(line, socket.socket)
        data, (_, port) = line.recvfrom(65_536)
        if client is not None:
            self.seen.append((self.target, client, data))
            self._front.sendto(data, ("127.0.0.1", client))
            return
        if port not in self._clients:
            self._clients[port] = _socket()
            self._clients[port].connect(("127.0.0.1", self.target))
            self._selector.register(self._clients[port], selectors.EVENT_READ, port)
        self.seen.append((port, self.target, data))
        self._clients[port].send(data)


def _socket() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


@contextmanager
def tapped(target: int) -> Iterator[Tap]:
    """Relay during the block."""
    tap = Tap(target)
    thread = Thread(target=tap.run, daemon=True)
    thread.start()
    try:
        yield tap
    finally:
        tap.stop()
        thread.join()
