"""What every message store can do, in the words of IMAP (RFC 9051).

Nothing here may know of handhelds, and nothing below `store` may know of a server. Every call about a message
takes a MessageRef; a stale one raises MailboxGone or MessageGone and never touches another message. Every
argument that reaches a command is refused with UnsafeArgument if it holds NUL, CR or LF.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.message.model import Envelope, Message

SEEN = "\\Seen"
ANSWERED = "\\Answered"
FLAGGED = "\\Flagged"
DELETED = "\\Deleted"
DRAFT = "\\Draft"


@dataclass(frozen=True, slots=True)
class MessageRef:
    """One message for good: mailbox name (Unicode), UIDVALIDITY and UID (RFC 9051 §2.3.1.1)."""

    mailbox: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One row of LIST: `name` in Unicode, `attributes` as the server spells them ("\\Sent", "\\Noselect")."""

    name: str
    delimiter: str = "/"
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of message sequence numbers: `rows` of them downwards from `top` (None: the newest)."""

    rows: int
    top: int | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows of one message. `received` is INTERNALDATE; `attached` means a real attachment."""

    ref: MessageRef
    sequence: int
    envelope: Envelope
    flags: frozenset[str] = frozenset()
    received: datetime | None = None
    octets: int = 0
    attached: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """One window of a mailbox, newest first. `top` is the sequence number of the first row (0: none)."""

    mailbox: str
    uidvalidity: int
    exists: int
    unseen: int | None
    top: int
    summaries: tuple[Summary, ...]


class MailStore(Protocol):
    """A signed-in connection to one person's mail, lent for one request; not thread-safe."""

    @property
    def capabilities(self) -> frozenset[str]: ...

    def mailboxes(self) -> tuple[Mailbox, ...]: ...

    def summaries(self, mailbox: str, window: Window) -> Listing:
        """Fetch one window. Raise MailboxGone when there is no such mailbox."""

    def structure(self, ref: MessageRef) -> Message:
        """Fetch envelope, flags, structure and some header fields, in one command, never a body."""

    def octets(self, ref: MessageRef, section: str, start: int = 0) -> Iterator[bytes]:
        """Yield the section's octets, still transfer-encoded, from `start`, fetched piece by piece as pulled.

        Never sets \\Seen. Pieces are up to 32 KiB. Section "" is the whole message, "HEADER" its header.
        """

    def flag(self, refs: Iterable[MessageRef], flags: Iterable[str], present: bool = True) -> None:
        """Add (or with present=False remove) flags. Refs share one mailbox."""

    def append(
        self, mailbox: str, octets: bytes, flags: Iterable[str] = (), when: datetime | None = None
    ) -> MessageRef | None:
        """Store a message; the ref where the server says it (UIDPLUS). Raise MailboxGone on TRYCREATE."""

    def create(self, mailbox: str) -> None:
        """Create and subscribe a mailbox; one that exists already is fine."""

    def special(self, attribute: str, names: Iterable[str]) -> str | None:
        """Name the mailbox with this special-use attribute, else the first existing one of `names`."""
