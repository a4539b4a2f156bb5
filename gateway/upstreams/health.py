"""The health of each mail server: up, or down since when and why, as the last contacts with it have shown.

Nothing here may contact a server: whoever does notes it here. `Health` is a value; `HealthRecords` keeps one for each
server, in this process alone.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
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

#: Servers whose health is known; the one that was seen longest ago goes.
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
        """Whether the server is up; None if this contact does not tell."""
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
    """What is known of one server; times are seconds since the epoch, 0 for never.

    `up`: None if it was not seen yet; `since`: when it was first seen so; `seen`: the last contact; `opening`: seconds
    that it took to open the last connection; `error`: the last one in full, met at `failed`.
    """

    up: bool | None = None
    since: float = 0.0
    seen: float = 0.0
    opening: float | None = None
    error: str = ""
    failed: float = 0.0

    def after(self, contact: Contact, now: float) -> Health:
        """Return the health after a contact."""
        up = contact.up
        if up is None:
            return self
        opening = self.opening if contact.opening is None else contact.opening
        changed = replace(self, up=up, seen=now, opening=opening, since=self.since if up is self.up else now)
        return changed if up else replace(changed, error=contact.detail, failed=now)


def _nobody(server: Server, contact: Contact) -> None:
    """Tell nobody."""


class HealthRecords:
    """The health of all servers; thread-safe. `told` hears of each contact."""

    def __init__(
        self, told: Callable[[Server, Contact], None] = _nobody, clock: Callable[[], float] = time.time
    ) -> None:
        self._told, self._clock = told, clock
        self._lock = Lock()
        self._known: OrderedDict[Server, Health] = OrderedDict()

    def of(self, server: Server) -> Health:
        """Return the health of a server."""
        with self._lock:
            return self._known.get(server, Health())

    def note(self, server: Server, contact: Contact) -> None:
        """Take a contact into account."""
        with self._lock:
            self._known[server] = self._known.pop(server, Health()).after(contact, self._clock())
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        self._told(server, contact)


_current: ContextVar[Contact | None] = ContextVar("contact", default=None)


@contextmanager
def contact() -> Iterator[Contact]:
    """Begin a contact: connections opened in the block are timed for it."""
    began, made = time.monotonic(), Contact()
    token = _current.set(made)
    try:
        yield made
    except BaseException as error:
        made.error = error
        raise
    finally:
        made.seconds = time.monotonic() - began
        with suppress(ValueError):  # a leftover generator closed in another context, where it is not set
            _current.reset(token)


@contextmanager
def opening() -> Iterator[None]:
    """Time the opening of a connection in the block, for the contact at hand."""
    made, began = _current.get(), time.monotonic()
    try:
        yield
    except OSError:
        if made is not None:
            made.unopened = True
        raise
    if made is not None:
        made.opening, made.unopened = time.monotonic() - began, False
