"""The WTP responder: all transactions of all initiators.

Nothing here may read a clock or know WSP. `receive` takes a datagram, `wake` does what is due at `due`; what is to be
sent and reported is in `datagrams` and `indications` until it is taken. The number of transactions is limited, for each
host and overall. WAP-224.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import count, islice

from gateway.wap.quadruplet import Quadruplet
from gateway.wap.wtp import timing
from gateway.wap.wtp.indications import AbortIndication, Indication, InvokeIndication, ResultConfirmation
from gateway.wap.wtp.segmentation import Outgoing
from gateway.wap.wtp.tids import LastTids
from gateway.wap.wtp.transaction import Transaction
from gateway.wap.wtp.transitions import TransactionEvent, TransactionState
from gateway.wap.wtp.wtp_pdus import (
    DIRECTION,
    Abort,
    Ack,
    Invoke,
    Nack,
    Provider,
    Result,
    Segment,
    WTPError,
    WtpPdu,
    WtpPduType,
    read_pdu,
    separate,
    write_pdu,
)

TransactionKey = tuple[Quadruplet, int]

TIMERS = 256
"""How many timers that were stopped or restarted stay in the queue; if there are more, they are removed."""
LOOKED_AT = 32
"""Transactions that are examined, the oldest first, for one that may be dropped."""
_WAITING_FOR_PEER = (
    TransactionState.TIDOK_WAIT,
    TransactionState.RECEIVING,
    TransactionState.RESULT_RESP_WAIT,
    TransactionState.WAIT_TIMEOUT,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on transactions: overall, for one host, and with packets still to come; octets of an Invoke's message.

    `unverified`: octets of all messages that wait for verification; anybody can send these.
    """

    transactions: int = 4096
    per_host: int = 256
    segmented: int = 64
    message: int = 65_536
    unverified: int = 1 << 20


class Responder:
    """Answers the Invokes of initiators."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.intervals = timing.Intervals()
        self.datagrams: deque[tuple[Quadruplet, bytes]] = deque()
        self.indications: deque[Indication] = deque()
        # Ordered, so that its oldest ones are found at once.
        self._transactions: OrderedDict[TransactionKey, Transaction] = OrderedDict()
        self._by_host: dict[str, dict[TransactionKey, None]] = {}
        self._segmented: set[TransactionKey] = set()
        self._unverified: dict[Quadruplet, dict[int, Invoke]] = {}
        self._unverified_octets = 0
        self._tids = LastTids()
        self._timers: list[tuple[float, int, TransactionKey]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._transactions)

    # --- what transactions use ---

    def send(self, peer: Quadruplet, pdu: WtpPdu) -> None:
        """Send a PDU."""
        self.datagrams.append((peer, write_pdu(pdu)))

    def indicate(self, indication: Indication) -> None:
        """Tell the user."""
        self.indications.append(indication)

    def schedule(self, transaction: Transaction, at: float) -> None:
        """Wake a transaction at this time."""
        if len(self._timers) > 2 * len(self._transactions) + TIMERS:
            self._timers = [timer for timer in self._timers if self._is_running(timer)]
            heapq.heapify(self._timers)
        heapq.heappush(self._timers, (at, next(self._order), (transaction.peer, transaction.invoke.tid)))

    def _is_running(self, timer: tuple[float, int, TransactionKey]) -> bool:
        at, _, key = timer
        transaction = self._transactions.get(key)
        return transaction is not None and transaction.timer is not None and transaction.at == at

    def verified(self, transaction: Transaction, now: float) -> None:
        """Record that the initiator knows this transaction."""
        self._tids.verified(transaction.peer, transaction.invoke.tid, transaction.invoke.new, now)

    # --- the network ---

    def receive(self, datagram: bytes, peer: Quadruplet, now: float) -> None:
        """Take a datagram, with one PDU or several."""
        for octets in separate(datagram):
            try:
                pdu = read_pdu(octets)
            except WTPError as error:
                self._malformed(error, peer, now)
            else:
                # With the direction bit it would be the answer to an Invoke of ours, but we send none.
                if not pdu.tid & DIRECTION and not isinstance(pdu, Result):
                    self._dispatch(pdu, peer, now)

    def _malformed(self, error: WTPError, peer: Quadruplet, now: float) -> None:
        if error.tid is None or error.tid & DIRECTION:
            return
        known = self._transactions.get((peer, error.tid))
        if known is not None:
            self._handle(known, TransactionEvent.RCV_ERROR, now)
        elif error.kind == WtpPduType.INVOKE:
            self.send(peer, Abort(error.tid ^ DIRECTION, Provider.PROTOERR))

    def _dispatch(self, pdu: WtpPdu, peer: Quadruplet, now: float) -> None:
        known = self._transactions.get((peer, pdu.tid))
        if isinstance(pdu, Invoke):
            if known is None:
                self._begin(pdu, peer, now)
            elif known.state is TransactionState.RECEIVING:
                known.packet(0, pdu.data, pdu.gtr, pdu.ttr, now)
            else:
                known.handle(TransactionEvent.RCV_INVOKE, now, pdu)
        elif known is None:
            return
        elif isinstance(pdu, Ack):
            known.acknowledged(pdu, now)
        elif isinstance(pdu, Segment) and not pdu.result:
            known.packet(pdu.number, pdu.data, pdu.gtr, pdu.ttr, now)
        elif isinstance(pdu, Abort):
            known.handle(TransactionEvent.RCV_ABORT, now, pdu)
        elif isinstance(pdu, Nack):
            known.handle(TransactionEvent.RCV_NACK, now, pdu)
        self._note_state(peer, pdu.tid)

    def _begin(self, invoke: Invoke, peer: Quadruplet, now: float) -> None:
        refusal = None
        if invoke.version:
            refusal = Provider.WTPVERSIONONE
        elif invoke.tcl > 2:
            refusal = Provider.PROTOERR
        elif len(invoke.data) > self.limits.message:
            refusal = Provider.MESSAGETOOLARGE
        elif invoke.tcl == 0:
            self.indicate(InvokeIndication(peer, invoke.tid, 0, invoke.data))
            return
        elif not self._has_room(peer.host):
            refusal = Provider.CAPTEMPEXCEEDED
        elif not invoke.ttr and len(self._segmented) >= self.limits.segmented:
            return  # WAP-224 table 37
        if refusal is not None:
            self.send(peer, Abort(invoke.tid ^ DIRECTION, refusal))
            return
        is_valid = self._tids.is_valid(peer, invoke.tid, invoke.new, now)
        if not is_valid and self._unverified_octets + len(invoke.data) > self.limits.unverified:
            self.send(peer, Abort(invoke.tid ^ DIRECTION, Provider.CAPTEMPEXCEEDED))
            return
        transaction = Transaction(self, peer, invoke, is_valid)
        self._transactions[peer, invoke.tid] = transaction
        self._by_host.setdefault(peer.host, {})[peer, invoke.tid] = None
        if not invoke.ttr:
            self._segmented.add((peer, invoke.tid))
        transaction.begin(now, self.limits.message)

    def _has_room(self, host: str) -> bool:
        """Return whether there is room for another transaction; an old one that waits for its peer makes room for it.

        Otherwise a flood would fill the table with transactions that nobody answers.
        """
        own = self._by_host.get(host, {})
        keys: Iterable[TransactionKey]
        if len(own) >= self.limits.per_host:
            keys = own
        elif len(self._transactions) >= self.limits.transactions:
            keys = self._transactions
        else:
            return True
        for key in list(islice(keys, LOOKED_AT)):
            transaction = self._transactions[key]
            if transaction.state in _WAITING_FOR_PEER:
                if transaction.state is TransactionState.RESULT_RESP_WAIT:
                    self.indicate(ResultConfirmation(*key))
                else:  # what was waiting for verification no longer is
                    self.indicate(AbortIndication(*key, Provider.CAPTEMPEXCEEDED, False))
                transaction.state = TransactionState.LISTEN
                self._note_state(*key)
                return True
        return False

    # --- time ---

    @property
    def due(self) -> float | None:
        """When `wake` has something to do, None for never."""
        while self._timers:
            if self._is_running(self._timers[0]):
                return self._timers[0][0]
            heapq.heappop(self._timers)
        return None

    def wake(self, now: float) -> None:
        """Handle expired timers."""
        while (at := self.due) is not None and at <= now:
            _, _, key = heapq.heappop(self._timers)
            self._transactions[key].wake(now)
            self._note_state(*key)

    # --- the user ---

    def respond(self, peer: Quadruplet, tid: int, now: float) -> None:
        """TR-Invoke.res: the user has taken the message."""
        transaction = self._transactions.get((peer, tid))
        if transaction is not None:
            self._handle(transaction, TransactionEvent.INVOKE_RES, now)

    def reply(
        self, peer: Quadruplet, tid: int, data: bytes, now: float, outgoing: Outgoing | None = None
    ) -> None:
        """TR-Result.req: send the result, in one packet or in those of `outgoing`."""
        transaction = self._transactions.get((peer, tid))
        if transaction is not None:
            transaction.reply(data, outgoing, now)

    def abort(self, peer: Quadruplet, tid: int, reason: int, now: float) -> None:
        """TR-Abort.req: end a transaction, for the user's reason."""
        transaction = self._transactions.get((peer, tid))
        if transaction is not None:
            transaction.abort(reason, now)
            self._note_state(peer, tid)

    def acknowledge(self, peer: Quadruplet, tid: int, now: float) -> bool:
        """Record that the initiator has the result, as something else it sent shows; return whether that ends it.

        It does not while packets of the result are still to be sent.
        """
        transaction = self._transactions.get((peer, tid))
        if transaction is None or transaction.state is not TransactionState.RESULT_RESP_WAIT:
            return False
        if transaction.outgoing is not None and not transaction.outgoing.is_last_group:
            return False
        transaction.acknowledged(Ack(tid), now)
        self._note_state(peer, tid)
        return True

    def unverified(self, peer: Quadruplet) -> Collection[Invoke]:
        """Return the Invokes of a peer that wait for verification."""
        return self._unverified.get(peer, {}).values()

    def _handle(self, transaction: Transaction, event: TransactionEvent, now: float) -> None:
        transaction.handle(event, now)
        self._note_state(transaction.peer, transaction.invoke.tid)

    def _note_state(self, peer: Quadruplet, tid: int) -> None:
        """Record the new state of a transaction; forget it if it is over."""
        transaction = self._transactions.get((peer, tid))
        if transaction is None:
            return
        state = transaction.state
        if state is TransactionState.TIDOK_WAIT or peer in self._unverified:
            self._note_unverified(
                peer, tid, transaction.invoke if state is TransactionState.TIDOK_WAIT else None
            )
        if state is not TransactionState.RECEIVING:
            self._segmented.discard((peer, tid))
        if state is TransactionState.LISTEN:
            del self._transactions[peer, tid]
            del self._by_host[peer.host][peer, tid]
            if not self._by_host[peer.host]:
                del self._by_host[peer.host]

    def _note_unverified(self, peer: Quadruplet, tid: int, invoke: Invoke | None) -> None:
        known = self._unverified.setdefault(peer, {})
        before = known.pop(tid, None)
        if invoke is not None:
            known[tid] = invoke
        elif not known:
            del self._unverified[peer]
        self._unverified_octets += len(invoke.data if invoke else b"") - len(before.data if before else b"")
