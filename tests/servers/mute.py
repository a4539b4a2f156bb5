"""A mail server that can fall silent: it signs anybody in to an empty mailbox, and answers no more while told so.

Nothing here may understand a protocol further than its first words. Each connection has a thread; what is silent keeps
its connections open and reads on, as a server does whose disk hangs.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType

from tests import PATIENCE

_IMAP = {
    b"AUTHENTICATE": b"{tag} OK [CAPABILITY IMAP4rev1 ESEARCH LITERAL+] in\r\n",
    b"SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n{tag} OK in\r\n",
    b"FETCH": b"* 1 FETCH (UID 11 FLAGS () RFC822.SIZE 9)\r\n{tag} OK done\r\n",
}
_SMTP = {
    b"ehlo": b"250-mute.test\r\n250 AUTH PLAIN\r\n",
    b"AUTH": b"235 in\r\n",
    b"DATA": b"354 go\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Mute:
    """An IMAP server, or an SMTP server; `silent` holds the words that it does not answer, "" for every one."""

    host = "127.0.0.1"

    def __init__(self, smtp: bool = False) -> None:
        self.silent: set[bytes] = set()
        #: Connections so far, commands that were heard, and messages that were taken.
        self.connections = 0
        self.heard: list[bytes] = []
        self.taken = 0
        self._smtp = smtp
        self._greeting = (
            b"220 mute.test\r\n" if smtp else b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n"
        )
        self._listener = socket.create_server((self.host, 0), backlog=50)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, name="mute")]
        self._socks: list[socket.socket] = []

    def __enter__(self) -> Mute:
        self._threads[0].start()
        return self

    def hang_up(self) -> None:
        """End all connections."""
        for sock in self._socks:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(PATIENCE)
        self.hang_up()
        for thread in self._threads[1:]:
            thread.join(PATIENCE)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._socks.append(sock)
            self._threads.append(threading.Thread(target=self._serve, args=(sock,), name="mute"))
            self._threads[-1].start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        with sock, sock.makefile("rb") as file, suppress(OSError):
            if b"" not in self.silent:
                sock.sendall(self._greeting)
            while line := file.readline():
                self.heard.append(line)
                if b"" not in self.silent and not any(word and word in line for word in self.silent):
                    sock.sendall(self._answer(line))
                if self._smtp and line.startswith(b"DATA"):
                    while file.readline() not in (b".\r\n", b""):
                        pass
                    self.taken += 1
                    sock.sendall(b"250 taken\r\n")

    def _answer(self, line: bytes) -> bytes:
        tag, _, command = line.partition(b" ")
        if self._smtp:
            return _SMTP.get(line.split()[0], b"250 OK\r\n")
        words = command.removeprefix(b"UID ").split()
        return _IMAP.get(words[0] if words else b"", b"{tag} OK done\r\n").replace(b"{tag}", tag)
