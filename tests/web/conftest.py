"""The gateway in front of the test servers, walked by both handhelds, with another mail program at its side."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.app import create_app
from gateway.config import Config, Server, Tls, Upstream
from gateway.session import Sessions
from gateway.state import State
from gateway.store.pool import Pool
from tests.devices.phones import Transport, in_process
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.acting import COUNT, HANDHELDS, ME, THEIRS, Side, Upstreams, mail


@pytest.fixture
def side(dovecot: Dovecot) -> Iterator[Side]:
    shutil.rmtree(dovecot.home(ME), ignore_errors=True)
    dovecot.user(ME)
    for number in range(1, COUNT + 1):
        dovecot.deliver(ME, mail(number))
    side = Side(dovecot)
    side.store(THEIRS, "\\Deleted")
    yield side
    side.client.logout()


@pytest.fixture
def upstreams() -> Upstreams:
    return Upstreams()


@pytest.fixture
def transport(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path, upstreams: Upstreams
) -> Iterator[Transport]:
    upstream = Upstream(
        domains=("example.net",),
        imap=Server("imap", dovecot.host, dovecot.ports["imap"], Tls.STARTTLS, dovecot.ca_file),
        smtp=Server("smtp", smtp_server.host, smtp_server.port, Tls.STARTTLS, smtp_server.ca_file),
    )
    config = Config(upstreams=(upstream,), timezone="Europe/Berlin")
    with State.open(tmp_path / "state.sqlite") as state, closing(Pool()) as pool:
        sessions = Sessions(config, state, b"k" * 32, pool, connect=upstreams.connect)
        yield in_process(create_app(config, sessions=sessions))


@pytest.fixture(params=HANDHELDS)
def device(request: pytest.FixtureRequest, transport: Transport, side: Side) -> Any:
    return HANDHELDS[request.param](transport)
