"""A circuit breaker for one server: repeated failures open it, and one probe at a time closes it again.

Nothing here may read a clock, wait or send: `now` is passed in, and every request that is let through reports
afterwards what it saw. One person alone cannot open it for all others: until an answer comes, failures after sign-in
count once per person, failures before it count each time.

    closed     requests pass       FAILURES without an answer in between -> open
    open       none passes         after OPEN_SECONDS the next one passes -> half-open
    half-open  one is running      answered -> closed; failed -> open; nothing seen -> open, the next passes;
               no report within OPEN_SECONDS: the next passes as well
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

#: Failures that open a circuit: two may be a coincidence.
FAILURES: Final = 3
#: Seconds for which no request passes. The delay that people are told (try again in 20 s) must not be shorter.
OPEN_SECONDS: Final = 15.0


class CircuitState(Enum):
    """The state of a circuit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Report(Enum):
    """What a request that passed has seen."""

    ANSWERED = "answered"  # the server responded, even if with an error
    FAILED = "failed"  # it did not answer, or broke off
    NOTHING = "nothing"  # it was not asked


@dataclass(frozen=True, slots=True)
class Circuit:
    """A circuit; `failed` are those who have met a failure since the last answer.

    `since` is when it opened, or when the last probe passed.
    """

    phase: CircuitState = CircuitState.CLOSED
    failed: frozenset[Hashable] = frozenset()
    since: float = 0.0

    def allows(self, now: float) -> bool:
        """Return whether a request may ask the server now; unless the circuit is closed it becomes the probe."""
        waited = now - self.since >= OPEN_SECONDS
        return self.phase is CircuitState.CLOSED or waited

    def started(self, now: float) -> Circuit:
        """Return the circuit after a request has passed."""
        return (
            self
            if self.phase is CircuitState.CLOSED
            else replace(self, phase=CircuitState.HALF_OPEN, since=now)
        )

    def ended(self, seen: Report, who: Hashable, now: float) -> Circuit:
        """Return the circuit after a request has ended; `who` distinguishes failures of different people."""
        if seen is Report.ANSWERED:
            return CLOSED
        if seen is Report.NOTHING:
            again = replace(self, phase=CircuitState.OPEN, since=now - OPEN_SECONDS)
            return again if self.phase is CircuitState.HALF_OPEN else self
        failed = self.failed | {who}
        if self.phase is CircuitState.CLOSED and len(failed) < FAILURES:
            return replace(self, failed=failed)
        return Circuit(CircuitState.OPEN, frozenset(), now)


#: The circuit of a server that has answered, or was never asked.
CLOSED: Final = Circuit()
