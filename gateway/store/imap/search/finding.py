"""The part of the store that lists in other orders than by arrival, filters, and threads.

Nothing here may cost more in a large mailbox than in a small one. If the server returns ranges of a sorted or filtered
list (PARTIAL), a page takes three or four round trips anywhere in a hundred thousand messages. Otherwise, and for
threads, only the newest messages are searched, and FoundList says how many.

Standard: RFC 5256 (SORT, THREAD); RFC 5267 (ESORT, CONTEXT); RFC 5957 (SORT=DISPLAY); RFC 9394 (PARTIAL).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby, starmap
from typing import Final, TypeAlias

from gateway.errors import MailboxGone
from gateway.message.query import Query, flag
from gateway.store.abilities import Order
from gateway.store.base import FIRST, SEEN, FoundList, ListPosition, ListRow, MessageRef, Summary
from gateway.store.imap import fetched as rows_
from gateway.store.imap import response
from gateway.store.imap.features import Feature, refused
from gateway.store.imap.fetched import FetchItems
from gateway.store.imap.response import CommandResponse
from gateway.store.imap.search import criteria
from gateway.store.imap.search.criteria import CommandParts
from gateway.store.imap.search.ranking import (
    ArrivalList,
    HeldList,
    NumberedList,
    OldestFirst,
    RankedItem,
    Ranking,
    SortedList,
    stretch,
)
from gateway.store.imap.selected import Selected

#: Messages that are threaded, or sorted if the server cannot return ranges: at most 7 KB of numbers.
NEWEST: Final = 1000
#: Messages that are filtered if the server cannot return ranges: at most 70 KB, usually much less.
NEWEST_FILTERED: Final = 10_000
#: Rows of one page, whatever is requested.
MOST_LINES: Final = 100

_THREADS: Final = ("REFERENCES", "REFS", "ORDEREDSUBJECT")
#: {sender} is the sender as rows show it, if the server can sort by that (RFC 5957).
_SORTS: Final = {
    Order.DATE: "(REVERSE DATE)",
    Order.SENDER: "({sender} REVERSE DATE)",
    Order.SUBJECT: "(SUBJECT REVERSE DATE)",
    Order.SIZE: "(REVERSE SIZE)",
    Order.RECEIVED: "(ARRIVAL)",
}


#: Makes a list; also returns how many of the newest messages it covers.
_Ranked: TypeAlias = Callable[[], tuple[Ranking, int]]


@dataclass(frozen=True, slots=True)
class _Read:
    """A page of a list: its ranks, and the rows from the first to one after the last."""

    order: Order
    ranking: Ranking
    newest: int
    low: int
    high: int
    items: list[RankedItem]

    @classmethod
    def of(cls, order: Order, ranking: Ranking, newest: int, position: ListPosition, rows: int) -> _Read:
        low, high = stretch(ranking, position, rows)
        items = ranking.take(low, min(high + 1, ranking.count)) if high else []
        return cls(order, ranking, newest, low, high, items)


_Way: TypeAlias = tuple[Feature | None, Callable[[], _Read]]


class Finding(Selected):
    """Lists by a server's sorting, filtering and threading."""

    def found(
        self,
        mailbox: str,
        query: Query,
        order: Order,
        position: ListPosition = FIRST,
        rows: int = 9,
        thread: int = 0,
    ) -> FoundList:
        """Fetch a range of a list, of only one thread if a UID of it is given."""
        count = max(1, min(rows, MOST_LINES))
        self._enter_anew(mailbox)

        def way(feature: Feature | None, listed: Order, ranked: Callable[[], tuple[Ranking, int]]) -> _Way:
            return feature, lambda: _Read.of(listed, *ranked(), position, count)

        read = self._best(*starmap(way, self._ways(query, order, thread)))
        ranking, newest, low, high, items = read.ranking, read.newest, read.low, read.high, read.items
        shown = items[: high - low + 1]
        places = [ListPosition(rank, item.anchor, part=item.part) for rank, item in enumerate(items, low)]
        status = b"STATUS " + self._argument(mailbox) + b" (UNSEEN)"
        summaries, replies = self._summaries([item.uid for item in shown], status)
        lines = tuple(
            ListRow(_with_thread(summaries[item.uid], item), place, item.messages)
            for item, place in zip(shown, places, strict=False)
            if item.uid in summaries
        )
        return FoundList(
            mailbox=mailbox,
            uidvalidity=self._uidvalidity,
            exists=self._exists,
            unseen=rows_.unseen(replies),
            order=read.order,
            count=ranking.count,
            rank=low if shown else 0,
            lines=lines,
            beyond=places[len(shown)] if len(places) > len(shown) else None,
            newest=newest if newest < self._exists else 0,
            filtered=not (query.terms and isinstance(ranking, NumberedList)),
        )

    def summaries_of(self, refs: Sequence[MessageRef]) -> tuple[Summary, ...]:
        """Fetch messages of any mailboxes, in the order of `refs`; those that are gone are left out."""
        found: dict[MessageRef, Summary] = {}
        wanted = sorted(set(refs[:MOST_LINES]), key=lambda ref: ref.mailbox)
        groups = [(name, list(group)) for name, group in groupby(wanted, key=lambda ref: ref.mailbox)]
        # The selected mailbox comes first, and the last one stays selected: a list of one mailbox costs one round trip.
        groups.sort(key=lambda group: group[0] != self._selected)
        for name, group in groups:
            with suppress(MailboxGone):
                if self._selected != name:
                    self._select(name)
                uids = [ref.uid for ref in group if ref.uidvalidity == self._uidvalidity]
                # The responses to NOOP are applied to the rows: expunged messages are not shown, read ones are not
                # bold.
                summaries, _ = self._summaries(uids, b"NOOP")
                found.update((ref, summaries[ref.uid]) for ref in group if ref.uid in summaries)
        return tuple(found[ref] for ref in refs if ref in found)

    # --- how the list is fetched ---

    def _ways(
        self, query: Query, order: Order, thread: int
    ) -> Iterator[tuple[Feature | None, Order, _Ranked]]:
        """Yield the ways to read a list, the best one first: feature, order, and the list with how much it covers."""
        if not self._exists:
            yield None, order, lambda: (HeldList(()), 0)
            return
        if order is Order.THREADS:
            yield Feature.THREAD, order, lambda: (self._threads(query, thread), NEWEST)
        if order is Order.RECEIVED:
            oldest_first = self._sort(query, order)
            yield (
                Feature.SORT_RANGES,
                order,
                lambda: (OldestFirst(self._ask, oldest_first, self._exists), self._exists),
            )
        elif order in _SORTS:
            yield (
                Feature.SORT_RANGES,
                order,
                lambda: (SortedList(self._ask, self._sort(query, order)), self._exists),
            )
            yield Feature.SORT, order, lambda: (self._sorted(query, order), NEWEST)
        split = order is Order.UNREAD and not any(term.value == "unread" for term in query.terms)
        parts = [query + flag("unread"), query + flag("unread", False)] if split else [query]
        spoken = [criteria.keys(part, utf8=self._utf8) for part in parts]
        found = order if order is Order.UNREAD else Order.ARRIVAL
        yield Feature.SEARCH_RANGES, found, lambda: (ArrivalList(self._ask, spoken), self._exists)
        yield Feature.EXTENDED_SEARCH, found, lambda: (self._matching(spoken, extended=True), NEWEST_FILTERED)
        yield Feature.SEARCH, found, lambda: (self._matching(spoken, extended=False), NEWEST_FILTERED)
        yield None, Order.ARRIVAL, lambda: (NumberedList(self._ask, self._exists), self._exists)

    def _matching(self, spoken: Sequence[CommandParts], extended: bool) -> Ranking:
        how = b"UID SEARCH " + (b"RETURN (ALL) " if extended else b"") + self._newest(NEWEST_FILTERED) + b" "
        asked = [criteria.join(how, keys) for keys in spoken]
        # The plain results of two simultaneous searches could not be told apart.
        replies = self._ask(asked) if extended else [self._ask([one])[0] for one in asked]
        items = [
            RankedItem(uid, uid, part=part)
            for part, reply in enumerate(replies)
            for uid in sorted(set(criteria.numbers(reply)), reverse=True)
        ]
        return HeldList(items, by_uid=True)

    def _sort(self, query: Query, order: Order, window: bytes = b"") -> Callable[[bytes], CommandParts]:
        by = _SORTS[order].format(sender="DISPLAYFROM" if "SORT=DISPLAY" in self._capabilities else "FROM")
        keys = criteria.keys(query, utf8=self._utf8)

        def sort(how: bytes) -> CommandParts:
            return criteria.join(b"UID SORT " + how + by.encode("ascii") + b" UTF-8 " + window, keys)

        return sort

    def _sorted(self, query: Query, order: Order) -> Ranking:
        (reply,) = self._ask([self._sort(query, order, self._newest(NEWEST) + b" ")(b"")])
        return HeldList([RankedItem(uid, uid) for uid in criteria.numbers(reply)])

    def _threads(self, query: Query, thread: int) -> Ranking:
        window, keys = self._newest(NEWEST), criteria.keys(query, utf8=self._utf8)
        by = b"UID THREAD " + self._threading().encode("ascii") + b" UTF-8 " + window + b" "
        # Either result may arrive after the end of the other command.
        replies = self._ask([criteria.join(by, keys), (b"UID SEARCH " + window + b" UNSEEN",)])
        unseen = set(criteria.numbers(*replies))
        found = sorted((sorted(set(uids)) for uids in criteria.threads(*replies)), key=lambda uids: -uids[-1])
        if thread:
            one = next((uids for uids in found if thread in uids), [])
            return HeldList([RankedItem(uid, uid) for uid in reversed(one)], by_uid=True)
        items = [RankedItem(uids[-1], uids[0], len(uids), 0, not unseen.isdisjoint(uids)) for uids in found]
        return HeldList(items, [frozenset(uids) for uids in found])

    def _threading(self) -> str:
        return next((name for name in _THREADS if f"THREAD={name}" in self._capabilities), "")

    def _newest(self, most: int) -> bytes:
        return b"%d:*" % max(1, self._exists - most + 1)

    # --- its contents ---

    def _summaries(
        self, uids: Sequence[int], *more: bytes
    ) -> tuple[dict[int, Summary], list[CommandResponse]]:
        """Fetch rows of the selected mailbox by UID, and run more commands afterwards."""
        found: dict[int, FetchItems] = {}
        known = {uid for uid in uids if self._known_rows.knows(self._ref({b"UID": uid}))}
        asked = [*_fetch(set(uids) - known, self._items[0]), *_fetch(known, rows_.FLAG_ITEMS)]
        replies = self._run(*asked, *more, rows=found)
        dropped = self._known_rows.drop_unknown(found, self._ref) if known else []
        self._run(*_fetch(dropped, self._items[0]), rows=found)

        def missing() -> list[int]:
            there = {rows_.uid_of(row) for row in found.values() if rows_.is_whole(row)}
            return [uid for uid in uids if uid not in there]

        self._complete(found, missing, replies[0], b"UID FETCH")
        shown = ((self._ref(row), sequence, row) for sequence, row in found.items())
        summaries = self._known_rows.summaries(each for each in shown if each[0].uid in uids)
        return {summary.ref.uid: summary for summary in summaries}, replies

    def _speak(self, commands: Sequence[CommandParts]) -> list[CommandResponse]:
        """Run commands that may contain literals, and apply what they report about the selected mailbox."""
        replies = self._exchange.speak(*commands, capabilities=self._capabilities)
        for reply in sorted(replies, key=lambda reply: reply.finished):
            self._note(reply)
        return replies

    def _ask(self, commands: Sequence[CommandParts]) -> list[CommandResponse]:
        """Run commands in one round trip; raise for the first that is refused."""
        replies = self._speak(commands) if commands else []
        for reply in replies:
            if not reply.ok:
                raise refused(reply)
        return replies


def _fetch(uids: Iterable[int], items: bytes) -> list[bytes]:
    numbers = response.number_set(uids)
    return [b"UID FETCH " + numbers + b" (" + items + b")"] if numbers else []


def _with_thread(summary: Summary, item: RankedItem) -> Summary:
    """Show the newest message of a thread as unread while any of the thread is."""
    return replace(summary, flags=summary.flags - {SEEN}) if item.unseen else summary
