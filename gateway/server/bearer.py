"""The bearer of WAP: two UDP sockets, an event loop, and a bounded pool of threads that asks the app.

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
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from gateway import computing
from gateway.access import log_context
from gateway.config import Config
from gateway.config.hosts import host_port
from gateway.errors import ConfigError
from gateway.server import request_log, wap_notices, wap_requests
from gateway.server.listeners import GRACE, signalled
from gateway.server.reachability import Reachability, new_token
from gateway.server.wap_notices import notice
from gateway.server.wap_requests import Elsewhere, Failed
from gateway.wap import wsp
from gateway.wap.datagram_queue import DatagramQueue
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
"""Forms of addresses that are not known yet, kept until they are; WTP bounds their octets."""
RECEIVED_OCTETS: Final = 1 << 20
"""Octets of the kernel's receive buffer: datagrams that come at once."""
_SO_RCVBUFFORCE: Final = 33  # Linux; Python has no name for it
LARGEST_DATAGRAM: Final = 65_535
AT_ONCE: Final = 256
"""Datagrams that are read from a socket at once."""
TURNS: Final = 16
"""Datagrams that are looked at, before the sockets are read again."""


def bind(host: str, port: int) -> socket.socket:
    """Bind a UDP socket; raise ConfigError."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICHOST
        )[0]
        with contextlib.ExitStack() as undo:
            line = undo.enter_context(socket.socket(family, kind, proto))
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_OCTETS)
            with contextlib.suppress(OSError):  # only root may have more than net.core.rmem_max
                line.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVED_OCTETS)
            line.setblocking(False)
            line.bind(address)
            undo.pop_all()
            return line
    except OSError as error:
        raise ConfigError(f"cannot listen at {host_port(host, port)} (UDP): {error.strerror}") from error


def bind_all(config: Config) -> dict[int, socket.socket]:
    """Bind the sockets of a configuration, if it has any, by the ports that they stand for; raise ConfigError."""
    if not config.wap_listen:
        return {}
    ports = {SESSION_PORT: config.wap_port, CONNECTIONLESS_PORT: config.wap_connectionless_port}
    return {local: bind(config.wap_listen, port) for local, port in ports.items()}


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
        """Take a datagram, and those behind it: in the kernel's buffer a flood would delay the phones' own."""
        self._received(data, addr)
        with contextlib.suppress(OSError):  # there are no more
            for _ in range(AT_ONCE):
                self._received(*self._bearer.sockets[self._local_port].recvfrom(LARGEST_DATAGRAM))

    def _received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        self._bearer.received(data, Quadruplet(str(addr[0]).partition("%")[0], addr[1], self._local_port))


class Bearer:
    """Serves phones by UDP: `run` it in a process of its own, or have it `beside` something else in one."""

    def __init__(
        self,
        app: WSGIApplication,
        config: Callable[[], Config],
        lines: Mapping[int, socket.socket],
        refused: Callable[[str], object] = lambda why: None,
    ) -> None:
        """`lines`: from `bind_all`; `config`: the present one; `refused` is told why a datagram was not sent."""
        self._app, self._current, self.sockets = app, config, lines
        self._config = config()
        self._hosts = wap_requests.own_hosts(self._config)
        self._reach = Reachability(self._config.wap_trusted, secrets.token_bytes(32), refused)
        self._endpoint = Endpoint(iter(lambda: secrets.randbelow(1 << 28), None))
        self._queue = DatagramQueue()
        self._posts: OrderedDict[str, Request] = OrderedDict()
        self._working: set[int] = set()
        self._idle = asyncio.Event()
        self._ending = False
        self._timer: asyncio.TimerHandle | None = None
        self._lines: dict[int, _Line] = {}
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="wap")
        self._loop: asyncio.AbstractEventLoop

    def held(self) -> Counter[str]:
        """Return how many sessions and transactions there are."""
        return Counter(wap_sessions=self._endpoint.sessions, wap_transactions=self._endpoint.transactions)

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, and finish the requests at hand within GRACE; hanging ones are left behind."""
        self._loop = asyncio.get_running_loop()
        try:
            for local, sock in self.sockets.items():
                line = self._lines[local] = _Line(self, local)
                await self._loop.create_datagram_endpoint(lambda line=line: line, sock=sock)  # type: ignore[misc]
            await stop.wait()
            self._ending = True
            if self._working:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._idle.wait(), GRACE)
        finally:
            if self._timer is not None:
                self._timer.cancel()
            for line in self._lines.values():
                if line.transport is not None:
                    line.transport.close()
            await asyncio.sleep(0)  # in which they are closed
            self._pool.shutdown(wait=False, cancel_futures=True)

    # --- datagrams and time ---

    def received(self, data: bytes, peer: Quadruplet) -> None:
        """Take a datagram, which waits for its turn."""
        now = self._loop.time()
        self._reach.received(peer.host, len(data), now)
        if not self._queue:
            self._loop.call_soon(self._take_turns)
        self._queue.put(data, peer, known=self._reach.is_known(peer.host, now))

    def _take_turns(self) -> None:
        """Take some of what waits; between two turns the sockets are emptied."""
        for _ in range(min(TURNS, len(self._queue))):
            data, peer = self._queue.take()
            try:
                self._endpoint.receive_datagram(data, peer, self._loop.time())
            except Exception:  # our bug, which one datagram can show; the others are served
                log.exception("a datagram was not understood")
        if self._queue:
            self._loop.call_soon(self._take_turns)
        self._go_on()

    def _go_on(self) -> None:
        now = self._loop.time()
        while (event := self._endpoint.next_event()) is not None:
            if isinstance(event, Request):
                self._asked(event, now)
        for peer, data in self._endpoint.datagrams_to_send(now):
            line = self._lines[peer.local_port].transport
            if line is not None and self._reach.may_send(peer.host, len(data), now):
                line.sendto(data, (peer.host, peer.port))
        due = self._endpoint.get_timer()
        if self._timer is not None and (due is None or due < self._timer.when()):
            self._timer.cancel()
            self._timer = None
        if self._timer is None and due is not None:  # one that runs too early does no harm
            self._timer = self._loop.call_at(due, self._wake)

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
            self._config.wap_connectionless or self._reach.is_trusted(host)
        ):
            self._endpoint.ignore(request.id)
            return
        if request.tod:
            self._endpoint.stamp(request.id, ((request.tod, formatdate(time.time(), usegmt=True)),))
        try:
            name, path = wap_requests.target(request.url, self._own_hosts())
        except Elsewhere:
            self._say(request, notice(request, wap_notices.FOREIGN), 403, now)
            return
        path, token = wap_requests.split_token(path)
        kept = self._posts.get(token)
        if kept is not None and kept.peer.host == host:
            del self._posts[token]
            self._reach.keep(host, now)
            request = replace(request, method=kept.method, body=kept.body, content_type=kept.content_type)
        elif token:
            self._reach.take_token(host, token, now)
        if not self._reach.is_known(host, now):
            self._say(request, self._continue(request, path, now), 403, now)
            return
        self._reach.keep(host, now)
        if self._ending or len(self._working) >= WAITING:
            self._say(request, notice(request, wap_notices.BUSY), 503, now)
            return
        self._working.add(request.id)
        self._idle.clear()
        work = self._pool.submit(computing.in_turn, self._served, request, name, path)
        work.add_done_callback(partial(self._worked, request))

    def _own_hosts(self) -> frozenset[str]:
        """Return the hosts whose URLs are ours, by the present configuration."""
        config = self._current()
        if config is not self._config:
            self._config, self._hosts = config, wap_requests.own_hosts(config)
        return self._hosts

    def _served(self, request: Request, name: str, path: str) -> wsp.Reply:
        """Return the application's answer; raise TooLarge or Failed. For a thread."""
        began = time.monotonic()
        asked = wap_requests.environ(request, name, path)
        url = f"http://{name}{path}" if name else path
        status = octets = 0
        with log_context.request() as entry:
            try:
                reply = wap_requests.served(self._app, asked, request, url)
                status, octets = reply.status, len(reply.body)
            except (TooLarge, Failed):
                raise
            except Exception as error:
                log.exception("the application failed")
                raise Failed(entry.id) from error
            finally:
                seconds = time.monotonic() - began
                said = "answered" if status else "broken off"
                request_log.tell(said, asked, status, octets, seconds, request.peer.host)
            return reply

    def _continue(self, request: Request, path: str, now: float) -> wsp.Reply:
        """Return the deck whose link shows that its reader is where it says; a form is kept until then.

        Each form has a token of its own: else whoever forges an address could have its owner post another form.
        """
        token = self._reach.token(request.peer.host, now)
        if request.method in ("POST", "PUT"):
            token = new_token()
            self._posts[token] = request
            if len(self._posts) > KEPT_POSTS:
                self._posts.popitem(last=False)
        return wap_notices.question(request, wap_requests.with_token(path, token))

    def _worked(self, request: Request, done: Future[wsp.Reply]) -> None:
        """Hand an answer over to the loop, unless that has ended meanwhile."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._done, request, done)

    def _done(self, request: Request, done: Future[wsp.Reply]) -> None:
        now = self._loop.time()
        try:
            self._endpoint.reply(request.id, done.result(), now)
        except TooLarge as error:
            log.warning("an answer of %d octets does not fit the %d of a phone", error.size, error.limit)
            self._say(request, notice(request, wap_notices.TOO_LARGE), 413, now)
        except Failed as error:
            self._say(request, notice(request, wap_notices.FAILED, error.code), 500, now)
        except CancelledError:
            pass  # as all that wait when the process ends
        except Exception:  # our bug, or a header that WSP cannot say; the phone waits all the same
            log.exception("a request could not be answered")
            self._say(request, notice(request, wap_notices.FAILED), 500, now)
        self._go_on()
        self._working.discard(request.id)
        if not self._working:
            self._idle.set()

    def _say(self, request: Request, deck: wsp.Reply, status: int, now: float) -> None:
        """Answer with a deck of our own, or, where not even that fits, with a status alone."""
        try:
            self._endpoint.reply(request.id, deck, now)
        except TooLarge:
            self._endpoint.reply(request.id, wsp.Reply(status), now)


def run(bearer: Bearer, reload: Callable[[], object]) -> None:
    """Serve until SIGINT or SIGTERM, in a process of its own; `reload` as in `listeners.run`."""

    async def serve() -> None:
        with signalled(lambda: None, reload) as stop:
            await bearer.serve(stop)

    asyncio.run(serve())


@contextlib.contextmanager
def beside(bearer: Bearer) -> Iterator[None]:
    """Serve during the block, in a thread."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(bearer.serve(stop)), name="bearer", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
