"""Text that is posted to a session which has ended: signing in again is all that is needed to get it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.sealed.saved_forms import SavedForms
from gateway.state import StateError
from tests.devices.phones import WmlPhone
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.office import CLIENTS, Office, at, mail

ME, BOB, EVE = "late@example.net", "late-bob@example.net", "late-eve@example.net"
TEXT = "Dear Bob, it is $5 or 5 €."


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, BOB, EVE)
    dovecot.deliver(ME, mail(sender=f"Bob <{BOB}>", to=ME))
    yield made
    made.closing.close()


@pytest.fixture(params=CLIENTS)
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    return getattr(office, request.param)()


def _typed_too_late(office: Office, device: Any, text: str = TEXT) -> None:
    """Type an answer, and send it when the session has ended elsewhere."""
    device.sign_in(ME, "secret").follow("Lunch").follow("Reply")
    device.fill("text", text)
    _end_sessions(office)
    device.press("Send")


def _end_sessions(office: Office) -> None:
    with office.sessions._state.database.writing() as connection:
        connection.exec_driver_sql("UPDATE sessions SET expires = 1")


def test_the_text_is_back_on_the_page_it_was_typed_on(office: Office, device: Any) -> None:
    _typed_too_late(office, device)
    assert "Your text is kept" in device.text
    device.fill("user", ME).fill("password", "wrong").press("Sign in")
    assert "Wrong address or password." in device.text
    device.fill("user", ME).fill("password", "secret").press("Sign in")
    assert "This was not sent" in device.text
    assert office.found(BOB) == []
    device.follow("Dear Bob")
    if isinstance(device, WmlPhone):
        assert TEXT in device.variables.values()
    else:
        assert device.page.findtext(".//textarea") == TEXT
    device.press("Send")
    assert "Sent to" in device.text
    (sent,) = office.found(BOB)
    assert sent.get_content().startswith(TEXT)
    assert sent["Subject"] == "Re: Lunch"
    at(device, "kept")
    assert "There are no unsent texts." in device.text


def test_nobody_else_gets_it(office: Office) -> None:
    device = office.phone()
    _typed_too_late(office, device)
    device.fill("user", EVE).fill("password", "secret").press("Sign in")
    assert "Inbox" in device.title
    at(device, "kept")
    assert "There are no unsent texts." in device.text
    assert "Dear Bob" not in device.text


def test_a_mail_that_went_out_is_told_of_and_not_offered_again(office: Office, device: Any) -> None:
    device.sign_in(ME, "secret").follow("Lunch").follow("Reply")
    device.fill("text", TEXT).press("Send")
    assert "Sent to" in device.text
    _end_sessions(office)
    device.fetch("POST", *device.posted)  # as a phone does that has not seen the answer
    assert "Your text is kept" not in device.text
    device.fill("user", ME).fill("password", "secret").press("Sign in")
    assert "What happened to your mail" in device.text
    assert "Sent." in device.text
    at(device, "kept")
    assert "There are no unsent texts." in device.text
    assert len(office.found(BOB)) == 1


def test_what_was_sent_is_not_offered_again_though_it_could_not_be_deleted(
    office: Office, device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_args: object) -> None:
        raise StateError("state: locked")

    _typed_too_late(office, device)
    device.fill("user", ME).fill("password", "secret").press("Sign in").follow("Dear Bob")
    monkeypatch.setattr(SavedForms, "forget", fails)
    device.press("Send")
    assert "Sent to" in device.text
    at(device, "kept")
    assert "There are no unsent texts." in device.text
    # Nor in a session that takes it over, where it has another name.
    _end_sessions(office)
    at(device, "kept")
    device.fill("user", ME).fill("password", "secret").press("Sign in")
    assert "This was not sent" not in device.text
    at(device, "kept")
    assert "There are no unsent texts." in device.text
    assert len(office.found(BOB)) == 1


def test_what_holds_no_text_is_not_kept(office: Office) -> None:
    device = office.phone()
    _typed_too_late(office, device, "  ")
    assert "Your text is kept" not in device.text
    device.fill("user", ME).fill("password", "secret").press("Sign in")
    assert "Inbox" in device.title


def test_a_cookie_opens_it_without_the_page(office: Office) -> None:
    device = office.browser()
    _typed_too_late(office, device)
    device.sign_in(ME, "secret")
    assert "This was not sent" in device.text


def test_the_log_and_the_state_hold_none_of_it(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    device = office.phone()
    with caplog.at_level("DEBUG"):
        _typed_too_late(office, device)
    octets = b"".join(path.read_bytes() for path in office.path.parent.glob("state.sqlite*"))
    assert b"Dear Bob" not in octets
    assert "Dear Bob" not in caplog.text
