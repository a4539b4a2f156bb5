"""Workers on one port, started by a child process: they answer, are replaced, hear signals, end with their parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import PATIENCE
from tests.servers.toy import get, say

COUNT = 3
#: Reports which process answers, and how often its configuration was reread; /reload has all of them do that.
PROGRAM = """
import logging, os, sys, time
from gateway.server import workers
from gateway.server.listeners import Listener, Site, bind, run

logging.basicConfig(level=logging.ERROR, stream=sys.stdout, format="%(message)s")
workers.PAUSE = 0.05
where = Listener("127.0.0.1", 0)
line = bind(where)
line.listen(100)
read = []

def app(environ, start_response):
    if environ["PATH_INFO"] == "/reload":
        workers.announce_reload()
    time.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {len(read)}".encode()]

def work(number):
    run(Site(app, (where,), 2), bound={where: line}, reload=lambda: read.append(1))
    os.write(1, b"done\\n")  # at once, lest lines of several mix

print(line.getsockname()[1], flush=True)
workers.run(int(sys.argv[1]), work, line.close)
print("all done", flush=True)
"""


class Gateway:
    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port

    def ask(self, path: str = "/") -> tuple[int, int]:
        """Return which process answers, and how often it has reread its configuration."""
        pid, again = say(self.port, get(path, "1.0")).rpartition(b"\r\n\r\n")[2].split()
        return int(pid), int(again)

    def ask_all(self) -> list[tuple[int, int]]:
        """Ask many times at the same time, so that every worker gets something to do."""
        with ThreadPoolExecutor(2 * COUNT) as pool:
            return list(pool.map(lambda _: self.ask(), range(6 * COUNT)))

    def is_served_by_all(self) -> bool:
        """Return whether every process answers."""
        return {pid for pid, _ in self.ask_all()} == self.alive()

    def alive(self) -> set[int]:
        """Return the processes that exist."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return set(map(int, children.split()))


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running() as found:
        yield found


@contextmanager
def running() -> Iterator[Gateway]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(COUNT)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        found = Gateway(process, int(process.stdout.readline()))
        until(lambda: len(found.alive()) == COUNT)
        until(found.is_served_by_all)  # before that a worker ends silently
        yield found
    finally:
        process.kill()
        process.communicate()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def is_closed(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) != 0


def test_a_worker_that_dies_is_replaced_and_the_others_answer_meanwhile(gateway: Gateway) -> None:
    before = gateway.alive()
    gone = min(before)
    os.kill(gone, signal.SIGKILL)
    until(lambda: gone not in gateway.alive())
    assert gateway.ask()[0] != gone
    until(lambda: len(gateway.alive()) == COUNT)
    assert len(gateway.alive() & before) == COUNT - 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_end_when_they_are_told_and_nobody_holds_the_port(
    gateway: Gateway, number: signal.Signals
) -> None:
    gateway.process.send_signal(number)
    said, _ = gateway.process.communicate(timeout=PATIENCE)
    assert said.split("\n") == ["done"] * COUNT + ["all done", ""]
    assert gateway.process.returncode == 0
    assert is_closed(gateway.port)


def test_workers_do_not_outlive_their_parent(gateway: Gateway) -> None:
    gateway.process.kill()
    gateway.process.wait(PATIENCE)
    until(lambda: is_closed(gateway.port))


def test_what_one_worker_announces_all_of_them_do(gateway: Gateway) -> None:
    gateway.ask("/reload")
    found: dict[int, int] = {}

    def all_have_read() -> bool:
        found.update(gateway.ask_all())
        return set(found.values()) == {1} and found.keys() == gateway.alive()

    until(all_have_read)


def test_sighup_ends_nobody(gateway: Gateway) -> None:
    before = gateway.alive()
    gateway.process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    gateway.ask()
    assert gateway.alive() == before
