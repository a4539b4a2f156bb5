"""A person at a terminal: types keys into a text browser, and has it write the shown page to a file to read it.

Nothing here may interpret the screen: its users say in keys how a browser is driven.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path

from tests import PATIENCE

ROWS, COLUMNS = 40, 80
#: Seconds between two checks whether a page has come.
GLANCE = 0.05


class Terminal:
    """One program in a terminal of its own, with `home` as its home folder."""

    def __init__(self, command: list[str], home: Path, environment: Mapping[str, str] | None = None) -> None:
        self._line, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            command,
            stdin=other,
            stdout=other,
            stderr=other,
            cwd=home,
            start_new_session=True,
            env={
                **os.environ,
                "HOME": str(home),
                "TERM": "xterm",
                "LANG": "C.UTF-8",
                "LINES": str(ROWS),  # which a test runner may have set to its own values
                "COLUMNS": str(COLUMNS),
                **(environment or {}),
            },
        )
        os.close(other)
        self.shown = b""

    def type(self, keys: str) -> None:
        """Press keys, as their terminal sends them."""
        self.drain()
        os.write(self._line, keys.encode())

    def drain(self) -> None:
        """Take what the program has drawn; a full terminal buffer would stop it."""
        with contextlib.suppress(OSError):  # EIO: it has ended
            while select.select([self._line], [], [], 0)[0]:
                self.shown = (self.shown + os.read(self._line, 65536))[-65536:]

    def await_words(self, words: str) -> None:
        """Wait until the program draws these words without interruption."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            self.drain()
            if words.encode() in self.shown:
                return
            time.sleep(GLANCE)
        raise AssertionError(f"never shown: {words!r}; {self._last_shown()}")

    def _last_shown(self) -> str:
        return f"on the screen: {self.shown[-2000:].decode('utf-8', 'replace')}"

    def await_file(self, path: Path, seconds: float = PATIENCE) -> str:
        """Return what the program writes to a file, once it is complete: when it has stopped growing."""
        end, before = time.monotonic() + seconds, b""
        while time.monotonic() < end and self._process.poll() is None:
            self.drain()
            time.sleep(GLANCE)
            now = path.read_bytes() if path.exists() else b""
            if now and now == before:
                return now.decode()
            before = now
        ended = self._process.poll()
        self.drain()  # its last words may say why it ended
        how = "nothing written" if ended is None else f"it has ended with status {ended}"
        raise AssertionError(f"{how}; {self._last_shown()}")

    def close(self) -> None:
        """End the program."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._line)
