"""One IMAP conversation: an IMAPClient on a bounded connection, which also runs several commands in one round trip.

Nothing here may know a mailbox or a message. Through `attempt`, imapclient's methods start TLS, sign in, enable, change
mailboxes and search. What they cannot do is ours, on the same connection, with the same tags and the same reader:

- Several commands in one round trip: imapclient waits for each. This way go CREATE with SUBSCRIBE, FETCH or COPY with
the check of what is there, LIST with LSUB, NAMESPACE and STATUS, ID with whatever comes first.
- APPEND, and text beyond ASCII: imaplib waits for permission to send a literal even with LITERAL+ or LITERAL-, and
rewrites the line ends of a message.
- FETCH: imapclient takes three times as long for a row, and one that it cannot read loses all the others.
- LIST, STATUS, NAMESPACE, QUOTA, CAPABILITY: one strange or missing line has the same effect; EXPUNGE and EXISTS lose
their order; ESEARCH and the results of RETURN are unknown to it.

Standard: RFC 9051 §5.5, §7; RFC 5530; RFC 7888.
"""

from __future__ import annotations

import imaplib
import logging
import re
import select
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from imapclient import IMAPClient

from gateway import errors
from gateway.errors import StoreError, UnsafeArgument
from gateway.store.imap import response
from gateway.store.imap.connection.imap4 import FAREWELL_SECONDS, BoundedIMAP4, Traffic
from gateway.store.imap.connection.receiving import MAX_LISTS, Sink, Taker
from gateway.store.imap.response import CommandResponse, Status, Untagged
from gateway.store.server_text import one_line
from gateway.upstreams import deadline
from gateway.upstreams.wire import Budget, Ledger

# imapclient logs commands, with names, search texts and pieces of mail.
logging.getLogger("imapclient").setLevel(logging.WARNING)

# Octets of a literal that LITERAL- allows without waiting (RFC 7888 §5).
LITERAL_MINUS = 4096

# QUIRK: Microsoft's answer to each command of a person who is signed in but has no mailbox, at least for now.
_NO_MAILBOX = "authenticated but not connected"
_CORRELATOR = re.compile(rb' *\(TAG "?([A-Za-z0-9]+)"?[ )]', re.IGNORECASE)

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
    "NOPERM": errors.NotAllowed,
}


def refusal(reply: CommandResponse, otherwise: type[StoreError] = errors.StoreRefused) -> StoreError:
    """Make the error for a command that was not OK; an ALERT takes precedence."""
    said = [u.status for u in reply.untagged if u.kind in response.STATUSES]
    for status in (reply.status, *said):
        if status.code == "ALERT":
            return errors.ServerAlert(status.text)
    kind = REFUSALS.get(reply.status.code, otherwise)
    if _NO_MAILBOX in reply.status.text.lower():
        kind = errors.NoMailbox
    code = f"[{reply.status.code}] " if reply.status.code else ""
    return kind(f"{reply.status.kind} {code}{reply.status.text}")


class Exchange(IMAPClient):  # type: ignore[misc]
    """A conversation over a connected socket; `greet` reads the server's greeting."""

    _imap: BoundedIMAP4

    def __init__(
        self,
        sock: socket.socket,
        ledger: Ledger | None = None,
        host: str = "",
        lists: Ledger | None = None,
    ) -> None:
        """`ledger`: what the server's answers take in memory; `lists`: what is kept of those that are handed on."""
        self._connected = sock, ledger
        self.lists = lists or Ledger(MAX_LISTS)
        super().__init__(host, ssl=False)
        self._imap.debug = 0

    def _create_IMAP4(self) -> BoundedIMAP4:
        return BoundedIMAP4(self.host, *self._connected)

    def _set_read_timeout(self) -> None:
        """Leave timeouts to the Wire."""

    def _normalise_folder(self, folder: bytes) -> bytes:
        """Leave a mailbox name as `opening.mailbox_argument` has written it."""
        return folder

    @property
    def sock(self) -> socket.socket:
        """The socket, for describing its TLS."""
        return self._imap.wire.sock

    @property
    def broken(self) -> bool:
        """Whether the conversation has failed, so that this connection is useless."""
        return self._imap.broken

    @property
    def traffic(self) -> Traffic:
        """The traffic of this connection so far."""
        return self._imap.traffic

    def greet(self) -> Status:
        """Read the greeting (RFC 9051 §7.1); raise StoreUnreachable if there is none."""
        return self._imap.greet()

    def know(self, capabilities: frozenset[str], signed_in: bool = False) -> None:
        """Tell imapclient what the server can do, and whether somebody is signed in."""
        self._imap.capabilities = tuple(capabilities)
        self._cached_capabilities = tuple(name.encode() for name in capabilities)
        self._imap.state = "AUTH" if signed_in else "NONAUTH"

    @property
    def known(self) -> frozenset[str]:
        """The capabilities that imapclient was told."""
        return frozenset(self._imap.capabilities)

    def ask_capabilities(self) -> frozenset[str]:
        """Ask what the server can do."""
        answer = self.call(b"CAPABILITY")
        return capability_names(b" ".join(u.pieces[0] for u in answer.untagged if u.kind == "CAPABILITY"))

    def send_ahead(self, command: bytes) -> None:
        """Send a command in the same write as the next one, whatever its result."""
        self._imap.send_ahead(command)

    def attempt(self, method: Callable[..., Any], *args: object) -> tuple[Any, CommandResponse]:
        """Run a method of imapclient; return its result (None after a NO or BAD) and the reply.

        Raise StoreRefused for an answer that imapclient cannot read.
        """
        result, failed = None, ""
        try:
            result = method(*args)
        except OSError:  # from TLS: one of them is a ValueError, too
            raise
        except (imaplib.IMAP4.error, ValueError, TypeError, LookupError, AssertionError) as error:
            if self._imap.reply is None and not isinstance(error, imaplib.IMAP4.error):
                raise
            failed = type(error).__name__
        finally:
            reply = self._imap.take()
        if reply is None or (failed and reply.ok):
            raise errors.StoreRefused(f"not for imapclient: {failed}")
        return result, reply

    def run(self, *commands: bytes) -> list[CommandResponse]:
        """Send commands in one write and return their replies in the same order; a NO or BAD is a reply, too.

        QUIRK: Dovecot may finish a STATUS before the FETCH sent before it, as RFC 9051 §5.5 allows.
        """
        return self._run([one_line(line) for line in commands])

    @contextmanager
    def into(self, sink: Sink) -> Iterator[None]:
        """Hand a literal of more than the sink's `above` octets on to it, in pieces; in the reply it is empty."""
        self._imap.sink = sink
        try:
            yield
        finally:
            self._imap.sink = None

    @contextmanager
    def handing_on(self, taker: Taker) -> Iterator[None]:
        """Hand each untagged response to a taker as it arrives; the reply has those that it did not take."""
        self._imap.taker = taker
        try:
            yield
        finally:
            self._imap.taker = None

    def _run(self, commands: Sequence[bytes]) -> list[CommandResponse]:
        tags = self._imap.begin_commands(commands)
        replies: dict[bytes, CommandResponse] = {}
        while len(replies) < len(tags):
            tag, reply = self._imap.next(tags)
            replies[tag] = replace(reply, finished=len(replies))
        _tell_apart(replies)
        return [replies[tag] for tag in tags]

    def call(self, command: bytes, otherwise: type[StoreError] = errors.StoreRefused) -> CommandResponse:
        """Run one command and raise the matching error unless it is OK."""
        (reply,) = self.run(command)
        if not reply.ok:
            raise refusal(reply, otherwise)
        return reply

    def converse(self, command: bytes, *answers: bytes) -> CommandResponse:
        """Run a command in parts, each requested by "+"."""
        tags = self._imap.begin_commands([one_line(command)])
        return self._imap.next(tags, answers)[1]

    def speak(self, *commands: Sequence[bytes], capabilities: frozenset[str]) -> list[CommandResponse]:
        """Run commands of alternating text and literals; in one write if the server supports it (RFC 7888)."""
        literals = [literal for command in commands for literal in command[1::2]]
        if any(b"\0" in literal for literal in literals):
            raise UnsafeArgument("NUL in a literal")
        longest = max(map(len, literals), default=0)
        if not literals or _at_once(longest, capabilities):
            return self._run([b"".join(_spelled(c, b"+}\r\n")) for c in commands])
        replies = []
        for number, command in enumerate(commands):
            first, *rest = b"".join(_spelled(command, b"}\0")).split(b"\0")
            replies.append(replace(self.converse(first, *rest), finished=number))
        return replies

    def upload(self, command: bytes, literal: bytes, capabilities: frozenset[str]) -> CommandResponse:
        """Run a command that ends in a literal, without waiting if the server allows it (RFC 7888)."""
        if not _at_once(len(literal), capabilities):
            return self.converse(command + b" {%d}" % len(literal), literal)
        return self._run([one_line(command) + b" {%d+}\r\n" % len(literal) + literal])[0]

    def is_quiet(self) -> bool:
        """Return whether nothing is waiting to be read: neither a response nor the end of the connection."""
        if self.broken or self._imap.wire.held:
            return False
        poll = select.poll()
        poll.register(self._imap.wire.sock, select.POLLIN)
        return not poll.poll(0)

    def wait_at_most(self, seconds: float) -> None:
        """Set how long the server may be silent from now on."""
        self._imap.wire.silence = seconds

    def close(self) -> None:
        """End the conversation without waiting for the server's BYE."""
        if not self.broken:
            with suppress(OSError), deadline.anew(FAREWELL_SECONDS):
                self._imap.wire.begin(FAREWELL_SECONDS, Budget(0, 0, 0))
                self._imap.wire.send(self._imap.new_tag() + b" LOGOUT\r\n")
        self._imap.shutdown()


def capability_names(octets: bytes) -> frozenset[str]:
    """Read a list of capabilities, in upper case."""
    return frozenset(octets.decode("ascii", "replace").upper().split())


def _tell_apart(replies: dict[bytes, CommandResponse]) -> None:
    """Assign each ESEARCH response to the command that it names (RFC 9051 §7.3.4).

    QUIRK: Dovecot runs searches that were sent together in parallel, and ends them in any order.
    """
    astray: list[tuple[CommandResponse, Untagged]] = []
    for reply in replies.values() if len(replies) > 1 else ():
        stay: list[Untagged] = []
        for line in reply.untagged:
            found = _CORRELATOR.match(line.pieces[0]) if line.kind == "ESEARCH" else None
            meant = replies.get(found[1], reply) if found else reply
            if meant is reply:
                stay.append(line)
            else:
                astray.append((meant, line))
        reply.untagged[:] = stay
    for meant, line in astray:
        meant.untagged.append(line)


def _at_once(size: int, capabilities: frozenset[str]) -> bool:
    """Return whether a literal of this size may be sent without waiting (RFC 7888 §4, §5)."""
    return "LITERAL+" in capabilities or ("LITERAL-" in capabilities and size <= LITERAL_MINUS)


def _spelled(command: Sequence[bytes], end: bytes) -> Iterator[bytes]:
    """Write a command of alternating text and literals; `end` follows a literal's size."""
    for text, literal in zip(command[::2], command[1::2], strict=False):
        yield one_line(text) + b"{%d" % len(literal) + end + literal
    yield one_line(command[-1]) if len(command) % 2 else b""
