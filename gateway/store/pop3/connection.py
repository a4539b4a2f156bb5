"""poplib's connection over a Wire: every octet it sends or reads is bounded by count and by deadline.

Nothing here may know what a command is for. poplib reads lines that may never end into lists that may grow without
bounds, and after STLS trusts what came in plain text before it; so its `_putline`, `_getline`, `_getresp` and `close`
are replaced by ones on the Wire. Long responses are streamed here, several commands go in one write if the server
supports that (PIPELINING), and a connection that fails is `broken` from then on.

Standard: RFC 1939 §3; RFC 2449 §6.6 (PIPELINING); RFC 2595 §4 (STLS); RFC 5034 (AUTH).
"""

from __future__ import annotations

import base64
import poplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar

from gateway.errors import StoreTLSError, StoreUnreachable
from gateway.store import reaching
from gateway.store.pop3 import answers
from gateway.store.pop3.answers import MalformedResponse, StatusLine
from gateway.store.pop3.dot_stuffing import Unstuffing
from gateway.store.server_text import clean, one_line
from gateway.upstreams import deadline, tls
from gateway.upstreams.wire import Budget, Ended, Ledger, Overrun, Wire

T = TypeVar("T")

#: Seconds for the greeting, for a server's silence, for a whole answer, and for QUIT, in which a server removes what
#: was deleted.
GREETING_SECONDS: Final = 8.0
READ_SECONDS: Final = 20.0
ANSWER_SECONDS: Final = 25.0
QUIT_SECONDS: Final = 10.0
#: Seconds for QUIT if nothing was deleted: servers unlock a maildrop before they answer.
FAREWELL_SECONDS: Final = 2.0
#: Octets of a status line (RFC 2449 §4 allows 512), or of a line of LIST or UIDL; the rest of a longer one is dropped.
MAX_LINE: Final = 4096
#: Octets of all responses to what was sent in one write, and of single lines among them.
MAX_ANSWER: Final = 32 * 1024 * 1024
MAX_LINES: Final = 10_000
#: Bytes of one server's answers that are held together, over all its connections.
MAX_SERVER: Final = 12 * 1024 * 1024
#: Commands sent in one write.
AT_ONCE: Final = 100
#: Lines of CAPA.
MAX_CAPABILITIES: Final = 200

_CRLF: Final = b"\r\n"


@dataclass(slots=True)
class MaildropTraffic:
    """The traffic of a connection so far; octets are those inside TLS."""

    round_trips: int = 0
    commands: int = 0


class BoundedPOP3(poplib.POP3):
    """A connected socket as poplib's connection."""

    def __init__(self, sock: socket.socket, ledger: Ledger, host: str) -> None:
        # Not poplib's own, which connects and reads the greeting without limits.
        self.host, self.sock, self._debugging = host, sock, 0
        self.wire = Wire(sock, READ_SECONDS)
        self.ledger = ledger
        self.broken = False
        self.pipelining = False
        #: Called if the connection breaks while several commands are in progress.
        self.on_batch_lost: Callable[[], None] | None = None
        self._batch = False
        #: Called once, when the connection is closed.
        self.on_close: Callable[[], None] | None = None
        self.traffic = MaildropTraffic()

    # --- poplib's seams ---

    def _putline(self, line: bytes) -> None:
        self.transmit([line])

    def _getline(self) -> tuple[bytes, int]:
        """Read a line; if it is too long, its beginning."""
        self.wire.cut = False
        with self.listening():
            line = self.wire.line(MAX_LINE)
        if self.wire.cut:
            line = self.wire.beginning
        return line.rstrip(b"\r\n"), len(line)

    def _getresp(self) -> bytes:
        """Read a status line, including a negative one."""
        return self._getline()[0]

    def close(self) -> None:
        """Close the socket; the connection is useless after that."""
        self.broken = True
        with suppress(OSError):
            self.wire.sock.close()
        on_close, self.on_close = self.on_close, None
        if on_close is not None:
            on_close()

    # --- commands ---

    def attempt(self, method: Callable[..., Any], *arguments: object) -> StatusLine:
        """Run a method of poplib that is answered with a status line."""
        return self._status(method(*arguments))

    def ask(self, command: bytes) -> StatusLine:
        """Run a command that is answered with a status line."""
        self.transmit([command])
        return self._status(self._getresp())

    def each(self, commands: Sequence[bytes], read: Callable[[], T]) -> list[T]:
        """Run commands, with as few round trips as the server allows; `read` reads the answer to each."""
        step = AT_ONCE if self.pipelining else 1
        found: list[T] = []
        for at in range(0, len(commands), step):
            some = commands[at : at + step]
            self.transmit(some)
            found.extend(read() for _ in some)
        self._batch = False
        return found

    def status(self) -> StatusLine:
        """Read a status line."""
        return self._status(self._getresp())

    def text(self) -> Iterator[bytes]:
        """Yield the text after a +OK in pieces, without byte-stuffing; all of it has to be read."""
        unstuffing = Unstuffing()
        while not unstuffing.ended:
            with self.listening():
                octets = self.wire.arrived()
            if piece := unstuffing.feed(octets):
                yield piece
        self.wire.put_back(unstuffing.rest)

    def rows(self) -> Iterator[bytes]:
        """Yield the lines after a +OK; if one is too long, its beginning."""
        rest = b""
        for piece in self.text():
            *whole, rest = (rest + piece).split(b"\n")
            yield from (line[:MAX_LINE] for line in whole)
            rest = rest[:MAX_LINE]
        if rest:
            yield rest

    def greet(self) -> StatusLine:
        """Read the greeting. Raise StoreUnreachable if there is none."""
        self.begin(GREETING_SECONDS)
        line = self._getresp()
        try:
            return answers.status(line)
        except MalformedResponse:
            self._lose(f"no POP3 greeting: {clean(line)}")

    def ask_capabilities(self) -> Mapping[str, tuple[str, ...]]:
        """Ask what the server can do: nothing, if it does not know the command (RFC 2449 §5)."""
        if not self.ask(b"CAPA").ok:
            return {}
        lines: list[bytes] = []
        for line in self.rows():
            if len(lines) >= MAX_CAPABILITIES:
                self._lose(Overrun("the answer has too many lines"))
            lines.append(line)
        return answers.capabilities(lines)

    def start_tls(self, context: ssl.SSLContext) -> StatusLine:
        """Continue inside TLS; plain text after the +OK is an injection (RFC 2595 §2.1 says what to discard)."""
        reply = self.ask(b"STLS")
        if reply.ok:
            if self.wire.held:
                raise StoreTLSError("octets in plain text behind the answer to STLS")
            try:
                self.wire = Wire(tls.handshake(self.wire.sock, context, self.host), READ_SECONDS)
            except BaseException:
                self.close()
                raise
            self.sock = self.wire.sock
        return reply

    def authenticate(self, mechanism: bytes, message: bytes) -> StatusLine:
        """Run AUTH with one client message (RFC 5034 §4), which may not fit on the command's line."""
        self.transmit([b"AUTH " + mechanism])
        line = self._getresp()
        if line == b"+" or line.startswith(b"+ "):
            self.transmit([base64.b64encode(message)])
            line = self._getresp()
        return self._status(line)

    def leave(self, seconds: float = QUIT_SECONDS) -> StatusLine:
        """Send QUIT, which makes the server delete what is marked as deleted, and close the connection."""
        try:
            return self.attempt(self._quit, seconds)
        finally:
            self.close()

    def _quit(self, seconds: float) -> bytes:
        self.transmit([b"QUIT"], seconds)
        return self._getresp()

    # --- sending and reading ---

    def transmit(self, commands: Sequence[bytes], seconds: float = ANSWER_SECONDS) -> None:
        """Send commands, and start the budget of their answers."""
        if self.broken:
            raise StoreUnreachable("the connection was closed before")
        octets = b"".join(one_line(command) + _CRLF for command in commands)
        self._batch = len(commands) > 1
        self.traffic.round_trips += 1
        self.traffic.commands += len(commands)
        self.begin(seconds)
        with self.listening():
            self.wire.send(octets)

    def begin(self, seconds: float) -> None:
        """Start the time and the budget of an answer."""
        with self.listening():
            self.wire.begin(seconds, Budget(MAX_ANSWER, MAX_LINES, 0))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Translate whatever ends a conversation into its error."""
        try:
            yield
        except Ended:
            self._blame_batch()
            self.close()
            closed = StoreUnreachable("the server closed the connection")
            closed.dropped = True
            raise closed from None
        except OSError as error:
            self._lose(error)
        except BaseException:
            self.close()
            raise

    def _status(self, line: bytes) -> StatusLine:
        try:
            return answers.status(line)
        except MalformedResponse as error:
            self._lose(f"the server's answer is not POP3: {error}")

    def _blame_batch(self) -> None:
        if self._batch and self.on_batch_lost is not None:
            self.on_batch_lost()

    def _lose(self, why: str | OSError) -> NoReturn:
        """Give up the connection."""
        self._blame_batch()
        self.close()
        raise reaching.broken_off(why) from None


def farewell(connection: BoundedPOP3) -> None:
    """Leave without waiting long: nothing was deleted."""
    with suppress(StoreUnreachable), deadline.anew(FAREWELL_SECONDS):
        if not connection.broken:
            connection.leave(FAREWELL_SECONDS)
    connection.close()
