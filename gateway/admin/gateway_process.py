"""The running gateway as the panel sees and changes it: its configuration, its application, its state.

Nothing here may know a screen. A new configuration makes a new application on the same state; requests that have begun
finish in the old one. What is fixed when the process starts (RESTART) waits for the next start.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from flask import Flask

from gateway.access.sessions import domain_mark
from gateway.account.merging import merge
from gateway.admin.monitoring.instrumentation import CountedSessions, Instrumentation, held_by
from gateway.app import client_address, close, create_app, is_signed_in
from gateway.config import Config, Server, Upstream, load
from gateway.config.option_values import ANY_DOMAIN
from gateway.errors import ConfigError, StateError
from gateway.sealed.vault import server_secret
from gateway.server import log_lines
from gateway.state import State
from gateway.state.watching.counts import CountKey
from gateway.store.pool import PER_ACCOUNT, Pool
from gateway.upstreams.bulkhead import Bulkhead
from gateway.upstreams.health import Health, HealthRecords

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

#: Fields of Config that are read once, when the process starts.
RESTART: Final = (
    "listen", "https_listen", "https_cert", "https_key", "threads", "upload_limit", "state", "secret",
    "admin_listen", "admin_cert", "admin_key", "wap_listen", "wap_port", "wap_connectionless_port", "wap_trusted",
    "wap_connectionless",
)  # fmt: skip
#: With more workers than this, an account has one connection in each: providers allow ten to fifteen.
FEW_WORKERS: Final = 4
#: Seconds for which the result of trying to write the state is reused.
WRITING_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Beginning:
    """When the gateway began, in seconds since the epoch, and the counts up to then.

    Workers share that of the process that started them, including those that replace others later.
    """

    at: float
    counts: Mapping[CountKey, float]

    @classmethod
    def now(cls, state: State) -> Beginning:
        """Begin now."""
        return cls(time.time(), state.counts.totals())


@dataclass(frozen=True, slots=True)
class _Served:
    """A configuration with the application made from it."""

    config: Config
    app: Flask
    pool: Pool


class GatewayProcess:
    """One process that serves handhelds: a WSGI application that can be given another configuration."""

    def __init__(
        self,
        config: Config,
        file: Path | None = None,
        state: State | None = None,
        workers: int = 1,
        announce_reload: Callable[[], object] = lambda: None,
        beginning: Beginning | None = None,
    ) -> None:
        """`file`: where the configuration was read from, None if there is no file.

        `workers`: how many processes serve it; `announce_reload` makes the others read the configuration again too.
        """
        self._workers, self._announce_reload = workers, announce_reload
        self.file = file
        self.state = state or State.open(config.state)
        self.beginning = beginning or Beginning.now(self.state)
        self._secret = server_secret(config.secret)
        self._changing, self._trying = Lock(), Lock()
        self._begun = config
        self._tried, self._problem = float("-inf"), ""
        self._closing: list[Callable[[], None]] = []
        self.instruments = Instrumentation(self.state, lambda: held_by(self.pool), self._secret)
        self._served = self._made(config)

    @property
    def config(self) -> Config:
        """The configuration that now serves requests."""
        return self._served.config

    @property
    def secret(self) -> bytes:
        """The server secret."""
        return self._secret

    @property
    def app(self) -> Flask:
        """The application that now serves requests."""
        return self._served.app

    @property
    def pool(self) -> Pool:
        """The connections to the mail servers from which mail is read."""
        return self._served.pool

    @property
    def waiting(self) -> tuple[str, ...]:
        """The fields of RESTART in which the configuration differs from the one that the process started with."""
        now, begun = self.config, self._begun
        return tuple(name for name in RESTART if getattr(now, name) != getattr(begun, name))

    @property
    def health(self) -> HealthRecords:
        """The health of the mail servers, as seen by this process; requests are noted here."""
        return self.instruments.health

    def healths(self) -> dict[Server, Health]:
        """Return the health of all mail servers, as seen by all processes; without the state, as seen by this one."""
        try:
            return self.instruments.healths(self.config.servers)
        except StateError:
            return {server: self.health.of(server) for server in self.config.servers}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.instruments.began(environ)
        return self.app(environ, start_response)

    def is_signed_in(self, environ: WSGIEnvironment) -> bool:
        """Return whether a request is from a signed-in person, judged by its header alone."""
        return is_signed_in(self.app, environ)

    def client_address(self, environ: WSGIEnvironment) -> str:
        """Return the client address of a request, judged by its header alone."""
        return client_address(self.config, environ)

    def reload(self) -> tuple[str, ...]:
        """Read the file again and serve with it; return the fields that wait for a restart. Raise ConfigError."""
        if self.file is None:
            return ()
        waiting = self._apply_file(load(self.file))
        self._announce_reload()
        return waiting

    def follow(self) -> None:
        """Serve with the file, which another process of this gateway has read again."""
        try:
            if self.file is not None and (config := load(self.file)) != self.config:
                self._apply_file(config)
        except ConfigError as error:
            log.error("the configuration was not read again: %s", error.detail)

    def _apply_file(self, config: Config) -> tuple[str, ...]:
        log_lines.configure(config)
        return self.apply(config)

    def apply(self, config: Config) -> tuple[str, ...]:
        """Serve with another configuration from now on; return the fields that wait for a restart."""
        with self._changing:
            before = self._served
            self._served = self._made(config)
            before.pool.close()
        return self.waiting

    def sessions_of(self, upstream: Upstream) -> tuple[int, int]:
        """Return how many sessions the domains of an upstream have, and how many accounts."""
        marks, others = self._marks(upstream)
        return self.state.sessions.count_of(marks, time.time(), others)

    def end_sessions_of(self, upstream: Upstream) -> int:
        """End all sessions of an upstream's domains; return how many there were."""
        marks, others = self._marks(upstream)
        return self.state.sessions.end_of(marks, others)

    def _marks(self, upstream: Upstream) -> tuple[set[str], bool]:
        """Return the marks of an upstream's domains, and False; for "*" those of all others, and True."""
        domains = {*upstream.domains}
        if others := ANY_DOMAIN in domains:
            domains = {name for each in self.config.upstreams if each != upstream for name in each.domains}
        return {domain_mark(self._secret, domain) for domain in domains}, others

    def unwritable(self) -> str:
        """Return why the state cannot be written, "" if it can; tried at most once in WRITING_SECONDS."""
        with self._trying:
            if time.monotonic() - self._tried >= WRITING_SECONDS:
                self._problem = ""
                try:
                    self.state.database.require_writable()
                except StateError as error:
                    self._problem = error.detail or error.sentence
                self._tried = time.monotonic()
            return self._problem

    def on_close(self, also: Callable[[], None]) -> None:
        """Close something else along with this process."""
        self._closing.append(also)

    def close(self) -> None:
        """Close the connections to mail servers, and the state."""
        for also in self._closing:
            also()
        self.instruments.close()
        close(self.app)

    def _made(self, config: Config) -> _Served:
        pool = Pool(
            connections_per_account=1 if self._workers > FEW_WORKERS else PER_ACCOUNT,
            living=lambda keys: self.state.sessions.living(keys, time.time()),
        )
        bulkhead = Bulkhead(config.threads, records=self.health)
        sessions = CountedSessions(config, self.state, self._secret, pool, merge=merge, bulkhead=bulkhead)
        app = create_app(config, sessions=sessions)
        self.instruments.watch(app)
        return _Served(config, app, pool)
