"""The panel in lynx and w3m: an administrator ends a session, and locks and unlocks a person, at a terminal."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.devices.browsers.text_browsers import Lynx, W3m
from tests.devices.phones import WmlPhone, over_http
from tests.servers import free_ports
from tests.servers.dovecot import Dovecot
from tests.servers.gateway import GatewayServer
from tests.servers.smtp import SmtpServer

PASSWORD = "correct horse battery"
PERSON = "locked-out@example.net"


@pytest.fixture
def panel(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[tuple[GatewayServer, str]]:
    """A running gateway and the address of its panel."""
    folder = tmp_path / "gateway"
    folder.mkdir()
    server, port = GatewayServer(folder, dovecot, smtp_server), free_ports(1)[0]
    file = folder / "pocketpost.toml"
    file.write_text(file.read_text() + f'[admin]\nlisten = "127.0.0.1:{port}"\n')
    setting = [sys.executable, "-m", "gateway", "admin", "password", "--config", str(file)]
    subprocess.run(setting, input=PASSWORD + "\n", text=True, check=True, capture_output=True)
    server.start()
    try:
        yield server, f"http://127.0.0.1:{port}/"
    finally:
        server.stop()


@pytest.fixture(params=[Lynx, W3m])
def browser(
    request: pytest.FixtureRequest, panel: tuple[GatewayServer, str], tmp_path: Path
) -> Iterator[Any]:
    if shutil.which(request.param.program) is None:
        pytest.skip(f"NOT TESTED: {request.param.program} is not installed (see tests/debian-packages.txt)")
    home = tmp_path / "home"
    home.mkdir()
    opened = request.param(home, panel[1], True)
    try:
        yield opened
    finally:
        opened.close()


@pytest.mark.long
def test_a_person_is_shown_the_door_and_let_in_again(browser: Any, panel: tuple[GatewayServer, str]) -> None:
    phone = WmlPhone(panel[0].url, over_http).sign_in(PERSON, "secret")
    inbox = phone.url
    assert "Overview" in browser.form({"Password": PASSWORD})
    people = browser.follow("People")
    (account,) = re.findall(r"\b[0-9a-f]{12}\b", people)
    assert "nokia7110" in browser.follow(account)
    browser.follow("End all sessions")
    assert "None." in browser.press("End all sessions")
    phone.open(inbox)
    assert phone.title == "Pocketpost"
    phone.sign_in(PERSON, "secret")
    assert "Inbox" in phone.title
    assert "All its sessions end at once: 1 now." in browser.follow("Lock the account")
    assert "Locked since" in browser.press("Lock the account")
    phone.sign_in(PERSON, "secret")
    assert "Your account is locked here" in phone.text
    assert "Lock the account" in browser.press("Unlock")
    assert "account unlocked" in browser.follow("Audit")
    phone.sign_in(PERSON, "secret")
    assert "Inbox" in phone.title
