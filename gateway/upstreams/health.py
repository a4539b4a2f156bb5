"""The health of each mail server: up, or down since when and why, as the last contacts with it have shown.

Nothing here may contact a server: whoever does notes it here. `Health` is a value; `HealthRecords` keeps one for each
server, in this process; whoever knows what other processes have seen joins it with this.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import Final

from gateway.config import Server
from gateway.errors import (
    GatewayError,
    StoreError,
    StoreTLSError,
    StoreUnreachable,
    SubmissionError,
    SubmissionTLSError,
    SubmissionUncertain,
    SubmissionUnreachable,
    UnsafeArgument,
)

#: Servers whose health is remembered; the one that was seen longest ago is dropped first.
MOST: Final = 1000
#: Characters of an error: servers' replies may be long.
LONGEST: Final = 500

_BROKEN: Final = (StoreUnreachable, SubmissionUnreachable, SubmissionUncertain)
_UNSAFE: Final = (StoreTLSError, SubmissionTLSError)


@dataclass(slots=True)
class Contact:
    """One contact with a server.

    `opening`: seconds that it took to open the last connection, None if none was opened; `unopened`: that failed;
    `broken`: a connection broke without an error; `seconds`: the whole contact; `error`: how it ended.
    """

    opening: float | None = None
    unopened: bool = False
    broken: bool = False
    seconds: float = 0.0
    error: BaseException | None = None

    @property
    def up(self) -> bool | None:
        """Whether the server is up; None if this contact does not show it."""
        error = self.error
        if isinstance(error, _UNSAFE):
            return False
        if isinstance(error, _BROKEN):
            if error.answered:
                return not self.unopened
            return None if error.retry_after else False
        if error is None:
            return not self.broken
        known = isinstance(error, (StoreError, SubmissionError)) and not isinstance(error, UnsafeArgument)
        return True if known else None

    @property
    def detail(self) -> str:
        """The error, for an administrator."""
        if isinstance(self.error, GatewayError):
            return (self.error.detail or self.error.sentence)[:LONGEST]
        return "the connection broke"


@dataclass(frozen=True, slots=True)
class Health:
    """What is known about one server; times are seconds since the epoch, 0 for never.

    `up`: None if not seen yet; `since`: when it was first seen in that state; `answered`, `failed`: the last contacts
    in which it did, and did not; `opening`: seconds that it took to open the last connection; `error`: the last one in
    full.
    """

    up: bool | None = None
    since: float = 0.0
    answered: float = 0.0
    failed: float = 0.0
    opening: float | None = None
    error: str = ""

    @property
    def seen(self) -> float:
        """When the last contact was."""
        return max(self.answered, self.failed)

    def after(self, contact: Contact, now: float) -> Health:
        """Return the health after a contact."""
        up = contact.up
        if up is None:
            return self
        opening = self.opening if contact.opening is None else contact.opening
        since = self.since if up is self.up else now
        if up:
            return Health(up, since, now, self.failed, opening, self.error)
        return Health(up, since, self.answered, now, opening, contact.detail)

    def joined(self, other: Health) -> Health:
        """Return what is known from the contacts of two processes together."""
        old, new = sorted((self, other), key=lambda one: one.seen)
        answered, failed = max(old.answered, new.answered), max(old.failed, new.failed)
        # It has been so since the first contact that no later one has contradicted.
        otherwise = failed if new.up else answered
        since = min(
            (one.since for one in (old, new) if one.up is new.up and one.since >= otherwise),
            default=otherwise,
        )
        opening = old.opening if new.opening is None else new.opening
        error = max(old, new, key=lambda one: one.failed).error
        return Health(new.up, since, answered, failed, opening, error)


def _nobody(server: Server, contact: Contact) -> None:
    """Notify nobody."""


class HealthRecords:
    """The health of all servers; thread-safe.

    `told` is called after each contact; `turned` after one that shows the server up, or down, when it was not before.
    """

    def __init__(
        self,
        told: Callable[[Server, Contact], None] = _nobody,
        clock: Callable[[], float] = time.time,
        turned: Callable[[], object] = lambda: None,
    ) -> None:
        self._told, self._clock, self._turned = told, clock, turned
        self._lock = Lock()
        self._new: set[Server] = set()
        self._known: OrderedDict[Server, Health] = OrderedDict()

    def of(self, server: Server) -> Health:
        """Return the health of a server."""
        with self._lock:
            return self._known.get(server, Health())

    def note(self, server: Server, contact: Contact) -> None:
        """Take a contact into account."""
        with self._lock:
            before = self._known.get(server, Health())
            after = before.after(contact, self._clock())
            self._keep(server, after)
            if after != before:
                self._new.add(server)
        self._told(server, contact)
        if after.up is not before.up:
            self._turned()

    def join(self, server: Server, health: Health) -> None:
        """Take into account what other processes have seen."""
        with self._lock:
            self._keep(server, self._known.get(server, Health()).joined(health))

    def take_new(self) -> set[Server]:
        """Return the servers with contacts since the last call."""
        with self._lock:
            new, self._new = self._new, set()
        return new

    def put_back(self, servers: Iterable[Server]) -> None:
        """Have servers returned by the next `take_new`, too."""
        with self._lock:
            self._new.update(servers)

    def _keep(self, server: Server, health: Health) -> None:
        self._known[server] = health
        self._known.move_to_end(server)
        while len(self._known) > MOST:
            gone, _ = self._known.popitem(last=False)
            self._new.discard(gone)


_current: ContextVar[Contact | None] = ContextVar("contact", default=None)


class contact:
    """Begin a contact: connections opened in the block are timed for it."""

    __slots__ = ("_began", "_made", "_token")

    def __enter__(self) -> Contact:
        self._began = time.monotonic()
        made = self._made = Contact()
        self._token = _current.set(made)
        return made

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._made.error = error
        self._made.seconds = time.monotonic() - self._began
        try:
            _current.reset(self._token)
        except ValueError:
            pass  # a leftover generator closed in another context, where it is not set


@contextmanager
def opening() -> Iterator[None]:
    """Time the opening of a connection in the block, for the current contact."""
    made, began = _current.get(), time.monotonic()
    try:
        yield
    except OSError:
        if made is not None:
            made.unopened = True
        raise
    if made is not None:
        made.opening, made.unopened = time.monotonic() - began, False
