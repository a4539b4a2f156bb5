"""Lists in another order than that of arrival, filtered lists, and threads: the part of the store that finds.

Nothing here may cost more in a large mailbox than in a small one. Where the server tells a stretch of what it has
sorted or found (PARTIAL), a page is three or four round trips anywhere in a hundred thousand messages. Where it
cannot, and for threads, only the newest are looked at, and Found says how many.
Standard: RFC 5256 (SORT, THREAD); RFC 5267 (ESORT, CONTEXT); RFC 5957 (SORT=DISPLAY); RFC 9394 (PARTIAL).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import Final

from gateway.errors import MailboxGone, StoreRefused
from gateway.message.query import Query, flag
from gateway.store import criteria, response
from gateway.store import rows as rows_
from gateway.store.base import FIRST, SEEN, Found, Line, MessageRef, Order, Spot, Summary
from gateway.store.criteria import Spoken
from gateway.store.exchange import refusal
from gateway.store.ranking import Arrived, Held, Item, Ranking, Sorted, stretch
from gateway.store.response import Reply, number
from gateway.store.rows import LIST_ITEMS, Row
from gateway.store.selected import Selected

#: Messages that are threaded, or sorted where the server can tell no stretch of it: 7 KB of numbers at most.
NEWEST: Final = 1000
#: Messages that are filtered where the server can tell no stretch of it: 70 KB at most, mostly much less.
NEWEST_FILTERED: Final = 10_000
#: Lines of one page, whatever is asked for.
MOST_LINES: Final = 100

_THREADS: Final = ("REFERENCES", "REFS", "ORDEREDSUBJECT")
#: {sender} is what a row shows as the sender, where the server can sort by that (RFC 5957).
_SORTS: Final = {
    Order.DATE: "(REVERSE DATE)",
    Order.SENDER: "({sender} REVERSE DATE)",
    Order.SUBJECT: "(SUBJECT REVERSE DATE)",
    Order.SIZE: "(REVERSE SIZE)",
}


class Finding(Selected):
    """Lists by a server's sorting, filtering and threading."""

    #: The server has refused to tell a stretch of what it sorts.
    _sorts_whole = False

    def orders(self) -> frozenset[Order]:
        """Say in which orders this server can list."""
        found = {Order.ARRIVAL, Order.UNREAD}
        if "SORT" in self._capabilities:
            found.update(_SORTS)
        if self._threading():
            found.add(Order.THREADS)
        return frozenset(found)

    def found(
        self,
        mailbox: str,
        query: Query,
        order: Order,
        spot: Spot = FIRST,
        rows: int = 9,
        thread: int = 0,
    ) -> Found:
        """Fetch a stretch of a list, of one thread only if a UID of it is given."""
        count = max(1, min(rows, MOST_LINES))
        self._freshen(mailbox)
        order = order if order in self.orders() else Order.ARRIVAL
        ranking, newest = self._ranking(query, order, thread)
        try:
            low, high = stretch(ranking, spot, count)
        except StoreRefused:
            if not isinstance(ranking, Sorted):
                raise
            self._sorts_whole = True
            ranking, newest = self._ranking(query, order, thread)
            low, high = stretch(ranking, spot, count)
        items = ranking.take(low, min(high + 1, ranking.count)) if high else []
        shown = items[: high - low + 1]
        places = [Spot(rank, item.anchor, part=item.part) for rank, item in enumerate(items, low)]
        status = b"STATUS " + self._argument(mailbox) + b" (UNSEEN)"
        summaries, replies = self._summaries([item.uid for item in shown], status)
        lines = tuple(
            Line(_with_thread(summaries[item.uid], item), place, item.messages)
            for item, place in zip(shown, places, strict=False)
            if item.uid in summaries
        )
        return Found(
            mailbox=mailbox,
            uidvalidity=self._uidvalidity,
            exists=self._exists,
            unseen=rows_.unseen(replies),
            order=order,
            count=ranking.count,
            rank=low if shown else 0,
            lines=lines,
            beyond=places[len(shown)] if len(places) > len(shown) else None,
            newest=newest if newest < self._exists else 0,
        )

    def summaries_of(self, refs: Sequence[MessageRef]) -> tuple[Summary, ...]:
        """Fetch messages of any mailboxes, in the order of `refs`; what is gone is left out."""
        found: dict[MessageRef, Summary] = {}
        wanted = sorted(set(refs[:MOST_LINES]), key=lambda ref: ref.mailbox)
        groups = [(name, list(group)) for name, group in groupby(wanted, key=lambda ref: ref.mailbox)]
        # The mailbox that is open comes first, and the last one stays open: a list of one costs one round trip.
        groups.sort(key=lambda group: group[0] != self._selected)
        for name, group in groups:
            with suppress(MailboxGone):
                if self._selected != name:
                    self._select(name)
                uids = [ref.uid for ref in group if ref.uidvalidity == self._uidvalidity]
                # What NOOP tells is applied to the rows: what is gone is not shown, what was read is not bold.
                summaries, _ = self._summaries(uids, b"NOOP")
                found.update((ref, summaries[ref.uid]) for ref in group if ref.uid in summaries)
        return tuple(found[ref] for ref in refs if ref in found)

    # --- how the list is told ---

    def _ranking(self, query: Query, order: Order, thread: int) -> tuple[Ranking, int]:
        """Choose how to read a list; and say how many of the newest messages it is made of."""
        if not self._exists:
            return Held(()), 0
        if order is Order.THREADS:
            return self._threads(query, thread), NEWEST
        if order in _SORTS:
            return self._sorted(query, order)
        split = order is Order.UNREAD and not any(term.value == "unread" for term in query.terms)
        parts = [query + flag("unread"), query + flag("unread", False)] if split else [query]
        spoken = [criteria.keys(part, utf8=self._utf8) for part in parts]
        if self._has("CONTEXT=SEARCH", "PARTIAL"):
            return Arrived(self._ask, spoken), self._exists
        window = self._newest(NEWEST_FILTERED)
        extended = self._has("ESEARCH", "IMAP4REV2")
        how = b"UID SEARCH " + (b"RETURN (ALL) " if extended else b"") + window + b" "
        asked = [criteria.join(how, keys) for keys in spoken]
        # Plain answers of two searches at once could not be told apart.
        replies = self._ask(asked) if extended else [self._ask([one])[0] for one in asked]
        items = [
            Item(uid, uid, part=part)
            for part, reply in enumerate(replies)
            for uid in sorted(set(criteria.numbers(reply)), reverse=True)
        ]
        return Held(items, by_uid=True), NEWEST_FILTERED

    def _sorted(self, query: Query, order: Order) -> tuple[Ranking, int]:
        by = _SORTS[order].format(sender="DISPLAYFROM" if self._has("SORT=DISPLAY") else "FROM")
        keys = criteria.keys(query, utf8=self._utf8)

        def sort(how: bytes, window: bytes = b"") -> Spoken:
            return criteria.join(b"UID SORT " + how + by.encode("ascii") + b" UTF-8 " + window, keys)

        # QUIRK: Dovecot 2.3 tells stretches of SORT too, and names only CONTEXT=SEARCH and ESORT.
        named = self._has("CONTEXT=SORT") or {"CONTEXT=SEARCH", "ESORT"} <= self._capabilities
        if named and not self._sorts_whole:
            return Sorted(self._ask, sort), self._exists
        (reply,) = self._ask([sort(b"", self._newest(NEWEST) + b" ")])
        return Held([Item(uid, uid) for uid in criteria.numbers(reply)]), NEWEST

    def _threads(self, query: Query, thread: int) -> Ranking:
        window, keys = self._newest(NEWEST), criteria.keys(query, utf8=self._utf8)
        by = b"UID THREAD " + self._threading().encode("ascii") + b" UTF-8 " + window + b" "
        # Either answer may come behind the end of the other command.
        replies = self._ask([criteria.join(by, keys), (b"UID SEARCH " + window + b" UNSEEN",)])
        unseen = set(criteria.numbers(*replies))
        found = sorted((sorted(set(uids)) for uids in criteria.threads(*replies)), key=lambda uids: -uids[-1])
        if thread:
            one = next((uids for uids in found if thread in uids), [])
            return Held([Item(uid, uid) for uid in reversed(one)], by_uid=True)
        items = [Item(uids[-1], uids[0], len(uids), 0, not unseen.isdisjoint(uids)) for uids in found]
        return Held(items, [frozenset(uids) for uids in found])

    def _threading(self) -> str:
        return next((name for name in _THREADS if f"THREAD={name}" in self._capabilities), "")

    def _newest(self, most: int) -> bytes:
        return b"%d:*" % max(1, self._exists - most + 1)

    # --- what stands in it ---

    def _summaries(self, uids: Sequence[int], *more: bytes) -> tuple[dict[int, Summary], list[Reply]]:
        """Fetch lines of the selected mailbox by UID, and run more commands behind that."""
        found: dict[int, Row] = {}
        replies = self._run(*_fetch(uids, LIST_ITEMS[0]), *more, rows=found)
        # One message that the server cannot describe does not keep the others from the list.
        there = {number(row.get(b"UID")) for row in found.values() if rows_.is_whole(row)}
        alone = [line for uid in uids if uid not in there for line in _fetch([uid], LIST_ITEMS[1])]
        self._run(*alone, rows=found)
        summaries: dict[int, Summary] = {}
        for sequence, row in found.items():
            if rows_.is_whole(row):
                uid = number(row.get(b"UID"))
                ref = MessageRef(self._selected or "", self._uidvalidity, uid)
                summaries[uid] = rows_.summary(ref, sequence, row)
        return summaries, replies

    def _freshen(self, mailbox: str) -> None:
        """Have a mailbox selected, and know what has come since."""
        if self._selected != mailbox:
            self._select(mailbox)
            return
        (news,) = self._run(b"NOOP")
        if not news.ok:
            self._selected = None
            raise refusal(news, MailboxGone)

    def _has(self, *names: str) -> bool:
        return not self._capabilities.isdisjoint(names)

    def _speak(self, commands: Sequence[Spoken]) -> list[Reply]:
        """Run commands that may hold literals, and follow what they tell about the selected mailbox."""
        replies = self._exchange.speak(*commands, capabilities=self._capabilities)
        for reply in sorted(replies, key=lambda reply: reply.finished):
            self._note(reply)
        return replies

    def _ask(self, commands: Sequence[Spoken]) -> list[Reply]:
        """Run commands in one round trip; raise for the first that is refused."""
        replies = self._speak(commands) if commands else []
        for reply in replies:
            if not reply.ok:
                raise refusal(reply)
        return replies


def _fetch(uids: Iterable[int], items: bytes) -> list[bytes]:
    numbers = response.number_set(uids)
    return [b"UID FETCH " + numbers + b" (" + items + b")"] if numbers else []


def _with_thread(summary: Summary, item: Item) -> Summary:
    """Show the newest of a thread as unread while any of it is."""
    return replace(summary, flags=summary.flags - {SEEN}) if item.unseen else summary
