"""The UDP sockets of the bearer: several on each port, among which the kernel distributes the phones.

Nothing here may know what a datagram says. The kernel chooses the socket by the sender's address and port
(SO_REUSEPORT, socket(7)), so what a flood from one port sends too quickly is lost in its own socket, not in those of
others (stochastic fair queueing, RFC 8290 §1.3).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from gateway.config import Config
from gateway.config.hosts import host_port
from gateway.errors import ConfigError
from gateway.wap.endpoint import CONNECTIONLESS_PORT
from gateway.wap.quadruplet import Quadruplet

SESSION_PORT: Final = 9201
"""The port of WSP with sessions, as the endpoint knows it, whatever the sockets' ports are. WAP-259 appendix B."""
SOCKETS: Final = 32 if sys.platform == "linux" else 1
"""Sockets on each port; other systems do not distribute datagrams among them."""
RECEIVED_OCTETS: Final = 1 << 18
"""Octets of one socket's receive buffer in the kernel: datagrams that come at once, with the kernel's overhead."""
_SO_RCVBUFFORCE: Final = 33  # Linux; Python has no name for it
LARGEST_DATAGRAM: Final = 65_535
AT_ONCE: Final = 64
"""The most datagrams that are read from a socket at a time."""
REST: Final = 0.002
"""Seconds during which a socket that had that many or more is not read."""

Ports = Mapping[int, tuple[socket.socket, ...]]
"""Sockets by the ports that they represent."""


def bind(host: str, port: int, count: int = SOCKETS) -> tuple[socket.socket, ...]:
    """Bind UDP sockets, all to one port; raise ConfigError, also if another process has that port."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICHOST
        )[0]
        with contextlib.ExitStack() as undo:
            lines = [undo.enter_context(socket.socket(family, kind, proto)) for _ in range(count)]
            for line in lines:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_OCTETS)
                with contextlib.suppress(OSError):  # only root may have more than net.core.rmem_max
                    line.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVED_OCTETS)
                line.setblocking(False)
                if line is not lines[0]:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                line.bind(address)
                if line is lines[0] and count > 1:  # only now that it has found the port free
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                    address = line.getsockname()
            undo.pop_all()
            return tuple(lines)
    except OSError as error:
        raise ConfigError(f"cannot listen at {host_port(host, port)} (UDP): {error.strerror}") from error


def bind_all(config: Config) -> Ports:
    """Bind the sockets of a configuration, if it has any; raise ConfigError."""
    if not config.wap_listen:
        return {}
    ports = {SESSION_PORT: config.wap_port, CONNECTIONLESS_PORT: config.wap_connectionless_port}
    return {local: bind(config.wap_listen, port) for local, port in ports.items()}


def free_ports(host: str, wanted: Iterable[tuple[int, int]]) -> tuple[str, int, int] | None:
    """Return an address with the first pair of UDP ports that is free there (0 for any); None if there is none."""
    for ports in wanted:
        with contextlib.suppress(ConfigError), contextlib.ExitStack() as bound:
            lines = [bound.enter_context(bind(host, port, 1)[0]) for port in ports]
            found = [line.getsockname()[1] for line in lines]
            return host, found[0], found[1]
    return None


class DatagramSockets:
    """Reads all sockets in an event loop, none of them all the time, and writes to them."""

    def __init__(self, ports: Ports, received: Callable[[bytes, Quadruplet], object]) -> None:
        """`received` is called with each datagram that comes."""
        self._ports, self._received = ports, received
        self._loop = asyncio.get_running_loop()
        self._open = True
        for local, lines in ports.items():
            for line in lines:
                self._loop.add_reader(line, self._read, line, local)

    def _read(self, line: socket.socket, local: int) -> None:
        """Read what has arrived; if there may be more, other sockets are read first."""
        with contextlib.suppress(OSError):  # there are no more
            for _ in range(AT_ONCE):
                data, sender = line.recvfrom(LARGEST_DATAGRAM)
                self._received(data, Quadruplet(sender[0].partition("%")[0], sender[1], local))
            self._loop.remove_reader(line)
            self._loop.call_later(REST, self._go_on, line, local)

    def _go_on(self, line: socket.socket, local: int) -> None:
        if self._open:
            self._loop.add_reader(line, self._read, line, local)

    def send(self, data: bytes, peer: Quadruplet) -> None:
        """Send a datagram; one that the kernel does not accept is lost, like any other."""
        if self._open:
            with contextlib.suppress(OSError):
                self._ports[peer.local_port][0].sendto(data, (peer.host, peer.port))

    def close(self) -> None:
        """Close the sockets."""
        self._open = False
        for lines in self._ports.values():
            for line in lines:
                self._loop.remove_reader(line)
                line.close()
