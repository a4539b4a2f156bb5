"""The gateway under measurement: in this process, where its IMAP traffic can be seen, and served by a child.

Nothing here may measure. Both fetch a page by `fetch(request)`, and their `pids` are the processes whose CPU time
counts.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, event
from werkzeug.test import EnvironBuilder

from bench import clocks
from gateway.access.sessions import Sessions
from gateway.app import create_app
from gateway.config import Config, Server, Tls, Upstream
from gateway.server.wsgi import ask
from gateway.state import State
from gateway.store.imap.connection.signing_in import sign_in
from gateway.store.imap.exchange import Exchange
from gateway.store.imap.imap_store import ImapStore
from gateway.store.imap.opening import open_exchange
from gateway.store.imap.response import CommandResponse
from gateway.store.pool import Pool
from tests.devices.phones import Transport, in_process, over_http
from tests.servers import free_ports
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

START_SECONDS = 60.0
#: What `PRAGMA synchronous` returns if a commit reaches the disk (sqlite.org/pragma.html).
FULL = 2


@dataclass(frozen=True, slots=True)
class Request:
    """A page as a handheld requests it; with a body, a form that it posts."""

    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"


class Recorder(Exchange):
    """A conversation that remembers what was sent, for the floor."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.trips: list[tuple[bytes, ...]] = []

    def _run(self, commands: Sequence[bytes]) -> list[CommandResponse]:
        self.trips.append(tuple(commands))
        return super()._run(commands)


class InProcess:
    """The WSGI application itself, called as the server calls it."""

    name = "in process"
    remote = False
    origin = "http://pp.example:8080"

    def __init__(self, server: Dovecot, smtp: SmtpServer, folder: Path) -> None:
        self.trips: list[tuple[bytes, ...]] = []
        self.synced = 0
        self._exchanges: list[Recorder] = []
        imap = Server("imap", server.host, server.ports["imap"], Tls.NONE)
        out = Server("smtp", smtp.host, smtp.port, Tls.STARTTLS, smtp.ca_file)
        config = Config((Upstream(("*",), imap, out),))
        self._state = State.open(folder / "in-process.sqlite")
        event.listen(Engine, "commit", self._committed)
        self._pool = Pool()
        sessions = Sessions(config, self._state, b"k" * 32, self._pool, connect=self._connect)
        self._app = create_app(config, sessions=sessions)
        self._environs: dict[tuple[str, str], dict[str, Any]] = {}

    def _committed(self, connection: Connection) -> None:
        self.synced += connection.exec_driver_sql("PRAGMA synchronous").scalar() == FULL

    def _connect(self, server: Server, user: str, password: str) -> ImapStore:
        exchange, names, _ = open_exchange(server, Recorder)
        assert isinstance(exchange, Recorder)
        exchange.trips = self.trips
        self._exchanges.append(exchange)
        return ImapStore(exchange, sign_in(exchange, names, user, password))

    @property
    def pids(self) -> list[int]:
        return [os.getpid()]

    @property
    def transport(self) -> Transport:
        return in_process(self._app)

    def traffic(self) -> tuple[int, int, int]:
        """Sum what all connections have cost: round trips, octets out, octets in."""
        all_of_them = [exchange.traffic for exchange in self._exchanges]
        return (
            sum(each.round_trips for each in all_of_them),
            sum(each.octets_out for each in all_of_them),
            sum(each.octets_in for each in all_of_them),
        )

    def client(self) -> InProcessClient:
        """Return a client that fetches pages."""
        return InProcessClient(self)

    def fetch(self, request: Request) -> bytes:
        """Return a page."""
        key = (request.url, request.headers.get("Cookie", ""))
        environ = None if request.body else self._environs.get(key)
        if environ is None:
            parts = urlsplit(request.url)
            builder = EnvironBuilder(
                parts.path,
                self.origin,
                parts.query or None,
                method=request.method,
                headers=list(request.headers.items()),
                data=request.body,
            )
            environ = builder.get_environ()
            if not request.body:
                self._environs[key] = environ
        answer = ask(self._app, environ.copy())
        assert answer.status == 200, answer.status
        return answer.head

    def close(self) -> None:
        """End all connections."""
        event.remove(Engine, "commit", self._committed)
        self._pool.close()
        self._state.close()


class InProcessClient:
    """A client that calls the application."""

    def __init__(self, gateway: InProcess) -> None:
        self.fetch = gateway.fetch

    def close(self) -> None:
        """Leave everything as it is."""


class Client:
    """A kept-alive connection."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=30)

    def fetch(self, request: Request) -> bytes:
        """Return a page."""
        parts = urlsplit(request.url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._connection.request(request.method, path, request.body or None, dict(request.headers))
        response = self._connection.getresponse()
        found = response.read()
        assert response.status == 200, response.status
        return found

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class Served:
    """`pocketpost serve` as a child process."""

    name = "served"
    remote = True

    def __init__(
        self, server: Dovecot, smtp: SmtpServer, folder: Path, wap: tuple[int, int] | None = None
    ) -> None:
        """`wap`: UDP ports for phones, with sessions and without."""
        self.port = free_ports(1)[0]
        self.origin = f"http://127.0.0.1:{self.port}"
        file = folder / "pocketpost.toml"
        imap = f"imap://{server.host}:{server.ports['imap']}"
        file.write_text(
            f'[http]\nlisten = "127.0.0.1:{self.port}"\n[[upstream]]\ndomains = ["*"]\n'
            f'imap = "{imap}"\nsmtp = "smtp+starttls://{smtp.host}:{smtp.port}"\nca_file = "{smtp.ca_file}"\n'
            + (
                f'[wap]\nlisten = "127.0.0.1"\nport = {wap[0]}\nconnectionless_port = {wap[1]}\n'
                if wap
                else ""
            )
        )
        root = Path(__file__).resolve().parent.parent
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--config", str(file)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root)},
            stderr=subprocess.PIPE,
        )
        begun = time.monotonic()
        end = begun + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                over_http("GET", self.origin + "/m", {}, b"")
                self.start_seconds = time.monotonic() - begun
                return
            except OSError:
                time.sleep(0.05)
        self._process.kill()
        raise RuntimeError("the gateway did not start: " + self._process.communicate()[1].decode())

    @property
    def pids(self) -> list[int]:
        return clocks.family(self._process.pid)

    @property
    def transport(self) -> Transport:
        return over_http

    def client(self) -> Client:
        """Return a client that fetches pages."""
        return Client("127.0.0.1", self.port)

    def close(self) -> None:
        """End the child."""
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate()
