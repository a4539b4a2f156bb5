"""The MailStore over POP3 against a real Dovecot: what it reports is checked in the Maildir."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Server, Tls
from gateway.errors import (
    AuthenticationFailed,
    MailboxGone,
    MessageGone,
    NotSupported,
    PartlyDone,
    StoreTLSError,
    UnsafeArgument,
)
from gateway.store.base import SEEN, ListPosition, MessageRef, Window
from gateway.store.pop3 import pop3_store, visiting
from gateway.store.pop3.pop3_store import Pop3Store
from tests import rig
from tests.servers import maildir, unpacked
from tests.servers.dovecot import Dovecot
from tests.servers.elsewhere import CourierPop

MIXED = (
    b"From: Ann <ann@example.org>\r\nTo: me@example.net\r\nSubject: Two parts\r\nMIME-Version: 1.0\r\n"
    b"Date: Tue, 3 Nov 2026 14:00:00 +0100\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/plain\r\n\r\nHello.\r\n.\r\n..two dots\r\n--x\r\n"
    b"Content-Type: application/zip\r\nContent-Disposition: attachment; filename=a.zip\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nUEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==\r\n--x--\r\n"
)


def mail(number: int) -> bytes:
    return f"From: Ann <a{number}@example.org>\r\nSubject: Number {number}\r\n\r\nWords of {number}.\r\n".encode()


class Notes:
    """Notes in memory."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], Any] = {}

    def get(self, kind: str, name: str = "") -> Any:
        return self.values.get((kind, name))

    def change(self, kind: str, name: str, update: Any, most: int = 0) -> Any:
        self.values[kind, name] = update(self.values.get((kind, name)))
        return self.values[kind, name]


@contextmanager
def leased(
    server: Server, user: str, store: Pop3Store | None = None, notes: Notes | None = None
) -> Iterator[Pop3Store]:
    """Lease a store as a session does: a new one, or one that was leased before."""
    made = store or pop3_store.connect(server, user, "secret")
    with made.lent(lambda: pop3_store.connect(server, user, "secret"), notes):
        yield made


@pytest.fixture
def person(dovecot: Dovecot, request: pytest.FixtureRequest) -> str:
    return dovecot.user(f"{abs(hash(request.node.name)):x}@pop.example")


@pytest.mark.parametrize("tls", list(Tls))
def test_a_message_is_listed_read_and_deleted(dovecot: Dovecot, person: str, tls: Tls) -> None:
    dovecot.deliver(person, mail(1))
    dovecot.deliver(person, MIXED)
    server = rig.pop3(dovecot, tls)
    with leased(server, person) as store:
        listing = store.summaries("INBOX", Window(9))
        newest, oldest = sorted(listing.summaries, key=lambda row: row.envelope.subject, reverse=True)
        assert (listing.exists, listing.unseen) == (2, 2)
        assert (newest.envelope.subject, oldest.envelope.subject) == ("Two parts", "Number 1")
        message = store.structure(newest.ref)
        assert [part.media_type for part in message.root.parts] == ["text/plain", "application/zip"]
        assert b"".join(store.octets(newest.ref, "1")) == b"Hello.\r\n.\r\n..two dots"
        assert b"".join(store.octets(newest.ref, "")) == MIXED
        store.delete([newest.ref])
        assert dovecot.count(person) == 1
    with leased(server, person) as store:
        assert [row.ref for row in store.summaries("INBOX", Window(9)).summaries] == [oldest.ref]
        with pytest.raises(MessageGone):
            store.structure(newest.ref)


def test_the_first_list_costs_two_commands_and_nine_headers(dovecot: Dovecot, person: str) -> None:
    for number in range(1, 31):
        dovecot.deliver(person, mail(number))
    server = rig.pop3(dovecot)
    with leased(server, person) as store:
        before = store.traffic.commands, store.traffic.round_trips
        store.summaries("INBOX", Window(9))
        traffic = store.traffic
        assert (traffic.commands - before[0], traffic.round_trips - before[1]) == (2 + 9, 2)
        page = store.summaries("INBOX", Window(9, 21))
        assert [row.sequence for row in page.summaries] == list(range(21, 12, -1))
    with leased(server, person, store):  # what was shown needs no header again
        store._line()
        commands = store.traffic.commands
        assert store.summaries("INBOX", Window(9, 21)).summaries == page.summaries
        assert store.traffic.commands - commands == 2


def test_what_was_opened_costs_no_visit(dovecot: Dovecot, person: str) -> None:
    dovecot.deliver(person, MIXED)
    server = rig.pop3(dovecot)
    with leased(server, person) as store:
        (row,) = store.summaries("INBOX", Window(9)).summaries
        message = store.structure(row.ref)

    def never() -> Pop3Store:
        raise AssertionError("a visit")

    with store.lent(never):
        assert store.structure(row.ref) == message
        assert b"".join(store.octets(row.ref, "2.MIME")).startswith(b"Content-Type: application/zip")
        store.flag([row.ref], [SEEN])
        assert store.structure(row.ref).flags == {SEEN}


def test_nobody_waits_while_a_phone_takes_a_file(dovecot: Dovecot, person: str) -> None:
    dovecot.deliver(person, MIXED)
    server = rig.pop3(dovecot)
    with leased(server, person) as store:
        (row,) = store.summaries("INBOX", Window(9)).summaries
        pieces = store.octets(row.ref, "")
        begun = next(pieces)
        with leased(server, person) as other:
            assert other.summaries("INBOX", Window(9)).exists == 1
        assert begun + b"".join(pieces) == MIXED


def test_nothing_is_left_open_between_leases(dovecot: Dovecot, person: str) -> None:
    dovecot.deliver(person, mail(1))
    server = rig.pop3(dovecot)
    with leased(server, person) as store:
        connection = store._line()
    assert connection.broken
    assert connection.wire.sock.fileno() < 0
    assert store.is_usable(10_000)
    assert not store.broken
    assert (server, person) not in visiting._TURNS or not visiting._TURNS[server, person].lock.locked()


def test_seen_is_what_was_noted_of_messages_that_are_there(dovecot: Dovecot, person: str) -> None:
    for number in (1, 2, 3):
        dovecot.deliver(person, mail(number))
    server, notes = rig.pop3(dovecot), Notes()
    with leased(server, person, notes=notes) as store:
        rows = store.summaries("INBOX", Window(9)).summaries
        store.flag([rows[0].ref, rows[1].ref], [SEEN])
        assert store.summaries("INBOX", Window(9)).unseen == 1
        assert store.neighbour(rows[0].ref, older=True, unread=True) == rows[2].ref
    with leased(server, person, notes=notes) as store:
        listing = store.summaries("INBOX", Window(9))
        assert [SEEN in row.flags for row in listing.summaries] == [True, True, False]
        store.delete([rows[0].ref])
    with leased(server, person, notes=notes) as store:
        store.summaries("INBOX", Window(9))
        store.flag([rows[1].ref], [SEEN], False)
        store.flag([rows[2].ref], [SEEN])
        assert store.flags([row.ref for row in rows]) == {rows[1].ref: frozenset(), rows[2].ref: {SEEN}}
    assert len(notes.get("seen")["uids"]) == 8  # one UID of six octets, in base64
    with leased(server, person) as store, pytest.raises(NotSupported):
        store.flag([rows[1].ref], ["\\Flagged"])


def test_several_are_deleted_or_it_is_said_which(dovecot: Dovecot, person: str) -> None:
    for number in (1, 2, 3, 4):
        dovecot.deliver(person, mail(number))
    with leased(rig.pop3(dovecot), person) as store:
        refs = [row.ref for row in store.summaries("INBOX", Window(9)).summaries]
        store.delete(refs[:1])
        assert store.neighbour(refs[0], older=True) == refs[1]  # its place is known, though it is gone
        with pytest.raises(PartlyDone) as partly:
            store.delete(refs[:3])
        assert set(partly.value.done) == set(refs[1:3])
        with pytest.raises(MessageGone):
            store.delete(refs[:2])
    assert dovecot.count(person) == 1


def test_a_range_by_rank_as_pages_of_ticks_need_it(dovecot: Dovecot, person: str) -> None:
    for number in range(1, 8):
        dovecot.deliver(person, mail(number))
    from gateway.message.query import Query
    from gateway.store.abilities import Order

    with leased(rig.pop3(dovecot), person) as store:
        refs = [row.ref for row in store.summaries("INBOX", Window(9)).summaries]
        found = store.found("INBOX", Query(), Order.ARRIVAL, ListPosition(3), 3)
        assert [line.summary.ref for line in found.lines] == refs[2:5]
        assert (found.rank, found.beyond, found.count) == (3, ListPosition(6), 7)
        found = store.found("INBOX", Query(), Order.SUBJECT, ListPosition(1, refs[5].uid), 3)
        assert [line.summary.ref for line in found.lines] == refs[5:]
        assert (found.order, found.beyond) == (Order.ARRIVAL, None)
        found = store.found("INBOX", Query(), Order.ARRIVAL, ListPosition(6, refs[5].uid, True), 3)
        assert [line.summary.ref for line in found.lines] == refs[2:5]
        assert store.newest("INBOX", 2) == (refs[1], refs[0])
        assert [row.ref for row in store.summaries_of([refs[3], MessageRef("INBOX", 1, 5), refs[0]])] == [
            refs[3],
            refs[0],
        ]


def test_an_empty_maildrop(dovecot: Dovecot, person: str) -> None:
    with leased(rig.pop3(dovecot), person) as store:
        listing = store.summaries("inbox", Window(9))
        assert (listing.exists, listing.unseen, listing.top, listing.summaries) == (0, 0, 0, ())
        for wrong in (MessageRef("Sent", 1, 5), MessageRef("INBOX", 2, 5)):
            with pytest.raises(MailboxGone):
                store.structure(wrong)
        with pytest.raises(MailboxGone):
            store.summaries("Sent", Window(9))


def test_who_is_let_in(dovecot: Dovecot, person: str, tmp_path: Path) -> None:
    server = rig.pop3(dovecot)
    for user, password in (
        (person, "guess"),
        (person, "with blank "),
        ("no\u00f6ne@pop.example", "p\u00e4ss"),
    ):
        with pytest.raises(AuthenticationFailed) as failed:
            pop3_store.connect(server, user, password)
        assert password not in failed.value.detail
    with pytest.raises(UnsafeArgument):
        pop3_store.connect(server, person, "a\r\nQUIT")
    with pytest.raises(StoreTLSError):
        pop3_store.connect(
            Server("pop3", dovecot.misnamed_host, server.port, Tls.STARTTLS, dovecot.ca_file), person, "x"
        )
    with pytest.raises(StoreTLSError):
        pop3_store.connect(Server("pop3", "192.0.2.1", 110, Tls.NONE), person, "x")


def test_letters_in_a_password(dovecot: Dovecot) -> None:
    user = dovecot.user("letters@pop.example", "p\u00e4ss w\u00f6rd")
    with closing(pop3_store.connect(rig.pop3(dovecot), user, "p\u00e4ss w\u00f6rd")) as store:
        assert store.summaries("INBOX", Window(9)).exists == 0


def test_large_mail_of_any_line_ends(dovecot: Dovecot, person: str) -> None:
    lines = [b"." * (n % 7) + b"x" * (n % 300) for n in range(20_000)]
    dovecot.deliver(person, b"Subject: Large\n\n" + b"\n".join(lines) + b"\n")
    with leased(rig.pop3(dovecot), person) as store:
        (row,) = store.summaries("INBOX", Window(1)).summaries
        octets = b"".join(store.octets(row.ref, "1"))
        assert octets == b"\r\n".join(lines) + b"\r\n"
        assert message_from_bytes(b"".join(store.octets(row.ref, "HEADER")))["Subject"] == "Large"
        assert b"".join(store.octets(row.ref, "1", len(octets) - 3)) == octets[-3:]


def test_mail_is_read_from_courier() -> None:
    """Another real server: its unique-ids, and its names for capabilities."""
    if lacking := unpacked.lacking(CourierPop.package):
        pytest.skip(f"NOT TESTED: {lacking}")
    with closing(CourierPop(["me@example.net"])) as courier:
        courier.start()
        folder = courier.base / "mail" / "me@example.net" / "Maildir"
        maildir.write(folder, [each.replace(b"\r\n", b"\n") for each in (mail(1), mail(2), MIXED)])
        server = rig.pop3(courier)
        with leased(server, "me@example.net") as store:
            rows = store.summaries("INBOX", Window(9)).summaries
            refs = {row.envelope.subject: row.ref for row in rows}
            assert set(refs) == {"Number 1", "Number 2", "Two parts"}
            ref = refs["Two parts"]
            assert store.structure(ref).root.parts[1].filename == "a.zip"
            assert b"".join(store.octets(ref, "1")) == b"Hello.\r\n.\r\n..two dots"
            store.delete([ref])
        with leased(server, "me@example.net", store) as store:
            assert {row.ref for row in store.summaries("INBOX", Window(9)).summaries} == set(
                refs.values()
            ) - {ref}
        with pytest.raises(AuthenticationFailed):
            pop3_store.connect(server, "me@example.net", "guess")


def test_a_dovecot_that_offers_apop_alone() -> None:
    with closing(Dovecot(more="\nauth_mechanisms = apop\n")) as server:
        server.start()
        server.user("me@example.net")
        place = rig.pop3(server)
        with leased(place, "me@example.net") as store:
            assert store.summaries("INBOX", Window(9)).exists == 0
        with pytest.raises(AuthenticationFailed):
            pop3_store.connect(place, "me@example.net", "guess")
