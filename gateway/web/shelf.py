"""A shelf: the few results made last, kept in this process so that the next request need not make them again.

Nothing here may be needed: what has fallen off is made anew. Nothing on a shelf may be mail but what its size bounds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
Key = tuple[object, ...]


class Shelf(Generic[T]):
    """At most `size` values, at most `most` together by `weigh`: the least recently put ones fall off; thread-safe."""

    def __init__(self, size: int, most: int = 0, weigh: Callable[[T], int] = lambda _value: 0) -> None:
        self._size, self._most, self._weigh = size, most, weigh
        self._kept: OrderedDict[Key, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> T | None:
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Key, value: T) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._size or self._weight() > self._most:
                self._kept.popitem(last=False)

    def _weight(self) -> int:
        return sum(map(self._weigh, self._kept.values()))
