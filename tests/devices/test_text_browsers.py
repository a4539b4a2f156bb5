"""The main job in w3m and lynx, as a person at a terminal does it, with cookies and without."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.devices.journey import LAST_WORDS, PASSWORD, SUBJECT, Journey
from tests.devices.terminal import Terminal
from tests.servers.gateway import GatewayServer

TAB, ENTER, CLEAR = "\t", "\r", "\x15"
TEXT = "Grüße 5 € да, $9"
#: A text browser's page holds some 150 of the long message's sentences.
SENTENCES = 400


class W3m:
    """w3m: / searches and so reaches any link, S saves the shown page; a field is opened by Enter."""

    program = "w3m"
    options = ("-o", "accept_cookie=1", "-o", "auto_image=0", "-I", "UTF-8", "-O", "UTF-8")
    with_cookies, without_cookies = "-cookie", "-no-cookie"

    def __init__(self, home: Path, url: str, cookies: bool) -> None:
        self._home, self._saved = home, count()
        (home / ".w3m").mkdir()
        self._answer = home / "answer"
        keeping = self.with_cookies if cookies else self.without_cookies
        command = [self.program, *self.options, keeping, url]
        self.terminal = Terminal(command, home, {"EDITOR": f"cp {self._answer}"})

    def type(self, keys: str) -> None:
        self.terminal.type(keys)

    def close(self) -> None:
        self.terminal.close()

    def page(self) -> str:
        path = self._home / f"page{next(self._saved)}"
        self.type(self._save(path))
        return self.terminal.await_file(path)

    def _save(self, path: Path) -> str:
        return f"S{path.name}{ENTER}"

    def follow(self, label: str) -> str:
        self.type(f"/{label}{ENTER}{ENTER}")
        return self.page()

    def sign_in(self, user: str, password: str) -> str:
        self.type(f"/Address{ENTER}{TAB}{ENTER}{user}{ENTER}{TAB}{ENTER}{password}{ENTER}{TAB}{ENTER}")
        return self.page()

    def open_reply(self) -> None:
        assert "To: Bob" in self.follow("Reply")

    def write(self, text: str) -> str:
        """Type an answer and send it; w3m opens an editor for it."""
        self._answer.write_text(text)
        self.type(f"/Text{ENTER}{TAB}{ENTER}{TAB}{ENTER}")
        return self.page()


class Lynx(W3m):
    """lynx: / searches too, p prints the page to a file; a field takes keys at once.

    QUIRK: lynx forgets what is typed while it fetches; keys that it reads from a script, here a pipe, it does not.
    """

    program = "lynx"
    options = ("-cfg=/dev/null", "-nopause", "-display_charset=utf-8", "-cmd_script=keys")
    with_cookies, without_cookies = "-accept_all_cookies", "-cookies"

    def __init__(self, home: Path, url: str, cookies: bool) -> None:
        os.mkfifo(home / "keys")
        self._keys = os.open(home / "keys", os.O_RDWR)
        super().__init__(home, url, cookies)

    def type(self, keys: str) -> None:
        self.terminal.drain()
        for octet in keys.encode():
            os.write(self._keys, b"key 0x%02x\n" % octet)

    def _save(self, path: Path) -> str:
        return f"p{ENTER}{CLEAR}{path.name}{ENTER}"

    def sign_in(self, user: str, password: str) -> str:
        self.type(f"{user}{TAB}{password}{TAB}{ENTER}")
        return self.page()

    def open_reply(self) -> None:
        self.type(f"/Reply{ENTER}{ENTER}")
        self.terminal.await_words("(Textarea)")

    def write(self, text: str) -> str:
        self.type(f"{text}{TAB}{ENTER}")
        return self.page()

    def close(self) -> None:
        super().close()
        os.close(self._keys)


BROWSERS = {
    f"{made.program} {'with' if cookies else 'without'} cookies": (made, cookies)
    for made in (W3m, Lynx)
    for cookies in (True, False)
}


@pytest.fixture(params=BROWSERS)
def browser(request: pytest.FixtureRequest, served: GatewayServer, tmp_path: Path) -> Iterator[W3m]:
    made, cookies = BROWSERS[request.param]
    if shutil.which(made.program) is None:
        pytest.skip(f"NOT TESTED: {made.program} is not installed (see tests/debian-packages.txt)")
    opened = made(tmp_path, served.url + "/", cookies)
    try:
        yield opened
    finally:
        opened.close()


def test_walk_with_a_restart_in_the_middle(browser: W3m, served: GatewayServer, journey: Journey) -> None:
    journey.prepare(SENTENCES)
    first = browser.sign_in(journey.me, PASSWORD)
    assert "Inbox" in first
    assert f"of {journey.count}" in first
    assert SUBJECT in first
    second = browser.follow("Next")
    assert f"–{journey.count} of {journey.count}" in second
    served.restart()
    browser.follow("Prev")
    page = browser.follow("Costs")
    assert "Pay $(user) now." in page
    for number in range(2, 10):
        if LAST_WORDS in page:
            break
        page = browser.follow("Next")
        assert f"{number}/" in page
    assert LAST_WORDS in page
    assert "Next" not in page
    browser.open_reply()
    served.restart()
    assert "Sent." in browser.write(TEXT)
    assert SUBJECT in browser.follow("Inbox")
    journey.assert_answered(TEXT)
    browser.type(f"/Sign out{ENTER}{ENTER}")
    browser.terminal.await_words("signed")
