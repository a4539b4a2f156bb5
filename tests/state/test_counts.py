"""Counts and gauges of the state: sums of several processes, and sendings counted when their outcome is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from gateway.state import Counted, JournalRow, SessionRow, Stage, State
from gateway.state.watching.counts import MOST
from gateway.state.watching.gauges import FRESH_SECONDS

NOW = 1_700_000_000.0


@pytest.fixture
def states(tmp_path: Path) -> Iterator[tuple[State, State]]:
    """Two states on one file, as two processes have them."""
    file = tmp_path / "state.sqlite"
    with State.open(file) as one, State.open(file) as other:
        yield one, other


def test_the_sums_of_all_who_flush_are_seen_by_each(states: tuple[State, State]) -> None:
    one, other = states
    for state, count in ((one, 3), (other, 4)):
        for _ in range(count):
            state.counts.add(Counted.SENDS, "sent")
    assert one.counts.totals() == {("sends", "sent"): 3}
    for state in states:
        state.counts.flush(NOW)
    one.counts.add(Counted.SENDS, "sent")
    assert one.counts.totals() == {("sends", "sent"): 8}
    assert other.counts.totals() == {("sends", "sent"): 7}


def test_threads_that_count_lose_nothing(states: tuple[State, State]) -> None:
    state, other = states

    def count() -> None:
        for _ in range(500):
            state.counts.add(Counted.PAGES, "wml", "wml")

    threads = [Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        state.counts.flush(NOW)
    for thread in threads:
        thread.join()
    state.counts.flush(NOW)
    assert other.counts.totals() == {("pages", "wml", "wml"): 2000}


def test_labels_are_bounded(states: tuple[State, State]) -> None:
    counts = states[0].counts
    for number in range(MOST + 100):
        counts.add(Counted.UPSTREAM_ERRORS, f"imap://{number}", "x")
    counts.add(Counted.UPSTREAM_ERRORS, "imap://0", "x")
    totals = counts.totals()
    assert len(totals) == MOST
    assert totals[("upstream_errors", "imap://0", "x")] == 2


def test_a_sending_is_counted_when_its_outcome_is_known_and_once(states: tuple[State, State]) -> None:
    state = states[0]
    account = state.accounts.id_for(b"anna")
    session = SessionRow(7, b"digest", account, "", "wml", "wml", "en", "url", b"", NOW, NOW + 600)
    state.sessions.create(session)
    row = JournalRow(b"key", b"act", Stage.CLAIMED, False, NOW, b"")
    state.journal.claim(account, 7, row)
    for stage, kind in ((Stage.SUBMITTING, ""), (Stage.ACCEPTED, "sent"), (Stage.DONE, "sent")):
        state.journal.write(account, JournalRow(b"key", b"act", stage, False, NOW, b"", kind))
    assert state.counts.totals() == {("sends", "sent"): 1}
    assert state.journal.kinds(NOW - 1) == {"sent": 1}
    assert state.journal.kinds(NOW + 1) == {}


def test_what_processes_hold_is_summed_while_they_live(states: tuple[State, State]) -> None:
    gauges = states[0].gauges
    gauges.report("a", {"connections": 2, "workers": 0}, NOW)
    gauges.report("b", {"connections": 3, "workers": 1}, NOW)
    assert gauges.of_others("c", NOW) == {"connections": 5, "workers": 1}
    assert gauges.of_others("a", NOW)["connections"] == 3
    gauges.report("b", {"connections": 0, "workers": 0}, NOW)
    assert gauges.of_others("c", NOW)["connections"] == 2
    assert gauges.of_others("c", NOW + FRESH_SECONDS) == {}
