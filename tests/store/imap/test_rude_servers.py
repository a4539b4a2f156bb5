"""Servers that are slow, endless, out of order or dishonest: scripted peers, and the result of each answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Server, Tls
from gateway.errors import (
    AnswerTooLong,
    MailboxGone,
    MessageGone,
    NotAllowed,
    OverQuota,
    ServerAlert,
    StoreError,
    StoreRefused,
    StoreTLSError,
    StoreUnreachable,
    UnsafeArgument,
)
from gateway.store.base import SEEN, MessageRef, Window
from gateway.store.imap import beginnings, imap_store, response, selected
from gateway.store.imap.connection import imap4, receiving, signing_in
from gateway.store.imap.exchange import Exchange
from gateway.store.imap.imap_store import ImapStore
from gateway.upstreams import deadline
from gateway.upstreams.wire import Budget, Wire
from tests import bounded, rig
from tests.servers.certs import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.peer import Caller, Peer

REF = MessageRef("INBOX", 7, 11)
SELECTED = b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] fine\r\np1 OK [READ-WRITE] selected\r\n"
MADE = (
    b'* 1 FETCH (UID 11 RFC822.SIZE 90 BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 10 1))\r\np2 OK\r\n'
)
ROW = b"* %d FETCH (UID %d RFC822.SIZE 9 FLAGS () BODY[HEADER.FIELDS (SUBJECT)]<0> {14}\r\nSubject: %s\r\n\r\n)\r\n"


@contextmanager
def talk(*answers: bytes, ends: bool = True) -> Iterator[Exchange]:
    """A conversation in which the server has said everything in advance; tags are p1, p2 …"""
    ours, theirs = socket.socketpair()
    theirs.sendall(b"".join(answers))
    if ends:
        theirs.shutdown(socket.SHUT_WR)
    with theirs, closing(Exchange(ours)) as conversation:
        yield conversation


@contextmanager
def store_of(*answers: bytes, capabilities: frozenset[str] = frozenset({"LITERAL+"})) -> Iterator[ImapStore]:
    with talk(*answers) as conversation:
        yield ImapStore(conversation, capabilities)


def row(sequence: int, uid: int, subject: bytes = b"h") -> bytes:
    return ROW % (sequence, uid, subject)


def sent(conversation: Exchange, other: socket.socket) -> bytes:
    conversation.close()
    return b"".join(iter(lambda: other.recv(65536), b""))


# --- several commands at once


def test_replies_are_in_the_order_of_the_commands_and_know_the_order_of_the_wire() -> None:
    with talk(
        b"* STATUS x (UNSEEN 1)\r\np2 OK b\r\n* 1 FETCH (UID 1)\r\np1 NO a\r\np3 OK c\r\n"
    ) as conversation:
        first, second, third = conversation.run(b"FETCH", b"STATUS", b"NOOP")
        assert [reply.status.text for reply in (first, second, third)] == ["a", "b", "c"]
        assert [reply.finished for reply in (first, second, third)] == [1, 0, 2]
        assert [[line.kind for line in reply.untagged] for reply in (first, second, third)] == [
            ["FETCH"],
            ["STATUS"],
            [],
        ]
        assert (conversation.traffic.round_trips, conversation.traffic.commands) == (1, 3)


def test_rows_are_renumbered_as_the_wire_says_whatever_ended_first() -> None:
    """STATUS ends first; NOOP reports an expunge, new mail and a flag, in that order, after the rows."""
    answers = (
        SELECTED,
        row(1, 11) + row(2, 12) + b"p2 OK\r\n* STATUS INBOX (UNSEEN 0)\r\np3 OK\r\n",
        b"* STATUS INBOX (UNSEEN 0)\r\np6 OK\r\n",
        row(1, 11) + row(2, 12) + b"p4 OK\r\n",
        b"* 1 EXPUNGE\r\n* 2 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 13 FLAGS (\\Recent))\r\np5 OK\r\n",
        row(2, 13) + b"p7 OK\r\n* STATUS INBOX (UNSEEN 1)\r\np8 OK\r\n",
    )
    with store_of(*answers) as store:
        store.summaries("INBOX", Window(9))
        listing = store.summaries("INBOX", Window(9))
    assert [(item.sequence, item.ref.uid, item.flags) for item in listing.summaries] == [
        (2, 13, frozenset()),
        (1, 12, frozenset({SEEN})),
    ]
    # The row of UID 13 that NOOP brought was not an answer to FETCH: it had no header.
    assert [item.envelope.subject for item in listing.summaries] == ["h", "h"]
    assert (listing.exists, listing.unseen) == (2, 1)


def test_an_expunge_during_a_list_of_mailboxes_is_not_missed() -> None:
    answers = (
        SELECTED,
        row(1, 11) + row(2, 12) + b"p2 OK\r\n* STATUS INBOX (UNSEEN 0)\r\np3 OK\r\n",
        b'* 1 EXPUNGE\r\n* LIST () "/" INBOX\r\np4 OK\r\n',
        row(1, 12) + b"p5 OK\r\np6 OK\r\n* STATUS INBOX (UNSEEN 0)\r\np7 OK\r\n",
    )
    with store_of(*answers) as store:
        store.summaries("INBOX", Window(9))
        store.mailboxes()
        assert [item.ref.uid for item in store.summaries("INBOX", Window(9)).summaries] == [12]


def test_one_message_that_cannot_be_fetched_does_not_take_the_list_away() -> None:
    answers = (
        SELECTED,
        b"p2 NO [SERVERBUG] oh\r\n* STATUS INBOX (UNSEEN 0)\r\np3 OK\r\n",
        b"p4 NO [SERVERBUG] oh\r\n",
        b"p5 NO [SERVERBUG] oh\r\n" + row(2, 12) + b"p6 OK\r\n",
        b"p7 NO [SERVERBUG] oh\r\n",
        b"p8 NO [SERVERBUG] oh\r\n",
        b"p9 NO [SERVERBUG] oh\r\n",
        b"* SEARCH 11\r\np10 OK\r\n",
    )
    with store_of(*answers) as store:
        shown = store.summaries("INBOX", Window(9)).summaries
    assert [(item.ref.uid, item.readable) for item in shown] == [(12, True), (11, False)]


# --- one message


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (b"%b OK done\r\n", MessageGone),
        (b"%b NO gone\r\n", MessageGone),
        (b"%b NO [EXPUNGEISSUED] gone\r\n", MessageGone),
        (b"%b NO [SERVERBUG] oh\r\n", StoreRefused),
        (b"%b NO [UNAVAILABLE] later\r\n", StoreUnreachable),
        (b"%b NO [ALERT] stop\r\n", ServerAlert),
        (b"%b BAD what\r\n", StoreRefused),
        (b"* 1 FETCH (UID 12 BODY[1]<0> NIL)\r\n%b OK\r\n", MessageGone),
        (b"* 1 FETCH (UID 11 FLAGS ())\r\n%b OK\r\n", MessageGone),
    ],
)
def test_an_answer_without_the_message(ending: bytes, expected: type[StoreError]) -> None:
    answers = SELECTED, MADE, ending % b"p3", ending % b"p4"  # a range that is refused is not the end
    with store_of(*answers) as store, pytest.raises(StoreError) as caught:
        list(store.octets(REF, "1"))
    assert type(caught.value) is expected


def test_another_uidvalidity_in_the_middle_of_a_session_is_noticed() -> None:
    answers = (SELECTED, MADE, b"* 1 FETCH (UID 11 BODY[1]<0> 0123456789)\r\np3 OK\r\n")
    with store_of(
        *answers, b"* OK [UIDVALIDITY 8] new\r\n* 1 FETCH (UID 11 BODY[1]<0> x)\r\np4 OK\r\n"
    ) as store:
        assert list(store.octets(REF, "1")) == [b"0123456789"]
        with pytest.raises(MailboxGone):
            list(store.octets(REF, "1"))


@pytest.mark.parametrize("word", [b"", b"x", b"9" * 5000, b"4294967296", b"-1"])
def test_a_uidvalidity_that_is_none_matches_nothing(word: bytes) -> None:
    with (
        store_of(SELECTED.replace(b"7]", word + b"]"), b"p2 OK\r\np3 OK\r\n") as store,
        pytest.raises(MailboxGone),
    ):
        list(store.octets(REF, "1"))


@pytest.mark.parametrize("start", [0, 3, 50])
def test_a_server_that_ignores_ranges(start: int) -> None:
    whole = b"".join(b"* 1 FETCH (UID 11 BODY[1] {10}\r\n0123456789)\r\np%d OK\r\n" % n for n in range(3, 6))
    with store_of(SELECTED, MADE, whole) as store:
        assert b"".join(store.octets(REF, "1", start)) == b"0123456789"[start:]


WHOLE = (
    b'* 1 FETCH (UID 11 FLAGS () INTERNALDATE "03-Nov-2026 14:05:00 +0100" RFC822.SIZE 90 BODYSTRUCTURE '
    b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 10 1) BODY[HEADER.FIELDS (SUBJECT)]<0> {14}\r\nSubject: h\r\n\r\n%b)\r\n'
)
RANGE = b"* 1 FETCH (UID 11 BODY[1]<0> 0123456789)\r\n"


@pytest.mark.parametrize(
    "answers",
    [
        (WHOLE % b" BODY[1]<0> 0123456789" + b"p4 OK\r\n",),
        (WHOLE % b" BODY.PEEK[1]<0.8192> 0123456789" + b"p4 OK\r\n",),
        (WHOLE % b"" + b"p4 OK\r\n", RANGE + b"p5 OK\r\n"),
        (WHOLE % b" BODY[1]<0> NIL" + b"p4 OK\r\n", RANGE + b"p5 OK\r\n"),
        (WHOLE % b" BODY[2]<0> 9876543210" + b"p4 OK\r\n", RANGE + b"p5 OK\r\n"),
        (WHOLE % b" BODY[1]<0> 0123456" + b"p4 OK\r\n", b"* 1 FETCH (UID 11 BODY[1]<7> 789)\r\np5 OK\r\n"),
        (WHOLE % (b" BODY[1] {8193}\r\n" + b"9" * 8193) + b"p4 OK\r\n", RANGE + b"p5 OK\r\n"),
        (b"p4 NO oh\r\n", b"* SEARCH 11\r\np5 OK\r\n", WHOLE % b"" + b"p6 OK\r\n", RANGE + b"p7 OK\r\n"),
        (b"p4 BAD oh\r\n", b"* SEARCH 11\r\np5 OK\r\n", WHOLE % b"" + b"p6 OK\r\n", RANGE + b"p7 OK\r\n"),
    ],
)
def test_whatever_comes_ahead_with_a_structure_the_text_is_read_right(answers: tuple[bytes, ...]) -> None:
    listed = WHOLE % b"" + b"p2 OK\r\n* STATUS INBOX (UNSEEN 1)\r\np3 OK\r\n"
    with store_of(SELECTED.replace(b"* 2 E", b"* 1 E"), listed, *answers) as store:
        assert [item.ref for item in store.summaries("INBOX", Window(9)).summaries] == [REF]
        assert store.structure(REF).octets == 90
        assert b"".join(store.octets(REF, "1")) == b"0123456789"
        assert store.traffic.commands == 3 + len(answers)


NAMES = st.sampled_from([b"BODY[1]<0>", b"body[1]", b"BODY[1]<4>", b"BODY.PEEK[2.1]<0.9>", b"BODY[HEADER]"])
ASKED = (beginnings.FirstOctets("1", 4), beginnings.FirstOctets("2.1", 9))


@given(st.dictionaries(NAMES | st.binary(max_size=20), st.none() | st.binary(max_size=12) | st.just((b"x",))))
def test_what_comes_ahead_is_only_what_was_asked_for(row: dict[bytes, response.Value]) -> None:
    found = beginnings.found(row, ASKED)
    assert set(found) <= set(ASKED)
    assert all(0 < len(octets) <= asked.octets for asked, octets in found.items())
    assert all(octets in row.values() for octets in found.values())


def test_flags_of_a_message_that_is_gone_and_of_a_server_that_will_not() -> None:
    there = b"* 1 FETCH (UID 11)\r\np3 OK\r\n"
    for answers, expected in (
        ((b"p2 NO no such message\r\n", b"p3 OK\r\n"), MessageGone),
        ((b"p2 OK\r\n", b"p3 OK\r\n"), MessageGone),
        ((b"p2 NO [NOPERM] read only\r\n", there), NotAllowed),
    ):
        with store_of(SELECTED, *answers) as store, pytest.raises(StoreError) as caught:
            store.flag([REF], [SEEN])
        assert type(caught.value) is expected
    with store_of(SELECTED, b"p2 OK\r\n", there) as store:
        store.flag([REF], [SEEN])


@pytest.mark.parametrize(
    ("capabilities", "answers", "wire"),
    [
        (set(), b"+ go\r\np1 OK [APPENDUID 7 42] done\r\n", b'p1 APPEND "x" () {3}\r\nabc\r\n'),
        ({"LITERAL+"}, b"p1 OK [APPENDUID 7 42] done\r\n", b'p1 APPEND "x" () {3+}\r\nabc\r\n'),
        ({"LITERAL-"}, b"p1 OK [APPENDUID 7 42] done\r\n", b'p1 APPEND "x" () {3+}\r\nabc\r\n'),
    ],
)
def test_append_with_and_without_waiting(capabilities: set[str], answers: bytes, wire: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(answers)
        conversation = Exchange(ours)
        store = ImapStore(conversation, frozenset(capabilities))
        assert store.append("x", b"abc") == MessageRef("x", 7, 42)
        assert sent(conversation, theirs) == wire + b"p2 LOGOUT\r\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"p1 NO [TRYCREATE] none\r\n", MailboxGone),
        (b"p1 NO [OVERQUOTA] full\r\n", OverQuota),
        (b"p1 BAD what\r\n", StoreRefused),
        (b"+ go\r\n+ go on\r\n", StoreUnreachable),
        (b"+ go\r\n", StoreUnreachable),
    ],
)
def test_append_refused(answer: bytes, expected: type[StoreError]) -> None:
    with store_of(answer, capabilities=frozenset()) as store, pytest.raises(StoreError) as caught:
        store.append("x", b"abc")
    assert type(caught.value) is expected


@pytest.mark.parametrize("argument", [b"", b"7", b"7 8 9", b"0 1", b"1 x", b"1 " + b"9" * 5000])
def test_an_appenduid_that_is_none(argument: bytes) -> None:
    with store_of(b"p1 OK [APPENDUID " + argument + b"] done\r\n") as store:
        assert store.append("x", b"abc") is None


# --- limits


def test_a_response_that_is_too_long_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise one message with an endless BODYSTRUCTURE would close its reader's mailbox permanently."""
    monkeypatch.setattr(receiving, "MAX_RESPONSE", 1000)
    long = b"x" * 5000
    answers = (
        b"* 1 FETCH (UID 11 X {5000}\r\n" + long + b" Y {3}\r\nabc)\r\n",
        b'* 2 FETCH (UID 12 X "' + long + b'" Y {19}\r\np1 OK not the end\r\n)\r\n',
        b"* 3 FETCH (UID 13)\r\np1 OK\r\n",
    )
    with talk(*answers) as conversation:
        (reply,) = conversation.run(b"FETCH")
        assert [line.number for line in reply.untagged] == [3]
        assert conversation.traffic.octets_in == sum(map(len, answers))


@pytest.mark.parametrize(
    "endless",
    [
        b"* OK still here\r\n" * 1000,
        b"* 1 FETCH (" + b"(" * 20_000,
        b"* 1 FETCH (X {15000}\r\n" + b"x" * 15_000,
        b"* 1 FETCH (X {999999}\r\n",
        b"* 1 FETCH (X {9999999999}\r\n",
    ],
)
def test_an_endless_answer_ends_the_conversation(endless: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "MAX_ANSWER", 10_000)
    monkeypatch.setattr(receiving, "MAX_RESPONSE", 5_000)
    with talk(endless, ends=False) as conversation:
        with pytest.raises(StoreUnreachable, match="too long"):
            conversation.run(b"NOOP")
        assert conversation.broken
        with pytest.raises(StoreUnreachable):
            conversation.run(b"NOOP")


@pytest.mark.parametrize(
    ("name", "bound", "costs"),
    [
        ("MAX_LINES", 100, b"* OK x\r\n"),
        ("MAX_HELD", 10_000, b"* OK x\r\n"),
        ("MAX_HELD", 10_000, b"* X a a a a\r\n"),
    ],
)
def test_what_is_held_is_counted_in_lines_and_in_bytes_of_objects(
    name: str, bound: int, costs: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, name, bound)
    fitting = 15
    with talk(costs * fitting + b"p1 OK\r\n" + costs * 200 + b"p2 OK\r\n") as conversation:
        (reply,) = conversation.run(b"NOOP")
        assert len(reply.untagged) == fitting
        with pytest.raises(AnswerTooLong):
            conversation.run(b"NOOP")
        assert conversation.broken


def test_rows_that_do_not_fit_are_passed_over_and_fetched_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise anybody who sends a few messages with giant structures would close their reader's mailbox
    permanently."""
    monkeypatch.setattr(receiving, "MAX_HELD", 40_000)
    giant = b"* %d FETCH (UID %d RFC822.SIZE 9 BODYSTRUCTURE (" + b"a " * 250 + b"))\r\n"
    answers = (
        SELECTED,
        b"".join(giant % (n, 10 + n) for n in (1, 2)) + b"p2 OK\r\n* STATUS INBOX (UNSEEN 0)\r\np3 OK\r\n",
        row(2, 12) + b"p4 OK\r\n",
        row(2, 12) + b"p5 OK\r\n",
    )
    with store_of(*answers) as store:
        assert [item.ref.uid for item in store.summaries("INBOX", Window(9)).summaries] == [12, 11]


def test_what_is_no_row_is_never_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search whose answer was left out would have found nothing."""
    monkeypatch.setattr(receiving, "MAX_RESPONSE", 1000)
    with talk(b"* SEARCH" + b" 7" * 1000 + b"\r\np1 OK\r\n") as conversation, pytest.raises(AnswerTooLong):
        conversation.run(b"SEARCH ALL")


def test_an_answer_that_trickles_in_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each octet comes in time, all of them together do not."""
    monkeypatch.setattr(imap4, "ANSWER_SECONDS", 0.3)
    ticks = count()

    def serve(caller: Caller) -> None:
        caller.say(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi")
        caller.hear()
        while next(ticks) < 10_000:
            caller.sock.sendall(b"x")
            caller.sock.settimeout(0.01)
            try:
                if not caller.sock.recv(1):
                    return
            except TimeoutError:
                pass

    with Peer(serve) as peer, pytest.raises(StoreUnreachable, match="timed out"):
        imap_store.connect(rig.plain(peer), "user", "secret")
    assert next(ticks) < 10_000


def test_all_steps_of_a_request_have_one_time_together() -> None:
    """Each step is answered in time; nobody waits that long for each of them."""

    def serve(caller: Caller) -> None:
        caller.say(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi")
        while True:
            tag = caller.hear().split()[0]
            threading.Event().wait(0.2)
            caller.say(tag + b" OK done")

    with Peer(serve) as peer, deadline.within(4.0):
        store = imap_store.connect(rig.plain(peer), "user", "secret")
        with pytest.raises(StoreUnreachable):
            any(store.mailboxes() for _ in range(100))
        assert store.broken
        assert len(peer.heard) <= 4.0 / 0.2 + 1


def test_silence_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap4, "READ_SECONDS", 0.1)
    with talk(ends=False) as conversation, pytest.raises(StoreUnreachable, match="timed out"):
        conversation.run(b"NOOP")


def test_a_rested_connection_that_answers_no_more_is_not_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selected, "LIVENESS_SECONDS", 0.05)
    with talk(ends=False) as conversation:
        store = ImapStore(conversation, frozenset())
        assert store.is_usable(1.0)
        assert not store.is_usable(61.0)
        assert store.broken


@pytest.mark.parametrize("waiting", [b"", b"* BYE timeout\r\n", b"garbage\r\n"])
def test_a_connection_on_which_something_waits_is_asked(waiting: bytes) -> None:
    with talk(waiting) as conversation:
        assert not ImapStore(conversation, frozenset()).is_usable(0.0)


def test_an_error_of_our_own_in_the_middle_ends_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the rest of the answer would be taken for the answer to the next command."""

    def fail(*_: object) -> None:
        raise MemoryError

    with talk(b"* 1 EXISTS\r\np1 OK\r\np2 OK\r\n") as conversation:
        monkeypatch.setattr("gateway.store.imap.response.untagged", fail)
        with pytest.raises(MemoryError):
            conversation.run(b"NOOP")
        assert conversation.broken


def test_an_argument_refused_breaks_nothing() -> None:
    with talk(b"p1 OK\r\n") as conversation:
        with pytest.raises(UnsafeArgument):
            conversation.run(b"NOOP\r\nx LOGOUT")
        assert conversation.run(b"NOOP")[0].ok


def test_what_is_no_answer_ends_the_conversation() -> None:
    with talk(b"p1 PERHAPS\r\np1 OK\r\n") as conversation:
        with pytest.raises(StoreUnreachable):
            conversation.run(b"NOOP")
        assert conversation.broken


@pytest.mark.parametrize(
    "noise",
    [b"\r\n", b"\n", b"* \r\n", b"*\r\n", b"** OK\r\n", b"garbage\r\n", b"\xff\xfe\r\n", b"* 99999999999 EXISTS\r\n",
     b"x {3}\r\nabc\r\n"],
)  # fmt: skip
def test_a_line_that_is_no_response_costs_no_other(noise: bytes) -> None:
    answer = noise + b"* 1 FETCH (UID 11)\r\n" + noise + b"* 2 FETCH (UID 12)\r\n" + noise + b"p1 OK\r\n"
    with talk(answer, b"p2 OK\r\n") as conversation:
        (reply,) = conversation.run(b"FETCH")
        assert [line.items() for line in reply.untagged] == [{b"UID": 11}, {b"UID": 12}]
        assert conversation.run(b"NOOP")[0].ok


def _parse(octets: bytes) -> None:
    with suppress(response.ImapSyntaxError):
        response.parse([octets])


@pytest.mark.parametrize("bomb", ["[", "(", '"' * 8 + "a" * 24, "[a", "\\", "(((", ")", '"\\' + "a" * 30])
def test_bombs_of_brackets_take_no_time(bomb: str) -> None:
    bounded.call_within(bounded.SECONDS, 1 << 30, _parse, b"(" + bomb.encode() * (4_000_000 // len(bomb)))


def test_a_message_with_a_giant_description_is_a_row_like_others(dovecot: Dovecot) -> None:
    user = dovecot.user("giant")
    dovecot.deliver(user, b"Subject: small\r\n\r\nx\r\n")
    giant = b"Content-Description: " + b"x" * 70 + (b"\r\n " + b"y" * 70) * 130_000
    dovecot.deliver(user, b"Subject: giant\r\n" + giant + b"\r\nContent-Type: text/plain\r\n\r\nx\r\n")
    server = rig.imap(dovecot, Tls.NONE)
    with closing(imap_store.connect(server, user, "secret")) as store:
        listing = store.summaries("INBOX", Window(9))
        assert [item.envelope.subject for item in listing.summaries] == ["giant", "small"]
        message = store.structure(listing.summaries[0].ref)
        assert message.envelope.subject == "giant"
        assert b"".join(store.octets(listing.summaries[0].ref, "1")) == b"x\r\n"


# --- STARTTLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def starttls(authority: Authority, before: bytes, behind: bytes, after: bytes) -> tuple[Peer, Server]:
    """A server that says `before` in answer to STARTTLS, `behind` right after its OK, `after` within TLS."""
    pair = authority.issue("mail", "127.0.0.1")

    def serve(caller: Caller) -> None:
        caller.say(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi")
        tag = caller.hear().split()[0]
        caller.sock.sendall(before + tag + b" OK begin\r\n" + behind)
        caller.protect(pair)
        tag = caller.hear().split()[0]
        caller.say(after, tag + b" OK")
        tag = caller.hear().split()[0]
        caller.say(tag + b" OK [CAPABILITY IMAP4rev1] in")
        caller.hear()

    peer = Peer(serve)
    return peer, Server("imap", peer.host, peer.port, Tls.STARTTLS, authority.ca_file)


def test_what_was_said_before_tls_is_forgotten(authority: Authority) -> None:
    evil = b"* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN SASL-IR LITERAL+\r\n"
    peer, server = starttls(authority, evil, b"", b"* CAPABILITY IMAP4rev1")
    with peer:
        store = imap_store.connect(server, "user", "secret")
        assert store.capabilities == {"IMAP4REV1"}
        store.close()
    assert b'p3 LOGIN "user" "secret"' in peer.heard


@pytest.mark.parametrize("behind", [b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n", b"p2 OK\r\n", b"x"])
def test_what_comes_in_plain_text_behind_starttls_is_refused(authority: Authority, behind: bytes) -> None:
    peer, server = starttls(authority, b"", behind, b"* CAPABILITY IMAP4rev1")
    with peer, pytest.raises(StoreTLSError):
        imap_store.connect(server, "user", "secret")
    assert not any(b"LOGIN" in line for line in peer.heard)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(b" NO no", StoreTLSError), (b" BAD no", StoreTLSError), (b" NO [UNAVAILABLE] later", StoreUnreachable)],
)
def test_starttls_refused(answer: bytes, expected: type[StoreError]) -> None:
    def serve(caller: Caller) -> None:
        caller.say(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi")
        caller.say(caller.hear().split()[0] + answer)
        caller.hear_all()

    with Peer(serve) as peer, pytest.raises(StoreError) as caught:
        imap_store.connect(Server("imap", peer.host, peer.port, Tls.STARTTLS), "user", "secret")
    assert type(caught.value) is expected
    assert len(peer.heard) == 1


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "nowhere.invalid"])
def test_hosts_that_are_none(host: str) -> None:
    server = Server("imap", host, 993, Tls.IMPLICIT)
    with pytest.raises(StoreUnreachable):
        imap_store.connect(server, "user", "secret")
    assert isinstance(imap_store.probe(server).failure, StoreUnreachable)


def test_a_handshake_that_breaks_is_no_question_of_trust() -> None:
    with Peer(lambda caller: None) as peer, pytest.raises(StoreUnreachable):
        imap_store.connect(Server("imap", peer.host, peer.port, Tls.IMPLICIT), "user", "secret")


def test_a_ca_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    for name in ("bad.pem", "missing.pem"):
        with Peer(lambda caller: None) as peer:
            server = Server("imap", peer.host, peer.port, Tls.IMPLICIT, tmp_path / name)
            with pytest.raises(StoreTLSError, match=rf"ca_file .*{name} cannot be used"):
                imap_store.connect(server, "user", "secret")


# --- anything at all

_WORDS = st.sampled_from(
    [
        *(b"p%d OK\r\n" % n for n in range(1, 6)),
        b"p1 NO [ALERT] x\r\n",
        b"* 2 EXISTS\r\n",
        b"* 1 EXPUNGE\r\n",
        b"* 4294967295 EXPUNGE\r\n",
        b"* 4294967295 EXISTS\r\n",
        b"* 0 FETCH (UID 0)\r\n",
        b"* OK [UIDVALIDITY 7]\r\n",
        b'* LIST (\\Noselect 5) NIL {3}\r\n"&-\r\n',
        b"* LIST\r\n",
        b"* STATUS x (UNSEEN NIL)\r\n",
        row(1, 11),
        row(2, 2**64),
        b"* 1 FETCH (UID 11 RFC822.SIZE (()) BODYSTRUCTURE (1 ((2)) NIL) FLAGS 5 INTERNALDATE ())\r\n",
        b"* 1 FETCH (UID 11 BODY[1]<0> (x))\r\n",
        b"* 1 FETCH (UID 11 RFC822.SIZE NIL BODYSTRUCTURE () BODY[HEADER.FIELDS (X)] 5)\r\n",
        b"* BYE\r\n",
        b"+ \r\n",
    ]
)


@given(st.lists(_WORDS | st.binary(max_size=30), max_size=14))
def test_whatever_a_server_says_nothing_but_store_errors_come_of_it(answers: list[bytes]) -> None:
    for action in (
        lambda store: store.summaries("INBOX", Window(9)),
        lambda store: store.mailboxes(),
        lambda store: store.special("sent"),
        lambda store: store.structure(REF),
        lambda store: list(store.octets(REF, "1")),
        lambda store: store.flag([REF], [SEEN]),
        lambda store: store.append("x", b"abc"),
        lambda store: store.create("x"),
        lambda store: signing_in.sign_in(store._exchange, frozenset(), "user", "secret"),
        lambda store: store._exchange.greet(),
    ):
        with store_of(*answers) as store:
            said = ""
            try:
                action(store)
            except StoreError as error:
                said = error.detail
            assert "secret" not in said


@given(st.binary(max_size=200), st.integers(1, 40), st.lists(st.integers(0, 60), max_size=6))
def test_the_wire_gives_lines_and_stretches_as_they_came(octets: bytes, chunk: int, sizes: list[int]) -> None:
    class Trickle:
        def __init__(self) -> None:
            self.left = octets

        def settimeout(self, seconds: float) -> None:
            assert seconds > 0

        def recv(self, size: int) -> bytes:
            taken, self.left = self.left[:chunk], self.left[chunk:]
            return taken

    wire = Wire(Trickle(), 5.0)  # type: ignore[arg-type]
    wire.begin(60.0, Budget(10_000, 1000, 0))
    read = b""
    try:
        for size in sizes:
            read += wire.exactly(size)
            line = wire.line(10_000)
            assert line.endswith(b"\n")
            assert line.count(b"\n") == 1
            read += line
            wire.skip(1)
            read += octets[len(read) : len(read) + 1]
    except OSError:
        pass
    assert octets.startswith(read)
    assert not wire.cut


@pytest.mark.parametrize("limit", [0, 10, 50, 99, 100, 101, 4000])
@pytest.mark.parametrize("length", [1, 11, 51, 100, 101, 5000])
def test_the_end_of_a_line_that_is_too_long_is_kept(limit: int, length: int) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"x" * length + b" {17}\r\nnext\r\n")
        wire = Wire(ours, 5.0)
        wire.begin(5.0, Budget(100_000, 1000, 0))
        line = wire.line(limit)
        assert line.endswith(b" {17}\r\n")
        assert wire.cut == (length + 7 > limit)
        assert wire.cut or len(line) == length + 7
        assert wire.line(100) == b"next\r\n"
