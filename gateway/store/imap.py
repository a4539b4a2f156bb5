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
from contextlib import suppress
from datetime import datetime
from itertools import chain

from gateway.config import Server
from gateway.errors import (
    MailboxGone,
    MessageGone,
    StoreError,
    StoreRefused,
    UnsafeArgument,
)
from gateway.message.model import Message
from gateway.store import response, rows
from gateway.store.base import Listing, Mailbox, MessageRef, Window
from gateway.store.exchange import READ_SECONDS, Exchange, Traffic, refusal
from gateway.store.opening import mailbox_argument, open_exchange, probe, sign_in
from gateway.store.response import Malformed, Reply, number
from gateway.store.rows import LIST_ITEMS, OPEN_ITEMS, Row

__all__ = ["ImapStore", "connect", "probe"]

# Rows of one window, whatever is asked for.
MAX_ROWS = 100
# Octets of a body fetched at a time: the first piece mostly is all that a small screen wants.
FIRST_PIECE, LARGEST_PIECE = 8 * 1024, 32 * 1024
# Message numbers in one command line: servers take 8,000 octets (RFC 9051 §4.1), a number has up to eleven.
NUMBERS_IN_A_COMMAND = 600
# Seconds that a connection may rest before it must answer a NOOP, and seconds for that answer.
REST_SECONDS, LIVENESS_SECONDS = 60.0, 5.0

_SECTION = re.compile(
    r"(?:[1-9]\d{0,4}(?:\.[1-9]\d{0,4}){0,99}(?:\.(?:HEADER|TEXT|MIME))?|HEADER|TEXT|)\Z", re.ASCII
)


def connect(server: Server, user: str, password: str) -> ImapStore:
    """Open a signed-in connection, or raise the StoreError that says why not."""
    response.safe(user)
    response.safe(password)
    exchange, capabilities, _ = open_exchange(server)
    try:
        return ImapStore(exchange, sign_in(exchange, capabilities, user, password))
    except BaseException:
        exchange.close()
        raise


class ImapStore:
    """A signed-in connection that remembers which mailbox is selected and how many messages that has."""

    def __init__(self, exchange: Exchange, capabilities: frozenset[str]) -> None:
        self._exchange = exchange
        self._capabilities = capabilities
        self._selected: str | None = None
        self._uidvalidity = 0
        self._exists = 0

    @property
    def capabilities(self) -> frozenset[str]:
        return self._capabilities

    @property
    def traffic(self) -> Traffic:
        """What this connection has cost so far."""
        return self._exchange.traffic

    @property
    def broken(self) -> bool:
        """Tell whether the conversation ended, so that this connection is of no use any more."""
        return self._exchange.broken

    def is_usable(self, idle: float) -> bool:
        """Tell whether a connection that rested for `idle` seconds still answers; free of cost while it is fresh."""
        if self.broken:
            return False
        if idle <= REST_SECONDS and self._exchange.is_quiet():
            return True
        try:
            self._exchange.wait_at_most(LIVENESS_SECONDS)
            (reply,) = self._run(b"NOOP")
            self._exchange.wait_at_most(READ_SECONDS)
        except (StoreError, OSError):
            return False
        return reply.ok

    def close(self) -> None:
        """End the connection; any number of times."""
        if not self.broken:
            self._exchange.close()

    # --- lists ---

    def mailboxes(self) -> tuple[Mailbox, ...]:
        """List all mailboxes in one command, with their special uses where the server knows them."""
        extended = {"LIST-EXTENDED", "SPECIAL-USE"} <= self._capabilities or "IMAP4REV2" in self._capabilities
        (reply,) = self._run(b'LIST "" "*"' + (b" RETURN (SPECIAL-USE)" if extended else b""))
        if not reply.ok:
            raise refusal(reply)
        found: dict[str, Mailbox] = {}
        for line in reply.untagged:
            if line.kind == "LIST":
                with suppress(Malformed):
                    mailbox = rows.mailbox(line.values())
                    found[mailbox.name] = mailbox
        return tuple(found.values())

    def summaries(self, mailbox: str, window: Window) -> Listing:
        """Fetch one window, newest first, with the counts that hold now."""
        count = max(1, min(window.rows, MAX_ROWS))
        fresh = self._selected != mailbox
        if fresh:
            self._select(mailbox)
        found: dict[int, Row] = {}
        news = [] if fresh else [b"NOOP"]
        status = b"STATUS " + mailbox_argument(mailbox) + b" (UNSEEN)"
        asked = _fetch(_numbers(self._exists, window.top, count), LIST_ITEMS[0])
        replies = self._run(*asked, *news, status, rows=found)
        if news and not replies[-2].ok:
            self._selected = None
            raise refusal(replies[-2], MailboxGone)
        unseen = _unseen(replies)
        # QUIRK: Dovecot counts before NOOP has taken in what was delivered: after news, count again.
        recount = [status] if _brought_news(replies) else []
        # New mail, an expunged row, or one that the server could not describe: the rest again, then plainly and
        # each by itself, so that one message does not keep the others from the list.
        again = _fetch(self._missing(found, window.top, count), LIST_ITEMS[0])
        replies = self._run(*again, *recount, rows=found)
        unseen = _unseen(replies) if recount else unseen
        alone = [_fetch([n], LIST_ITEMS[1]) for n in self._missing(found, window.top, count)]
        replies = self._run(*chain(*alone), rows=found) or replies
        numbers = [n for n in _numbers(self._exists, window.top, count) if _whole(found.get(n, {}))]
        if not numbers and replies and not replies[0].ok:
            raise refusal(replies[0])
        summaries = tuple(rows.summary(self._ref(found[n]), n, found[n]) for n in reversed(numbers))
        return Listing(mailbox, self._uidvalidity, self._exists, unseen, max(numbers, default=0), summaries)

    def _missing(self, found: dict[int, Row], top: int | None, count: int) -> list[int]:
        return [n for n in _numbers(self._exists, top, count) if not _whole(found.get(n, {}))]

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
        line = b"APPEND " + mailbox_argument(mailbox) + b" " + names
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

    def create(self, mailbox: str) -> None:
        """Create and subscribe a mailbox, or only subscribe the one that is there."""
        name = mailbox_argument(mailbox)
        created, _ = self._run(b"CREATE " + name, b"SUBSCRIBE " + name)
        if not created.ok and created.status.code != "ALREADYEXISTS" and not self._is_there(mailbox):
            error = refusal(created)
            raise error if not isinstance(error, MailboxGone) else StoreRefused(error.detail)

    def _is_there(self, mailbox: str) -> bool:
        return any(found.name == mailbox for found in self.mailboxes())

    def special(self, attribute: str, names: Iterable[str]) -> str | None:
        """Name the mailbox of a special use, else the first of `names` that there is, at the top or below INBOX."""
        holding = [
            m for m in self.mailboxes() if not {"\\noselect", "\\nonexistent"} & _lowered(m.attributes)
        ]
        for mailbox in holding:
            if attribute.lower() in _lowered(mailbox.attributes):
                return mailbox.name
        for name in names:
            for mailbox in holding:
                if mailbox.name.lower() in (name.lower(), f"inbox{mailbox.delimiter}{name}".lower()):
                    return mailbox.name
        return None

    # --- what is selected ---

    def _select(self, mailbox: str, then: bytes | None = None, rows: dict[int, Row] | None = None) -> Reply:
        """Select a mailbox and run one more command in the same round trip; return the last reply."""
        command = b"SELECT " + mailbox_argument(mailbox)
        self._selected = None
        replies = self._exchange.run(command) if then is None else self._exchange.run(command, then)
        selected = replies[0]
        if not selected.ok:
            plain_no = selected.status.kind == "NO" and not selected.status.code
            raise refusal(selected, MailboxGone if plain_no else StoreRefused)
        self._uidvalidity, self._exists = 0, 0
        for reply in replies:
            self._note(reply, rows)
        self._selected = mailbox
        return replies[-1]

    def _enter(self, ref: MessageRef) -> None:
        """Have the mailbox of a message selected, and be sure that it is the same one."""
        if self._selected != ref.mailbox:
            self._select(ref.mailbox)
        self._check(ref)

    def _check(self, ref: MessageRef) -> None:
        if self._uidvalidity != ref.uidvalidity:
            raise MailboxGone(f"UIDVALIDITY is {self._uidvalidity} now")

    def _run(self, *commands: bytes, rows: dict[int, Row] | None = None) -> list[Reply]:
        """Run commands, follow what they tell about the selected mailbox, and collect FETCH responses in `rows`."""
        if not commands:
            return []
        replies = self._exchange.run(*commands)
        for reply in sorted(replies, key=lambda reply: reply.finished):
            self._note(reply, rows)
        return replies

    def _note(self, reply: Reply, rows: dict[int, Row] | None = None) -> None:
        """Apply untagged responses in their order: an EXPUNGE renumbers all that came before it."""
        rows = {} if rows is None else rows
        for line in reply.untagged:
            if line.kind == "EXISTS":
                self._exists = line.number
            elif line.kind == "EXPUNGE":
                self._exists = max(0, self._exists - 1)
                moved = {n - (n > line.number): row for n, row in rows.items() if n != line.number}
                rows.clear()
                rows.update(moved)
            elif line.kind == "FETCH":
                with suppress(Malformed):
                    rows.setdefault(line.number, {}).update(line.items())
            elif line.kind == "OK" and line.status.code == "UIDVALIDITY":
                self._uidvalidity = response.numeral(line.status.argument) or 0


def _numbers(exists: int, top: int | None, count: int) -> range:
    """Clamp a window to what there is: sequence numbers, ascending."""
    highest = exists if top is None else max(min(top, exists), min(1, exists))
    return range(max(1, highest - count + 1), highest + 1)


def _whole(row: Row) -> bool:
    """Tell the answer to a FETCH from a row of changed flags, which may name its UID too (RFC 9051 §7.5.2)."""
    return b"UID" in row and b"RFC822.SIZE" in row


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


def _unseen(replies: Iterable[Reply]) -> int | None:
    for line in (line for reply in replies for line in reply.untagged):
        if line.kind == "STATUS":
            with suppress(Malformed):
                unseen = line.items().get(b"UNSEEN")
                return unseen if isinstance(unseen, int) else None
    return None


def _lowered(attributes: frozenset[str]) -> set[str]:
    return {attribute.lower() for attribute in attributes}
