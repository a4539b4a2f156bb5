"""What several processes of one gateway do together: each follows a configuration that one of them was given."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.admin.gateway_process import FEW_WORKERS, GatewayProcess
from gateway.config import load
from gateway.store.pool import PER_ACCOUNT
from tests import PATIENCE
from tests.admin.conftest import FILE
from tests.server.test_workers import until
from tests.servers import free_ports
from tests.servers.toy import get, say

PASSWORD = "correct horse battery"


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


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Yield a gateway of two workers that has just said that it listens, and the port of its panel."""
    port, panel = free_ports(2)
    file = folder / "pocketpost.toml"
    file.write_text(f'{FILE.replace("8080", str(port))}[admin]\nlisten = "127.0.0.1:{panel}"\n')
    command = [sys.executable, "-m", "gateway"]
    setting = [*command, "admin", "password", "--config", str(file)]
    subprocess.run(setting, input=PASSWORD + "\n", text=True, check=True, capture_output=True)
    process = subprocess.Popen(
        [*command, "serve", "--workers", "2", "--config", str(file)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        assert any("listening at" in line for line in process.stdout)
        yield process, panel
    finally:
        process.kill()
        process.communicate()


def children(process: subprocess.Popen[str]) -> set[int]:
    return set(map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()))


def test_the_panel_refuses_nobody_from_the_start_on_nor_while_its_worker_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, panel):
        assert say(panel, get("/", "1.0")).startswith(b"HTTP/1.")
        first = min(children(process))
        os.kill(first, signal.SIGKILL)
        until(lambda: first not in children(process))
        assert say(panel, get("/", "1.0")).startswith(b"HTTP/1.")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
