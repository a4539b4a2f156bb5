"""What a flood of hostile datagrams costs, counted, and that a phone's own take precedence over them."""

from __future__ import annotations

import random
import sys
import tracemalloc
from collections import Counter
from itertools import count
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wap import datagram_queue, wsp
from gateway.wap.datagram_queue import BURST, REPEATED, DatagramQueue
from gateway.wap.endpoint import Endpoint
from gateway.wap.quadruplet import Quadruplet
from gateway.wap.requests import WapRequest
from gateway.wap.wtp.responder import TIMERS, Limits
from gateway.wap.wtp.wtp_pdus import DIRECTION, Abort, Invoke, Provider, read_pdu, write_pdu
from tests.wap.mutants import mutant

CALLS: Final = 120
"""Function calls that a mutated datagram costs on average: some 95, of Python's and of C's."""


def _flooded(endpoint: Endpoint, datagrams: list[bytes], begun: float = 0.0) -> None:
    for number, data in enumerate(datagrams):
        now = begun + number / 10_000
        peer = Quadruplet(f"192.0.2.{number % 50}", 40_000 + number % 7, 9200 + (number % 4 > 0))
        endpoint.receive_datagram(data, peer, now)
        while (event := endpoint.next_event()) is not None:
            if isinstance(event, WapRequest):
                endpoint.reply(event.id, wsp.Reply(200, "text/plain", (), b"x"), now)
        endpoint.datagrams_to_send(now)
        due = endpoint.get_timer()
        if due is not None and due <= now:
            endpoint.handle_timer(now)


def _calls(endpoint: Endpoint, datagrams: list[bytes], begun: float) -> int:
    calls = count()

    def profile(frame: Any, event: str, argument: Any) -> None:
        if event in ("call", "c_call"):
            next(calls)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        _flooded(endpoint, datagrams, begun)
    finally:
        sys.setprofile(before)
    return next(calls)


def test_a_mutated_datagram_costs_little_however_many_came_before() -> None:
    chance = random.Random(1)
    endpoint = Endpoint(count(1))
    for begun in (0.0, 10.0, 20.0):
        datagrams = [mutant(chance) for _ in range(5000)]
        assert _calls(endpoint, datagrams, begun) / len(datagrams) < CALLS
        _flooded(endpoint, [mutant(chance) for _ in range(15_000)], begun + 1)


def test_memory_is_bounded() -> None:
    chance = random.Random(2)
    endpoint = Endpoint(count(1))
    datagrams = [mutant(chance) for _ in range(10_000)]
    _flooded(endpoint, datagrams)
    tracemalloc.start()
    try:
        for begun in (10.0, 20.0):
            _flooded(endpoint, datagrams, begun)
        grown = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert grown < 4_000_000


def test_stopped_timers_are_bounded() -> None:
    endpoint = Endpoint(count(1))
    for number in range(5000):
        invoke = Invoke(number, wsp.write_pdu(wsp.Connect()), new=True)
        endpoint.receive_datagram(write_pdu(invoke), Quadruplet("192.0.2.7", 1, 9201), 0)
    assert endpoint.transactions == Limits().per_host
    assert len(endpoint._wtp._timers) <= 2 * Limits().per_host + TIMERS + 1


def test_messages_that_wait_for_their_verification_are_bounded() -> None:
    endpoint = Endpoint(count(1), Limits(unverified=10_000))
    refused = 0
    for number in range(20):
        invoke = Invoke(number, bytes(1000), new=True)
        endpoint.receive_datagram(write_pdu(invoke), Quadruplet("192.0.2.7", number, 9201), 0)
        ((_, data),) = endpoint.datagrams_to_send(0)
        refused += read_pdu(data) == Abort(DIRECTION | number, Provider.CAPTEMPEXCEEDED)
    assert refused == 10
    endpoint.receive_datagram(write_pdu(Abort(3, 0)), Quadruplet("192.0.2.7", 3, 9201), 0)
    endpoint.receive_datagram(
        write_pdu(Invoke(3, bytes(1000), new=True)), Quadruplet("192.0.2.7", 3, 9201), 0
    )
    assert endpoint.transactions == 10


def _peer(number: int) -> Quadruplet:
    return Quadruplet("192.0.2.7", number, 9201)


FLOOD: Final = 300
"""Datagrams of a flood: more than may be waiting from one port."""


class TestDatagramQueue:
    @pytest.mark.parametrize("known", [True, False])
    @pytest.mark.parametrize("host", ["192.0.2.7", "192.0.2.8"], ids=["host of the flood", "another"])
    @pytest.mark.parametrize("ports", [1, 10, FLOOD])
    def test_a_phone_is_heard_within_a_few_turns(self, ports: int, host: str, known: bool) -> None:
        """Whatever came before from one port, or to another host from many."""
        waiting = DatagramQueue()
        for number in range(FLOOD):
            waiting.put(b"flood", _peer(number % ports), known=known)
            if number % 3 == 0:
                waiting.take(number / 100)
        phone = Quadruplet(host, 65_000, 9201)
        waiting.put(b"mine", phone, known=known)
        others = min(ports, len(waiting) - 1) if host == _peer(0).host and ports > 1 else 1
        taken = [waiting.take(1000.0) for _ in range(others + 1)]
        assert (b"mine", phone) in taken

    @pytest.mark.parametrize("host", ["192.0.2.7", "192.0.2.8"], ids=["host of the flood", "another"])
    def test_a_flood_has_few_turns_however_much_time_there_is(self, host: str) -> None:
        waiting = DatagramQueue()
        taken = 0
        for number in range(10_000):
            now = number / 10_000
            for _ in range(10):
                waiting.put(b"flood", _peer(number % 3), known=True)
            while waiting.take(now) is not None:
                taken += 1
            waiting.put(b"mine", Quadruplet(host, 65_000, 9201), known=True)
            assert waiting.take(now) == (b"mine", Quadruplet(host, 65_000, 9201))
        assert REPEATED - BURST <= taken <= REPEATED + 2 * BURST

    @pytest.mark.parametrize("flood", [True, False])
    def test_strangers_who_never_end_leave_turns_to_who_is_known(self, flood: bool) -> None:
        waiting = DatagramQueue()
        waiting.put(b"one", _peer(1), known=True)
        waiting.put(b"two", _peer(1), known=True)
        for number in range(100 * flood):
            waiting.put(b"x", Quadruplet(f"198.51.100.{number}", 1, 9201), known=False)
        assert [waiting.take(0), waiting.take(0)] == [(b"one", _peer(1)), (b"two", _peer(1))]

    def test_known_hosts_go_before_others(self) -> None:
        waiting = DatagramQueue()
        for number in range(10):
            waiting.put(b"x", _peer(number), known=False)
        waiting.put(b"mine", _peer(99), known=True)
        assert waiting.take(0) == (b"mine", _peer(99))

    def test_the_order_of_one_port_stays(self) -> None:
        waiting = DatagramQueue()
        for number in range(20):
            waiting.put(bytes((number,)), _peer(1), known=True)
        assert [item[0][0] for _ in range(20) if (item := waiting.take(0))] == list(range(20))
        assert waiting.take(0) is None

    @pytest.mark.parametrize("host", ["192.0.2.7", "192.0.2.8"], ids=["host of the flood", "another"])
    def test_room_is_made_by_who_sends_most(self, host: str) -> None:
        waiting = DatagramQueue()
        for number in range(datagram_queue.WAITING):
            waiting.put(b"flood", _peer(number % 20), known=False)
        waiting.put(b"mine", Quadruplet(host, 99, 9201), known=False)
        assert len(waiting) <= datagram_queue.WAITING
        taken = [waiting.take(0) for _ in range(21)]
        assert (b"mine", Quadruplet(host, 99, 9201)) in taken

    @pytest.mark.parametrize("known", [True, False])
    def test_of_many_forged_hosts_one_goes_for_who_is_known(self, known: bool) -> None:
        waiting = DatagramQueue()
        for number in range(datagram_queue.WAITING + 10):
            waiting.put(b"flood", Quadruplet(f"10.0.{number >> 8}.{number & 255}", 1, 9201), known=False)
        waiting.put(b"mine", _peer(65_000), known=known)
        assert len(waiting) == datagram_queue.WAITING
        assert (waiting.take(0) == (b"mine", _peer(65_000))) is known

    @given(
        st.lists(
            st.tuples(
                st.integers(0, 3), st.integers(0, 3), st.booleans(), st.integers(0, 2), st.integers(0, 90)
            ),
            max_size=60,
        )
    )
    def test_nothing_is_lost_or_doubled_within_the_bounds(
        self, comes: list[tuple[int, int, bool, int, int]]
    ) -> None:
        waiting = DatagramQueue()
        into: Counter[bytes] = Counter()
        now = 0.0
        for number, (host, port, known, takes, count_) in enumerate(comes):
            peer = Quadruplet(f"192.0.2.{host}", port, 9201)
            for each in range(count_):
                data = b"%d %d" % (number, each)
                into[data] += 1
                waiting.put(data, peer, known=known)
            before = len(waiting)
            taken = [item for _ in range(takes) if (item := waiting.take(now)) is not None]
            assert len(waiting) == before - len(taken) <= datagram_queue.WAITING
            assert all(peer.host.startswith("192.0.2.") for _, peer in taken)
            into -= Counter(data for data, _ in taken)
            now += 0.001
        left = 0
        while waiting:
            now += 1.0
            while (item := waiting.take(now)) is not None:
                assert into[item[0]] == 1
                left += 1
        assert left <= into.total()
