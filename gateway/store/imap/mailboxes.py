"""The mailboxes of a person: their list with counts in one round trip, their uses, and the quota.

Nothing here may change anything. If the server can count in a list (LIST-STATUS), one command is enough; if not, LIST
and LSUB go in one write, and STATUS in a second, only for what is shown. Namespaces that "*" does not match are listed
by name; which ones these are is learned once per connection.

Standard: RFC 9051 §6.3.9 (LIST), §6.3.10 (NAMESPACE), §6.3.11 (STATUS); RFC 5258 (LIST-EXTENDED); RFC 5819
(LIST-STATUS); RFC 6154 (special-use); RFC 3501 §6.3.9 (LSUB); RFC 9208 (QUOTA).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from types import MappingProxyType

from gateway.errors import MailboxGone
from gateway.store import mailbox_tree
from gateway.store.base import (
    EVERYTHING,
    OTHERS,
    PERSONAL,
    SHARED,
    Folder,
    FolderList,
    Mailbox,
    Quota,
)
from gateway.store.imap.exchange import refusal
from gateway.store.imap.features import Feature
from gateway.store.imap.listed import ListedMailboxes
from gateway.store.imap.opening import mailbox_name
from gateway.store.imap.response import CommandResponse, ImapSyntaxError, Untagged, Value, number, octets
from gateway.store.imap.selected import Selected
from gateway.store.mailbox_tree import FoundBy, Namespace, SpecialMailbox

# The most STATUS commands in one write, for a server without LIST-STATUS: it opens a mailbox for each.
MOST_COUNTED = 100
# An empty slice: no counts are wanted, so none are requested.
NOTHING = slice(0)
# Octets in a unit of STORAGE (RFC 9208 §5.1).
STORAGE_UNIT = 1024

# Responses to NOOP when something has changed in the selected mailbox (RFC 9051 §7.4, §7.5).
_NEWS = frozenset({"EXISTS", "EXPUNGE", "FETCH"})
_STATUS = b"STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"


class MailboxLists(Selected):
    """A connection that knows the mailbox tree."""

    #: The mailbox of a role, as the administrator named it.
    named: Mapping[str, str] = MappingProxyType({})
    _spaces: tuple[Namespace, ...] | None = None
    _beyond: tuple[str, ...] | None = None  # prefixes of namespaces that "*" does not match, once learned
    _unused: frozenset[str] = frozenset()  # roles whose special use no mailbox has

    def mailboxes(self) -> tuple[Mailbox, ...]:
        """List all mailboxes in one command, with their special uses if the server knows them."""
        return self._selection(b'LIST "" "*"' + (b" RETURN (SPECIAL-USE)" if self._tells_uses else b""))

    def _selection(self, command: bytes, everything: bool = True) -> tuple[Mailbox, ...]:
        """Run a LIST of everything or of some mailboxes, and learn the namespaces in the same round trip."""
        found = self._listed()
        *first, reply = self._take([*self._to_learn(), command], found)
        self._learn(first)
        if reply.status.kind == "BAD" and self._tells_uses:
            # QUIRK: a server that does not understand what it announced in its capabilities.
            self._refusals.add(Feature.EXTENDED_LIST, for_anyone=True)
            return self.mailboxes()
        if not reply.ok:
            raise refusal(reply)
        if everything:
            self._learn_from(found)
        return tuple(found.mailboxes.values())

    @property
    def namespaces(self) -> tuple[Namespace, ...]:
        """The namespaces, as far as they were learned from a list."""
        return self._spaces or mailbox_tree.ONE_NAMESPACE

    def special(self, role: str) -> str | None:
        """Return the person's mailbox with a role."""
        if self._tells_uses and role not in self._unused and role not in self.named:
            # This avoids listing a thousand mailboxes to find one (RFC 6154 §3).
            used = self._selection(b'LIST (SPECIAL-USE) "" "*" RETURN (SPECIAL-USE)', everything=False)
            found = mailbox_tree.special(used, self.namespaces).get(role)
            if found is not None and found.found_by is FoundBy.MARKED:
                return found.name
            self._unused = self._unused | {role}
        return self.roles().get(role)

    def special_mailboxes(self) -> dict[str, SpecialMailbox]:
        """Return the person's mailbox of each role that has one, and how it was found."""
        return mailbox_tree.special(self.mailboxes(), self.namespaces, self.named)

    def roles(self) -> dict[str, str]:
        """Return the name of the person's mailbox for each role that has one."""
        return {role: found.name for role, found in self.special_mailboxes().items()}

    def folders(self, all: bool = False, counted: slice = EVERYTHING) -> FolderList:
        """List the mailboxes of a person in display order, with their counts."""
        counts = self._counts_in_lists and counted != NOTHING
        found = self._list(counts)
        listed = mailbox_tree.shown(self._tree(found), all)
        if not (counts and self._counts_in_lists and found.counted):  # perhaps refused in the meantime
            found.counts.clear()
            wanted = (folder.name for folder in listed[counted] if folder.open)
            asked = [self._status(name) for name in islice(wanted, MOST_COUNTED)]
            self._take(asked, found)
        return FolderList(
            (mailbox_tree.counted(folder, found.counts) for folder in listed), found.whole, found
        )

    def folder(self, mailbox: str) -> Folder:
        """Describe one mailbox as it is now."""
        found = self._list(False, self._status(mailbox), about=mailbox)
        for folder in self._tree(found):
            if folder.name == mailbox:
                return mailbox_tree.counted(folder, found.counts)
        raise MailboxGone("not in the list any more")

    def quota(self) -> Quota | None:
        """Return the quota: of several limits, the one that will be reached first."""
        if not any(name == "QUOTA" or name.startswith("QUOTA=") for name in self._capabilities):
            return None
        (reply,) = self._run(b'GETQUOTAROOT "INBOX"')
        limits = [
            quota
            for line in reply.untagged
            if line.kind == "QUOTA"
            for quota in _storage(line)
            if quota.limit > 0
        ]
        return max(limits, key=lambda quota: quota.used / quota.limit, default=None)

    # --- requests ---

    @property
    def _tells_uses(self) -> bool:
        return self._extended and self._offers(Feature.LIST_USES)

    @property
    def _extended(self) -> bool:
        return self._offers(Feature.EXTENDED_LIST)

    @property
    def _counts_in_lists(self) -> bool:
        return self._extended and self._offers(Feature.LIST_STATUS)

    def _status(self, mailbox: str) -> bytes:
        word, items = _STATUS.split(b" ", 1)
        return word + b" " + self._argument(mailbox) + b" " + items

    def _listed(self, about: str | None = None) -> ListedMailboxes:
        """Make an empty list; of too many rows, it keeps those that may have a role, or begin with `about`."""

        def wanted(mailbox: Mailbox) -> bool:
            asked = about is not None and mailbox.name.startswith(about)
            return asked or mailbox_tree.may_have_role(mailbox, self.named)

        return ListedMailboxes(self._exchange.lists, self._utf8, wanted)

    def _take(self, commands: Sequence[bytes], found: ListedMailboxes) -> list[CommandResponse]:
        """Run commands, and take what they list and count as it arrives."""
        with self._exchange.handing_on(found.take):
            replies = self._run(*commands)
        self._virtual |= {name for name, each in found.mailboxes.items() if mailbox_tree.is_virtual(each)}
        return replies

    def _list(self, counting: bool = False, *more: bytes, about: str | None = None) -> ListedMailboxes:
        """List everything in one round trip, followed by `more` commands; in two if there is more to learn first."""
        found = self._listed(about)
        learning = self._beyond is None
        first = [*([b"NOOP"] if self._selected is not None else ()), *self._to_learn()]
        asked = self._lists(["", *(self._beyond or ())], counting)
        replies = self._take([*first, *asked, *more], found)
        listed = replies[len(first)]
        if not listed.ok:
            # QUIRK: a server that does not understand what it announced in its capabilities.
            if listed.status.kind == "BAD" and self._extended:
                self._refusals.add(Feature.EXTENDED_LIST, for_anyone=True)
                return self._list(False, *more, about=about)
            raise refusal(listed)
        if self._selected in found.counts and any(line.kind in _NEWS for r in replies for line in r.untagged):
            # QUIRK: Dovecot counts the selected mailbox before NOOP has taken in new deliveries.
            self._take([self._status(self._selected)], found)
        if learning:
            self._learn(replies[: len(first)])
            self._learn_from(found)
            if self._beyond:
                self._take(self._lists(self._beyond, counting), found)
        return found

    def _lists(self, prefixes: Sequence[str], counting: bool) -> list[bytes]:
        """Write the commands that list all mailboxes below some prefixes."""
        patterns = [self._argument(prefix)[:-1] + b'*"' for prefix in prefixes]
        if not self._extended:
            return [word + b' "" ' + pattern for pattern in patterns for word in (b"LIST", b"LSUB")]
        wanted = [
            b"SUBSCRIBED",
            *([b"SPECIAL-USE"] if self._tells_uses else ()),
            *([_STATUS] if counting else ()),
        ]
        said = patterns[0] if len(patterns) == 1 else b"(" + b" ".join(patterns) + b")"
        return [b'LIST "" ' + said + b" RETURN (" + b" ".join(wanted) + b")"]

    def _to_learn(self) -> list[bytes]:
        """Write the command that asks for the namespaces, once."""
        told = bool({"NAMESPACE", "IMAP4REV2"} & self._capabilities)
        return [b"NAMESPACE"] if self._spaces is None and told else []

    def _learn(self, replies: Sequence[CommandResponse]) -> None:
        """Remember the namespaces that the server reports."""
        spaces: list[Namespace] = []
        for line in (line for reply in replies for line in reply.untagged if line.kind == "NAMESPACE"):
            with suppress(ImapSyntaxError):
                spaces.extend(self._namespaces(line.values()))
        self._spaces = tuple(spaces) or self._spaces

    def _learn_from(self, found: ListedMailboxes) -> None:
        """Remember what the list of everything shows: namespaces that were not reported, and those it omitted."""
        self._spaces = self._spaces or mailbox_tree.inferred(found.mailboxes.values())
        self._beyond = tuple(
            space.prefix
            for space in self._spaces
            if space.prefix and not any(name.startswith(space.prefix) for name in found.mailboxes)
        )

    def _namespaces(self, values: Sequence[Value]) -> Iterable[Namespace]:
        for owner, spaces in zip((PERSONAL, OTHERS, SHARED), values, strict=False):
            for space in spaces if isinstance(spaces, tuple) else ():
                if isinstance(space, tuple) and len(space) >= 2:
                    prefix = mailbox_name(octets(space[0]), self._utf8)
                    yield Namespace(prefix, octets(space[1]).decode("ascii", "replace"), owner)

    # --- responses ---

    def _tree(self, found: ListedMailboxes) -> tuple[Folder, ...]:
        return mailbox_tree.tree(
            found.mailboxes.values(), frozenset(found.subscribed), self.namespaces, self.named
        )


def _storage(line: Untagged) -> Iterable[Quota]:
    """Read the storage limits of a QUOTA response, a list of resource, usage and limit."""
    with suppress(ImapSyntaxError):
        values = line.values()
        flat = values[-1] if values else None
        if isinstance(flat, tuple):
            for resource, used, limit in zip(flat[::3], flat[1::3], flat[2::3], strict=False):
                if octets(resource).upper() == b"STORAGE":
                    yield Quota(number(used) * STORAGE_UNIT, number(limit) * STORAGE_UNIT)
