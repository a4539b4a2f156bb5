"""Who is slowed down after failed sign-ins, why and until when: the throttle's records as an administrator reads them.

Nothing here may slow anybody down: `throttle` does, and only it has the rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.access.throttle import ACCOUNT, ADDRESS, BOTH, OF_ACCOUNT, FailureCount
from gateway.access.waiting_queue import WaitingQueue
from gateway.state import TryRow
from gateway.state.people.tries import Tries

#: The most records that one page looks through, so that even in an attack from many networks a page takes a second at
#: most.
MOST_LOOKED_AT: Final = 2000
#: The names of somebody who has no place in a queue yet.
_NEWCOMER: Final = ("", "", "")


@dataclass(frozen=True, slots=True)
class SlowDown:
    """One record that makes tries wait. `person`: the account's key, b"" for a network as a whole.

    `failures`: how many wrong passwords count now, for one account from one network; `waiting`: how many places are
    waiting, for the other limits. `until`: when the next try from an unknown device is admitted, in seconds since the
    epoch.
    """

    key: bytes
    kind: str
    person: bytes
    network: str
    failures: int
    waiting: int
    until: float


def page(tries: Tries, now: float, most: int = 50, first: int = 0) -> tuple[list[SlowDown], int | None]:
    """Return who is slowed down, the last changed first, and where to continue, None at the end.

    Records are examined from number `first` on, at most MOST_LOOKED_AT: most count failures and slow nobody down.
    """
    found: list[SlowDown] = []
    rows = tries.page(MOST_LOOKED_AT, first)
    for number, row in enumerate(rows, 1):
        found.extend(_slow_down(row, now))
        if len(found) >= most and number < len(rows):
            return found, first + number
    return found, first + len(rows) if len(rows) == MOST_LOOKED_AT else None


def of_account(tries: Tries, person: bytes, now: float) -> list[SlowDown]:
    """Return the limits in force for one account, by its key."""
    return [one for row in tries.of_account(person) for one in _slow_down(row, now)]


def _slow_down(row: TryRow, now: float) -> Iterator[SlowDown]:
    """Yield what a record does to the next try, if it has to wait."""
    subject = row.subject
    if subject.kind == BOTH:
        failures = FailureCount.unpacked(row.kept).now(now)
        level, waiting, until = math.ceil(failures.level), 0, failures.until
    else:
        queue, rate = WaitingQueue.unpacked(row.kept), ACCOUNT if subject.kind == OF_ACCOUNT else ADDRESS
        level, until = 0, queue.turn(_NEWCOMER, now, rate)
        waiting = sum(turn > now for _, turn, _ in queue.places)
    if until > now:
        yield SlowDown(row.key, subject.kind, subject.person, subject.network, level, waiting, until)
