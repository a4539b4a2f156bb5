"""A deadline for everything that waits for other machines, shared by all steps of a request.

Nothing here may wait, or know what for. Code that waits asks for the time `left`; code that starts something says how
long it may take `within`. A nested deadline never ends later than the outer one. The deadline is in the context (PEP
567): all steps of a request share it, in any thread, and there is none outside a request.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from math import inf
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


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Set a deadline of this many seconds for the block."""
    around = _current.get()
    until = min(time.monotonic() + seconds, around.until if around else inf)
    token = _current.set(_Deadline(until, around))
    try:
        yield
    finally:
        with suppress(ValueError):  # a leftover generator closed in another context, where it is not set
            _current.reset(token)


@contextmanager
def anew(seconds: float) -> Iterator[None]:
    """Set a deadline of this many seconds regardless of any outer one: for what has to be tried in any case."""
    token = _current.set(_Deadline(time.monotonic() + seconds, None))
    try:
        yield
    finally:
        with suppress(ValueError):
            _current.reset(token)


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
