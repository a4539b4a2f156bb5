"""A gateway on the demo's mailbox, for viewing its pages as a handheld gets them.

Nothing here may touch the state, the mail servers or the counts of the running gateway: this one has a folder of its
own, which is removed. It is started when somebody looks, and stopped when nobody has for a while. Browsers only get
pages (GET); its own walks (`demo_walks`) send forms, to the demo's servers, and the next walk begins in a fresh
mailbox.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from threading import Condition, Event, Thread
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from gateway.access.sessions import Sessions
from gateway.account.merging import merge
from gateway.addresses import SESSION_ROOT, session_root
from gateway.admin.handhelds.demo_walker import Past, Walker
from gateway.admin.handhelds.demo_walks import Walk
from gateway.app import create_app
from gateway.config import Config, load
from gateway.device import HTML, WML, WML_TEXT, Device, Override, identify
from gateway.sealed.vault import server_secret
from gateway.state import State
from gateway.store.pool import Pool

log = logging.getLogger(__name__)

#: Seconds without a request after which it is stopped.
IDLE_SECONDS: Final = 600.0
#: Seconds between two checks whether it is idle.
WATCH_SECONDS: Final = 5.0
#: Handhelds that are signed in at a time; the one viewed longest ago is dropped.
MOST: Final = 32
#: Seconds that the servers' thread has in order to end.
END_SECONDS: Final = 10.0

#: Listeners that nobody opens: the demo's configuration must name two.
_NO_LISTENERS: Final = ("127.0.0.1:1", "127.0.0.1:2")


class DemoMissing(Exception):
    """The demo's servers are not installed; the text is the name of what is missing."""


@dataclass(frozen=True, slots=True)
class ShownHandheld:
    """A handheld, by its User-Agent; also by markup and by row of the table, if these are set."""

    agent: str = ""
    markup: str | None = None
    profile: str | None = None

    def device(self, overrides: Sequence[Override]) -> Device:
        """Return what it can show."""
        accept = {"Accept": WML_TEXT if self.markup == WML else HTML} if self.markup else {}
        return identify({"User-Agent": self.agent, **accept}, self.markup, self.profile, overrides)


@dataclass(frozen=True, slots=True)
class DemoResponse:
    """One response of the demo's gateway.

    `address`: the requested path and query; `location`: the redirect's path and query, "" if there is none.
    """

    status: int
    content_type: str
    octets: bytes
    location: str = ""
    address: str = ""

    @property
    def mimetype(self) -> str:
        """The media type without parameters."""
        return self.content_type.partition(";")[0].strip()


@dataclass(slots=True)
class _Running:
    """A running gateway: everything in `stack` ends with it. `handhelds`: the overrides with which `app` was made."""

    stack: ExitStack
    config: Config
    sessions: Sessions
    handhelds: tuple[Mapping[str, Any], ...] = ()
    app: Flask | None = None


class DemoGateway:
    """The gateway, which runs while somebody looks at it; thread-safe. `handhelds`: the overrides as configured now."""

    def __init__(
        self,
        handhelds: Callable[[], tuple[Mapping[str, Any], ...]],
        idle_seconds: float = IDLE_SECONDS,
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        self._handhelds, self._idle, self._watch = handhelds, idle_seconds, watch_seconds
        self._lock = Condition()
        self._running: _Running | None = None
        self._used, self._users = 0.0, 0
        #: Whether a form has been sent since it was started.
        self._changed = False
        self._stop = Event()
        self._watcher: Thread | None = None
        #: The session of each handheld.
        self._tokens: OrderedDict[ShownHandheld, str] = OrderedDict()
        #: Handhelds by their names in addresses; these survive a stop, so that an old page opens again.
        self._shown: OrderedDict[str, ShownHandheld] = OrderedDict()
        #: Where walks ended, by handheld and name of the walk.
        self._ends: OrderedDict[tuple[ShownHandheld, str], DemoResponse] = OrderedDict()

    @property
    def is_running(self) -> bool:
        """Whether it is running."""
        return self._running is not None

    def overrides(self) -> tuple[Override, ...]:
        """Return the overrides that are now configured."""
        return tuple(map(Override.of, self._handhelds()))

    def name(self, shown: ShownHandheld) -> str:
        """Return the name of a handheld in addresses."""
        name = hashlib.sha256(repr(shown).encode()).hexdigest()[:12]
        with self._lock:
            self._shown[name] = shown
            self._shown.move_to_end(name)
            while len(self._shown) > MOST:
                self._shown.popitem(last=False)
        return name

    def shown(self, name: str) -> ShownHandheld | None:
        """Return the handheld with a name, None if it is not known."""
        with self._lock:
            return self._shown.get(name)

    def root(self, shown: ShownHandheld) -> str:
        """Return the path of a handheld's pages, after signing it in if necessary. Raise DemoMissing."""
        with self._in_use() as running, self._lock:
            return self._root(running, shown)

    def get(self, shown: ShownHandheld, path: str, query: str) -> DemoResponse:
        """Get a page of a handheld; `path`, as in PATH_INFO, gets a new session if its own ended. Raise DemoMissing."""
        with self._in_use() as running:
            with self._lock:
                app, root = self._app(running), self._root(running, shown)
            path = SESSION_ROOT.sub(root, path, count=1) if SESSION_ROOT.match(path) else path
            return self._answer(app, shown, path, query)

    def walk(self, shown: ShownHandheld, walk: Walk) -> DemoResponse:
        """Take a walk in a fresh mailbox; return where it ends. Raise DemoMissing, and Lost if there is no way."""
        with self._in_use(anew=True) as running:
            with self._lock:
                app, root = self._app(running), self._root(running, shown)

            def ask(address: str, fields: Mapping[str, str] | None) -> DemoResponse:
                self._changed = self._changed or fields is not None
                url = urlsplit(address)
                return self._answer(app, shown, url.path, url.query, fields)

            def arrange(past: Past) -> str:
                self._changed = True
                token = root.removeprefix(session_root(""))
                return past(running.sessions.resume(token, shown.agent))

            walker = Walker(root, ask, arrange)
            for step in walk.steps:
                step.take(walker)
            end = walker.page
            assert isinstance(end, DemoResponse)
            with self._lock:
                self._keep(running, shown, walk, end)
        return end

    def end_of(self, shown: ShownHandheld, walk: Walk) -> DemoResponse:
        """Return where a walk last ended; take it if necessary."""
        with self._lock:
            kept = self._ends.get((shown, walk.name))
        return kept or self.walk(shown, walk)

    def _keep(self, running: _Running, shown: ShownHandheld, walk: Walk, end: DemoResponse) -> None:
        """Keep where a walk ended, and the session in which it did: links continue from there."""
        self._ends[shown, walk.name] = end
        while len(self._ends) > MOST:
            self._ends.popitem(last=False)
        root = SESSION_ROOT.match(end.address)
        if root is not None and running.sessions.knows(root[1]):
            self._tokens[shown] = root[1]

    def close(self) -> None:
        """Stop it if it is running."""
        self._stop.set()
        watcher = self._watcher
        if watcher is not None:
            watcher.join(END_SECONDS)
        with self._lock:
            self._end()

    @contextmanager
    def _in_use(self, anew: bool = False) -> Iterator[_Running]:
        """Start it if necessary, and prevent it from being stopped. `anew`: alone, and with no form sent before."""
        with self._lock:
            if anew:
                self._lock.wait_for(lambda: not self._users)
                if self._changed:
                    self._end()
            running = self._started()
            self._users += 1
        try:
            yield running
        finally:
            with self._lock:
                self._users -= 1
                self._used = time.monotonic()
                self._lock.notify_all()

    def _answer(
        self,
        app: Flask,
        shown: ShownHandheld,
        path: str,
        query: str,
        fields: Mapping[str, str] | None = None,
    ) -> DemoResponse:
        device = shown.device(self.overrides())
        accept = WML_TEXT if device.markup == WML else f"{HTML}, image/png, image/jpeg, image/gif"
        headers = Headers({"User-Agent": shown.agent, "Accept": accept})
        builder = EnvironBuilder(
            "/",
            method="GET" if fields is None else "POST",
            data=fields,
            headers=headers,
            environ_base={"REMOTE_ADDR": "127.0.0.1"},
        )
        environ = builder.get_environ()
        environ["PATH_INFO"], environ["QUERY_STRING"] = path, query
        pieces, status, sent = run_wsgi_app(app, environ, buffered=True)
        location = sent.get("Location", "")
        if location:
            url = urlsplit(urljoin(f"http://{builder.host}{path}", location))
            location = url.path + (f"?{url.query}" if url.query else "")
        address = path + (f"?{query}" if query else "")
        return DemoResponse(
            int(status[:3]), sent.get("Content-Type", ""), b"".join(pieces), location, address
        )

    def _started(self) -> _Running:
        self._used = time.monotonic()
        if self._running is None:
            self._running = _start()
            self._changed = False
            self._tokens.clear()
            self._ends.clear()
            if self._watcher is None:
                self._watcher = Thread(target=self._end_when_idle, name="preview", daemon=True)
                self._watcher.start()
        return self._running

    def _root(self, running: _Running, shown: ShownHandheld) -> str:
        self._app(running)
        if not running.sessions.knows(self._tokens.get(shown, "")):  # it has signed out, or never signed in
            self._sign_in(running, shown)
        self._tokens.move_to_end(shown)
        return session_root(self._tokens[shown])

    def _app(self, running: _Running) -> Flask:
        """Return the application; with other overrides it is a new one, and handhelds are identified again."""
        handhelds = self._handhelds()
        if running.app is None or running.handhelds != handhelds:
            running.app = create_app(
                replace(running.config, handhelds=handhelds, outbound=False), sessions=running.sessions
            )
            running.handhelds = handhelds
            self._tokens.clear()
        return running.app

    def _sign_in(self, running: _Running, shown: ShownHandheld) -> None:
        from gateway.demo.sample import ALICE, PASSWORD

        device = shown.device(self.overrides())
        session = running.sessions.open(
            ALICE,
            PASSWORD,
            device=device.name,
            markup=device.markup,
            user_agent=shown.agent,
            language="en",
            via="url",
            remote="127.0.0.1",
        )
        self._tokens[shown] = session.token
        while len(self._tokens) > MOST:
            self._tokens.popitem(last=False)

    def _end_when_idle(self) -> None:
        while not self._stop.wait(self._watch):
            with self._lock:
                if not self._users and time.monotonic() - self._used >= self._idle:
                    self._end()
                    self._watcher = None
                    return

    def _end(self) -> None:
        running, self._running = self._running, None
        self._tokens.clear()
        if running is not None:
            running.stack.close()


def _start() -> _Running:
    try:
        from gateway.demo.main import running
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "gateway":
            raise
        raise DemoMissing(error.name) from error
    log.info("the preview's gateway starts")
    with ExitStack() as stack:
        config = load(stack.enter_context(running(*_NO_LISTENERS)))
        state = stack.enter_context(State.open(config.state))
        sessions = Sessions(config, state, server_secret(config.secret), Pool(), merge=merge)
        stack.callback(sessions.close)
        kept = stack.pop_all()
    return _Running(kept, config, sessions)
