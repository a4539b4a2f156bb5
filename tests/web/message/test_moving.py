"""The folders to which a message can be moved: likely ones first, and a new one without going elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.office import Office, mail

ME = "moving@example.net"


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME)
    dovecot.deliver(ME, mail("bob@example.net", ME, "Plans"))
    with made.imap(ME) as connection:
        for name in ("Archive", "Sent", "Drafts", "Trash", "Cellar"):
            connection.create(name)
    yield made
    made.closing.close()


@pytest.fixture(params=("wml", "xhtml"))
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    made = office.phone() if request.param == "wml" else office.browser()
    return made.sign_in(ME, "secret").follow("Plans").follow("More").follow("Move")


def _targets(device: Any) -> list[str]:
    buttons = [] if hasattr(device, "deck") else device.page.iter("input")
    words = str(device.text) + " ".join(each.get("value", "") for each in buttons)
    names = ("Archive", "Cellar", "Trash", "Drafts", "Sent")
    return sorted((name for name in names if name in words), key=words.index)


def test_drafts_and_sent_come_last(device: Any) -> None:
    assert _targets(device) == ["Archive", "Cellar", "Trash", "Drafts", "Sent"]


def test_a_new_folder_is_made_from_there_and_is_offered_first(office: Office, device: Any) -> None:
    device.follow("New folder").fill("name", "a/b").press("Create")  # refused: the purpose is kept
    device.fill("name", "Attic").press("Create")
    assert "Created." in device.text
    device.press("Attic")
    assert "Moved to Attic: Plans" in device.text
    assert [found["Subject"] for found in office.found(ME, "Attic")] == ["Plans"]
