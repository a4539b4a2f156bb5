"""Names and connections within a time: a resolver that hangs, dead addresses, and how many threads that costs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from gateway.upstreams import connecting, deadline
from gateway.upstreams.connecting import LOOKUPS, Lookups
from tests import PATIENCE
from tests.servers import free_ports


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def lookups_running() -> int:
    return sum(thread.name == "lookup" for thread in threading.enumerate())


def test_a_name_that_hangs_takes_one_thread_however_many_ask(release: threading.Event) -> None:
    asked: list[str] = []

    def hanging(host: str, port: int) -> list[str]:
        asked.append(host)
        release.wait(PATIENCE)
        return ["192.0.2.1"]

    before = lookups_running()
    lookups = Lookups(hanging)
    for _ in range(20):
        with pytest.raises(TimeoutError):
            lookups.addresses("mail.example", 993, 0.001)
    assert asked == ["mail.example"]
    for n in range(2 * LOOKUPS):
        with pytest.raises(TimeoutError):
            lookups.addresses(f"{n}.example", 993, 0.001)
    assert lookups_running() - before == LOOKUPS
    release.set()
    assert lookups.addresses("mail.example", 993, 10.0) == ["192.0.2.1"]


def test_the_places_of_names_come_back() -> None:
    lookups = Lookups(lambda host, port: [host])
    for n in range(3 * LOOKUPS):
        assert lookups.addresses(f"{n}", 1, 10.0) == [f"{n}"]


@pytest.mark.parametrize(
    "error", [socket.gaierror(-2, "Name or service not known"), OSError("no"), ValueError("x")]
)
def test_what_a_resolver_raises_is_told_to_all_who_wait(error: Exception) -> None:
    def failing(host: str, port: int) -> list[str]:
        raise error

    lookups = Lookups(failing)
    expected = type(error) if isinstance(error, OSError) else OSError
    for _ in range(2):
        with pytest.raises(expected):
            lookups.addresses("mail.example", 993, 10.0)


def test_an_address_is_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "resolve", lambda host, port: pytest.fail("resolved"))
    assert connecting.addresses("127.0.0.1", 1) == ("127.0.0.1",)
    assert connecting.addresses("::1", 1) == ("::1",)


def test_each_address_is_tried_and_the_last_error_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "resolve", lambda host, port: ["127.0.0.2", "127.0.0.3", "127.0.0.1"])
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        connecting.connect("mail.example", listener.getsockname()[1]) as sock,
    ):
        assert sock.getpeername()[0] == "127.0.0.1"
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    with pytest.raises(ConnectionRefusedError):
        connecting.connect("mail.example", free_ports(1)[0])


def test_dead_addresses_leave_time_for_a_live_one(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []

    def dead(address: tuple[str, int], seconds: float) -> socket.socket:
        tried.append(seconds)
        raise TimeoutError

    monkeypatch.setattr(connecting, "resolve", lambda host, port: [f"192.0.2.{n}" for n in range(4)])
    monkeypatch.setattr(socket, "create_connection", dead)
    with pytest.raises(TimeoutError):
        connecting.connect("mail.example", 993)
    assert tried[0] <= connecting.CONNECT_SECONDS / 4
    assert len(tried) == 4


def test_a_request_whose_time_is_over_neither_resolves_nor_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "resolve", lambda host, port: pytest.fail("resolved"))
    with deadline.within(0), pytest.raises(TimeoutError):
        connecting.connect("mail.example", 993)
    with deadline.within(0), pytest.raises(TimeoutError):
        connecting.connect("127.0.0.1", 993)
