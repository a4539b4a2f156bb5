"""One IMAP conversation: commands out, replies in, several in one round trip.

Nothing here may know a mailbox or a message. Responses are kept in the order in which they came, since EXPUNGE
changes what a sequence number means (RFC 9051 §7.5.1), and no response outlives its command. Whatever breaks
the conversation raises StoreUnreachable and leaves it `broken`. Standard: RFC 9051 §2.2, §5.5, §7; RFC 5530.
"""

from __future__ import annotations

import re
import select
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from gateway import errors
from gateway.errors import StoreError, StoreUnreachable, UnsafeArgument
from gateway.store import response, tls
from gateway.store.response import Malformed, Reply, Status, Untagged
from gateway.store.wire import Ended, Overrun, Wire

# Seconds for which a server may say nothing (a big mailbox's first SELECT takes several), and for all of an answer.
READ_SECONDS, ANSWER_SECONDS = 30.0, 90.0
# Octets of one response with its literals; a longer one is passed over. What we ask for is below 200 KB, but the
# BODYSTRUCTURE of a message is as long as its sender likes.
MAX_RESPONSE = 8 * 1024 * 1024
# Octets of all that comes in answer to what was sent at once.
MAX_ANSWER = 8 * MAX_RESPONSE
# Octets that LITERAL- lets through without being asked (RFC 7888 §5).
LITERAL_MINUS = 4096

_LITERAL = re.compile(rb"\{(\d{1,10})\}\Z")
_CORRELATOR = re.compile(rb' *\(TAG "?([A-Za-z0-9]+)"?[ )]', re.IGNORECASE)
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
    "ALREADYEXISTS": errors.MailboxExists,
    "HASCHILDREN": errors.MailboxHasChildren,
    "OVERQUOTA": errors.OverQuota,
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
    """A conversation over a connected socket; `greet` reads the server's first words."""

    def __init__(self, sock: socket.socket) -> None:
        self.broken = False
        self.traffic = Traffic()
        self._wire = Wire(sock, READ_SECONDS)
        self._serial = 0

    @property
    def sock(self) -> socket.socket:
        """The socket, for those who describe its TLS."""
        return self._wire.sock

    def greet(self) -> Status:
        """Read the greeting (RFC 9051 §7.1); raise StoreUnreachable when it is none."""
        self._wire.begin(ANSWER_SECONDS, MAX_ANSWER)
        with self._listening():
            pieces = self._response([])
            greeting = self._untagged(pieces) if pieces else None
            if greeting is None or greeting.kind not in response.GREETINGS:
                raise self._lost(f"no IMAP greeting: {response.clean(pieces[0]) if pieces else 'too long'}")
            return greeting.status

    def secure(self, wrap: Callable[[socket.socket], socket.socket]) -> None:
        """Go on inside TLS; plain text behind the OK is somebody else's (RFC 9051 §6.2.1)."""
        if self._wire.held:
            raise errors.StoreTLSError("octets in plain text behind the answer to STARTTLS")
        try:
            self._wire = Wire(wrap(self._wire.sock), READ_SECONDS)
        except BaseException:
            self._abandon()
            raise

    def run(self, *commands: bytes) -> list[Reply]:
        """Send commands in one go and return their replies in the same order; a NO or BAD is a reply too.

        QUIRK: Dovecot may finish a STATUS before the FETCH in front of it, as RFC 9051 §5.5 allows.
        """
        return self._run(len(commands), (_line(line) for line in commands))

    def _run(self, count: int, commands: Iterable[bytes]) -> list[Reply]:
        tags = [self._tag() for _ in range(count)]
        self._send(
            b"".join(tag + b" " + octets + b"\r\n" for tag, octets in zip(tags, commands, strict=True))
        )
        replies: dict[bytes, Reply] = {}
        while len(replies) < len(tags):
            tag, reply = self._next([tag for tag in tags if tag not in replies], ())
            replies[tag] = replace(reply, finished=len(replies))
        _tell_apart(replies)
        return [replies[tag] for tag in tags]

    def call(self, command: bytes, otherwise: type[StoreError] = errors.StoreRefused) -> Reply:
        """Run one command and raise the error that fits unless it is OK."""
        (reply,) = self.run(command)
        if not reply.ok:
            raise refusal(reply, otherwise)
        return reply

    def converse(self, command: bytes, *answers: bytes) -> Reply:
        """Run a command whose rest the server asks for by "+": SASL responses or a literal, one at a time."""
        tag = self._tag()
        self._send(tag + b" " + _line(command) + b"\r\n")
        return self._next([tag], answers)[1]

    def speak(self, *commands: Sequence[bytes], capabilities: frozenset[str]) -> list[Reply]:
        """Run commands, each text and literals in turn; in one go where the server takes these (RFC 7888)."""
        literals = [literal for command in commands for literal in command[1::2]]
        if any(b"\0" in literal for literal in literals):
            raise UnsafeArgument("NUL in a literal")
        longest = max(map(len, literals), default=0)
        if not literals or _at_once(longest, capabilities):
            return self._run(len(commands), (b"".join(_spelled(c, b"+}\r\n")) for c in commands))
        replies = []
        for number, command in enumerate(commands):
            first, *rest = b"".join(_spelled(command, b"}\0")).split(b"\0")
            replies.append(replace(self.converse(first, *rest), finished=number))
        return replies

    def upload(self, command: bytes, literal: bytes, capabilities: frozenset[str]) -> Reply:
        """Run a command that ends in a literal, without waiting where the server allows that (RFC 7888)."""
        if not _at_once(len(literal), capabilities):
            return self.converse(command + b" {%d}" % len(literal), literal)
        tag = self._tag()
        self._send(tag + b" " + _line(command) + b" {%d+}\r\n" % len(literal) + literal + b"\r\n")
        return self._next([tag], ())[1]

    def is_quiet(self) -> bool:
        """Tell whether nothing waits to be read: neither a response nor the end of the connection."""
        if self.broken or self._wire.held:
            return False
        poll = select.poll()
        poll.register(self._wire.sock, select.POLLIN)
        return not poll.poll(0)

    def wait_at_most(self, seconds: float) -> None:
        """Set how long the server may say nothing from now on."""
        self._wire.silence = seconds

    def close(self) -> None:
        """End the conversation without waiting for the server's farewell."""
        if not self.broken:
            with suppress(OSError):
                self.wait_at_most(1)
                self._wire.send(self._tag() + b" LOGOUT\r\n")
        self._abandon()

    def _abandon(self) -> None:
        self.broken = True
        with suppress(OSError):
            self._wire.sock.close()

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
        self._wire.begin(ANSWER_SECONDS, MAX_ANSWER)
        with self._listening():
            try:
                self._wire.send(octets)
            except OSError as error:
                raise self._lost(f"sending: {tls.words(error)}") from None

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Count what comes; a conversation that is left in the middle cannot go on."""
        before = self._wire.octets_in
        try:
            yield
        except BaseException:
            self._abandon()
            raise
        finally:
            self.traffic.octets_in += self._wire.octets_in - before

    def _next(self, tags: list[bytes], answers: Iterable[bytes]) -> tuple[bytes, Reply]:
        """Read to the end of the next command that ends, and say which of them it is."""
        self.traffic.commands += 1
        collected: list[Untagged] = []
        left = iter(answers)
        with self._listening():
            while True:
                pieces = self._response(collected)
                if not pieces or pieces[0].startswith(b"* "):
                    collected.extend([self._untagged(pieces)] if pieces else ())
                elif pieces[0].startswith(b"+"):
                    answer = next(left, None)
                    if answer is None:
                        raise self._lost("the server wants more than there is")
                    self._send(answer + b"\r\n")
                else:
                    return self._tagged(pieces[0], tags, collected)

    def _tagged(self, line: bytes, tags: list[bytes], collected: list[Untagged]) -> tuple[bytes, Reply]:
        tag, _, ending = line.partition(b" ")
        kind, _, rest = ending.partition(b" ")
        found = response.status(kind.decode("ascii", "replace").upper(), rest)
        if tag not in tags or found.kind not in response.ENDINGS:
            raise self._lost("the server's answer is not IMAP")
        return tag, Reply(found, collected)

    def _untagged(self, pieces: list[bytes]) -> Untagged:
        try:
            return response.untagged(pieces)
        except Malformed:
            raise self._lost("the server's answer is not IMAP") from None

    def _response(self, before: list[Untagged]) -> list[bytes]:
        """Read one response: text, then literal and text in turn, without line ends; nothing for one too long."""
        try:
            return self._pieces()
        except Ended:
            raise self._ended(before) from None
        except OSError as error:
            raise self._lost(tls.words(error)) from None

    def _pieces(self) -> list[bytes]:
        pieces: list[bytes] = []
        left = MAX_RESPONSE
        self._wire.cut = False
        while True:
            line = self._wire.line(max(0, left))
            left = -1 if self._wire.cut else left - len(line)
            text = line[:-2] if line.endswith(b"\r\n") else line[:-1]
            pieces.append(text)
            found = _LITERAL.search(text)
            if not found:
                return pieces if left >= 0 else []
            size = int(found[1])
            left -= size
            if size > MAX_ANSWER:
                raise Overrun("the server's answer is too long")
            if left >= 0:
                pieces.append(self._wire.exactly(size))
            else:
                pieces.clear()
                self._wire.skip(size)

    def _ended(self, before: list[Untagged]) -> StoreError:
        """Tell why the server hung up, if it said so."""
        self._abandon()
        farewell = next((u.status for u in before if u.kind == "BYE"), Status("BYE"))
        if farewell.code == "ALERT":
            return errors.ServerAlert(farewell.text)
        said = f": {farewell.text}" if farewell.text else ""
        return StoreUnreachable(f"the server closed the connection{said}")


def _tell_apart(replies: dict[bytes, Reply]) -> None:
    """Give each ESEARCH response to the command that it names (RFC 9051 §7.3.4).

    QUIRK: Dovecot runs searches that were sent together at the same time, and ends them in any order.
    """
    told = [(reply, line) for reply in replies.values() for line in reply.untagged if line.kind == "ESEARCH"]
    for reply, line in told if len(replies) > 1 else ():
        found = _CORRELATOR.match(line.pieces[0])
        meant = replies.get(found[1]) if found else None
        if meant is not None and meant is not reply:
            reply.untagged.remove(line)
            meant.untagged.append(line)


def _at_once(size: int, capabilities: frozenset[str]) -> bool:
    """Tell whether literals of this size need not be asked for (RFC 7888 §4, §5)."""
    return "LITERAL+" in capabilities or ("LITERAL-" in capabilities and size <= LITERAL_MINUS)


def _spelled(command: Sequence[bytes], end: bytes) -> Iterator[bytes]:
    """Spell a command of text and literals in turn; `end` follows a literal's size."""
    for text, literal in zip(command[::2], command[1::2], strict=False):
        yield _line(text) + b"{%d" % len(literal) + end + literal
    yield _line(command[-1]) if len(command) % 2 else b""


def _line(command: bytes) -> bytes:
    """Let a command pass as one line: the last gate before the wire, whatever was quoted before."""
    if _LINE_BREAKERS.search(command):
        raise UnsafeArgument("NUL, CR or LF in a command")
    return command
