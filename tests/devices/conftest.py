"""For walks with real clients: the gateway as its own process, in front of the real servers, and a WAP gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.running import running_demo
from tests.devices.browsers.chromium import BINARY, Chromium
from tests.devices.journey import Journey
from tests.devices.wap import kannel as kannels
from tests.devices.wap.kannel import Kannel
from tests.servers.dovecot import Dovecot
from tests.servers.gateway import GatewayServer
from tests.servers.smtp import SmtpServer


@pytest.fixture(scope="module")
def served(
    dovecot: Dovecot, _smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayServer]:
    """A running gateway; a test may restart it."""
    server = GatewayServer(tmp_path_factory.mktemp("gateway"), dovecot, _smtp).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def kannel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kannel]:
    if kannels.missing():
        pytest.skip(f"NOT TESTED: {kannels.missing()} not installed (see tests/debian-packages.txt)")
    gateway = Kannel(tmp_path_factory.mktemp("kannel")).start()
    try:
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture
def journey(
    request: pytest.FixtureRequest, served: GatewayServer, dovecot: Dovecot, smtp_server: SmtpServer
) -> Journey:
    """Mail that belongs only to this test."""
    # One for each case, too: what is deleted under an open connection is not gone for that connection.
    name = re.sub(r"\W+|_", "-", request.node.name.removeprefix("test_"))[-40:].strip("-").lower()
    return Journey(dovecot, f"{name}@example.net", f"{name}.bob@example.net").prepare()


@pytest.fixture(scope="module")
def demo_said() -> Iterator[str]:
    """What a running demo prints about itself: its addresses, and its passwords."""
    with running_demo() as (_, said):
        yield said


@pytest.fixture
def opened_chromium(tmp_path: Path) -> Iterator[Chromium]:
    if not BINARY:
        pytest.skip("NOT TESTED: chromium is not installed (see tests/debian-packages.txt)")
    (folder := tmp_path / "profile").mkdir()
    made = Chromium(folder)
    try:
        yield made
    finally:
        made.close()
