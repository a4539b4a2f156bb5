"""A mail server that can fall silent: it signs anybody in to an empty mailbox, and stops answering while told to.

Nothing here may understand a protocol beyond its first words. While silent it keeps its connections open and continues
to read, like a server whose disk hangs.
"""

from __future__ import annotations

import socket

from tests.servers.scripted.listening import Listening

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


class Mute(Listening):
    """An IMAP server, or an SMTP server; `silent` has the words that it does not answer, "" for all of them."""

    hangs_up = True

    def __init__(self, smtp: bool = False) -> None:
        super().__init__()
        self.silent: set[bytes] = set()
        #: Commands that were heard, and messages that were accepted.
        self.heard: list[bytes] = []
        self.taken = 0
        self._smtp = smtp
        self._greeting = (
            b"220 mute.test\r\n" if smtp else b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n"
        )

    def serve(self, sock: socket.socket) -> None:
        with sock.makefile("rb") as file:
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
