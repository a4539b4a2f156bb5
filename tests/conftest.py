"""Real servers for the whole run: one Dovecot, one SMTP submission server in front of its mailboxes."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest

from tests.servers import dovecot as dovecots
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer


def pytest_configure(config: pytest.Config) -> None:
    # hypothesis keeps drawn bytes and integers in one table, where b"" meets 0: no comparison of ours (-bb).
    config.addinivalue_line(
        "filterwarnings", "ignore:Comparison between bytes and int:BytesWarning:hypothesis"
    )


# Machines are slow at times; what must be fast is held by RLIMIT_CPU where it matters.
hypothesis.settings.register_profile(
    "pocketpost", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("pocketpost")


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A running Dovecot; tests that need it are skipped by name where it is not installed."""
    if not dovecots.installed():
        pytest.skip("NOT TESTED: dovecot is not installed (see tests/debian-packages.txt)")
    server = Dovecot()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def _smtp(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmtpServer]:
    server = SmtpServer(tmp_path_factory.mktemp("smtp"), dovecot.deliver).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def smtp_server(_smtp: SmtpServer) -> SmtpServer:
    """An SMTP server that demands STARTTLS and AUTH, without faults at the beginning of each test."""
    _smtp.reset()
    return _smtp
