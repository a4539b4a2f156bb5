"""A mail server whose answers do not end, or end late: whatever is asked, the same octets come again and again.

Nothing here may understand more of IMAP or SMTP than a tag. A connection continues until the client hangs up, or until
so much was sent that a client without limits would long have become too large.
"""

from __future__ import annotations

import socket

from tests.servers.scripted.listening import Listening

#: Octets sent in answer to one command.
MOST = 80 * 1024 * 1024
PIECE = 256 * 1024

#: What comes endlessly once somebody has signed in; {n} counts up.
FLOODS = {
    "small lines": b"* OK x\r\n",
    "words of a status": b"* OK [CAPABILITY " + b"a " * 400_000 + b"] x\r\n",
    "expunges": b"* 1 EXPUNGE\r\n",
    "rows": b"* {n} FETCH (UID {n} FLAGS (\\Seen) RFC822.SIZE 9)\r\n",
    "rows of brackets": b"* {n} FETCH (UID {n} RFC822.SIZE 9 BODYSTRUCTURE (" + b"() " * 200_000 + b"))\r\n",
    "rows of atoms": b"* {n} FETCH (UID {n} RFC822.SIZE 9 BODYSTRUCTURE (" + b"a " * 400_000 + b"))\r\n",
    "one row of atoms": b"a ",
    "rows of literals": b"* {n} FETCH (UID {n} RFC822.SIZE 9 BODY[HEADER] {500000}\r\n"
    + b"x" * 500_000
    + b")\r\n",
    "empty literals": b"X {0}\r\n",
    "mailboxes": b'* LIST (\\HasNoChildren) "/" "box {n}"\r\n',
    "counts": b'* STATUS "box {n}" (MESSAGES 1 UNSEEN 1 UIDNEXT 2 UIDVALIDITY 3)\r\n',
    "numbers": b"* SEARCH" + b" 7" * 400_000 + b"\r\n",
    "extended numbers": b"* ESEARCH (TAG x) UID ALL 1:4294967295\r\n",
    "namespaces": b"* NAMESPACE (" + b'("" "/")' * 50_000 + b") NIL NIL\r\n",
    "one line": b"x" * 1000,
}


class Endless(Listening):
    """Signs anybody in, says that INBOX has nine messages, and floods whoever asks for more."""

    def __init__(self, flood: bytes, most: int = MOST) -> None:
        """`most`: octets after which an answer ends properly."""
        super().__init__()
        self._flood, self._most = flood, most

    def serve(self, sock: socket.socket) -> None:
        with sock.makefile("rb") as file:
            sock.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ESEARCH LITERAL+] hi\r\n")
            while line := file.readline():
                tag, _, command = line.partition(b" ")
                if command.startswith(b"AUTHENTICATE"):
                    sock.sendall(tag + b" OK [CAPABILITY IMAP4rev1 ESEARCH LITERAL+ NAMESPACE] in\r\n")
                elif command.startswith(b"SELECT"):
                    sock.sendall(b"* 9 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n" + tag + b" OK in\r\n")
                elif not command.startswith(b"LOGOUT"):
                    self._answer(sock, tag)

    def _answer(self, sock: socket.socket, tag: bytes) -> None:
        begun = self._flood in (FLOODS["one row of atoms"], FLOODS["empty literals"])
        sock.sendall(b"* 1 FETCH (UID 1 RFC822.SIZE 9 BODYSTRUCTURE (" if begun else b"")
        sent = 0
        while sent < self._most:
            sent += self._send(sock, sent, min(PIECE, self._most - sent))
        end = b"))\r\n" if begun else b"" if self._flood.endswith(b"\r\n") else b"\r\n"
        sock.sendall(end + tag + b" OK done\r\n")

    def _send(self, sock: socket.socket, number: int, size: int) -> int:
        """Send a piece of the flood, and return its length."""
        times = max(size // len(self._flood), 1)
        if b"{n}" not in self._flood:
            octets = self._flood * times
        else:
            octets = b"".join(self._flood.replace(b"{n}", b"%d" % (number + n)) for n in range(1, times + 1))
        sock.sendall(octets)
        return len(octets)
