"""Two processes share a state that cannot be written: what one of them has shown is known to the other.

The processes are two applications, each with its own memory and connections, over one file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.state.people.mailbox_numbers import is_temporary
from gateway.store.base import MailStore, MessageRef
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.servers.unwritable import FAULTS, Volume, be_impatient
from tests.web.compose.test_drafts import text_field
from tests.web.office import Office, at, mail

ME, BOB = "processes@example.net", "processes.bob@example.net"


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    with Volume(tmp_path) as mounted:
        yield mounted


@pytest.fixture
def offices(
    volume: Volume, dovecot: Dovecot, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Office, Office]]:
    be_impatient(monkeypatch)
    made = [Office(dovecot, smtp_server, volume.door) for _process in range(2)]
    made[0].anew(ME, BOB)
    dovecot.deliver(ME, mail(subject="Lunch", text="Soup."))
    dovecot.deliver(ME, mail(subject="Elsewhere", text="Bread."), "Archive box")
    yield made[0], made[1]
    for office in made:
        office.closing.close()


@pytest.fixture(params=["phone", "browser"])
def device(request: pytest.FixtureRequest, offices: tuple[Office, Office]) -> Any:
    return offices[0].signed_in(getattr(offices[0], request.param)(), ME)


@pytest.fixture(params=FAULTS)
def fault(
    request: pytest.FixtureRequest, volume: Volume, offices: tuple[Office, Office]
) -> AbstractContextManager[None]:
    first, second = (office.sessions._state.database for office in offices)

    @contextmanager
    def made() -> Iterator[None]:
        second.close()
        with getattr(volume, request.param)(first):
            yield
            second.close()

    return made()


def _drafts(office: Office) -> list[str]:
    return [str(one["Subject"]) for one in office.found(ME, "Drafts")]


def test_a_mailbox_that_one_process_has_shown_is_found_by_the_other(
    offices: tuple[Office, Office], device: Any, fault: AbstractContextManager[None]
) -> None:
    with fault:
        at(device, "z")
        for number, name in enumerate(("Archive box", "Elsewhere")):
            device.transport = offices[1 - number].transport
            device.follow(name)
            assert "changed" not in device.text
        assert "Bread." in device.text
    number = offices[0].sessions._state.mailboxes.number(1, "No such box", 7)
    assert not is_temporary(number)


@pytest.mark.parametrize("key", ["Send", "Save"])
def test_a_draft_goes_on_in_the_other_process(
    offices: tuple[Office, Office], device: Any, fault: AbstractContextManager[None], key: str
) -> None:
    here, there = offices
    at(device, "c").fill("to", BOB).fill("subject", "Hello").fill("text", "Short and mine.")
    with fault:
        for process in (here, there, here, there):
            device.transport = process.transport
            before = device.url
            device.press(key)
            posted = device.posted
            assert "no longer" not in device.text
            assert "changed" not in device.text
            assert "No copy" not in device.text
            assert text_field(device) == "Short and mine."
            assert _drafts(here) == ["Hello"]
            # The answer was lost, and the phone asks the other one.
            device.transport = (there if process is here else here).transport
            device.fetch("POST", *posted)
            assert "no longer" not in device.text
            assert "No copy" not in device.text
            assert text_field(device) == "Short and mine."
            assert _drafts(here) == ["Hello"]
            device.fetch("GET", before)
            assert "no longer" not in device.text
            device.fetch("POST", *posted)
        assert here.smtp.accepted == []
    device.press("Send")
    assert "Sent to" in device.text
    assert len(here.found(BOB)) == 1
    assert _drafts(here) == []


def test_a_server_that_finds_too_much_resumes_no_other_draft(
    offices: tuple[Office, Office], device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = offices[0]
    at(device, "c").fill("to", BOB).fill("subject", "One").fill("text", "Mine.").press("Save").press("Save")
    first = device.posted[0]
    at(device, "c").fill("to", BOB).fill("subject", "Two").fill("text", "Another.").press("Save")
    device.fetch("GET", first)
    assert text_field(device) == "Mine."
    with office.imap(ME) as connection:
        connection.select("Drafts")
        uid = connection.uid("SEARCH", "SUBJECT", "One")[1][0].decode()
        connection.uid("STORE", uid, "+FLAGS", "(\\Deleted)")
        connection.expunge()

    def sloppy(self: MailStore, mailbox: str, field: str, text: str) -> MessageRef | None:
        refs = self.newest(mailbox, 1)
        return refs[0] if refs else None

    monkeypatch.setattr("gateway.store.imap.imap_store.ImapStore.find_by_field", sloppy)
    device.fetch("GET", first)
    assert b"Another." not in device.answer.body
    assert "no longer there" in device.text
