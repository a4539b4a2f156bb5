"""go-imap's server with its backend in memory, compiled from Debian's sources of the library.

Nothing here may fetch anything: the library is the package golang-github-emersion-go-imap-dev.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.servers import free_ports, greets

SOURCES = Path("/usr/share/gocode")
LIBRARY = SOURCES / "src/github.com/emersion/go-imap"


def installed() -> bool:
    """Return whether it can be compiled."""
    return shutil.which("go") is not None and LIBRARY.is_dir()


@contextmanager
def running(users: Sequence[str]) -> Iterator[int]:
    """Compile and run it for these users, and yield its port."""
    with tempfile.TemporaryDirectory(prefix="go-imap") as folder:
        program, (port,) = Path(folder, "server"), free_ports(1)
        settings = {
            "GO111MODULE": "off",
            "GOPATH": str(SOURCES),
            "GOCACHE": f"{folder}/cache",
            "GOFLAGS": "-p=1",
        }
        source = Path(__file__).parent / "main.go"
        subprocess.run(["go", "build", "-o", program, source], check=True, env=os.environ | settings)
        server = subprocess.Popen([program, str(port), *users], stdin=subprocess.DEVNULL)
        try:
            assert greets(server, "127.0.0.1", port)
            yield port
        finally:
            server.kill()
            server.wait()
