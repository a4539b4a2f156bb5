"""A server that says what it is told to say: for answers that no honest server gives.

Nothing here may understand a protocol: it waits for a line that contains what is expected, and answers with octets, in
which {tag} is the first word of that line. An empty answer hangs up immediately, `hang_up` after the last one.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from types import TracebackType

from tests import PATIENCE

Step = tuple[bytes, bytes]

GREETING = b"* OK ready\r\n"
CAPABILITY: Step = (b"CAPABILITY", b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n{tag} OK done\r\n")
SIGNED_IN: Step = (b"AUTHENTICATE", b"{tag} OK [CAPABILITY IMAP4rev1] welcome\r\n")
SELECTED: Step = (
    b"SELECT",
    b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] fine\r\n* OK [UIDNEXT 30] fine\r\n{tag} OK [READ-WRITE] selected\r\n",
)


class Script:
    """One connection served by a script; `lines` has what the client said."""

    host = "127.0.0.1"

    def __init__(self, greeting: bytes, steps: Sequence[Step], hang_up: bool = False) -> None:
        self.lines: list[bytes] = []
        self._hang_up = hang_up
        self._greeting, self._steps = greeting, steps
        self._listener = socket.create_server((self.host, 0))
        self._listener.settimeout(PATIENCE)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="script")

    def __enter__(self) -> Script:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        connection.settimeout(PATIENCE)
        with connection, connection.makefile("rb") as file:
            try:
                connection.sendall(self._greeting)
                for expected, answer in self._steps:
                    line = file.readline()
                    while line and expected not in line:
                        self.lines.append(line)
                        line = file.readline()
                    self.lines.append(line)
                    if not line or not answer:
                        return
                    connection.sendall(answer.replace(b"{tag}", line.split()[0]))
                if not self._hang_up:
                    self.lines.extend(file.readlines())
            except OSError:
                return
