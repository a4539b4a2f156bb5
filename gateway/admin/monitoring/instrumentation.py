"""What is counted in the running gateway, and where: the one place attached to requests, sign-ins and servers.

Nothing below may know that it is counted, and nothing here may know who reads the counts (the panel, or a program for
metrics). A request costs a few dictionary entries; a thread writes them to the state, in batches.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, g, request

from gateway import confined
from gateway.access.session import Session
from gateway.access.sessions import Sessions
from gateway.admin.monitoring.shared_health import SharedHealth
from gateway.config import Server
from gateway.device import HTML, WML_COMPILED, WML_TEXT, XHTML_WAP, XHTML_XML
from gateway.device.agents import cleaned
from gateway.errors import (
    AccountLocked,
    AuthenticationFailed,
    GatewayError,
    StoreError,
    TooManyTries,
    UnknownDomain,
)
from gateway.state import Counted, State, optional
from gateway.store.pool import Pool
from gateway.upstreams.health import Contact, Health, HealthRecords
from gateway.web.request.visit import Visit

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)

#: Seconds between two writes, if there is anything to write; what other processes have counted is never older.
FLUSH_SECONDS: Final = 15.0
#: Seconds between two writes because a mail server came up or went down, however often they do.
TURN_SECONDS: Final = 1.0
#: Key of the time at which a request began, on the performance counter, in its WSGI environ.
_BEGAN: Final = "pocketpost.began"
_PAGES: Final = frozenset({WML_TEXT, WML_COMPILED, XHTML_WAP, XHTML_XML, HTML})
#: The outcome of a failed sign-in, by the type of its error; the first that matches.
_FAILED: Final[tuple[tuple[type[GatewayError], str], ...]] = (
    (AuthenticationFailed, "refused"),
    (TooManyTries, "slowed down"),
    (UnknownDomain, "unknown domain"),
    (AccountLocked, "locked"),
    (StoreError, "server failed"),
)


class Instrumentation:
    """What one process counts and sees. `held`: returns what it holds now, by name."""

    def __init__(self, state: State, held: Callable[[], Counter[str]], secret: bytes) -> None:
        self._state, self._held = state, held
        self._process = secrets.token_hex(8)
        self._stop, self._due = Event(), Event()
        self._held_before = False
        self.health = HealthRecords(self._contact, turned=self._due.set)
        self._shared_health = SharedHealth(self.health, state, secret)
        self._thread = Thread(target=self._run, name="counts", daemon=True)
        self._thread.start()

    def began(self, environ: WSGIEnvironment) -> None:
        """Note that a request begins."""
        environ[_BEGAN] = time.perf_counter()

    def watch(self, app: Flask) -> None:
        """Count the requests of an application."""
        app.after_request(self._answered)

    def hold(self, more: Callable[[], Counter[str]]) -> None:
        """Also report something else that this process holds."""
        before = self._held
        self._held = lambda: before() + more()

    def held(self) -> Counter[str]:
        """Return what all processes hold now."""
        return self._held() + self._state.gauges.of_others(self._process, time.time())

    def healths(self, servers: Iterable[Server]) -> dict[Server, Health]:
        """Return the health of mail servers, as seen by all processes."""
        return self._shared_health.hear(servers, time.time())

    def flush(self) -> None:
        """Write what is new."""
        now, held = time.time(), self._held()
        with optional("what was counted"):
            self._state.counts.flush(now)
            self._state.handhelds.flush()
            self._shared_health.tell(now)
            if held.total() or self._held_before:
                self._state.gauges.report(self._process, held, now)
                self._held_before = held.total() > 0

    def close(self) -> None:
        """Stop, and write what is left."""
        self._stop.set()
        self._due.set()
        self._thread.join()
        self.flush()

    def _run(self) -> None:
        while not self._stop.wait(TURN_SECONDS):
            self._due.wait(FLUSH_SECONDS - TURN_SECONDS)
            self._due.clear()
            try:
                self.flush()
            except Exception:
                log.exception("what was counted could not be written")

    def _answered(self, response: Response) -> Response:
        visit: Visit | None = g.get("visit")
        if visit is None:
            return response
        device, endpoint, counts = visit.known, request.endpoint or "none", self._state.counts
        began = request.environ.get(_BEGAN)
        if began is not None:
            counts.time(Counted.REQUEST_TIMES, time.perf_counter() - began, endpoint, device.markup)
        if response.mimetype in _PAGES and endpoint != "none":
            counts.add(Counted.PAGES, device.name, device.markup)
            agent, signed_in = cleaned(request.environ.get("HTTP_USER_AGENT", "")), visit.session is not None
            self._state.handhelds.note(
                agent, device.markup, device.name, device.deck_limit, signed_in, time.time()
            )
        return response

    def _contact(self, server: Server, contact: Contact) -> None:
        counts = self._state.counts
        counts.time(Counted.UPSTREAM_TIMES, contact.seconds, server.url)
        if contact.opening is not None:
            counts.time(Counted.CONNECT_TIMES, contact.opening, server.url)
        if isinstance(contact.error, GatewayError):
            counts.add(Counted.UPSTREAM_ERRORS, server.url, type(contact.error).__name__)


class CountedSessions(Sessions):
    """Sessions whose sign-ins are counted."""

    def open(self, address: str, password: str, **values: Any) -> Session:
        """Sign in; see `Sessions.open`."""
        outcome = "failed here"
        try:
            session = super().open(address, password, **values)
            outcome = "signed in"
        except GatewayError as error:
            outcome = next((name for kind, name in _FAILED if isinstance(error, kind)), outcome)
            raise
        finally:
            self._state.counts.add(Counted.SIGN_INS, outcome)
        return session


def held_by(pool: Pool) -> Counter[str]:
    """Return what a process holds: connections to mail servers, and busy confined workers."""
    return Counter(connections=pool.open_connections, workers=confined.running())
