"""A state that is full, locked, read-only or gone: whoever reads can continue, and nothing untrue is reported.

The faults are real (tests/servers/unwritable.py). What was typed is on the page again, whatever happens.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from gateway.errors import GatewayError, OverQuota, StateFull, StateLocked, StateReadOnly
from gateway.state.storage import faults
from gateway.state.storage.database import Database
from gateway.store.imap.imap_store import ImapStore
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.servers.unwritable import FAULTS, Volume, be_impatient
from tests.web.compose.test_drafts import text_field
from tests.web.office import Office, at, mail

ME, BOB = "unwritable@example.net", "unwritable.bob@example.net"
SENTENCES = {"full": StateFull, "locked": StateLocked, "read_only": StateReadOnly}
LINKS = "See https://example.org/one and write to ann@example.org."


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    with Volume(tmp_path) as mounted:
        yield mounted


@pytest.fixture
def office(
    volume: Volume, dovecot: Dovecot, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    be_impatient(monkeypatch)
    made = Office(dovecot, smtp_server, volume.door)
    made.anew(ME, BOB)
    dovecot.deliver(ME, mail(subject="Lunch", text=LINKS))
    dovecot.deliver(ME, mail(subject="Elsewhere", text=LINKS), "Archive box")
    dovecot.deliver(ME, _with_file())
    yield made
    made.closing.close()


@pytest.fixture(params=["phone", "browser"])
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    return office.signed_in(getattr(office, request.param)(), ME)


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest, volume: Volume, office: Office) -> AbstractContextManager[None]:
    made: AbstractContextManager[None] = getattr(volume, request.param)(_database(office))
    return made


def _database(office: Office) -> Database:
    return office.sessions._state.database


def _with_file() -> bytes:
    return (
        b"From: Bob <bob@example.net>\r\nTo: me@example.net\r\nSubject: With a file\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHere.\r\n'
        b'--b\r\nContent-Type: text/plain; name="notes.txt"\r\nContent-Disposition: attachment; '
        b'filename="notes.txt"\r\n\r\nThe notes themselves.\r\n--b--\r\n'
    )


def _sentence(request: pytest.FixtureRequest) -> str:
    return str(SENTENCES[request.node.callspec.params["fault"]].sentence)


def _drafts(office: Office) -> list[str]:
    return [str(one["Subject"]) for one in office.found(ME, "Drafts")]


# --- reading


def test_who_reads_goes_on_reading(
    office: Office, device: Any, fault: AbstractContextManager[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    flag = ImapStore.flag

    def flagged(self: ImapStore, *arguments: Any, **more: Any) -> Any:
        seen.append(arguments)
        return flag(self, *arguments, **more)

    monkeypatch.setattr(ImapStore, "flag", flagged)
    inbox = device.url
    with fault:
        device.fetch("GET", inbox)
        assert "Lunch" in "".join(device.links)
        for _again in range(3):
            device.fetch("GET", inbox)
            device.follow("Lunch")
            assert "write to" in device.text
        assert len(seen) == 1
        device.fetch("GET", inbox)
        device.follow("With a file")
        assert "Here." in device.text
        device.follow("Attachments")  # the only one opens at once
        assert "The notes themselves." in device.text
        # Folders, none of whose numbers anybody has asked for yet.
        at(device, "z")
        device.follow("Archive box")
        device.follow("Elsewhere")
        assert "write to" in device.text
    device.fetch("GET", inbox)
    assert "Lunch" in "".join(device.links)
    assert sum("Seen" in flags for flags in office.flags(ME)) == 2


def test_nobody_who_reads_waits_for_what_is_not_needed(
    office: Office, device: Any, fault: AbstractContextManager[None]
) -> None:
    """Of the milliseconds granted to the writers of a page, only the first failure costs any."""
    granted: list[int] = []
    for engine in (_database(office)._engine, _database(office)._synced):

        @event.listens_for(engine, "before_cursor_execute")
        def executed(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
            match = re.match(r"PRAGMA busy_timeout = (\d+)", statement)
            granted.extend([int(match[1])] if match else [])

    inbox = device.url
    with fault:
        device.follow("Lunch")
        first, granted[:] = sum(granted), []
        for _again in range(3):
            device.fetch("GET", inbox)
            device.follow("With a file")
        rest = sum(granted)
    assert first <= faults.OPTIONAL_SECONDS * 1000
    assert rest == 0


# --- writing


def test_send_says_not_sent_and_the_same_again_sends_it(
    office: Office, device: Any, fault: AbstractContextManager[None], request: pytest.FixtureRequest
) -> None:
    at(device, "c").fill("to", BOB).fill("subject", "Hello").fill("text", "Short and mine.")
    written = device.url
    with fault:
        device.press("Send")
        posted = device.posted
        assert "Not sent." in device.text
        assert _sentence(request) in device.text
        assert "A copy is in Drafts." in device.text
        assert "certain" not in device.text
        assert text_field(device) == "Short and mine."
        assert _drafts(office) == ["Hello"]
        # The phone repeats by itself; the person presses Send on what is shown. There is always one draft.
        device.fetch("POST", written, posted[1])
        assert "Not sent." in device.text
        device.press("Send")
        assert "Not sent." in device.text
        assert text_field(device) == "Short and mine."
        assert _drafts(office) == ["Hello"]
        assert office.smtp.accepted == []
    device.press("Send")
    assert "Sent to" in device.text
    assert len(office.found(BOB)) == 1
    assert _drafts(office) == []


def test_the_first_post_again_sends_once_the_state_can_be_written(
    office: Office, device: Any, fault: AbstractContextManager[None]
) -> None:
    at(device, "c").fill("to", BOB).fill("subject", "Hello").fill("text", "Short and mine.")
    written = device.url
    with fault:
        device.press("Send")
        posted = device.posted
        assert "Not sent." in device.text
    for _repeat in range(2):
        device.fetch("POST", written, posted[1])
        assert "Sent to" in device.text
    assert len(office.found(BOB)) == 1
    assert len(office.found(ME, "Sent")) == 1
    assert _drafts(office) == []


@pytest.mark.parametrize("first", ["the page that came back", "the request that was refused"])
def test_whoever_brings_both_pages_of_a_mail_that_was_not_begun_is_asked(
    office: Office, device: Any, fault: AbstractContextManager[None], first: str
) -> None:
    at(device, "c").fill("to", BOB).fill("subject", "Hello").fill("text", "Short and mine.")
    with fault:
        device.press("Send")
        before = device.posted
        assert "Not sent." in device.text
    shown = copy(device)  # the other page is still on the screen
    requests = [lambda: shown.press("Send"), lambda: device.fetch("POST", *before)]
    for number, ask in enumerate(requests if first.startswith("the page") else reversed(requests)):
        ask()
        assert ("Send this one too?" in (shown.text + device.text)) == (number == 1)
        assert len(office.found(BOB)) == 1


def test_a_mailbox_that_takes_no_draft_leaves_the_text_in_the_form(
    office: Office, device: Any, fault: AbstractContextManager[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any, **_more: Any) -> Any:
        raise OverQuota("full")

    monkeypatch.setattr(ImapStore, "append", full)
    at(device, "c").fill("to", BOB).fill("subject", "Hello").fill("text", "Short and mine.")
    with fault:
        device.press("Send")
        assert "Not sent." in device.text
        assert "No copy could be kept in Drafts." in device.text
        assert text_field(device) == "Short and mine."
    device.press("Send")
    assert "Sent to" in device.text
    assert len(office.found(BOB)) == 1


def test_save_needs_the_mailbox_only(
    office: Office, device: Any, fault: AbstractContextManager[None]
) -> None:
    at(device, "c").fill("to", BOB).fill("subject", "Hello").fill("text", "Short and mine.")
    written = device.url
    with fault:
        device.press("Save")
        posted = device.posted
        assert "Saved in Drafts." in device.text
        device.fetch("POST", written, posted[1])
        assert "Saved in Drafts." in device.text
        assert _drafts(office) == ["Hello"]
        device.press("Save")
        assert "Saved in Drafts." in device.text
        assert _drafts(office) == ["Hello"]
    device.press("Send")
    assert "Sent to" in device.text
    assert _drafts(office) == []


# --- what needs a write says so


def test_settings_and_signing_in_say_what_is_wrong(
    office: Office, device: Any, fault: AbstractContextManager[None], request: pytest.FixtureRequest
) -> None:
    at(device, "s").follow("This device")
    with fault:
        device.press("Save")
        assert _sentence(request) in device.text
        assert "Saved." not in device.text
        other = office.phone() if hasattr(device, "card") else office.browser()
        other.sign_in(ME, "wrong")
        assert _sentence(request) in other.text
        other.sign_in(ME, "secret")
        assert _sentence(request) in other.text
        assert GatewayError.sentence not in other.text
    other.sign_in(ME, "secret")
    assert "Lunch" in "".join(other.links)


# --- gone


@pytest.mark.parametrize("beside", [True, False], ids=["log and index too", "the file alone"])
def test_a_file_that_is_removed_is_noticed_and_made_again(office: Office, device: Any, beside: bool) -> None:
    path = office.path
    device.follow("Lunch")
    for name in path.parent.glob(path.name + ("*" if beside else "")):
        if name.is_file():
            name.unlink()
    device.fetch("GET", device.url)
    assert b'name="password"' in device.answer.body
    assert path.exists()
    device.sign_in(ME, "secret")
    at(device, "c").fill("to", BOB).fill("subject", "Hello").fill("text", "Mine.").press("Send")
    assert "Sent to" in device.text
    # All of it is in the file that now has the name.
    _database(office).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT stage FROM journal").fetchall() == [("done",)]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_is_gone_and_cannot_be_made_again_is_said(office: Office, volume: Volume, device: Any) -> None:
    inbox = device.url
    with volume.read_only(_database(office)):
        for name in volume.inside.glob(office.path.name + "*"):
            if name.is_file():
                name.unlink()
        device.fetch("GET", inbox)
        assert StateReadOnly.sentence in device.text
        assert "Inbox" in device.links
