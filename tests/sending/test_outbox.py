"""outbox: one copy at the recipient, one in Sent, and the truth; wherever a worker dies, whoever asks again.

Workers are processes that end at a named point (tests/servers/dying.py), against a real Dovecot and a real SMTP server;
the result is counted from outside, over IMAP and at the SMTP server.
"""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from gateway.access.session import Session
from gateway.errors import (
    AuthenticationFailed,
    BadRequest,
    GatewayError,
    NotRemoved,
    RecipientsRefused,
    SenderRefusedThere,
    SentTooMuch,
    ServerAlert,
    SessionEnded,
    StateFull,
    StoreBusy,
    StoreRefused,
    StoreUnreachable,
    SubmissionUncertain,
    SubmissionUnreachable,
)
from gateway.sealed import vault
from gateway.sealed.send_journal import OutcomeKind
from gateway.sending import filing, outbox
from gateway.sending.outbox import ASKED, NOT_SENT, SENDING, SENT, UNCERTAIN
from gateway.state import StateError
from gateway.state.sending.journal import LIFETIME, MEMORY, JournalTable
from gateway.store.base import DRAFT, SEEN, MessageRef
from gateway.store.imap.imap_store import ImapStore
from tests import PATIENCE, postbox
from tests.postbox import NOW, Letter, Wiring, act, look, signed_in, worker
from tests.servers.dovecot import Dovecot
from tests.servers.dying import POINTS, SETTLED, Dying
from tests.servers.smtp import SmtpServer

ME, BOB, EVE = "sender@example.net", "bob@example.net", "eve@example.net"
_numbers = itertools.count(1)


@dataclass
class House:
    """One mailbox, one gateway's database, and servers to send with."""

    wiring: Wiring
    dovecot: Dovecot
    smtp: SmtpServer

    def letter(self, *to: str, **changes: Any) -> Letter:
        return Letter(f"letter {next(_numbers)}", ME, to or (BOB,), **changes)

    def arrived(self, letter: Letter) -> int:
        return postbox.subjects([accepted.octets for accepted in self.smtp.accepted])[letter.subject]

    def box(self, mailbox: str) -> postbox.Box:
        return look(self.wiring.imap_port, ME, mailbox)

    def counts(self, letter: Letter) -> tuple[int, int, int]:
        """Count copies that the server accepted, in Sent, and in Drafts."""
        boxes = (self.box(mailbox).subjects[letter.subject] for mailbox in ("Sent", "Drafts"))
        return self.arrived(letter), *boxes  # type: ignore[return-value]

    def original(self, session: Session) -> MessageRef:
        with session.store() as store:
            ref = store.append("INBOX", b"Subject: question\r\nMessage-ID: <q@example.net>\r\n\r\n?\r\n")
        assert ref is not None
        return ref

    def draft(self, session: Session) -> MessageRef:
        with session.store() as store:
            ref = store.append("Drafts", b"Subject: begun\r\n\r\nHel\r\n", (DRAFT, SEEN))
        assert ref is not None
        return ref


@pytest.fixture
def house(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> House:
    shutil.rmtree(dovecot.home(ME), ignore_errors=True)
    for user in (ME, BOB, EVE):
        dovecot.user(user)
    wiring = Wiring(
        str(tmp_path / "state.sqlite"),
        dovecot.ports["imap"],
        smtp_server.port,
        str(dovecot.ca_file),
        str(smtp_server.ca_file),
    )
    return House(wiring, dovecot, smtp_server)


@pytest.fixture(scope="module")
def dying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dying]:
    with Dying(tmp_path_factory.mktemp("dying")) as server:
        yield server


@pytest.fixture
def session(house: House) -> Iterator[Session]:
    with worker(house.wiring) as sessions:
        yield signed_in(sessions, ME)


# --- each crash point ---


def by_ticket(house: House, token: str, ticket: str, letter: Letter) -> tuple[outbox.Outcome, ...]:
    """Bring the ticket again, to another worker."""
    with worker(house.wiring) as sessions:
        return (outbox.send(sessions.resume(token, None), act(ticket), letter.mail, NOW),)


def by_sign_in(house: House, token: str, ticket: str, letter: Letter) -> tuple[outbox.Outcome, ...]:
    """Sign in again."""
    with worker(house.wiring) as sessions:
        return outbox.recover(signed_in(sessions, ME), NOW)


def expected(point: str, again: Callable[..., Any]) -> tuple[str, tuple[int, int, int]]:
    """What is reported after dying at a point, and copies accepted, in Sent, in Drafts."""
    at = POINTS.index(point)
    if at < POINTS.index("after claim"):
        return (SENT, (1, 1, 0)) if again is by_ticket else ("", (0, 0, 0))
    if at < POINTS.index("after append"):
        return NOT_SENT, (0, 0, 0)
    if at < POINTS.index("after submitting"):
        return NOT_SENT, (0, 0, 1)
    if at < POINTS.index("after smtp"):
        return UNCERTAIN, (0, 0, 1)
    if at < POINTS.index("after accepted"):
        return UNCERTAIN, (1, 0, 1)
    if at >= POINTS.index("after done") and again is by_sign_in:
        return "", (1, 1, 0)
    return SENT, (1, 1, 0)


@pytest.mark.parametrize("again", [by_ticket, by_sign_in])
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies(house: House, dying: Dying, point: str, again: Callable[..., Any]) -> None:
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        token, ticket = session.token, session.ticket()
        letter = house.letter(answered=house.original(session), draft=house.draft(session))
    assert dying.send(house.wiring, token, ticket, letter, point) is None, "it did not come to this point"
    outcomes = again(house, token, ticket, letter)
    kind, counts = expected(point, again)
    assert [outcome.kind for outcome in outcomes] == [kind] * bool(kind)
    assert house.counts(letter) == counts
    for outcome in outcomes:
        # Before its Message-ID is recorded there is nothing to look for.
        unseen = POINTS.index(point) < POINTS.index("after note")
        assert outcome.kept is (None if unseen and kind == NOT_SENT else bool(counts[2]))
        assert (outcome.draft is not None) == bool(counts[2])
        assert outcome.filed is bool(counts[1])
    if kind == SENT:
        flags = house.box("Sent").flags[letter.subject]
        assert "\\Seen" in flags
        assert "\\Draft" not in flags
        assert "\\Answered" in house.box("INBOX").flags["question"]
    # The draft from which it came is removed when there is a finished copy, and not before.
    done = any(counts[1:])
    assert house.box("Drafts").subjects["begun"] == (not done)
    # Whoever asks again, in whatever way, changes nothing and is told the same.
    told = kind if kind or again is by_sign_in else SENT
    if told:
        assert by_ticket(house, token, ticket, letter)[0].kind == told
    by_sign_in(house, token, ticket, letter)
    if again is by_ticket or kind:
        assert house.counts(letter) == counts


def test_a_worker_that_does_not_die_sends_once(house: House, dying: Dying, session: Session) -> None:
    ticket, letter = session.ticket(), house.letter()
    outcome = dying.send(house.wiring, session.token, ticket, letter, "nowhere")
    assert outcome is not None
    assert outcome["kind"] == SENT
    assert outbox.send(session, act(ticket), letter.mail, NOW).kind == SENT
    assert house.counts(letter) == (1, 1, 0)


@pytest.mark.parametrize("point", ["after smtp", "after accepted"])
@pytest.mark.parametrize("filed", [False, True], ids=["not filed yet", "filed"])
def test_where_the_provider_files(house: House, dying: Dying, point: str, filed: bool) -> None:
    house.wiring = replace(house.wiring, sent_copy="provider")
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        token, ticket = session.token, session.ticket()
        letter = house.letter()
        assert dying.send(house.wiring, token, ticket, letter, point) is None
        if filed:
            house.dovecot.deliver(ME, house.smtp.accepted[-1].octets, "Sent", "S")
        (outcome,) = by_sign_in(house, token, ticket, letter)
    # What is in Sent was accepted: only the provider brings it there.
    certain = filed or point != "after smtp"
    assert outcome.kind == (SENT if certain else UNCERTAIN)
    # As long as the provider has filed no copy, ours is the only one.
    assert house.counts(letter) == (1, int(filed), int(not filed))


@pytest.mark.parametrize("point", ["after append", "after smtp", "after accepted", "after move"])
def test_what_was_sent_on_is_found_by_its_second_message_id(house: House, dying: Dying, point: str) -> None:
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        letter = house.letter(sent_on=True)
        assert dying.send(house.wiring, session.token, session.ticket(), letter, point) is None
        (outcome,) = outbox.recover(session, NOW)
    kind, counts = expected(point, by_sign_in)
    assert (outcome.kind, house.counts(letter)) == (kind, counts)


# --- one after the other ---


def test_bcc_goes_to_no_recipient_and_stays_in_sent(house: House, session: Session) -> None:
    letter = house.letter()
    assert outbox.send(session, act(session.ticket()), letter.mail, NOW).kind == SENT
    assert b"hidden@" not in house.smtp.accepted[-1].octets
    assert b"X-Pocketpost" not in house.smtp.accepted[-1].octets
    assert b"Bcc: hidden@" in house.box("Sent").octets[letter.subject]


def test_a_ticket_of_another_session_sends_nothing(house: House, session: Session) -> None:
    with worker(house.wiring) as sessions:
        other = signed_in(sessions, ME)
        with pytest.raises(BadRequest):
            outbox.send(session, act(other.ticket()), house.letter().mail, NOW)
    assert not house.smtp.accepted


def test_who_is_refused_is_named_and_the_others_got_it(house: House, session: Session) -> None:
    house.smtp.refuse = {EVE: "550 no such user"}
    ticket, letter = session.ticket(), house.letter(BOB, EVE)
    first = outbox.send(session, act(ticket), letter.mail, NOW)
    again = outbox.send(session, act(ticket), letter.mail, NOW)
    assert first == again
    assert (first.kind, first.refused) == (SENT, (EVE,))
    assert house.smtp.accepted[-1].recipients == (BOB,)
    assert house.counts(letter) == (1, 1, 0)
    said = [msgid % values for msgid, values in outbox.sentences(first)]
    assert said == ["Sent.", f"Refused, so not sent to: {EVE}", "It was sent to the others."]
    # That somebody did not get it is reported again to whoever may not have seen it, until they have.
    with worker(house.wiring) as sessions:
        later = signed_in(sessions, ME)
        (news,) = outbox.recover(later, NOW)
        assert news.refused == (EVE,)
        outbox.acknowledge(later, ["another"])
        assert outbox.recover(later, NOW) == (news,)
        outbox.acknowledge(later, [news.name])
        assert outbox.recover(later, NOW) == ()


@pytest.mark.parametrize("again", [by_ticket, by_sign_in])
@pytest.mark.parametrize(("point", "sent"), [(SETTLED[0], 1), (SETTLED[1], 1), ("after smtp", 3)])
def test_who_dies_between_two_transactions_has_sent_to_nobody_twice(
    house: House, dying: Dying, point: str, sent: int, again: Callable[..., Any]
) -> None:
    """Before the first batch is recorded everything is doubtful, afterwards only the rest; nothing is sent again."""
    house.smtp.room = 1
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        token, ticket, letter = session.token, session.ticket(), house.letter(BOB, EVE, ME)
    assert dying.send(house.wiring, token, ticket, letter, point) is None, "it did not come to this point"
    (outcome,) = again(house, token, ticket, letter)
    assert [accepted.recipients for accepted in house.smtp.accepted] == [(BOB,), (EVE,), (ME,)][:sent]
    known = {SETTLED[0]: (), SETTLED[1]: (EVE, ME), "after smtp": (ME,)}[point]
    assert (outcome.kind, outcome.doubtful) == (SENT if known else UNCERTAIN, known)
    said = [msgid % values for msgid, values in outbox.sentences(outcome)]
    if known:
        doubt = f"It is not certain whether it was sent to: {', '.join(known)}"
        assert said == ["Sent.", doubt, "It was sent to the others."]
        assert (house.box("Sent").subjects[letter.subject], house.box("Drafts").subjects[letter.subject]) == (
            1,
            0,
        )
    assert by_ticket(house, token, ticket, letter) == (outcome,)
    by_sign_in(house, token, ticket, letter)
    assert len(house.smtp.accepted) == sent


def test_many_recipients_are_one_sending(house: House, session: Session) -> None:
    house.smtp.room = 1
    ticket, letter = session.ticket(), house.letter(BOB, EVE, ME)
    for _time in range(2):
        outcome = outbox.send(session, act(ticket), letter.mail, NOW)
        assert [msgid for msgid, _values in outbox.sentences(outcome)] == ["Sent."]
    assert [accepted.recipients for accepted in house.smtp.accepted] == [(BOB,), (EVE,), (ME,)]
    assert not any(b"hidden@" in accepted.octets for accepted in house.smtp.accepted)


FAULTS: dict[str, tuple[Callable[[SmtpServer], None], str, int]] = {
    "everybody refused": (lambda smtp: smtp.refuse.update({BOB: "550 no"}), NOT_SENT, 0),
    "not now": (lambda smtp: smtp.refuse.update({BOB: "451 later"}), NOT_SENT, 0),
    "too large": (lambda smtp: setattr(smtp, "size", 100), NOT_SENT, 0),
    "refused after the data": (lambda smtp: setattr(smtp, "verdict", "554 spam"), NOT_SENT, 0),
    "deferred after the data": (lambda smtp: setattr(smtp, "verdict", "451 later"), NOT_SENT, 0),
    "cut before the data": (lambda smtp: setattr(smtp, "drop", "before data"), NOT_SENT, 0),
    "cut before the verdict": (lambda smtp: setattr(smtp, "drop", "before accept"), UNCERTAIN, 0),
    "cut after the verdict": (lambda smtp: setattr(smtp, "drop", "after accept"), UNCERTAIN, 1),
    "wrong password": (lambda smtp: smtp.passwords.update({ME: "other"}), NOT_SENT, 0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_smtp_does_not_take(house: House, session: Session, fault: str) -> None:
    prepare, kind, accepted = FAULTS[fault]
    ticket = session.ticket()
    letter = house.letter(draft=house.draft(session), answered=house.original(session))
    prepare(house.smtp)
    try:
        outcome = outbox.send(session, act(ticket), letter.mail, NOW)
        assert house.arrived(letter) == accepted
    finally:
        house.smtp.reset()
        house.smtp.passwords.clear()
    assert (outcome.kind, outcome.kept, outcome.filed) == (kind, True, False)
    assert outcome.noted is (kind == NOT_SENT)
    # With nothing in the way any more, a repeat still sends nothing.
    assert outbox.send(session, act(ticket), letter.mail, NOW) == outcome
    drafts = house.box("Drafts")
    assert (drafts.subjects[letter.subject], drafts.subjects["begun"]) == (1, 0)
    assert "\\Draft" in drafts.flags[letter.subject]
    assert house.box("Sent").subjects[letter.subject] == 0
    assert "\\Answered" not in house.box("INBOX").flags["question"]
    assert outcome.draft is not None
    # At the next sign-in they hear of it while it is in Drafts, and no longer once they have dealt with it.
    with worker(house.wiring) as sessions:
        later = signed_in(sessions, ME)
        assert [news.kind for news in outbox.recover(later, NOW)] == [kind]
        with later.store() as store:
            store.delete([outcome.draft])
        assert outbox.recover(later, NOW) == ()


def test_what_was_uncertain_and_is_in_sent_by_now_is_told_until_they_have_seen_it(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(type(session.submission), "submit", Mock(side_effect=SubmissionUncertain("no reply")))
        outcome = outbox.send(session, act(session.ticket()), house.letter().mail, NOW)
    assert outcome.kind == UNCERTAIN
    assert outcome.draft is not None
    with worker(house.wiring) as sessions:
        later = signed_in(sessions, ME)
        with later.store() as store:
            store.copy([outcome.draft], store.special_or_new("sent"))
        for _ in range(2):
            assert [news.kind for news in outbox.recover(later, NOW)] == [SENT]
        outbox.acknowledge(later, [outcome.name])
        assert outbox.recover(later, NOW) == ()


def test_an_old_outcome_is_not_told_while_nobody_can_look_whether_it_still_holds(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been sent from Drafts since: "Not sent. A copy is in Drafts." would be untrue."""
    house.smtp.refuse = {BOB: "550 no"}
    outcome = outbox.send(session, act(session.ticket()), house.letter().mail, NOW)
    assert (outcome.kind, outcome.kept) == (NOT_SENT, True)
    house.smtp.reset()
    with worker(house.wiring) as sessions:
        later = signed_in(sessions, ME)
        with monkeypatch.context() as silent:
            silent.setattr(ImapStore, "find_id", _unreachable)
            assert outbox.recover(later, NOW) == ()
        assert [news.kind for news in outbox.recover(later, NOW)] == [NOT_SENT]


@pytest.mark.parametrize("point", ["after submitting", "after accepted"])
def test_what_was_sent_from_drafts_is_not_called_not_sent_though_the_gateway_died_before_its_draft_was_removed(
    house: House, dying: Dying, session: Session, point: str
) -> None:
    house.smtp.refuse = {BOB: "550 no"}
    first = outbox.send(session, act(session.ticket()), house.letter().mail, NOW)
    assert (first.kind, first.kept) == (NOT_SENT, True)
    house.smtp.reset()
    dying.send(house.wiring, session.token, session.ticket(), house.letter(draft=first.draft), point)
    kind = SENT if point == "after accepted" else UNCERTAIN
    with worker(house.wiring) as sessions:
        later = signed_in(sessions, ME)
        found = outbox.recover(later, NOW)
        assert [news.kind for news in found] == [kind]
        outbox.acknowledge(later, [news.name for news in found])
        assert not outbox.has_pending(later)


def _unreachable(*_args: object) -> None:
    raise StoreUnreachable("silent")


def test_sending_it_again_replaces_the_copy_that_was_kept(house: House, session: Session) -> None:
    house.smtp.refuse = {BOB: "550 no"}
    letter = house.letter()
    kept = outbox.send(session, act(session.ticket()), letter.mail, NOW).draft
    house.smtp.reset()
    again = replace(letter, draft=kept)
    assert outbox.send(session, act(session.ticket()), again.mail, NOW).kind == SENT
    assert house.counts(letter) == (1, 1, 0)


def test_what_cannot_be_made_is_not_sent(house: House, session: Session) -> None:
    def fails(store: object) -> outbox.Mail:
        raise StoreRefused("no")

    ticket = session.ticket()
    outcome = outbox.send(session, act(ticket), fails, NOW)
    assert (outcome.kind, outcome.sentence, outcome.kept) == (NOT_SENT, StoreRefused.sentence, None)
    assert outbox.send(session, act(ticket), house.letter().mail, NOW) == outcome
    assert not house.smtp.accepted


# --- a mail server with less to offer, or in trouble ---


def test_a_server_without_move_and_uids(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, connect = ImapStore.append, ImapStore.__init__
    poor = {"MOVE", "UIDPLUS", "IMAP4REV2"}

    def poorer(self: ImapStore, exchange: Any, capabilities: frozenset[str], *rest: Any) -> None:
        connect(self, exchange, capabilities - poor, *rest)

    monkeypatch.setattr(ImapStore, "__init__", poorer)
    monkeypatch.setattr(ImapStore, "append", lambda *args: append(*args) and None)
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        letter = house.letter()
        outcome = outbox.send(session, act(session.ticket()), letter.mail, NOW)
    assert (outcome.kind, outcome.filed) == (SENT, True)
    assert house.counts(letter) == (1, 1, 0)


def test_a_mailbox_without_drafts_and_sent_gets_them(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    special, create = ImapStore.special, ImapStore.create
    made: list[str] = []

    def seen(self: ImapStore, role: str) -> str | None:
        return special(self, role) if role.title() in made else None

    def creates(self: ImapStore, mailbox: str, whole: bool = False) -> str:
        made.append(mailbox)
        return create(self, mailbox, whole)

    monkeypatch.setattr(ImapStore, "special", seen)
    monkeypatch.setattr(ImapStore, "create", creates)
    letter = house.letter()
    assert outbox.send(session, act(session.ticket()), letter.mail, NOW).filed
    assert made == ["Drafts", "Sent"]
    assert house.counts(letter) == (1, 1, 0)


def _refusing(mailbox: str, error: Exception) -> Callable[..., Any]:
    append = ImapStore.append

    def refuses(self: ImapStore, name: str, *args: Any) -> MessageRef | None:
        if name == mailbox:
            raise error
        return append(self, name, *args)

    return refuses


def test_a_full_mailbox_is_no_reason_to_be_silent(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImapStore, "append", _refusing("Drafts", StoreRefused("NO [OVERQUOTA] full")))
    letter = house.letter()
    outcome = outbox.send(session, act(session.ticket()), letter.mail, NOW)
    assert (outcome.kind, outcome.filed, outcome.kept) == (SENT, True, False)
    assert house.counts(letter) == (1, 1, 0)


def test_without_a_copy_it_is_said_that_there_is_none(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImapStore, "append", lambda *args: (_ for _ in ()).throw(StoreRefused("full")))
    outcome = outbox.send(session, act(session.ticket()), house.letter().mail, NOW)
    assert (outcome.kind, outcome.filed) == (SENT, False)
    said = [msgid for msgid, _ in outbox.sentences(outcome)]
    assert said == ["Sent.", "No copy could be kept in Sent."]


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_said_of_a_copy_was_seen(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """A second connection finishes what the first left unfinished; if that breaks too, nothing is claimed."""
    move, broken = ImapStore.move, []

    def breaking(self: ImapStore, refs: Any, mailbox: str) -> Any:
        if len(broken) < times:
            broken.append(mailbox)
            error = StoreUnreachable("broken off")
            error.dropped = True
            raise error
        return move(self, refs, mailbox)

    monkeypatch.setattr(ImapStore, "move", breaking)
    letter = house.letter()
    outcome = outbox.send(session, act(session.ticket()), letter.mail, NOW)
    said = [msgid for msgid, _ in outbox.sentences(outcome)]
    if times == 1:
        assert (outcome.filed, said, house.counts(letter)) == (True, ["Sent."], (1, 1, 0))
    else:
        assert said == ["Sent.", "A copy may or may not be in Sent."]
        outbox.recover(session, NOW)
        assert house.counts(letter) == (1, 1, 0)


def test_a_copy_that_cannot_go_to_sent_is_seen_in_drafts(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(ImapStore, "move", lambda *args: (_ for _ in ()).throw(StoreRefused("NO")))
        letter = house.letter()
        outcome = outbox.send(session, act(session.ticket()), letter.mail, NOW)
    assert [msgid for msgid, _ in outbox.sentences(outcome)] == ["Sent.", "The copy is still in Drafts."]
    assert house.counts(letter) == (1, 0, 1)
    outbox.recover(session, NOW)
    assert house.counts(letter) == (1, 1, 0)


def test_a_mail_server_that_fails_before_the_copy_is_there_sends_nothing(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImapStore, "append", _refusing("Drafts", StoreUnreachable("gone")))
    ticket, letter = session.ticket(), house.letter()
    outcome = outbox.send(session, act(ticket), letter.mail, NOW)
    assert (outcome.kind, outcome.sentence, outcome.kept) == (NOT_SENT, StoreUnreachable.sentence, False)
    assert house.counts(letter) == (0, 0, 0)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_move_that_breaks_off_is_finished_later(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    move = ImapStore.move

    def breaks(self: ImapStore, *args: Any) -> Any:
        if after:
            move(self, *args)
        raise StoreUnreachable("gone")

    ticket, letter = session.ticket(), house.letter(answered=house.original(session))
    with monkeypatch.context() as patch:
        patch.setattr(ImapStore, "move", breaks)
        outcome = outbox.send(session, act(ticket), letter.mail, NOW)
    assert (outcome.kind, outcome.filed, outcome.kept) == (SENT, False, None)
    assert outbox.send(session, act(ticket), letter.mail, NOW).filed
    assert house.counts(letter) == (1, 1, 0)
    assert "\\Answered" in house.box("INBOX").flags["question"]


def test_a_copy_that_cannot_be_removed_from_drafts_at_once_is_removed_all_the_same(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copies(self: ImapStore, refs: list[MessageRef], target: str) -> None:
        self.copy(refs, target)
        raise NotRemoved("NO [EXPUNGEISSUED]")

    monkeypatch.setattr(ImapStore, "move", copies)
    letter = house.letter()
    outcome = outbox.send(session, act(session.ticket()), letter.mail, NOW)
    assert (outcome.kind, outcome.filed) == (SENT, True)
    assert house.counts(letter) == (1, 1, 0)


def _message_id(octets: bytes) -> str:
    return message_from_bytes(octets)["Message-ID"]


def test_a_copy_that_somebody_removed_before_it_was_filed_is_not_said_to_be_in_sent(
    house: House, dying: Dying, session: Session
) -> None:
    letter = house.letter()
    assert dying.send(house.wiring, session.token, session.ticket(), letter, "after accepted") is None
    with session.store() as store:
        store.delete(store.copies("Drafts", _message_id(house.box("Drafts").octets[letter.subject])))
    (outcome,) = outbox.recover(session, NOW)
    assert (outcome.kind, outcome.filed) == (SENT, False)
    assert house.counts(letter) == (1, 0, 0)


def test_a_password_that_is_no_longer_right_sends_nothing_and_that_is_told_after_signing_in(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Session, stranger: bool = False) -> None:
        raise AuthenticationFailed("LOGIN failed")

    letter = house.letter()
    with monkeypatch.context() as patch:
        patch.setattr(Session, "leased", refused)
        with pytest.raises(SessionEnded):
            outbox.send(session, act(session.ticket()), letter.mail, NOW)
    with worker(house.wiring) as sessions:
        (outcome,) = outbox.recover(signed_in(sessions, ME), NOW)
    assert (outcome.kind, outcome.sentence, outcome.kept) == (NOT_SENT, SessionEnded.sentence, None)
    assert house.counts(letter) == (0, 0, 0)


def test_what_cannot_be_looked_up_now_is_told_and_looked_up_later(
    house: House, dying: Dying, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, letter = session.ticket(), house.letter()
    assert dying.send(house.wiring, session.token, ticket, letter, "after append") is None
    with monkeypatch.context() as patch:
        patch.setattr(ImapStore, "find_id", lambda *args: (_ for _ in ()).throw(StoreUnreachable("gone")))
        (outcome,) = outbox.recover(session, NOW)
        assert (outcome.kind, outcome.kept) == (NOT_SENT, None)
    (outcome,) = outbox.recover(session, NOW)
    assert (outcome.kind, outcome.kept) == (NOT_SENT, True)


# --- the journal itself ---


def test_an_acceptance_that_the_journal_misses_is_told_all_the_same(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = JournalTable.write

    def fails(self: JournalTable, account: int, row: Any) -> None:
        if row.stage.value in ("accepted", "done"):
            raise StateError("full disk")
        write(self, account, row)

    ticket, letter = session.ticket(), house.letter()
    with monkeypatch.context() as patch:
        patch.setattr(JournalTable, "write", fails)
        assert outbox.send(session, act(ticket), letter.mail, NOW).kind == SENT
    # Only an acceptance brings it to Sent, so that is also known later.
    assert outbox.send(session, act(ticket), letter.mail, NOW).kind == SENT
    assert house.counts(letter) == (1, 1, 0)


@pytest.mark.parametrize("stage", ["claimed", "submitting"])
def test_nothing_is_sent_that_the_journal_does_not_know_of(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    write = JournalTable.write

    def fails(self: JournalTable, account: int, row: Any) -> None:
        if row.stage.value == stage:
            raise StateError("full disk")
        write(self, account, row)

    monkeypatch.setattr(JournalTable, "write", fails)
    letter = house.letter()
    outcome = outbox.send(session, act(session.ticket()), letter.mail, NOW)
    assert (outcome.kind, outcome.noted) == (NOT_SENT, stage == "submitting")
    assert house.arrived(letter) == 0


def test_only_what_a_server_has_seen_counts(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    kind = type(session.submission)
    monkeypatch.setattr(kind, "count", lambda self, recipients: counted.append(recipients))
    monkeypatch.setattr(kind, "discount", lambda self, recipients: counted.append(-recipients))

    def sent_with(error: Exception | None = None) -> int:
        counted.clear()
        with monkeypatch.context() as patch:
            if error is not None:
                patch.setattr(kind, "submit", Mock(side_effect=error))
            outbox.send(session, act(session.ticket()), house.letter(BOB, EVE).mail, NOW)
        return sum(counted)

    assert sent_with() == 2
    broken = SubmissionUnreachable("broken off")
    broken.answered = True
    for error, counts in (
        (SubmissionUnreachable("nobody there"), 0),
        (StateError("full disk"), 0),
        (broken, 2),
        (RecipientsRefused(detail="550 no"), 2),
        (SubmissionUncertain("after the data"), 2),
    ):
        assert sent_with(error) == counts, type(error)


def test_a_journal_that_cannot_be_read_makes_nothing_certain(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> None:
        raise StateError("locked")

    ticket, letter = session.ticket(), house.letter()
    with monkeypatch.context() as patch:
        patch.setattr(JournalTable, "claim", fails)
        patch.setattr(JournalTable, "of", fails)
        assert outbox.send(session, act(ticket), letter.mail, NOW).kind == UNCERTAIN
    assert outbox.send(session, act(ticket), letter.mail, NOW).kind == SENT
    assert house.counts(letter) == (1, 1, 0)


def test_what_is_there_already_is_not_replaced_by_itself(house: House, session: Session) -> None:
    letter = house.letter()
    octets = letter.mail().octets
    with session.store() as store:
        first = outbox.save_draft(store, octets, NOW)
        assert first is not None
        assert outbox.save_draft(store, octets, NOW) == first
    outbox.remove_replaced_draft(session, first, first)
    assert house.counts(letter) == (0, 0, 1)


def test_a_draft_without_a_message_id_is_not_taken_for_another_one(house: House, session: Session) -> None:
    house.draft(session)
    with session.store() as store:
        assert outbox.save_draft(store, b"Subject: without\r\n\r\nHello.\r\n", NOW) is not None
    assert house.box("Drafts").subjects == {"begun": 1, "without": 1}


def test_what_cannot_be_claimed_was_not_sent_and_the_same_again_sends_it(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> None:
        raise StateFull("database or disk is full")

    ticket, letter = session.ticket(), house.letter(draft=house.draft(session))
    mail = letter.mail()
    with monkeypatch.context() as patch:
        patch.setattr(JournalTable, "claim", fails)
        for _repeat in range(3):
            outcome = outbox.send(session, act(ticket), lambda store: mail, NOW)
            assert (outcome.kind, outcome.sentence, outcome.kept) == (NOT_SENT, StateFull.sentence, True)
            assert not outcome.begun
            assert house.counts(letter) == (0, 0, 1)
        assert house.box("Drafts").subjects["begun"] == 0
        # If the ticket was begun before, its outcome is reported.
        done = session.ticket()
    assert outbox.send(session, act(done), house.letter().mail, NOW).kind == SENT
    with monkeypatch.context() as patch:
        patch.setattr(JournalTable, "claim", fails)
        assert outbox.send(session, act(done), letter.mail, NOW).kind == SENT
    assert outbox.send(session, act(ticket), lambda store: mail, NOW).kind == SENT
    assert house.counts(letter) == (1, 1, 0)


def test_a_copy_of_what_could_not_be_claimed_is_not_denied_while_nobody_can_look(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> None:
        raise StateFull("database or disk is full")

    def busy(*args: Any) -> None:
        raise StoreBusy("too many wait")

    ticket, letter = session.ticket(), house.letter()
    mail = letter.mail()
    with monkeypatch.context() as patch:
        patch.setattr(JournalTable, "claim", fails)
        assert outbox.send(session, act(ticket), lambda store: mail, NOW).kept
    with monkeypatch.context() as patch:
        patch.setattr(Session, "store", busy)
        outcome = outbox.send(session, act(ticket), lambda store: mail, NOW)
    assert house.counts(letter) == (0, 0, 1)
    assert (outcome.kind, outcome.sentence, outcome.kept) == (NOT_SENT, StoreBusy.sentence, None)


@pytest.mark.parametrize("goes", [False, True], ids=["copy stays", "copy goes"])
def test_the_older_draft_goes_later_though_the_copy_has_gone_meanwhile(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch, goes: bool
) -> None:
    house.smtp.refuse = {BOB: "550 no"}
    letter = house.letter(draft=house.draft(session))
    with monkeypatch.context() as patch:
        patch.setattr(filing, "remove", _unreachable)
        outcome = outbox.send(session, act(session.ticket()), letter.mail, NOW)
    assert (outcome.kind, outcome.kept) == (NOT_SENT, True)
    assert house.box("Drafts").subjects == {"begun": 1, letter.subject: 1}
    with worker(house.wiring) as sessions:
        later = signed_in(sessions, ME)
        if goes:  # sent from Drafts, or deleted
            with later.store() as store:
                filing.remove(store, outcome.draft)
        # It was not sent, for certain, however often somebody looks.
        assert {news.kind for news in outbox.recover(later, NOW)} == {NOT_SENT}
    assert house.box("Drafts").subjects == ({} if goes else {letter.subject: 1})


def test_the_database_tells_nobody_who_wrote_what_to_whom(house: House) -> None:
    house.smtp.refuse = {EVE: "550 no such user"}
    letter = house.letter(BOB, EVE, text="Meet me at the harbour.")
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        assert outbox.send(session, act(session.ticket()), letter.mail, NOW).refused
    found = [path for path in Path(house.wiring.state).parent.rglob("*") if path.is_file()]
    octets = b"".join(path.read_bytes() + path.name.encode() for path in found)
    assert len(octets) > 4096
    for secret in (ME, BOB, EVE, "bob", letter.subject, "harbour", "example.net"):
        assert secret.encode() not in octets, secret


def test_what_is_settled_is_known_for_a_while_and_what_is_not_for_longer(house: House) -> None:
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        tickets = [session.ticket(), session.ticket()]
        assert outbox.send(session, act(tickets[0]), house.letter().mail, NOW).kind == SENT
        house.smtp.refuse = {BOB: "550 no"}
        assert outbox.send(session, act(tickets[1]), house.letter().mail, NOW).kind == NOT_SENT
        table, keys = sessions._state.journal, [vault.digest(ticket) for ticket in tickets]

        def known(seconds: float) -> list[bool]:
            table.purge(NOW.timestamp() + seconds)
            return [bool(table.of(session.account, key)) for key in keys]

        # As long as the session lives, its tickets are valid, however old.
        assert known(2 * LIFETIME) == [True, True]
        session.close()
        assert known(MEMORY - 1) == [True, True]
        assert known(MEMORY) == [False, True]
        assert known(LIFETIME) == [False, False]


def test_a_repeat_after_the_session_has_ended_is_told_at_the_next_sign_in(house: House) -> None:
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        ticket, other, letter = session.ticket(), session.ticket(), house.letter()
        assert outbox.send(session, act(ticket), letter.mail, NOW).kind == SENT
        assert not outbox.has_pending(session)
        session.close()
        assert not sessions.was_begun(session.token, act(other))
        assert not sessions.was_begun("A" * 22, act(ticket))
        assert sessions.was_begun(session.token, act(ticket))
        later = signed_in(sessions, ME)
        (news,) = outbox.recover(later, NOW)
        assert (news.kind, news.recipients) == (SENT, (BOB,))
        outbox.acknowledge(later, [news.name])
        assert not outbox.has_pending(later)
    assert house.counts(letter) == (1, 1, 0)


@pytest.mark.parametrize(
    ("point", "kind"), [("after append", NOT_SENT), ("after smtp", UNCERTAIN), ("after accepted", SENT)]
)
def test_with_another_secret_it_is_told_how_far_it_came(
    house: House, dying: Dying, monkeypatch: pytest.MonkeyPatch, point: str, kind: str
) -> None:
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        dying.send(house.wiring, session.token, session.ticket(), house.letter(), point)
    monkeypatch.setattr(postbox, "SECRET", b"x" * 32)
    with worker(house.wiring) as sessions:
        later = signed_in(sessions, ME)
        (news,) = outbox.recover(later, NOW)
        assert (news.kind, news.kept, news.recipients) == (kind, None, ())
        outbox.acknowledge(later, [news.name])
        assert not outbox.has_pending(later)


@pytest.mark.parametrize("kind", [SENT, NOT_SENT, UNCERTAIN])
def test_a_repeat_with_another_secret_sends_nothing_and_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Its ticket is no longer valid, yet the journal knows it."""
    faults = {SENT: "", NOT_SENT: "everybody refused", UNCERTAIN: "cut after the verdict"}
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        posted, letter = act(session.ticket()), house.letter()
        other = replace(posted, mark=b"another")
        if faults[kind]:
            FAULTS[faults[kind]][0](house.smtp)
        assert outbox.send(session, posted, letter.mail, NOW).kind == kind
        house.smtp.reset()
    arrived = house.arrived(letter)
    monkeypatch.setattr(postbox, "SECRET", b"x" * 32)
    with worker(house.wiring) as sessions:
        with pytest.raises(SessionEnded):
            sessions.resume(session.token, None)
        # The text of what was not sent is kept: nobody can know whether a copy is in Drafts.
        assert sessions.was_begun(session.token, posted) is (kind != NOT_SENT)
        assert not sessions.was_begun(session.token, other)
        later = signed_in(sessions, ME)
        assert [news.kind for news in outbox.recover(later, NOW)] == [kind]
        # Even its ticket, brought to the new session, is recognized.
        assert outbox.send(later, posted, letter.mail, NOW).kind == kind
        if kind == NOT_SENT:
            with pytest.raises(BadRequest):
                outbox.send(later, other, letter.mail, NOW)
        else:
            assert outbox.send(later, other, letter.mail, NOW).kind == ASKED
        for news in outbox.recover(later, NOW):
            outbox.acknowledge(later, [news.name])
        assert not outbox.has_pending(later)
    assert house.arrived(letter) == arrived


def test_locks_of_the_dead_are_cleared_away(house: House, dying: Dying, session: Session) -> None:
    folder = Path(house.wiring.state + "-sending")
    dying.send(house.wiring, session.token, session.ticket(), house.letter(), "after submitting")
    assert len(list(folder.iterdir())) == 1
    with worker(house.wiring) as sessions:
        sessions._state.journal.purge(NOW.timestamp())
    assert list(folder.iterdir()) == []


# --- the same ticket, and something else ---


def test_one_more_mail_is_asked_about_when_the_first_is_sent(house: House, session: Session) -> None:
    ticket, first, second = session.ticket(), house.letter(), house.letter(EVE)
    assert outbox.send(session, act(ticket, b"first"), first.mail, NOW).kind == SENT
    for _ in range(2):
        asked = outbox.send(session, act(ticket, b"second"), second.mail, NOW + timedelta(minutes=2))
        assert (asked.kind, asked.first, asked.recipients, asked.at) == (ASKED, SENT, (BOB,), NOW.timestamp())
    assert house.counts(second) == (0, 0, 0)
    assert outbox.send(session, act(ticket, b"first"), first.mail, NOW).kind == SENT
    assert outbox.send(session, act(session.ticket(), b"second"), second.mail, NOW).kind == SENT
    assert house.counts(first) == house.counts(second) == (1, 1, 0)


@pytest.mark.parametrize("fault", FAULTS)
def test_one_more_mail_is_sent_when_the_first_was_not_and_asked_about_when_nobody_knows(
    house: House, session: Session, fault: str
) -> None:
    prepare, kind, _accepted = FAULTS[fault]
    ticket, first, second = session.ticket(), house.letter(), house.letter()
    prepare(house.smtp)
    try:
        before = outbox.send(session, act(ticket, b"first"), first.mail, NOW)
    finally:
        house.smtp.reset()
        house.smtp.passwords.clear()
    sent = outbox.send(session, act(ticket, b"second"), second.mail, NOW)
    assert (sent.kind, sent.first) == ((SENT, SENT) if kind == NOT_SENT else (ASKED, UNCERTAIN))
    assert house.counts(second) == ((1, 1, 0) if kind == NOT_SENT else (0, 0, 0))
    # Each is told about its own.
    assert outbox.send(session, act(ticket, b"first"), first.mail, NOW) == before
    assert outbox.send(session, act(ticket, b"second"), second.mail, NOW) == sent
    # And a third is asked about, whichever of them went out.
    assert outbox.send(session, act(ticket, b"third"), second.mail, NOW).kind == ASKED


@pytest.mark.parametrize("point", POINTS[POINTS.index("after claim") :])
def test_one_more_mail_after_a_worker_that_died(
    house: House, dying: Dying, session: Session, point: str
) -> None:
    first = house.letter(answered=house.original(session), draft=house.draft(session))
    ticket, second = session.ticket(), house.letter()
    assert dying.send(house.wiring, session.token, ticket, first, point) is None
    sent = outbox.send(session, act(ticket, b"second"), second.mail, NOW)
    kind, counts = expected(point, by_ticket)
    assert sent.kind == (SENT if kind == NOT_SENT else ASKED)
    assert sent.kind == SENT or sent.first == kind
    assert house.arrived(second) == (kind == NOT_SENT)
    assert house.counts(first) == counts


def test_one_more_mail_while_the_first_is_under_way(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "WAIT_SECONDS", 0.3)
    submit, begun, go_on = postbox.submission.submit, threading.Event(), threading.Event()

    def slow(*args: Any) -> Any:
        begun.set()
        assert go_on.wait(PATIENCE)
        return submit(*args)

    with worker(house.wiring, slow) as one, worker(house.wiring) as two, ThreadPoolExecutor(1) as pool:
        session = signed_in(one, ME)
        ticket, first, second = session.ticket(), house.letter(), house.letter()
        sending = pool.submit(outbox.send, session, act(ticket, b"first"), first.mail, NOW)
        try:
            assert begun.wait(PATIENCE)
            asked = outbox.send(two.resume(session.token, None), act(ticket, b"second"), second.mail, NOW)
            assert (asked.kind, asked.first, asked.recipients) == (ASKED, SENDING, (BOB,))
        finally:
            go_on.set()
        assert sending.result().kind == SENT
    assert house.counts(first) == (1, 1, 0)
    assert house.arrived(second) == 0


# --- twins ---


def test_a_repeat_in_flight_is_told_sending_by_any_worker(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "WAIT_SECONDS", 0.3)
    submit, begun, go_on = postbox.submission.submit, threading.Event(), threading.Event()

    def slow(*args: Any) -> Any:
        begun.set()
        assert go_on.wait(PATIENCE)
        return submit(*args)

    with worker(house.wiring, slow) as one, worker(house.wiring) as two, ThreadPoolExecutor(1) as pool:
        session = signed_in(one, ME)
        twin = two.resume(session.token, None)
        ticket, letter = session.ticket(), house.letter()
        first = pool.submit(outbox.send, session, act(ticket), letter.mail, NOW)
        try:
            assert begun.wait(PATIENCE)
            assert outbox.send(twin, act(ticket), letter.mail, NOW).kind == SENDING
            # Whoever signs in in the meantime leaves it alone.
            assert outbox.recover(signed_in(two, ME), NOW) == ()
        finally:
            go_on.set()
        assert first.result().kind == SENT
        assert outbox.send(twin, act(ticket), letter.mail, NOW).kind == SENT
    assert house.counts(letter) == (1, 1, 0)


def test_eight_at_once_are_one(house: House) -> None:
    with worker(house.wiring) as one, worker(house.wiring) as two, ThreadPoolExecutor(8) as pool:
        session = signed_in(one, ME)
        twins = [session, two.resume(session.token, None)] * 4
        ticket, letter = session.ticket(), house.letter()
        kinds = list(pool.map(lambda twin: outbox.send(twin, act(ticket), letter.mail, NOW).kind, twins))
    assert set(kinds) <= {SENT, SENDING}
    assert SENT in kinds
    assert house.counts(letter) == (1, 1, 0)


# --- drafts ---


def test_of_two_copies_of_one_mail_the_newest_stays(house: House, session: Session) -> None:
    """An APPEND whose connection broke may come into effect after somebody has looked, and made another."""
    letter = house.letter()
    mail = letter.mail()
    with session.store() as store:
        for _copy in range(2):
            store.append("Drafts", mail.octets, (DRAFT,), NOW)
        assert house.counts(letter) == (0, 0, 2)
        newest = store.find_id("Drafts", mail.message_id)
        assert filing.remove_duplicates(store, mail.message_id) == newest
    assert house.counts(letter) == (0, 0, 1)


def test_a_draft_is_saved_in_the_place_of_the_one_before(house: House, session: Session) -> None:
    first, second = house.letter(), house.letter()
    with session.store() as store:
        before = outbox.save_draft(store, first.mail().octets, NOW)
        assert before is not None
        ref = outbox.save_draft(store, second.mail().octets, NOW)
    outbox.remove_replaced_draft(session, before, ref)
    box = house.box("Drafts")
    assert dict(box.subjects) == {second.subject: 1}
    assert "\\Draft" in box.flags[second.subject]


def test_a_draft_that_cannot_be_saved_leaves_the_one_before(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.draft(session)
    monkeypatch.setattr(ImapStore, "append", _refusing("Drafts", StoreRefused("full")))
    with session.store() as store, pytest.raises(StoreRefused):
        outbox.save_draft(store, house.letter().mail().octets, NOW)
    assert house.box("Drafts").subjects["begun"] == 1


@pytest.mark.parametrize(
    ("to", "refused", "newest"), [(BOB, False, True), (BOB, True, False), (EVE, False, False)]
)
def test_a_repeat_of_what_was_not_sent_is_told_what_has_reached_its_recipients_since(
    house: House, session: Session, to: str, refused: bool, newest: bool
) -> None:
    house.smtp.refuse = {BOB: "550 no"}
    ticket, letter = session.ticket(), house.letter()
    first = outbox.send(session, act(ticket), letter.mail, NOW)
    assert first.kind == NOT_SENT
    if not refused:
        house.smtp.refuse = {}
    then = outbox.send(session, act(session.ticket()), house.letter(to, draft=first.draft).mail, NOW)
    assert then.kind == (NOT_SENT if refused else SENT)
    again = outbox.send(session, act(ticket), letter.mail, NOW)
    assert (again.kind, again.name) == ((SENT, then.name) if newest else (NOT_SENT, first.name))


@pytest.mark.parametrize(
    ("to", "refused", "kind"),
    [((BOB, ME), (), SENT), ((BOB, ME), (ME,), SENT), ((BOB, ME), (BOB,), NOT_SENT), ((ME,), (), SENT)],
)
def test_what_nobody_but_its_writer_got_is_not_sent(
    house: House, session: Session, to: tuple[str, ...], refused: tuple[str, ...], kind: OutcomeKind
) -> None:
    house.smtp.refuse = dict.fromkeys(refused, "550 no such user")
    letter = house.letter(*to)
    outcome = outbox.send(
        session, act(session.ticket()), lambda store: replace(letter.mail(store), copy_to=ME), NOW
    )
    assert (outcome.kind, outcome.refused) == (kind, refused)
    assert house.counts(letter) == ((1, 1, 0) if kind == SENT else (1, 0, 1))


def test_what_cannot_be_read_of_earlier_sendings_is_no_error(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(session.journal), "open", Mock(side_effect=StateError("locked")))
    assert outbox.recover(session, NOW) == ()
    assert not outbox.has_pending(session)


def test_every_outcome_has_words() -> None:
    for kind in (SENT, NOT_SENT, UNCERTAIN, SENDING):
        for kept in (True, False, None):
            told = outbox.sentences(outbox.Outcome(kind, kept=kept))
            assert told
            assert all(msgid % values for msgid, values in told)
            copy = {True: "A copy is in Drafts.", False: "No copy could be kept in Drafts."}
            said = (copy.get(kept, "Look in Drafts for a copy."), {}) in told  # kept is None: nobody knows
            assert said is (kind in (NOT_SENT, UNCERTAIN))
    assert outbox.sentences(outbox.Outcome(UNCERTAIN))[0][0] == SubmissionUncertain.sentence


@pytest.mark.parametrize(
    ("kind", "known", "value"),
    [
        (SentTooMuch, {"until": NOW.timestamp()}, f"{NOW.astimezone(UTC):%H:%M} UTC"),
        (SenderRefusedThere, {"sender": ME}, ME),
        (ServerAlert, {"alert": "closed for repairs"}, "closed for repairs"),
    ],
)
def test_a_reason_has_its_values(kind: type[GatewayError], known: dict[str, Any], value: str) -> None:
    outcome = outbox.Outcome(NOT_SENT, sentence=kind.sentence, **known)
    assert value in " ".join(msgid % values for msgid, values in outbox.sentences(outcome))
