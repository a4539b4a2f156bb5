"""send journal: what is looked up by a ticket or a name is that sending, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.access.session import Session
from gateway.sealed.send_journal import NOT_SENT, SENT, UNCERTAIN, Journal, JournalEntry, Outcome, OutcomeKind
from gateway.sealed.vault import TicketedPost
from gateway.state import Stage
from gateway.store.base import MessageRef
from tests.access.test_session import House
from tests.postbox import act

DRAFT = MessageRef("Drafts", 1, 7)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    house = House(tmp_path / "state.sqlite")
    yield house.open()
    house.state.close()


def ended(
    journal: Journal,
    posted: TicketedPost,
    kind: OutcomeKind,
    draft: MessageRef | None = DRAFT,
    at: float = 1.0,
) -> JournalEntry:
    """Write down how a sending ended; its copy is in Drafts."""
    _fresh, entry = journal.claim(journal.new_entry(posted, at, False))
    outcome = Outcome(kind, kept=True, draft=draft, name=entry.name)
    return journal.write(replace(entry, stage=Stage.DONE, notes=replace(entry.notes, outcome=outcome)))


@pytest.mark.parametrize(("kind", "draft"), [(NOT_SENT, DRAFT), (UNCERTAIN, None), (SENT, None)])
def test_the_draft_of_a_ticket_is_what_was_certainly_not_sent(
    session: Session, kind: OutcomeKind, draft: MessageRef | None
) -> None:
    ticket = session.ticket()
    ended(session.journal, act(ticket), kind)
    assert session.journal.draft(act(ticket)) == draft
    assert session.journal.draft(act(ticket, b"something else")) == draft
    assert session.journal.draft(act(session.ticket())) is None


def test_the_newest_draft_of_a_ticket_counts(session: Session) -> None:
    ticket, newest = session.ticket(), replace(DRAFT, uid=8)
    ended(session.journal, act(ticket, b"first"), NOT_SENT)
    ended(session.journal, act(ticket, b"second"), NOT_SENT, newest, at=2.0)
    assert session.journal.draft(act(ticket, b"third")) == newest
    assert session.journal.draft(act(ticket, b"first")) == DRAFT


def test_a_correction_is_of_the_sending_it_names(session: Session) -> None:
    one, other = (ended(session.journal, act(session.ticket()), NOT_SENT, None) for _ in range(2))
    assert one.notes.outcome is not None
    better = replace(one.notes.outcome, draft=DRAFT)
    session.journal.correct(better)
    found = {entry.name: entry.notes.outcome for entry in session.journal.open(9)}
    assert found == {one.name: better, other.name: other.notes.outcome}


def test_what_is_told_is_not_told_again_and_the_rest_is(session: Session) -> None:
    one, other = (ended(session.journal, act(session.ticket()), NOT_SENT) for _ in range(2))
    session.journal.tell({one.name})
    assert [entry.name for entry in session.journal.open(9)] == [other.name]
    assert sorted(entry["told"] for entry in session.journal.everything()) == [False, True]


def test_a_sending_is_claimed_once_and_then_as_it_stands(session: Session) -> None:
    posted = act(session.ticket())
    entry = ended(session.journal, posted, NOT_SENT)
    fresh, found = session.journal.claim(session.journal.new_entry(posted, 2.0, False))
    assert (fresh, found) == (False, replace(entry, kind=NOT_SENT))
