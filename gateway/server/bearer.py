"""The bearer of WAP: UDP sockets, an event loop, and a bounded pool of threads that asks the app.

Nothing here may know WTP or WSP, which `gateway.wap.endpoint` does, or a route. `reachability` decides for every
datagram whether it may be sent; an address that is not known yet gets a small deck whose link makes it known.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway import computing
from gateway.access import log_context
from gateway.config import Config
from gateway.server import request_log, wap_notices, wap_requests
from gateway.server.datagrams import DatagramSockets, Ports
from gateway.server.listeners import GRACE, signalled
from gateway.server.reachability import Reachability, new_token
from gateway.server.wap_notices import notice
from gateway.server.wap_requests import Elsewhere, Failed
from gateway.wap import wsp
from gateway.wap.datagram_queue import DatagramQueue
from gateway.wap.endpoint import Endpoint
from gateway.wap.quadruplet import Quadruplet
from gateway.wap.request_queue import Asked, RequestQueue
from gateway.wap.requests import Cancelled, TooLarge, WapRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

THREADS: Final = 16
"""Requests that the application processes at a time, at most half of them from one host."""
WAITING: Final = 64
"""Requests that wait for that; further ones are answered with a deck that says so."""
KEPT_POSTS: Final = 100
"""Forms from addresses that are not known yet, kept until they are; WTP limits their octets."""
TURNS: Final = 16
"""Datagrams that are handled before the sockets are read again."""
REST: Final = 0.002
"""Seconds until those who have had too many turns get another."""
MISSED: Final = 1.0
"""Seconds until a timer that failed is called again, so that a bug of ours does not take all the time."""


class Bearer:
    """Serves phones by UDP: `run` it in a process of its own, or `beside` something else in a shared one."""

    def __init__(
        self,
        app: WSGIApplication,
        config: Callable[[], Config],
        ports: Ports,
        refused: Callable[[str], object] = lambda why: None,
    ) -> None:
        """`ports`: from `bind_all`; `config` returns the current one; `refused` is told why a datagram was not sent."""
        self._app, self._current, self._ports = app, config, ports
        self._config = config()
        self._hosts = wap_requests.own_hosts(self._config)
        self._reach = Reachability(self._config.wap_trusted, secrets.token_bytes(32), refused)
        self._endpoint = Endpoint(iter(lambda: secrets.randbelow(1 << 28), None))
        self._queue = DatagramQueue()
        self._posts: OrderedDict[str, WapRequest] = OrderedDict()
        self._requests = RequestQueue(THREADS, WAITING)
        self._idle = asyncio.Event()
        self._ending = False
        self._timer: asyncio.TimerHandle | None = None
        self._not_before = 0.0
        self._turn: asyncio.Handle | None = None
        self._lines: DatagramSockets
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="wap")
        self._loop: asyncio.AbstractEventLoop

    def held(self) -> Counter[str]:
        """Return how many sessions and transactions there are."""
        return Counter(wap_sessions=self._endpoint.sessions, wap_transactions=self._endpoint.transactions)

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, and finish the requests in progress within GRACE; hanging ones are left behind."""
        self._loop = asyncio.get_running_loop()
        self._lines = DatagramSockets(self._ports, self.received)
        try:
            await stop.wait()
            self._ending = True
            if self._requests:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._idle.wait(), GRACE)
        finally:
            for handle in (self._timer, self._turn):
                if handle is not None:
                    handle.cancel()
            self._lines.close()
            self._pool.shutdown(wait=False, cancel_futures=True)

    # --- datagrams and time ---

    def received(self, data: bytes, peer: Quadruplet) -> None:
        """Take a datagram, which then waits for its turn."""
        now = self._loop.time()
        self._reach.received(peer.host, len(data), now)
        self._queue.put(data, peer, known=self._reach.is_known(peer.host, now))
        if self._turn is None or (self._queue.has_first and isinstance(self._turn, asyncio.TimerHandle)):
            self._go_on_with_turns(soon=True)

    def _go_on_with_turns(self, *, soon: bool) -> None:
        if self._turn is not None:
            self._turn.cancel()
        later = partial(self._loop.call_later, REST)
        self._turn = (self._loop.call_soon if soon else later)(self._take_turns)

    def _take_turns(self) -> None:
        """Handle some of what is waiting; the sockets are read between two calls."""
        self._turn = None
        now = self._loop.time()
        taken = 0
        while taken < TURNS and (item := self._queue.take(now)) is not None:
            taken += 1
            try:
                self._endpoint.receive_datagram(*item, now)
            except Exception:  # our bug, which one datagram can show; the others are served
                log.exception("a datagram was not understood")
        if self._queue:
            self._go_on_with_turns(soon=taken == TURNS)
        self._go_on()

    def _go_on(self) -> None:
        now = self._loop.time()
        while (event := self._endpoint.next_event()) is not None:
            if isinstance(event, WapRequest):
                try:
                    self._asked(event, now)
                except Exception:  # our bug; the phone is waiting all the same
                    log.exception("a request could not be asked")
                    self._say(event, notice(event, wap_notices.FAILED), 500, now)
            elif isinstance(event, Cancelled):
                self._requests.drop(event.id)
        for peer, data in self._endpoint.datagrams_to_send(now):
            if self._reach.may_send(peer.host, len(data), now):
                self._lines.send(data, peer)
        due = self._endpoint.get_timer()
        if self._timer is not None and (due is None or due < self._timer.when()):
            self._timer.cancel()
            self._timer = None
        if self._timer is None and due is not None:  # one that runs too early does no harm
            self._timer = self._loop.call_at(max(due, self._not_before), self._wake)

    def _wake(self) -> None:
        self._timer = None
        now = self._loop.time()
        try:
            self._endpoint.handle_timer(now)
        except Exception:  # our bug: what is due stays due, perhaps forever
            log.exception("what was due was not done")
            self._not_before = now + MISSED
        self._go_on()

    # --- requests ---

    def _asked(self, request: WapRequest, now: float) -> None:
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
        asked = Asked(request, name, path)
        refused = asked if self._ending else self._requests.put(asked)
        if refused is not None:
            self._say(refused.request, notice(refused.request, wap_notices.BUSY), 503, now)
        self._work()

    def _work(self) -> None:
        """Have the application process the requests that may be processed."""
        while (asked := self._requests.take()) is not None:
            work = self._pool.submit(computing.in_turn, self._served, asked)
            work.add_done_callback(partial(self._worked, asked.request))
        if self._requests:
            self._idle.clear()
        else:
            self._idle.set()

    def _own_hosts(self) -> frozenset[str]:
        """Return the hosts whose URLs are ours in the current configuration."""
        config = self._current()
        if config is not self._config:
            self._config, self._hosts = config, wap_requests.own_hosts(config)
        return self._hosts

    def _served(self, wanted: Asked) -> wsp.Reply:
        """Return the application's answer; raise TooLarge or Failed. For a thread."""
        began = time.monotonic()
        request, name, path = wanted
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

    def _continue(self, request: WapRequest, path: str, now: float) -> wsp.Reply:
        """Return the deck whose link proves that its reader is at the address it claims; a form is kept until then.

        Each form has a token of its own: otherwise whoever forges an address could make its owner post another form.
        """
        token = self._reach.token(request.peer.host, now)
        if request.method in ("POST", "PUT"):
            token = new_token()
            self._posts[token] = request
            if len(self._posts) > KEPT_POSTS:
                self._posts.popitem(last=False)
        return wap_notices.question(request, wap_requests.with_token(path, token))

    def _worked(self, request: WapRequest, done: Future[wsp.Reply]) -> None:
        """Hand an answer over to the loop, unless the loop has ended in the meantime."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._done, request, done)

    def _done(self, request: WapRequest, done: Future[wsp.Reply]) -> None:
        now = self._loop.time()
        try:
            self._endpoint.reply(request.id, done.result(), now)
        except TooLarge as error:
            log.warning("an answer of %d octets does not fit the %d of a phone", error.size, error.limit)
            self._say(request, notice(request, wap_notices.TOO_LARGE), 413, now)
        except Failed as error:
            self._say(request, notice(request, wap_notices.FAILED, error.code), 500, now)
        except CancelledError:
            pass  # as are all that wait when the process ends
        except Exception:  # our bug, or a header that WSP cannot express; the phone is waiting all the same
            log.exception("a request could not be answered")
            self._say(request, notice(request, wap_notices.FAILED), 500, now)
        self._go_on()
        self._requests.done(request.id)
        self._work()

    def _say(self, request: WapRequest, deck: wsp.Reply, status: int, now: float) -> None:
        """Answer with a deck of our own or, if not even that fits, with only a status."""
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
