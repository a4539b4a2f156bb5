"""One IMAP conversation: commands out, replies in, several in one round trip.

Nothing here may know a mailbox or a message. Responses are kept in the order in which they came, since EXPUNGE
changes what a sequence number means (RFC 9051 §7.5.1), and no response outlives its command. Whatever breaks
the conversation raises StoreUnreachable and leaves it `broken`. Standard: RFC 9051 §2.2, §5.5, §7; RFC 5530.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway import errors
from gateway.errors import StoreError, StoreUnreachable, UnsafeArgument
from gateway.store import response, tls
from gateway.store.response import Malformed, Reply, Status, Untagged

# Seconds for any one answer: a big mailbox's first SELECT takes several.
READ_SECONDS = 30.0
# Octets of one response with its literals. What we ask for is below 200 KB; BODYSTRUCTURE alone may be more.
MAX_RESPONSE = 8 * 1024 * 1024
# Octets that LITERAL- lets through without being asked (RFC 7888 §5).
LITERAL_MINUS = 4096

_LITERAL = re.compile(rb"\{(\d{1,10})\}\Z")
_LINE_BREAKERS = re.compile(rb"[\0\r\n]")

# Response code of a NO -> error (RFC 5530, RFC 9051 §7.1).
REFUSALS: dict[str, type[StoreError]] = {
    "AUTHENTICATIONFAILED": errors.AuthenticationFailed,
    "AUTHORIZATIONFAILED": errors.AuthenticationFailed,
    "EXPIRED": errors.CredentialExpired,
    "PRIVACYREQUIRED": errors.StoreTLSError,
    "UNAVAILABLE": errors.StoreUnreachable,
    "NONEXISTENT": errors.MailboxGone,
    "TRYCREATE": errors.MailboxGone,
    "EXPUNGEISSUED": errors.MessageGone,
}


@dataclass(slots=True)
class Traffic:
    """What a connection has cost so far; octets are those inside TLS."""

    round_trips: int = 0
    commands: int = 0
    octets_out: int = 0
    octets_in: int = 0


def refusal(reply: Reply, otherwise: type[StoreError] = errors.StoreRefused) -> StoreError:
    """Make the error for a command that was not OK; an ALERT goes before everything else."""
    said = [u.status for u in reply.untagged if u.kind in response.STATUSES]
    for status in (reply.status, *said):
        if status.code == "ALERT":
            return errors.ServerAlert(status.text)
    kind = REFUSALS.get(reply.status.code, otherwise)
    code = f"[{reply.status.code}] " if reply.status.code else ""
    return kind(f"{reply.status.kind} {code}{reply.status.text}")


class Exchange:
    """A conversation over a connected socket whose greeting was read; `dispose` closes the connection."""

    def __init__(self, sock: socket.socket, dispose: Callable[[], object]) -> None:
        self.broken = False
        self.traffic = Traffic()
        self._sock = sock
        self._file = sock.makefile("rb")
        self._dispose = dispose
        self._serial = 0

    def run(self, *commands: bytes) -> list[Reply]:
        """Send commands in one go and return their replies in the same order; a NO or BAD is a reply too.

        QUIRK: Dovecot may finish a STATUS before the FETCH in front of it, as RFC 9051 §5.5 allows.
        """
        tags = [self._tag() for _ in commands]
        self._send(
            b"".join(tag + b" " + _line(line) + b"\r\n" for tag, line in zip(tags, commands, strict=True))
        )
        replies: dict[bytes, Reply] = {}
        while len(replies) < len(tags):
            tag, reply = self._next([tag for tag in tags if tag not in replies])
            replies[tag] = replace(reply, finished=len(replies))
        return [replies[tag] for tag in tags]

    def call(self, command: bytes, otherwise: type[StoreError] = errors.StoreRefused) -> Reply:
        """Run one command and raise the error that fits unless it is OK."""
        (reply,) = self.run(command)
        if not reply.ok:
            raise refusal(reply, otherwise)
        return reply

    def converse(self, command: bytes, answer: bytes) -> Reply:
        """Run a command that waits for "+" before it takes the rest: a SASL response or a literal."""
        tag = self._tag()
        self._send(tag + b" " + _line(command) + b"\r\n")
        return self._reply(tag, answer)

    def upload(self, command: bytes, literal: bytes, capabilities: frozenset[str]) -> Reply:
        """Run a command that ends in a literal, without waiting where the server allows that (RFC 7888)."""
        at_once = "LITERAL+" in capabilities or ("LITERAL-" in capabilities and len(literal) <= LITERAL_MINUS)
        if not at_once:
            return self.converse(command + b" {%d}" % len(literal), literal)
        tag = self._tag()
        self._send(tag + b" " + _line(command) + b" {%d+}\r\n" % len(literal) + literal + b"\r\n")
        return self._reply(tag)

    def is_quiet(self) -> bool:
        """Tell whether nothing waits to be read: neither a response nor the end of the connection."""
        if self.broken or (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()):
            return False
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def wait_at_most(self, seconds: float) -> None:
        """Set how long any one answer may take from now on."""
        self._sock.settimeout(seconds)

    def close(self) -> None:
        """End the conversation without waiting for the server's farewell."""
        try:
            if not self.broken:
                self.wait_at_most(1)
                self._sock.sendall(self._tag() + b" LOGOUT\r\n")
        except OSError:
            pass
        self._abandon()

    def _abandon(self) -> None:
        self.broken = True
        for end in (self._file.close, self._dispose):
            try:
                end()
            except OSError:
                pass

    def _tag(self) -> bytes:
        self._serial += 1
        return b"p%d" % self._serial

    def _lost(self, why: str) -> StoreUnreachable:
        self._abandon()
        return StoreUnreachable(why)

    def _send(self, octets: bytes) -> None:
        if self.broken:
            raise StoreUnreachable("the connection was closed before")
        self.traffic.round_trips += 1
        self.traffic.octets_out += len(octets)
        try:
            self._sock.sendall(octets)
        except OSError as error:
            raise self._lost(f"sending: {tls.words(error)}") from None

    def _reply(self, tag: bytes, answer: bytes | None = None) -> Reply:
        return self._next([tag], answer)[1]

    def _next(self, tags: list[bytes], answer: bytes | None = None) -> tuple[bytes, Reply]:
        """Read to the end of the next command that ends, and say which of them it is."""
        self.traffic.commands += 1
        collected: list[Untagged] = []
        while True:
            pieces = self._response(collected)
            start = pieces[0]
            if start.startswith(b"* "):
                collected.append(self._untagged(pieces))
                continue
            if start.startswith(b"+"):
                # A second challenge has no answer here: "*" cancels it (RFC 9051 §6.2.2).
                self._send((b"*" if answer is None else answer) + b"\r\n")
                answer = None
                continue
            tag, _, ending = start.partition(b" ")
            if tag not in tags:
                raise self._lost("the server's answer is not IMAP")
            kind, _, rest = ending.partition(b" ")
            return tag, Reply(response.status(kind.decode("ascii", "replace").upper(), rest), collected)

    def _untagged(self, pieces: list[bytes]) -> Untagged:
        try:
            return response.untagged(pieces)
        except Malformed:
            raise self._lost("the server's answer is not IMAP") from None

    def _response(self, before: list[Untagged]) -> list[bytes]:
        """Read one response: text, then literal and text in turn, without the line ends."""
        pieces: list[bytes] = []
        left = MAX_RESPONSE
        while True:
            line = self._read(self._file.readline, left, before)
            if not line.endswith(b"\n"):
                raise self._lost("the server's answer was too long, or was cut")
            left -= len(line)
            text = line[:-2] if line.endswith(b"\r\n") else line[:-1]
            pieces.append(text)
            found = _LITERAL.search(text)
            if not found:
                return pieces
            size = int(found[1])
            if size > left:
                raise self._lost("the server's answer was too long")
            pieces.append(self._read(self._file.read, size, before) if size else b"")
            if len(pieces[-1]) < size:
                raise self._lost("the server's answer was cut")
            left -= size

    def _read(self, read: Callable[[int], bytes], size: int, before: list[Untagged]) -> bytes:
        try:
            octets = read(size)
        except (OSError, ValueError) as error:
            raise self._lost(tls.words(error) if isinstance(error, OSError) else "closed") from None
        if not octets:
            raise self._ended(before)
        self.traffic.octets_in += len(octets)
        return octets

    def _ended(self, before: list[Untagged]) -> StoreError:
        """Tell why the server hung up, if it said so."""
        self._abandon()
        farewell = next((u.status for u in before if u.kind == "BYE"), Status("BYE"))
        if farewell.code == "ALERT":
            return errors.ServerAlert(farewell.text)
        said = f": {farewell.text}" if farewell.text else ""
        return StoreUnreachable(f"the server closed the connection{said}")


def _line(command: bytes) -> bytes:
    """Let a command pass as one line: the last gate before the wire, whatever was quoted before."""
    if _LINE_BREAKERS.search(command):
        raise UnsafeArgument("NUL, CR or LF in a command")
    return command
