"""Threads compute one at a time and wait together; nobody waits for the turn while holding a lock that others need."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway import computing
from gateway.store.pool import Pool
from tests import PATIENCE

THREADS = 4


class Most:
    """Counts the most threads that are inside at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = self.most = 0

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let nobody continue without a turn: threads that wait for each other do so until the test fails."""
    monkeypatch.setattr(computing, "LONGEST", 10 * PATIENCE)
    yield
    assert not computing.is_mine()


def together(step: object) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(computing.in_turn, step) for _ in range(THREADS)]:  # type: ignore[arg-type]
            done.result(PATIENCE)


@pytest.mark.usefixtures("patient")
def test_threads_compute_one_at_a_time_and_wait_together() -> None:
    computed, all_wait = Most(), threading.Barrier(THREADS, timeout=PATIENCE)

    def page() -> None:
        for _ in range(3):
            with computed:
                sum(range(10_000))
            with computing.waiting():
                all_wait.wait()  # passed by all together, or by nobody

    together(page)
    assert computed.most == 1


@pytest.mark.usefixtures("patient")
def test_a_turn_ends_with_the_step_whatever_happens() -> None:
    def fails() -> None:
        with computing.waiting():
            raise ValueError

    with pytest.raises(ValueError):
        computing.in_turn(fails)
    assert not computing.is_mine()
    assert computing.in_turn(computing.is_mine)


def test_who_has_waited_long_enough_computes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "LONGEST", 0.01)
    turns = computing.in_turn(
        lambda: ThreadPoolExecutor(1).submit(computing.in_turn, computing.is_mine).result()
    )
    assert turns is False


@pytest.mark.usefixtures("patient")
def test_who_waits_without_a_turn_does_not_get_one() -> None:
    with computing.waiting():
        assert not computing.is_mine()
    assert not computing.is_mine()


class Connection:
    broken = False

    def is_usable(self, idle: float) -> bool:
        return True

    def close(self) -> None:
        pass


@pytest.mark.usefixtures("patient")
def test_who_waits_for_a_connection_keeps_neither_the_turn_nor_the_pool() -> None:
    pool = Pool(connections_per_account=1)
    leased: list[Connection] = []

    def page() -> None:
        for _ in range(5):
            with pool.lease(b"somebody", Connection) as connection, computing.waiting():
                threading.Event().wait(0.001)
                leased.append(connection)

    together(page)
    pool.close()
    assert len(leased) == 5 * THREADS
