"""The results of LIST, LSUB and STATUS, taken row by row as they arrive, so that many mailboxes cost little memory.

Nothing here may do I/O. If there are more rows than there is room for, only those are kept that are needed: whoever has
a hundred thousand mailboxes still has a Trash and a Sent. Standard: RFC 9051 §7.3.1 (LIST), §7.3.4 (STATUS).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from gateway.store import mailbox_tree
from gateway.store.base import Mailbox
from gateway.store.imap.opening import mailbox_name
from gateway.store.imap.response import ImapSyntaxError, Untagged, Value, number, octets, pairs, words
from gateway.store.mailbox_tree import MailboxCounts
from gateway.upstreams.wire import Ledger, Overrun

#: Bytes for the needed rows of each list when the ledger of all is full; bytes of a row with its place in the tree, of
#: a row that is subscribed, of a new attribute, and of each letter of a name (CPython 3.11, 64-bit). MAX_LISTS has room
#: for twenty thousand mailboxes; if there are more than MOST_COUNTED, only those that are shown are counted.
SPARE_ROOM: Final = 1024 * 1024
ROW_BYTES, AGAIN_BYTES, ATTRIBUTE_BYTES, LETTER_BYTES = 440, 100, 400, 8
MOST_COUNTED: Final = 5000
#: Octets of a name; a longer one, which no server allows, is left out.
MAX_NAME: Final = 2000

_COUNTED: Final = (b"MESSAGES", b"UNSEEN", b"UIDVALIDITY", b"UIDNEXT")


class ListedMailboxes:
    """Mailboxes by name, which of them are subscribed, and their counts. `wanted`: which are kept in any case."""

    def __init__(
        self, ledger: Ledger, utf8: bool = False, wanted: Callable[[Mailbox], bool] = lambda _: True
    ) -> None:
        self.mailboxes: dict[str, Mailbox] = {}
        self.subscribed: set[str] = set()
        self.counts: dict[str, MailboxCounts] = {}
        #: Whether nothing was left out, neither rows nor counts.
        self.whole = self.counted = True
        self._ledger, self._charged, self._spare = ledger, 0, SPARE_ROOM
        self._utf8, self._wanted = utf8, wanted
        #: Thousands of mailboxes have the same few sets of attributes.
        self._attributes: dict[frozenset[str], frozenset[str]] = {}

    def take(self, line: Untagged) -> bool:
        """Take a row; return whether it is one, well-formed or not."""
        with suppress(ImapSyntaxError):
            if line.kind in ("LIST", "LSUB"):
                self._list(line)
            elif line.kind == "STATUS":
                self._count(line)
            else:
                return False
        return True

    def _list(self, line: Untagged) -> None:
        mailbox = mailbox_of(line.values(), self._utf8)
        if not 0 < len(mailbox.name) <= MAX_NAME:
            raise ImapSyntaxError("no name of a mailbox")
        before = self.mailboxes.get(mailbox.name)
        if not self._has_room(mailbox, before):
            self.whole = False
            return
        mailbox = mailbox_tree.merged(mailbox, before)
        if line.kind == "LSUB" or "\\subscribed" in mailbox_tree.lowered(mailbox.attributes):
            self.subscribed.add(before.name if before else mailbox.name)
        if line.kind == "LIST":
            same = self._attributes.setdefault(mailbox.attributes, mailbox.attributes)
            self.mailboxes[mailbox.name] = Mailbox(mailbox.name, sys.intern(mailbox.delimiter), same)

    def _count(self, line: Untagged) -> None:
        values = line.values()
        if len(values) < 2:
            raise ImapSyntaxError("STATUS")
        items = pairs(values)
        name = mailbox_tree.normal(mailbox_name(octets(values[0]), self._utf8))
        self.counted = len(self.counts) < MOST_COUNTED
        if self.counted and len(name) <= MAX_NAME:
            self.counts[name] = MailboxCounts(*(number(items.get(item)) for item in _COUNTED))

    def _has_room(self, mailbox: Mailbox, before: Mailbox | None) -> bool:
        fresh = () if mailbox.attributes in self._attributes else mailbox.attributes
        size = AGAIN_BYTES if before else ROW_BYTES + LETTER_BYTES * len(mailbox.name)
        size += sum(ATTRIBUTE_BYTES + len(name) for name in fresh)
        try:
            self._ledger.take(size)
            self._charged += size
        except Overrun:
            if self._spare < size or not self._wanted(mailbox):
                return False
            self._spare -= size
        return True

    def __del__(self) -> None:
        self._ledger.give(self._charged)


def mailbox_of(values: tuple[Value, ...], utf8: bool = False) -> Mailbox:
    """Make a mailbox from a LIST response: attributes (QUIRK: or NIL), delimiter, name."""
    if len(values) < 3:
        raise ImapSyntaxError("LIST")
    attributes = words(values[0]) if isinstance(values[0], tuple) else frozenset()
    name = mailbox_tree.normal(mailbox_name(octets(values[2]), utf8))
    return Mailbox(name, octets(values[1])[:1].decode("ascii", "replace"), attributes)
