"""The gateway in front of the test servers, walked by both handhelds, with another mail program watching."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import rig
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
    config = rig.config(rig.upstream(dovecot, smtp_server))
    with rig.app(config, tmp_path / "state.sqlite", connect=upstreams.connect) as app:
        yield in_process(app)


@pytest.fixture(params=HANDHELDS)
def device(request: pytest.FixtureRequest, transport: Transport, side: Side) -> Any:
    return HANDHELDS[request.param](transport)
