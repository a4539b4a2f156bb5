"""Tests of `gateway.wap.endpoint`: sessions and requests, and our own phone behind a relay that loses and doubles."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wap import wsp
from gateway.wap.endpoint import Endpoint
from gateway.wap.initiator import Answer, Initiator
from gateway.wap.quadruplet import Quadruplet
from gateway.wap.requests import Cancelled, TooLarge, WapRequest
from gateway.wap.wsp.capabilities import RESUME, Terms
from gateway.wap.wsp.octets import uintvar
from gateway.wap.wsp_sessions import HEADERS, WspSession, WspSessions
from gateway.wap.wtp.wtp_pdus import DIRECTION, Abort, Ack, Invoke, read_pdu, separate, write_pdu
from tests.wap import packets

PHONE = Quadruplet("192.0.2.7", 49200, 9201)
OPTIONS = ((0, uintvar(65_000)), (2, bytes((RESUME,))), (3, b"\x04"))
CONNECT = wsp.write_pdu(wsp.Connect(OPTIONS, (("User-Agent", "Test"), ("Accept", "image/vnd.wap.wbmp"))))


def get(url: str, *headers: tuple[str, str]) -> bytes:
    return wsp.write_pdu(wsp.Method("GET", url, headers))


class Air:
    """An endpoint and a phone, half a second apart, with a relay in between that `fate` controls.

    `fate` returns the delays with which a datagram arrives: none loses it, two double it.
    """

    def __init__(self, fate: Callable[[bytes], list[float]] = lambda data: [0.25], **phone: Any) -> None:
        self.now = 1000.0
        self.endpoint = Endpoint(count(1))
        self.phone = Initiator(**phone)
        self.peer = PHONE
        self.served: list[str] = []
        self.cancelled: list[int] = []
        self.size = 10
        self._fate = fate
        self._order = count()
        self._flying: list[tuple[float, int, bool, bytes]] = []

    def run(self, *tids: int, seconds: float = 400.0) -> dict[int, Answer]:
        """Let time pass until these are answered, and everything sent has arrived."""
        answers: dict[int, Answer] = {}
        end = self.now + seconds
        while self.now < end:
            self._exchange()
            while (answer := self.phone.next_event()) is not None:
                assert answer.tid not in answers, "answered twice"
                answers[answer.tid] = answer
            if answers.keys() >= set(tids) and not self._flying:
                break
            times = [flight[0] for flight in self._flying]
            times += [at for at in (self.endpoint.get_timer(), self.phone.get_timer()) if at is not None]
            if not times:
                break
            self.now = max(self.now, min(times))
            self._arrive()
            self.endpoint.handle_timer(self.now)
            self.phone.handle_timer(self.now)
        return answers

    def _exchange(self) -> None:
        while (event := self.endpoint.next_event()) is not None:
            if isinstance(event, WapRequest):
                self.served.append(event.url)
                self.endpoint.reply(
                    event.id, wsp.Reply(200, "text/plain", (), event.url.encode() * self.size), self.now
                )
            elif isinstance(event, Cancelled):
                self.cancelled.append(event.id)
        for data in self.phone.datagrams_to_send(self.now):
            self._fly(True, data)
        for _, data in self.endpoint.datagrams_to_send(self.now):
            self._fly(False, data)

    def _fly(self, up: bool, data: bytes) -> None:
        self._flying += [(self.now + delay, next(self._order), up, data) for delay in self._fate(data)]

    def _arrive(self) -> None:
        self._flying.sort()
        while self._flying and self._flying[0][0] <= self.now:
            _, _, up, data = self._flying.pop(0)
            if up:
                self.endpoint.receive_datagram(data, self.peer, self.now)
            else:
                self.phone.receive_datagram(data, self.now)

    def connect(self, **how: Any) -> wsp.ConnectReply:
        tid = self.phone.invoke(CONNECT, self.now, **how)
        pdu = self.run(tid)[tid].pdu
        assert isinstance(pdu, wsp.ConnectReply)
        return pdu

    def get(self, url: str) -> Answer:
        tid = self.phone.invoke(get(url), self.now)
        return self.run(tid)[tid]


class TestSessions:
    def test_connect_get_disconnect(self) -> None:
        air = Air()
        reply = air.connect()
        assert reply.capabilities == OPTIONS
        assert reply.headers == ()
        answer = air.get("http://a/")
        assert answer.pdu == wsp.Reply(200, "text/plain", (), b"http://a/" * 10)
        air.phone.invoke(wsp.write_pdu(wsp.Disconnect(reply.session_id)), air.now, tcl=0)
        air.run()
        assert air.endpoint.sessions == 0
        assert air.get("http://b/").abort == wsp.AbortReason.DISCONNECT
        assert air.served == ["http://a/"]

    def test_connect_and_get_in_one_datagram(self) -> None:
        endpoint = Endpoint(count(1))
        endpoint.receive_datagram(packets.NOKIA_7210_BOTH, PHONE, 0)
        request = endpoint.next_event()
        assert isinstance(request, WapRequest)
        assert (request.sdu, request.limit, request.session_id) == (1400, 1400, 1)
        assert ("User-Agent", "Nokia7210/1.0 (3.08)") in request.headers

    def test_a_request_waits_for_the_verification_of_its_session(self) -> None:
        endpoint = Endpoint(count(1))
        both = bytearray(packets.NOKIA_7210_BOTH)
        both[5] |= 0x20  # TIDnew
        endpoint.receive_datagram(bytes(both), PHONE, 0)
        assert endpoint.next_event() is None
        sent = [read_pdu(data) for _, data in endpoint.datagrams_to_send(0)]
        assert sent == [Ack(DIRECTION | 1, True)]
        endpoint.receive_datagram(write_pdu(Ack(1, True)), PHONE, 1)
        assert isinstance(endpoint.next_event(), WapRequest)

    def test_a_request_whose_session_is_not_verified_is_refused(self) -> None:
        endpoint = Endpoint(count(1))
        both = bytearray(packets.NOKIA_7210_BOTH)
        both[5] |= 0x20
        endpoint.receive_datagram(bytes(both), PHONE, 0)
        endpoint.datagrams_to_send(0)
        endpoint.receive_datagram(write_pdu(Abort(1, 2)), PHONE, 1)
        sent = [read_pdu(data) for _, data in endpoint.datagrams_to_send(0)]
        assert sent == [Abort(DIRECTION | 2, wsp.AbortReason.DISCONNECT, True)]

    def test_the_mxp600_on_the_connectionless_port(self) -> None:
        endpoint = Endpoint(count(1))
        peer = PHONE._replace(local_port=9200)
        endpoint.receive_datagram(packets.MXP600_CONNECT, peer, 0)
        ((_, data),) = endpoint.datagrams_to_send(0)
        reply = wsp.read_pdu(data[3:])
        assert isinstance(reply, wsp.ConnectReply)
        assert reply.headers == (("Encoding-Version", "1.3"),)
        assert dict(reply.capabilities)[6] == b""
        endpoint.receive_datagram(write_pdu(Ack(7)), peer, 0)
        endpoint.receive_datagram(write_pdu(Invoke(0x4007, get("http://a/"))), peer, 0)
        assert [read_pdu(data) for _, data in endpoint.datagrams_to_send(0)] == []
        request = endpoint.next_event()
        assert isinstance(request, WapRequest)
        assert request.sdu == 327_680

    def test_a_second_connect_takes_the_place_of_the_first(self) -> None:
        air = Air()
        first = air.connect()
        second = air.connect()
        assert (air.endpoint.sessions, second.session_id != first.session_id) == (1, True)

    def test_a_session_keeps_few_headers(self) -> None:
        air = Air()
        for size, kept in ((HEADERS - 20, 1), (HEADERS, 0)):
            headers = (("X-Long", "a" * size),)
            tid = air.phone.invoke(wsp.write_pdu(wsp.Connect(OPTIONS, headers)), air.now)
            answer = air.run(tid)[tid]
            assert (answer.pdu is not None, air.endpoint.sessions) == (bool(kept), 1)
        assert answer.abort == wsp.AbortReason.MRUEXCEEDED

    def test_suspend_and_resume_from_another_address(self) -> None:
        air = Air()
        reply = air.connect()
        air.phone.invoke(wsp.write_pdu(wsp.Suspend(reply.session_id)), air.now, tcl=0)
        air.run()
        assert air.get("http://a/").abort == wsp.AbortReason.SUSPEND
        air.peer = PHONE._replace(host="198.51.100.1")
        assert air.get("http://a/").abort == wsp.AbortReason.DISCONNECT
        for session_id, status in ((reply.session_id + 1, None), (reply.session_id, 200)):
            tid = air.phone.invoke(wsp.write_pdu(wsp.Resume(session_id)), air.now)
            pdu = air.run(tid)[tid].pdu
            assert (pdu.status if isinstance(pdu, wsp.Reply) else None) == status
        assert air.get("http://b/").abort == 0
        air.peer = PHONE
        assert air.get("http://c/").abort == wsp.AbortReason.DISCONNECT
        assert air.served == ["http://b/"]

    def test_no_more_requests_than_agreed_on(self) -> None:
        endpoint = Endpoint(count(1))
        connect = wsp.write_pdu(wsp.Connect())
        for tid, data in ((1, connect), (2, get("a")), (3, get("b"))):
            endpoint.receive_datagram(write_pdu(Invoke(tid, data)), PHONE, 0)
        sent = [read_pdu(data) for _, data in endpoint.datagrams_to_send(0)]
        assert sent[1:] == [Abort(DIRECTION | 3, wsp.AbortReason.MOREXCEEDED, True)]

    @pytest.mark.parametrize(
        ("sdu", "limit"), [(0, 65_000), (3, 1400), (256, 256), (300, 300), (1 << 20, 65_000)]
    )
    def test_the_whole_reply_is_within_the_sdu(self, sdu: int, limit: int) -> None:
        endpoint = Endpoint(count(1))
        connect = wsp.write_pdu(wsp.Connect(((0, uintvar(sdu)),)))
        for tid, data in ((1, connect), (2, get("a"))):
            endpoint.receive_datagram(write_pdu(Invoke(tid, data)), PHONE, 0)
        request = endpoint.next_event()
        assert isinstance(request, WapRequest)
        assert (request.sdu, request.limit) == (sdu, limit)
        with pytest.raises(TooLarge):
            endpoint.reply(request.id, wsp.Reply(200, "text/plain", (), bytes(limit - 3)), 0)
        endpoint.datagrams_to_send(0)
        endpoint.reply(request.id, wsp.Reply(200, "text/plain", (), bytes(limit - 4)), 0)
        ((_, data),) = endpoint.datagrams_to_send(0)
        assert len(data) == 3 + limit

    def test_the_time_of_day_is_told_if_it_fits(self) -> None:
        for room, told in ((60, True), (12, False)):
            endpoint = Endpoint(count(1))
            endpoint.receive_datagram(packets.NOKIA_7110_GET, PHONE._replace(local_port=9200), 0)
            request = endpoint.next_event()
            assert isinstance(request, WapRequest)
            assert request.tod == "X-WAP.TOD"
            endpoint.stamp(request.id, ((request.tod, "Mon, 11 Jan 1999 16:26:55 GMT"),))
            endpoint.reply(request.id, wsp.Reply(200, "text/plain", (), bytes(request.limit - room)), 0)
            ((_, data),) = endpoint.datagrams_to_send(0)
            assert (b"X-WAP.TOD\0\x04\x36\x9a\x26\x4f" in data) is told
            assert data[:3] == b"\1\4\x20"

    def test_a_reply_in_segments_goes_only_to_who_takes_them(self) -> None:
        for sar in (True, False):
            air = Air(sar=sar)
            air.connect()
            air.size = 500
            pdu = air.get("http://a/").pdu
            assert isinstance(pdu, wsp.Reply)
            assert len(pdu.body) == 4500
            segmented = any(type(pdu).__name__ == "Segment" for _, pdu in air.phone.log)
            assert segmented is sar

    def test_a_long_post_comes_in_segments(self) -> None:
        air = Air(sar=True)
        air.connect()
        post = wsp.write_pdu(wsp.Method("POST", "http://a/", (), "text/plain", bytes(9000)))
        tid = air.phone.invoke(post, air.now)
        assert isinstance(air.run(tid)[tid].pdu, wsp.Reply)

    def test_an_idle_session_ends_and_its_number_is_bounded(self) -> None:
        sessions = WspSessions(iter(range(1, 100)), most=3, per_host=2, idle=10)
        made = [
            WspSession(0, Quadruplet(host, port, 1), Terms(), b"")
            for host, port in (("a", 1), ("b", 1), ("b", 2), ("b", 3), ("c", 1))
        ]
        gone = [sessions.add(each, now) for now, each in enumerate(made)]
        assert [[each.peer.port for each in row] for row in gone] == [[], [], [], [1], [1]]
        assert len(sessions) == 3
        assert len(sessions.expired(12.5)) == 1
        assert sessions.due == 13


class TestExchanges:
    """Whole exchanges, in each of which every single packet is lost, doubled or late: all is right, and only once."""

    FATES = ([], [0.25, 0.25], [0.25, 3.0], [1.0])

    @staticmethod
    def _long_post(air: Air) -> None:
        reply = air.connect()
        post = wsp.Method("POST", "http://a/post", (), "text/plain", bytes(4000))
        tid = air.phone.invoke(wsp.write_pdu(post), air.now)
        answer = air.run(tid)[tid].pdu
        assert isinstance(answer, wsp.Reply)
        assert answer.body == b"http://a/post" * air.size
        assert air.served == ["http://a/post"]
        TestExchanges._disconnect(air, reply)

    @staticmethod
    def _disconnect(air: Air, reply: wsp.ConnectReply) -> None:
        for _ in range(2):  # nobody acknowledges it
            air.phone.invoke(wsp.write_pdu(wsp.Disconnect(reply.session_id)), air.now, tcl=0)
            air.run()
        assert air.endpoint.sessions == 0

    @staticmethod
    def _suspend_and_resume(air: Air) -> None:
        reply = air.connect()
        for _ in range(2):
            air.phone.invoke(wsp.write_pdu(wsp.Suspend(reply.session_id)), air.now, tcl=0)
            air.run()
        assert air.get("http://a/").abort == wsp.AbortReason.SUSPEND
        air.peer = PHONE._replace(host="198.51.100.1")
        tid = air.phone.invoke(wsp.write_pdu(wsp.Resume(reply.session_id)), air.now)
        resumed = air.run(tid)[tid].pdu
        assert isinstance(resumed, wsp.Reply)
        assert resumed.status == 200
        answer = air.get("http://b/").pdu
        assert isinstance(answer, wsp.Reply)
        assert air.served == ["http://b/"]
        assert air.endpoint.sessions == 1

    @staticmethod
    def _one_after_the_other(air: Air) -> None:
        """A phone that agreed on one request at a time asks as soon as it has its answer."""
        tid = air.phone.invoke(wsp.write_pdu(wsp.Connect()), air.now)
        assert isinstance(air.run(tid)[tid].pdu, wsp.ConnectReply)
        for number in range(3):
            answer = air.get(f"http://a/{number}").pdu
            assert isinstance(answer, wsp.Reply)
        assert air.served == [f"http://a/{number}" for number in range(3)]

    @staticmethod
    def _unit(air: Air) -> None:
        """Nobody repeats what has no transaction: it is answered at most as often as it comes."""
        data = wsp.write_unit(7, wsp.Method("GET", "http://a/"))
        air.peer = PHONE._replace(local_port=9200)
        air.endpoint.receive_datagram(data, air.peer, air.now)
        air.run(seconds=1)
        assert air.served == ["http://a/"]
        assert air.endpoint.transactions == 0

    @pytest.mark.parametrize("fate", FATES, ids=["lost", "doubled", "late double", "swapped"])
    @pytest.mark.parametrize(
        ("exchange", "size"),
        [
            ("long_post", 10),
            ("long_post", 600),
            ("suspend_and_resume", 10),
            ("one_after_the_other", 10),
            ("unit", 10),
        ],
    )
    def test_each_packet(self, exchange: str, fate: list[float], size: int) -> None:
        packets_of = count()
        run: Callable[[Air], None] = getattr(self, f"_{exchange}")

        def plain(data: bytes) -> list[float]:
            next(packets_of)
            return [0.25]

        def flown(rule: Callable[[bytes], list[float]]) -> None:
            air = Air(rule, sar=True)
            air.size = size
            run(air)

        flown(plain)
        for victim in range(next(packets_of)):
            number = count()
            flown(lambda data: fate if next(number) == victim else [0.25])  # noqa: B023


class TestAir:
    """Each exchange is one Connect and two requests: all are answered correctly, and each is served once."""

    def _exchange(self, fate: Callable[[bytes], list[float]], **phone: Any) -> None:
        air = Air(fate, **phone)
        air.size = 300 if phone.get("sar") else 10
        air.connect()
        tids = [air.phone.invoke(get(f"http://a/{number}"), air.now) for number in range(2)]
        answers = air.run(*tids)
        for number, tid in enumerate(tids):
            pdu = answers[tid].pdu
            assert isinstance(pdu, wsp.Reply), answers[tid]
            assert pdu.body == f"http://a/{number}".encode() * air.size
        assert sorted(air.served) == ["http://a/0", "http://a/1"]

    @pytest.mark.parametrize("sar", [False, True])
    @pytest.mark.parametrize(
        "fate",
        [[], [0.25, 0.25], [0.25, 3.0], [2.0], [9.0]],
        ids=["lost", "doubled", "late double", "late", "very late"],
    )
    def test_each_packet_of_the_exchange(self, fate: list[float], sar: bool) -> None:
        for victim in range(24):
            number = count()
            self._exchange(lambda data: fate if next(number) == victim else [0.25], sar=sar)  # noqa: B023

    @pytest.mark.parametrize("sar", [False, True])
    def test_two_packets_of_the_exchange_are_lost(self, sar: bool) -> None:
        for first in range(10):
            for second in range(first + 1, 12):
                number = count()
                self._exchange(lambda data: [] if next(number) in (first, second) else [0.25], sar=sar)  # noqa: B023

    @pytest.mark.parametrize("sar", [False, True])
    @pytest.mark.parametrize("seed", range(20))
    def test_a_fifth_is_lost_and_others_are_doubled_or_swapped(self, seed: int, sar: bool) -> None:
        chance = random.Random(seed)

        def fate(data: bytes) -> list[float]:
            if chance.random() < 0.2:
                return []
            return [chance.uniform(0.1, 1.5) for _ in range(2 if chance.random() < 0.2 else 1)]

        self._exchange(fate, sar=sar)

    def test_with_verification(self) -> None:
        air = Air(tid=500)
        air.connect()
        air.phone = Initiator(tid=20)
        air.connect()
        air.phone = Initiator(tid=5)
        air.connect(new=True)
        assert air.get("http://a/").abort == 0


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 4), st.binary(max_size=4), st.integers(0, 400), st.sampled_from([9200, 9201])
        ),
        max_size=12,
    )
)
def test_nothing_that_comes_does_harm(mutated: list[tuple[int, bytes, int, int]]) -> None:
    """Mutated packets end in an answer, an abort or nothing, and leave nothing but sessions behind."""
    endpoint = Endpoint(count(1))
    resume = write_pdu(Invoke(9, wsp.write_pdu(wsp.Resume(1))))
    originals = (
        packets.NOKIA_7110_GET,
        packets.MXP600_CONNECT,
        packets.NOKIA_7210_BOTH,
        b"\x18\x90\x00",
        resume,
    )
    now = 0.0
    for which, change, at, port in mutated:
        mutant = bytearray(originals[which])
        at %= len(mutant)
        mutant[at : at + len(change)] = change
        endpoint.receive_datagram(bytes(mutant), PHONE._replace(local_port=port), now)
        for request in _requests(endpoint):
            endpoint.reply(request.id, wsp.Reply(200, "text/plain", (), b"x"), now)
    for _ in range(1000):
        if not endpoint.transactions:
            break
        now = endpoint.get_timer() or now
        endpoint.handle_timer(now)
    assert endpoint.transactions == 0
    for _, data in endpoint.datagrams_to_send(now):
        assert separate(data) == [data]


def _requests(endpoint: Endpoint) -> Iterator[WapRequest]:
    while (event := endpoint.next_event()) is not None:
        if isinstance(event, WapRequest):
            yield event
