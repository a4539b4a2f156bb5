"""The health of servers: what each contact shows, and that the connections of a contact are timed."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from gateway.config import Server, Tls, Upstream
from gateway.errors import (
    AnswerTooLong,
    AuthenticationFailed,
    GatewayError,
    MaildropLocked,
    StoreBusy,
    StoreTLSError,
    StoreUnreachable,
    SubmissionRefused,
    SubmissionUnreachable,
    UnsafeArgument,
)
from gateway.upstreams import connecting, health
from gateway.upstreams.bulkhead import Bulkhead
from gateway.upstreams.health import LONGEST, MOST, Contact, Health, HealthRecords

IMAP = Server("imap", "127.0.0.1", 993, Tls.NONE)
SMTP = Server("smtp", "127.0.0.1", 465, Tls.NONE)
UPSTREAM = Upstream(("example.org",), IMAP, SMTP)


def _refused(kind: type[StoreUnreachable] | type[SubmissionUnreachable]) -> GatewayError:
    error = kind("said something")
    error.answered = True
    return error


@pytest.mark.parametrize(
    ("contact", "up"),
    [
        (Contact(), True),
        (Contact(broken=True), False),
        (Contact(error=StoreUnreachable("timed out")), False),
        (Contact(error=_refused(StoreUnreachable), unopened=True), False),
        (Contact(error=_refused(SubmissionUnreachable)), True),
        (Contact(error=StoreTLSError("expired")), False),
        (Contact(error=AuthenticationFailed("no")), True),
        (Contact(error=SubmissionRefused("no")), True),
        (Contact(error=AnswerTooLong("x")), True),
        (Contact(error=MaildropLocked("x")), True),
        (Contact(error=StoreBusy("x")), None),
        (Contact(error=UnsafeArgument("x")), None),
        (Contact(error=RuntimeError("x")), None),
    ],
)
def test_what_a_contact_says_of_a_server(contact: Contact, up: bool | None) -> None:
    assert contact.up is up


def test_a_server_is_down_since_the_first_failure_with_the_words_of_the_last() -> None:
    known = Health().after(Contact(opening=0.01), 100.0)
    assert (known.up, known.since, known.seen, known.opening, known.error) == (True, 100.0, 100.0, 0.01, "")
    known = known.after(Contact(error=StoreUnreachable("one")), 200.0)
    known = known.after(Contact(error=StoreUnreachable("two")), 300.0)
    assert (known.up, known.since, known.seen, known.error, known.failed) == (
        False,
        200.0,
        300.0,
        "two",
        300.0,
    )
    known = known.after(Contact(), 400.0)
    assert (known.up, known.since, known.error, known.failed) == (True, 400.0, "two", 300.0)
    assert known.opening == 0.01
    assert known.after(Contact(error=StoreBusy("x")), 500.0) == known


def test_an_endless_error_is_cut() -> None:
    assert len(Health().after(Contact(error=StoreUnreachable("x" * 10_000)), 1.0).error) == LONGEST


def test_the_records_are_bounded() -> None:
    records = HealthRecords()
    for port in range(1, MOST + 11):
        records.note(replace(IMAP, port=port), Contact())
    assert records.of(replace(IMAP, port=10)).up is None
    assert records.of(replace(IMAP, port=11)).up is True


def test_requests_leave_the_health_of_their_server_behind() -> None:
    heard: list[tuple[Server, Contact]] = []
    records = HealthRecords(lambda server, contact: heard.append((server, contact)))
    way = Bulkhead(4, records=records)
    with way.admit(UPSTREAM, IMAP, b"anna"):
        pass
    with pytest.raises(SubmissionUnreachable), way.admit(UPSTREAM, SMTP, b"anna"):
        raise SubmissionUnreachable("127.0.0.1:465: timed out")
    assert records.of(IMAP).up is True
    assert (records.of(SMTP).up, records.of(SMTP).error) == (False, "127.0.0.1:465: timed out")
    assert [server for server, _ in heard] == [IMAP, SMTP]
    assert heard[0][1].seconds > 0


def test_the_opening_of_a_connection_is_timed_for_the_contact_at_hand() -> None:
    with socket.create_server(("127.0.0.1", 0)) as line, health.contact() as contact:
        connecting.connect(*line.getsockname()).close()
        port = line.getsockname()[1]
    assert contact.opening is not None
    assert not contact.unopened
    with health.contact() as contact, pytest.raises(OSError):
        connecting.connect("127.0.0.1", port)
    assert contact.opening is None
    assert contact.unopened


def _seen(*contacts: tuple[float, bool]) -> Health:
    known = Health()
    for at, well in contacts:
        known = known.after(
            Contact(opening=at / 1000) if well else Contact(error=StoreUnreachable(f"at {at}")), at
        )
    return known


@pytest.mark.parametrize(
    ("one", "other", "up", "since", "error"),
    [
        ((), ((1.0, True),), True, 1.0, ""),
        (((1.0, True), (9.0, True)), ((3.0, True),), True, 1.0, ""),
        (((1.0, True),), ((5.0, False), (7.0, False)), False, 5.0, "at 7.0"),
        (((4.0, False),), ((2.0, False), (8.0, False)), False, 2.0, "at 8.0"),
        (((1.0, True), (9.0, True)), ((3.0, False), (5.0, True)), True, 5.0, "at 3.0"),
        (((1.0, True), (9.0, True)), ((3.0, False),), True, 3.0, "at 3.0"),
        (((1.0, False), (9.0, False)), ((3.0, True),), False, 3.0, "at 9.0"),
    ],
)
def test_what_two_processes_have_seen_is_joined(
    one: tuple[tuple[float, bool], ...],
    other: tuple[tuple[float, bool], ...],
    up: bool,
    since: float,
    error: str,
) -> None:
    """A server has been in its state since the first contact that no later one has contradicted."""
    for first, second in ((one, other), (other, one)):
        known = _seen(*first).joined(_seen(*second))
        assert (known.up, known.since, known.error) == (up, since, error)
        assert known.seen == max(at for at, _ in (*one, *other))


def test_what_is_new_is_told_apart_and_a_turn_is_announced() -> None:
    turns: list[int] = []
    records = HealthRecords(turned=lambda: turns.append(1))
    for contact in (
        Contact(),
        Contact(),
        Contact(error=StoreBusy("x")),
        Contact(broken=True),
        Contact(broken=True),
    ):
        records.note(IMAP, contact)
    assert len(turns) == 2
    assert records.take_new() == {IMAP}
    assert records.take_new() == set()
    records.join(SMTP, _seen((1.0, True)))
    records.note(IMAP, Contact(error=StoreBusy("x")))
    assert records.take_new() == set()
    records.put_back([IMAP])
    assert records.take_new() == {IMAP}
