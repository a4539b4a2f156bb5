"""Datagrams that have arrived and wait for their turn: a flood delays nobody but itself.

Nothing here may know what a datagram says, or read a clock. Hosts take turns, known ones before others, and so do the
ports of a host. Senders with nothing waiting go first; the others, such as a flood, share REPEATED turns per second, so
that a flood cannot take all the time there is. If there is no room, the sender with the most datagrams loses half of
them. The ideas are from RFC 8290 §4.2 (flow queue scheduling).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from itertools import chain, islice
from typing import Final, Protocol

from gateway.wap.quadruplet import Quadruplet

WAITING: Final = 1024
"""The most datagrams that wait."""
PER_PEER: Final = 64
"""The most datagrams that wait from one address and port: more than a group of packets has."""
REPEATED: Final = 4000.0
"""Turns per second for all senders who have had one and have more waiting: a tenth of one processor."""
BURST: Final = 64.0
"""How many of these turns can be saved up: a group of packets comes at once."""
LOOKED_AT: Final = 32
"""Hosts, or ports of one host, among which the one with the most waiting is sought."""

QueuedDatagram = tuple[bytes, Quadruplet]


class _Waiting(Protocol):
    """What waits from one host, or from one port."""

    @property
    def has_first(self) -> bool:
        """Whether somebody here has not had a turn."""

    def __len__(self) -> int: ...

    def put(self, item: QueuedDatagram, path: tuple[Hashable, ...]) -> bool:
        """Add a datagram; return whether there was room."""

    def take(self) -> QueuedDatagram:
        """Return the next datagram."""

    def halve(self) -> int:
        """Drop half of what is waiting from the sender with the most; return how many were dropped."""


class _Port:
    """The datagrams of one port, in order of arrival."""

    has_first = False

    def __init__(self) -> None:
        self._items: deque[QueuedDatagram] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: QueuedDatagram, path: tuple[Hashable, ...]) -> bool:
        if len(self._items) >= PER_PEER:
            return False
        self._items.append(item)
        return True

    def take(self) -> QueuedDatagram:
        return self._items.popleft()

    def halve(self) -> int:
        dropped = len(self._items) // 2
        for _ in range(dropped):
            self._items.pop()
        return dropped


class _Turns:
    """Those who take turns: the ports of a host, or hosts, whose ports take turns in the same way."""

    def __init__(self, each: Callable[[], _Waiting]) -> None:
        self._each = each
        self._first: OrderedDict[Hashable, _Waiting] = OrderedDict()
        self._again: OrderedDict[Hashable, _Waiting] = OrderedDict()
        self._count = 0

    @property
    def has_first(self) -> bool:
        return bool(self._first)

    def __len__(self) -> int:
        return self._count

    def put(self, item: QueuedDatagram, path: tuple[Hashable, ...]) -> bool:
        name, *rest = path
        one = self._first.get(name) or self._again.get(name)
        if one is None:
            one = self._first[name] = self._each()
        if not one.put(item, tuple(rest)):
            return False
        self._count += 1
        if one.has_first and name in self._again:
            self._first[name] = self._again.pop(name)
        return True

    def take(self) -> QueuedDatagram:
        name, one = (self._first or self._again).popitem(last=False)
        item = one.take()
        self._count -= 1
        if one:
            (self._first if one.has_first else self._again)[name] = one
        return item

    def halve(self) -> int:
        looked_at = islice(chain(self._again.values(), self._first.values()), LOOKED_AT)
        dropped = max(looked_at, key=len).halve() if self._count else 0
        self._count -= dropped
        return dropped


def _host() -> _Turns:
    return _Turns(_Port)


class DatagramQueue:
    """Datagrams by host and port, in the order in which they are taken."""

    def __init__(self) -> None:
        self._known, self._strangers = _Turns(_host), _Turns(_host)
        self._turns, self._at = BURST, 0.0

    def __len__(self) -> int:
        return len(self._known) + len(self._strangers)

    @property
    def has_first(self) -> bool:
        """Whether somebody who has not had a turn is waiting."""
        return self._known.has_first or self._strangers.has_first

    def put(self, data: bytes, peer: Quadruplet, *, known: bool) -> None:
        """Add a datagram; `known`: its address is proven. If there is no room, datagrams are dropped."""
        own = self._known if known else self._strangers
        if len(self) >= WAITING:
            if known and self._strangers:
                self._strangers.take()
            elif not own.halve():
                return
        own.put((data, peer), (peer.host, peer))

    def take(self, now: float) -> QueuedDatagram | None:
        """Return the next datagram; None if there is none, or only from senders who have had their turns for now."""
        for turns in (self._known, self._strangers):
            if turns.has_first or (turns and self._may_repeat(now)):
                return turns.take()
        return None

    def _may_repeat(self, now: float) -> bool:
        self._turns = min(BURST, self._turns + (now - self._at) * REPEATED)
        self._at = now
        if self._turns < 1:
            return False
        self._turns -= 1
        return True
