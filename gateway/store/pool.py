"""Warm connections, lent for one request each and kept between a person's clicks.

Nothing here may know what a connection is for: `key` says whose it is (a digest, never a password), `connect`
makes one. A connection is lent to one thread at a time. What broke is thrown away; what rested is asked whether it
still lives before it is lent, so a restart of the server between two clicks is not noticed and nothing is ever
tried twice.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import Final, Protocol, TypeVar

from gateway.errors import StoreUnreachable

log = logging.getLogger(__name__)

#: Connections one account may have open at a time; providers allow ten to fifteen.
PER_ACCOUNT: Final = 2
#: Connections of this process; an idle TLS connection costs about 35 KB.
TOTAL: Final = 200
#: Seconds a connection rests before it is closed; servers close after thirty minutes (RFC 9051 §5.4).
IDLE_SECONDS: Final = 300.0
#: Seconds a request waits for one of its account's connections.
PATIENCE_SECONDS: Final = 20.0


class Connection(Protocol):
    """What the pool asks of a connection."""

    @property
    def broken(self) -> bool: ...

    def is_usable(self, idle: float) -> bool: ...

    def close(self) -> None: ...


C = TypeVar("C", bound=Connection)


@dataclass(slots=True)
class _Resting:
    """A connection nobody uses, and since when."""

    key: bytes
    connection: Connection
    since: float


class Pool:
    """Lends connections; thread-safe."""

    def __init__(
        self,
        connections_per_account: int = PER_ACCOUNT,
        total: int = TOTAL,
        idle_seconds: float = IDLE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_account, self._total = connections_per_account, total
        self._idle, self._patience, self._clock = idle_seconds, patience_seconds, clock
        self._changed = Condition()
        #: Least recently used first.
        self._resting: OrderedDict[int, _Resting] = OrderedDict()
        self._lent: dict[bytes, int] = {}
        #: Keys dropped while a connection of theirs was lent: it is closed when it comes back.
        self._dropped: set[bytes] = set()

    @contextmanager
    def lease(self, key: bytes, connect: Callable[[], C]) -> Iterator[C]:
        """Lend a connection for a while; raise what `connect` raises, or StoreUnreachable when none comes free."""
        connection = self._take(key, connect)
        try:
            yield connection
        except BaseException:
            self._give_back(key, connection)
            raise
        self._give_back(key, connection)

    def drop(self, key: bytes) -> None:
        """Close what rests under a key, and what is lent as soon as it comes back."""
        with self._changed:
            if self._lent.get(key):
                self._dropped.add(key)
            found = [self._resting.pop(name) for name, item in list(self._resting.items()) if item.key == key]
        _close(found)

    def close(self) -> None:
        """Close everything that rests."""
        with self._changed:
            found = list(self._resting.values())
            self._resting.clear()
        _close(found)

    @property
    def open_connections(self) -> int:
        """Count connections, lent and resting."""
        with self._changed:
            return len(self._resting) + sum(self._lent.values())

    def _take(self, key: bytes, connect: Callable[[], C]) -> C:
        while (found := self._reserve(key)) is not None:
            connection: C = found.connection  # type: ignore[assignment]  # one key has one kind of connection
            try:
                if connection.is_usable(self._clock() - found.since):
                    return connection
            except BaseException:
                _close([found])
                self._release(key)
                raise
            _close([found])
            self._release(key)
        try:
            return connect()
        except BaseException:
            self._release(key)
            raise

    def _reserve(self, key: bytes) -> _Resting | None:
        """Book one connection of the account: a resting one, or None for the right to open another."""
        until = self._clock() + self._patience
        stale: list[_Resting] = []
        try:
            return self._book(key, until, stale)
        finally:
            _close(stale)

    def _book(self, key: bytes, until: float, stale: list[_Resting]) -> _Resting | None:
        with self._changed:
            stale += self._stale()
            while True:
                resting = next(
                    (name for name in reversed(self._resting) if self._resting[name].key == key), None
                )
                busy = self._lent.get(key, 0)
                if resting is not None or (busy < self._per_account and self._has_room(stale)):
                    break
                if not self._changed.wait(until - self._clock()) and self._clock() >= until:
                    raise StoreUnreachable("all connections are in use")
            self._lent[key] = busy + 1
            return self._resting.pop(resting) if resting is not None else None

    def _stale(self) -> list[_Resting]:
        old = self._clock() - self._idle
        names = [name for name, item in self._resting.items() if item.since < old]
        return [self._resting.pop(name) for name in names]

    def _has_room(self, stale: list[_Resting]) -> bool:
        """Make room for one more connection, at the cost of the one that rested longest."""
        if len(self._resting) + sum(self._lent.values()) < self._total:
            return True
        if not self._resting:
            return False
        stale.append(self._resting.popitem(last=False)[1])
        return True

    def _release(self, key: bytes) -> None:
        with self._changed:
            self._count_down(key)

    def _count_down(self, key: bytes) -> None:
        left = self._lent.get(key, 1) - 1
        if left:
            self._lent[key] = left
        else:
            self._lent.pop(key, None)
            self._dropped.discard(key)
        self._changed.notify_all()

    def _give_back(self, key: bytes, connection: Connection) -> None:
        item = _Resting(key, connection, self._clock())
        with self._changed:
            # In one step: in between, the connection would count twice, and another would be closed for it.
            keep = not connection.broken and key not in self._dropped
            if keep:
                self._resting[id(connection)] = item
            self._count_down(key)
        if not keep:
            _close([item])


def _close(found: list[_Resting]) -> None:
    for item in found:
        try:
            item.connection.close()
        except Exception as error:
            log.info("closing a connection: %s", type(error).__name__)
