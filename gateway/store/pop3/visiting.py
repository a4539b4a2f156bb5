"""One visit to a maildrop: a connection that begins when it is needed and ends with the lease.

Nothing here may keep a maildrop locked between requests: no other program could read it in the meantime (RFC 1939 §4).
What stays between leases is what was read, not the connection. The requests of this process to one maildrop wait for
each other; another program's visit is waited for briefly, then an error reports it.

Standard: RFC 1939 §3–§6.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final
from weakref import WeakValueDictionary

from gateway import computing
from gateway.config import Server
from gateway.errors import MaildropLocked, StoreRefused, StoreUnreachable
from gateway.store.base import MailStore, StoredNotes
from gateway.store.pop3 import answers, entering
from gateway.store.pop3.answers import MalformedResponse
from gateway.store.pop3.connection import BoundedPOP3, MaildropTraffic, farewell
from gateway.store.pop3.maildrop import Maildrop
from gateway.store.pop3.seen_marks import SeenMarks
from gateway.store.server_text import safe
from gateway.upstreams import deadline

#: Seconds to wait for another request of this process, and before each retry during another program's visit.
PATIENCE_SECONDS: Final = 8.0
LOCKED_SECONDS: Final = (0.5, 1.5)


class _Turn:
    """Whose turn it is at one maildrop; it exists as long as somebody has it, or is waiting for it."""

    def __init__(self) -> None:
        self.lock = Lock()

    def end(self) -> None:
        self.lock.release()


_TURNS: WeakValueDictionary[tuple[Server, str], _Turn] = WeakValueDictionary()
_turns: Final = Lock()


def open_maildrop(server: Server, user: str, password: str) -> BoundedPOP3:
    """Open a signed-in connection when it is this request's turn; raise the StoreError that says why that failed."""
    safe(user)
    safe(password)
    with _turns:
        turn = _TURNS.setdefault((server, user), _Turn())
    try:
        with computing.waiting():
            mine = turn.lock.acquire(timeout=deadline.left(PATIENCE_SECONDS))
        if not mine:
            raise TimeoutError
    except TimeoutError:
        raise MaildropLocked("another request of this gateway") from None
    try:
        connection = _signed_in(server, user, password)
    except BaseException:
        turn.end()
        raise
    connection.on_close = turn.end
    return connection


def _signed_in(server: Server, user: str, password: str) -> BoundedPOP3:
    for seconds in (*LOCKED_SECONDS, None):
        opened = entering.open_connection(server)
        try:
            entering.sign_in(opened, user, password)
            return opened.connection
        except MaildropLocked:
            farewell(opened.connection)
            if seconds is None:
                raise
        except BaseException:
            farewell(opened.connection)
            raise
        with computing.waiting():
            time.sleep(seconds)
    raise AssertionError


class MaildropVisit:
    """A maildrop that is visited when something from it is needed."""

    def __init__(self, connection: BoundedPOP3) -> None:
        self._connection: BoundedPOP3 | None = connection
        self._connect: Callable[[], MailStore] | None = None
        self._maildrop: Maildrop | None = None
        self._seen = SeenMarks()
        self._broken = False

    @property
    def traffic(self) -> MaildropTraffic:
        """The traffic of the connection so far."""
        return self._connection.traffic if self._connection is not None else MaildropTraffic()

    @property
    def broken(self) -> bool:
        """Whether a conversation has failed since the lease began."""
        return self._broken or (self._connection is not None and self._connection.broken)

    def is_usable(self, idle: float) -> bool:
        """Return whether this can be leased: always, since each lease reconnects."""
        return not self._broken

    @contextmanager
    def lent(self, connect: Callable[[], MailStore], notes: StoredNotes | None = None) -> Iterator[None]:
        """Provide a way to connect, and a place for notes, within the block; leave the maildrop afterwards."""
        self._connect, self._seen = connect, SeenMarks(notes)
        try:
            yield
        finally:
            self._connect = None
            self.close()

    def close(self) -> None:
        """Leave the maildrop; may be called any number of times."""
        self._leave()

    # --- within a visit ---

    def _line(self) -> BoundedPOP3:
        """Return the connection, opening it if there is none."""
        if self._connection is None:
            if self._connect is None:
                raise StoreUnreachable("nobody lent a way to connect")
            fresh = self._connect()
            assert isinstance(fresh, MaildropVisit)
            self._connection, fresh._connection = fresh._connection, None
            self._maildrop = None
            assert self._connection is not None
        return self._connection

    def _listed(self) -> Maildrop:
        """Return the messages that exist, as of this visit."""
        if self._maildrop is None or self._connection is None:
            line = self._line()
            with line.listening():
                self._maildrop = Maildrop(*_listings(line), line.ledger)
            if not len(self._maildrop):
                _require_empty(line)
        return self._maildrop

    def _leave(self) -> None:
        """End this visit, if there is one; the next request for something begins another."""
        self._broken = self.broken
        connection, self._connection, self._maildrop = self._connection, None, None
        if connection is not None:
            farewell(connection)

    def _finish(self) -> None:
        """Have the server delete what is marked as deleted. Raise StoreRefused, or StoreUnreachable: then nobody
        knows."""
        connection, self._connection = self._line(), None
        try:
            reply = connection.leave()
        except StoreUnreachable:
            self._broken = True
            raise
        if not reply.ok:
            raise StoreRefused(str(reply))


def _listings(line: BoundedPOP3) -> tuple[Iterable[bytes], Iterable[bytes]]:
    """Return the lines of LIST and those of UIDL, to be read in this order; none if a command is refused."""

    def lines(command: bytes, first: bool) -> Iterator[bytes]:
        if first or not line.pipelining:
            line.transmit([command, b"UIDL"] if first and line.pipelining else [command])
        if line.status().ok:
            yield from line.rows()

    return lines(b"LIST", True), lines(b"UIDL", False)


def _require_empty(line: BoundedPOP3) -> None:
    """Make sure that a maildrop for which no message was listed is empty: a server may have refused to list it."""
    reply = line.ask(b"STAT")
    try:
        count = answers.scan(reply.text.encode())[0] if reply.ok else 1
    except MalformedResponse:
        count = 1
    if count:
        raise StoreRefused(f"the messages are not listed: {reply}")
