"""A phone's side of WAP, small: one session or none, and requests, sans I/O.

Nothing here may open a socket or read a clock. It is the phone in the tests: it repeats what is not answered,
acknowledges, verifies its TIDs, and reassembles segments. WAP-224 §9.5; WAP-230 §7.1.6.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from gateway.wap import wsp
from gateway.wap.wtp import timing
from gateway.wap.wtp.segmentation import Incoming, Outgoing
from gateway.wap.wtp.wtp_pdus import (
    DIRECTION,
    TID_SPACE,
    Abort,
    Ack,
    Invoke,
    Nack,
    Provider,
    Result,
    Segment,
    WTPError,
    WtpPdu,
    concatenate,
    packet_number,
    psn,
    read_pdu,
    separate,
    write_pdu,
)

LARGEST: Final = 1 << 20
"""The most octets of a reply that are accepted."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came for a request: a PDU, or the reason of an abort (WSP's begin at 0xE0), -1 for nothing at all."""

    tid: int
    pdu: wsp.WspPdu | None
    abort: int = 0


@dataclass(slots=True)
class _Outstanding:
    invoke: Invoke
    at: float
    outgoing: Outgoing | None = None
    incoming: Incoming = field(default_factory=lambda: Incoming(LARGEST))
    repeats: int = 0
    verified: bool = False
    held_on: bool = False
    done: bool = False


class Initiator:
    """One phone: `invoke` begins, and the five methods of an endpoint do the rest."""

    def __init__(self, *, tid: int = 0, sar: bool = False, user_ack: bool = True) -> None:
        self.sar, self._user_ack = sar, user_ack
        self._tid = tid
        self._transactions: dict[int, _Outstanding] = {}
        self._events: deque[Answer] = deque()
        self._out: deque[bytes] = deque()
        self._held: list[bytes] = []
        self.log: deque[tuple[str, WtpPdu]] = deque(maxlen=1000)
        """What was sent (">") and received ("<"), for those who look on."""

    def invoke(self, data: bytes, now: float, *, tcl: int = 2, new: bool = False, hold: bool = False) -> int:
        """Send a message; return its TID. With `hold` it goes into the next datagram."""
        self._tid = (self._tid + 1) % TID_SPACE
        outgoing = Outgoing(data) if self.sar and len(data) > 1400 else None
        first = outgoing.packets[0] if outgoing else data
        ttr = outgoing is None or len(outgoing.packets) == 1
        invoke = Invoke(
            self._tid, first, tcl, new, self._user_ack and tcl > 0, 0, not self.sar or not ttr, ttr
        )
        if tcl:
            self._transactions[self._tid] = _Outstanding(invoke, now + timing.B_R, outgoing)
        self._send(invoke, hold=hold)
        return self._tid

    def receive_datagram(self, data: bytes, now: float) -> None:
        """Take a datagram."""
        for octets in separate(data):
            try:
                pdu = read_pdu(octets)
            except WTPError:
                continue
            if pdu.tid & DIRECTION and not isinstance(pdu, Invoke):
                self.log.append(("<", pdu))
                self._dispatch(pdu, now)

    def datagrams_to_send(self, now: float) -> list[bytes]:
        """Return what is to be sent."""
        out = list(self._out)
        self._out.clear()
        return out

    def get_timer(self) -> float | None:
        """Return when `handle_timer` is to be called, None for never."""
        return min((each.at for each in self._transactions.values()), default=None)

    def handle_timer(self, now: float) -> None:
        """Handle what is due at this time."""
        for tid, each in tuple(self._transactions.items()):
            if each.at > now:
                continue
            if each.done:
                del self._transactions[tid]
            elif each.repeats == timing.RCR_MAX:
                self._over(tid, Answer(tid, None, -1), now)
            else:
                each.repeats += 1
                each.at = now + timing.B_R
                if not each.held_on:
                    self._repeat(each)

    def next_event(self) -> Answer | None:
        """Return the next answer, None if there is none."""
        return self._events.popleft() if self._events else None

    def _repeat(self, each: _Outstanding) -> None:
        tid = each.invoke.tid
        if each.verified:
            self._send(Ack(tid, True, True))
        elif each.outgoing is not None and each.outgoing.last > 0:
            self._send_packets(each, [each.outgoing.last], rid=True)
        else:
            first = each.invoke
            self._send(
                Invoke(tid, first.data, first.tcl, first.new, first.user_ack, 0, first.gtr, first.ttr, True)
            )

    def _dispatch(self, pdu: WtpPdu, now: float) -> None:
        tid = pdu.tid ^ DIRECTION
        each = self._transactions.get(tid)
        if each is None or each.done:
            if isinstance(pdu, Ack) and pdu.verify:
                self._send(Abort(tid, Provider.INVALIDTID))
            elif each is not None and isinstance(pdu, Result | Segment) and (pdu.gtr or pdu.ttr):
                self._acknowledge(each, pdu)
            return
        match pdu:
            case Ack():
                self._acked(each, pdu, now)
            case Nack() if each.outgoing is not None:
                self._send_packets(each, each.outgoing.numbers(pdu.missing), rid=True)
            case Abort():
                self._over(tid, Answer(tid, None, pdu.reason), now)
            case Result() | Segment():
                self._packet(each, pdu, now)

    def _acked(self, each: _Outstanding, ack: Ack, now: float) -> None:
        tid = each.invoke.tid
        each.at = now + timing.B_R
        if ack.verify:
            each.verified = True
            self._send(Ack(tid, True))
        out = each.outgoing
        if out is not None and packet_number(ack.tpis) == out.last and not out.is_last_group:
            out.advance()
            each.verified = False
            self._send_packets(each, out.numbers())
        elif not ack.verify:
            each.held_on = True
            each.repeats = 0
            if each.invoke.tcl == 1:
                self._over(tid, Answer(tid, None), now)

    def _packet(self, each: _Outstanding, pdu: Result | Segment, now: float) -> None:
        number = pdu.number if isinstance(pdu, Segment) else 0
        each.held_on, each.at = True, now + 10 * timing.L_R
        if not each.incoming.add(number, pdu.data, pdu.gtr, pdu.ttr):
            self._send(Abort(each.invoke.tid, Provider.MESSAGETOOLARGE))
            self._over(each.invoke.tid, Answer(each.invoke.tid, None, Provider.MESSAGETOOLARGE), now)
            return
        if each.incoming.missing():
            self._send(Nack(each.invoke.tid, each.incoming.missing()))
        elif each.incoming.waits_for_group or pdu.gtr or pdu.ttr:
            each.incoming.complete()
            self._acknowledge(each, pdu)
            if each.incoming.is_whole:
                message = each.incoming.message()
                try:
                    answer = Answer(each.invoke.tid, wsp.read_pdu(message))
                except wsp.WSPError:
                    answer = Answer(each.invoke.tid, None, wsp.AbortReason.PROTOERR)
                self._over(each.invoke.tid, answer, now)

    def _acknowledge(self, each: _Outstanding, pdu: Result | Segment) -> None:
        if each.incoming.acknowledged < 0:  # it was aborted before a group was complete
            return
        segmented = isinstance(pdu, Segment) or not pdu.ttr
        tpis = (psn(each.incoming.acknowledged),) if segmented else ()
        self._send(Ack(each.invoke.tid, tpis=tpis))

    def _over(self, tid: int, answer: Answer, now: float) -> None:
        each = self._transactions[tid]
        each.done, each.at = True, now + timing.W
        self._events.append(answer)

    def _send_packets(self, each: _Outstanding, numbers: list[int], *, rid: bool = False) -> None:
        out = each.outgoing
        assert out is not None
        for number in numbers:
            ttr = number == len(out.packets) - 1
            gtr = number == out.last and not ttr
            if number == 0:
                first = each.invoke
                self._send(
                    Invoke(first.tid, first.data, first.tcl, first.new, first.user_ack, 0, gtr, ttr, rid)
                )
            else:
                self._send(Segment(each.invoke.tid, number, out.packets[number], False, gtr, ttr, rid))

    def _send(self, pdu: WtpPdu, *, hold: bool = False) -> None:
        self.log.append((">", pdu))
        octets = write_pdu(pdu)
        if self._held:
            octets = concatenate([*self._held, octets])
            self._held.clear()
        if hold:
            self._held.append(octets)
        else:
            self._out.append(octets)
