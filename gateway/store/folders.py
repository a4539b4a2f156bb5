"""The mailboxes of a person: all of them with their counts in one round trip, what they are for, and the room left.

Nothing here may change anything. Where the server can count while it lists (LIST-STATUS), one command is all; where
not, LIST and LSUB go in one write, and STATUS in a second, only of what is shown. Namespaces that "*" does not
reach are asked for by name; which those are is learned once for each connection.
Standard: RFC 9051 §6.3.9 (LIST), §6.3.10 (NAMESPACE), §6.3.11 (STATUS); RFC 5258 (LIST-EXTENDED); RFC 5819
(LIST-STATUS); RFC 6154 (special-use); RFC 3501 §6.3.9 (LSUB); RFC 9208 (QUOTA).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from gateway.errors import MailboxGone
from gateway.store import rows, tree
from gateway.store.base import (
    EVERYTHING,
    OTHERS,
    PERSONAL,
    SHARED,
    Folder,
    Mailbox,
    Quota,
)
from gateway.store.exchange import refusal
from gateway.store.opening import mailbox_name
from gateway.store.response import Malformed, Reply, Untagged, Value, number, octets, pairs
from gateway.store.selected import Selected
from gateway.store.tree import Counts, Namespace

# STATUS commands in one write, where a server has no LIST-STATUS: each opens a mailbox there.
MOST_COUNTED = 100
# A slice of what is listed that holds nothing: where no counts are wanted, none are asked for.
NOTHING = slice(0)
# Octets of a unit of STORAGE (RFC 9208 §5.1).
STORAGE_UNIT = 1024

# What NOOP brings when something has changed in the selected mailbox (RFC 9051 §7.4, §7.5).
_NEWS = frozenset({"EXISTS", "EXPUNGE", "FETCH"})
_STATUS = b"STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"


@dataclass(slots=True)
class _Found:
    """What the answers to LIST, LSUB and STATUS say together."""

    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    subscribed: set[str] = field(default_factory=set)
    counts: dict[str, Counts] = field(default_factory=dict)


class Folders(Selected):
    """A connection that knows the tree of mailboxes."""

    _spaces: tuple[Namespace, ...] | None = None
    _beyond: tuple[str, ...] = ()  # prefixes of namespaces that "*" does not reach
    _unused: frozenset[str] = frozenset()  # special uses that no mailbox was marked with
    _plain = False  # what it said of LIST-EXTENDED is not so

    def mailboxes(self) -> tuple[Mailbox, ...]:
        """List all mailboxes in one command, with their special uses where the server knows them."""
        (reply,) = self._run(b'LIST "" "*"' + (b" RETURN (SPECIAL-USE)" if self._tells_uses else b""))
        if not reply.ok:
            raise refusal(reply)
        return self._listed(reply)

    def _listed(self, reply: Reply) -> tuple[Mailbox, ...]:
        found = _Found()
        self._gather([reply], found)
        return tuple(found.mailboxes.values())

    def special(self, attribute: str, names: Iterable[str]) -> str | None:
        """Name the mailbox of a special use, else the first of `names` that there is, at the top or below INBOX."""
        if self._tells_uses and attribute not in self._unused:
            # Nobody needs a thousand mailboxes to know one (RFC 6154 §3).
            (reply,) = self._run(b'LIST (SPECIAL-USE) "" "*" RETURN (SPECIAL-USE)')
            used = _of_use(self._listed(reply), attribute) if reply.ok else None
            if used is not None:
                return used
            self._unused = self._unused | {attribute}
        holding = [mailbox for mailbox in self.mailboxes() if tree.is_open(mailbox)]
        used = _of_use(holding, attribute)
        if used is not None:
            return used
        for name in names:
            for mailbox in holding:
                if mailbox.name.lower() in (name.lower(), f"inbox{mailbox.delimiter}{name}".lower()):
                    return mailbox.name
        return None

    def folders(self, all: bool = False, counted: slice = EVERYTHING) -> tuple[Folder, ...]:
        """List the mailboxes of a person in the order in which they are shown, with their counts."""
        counts = self._counts_in_lists and counted != NOTHING
        found = self._list(counts)
        listed = tree.shown(self._tree(found), all)
        if not (counts and self._counts_in_lists):  # a server may have refused it meanwhile
            wanted = (folder.name for folder in listed[counted] if folder.open)
            asked = [self._status(name) for name in islice(wanted, MOST_COUNTED)]
            self._gather(self._run(*asked) if asked else (), found)
        return tuple(tree.counted(folder, found.counts) for folder in listed)

    def folder(self, mailbox: str) -> Folder:
        """Describe one mailbox as it is now."""
        found = self._list(False, self._status(mailbox))
        for folder in self._tree(found):
            if folder.name == mailbox:
                return tree.counted(folder, found.counts)
        raise MailboxGone("not in the list any more")

    def quota(self) -> Quota | None:
        """Say how much room there is for mail: of several limits the one that is reached first."""
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

    # --- asking ---

    @property
    def _tells_uses(self) -> bool:
        return self._extended and ("SPECIAL-USE" in self._capabilities or "IMAP4REV2" in self._capabilities)

    @property
    def _extended(self) -> bool:
        return not self._plain and bool({"LIST-EXTENDED", "IMAP4REV2"} & self._capabilities)

    @property
    def _counts_in_lists(self) -> bool:
        return self._extended and bool({"LIST-STATUS", "IMAP4REV2"} & self._capabilities)

    def _status(self, mailbox: str) -> bytes:
        word, items = _STATUS.split(b" ", 1)
        return word + b" " + self._argument(mailbox) + b" " + items

    def _list(self, counting: bool, *more: bytes) -> _Found:
        """List everything in one round trip, with `more` commands behind; two when there is more to learn first."""
        found = _Found()
        learning = self._spaces is None
        first = [b"NOOP"] if self._selected is not None else []
        if learning and "NAMESPACE" in self._capabilities:
            first.append(b"NAMESPACE")
        asked = self._lists(["", *self._beyond], counting)
        replies = self._run(*first, *asked, *more)
        listed = replies[len(first)]
        if not listed.ok:
            # QUIRK: a server whose capabilities promise more than it has understood.
            if listed.status.kind == "BAD" and self._extended:
                self._plain = True
                return self._list(False, *more)
            raise refusal(listed)
        self._gather(replies, found)
        if self._selected in found.counts and any(line.kind in _NEWS for r in replies for line in r.untagged):
            # QUIRK: Dovecot counts what is selected before NOOP has taken in what was delivered.
            self._gather(self._run(self._status(self._selected)), found)
        if learning:
            self._learn(replies[: len(first)], found)
            if self._beyond:
                self._gather(self._run(*self._lists(self._beyond, counting)), found)
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

    def _learn(self, replies: Sequence[Reply], found: _Found) -> None:
        """Remember the namespaces, and which of them the list has left out."""
        spaces: list[Namespace] = []
        for line in (line for reply in replies for line in reply.untagged if line.kind == "NAMESPACE"):
            with suppress(Malformed):
                spaces.extend(self._namespaces(line.values()))
        self._spaces = tuple(spaces) or tree.ONE_NAMESPACE
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

    # --- what came ---

    def _tree(self, found: _Found) -> tuple[Folder, ...]:
        return tree.tree(
            found.mailboxes.values(), frozenset(found.subscribed), self._spaces or tree.ONE_NAMESPACE
        )

    def _gather(self, replies: Iterable[Reply], found: _Found) -> None:
        """Take in what replies say; a line that is no grammar is passed over."""
        for line in (line for reply in replies for line in reply.untagged):
            with suppress(Malformed):
                if line.kind in ("LIST", "LSUB"):
                    self._take(line, found)
                elif line.kind == "STATUS":
                    name, counts = self._counts(line)
                    found.counts[name] = counts

    def _take(self, line: Untagged, found: _Found) -> None:
        mailbox = rows.mailbox(line.values(), self._utf8)
        mailbox = Mailbox(tree.normal(mailbox.name), mailbox.delimiter, mailbox.attributes)
        if line.kind == "LSUB" or "\\subscribed" in tree.lowered(mailbox.attributes):
            found.subscribed.add(mailbox.name)
        if line.kind == "LIST":
            found.mailboxes[mailbox.name] = mailbox

    def _counts(self, line: Untagged) -> tuple[str, Counts]:
        values = line.values()
        if len(values) < 2:
            raise Malformed("STATUS")
        items = pairs(values)
        told = (number(items.get(item)) for item in (b"MESSAGES", b"UNSEEN", b"UIDVALIDITY", b"UIDNEXT"))
        return tree.normal(mailbox_name(octets(values[0]), self._utf8)), Counts(*told)


def _of_use(mailboxes: Iterable[Mailbox], attribute: str) -> str | None:
    """Name the first mailbox that is marked for a special use and can hold mail."""
    marked = (
        m.name for m in mailboxes if attribute.lower() in tree.lowered(m.attributes) and tree.is_open(m)
    )
    return next(marked, None)


def _storage(line: Untagged) -> Iterable[Quota]:
    """Read the limits of storage in a QUOTA response, whose list has resource, usage and limit in turn."""
    with suppress(Malformed):
        values = line.values()
        flat = values[-1] if values else None
        if isinstance(flat, tuple):
            for resource, used, limit in zip(flat[::3], flat[1::3], flat[2::3], strict=False):
                if octets(resource).upper() == b"STORAGE":
                    yield Quota(number(used) * STORAGE_UNIT, number(limit) * STORAGE_UNIT)
