"""A pool of connections, each leased for one request and kept between a person's clicks.

Nothing here may know what a connection is for: `key` identifies its owner (a digest, never a password), `connect` makes
one. A connection is leased to one thread at a time. A broken one is discarded; an idle one is checked before it is
leased, so that a restart of the server between two clicks goes unnoticed and nothing is ever tried twice. One thread
closes idle connections, also those whose owner another process has signed out; it exists only while there are any.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition, Event, Thread
from typing import Final, Generic, Protocol, TypeVar

from gateway import computing
from gateway.errors import GatewayError, StoreBusy

log = logging.getLogger(__name__)

#: Connections an account may have open at a time; providers allow ten to fifteen.
PER_ACCOUNT: Final = 2
#: Connections of this process; an idle TLS connection costs about 35 KB.
TOTAL: Final = 200
#: Seconds a connection is idle before it is closed; servers close after thirty minutes (RFC 9051 §5.4).
IDLE_SECONDS: Final = 300.0
#: Seconds between two checks which owners still exist. An owner is on record that long after the first connection.
LOOK_SECONDS: Final = 3.0
#: Seconds that a request waits for one of its account's connections; the queue for the upstream comes first.
PATIENCE_SECONDS: Final = 8.0
#: The least seconds between two runs of the reaper.
SHORTEST_SECONDS: Final = 0.05
#: Seconds for the reaper to end: it may be saying goodbye to a server that does not answer.
END_SECONDS: Final = 5.0


class PooledConnection(Protocol):
    """What the pool requires of a connection."""

    @property
    def broken(self) -> bool: ...

    def is_usable(self, idle: float) -> bool: ...

    def close(self) -> None: ...


C = TypeVar("C", bound=PooledConnection)
#: Returns which of these keys still have an owner. Raises GatewayError if that cannot be determined.
Living = Callable[[Collection[bytes]], Collection[bytes]]


@dataclass(slots=True)
class _Unused:
    """An idle connection, and since when it has been idle."""

    key: bytes
    connection: PooledConnection
    since: float


class Pool:
    """Leases connections; thread-safe."""

    def __init__(
        self,
        connections_per_account: int = PER_ACCOUNT,
        total: int = TOTAL,
        idle_seconds: float = IDLE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        living: Living = lambda keys: keys,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """`living`: asked every `look_seconds` while there are idle connections."""
        self._living, self._look = living, look_seconds
        self._per_account, self._total = connections_per_account, total
        self._idle, self._patience, self._clock = idle_seconds, patience_seconds, clock
        self._changed = Condition()
        #: Least recently used first.
        self._unused: OrderedDict[int, _Unused] = OrderedDict()
        self._leased: dict[bytes, int] = {}
        #: Keys dropped while one of their connections was leased: it is closed when it is returned.
        self._dropped: set[bytes] = set()
        self._reaper: Thread | None = None
        self._closed = Event()

    def lease(self, key: bytes, connect: Callable[[], C]) -> Lease[C]:
        """Lease a connection; raise what `connect` raises, or StoreBusy if none becomes free."""
        return Lease(self, key, connect)

    def drop(self, key: bytes) -> None:
        """Close the idle connections of a key, and leased ones when they are returned."""
        with self._changed:
            if self._leased.get(key):
                self._dropped.add(key)
            found = [self._unused.pop(name) for name, item in list(self._unused.items()) if item.key == key]
        _close(found)

    def close(self) -> None:
        """Close all idle connections, and from now on also returned ones."""
        self._closed.set()
        with self._changed:
            found = list(self._unused.values())
            self._unused.clear()
            reaper = self._reaper
        _close(found)
        if reaper is not None:
            reaper.join(END_SECONDS)

    @property
    def open_connections(self) -> int:
        """Count connections, leased and idle."""
        with self._changed:
            return len(self._unused) + sum(self._leased.values())

    def take(self, key: bytes, connect: Callable[[], C]) -> C:
        """Return a connection that is used for one block. For Lease."""
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

    def _reserve(self, key: bytes) -> _Unused | None:
        """Reserve one connection of the account: an idle one, or None for permission to open another."""
        until = self._clock() + self._patience
        stale: list[_Unused] = []
        try:
            return self._book(key, until, stale)
        finally:
            _close(stale)

    def _book(self, key: bytes, until: float, stale: list[_Unused]) -> _Unused | None:
        with computing.resuming(), self._changed:
            stale += self._stale()
            while True:
                resting = next(
                    (name for name in reversed(self._unused) if self._unused[name].key == key), None
                )
                busy = self._leased.get(key, 0)
                if resting is not None or (busy < self._per_account and self._has_room(stale)):
                    break
                computing.leave()
                if not self._changed.wait(until - self._clock()) and self._clock() >= until:
                    raise StoreBusy("all connections are in use")
            self._leased[key] = busy + 1
            return self._unused.pop(resting) if resting is not None else None

    def _stale(self) -> list[_Unused]:
        old = self._clock() - self._idle
        names = [name for name, item in self._unused.items() if item.since < old]
        return [self._unused.pop(name) for name in names]

    def _has_room(self, stale: list[_Unused]) -> bool:
        """Make room for one more connection, at the cost of the one that has been idle longest."""
        if len(self._unused) + sum(self._leased.values()) < self._total:
            return True
        if not self._unused:
            return False
        stale.append(self._unused.popitem(last=False)[1])
        return True

    def _release(self, key: bytes) -> None:
        with self._changed:
            self._count_down(key)

    def _count_down(self, key: bytes) -> None:
        left = self._leased.get(key, 1) - 1
        if left:
            self._leased[key] = left
        else:
            self._leased.pop(key, None)
            self._dropped.discard(key)
        self._changed.notify_all()

    def give_back(self, key: bytes, connection: PooledConnection) -> None:
        """Take back a connection after the block. For Lease."""
        item = _Unused(key, connection, self._clock())
        with self._changed:
            # In one step: otherwise the connection would count twice for a moment, and another would be closed for it.
            keep = not (connection.broken or key in self._dropped or self._closed.is_set())
            if keep:
                self._unused[id(connection)] = item
                self._watch()
            self._count_down(key)
        if not keep:
            _close([item])

    def _watch(self) -> None:
        """Start the reaper unless it is running."""
        if self._reaper is None:
            reaper = Thread(target=self._reap, name="reaper", daemon=True)
            with suppress(RuntimeError):  # no more threads: the next return tries again
                reaper.start()
                self._reaper = reaper

    def _reap(self) -> None:
        """Close connections that are idle too long or whose owner is gone, as long as there are any idle ones."""
        while True:
            with self._changed:
                stale = self._stale()
                oldest = next(iter(self._unused.values()), None)
                if oldest is None or self._closed.is_set():
                    self._reaper = None
                    break
                seconds = oldest.since + self._idle - self._clock()
            _close(stale)
            self._closed.wait(max(min(seconds, self._look), SHORTEST_SECONDS))
            _close(self._orphaned())
        _close(stale)

    def _orphaned(self) -> list[_Unused]:
        """Take out the idle connections whose owner is gone; none if that cannot be determined."""
        with self._changed:
            before = self._clock() - self._look
            asked = {item.key for item in self._unused.values() if item.since <= before}
        try:
            gone = asked.difference(self._living(asked)) if asked else ()
        except GatewayError as error:
            log.info("who is signed out is not known: %s", error.detail)
            return []
        with self._changed:
            return [self._unused.pop(name) for name, item in list(self._unused.items()) if item.key in gone]


class Lease(Generic[C]):
    """A connection for the block; see `Pool.lease`."""

    __slots__ = ("_connect", "_connection", "_key", "_pool")

    def __init__(self, pool: Pool, key: bytes, connect: Callable[[], C]) -> None:
        self._pool, self._key, self._connect = pool, key, connect

    def __enter__(self) -> C:
        connection = self._connection = self._pool.take(self._key, self._connect)
        return connection

    def __exit__(self, *error: object) -> None:
        self._pool.give_back(self._key, self._connection)


def _close(found: list[_Unused]) -> None:
    for item in found:
        try:
            item.connection.close()
        except Exception as error:
            log.info("closing a connection: %s", type(error).__name__)
