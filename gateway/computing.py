"""One turn at computing for all threads of a process: many wait for servers together, one computes at a time.

Python runs one thread at a time anyway; several that compute only take the interpreter from each other, with a switch
every few milliseconds of a page. A turn is a courtesy, not a lock: nothing may rely on being alone, and a thread that
has waited LONGEST continues without it. Whoever waits, for a server or for another thread, does so in `waiting`, and
lets others compute in the meantime.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

#: Seconds to wait for a turn; the largest pages take a tenth of that.
LONGEST: Final = 0.25

_turn: Final = threading.Lock()
_mine: Final = threading.local()


def in_turn(step: Callable[..., T], *values: object) -> T:
    """Run a step of a request when no other thread computes."""
    _take()
    try:
        return step(*values)
    finally:
        leave()


class resuming:
    """At the end of the block, take the turn again if it was given up inside.

    For code that waits with a lock, such as a Condition: waiting for the turn must begin when the lock is free again,
    or else whoever has the turn would wait for the lock.
    """

    __slots__ = ("_had",)

    def __enter__(self) -> None:
        self._had = is_mine()

    def __exit__(self, *error: object) -> None:
        if self._had and not is_mine():
            _take()


class waiting(resuming):
    """Let other threads compute while this one waits in the block."""

    __slots__ = ()

    def __enter__(self) -> None:
        super().__enter__()
        leave()


def is_mine() -> bool:
    """Return whether it is this thread's turn."""
    return getattr(_mine, "has_turn", False)


def leave() -> None:
    """Give up the turn, if this thread has it."""
    if is_mine():
        _mine.has_turn = False
        _turn.release()


def _take() -> None:
    _mine.has_turn = _turn.acquire(timeout=LONGEST)
