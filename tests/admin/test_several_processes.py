"""What several processes of one gateway do together: each follows a configuration that one of them was given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.admin.gateway_process import FEW_WORKERS, GatewayProcess
from gateway.config import load
from gateway.store.pool import PER_ACCOUNT
from tests.admin.conftest import FILE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "pocketpost.toml"
    made.write_text(FILE)
    return made


@pytest.fixture
def processes(file: Path) -> Iterator[tuple[GatewayProcess, GatewayProcess]]:
    """Two processes; what the first one announces, the second one follows."""
    second = GatewayProcess(load(file), file, workers=2)
    first = GatewayProcess(load(file), file, workers=2, announce_reload=second.follow)
    yield first, second
    first.close()
    second.close()


def test_a_process_follows_the_file_that_another_has_read(
    file: Path, processes: tuple[GatewayProcess, GatewayProcess]
) -> None:
    first, second = processes
    file.write_text(FILE.replace("example.org", "example.com"))
    first.reload()
    assert second.config == first.config == load(file)
    app = second.app
    second.follow()
    assert second.app is app, "the same configuration made another application"


def test_a_file_that_became_unusable_changes_nothing(
    file: Path, processes: tuple[GatewayProcess, GatewayProcess], caplog: pytest.LogCaptureFixture
) -> None:
    _, second = processes
    before = second.config
    file.write_text("no configuration")
    second.follow()
    assert second.config == before
    assert "was not read again" in caplog.text


def test_many_workers_together_do_not_use_up_the_connections_of_an_account(file: Path) -> None:
    for workers in (1, FEW_WORKERS, FEW_WORKERS + 1):
        process = GatewayProcess(load(file), file, workers=workers)
        assert process.pool._per_account == (PER_ACCOUNT if workers <= FEW_WORKERS else 1)
        process.close()
