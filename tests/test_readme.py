"""README's part for administrators, typed line by line: it begins with an empty folder and ends on a phone."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from gateway.config import load
from tests.devices.phones import WmlPhone, XhtmlBrowser, over_http
from tests.servers import free_ports
from tests.servers.dovecot import Dovecot
from tests.servers.machine import ROOT, Prompting, pocketpost, provider
from tests.servers.smtp import SmtpServer

ADDRESS = "reader@provider.invalid"
PASSWORD = "correct horse battery"
#: What is asked, and what is typed then.
ANSWERS = {
    f"Password of {ADDRESS}: ": "secret",
    "New password of the panel: ": PASSWORD,
    "Repeat for confirmation: ": PASSWORD,
}
MAIL = b"From: ada@provider.invalid\r\nSubject: The first mail\r\n\r\nIt arrived.\r\n"


def blocks() -> list[list[str]]:
    """Return the commands of README's part for administrators, by the blocks that they stand in."""
    part = (
        (ROOT / "README.md")
        .read_text("utf-8")
        .partition("## For the administrator\n")[2]
        .partition("\n## ")[0]
    )
    found = re.findall(r"(?:^    \S.*\n)+", part, re.MULTILINE)
    return [[re.sub(r"  +# .*", "", line).strip() for line in block.splitlines()] for block in found]


def test_it_begins_with_the_first_run() -> None:
    install, (*_, last) = blocks()[0][0], blocks()[0]
    assert "pip install" in install or "venv" in install
    assert last == "pocketpost serve"


@pytest.mark.long
def test_the_commands_lead_to_a_phone_that_reads_mail(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    port, panel = free_ports(2)
    (trusted := tmp_path / "system.pem").write_bytes(
        dovecot.ca_file.read_bytes() + smtp_server.ca_file.read_bytes()
    )
    dovecot.user(ADDRESS)
    dovecot.deliver(ADDRESS, MAIL)
    (home := tmp_path / "home").mkdir()
    (programs := tmp_path / "bin").mkdir()
    *first, last = [
        line.replace("you@example.org", ADDRESS).replace("0.0.0.0:8080", f"127.0.0.1:{port}")
        for line in blocks()[1]
    ]
    with provider(dovecot, smtp_server) as ispdb:
        command = programs / "pocketpost"
        command.write_text(f'#!/bin/sh\nexec {shlex.join(pocketpost(ispdb, panel))} "$@"\n')
        command.chmod(0o755)
        shell = Prompting(
            ["/bin/sh"], home, PATH=f"{programs}:/usr/bin:/bin", SSL_CERT_FILE=str(trusted), PS1="ready> "
        )
        try:
            for number, line in enumerate(first):
                shell.type(f"{line} && echo done-$((1000 + {number}))")
                while (asked := shell.until(rf"done-{1000 + number}|{'|'.join(ANSWERS)}")[0]) in ANSWERS:
                    shell.text = ""
                    shell.type(ANSWERS[asked])
            file = home / "pocketpost.toml"
            file.write_text(f'{file.read_text()}\n[admin]\nlisten = "127.0.0.1:{panel}"\n')
            shell.type(f"exec {last}")
            shell.until("listening at")
            phone = WmlPhone(f"http://127.0.0.1:{port}", over_http).sign_in(ADDRESS, "secret", "/w")
            assert "It arrived." in phone.follow("The first mail").text
            page = XhtmlBrowser(f"http://127.0.0.1:{panel}", over_http, limit=200_000).open()
            assert "Upstreams" in page.fill("password", PASSWORD).press("Sign in").text
            shell.process.terminate()
            assert shell.ended() == 0, shell.text
        finally:
            shell.close()
    assert load(file).upstreams[0].domains == ("provider.invalid",)
