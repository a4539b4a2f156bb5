"""One transaction of the responder: it does what the table says.

Nothing here may decide by itself what an event does (`transitions` does), or know another transaction. Seconds come in;
PDUs and indications go out through the responder. WAP-224 §9.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Final, Protocol

from gateway.wap.quadruplet import Quadruplet
from gateway.wap.wtp import timing
from gateway.wap.wtp.indications import (
    AbortIndication,
    Indication,
    InvokeIndication,
    ResultConfirmation,
)
from gateway.wap.wtp.segmentation import Incoming, Outgoing
from gateway.wap.wtp.transitions import (
    TABLE,
    Condition,
    TransactionAction,
    TransactionEvent,
    TransactionState,
)
from gateway.wap.wtp.wtp_pdus import (
    DIRECTION,
    Abort,
    Ack,
    Invoke,
    Nack,
    OptionTpi,
    Provider,
    Result,
    Segment,
    Tpi,
    WtpPdu,
    errors_of,
    option,
    packet_number,
    psn,
)


class Surroundings(Protocol):
    """What a transaction needs of its responder."""

    intervals: timing.Intervals

    def send(self, peer: Quadruplet, pdu: WtpPdu) -> None:
        """Send a PDU."""

    def indicate(self, indication: Indication) -> None:
        """Tell the user."""

    def schedule(self, transaction: Transaction, at: float) -> None:
        """Wake a transaction at this time."""

    def verified(self, transaction: Transaction, now: float) -> None:
        """Record that the initiator knows this transaction."""


class Timer(Enum):
    """What the timer of a transaction was started for."""

    A = "A"
    R = "R"
    W = "W"
    NACK = "NACK"


_TIMER_EVENTS: Final = {
    Timer.A: TransactionEvent.TIMER_A,
    Timer.R: TransactionEvent.TIMER_R,
    Timer.W: TransactionEvent.TIMER_W,
}


class Transaction:
    """The state of one transaction of class 1 or 2."""

    __slots__ = (
        "_around", "_due", "_sent_at", "ack_sent", "aec", "at", "errors", "incoming", "invoke", "outgoing", "peer",
        "rcr", "result", "state", "tid_is_valid", "timer",
    )  # fmt: skip

    def __init__(self, around: Surroundings, peer: Quadruplet, invoke: Invoke, tid_is_valid: bool) -> None:
        self._around = around
        self.peer, self.invoke = peer, invoke
        self.tid_is_valid = tid_is_valid
        self.state = TransactionState.LISTEN
        self.timer: Timer | None = None
        self.at = 0.0
        self.rcr = self.aec = 0
        self.ack_sent = False
        self.errors = errors_of(invoke.tpis)
        self.incoming: Incoming | None = None
        self.outgoing: Outgoing | None = None
        self.result = b""
        self._due: tuple[int, bool] = (0, False)
        self._sent_at: float | None = None

    # --- what happens ---

    def handle(self, event: TransactionEvent, now: float, pdu: WtpPdu | None = None) -> None:
        """Handle an event as the table says."""
        for row in TABLE.get((self.state, event), ()):
            if all(_CONDITIONS[condition](self, pdu) for condition in row.conditions):
                for action in row.actions:
                    _ACTIONS[action](self, now, pdu)
                self.state = row.next or self.state
                return

    def begin(self, now: float, limit: int) -> None:
        """Take the Invoke that began this transaction. `limit`: the most octets of its message."""
        if self.invoke.ttr:
            self.handle(TransactionEvent.RCV_INVOKE, now, self.invoke)
            return
        self.state = TransactionState.RECEIVING
        self.incoming = Incoming(limit)
        self.packet(0, self.invoke.data, self.invoke.gtr, False, now)

    def packet(self, number: int, data: bytes, gtr: bool, ttr: bool, now: float) -> None:
        """Take a packet of a segmented Invoke."""
        if self.state is not TransactionState.RECEIVING or self.incoming is None:
            if ttr and self.incoming is not None:  # our Ack of it was lost
                self._acknowledge_group()
            return
        if not self.incoming.add(number, data, gtr, ttr):
            self._around.send(self.peer, Abort(self._tid, Provider.MESSAGETOOLARGE))
            self.state = TransactionState.LISTEN
            return
        self._start(Timer.W, timing.W, now)
        if not self.incoming.waits_for_group:
            if gtr:  # again, so our Ack was lost
                self._acknowledge_group()
        elif self.incoming.missing():
            self._start(Timer.NACK, self._around.intervals.half_trip(self.peer.host), now)
        else:
            self._group_complete(now)

    def _group_complete(self, now: float) -> None:
        assert self.incoming is not None
        self.incoming.complete()
        if not self.incoming.is_whole:
            self._acknowledge_group()
            return
        message = self.incoming.message()
        self.invoke = replace(self.invoke, data=message, gtr=False, ttr=True)
        self.state = TransactionState.LISTEN
        # The last group is acknowledged by the Result, or by the hold-on Ack. QUIRK: after an Ack of it, fakewap takes
        # the Result for another Ack, and never ends.
        self.handle(TransactionEvent.RCV_INVOKE, now, self.invoke)

    def _acknowledge_group(self) -> None:
        assert self.incoming is not None
        verify = not self.tid_is_valid  # of the first group (§10.6.3)
        self._send_ack(verify, (psn(self.incoming.acknowledged),))

    def wake(self, now: float) -> None:
        """Handle the expiration of the timer."""
        timer, self.timer = self.timer, None
        if timer is Timer.NACK and self.incoming is not None:
            missing = self.incoming.missing()
            if missing:
                self._around.send(self.peer, Nack(self._tid, missing))
            self._start(Timer.W, timing.W, now)
        elif timer is not None and timer is not Timer.NACK:
            self.handle(_TIMER_EVENTS[timer], now)

    def acknowledged(self, ack: Ack, now: float) -> None:
        """Take an Ack."""
        if self.state is TransactionState.RECEIVING:
            if ack.verify and not self.tid_is_valid:
                self.tid_is_valid = True
                self._around.verified(self, now)
            return
        out = self.outgoing
        if self.state is not TransactionState.RESULT_RESP_WAIT or ack.verify:
            self.handle(TransactionEvent.RCV_ACK, now, ack)
            return
        number = packet_number(ack.tpis)
        if out is not None and number is not None and number < out.last:
            return  # of a group before this one
        self._measure(now)
        is_last = out is None or out.is_last_group
        self.handle(TransactionEvent.RCV_ACK if is_last else TransactionEvent.RCV_GROUP_ACK, now, ack)

    def reply(self, data: bytes, outgoing: Outgoing | None, now: float) -> None:
        """Take the result, in one packet or in several."""
        self.result, self.outgoing = data, outgoing
        self.handle(TransactionEvent.RESULT_REQ, now)

    # --- what the table's actions do ---

    @property
    def _tid(self) -> int:
        return self.invoke.tid ^ DIRECTION

    def _start(self, timer: Timer, seconds: float, now: float) -> None:
        self.timer, self.at = timer, now + seconds
        self._around.schedule(self, self.at)

    def start_a(self, now: float, pdu: WtpPdu | None) -> None:
        """Start the timer with the acknowledgement interval: that of the hold-on Ack, or of a last Ack (class 1)."""
        user = self.invoke.user_ack
        last = timing.S_A_USER if user else timing.S_A
        self._start(Timer.A, timing.B_A if self.invoke.tcl == 2 else last, now)

    def start_r(self, now: float, pdu: WtpPdu | None) -> None:
        """Start the timer with the retry interval."""
        out = self.outgoing
        standard = timing.L_R if out is None or out.is_last_group else timing.G_R
        octets = len(self.result) if out is None else sum(len(out.packets[at]) for at in out.numbers())
        self._start(Timer.R, self._around.intervals.retry(self.peer.host, standard, octets, self.rcr), now)

    def start_w(self, now: float, pdu: WtpPdu | None) -> None:
        """Start the timer with the wait timeout interval."""
        self._start(Timer.W, timing.W, now)

    def stop(self, now: float, pdu: WtpPdu | None) -> None:
        """Stop the timer."""
        self.timer = None

    def indicate_invoke(self, now: float, pdu: WtpPdu | None) -> None:
        """Tell the user about the message."""
        invoke = self.invoke
        sar = not (invoke.gtr and invoke.ttr)
        unit = option(invoke.tpis, OptionTpi.MAXIMUM_RECEIVE_UNIT)
        group = option(invoke.tpis, OptionTpi.MAXIMUM_GROUP)
        self._around.indicate(
            InvokeIndication(self.peer, invoke.tid, invoke.tcl, invoke.data, sar, unit, group)
        )
        self.invoke = replace(invoke, data=b"")  # nobody needs it again

    def indicate_abort(self, now: float, pdu: WtpPdu | None) -> None:
        """Tell the user that it is over."""
        reason, user = (pdu.reason, pdu.user) if isinstance(pdu, Abort) else (Provider.UNKNOWN, False)
        self._around.indicate(AbortIndication(self.peer, self.invoke.tid, reason, user))

    def confirm_result(self, now: float, pdu: WtpPdu | None) -> None:
        """Tell the user that the result has arrived."""
        self._around.indicate(ResultConfirmation(self.peer, self.invoke.tid))

    def take_verified(self, now: float, pdu: WtpPdu | None) -> None:
        """Record that the initiator has this transaction."""
        self.tid_is_valid = True
        self._around.verified(self, now)

    def send_ack(self, now: float, pdu: WtpPdu | None) -> None:
        """Acknowledge."""
        self.ack_sent = True
        self._send_ack(False, self._of_packets())

    def send_tidve(self, now: float, pdu: WtpPdu | None) -> None:
        """Ask whether the initiator has this transaction."""
        self._send_ack(True, self._of_packets())

    def _of_packets(self) -> tuple[Tpi, ...]:
        return (psn(self.incoming.acknowledged),) if self.incoming is not None else ()

    def _send_ack(self, verify: bool, tpis: tuple[Tpi, ...]) -> None:
        self._around.send(self.peer, Ack(self._tid, verify, tpis=tpis + self.errors))
        self.errors = ()

    def send_result(self, now: float, pdu: WtpPdu | None) -> None:
        """Send the result, or the current group of its packets."""
        self._sent_at = now
        self._send_packets(self.outgoing.numbers() if self.outgoing else [0], rid=False)

    def send_next_group(self, now: float, pdu: WtpPdu | None) -> None:
        """Send the group after the one that was acknowledged."""
        assert self.outgoing is not None
        self.outgoing.advance(option(pdu.tpis, OptionTpi.MAXIMUM_GROUP) if isinstance(pdu, Ack) else None)
        self.send_result(now, pdu)

    def send_trailer(self, now: float, pdu: WtpPdu | None) -> None:
        """Resend the result, or the last packet of the current group (§7.14.3)."""
        self._sent_at = None
        self._send_packets([self.outgoing.last] if self.outgoing else [0], rid=True)

    def send_missing(self, now: float, pdu: WtpPdu | None) -> None:
        """Resend what a Nack names."""
        self._sent_at = None
        if self.outgoing is None:
            self._send_packets([0], rid=True)
        elif isinstance(pdu, Nack):
            self._send_packets(self.outgoing.numbers(pdu.missing), rid=True)

    def _send_packets(self, numbers: list[int], *, rid: bool) -> None:
        out = self.outgoing
        if out is None:
            self._around.send(self.peer, Result(self._tid, self.result, rid=rid, tpis=self.errors))
            return
        for number in numbers:
            ttr = number == len(out.packets) - 1
            gtr = number == out.last and not ttr
            pdu: WtpPdu = Segment(self._tid, number, out.packets[number], True, gtr, ttr, rid)
            if number == 0:
                pdu = Result(self._tid, out.packets[0], gtr, ttr, rid, self.errors)
            self._around.send(self.peer, pdu)

    def _measure(self, now: float) -> None:
        """Measure the round trip, if what was acknowledged was sent once (Karn's algorithm, RFC 6298 §3)."""
        if self._sent_at is not None:
            self._around.intervals.measured(self.peer.host, now - self._sent_at)
            self._sent_at = None

    def send_abort(self, reason: int, *, user: bool = False) -> None:
        """Tell the initiator that it is over."""
        self._around.send(self.peer, Abort(self._tid, reason, user))

    def abort(self, reason: int, now: float) -> None:
        """End the transaction, for WSP's reason."""
        self._due = (reason, True)
        self.handle(TransactionEvent.ABORT_REQ, now)

    def send_due_abort(self, now: float, pdu: WtpPdu | None) -> None:
        """Send the Abort that the user wants."""
        self.send_abort(self._due[0], user=True)

    def reset_rcr(self, now: float, pdu: WtpPdu | None) -> None:
        """Reset the retransmission counter."""
        self.rcr = 0

    def increment_rcr(self, now: float, pdu: WtpPdu | None) -> None:
        """Count a retransmission."""
        self.rcr += 1

    def increment_aec(self, now: float, pdu: WtpPdu | None) -> None:
        """Count an expiration of the acknowledgement interval."""
        self.aec += 1


def _sends(reason: Provider) -> Callable[[Transaction, float, WtpPdu | None], None]:
    return lambda transaction, now, pdu: transaction.send_abort(reason)


_CONDITIONS: Final[dict[Condition, Callable[[Transaction, WtpPdu | None], bool]]] = {
    Condition.CLASS_1: lambda transaction, pdu: transaction.invoke.tcl == 1,
    Condition.CLASS_2: lambda transaction, pdu: transaction.invoke.tcl == 2,
    Condition.VALID_TID: lambda transaction, pdu: transaction.tid_is_valid,
    Condition.USER_ACK: lambda transaction, pdu: transaction.invoke.user_ack,
    Condition.TIDOK: lambda transaction, pdu: isinstance(pdu, Ack) and pdu.verify,
    Condition.RID: lambda transaction, pdu: isinstance(pdu, Invoke | Ack) and pdu.rid,
    Condition.ACK_SENT: lambda transaction, pdu: transaction.ack_sent,
    Condition.AEC_LEFT: lambda transaction, pdu: transaction.aec < timing.AEC_MAX,
    Condition.RCR_LEFT: lambda transaction, pdu: transaction.rcr < timing.RCR_MAX,
}
_ACTIONS: Final[dict[TransactionAction, Callable[[Transaction, float, WtpPdu | None], None]]] = {
    TransactionAction.INDICATE_INVOKE: Transaction.indicate_invoke,
    TransactionAction.INDICATE_ABORT: Transaction.indicate_abort,
    TransactionAction.CONFIRM_RESULT: Transaction.confirm_result,
    TransactionAction.VERIFIED: Transaction.take_verified,
    TransactionAction.SEND_ACK: Transaction.send_ack,
    TransactionAction.SEND_ACK_TIDVE: Transaction.send_tidve,
    TransactionAction.SEND_RESULT: Transaction.send_result,
    TransactionAction.SEND_TRAILER: Transaction.send_trailer,
    TransactionAction.SEND_NEXT_GROUP: Transaction.send_next_group,
    TransactionAction.SEND_MISSING: Transaction.send_missing,
    TransactionAction.SEND_ABORT_USER: Transaction.send_due_abort,
    TransactionAction.SEND_ABORT_PROTOERR: _sends(Provider.PROTOERR),
    TransactionAction.SEND_ABORT_NORESPONSE: _sends(Provider.NORESPONSE),
    TransactionAction.SEND_ABORT_UNKNOWN: _sends(Provider.UNKNOWN),
    TransactionAction.START_A: Transaction.start_a,
    TransactionAction.START_R: Transaction.start_r,
    TransactionAction.START_W: Transaction.start_w,
    TransactionAction.STOP: Transaction.stop,
    TransactionAction.RESET_RCR: Transaction.reset_rcr,
    TransactionAction.INCREMENT_RCR: Transaction.increment_rcr,
    TransactionAction.INCREMENT_AEC: Transaction.increment_aec,
}
