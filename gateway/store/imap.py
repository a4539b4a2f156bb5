"""One person's mail over IMAP, with the fewest round trips: the MailStore of this gateway.

Nothing here may open a socket (`opening` does) or interpret what was fetched (`rows` does).
A warm list is one round trip, whatever the mailbox holds: FETCH of one window of sequence numbers, then NOOP and
STATUS behind it in the same write. FETCH goes first because sequence numbers must not follow a command that may
bring EXPUNGE (RFC 9051 §5.5); what NOOP then tells is applied to the rows in the order in which it came.
Standard: RFC 9051 §6; §2.3.1 (UIDVALIDITY); RFC 4315 (APPENDUID); RFC 6154 (special-use).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from gateway.config import Server
from gateway.errors import (
    MailboxGone,
    MessageGone,
    StoreRefused,
    UnsafeArgument,
)
from gateway.message.model import Message
from gateway.store import response, rows
from gateway.store.base import Listing, MessageRef, Window
from gateway.store.exchange import refusal
from gateway.store.message_ids import MessageIds
from gateway.store.moving import Moving
from gateway.store.neighbours import Neighbours
from gateway.store.opening import enable_utf8, open_exchange, probe, sign_in
from gateway.store.response import Reply, number
from gateway.store.rows import LIST_ITEMS, OPEN_ITEMS, Row
from gateway.store.searching import Searching
from gateway.store.upkeep import Upkeep

__all__ = ["ImapStore", "connect", "probe"]

# Rows of one window, whatever is asked for.
MAX_ROWS = 100
# Octets of a body fetched at a time: the first piece mostly is all that a small screen wants.
FIRST_PIECE, LARGEST_PIECE = 8 * 1024, 32 * 1024
# Message numbers in one command line: servers take 8,000 octets (RFC 9051 §4.1), a number has up to eleven.
NUMBERS_IN_A_COMMAND = 600

_SECTION = re.compile(
    r"(?:[1-9]\d{0,4}(?:\.[1-9]\d{0,4}){0,99}(?:\.(?:HEADER|TEXT|MIME))?|HEADER|TEXT|)\Z", re.ASCII
)


def connect(server: Server, user: str, password: str) -> ImapStore:
    """Open a signed-in connection, or raise the StoreError that says why not."""
    response.safe(user)
    response.safe(password)
    exchange, capabilities, _ = open_exchange(server)
    try:
        capabilities = sign_in(exchange, capabilities, user, password)
        return ImapStore(exchange, capabilities, enable_utf8(exchange, capabilities))
    except BaseException:
        exchange.close()
        raise


class ImapStore(MessageIds, Moving, Neighbours, Searching, Upkeep):
    """The mail of one person, on a connection that remembers which mailbox is selected."""

    # --- lists ---

    def summaries(self, mailbox: str, window: Window) -> Listing:
        """Fetch one window, newest first, with the counts that hold now."""
        count = max(1, min(window.rows, MAX_ROWS))
        fresh = self._selected != mailbox
        if fresh:
            self._select(mailbox)
        found: dict[int, Row] = {}
        news = [] if fresh else [b"NOOP"]
        status = b"STATUS " + self._argument(mailbox) + b" (UNSEEN)"
        asked = _fetch(_numbers(self._exists, window.top, count), LIST_ITEMS[0])
        replies = self._run(*asked, *news, status, rows=found)
        if news and not replies[-2].ok:
            self._selected = None
            raise refusal(replies[-2], MailboxGone)
        unseen = rows.unseen(replies)
        # QUIRK: Dovecot counts before NOOP has taken in what was delivered: after news, count again.
        recount = [status] if _brought_news(replies) else []
        # New mail, an expunged row, or one that the server could not describe: the rest again, then plainly and
        # each by itself, so that one message does not keep the others from the list.
        again = _fetch(self._missing(found, window.top, count), LIST_ITEMS[0])
        replies = self._run(*again, *recount, rows=found)
        unseen = rows.unseen(replies) if recount else unseen
        alone = [_fetch([n], LIST_ITEMS[1]) for n in self._missing(found, window.top, count)]
        replies = self._run(*chain(*alone), rows=found) or replies
        numbers = [n for n in _numbers(self._exists, window.top, count) if rows.is_whole(found.get(n, {}))]
        if not numbers and replies and not replies[0].ok:
            raise refusal(replies[0])
        summaries = tuple(rows.summary(self._ref(found[n]), n, found[n]) for n in reversed(numbers))
        return Listing(mailbox, self._uidvalidity, self._exists, unseen, max(numbers, default=0), summaries)

    def _missing(self, found: dict[int, Row], top: int | None, count: int) -> list[int]:
        return [n for n in _numbers(self._exists, top, count) if not rows.is_whole(found.get(n, {}))]

    def _ref(self, row: Row) -> MessageRef:
        return MessageRef(self._selected or "", self._uidvalidity, number(row.get(b"UID")))

    # --- one message ---

    def structure(self, ref: MessageRef) -> Message:
        """Fetch all that is known of a message but its body."""
        try:
            return rows.message(self._fetch_one(ref, OPEN_ITEMS[0], b"RFC822.SIZE"))
        except (MessageGone, StoreRefused):
            return rows.message(self._fetch_one(ref, OPEN_ITEMS[1], b"RFC822.SIZE"))

    def octets(self, ref: MessageRef, section: str, start: int = 0) -> Iterator[bytes]:
        """Yield a section from `start`, a piece for each pull; the connection is used at each pull."""
        if not _SECTION.match(section) or not 0 <= start <= 0xFFFFFFFF:
            raise UnsafeArgument("no section of a message")
        return self._pieces(ref, section.encode("ascii"), start)

    def _pieces(self, ref: MessageRef, section: bytes, start: int) -> Iterator[bytes]:
        size = FIRST_PIECE
        while True:
            wanted = b"UID BODY.PEEK[%s]<%d.%d>" % (section, start, size)
            piece, partial = rows.piece(self._fetch_one(ref, wanted, b"BODY["))
            if not partial:
                # QUIRK: a server that does not know partial fetches sends all there is.
                piece = piece[start:]
            if piece:
                yield piece
            if len(piece) < size or not partial:
                return
            start += len(piece)
            size = min(2 * size, LARGEST_PIECE)

    def _fetch_one(self, ref: MessageRef, items: bytes, proof: bytes) -> Row:
        """Fetch items of one message, selecting its mailbox in the same round trip where that is needed.

        `proof` begins the name of an item without which the row is no answer to this command.
        """
        command = b"UID FETCH " + response.number_set([ref.uid]) + b" (" + items + b")"
        found: dict[int, Row] = {}
        if self._selected == ref.mailbox:
            (reply,) = self._run(command, rows=found)
        else:
            reply = self._select(ref.mailbox, command, found)
        self._check(ref)
        for row in found.values():
            if number(row.get(b"UID")) == ref.uid and any(name.startswith(proof) for name in row):
                return row
        if reply.status.kind == "BAD" or reply.status.code:
            raise refusal(reply) if not reply.ok else MessageGone(f"UID {ref.uid}")
        # RFC 2180 §4.1.2: a NO may be all that is said of a message that another client expunged.
        raise MessageGone(f"UID {ref.uid}: {reply.status.text}")

    def flag(self, refs: Iterable[MessageRef], flags: Iterable[str], present: bool = True) -> None:
        """Add or remove flags; MessageGone when one of the messages is, after the others were flagged."""
        wanted = list(refs)
        names = response.flag_list(flags)
        if not wanted:
            return
        if len({(ref.mailbox, ref.uidvalidity) for ref in wanted}) > 1:
            raise UnsafeArgument("messages of one mailbox expected")
        self._enter(wanted[0])
        sign = b" +FLAGS " if present else b" -FLAGS "
        uids = sorted({ref.uid for ref in wanted})
        answered: set[int] = set()
        refused: Reply | None = None
        for at in range(0, len(uids), NUMBERS_IN_A_COMMAND):
            some = response.number_set(uids[at : at + NUMBERS_IN_A_COMMAND])
            found: dict[int, Row] = {}
            (reply,) = self._run(b"UID STORE " + some + sign + names, rows=found)
            answered.update(number(row.get(b"UID")) for row in found.values())
            refused = refused if reply.ok or reply.status.code == "EXPUNGEISSUED" else reply
        if not answered.issuperset(uids) and not self._all_there(uids):
            raise MessageGone("expunged meanwhile")
        if refused is not None:
            raise refusal(refused)

    def _all_there(self, uids: list[int]) -> bool:
        """Ask whether these messages exist: a server need not repeat flags that were set already."""
        there: set[int] = set()
        for at in range(0, len(uids), NUMBERS_IN_A_COMMAND):
            some = response.number_set(uids[at : at + NUMBERS_IN_A_COMMAND])
            found: dict[int, Row] = {}
            self._run(b"UID FETCH " + some + b" (UID)", rows=found)
            there.update(number(row.get(b"UID")) for row in found.values())
        return there.issuperset(uids)

    # --- mailboxes ---

    def append(
        self, mailbox: str, octets: bytes, flags: Iterable[str] = (), when: datetime | None = None
    ) -> MessageRef | None:
        """Store a message; say its ref where the server does (RFC 4315)."""
        if b"\0" in octets:
            raise UnsafeArgument("NUL in a message")
        names = response.flag_list(flags)
        line = b"APPEND " + self._argument(mailbox) + b" " + names
        if when is not None:
            line += b" " + response.date_time(when)
        reply = self._exchange.upload(line, octets, self._capabilities)
        self._note(reply)
        if not reply.ok:
            raise refusal(reply)
        numbers = [response.numeral(word) for word in reply.status.argument.split()]
        if reply.status.code == "APPENDUID" and len(numbers) == 2 and numbers[0] and numbers[1]:
            return MessageRef(mailbox, numbers[0], numbers[1])
        return None


def _numbers(exists: int, top: int | None, count: int) -> range:
    """Clamp a window to what there is: sequence numbers, ascending."""
    highest = exists if top is None else max(min(top, exists), min(1, exists))
    return range(max(1, highest - count + 1), highest + 1)


def _fetch(numbers: Iterable[int], items: bytes) -> list[bytes]:
    """Write the FETCH for these sequence numbers: no command for none."""
    found = response.number_set(numbers)
    return [b"FETCH " + found + b" (" + items + b")"] if found else []


def _brought_news(replies: Iterable[Reply]) -> bool:
    """Tell whether anything came that was not asked for: mail, an expunge, or flags set by someone else."""
    return any(
        line.kind in ("EXISTS", "EXPUNGE")
        or (line.kind == "FETCH" and b"RFC822.SIZE" not in line.pieces[0].upper())
        for reply in replies
        for line in reply.untagged
    )
