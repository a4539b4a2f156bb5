"""Another mail program beside the walk: it prepares the mail, and reports afterwards what is there.

Nothing here may go through the gateway. Each look is a connection of its own, so that no server can show what it knew
before.
"""

from __future__ import annotations

import email
import email.policy
import imaplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage

from imapclient.imap_utf7 import decode, encode
from imapclient.response_parser import parse_response

from tests import PATIENCE

PASSWORD = "secret"


@dataclass(frozen=True)
class Lying:
    """A message as it is in a mailbox, not marked as deleted."""

    message: EmailMessage
    flags: str

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])


@dataclass(frozen=True)
class Side:
    """One user's mail, at a server's port without TLS."""

    port: int
    user: str

    @contextmanager
    def connected(self) -> Iterator[imaplib.IMAP4]:
        connection = imaplib.IMAP4("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.login(self.user, PASSWORD)
            yield connection
        finally:
            connection.logout()

    def put(self, octets: bytes, mailbox: str = "INBOX") -> None:
        with self.connected() as connection:
            said, why = connection.append(_quoted(mailbox), "", "", octets)
            assert said == "OK", (mailbox, why)

    def create(self, mailbox: str) -> None:
        """Make a mailbox unless it exists."""
        if mailbox not in self.mailboxes():
            with self.connected() as connection:
                assert connection.create(_quoted(mailbox))[0] == "OK", mailbox
                connection.subscribe(_quoted(mailbox))

    def mailboxes(self) -> set[str]:
        with self.connected() as connection:
            rows = connection.list()[1]
        parsed = [parse_response([row]) for row in rows if row]
        return {decode(name if isinstance(name, bytes) else str(name).encode()) for *_, name in parsed}

    def capabilities(self) -> frozenset[str]:
        with self.connected() as connection:
            return frozenset(connection.capability()[1][0].decode().upper().split())

    def messages(self, mailbox: str = "INBOX") -> list[Lying]:
        """Return the messages of a mailbox in order; none if there is no such mailbox."""
        with self.connected() as connection:
            if connection.select(_quoted(mailbox), readonly=True)[0] != "OK":
                return []
            numbers = connection.search(None, "UNDELETED")[1][0].split()
            return [_lying(connection, number.decode()) for number in numbers]

    def subjects(self, mailbox: str = "INBOX") -> list[str]:
        return [lying.subject for lying in self.messages(mailbox)]

    def flags(self, subject: str, mailbox: str = "INBOX") -> str:
        """Return the flags of the only message with this subject."""
        (found,) = (lying.flags for lying in self.messages(mailbox) if lying.subject == subject)
        return found


def _lying(connection: imaplib.IMAP4, number: str) -> Lying:
    flags = connection.fetch(number, "(FLAGS)")[1][0]
    octets = connection.fetch(number, "(BODY.PEEK[])")[1][0]
    assert isinstance(flags, bytes)
    assert isinstance(octets, tuple)
    parsed = email.message_from_bytes(octets[1], policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return Lying(parsed, flags.decode())


def _quoted(mailbox: str) -> str:
    escaped = encode(mailbox).decode().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
