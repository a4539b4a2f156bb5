"""A gateway's way out for mail, without its screens: sessions over real servers, and distinguishable mails.

Nothing here may know how sending works: it makes what `outbox.send` gets, and counts what arrived.
"""

from __future__ import annotations

import email
import imaplib
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway import submission
from gateway.access.session import Session
from gateway.access.sessions import Sessions
from gateway.config import Config, Server, Tls, Upstream
from gateway.sealed.vault import TicketedPost
from gateway.sending.outbox import Mail
from gateway.store.base import ANSWERED, MailStore, MessageRef
from gateway.store.pool import Pool
from tests import rig

SECRET = b"k" * 32
NOW = datetime(2026, 11, 3, 14, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Wiring:
    """Where the servers and the gateway's database are: what a process needs to be one of the gateway's workers."""

    state: str
    imap_port: int
    smtp_port: int
    imap_ca: str = ""  # none: without TLS
    smtp_ca: str = ""
    sent_copy: str = "append"
    per_hour: int = 100

    def config(self) -> Config:
        def server(protocol: str, port: int, ca: str) -> Server:
            tls = Tls.STARTTLS if ca else Tls.NONE
            return Server(protocol, "127.0.0.1", port, tls, Path(ca) if ca else None)

        upstream = Upstream(
            domains=("example.net",),
            store=server("imap", self.imap_port, self.imap_ca),
            smtp=server("smtp", self.smtp_port, self.smtp_ca),
            sent_copy=self.sent_copy,  # type: ignore[arg-type]
        )
        return Config(upstreams=(upstream,), timezone="Europe/Berlin", per_hour=self.per_hour)


@contextmanager
def worker(wiring: Wiring, submit: Callable[..., Any] = submission.submit) -> Iterator[Sessions]:
    """Be one process of the gateway."""
    with rig.state(Path(wiring.state)) as state, closing(Pool()) as pool:
        yield Sessions(wiring.config(), state, SECRET, pool, submit=submit)


def signed_in(sessions: Sessions, address: str) -> Session:
    return sessions.open(
        address,
        "secret",
        device="nokia7110",
        markup="wml",
        user_agent="",
        language="en",
        via="url",
        remote="192.0.2.1",
    )


def act(ticket: str, content: bytes = b"the same") -> TicketedPost:
    """Make the act of posting some content with a ticket."""
    return TicketedPost.of(ticket, content)


@dataclass(frozen=True)
class Letter:
    """What a person wants to send: `subject` belongs only to this letter, however often it becomes a message."""

    subject: str
    sender: str
    to: tuple[str, ...]
    answered: MessageRef | None = None
    draft: MessageRef | None = None
    text: str = "Hello."
    second: int = 0
    sent_on: bool = False

    @property
    def when(self) -> datetime:
        """When its writer presses Send, by which they recognize it."""
        return NOW + timedelta(seconds=self.second)

    def mail(self, store: MailStore | None = None) -> Mail:
        """Make a finished message, with a new Message-ID each time."""
        message_id = f"<{secrets.token_hex(12)}@example.net>"
        ids = f"Message-ID: {message_id}\r\n"
        if self.sent_on:
            ids = f"Resent-{ids}Message-ID: <original@example.net>\r\n"
        octets = (
            f"Date: Tue, 3 Nov 2026 14:05:00 +0100\r\nFrom: {self.sender}\r\nTo: {', '.join(self.to)}\r\n"
            f"Bcc: hidden@example.net\r\nSubject: {self.subject}\r\n{ids}"
            f"X-Pocketpost-Draft: 1\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n{self.text}\r\n"
        )
        return Mail(octets.encode(), self.sender, self.to, message_id, self.answered, ANSWERED, self.draft)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Letter:
        refs = {name: MessageRef(**values[name]) for name in ("answered", "draft") if values[name]}
        return cls(**{**values, **refs, "to": tuple(values["to"])})


@dataclass
class Box:
    """What is in one mailbox, seen from outside: subjects with their flags, without what is marked as deleted."""

    subjects: Counter[str] = field(default_factory=Counter)
    flags: dict[str, str] = field(default_factory=dict)
    octets: dict[str, bytes] = field(default_factory=dict)


def look(port: int, user: str, mailbox: str) -> Box:
    """Look into a mailbox over IMAP."""
    found = Box()
    connection = imaplib.IMAP4("127.0.0.1", port)
    try:
        connection.login(user, "secret")
        if connection.select(mailbox, readonly=True)[0] != "OK":
            return found
        numbers = connection.search(None, "UNDELETED")[1][0].split()
        if numbers:
            answer = connection.fetch(b",".join(numbers).decode(), "(FLAGS BODY.PEEK[])")[1]
            for said, octets in (item for item in answer if isinstance(item, tuple)):
                subject = str(email.message_from_bytes(octets)["Subject"])
                found.subjects[subject] += 1
                found.flags[subject] = said.decode()
                found.octets[subject] = octets
    finally:
        connection.logout()
    return found


def subjects(messages: Sequence[bytes]) -> Counter[str]:
    return Counter(str(email.message_from_bytes(octets)["Subject"]) for octets in messages)
