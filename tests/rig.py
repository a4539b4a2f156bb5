"""The gateway's parts joined in front of test servers, as in an administrator's file: written once for all tests.

Nothing here may start a server. A test hands in whatever is special to it (another clock, a store that refuses).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest
from flask import Flask

from gateway.access.sessions import Sessions
from gateway.app import create_app
from gateway.config import Config, Server, Tls, Upstream
from gateway.state import State
from gateway.store.pool import Pool
from tests.servers import free_ports
from tests.servers.dovecot import Dovecot, has_pop3
from tests.servers.smtp import SmtpServer

SECRET = b"k" * 32
DOMAIN = "example.net"


class Listening(Protocol):
    """A test server that speaks one protocol, without TLS."""

    host: str
    port: int


class Protected(Protocol):
    """A mail store that speaks STARTTLS on `ports["imap"]`, and TLS on `ports["imaps"]` if it has that."""

    host: str
    ports: dict[str, int]
    ca_file: Path


def plain(server: Listening, protocol: str = "imap") -> Server:
    """Reach a server without TLS."""
    return Server(protocol, server.host, server.port, Tls.NONE)


def nowhere(protocol: str = "imap") -> Server:
    """Reach a port of this machine where nobody listens."""
    return Server(protocol, "127.0.0.1", free_ports(1)[0], Tls.NONE)


def imap(store: Protected, tls: Tls = Tls.STARTTLS) -> Server:
    """Reach a Dovecot or another mail store, and trust its certificate."""
    port = store.ports["imaps" if tls is Tls.IMPLICIT else "imap"]
    return Server("imap", store.host, port, tls, store.ca_file)


def pop3(store: Protected, tls: Tls = Tls.STARTTLS) -> Server:
    """Reach a Dovecot or another mail store by POP3, and trust its certificate; skip if it has no POP3."""
    if isinstance(store, Dovecot) and not has_pop3():
        pytest.skip("NOT TESTED: dovecot-pop3d is not installed (see tests/debian-packages.txt)")
    port = store.ports["pop3s" if tls is Tls.IMPLICIT else "pop3"]
    return Server("pop3", store.host, port, tls, store.ca_file)


def smtp(server: SmtpServer | None) -> Server:
    """Reach a submission server, and trust its certificate; None: a port where nobody listens."""
    if server is None:
        return Server("smtp", "127.0.0.1", 1, Tls.STARTTLS)
    return Server("smtp", server.host, server.port, Tls.STARTTLS, server.ca_file)


def upstream(store: Dovecot | Server, submission: SmtpServer | Server | None = None, **more: Any) -> Upstream:
    """Serve one domain by these two servers."""
    return Upstream(
        (DOMAIN,),
        store if isinstance(store, Server) else imap(store),
        submission if isinstance(submission, Server) else smtp(submission),
        **{"sent_copy": "append"} | more,
    )


def config(*upstreams: Upstream, **more: Any) -> Config:
    """Serve these upstreams, with the time of Berlin."""
    return Config(upstreams=upstreams, **{"timezone": "Europe/Berlin"} | more)


def state(path: Path) -> State:
    """Open a database; a new one is a copy, which saves all the steps of making it."""
    if not path.exists():
        path.write_bytes(_new_database())
        path.chmod(0o600)
    return State.open(path)


@cache
def _new_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.sqlite"
        State.open(path).close()
        return path.read_bytes()


@contextmanager
def sessions(served: Config, path: Path, secret: bytes = SECRET, **more: Any) -> Iterator[Sessions]:
    """Hold the sessions of a gateway with its database at `path`; `more` as for `Sessions`."""
    with state(path) as opened, closing(Pool()) as pool:
        yield Sessions(served, opened, secret, pool, **more)


@contextmanager
def app(served: Config, path: Path, **more: Any) -> Iterator[Flask]:
    """Join the parts as `serve` does, without a server."""
    with sessions(served, path, **more) as made:
        yield create_app(served, sessions=made)


@contextmanager
def gateway(folder: Path, dovecot: Dovecot, submission: SmtpServer, **options: Any) -> Iterator[Flask]:
    """Join the parts in front of the two servers of the run, with options of an administrator's file."""
    with app(config(upstream(dovecot, submission), **options), folder / "state.sqlite") as made:
        yield made
