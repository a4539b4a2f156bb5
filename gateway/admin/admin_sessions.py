"""The sessions of the panel, the tickets of its forms, and the throttle of its password.

Nothing here may be written to disk: a restart signs everybody out of the panel, and so does a new password. There is
one password, and nobody is locked out permanently: somebody guessing from one network waits longer each time; others do
not.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Protocol

from gateway.access.sign_in_log import log_failure
from gateway.access.throttle import BackoffRule, FailureCount, site_of
from gateway.errors import TooManyTries
from gateway.sealed import admin_password

IDLE_SECONDS: Final = 30 * 60.0  # seconds without a request after which a session ends
LONGEST_SECONDS: Final = 12 * 3600.0  # seconds after which it ends in any case
SESSIONS: Final = 32  # at a time; the oldest is dropped
TICKETS: Final = 64  # open forms of one session; the oldest is dropped
NETWORKS: Final = 4096  # whose failures are counted; the oldest is dropped
GUESSES: Final = BackoffRule(free=5, memory=3600, first_wait=10, longest_wait=900)


@dataclass(slots=True)
class AdminSession:
    """One browser that is signed in.

    `origin`: its address; `password_hash`: that of the password it signed in with; `begun`, `used`: seconds since the
    epoch.
    """

    origin: str
    password_hash: str
    begun: float
    used: float
    tickets: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def ticket(self) -> str:
        """Return a new ticket for one form."""
        ticket = secrets.token_urlsafe(12)
        self.tickets[ticket] = None
        while len(self.tickets) > TICKETS:
            self.tickets.popitem(last=False)
        return ticket

    def spend(self, ticket: str) -> bool:
        """Return whether a ticket is of this session and unused, and use it."""
        return self.tickets.pop(ticket, self) is None


class PasswordKeeper(Protocol):
    """Keeps the hash of the password; sessions end when it changes."""

    def password_hash(self) -> str: ...


class AdminSessions:
    """The panel's sessions; thread-safe."""

    def __init__(self, administration: PasswordKeeper, clock: Callable[[], float] = time.time) -> None:
        self._administration, self._clock = administration, clock
        self._lock = Lock()
        self._sessions: OrderedDict[bytes, AdminSession] = OrderedDict()
        self._failures: OrderedDict[bytes, FailureCount] = OrderedDict()

    def open(self, password: str, origin: str) -> str | None:
        """Return the token of a new session, None if the password is wrong. Raise TooManyTries or AdminBusy."""
        phc = self._compared(password, origin)
        if not phc:
            return None
        now, token = self._clock(), secrets.token_urlsafe(24)
        with self._lock:
            self._sessions[_digest(token)] = AdminSession(origin, phc, now, now)
            while len(self._sessions) > SESSIONS:
                self._sessions.popitem(last=False)
        return token

    def is_password(self, password: str, origin: str) -> bool:
        """Return whether this is the panel's password, counted like a sign-in. Raise TooManyTries or AdminBusy."""
        return bool(self._compared(password, origin))

    def _compared(self, password: str, origin: str) -> str:
        """Return the hash of the right password, "" for a wrong one."""
        now, site = self._clock(), site_of(origin)
        with self._lock:
            failures = self._failures.get(site, FailureCount()).now(now)
            if failures.until > now:
                log_failure(origin, TooManyTries.__name__)
                raise TooManyTries(math.ceil(failures.until - now))
            # Counted before it is compared, so that parallel guesses gain nothing.
            self._failures[site] = GUESSES.after_failure(failures, now)
            self._failures.move_to_end(site)
            while len(self._failures) > NETWORKS:
                self._failures.popitem(last=False)
            until = self._failures[site].until
        try:
            phc = self._administration.password_hash()
            right = admin_password.matches(password, phc)
        except Exception:
            self._take_back(site, until)
            raise
        if not right:
            log_failure(origin, "WrongPanelPassword")
            return ""
        with self._lock:
            self._failures.pop(site, None)
        return phc

    def find(self, token: str) -> AdminSession | None:
        """Return the session of a token, None if there is none or it has ended."""
        now, digest = self._clock(), _digest(token)
        phc = self._administration.password_hash()
        with self._lock:
            session = self._sessions.get(digest)
            if session is None:
                return None
            lives = 0 <= now - session.used < IDLE_SECONDS and now - session.begun < LONGEST_SECONDS
            if not lives or session.password_hash != phc:
                del self._sessions[digest]
                return None
            session.used = now
            return session

    def count(self) -> int:
        """Return how many sessions have been opened and not ended."""
        with self._lock:
            return len(self._sessions)

    def spend(self, session: AdminSession, ticket: str) -> bool:
        """Return whether this is the first form with a ticket of the session."""
        with self._lock:
            return session.spend(ticket)

    def ticket(self, session: AdminSession) -> str:
        """Return a new ticket for one form."""
        with self._lock:
            return session.ticket()

    def end(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_digest(token), None)

    def _take_back(self, site: bytes, until: float) -> None:
        with self._lock:
            if failures := self._failures.get(site):
                self._failures[site] = GUESSES.given_back(failures, self._clock(), until)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
