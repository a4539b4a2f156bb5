"""Real servers on loopback for tests and the benchmark: Dovecot, an SMTP submission server, mailboxes by the thousand.

Nothing here may outlive its `stop()`: each server is ended by the process id it was started with.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from typing import Final

from tests import PATIENCE

#: For Kannel's programs, which read all certificates of the system when they start: that is most of their work.
NO_CERTIFICATES: Final = {"SSL_CERT_FILE": os.devnull}


def free_ports(count: int) -> list[int]:
    """Find loopback ports that nobody listens on, distinct from each other."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def greets(process: subprocess.Popen[bytes], host: str, port: int, greeting: bytes = b"* OK") -> bool:
    """Wait until a server greets, an IMAP server by default; return False if it ends before, or does not in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection((host, port), timeout=PATIENCE) as sock:
                if sock.recv(len(greeting)) == greeting:
                    return True
        except OSError:
            time.sleep(0.02)
    return False
