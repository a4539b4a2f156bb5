"""The HTTP server's listeners, plain and HTTPS, in one process with the applications, on one event loop.

Nothing here may know a route or hold an octet of a request. Plain HTTP and HTTPS of one `Site` share one `Bridge`,
and so one pool of threads, and one limit on connections (see `admission`), which another site's crowd does not use
up.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import resource
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from gateway.config import Config
from gateway.config.hosts import host_port, listen_address
from gateway.errors import ConfigError
from gateway.server import workers
from gateway.server.admission import Full, Holder, Slots
from gateway.server.bridge import Bridge, peer
from gateway.server.certificate import ServerCertificate
from gateway.server.http1 import (
    HEADER_OCTETS,
    HEADER_SECONDS,
    RECEIVED_OCTETS,
    SENT_OCTETS,
    Endpoints,
    HttpConnection,
)
from gateway.server.wsgi import Environ

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

CONNECTIONS = 640
"""Sockets open at a time."""
SOCKETS = 5 / 8
"""Their fraction of the file descriptors, usually 1024; upstream connections and files need the rest."""
BACKLOG = 1024
"""Connections that the kernel queues until they are accepted."""
GRACE = 10.0
"""Seconds for requests in flight after SIGTERM; service managers kill after 30 or more."""
FLUSH = 1.0
"""Seconds for cleaning up the requests aborted after that."""
LOOK_SECONDS = 60.0
"""Seconds between checks for a renewed certificate; SIGHUP checks at once."""
SHUTDOWN_SECONDS = 5.0
"""Seconds for the peer's close_notify, which some handhelds never send (RFC 8446 §6.1)."""
PAUSE = 0.2
"""Seconds before the next attempt if accepting fails, for example for lack of file descriptors."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One address to listen on; HTTPS if it has a certificate and a key (PEM files)."""

    host: str
    port: int
    cert: Path | None = None
    key: Path | None = None

    @property
    def url(self) -> str:
        """The address as a person types it."""
        return f"{'https' if self.cert else 'http'}://{host_port(self.host, self.port)}/"

    @classmethod
    def parse(cls, listen: str, cert: Path | None = None, key: Path | None = None) -> Listener:
        """Read "host:port" or "[host]:port"."""
        try:
            return cls(*listen_address(listen), cert, key)
        except ValueError as error:
            raise ConfigError(f"{listen!r} is not an address to listen at: {error}") from error

    def certificate(self) -> ServerCertificate | None:
        """Read the certificate; raise ConfigError if it is unusable."""
        return ServerCertificate(self.cert, self.key) if self.cert and self.key else None


def listeners(config: Config) -> tuple[Listener, ...]:
    """Return the listeners of a configuration."""
    plain = Listener.parse(config.listen)
    if not config.https_listen:
        return (plain,)
    return plain, Listener.parse(config.https_listen, config.https_cert, config.https_key)


def bind(listener: Listener) -> socket.socket:
    """Bind an address without listening yet; raise ConfigError if that fails."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            listener.host, listener.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with contextlib.ExitStack() as undo:
            line = undo.enter_context(socket.socket(family, kind, proto))
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Accepted sockets inherit these: the kernel would buffer megabytes for each connection.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_OCTETS)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_OCTETS)
            line.setblocking(False)
            line.bind(address)
            undo.pop_all()
            return line
    except OSError as error:
        why = {
            errno.EADDRINUSE: "another program listens there",
            errno.EACCES: "ports below 1024 need root",
            errno.EADDRNOTAVAIL: "this machine has no such address",
        }.get(error.errno or 0, error.strerror or str(error))
        raise ConfigError(f"cannot listen at {host_port(listener.host, listener.port)}: {why}") from error


def require_free(listener: Listener) -> None:
    """Raise ConfigError if the address cannot be bound."""
    bind(listener).close()


def _most_connections() -> int:
    """Return how many connections may be open, leaving file descriptors for the work on them."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY or most * SOCKETS >= CONNECTIONS:
        return CONNECTIONS
    log.warning(
        "no more than %d file descriptors (ulimit -n): %d connections at a time", most, most * SOCKETS
    )
    return int(most * SOCKETS)


class HttpServer:
    """The connections of all listeners. `run` them on a loop, then `finish`."""

    def __init__(self, bridge: Bridge, connections: int) -> None:
        self._bridge = bridge
        self._places = Slots(connections)
        self._tasks: dict[asyncio.Task[None], HttpConnection | None] = {}

    async def accept(self, line: socket.socket, certificate: ServerCertificate | None) -> None:
        """Accept connections from one listening socket until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(line)
            except OSError as error:  # the peer has given up already, or there is no file descriptor
                log.warning("a connection could not be accepted: %s", error.strerror)
                await asyncio.sleep(PAUSE)
                continue
            self._admit(sock, address, certificate)
            await asyncio.sleep(0)  # a crowd leaves no pause, but evicted connections have to be closed

    def _admit(self, sock: socket.socket, address: Any, certificate: ServerCertificate | None) -> None:
        holder = Holder(address[0], lambda: task.cancel())
        try:
            self._places.take(holder, insist=True)
        except Full:
            log.warning("%d requests are being worked on: a connection is refused", len(self._places))
            sock.close()
            return

        def done(task: asyncio.Task[None]) -> None:
            self._places.free(holder)
            if self._tasks.pop(task) is None:  # it failed, or has not even begun
                sock.close()

        task = asyncio.create_task(self._connection(sock, holder, certificate))
        self._tasks[task] = None
        task.add_done_callback(done)

    async def _connection(
        self, sock: socket.socket, holder: Holder, certificate: ServerCertificate | None
    ) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        reader = asyncio.StreamReader(HEADER_OCTETS, loop)
        protocol = asyncio.StreamReaderProtocol(reader)
        secure: dict[str, Any] = {}
        if certificate is not None:
            secure = {
                "ssl": certificate.context,
                "ssl_handshake_timeout": HEADER_SECONDS,
                "ssl_shutdown_timeout": SHUTDOWN_SECONDS,
            }
        try:
            ends = Endpoints.of(sock, holder.address, "https" if secure else "http")
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, **secure)
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            connection = HttpConnection(reader, writer, holder, ends)
            self._tasks[task] = connection
            await connection.serve(self._bridge.answer)
        except (OSError, asyncio.CancelledError):
            pass  # a failed handshake; an evicted connection
        except Exception:
            log.exception("a connection failed")

    async def finish(self) -> bool:
        """Drop incomplete requests, finish the others within GRACE; return whether all were finished."""
        for task, connection in tuple(self._tasks.items()):
            if connection is None or not connection.stop():
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE)
        left = {task: connection for task, connection in self._tasks.items() if connection is not None}
        if not left:
            return True
        kinds = Counter(connection.phase.value for connection in left.values())
        said = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        log.warning("not finished within %d s, broken off now: %s", GRACE, said)
        for task, connection in left.items():
            connection.abort()
            task.cancel()
        await asyncio.wait(left, timeout=FLUSH)
        return False


@contextlib.contextmanager
def signalled(renew: Callable[[], None], reload: Callable[[], object]) -> Iterator[asyncio.Event]:
    """Handle the signals of a worker in the block; yield what is set when it is told to end."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def again() -> None:  # it reads files, and may wait for others that do the same
        Thread(target=reload, name="reload").start()

    handlers = {
        signal.SIGINT: stop.set,
        signal.SIGTERM: stop.set,
        signal.SIGHUP: renew,
        workers.RELOAD: again,
    }
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield stop
    finally:
        for number, previous in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, previous)


@dataclass(frozen=True, slots=True)
class Site:
    """An application and its listeners, with threads and connections of its own.

    `upload_limit` is in octets; `known` tells whether a request is from somebody who is signed in, `client` its
    address; `connections`: how many may be open at a time.
    """

    app: WSGIApplication
    listeners: tuple[Listener, ...]
    threads: int
    upload_limit: int = 0
    known: Callable[[Environ], bool] = lambda request: False
    client: Callable[[Environ], str] = peer
    connections: int = CONNECTIONS

    def bridge(self) -> Bridge:
        """Start the threads of the application."""
        return Bridge(self.app, self.threads, self.upload_limit, known=self.known, client=self.client)


@dataclass(frozen=True, slots=True)
class _Line:
    """A bound socket, the certificate of its listener, and the server of its site."""

    sock: socket.socket
    certificate: ServerCertificate | None
    server: HttpServer


async def _serve(lines: list[_Line], ready: Callable[[], None], reload: Callable[[], object]) -> bool:
    def renew() -> None:
        for line in lines:
            if line.certificate is not None:
                line.certificate.renew()

    with signalled(renew, reload) as stop:
        for line in lines:
            line.sock.listen(BACKLOG)
        accepting = [asyncio.create_task(line.server.accept(line.sock, line.certificate)) for line in lines]
        ready()
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            renew()
        for task in accepting:
            task.cancel()
        await asyncio.wait(accepting)
        for line in lines:
            line.sock.close()
        servers = {id(line.server): line.server for line in lines}.values()
        return all(await asyncio.gather(*(server.finish() for server in servers)))


def run(
    *sites: Site,
    ready: Callable[[], None] = lambda: None,
    bound: Mapping[Listener, socket.socket] | None = None,
    reload: Callable[[], object] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests in progress. Call from the main thread.

    `bound`: sockets of listeners that are bound already, shared with other processes; `reload` reads the configuration
    again, at `workers.RELOAD`. Hanging threads may be left after this.
    """
    bound = bound or {}
    with contextlib.ExitStack() as opened:
        lines, bridges = [], []
        for site in sites:
            sockets = [
                (opened.enter_context(bound.get(each) or bind(each)), each.certificate())
                for each in site.listeners
            ]
            bridges.append(site.bridge())
            server = HttpServer(bridges[-1], min(site.connections, _most_connections()))
            lines += [_Line(sock, certificate, server) for sock, certificate in sockets]
        finished = False
        try:
            finished = asyncio.run(_serve(lines, ready, reload))
        finally:
            for bridge in bridges:
                bridge.close(wait=finished)
