"""Writing and sending with a mail store that cannot keep anything: no draft is offered, no copy in Sent is claimed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.store.base import EVERY_ABILITY
from gateway.store.imap.selected import Selected
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.acting import buttons
from tests.web.office import HANDHELDS, Office, mail

ME, BOB = "keepless@example.net", "keepbob@example.net"
SAVING = {"Save", "Add more", "Attach"}


@pytest.fixture
def office(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    can = replace(EVERY_ABILITY, append=False)
    monkeypatch.setattr(Selected, "can", property(lambda _self: can))
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, BOB)
    yield made
    made.closing.close()


@pytest.fixture(params=HANDHELDS)
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    device = getattr(office, request.param)()
    office.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME))
    return office.signed_in(device, ME).follow("Lunch").follow("Reply")


def _kept(office: Office) -> int:
    return sum(len(office.found(ME, name)) for name in ("Drafts", "Sent"))


def test_a_mail_is_sent_and_no_copy_is_claimed(office: Office, device: Any) -> None:
    assert "Inbox" in buttons(device)
    assert SAVING.isdisjoint(buttons(device))
    device.fill("text", "At noon.").press("Send")
    assert "Sent." in device.text
    assert "No copy could be kept in Sent." in device.text
    assert "copy is" not in device.text
    assert len(office.found(BOB, "INBOX")) == 1
    assert _kept(office) == 0


def test_a_mail_that_is_not_sent_comes_back_with_its_text(office: Office, device: Any) -> None:
    office.smtp.refuse = {BOB: "550 no"}
    device.fill("text", "At noon.").press("Send")
    assert "Not sent." in device.text
    assert "No copy could be kept in Drafts." in device.text
    assert "At noon." in device.answer.body.decode()
    office.smtp.refuse.clear()
    device.press("Send")
    assert "Sent." in device.text
    assert len(office.found(BOB, "INBOX")) == 1
    assert _kept(office) == 0


def test_who_leaves_reads_that_nothing_is_saved(office: Office, device: Any) -> None:
    device.fill("text", "At noon.").press("Inbox")
    assert device.title.startswith("Inbox")
    assert "Not saved." in device.text
    assert _kept(office) == 0
