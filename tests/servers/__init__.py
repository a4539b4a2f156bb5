"""Real servers on loopback for tests and the benchmark: Dovecot, an SMTP submission server, mailboxes by the thousand.

Nothing here may outlive its `stop()`: each server is ended by the process id with which it was started.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import time
from contextlib import ExitStack, suppress
from typing import Final

from tests import PATIENCE

#: For Kannel's programs, which read all certificates of the system when they start: that is most of their work.
NO_CERTIFICATES: Final = {"SSL_CERT_FILE": os.devnull}


#: Ports that the kernel gives only to those who name them (ip_local_port_range), and that browsers do not refuse.
_PORTS: Final = range(20_000, 32_768)


def free_ports(count: int) -> list[int]:
    """Find loopback ports on which nobody listens, distinct from each other, and that nobody gets by chance."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            sock = held.enter_context(socket.socket())
            port = random.choice(_PORTS)
            with suppress(OSError):
                sock.bind(("127.0.0.1", port))
                found.append(port)
    return found


def greets(process: subprocess.Popen[bytes], host: str, port: int, greeting: bytes = b"* OK") -> bool:
    """Wait until a server greets, an IMAP server by default; return False if it ends first, or does not in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection((host, port), timeout=PATIENCE) as sock:
                if sock.recv(len(greeting)) == greeting:
                    return True
        except OSError:
            time.sleep(0.02)
    return False
