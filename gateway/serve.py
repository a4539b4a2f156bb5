"""The HTTP server: granian's embedded mode, all listeners in one process with the application.

Nothing else may import granian, and nothing here may know a route. Plain HTTP and HTTPS share one `Bridge`,
so one pool of threads and one pool of upstream connections. The access log is off: URLs hold tokens.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]
from granian.server.embed import Server

from gateway.bridge import Bridge
from gateway.config import Config
from gateway.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

HEADER_TIME = 30_000
"""Milliseconds for a request's header, and for the next one on an idle connection."""
CONNECTIONS = 768
"""Sockets open at a time: 1024 file descriptors is the usual limit, and upstream connections need some."""
DRAIN = 25.0
"""Seconds that requests in flight have after SIGTERM; service managers kill after 30 or more."""

FLUSH = 2.0
"""Seconds for the sockets after that: granian waits HEADER_TIME for a header that is half there."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One address to listen at; HTTPS when it has a certificate and a key (PEM files)."""

    host: str
    port: int
    cert: Path | None = None
    key: Path | None = None

    @property
    def url(self) -> str:
        """The address as a person types it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.cert else 'http'}://{host}:{self.port}/"

    @classmethod
    def parse(cls, listen: str, cert: Path | None = None, key: Path | None = None) -> Listener:
        """Read "host:port" or "[host]:port"."""
        host, colon, port = listen.rpartition(":")
        if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65535):
            raise ConfigError(f"{listen!r} is not an address to listen at: write HOST:PORT")
        return cls(host.removeprefix("[").removesuffix("]"), int(port), cert, key)


def listeners(config: Config) -> tuple[Listener, ...]:
    """Name the addresses that a configuration asks for."""
    plain = Listener.parse(config.listen)
    if not config.https_listen:
        return (plain,)
    return plain, Listener.parse(config.https_listen, config.https_cert, config.https_key)


def server(bridge: Bridge, listener: Listener) -> Server:
    """Set granian up for one address; raise ConfigError if its certificate is of no use."""
    try:
        return _server(bridge, listener)
    except OSError as error:  # of which ssl.SSLError is one
        why = error.strerror or str(error)
        raise ConfigError(f"certificate {listener.cert} with key {listener.key}: {why}") from error


def _server(bridge: Bridge, listener: Listener) -> Server:
    return Server(
        bridge,
        address=listener.host,
        port=listener.port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIME),
        log_level=LogLevels.error,
        log_dictconfig={"handlers": {}, "loggers": {"_granian": {"propagate": True}}},
        log_access=False,  # URLs hold tokens
        ssl_cert=listener.cert,
        ssl_key=listener.key,
        ssl_protocol_min=SSLProtocols.tls12,  # the newest that many handhelds speak
    )


def require_free(listener: Listener) -> None:
    """Raise ConfigError if the address cannot be bound; granian would share a taken port silently."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            listener.host, listener.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        why = {
            errno.EADDRINUSE: "another program listens there",
            errno.EACCES: "ports below 1024 need root",
            errno.EADDRNOTAVAIL: "this machine has no such address",
        }.get(error.errno or 0, error.strerror or str(error))
        raise ConfigError(f"cannot listen at {listener.host}:{listener.port}: {why}") from error


async def _reachable(where: tuple[Listener, ...]) -> None:
    for listener in where:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listener.host, listener.host)  # noqa: S104
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(host, listener.port)
                writer.close()
                break
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def _signalled() -> AsyncIterator[asyncio.Event]:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


async def _serve(bridge: Bridge, where: tuple[Listener, ...], ready: Callable[[], None]) -> None:
    servers = [server(bridge, listener) for listener in where]
    async with _signalled() as stop:
        running = [asyncio.create_task(each.serve()) for each in servers]
        reached = asyncio.create_task(_reachable(where))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([reached, stopping, *running], return_when=asyncio.FIRST_COMPLETED)
        if reached.done():
            ready()
            await asyncio.wait([stopping, *running], return_when=asyncio.FIRST_COMPLETED)
        for waiting in (stopping, reached):
            waiting.cancel()
        for each in servers:
            each.stop()  # type: ignore[no-untyped-call]
        try:
            await asyncio.wait_for(bridge.finish(), DRAIN)
        except TimeoutError:
            log.warning("requests were still in flight after %d s", DRAIN)
        done, _ = await asyncio.wait(running, timeout=FLUSH)
        for task in done:
            task.result()


def run(
    app: WSGIApplication,
    where: tuple[Listener, ...],
    threads: int,
    ready: Callable[[], None] = lambda: None,
    upload_limit: int = 0,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is in flight. Call from the main thread."""
    for listener in where:
        require_free(listener)
    bridge = Bridge(app, threads, ProtocolClosed, upload_limit)
    try:
        asyncio.run(_serve(bridge, where, ready))
    finally:
        bridge.close()
