"""Tests of `gateway.wap.wtp`: PDUs, the TID test, and the responder row by row, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wap.quadruplet import Quadruplet
from gateway.wap.wtp import AbortIndication, InvokeIndication, Limits, Responder, ResultConfirmation, timing
from gateway.wap.wtp.segmentation import Incoming, Outgoing, largest_message
from gateway.wap.wtp.tids import MPL, LastTids, is_newer
from gateway.wap.wtp.transaction import _ACTIONS, _CONDITIONS
from gateway.wap.wtp.transitions import TABLE, TransactionEvent, TransactionState
from gateway.wap.wtp.wtp_pdus import (
    DIRECTION,
    MOST_PACKETS,
    Abort,
    Ack,
    Invoke,
    Nack,
    OptionTpi,
    Provider,
    Result,
    Segment,
    TpiType,
    WTPError,
    WtpPdu,
    concatenate,
    packet_number,
    psn,
    read_pdu,
    separate,
    write_pdu,
)
from tests.wap import oracles, packets

PEER = Quadruplet("192.0.2.7", 49200, 9201)

PDUS = (
    Invoke(1, b"abc"),
    Invoke(0x7FFF, b"", 1, True, True, 1, False, False, True, ((TpiType.OPTION, b"\x01\x05\x78"),)),
    Result(DIRECTION | 5, b"xyz", False, True, True),
    Ack(3),
    Ack(3, True, True, (psn(7), (TpiType.INFO, b"12345"))),
    Abort(9, 0xE1, True),
    Abort(9, Provider.NORESPONSE),
    Segment(4, 255, b"data", False, True, False, True),
    Segment(4, 1, b"data", True, False, True),
    Nack(2),
    Nack(2, (1, 4, 9), True),
)


class TestPdus:
    @pytest.mark.parametrize("pdu", PDUS, ids=lambda pdu: type(pdu).__name__)
    def test_what_is_written_is_read_again(self, pdu: WtpPdu) -> None:
        assert read_pdu(write_pdu(pdu)) == pdu

    def test_octets_of_the_standard(self) -> None:
        assert write_pdu(Invoke(1, b"x")) == b"\x0e\x00\x01\x02x"
        assert write_pdu(Result(0x8001, b"x")) == b"\x16\x80\x01x"
        assert write_pdu(Ack(1)) == b"\x18\x00\x01"
        assert write_pdu(Ack(1, tpis=(psn(2),))) == b"\x98\x00\x01\x19\x02"
        assert write_pdu(Abort(1, 0xE1, True)) == b"\x21\x00\x01\xe1"
        assert write_pdu(Nack(1, (4, 6))) == b"\x38\x00\x01\x02\x04\x06"

    def test_packets_of_phones(self) -> None:
        mxp600 = read_pdu(packets.MXP600_CONNECT)
        assert mxp600 == Invoke(7, packets.MXP600_CONNECT[4:], 2, False, True, rid=True)
        connect, get = map(read_pdu, separate(packets.NOKIA_7210_BOTH))
        assert isinstance(connect, Invoke)
        assert isinstance(get, Invoke)
        assert (connect.tid, connect.data[0], get.tid, get.data[0]) == (1, 0x01, 2, 0x40)

    @given(st.lists(st.binary(min_size=3, max_size=300), min_size=2, max_size=5))
    def test_what_is_concatenated_is_separated_again(self, pdus: list[bytes]) -> None:
        assert separate(concatenate(pdus)) == pdus

    @pytest.mark.parametrize("datagram", [b"\0", b"\0\x80", b"\0\x05ab", b"\0\0\0", b"\0\xff\xff"])
    def test_what_is_cut_off_is_left_out(self, datagram: bytes) -> None:
        assert separate(datagram) == []

    @given(st.binary(max_size=40))
    def test_any_octets_are_read_or_refused(self, octets: bytes) -> None:
        for each in separate(octets):
            try:
                pdu = read_pdu(each)
            except WTPError:
                continue
            assert read_pdu(write_pdu(pdu)) == pdu

    @pytest.mark.parametrize(
        "octets",
        [b"", b"\x0e", b"\x0e\0\1", b"\x8e\0\1\2", b"\x8e\0\1\2\x0c\x09", b"\x78\0\1", b"\x38\0\1\5"],
    )
    def test_what_cannot_be_read_has_its_tid(self, octets: bytes) -> None:
        with pytest.raises(WTPError) as caught:
            read_pdu(octets)
        assert caught.value.tid == (1 if len(octets) >= 3 else None)


class TestTids:
    @pytest.mark.parametrize(
        ("received", "last", "newer"),
        [
            (5, 4, True),
            (5, 5, False),
            (4, 5, False),
            (0x4004, 4, True),
            (0x4005, 4, False),
            (4, 0x4004, True),
            (4, 0x4003, False),
        ],
    )
    def test_tables_7_and_8(self, received: int, last: int, newer: bool) -> None:
        assert is_newer(received, last) is newer

    def test_a_repeat_with_tidnew_wipes_nothing(self) -> None:
        tids = LastTids()
        assert tids.is_valid(PEER, 10, False, 0)
        assert not tids.is_valid(PEER, 3, True, 1)
        assert not tids.is_valid(PEER, 9, False, 2)
        assert tids.is_valid(PEER, 11, False, 3)

    def test_after_a_verification_without_tidnew_the_last_tid_stays(self) -> None:
        tids = LastTids()
        assert tids.is_valid(PEER, 10, False, 0)
        tids.verified(PEER, 3, False, 1)
        assert not tids.is_valid(PEER, 4, False, 1)
        tids.verified(PEER, 3, True, 1)
        assert tids.is_valid(PEER, 4, False, 1)

    def test_a_tid_is_forgotten_when_no_packet_can_live_any_more(self) -> None:
        tids = LastTids()
        assert tids.is_valid(PEER, 10, False, 0)
        assert not tids.is_valid(PEER, 10, False, MPL - 1)
        assert tids.is_valid(PEER, 10, False, MPL)


def test_every_action_and_condition_of_the_table_is_there() -> None:
    rows = [row for rows in TABLE.values() for row in rows]
    assert {action for row in rows for action in row.actions} == _ACTIONS.keys()
    assert {condition for row in rows for condition in row.conditions} <= _CONDITIONS.keys()
    # No state may be held without a timer, except one that waits for our own answer.
    timed = {
        TransactionState.TIDOK_WAIT: TransactionEvent.TIMER_W,
        TransactionState.RESULT_RESP_WAIT: TransactionEvent.TIMER_R,
        TransactionState.WAIT_TIMEOUT: TransactionEvent.TIMER_W,
    }
    timed |= {
        TransactionState.RECEIVING: TransactionEvent.TIMER_W,
        TransactionState.INVOKE_RESP_WAIT: TransactionEvent.TIMER_A,
        TransactionState.RESULT_WAIT: TransactionEvent.TIMER_A,
    }
    assert all(pair in TABLE for pair in timed.items())


class Net:
    """A responder with one initiator, and a clock that the test sets."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.responder = Responder(limits)
        self.now = 0.0

    def receive(self, *pdus: WtpPdu) -> list[WtpPdu]:
        for pdu in pdus:
            self.responder.receive(write_pdu(pdu), PEER, self.now)
        return self.sent()

    def sent(self) -> list[WtpPdu]:
        pdus = [read_pdu(octets) for _, octets in self.responder.datagrams]
        self.responder.datagrams.clear()
        return pdus

    def told(self) -> Sequence[object]:
        told = list(self.responder.indications)
        self.responder.indications.clear()
        return told

    def wait(self) -> float | None:
        """Let time pass to the next timer; return how long that was."""
        due = self.responder.due
        if due is None:
            return None
        passed, self.now = due - self.now, due
        self.responder.wake(self.now)
        return passed

    def reply(self, data: bytes, tid: int = 1, outgoing: Outgoing | None = None) -> list[WtpPdu]:
        self.responder.reply(PEER, tid, data, self.now, outgoing)
        return self.sent()


RESULT = Result(DIRECTION | 1, b"r")


class TestClass2:
    def test_a_transaction(self) -> None:
        net = Net()
        assert net.receive(Invoke(1, b"i")) == []
        assert net.told() == [InvokeIndication(PEER, 1, 2, b"i")]
        assert net.reply(b"r") == [RESULT]
        net.now = 0.4
        assert net.receive(Ack(1)) == []
        assert net.told() == [ResultConfirmation(PEER, 1)]
        assert (len(net.responder), net.responder.due) == (0, None)

    def test_a_hold_on_ack_comes_after_the_base_interval(self) -> None:
        net = Net()
        net.receive(Invoke(1, b"i"))
        net.responder.respond(PEER, 1, 0)
        assert net.wait() == timing.B_A
        assert net.sent() == [Ack(DIRECTION | 1)]
        assert net.wait() is None
        assert net.receive(Invoke(1, b"i")) == []
        assert net.receive(Invoke(1, b"i", rid=True)) == [Ack(DIRECTION | 1)]
        assert net.reply(b"r") == [RESULT]
        assert len(net.told()) == 1

    def test_a_result_is_repeated_until_it_is_given_up(self) -> None:
        net = Net()
        net.receive(Invoke(1, b"i"))
        net.reply(b"r")
        again = Result(DIRECTION | 1, b"r", rid=True)
        for _ in range(timing.RCR_MAX):
            assert net.wait() == timing.L_R
            assert net.sent() == [again]
        net.told()
        assert net.wait() == timing.L_R
        assert net.sent() == [Abort(DIRECTION | 1, Provider.UNKNOWN)]
        assert net.told() == [AbortIndication(PEER, 1, Provider.UNKNOWN, False)]
        assert len(net.responder) == 0

    def test_a_repeated_invoke_gets_its_result_at_once(self) -> None:
        net = Net()
        net.receive(Invoke(1, b"i"))
        net.reply(b"r")
        assert net.receive(Invoke(1, b"i")) == []
        assert net.receive(Invoke(1, b"i", rid=True)) == [Result(DIRECTION | 1, b"r", rid=True)]

    def test_round_trips_that_were_measured_shorten_the_interval(self) -> None:
        net = Net()
        net.receive(Invoke(1, b"i"))
        net.reply(b"r")
        net.now = 0.8
        net.receive(Ack(1), Invoke(2, b"i"))
        net.reply(b"r", 2)
        assert net.wait() == pytest.approx(0.8 + 4 * 0.4)
        assert net.wait() == pytest.approx(2 * 2.4)
        assert net.wait() == timing.L_R
        net.receive(Ack(2))  # after a repeat: not measured
        net.receive(Invoke(3, b"i"))
        net.reply(b"r" * 2048, 3)
        assert net.wait() == pytest.approx(2.4 + 2 * timing.M)

    def test_user_acknowledgement(self) -> None:
        net = Net()
        net.receive(Invoke(1, b"i", user_ack=True))
        for _ in range(timing.AEC_MAX):
            assert net.wait() == timing.B_A
            assert net.sent() == []
        assert net.receive(Invoke(1, b"i", user_ack=True, rid=True)) == []
        net.told()
        net.wait()
        assert net.sent() == [Abort(DIRECTION | 1, Provider.NORESPONSE)]
        assert net.told() == [AbortIndication(PEER, 1, Provider.UNKNOWN, False)]

    def test_without_user_acknowledgement_the_provider_holds_on(self) -> None:
        net = Net()
        net.receive(Invoke(1, b"i"))
        net.wait()
        assert net.sent() == [Ack(DIRECTION | 1)]

    @pytest.mark.parametrize("state", ["before", "replied"])
    def test_an_abort_ends_it_on_either_side(self, state: str) -> None:
        for ours in (True, False):
            net = Net()
            net.receive(Invoke(1, b"i"))
            if state == "replied":
                net.reply(b"r")
            net.told()
            if ours:
                net.responder.abort(PEER, 1, 0xE1, 0)
                assert net.sent() == [Abort(DIRECTION | 1, 0xE1, True)]
            else:
                assert net.receive(Abort(1, 0xE8, True)) == []
                assert net.told() == [AbortIndication(PEER, 1, 0xE8, True)]
            assert len(net.responder) == 0
            assert net.reply(b"late") == []

    def test_a_malformed_pdu_ends_its_transaction(self) -> None:
        net = Net()
        net.receive(Invoke(1, b"i"))
        net.responder.receive(b"\x8e\0\1\2\x0c\x09", PEER, 0)
        assert net.sent() == [Abort(DIRECTION | 1, Provider.PROTOERR)]
        net.responder.receive(b"\x98\0\7\x0f", PEER, 0)
        assert net.sent() == []

    @pytest.mark.parametrize(
        ("invoke", "reason"),
        [
            (Invoke(1, b"", version=1), Provider.WTPVERSIONONE),
            (Invoke(1, b"", 3), Provider.PROTOERR),
            (Invoke(1, b"x" * 65_537), Provider.MESSAGETOOLARGE),
        ],
    )
    def test_what_is_not_spoken_is_refused(self, invoke: Invoke, reason: Provider) -> None:
        assert Net().receive(invoke) == [Abort(DIRECTION | 1, reason)]

    def test_transactions_are_bounded(self) -> None:
        net = Net(Limits(transactions=3, per_host=2))
        assert net.receive(*(Invoke(tid, b"i") for tid in (1, 2))) == []
        assert net.receive(Invoke(3, b"i")) == [Abort(DIRECTION | 3, Provider.CAPTEMPEXCEEDED)]
        for port in (1, 2):
            net.responder.receive(write_pdu(Invoke(4, b"i")), Quadruplet(f"192.0.2.{port}", 1, 9201), 0)
        assert len(net.responder) == 3
        assert net.sent() == [Abort(DIRECTION | 4, Provider.CAPTEMPEXCEEDED)]

    def test_an_old_one_that_its_peer_leaves_goes_for_a_new_one(self) -> None:
        net = Net(Limits(transactions=3, per_host=2))
        net.receive(Invoke(1, b"i"), Invoke(2, b"i"))
        net.reply(b"r", 2)
        net.told()
        assert net.receive(Invoke(3, b"i")) == []
        assert net.told() == [ResultConfirmation(PEER, 2), InvokeIndication(PEER, 3, 2, b"i")]
        assert net.receive(Invoke(4, b"i")) == [Abort(DIRECTION | 4, Provider.CAPTEMPEXCEEDED)]

    def test_pdus_of_the_other_direction_are_harmless(self) -> None:
        net = Net()
        net.receive(Invoke(1, b"i"))
        net.reply(b"r")
        for octets in (
            b"\x18\x90\x00",
            b"\x18\x80\x01",
            b"\x21\x80\x01\xe1",
            b"\x16\x00\x01x",
            b"\x3f\x80\x01\0",
            b"\x36\x80\x01\0",
        ):
            net.responder.receive(octets, PEER, 0)
        assert net.sent() == []
        assert len(net.responder) == 1

    def test_an_unknown_tpi_is_answered_once(self) -> None:
        net = Net()
        net.receive(Invoke(1, b"i", tpis=((9, b"x"), (TpiType.OPTION, b"\x07"))))
        assert net.reply(b"r") == [Result(DIRECTION | 1, b"r", tpis=((TpiType.ERROR, b"\x19"),))]


class TestVerification:
    def _net(self) -> Net:
        net = Net()
        net.receive(Invoke(10, b"i"))
        net.reply(b"r", 10)
        net.receive(Ack(10))
        net.told()
        return net

    def test_an_old_tid_is_verified(self) -> None:
        net = self._net()
        assert net.receive(Invoke(9, b"i")) == [Ack(DIRECTION | 9, True)]
        assert net.told() == []
        assert net.receive(Invoke(9, b"i")) == []
        assert net.receive(Invoke(9, b"i", rid=True)) == [Ack(DIRECTION | 9, True)]
        assert net.receive(Ack(9, True)) == []
        assert net.told() == [InvokeIndication(PEER, 9, 2, b"i")]
        net.reply(b"r", 9)
        assert net.receive(Ack(9, True)) == []  # late, and no acknowledgement
        assert net.told() == []
        assert net.receive(Ack(9)) == []
        assert net.told() == [ResultConfirmation(PEER, 9)]

    def test_a_duplicate_of_what_is_over_is_never_executed_again(self) -> None:
        net = self._net()
        assert net.receive(Invoke(10, b"i", rid=True)) == [Ack(DIRECTION | 10, True)]
        assert net.receive(Abort(10, Provider.INVALIDTID)) == []
        assert (net.told(), len(net.responder)) == ([], 0)

    def test_nobody_waits_forever(self) -> None:
        net = self._net()
        net.receive(Invoke(10, b"i", new=True))
        assert net.wait() == timing.W
        assert (net.told(), len(net.responder)) == ([], 0)


class TestClasses0And1:
    def test_class_0_is_told_and_nothing_else(self) -> None:
        net = Net()
        assert net.receive(Invoke(1, b"i", 0)) == []
        assert net.told() == [InvokeIndication(PEER, 1, 0, b"i")]
        assert (len(net.responder), net.responder.due) == (0, None)

    @pytest.mark.parametrize("user", [False, True])
    def test_class_1_is_acknowledged_and_remembered(self, user: bool) -> None:
        net = Net()
        net.receive(Invoke(1, b"i", 1, user_ack=user))
        if user:
            assert net.wait() == timing.S_A_USER
            assert net.sent() == []
            net.responder.respond(PEER, 1, net.now)
        else:
            assert net.wait() == timing.S_A
        assert net.sent() == [Ack(DIRECTION | 1)]
        assert net.receive(Invoke(1, b"i", 1)) == []
        assert net.receive(Invoke(1, b"i", 1, rid=True)) == [Ack(DIRECTION | 1)]
        assert net.wait() == timing.W
        assert len(net.responder) == 0


class TestSegmentedInvoke:
    def _segments(self) -> tuple[WtpPdu, ...]:
        return (
            Invoke(1, b"a", gtr=False, ttr=False),
            Segment(1, 1, b"b", gtr=True),
            Segment(1, 2, b"c"),
            Segment(1, 3, b"d", ttr=True),
        )

    def test_groups_are_acknowledged(self) -> None:
        net = Net()
        first, second, third, fourth = self._segments()
        assert net.receive(first, second) == [Ack(DIRECTION | 1, tpis=(psn(1),))]
        assert net.receive(second) == [Ack(DIRECTION | 1, tpis=(psn(1),))]
        assert net.receive(third, fourth) == []
        assert net.told() == [InvokeIndication(PEER, 1, 2, b"abcd", sar=True)]
        assert net.receive(fourth) == [Ack(DIRECTION | 1, tpis=(psn(3),))]
        assert net.told() == []

    def test_missing_packets_are_asked_for(self) -> None:
        net = Net()
        first, second, third, fourth = self._segments()
        net.receive(first, second)
        assert net.receive(fourth) == []
        assert net.wait() == timing.M
        assert net.sent() == [Nack(DIRECTION | 1, (2,))]
        assert net.receive(third) == []
        assert len(net.told()) == 1

    @pytest.mark.parametrize("order", [(1, 0, 2, 3), (0, 2, 1, 3), (0, 1, 3, 2)])
    def test_order_does_not_matter(self, order: tuple[int, ...]) -> None:
        net = Net()
        segments = self._segments()
        net.receive(segments[0])
        for at in order:
            net.receive(segments[at])
        assert [each.data for each in net.told() if isinstance(each, InvokeIndication)] == [b"abcd"]

    def test_with_verification(self) -> None:
        net = Net()
        net.receive(Invoke(1, b"i"))
        net.reply(b"r")
        net.receive(Ack(1))
        net.told()
        first, second, third, fourth = self._segments()
        assert net.receive(first, second) == [Ack(DIRECTION | 1, True, tpis=(psn(1),))]
        assert net.receive(Ack(1, True), third, fourth) == []
        net.wait()
        assert net.sent() == [Ack(DIRECTION | 1, tpis=(psn(3),))]
        assert len(net.told()) == 1

    def test_it_is_bounded(self) -> None:
        net = Net(Limits(message=3, segmented=1))
        segments = self._segments()
        net.receive(*segments[:3])
        assert net.receive(segments[3]) == [Abort(DIRECTION | 1, Provider.MESSAGETOOLARGE)]
        net.receive(Invoke(5, b"a", gtr=False, ttr=False), Invoke(6, b"a", gtr=False, ttr=False))
        assert len(net.responder) == 1
        assert net.wait() == timing.W
        assert len(net.responder) == 0


class TestSegmentedResult:
    def _begun(self, octets: int, group: int | None = None) -> tuple[Net, list[WtpPdu]]:
        net = Net()
        net.receive(Invoke(1, b"i", gtr=False))
        return net, net.reply(b"", outgoing=Outgoing(bytes(octets), None, group))

    def test_groups(self) -> None:
        net, sent = self._begun(1400 * 5 + 1, 3000)
        assert [pdu.gtr for pdu in sent if isinstance(pdu, Result | Segment)] == [False, True]
        assert net.receive(Ack(1, tpis=(psn(0),))) == []
        sent = net.receive(
            Ack(1, tpis=(psn(1), (TpiType.OPTION, bytes((OptionTpi.MAXIMUM_GROUP, 0x10, 0x68)))))
        )
        assert [(pdu.number, pdu.gtr) for pdu in sent if isinstance(pdu, Segment)] == [
            (2, False),
            (3, False),
            (4, True),
        ]
        (last,) = net.receive(Ack(1, tpis=(psn(4),)))
        assert isinstance(last, Segment)
        assert (last.number, last.gtr, last.ttr, last.data) == (5, False, True, b"\0")
        assert net.receive(Ack(1, tpis=(psn(5),))) == []
        assert net.told()[-1] == ResultConfirmation(PEER, 1)

    def test_by_default_a_group_is_one_packet(self) -> None:
        _, sent = self._begun(3000)
        assert [len(pdu.data) for pdu in sent if isinstance(pdu, Result)] == [1400]

    def test_the_trailer_is_repeated_and_what_is_missing(self) -> None:
        net, sent = self._begun(1400 * 4, 4200)
        assert net.wait() == pytest.approx(timing.G_R + 4 * timing.M)
        (trailer,) = net.sent()
        assert isinstance(trailer, Segment)
        assert (trailer.number, trailer.rid, trailer.gtr) == (2, True, True)
        again = net.receive(Nack(1, (0, 1, 9)))
        assert [type(pdu) for pdu in again] == [Result, Segment]
        assert all(pdu.rid for pdu in again if isinstance(pdu, Result | Segment))
        assert len(net.receive(Nack(1))) == len(sent)

    def test_nacks_do_not_go_on_forever(self) -> None:
        net, _ = self._begun(1400 * 4, 4200)
        answered = [bool(net.receive(Nack(1))) for _ in range(timing.RCR_MAX + 2)]
        assert answered == [True] * timing.RCR_MAX + [False, False]

    def test_a_message_has_256_packets_at_most(self) -> None:
        assert largest_message(None, None) == 1400 * MOST_PACKETS
        assert len(Outgoing(bytes(1400 * MOST_PACKETS)).packets) == MOST_PACKETS
        with pytest.raises(ValueError, match="257 packets"):
            Outgoing(bytes(1400 * MOST_PACKETS + 1))
        assert len(Outgoing(bytes(1000), 100, 250).packets) == 10

    def test_both_sides_agree(self) -> None:
        for size, group in product((0, 1, 1400, 1401, 9999), (None, 100, 2800, 60_000)):
            out, incoming = Outgoing(bytes(range(256)) * (size // 256 + 1), None, group), Incoming(1 << 20)
            while True:
                for number in out.numbers():
                    assert incoming.add(
                        number, out.packets[number], number == out.last, number == len(out.packets) - 1
                    )
                assert incoming.missing() == ()
                assert incoming.complete() == out.last
                if out.is_last_group:
                    break
                out.advance()
            assert incoming.is_whole
            assert incoming.message() == bytes(range(256)) * (size // 256 + 1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(PDUS), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 255)), max_size=2)
        ),
        max_size=30,
    )
)
def test_nothing_that_comes_does_harm(mutated: list[tuple[WtpPdu, list[tuple[int, int]]]]) -> None:
    net = Net()
    for pdu, changes in mutated:
        octets = bytearray(write_pdu(pdu))
        octets[1] &= 0x7F
        for at, value in changes:
            octets[at % len(octets)] = value
        net.responder.receive(bytes(octets), PEER, net.now)
        for each in net.told():
            if isinstance(each, InvokeIndication) and each.tcl:
                net.responder.reply(PEER, each.tid, b"r" * 5000, net.now, Outgoing(b"r" * 5000))
    for _ in range(10_000):
        if net.wait() is None:
            break
    assert len(net.responder) == 0


@oracles.needs_tshark
def test_tshark_reads_what_we_write() -> None:
    written: list[WtpPdu] = [
        Invoke(1, b"\x40\x01/", tpis=((TpiType.OPTION, b"\x01\x05\x78"),)),
        Result(DIRECTION | 1, b"\x04\x20\x01\x83x", tpis=((TpiType.ERROR, b"\x19"),)),
        Invoke(2, b"\x60\x01\x01/\x83x", gtr=False, ttr=False),
        Segment(2, 1, b"y", ttr=True),
        *(pdu for pdu in PDUS if isinstance(pdu, Ack | Nack | Abort)),
    ]
    tree = oracles.tshark_datagrams([write_pdu(pdu) for pdu in written], 9201, "wtp")
    assert "alformed" not in tree
    assert tree.count("Wireless Transaction Protocol") == len(written)
    assert packet_number(()) is None
