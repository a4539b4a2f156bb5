"""A small in-process cache of results, so that the next request need not compute them again.

Nothing here may be required: what was evicted is computed again. A cache may hold mail only within a bounded size.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
CacheKey = tuple[object, ...]


class ResultCache(Generic[T]):
    """At most `size` values of `most` total weight; evicts the least recently put; thread-safe."""

    def __init__(self, size: int, most: int = 0, weigh: Callable[[T], int] = lambda _value: 0) -> None:
        self._size, self._most, self._weigh = size, most, weigh
        self._kept: OrderedDict[CacheKey, T] = OrderedDict()
        self._weight = 0
        self._lock = Lock()

    def get(self, key: CacheKey) -> T | None:
        with self._lock:
            return self._kept.get(key)

    def put(self, key: CacheKey, value: T) -> None:
        with self._lock:
            if key in self._kept:
                self._weight -= self._weigh(self._kept.pop(key))
            self._kept[key] = value
            self._weight += self._weigh(value)
            while len(self._kept) > self._size or self._weight > self._most:
                self._weight -= self._weigh(self._kept.popitem(last=False)[1])
