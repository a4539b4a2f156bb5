"""POP3 servers that are wrong, each in its own way: a clear error, or the loss of one row, never of the others."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway import errors
from gateway.errors import StoreError
from gateway.message.model import Bound, Gap
from gateway.message.query import Query
from gateway.store.abilities import Order
from gateway.store.base import MessageRef, Window
from gateway.store.pop3 import connection, entering, maildrop, pop3_store, retrieving, visiting
from gateway.store.pop3.answers import StatusLine
from gateway.store.pop3.pop3_store import Pop3Store
from gateway.upstreams import sasl
from tests import PATIENCE, rig
from tests.servers.scripted.rude_pop3 import CAPABILITIES, RudePop3, stuffed


def mail(number: int) -> bytes:
    return b"From: ann@example.org\r\nSubject: Number %d\r\n\r\nWords of %d.\r\n" % (number, number)


MAILS = [mail(n) for n in range(1, 13)]
ALL = [f"Number {n}" for n in range(12, 3, -1)]


@contextmanager
def leased(server: RudePop3, store: Pop3Store | None = None) -> Iterator[Pop3Store]:
    place = rig.plain(server, "pop3")

    def connect() -> Pop3Store:
        return pop3_store.connect(place, "u", "password")

    made = store or connect()
    with made.lent(connect):
        yield made


def subjects(store: Pop3Store) -> list[str]:
    return [row.envelope.subject for row in store.summaries("INBOX", Window(9)).summaries]


#: What is listed nevertheless.
LISTED: dict[str, tuple[dict[bytes, bytes | None], list[str]]] = {
    "no CAPA": ({b"CAPA": b"-ERR what?\r\n"}, ALL),
    "no UIDL": ({b"UIDL": b"-ERR what?\r\n"}, ALL),
    "an empty UIDL": ({b"UIDL": stuffed(b"")}, ALL),
    "the same unique-id for all": (
        {b"UIDL": stuffed(b"".join(b"%d same\r\n" % n for n in range(1, 13)))}, ALL,
    ),
    "unique-ids of others": ({b"UIDL": stuffed(b"99 a\r\n0 b\r\nx y\r\n12\r\n\r\n")}, ALL),
    "no TOP": ({b"TOP": b"-ERR what?\r\n"}, ALL),
    "TOP of the whole": ({b"TOP 12 0": stuffed(mail(12) + b"x" * 300_000)}, ALL),
    "no header": ({b"TOP 11 0": b"-ERR\r\n"}, ALL),
    "no header in any way": (
        {b"TOP 11 0": b"-ERR\r\n", b"RETR 11": b"-ERR\r\n"}, ["Number 12", "", *ALL[2:]],
    ),
    "an empty header": ({b"TOP 11 0": stuffed(b"")}, ["Number 12", "", *ALL[2:]]),
    "line ends of LF": (
        {
            b"TOP 12 0": b"+OK\nSubject: Number 12\n\n.\n",
            b"LIST": b"+OK\n" + b"".join(b"%d 9\n" % n for n in range(1, 13)) + b".\n",
        },
        ALL,
    ),
    "a wrong line in LIST": (
        {b"LIST": stuffed(b"".join(b"%d 9\r\n" % n for n in range(1, 12)) + b"12 many\r\n")},
        [*ALL[1:], "Number 3"],
    ),
    "numbers that go back": (
        {b"LIST": stuffed(b"5 9\r\n12 9\r\n11 9\r\n12 9\r\n")}, ["Number 12", "Number 5"],
    ),
    "gaps": ({b"LIST": stuffed(b"2 9\r\n7 9\r\n12 9\r\n")}, ["Number 12", "Number 7", "Number 2"]),
    "a long line in LIST": ({b"LIST": stuffed(b"7 9" + b"9" * 50_000 + b"\r\n12 9\r\n")}, ["Number 12"]),
    "a long status line": ({b"LIST": b"+OK " + b"x" * 50_000 + b"\r\n12 9\r\n.\r\n"}, ["Number 12"]),
    "LIST refused when empty": ({b"LIST": b"-ERR no messages\r\n", b"STAT": b"+OK 0 0\r\n"}, []),
    "QUIT refused": ({b"QUIT": b"-ERR\r\n"}, ALL),
    "no answer to QUIT": ({b"QUIT": None}, ALL),
}  # fmt: skip


@pytest.mark.parametrize("quirk", LISTED)
def test_what_is_listed_all_the_same(quirk: str) -> None:
    quirks, expected = LISTED[quirk]
    with RudePop3(MAILS, quirks) as server:
        with leased(server) as store:
            assert subjects(store) == expected
            assert store.summaries("INBOX", Window(9)).exists >= len(expected)
            assert not store.broken
        with leased(server, store):
            assert subjects(store) == expected


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("quirk", ["no UIDL", "the same unique-id for all", "unique-ids of others", "no TOP"])
def test_messages_are_known_again_without_unique_ids(quirk: str, pipelining: bool) -> None:
    known = CAPABILITIES if pipelining else CAPABILITIES[:3]
    with RudePop3(MAILS, LISTED[quirk][0], known) as server:
        with leased(server) as store:
            refs = [row.ref for row in store.summaries("INBOX", Window(9)).summaries]
            assert len(set(refs)) == 9
        server.mails = server.mails[3:]  # another program has deleted some: all numbers change
        with leased(server) as store:
            assert b"".join(store.octets(refs[0], "1")) == b"Words of 12.\r\n"
            store.delete([refs[2]])
            known = refs[3] if quirk == "no TOP" else None  # without unique-ids the list is shown
            assert store.neighbour(refs[2], older=True) == known
        with leased(server) as store:
            assert store.neighbour(refs[3], older=True) == refs[4]
        assert server.mails == [mail(n) for n in (4, 5, 6, 7, 8, 9, 11, 12)]
        server.mails = server.mails[:-1]
        with leased(server) as store, pytest.raises(errors.MessageGone):
            store.structure(refs[0])


#: What ends a list, and the error.
FAILING: dict[str, tuple[dict[bytes, bytes | None], type[StoreError]]] = {
    "another protocol": ({b"GREETING": b"* OK IMAP4rev1\r\n"}, errors.StoreUnreachable),
    "a refusal to talk": ({b"GREETING": b"-ERR [SYS/TEMP] too busy\r\n"}, errors.StoreUnreachable),
    "nothing": ({b"GREETING": None}, errors.StoreUnreachable),
    "no user": ({b"USER": b"-ERR [AUTH] unknown\r\n"}, errors.AuthenticationFailed),
    "wrong": ({b"PASS": b"-ERR authentication failed\r\n"}, errors.AuthenticationFailed),
    "an echo of the password": ({b"PASS": b"-ERR not password\r\n"}, errors.AuthenticationFailed),
    "in use": ({b"PASS": b"-ERR [IN-USE] Do you have another POP session running?\r\n"}, errors.MaildropLocked),
    "locked": ({b"PASS": b"-ERR maildrop already locked\r\n"}, errors.MaildropLocked),
    "lock busy": ({b"PASS": b"-ERR [IN-USE] lock busy!  Is another session active? (10)\r\n"}, errors.MaildropLocked),
    "too soon": ({b"PASS": b"-ERR [LOGIN-DELAY] minimum time between mail checks\r\n"}, errors.SignInTooSoon),
    "too many": ({b"PASS": b"-ERR too many concurrent sessions\r\n"}, errors.StoreBusy),
    "later": ({b"PASS": b"-ERR [SYS/TEMP] try later\r\n"}, errors.StoreUnreachable),
    "later, in words": ({b"PASS": b"-ERR Temporary failure\r\n"}, errors.StoreUnreachable),
    "for good": ({b"PASS": b"-ERR [SYS/PERM] mailbox corrupt\r\n"}, errors.StoreRefused),
    "not in plain text": (
        {b"USER": b"-ERR Plaintext authentication disallowed on non-secure (SSL/TLS) connections.\r\n"},
        errors.PasswordsNotTaken,
    ),
    "in no way": ({b"USER": b"-ERR [AUTH] Unsupported authentication mechanism.\r\n"}, errors.PasswordsNotTaken),
    "an app password": ({b"PASS": b"-ERR [AUTH] Application-specific password required\r\n"}, errors.AppPasswordNeeded),
    "a token": ({b"CAPA": stuffed(b"SASL XOAUTH2\r\n")}, errors.OAuthOnly),
    "a challenge": ({b"CAPA": stuffed(b"SASL CRAM-MD5\r\n")}, errors.PasswordsNotTaken),
    "a hang-up at PASS": ({b"PASS": None}, errors.StoreUnreachable),
    "no POP3 at LIST": ({b"LIST": b"* 1 EXISTS\r\n"}, errors.StoreUnreachable),
    "LIST refused": ({b"LIST": b"-ERR [SYS/TEMP] x\r\n"}, errors.StoreRefused),
    "a hang-up at LIST": ({b"LIST": None}, errors.StoreUnreachable),
    "a hang-up in LIST": ({b"LIST": b"+OK\r\n1 9\r\n", b"UIDL": None}, errors.StoreUnreachable),
    "a hang-up in a header": ({b"TOP 9 0": None}, errors.StoreUnreachable),
    "words behind a header": ({b"TOP 9 0": stuffed(b"a: b\r\n") + b"huh\r\n"}, errors.StoreUnreachable),
}  # fmt: skip


@pytest.mark.parametrize("quirk", FAILING)
def test_what_is_an_error(quirk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visiting, "LOCKED_SECONDS", (0.0,))
    quirks, kind = FAILING[quirk]
    with RudePop3(MAILS, quirks) as server, pytest.raises(StoreError) as failed, leased(server) as store:
        subjects(store)
    assert type(failed.value) is kind, failed.value
    assert "password" not in failed.value.detail.replace("password required", "")
    offered = sum(line.startswith(b"PASS") for line in server.heard)
    assert offered == (2 if kind is errors.MaildropLocked else min(offered, 1))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (said, errors.MaildropLocked)
        for said in (
            "maildrop already locked", "Mailbox is locked by another POP3 server process", "mailbox in use",
            "unable to lock maildrop", "Can't get lock.  Mailbox in use.", "mail drop already locked by another user",
            "Your mailbox is currently in use, or opened by another session", "Another POP3 session is active",
            "maildrop lock busy! Is another session active?", "Do you have another POP session running?",
        )
    ]
    + [
        (said, errors.AuthenticationFailed)
        for said in ("account locked", "User is locked out", "Access denied", "", "Invalid login or password", "no")
    ]
    + [("Server temporarily unavailable", errors.StoreUnreachable)],
)  # fmt: skip
def test_what_a_refusal_in_words_means(said: str, kind: type[StoreError]) -> None:
    assert type(entering._judged(StatusLine(False, "", said))) is kind


def test_a_mechanism_that_is_refused_as_such_gives_way_to_the_other() -> None:
    quirks: dict[bytes, bytes | None] = {
        b"CAPA": stuffed(b"SASL PLAIN\r\nUSER\r\n"),
        b"AUTH": b"-ERR unsupported authentication mechanism\r\n",
    }
    with RudePop3(MAILS, quirks) as server, leased(server) as store:
        assert subjects(store) == ALL
        assert b"PASS password" in server.heard
    quirks[b"AUTH"] = b"-ERR [AUTH] wrong\r\n"
    with RudePop3(MAILS, quirks) as server, pytest.raises(errors.AuthenticationFailed):
        pop3_store.connect(rig.plain(server, "pop3"), "u", "password")
    assert not any(line.startswith(b"PASS") for line in server.heard)


STAMP = b"+OK ready <1896.697170952@pop.example.org>\r\n"
#: RFC 1939 §7 has the digest with "tanstaaf" for this timestamp; ours is with "password".
DIGEST = hashlib.md5(b"<1896.697170952@pop.example.org>password").hexdigest().encode()
NOT_SO = b"-ERR unknown command\r\n"


def test_the_digest_of_apop() -> None:
    assert sasl.apop(b"tanstaaf", b"<1896.697170952@dbc.mtview.ca.us>") == "c4c9334bac560ecc979e58001b3e22fb"


@pytest.mark.parametrize(
    ("quirks", "heard"),
    [
        (
            {b"CAPA": stuffed(b"UIDL\r\nTOP\r\n"), b"USER": b"-ERR use APOP\r\n"},
            [b"USER u", b"APOP u " + DIGEST],
        ),
        ({b"CAPA": stuffed(b"SASL CRAM-MD5\r\nTOP\r\n"), b"USER": NOT_SO}, [b"USER u", b"APOP u " + DIGEST]),
        ({b"CAPA": NOT_SO, b"USER": NOT_SO}, [b"USER u", b"APOP u " + DIGEST]),
        ({}, [b"USER u", b"PASS password"]),
        ({b"CAPA": stuffed(b"UIDL\r\nTOP\r\n")}, [b"USER u", b"PASS password"]),
    ],
)
def test_apop_is_spoken_where_nothing_else_is(quirks: dict[bytes, bytes | None], heard: list[bytes]) -> None:
    with RudePop3(MAILS, {b"GREETING": STAMP, **quirks}) as server, leased(server) as store:
        assert subjects(store) == ALL
    assert [line for line in server.heard if line.split()[0] in (b"USER", b"PASS", b"APOP", b"AUTH")] == heard


@pytest.mark.parametrize(
    "quirks",
    [
        {b"PASS": b"-ERR wrong\r\n"},
        {b"USER": b"-ERR no such user\r\n"},
        {b"CAPA": stuffed(b"TOP\r\n"), b"USER": NOT_SO, b"APOP": b"-ERR wrong\r\n"},
    ],
)
def test_a_password_that_is_wrong_is_not_offered_again(quirks: dict[bytes, bytes | None]) -> None:
    with (
        RudePop3(MAILS, {b"GREETING": STAMP, **quirks}) as server,
        pytest.raises(errors.AuthenticationFailed),
    ):
        pop3_store.connect(rig.plain(server, "pop3"), "u", "password")
    assert sum(line.startswith((b"PASS", b"APOP")) for line in server.heard) <= 1


@pytest.mark.parametrize("stamp", ["<é@x>", "<a b@x>", "<ab>", "a@b", "<a@>"])
def test_what_is_no_timestamp_is_not_signed(stamp: str) -> None:
    assert not entering.timestamp_in(f"ready {stamp}")


def test_a_server_that_loses_what_comes_at_once_is_sent_one_command_at_a_time() -> None:
    with RudePop3(MAILS, hurried=False) as server:
        with leased(server) as store, pytest.raises(errors.StoreUnreachable) as lost:
            subjects(store)
        assert lost.value.dropped  # a page by GET is tried again
        with leased(server) as store:
            assert subjects(store) == ALL


def test_plain_is_sent_after_the_servers_word() -> None:
    quirks = {b"CAPA": stuffed(b"SASL LOGIN PLAIN\r\n"), b"AUTH": b"+ \r\n"}
    with RudePop3(MAILS, quirks) as server, leased(server) as store:
        assert subjects(store) == ALL
    assert server.heard[1:3] == [b"AUTH PLAIN", b"AHUAcGFzc3dvcmQ="]


#: Possible results of an attempt to delete, with how many of twelve messages are left.
DELETING: dict[str, tuple[dict[bytes, bytes | None], type[StoreError] | None, int]] = {
    "well": ({}, None, 10),
    "DELE refused": ({b"DELE": b"-ERR read-only\r\n"}, errors.StoreRefused, 12),
    "one DELE refused": ({b"DELE 12": b"-ERR busy\r\n"}, errors.PartlyDone, 11),
    "QUIT unanswered": ({b"QUIT": None}, errors.StoreUnreachable, 12),
    "hang-up at DELE": ({b"DELE 11": None}, errors.StoreUnreachable, 12),
}


@pytest.mark.parametrize("quirk", DELETING)
def test_deleted_is_what_quit_has_confirmed(quirk: str) -> None:
    quirks, kind, left = DELETING[quirk]
    failed = None
    with RudePop3(MAILS, quirks) as server:
        with leased(server) as store:
            refs = [row.ref for row in store.summaries("INBOX", Window(2)).summaries]
            try:
                store.delete(refs)
            except StoreError as error:
                failed = error
            assert store.broken is isinstance(failed, errors.StoreUnreachable)
        assert (type(failed) if failed else None, len(server.mails)) == (kind, left)


def test_what_quit_refuses_is_looked_at_again() -> None:
    """Some deleted messages not removed (RFC 1939 §6): a new visit shows which."""
    refused = {b"QUIT": b"-ERR some deleted messages not removed\r\n"}
    with RudePop3(MAILS, refused, removes=1) as server, leased(server) as store:
        refs = [row.ref for row in store.summaries("INBOX", Window(2)).summaries]
        with pytest.raises(errors.PartlyDone) as partly:
            store.delete(refs)
        assert list(partly.value.done) == refs[1:]


def test_what_is_called_deleted_and_is_not_is_counted_until_it_is_gone() -> None:
    with RudePop3(MAILS, removes=1) as server:
        with leased(server) as store:
            refs = [row.ref for row in store.summaries("INBOX", Window(2)).summaries]
            store.delete(refs)
            assert store.summaries("INBOX", Window(9)).undeleted == 1
        with leased(server, store):
            assert store.summaries("INBOX", Window(9)).undeleted == 1
            assert store.found("INBOX", Query(), Order.ARRIVAL).undeleted == 1
        server.mails.pop()
        with leased(server, store):
            assert store.summaries("INBOX", Window(9)).undeleted == 0


def test_a_message_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieving, "MOST_READ", 50_000)
    large = b"Subject: Large\r\n\r\n" + b"word " * 9 + b"\r\n" * 2 + (b"x" * 70 + b"\r\n") * 1000
    lies = b"+OK\r\n" + large + b".\r\n"
    top = stuffed(large[:5000])
    with RudePop3([large, mail(2)], {b"TOP 1 4000": top, b"RETR 2": lies}) as server, leased(server) as store:
        small, big = (row.ref for row in store.summaries("INBOX", Window(2)).summaries)
        message = store.structure(big)
        assert message.octets == len(large)
        assert [gap.bound for gap in message.defects if isinstance(gap, Gap)] == [Bound.END]
        pieces = store.octets(big, "1")
        assert next(pieces).startswith(b"word word")
        with pytest.raises(errors.AnswerTooLong):  # what is cut is never taken for the whole
            list(pieces)
        assert b"".join(store.octets(big, "HEADER")).startswith(b"Subject: Large")
        with pytest.raises(errors.AnswerTooLong):
            store.structure(small)
        assert store.broken


def test_a_message_that_is_refused_is_an_error_of_its_own() -> None:
    with RudePop3(MAILS, {b"RETR 12": b"-ERR [SYS/TEMP] disk\r\n"}) as server, leased(server) as store:
        refs = [row.ref for row in store.summaries("INBOX", Window(2)).summaries]
        with pytest.raises(errors.StoreRefused):
            store.structure(refs[0])
        assert store.structure(refs[1]).envelope.subject == "Number 11"


def test_too_many_messages_are_too_long_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maildrop, "MOST_MESSAGES", 11)
    with RudePop3(MAILS) as server, leased(server) as store, pytest.raises(errors.AnswerTooLong):
        subjects(store)


def test_capabilities_without_end_are_too_long_an_answer() -> None:
    lines = b"X\r\n" * (connection.MAX_CAPABILITIES + 1)
    with RudePop3(MAILS, {b"CAPA": stuffed(lines)}) as server, pytest.raises(errors.AnswerTooLong):
        pop3_store.connect(rig.plain(server, "pop3"), "u", "p")


def test_plain_text_behind_stls_is_not_believed() -> None:
    from dataclasses import replace

    from gateway.config import Tls

    quirks = {b"STLS": b"+OK\r\n+OK injected\r\n"}
    with RudePop3(MAILS, quirks) as server, pytest.raises(errors.StoreTLSError, match="plain text"):
        pop3_store.connect(replace(rig.plain(server, "pop3"), tls=Tls.STARTTLS), "u", "p")
    with RudePop3(MAILS, {b"STLS": b"-ERR no\r\n"}) as server, pytest.raises(errors.StoreTLSError):
        pop3_store.connect(replace(rig.plain(server, "pop3"), tls=Tls.STARTTLS), "u", "p")
    assert not any(line.startswith((b"USER", b"AUTH")) for line in server.heard)


def test_requests_of_one_person_wait_for_each_other() -> None:
    """Two handhelds of one person never lock each other out."""
    with RudePop3(MAILS) as server:
        with leased(server) as first:
            assert subjects(first) == ALL
            found: list[Any] = []

            def other() -> None:
                with leased(server) as second:
                    found.append(subjects(second))

            thread = threading.Thread(target=other)
            thread.start()
            thread.join(0.2)
            assert not found
        thread.join(PATIENCE)
        assert found == [ALL]


def test_another_request_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visiting, "PATIENCE_SECONDS", 0.05)
    with RudePop3(MAILS) as server, leased(server) as store:
        store.summaries("INBOX", Window(1))
        with pytest.raises(errors.MaildropLocked), leased(server):
            pass
        assert store.neighbour(MessageRef("INBOX", 1, 1), older=True) is not None
