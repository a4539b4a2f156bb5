"""The way to an upstream: what is reported as seen, and what the documentation says about the limits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.config import Server, Tls, Upstream
from gateway.errors import (
    AnswerTooLong,
    AuthenticationFailed,
    GatewayError,
    StoreBusy,
    StoreDown,
    StoreTLSError,
    StoreUnreachable,
    SubmissionRefused,
    SubmissionUncertain,
    SubmissionUnreachable,
    UnsafeArgument,
)
from gateway.sending import dispatch
from gateway.store import pool
from gateway.store.imap.connection import imap4, receiving
from gateway.submission import mail_transaction, smtp_client
from gateway.upstreams import bulkhead, circuit, connecting, deadline, shares, tls
from gateway.upstreams.bulkhead import Bulkhead
from gateway.upstreams.circuit import FAILURES, Report
from gateway.upstreams.health import Contact
from gateway.upstreams.wire import Ledger, Overrun

IMAP = Server("imap", "mail.example", 993, Tls.IMPLICIT)
SMTP = Server("smtp", "mail.example", 465, Tls.IMPLICIT)
UPSTREAM = Upstream(("example.org",), IMAP, SMTP)


def fail(way: Bulkhead, error: Exception, person: bytes, server: Server = IMAP) -> None:
    with pytest.raises(type(error)), way.admit(UPSTREAM, server, person):
        raise error


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (StoreUnreachable("x"), Report.FAILED),
        (SubmissionUnreachable("x"), Report.FAILED),
        (SubmissionUncertain("x"), Report.FAILED),
        (AnswerTooLong("x"), Report.ANSWERED),
        (AuthenticationFailed("x"), Report.ANSWERED),
        (StoreTLSError("x"), Report.ANSWERED),
        (SubmissionRefused("x"), Report.ANSWERED),
        (UnsafeArgument("x"), Report.NOTHING),
        (StoreBusy("x"), Report.NOTHING),
        (StoreDown("x"), Report.NOTHING),
        (GatewayError("x"), Report.NOTHING),
        (RuntimeError("x"), Report.NOTHING),
        (None, Report.ANSWERED),
    ],
)
def test_what_was_seen_of_a_server(error: Exception | None, seen: Report) -> None:
    assert bulkhead._seen(Contact(error=error)) is seen


def test_a_connection_that_broke_without_an_error_is_a_failure() -> None:
    assert bulkhead._seen(Contact(broken=True)) is Report.FAILED


def test_a_reply_of_the_server_that_says_later_opens_nothing() -> None:
    way = Bulkhead(16)
    for n in range(3 * FAILURES):
        later = SubmissionUnreachable("MAIL: 451 later")
        later.answered = True
        fail(way, later, b"%d" % n, SMTP)
    reached = False
    with way.admit(UPSTREAM, SMTP, b"ben"):  # otherwise SubmissionDown, which is unreachable as well
        reached = True
    assert reached


def test_one_person_alone_opens_a_circuit_only_by_what_anybody_would_meet() -> None:
    way = Bulkhead(16)
    for _ in range(3 * FAILURES):
        fail(way, StoreUnreachable("a search that takes too long"), b"anna")
    for _ in range(FAILURES - 1):
        met_by_anybody = StoreUnreachable("no greeting")
        met_by_anybody.for_anyone = True
        fail(way, met_by_anybody, b"anna")
    with pytest.raises(StoreDown), way.admit(UPSTREAM, IMAP, b"ben"):
        pass
    with way.admit(UPSTREAM, SMTP, b"ben"):
        pass


def test_what_is_inside_has_the_time_of_a_request_and_no_more() -> None:
    with Bulkhead(16).admit(UPSTREAM, IMAP, b"anna"):
        assert deadline.left(1000) <= deadline.REQUEST_SECONDS


def test_who_has_no_time_left_does_not_stand_in_line() -> None:
    way = Bulkhead(1)
    with (
        way.admit(UPSTREAM, IMAP, b"anna"),
        deadline.within(0),
        pytest.raises(StoreBusy),
        way.admit(UPSTREAM, IMAP, b"ben"),
    ):
        pass
    with way.admit(UPSTREAM, IMAP, b"ben"):
        pass


def test_who_waits_for_their_own_request_holds_no_more_than_their_places() -> None:
    way = Bulkhead(16)
    with ThreadPoolExecutor(24) as pool:
        mine = list(pool.map(lambda _n: way.await_other(b"anna", 0.5), range(24)))
        assert mine.count(True) == shares.QUEUED_PER_PERSON
        everybody = list(pool.map(lambda n: way.await_other(b"%d" % n, 0.5), range(24)))
        assert everybody.count(True) == 16 // 4
    assert way.await_other(b"anna", 0.0)
    assert not way._standing


def test_the_ledger_of_a_server_is_given_back() -> None:
    ledger = Ledger(100)
    for _ in range(3):
        ledger.take(80)
        with pytest.raises(Overrun):
            ledger.take(30)
        ledger.give(80)


def test_the_documentation_says_the_limits_that_hold() -> None:
    text = " ".join((Path(__file__).parents[2] / "docs" / "security.md").read_text().split())
    for said in (
        f"waits for mail servers for {deadline.REQUEST_SECONDS:.0f} seconds in total",
        f"{connecting.RESOLVE_SECONDS:.0f} for a name, {connecting.CONNECT_SECONDS:.0f} for all",
        f"{tls.HANDSHAKE_SECONDS:.0f} each for TLS and for a greeting",
        f"{imap4.READ_SECONDS:.0f} for silence after an IMAP command",
        f"an IMAP command, {smtp_client.REPLY_SECONDS:.0f} after an SMTP",
        f"a second for every {deadline.LEAST_RATE // 1024} KB",
        f"({mail_transaction.DATA_REPLY_SECONDS:.0f} seconds, since",
        f"filing its copy ({dispatch.FILING_SECONDS:.0f})",
        f"not contacted for {circuit.OPEN_SECONDS:.0f} seconds",
        f"in octets ({receiving.MAX_ANSWER >> 20} MB, of which {receiving.MAX_RESPONSE >> 20} MB",
        f"in lines ({receiving.MAX_LINES:,})",
        f"as objects ({receiving.MAX_HELD >> 20} MB; {receiving.MAX_SERVER >> 20} MB for all",
        f"to {smtp_client.MAX_REPLY >> 10} KB and {smtp_client.MAX_LINES} lines",
    ):
        assert said in text, said
    assert imap4.GREETING_SECONDS == tls.HANDSHAKE_SECONDS
    assert (shares.STUCK_SECONDS, shares.QUICK_SECONDS) == (0.5, 0.25)
    assert pool.IDLE_SECONDS == 300
