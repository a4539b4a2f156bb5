"""Real servers on loopback for tests and the benchmark: Dovecot, an SMTP submission server, mailboxes by the thousand.

Nothing here may outlive its `stop()`: each server is ended by the process id it was started with.
"""

from __future__ import annotations

import socket


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
