"""The first run: from an empty folder and a terminal to a phone reading mail, with only its pages.

The provider is a real Dovecot and a real SMTP server, found through a list of providers on loopback.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.admin.configuring import first_run, one_time_code
from gateway.admin.configuring.first_run import FirstRun
from gateway.admin.configuring.one_time_code import OneTimeCode
from gateway.config import load
from gateway.config.reference import sample
from gateway.server.listeners import Listener
from tests import PATIENCE
from tests.devices.phones import XhtmlBrowser, in_process
from tests.installation.first_steps import MAIL_PASSWORD, PASSWORD, browser, by_the_panel, with_mail
from tests.servers import free_ports
from tests.servers.dovecot import Dovecot
from tests.servers.machine import ROOT, Prompting, pocketpost, provider
from tests.servers.smtp import SmtpServer


@pytest.mark.long
def test_from_an_empty_folder_to_a_phone_reading_mail(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    port, panel = free_ports(2)
    ca_file, file = with_mail(dovecot, smtp_server, tmp_path), tmp_path / "pocketpost.toml"
    imap_port = dovecot.ports["imap"]
    with provider(dovecot, smtp_server) as ispdb:
        terminal = Prompting([*pocketpost(ispdb, panel), "serve"], tmp_path)
        try:
            origin = by_the_panel(terminal, file, Path(ca_file.name), imap_port, port)
            admin = browser(origin).open().fill("password", PASSWORD).press("Sign in").follow("Upstreams")
            assert f"imap+starttls://localhost:{imap_port}" in admin.text
            terminal.process.terminate()
            assert terminal.ended() == 0, terminal.text
        finally:
            terminal.close()
    text = file.read_text()
    assert [line for line in sample().splitlines() if line[:1] == "#" and line not in text.splitlines()] == [
        "# [admin]"
    ]
    assert load(file).admin_listen == f"127.0.0.1:{panel}"
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir()) + terminal.text.encode()
    assert MAIL_PASSWORD.encode() not in kept
    assert PASSWORD.encode() not in kept


def test_who_declines_gets_an_error_and_no_file(tmp_path: Path) -> None:
    terminal = Prompting([sys.executable, "-m", "gateway", "serve", "--config", "other.toml"], tmp_path)
    try:
        terminal.until(r"no configuration at other\.toml")
        terminal.type("n")
        terminal.until("nothing was written")
        assert terminal.ended() == 1
    finally:
        terminal.close()
    assert [*tmp_path.iterdir()] == []


def test_five_wrong_codes_end_it_and_so_does_the_keyboard(tmp_path: Path) -> None:
    for number, words in ((0, "too many wrong codes"), (signal.SIGINT, "stopped before anything was saved")):
        terminal = Prompting([sys.executable, "-m", "gateway", "serve"], tmp_path)
        try:
            terminal.until(r"\[Y/n\]: ")
            terminal.type("")
            origin = terminal.until(r"Open +(http://127\.0\.0\.1:\d+)/")[1]
            code = terminal.until(r"Code +([\d-]+)")[1]
            if number:
                terminal.process.send_signal(number)
            else:
                page = browser(origin).open()
                for _ in range(one_time_code.TRIES):
                    page.fill("code", "0" if code[0] != "0" else "1").press("Go on")
                assert "does not count any more" in page.text
            terminal.until(words)
            assert terminal.ended() == 1
        finally:
            terminal.close()
        assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [([], "Missing option '--config'"), (["--config", "none.toml"], "none.toml: cannot be read")],
)
def test_without_a_terminal_nothing_is_offered(tmp_path: Path, arguments: list[str], words: str) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "gateway", "serve", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=PATIENCE,
    )
    assert made.returncode != 0
    assert words in made.stderr.decode()
    assert [*tmp_path.iterdir()] == []


# --- the pages without a terminal


@pytest.fixture
def ended() -> list[bool]:
    """Filled when the run says that it has ended."""
    return []


@pytest.fixture
def run(tmp_path: Path, ended: list[bool]) -> FirstRun:
    """A first run in an empty folder."""
    return FirstRun(tmp_path / "pocketpost.toml", Listener("127.0.0.1", 8090), lambda: ended.append(True))


def opened(run: FirstRun) -> XhtmlBrowser:
    page = XhtmlBrowser("http://127.0.0.1:8090", in_process(run.application()), limit=200_000)
    return page.open().fill("code", str(run.code)).press("Go on")


def test_the_code_counts_once() -> None:
    code = OneTimeCode()
    assert code.take(str(code))
    assert code.is_spent
    assert not code.take(str(code))


def test_the_right_code_comes_too_late_after_the_last_try() -> None:
    code = OneTimeCode()
    for wrong in ("", "1", "x" * 10_000, "é", "\ud800")[: one_time_code.TRIES]:
        assert not code.take(wrong)
    assert not code.take(str(code))


def test_a_second_browser_is_not_let_in_and_does_not_end_the_first(run: FirstRun, ended: list[bool]) -> None:
    first = opened(run)
    second = XhtmlBrowser("http://127.0.0.1:8090", first.transport, limit=200_000).open()
    second.fill("code", str(run.code)).press("Go on")
    assert second.answer is not None
    assert second.answer.status == 403
    assert not ended
    assert "Your mail address" in first.open().text


def test_another_name_than_loopbacks_is_refused(run: FirstRun) -> None:
    client = run.application().test_client()
    for host in ("evil.example", "evil.example:8090", "192.0.2.1:8090", "[::2]:8090", "%%"):
        assert client.get("/sign-in", headers={"Host": host}).status_code in (400, 403), host
    assert client.get("/sign-in", headers={"Host": "localhost:8090"}).status_code == 200


def test_without_the_code_nothing_is_shown_or_done(run: FirstRun) -> None:
    client = run.application().test_client()
    for method, path in (("GET", "/"), ("POST", "/find"), ("POST", "/save")):
        answer = client.open(path, method=method, base_url="http://127.0.0.1:8090")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


def fill_in(page: XhtmlBrowser, **more: str) -> None:
    page.fill("address", "nobody").press("Find servers")
    values = {
        "domains": "example.org",
        "imap": "imaps://mail.example.org",
        "smtp": "smtps://mail.example.org",
    }
    values |= {"listen": f"127.0.0.1:{free_ports(1)[0]}", "password": PASSWORD, "again": PASSWORD} | more
    for name, value in values.items():
        page.fill(name, value)
    page.press("Save, and start the gateway")


def test_what_is_not_found_is_filled_in_by_hand(run: FirstRun, ended: list[bool]) -> None:
    page = opened(run)
    fill_in(page, imap="", pop3="pop3s://mail.example.org", login="local-part")
    assert ended == [True]
    assert run.saved
    config = load(run.file)
    assert config.upstreams[0].store.url == "pop3s://mail.example.org:995"
    assert config.upstreams[0].login == "local-part"
    assert run.file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"imap": "http://x"}, "a URL is needed"),
        ({"imap": "imaps://a", "pop3": "pop3s://a"}, "not beside imap"),
        ({"domains": ""}, "is needed"),
        ({"password": "short", "again": "short"}, "12 characters or more"),
        ({"listen": "0.0.0.0"}, "HOST:PORT is needed"),
        ({"listen": "127.0.0.1:8090"}, "not for the panel"),
        ({"listen": "192.0.2.1:8080"}, "this machine has no such address"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    run: FirstRun, wrong: dict[str, str], words: str
) -> None:
    page = opened(run)
    fill_in(page, **wrong)
    assert words in page.text
    assert "smtps://mail.example.org" in page.answer.body.decode()
    assert not [*run.file.parent.iterdir()]


def test_a_file_that_somebody_else_wrote_meanwhile_stays(run: FirstRun, ended: list[bool]) -> None:
    page = opened(run)
    run.file.write_text("# mine\n")
    fill_in(page)
    assert "File exists" in page.text
    assert "[[upstream]]" in page.text
    assert run.file.read_text() == "# mine\n"
    assert not ended


def test_the_address_for_phones(run: FirstRun, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(run)
    fill_in(page)
    config = load(run.file)
    monkeypatch.setattr(first_run, "_own_address", lambda: "192.0.2.7")
    assert first_run.phone_address(replace(config, listen="0.0.0.0:8080")) == "http://192.0.2.7:8080/"
    assert first_run.phone_address(replace(config, url="https://m.example.org")) == "https://m.example.org/"
