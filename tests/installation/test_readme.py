"""README's part for administrators, typed line by line: it begins with an empty folder and ends on a phone."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from gateway.config import load
from tests.installation.first_steps import PASSWORD, browser, by_the_readme, readme_commands, with_mail
from tests.servers import free_ports
from tests.servers.dovecot import Dovecot
from tests.servers.machine import Prompting, pocketpost, provider
from tests.servers.smtp import SmtpServer


def test_it_begins_with_the_first_run() -> None:
    install, (*_, last) = readme_commands()[0][0], readme_commands()[0]
    assert "pip install" in install or "venv" in install
    assert last == "pocketpost serve"


@pytest.mark.long
def test_the_commands_lead_to_a_phone_that_reads_mail(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    port, panel = free_ports(2)
    trusted = with_mail(dovecot, smtp_server, tmp_path)
    (home := tmp_path / "home").mkdir()
    (programs := tmp_path / "bin").mkdir()
    with provider(dovecot, smtp_server) as ispdb:
        command = programs / "pocketpost"
        command.write_text(f'#!/bin/sh\nexec {shlex.join(pocketpost(ispdb, panel))} "$@"\n')
        command.chmod(0o755)
        shell = Prompting(
            ["/bin/sh"], home, PATH=f"{programs}:/usr/bin:/bin", SSL_CERT_FILE=str(trusted), PS1="ready> "
        )
        try:
            by_the_readme(shell, readme_commands()[1], home / "pocketpost.toml", port, panel)
            page = browser(f"http://127.0.0.1:{panel}").open()
            assert "Upstreams" in page.fill("password", PASSWORD).press("Sign in").text
            shell.process.terminate()
            assert shell.ended() == 0, shell.text
        finally:
            shell.close()
    assert load(home / "pocketpost.toml").upstreams[0].domains == ("provider.invalid",)
