"""The MailStore over IMAP, with as few round trips as possible.

Nothing here may open a socket (`opening` does) or interpret results (`fetched` does). On an open connection, a list is
one round trip, whatever the size of the mailbox: FETCH of one window of sequence numbers, then NOOP and STATUS in the
same write. FETCH goes first because sequence numbers must not follow a command that may bring EXPUNGE (RFC 9051 §5.5);
the responses to NOOP are then applied to the rows in the order of arrival.

Standard: RFC 9051 §6; §2.3.1 (UIDVALIDITY); RFC 4315 (APPENDUID); RFC 6154 (special-use).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from gateway.config import Server
from gateway.errors import (
    MailboxGone,
    StoreRefused,
    StoreUnreachable,
    UnsafeArgument,
)
from gateway.store.base import Listing, MessageRef, Window
from gateway.store.imap import fetched, response
from gateway.store.imap.connection.signing_in import sign_in
from gateway.store.imap.exchange import refusal
from gateway.store.imap.features import Refusals
from gateway.store.imap.fetched import FetchItems
from gateway.store.imap.message_ids import MessageIds
from gateway.store.imap.moving import Moving
from gateway.store.imap.neighbours import Neighbours
from gateway.store.imap.opening import enable_utf8, open_exchange, probe, refused_by
from gateway.store.imap.reading import Reading
from gateway.store.imap.response import CommandResponse
from gateway.store.imap.search.searching import Searching
from gateway.store.imap.upkeep import Upkeep

__all__ = ["ImapStore", "connect", "probe"]

# Rows of one window, whatever is requested.
MAX_ROWS = 100
# The most messages of one window at which a server may drop the connection.
MOST_DROPS = 3


def connect(server: Server, user: str, password: str) -> ImapStore:
    """Open a signed-in connection; raise the StoreError that says why that failed."""
    response.safe(user)
    response.safe(password)
    exchange, capabilities, _ = open_exchange(server)
    try:
        capabilities = sign_in(exchange, capabilities, user, password, refused_by(server))
        utf8 = enable_utf8(exchange, capabilities)
        store = ImapStore(exchange, capabilities, utf8, Refusals(server, user))
        store.named = dict(server.special)
        return store
    except BaseException:
        exchange.close()
        raise


class ImapStore(Reading, MessageIds, Moving, Neighbours, Searching, Upkeep):
    """One person's mail, on a connection that remembers which mailbox is selected."""

    # --- lists ---

    def summaries(self, mailbox: str, window: Window) -> Listing:
        """Fetch one window, newest first, with current counts.

        If the server drops the connection, fetch again on a new one; if that is dropped too, one row after the other.
        """
        window = replace(window, rows=max(1, min(window.rows, MAX_ROWS)))
        for _try in range(2):
            try:
                return self._listing(mailbox, window)
            except StoreUnreachable as error:
                self._resume(error)
        return self._listing_by_row(mailbox, window)

    def _listing_by_row(self, mailbox: str, window: Window) -> Listing:
        """Fetch a window in which some message makes the server drop the connection."""
        self._select(mailbox)
        found: dict[int, FetchItems] = {}
        drops = 0
        for n in window.numbers(self._exists):
            try:
                self._run(b"FETCH %d (%b)" % (n, self._items[0]), rows=found)
            except StoreUnreachable as error:
                drops += 1
                if drops > MOST_DROPS:
                    raise
                self._resume(error)
                self._select(mailbox)
                self._name(found, [n])
        return self._listing_of(mailbox, window, found, None)

    def _listing(self, mailbox: str, window: Window) -> Listing:
        fresh = self._selected != mailbox
        if fresh:
            self._select(mailbox)
        found: dict[int, FetchItems] = {}
        news = [] if fresh else [b"NOOP"]
        status = b"STATUS " + self._argument(mailbox) + b" (MESSAGES UNSEEN)"
        numbers = window.numbers(self._exists)
        unknown, known = self._known_rows.split(mailbox, self._uidvalidity, numbers)
        asked = [*_fetch(unknown, self._items[0]), *_fetch(known, fetched.FLAG_ITEMS)]
        replies = self._run(*asked, *news, status, rows=found)
        same = (mailbox, window, self._uidvalidity, self._exists, _said(replies)) if not unknown else None
        if same and (listing := self._known_rows.listing(same)):
            return listing
        if known:
            self._known_rows.drop_unknown(found, self._ref)
        trips = self._exchange.traffic.round_trips
        listing = self._completed(mailbox, window, fresh, status, replies, found)
        if same and self._exchange.traffic.round_trips == trips:  # made of these replies alone
            self._known_rows.keep_listing(same, listing)
        return listing

    def _completed(
        self,
        mailbox: str,
        window: Window,
        fresh: bool,
        status: bytes,
        replies: list[CommandResponse],
        found: dict[int, FetchItems],
    ) -> Listing:
        """Make the listing of the replies to `_listing`, and ask again for what they lack."""
        if not fresh and not replies[-2].ok:
            self._selected = None
            raise refusal(replies[-2], MailboxGone)
        unseen, told = fetched.unseen(replies), fetched.messages(replies)
        # QUIRK: Dovecot counts before NOOP has taken in new deliveries: after news, count again.
        recount = [status] if _brought_news(replies) else []
        # New mail, an expunged row, or one that the server could not describe: fetch the rest again, then one by one.
        again = _fetch(self._missing(found, window), self._items[0])
        replies = self._run(*again, *recount, rows=found) or replies
        unseen = fetched.unseen(replies) if recount else unseen
        told = fetched.messages(replies) if recount else told
        if not fresh and told not in (None, self._exists):  # QUIRK: a server that miscounts what it announces
            self._selected = None
            return self._listing(mailbox, window)
        if not found and told not in (None, self._exists):  # QUIRK: or announces nonexistent messages
            self._exists = told or 0
            self._run(*_fetch(self._missing(found, window), self._items[0]), rows=found)
        self._complete(found, lambda: self._missing(found, window), replies[0])
        listing = self._listing_of(mailbox, window, found, unseen)
        if self._exists and not listing.summaries:
            raise (
                StoreRefused("none of the messages announced is there")
                if replies[0].ok
                else refusal(replies[0])
            )
        return listing

    def _listing_of(
        self, mailbox: str, window: Window, found: dict[int, FetchItems], unseen: int | None
    ) -> Listing:
        numbers = [n for n in window.numbers(self._exists) if fetched.uid_of(found.get(n, {}))]
        refs = {n: self._ref(found[n]) for n in numbers}
        for n in numbers:
            self._known_rows.number(n, refs[n].uid)
        summaries = self._known_rows.summaries((refs[n], n, found[n]) for n in reversed(numbers))
        top = max(numbers, default=0)
        return Listing(mailbox, self._uidvalidity, self._exists, unseen, top, tuple(summaries))

    def _missing(self, found: dict[int, FetchItems], window: Window) -> list[int]:
        numbers = window.numbers(self._exists)
        return [n for n in numbers if not fetched.is_whole(found.get(n, {}))]

    # --- mailboxes ---

    def append(
        self, mailbox: str, octets: bytes, flags: Iterable[str] = (), when: datetime | None = None
    ) -> MessageRef | None:
        """Store a message; return its ref if the server reports it (RFC 4315)."""
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
        if mailbox == self._selected and not any(line.kind == "EXISTS" for line in reply.untagged):
            # QUIRK: Courier reports a UID that the selected mailbox does not know until it is selected anew.
            self._selected = None
        numbers = [response.numeral(word) for word in reply.status.argument.split()]
        if reply.status.code == "APPENDUID" and len(numbers) == 2 and numbers[0] and numbers[1]:
            return MessageRef(mailbox, numbers[0], numbers[1])
        return None


def _fetch(numbers: Iterable[int], items: bytes) -> list[bytes]:
    """Write the FETCH for these sequence numbers: no command if there are none."""
    found = response.number_set(numbers)
    return [b"FETCH " + found + b" (" + items + b")"] if found else []


def _said(replies: Iterable[CommandResponse]) -> list[object]:
    """Return all that the server has said, comparable."""
    return [
        (reply.status.kind, [(line.kind, line.number, *line.pieces) for line in reply.untagged])
        for reply in replies
    ]


def _brought_news(replies: Iterable[CommandResponse]) -> bool:
    """Return whether there were unsolicited responses: new mail, an expunge, or flags set by another client."""
    return any(
        line.kind in ("EXISTS", "EXPUNGE")
        or (line.kind == "FETCH" and b"RFC822.SIZE" not in line.pieces[0].upper())
        for reply in replies
        for line in reply.untagged
    )
