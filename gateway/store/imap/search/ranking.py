"""Lists sorted or filtered by a server, addressed by rank from 1: how a position is located, and what is there.

Nothing here may read more of a list than a page and what is needed to locate it, except for short lists. A
position is located by its UID, so that new mail and read mail do not shift the pages.

Standard: RFC 5267 §4.4 (PARTIAL); RFC 4731 (COUNT); RFC 9394 (PARTIAL without CONTEXT).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from gateway.store.base import ListPosition
from gateway.store.imap import fetched
from gateway.store.imap.response import MAX_NUMBER, CommandResponse, number
from gateway.store.imap.search import criteria
from gateway.store.imap.search.criteria import CommandParts

#: Ranks on either side that are searched for a position that is no longer where it was.
ASTRAY: Final = 200

#: Runs commands in one round trip; raises if one is refused.
Ask = Callable[[Sequence[CommandParts]], list[CommandResponse]]


class RankedItem(NamedTuple):
    """One row: the UID to show, the UID to locate it by, how many messages it represents, and whether one is unseen."""

    uid: int
    anchor: int
    messages: int = 1
    part: int = 0
    unseen: bool = False


class Ranking(Protocol):
    """A list by rank. `locate` comes first: it also learns the count."""

    count: int

    def locate(self, position: ListPosition, rows: int) -> int:
        """Return the rank of a position; beyond the end it is more than the count."""

    def take(self, low: int, high: int) -> list[RankedItem]:
        """Return the rows from rank `low` to `high`, both within the count."""


class SortedList:
    """A list sorted by the server, which returns any range of it (SORT RETURN PARTIAL)."""

    def __init__(self, ask: Ask, sort: Callable[[bytes], CommandParts]) -> None:
        self._ask, self._sort = ask, sort
        self._held: dict[int, int] = {}
        self.count = 0

    def locate(self, position: ListPosition, rows: int) -> int:
        rank = max(1, position.rank)
        self._read(max(1, rank - rows) if position.before else rank, rank if position.before else rank + rows)
        if position.uid and self.count and self._held.get(rank) != position.uid:
            self._read(max(1, min(rank, self.count) - ASTRAY), rank + ASTRAY)
            rank = next((r for r, uid in self._held.items() if uid == position.uid), rank)
        return rank

    def take(self, low: int, high: int) -> list[RankedItem]:
        if not all(rank in self._held for rank in range(low, high + 1)):
            self._read(low, high)
        uids = [self._held[rank] for rank in range(low, high + 1) if rank in self._held]
        return [RankedItem(uid, uid) for uid in uids]

    def _read(self, low: int, high: int) -> None:
        (reply,) = self._ask([self._sort(b"RETURN (PARTIAL %d:%d COUNT) " % (low, high))])
        self.count = number(criteria.esearch(reply).get(b"COUNT"))
        # A list that has changed in the meantime is another list.
        self._held = {rank: uid for rank, uid in self._held.items() if not low <= rank <= high}
        self._held.update(enumerate(criteria.partial(reply), low))


class OldestFirst(SortedList):
    """A list that the server sorts from its last row to its first; `count`: how many rows it probably has.

    In REVERSE order, messages of the same second would be the wrong way round (RFC 5256 §3).
    """

    def __init__(self, ask: Ask, sort: Callable[[bytes], CommandParts], count: int) -> None:
        super().__init__(ask, sort)
        self.count = count

    def _read(self, low: int, high: int) -> None:
        for _try in range(2):
            supposed = self.count
            first, last = max(1, supposed - high + 1), max(1, supposed - low + 1)
            (reply,) = self._ask([self._sort(b"RETURN (PARTIAL %d:%d COUNT) " % (first, last))])
            self.count = number(criteria.esearch(reply).get(b"COUNT"))
            if self.count == supposed:
                break
            self._held.clear()
        uids = enumerate(criteria.partial(reply), first)
        self._held.update((self.count - at + 1, uid) for at, uid in uids)


class ArrivalList:
    """A list found by the server, newest first: one list after another, each by UID (SEARCH RETURN PARTIAL)."""

    def __init__(self, ask: Ask, parts: Sequence[CommandParts]) -> None:
        self._ask, self._parts = ask, parts
        self._counts = [0] * len(parts)
        self.count = 0

    def locate(self, position: ListPosition, rows: int) -> int:
        wanted = [_search(b"COUNT", keys) for keys in self._parts]
        part = min(position.part, len(self._parts) - 1)
        if position.uid:
            newer = b" UID %d:%d" % (min(position.uid + 1, MAX_NUMBER), MAX_NUMBER)
            wanted.append(_search(b"COUNT", criteria.join(self._parts[part], newer)))
        counts = [number(criteria.esearch(reply).get(b"COUNT")) for reply in self._ask(wanted)]
        self._counts = counts[: len(self._parts)]
        self.count = sum(self._counts)
        return sum(self._counts[:part]) + counts[-1] + 1 if position.uid else max(1, position.rank)

    def take(self, low: int, high: int) -> list[RankedItem]:
        wanted: list[tuple[int, CommandParts]] = []
        offset = 0
        for part, (keys, count) in enumerate(zip(self._parts, self._counts, strict=True)):
            first, last = max(low - offset, 1), min(high - offset, count)
            if first <= last:
                # The server counts from the oldest.
                stretch = b"PARTIAL %d:%d" % (count - last + 1, count - first + 1)
                wanted.append((part, _search(stretch, keys)))
            offset += count
        replies = self._ask([spoken for _part, spoken in wanted])
        return [
            RankedItem(uid, uid, part=part)
            for (part, _spoken), reply in zip(wanted, replies, strict=True)
            for uid in sorted(criteria.partial(reply), reverse=True)
        ]


class HeldList:
    """A short list in memory; `by_uid` if it is sorted by UID, so that expunged messages have a position, too."""

    def __init__(
        self, items: Sequence[RankedItem], members: Sequence[frozenset[int]] = (), by_uid: bool = False
    ) -> None:
        self._items, self._members, self._by_uid = items, members, by_uid
        self.count = len(items)

    def locate(self, position: ListPosition, rows: int) -> int:
        if position.uid:
            for rank, item in enumerate(self._items, 1):
                if position.uid == item.anchor or (self._members and position.uid in self._members[rank - 1]):
                    return rank
                if self._by_uid and item.part == position.part and item.anchor < position.uid:
                    return rank
        return max(1, position.rank)

    def take(self, low: int, high: int) -> list[RankedItem]:
        return list(self._items[low - 1 : high])


class NumberedList:
    """The whole mailbox, newest first, by sequence numbers alone."""

    def __init__(self, ask: Ask, exists: int) -> None:
        self._ask = ask
        self.count = exists

    def locate(self, position: ListPosition, rows: int) -> int:
        return max(1, position.rank)

    def take(self, low: int, high: int) -> list[RankedItem]:
        stretch = b"FETCH %d:%d (UID)" % (self.count - high + 1, self.count - low + 1)
        uids = {
            number(row.get(b"UID"))
            for reply in self._ask([(stretch,)])
            for row in fetched.rows_of(reply.untagged)
        }
        return [RankedItem(uid, uid) for uid in sorted(uids - {0}, reverse=True)]


def _search(wanted: bytes, keys: CommandParts) -> CommandParts:
    return criteria.join(b"UID SEARCH RETURN (" + wanted + b") ", keys)


def stretch(ranking: Ranking, position: ListPosition, rows: int) -> tuple[int, int]:
    """Return the first and last rank of a page; 1 and 0 for an empty list."""
    rank = ranking.locate(position, rows)
    if not ranking.count:
        return 1, 0
    if position.before:
        rank = max(1, min(rank, ranking.count + 1) - rows)
    elif rank > ranking.count:
        rank = (ranking.count - 1) // rows * rows + 1
    return rank, min(ranking.count, rank + rows - 1)
