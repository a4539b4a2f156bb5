"""Admits requests to upstreams: every lease of a store and every submission comes through here first.

Nothing here may ask a server anything, or know how that is done. `shares` decides who may hold a thread, `circuit` who
may try a server that has failed; here are the lock, the clock and the errors. A request that is refused here has not
begun: nothing was sent. Each process of the gateway has its own places and circuits.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from threading import Condition
from typing import Final

from gateway import computing
from gateway.config import Server, Upstream
from gateway.errors import (
    GatewayError,
    StoreBusy,
    StoreDown,
    StoreError,
    StoreTLSError,
    StoreUnreachable,
    SubmissionBusy,
    SubmissionDown,
    SubmissionError,
    SubmissionTLSError,
    SubmissionUncertain,
    SubmissionUnreachable,
    UnsafeArgument,
)
from gateway.upstreams import circuit as circuits
from gateway.upstreams import deadline, health
from gateway.upstreams.circuit import Circuit, CircuitState, Report
from gateway.upstreams.health import Contact, HealthRecords
from gateway.upstreams.shares import QUEUED_PER_PERSON, Place, Shares

log = logging.getLogger(__name__)

#: Error for an open circuit, and for a full queue, by protocol.
_REFUSALS: Final[dict[str, tuple[type[GatewayError], type[GatewayError]]]] = {
    "imap": (StoreDown, StoreBusy),
    "pop3": (StoreDown, StoreBusy),
    "smtp": (SubmissionDown, SubmissionBusy),
}
_FAILURES: Final = (StoreUnreachable, SubmissionUnreachable, SubmissionUncertain)


class Bulkhead:
    """Admits requests to upstreams; thread-safe."""

    def __init__(
        self,
        threads: int,
        clock: Callable[[], float] = time.monotonic,
        records: HealthRecords | None = None,
    ) -> None:
        """`records`: the health of the servers, as requests see it."""
        self._clock = clock
        self._records = records or HealthRecords()
        self._changed = Condition()
        self._shares = Shares(threads)
        self._circuits: dict[Server, Circuit] = {}
        #: People waiting for another request of theirs, and how many people may do so in total.
        self._standing: Counter[bytes] = Counter()
        self._most_standing = max(threads // 4, 1)

    def admit(self, upstream: Upstream, server: Server, person: bytes, stranger: bool = False) -> Admission:
        """Hold a place at one of an upstream's servers; raise the error that says why there is none now.

        `stranger`: the request has not yet proved that it is that person's. Code that sees a connection break without
        an error sets `broken`.
        """
        return Admission(self, upstream, server, person, stranger)

    def await_other(self, person: bytes, seconds: float) -> bool:
        """Wait a moment for another request of the same person; False, immediately, if there is no room to wait."""
        with self._changed:
            if self._standing[person] >= QUEUED_PER_PERSON or self._standing.total() >= self._most_standing:
                return False
            self._standing[person] += 1
        try:
            with computing.waiting():
                time.sleep(seconds)
        finally:
            with self._changed:
                self._standing -= Counter((person,))
        return True

    def enter(self, upstream: Upstream, server: Server, person: bytes, stranger: bool) -> Place:
        """Wait for a place; raise the error that says why there is none now. For Admission."""
        down, busy = _REFUSALS[server.protocol]
        with computing.resuming(), self._changed:
            place = self._shares.join(upstream, person, self._clock(), stranger)
            try:
                while True:
                    now = self._clock()
                    circuit = self._circuits.get(server, circuits.CLOSED)
                    if not circuit.allows(now):
                        raise down("the circuit is open")
                    if self._shares.enter(upstream, place, now):
                        self._circuits[server] = circuit.started(now)
                        return place
                    seconds = self._shares.waits(upstream, place, now)
                    if seconds <= 0:
                        raise busy("no place in line")
                    computing.leave()
                    self._changed.wait(deadline.left(seconds))
            except TimeoutError:
                self._give_up(upstream, place)
                raise busy("no time left to stand in line") from None
            except BaseException:
                self._give_up(upstream, place)
                raise

    def _give_up(self, upstream: Upstream, place: Place) -> None:
        self._shares.leave(upstream, place, False, self._clock())
        self._changed.notify_all()

    def leave(self, upstream: Upstream, server: Server, place: Place, made: Contact) -> None:
        """Give back a place, and note what its request has seen. For Admission."""
        seen = _seen(made)
        with self._changed:
            now = self._clock()
            before = self._circuits.get(server, circuits.CLOSED)
            after = self._circuits[server] = before.ended(seen, _blamed(made.error, place.person), now)
            self._shares.leave(upstream, place, seen is Report.ANSWERED, now)
            self._changed.notify_all()
        if (before.phase is CircuitState.CLOSED) != (after.phase is CircuitState.CLOSED):
            log.warning("%s %s: circuit %s", server.protocol, server.address, after.phase.value)
        self._records.note(server, made)


class Admission:
    """A place at an upstream for the block; see `Bulkhead.admit`."""

    __slots__ = (
        "_bulkhead",
        "_contact",
        "_deadline",
        "_made",
        "_person",
        "_place",
        "_server",
        "_stranger",
        "_upstream",
    )

    def __init__(
        self, bulkhead: Bulkhead, upstream: Upstream, server: Server, person: bytes, stranger: bool
    ) -> None:
        self._bulkhead, self._upstream, self._server = bulkhead, upstream, server
        self._person, self._stranger = person, stranger
        self._contact, self._deadline = health.contact(), deadline.within(deadline.REQUEST_SECONDS)

    def __enter__(self) -> Contact:
        self._place = self._bulkhead.enter(self._upstream, self._server, self._person, self._stranger)
        made = self._made = self._contact.__enter__()
        self._deadline.__enter__()
        return made

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._deadline.__exit__()
        self._contact.__exit__(kind, error, trace)
        self._bulkhead.leave(self._upstream, self._server, self._place, self._made)


def _seen(contact: Contact) -> Report:
    """Determine from how a request ended whether the server answers."""
    error = contact.error
    if isinstance(error, _FAILURES) and error.answered:
        return Report.ANSWERED
    if isinstance(error, GatewayError) and error.retry_after:  # from another request within this one
        return Report.NOTHING
    if isinstance(error, _FAILURES):
        return Report.FAILED
    if contact.broken:
        return Report.FAILED
    if isinstance(error, (StoreTLSError, SubmissionTLSError)) or error is None:
        return Report.ANSWERED
    known = isinstance(error, (StoreError, SubmissionError)) and not isinstance(error, UnsafeArgument)
    return Report.ANSWERED if known else Report.NOTHING


def _blamed(error: BaseException | None, person: bytes) -> object:
    """Return whom a failure counts against: the person, or a new object if it would have happened to anybody."""
    return object() if getattr(error, "for_anyone", False) else person
