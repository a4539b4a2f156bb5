"""A demo in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests import PATIENCE
from tests.servers import free_ports


@contextmanager
def running_demo() -> Iterator[tuple[int, str]]:
    """Run a demo that ends with Ctrl-C, with exit status 0; yield its port, and what it prints about itself."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "gateway", "demo", "--listen", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = ""
        while "Stop " not in said and process.poll() is None:
            said += process.stdout.readline()
        try:
            yield port, said
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
