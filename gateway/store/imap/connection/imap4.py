"""imaplib's connection over a Wire: every octet it sends or reads is bounded by count and by deadline.

Nothing here may know what a command is for. imaplib reads lines and literals without limits, keeps unsolicited data,
and after STARTTLS trusts what came in plain text before it; so its `open`, `read`, `readline`, `send`, `starttls` and
`shutdown` are replaced by ones on the Wire, and one reader of responses serves its commands and those of `exchange`.
Responses are kept in the order of arrival, since EXPUNGE changes what a sequence number means (RFC 9051 §7.5.1), and
none outlives its command. A connection that fails is `broken` from then on.

Standard: RFC 9051 §2.2, §7; RFC 4959 (SASL-IR).
"""

from __future__ import annotations

import base64
import imaplib
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from gateway import errors
from gateway.errors import StoreError, StoreUnreachable
from gateway.store import reaching
from gateway.store.imap import response
from gateway.store.imap.connection import receiving
from gateway.store.imap.connection.receiving import Collected, Sink, Taker
from gateway.store.imap.response import CommandResponse, ImapSyntaxError, Status, Untagged
from gateway.store.server_text import one_line
from gateway.upstreams import tls
from gateway.upstreams.wire import Ended, Ledger, Overrun, Wire

# Seconds for the greeting, for a server's silence (the first SELECT of a big mailbox takes several), and for a whole
# answer. The server's BYE is not waited for.
GREETING_SECONDS, READ_SECONDS, ANSWER_SECONDS, FAREWELL_SECONDS = 8.0, 20.0, 25.0, 1.0

_CRLF = b"\r\n"
# SASL mechanisms in which the client speaks first (RFC 4616, RFC 7628).
_CLIENT_FIRST = frozenset({"PLAIN", "XOAUTH2", "OAUTHBEARER"})
_CANCEL = b"*"
# The most challenges that are answered in one SASL exchange: no password mechanism has more than two.
MOST_CHALLENGES = 4


@dataclass(slots=True)
class Traffic:
    """The traffic of a connection so far; octets are those inside TLS."""

    round_trips: int = 0
    commands: int = 0
    octets_out: int = 0
    octets_in: int = 0


class BoundedIMAP4(imaplib.IMAP4):
    """A connected socket as imaplib's connection; tags are p1, p2 and so on."""

    tagpre: Any
    continuation_response: Any
    tagged_commands: dict[Any, Any]

    def __init__(self, host: str, sock: socket.socket, ledger: Ledger | None) -> None:
        self._ledger = ledger or Ledger(receiving.MAX_SERVER)
        self.wire = Wire(sock, READ_SECONDS)
        self.broken = False
        self.traffic = Traffic()
        #: The reply to the last command of imaplib.
        self.reply: CommandResponse | None = None
        #: Receives long literals, and responses that are not kept.
        self.sink: Sink | None = None
        self.taker: Taker | None = None
        self._collected = Collected(self._ledger)
        self._ended: tuple[bytes, CommandResponse] | None = None
        self._ahead = self._unsent = b""
        self._unawaited: set[bytes] = set()
        super().__init__(host)

    # --- imaplib's seams ---

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:
        """Take the socket, which is already connected."""
        self.host, self.sock = host, self.wire.sock

    def _connect(self) -> None:
        """Begin without the greeting: imaplib refuses that of IMAP4rev2, and asks for what it already says."""
        self.tagpre, self.tagnum, self.state = b"p", 1, "NONAUTH"
        self.capabilities: tuple[str, ...] = ()

    def read(self, size: int) -> bytes:
        """Read octets within the budget of the answer."""
        return self.wire.exactly(size)

    def readline(self) -> bytes:
        """Read a line within the budget of the answer."""
        self.wire.cut = False
        line = self.wire.line(receiving.MAX_RESPONSE)
        if self.wire.cut:
            raise self.lost(Overrun("the answer is too long"))
        return line

    def send(self, data: Any) -> None:
        """Send a line once its end has been given, perhaps separately: the last gate for what imapclient writes."""
        self._unsent += bytes(data)
        if self._unsent.endswith(_CRLF):
            line, self._unsent = self._unsent.removesuffix(_CRLF), b""
            self.transmit(one_line(line) + _CRLF)

    def shutdown(self) -> None:
        """Close the socket; the connection is useless after that."""
        self.broken = True
        with suppress(OSError):
            self.wire.sock.close()

    def starttls(self, ssl_context: Any = None) -> Any:
        """Continue inside TLS; plain text after the OK is an injection (RFC 9051 §6.2.1)."""
        ended = self._simple_command("STARTTLS")
        if ended[0] == "OK":
            if self.wire.held:
                raise errors.StoreTLSError("octets in plain text behind the answer to STARTTLS")
            try:
                self.wire = Wire(tls.handshake(self.wire.sock, ssl_context, self.host), READ_SECONDS)
            except BaseException:
                self.shutdown()
                raise
            self.sock = self.wire.sock
        return ended

    def login(self, user: str, password: str) -> Any:
        """Send LOGIN, with the user in quotes too, which imaplib omits; its own error would contain octets."""
        try:
            return super().login(self._quote(user), password)
        except imaplib.IMAP4.error:
            raise imaplib.IMAP4.error("LOGIN refused") from None

    def authenticate(self, mechanism: str, authobject: Callable[[bytes], bytes | str | None]) -> Any:
        """Send AUTHENTICATE, with an initial response if the server accepts one (RFC 4959): imaplib sends none."""
        line = b"AUTHENTICATE " + mechanism.encode("ascii")
        if mechanism in _CLIENT_FIRST and "SASL-IR" in self.capabilities:
            line += b" " + _encoded(authobject(b"") or b"")
        (tag,) = self.begin_commands([one_line(line)])
        ended = self._command_complete("AUTHENTICATE", tag, self._answers(authobject))
        if ended[0] == "OK":
            self.state = "AUTH"
        return ended

    def _answers(self, authobject: Callable[[bytes], bytes | str | None]) -> Iterator[bytes]:
        """Answer challenges until one has no answer, which cancels the exchange (RFC 9051 §6.2.2)."""
        for _challenge in range(MOST_CHALLENGES):
            answer = authobject(_decoded(self.continuation_response))
            if answer is None:
                break
            yield _encoded(answer)
        yield _CANCEL

    def _get_response(self, *_: object) -> bytes | None:
        """Read one response, and return its first line; None if the server asks for the rest of a command.

        Untagged responses that have arrived before it are read with it.
        """
        pieces = self._response(together=self.taker is None)
        line = pieces[0] if pieces else b""  # skipped
        if line.startswith(b"* "):
            self._collected.add(pieces)
        elif line.startswith(b"+"):
            self.continuation_response = line[1:].strip()
            return None
        elif line.partition(b" ")[0] in self.tagged_commands:
            self._tagged(line)
        elif line:  # not a blank line between responses: no answer to us, except to a FETCH
            self._collected.unfold(pieces)
        return line

    def _command_complete(self, name: str, tag: bytes, answers: Iterable[bytes] = ()) -> Any:
        """Read to the end of one of imaplib's commands, and let it see only the responses to that command."""
        self.reply = self.next([tag], answers)[1]
        self.untagged_responses = {}
        for line in self.reply.untagged:
            if not line.number:
                self.untagged_responses.setdefault(line.kind, []).extend(_as_imaplib(line.pieces))
        return self.reply.status.kind, [self.reply.status.text.encode()]

    def take(self) -> CommandResponse | None:
        """Return the reply to the last command of imaplib, and forget it with everything that led to it."""
        reply, self.reply = self.reply, None
        self._unsent = b""
        self.untagged_responses = {}
        self.tagged_commands = dict.fromkeys(self._unawaited)
        return reply

    def _log(self, line: object) -> None:
        """Keep no commands: imaplib keeps the last ten, including the password."""

    # --- sending ---

    def new_tag(self) -> bytes:
        """Return the tag of the next command, which is waited for from now on."""
        tag: bytes = self._new_tag()
        return tag

    def begin_commands(self, commands: Sequence[bytes]) -> list[bytes]:
        """Send commands in one write, each of which is one line, or has been checked; return their tags."""
        tags = [self.new_tag() for _ in commands]
        self.transmit(b"".join(tag + b" " + line + _CRLF for tag, line in zip(tags, commands, strict=True)))
        return tags

    def send_ahead(self, command: bytes) -> None:
        """Send a command together with the next one, whatever its result."""
        tag = self.new_tag()
        self._unawaited.add(tag)
        self._ahead = tag + b" " + one_line(command) + _CRLF

    def transmit(self, octets: bytes) -> None:
        """Send octets that may be several commands, and start the budget of their answers."""
        if self.broken:
            raise StoreUnreachable("the connection was closed before")
        octets, self._ahead = self._ahead + octets, b""
        self.traffic.round_trips += 1
        self.traffic.octets_out += len(octets)
        with self.listening():
            self.begin(ANSWER_SECONDS)
            try:
                self.wire.send(octets)
            except OSError as error:
                lost = self.lost(f"sending: {tls.words(error)}")
                lost.dropped = isinstance(error, ConnectionError)
                raise lost from None

    def begin(self, seconds: float) -> None:
        """Start the time and the budget of an answer."""
        try:
            self.wire.begin(seconds, receiving.budget())
        except OSError as error:
            raise self.lost(error) from None

    def lost(self, why: str | OSError) -> StoreUnreachable:
        """Give up the connection, and return the error that says why."""
        self.shutdown()
        return reaching.broken_off(why)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Count the traffic; a conversation that fails in the middle cannot continue."""
        before = self.wire.octets_in
        try:
            yield
        except BaseException:
            self.shutdown()
            raise
        finally:
            self.traffic.octets_in += self.wire.octets_in - before

    # --- reading ---

    def greet(self) -> Status:
        """Read the greeting (RFC 9051 §7.1); raise StoreUnreachable if there is none."""
        with self.listening():
            self.begin(GREETING_SECONDS)
            pieces = self._response()
            while pieces == [b""]:  # blank lines
                pieces = self._response()
            greeting = self._untagged(pieces) if pieces and pieces[0] else None
            if greeting is None or greeting.kind not in response.GREETINGS:
                raise self.lost(f"no IMAP greeting: {response.clean(pieces[0]) if pieces else 'too long'}")
            return greeting.status

    def next(self, tags: Sequence[bytes], answers: Iterable[bytes] = ()) -> tuple[bytes, CommandResponse]:
        """Read to the end of whichever of some commands ends next; `answers` go to the server as it asks for them.
        Responses that answer nothing of ours, such as an unknown tag, are skipped, within the budget of the answer.
        """
        self.traffic.commands += 1
        left = iter(answers)
        with self.listening():
            while self._ended is None or self._ended[0] not in tags:
                # QUIRK: it may ask for more than there is; whether it does shows in what comes next.
                if self._get_response() is None and (answer := next(left, None)) is not None:
                    self.transmit(answer + _CRLF)
        ended, self._ended = self._ended, None
        del self.tagged_commands[ended[0]]
        return ended

    def _tagged(self, line: bytes) -> None:
        tag, _, ending = line.partition(b" ")
        kind, _, rest = ending.partition(b" ")
        found = response.status(kind.decode("ascii", "replace").upper(), rest)
        if found.kind not in response.ENDINGS:
            raise self.lost("the server's answer is not IMAP")
        if self.tagged_commands[tag] is not None:
            return  # reported twice
        if tag in self._unawaited:
            self._unawaited.remove(tag)
            del self.tagged_commands[tag]
            return
        self.tagged_commands[tag] = (found.kind, [rest])
        self._ended = tag, CommandResponse(found, self._collected)
        self._collected = Collected(self._ledger)

    def _untagged(self, pieces: list[bytes]) -> Untagged:
        try:
            return response.untagged(pieces)
        except ImapSyntaxError:
            raise self.lost("the server's answer is not IMAP") from None

    def _response(self, together: bool = False) -> list[bytes]:
        """Read one response: text and literals alternating, without line ends; nothing for one that is too long.

        `together`: before it, keep the untagged ones that have arrived and have no literals.
        """
        try:
            if together:
                receiving.read_together(self.wire, self._collected)
            return receiving.read(self.wire, self._collected, self.sink, self.taker)
        except Ended:
            raise self._farewell() from None
        except OSError as error:
            raise self.lost(error) from None

    def _farewell(self) -> StoreError:
        """Return the server's reason for closing the connection, if it gave one."""
        self.shutdown()
        farewell = next((u.status for u in self._collected if u.kind == "BYE"), Status("BYE"))
        if farewell.code == "ALERT":
            return errors.ServerAlert(farewell.text)
        said = f": {farewell.text}" if farewell.text else ""
        closed = StoreUnreachable(f"the server closed the connection{said}")
        closed.dropped = True
        return closed


def _as_imaplib(pieces: Sequence[bytes]) -> list[bytes | tuple[bytes, bytes]]:
    """Put a response into imaplib's form: each literal paired with the text before it."""
    return [*zip(pieces[:-1:2], pieces[1::2], strict=True), pieces[-1]]


def _encoded(answer: bytes | str) -> bytes:
    return base64.b64encode(answer.encode() if isinstance(answer, str) else answer)


def _decoded(challenge: bytes) -> bytes:
    """Decode the base64 of a challenge; anything else is empty."""
    try:
        return base64.b64decode(challenge)
    except ValueError:
        return b""
