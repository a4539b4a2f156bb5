"""Lists that a server has sorted or filtered, seen as ranks from 1: how a place is found, and what is there.

Nothing here may read more of a list than a page and what it takes to find its place, but for lists that are short by
themselves. A place is found by its UID, so that new mail and read mail do not shift the pages.
Standard: RFC 5267 §4.4 (PARTIAL); RFC 4731 (COUNT); RFC 9394 (PARTIAL without CONTEXT).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from gateway.store import criteria
from gateway.store.base import Spot
from gateway.store.criteria import Spoken
from gateway.store.response import MAX_NUMBER, Reply, number

#: Ranks on either side among which a place is looked for when it is not where it was.
ASTRAY: Final = 200

#: Runs commands in one round trip; raises for one that is refused.
Ask = Callable[[Sequence[Spoken]], list[Reply]]


class Item(NamedTuple):
    """One line: the UID to show, the UID to find it by, how many messages it stands for, and whether one is unseen."""

    uid: int
    anchor: int
    messages: int = 1
    part: int = 0
    unseen: bool = False


class Ranking(Protocol):
    """A list by ranks. `locate` comes first: it learns the count too."""

    count: int

    def locate(self, spot: Spot, rows: int) -> int:
        """Find the rank of a place; one beyond the end is more than the count."""

    def take(self, low: int, high: int) -> list[Item]:
        """Return the lines from rank `low` to `high`, both within the count."""


class Sorted:
    """What the server sorts: it tells any stretch of it (SORT RETURN PARTIAL)."""

    def __init__(self, ask: Ask, sort: Callable[[bytes], Spoken]) -> None:
        self._ask, self._sort = ask, sort
        self._held: dict[int, int] = {}
        self.count = 0

    def locate(self, spot: Spot, rows: int) -> int:
        rank = max(1, spot.rank)
        self._read(max(1, rank - rows) if spot.before else rank, rank if spot.before else rank + rows)
        if spot.uid and self.count and self._held.get(rank) != spot.uid:
            self._read(max(1, min(rank, self.count) - ASTRAY), rank + ASTRAY)
            rank = next((r for r, uid in self._held.items() if uid == spot.uid), rank)
        return rank

    def take(self, low: int, high: int) -> list[Item]:
        if not all(rank in self._held for rank in range(low, high + 1)):
            self._read(low, high)
        uids = [self._held[rank] for rank in range(low, high + 1) if rank in self._held]
        return [Item(uid, uid) for uid in uids]

    def _read(self, low: int, high: int) -> None:
        (reply,) = self._ask([self._sort(b"RETURN (PARTIAL %d:%d COUNT) " % (low, high))])
        self.count = number(criteria.told(reply).get(b"COUNT"))
        # A list that has changed in between is another one.
        self._held = {rank: uid for rank, uid in self._held.items() if not low <= rank <= high}
        self._held.update(enumerate(criteria.partial(reply), low))


class Arrived:
    """What the server finds, the newest first: one list after another, each by UID (SEARCH RETURN PARTIAL)."""

    def __init__(self, ask: Ask, parts: Sequence[Spoken]) -> None:
        self._ask, self._parts = ask, parts
        self._counts = [0] * len(parts)
        self.count = 0

    def locate(self, spot: Spot, rows: int) -> int:
        wanted = [_search(b"COUNT", keys) for keys in self._parts]
        part = min(spot.part, len(self._parts) - 1)
        if spot.uid:
            newer = b" UID %d:%d" % (min(spot.uid + 1, MAX_NUMBER), MAX_NUMBER)
            wanted.append(_search(b"COUNT", criteria.join(self._parts[part], newer)))
        counts = [number(criteria.told(reply).get(b"COUNT")) for reply in self._ask(wanted)]
        self._counts = counts[: len(self._parts)]
        self.count = sum(self._counts)
        return sum(self._counts[:part]) + counts[-1] + 1 if spot.uid else max(1, spot.rank)

    def take(self, low: int, high: int) -> list[Item]:
        wanted: list[tuple[int, Spoken]] = []
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
            Item(uid, uid, part=part)
            for (part, _spoken), reply in zip(wanted, replies, strict=True)
            for uid in sorted(criteria.partial(reply), reverse=True)
        ]


class Held:
    """A short list that is held whole; `by_uid` where it stands by UID, so that what is gone has a place too."""

    def __init__(
        self, items: Sequence[Item], members: Sequence[frozenset[int]] = (), by_uid: bool = False
    ) -> None:
        self._items, self._members, self._by_uid = items, members, by_uid
        self.count = len(items)

    def locate(self, spot: Spot, rows: int) -> int:
        if spot.uid:
            for rank, item in enumerate(self._items, 1):
                if spot.uid == item.anchor or (self._members and spot.uid in self._members[rank - 1]):
                    return rank
                if self._by_uid and item.part == spot.part and item.anchor < spot.uid:
                    return rank
        return max(1, spot.rank)

    def take(self, low: int, high: int) -> list[Item]:
        return list(self._items[low - 1 : high])


def _search(wanted: bytes, keys: Spoken) -> Spoken:
    return criteria.join(b"UID SEARCH RETURN (" + wanted + b") ", keys)


def stretch(ranking: Ranking, spot: Spot, rows: int) -> tuple[int, int]:
    """Find the ranks of a page: the first, and the last; 1 and 0 of an empty list."""
    rank = ranking.locate(spot, rows)
    if not ranking.count:
        return 1, 0
    if spot.before:
        rank = max(1, min(rank, ranking.count + 1) - rows)
    elif rank > ranking.count:
        rank = (ranking.count - 1) // rows * rows + 1
    return rank, min(ranking.count, rank + rows - 1)
