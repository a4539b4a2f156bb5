"""A small POP3 server that can be rude: its answer to any one command can be replaced.

Nothing here may know the gateway. A quirk is the whole answer to a command, octets: None for silence and the end of the
connection; {n} in them is the requested message number. Without quirks it is a plain server of RFC 1939.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.servers.scripted.listening import Listening

CAPABILITIES = (b"USER", b"UIDL", b"TOP", b"PIPELINING")
MOST = 1000


@dataclass(frozen=True)
class Flood:
    """An answer without end, or of this many octets: a beginning, and the same piece again and again; {n} counts up."""

    begin: bytes
    piece: bytes
    most: int
    end: bytes = b".\r\n"

    def __iter__(self) -> Iterator[bytes]:
        yield self.begin
        sent = number = 0
        times = max(1, 65536 // len(self.piece))
        while sent < self.most:
            if b"{n}" in self.piece:
                octets = b"".join(
                    self.piece.replace(b"{n}", b"%d" % (number + n)) for n in range(1, times + 1)
                )
                number += times
            else:
                octets = self.piece * times
            yield octets
            sent += len(octets)
        yield self.end


Quirks = Mapping[bytes, "bytes | Flood | None"]


class RudePop3(Listening):
    """Serves one maildrop to everybody; `heard` is what was said to it."""

    def __init__(
        self,
        mails: Sequence[bytes] = (),
        quirks: Quirks | None = None,
        capabilities: Sequence[bytes] = CAPABILITIES,
        removes: int = MOST,
        hurried: bool = True,
    ) -> None:
        """`removes`: how many of the messages marked as deleted QUIT really removes.

        `hurried`: it accepts several commands in one write; otherwise it hangs up on them.
        """
        super().__init__()
        self.mails = list(mails)
        self.quirks = dict(quirks or {})
        self.capabilities, self._removes, self._hurried = capabilities, removes, hurried
        self.heard: list[bytes] = []

    def serve(self, sock: socket.socket) -> None:
        deleted: set[int] = set()
        line, buffer = b"GREETING", b""
        while True:
            answer = self._answer(line, deleted)
            if answer is None:
                return
            if line == b"QUIT":
                gone = sorted(deleted)[: self._removes]
                self.mails = [mail for n, mail in enumerate(self.mails, 1) if n not in gone]
            for octets in (answer,) if isinstance(answer, bytes) else answer:
                sock.sendall(octets)
            if line == b"QUIT":
                return
            while b"\n" not in buffer:
                if not (octets := sock.recv(65536)):
                    return
                buffer += octets
            line, _, buffer = buffer.partition(b"\n")
            line = line.rstrip(b"\r")
            self.heard.append(line)
            if buffer and not self._hurried:
                return

    def _answer(self, line: bytes, deleted: set[int]) -> bytes | Flood | None:
        command, _, arguments = line.partition(b" ")
        number = arguments.partition(b" ")[0]
        for key in (line, command):
            if key in self.quirks:
                quirk = self.quirks[key]
                return quirk.replace(b"{n}", number) if isinstance(quirk, bytes) else quirk
        return self._honest(command, arguments, deleted)

    def _honest(self, command: bytes, arguments: bytes, deleted: set[int]) -> bytes:
        there = [(n, mail) for n, mail in enumerate(self.mails, 1) if n not in deleted]
        if command == b"CAPA":
            return stuffed(b"\r\n".join(self.capabilities) + b"\r\n")
        if command == b"LIST":
            return stuffed(b"".join(b"%d %d\r\n" % (n, len(mail)) for n, mail in there))
        if command == b"UIDL":
            return stuffed(b"".join(b"%d id%d\r\n" % (n, abs(hash(mail))) for n, mail in there))
        if command == b"STAT":
            return b"+OK %d %d\r\n" % (len(there), sum(len(mail) for _, mail in there))
        if command in (b"TOP", b"RETR", b"DELE"):
            number = int(arguments.split()[0])
            mail = dict(there).get(number)
            if mail is None:
                return b"-ERR no such message\r\n"
            if command == b"DELE":
                deleted.add(number)
                return b"+OK deleted\r\n"
            return stuffed(mail if command == b"RETR" else mail.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        return b"+OK\r\n"


def stuffed(text: bytes) -> bytes:
    """Write a multi-line response (RFC 1939 §3)."""
    text += b"\r\n" if text and not text.endswith(b"\n") else b""
    return b"+OK\r\n" + (b"\r\n" + text).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
