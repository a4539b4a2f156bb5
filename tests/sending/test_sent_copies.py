"""One copy in Sent, whoever puts it there: a real submission server that files by itself, immediately, late, or
never."""

from __future__ import annotations

import imaplib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.access import sent_copies
from gateway.access.sent_copies import SentCopy
from gateway.access.session import Session
from gateway.config import Server, Tls, Upstream
from gateway.sending import filing, outbox
from gateway.sending.one_copy import LATE_SECONDS
from gateway.sending.outbox import SENT
from tests.postbox import NOW, Letter, Wiring, act, look, signed_in, worker
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

ME, BOB = "filer@example.net", "bob@example.net"


class House:
    """A mailbox, and a submission server that puts what it accepts into its Sent after some seconds; None: never."""

    def __init__(self, dovecot: Dovecot, smtp: SmtpServer, state: Path) -> None:
        self.dovecot, self.smtp = dovecot, smtp
        self.after: float | None = None
        self.late: list[threading.Timer] = []
        ports, ca = dovecot.ports["imap"], str(dovecot.ca_file)
        self.wiring = Wiring(str(state), ports, smtp.port, ca, str(smtp.ca_file), sent_copy="auto")

    def deliver(self, spec: str, octets: bytes) -> None:
        if self.after is None:
            return
        if not self.after:  # before it says that it has accepted the mail
            self.dovecot.deliver(ME, octets, "Sent", "S")
            return
        timer = threading.Timer(self.after, self.dovecot.deliver, (ME, octets, "Sent", "S"))
        self.late.append(timer)
        timer.start()

    def send(self, session: Session, subject: str, now: datetime = NOW) -> outbox.Outcome:
        return outbox.send(session, act(session.ticket()), Letter(subject, ME, (BOB,)).mail, now)

    def copies(self, subject: str) -> tuple[int, int]:
        """Count copies in Sent and in Drafts, once everything has been filed."""
        for timer in self.late:
            timer.join()
        port = self.wiring.imap_port
        return look(port, ME, "Sent").subjects[subject], look(port, ME, "Drafts").subjects[subject]


@pytest.fixture
def house(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    shutil.rmtree(dovecot.home(ME), ignore_errors=True)
    for user in (ME, BOB):
        dovecot.user(user)
    house = House(dovecot, smtp_server, tmp_path / "state.sqlite")
    monkeypatch.setattr(smtp_server, "deliver", house.deliver)
    yield house
    for timer in house.late:
        timer.join()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record how long a person waits for each mail."""
    found: list[float] = []
    is_in_sent = filing.is_in_sent
    monkeypatch.setattr(filing, "is_in_sent", lambda *args: found.append(sum(args[2])) or is_in_sent(*args))
    return found


@pytest.mark.parametrize("sent_copy", ["auto", "append", "provider"])
@pytest.mark.parametrize("after", [None, 0.0, 0.3])
def test_there_is_one_copy(house: House, sent_copy: str, after: float | None) -> None:
    house.wiring, house.after = replace(house.wiring, sent_copy=sent_copy), after
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        outcomes = [house.send(session, subject) for subject in ("one", "two")]
        assert {outcome.kind for outcome in outcomes} == {SENT}
        if sent_copy == "append" and after is not None:
            return  # whoever says so gets two
        for subject, outcome in zip(("one", "two"), outcomes, strict=True):
            in_sent, in_drafts = house.copies(subject)
            assert in_sent + in_drafts == 1
            assert outcome.filed is (in_sent == 1)
            assert in_drafts == (sent_copy == "provider" and after is None)
        outbox.recover(session, NOW)
        assert sum(house.copies("one")) == 1


def test_nobody_waits_for_a_provider_that_was_seen_to_file_nothing(house: House, waits: list[float]) -> None:
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        for subject in ("one", "two", "three"):
            house.send(session, subject)
    assert waits == [sum(sent_copies.WAITS), 0, 0]


def test_a_known_provider_that_is_slow_gets_no_second_copy(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_copies, "FILING", frozenset({"127.0.0.1"}))
    house.after = 1.5
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        outcome = house.send(session, "slow")
        said = [msgid for msgid, _values in outbox.sentences(outcome)]
        assert said == ["Sent.", "The copy is still in Drafts."]
        assert house.copies("slow") == (1, 1)
        assert outbox.recover(session, NOW) == ()
        assert house.copies("slow") == (1, 0)
        house.after = None
        house.send(session, "lost")
        assert house.copies("lost") == (0, 1)
        outbox.recover(session, NOW)
        assert house.copies("lost") == (1, 0)


def test_an_unknown_provider_that_is_late_costs_one_look_and_leaves_one_copy(house: House) -> None:
    house.after = sum(sent_copies.WAITS) + 0.7
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        for subject in ("one", "two"):
            assert house.send(session, subject).filed is True
        assert [house.copies(subject) for subject in ("one", "two")] == [(2, 0), (2, 0)]
        house.after = 0.0
        later = NOW + timedelta(seconds=LATE_SECONDS)
        assert house.send(session, "three", later).filed is True
        assert [house.copies(subject) for subject in ("one", "two", "three")] == [(1, 0)] * 3
        assert outbox.recover(session, later) == ()
        assert not outbox.has_pending(session)


def test_a_provider_whose_copy_came_late_is_known_to_file(house: House) -> None:
    house.after = sum(sent_copies.WAITS) + 0.7
    later = NOW + timedelta(seconds=LATE_SECONDS)
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        house.send(session, "one")
        assert house.copies("one") == (2, 0)
        assert outbox.recover(session, later) == ()
        assert house.copies("one") == (1, 0)
        house.after = None
        assert house.send(session, "two", later).filed is False
        assert house.copies("two") == (0, 1)


@pytest.mark.parametrize("patient", [True, False])
def test_the_copy_of_a_provider_that_files_nothing_stays(house: House, patient: bool) -> None:
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        house.send(session, "one")
        assert outbox.recover(session, NOW) == ()
        assert outbox.has_pending(session), "a provider may be late"
        later = NOW + timedelta(seconds=LATE_SECONDS)
        if patient:
            assert outbox.recover(session, later) == ()
        house.send(session, "two", later)
        assert not outbox.has_pending(session), "it is known to file nothing"
        assert [house.copies(subject) for subject in ("one", "two")] == [(1, 0), (1, 0)]


def test_only_our_own_copy_is_removed_and_only_beside_another(house: House) -> None:
    with worker(house.wiring) as sessions:
        session = signed_in(sessions, ME)
        house.send(session, "one")
        with imaplib.IMAP4("127.0.0.1", house.wiring.imap_port) as client:
            client.login(ME, "secret")
            client.select("Sent")
            client.copy("1", "Drafts")  # whoever keeps a copy elsewhere has another one
            client.store("1", "+FLAGS", "\\Deleted")
            client.expunge()
        outbox.recover(session, NOW + timedelta(seconds=LATE_SECONDS))
        assert house.copies("one") == (0, 1)


def test_what_is_known_of_a_provider() -> None:
    server = Server("smtp", "smtp.gmail.com", 465, Tls.IMPLICIT)
    imap = Server("imap", "imap.gmail.com", 993, Tls.IMPLICIT)
    made = SentCopy(Upstream(("gmail.com",), imap, server))
    assert made.files is True
    made.learn(False)
    assert made.files is False
    assert SentCopy(Upstream(("x.org",), imap, replace(server, host="smtp.x.org"))).files is None
    assert SentCopy(Upstream(("x.org",), imap, server, sent_copy="append")).files is False
