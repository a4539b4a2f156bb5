"""Tests of `gateway.server.datagrams`: real sockets, and a flood on one of them."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack, closing

import pytest

from gateway.errors import ConfigError
from gateway.server import datagrams
from gateway.server.datagrams import AT_ONCE, SESSION_PORT, SOCKETS, DatagramSockets, bind
from gateway.wap.quadruplet import Quadruplet
from tests import PATIENCE

several = pytest.mark.skipif(SOCKETS == 1, reason="one socket at each port")


@pytest.mark.parametrize("others", [1, SOCKETS])
def test_a_port_that_another_has_is_refused(others: int) -> None:
    with ExitStack() as stack:
        lines = bind("127.0.0.1", 0, others)
        for line in lines:
            stack.enter_context(closing(line))
        port = lines[0].getsockname()[1]
        assert {line.getsockname()[1] for line in lines} == {port}
        for count in (1, SOCKETS):
            with pytest.raises(ConfigError):
                bind("127.0.0.1", port, count)


def _sender(stack: ExitStack, port: int) -> socket.socket:
    line = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
    line.connect(("127.0.0.1", port))
    return line


def _receiver(lines: tuple[socket.socket, ...], sender: socket.socket) -> int:
    """Return the socket that the kernel gives to a sender."""
    sender.send(b"?")
    found = []
    for number, line in enumerate(lines):
        try:
            line.recv(1)
            found.append(number)
        except BlockingIOError:
            pass
    (only,) = found
    return only


@several
def test_a_flood_of_one_port_delays_others_by_a_few_datagrams() -> None:
    with ExitStack() as stack:
        lines = bind("127.0.0.1", 0)
        port = lines[0].getsockname()[1]
        flooder = _sender(stack, port)
        at = _receiver(lines, flooder)
        phone = next(one for one in iter(lambda: _sender(stack, port), None) if _receiver(lines, one) != at)
        for _ in range(20 * AT_ONCE):
            flooder.send(b"flood")
        phone.send(b"mine")
        taken: list[bytes] = []

        async def read() -> None:
            found = asyncio.Event()

            def received(data: bytes, peer: Quadruplet) -> None:
                taken.append(data)
                if len(taken) < 20 * AT_ONCE:
                    flooder.send(b"flood")  # it does not end
                if data == b"mine":
                    assert peer == Quadruplet(*phone.getsockname(), SESSION_PORT)
                    found.set()

            opened = DatagramSockets({SESSION_PORT: lines}, received)
            await asyncio.wait_for(found.wait(), PATIENCE)
            opened.close()

        asyncio.run(read())
    assert len(taken) <= AT_ONCE + 1
    assert all(line.fileno() == -1 for line in lines)


def test_a_socket_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though reading pauses after AT_ONCE datagrams."""
    monkeypatch.setattr(datagrams, "AT_ONCE", 3)
    with ExitStack() as stack:
        lines = bind("127.0.0.1", 0)
        sender = _sender(stack, lines[0].getsockname()[1])
        for number in range(10):
            sender.send(bytes((number,)))
        taken: list[int] = []

        async def read() -> None:
            whole = asyncio.Event()

            def received(data: bytes, peer: Quadruplet) -> None:
                taken.append(data[0])
                if len(taken) == 10:
                    whole.set()

            opened = DatagramSockets({SESSION_PORT: lines}, received)
            await asyncio.wait_for(whole.wait(), PATIENCE)
            opened.close()

        asyncio.run(read())
    assert taken == list(range(10))
