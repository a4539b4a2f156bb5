"""People at three text browsers: how each is made to follow a link, fill in a form and press a button, in keys.

Nothing here may know a screen of ours: labels and values come from the walk. What a browser shows is what it writes to
a file when asked to save the page.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from tests import PATIENCE
from tests.devices.browsers.terminal import GLANCE, Terminal

TAB, ENTER, CLEAR, DOWN = "\t", "\r", "\x15", "\x1b[B"
#: The field of a form that has several lines.
AREA = "Text"
#: What a program sends when it takes over the terminal (again).
_ALTERNATE_SCREEN = "\x1b[?1049h"


class W3m:
    """w3m: / searches and so reaches any link, S saves the shown page; Enter opens a field."""

    program = "w3m"
    #: Its prompt for a file's name.
    _prompt = b"Save buffer"
    options: tuple[str, ...] = (
        "-o", "accept_cookie=1", "-o", "auto_image=0", "-I", "UTF-8", "-O", "UTF-8"
    )  # fmt: skip
    with_cookies, without_cookies = "-cookie", "-no-cookie"

    def __init__(self, home: Path, url: str, cookies: bool) -> None:
        self._home, self._saved = home, count()
        self._answer = home / "answer"
        keeping = self.with_cookies if cookies else self.without_cookies
        self.terminal = Terminal(
            [self.program, *self._options(), *([keeping] if keeping else []), url],
            home,
            {"EDITOR": f"cp {self._answer}"},
        )

    def _options(self) -> tuple[str, ...]:
        (self._home / ".w3m").mkdir()
        return self.options

    def type(self, keys: str) -> None:
        self.terminal.type(keys)

    def close(self) -> None:
        self.terminal.close()

    def page(self) -> str:
        """Return the page that is shown, as text."""
        path = self._home / f"page{next(self._saved)}"
        asked = self.terminal.shown.count(self._prompt)
        self.type(self._save(path))
        try:
            return self.terminal.await_file(path, PATIENCE / 2)
        except AssertionError:
            # QUIRK: w3m takes over the terminal again after an editor, and some of what is typed in the meantime may be
            # lost: then it waits at its prompt, with no name or half of one.
            if self.terminal.shown.count(self._prompt) == asked:
                raise
            self.type(f"{CLEAR}{path.name}{ENTER}")
            return self.terminal.await_file(path, PATIENCE / 2)

    def _save(self, path: Path) -> str:
        return f"S{path.name}{ENTER}"

    def follow(self, label: str) -> str:
        """Follow the first link with these words, or with this key and these words; return the page to which it
        leads."""
        key, words = _parted(label)
        # Text is searched: a key is before the link that it opens, words may be above it.
        self.type(f"/{key} {words}{ENTER}{TAB}{ENTER}" if key else f"/{words}{ENTER}{ENTER}")
        return self.page()

    def open(self, label: str) -> None:
        """Follow a link to a form."""
        self.follow(label)

    def press(self, label: str) -> str:
        """Press a button among links."""
        self.type(f"/{label}]{ENTER}{ENTER}")
        return self.page()

    def form(self, fields: Mapping[str, str | None], button: int = 1) -> str:
        """Post a form as `submit` does, and return the page that comes."""
        self.submit(fields, button)
        return self.page()

    def submit(self, fields: Mapping[str, str | None], button: int = 1) -> None:
        """Fill in a form's fields from the first one on (None: leave it), and press the button this many places behind.

        What comes then may be another form.
        """
        self.type("g")
        for label, value in fields.items():
            self.type(TAB)
            if label == AREA and value is not None:
                self._edit(value)
            elif value is not None:
                self.type(f"{ENTER}{CLEAR}{value}{ENTER}")
        self.type(TAB * button + ENTER)
        self.page()

    def _edit(self, value: str) -> None:
        """Answer in the editor that opens for a text area; type nothing more before the page is back.

        QUIRK: w3m has been seen to end with SIGABRT, rarely, if keys had been typed ahead of its editor.
        """
        self._answer.write_text(value)
        self.terminal.shown = b""
        self.type(ENTER)
        self.terminal.await_words(_ALTERNATE_SCREEN)

    def sign_in(self, user: str, password: str) -> str:
        return self.form({"Mail address": user, "Password": password})

    def open_reply(self) -> None:
        assert "To: Bob" in self.follow("Reply")

    def write(self, text: str) -> str:
        """Type an answer and send it."""
        return self.form({AREA: text})


class Lynx(W3m):
    """lynx: / searches, too, p prints the page to a file; a field takes keys immediately, so it is no place for
    commands.

    QUIRK: lynx loses what is typed while it fetches; keys that it reads from a script, here a pipe, it does not lose.
    """

    program = "lynx"
    options = ("-cfg=/dev/null", "-nopause", "-display_charset=utf-8", "-cmd_script=keys")
    with_cookies, without_cookies = "-accept_all_cookies", "-cookies"

    def _options(self) -> tuple[str, ...]:
        os.mkfifo(self._home / "keys")
        self._keys = os.open(self._home / "keys", os.O_RDWR)
        return self.options

    def type(self, keys: str) -> None:
        self.terminal.drain()
        for octet in keys.encode():
            os.write(self._keys, b"key 0x%02x\n" % octet)

    def _save(self, path: Path) -> str:
        return f"p{ENTER}{CLEAR}{path.name}{ENTER}"

    def follow(self, label: str) -> str:
        self.open(label)
        return self.page()

    def open(self, label: str) -> None:
        self.type(f"/{_parted(label)[1]}{ENTER}{ENTER}")

    def press(self, label: str) -> str:
        return self.follow(label)

    def submit(self, fields: Mapping[str, str | None], button: int = 1) -> None:
        keys = "".join((CLEAR + value if value is not None else "") + TAB for value in fields.values())
        self.type(keys + TAB * (button - 1) + ENTER)

    def open_reply(self) -> None:
        self.open("Reply")
        self.terminal.await_words("(Textarea)")

    def close(self) -> None:
        super().close()
        os.close(self._keys)


class Elinks(W3m):
    """elinks: links, fields and buttons have numbers, which it also saves; a number and Enter reach one of them.

    What is typed while a page is loading still goes to the previous one: whoever types waits until it has come.
    """

    program = "elinks"
    with_cookies, without_cookies = "", ""
    _CONFIG = """\
set connection.try_ipv6 = 0
set document.browse.forms.confirm_submit = 0
set document.browse.links.numbering = 1
set document.browse.links.number_keys_select_link = 2
set document.codepage.assume = "UTF-8"
set terminal.xterm.charset = "UTF-8"
set terminal.xterm.utf_8_io = 1
set ui.language = "System"
bind "main" "Ctrl-P" = "save-formatted"
"""

    def __init__(self, home: Path, url: str, cookies: bool) -> None:
        self._policy = 2 if cookies else 0
        self._shown = ""
        super().__init__(home, url, cookies)
        self.terminal.await_words("____")  # before there is a page, keys have other meanings
        self._wait()

    def _options(self) -> tuple[str, ...]:
        folder = self._home / ".elinks"
        folder.mkdir()
        (folder / "elinks.conf").write_text(f"{self._CONFIG}set cookies.accept_policy = {self._policy}\n")
        return ("-config-dir", str(folder), "-no-connect", "1")

    def _save(self, path: Path) -> str:
        return f"\x10{CLEAR}{path}{ENTER}"

    def page(self) -> str:
        return re.sub(r"\[\d+\]", "", self._shown)

    def _wait(self) -> None:
        """Wait until another page is shown, and all of it."""
        end, before = time.monotonic() + PATIENCE, ""
        while time.monotonic() < end:
            now = super().page()
            if now.strip() and now == before and _without_tickets(now) != _without_tickets(self._shown):
                self._shown = now
                return
            before = now
            time.sleep(GLANCE)
        raise AssertionError(f"nothing else was shown than {self._shown}")

    def _reach(self, what: str) -> str:
        """Return the keys that lead to a link, a field or a button."""
        found = re.search(what, self._shown, re.DOTALL)
        assert found, f"no {what} in {self._shown}"
        return f"{found[1]}{ENTER}"

    def follow(self, label: str) -> str:
        self.type(self._reach(rf"\[(\d+)\](?=[^\[]*{_loose(_parted(label)[1])})") + ENTER)
        self._wait()
        return self.page()

    def press(self, label: str) -> str:
        self.type(self._reach(rf"\[(\d+)\]\[\s{_loose(label)}\s\]") + ENTER)
        self._wait()
        return self.page()

    def submit(self, fields: Mapping[str, str | None], button: int = 1) -> None:
        first = next(iter(fields))
        at = int(self._reach(rf"{re.escape(first)}\s*\n\s*\[(\d+)\]").strip())
        for place, value in enumerate(fields.values()):
            if value is not None:
                self.type(f"{at + place}{ENTER}{ENTER}{CLEAR}{value}{DOWN}")
        self.type(f"{at + len(fields) + button - 1}{ENTER}{ENTER}")
        self._wait()


def _parted(label: str) -> tuple[str, str]:
    """Split "8 More" into key and words."""
    found = re.fullmatch(r"([0-9*#]) (.+)", label)
    return (found[1], found[2]) if found else ("", label)


def _without_tickets(page: str) -> str:
    """Leave out the tickets: a page that elinks shows from its cache, and then again as it is now, is one page."""
    return re.sub(r"\bt=[\w-]+", "", page)


def _loose(label: str) -> str:
    """Find words whatever space is between them."""
    return r"\s+".join(re.escape(word) for word in label.split())


BROWSERS = (W3m, Lynx, Elinks)
