"""Requests that were passed on and wait for their answer, and how large that may be.

Nothing here may know how an answer is sent. WAP-230 §7.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.wap import wsp
from gateway.wap.quadruplet import Quadruplet
from gateway.wap.requests import TooLarge, WapRequest
from gateway.wap.wsp.assigned import Version
from gateway.wap.wsp.capabilities import DEFAULT_SDU, least
from gateway.wap.wsp.headers import Headers, read_headers
from gateway.wap.wsp_sessions import WspSession
from gateway.wap.wtp import InvokeIndication
from gateway.wap.wtp.segmentation import largest_message

DATAGRAM = 65_000
"""Octets of the largest message in one datagram: IP has 65,507, less our headers."""
SMALLEST_SDU = 100
"""QUIRK: a Motorola Timeport names an SDU of 3 octets. Anything below this size counts as not named."""


def largest_reply(indication: InvokeIndication, sdu: int) -> int:
    """Return the most octets of the whole Reply, within the SDU (0 for no limit) and what its transaction can carry.

    A transaction sends packets only to those who accept them.
    """
    believed = sdu if sdu == 0 or sdu >= SMALLEST_SDU else DEFAULT_SDU
    if indication.sar:
        return least(believed, largest_message(indication.receive_unit, indication.group))
    return least(believed, min(DATAGRAM, indication.receive_unit or DATAGRAM))


@dataclass(slots=True)
class Pending:
    """What is needed to answer a request: its transaction, or without WTP its transaction id.

    `limit`: the most octets of the whole Reply. `extra`: headers that it gets if they fit.
    """

    peer: Quadruplet
    tid: int
    version: Version
    limit: int
    extra: Headers = ()
    session: WspSession | None = None
    indication: InvokeIndication | None = field(default=None, repr=False)

    def encode(self, reply: wsp.Reply) -> bytes:
        """Write a reply; raise TooLarge."""
        whole = wsp.Reply(reply.status, reply.content_type, reply.headers + self.extra, reply.body)
        octets = wsp.write_pdu(whole, self.version)
        if len(octets) > self.limit and self.extra:
            octets = wsp.write_pdu(reply, self.version)
        if len(octets) > self.limit:
            raise TooLarge(len(octets), self.limit)
        return octets


class PendingRequests:
    """All requests that wait for an answer, by number and, if they have one, by transaction."""

    def __init__(self) -> None:
        self._pending: dict[int, Pending] = {}
        self._ids: dict[tuple[Quadruplet, int], int] = {}
        self._last_id = 0

    def add(self, pending: Pending, pdu: wsp.Method) -> WapRequest:
        """Keep what a request needs, and return it with the headers of its session."""
        self._last_id += 1
        self._pending[self._last_id] = pending
        if pending.indication is not None:
            self._ids[pending.peer, pending.tid] = self._last_id
        session, headers = pending.session, pdu.headers
        if session is not None:
            own = {name.lower() for name, _ in headers}
            of_session = (row for row in read_headers(session.headers) if row[0].lower() not in own)
            headers = (*of_session, *headers)
        return WapRequest(
            self._last_id,
            pending.peer,
            pdu.name,
            pdu.url,
            headers,
            pdu.content_type,
            pdu.body,
            pending.limit,
            session.terms.client_sdu if session is not None else None,
            session.id if session is not None else None,
            next((name for name, _ in headers if name.lower() in ("x-wap-tod", "x-wap.tod")), ""),
        )

    def get(self, request_id: int) -> Pending | None:
        """Return a request that is still waiting."""
        return self._pending.get(request_id)

    def forget(self, request_id: int) -> None:
        """Forget a request without a transaction."""
        self._pending.pop(request_id, None)

    def end(self, peer: Quadruplet, tid: int) -> tuple[int, Pending] | None:
        """Forget the request of a transaction; return its number, and what was stored for it."""
        request_id = self._ids.pop((peer, tid), None)
        return None if request_id is None else (request_id, self._pending.pop(request_id))
