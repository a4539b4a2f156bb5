"""The bearer of WAP: two UDP sockets, an event loop in a thread of its own, and a bounded pool that asks the app.

Nothing here may know WTP or WSP, which `gateway.wap.endpoint` does, or a route. Who is sent how much `reachability`
decides for every datagram; an address that is not known yet gets a small deck whose link makes it known.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from email.utils import formatdate
from html import escape
from typing import TYPE_CHECKING, Final, cast

from gateway.access import log_context
from gateway.config import Config
from gateway.config.hosts import host_port
from gateway.errors import ConfigError, GatewayError
from gateway.server import wap_requests
from gateway.server.reachability import Reachability
from gateway.server.wap_requests import Elsewhere, deck
from gateway.wap import wsp
from gateway.wap.endpoint import CONNECTIONLESS_PORT, Endpoint
from gateway.wap.quadruplet import Quadruplet
from gateway.wap.requests import Request, TooLarge

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

SESSION_PORT: Final = 9201
"""The port of WSP with sessions, as the endpoint knows it, whatever the sockets' ports are. WAP-259 appendix B."""
THREADS: Final = 8
"""Requests that the application works on at a time."""
WAITING: Final = 64
"""Requests that wait for it or are worked on; more are answered with a deck that says so."""
KEPT_POSTS: Final = 100
"""Forms of addresses that are not known yet, kept until they are."""
KEPT_OCTETS: Final = 16 * 1024
"""Octets of such a form."""
RECEIVED_OCTETS: Final = 1 << 20
"""Octets of the kernel's receive buffer: datagrams that come at once."""

_FOREIGN: Final = "This is a mail gateway. It opens no other addresses."
_BUSY: Final = "The gateway is busy. Nothing was done. Please try again."
_FAILED: Final = GatewayError.sentence
_TOO_LARGE: Final = "This page is too large for your phone: {size} octets of {limit}."


def bind(host: str, port: int) -> socket.socket:
    """Bind a UDP socket; raise ConfigError."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICHOST
        )[0]
        with contextlib.ExitStack() as undo:
            line = undo.enter_context(socket.socket(family, kind, proto))
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_OCTETS)
            line.setblocking(False)
            line.bind(address)
            undo.pop_all()
            return line
    except OSError as error:
        raise ConfigError(f"cannot listen at {host_port(host, port)} (UDP): {error.strerror}") from error


def free_ports(host: str, wanted: Iterable[tuple[int, int]]) -> tuple[str, int, int] | None:
    """Return an address with the first pair of UDP ports that is free there, 0 for any; None if there is none."""
    for ports in wanted:
        with contextlib.suppress(ConfigError), contextlib.ExitStack() as bound:
            found = [bound.enter_context(bind(host, port)).getsockname()[1] for port in ports]
            return host, found[0], found[1]
    return None


class _Line(asyncio.DatagramProtocol):
    """One socket."""

    def __init__(self, bearer: Bearer, local_port: int) -> None:
        self._bearer, self._local_port = bearer, local_port
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        self._bearer.received(data, Quadruplet(str(addr[0]).partition("%")[0], addr[1], self._local_port))


class Bearer:
    """Serves phones by UDP. `start` it, and `stop` it."""

    def __init__(self, app: WSGIApplication, config: Config) -> None:
        """Bind the sockets; raise ConfigError."""
        self._app = app
        self._hosts = wap_requests.own_hosts(config)
        self._strangers_without_session = config.wap_connectionless
        self._reach = Reachability(config.wap_trusted, secrets.token_bytes(32))
        self._endpoint = Endpoint(iter(lambda: secrets.randbelow(1 << 28), None))
        self._posts: OrderedDict[str, Request] = OrderedDict()
        self._working: dict[int, Request] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._lines: dict[int, _Line] = {}
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="wap")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="bearer", daemon=True)
        ports = {SESSION_PORT: config.wap_port, CONNECTIONLESS_PORT: config.wap_connectionless_port}
        self._sockets = {local: bind(config.wap_listen, port) for local, port in ports.items()}

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Serve no longer; requests that are worked on are left behind."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        for local, sock in self._sockets.items():
            line = self._lines[local] = _Line(self, local)
            self._loop.run_until_complete(
                self._loop.create_datagram_endpoint(lambda line=line: line, sock=sock)  # type: ignore[misc]
            )
        self._loop.run_forever()
        for line in self._lines.values():
            if line.transport is not None:
                line.transport.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    # --- datagrams and time ---

    def received(self, data: bytes, peer: Quadruplet) -> None:
        """Take a datagram."""
        now = self._loop.time()
        try:
            self._reach.received(peer.host, len(data), now)
            self._endpoint.receive_datagram(data, peer, now)
            self._go_on()
        except Exception:  # our bug, which one datagram can show; the others are served
            log.exception("a datagram was not understood")

    def _go_on(self) -> None:
        now = self._loop.time()
        while (event := self._endpoint.next_event()) is not None:
            if isinstance(event, Request):
                self._asked(event, now)
        for peer, data in self._endpoint.datagrams_to_send(now):
            line = self._lines[peer.local_port].transport
            if line is not None and self._reach.may_send(peer.host, len(data), now):
                line.sendto(data, (peer.host, peer.port))
        if self._timer is not None:
            self._timer.cancel()
        due = self._endpoint.get_timer()
        self._timer = None if due is None else self._loop.call_at(due, self._wake)

    def _wake(self) -> None:
        self._timer = None
        try:
            self._endpoint.handle_timer(self._loop.time())
        finally:
            self._go_on()

    # --- requests ---

    def _asked(self, request: Request, now: float) -> None:
        host = request.peer.host
        if request.session_id is None and not (
            self._strangers_without_session or self._reach.is_trusted(host)
        ):
            self._endpoint.ignore(request.id)
            return
        if request.tod:
            self._endpoint.stamp(request.id, ((request.tod, formatdate(time.time(), usegmt=True)),))
        try:
            name, path = wap_requests.target(request.url, self._hosts)
        except Elsewhere:
            self._answer(request, deck(_FOREIGN), now)
            return
        path, token = wap_requests.split_token(path)
        if token and self._reach.take_token(host, token, now):
            kept = self._posts.pop(token, None)
            if kept is not None:
                request = replace(request, method=kept.method, body=kept.body, content_type=kept.content_type)
        if not self._reach.is_known(host, now):
            self._answer(request, self._continue(request, path, now), now)
            return
        self._reach.keep(host, now)
        if len(self._working) >= WAITING:
            self._answer(request, deck(_BUSY), now)
            return
        self._working[request.id] = request
        work = self._pool.submit(self._served, request, name, path)
        work.add_done_callback(lambda done: self._loop.call_soon_threadsafe(self._done, request, done))

    def _served(self, request: Request, name: str, path: str) -> wsp.Reply:
        with log_context.request():
            return wap_requests.served(self._app, request, name, path)

    def _continue(self, request: Request, path: str, now: float) -> wsp.Reply:
        """Return the deck whose link shows that its reader is where it says; a form is kept until then."""
        token = self._reach.token(request.peer.host, now)
        if request.body and len(request.body) <= KEPT_OCTETS:
            self._posts[token] = request
            if len(self._posts) > KEPT_POSTS:
                self._posts.popitem(last=False)
        return deck(
            f'<a href="{escape(wap_requests.with_token(path, token)).replace("$", "$$")}">Continue</a>'
        )

    def _done(self, request: Request, done: Future[wsp.Reply]) -> None:
        self._working.pop(request.id, None)
        try:
            reply = done.result()
        except Exception:
            log.exception("the application failed")
            reply = deck(_FAILED)
        self._answer(request, reply, self._loop.time())
        self._go_on()

    def _answer(self, request: Request, reply: wsp.Reply, now: float) -> None:
        """Answer with what fits: the reply, a deck that says that it is too large, or its status alone."""
        try:
            self._endpoint.reply(request.id, reply, now)
        except TooLarge as error:
            self._answer_too_large(request, error, now)

    def _answer_too_large(self, request: Request, error: TooLarge, now: float) -> None:
        said = deck(_TOO_LARGE.format(size=error.size, limit=error.limit))
        try:
            self._endpoint.reply(request.id, said, now)
        except TooLarge:
            self._endpoint.reply(request.id, wsp.Reply(413), now)
