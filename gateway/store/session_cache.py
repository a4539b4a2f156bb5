"""What a session's last pages were made from, kept with its connection so that the next page can reuse it.

Nothing here may know what the values are, or outlive the connection: it closes at sign-out, and when it has been idle
for minutes. In memory only, and within a limit. Whoever takes a value has read the session's row in this request:
nobody gets the connection without it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

#: Octets that one connection keeps, as its users weigh them: three long newsletters, or some dozens of texts.
MOST: Final = 320 * 1024


class SessionCache:
    """Values by key within a total weight; the least recently used goes first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held = 0
        self._values: OrderedDict[object, tuple[object, int]] = OrderedDict()

    def get(self, key: object) -> object | None:
        """Return a value, None if it is not kept."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: object, value: object, weight: int) -> None:
        """Keep a value of this many octets, replacing the earlier one; one that is too large is not kept."""
        self.drop(key)
        if weight > self._most:
            return
        self._values[key] = value, weight
        self._held += weight
        while self._held > self._most:
            self._held -= self._values.popitem(last=False)[1][1]

    def drop(self, key: object) -> None:
        """Forget a value, if it is kept."""
        self._held -= self._values.pop(key, (None, 0))[1]

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._held = 0
