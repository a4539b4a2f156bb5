"""The floor: the same commands again over one open IMAP connection, read and thrown away.

Nothing here may parse more than is needed to find the end of an answer: that is what makes it the floor.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

#: The commands of one page: for each round trip those that were sent together, without their tags.
Script = Sequence[Sequence[bytes]]


class Floor:
    """One connection, signed in, with the inbox selected."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        self._sock = socket.create_connection((host, port), timeout=30)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._serial = 0
        self._sock.recv(4096)
        self.play([[f"LOGIN {user} {password}".encode()], [b"SELECT INBOX"]])

    def play(self, script: Script) -> int:
        """Send each round trip's commands and wait for their ends; return the octets received."""
        return sum(len(self._trip(commands)) for commands in script)

    def _trip(self, commands: Sequence[bytes]) -> bytes:
        tags = []
        lines = b""
        for command in commands:
            self._serial += 1
            tags.append(b"\r\nf%d " % self._serial)
            lines += b"f%d %s\r\n" % (self._serial, command)
        self._sock.sendall(lines)
        answer = bytearray(b"\r\n")
        while not (answer.endswith(b"\r\n") and all(tag in answer for tag in tags)):
            piece = self._sock.recv(65536)
            if not piece:
                raise ConnectionError("the server hung up")
            answer += piece
        if not all(tag + b"OK" in answer for tag in tags):
            raise ConnectionError(bytes(answer[-200:]).decode("ascii", "replace"))
        return bytes(answer[2:])

    def close(self) -> None:
        """Hang up."""
        self._sock.close()
