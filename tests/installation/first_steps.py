"""The two ways from nothing to a phone reading mail: with only the panel's first run, with only README's commands.

Both are walked by scripts that press and type what a person would. The tests say where `pocketpost` comes from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.devices.phones import WmlPhone, XhtmlBrowser, over_http
from tests.servers.dovecot import Dovecot
from tests.servers.machine import ROOT, Prompting
from tests.servers.smtp import SmtpServer

#: Whose mail it is, its password there, and the password that the panel gets.
ADDRESS = "walker@provider.invalid"
MAIL_PASSWORD = "only-for-the-mail"
PASSWORD = "correct horse battery"
_MAIL = (
    b"From: Ada <ada@provider.invalid>\r\nTo: %b\r\nSubject: The first mail\r\n\r\nIt arrived.\r\n"
    % ADDRESS.encode()
)
#: What README's commands ask, and the answers that are typed.
_ANSWERS = {
    f"Password of {ADDRESS}: ": MAIL_PASSWORD,
    "New password of the panel: ": PASSWORD,
    "Repeat for confirmation: ": PASSWORD,
}


def with_mail(dovecot: Dovecot, smtp_server: SmtpServer, folder: Path) -> Path:
    """Make a provider with one mail; return the file with its certificates."""
    dovecot.user(ADDRESS, MAIL_PASSWORD)
    smtp_server.passwords[ADDRESS] = MAIL_PASSWORD
    dovecot.deliver(ADDRESS, _MAIL)
    file = folder / "ca.pem"
    file.write_bytes(dovecot.ca_file.read_bytes() + smtp_server.ca_file.read_bytes())
    return file


def browser(origin: str) -> XhtmlBrowser:
    """A browser for the panel."""
    return XhtmlBrowser(origin, over_http, limit=200_000)


def readme_commands() -> list[list[str]]:
    """Return the commands of README's part for administrators, by the code blocks that contain them."""
    text = (ROOT / "README.md").read_text("utf-8")
    part = text.partition("## For the administrator\n")[2].partition("\n## ")[0]
    found = re.findall(r"(?:^    \S.*\n)+", part, re.MULTILINE)
    return [[re.sub(r"  +# .*", "", line).strip() for line in block.splitlines()] for block in found]


def by_the_panel(terminal: Prompting, file: Path, ca_file: Path, imap_port: int, port: int) -> str:
    """Go from `pocketpost serve`, typed at a terminal, to a phone that reads mail; return the panel's origin.

    `file`: the configuration that is written; `port`: the phone's.
    """
    terminal.until(r"Write one now.*\? \[Y/n\]: ")
    terminal.type("y")
    origin = terminal.until(r"Open +(http://127\.0\.0\.1:\d+)/")[1]
    code = terminal.until(r"Code +([\d-]+)")[1]
    assert not file.exists()

    page = browser(origin).open()
    page.fill("code", code).press("Go on")
    page.fill("address", ADDRESS).fill("ca_file", str(ca_file)).press("Find servers")
    assert f"ok: imap+starttls://localhost:{imap_port}" in page.text
    page.fill("mail_password", "wrong").press("Test")
    assert "FAIL: imap: Wrong address or password" in page.text
    page.fill("mail_password", MAIL_PASSWORD).press("Test")
    for words in ("imap takes the password", "smtp takes the password", 'sent: "Sent"', "TLSv1"):
        assert f"ok: {words}" in page.text or words in page.text, page.text
    assert page.answer is not None
    assert MAIL_PASSWORD not in page.answer.body.decode()
    page.fill("listen", f"127.0.0.1:{port}").fill("password", PASSWORD).fill("again", "other")
    page.press("Save, and start the gateway")
    assert "differ" in page.text
    assert not file.exists()
    page.fill("password", PASSWORD).fill("again", PASSWORD).press("Save, and start the gateway")
    assert f"http://127.0.0.1:{port}/" in page.text
    terminal.until("listening at")
    _read_on_a_phone(port)
    return origin


def by_the_readme(shell: Prompting, commands: Sequence[str], file: Path, port: int, panel: int) -> None:
    """Go from a shell in a folder to a phone that reads mail, with commands from README that end with `serve`.

    `file`: the configuration that they write; `port` and `panel`: the phone's and the panel's.
    """
    *first, last = [
        line.replace("you@example.org", ADDRESS).replace("0.0.0.0:8080", f"127.0.0.1:{port}")
        for line in commands
    ]
    for number, line in enumerate(first):
        shell.type(f"{line} && echo done-$((1000 + {number}))")
        while (asked := shell.until(rf"done-{1000 + number}|{'|'.join(_ANSWERS)}")[0]) in _ANSWERS:
            shell.text = ""
            shell.type(_ANSWERS[asked])
    file.write_text(f'{file.read_text()}\n[admin]\nlisten = "127.0.0.1:{panel}"\n')
    shell.type(f"exec {last}")
    shell.until("listening at")
    _read_on_a_phone(port)


def _read_on_a_phone(port: int) -> None:
    phone = WmlPhone(f"http://127.0.0.1:{port}", over_http).sign_in(ADDRESS, MAIL_PASSWORD, "/w")
    assert "It arrived." in phone.follow("The first mail").text
