"""TCP connections to named servers: looks addresses up and tries them one by one, before a deadline.

Nothing here may wait longer than its caller allows, although the system's resolver has no deadline: a name is looked up
in a thread of its own, one per name however many ask for it, and a limited number in total. A thread that hangs is left
behind until the resolver gives up; it holds nothing but its slot. Standard: RFC 1123 §2.3 (every address is tried);
getaddrinfo(3).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread
from typing import Final

from gateway import computing
from gateway.upstreams import deadline, health

#: Seconds for a lookup, and for a connection to any address of a server.
RESOLVE_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 8.0
#: Names looked up at the same time.
LOOKUPS: Final = 8

Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Look up all addresses of a name in the order to try them, or raise OSError; this may hang."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError("the name is no host name") from None
    return tuple(dict.fromkeys(str(address[4][0]) for address in found))


class _Lookup:
    """A lookup in progress, shared by all who wait for it."""

    def __init__(self) -> None:
        self.done = Event()
        self.found: Sequence[str] = ()
        self.failed: OSError | None = None


class Lookups:
    """Looks names up before a deadline; thread-safe. `resolve`: the function that may hang."""

    def __init__(self, resolve: Resolve = resolve, most: int = LOOKUPS) -> None:
        self._resolve, self._most = resolve, most
        self._lock = Lock()
        self._running: dict[tuple[str, int], _Lookup] = {}

    def addresses(self, host: str, port: int, seconds: float) -> Sequence[str]:
        """Return the addresses of a name, or raise OSError: TimeoutError if it takes too long."""
        lookup = self._join(host, port)
        if not lookup.done.wait(seconds):
            raise TimeoutError("the name was not resolved in time")
        if lookup.failed is not None:
            raise type(lookup.failed)(*lookup.failed.args)
        return lookup.found

    def _join(self, host: str, port: int) -> _Lookup:
        with self._lock:
            lookup = self._running.get((host, port))
            if lookup is not None:
                return lookup
            if len(self._running) >= self._most:
                raise TimeoutError("too many names are being resolved")
            lookup = self._running[host, port] = _Lookup()
        try:
            Thread(target=self._look_up, args=(host, port, lookup), name="lookup", daemon=True).start()
        except RuntimeError as error:  # no more threads
            self._finish(host, port, lookup)
            raise OSError(str(error)) from None
        return lookup

    def _look_up(self, host: str, port: int, lookup: _Lookup) -> None:
        try:
            lookup.found = self._resolve(host, port)
        except OSError as error:
            lookup.failed = error
        except Exception as error:
            lookup.failed = OSError(type(error).__name__)
        finally:
            self._finish(host, port, lookup)

    def _finish(self, host: str, port: int, lookup: _Lookup) -> None:
        with self._lock:
            del self._running[host, port]
        lookup.done.set()


#: For the servers in the configuration, of which there are few.
_lookups: Final = Lookups(lambda host, port: resolve(host, port))


def addresses(host: str, port: int) -> Sequence[str]:
    """Look up a server in the configuration before the deadline; an IP address is returned unchanged."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return (host,)
    return _lookups.addresses(host, port, deadline.left(RESOLVE_SECONDS))


def connect(host: str, port: int) -> socket.socket:
    """Connect to a server in the configuration, or raise the OSError of the last address that was tried."""
    with health.opening(), computing.waiting():
        return _connect(host, port)


def _connect(host: str, port: int) -> socket.socket:
    found = addresses(host, port)
    until = time.monotonic() + deadline.left(CONNECT_SECONDS)
    failed: OSError = OSError("the name has no address")
    for number, address in enumerate(found):
        # The remaining time is divided among the remaining addresses: a dead one does not use up the time of a live
        # one.
        seconds = (until - time.monotonic()) / (len(found) - number)
        if seconds <= 0:
            failed = TimeoutError("timed out")
            break
        try:
            return _tuned(socket.create_connection((address, port), seconds))
        except OSError as error:
            failed = error
    raise failed


def _tuned(sock: socket.socket) -> socket.socket:
    """Disable Nagle's algorithm for small commands, and enable keep-alive to notice a peer that is gone."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except OSError:
        sock.close()
        raise
    return sock
