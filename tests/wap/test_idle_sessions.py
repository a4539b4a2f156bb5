"""What ten thousand idle sessions cost: their memory, and the steps of another phone's request."""

from __future__ import annotations

import sys
import tracemalloc
from itertools import count
from types import FrameType
from typing import Any, Final

import pytest

from gateway.wap import wsp
from gateway.wap.endpoint import Endpoint
from gateway.wap.quadruplet import Quadruplet
from gateway.wap.requests import WapRequest
from gateway.wap.wtp.wtp_pdus import Ack, Invoke, write_pdu

SESSIONS: Final = 10_000
OCTETS: Final = 4096
"""Octets that an idle session may take."""
HEADERS: Final = b"x-filler\0" + b"y" * 346 + b"\0"
"""As many octets as a Motorola MXP600's headers have, read in one step."""


def _connected(endpoint: Endpoint, peer: Quadruplet, now: float) -> None:
    connect = wsp.Connect(raw_headers=HEADERS)
    endpoint.receive_datagram(write_pdu(Invoke(1, wsp.write_pdu(connect))), peer, now)
    endpoint.receive_datagram(write_pdu(Ack(1)), peer, now)
    assert len(endpoint.datagrams_to_send(now)) == 1


def _address(number: int, hosts: int) -> Quadruplet:
    host = number % hosts
    return Quadruplet(f"10.{host >> 16}.{host >> 8 & 255}.{host & 255}", 1024 + number // hosts, 9201)


def _steps(endpoint: Endpoint, peer: Quadruplet, now: float) -> int:
    """Count the lines of Python that a request takes, from its Invoke to the Ack of its Result."""
    steps = count()
    before = sys.gettrace()

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        next(steps)
        return trace

    sys.settrace(trace)
    try:
        get = wsp.Method("GET", "http://a/")
        endpoint.receive_datagram(write_pdu(Invoke(2, wsp.write_pdu(get))), peer, now)
        event = endpoint.next_event()
        assert isinstance(event, WapRequest)
        endpoint.reply(event.id, wsp.Reply(200, "text/plain", (), b"x"), now)
        endpoint.datagrams_to_send(now)
        endpoint.get_timer()
        endpoint.receive_datagram(write_pdu(Ack(2)), peer, now)
        endpoint.get_timer()
    finally:
        sys.settrace(before)
    return next(steps)


def _with(sessions: int, hosts: int) -> tuple[Endpoint, Quadruplet]:
    endpoint = Endpoint(count(1))
    for number in range(sessions):
        _connected(endpoint, _address(number, hosts), number / 100)
        endpoint.handle_timer(number / 100)
    phone = Quadruplet("192.0.2.7", 49_200, 9201)
    _connected(endpoint, phone, sessions / 100)
    assert endpoint.sessions == sessions + 1
    return endpoint, phone


@pytest.mark.parametrize("hosts", [1, SESSIONS])
def test_idle_sessions_are_small_and_delay_nobody(hosts: int) -> None:
    few = _steps(*_with(10, hosts), 1.0)
    tracemalloc.start()
    try:
        endpoint, phone = _with(SESSIONS, hosts)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken <= OCTETS * SESSIONS
    assert _steps(endpoint, phone, SESSIONS / 100) <= 1.1 * few
