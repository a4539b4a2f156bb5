"""idempotency: whoever repeats an act gets its outcome, and it is not done a second time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.access import idempotency
from gateway.access.idempotency import (
    ABANDONED_SECONDS,
    UNCERTAIN,
    UNDER_WAY,
    UNKNOWN,
    PostOutcome,
    claim,
    do_once,
    settle,
)
from gateway.access.session import Session
from gateway.errors import BadRequest, StateFull, StoreRefused
from gateway.state.sending.tickets import Tickets
from tests.access.test_session import House
from tests.postbox import act

DONE: PostOutcome = {"said": "Done."}


class Deed:
    """Something to be done; counts how often it was, and fails as often as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.times = list(failures), 0

    def __call__(self) -> PostOutcome:
        if self.failures:
            raise self.failures.pop(0)
        self.times += 1
        return DONE


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    house = House(tmp_path / "state.sqlite")
    yield house.open()
    house.state.close()


def test_an_act_is_done_once_and_a_repeat_is_told_its_outcome(session: Session) -> None:
    deed, mine = Deed(), act(session.ticket())
    assert [do_once(session, mine, deed) for _ in range(3)] == [DONE] * 3
    assert deed.times == 1


def test_what_came_to_nothing_is_done_by_whoever_brings_it_again(session: Session) -> None:
    deed, mine = Deed(StoreRefused("no")), act(session.ticket())
    with pytest.raises(StoreRefused):
        do_once(session, mine, deed)
    assert (do_once(session, mine, deed), deed.times) == (DONE, 1)


def test_what_broke_off_in_the_middle_is_not_done_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.0)
    deed, mine = Deed(RuntimeError("a bug")), act(session.ticket())
    with pytest.raises(RuntimeError):
        do_once(session, mine, deed)
    assert (do_once(session, mine, deed), deed.times) == ({UNKNOWN: UNDER_WAY}, 0)


def test_a_ticket_of_another_session_does_nothing(session: Session) -> None:
    deed = Deed()
    with pytest.raises(BadRequest):
        do_once(session, act("x" * 18), deed)
    assert deed.times == 0


def test_a_repeat_waits_for_the_first_one(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    deed, mine, looks = Deed(), act(session.ticket()), []

    def wait(self: Session, seconds: float) -> bool:
        looks.append(seconds)
        if len(looks) == 3:
            settle(session, mine, DONE)
        return True

    monkeypatch.setattr(Session, "await_other", wait)
    assert claim(session, mine).fresh
    assert (do_once(session, mine, deed), deed.times, len(looks)) == (DONE, 0, 3)


def test_there_is_a_place_to_wait(session: Session) -> None:
    assert session.await_other(0.0)


def test_a_repeat_that_has_no_place_to_wait_is_told_so(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "await_other", lambda self, seconds: False)
    deed, mine = Deed(), act(session.ticket())
    assert claim(session, mine).fresh
    assert (do_once(session, mine, deed), deed.times) == ({UNKNOWN: UNDER_WAY}, 0)


def test_a_repeat_waits_no_longer_than_its_patience(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(Session, "await_other", lambda self, seconds: pytest.fail("it waits all the same"))
    deed, mine = Deed(), act(session.ticket())
    assert claim(session, mine).fresh
    assert (do_once(session, mine, deed), deed.times) == ({UNKNOWN: UNDER_WAY}, 0)


def test_whose_first_request_died_is_told_that_nothing_is_certain(session: Session) -> None:
    deed, mine = Deed(), act(session.ticket())
    long_ago = session.now() - ABANDONED_SECONDS - 1
    assert session.state.tickets.claim(session.id, mine.key, mine.mark, long_ago).fresh
    assert (do_once(session, mine, deed), deed.times) == ({UNKNOWN: UNCERTAIN}, 0)


def test_an_outcome_that_cannot_be_kept_is_told_all_the_same(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise StateFull("disk full")

    monkeypatch.setattr(Tickets, "settle", full)
    monkeypatch.setattr(Tickets, "release", full)
    assert do_once(session, act(session.ticket()), Deed()) == DONE
    with pytest.raises(StoreRefused):
        do_once(session, act(session.ticket()), Deed(StoreRefused("no")))


def test_an_outcome_is_found_by_the_name_of_its_post(session: Session) -> None:
    posted = act(session.ticket())
    assert idempotency.outcome_of(session, posted.name) is None
    claim(session, posted)
    assert idempotency.outcome_of(session, posted.name) == {}
    settle(session, posted, DONE)
    assert idempotency.outcome_of(session, posted.name) == DONE
    assert idempotency.outcome_of(session, "no name of a post") is None
