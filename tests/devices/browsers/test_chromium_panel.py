"""The first run and the panel in Chromium, as wide as a phone and as a desktop: every page fits, every form arrives.

Each page is also checked for what a screen reader gets from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import load
from tests.devices.browsers.chromium import BINARY, Chromium
from tests.devices.browsers.test_panel_screen_reader import faults
from tests.servers import free_ports
from tests.servers.certs import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.machine import Prompting, pocketpost, provider
from tests.servers.smtp import SmtpServer

ADDRESS = "driver@provider.invalid"
PASSWORD = "correct horse battery"
WIDTHS = (320, 1200)


class Desk:
    """A browser that is filled in and clicked."""

    def __init__(self, browser: Chromium) -> None:
        self._browser = browser

    def _run(self, script: str) -> object:
        found = self._browser.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def open(self, url: str) -> str:
        self._browser.open(url)
        return self._seen()

    def fill(self, **fields: str) -> Desk:
        for name, value in fields.items():
            self._run(f"document.getElementsByName({json.dumps(name)})[0].focus()")
            self._run("document.activeElement.select && document.activeElement.select()")
            self._browser.call("Input.insertText", text=value)
        return self

    def press(self, label: str) -> str:
        """Press a button, and return the words of the page to which it leads."""
        return self._go(f"input[type=submit][value={json.dumps(label)}]")

    def follow(self, path: str) -> str:
        return self._go(f"a[href={json.dumps(path)}]")

    def _go(self, selector: str) -> str:
        self._browser._events.clear()
        self._run(f"document.querySelector({json.dumps(selector)}).click()")
        self._browser._await("Page.loadEventFired")
        return self._seen()

    def _seen(self) -> str:
        """Return the words of the page, which must fit each width, and be complete for somebody who does not see it."""
        for width in WIDTHS:
            size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
            self._browser.call("Emulation.setDeviceMetricsOverride", **size)
            shown = self._run("document.documentElement.scrollWidth")
            assert isinstance(shown, int)
            assert shown <= width, (self._run("location.href"), shown)
        missed = [*faults(self._browser)]
        assert not missed, (self._run("location.href"), missed)
        assert self._run("document.styleSheets.length") == 1
        assert self._run("document.styleSheets[0].cssRules.length > 10")
        return str(self._run("document.body.innerText"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    if not BINARY:
        pytest.skip("NOT TESTED: chromium is not installed (see tests/debian-packages.txt)")
    (folder := tmp_path / "profile").mkdir()
    browser = Chromium(folder)
    try:
        yield Desk(browser)
    finally:
        browser.close()


@pytest.mark.long
def test_first_run_another_upstream_and_a_broken_certificate(
    desk: Desk, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    port, panel = free_ports(2)
    (home := tmp_path / "home").mkdir()
    (home / "ca.pem").write_bytes(dovecot.ca_file.read_bytes() + smtp_server.ca_file.read_bytes())
    (home / "other.pem").write_bytes(Authority(tmp_path).ca_file.read_bytes())
    file = home / "pocketpost.toml"
    dovecot.user(ADDRESS)
    with provider(dovecot, smtp_server) as ispdb:
        terminal = Prompting([*pocketpost(ispdb, panel), "serve"], home)
        try:
            terminal.until(r"\[Y/n\]: ")
            terminal.type("")
            origin = terminal.until(r"Open +(http://127\.0\.0\.1:\d+)/")[1]
            desk.open(origin)
            desk.fill(code=terminal.until(r"Code +([\d-]+)")[1]).press("Go on")
            desk.fill(address=ADDRESS, ca_file="ca.pem").press("Find servers")
            assert "ok: imap takes the password" in desk.fill(mail_password="secret").press("Test")
            desk.fill(listen=f"127.0.0.1:{port}", password=PASSWORD, again=PASSWORD)
            assert f"http://127.0.0.1:{port}/" in desk.press("Save, and start the gateway")
            terminal.until("listening at")

            desk.open(origin)
            desk.fill(password=PASSWORD).press("Sign in")
            desk.follow("/upstreams")
            assert "TLSv1" in desk.fill(address="a@other.invalid", ca_file="ca.pem").press("Find servers")
            assert "Written to" in desk.fill(password=PASSWORD).press("Save")
            assert [each.domains for each in load(file).upstreams] == [
                ("provider.invalid",),
                ("other.invalid",),
            ]
            desk.follow("/upstreams")
            desk.follow("/upstreams/edit?domain=other.invalid")
            words = desk.fill(ca_file="other.pem").press("Test")
            assert "certificate verify failed" in words
            assert "is not known here: name its certificate in ca_file" in words
            assert "not set" in desk.follow("/settings")
            desk.follow("/settings/display")
            assert "+timezone" in desk.fill(timezone="Europe/Berlin", password=PASSWORD).press("Save")
            terminal.process.terminate()
            assert terminal.ended() == 0
        finally:
            terminal.close()
    assert load(file).timezone == "Europe/Berlin"
