"""Probes of mail servers that have not been contacted for a while, so that an administrator sees their present state.

Nothing here may sign in, or probe a server more than once in REST_SECONDS, however often it is asked to: a screen or a
health check may be loaded all the time. Results go to the health of the server; its certificate is kept here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import Condition, Lock, Thread
from typing import Final

from gateway import submission
from gateway.config import Server, Tls
from gateway.store import protocols
from gateway.upstreams import deadline, health
from gateway.upstreams.certificates import PeerCertificate
from gateway.upstreams.health import HealthRecords
from gateway.upstreams.tls import ProbeResult, ProbeServer

log = logging.getLogger(__name__)

#: Seconds after any contact during which a server is not probed.
REST_SECONDS: Final = 60.0
#: Seconds after which a certificate is fetched again.
CERTIFICATE_SECONDS: Final = 6 * 3600.0
#: Seconds for one probe.
LOOK_SECONDS: Final = 10.0
#: Maximum number of servers probed at the same time.
AT_ONCE: Final = 8


def probe(server: Server) -> ProbeResult:
    """Probe a server without signing in."""
    return submission.probe(server) if server.protocol == "smtp" else protocols.probe(server)


class UpstreamProbes:
    """The probes of one process; thread-safe."""

    def __init__(
        self, records: HealthRecords, probe: ProbeServer = probe, clock: Callable[[], float] = time.time
    ) -> None:
        self._records, self._probe, self._clock = records, probe, clock
        self._lock = Lock()
        self._done = Condition(self._lock)
        self._waiting: SimpleQueue[Server] = SimpleQueue()
        self._under_way: set[Server] = set()
        self._tried: dict[Server, float] = {}
        self._certificates: dict[Server, PeerCertificate] = {}
        self._threads = 0

    def certificate(self, server: Server) -> PeerCertificate:
        """Return the certificate that a server has presented; an empty one if it has not been probed."""
        return self._certificates.get(server, PeerCertificate())

    def look(self, servers: Iterable[Server], seconds: float) -> None:
        """Probe those of the servers that are due, and wait at most `seconds` for the results."""
        wanted = [server for server in servers if self._begin(server)]
        until = time.monotonic() + seconds
        with self._done:
            while self._under_way.intersection(wanted) and (left := until - time.monotonic()) > 0:
                self._done.wait(left)

    def _begin(self, server: Server) -> bool:
        """Return whether a server is being probed; if it is due, begin that."""
        now = self._clock()
        with self._lock:
            if server in self._under_way:
                return True
            if not self._is_due(server, now):
                return False
            self._tried[server] = now
            self._under_way.add(server)
            self._waiting.put(server)
            starts = self._threads < AT_ONCE
            self._threads += starts
        if starts:
            Thread(target=self._work, name="probe", daemon=True).start()
        return True

    def _is_due(self, server: Server, now: float) -> bool:
        tried = self._tried.get(server, 0.0)
        if now - tried < REST_SECONDS:
            return False
        fresh = now - self._records.of(server).seen < REST_SECONDS
        return not fresh or (server.tls is not Tls.NONE and now - tried >= CERTIFICATE_SECONDS)

    def _work(self) -> None:
        while True:
            with self._lock:
                try:
                    server = self._waiting.get_nowait()
                except Empty:
                    self._threads -= 1
                    return
            try:
                self._look_at(server)
            except Exception:
                log.exception("a look at %s failed", server.url)
            finally:
                with self._done:
                    self._under_way.discard(server)
                    self._done.notify_all()

    def _look_at(self, server: Server) -> None:
        with health.contact() as contact, deadline.within(LOOK_SECONDS):
            result = self._probe(server)
        contact.error = result.failure
        self._records.note(server, contact)
        if result.certificate.expires is not None:
            self._certificates[server] = result.certificate
