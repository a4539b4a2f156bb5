"""The conversation itself, over a pair of sockets: nothing slips out, and nothing that comes in does harm."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import errors
from gateway.errors import AnswerTooLong, StoreError, StoreUnreachable, UnsafeArgument
from gateway.store.imap import response
from gateway.store.imap.connection import receiving
from gateway.store.imap.connection.receiving import MAX_ANSWER, MAX_RESPONSE
from gateway.store.imap.exchange import Exchange
from gateway.store.imap.response import CommandResponse
from tests import PATIENCE


class Pair:
    """Our end, and the server's, to which answers are written beforehand."""

    def __init__(self) -> None:
        ours, self.server = socket.socketpair()
        self.exchange = Exchange(ours)
        self.exchange.wait_at_most(5)

    def close(self) -> None:
        self.exchange.close()
        self.server.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


@pytest.mark.parametrize("bad", [b"\r\n", b"\n", b"\r", b"\0"])
def test_no_command_has_two_lines(pair: Pair, bad: bytes) -> None:
    """The last gate: even for what nobody has quoted before."""
    for send in (
        lambda: pair.exchange.run(b"NOOP", b"SELECT x" + bad + b"p9 LOGOUT"),
        lambda: pair.exchange.converse(b"X" + bad, b"y"),
        lambda: pair.exchange.upload(b"APPEND x" + bad, b"mail", frozenset()),
        lambda: pair.exchange.upload(b"APPEND x" + bad, b"mail", frozenset({"LITERAL+"})),
    ):
        with pytest.raises(UnsafeArgument):
            send()
    assert not pair.exchange.broken
    pair.server.setblocking(False)
    with pytest.raises(BlockingIOError):
        pair.server.recv(1)


def test_commands_go_out_in_one_write(pair: Pair) -> None:
    pair.server.sendall(b"* 3 EXISTS\r\np1 OK one\r\n* 4 EXISTS\r\np2 NO [LIMIT] two\r\n")
    first, second = pair.exchange.run(b"NOOP", b"STATUS x (UNSEEN)")
    assert (first.ok, second.ok, second.status.code) == (True, False, "LIMIT")
    assert ([u.number for u in first.untagged], [u.number for u in second.untagged]) == ([3], [4])
    assert pair.server.recv(1000) == b"p1 NOOP\r\np2 STATUS x (UNSEEN)\r\n"
    assert (pair.exchange.traffic.round_trips, pair.exchange.traffic.commands) == (1, 2)


def test_a_literal_beyond_all_bounds_is_not_waited_for(pair: Pair) -> None:
    pair.server.sendall(b"* 1 FETCH (BODY[] {%d}\r\n" % (MAX_ANSWER + 1))
    with pytest.raises(StoreUnreachable, match="too long"):
        pair.exchange.run(b"NOOP")
    assert pair.exchange.broken


def test_a_response_that_is_too_long_is_passed_over(pair: Pair) -> None:
    """One message in a list may have a structure of ten megabytes: the others are listed nevertheless."""

    def serve() -> None:
        size = MAX_RESPONSE + 1
        pair.server.sendall(b"* 1 FETCH (UID 1)\r\n* 2 FETCH (X {%d}\r\n" % size)
        pair.server.sendall(b"x" * size + b" Y (\r\n* 3 FETCH (UID 3)\r\np1 OK\r\n")

    server = threading.Thread(target=serve)
    server.start()
    try:
        (reply,) = pair.exchange.run(b"FETCH 1:3 (UID X)")
    finally:
        pair.server.shutdown(socket.SHUT_RDWR)
        server.join(PATIENCE)
    assert reply.ok
    assert [line.number for line in reply.untagged] == [1, 3]


def test_a_conversation_left_in_the_middle_is_over(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever interrupts it: the rest of the answer must not meet the next command."""

    def interrupt(pieces: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(response, "untagged", interrupt)
    pair.server.sendall(b"* 1 EXISTS\r\np1 OK\r\n")
    with pytest.raises(KeyboardInterrupt):
        pair.exchange.run(b"NOOP")
    assert pair.exchange.broken
    with pytest.raises(StoreUnreachable):
        pair.exchange.run(b"NOOP")


def test_silence_ends(pair: Pair) -> None:
    pair.exchange.wait_at_most(0.05)
    with pytest.raises(StoreUnreachable, match="timed out"):
        pair.exchange.run(b"NOOP")
    assert pair.exchange.broken


@pytest.mark.parametrize(
    ("capabilities", "size", "waits"),
    [
        ((), 10, True),
        (("LITERAL+",), 10_000, False),
        (("LITERAL-",), 4096, False),
        (("LITERAL-",), 4097, True),
    ],
)
def test_literals_wait_where_they_must(
    pair: Pair, capabilities: tuple[str, ...], size: int, waits: bool
) -> None:
    pair.server.sendall((b"+ go on\r\n" if waits else b"") + b"p1 OK done\r\n")
    assert pair.exchange.upload(b"APPEND x", b"m" * size, frozenset(capabilities)).ok
    sign = b"" if waits else b"+"
    assert pair.server.recv(20_000).startswith(b"p1 APPEND x {%d%b}\r\n" % (size, sign))
    assert pair.exchange.traffic.round_trips == (2 if waits else 1)


def test_a_challenge_for_which_there_is_an_answer_gets_it(pair: Pair) -> None:
    pair.server.sendall(b"+ \r\n+ eyJzdGF0dXMiOiI0MDEifQ==\r\np1 NO no\r\n")
    assert not pair.exchange.converse(b"AUTHENTICATE PLAIN", b"answer", b"*").ok
    assert pair.server.recv(1000) == b"p1 AUTHENTICATE PLAIN\r\nanswer\r\n*\r\n"


def test_what_answers_nothing_is_passed_over(pair: Pair) -> None:
    stray = b"+ idling\r\nx9 OK left over\r\np0 NO what\r\nhello\r\n* \r\n"
    pair.server.sendall(
        stray + b"* 3 EXISTS\r\n" + stray + b"p1 OK one\r\np1 BAD again\r\n" + stray + b"p2 OK two\r\n"
    )
    first, second = pair.exchange.run(b"SELECT x", b"NOOP")
    assert [(reply.status.kind, reply.status.text) for reply in (first, second)] == [
        ("OK", "one"),
        ("OK", "two"),
    ]
    assert [line.kind for line in first.untagged] == ["EXISTS"]
    assert pair.server.recv(1000) == b"p1 SELECT x\r\np2 NOOP\r\n"


@pytest.mark.parametrize("stray", [b"x9 OK left over\r\n", b"+ \r\n", b"p1 OK done\r\n"])
def test_what_answers_nothing_is_bounded(pair: Pair, stray: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "MAX_LINES", 500)
    pair.server.sendall(stray * 502)
    with pytest.raises(AnswerTooLong):
        pair.exchange.run(b"NOOP", b"NOOP")
    assert pair.exchange.broken


def test_a_challenge_too_many_is_passed_over(pair: Pair) -> None:
    pair.server.sendall(b"+ \r\n+ more\r\np1 OK\r\n")
    assert pair.exchange.converse(b"AUTHENTICATE PLAIN", b"answer").ok


def test_a_command_that_is_refused_keeps_its_literal_back(pair: Pair) -> None:
    pair.server.sendall(b"p1 NO [TRYCREATE] no\r\n")
    assert pair.exchange.upload(b"APPEND x", b"a private letter", frozenset()).status.code == "TRYCREATE"
    assert b"private" not in pair.server.recv(1000)


def test_quiet_until_something_comes(pair: Pair) -> None:
    assert pair.exchange.is_quiet()
    pair.server.sendall(b"* BYE\r\n")
    assert not pair.exchange.is_quiet()


def test_closed_by_the_other_side_is_not_quiet(pair: Pair) -> None:
    pair.server.close()
    assert not pair.exchange.is_quiet()


def test_imapclient_speaks_on_the_same_connection(pair: Pair) -> None:
    pair.server.sendall(b"p1 OK\r\n* 7 EXISTS\r\np2 OK renamed\r\np3 OK\r\n")
    pair.exchange.know(frozenset(), signed_in=True)
    pair.exchange.run(b"NOOP")
    _, reply = pair.exchange.attempt(pair.exchange.rename_folder, b'"a"', b'"b"')
    assert ([line.number for line in reply.untagged], reply.status.text) == ([7], "renamed")
    pair.exchange.run(b"NOOP")
    assert pair.server.recv(1000) == b'p1 NOOP\r\np2 RENAME "a" "b"\r\np3 NOOP\r\n'
    assert (pair.exchange.traffic.round_trips, pair.exchange.traffic.commands) == (3, 3)


def test_each_command_of_imapclient_is_one_line_in_one_round_trip(pair: Pair) -> None:
    pair.server.sendall(b"* SEARCH 3 4\r\np1 OK\r\n* ENABLED UTF8=ACCEPT\r\np2 OK\r\np3 OK\r\np4 NO no\r\n")
    pair.exchange.know(frozenset({"ENABLE"}), signed_in=True)
    assert pair.exchange.attempt(pair.exchange.search, [b"UID", b"1:9"])[0] == [3, 4]
    assert pair.exchange.attempt(pair.exchange.enable, "UTF8=ACCEPT")[0] == [b"UTF8=ACCEPT"]
    pair.exchange.attempt(pair.exchange.subscribe_folder, b'"a"')
    assert pair.exchange.attempt(pair.exchange.delete_folder, b'"a"')[0] is None
    said = b'p1 UID SEARCH UID 1:9\r\np2 ENABLE UTF8=ACCEPT\r\np3 SUBSCRIBE "a"\r\np4 DELETE "a"\r\n'
    assert pair.server.recv(1000) == said
    assert (pair.exchange.traffic.round_trips, pair.exchange.traffic.octets_out) == (4, len(said))


def test_imapclient_sends_no_second_line_either(pair: Pair) -> None:
    pair.exchange.know(frozenset(), signed_in=True)
    with pytest.raises(UnsafeArgument):
        pair.exchange.attempt(pair.exchange.delete_folder, b'"a"\r\np9 DELETE "b"')
    pair.server.sendall(b"p2 OK\r\n")
    assert pair.exchange.run(b"NOOP")[0].ok
    assert pair.server.recv(1000) == b"p2 NOOP\r\n"


@pytest.mark.parametrize(
    "endless", [b"* OK x\r\n" * 50_000, b'* LIST () "/" "' + b"x" * (MAX_RESPONSE + 9) + b"\r\n"]
)
def test_imapclient_reads_no_more_than_anybody(endless: bytes) -> None:
    pair = Pair()
    pair.exchange.know(frozenset(), signed_in=True)
    server = threading.Thread(target=lambda: _send(pair.server, endless))
    server.start()
    try:
        with pytest.raises(AnswerTooLong):
            pair.exchange.attempt(pair.exchange.list_folders)
        assert pair.exchange.broken
    finally:
        pair.close()
        server.join(PATIENCE)


def _send(sock: socket.socket, octets: bytes) -> None:
    with suppress(OSError):
        sock.sendall(octets)


def test_nothing_of_an_answer_to_imapclient_is_kept(pair: Pair) -> None:
    pair.exchange.know(frozenset(), signed_in=True)
    for number in range(1, 4):
        pair.server.sendall(b"* FLAGS (a)\r\n* OK [READ-ONLY] x\r\np%d OK\r\n" % number)
        pair.exchange.attempt(pair.exchange.subscribe_folder, b'"a"')
    connection = pair.exchange._imap
    assert (connection.untagged_responses, connection.tagged_commands, connection.reply) == ({}, {}, None)


def test_what_imapclient_cannot_read_is_a_refusal(pair: Pair) -> None:
    pair.server.sendall(b"* SEARCH 1\r\n* SEARCH 2\r\np1 OK\r\n")
    with pytest.raises(errors.StoreRefused):
        pair.exchange.attempt(pair.exchange.search, [b"UID", b"1:9"])
    assert not pair.exchange.broken


def test_no_library_logs_or_keeps_what_is_secret(
    pair: Pair, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    pair.server.sendall(b"p1 NO hunter2?\r\n+ \r\n+ \r\np2 NO hunter2?\r\np3 OK\r\n")
    pair.exchange.know(frozenset())
    pair.exchange.attempt(pair.exchange.login, "user", "hunter2")
    pair.exchange.attempt(pair.exchange.plain_login, "user", "hunter2")
    pair.exchange.attempt(pair.exchange.search, [b"TEXT", b"hunter2"])
    kept = repr({name: value for name, value in vars(pair.exchange._imap).items() if name != "wire"})
    assert "hunter2" not in caplog.text + kept + "".join(capfd.readouterr())
    assert "aHVudGVyMg" not in caplog.text + kept


_LINES = st.lists(
    st.sampled_from(
        [
            b"* ",
            b"p1 ",
            b"p2 ",
            b"OK",
            b"NO",
            b" [ALERT] ",
            b"BYE",
            b"FETCH (",
            b")",
            b"+ ",
            b"{3}",
            b"{99}",
            b"\r\n",
        ]
    )
    | st.binary(max_size=6),
    max_size=30,
).map(b"".join)


@given(_LINES)
def test_any_answer_is_a_reply_or_a_store_error(answer: bytes) -> None:
    pair = Pair()
    try:
        pair.server.sendall(answer)
        pair.server.shutdown(socket.SHUT_WR)
        try:
            replies = pair.exchange.run(b"NOOP", b"NOOP")
        except StoreError:
            assert pair.exchange.broken
        else:
            assert all(isinstance(reply, CommandResponse) for reply in replies)
            for line in (line for reply in replies for line in reply.untagged):
                assert line.status.text == line.status.text.strip()
    finally:
        pair.close()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("[NONEXISTENT] ", errors.MailboxGone),
        ("[TRYCREATE] ", errors.MailboxGone),
        ("[EXPUNGEISSUED] ", errors.MessageGone),
        ("[UNAVAILABLE] ", errors.StoreUnreachable),
        ("[OVERQUOTA] ", errors.OverQuota),
        ("", errors.StoreRefused),
    ],
)
def test_a_refusal_has_the_error_of_its_code(pair: Pair, code: str, expected: type[StoreError]) -> None:
    pair.server.sendall(f"p1 NO {code}no\x1b[31m way\r\n".encode())
    with pytest.raises(StoreError) as caught:
        pair.exchange.call(b"X")
    assert type(caught.value) is expected
    assert "\x1b" not in caught.value.detail
    assert not pair.exchange.broken
