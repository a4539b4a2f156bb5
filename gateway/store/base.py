"""What every message store can do, in the words of IMAP (RFC 9051).

Nothing here may know of handhelds, and nothing below `store` may know of a server. Every call about a message
takes a MessageRef; a stale one raises MailboxGone or MessageGone and never touches another message. Every
argument that reaches a command is refused with UnsafeArgument if it holds NUL, CR or LF.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from gateway.message.model import Envelope, Message
from gateway.message.query import Query

SEEN = "\\Seen"
ANSWERED = "\\Answered"
FLAGGED = "\\Flagged"
DELETED = "\\Deleted"
DRAFT = "\\Draft"

INBOX = "INBOX"
#: Messages that a search finds at most.
MOST_HITS = 500
#: Whose mailboxes a namespace holds (RFC 2342 §1).
PERSONAL, OTHERS, SHARED = "personal", "others", "shared"


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
class Folder:
    """One mailbox in the tree of all of them.

    `path`: its names from the root of its namespace down. `role`: what it is for ("inbox", "sent" …), else "".
    `total`, `unseen` and `uidvalidity` are of one moment; None and 0 where they are not known. `uidnext` is above
    every UID of that moment. A folder that is not `open` holds no messages, only `children`.
    """

    mailbox: Mailbox
    path: tuple[str, ...]
    namespace: str = PERSONAL
    role: str = ""
    subscribed: bool = False
    open: bool = True
    children: bool = False
    total: int | None = None
    unseen: int | None = None
    uidvalidity: int = 0
    uidnext: int = 0

    @property
    def name(self) -> str:
        return self.mailbox.name


@dataclass(frozen=True, slots=True)
class Quota:
    """Room for mail, in octets (RFC 9208)."""

    used: int
    limit: int


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


@dataclass(frozen=True, slots=True)
class Emptied:
    """What became of messages: `marked` as deleted, and of them `gone`; the rest goes when the server likes."""

    marked: int
    gone: int


EVERYTHING = slice(None)


class Order(Enum):
    """In which order a list stands: the newest first, A to Z, the largest first; THREADS are lists in a list."""

    ARRIVAL = "arrival"
    DATE = "date"
    SENDER = "sender"
    SUBJECT = "subject"
    SIZE = "size"
    UNREAD = "unread"
    THREADS = "threads"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a list which stays there when mail comes: a rank from 1, and the UID that had it (0: any).

    `before`: what precedes the place, not what begins there. `part`: which of the two lists of UNREAD it is in.
    """

    rank: int = 1
    uid: int = 0
    before: bool = False
    part: int = 0


FIRST = Spot()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a found list, and its place. In THREADS it is the newest of `messages`, unseen if any of them is."""

    summary: Summary
    spot: Spot
    messages: int = 1


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of a list that the server has sorted or filtered. `rank` is that of the first line (0: none).

    `order` is ARRIVAL where the server could not do what was asked. `count`: lines of the whole list. `newest`: only
    so many of the newest messages were looked at (0: all). `beyond`: the place that follows.
    """

    mailbox: str
    uidvalidity: int
    exists: int
    unseen: int | None
    order: Order
    count: int
    rank: int
    lines: tuple[Line, ...]
    beyond: Spot | None = None
    newest: int = 0


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search came to: the newest first, at most MOST_HITS of `count`.

    `searched` of `total` messages were looked at before it was enough, or took too long. `unsure`: the server cannot
    tell exactly what was asked for. `skipped`: mailboxes that could not be opened.
    """

    refs: tuple[MessageRef, ...]
    count: int
    searched: int
    total: int
    unsure: bool = False
    skipped: int = 0


class MailStore(Protocol):
    """A signed-in connection to one person's mail, lent for one request; not thread-safe."""

    @property
    def capabilities(self) -> frozenset[str]: ...

    def mailboxes(self) -> tuple[Mailbox, ...]: ...

    def summaries(self, mailbox: str, window: Window) -> Listing:
        """Fetch one window. Raise MailboxGone when there is no such mailbox."""

    def orders(self) -> frozenset[Order]:
        """Say in which orders this server can list."""

    def found(
        self, mailbox: str, query: Query, order: Order, spot: Spot = FIRST, rows: int = 9, thread: int = 0
    ) -> Found:
        """Fetch a stretch of what a query finds, in an order; of one thread only, if a UID of it is given.

        The query is one that needs no text: round trips and octets do not grow with the mailbox. Raise MailboxGone.
        """

    def search(self, query: Query, mailboxes: Sequence[str]) -> Hits:
        """Search mailboxes, within a bounded time. Raise CannotSearch for letters that the server does not know."""

    def summaries_of(self, refs: Sequence[MessageRef]) -> tuple[Summary, ...]:
        """Fetch these messages, in this order, at most 100; what is gone meanwhile is left out."""

    def structure(self, ref: MessageRef) -> Message:
        """Fetch envelope, flags, structure and some header fields, in one command, never a body."""

    def octets(self, ref: MessageRef, section: str, start: int = 0) -> Iterator[bytes]:
        """Yield the section's octets, still transfer-encoded, from `start`, fetched piece by piece as pulled.

        Never sets \\Seen. Pieces are up to 32 KiB. Section "" is the whole message, "HEADER" its header.
        """

    def flag(self, refs: Iterable[MessageRef], flags: Iterable[str], present: bool = True) -> None:
        """Add (or with present=False remove) flags. Refs share one mailbox."""

    def enter(self, ref: MessageRef) -> None:
        """Be sure that the mailbox of a message is there now, and the same one. Raise MailboxGone."""

    def move(self, refs: Iterable[MessageRef], mailbox: str) -> tuple[MessageRef | None, ...]:
        """Move messages and say where each is now (None: the server does not tell).

        Raise MessageGone when none is there, TargetGone when there is no such mailbox, PartlyDone when only some
        were moved. Never expunges another message: what a poor server cannot move stays too, flagged \\Deleted.
        """

    def copy(self, refs: Iterable[MessageRef], mailbox: str) -> tuple[MessageRef | None, ...]:
        """Copy messages and say where each copy is; errors as those of `move`."""

    def delete(self, refs: Iterable[MessageRef]) -> None:
        """Delete messages for good; where they alone cannot be expunged they are flagged \\Deleted."""

    def flags(self, refs: Iterable[MessageRef]) -> dict[MessageRef, frozenset[str]]:
        """Fetch the flags of messages as they are now; those that are gone are not among them."""

    def keeps(self, ref: MessageRef, flag: str) -> bool:
        """Tell whether the mailbox of a message keeps this flag or keyword for good."""

    @property
    def leaves_originals(self) -> bool:
        """Tell whether `move` leaves the originals flagged \\Deleted."""

    def neighbour(self, ref: MessageRef, older: bool, unread: bool = False) -> MessageRef | None:
        """Name the message (or the unread one) before or after; it need not be there any more itself."""

    def newest(self, mailbox: str, most: int) -> tuple[MessageRef, ...]:
        """Name the newest messages that are not flagged \\Deleted, at most so many, oldest first."""

    def append(
        self, mailbox: str, octets: bytes, flags: Iterable[str] = (), when: datetime | None = None
    ) -> MessageRef | None:
        """Store a message; the ref where the server says it (UIDPLUS). Raise MailboxGone on TRYCREATE."""

    def folders(self, all: bool = False, counted: slice = EVERYTHING) -> tuple[Folder, ...]:
        """List the subscribed mailboxes (with `all`: all) in the order in which they are shown, with their counts.

        Where nothing is subscribed all are shown. Where counting costs, only that slice of what is returned, and at
        most the first 100 of it, have counts.
        """

    def folder(self, mailbox: str) -> Folder:
        """Describe one mailbox as it is now. Raise MailboxGone."""

    def create(self, mailbox: str) -> str:
        """Create and subscribe a mailbox; one that exists already is fine.

        Return its whole name: one that is in no namespace gets the personal prefix.
        """

    def rename(self, old: str, new: str) -> None:
        """Rename a mailbox with all below it; subscriptions go along. Raise StoreRefused for one with a role."""

    def remove(self, mailbox: str) -> None:
        """Delete a mailbox. Raise StoreRefused for one with a role, MailboxHasChildren for one with others in it."""

    def subscribe(self, mailbox: str, yes: bool = True) -> None:
        """Subscribe a mailbox, or end that."""

    def empty(self, mailbox: str, uidvalidity: int, below: int) -> Emptied:
        """Delete the messages with UIDs less than `below` from Trash or Junk, and no others.

        Raise StoreRefused for any other mailbox, MailboxGone when its UIDVALIDITY is not this one any more.
        """

    def quota(self) -> Quota | None:
        """Say how much room there is for mail; None where the server does not tell or sets no limit."""

    def special(self, attribute: str, names: Iterable[str]) -> str | None:
        """Name the mailbox with this special-use attribute, else the first existing one of `names`."""

    def find_id(self, mailbox: str, message_id: str) -> MessageRef | None:
        """Find the newest message with this Message-ID, or sent on with it, that is not marked as deleted.

        Raise MailboxGone.
        """
