"""smtplib with limits on the server's replies.

Nothing here may know what is sent or why; an invalid reply, or a late one, ends the connection.
"""

from __future__ import annotations

import re
import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gateway.config import Server
from gateway.upstreams import connecting, tls
from gateway.upstreams.wire import Budget, Wire

#: Seconds for each reply. RFC 5321 §4.5.3.2 allows minutes; people with a handheld do not wait that long.
REPLY_SECONDS: Final = 15.0
#: Octets and lines of one reply; the reply to EHLO has some twenty lines of at most 512 octets (RFC 5321 §4.5.3.1.5).
MAX_REPLY: Final = 64 * 1024
MAX_LINES: Final = 500
_BUDGET: Final = Budget(MAX_REPLY, MAX_LINES, 0)

_REPLY: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n]*))?\r?\n\Z")


class SmtpClient(smtplib.SMTP):
    """A connection in plain text, to which STARTTLS may add TLS."""

    patience = REPLY_SECONDS
    _wire: Wire | None = None

    @property
    def wire(self) -> Wire:
        """The wire of the current socket, which STARTTLS replaces."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        if self._wire is None or self._wire.sock is not self.sock:
            self._wire = Wire(self.sock, REPLY_SECONDS)
        return self._wire

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connecting.connect(host, port)

    def send(self, s: bytes | str) -> None:  # type: ignore[override]  # typeshed: a buffer, never used so
        """Send octets within the limits."""
        octets = s.encode(self.command_encoding) if isinstance(s, str) else s
        with self._limits() as wire:
            wire.send(octets)

    def getreply(self) -> tuple[int, bytes]:
        """Read one reply with all its lines."""
        lines: list[bytes] = []
        with self._limits() as wire:
            while True:
                found = _REPLY.match(wire.line(MAX_REPLY))
                if found is None:
                    raise OSError("the server's answer is not SMTP")
                lines.append((found[3] or b"").strip())
                if found[2] != b"-":
                    return int(found[1]), b"\n".join(lines)

    @contextmanager
    def _limits(self) -> Iterator[Wire]:
        """Set the limits for one step; a failure ends the connection."""
        wire = self.wire
        try:
            wire.silence = self.patience
            wire.begin(self.patience, _BUDGET)
            yield wire
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(tls.words(error)) from None


class SmtpsClient(SmtpClient):
    """A connection with implicit TLS (RFC 8314 §3.3)."""

    def __init__(self, server: Server) -> None:
        self._server = server
        super().__init__(server.host, server.port, "")  # the name in EHLO is set later

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return tls.protect(super()._get_socket(host, port, timeout), self._server)


def log_line(text: bytes | str) -> str:
    """Return a server's text as one line for the log."""
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", decoded)[:200]
