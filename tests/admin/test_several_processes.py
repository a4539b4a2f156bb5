"""What several processes of one gateway do together: each follows a configuration that one of them was given."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.admin.gateway_process import FEW_WORKERS, GatewayProcess
from gateway.config import load
from gateway.errors import StoreUnreachable, UnknownDomain
from gateway.server import datagrams
from gateway.store.pool import PER_ACCOUNT
from gateway.wap import wsp
from tests import PATIENCE
from tests.admin.conftest import FILE
from tests.server.test_workers import until
from tests.server.wap_phone import Phone, deck
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
    for count in (1, FEW_WORKERS, FEW_WORKERS + 1):
        process = GatewayProcess(load(file), file, workers=count)
        assert process.pool._per_account == (PER_ACCOUNT if count <= FEW_WORKERS else 1)
        process.close()


class Serving(NamedTuple):
    """A running gateway of two workers, its file, and its ports."""

    process: subprocess.Popen[str]
    file: Path
    port: int
    panel: int

    @property
    def workers(self) -> list[int]:
        """The process ids of the workers; at first, the first one has the panel."""
        name = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return sorted(map(int, Path(name).read_text().split()))

    def both(self) -> list[int]:
        """Return the process ids of both workers as soon as both exist."""
        until(lambda: len(self.workers) == 2)
        return self.workers

    def sign_in(self, address: str, without: int) -> bytes:
        """Post the sign-in form while one of the workers is stopped, so that the other takes it."""
        form = f"user={address}&password=secret"
        head = f"POST /m HTTP/1.1\r\nHost: x\r\nUser-Agent: Lynx/2.9\r\nContent-Length: {len(form)}\r\n"
        kind = "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n"
        os.kill(without, signal.SIGSTOP)
        try:
            return say(self.port, (head + kind + form).encode())
        finally:
            os.kill(without, signal.SIGCONT)

    def metrics(self) -> str:
        return say(self.panel, get("/metrics")).decode()


@contextmanager
def serving(folder: Path, workers: int = 2, more: str = "") -> Iterator[Serving]:
    """Yield a gateway that has just said that it listens; `more`: tables of its file."""
    port, panel = free_ports(2)
    file = folder / "pocketpost.toml"
    file.write_text(f'{FILE.replace("8080", str(port))}[admin]\nlisten = "127.0.0.1:{panel}"\n{more}')
    command = [sys.executable, "-m", "gateway"]
    setting = [*command, "admin", "password", "--config", str(file)]
    subprocess.run(setting, input=PASSWORD + "\n", text=True, check=True, capture_output=True)
    process = subprocess.Popen(
        [*command, "serve", "--workers", str(workers), "--config", str(file)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        assert any("listening at" in line for line in process.stdout)
        yield Serving(process, file, port, panel)
    finally:
        process.kill()
        process.communicate()


def test_the_panel_refuses_nobody_from_the_start_on_nor_while_its_worker_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path) as gateway:
        assert say(gateway.panel, get("/", "1.0")).startswith(b"HTTP/1.")
        first = gateway.workers[0]
        os.kill(first, signal.SIGKILL)
        until(lambda: first not in gateway.workers)
        assert say(gateway.panel, get("/", "1.0")).startswith(b"HTTP/1.")
        gateway.process.send_signal(signal.SIGTERM)
        gateway.process.communicate(timeout=PATIENCE)
        assert gateway.process.returncode == 0


def test_the_panel_knows_what_another_worker_has_seen_of_the_mail_servers(tmp_path: Path) -> None:
    with serving(tmp_path) as gateway:
        first, second = gateway.both()
        assert b'"unknown": 1' in say(gateway.panel, get("/health/ready"))
        gateway.sign_in("anna@example.org", without=first)
        until(lambda: say(gateway.panel, get("/health/ready")).startswith(b"HTTP/1.1 503"))
        assert 'pocketpost_upstream_up{server="imap://127.0.0.1:1"} 0.0' in gateway.metrics()
        os.kill(second, signal.SIGKILL)
        until(lambda: second not in gateway.workers)
        assert say(gateway.panel, get("/health/ready")).startswith(b"HTTP/1.1 503")


def test_a_worker_that_replaces_another_serves_by_the_file_as_it_is_now(tmp_path: Path) -> None:
    with serving(tmp_path) as gateway:
        first, second = gateway.both()
        gateway.file.write_text(gateway.file.read_text().replace("example.org", "example.com"))
        os.kill(second, signal.SIGKILL)
        until(lambda: second not in gateway.both())
        answer = gateway.sign_in("anna@example.com", without=first)
        assert UnknownDomain.sentence.encode() not in answer
        assert StoreUnreachable.sentence.encode() in answer


@pytest.mark.parametrize("workers", [1, 2])
def test_wap_phones_have_a_process_that_is_replaced_and_ends_with_the_others(
    tmp_path: Path, workers: int
) -> None:
    found = datagrams.free_ports("127.0.0.1", ((0, 0),))
    assert found is not None
    _, port, connectionless = found
    table = f'[wap]\nlisten = "127.0.0.1"\nport = {port}\nconnectionless_port = {connectionless}\n'
    with serving(tmp_path, workers, table) as gateway, closing(Phone(port)) as phone:
        assert "Pocketpost" in deck(phone.get("/w"))
        before = set(gateway.workers)
        assert len(before) == workers + 1
        os.kill(max(before), signal.SIGKILL)
        until(lambda: max(before) not in set(gateway.workers))
        # It is asked while nobody is there: the datagram waits. The session is lost, and the phone is told.
        phone.begin(wsp.Method("GET", "/w"))
        answer = phone.answered()
        assert (answer.pdu, answer.abort) == (None, wsp.AbortReason.DISCONNECT)
        with closing(Phone(port)) as again:
            assert "Pocketpost" in deck(again.get("/w"))
        after = set(gateway.workers)
        assert len(after) == workers + 1
        assert len(before & after) == workers, "another process was replaced than that of the phones"
        gateway.process.send_signal(signal.SIGTERM)
        said, _ = gateway.process.communicate(timeout=PATIENCE)
        assert gateway.process.returncode == 0
    assert said.count("the process for WAP phones has ended and is replaced") == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", port))
