"""Limits of a mail and of sending: what is refused says whose limit it is, or when it ends; nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import connect
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.errors import MessageTooLarge, TooLargeHere, TooManyRecipients
from gateway.language import Language
from gateway.state import State
from gateway.state.sending.submissions import HOUR
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.compose.test_drafts import text_field
from tests.web.office import CLIENTS, Office, at, mail, path_of

ME, BOB = "limited@example.net", "limited.bob@example.net"
NOW = 1_000_000.0
MOST = 3


def _office(dovecot: Dovecot, smtp: SmtpServer, folder: Path, **options: Any) -> Office:
    made = Office(dovecot, smtp, folder, **options)
    made.anew(ME, BOB)
    return made


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    made = _office(dovecot, smtp_server, tmp_path, per_hour=MOST, upload_limit=20_000, message_limit=60_000)
    yield made
    made.closing.close()


@pytest.fixture(params=CLIENTS)
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    return getattr(office, request.param)()


def _forwarding(office: Office, device: Any, octets: int) -> Any:
    text = ("x" * 70 + "\r\n") * (octets // 72)
    office.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME, "Huge", text=text))
    office.signed_in(device, ME).follow("Huge")
    return at(device, path_of(device).replace("m", "f") + ".a").fill("to", BOB).fill("text", "Look.")


# --- how large


def test_a_forward_beyond_our_limit_says_that_it_is_ours(office: Office, device: Any) -> None:
    _forwarding(office, device, 70_000).press("Send")
    assert "Not sent." in device.text
    assert TooLargeHere.sentence in device.text
    assert MessageTooLarge.sentence not in device.text
    assert text_field(device) == "Look."
    assert office.smtp.accepted == []


def test_a_forward_beyond_the_servers_limit_says_that_it_is_the_servers(office: Office, device: Any) -> None:
    office.smtp.size = 30_000
    _forwarding(office, device, 50_000).press("Send")
    assert "Not sent." in device.text
    assert MessageTooLarge.sentence in device.text
    assert text_field(device) == "Look."


def test_a_forward_may_be_as_large_as_the_server_takes(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    office = _office(dovecot, smtp_server, tmp_path)
    with closing(office.closing):
        smtp_server.size = 20_000_000
        device = _forwarding(office, office.browser(), 15_000_000).press("Send")
        assert "Sent to" in device.text
        assert len(office.smtp.accepted[-1].octets) > 15_000_000


def test_what_is_not_attached_says_whose_limit_it_is(office: Office) -> None:
    office.dovecot.deliver(ME, mail(subject="Huge", text="x" * 70_000))
    device = office.browser()
    at(office.signed_in(device, ME), "c").fill("to", BOB).fill("text", "Look.").press("Attach")
    device.attach("f1", "large.bin", b"x" * 30_000).press("Attach")
    assert "Too large, so not attached: large.bin." in device.text
    assert "This gateway sets that limit." in device.text
    office.smtp.size = 25_000
    at(device, "c").fill("to", BOB).fill("text", "Look.").press("Send")  # learns what the server takes now
    at(device, "c").fill("to", BOB).fill("text", "Look.").press("Attach")
    device.attach("f1", "large.bin", b"x" * 15_000).press("Attach")
    assert "Your mail server sets that limit." in device.text


# --- how many


def _write(device: Any, number: int) -> Any:
    return at(device, "c").fill("to", BOB).fill("subject", f"Mail {number}").fill("text", "Short and mine.")


def _age(office: Office, seconds: float) -> float:
    """Let the hour pass, and return when the first mail was counted."""
    with closing(connect(office.path)) as connection, connection:
        connection.execute("UPDATE submissions SET at = at - ?", (seconds,))
        return float(connection.execute("SELECT min(at) FROM submissions").fetchone()[0])


def test_more_than_the_limit_is_told_with_a_time_and_sent_after_it(office: Office, device: Any) -> None:
    office.signed_in(device, ME)
    for number in range(MOST):
        assert "Sent to" in _write(device, number).press("Send").text
    first = _age(office, 0)
    other = office.signed_in(office.browser(), ME)  # a new session of the same account is no way around
    for one in (device, other):
        _write(one, 8).press("Send")
        assert "Not sent." in one.text
        until = Language("en", ZoneInfo(office.config.timezone)).clock(
            datetime.fromtimestamp(first + HOUR, UTC)
        )
        assert f"You can send again at {until}." in one.text
        assert "A copy is in Drafts." in one.text
        assert text_field(one) == "Short and mine."
        assert len(office.found(BOB)) == MOST
    assert len(office.found(ME, "Drafts")) == 2
    _age(office, HOUR)
    for one in (device, other):
        one.press("Send")
        assert "Sent to" in one.text
    assert office.found(ME, "Drafts") == []
    assert len(office.found(BOB)) == MOST + 2


def test_a_mail_to_many_counts_for_many(office: Office) -> None:
    device = office.browser()
    people = [f"person{number}@example.net" for number in range(10 * MOST + 1)]
    at(office.signed_in(device, ME), "c").fill("to", ", ".join(people)).fill("text", "All!").press("Send")
    assert "Not sent." in device.text
    assert TooManyRecipients.sentence in device.text
    assert people[-1] in device.answer.body.decode()
    at(device, "c").fill("to", ", ".join(people[:11])).fill("text", "Some.").press("Send")
    assert "Sent to" in device.text
    at(device, "c").fill("to", ", ".join(people[:11])).fill("text", "Some.").press("Send")
    assert "You can send again at" in device.text


def test_what_the_server_refuses_counts_and_what_is_repeated_does_not(office: Office) -> None:
    device = office.browser()
    office.signed_in(device, ME)
    office.smtp.refuse = {BOB: "550 no"}
    for number in range(MOST):
        _write(device, number).press("Send")
        assert f"Refused, so not sent to: {BOB}" in device.text
        path = device.url
        device.fetch("POST", path, device.posted[1])
        assert "again at" not in device.text
    _write(device, 9).press("Send")
    assert re.search(r"again at \d\d:\d\d\.", device.text)


def test_what_no_server_has_seen_does_not_count(office: Office, device: Any) -> None:
    office.signed_in(device, ME)
    office.smtp.drop = "before data"
    for number in range(MOST + 2):
        _write(device, number).press("Send")
        assert "cannot be reached" in device.text
    office.smtp.drop = ""
    assert "Sent to" in _write(device, 9).press("Send").text


def test_nobody_gets_past_the_limit_by_sending_at_once(tmp_path: Path) -> None:
    with State.open(tmp_path / "state.sqlite") as state, State.open(tmp_path / "state.sqlite") as elsewhere:
        account = state.accounts.id_for(b"anna")

        def count(number: int) -> float | None:
            table = (state if number % 2 else elsewhere).submissions
            return table.count(account, 1, MOST, NOW)

        with ThreadPoolExecutor(8) as threads:
            until = list(threads.map(count, range(40)))
        assert until.count(None) == MOST
        assert set(until) == {None, NOW + HOUR}


def test_the_time_that_is_told_is_when_there_is_room(tmp_path: Path) -> None:
    with State.open(tmp_path / "state.sqlite") as state:
        account, other = state.accounts.id_for(b"anna"), state.accounts.id_for(b"bob")
        for number in range(5):
            assert state.submissions.count(account, 2, 10, NOW + number * 60) is None
        assert state.submissions.count(account, 1, 10, NOW + 300) == NOW + HOUR
        assert state.submissions.count(account, 3, 10, NOW + 300) == NOW + 60 + HOUR
        assert state.submissions.count(other, 10, 10, NOW + 300) is None
        assert state.submissions.count(account, 3, 10, NOW + 60 + HOUR) is None
        # A clock that goes back a year makes nobody wait longer than an hour.
        back = NOW - 365 * 24 * HOUR
        until = state.submissions.count(other, 1, 10, back)
        assert until == back + HOUR
        assert state.submissions.count(other, 1, 10, back + HOUR) is None
