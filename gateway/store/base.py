"""The interface of a message store, in the terms of IMAP (RFC 9051).

Nothing here may know of handhelds, and nothing that uses a store may know of its server. Every call about a
message takes a MessageRef; a stale one raises MailboxGone or MessageGone and never affects another message.
Any argument of a command with NUL, CR or LF in it raises UnsafeArgument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from gateway.message.model import Envelope, Message
from gateway.message.query import Query
from gateway.store.abilities import Can, Order
from gateway.store.session_cache import SessionCache

SEEN = "\\Seen"
ANSWERED = "\\Answered"
FLAGGED = "\\Flagged"
DELETED = "\\Deleted"
DRAFT = "\\Draft"

INBOX = "INBOX"
#: Messages in the result of a search.
MOST_HITS = 500
#: Whose mailboxes a namespace contains (RFC 2342 §1).
PERSONAL, OTHERS, SHARED = "personal", "others", "shared"


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Identifies one message permanently: mailbox name (Unicode), UIDVALIDITY and UID (RFC 9051 §2.3.1.1)."""

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
    """One mailbox in the mailbox tree.

    `path`: its names from the root of its namespace down. `role`: its use ("inbox", "sent" …), else "". `total`,
    `unseen` and `uidvalidity` belong together; None and 0 if unknown. `uidnext` is above every UID at that moment. A
    folder that is not `open` contains no messages, only `children`.
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


class FolderList(tuple[Folder, ...]):
    """Folders in display order. Not `whole`: there are more than can be listed. `source` lives as long as the list."""

    whole: bool
    source: object

    def __new__(cls, folders: Iterable[Folder] = (), whole: bool = True, source: object = None) -> Self:
        made = super().__new__(cls, folders)
        made.whole, made.source = whole, source
        return made


@dataclass(frozen=True, slots=True)
class Quota:
    """Storage quota, in octets (RFC 9208)."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Window:
    """A range of message sequence numbers: `rows` of them downwards from `top` (None: the newest)."""

    rows: int
    top: int | None = None

    def numbers(self, exists: int) -> range:
        """Return the sequence numbers of the range in a mailbox of this many messages, ascending."""
        highest = exists if self.top is None else max(min(self.top, exists), min(1, exists))
        return range(max(1, highest - self.rows + 1), highest + 1)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows of one message. `received` is INTERNALDATE; `attached`: it has real attachments.

    One that is not `readable` exists, but the server could not report its header.
    """

    ref: MessageRef
    sequence: int
    envelope: Envelope
    flags: frozenset[str] = frozenset()
    received: datetime | None = None
    octets: int = 0
    attached: bool = False
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """One window of a mailbox, newest first. `top` is the sequence number of the first row (0: none).

    `undeleted`: messages in the mailbox that the server has recently reported as deleted.
    """

    mailbox: str
    uidvalidity: int
    exists: int
    unseen: int | None
    top: int
    summaries: tuple[Summary, ...]
    undeleted: int = 0


@dataclass(frozen=True, slots=True)
class Emptied:
    """The result of emptying: messages `marked` as deleted, and those of them `gone`; the server removes the rest
    later."""

    marked: int
    gone: int


EVERYTHING = slice(None)


@dataclass(frozen=True, slots=True)
class ListPosition:
    """A position in a list that stays valid when mail arrives: a rank from 1, and the UID that had it (0: any).

    `before`: the page ends here, instead of beginning here. `part`: which of the two lists of UNREAD it is in.
    """

    rank: int = 1
    uid: int = 0
    before: bool = False
    part: int = 0


FIRST = ListPosition()


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row of a found list, and its position; in THREADS the newest of `messages`, unseen if any of them is."""

    summary: Summary
    position: ListPosition
    messages: int = 1


@dataclass(frozen=True, slots=True)
class FoundList:
    """A range of a list that the server has sorted or filtered. `rank` is that of the first line (0: none).

    `order` is ARRIVAL if the server could not sort as requested, `filtered` False if it could not filter. `count`: rows
    of the whole list. `newest`: only this many of the newest messages were searched (0: all). `beyond`: the position
    after the range. `undeleted`: as in Listing.
    """

    mailbox: str
    uidvalidity: int
    exists: int
    unseen: int | None
    order: Order
    count: int
    rank: int
    lines: tuple[ListRow, ...]
    beyond: ListPosition | None = None
    newest: int = 0
    filtered: bool = True
    undeleted: int = 0


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result of a search: newest first, at most MOST_HITS of `count`.

    `searched` of `total` messages were searched before there were enough hits, or time was up. `unsure`: the server's
    search is only an approximation. `skipped`: mailboxes that could not be opened.
    """

    refs: tuple[MessageRef, ...]
    count: int
    searched: int
    total: int
    unsure: bool = False
    skipped: int = 0


class StoredNotes(Protocol):
    """Keeps small JSON objects of one person, sealed, for a store that cannot keep them itself. Raise StateError."""

    def get(self, kind: str, name: str = "") -> dict[str, Any] | None: ...

    def change(
        self,
        kind: str,
        name: str,
        update: Callable[[dict[str, Any] | None], dict[str, Any] | None],
        most: int = 0,
    ) -> dict[str, Any] | None: ...


class MailStore(Protocol):
    """A signed-in connection to one person's mail, held for one request; not thread-safe."""

    @property
    def cache(self) -> SessionCache:
        """What this connection's pages were made from: its users' own values, which are dropped with it."""

    @property
    def can(self) -> Can:
        """What this store can do."""

    def lent(
        self, connect: Callable[[], MailStore], notes: StoredNotes | None = None
    ) -> AbstractContextManager[None]:
        """Provide a way to reconnect, and a place for notes, within the block.

        The way to reconnect knows the password, which nobody keeps between leases.
        """

    def close(self) -> None:
        """Leave the server; may be called any number of times."""

    def mailboxes(self) -> tuple[Mailbox, ...]: ...

    def summaries(self, mailbox: str, window: Window) -> Listing:
        """Fetch one window. Raise MailboxGone if there is no such mailbox."""

    def found(
        self,
        mailbox: str,
        query: Query,
        order: Order,
        position: ListPosition = FIRST,
        rows: int = 9,
        thread: int = 0,
    ) -> FoundList:
        """Fetch a range of a query's result, in an order; of one thread only, if a UID of it is given.

        The query must not need message text: round trips and octets do not grow with the mailbox. Raise
        MailboxGone.
        """

    def search(self, query: Query, mailboxes: Sequence[str]) -> SearchResult:
        """Search mailboxes, in bounded time. Raise CannotSearch for characters that the server does not support."""

    def summaries_of(self, refs: Sequence[MessageRef]) -> tuple[Summary, ...]:
        """Fetch these messages, in this order, at most 100; those that are gone are left out."""

    def structure(self, ref: MessageRef) -> Message:
        """Fetch envelope, flags, structure and some header fields, in one command, never a body."""

    def octets(self, ref: MessageRef, section: str, start: int = 0) -> Iterator[bytes]:
        """Yield the section's octets, still transfer-encoded, from `start`, fetched in pieces as they are pulled.

        Never sets \\Seen. Pieces are up to 32 KiB. Section "" is the whole message, "HEADER" its header.
        """

    def flag(self, refs: Iterable[MessageRef], flags: Iterable[str], present: bool = True) -> None:
        """Add flags (or with present=False remove them). Refs share one mailbox."""

    def enter(self, ref: MessageRef) -> None:
        """Make sure that the mailbox of a message still exists with its UIDVALIDITY. Raise MailboxGone."""

    def move(self, refs: Iterable[MessageRef], mailbox: str) -> tuple[MessageRef | None, ...]:
        """Move messages and return their new refs (None: not reported by the server).

        Raise MessageGone if none is there, TargetGone if there is no such mailbox, PartlyDone if only some
        were moved. Never expunges another message: without MOVE and UIDPLUS the originals stay, flagged
        \\Deleted.
        """

    def copy(self, refs: Iterable[MessageRef], mailbox: str) -> tuple[MessageRef | None, ...]:
        """Copy messages and return the refs of the copies; errors as in `move`."""

    def delete(self, refs: Iterable[MessageRef]) -> None:
        """Delete messages permanently; if they cannot be expunged alone they are flagged \\Deleted."""

    def flags(self, refs: Iterable[MessageRef]) -> dict[MessageRef, frozenset[str]]:
        """Fetch the current flags of messages; those that are gone are left out."""

    def keeps(self, ref: MessageRef, flag: str) -> bool:
        """Return whether the mailbox of a message stores this flag or keyword permanently."""

    def neighbour(self, ref: MessageRef, older: bool, unread: bool = False) -> MessageRef | None:
        """Return the next (or next unread) message in one direction; the given one need not exist any more."""

    def newest(self, mailbox: str, most: int) -> tuple[MessageRef, ...]:
        """Return the newest messages that are not flagged \\Deleted, at most `most`, oldest first."""

    def append(
        self, mailbox: str, octets: bytes, flags: Iterable[str] = (), when: datetime | None = None
    ) -> MessageRef | None:
        """Store a message; return its ref if the server reports it (UIDPLUS). Raise MailboxGone on TRYCREATE."""

    def folders(self, all: bool = False, counted: slice = EVERYTHING) -> FolderList:
        """List the subscribed mailboxes (with `all`: all) in display order, with their counts.

        If none is subscribed, all are listed. If counting is expensive, only the slice `counted` of the result has
        counts, and at most its first 100.
        """

    def folder(self, mailbox: str) -> Folder:
        """Describe one mailbox as it is now. Raise MailboxGone."""

    def create(self, mailbox: str, whole: bool = False) -> str:
        """Create and subscribe a mailbox; one that exists already is fine.

        Return its full name: one outside all namespaces gets the personal prefix. `whole`: the name is taken as it is,
        for one below another mailbox.
        """

    def rename(self, old: str, new: str) -> None:
        """Rename a mailbox with its children and subscriptions. Raise StoreRefused for one with a role."""

    def remove(self, mailbox: str) -> None:
        """Delete a mailbox. Raise StoreRefused for one with a role, MailboxHasChildren for one with others in it."""

    def subscribe(self, mailbox: str, yes: bool = True) -> None:
        """Subscribe or unsubscribe a mailbox."""

    def empty(self, mailbox: str, uidvalidity: int, below: int) -> Emptied:
        """Delete the messages with UIDs less than `below` from Trash or Junk, and no others.

        Raise StoreRefused for any other mailbox, MailboxGone if its UIDVALIDITY has changed.
        """

    def quota(self) -> Quota | None:
        """Return the storage quota; None if the server does not report one or sets no limit."""

    def takes_back(self, mailbox: str) -> bool:
        """Return whether messages moved out of a mailbox can be moved back, as far as that is known.

        A virtual mailbox, which shows messages of others, accepts none.
        """

    def special(self, role: str) -> str | None:
        """Return the person's mailbox with a role ("sent", "drafts" …): never one that others may read as theirs."""

    def special_or_new(self, role: str) -> str:
        """Return the person's mailbox with a role, created if missing."""

    def roles(self) -> dict[str, str]:
        """Return the name of the person's mailbox for each role that has one."""

    def find_by_field(self, mailbox: str, field: str, text: str) -> MessageRef | None:
        """Find the newest message with this text in a header field that is not flagged \\Deleted.

        Raise MailboxGone.
        """

    def find_id(self, mailbox: str, message_id: str) -> MessageRef | None:
        """Find the newest message with this Message-ID or Resent-Message-ID that is not flagged \\Deleted.

        Raise MailboxGone.
        """

    def copies(self, mailbox: str, message_id: str) -> list[MessageRef]:
        """Find all messages with this id, as `find_id` does, by UID. Raise MailboxGone."""
