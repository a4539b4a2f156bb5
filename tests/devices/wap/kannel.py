"""A private Kannel on loopback: the WAP gateway through which phones of 1999 reach the web, and its test phone.

Nothing here may touch the system's Kannel: it has its own configuration, folder and ports, and is ended by its own
pids. The WAP ports are compiled into it, so a small preloaded shim (loopback.c) moves them.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests import PATIENCE
from tests.servers import NO_CERTIFICATES, free_ports

BEARERBOX, WAPBOX = "/usr/sbin/bearerbox", "/usr/sbin/wapbox"
FAKEWAP = "/usr/lib/kannel/test/fakewap"
#: 9200 connectionless, 9201 connection-oriented, and both with WTLS.
WAP_PORTS = 4

_CONFIG = """\
group = core
admin-port = {admin}
admin-password = look
admin-interface = 127.0.0.1
wapbox-port = {inner}
wdp-interface-name = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
log-level = 1
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"

group = wapbox
bearerbox-host = 127.0.0.1
log-file = "{folder}/wapbox.log"
log-level = 1
http-timeout = 30
"""


def missing() -> str:
    """Name what is not installed, '' if everything is."""
    paths = {"kannel": BEARERBOX, "kannel-extras": FAKEWAP, "gcc": "gcc", "libc6-dev": "/usr/include/dlfcn.h"}
    return ", ".join(
        package for package, path in paths.items() if not (Path(path).exists() or shutil.which(path))
    )


def free_udp_ports(count: int) -> int:
    """Find `count` consecutive loopback UDP ports that nobody has, and return the first.

    Each process begins to look at another place: the ports are taken a moment later, and two test workers may look at
    the same time.
    """
    bases = range(20000, 30000, count)
    begin = os.getpid() % len(bases)
    for base in (*bases[begin:], *bases[:begin]):
        sockets = []
        try:
            for port in range(base, base + count):
                sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                sockets[-1].bind(("127.0.0.1", port))
        except OSError:
            continue
        else:
            return base
        finally:
            for each in sockets:
                each.close()
    raise RuntimeError("no free UDP ports")


@dataclass(frozen=True)
class Fetched:
    """What fakewap received."""

    status: int
    body: bytes


class Kannel:
    """One bearerbox and one wapbox."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._admin, inner = free_ports(2)
        (folder / "kannel.conf").write_text(_CONFIG.format(admin=self._admin, inner=inner, folder=folder))
        self._boxes: list[subprocess.Popen[bytes]] = []

    @property
    def connectionless(self) -> int:
        return self._base

    @property
    def port(self) -> int:
        """UDP port of connection-oriented WSP."""
        return self._base + 1

    @property
    def pids(self) -> list[int]:
        """The processes of both boxes."""
        return [box.pid for box in self._boxes]

    def start(self) -> Kannel:
        shim = self._folder / "loopback.so"
        source = Path(__file__).with_name("loopback.c")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True)
        self._base = free_udp_ports(WAP_PORTS)
        environment = {**os.environ, **NO_CERTIFICATES, "LD_PRELOAD": str(shim), "WAP_BASE": str(self._base)}
        try:
            self._start(BEARERBOX, environment)
            self._await("running")
            self._start(WAPBOX, environment)
            self._await("wapbox")
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self, binary: str, environment: dict[str, str]) -> None:
        with (self._folder / "boxes.out").open("ab") as out:
            command = [binary, "-v", "4", str(self._folder / "kannel.conf")]
            self._boxes.append(
                subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            )

    def _await(self, word: str) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and all(box.poll() is None for box in self._boxes):
            if word in self._status():
                return
            time.sleep(0.05)
        raise RuntimeError(f"Kannel did not start: {self.log}")

    def _status(self) -> str:
        url = f"http://127.0.0.1:{self._admin}/status.txt?password=look"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return answer.read().decode("latin-1")
        except OSError:
            return ""

    @property
    def log(self) -> str:
        return "\n".join(path.read_text("latin-1") for path in sorted(self._folder.glob("*.log")))

    def stop(self) -> None:
        """End both boxes, the inner one first."""
        while self._boxes:
            box = self._boxes.pop()
            box.send_signal(signal.SIGTERM)
            try:
                box.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                box.kill()
                box.wait()

    def fakewap(self, url: str, post: bytes | None = None, *, connected: bool = True, agent: str) -> Fetched:
        """Fetch a URL with Kannel's own test phone through this gateway."""
        port = self.port if connected else self.connectionless
        return fakewap(self._folder, self.host, port, url, post, connected=connected, agent=agent)


def fakewap(
    folder: Path, host: str, port: int, url: str, post: bytes | None = None, *, connected: bool, agent: str
) -> Fetched:
    """Fetch a URL with Kannel's own test phone, which opens a session for each request.

    QUIRK: fakewap takes the reply to a connected POST of less than 1200 octets for the Ack of its request, and waits
    until the reply comes again, from Kannel after 7 s: pad what is posted. What it posts is text/plain.
    """
    out, form = folder / "fakewap.out", folder / "fakewap.form"
    out.unlink(missing_ok=True)
    command = [FAKEWAP, "-g", host, "-p", str(port), "-I", host, "-M", "1" if connected else "0"]
    command += ["-A", agent, "-D", "1", "-w", str(out)]
    if post is not None:
        form.write_bytes(post)
        command += ["-C", "text", "-P", str(form)]
    done = subprocess.run(
        [*command, url],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, **NO_CERTIFICATES},
    )
    said = (done.stdout + done.stderr).decode("latin-1")
    assert done.returncode == 0, said
    status = re.search(r"(?:with status|status code) (\d+)", said)
    assert status, said
    return Fetched(int(status[1]), out.read_bytes() if out.exists() else b"")
