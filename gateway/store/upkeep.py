"""Changing the tree of mailboxes, and emptying Trash and Junk.

Nothing here may touch INBOX or a mailbox with a role but to empty it, or expunge a message that was not counted
when the person was asked: UID EXPUNGE takes only UIDs below the one that the server would have given next at that
moment. Where the server has no UIDPLUS the messages stay, flagged \\Deleted, since EXPUNGE alone would take those
of others along. Standard: RFC 9051 §6.3.4-§6.3.8; RFC 4315 §2.1 (UID EXPUNGE); RFC 3691 (UNSELECT).
"""

from __future__ import annotations

from gateway.errors import MailboxGone, MailboxHasChildren, StoreRefused
from gateway.store import tree
from gateway.store.base import INBOX, Emptied, Folder
from gateway.store.exchange import refusal
from gateway.store.folders import Folders
from gateway.store.response import MAX_NUMBER, Reply, safe


class Upkeep(Folders):
    """A connection that keeps the tree of mailboxes in order."""

    def create(self, mailbox: str) -> str:
        """Create and subscribe a mailbox, or only subscribe the one that is there; return its whole name."""
        safe(mailbox)
        if self._spaces is None and "NAMESPACE" in self._capabilities:
            self._list(False)
        mailbox = tree.whole_name(mailbox, self._spaces or tree.ONE_NAMESPACE)
        name = self._argument(mailbox)
        created, _ = self._run(b"CREATE " + name, b"SUBSCRIBE " + name)
        if not created.ok and created.status.code != "ALREADYEXISTS" and not self._is_there(mailbox):
            self._run(b"UNSUBSCRIBE " + name)
            error = refusal(created)
            raise error if not isinstance(error, MailboxGone) else StoreRefused(error.detail)
        return mailbox

    def _is_there(self, mailbox: str) -> bool:
        return any(found.name == mailbox for found in self.mailboxes())

    def rename(self, old: str, new: str) -> None:
        """Rename a mailbox with all below it; subscriptions go along, which servers leave behind."""
        found = self._list(False)
        folder = self._ordinary(old, self._tree(found))
        below = old + (folder.mailbox.delimiter or "\0")
        self._leave(old, below)
        self._must(b"RENAME " + self._argument(old) + b" " + self._argument(new))
        moved = sorted(name for name in found.subscribed if name == old or name.startswith(below))
        self._run(*(b"SUBSCRIBE " + self._argument(new + name.removeprefix(old)) for name in moved))
        self._run(*(b"UNSUBSCRIBE " + self._argument(name) for name in moved))

    def remove(self, mailbox: str) -> None:
        """Delete a mailbox that has nothing below it, and its subscription."""
        folder = self._ordinary(mailbox, self._tree(self._list(False)))
        if folder.children:
            raise MailboxHasChildren("has children")
        self._leave(mailbox, mailbox)
        self._must(b"DELETE " + self._argument(mailbox))
        self._run(b"UNSUBSCRIBE " + self._argument(mailbox))

    def subscribe(self, mailbox: str, yes: bool = True) -> None:
        """Subscribe a mailbox, or end that."""
        self._must((b"SUBSCRIBE " if yes else b"UNSUBSCRIBE ") + self._argument(mailbox))

    def empty(self, mailbox: str, uidvalidity: int, below: int) -> Emptied:
        """Delete the messages with UIDs less than `below` from Trash or Junk, and no others."""
        folder = self.folder(mailbox)
        if folder.role not in tree.EMPTIED:
            raise StoreRefused("neither Trash nor Junk")
        self._select(mailbox)
        if self._uidvalidity != uidvalidity:
            raise MailboxGone(f"UIDVALIDITY is {self._uidvalidity} now")
        if not 1 < below <= MAX_NUMBER:
            return Emptied(0, 0)
        uids = b"1:%d" % (below - 1)
        there = self._must(b"UID SEARCH UID " + uids)
        marked = sum(len(line.pieces[0].split()) for line in there.untagged if line.kind == "SEARCH")
        self._must(b"UID STORE " + uids + b" +FLAGS.SILENT (\\Deleted)")
        if not {"UIDPLUS", "IMAP4REV2"} & self._capabilities:
            return Emptied(marked, 0)
        self._must(b"UID EXPUNGE " + uids)
        return Emptied(marked, marked)

    # --- before and after ---

    def _ordinary(self, mailbox: str, folders: tuple[Folder, ...]) -> Folder:
        """Find a mailbox that may be renamed and deleted."""
        for folder in folders:
            if folder.name == mailbox:
                if folder.role or mailbox.upper() == INBOX:
                    raise StoreRefused("it has a role")
                return folder
        raise MailboxGone("not in the list any more")

    def _leave(self, mailbox: str, below: str) -> None:
        """Have another mailbox selected: some servers do not delete or rename the one that is."""
        if self._selected is not None and (self._selected == mailbox or self._selected.startswith(below)):
            self._select(INBOX)

    def _must(self, command: bytes) -> Reply:
        (reply,) = self._run(command)
        if not reply.ok:
            raise refusal(reply)
        return reply
