"""A shelf: the few results made last, kept in this process so that the next request need not make them again.

Nothing here may be needed: what has fallen off is made anew. Nothing on a shelf may be mail but what its size bounds.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
Key = tuple[object, ...]


class Shelf(Generic[T]):
    """At most `size` values, the least recently put ones fall off; thread-safe."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Key, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> T | None:
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Key, value: T) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
