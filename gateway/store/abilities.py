"""What a message store can do, and the orders of its lists."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum


class Order(Enum):
    """The order of a list: newest first, A to Z, largest first; THREADS is by conversation.

    ARRIVAL is by sequence number, which costs nothing; RECEIVED by INTERNALDATE, which mail keeps when it is moved.
    """

    ARRIVAL = "arrival"
    RECEIVED = "received"
    DATE = "date"
    SENDER = "sender"
    SUBJECT = "subject"
    SIZE = "size"
    UNREAD = "unread"
    THREADS = "threads"


@dataclass(frozen=True, slots=True)
class Can:
    """What a store can do. Screens, actions and sending read this, and offer nothing else.

    `seen`: keep which messages were read. `flag`: keep flags. `move`: move and copy between mailboxes. `delete`: delete
    messages. `folders`: there are other mailboxes besides the inbox. `search`: find messages, and filter lists. `sort`:
    list in other orders than by arrival. `received`: list by INTERNALDATE, whatever the size of the mailbox. `thread`:
    list by conversation. `undo`: moved messages can be moved back. `expunge`: deleted messages are gone at once;
    otherwise they stay, flagged \\Deleted. `move_at_once`: moving is one step, which leaves nothing behind. `append`:
    store messages, such as drafts and copies of sent mail.
    """

    seen: bool = False
    flag: bool = False
    move: bool = False
    delete: bool = False
    folders: bool = False
    search: bool = False
    sort: bool = False
    received: bool = False
    thread: bool = False
    undo: bool = False
    expunge: bool = False
    move_at_once: bool = False
    append: bool = False

    @property
    def change(self) -> bool:
        """Whether anything can be done with messages besides reading them."""
        return self.seen or self.flag or self.move or self.delete

    @property
    def leaves_originals(self) -> bool:
        """Whether moved messages stay behind, flagged \\Deleted."""
        return not self.move_at_once and not self.expunge

    @property
    def orders(self) -> frozenset[Order]:
        """The orders of lists."""
        found = {Order.ARRIVAL} | ({Order.UNREAD} if self.search else set())
        found |= {Order.DATE, Order.SENDER, Order.SUBJECT, Order.SIZE} if self.sort else set()
        found |= {Order.RECEIVED} if self.received else set()
        return frozenset(found | ({Order.THREADS} if self.thread else set()))


#: A store that can do everything.
EVERY_ABILITY = Can(*(True for _ in fields(Can)))
