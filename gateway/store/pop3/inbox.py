"""The part of the store that a POP3 server lacks: other mailboxes, flags on the server, search, storing.

Nothing here may ask the server anything. Whatever the store's `can` does not promise raises NotSupported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NoReturn

from gateway.errors import CannotSearchAtAll, NotSupported
from gateway.message.query import Query
from gateway.store.abilities import Can
from gateway.store.base import (
    EVERYTHING,
    INBOX,
    SEEN,
    Emptied,
    Folder,
    FolderList,
    Mailbox,
    MessageRef,
    Quota,
    SearchResult,
)
from gateway.store.pop3.retrieving import UIDVALIDITY, Retrieving

#: What this store can do, whatever its server announces.
CAN: Final = Can(seen=True, delete=True, expunge=True)


class OneMailbox(Retrieving):
    """A store whose only mailbox is the inbox."""

    @property
    def can(self) -> Can:
        """What this store can do."""
        return CAN

    def mailboxes(self) -> tuple[Mailbox, ...]:
        """Return the inbox."""
        return (Mailbox(INBOX, ""),)

    def folders(self, all: bool = False, counted: slice = EVERYTHING) -> FolderList:
        """Return the inbox, without counts."""
        return FolderList((self.folder(INBOX),))

    def folder(self, mailbox: str) -> Folder:
        """Describe the inbox. Raise MailboxGone for another name."""
        self._require(mailbox)
        return Folder(Mailbox(INBOX, ""), (INBOX,), role="inbox", subscribed=True, uidvalidity=UIDVALIDITY)

    def enter(self, ref: MessageRef) -> None:
        """Make sure that a message can be in this mailbox. Raise MailboxGone."""
        self._require(ref.mailbox, ref.uidvalidity)

    def keeps(self, ref: MessageRef, flag: str) -> bool:
        r"""Return whether a flag is kept: only \Seen, by us."""
        return flag == SEEN

    def roles(self) -> dict[str, str]:
        """Return the inbox."""
        return {"inbox": INBOX}

    def special(self, role: str) -> str | None:
        """Return the inbox for its own role."""
        return self.roles().get(role)

    def takes_back(self, mailbox: str) -> bool:
        """Return False: nothing can be moved."""
        return False

    def quota(self) -> Quota | None:
        """Return None: POP3 has no quota."""
        return None

    def find_by_field(self, mailbox: str, field: str, text: str) -> MessageRef | None:
        """Find nothing: callers look for what was stored by us, and nothing can be stored."""
        return None

    def find_id(self, mailbox: str, message_id: str) -> MessageRef | None:
        """Find nothing, as above."""
        return None

    def copies(self, mailbox: str, message_id: str) -> list[MessageRef]:
        """Find nothing, as above."""
        return []

    # --- what cannot be done ---

    def search(self, query: Query, mailboxes: Sequence[str]) -> SearchResult:
        raise CannotSearchAtAll("POP3")

    def special_or_new(self, role: str) -> str:
        return self._cannot("a folder")

    def move(self, refs: Iterable[MessageRef], mailbox: str) -> tuple[MessageRef | None, ...]:
        return self._cannot("moving")

    def copy(self, refs: Iterable[MessageRef], mailbox: str) -> tuple[MessageRef | None, ...]:
        return self._cannot("copying")

    def append(
        self, mailbox: str, octets: bytes, flags: Iterable[str] = (), when: datetime | None = None
    ) -> MessageRef | None:
        return self._cannot("storing")

    def create(self, mailbox: str, whole: bool = False) -> str:
        return self._cannot("a folder")

    def rename(self, old: str, new: str) -> None:
        self._cannot("a folder")

    def remove(self, mailbox: str) -> None:
        self._cannot("a folder")

    def subscribe(self, mailbox: str, yes: bool = True) -> None:
        self._cannot("a folder")

    def empty(self, mailbox: str, uidvalidity: int, below: int) -> Emptied:
        return self._cannot("a folder")

    def _cannot(self, what: str) -> NoReturn:
        raise NotSupported(f"POP3 has no such thing: {what}")
