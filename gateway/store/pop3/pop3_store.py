"""The MailStore over POP3: the list, deleting, and which messages were seen.

Nothing here may report something as deleted before the server has confirmed that in its answer to QUIT (RFC 1939 §6). A
list costs LIST, UIDL and a TOP for each row that was not shown recently, whatever the size of the maildrop.

Standard: RFC 1939 §5–§7.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from gateway.config import Server
from gateway.errors import MessageGone, NotSupported, PartlyDone, StoreError, StoreRefused
from gateway.message.mime import wire_format
from gateway.message.model import Envelope
from gateway.message.query import Query
from gateway.store.abilities import Order
from gateway.store.base import (
    FIRST,
    INBOX,
    SEEN,
    FoundList,
    Listing,
    ListPosition,
    ListRow,
    MessageRef,
    Summary,
    Window,
)
from gateway.store.pop3.connection import BoundedPOP3
from gateway.store.pop3.entering import probe
from gateway.store.pop3.inbox import OneMailbox
from gateway.store.pop3.maildrop import Maildrop, MaildropEntry, uid_of_header
from gateway.store.pop3.retrieving import UIDVALIDITY
from gateway.store.pop3.visiting import open_maildrop

__all__ = ["Pop3Store", "connect", "probe"]

#: Rows of one window, whatever is requested.
MAX_ROWS: Final = 100
#: Envelopes that are kept from one lease to the next, and the most characters of one that is kept.
MOST_ROWS_KEPT: Final = 100
LONGEST_KEPT: Final = 4000


def connect(server: Server, user: str, password: str) -> Pop3Store:
    """Open a signed-in connection; raise the StoreError that says why that failed."""
    return Pop3Store(open_maildrop(server, user, password))


class Pop3Store(OneMailbox):
    """One person's maildrop, visited whenever something from it is needed."""

    def __init__(self, connection: BoundedPOP3) -> None:
        super().__init__(connection)
        self._envelopes: OrderedDict[int, Envelope] = OrderedDict()
        #: What the server has reported as deleted.
        self._deleted: set[int] = set()

    # --- lists ---

    def summaries(self, mailbox: str, window: Window) -> Listing:
        """Fetch one window, newest first: those with the highest numbers."""
        self._require(mailbox)
        maildrop = self._listed()
        window = replace(window, rows=max(1, min(window.rows, MAX_ROWS)))
        ranks = window.numbers(len(maildrop))
        rows = self._rows([maildrop[rank] for rank in reversed(ranks)])
        unseen, top = self._unseen(maildrop), max(ranks, default=0)
        return Listing(INBOX, UIDVALIDITY, len(maildrop), unseen, top, rows, self._undeleted(maildrop))

    def found(
        self,
        mailbox: str,
        query: Query,
        order: Order,
        position: ListPosition = FIRST,
        rows: int = 9,
        thread: int = 0,
    ) -> FoundList:
        """Fetch a range of the list by arrival, whatever the order: POP3 neither sorts nor filters."""
        self._require(mailbox)
        maildrop = self._listed()
        count = len(maildrop)
        entry = maildrop.find(position.uid) if position.uid else None
        rank = count - entry.rank + 1 if entry is not None else min(position.rank, count)
        if position.before:
            rank = max(1, rank - rows)
        first = max(0, count - rank + 1)
        summaries = self._rows([maildrop[at] for at in range(first, max(0, first - rows), -1)])
        lines = tuple(ListRow(row, ListPosition(count - row.sequence + 1, row.ref.uid)) for row in summaries)
        beyond = ListPosition(rank + rows) if first - rows > 0 else None
        return FoundList(
            INBOX,
            UIDVALIDITY,
            count,
            self._unseen(maildrop),
            Order.ARRIVAL,
            count,
            rank if lines else 0,
            lines,
            beyond,
            filtered=query == Query(),
            undeleted=self._undeleted(maildrop),
        )

    def summaries_of(self, refs: Sequence[MessageRef]) -> tuple[Summary, ...]:
        """Fetch these messages, except those that are gone."""
        there = [entry for ref in refs[:MAX_ROWS] if (entry := self._there(ref)) is not None]
        return self._rows(there)

    def newest(self, mailbox: str, most: int) -> tuple[MessageRef, ...]:
        """Return the newest messages, at most `most`, oldest first."""
        self._require(mailbox)
        maildrop = self._listed()
        entries = [maildrop[rank] for rank in Window(most).numbers(len(maildrop))]
        return tuple(_ref(entry) for entry in self._named(entries[::-1])[::-1])

    def neighbour(self, ref: MessageRef, older: bool, unread: bool = False) -> MessageRef | None:
        """Return the next older (else newer) message, or the next unread one; None if there is none.

        One that is missing counts as above the newest. What was just deleted still has its place, except for messages
        without unique-ids, whose numbers mean nothing after the visit.
        """
        self._require(ref.mailbox, ref.uidvalidity)
        maildrop = self._maildrop or self._listed()
        rank = self._rank_of(maildrop, ref.uid)
        ranks = range(rank - 1, 0, -1) if older else range(rank + 1, len(maildrop) + 1)
        wanted = (maildrop[at] for at in ranks)
        found = next(
            (entry for entry in wanted if not (unread and entry.uid and entry.uid in self._seen)), None
        )
        if found is None or (self._connection is None and not found.uid):
            return None
        named = self._named([found])
        return _ref(named[0]) if named else None

    def _rank_of(self, maildrop: Maildrop, uid: int) -> int:
        entry = maildrop.find(uid)
        if entry is None and self._connection is not None and any(maildrop.candidates(uid)):
            try:
                entry = self._found(uid)
            except MessageGone:
                pass
        return entry.rank if entry is not None else len(maildrop) + 1

    def _unseen(self, maildrop: Maildrop) -> int | None:
        """Count the messages that were not seen here; None if some cannot be told apart."""
        if not all(maildrop.uids):
            return None
        return sum(uid not in self._seen for uid in maildrop.uids)

    def _undeleted(self, maildrop: Maildrop) -> int:
        """Count the messages that are there again after the server has confirmed that they were deleted."""
        if self._deleted:
            self._deleted.intersection_update(maildrop.uids)
        return len(self._deleted)

    def _rows(self, entries: Sequence[MaildropEntry]) -> tuple[Summary, ...]:
        """Make rows; a message without both unique-id and header gets none."""
        unknown = [entry for entry in entries if entry.uid not in self._envelopes]
        headers = dict(zip(unknown, self._headers(unknown) if unknown else (), strict=True))
        rows = (self._row(entry, headers.get(entry)) for entry in entries)
        return tuple(row for row in rows if row.ref.uid)

    def _row(self, entry: MaildropEntry, header: bytes | None) -> Summary:
        uid = entry.uid or (uid_of_header(header, entry.octets) if header is not None else 0)
        envelope = self._envelopes.get(uid)
        readable = header is not None or envelope is not None
        if envelope is None:
            envelope = wire_format.parse(header).message.envelope if header is not None else Envelope()
            if header is not None and len(repr(envelope)) <= LONGEST_KEPT:
                self._envelopes[uid] = envelope
        if len(self._envelopes) > MOST_ROWS_KEPT:
            self._envelopes.popitem(last=False)
        ref = MessageRef(INBOX, UIDVALIDITY, uid)
        return Summary(ref, entry.rank, envelope, self._flags(uid), None, entry.octets, False, readable)

    def _there(self, ref: MessageRef) -> MaildropEntry | None:
        self._require(ref.mailbox, ref.uidvalidity)
        try:
            return self._found(ref.uid)
        except MessageGone:
            return None

    # --- changes ---

    def flags(self, refs: Iterable[MessageRef]) -> dict[MessageRef, frozenset[str]]:
        """Return which messages were seen here, except those that are gone."""
        return {ref: self._flags(ref.uid) for ref in refs if self._there(ref) is not None}

    def flag(self, refs: Iterable[MessageRef], flags: Iterable[str], present: bool = True) -> None:
        r"""Record that messages were seen, or not; the server is not asked. Raise NotSupported for other flags."""
        wanted = list(refs)
        if set(flags) != {SEEN}:
            raise NotSupported("POP3 has no flags")
        for ref in wanted:
            self._require(ref.mailbox, ref.uidvalidity)
        there = self._maildrop.uids if self._maildrop is not None else ()
        self._seen.put([ref.uid for ref in wanted], present, there if all(there) else ())

    def delete(self, refs: Iterable[MessageRef]) -> None:
        """Delete messages permanently, by the end of this visit. Raise MessageGone if none is there, PartlyDone."""
        wanted = list(dict.fromkeys(refs))
        there = {ref: entry for ref in wanted if (entry := self._there(ref)) is not None}
        if not there:
            raise MessageGone("none of them")
        line = self._line()
        replies = line.each([b"DELE %d" % entry.number for entry in there.values()], line.status)
        marked = [ref for ref, reply in zip(there, replies, strict=True) if reply.ok]
        why: StoreError | None = MessageGone("some of them") if len(there) < len(wanted) else None
        why = next((StoreRefused(str(reply)) for reply in replies if not reply.ok), why)
        try:
            self._finish()
        except StoreRefused as error:  # "some deleted messages not removed" (RFC 1939 §6)
            marked, why = [ref for ref in marked if self._there(ref) is None], error
        for ref in marked:
            self._opened.pop(ref.uid, None)
            self._deleted.add(ref.uid)
        if why is not None:
            raise PartlyDone(dict.fromkeys(marked), why) if marked else why


def _ref(entry: MaildropEntry) -> MessageRef:
    return MessageRef(INBOX, UIDVALIDITY, entry.uid)
