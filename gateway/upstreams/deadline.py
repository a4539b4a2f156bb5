"""A deadline for everything that waits for other machines, shared by all steps of a request.

Nothing here may wait, or know what for. Code that waits asks for the time `left`; code that starts something says how
long it may take `within`. A nested deadline never ends later than the outer one. The deadline is in the context (PEP
567): all steps of a request share it, in any thread, and there is none outside a request.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Final

#: Seconds that one request may wait for mail servers in total. People at a handheld, and WAP gateways, give up after
#: thirty to sixty.
REQUEST_SECONDS: Final = 25.0
#: The least octets per second that a peer must accept: the slowest uplink of any server.
LEAST_RATE: Final = 64 * 1024


class _Deadline:
    """A time on the monotonic clock, and the outer deadline."""

    __slots__ = ("around", "until")

    def __init__(self, until: float, around: _Deadline | None) -> None:
        self.until = until
        self.around = around


_current: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


class anew:
    """Set a deadline of this many seconds regardless of any outer one: for what has to be tried in any case."""

    __slots__ = ("_seconds", "_token")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._token = _current.set(_Deadline(time.monotonic() + self._seconds, None))

    def __exit__(self, *error: object) -> None:
        try:
            _current.reset(self._token)
        except ValueError:
            pass  # a leftover generator closed in another context, where it is not set


class within(anew):
    """Set a deadline of this many seconds for the block."""

    __slots__ = ()

    def __enter__(self) -> None:
        around = _current.get()
        until = time.monotonic() + self._seconds
        if around is not None and around.until < until:
            until = around.until
        self._token = _current.set(_Deadline(until, around))


def left(most: float) -> float:
    """Return how many of `most` seconds are left; raise TimeoutError if there are none."""
    current = _current.get()
    seconds = most if current is None else min(most, current.until - time.monotonic())
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds


def allow(octets: int) -> float:
    """Extend the deadline for octets to be sent, according to the least rate; return the seconds added."""
    seconds = octets / LEAST_RATE
    current = _current.get()
    while current is not None:
        current.until += seconds
        current = current.around
    return seconds
