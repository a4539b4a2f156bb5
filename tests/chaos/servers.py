"""What surrounds the people: gateway processes that are killed, a state that fills up, a moody SMTP server.

Nothing here may decide when something fails: `weather` does. Every process is ended by the pid with which it was
started.
"""

from __future__ import annotations

import os
import random
import re
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import free_ports
from tests.servers.smtp import PlainSmtp

#: Seconds that a process has to end by itself, and to begin to answer.
STOP_SECONDS: Final = 20.0
#: Seconds between the end of a process and the next one.
AGAIN_SECONDS: Final = 0.2
#: Ports below this are often a service's.
_FIRST_PORT: Final = 10_000
#: The mark of a mail is the local part of its recipient's address.
MARK: Final = re.compile(r"\bm\d+[a-z]*\b")


class Gate:
    """One process of the gateway; whenever it ends another one is started, as by a service manager."""

    def __init__(self, folder: Path, name: str, config: Callable[[int], str]) -> None:
        self.port = _lasting_port()
        self._config, self._log = folder / f"{name}.toml", folder / f"{name}.log"
        self._config.write_text(config(self.port))
        self._over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name=f"gate {name}")
        self.kills = self.starts = 0

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        self._keeper.start()

    def kill(self) -> None:
        """Kill it, unless it has not come back from the last time."""
        process = self._process
        if process is not None and self._answers():
            self.kills += 1
            process.kill()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1.0).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End it permanently, gently at first."""
        self._over.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self._keeper.join(STOP_SECONDS)

    def _keep(self) -> None:
        command = [sys.executable, "-m", "gateway", "serve", "--config", str(self._config)]
        with self._log.open("ab") as log:
            while not self._over.is_set():
                self.starts += 1
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
                )
                if self._over.is_set():  # stop() may have looked at the one before
                    self._process.terminate()
                self._process.wait()
                self._over.wait(AGAIN_SECONDS)


def _lasting_port() -> int:
    """Find a loopback port that no outgoing connection is given in the moments when nobody listens on it (ip(7))."""
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return free_ports(1)[0]
    while True:
        port = random.SystemRandom().randrange(_FIRST_PORT, lowest)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class StateFolder:
    """The folder of the gateway's state, which can be full for a while: a small tmpfs if mounting is allowed.

    Otherwise no process of the gateway may make a file longer in the meantime (RLIMIT_FSIZE), and `words` says so.
    """

    SIZE: Final = 16 * 1024 * 1024  # octets
    _PIECE: Final = 1024 * 1024

    def __init__(self, folder: Path, pids: Callable[[], Sequence[int]], may_mount: bool = True) -> None:
        self.path = folder
        self._pids = pids
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={self.SIZE},mode=0700", "pocketpost-chaos", str(folder)]
        may_mount = may_mount and os.getuid() == 0
        self._mounted = may_mount and subprocess.run(mount, capture_output=True).returncode == 0
        self.words = (
            f"a tmpfs of {self.SIZE // 1024**2} MB"
            if self._mounted
            else "a stand-in: a limit on the size of files, since no tmpfs may be mounted here"
        )

    def fill(self) -> None:
        """Leave no room."""
        if not self._mounted:
            self._limit(0)
            return
        with suppress(OSError), (self.path / "ballast").open("wb", buffering=0) as ballast:
            for piece in (bytes(self._PIECE), bytes(512)):
                while ballast.write(piece) == len(piece):
                    pass

    def free(self) -> None:
        """Give the room back."""
        if not self._mounted:
            self._limit(resource.RLIM_INFINITY)
            return
        (self.path / "ballast").unlink(missing_ok=True)

    def _limit(self, octets: int) -> None:
        for pid in self._pids():
            with suppress(OSError):
                _soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (min(octets, hard) if octets else 0, hard))

    def close(self) -> None:
        if self._mounted:
            subprocess.run(["umount", "--lazy", str(self.path)], check=True)


class MoodySmtp(PlainSmtp):
    """Accepts most mail; refuses, defers or hangs up on some, before the data and after, as its dice decide."""

    #: Of a hundred mails: what happens to them. The rest is accepted.
    MOODS: Final = (
        ("550 nobody here", 2),
        ("451 later", 2),
        ("before data", 2),
        ("554 spam", 2),
        ("452 full", 2),
        ("before accept", 3),
        ("after accept", 3),
    )

    def __init__(self, folder: Path, dice: random.Random) -> None:
        super().__init__(folder)
        self._dice = dice
        self.calm = False
        self.lock = threading.Lock()
        self.moods = 0
        #: When each mark was accepted, and first heard of, in monotonic seconds.
        self.taken: dict[str, list[float]] = {}
        self.addressed: dict[str, float] = {}
        #: When a mail was also accepted for its writer, in monotonic seconds.
        self.copied: dict[str, list[float]] = {}

    def _mood(self) -> str:
        at = self._dice.randrange(100)
        for mood, share in self.MOODS:
            if at < share and not self.calm:
                self.moods += 1
                return mood
            at -= share
        return ""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        found = MARK.search(address)
        if found is not None:
            self.addressed.setdefault(found[0], time.monotonic())
        mood = self._mood()
        # The server has one thread: what is set here applies only to this mail.
        envelope.mood = mood
        if mood[:3] in ("550", "451"):
            return mood
        if mood == "before data":
            assert server.transport is not None
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mood = getattr(envelope, "mood", "")
        assert server.transport is not None
        if mood == "before accept":
            server.transport.abort()
            return "451 gone"
        if mood[:3] in ("554", "452"):
            return mood
        now = time.monotonic()
        marks = [found[0] for address in envelope.rcpt_tos if (found := MARK.search(address)) is not None]
        for mark in marks:
            self.taken.setdefault(mark, []).append(now)
            if len(envelope.rcpt_tos) > len(marks):
                self.copied.setdefault(mark, []).append(now)
        if mood == "after accept":
            server.transport.abort()
        return "250 OK"
