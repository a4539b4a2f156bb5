"""The server's side of WAP: datagrams in, requests out, replies in, datagrams out.

Nothing here may open a socket, read a clock, start a thread or draw a number. `receive_datagram` and `handle_timer`
take what happens, `next_event` and `datagrams_to_send` return what follows from it, `get_timer` says when the next
timer is due, and `reply` answers a request. WAP-230 §7 (sessions, and requests without one), over `wtp`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from gateway.wap import wsp
from gateway.wap.pending_requests import Pending, PendingRequests, largest_reply
from gateway.wap.quadruplet import Quadruplet
from gateway.wap.requests import Cancelled, Delivered, RequestEvent
from gateway.wap.wsp.assigned import METHODS, USUAL, AbortReason, WspPduType
from gateway.wap.wsp.capabilities import DEFAULT_SDU, RESUME, Terms, negotiate
from gateway.wap.wsp.headers import Headers, encoding_version, version_header
from gateway.wap.wsp_sessions import HEADERS, WspSession, WspSessions
from gateway.wap.wtp import (
    AbortIndication,
    Indication,
    InvokeIndication,
    Limits,
    Responder,
    ResultConfirmation,
)
from gateway.wap.wtp.segmentation import Outgoing, packet_size

CONNECTIONLESS_PORT = 9200
SUPPORTED = Terms(client_sdu=0, server_sdu=65_536, options=RESUME, methods=4, pushes=1)
"""The most that a session may agree on. What phones send beyond their server SDU is still read, so no text is lost."""
SESSIONS = 20_000
SESSIONS_PER_HOST = 15_000
"""Sessions of one host: a phone has one, but all phones behind a network address translator look like one host."""
IDLE = 12 * 3600.0
"""Seconds without a request before a session is dropped."""
HELD = 64
"""How many addresses may have requests waiting for their session at a time."""


class Endpoint:
    """All phones that talk to one server."""

    def __init__(self, ids: Iterator[int], limits: Limits | None = None) -> None:
        """`ids` yields unpredictable numbers for sessions, below 2**28."""
        self._wtp = Responder(limits)
        self._sessions = WspSessions(ids, SESSIONS, SESSIONS_PER_HOST, IDLE)
        self._events: deque[RequestEvent] = deque()
        self._unit_replies: deque[tuple[Quadruplet, bytes]] = deque()
        self._requests = PendingRequests()
        self._opening: dict[tuple[Quadruplet, int], WspSession] = {}
        self._answered_in: dict[Quadruplet, tuple[int, int]] = {}
        self._datagrams = 0
        self._held: dict[Quadruplet, list[InvokeIndication]] = {}

    # --- the five ---

    def receive_datagram(self, data: bytes, peer: Quadruplet, now: float) -> None:
        """Take a datagram."""
        if peer.local_port == CONNECTIONLESS_PORT and self._unit(data, peer):
            return
        self._datagrams += 1
        self._wtp.receive(data, peer, now)
        self._take_indications(now, peer)

    def datagrams_to_send(self, now: float) -> list[tuple[Quadruplet, bytes]]:
        """Return what is to be sent, and to whom."""
        out = [*self._wtp.datagrams, *self._unit_replies]
        self._wtp.datagrams.clear()
        self._unit_replies.clear()
        return out

    def get_timer(self) -> float | None:
        """Return when `handle_timer` is to be called, None for never."""
        times = (self._wtp.due, self._sessions.due)
        return min((due for due in times if due is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Handle what is due at this time."""
        self._wtp.wake(now)
        for session in self._sessions.expired(now):
            self._abort_methods(session, AbortReason.DISCONNECT, now)
        self._take_indications(now, *self._held)

    def next_event(self) -> RequestEvent | None:
        """Return the next event; None if there are no more."""
        return self._events.popleft() if self._events else None

    def reply(self, request_id: int, reply: wsp.Reply, now: float) -> None:
        """Answer a request, if somebody is still waiting for it. Raise TooLarge, and wait for another reply."""
        pending = self._requests.get(request_id)
        if pending is None:
            return
        octets = pending.encode(reply)
        if pending.indication is None:
            self._requests.forget(request_id)
            self._unit_replies.append((pending.peer, bytes((pending.tid,)) + octets))
            return
        self._send_result(pending.indication, octets, now)
        self._take_indications(now)

    # --- what the bearer may want to know ---

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self._sessions)

    @property
    def transactions(self) -> int:
        """How many transactions are under way."""
        return len(self._wtp)

    def ignore(self, request_id: int) -> None:
        """Send no answer to a request that came without a session."""
        self._requests.forget(request_id)

    def stamp(self, request_id: int, headers: Headers) -> None:
        """Add headers to a future reply, if they fit."""
        pending = self._requests.get(request_id)
        if pending is not None:
            pending.extra += headers

    # --- without a session ---

    def _unit(self, data: bytes, peer: Quadruplet) -> bool:
        """Take a connectionless request; return False if it is not one.

        QUIRK: a Motorola MXP600 speaks WTP on this port. Its PDUs have a TID where a request has its type, and control
        characters where that has its URL.
        """
        if len(data) < 3 or data[1] not in METHODS:
            return False
        try:
            tid, pdu = wsp.read_unit(data)
        except wsp.WSPError:
            return self._sessions.of(peer) is None and data[0] & 0x78 != 0x08
        assert isinstance(pdu, wsp.Method)
        if any(character < " " for character in pdu.url):
            return False
        version = encoding_version(pdu.headers)
        pending = Pending(peer, tid, version or USUAL, DEFAULT_SDU, version_header(version))
        self._events.append(self._requests.add(pending, pdu))
        return True

    # --- with one ---

    def _take_indications(self, now: float, *peers: Quadruplet) -> None:
        """Handle what WTP reports; `peers` are others for whom something may have changed."""
        concerned = dict.fromkeys(peers)
        while self._wtp.indications:
            indication = self._wtp.indications.popleft()
            concerned[indication.peer] = None
            self._indicated(indication, now)
        for peer in concerned:
            if peer in self._held and (self._sessions.of(peer) or not self._waits_for_session(peer)):
                for held in self._held.pop(peer):
                    self._invoked(held, now)

    def _indicated(self, indication: Indication, now: float) -> None:
        match indication:
            case InvokeIndication():
                self._invoked(indication, now)
            case ResultConfirmation():
                self._opened(indication.peer, indication.tid)
                self._end(indication.peer, indication.tid, Delivered)
            case AbortIndication():
                opened = self._opened(indication.peer, indication.tid)
                if opened is not None:  # nobody has taken our reply
                    self._suspend(opened, now)
                session = self._end(indication.peer, indication.tid, Cancelled)
                if session is None or not indication.user:
                    return
                if indication.reason == AbortReason.DISCONNECT:
                    self._disconnect(session, now)
                elif indication.reason == AbortReason.SUSPEND:
                    self._suspend(session, now)

    def _invoked(self, indication: InvokeIndication, now: float) -> None:
        try:
            pdu = wsp.read_pdu(indication.data)
        except wsp.WSPError:
            self._abort(indication, AbortReason.PROTOERR, now)
            return
        session = self._sessions.of(indication.peer)
        if indication.tcl == 0:
            self._unreliable(pdu, session, now)
        elif indication.tcl == 2 and isinstance(pdu, wsp.Connect):
            self._connect(indication, pdu, now)
        elif indication.tcl == 2 and isinstance(pdu, wsp.Resume):
            self._resume(indication, pdu, now)
        elif session is None:
            if self._waits_for_session(indication.peer) and self._may_hold(indication.peer):
                self._held.setdefault(indication.peer, []).append(indication)
            else:
                self._abort(indication, AbortReason.DISCONNECT, now)
        elif session.suspended:
            self._abort(indication, AbortReason.SUSPEND, now)
        elif indication.tcl == 2 and isinstance(pdu, wsp.Method):
            self._method(indication, pdu, session, now)
        else:
            self._abort(indication, AbortReason.PROTOERR, now)

    def _waits_for_session(self, peer: Quadruplet) -> bool:
        """Return whether a Connect or Resume of this address waits for its verification."""
        first = (WspPduType.CONNECT, WspPduType.RESUME)
        return any(invoke.data[:1] and invoke.data[0] in first for invoke in self._wtp.unverified(peer))

    def _may_hold(self, peer: Quadruplet) -> bool:
        return len(self._held) < HELD and len(self._held.get(peer, ())) < SUPPORTED.methods

    def _unreliable(self, pdu: wsp.WspPdu, session: WspSession | None, now: float) -> None:
        if (
            session is None
            or not isinstance(pdu, wsp.Disconnect | wsp.Suspend)
            or pdu.session_id != session.id
        ):
            return
        if isinstance(pdu, wsp.Disconnect):
            self._disconnect(session, now)
        elif session.terms.can_resume:
            self._suspend(session, now)

    def _connect(self, indication: InvokeIndication, pdu: wsp.Connect, now: float) -> None:
        if len(pdu.raw_headers) > HEADERS:
            self._abort(indication, AbortReason.MRUEXCEEDED, now)
            return
        terms, answers = negotiate(pdu.capabilities, SUPPORTED)
        version = encoding_version(pdu.headers)
        if (old := self._sessions.of(indication.peer)) is not None:
            self._disconnect(old, now)
        session = WspSession(0, indication.peer, terms, pdu.raw_headers, version)
        for gone in self._sessions.add(session, now):
            self._abort_methods(gone, AbortReason.DISCONNECT, now)
        reply = wsp.ConnectReply(session.id, answers, version_header(version))
        self._opens(indication, session)
        self._send_result(indication, wsp.write_pdu(reply, version or USUAL), now)

    def _resume(self, indication: InvokeIndication, pdu: wsp.Resume, now: float) -> None:
        session = self._sessions.by_id(pdu.session_id)
        if session is None or not session.terms.can_resume:
            self._abort(indication, AbortReason.DISCONNECT, now)
            return
        self._abort_methods(session, AbortReason.RESUME, now)
        other = self._sessions.of(indication.peer)
        if other is not None and other is not session:
            self._disconnect(other, now)
        if session.peer != indication.peer:
            self._sessions.move(session, indication.peer)
        session.suspended = False
        self._sessions.touch(session, now)
        self._opens(indication, session)
        self._send_result(indication, wsp.write_pdu(wsp.Reply(200)), now)

    def _opens(self, indication: InvokeIndication, session: WspSession) -> None:
        self._opening[indication.peer, indication.tid] = session
        self._answered_in[indication.peer] = (indication.tid, self._datagrams)

    def _opened(self, peer: Quadruplet, tid: int) -> WspSession | None:
        """Record that a Connect or Resume is over; return its session."""
        if self._answered_in.get(peer, (None,))[0] == tid:
            del self._answered_in[peer]
        return self._opening.pop((peer, tid), None)

    def _method(self, indication: InvokeIndication, pdu: wsp.Method, session: WspSession, now: float) -> None:
        if not self._may_ask(session, now):
            self._abort(indication, AbortReason.MOREXCEEDED, now)
            return
        tid, datagram = self._answered_in.get(indication.peer, (0, self._datagrams))
        if datagram < self._datagrams:
            # It has our ConnectReply, or it would not ask. QUIRK: fakewap with several threads acknowledges other TIDs.
            self._wtp.acknowledge(indication.peer, tid, now)
        session.methods[indication.tid] = None
        self._sessions.touch(session, now)
        self._wtp.respond(indication.peer, indication.tid, now)
        version = encoding_version(pdu.headers)
        pending = Pending(
            indication.peer,
            indication.tid,
            version or session.version or USUAL,
            largest_reply(indication, session.terms.client_sdu),
            version_header(version),
            session,
            indication,
        )
        self._events.append(self._requests.add(pending, pdu))

    def _may_ask(self, session: WspSession, now: float) -> bool:
        """Return whether the session's terms allow another request.

        A phone that has as many outstanding as it may and sends another has the oldest answer that was sent: its
        acknowledgement was lost.
        """
        if len(session.methods) < max(1, session.terms.methods):
            return True
        for tid in tuple(session.methods):
            if self._wtp.acknowledge(session.peer, tid, now):
                self._end(session.peer, tid, Delivered)
                return True
        return False

    def _send_result(self, indication: InvokeIndication, octets: bytes, now: float) -> None:
        packet = packet_size(indication.receive_unit, indication.group)
        outgoing = None
        if indication.sar and len(octets) > packet:
            outgoing = Outgoing(octets, indication.receive_unit, indication.group)
        self._wtp.reply(indication.peer, indication.tid, octets, now, outgoing)

    def _abort(self, indication: InvokeIndication, reason: AbortReason, now: float) -> None:
        if indication.tcl:
            self._wtp.abort(indication.peer, indication.tid, reason, now)

    def _end(self, peer: Quadruplet, tid: int, event: type[Delivered] | type[Cancelled]) -> WspSession | None:
        """Forget a request that is over; return its session."""
        ended = self._requests.end(peer, tid)
        if ended is None:
            return None
        request_id, pending = ended
        if pending.session is not None:
            pending.session.methods.pop(tid, None)
        self._events.append(event(request_id))
        return pending.session

    def _abort_methods(self, session: WspSession, reason: AbortReason, now: float) -> None:
        for tid in tuple(session.methods):
            self._wtp.abort(session.peer, tid, reason, now)
            self._end(session.peer, tid, Cancelled)

    def _disconnect(self, session: WspSession, now: float) -> None:
        self._abort_methods(session, AbortReason.DISCONNECT, now)
        self._sessions.drop(session)

    def _suspend(self, session: WspSession, now: float) -> None:
        if not session.terms.can_resume:
            self._disconnect(session, now)
            return
        self._abort_methods(session, AbortReason.SUSPEND, now)
        session.suspended = True
