"""The part of the store that changes the mailbox tree, and empties Trash and Junk.

Nothing here may touch INBOX or a mailbox with a role except to empty it, or expunge a message that was not counted when
the person was asked: UID EXPUNGE covers only UIDs below the UIDNEXT of that moment. Without UIDPLUS the messages stay,
flagged \\Deleted, since a plain EXPUNGE would remove others, too. Standard: RFC 9051 §6.3.4-§6.3.8; RFC 4315 §2.1 (UID
EXPUNGE); RFC 3691 (UNSELECT).
"""

from __future__ import annotations

from gateway.errors import MailboxGone, MailboxHasChildren, StoreRefused
from gateway.store import mailbox_tree
from gateway.store.base import INBOX, Emptied, Folder
from gateway.store.imap.exchange import refusal
from gateway.store.imap.features import Feature
from gateway.store.imap.fetched import FetchItems, uid_of
from gateway.store.imap.mailboxes import MailboxLists
from gateway.store.imap.response import MAX_NUMBER, number, safe
from gateway.store.imap.search import criteria


class Upkeep(MailboxLists):
    """A connection that changes the mailbox tree."""

    def create(self, mailbox: str, whole: bool = False) -> str:
        """Create and subscribe a mailbox, or only subscribe an existing one; return its full name."""
        safe(mailbox)
        if not whole:
            self._know_namespaces()
            mailbox = mailbox_tree.whole_name(mailbox, self.namespaces)
        name = self._argument(mailbox)
        created, _ = self._run(b"CREATE " + name, b"SUBSCRIBE " + name)
        if not created.ok and created.status.code != "ALREADYEXISTS" and not self._is_there(mailbox):
            self._run(b"UNSUBSCRIBE " + name)
            error = refusal(created)
            raise error if not isinstance(error, MailboxGone) else StoreRefused(error.detail)
        return mailbox

    def special_or_new(self, role: str) -> str:
        """Return the person's mailbox with a role, created if missing."""
        found = self.special(role)
        if found is None:
            self._know_namespaces()
            found = self.create(mailbox_tree.name_for(role, self.named, self.namespaces))
        return found

    def _know_namespaces(self) -> None:
        """List everything once, unless the server has reported its namespaces."""
        if self._spaces is None:
            self.mailboxes()

    def _is_there(self, mailbox: str) -> bool:
        found = self._listed(mailbox)
        self._take([b'LIST "" ' + self._argument(mailbox)], found)
        return mailbox in found.mailboxes

    def rename(self, old: str, new: str) -> None:
        """Rename a mailbox with its children, and its subscriptions, which servers do not rename."""
        found = self._list(about=old)
        folder = self._ordinary(old, self._tree(found))
        below = old + (folder.mailbox.delimiter or "\0")
        self._leave(old, below)
        self._through(self._exchange.rename_folder, self._argument(old), self._argument(new))
        moved = sorted(name for name in found.subscribed if name == old or name.startswith(below))
        self._run(*(b"SUBSCRIBE " + self._argument(new + name.removeprefix(old)) for name in moved))
        self._run(*(b"UNSUBSCRIBE " + self._argument(name) for name in moved))

    def remove(self, mailbox: str) -> None:
        """Delete a mailbox without children, and its subscription."""
        folder = self._ordinary(mailbox, self._tree(self._list(about=mailbox)))
        if folder.children:
            raise MailboxHasChildren("has children")
        self._leave(mailbox, mailbox)
        self._through(self._exchange.delete_folder, self._argument(mailbox))
        self._run(b"UNSUBSCRIBE " + self._argument(mailbox))

    def subscribe(self, mailbox: str, yes: bool = True) -> None:
        """Subscribe or unsubscribe a mailbox."""
        change = self._exchange.subscribe_folder if yes else self._exchange.unsubscribe_folder
        self._through(change, self._argument(mailbox))

    def empty(self, mailbox: str, uidvalidity: int, below: int) -> Emptied:
        """Delete the messages with UIDs less than `below` from Trash or Junk, and no others."""
        folder = self.folder(mailbox)
        if folder.role not in mailbox_tree.EMPTIED:
            raise StoreRefused("neither Trash nor Junk")
        self._select(mailbox)
        if self._uidvalidity != uidvalidity:
            raise MailboxGone(f"UIDVALIDITY is {self._uidvalidity} now")
        if not 1 < below <= MAX_NUMBER:
            return Emptied(0, 0)
        uids = b"1:%d" % (below - 1)
        marked = self._count(below - 1)
        self._asked(b"UID STORE " + uids + b" +FLAGS.SILENT (\\Deleted)")
        if not self._offers(Feature.EXPUNGE_ALONE):
            return Emptied(marked, 0)
        self._asked(b"UID EXPUNGE " + uids)
        return Emptied(marked, marked)

    # --- before and after ---

    def _count(self, last: int) -> int:
        """Count the messages of the selected mailbox up to a UID: as one number if the server can."""
        return self._best(
            (
                Feature.EXTENDED_SEARCH,
                lambda: number(
                    criteria.esearch(self._asked(b"UID SEARCH RETURN (COUNT) UID 1:%d" % last)).get(b"COUNT")
                ),
            ),
            (Feature.SEARCH, lambda: len(criteria.numbers(self._asked(b"UID SEARCH UID 1:%d" % last)))),
            (None, lambda: self._counted_down(last)),
        )

    def _counted_down(self, last: int) -> int:
        """Count the messages up to a UID on a server that does not search: all except those above, which are few."""
        found: dict[int, FetchItems] = {}
        self._run(b"UID FETCH %d:* (UID)" % (last + 1), rows=found)
        # The last message is in every range that ends with "*".
        return self._exists - sum(uid_of(row) > last for row in found.values())

    def _ordinary(self, mailbox: str, folders: tuple[Folder, ...]) -> Folder:
        """Return a mailbox that may be renamed and deleted."""
        for folder in folders:
            if folder.name == mailbox:
                if folder.role or mailbox.upper() == INBOX:
                    raise StoreRefused("it has a role")
                return folder
        raise MailboxGone("not in the list any more")

    def _leave(self, mailbox: str, below: str) -> None:
        """Leave a mailbox: some servers do not delete or rename the selected one."""
        if self._selected is not None and (self._selected == mailbox or self._selected.startswith(below)):
            self._select(INBOX)
