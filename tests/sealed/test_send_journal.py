"""send journal: what is looked up by a ticket or a name is that sending, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.access.session import Session
from gateway.sealed.send_journal import (
    NOT_SENT,
    SENT,
    UNCERTAIN,
    Journal,
    JournalEntry,
    Outcome,
    OutcomeKind,
    SendingNotes,
)
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
    """Record how a sending ended; its copy is in Drafts."""
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


def test_a_sending_from_before_marks_is_a_repeat_of_any_post_of_its_ticket(session: Session) -> None:
    posted = act(session.ticket())
    journal = session.journal
    _fresh, old = journal.claim(replace(journal.new_entry(posted, 1.0, False), act=b""))
    assert journal.of(posted) == (old, ())
    assert journal.of(replace(posted, mark=b"m" * len(posted.mark))) == (old, ())


def test_what_was_accepted_is_sent_before_its_outcome_is_known(session: Session) -> None:
    journal = session.journal
    _fresh, entry = journal.claim(journal.new_entry(act(session.ticket()), 1.0, False))
    assert not journal.is_sent(entry.name)
    journal.write(replace(entry, stage=Stage.SUBMITTING))
    assert not journal.is_sent(entry.name)
    journal.write(replace(entry, stage=Stage.ACCEPTED))
    assert journal.is_sent(entry.name)
    assert not journal.is_sent("0" * len(entry.name))


def test_texts_are_known_by_what_was_sent_and_what_is_in_doubt(session: Session) -> None:
    """What was only claimed, or not sent, is in neither; without a form a sending is known only by its name."""
    journal = session.journal

    def begun(form: str, stage: Stage) -> JournalEntry:
        _fresh, entry = journal.claim(journal.new_entry(act(session.ticket()), 1.0, False, form))
        return journal.write(replace(entry, stage=stage))

    begun("claimed", Stage.CLAIMED)
    accepted, submitting = begun("accepted", Stage.ACCEPTED), begun("", Stage.SUBMITTING)
    sent, uncertain = (ended(journal, act(session.ticket()), kind) for kind in (SENT, UNCERTAIN))
    ended(journal, act(session.ticket()), NOT_SENT)
    assert journal.of_texts() == ({"accepted", accepted.name, sent.name}, {submitting.name, uncertain.name})


def test_what_stopped_at_its_claim_or_left_no_copy_is_not_reported(session: Session) -> None:
    journal, stopped, kept, lost = session.journal, *(act(session.ticket()) for _ in range(3))
    assert not journal.ask(stopped)
    _fresh, entry = journal.claim(journal.new_entry(stopped, 1.0, False))
    assert not journal.ask(stopped)
    with journal.locked(entry):  # its request is still running
        assert journal.ask(stopped)
    ended(journal, kept, NOT_SENT)
    assert journal.ask(kept)
    gone = ended(journal, lost, NOT_SENT)
    assert gone.notes.outcome is not None
    outcome = replace(gone.notes.outcome, kept=False)
    journal.write(replace(gone, notes=replace(gone.notes, outcome=outcome)))
    assert not journal.ask(lost)


def test_successors_are_later_or_say_so(session: Session) -> None:
    journal = session.journal

    def begun(at: float, **notes: Any) -> JournalEntry:
        _fresh, entry = journal.claim(journal.new_entry(act(session.ticket()), at, False))
        return journal.write(replace(entry, notes=SendingNotes(**notes)))

    first = begun(2.0, message_id="<one@example.org>")
    begun(1.0, message_id="<one@example.org>")  # the same message before it
    begun(3.0, message_id="<two@example.org>", draft=replace(DRAFT, uid=8))
    again = begun(4.0, message_id="<one@example.org>")
    continued = begun(1.0, after=(first.name,))
    resumed = begun(1.0, draft=DRAFT)
    found = journal.successors(first, {DRAFT})
    assert {entry.name for entry in found} == {again.name, continued.name, resumed.name}
    nameless, _other = begun(5.0), begun(6.0)
    assert list(journal.successors(nameless, ())) == []


@pytest.mark.parametrize("since", [2.0, 3.0])
def test_another_post_of_its_ticket_since_may_be_the_same_mail(session: Session, since: float) -> None:
    journal, ticket = session.journal, session.ticket()
    _fresh, entry = journal.claim(journal.new_entry(act(ticket), 2.0, False))
    journal.claim(journal.new_entry(act(ticket, b"before"), 1.0, False))
    assert not journal.is_posted_again(entry)
    journal.claim(journal.new_entry(act(ticket, b"since"), since, False))
    assert journal.is_posted_again(entry)
    assert not journal.is_posted_again(replace(entry, notes=SendingNotes(message_id="<one@example.org>")))
    assert journal.again(entry) == entry


def test_a_sending_that_ends_while_it_is_asked_about_is_taken_as_it_ended(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted, locked = act(session.ticket()), Journal.locked
    _fresh, entry = session.journal.claim(session.journal.new_entry(posted, 1.0, False))

    def meanwhile(journal: Journal, sending: JournalEntry) -> Any:
        journal.write(replace(entry, stage=Stage.ACCEPTED))
        return locked(journal, sending)

    monkeypatch.setattr(Journal, "locked", meanwhile)
    assert session.journal.ask(posted)


def test_with_another_secret_only_the_kind_of_an_outcome_is_known(session: Session) -> None:
    ended(session.journal, act(session.ticket()), UNCERTAIN)
    stranger = Journal(
        session.state, session.journal._account, session.id, b"another secret, of 32 octets too"
    )
    (entry,) = stranger.open(9)
    assert (entry.readable, entry.kind, entry.notes) == (False, UNCERTAIN, SendingNotes())


def test_notes_of_another_version_are_read_as_far_as_they_are_known(session: Session) -> None:
    journal = session.journal
    _fresh, entry = journal.claim(journal.new_entry(act(session.ticket()), 1.0, False))
    octets = b'{"message_id":"<one@example.org>","of a later version":1}'
    row = replace(journal._row(entry), sealed=journal._seal.close(octets, entry.key + entry.act))
    journal._table.write(journal._account, row)
    found = journal.again(entry)
    assert found is not None
    assert (found.readable, found.notes) == (True, SendingNotes(message_id="<one@example.org>"))
