"""The circuit breaker: what opens it, who is let through, what closes it; one person alone opens it for nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RETRY_SECONDS
from gateway.upstreams.circuit import FAILURES, OPEN_SECONDS, Circuit, CircuitState, Report

OPEN = Circuit(CircuitState.OPEN, frozenset(), 100.0)
PROBED = 100.0 + OPEN_SECONDS
HALF_OPEN = Circuit(CircuitState.HALF_OPEN, frozenset(), PROBED)


def failed(circuit: Circuit, *people: str, now: float = 100.0) -> Circuit:
    for who in people:
        circuit = circuit.started(now).ended(Report.FAILED, who, now)
    return circuit


def test_failures_of_different_people_open_it_and_an_answer_in_between_does_not() -> None:
    people = [str(n) for n in range(FAILURES)]
    assert failed(Circuit(), *people[:-1]).phase is CircuitState.CLOSED
    assert failed(Circuit(), *people) == OPEN
    answered = failed(Circuit(), *people[:-1]).ended(Report.ANSWERED, "x", 100.0)
    assert failed(answered, *people[:-1]).phase is CircuitState.CLOSED


def test_what_one_person_meets_again_and_again_opens_it_for_nobody() -> None:
    assert failed(Circuit(), *["anna"] * 50).phase is CircuitState.CLOSED


@pytest.mark.parametrize(
    ("before", "seen", "after", "since"),
    [
        (CircuitState.CLOSED, Report.ANSWERED, CircuitState.CLOSED, 0.0),
        (CircuitState.CLOSED, Report.NOTHING, CircuitState.CLOSED, 0.0),
        (CircuitState.OPEN, Report.ANSWERED, CircuitState.CLOSED, 0.0),
        (CircuitState.OPEN, Report.FAILED, CircuitState.OPEN, 200.0),
        (CircuitState.OPEN, Report.NOTHING, CircuitState.OPEN, 100.0),
        (CircuitState.HALF_OPEN, Report.ANSWERED, CircuitState.CLOSED, 0.0),
        (CircuitState.HALF_OPEN, Report.FAILED, CircuitState.OPEN, 200.0),
        (CircuitState.HALF_OPEN, Report.NOTHING, CircuitState.OPEN, 200.0 - OPEN_SECONDS),
    ],
)
def test_each_transition(before: CircuitState, seen: Report, after: CircuitState, since: float) -> None:
    circuit = Circuit(before, since=0.0 if before is CircuitState.CLOSED else 100.0)
    found = circuit.ended(seen, "x", 200.0)
    assert (found.phase, found.since) == (after, since)


def test_an_open_one_lets_nobody_through_until_it_is_time_and_then_one() -> None:
    assert not OPEN.allows(PROBED - 0.001)
    assert OPEN.allows(PROBED)
    assert OPEN.started(PROBED) == HALF_OPEN
    assert not HALF_OPEN.allows(PROBED + OPEN_SECONDS - 0.001)
    # A probe that asked nothing has learned nothing: the next one is let through immediately.
    assert HALF_OPEN.ended(Report.NOTHING, "x", PROBED + 1).allows(PROBED + 1)


def test_a_probe_that_takes_long_does_not_keep_the_others_out() -> None:
    """A mail of many megabytes, on its way for minutes, does not show that the server fails to answer."""
    assert HALF_OPEN.allows(PROBED + OPEN_SECONDS)
    again = HALF_OPEN.started(PROBED + OPEN_SECONDS)
    assert again.phase is CircuitState.HALF_OPEN
    assert not again.allows(PROBED + OPEN_SECONDS)
    assert again.ended(Report.ANSWERED, "x", PROBED + OPEN_SECONDS + 1) == Circuit()


def test_who_does_as_they_are_told_is_let_through() -> None:
    assert RETRY_SECONDS >= OPEN_SECONDS


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(Report), st.integers(0, 30)), max_size=60))
def test_never_more_than_one_probe_at_a_time(steps: list[tuple[str, Report, int]]) -> None:
    circuit, now = Circuit(), 0.0
    for who, seen, seconds in steps:
        now += seconds
        if circuit.allows(now):
            probe = circuit.phase is not CircuitState.CLOSED
            circuit = circuit.started(now)
            assert not (probe and circuit.allows(now + OPEN_SECONDS - 1))
        circuit = circuit.ended(seen, who, now)
        assert circuit.phase is not CircuitState.HALF_OPEN
