"""A machine on which somebody begins with Pocketpost, and that person's mail provider.

Nothing here may reach a network: of the places where servers are looked for, only the list of providers is asked, which
is on loopback.
"""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import PATIENCE
from tests.admin.checks.test_find_servers import document, server
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.peer import Caller, Peer
from tests.servers.smtp import SmtpServer

ROOT = Path(__file__).parents[2]
_POCKETPOST = """
import sys
from gateway import cli
from gateway.admin.checks import find_servers
find_servers.ISPDB, cli.DEMO_PANEL = sys.argv.pop(1), sys.argv.pop(1)
find_servers.NAMES = dict.fromkeys(find_servers.NAMES, ())
find_servers.srv_records.look_up = lambda *_: find_servers.srv_records.ServiceRecords()
cli.main()
"""


def pocketpost(ispdb: str, panel: int) -> list[str]:
    """Return the command `pocketpost` of a machine with this list of providers; the first run is on this port."""
    return [sys.executable, "-c", _POCKETPOST, ispdb, f"127.0.0.1:{panel}"]


class Prompting:
    """A program at a terminal, which asks questions; `text` is what it has written."""

    def __init__(self, command: list[str], folder: Path, **environment: str) -> None:
        self._at, end = pty.openpty()
        self.process = subprocess.Popen(
            command,
            stdin=end,
            stdout=end,
            stderr=end,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            start_new_session=True,
        )
        os.close(end)
        self.text = ""

    def until(self, pattern: str) -> re.Match[str]:
        """Read until the text contains the pattern."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.text)):
            ready, _, _ = select.select([self._at], [], [], 1)
            try:
                octets = os.read(self._at, 4096) if ready else b""
            except OSError:  # on Linux, the program has ended
                raise AssertionError(self.text) from None
            self.text += octets.decode("utf-8", "replace")
            assert time.monotonic() < end, self.text
        return found

    def type(self, line: str) -> None:
        os.write(self._at, line.encode() + b"\n")

    def ended(self) -> int:
        """Wait for the end of the program; return its exit status."""
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End the program, if it has not ended; a shell ends with its terminal."""
        os.close(self._at)
        self.process.terminate()
        try:
            self.ended()
        finally:
            self.process.kill()


@contextmanager
def provider(dovecot: Dovecot, smtp_server: SmtpServer) -> Iterator[str]:
    """A list of providers with these servers; yields its address."""
    servers = document(server("imap", dovecot.ports["imap"]), server("smtp", smtp_server.port))

    def serve(caller: Caller) -> None:
        while caller.hear():
            pass
        caller.say(b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(servers), b"", servers)

    with Peer(serve) as peer:
        yield f"http://127.0.0.1:{peer.port}/v1.1/"
