"""Requests that wait for the application, and those in progress: no phone gets all of its threads.

Nothing here may know what is asked, or start a thread. One host may hold as many threads as it leaves free: half of
them if it is alone, as at mail servers (`upstreams.shares`). The next waiting request is the one whose host, and then
whose port, has the fewest in progress. If there is no room, the host with the most waiting has its last one refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from gateway.wap.quadruplet import Quadruplet
from gateway.wap.requests import WapRequest


class Asked(NamedTuple):
    """A request, and the host ("" for none) and path that it asks the application for."""

    request: WapRequest
    host: str
    path: str


class RequestQueue:
    """Requests by phone."""

    def __init__(self, threads: int, waiting: int) -> None:
        """`threads`: the most requests in progress at a time; `waiting`: the most that wait besides."""
        self._threads, self._most = threads, waiting
        self._waiting: dict[int, Asked] = {}
        self._working: dict[int, Quadruplet] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._working)

    def put(self, asked: Asked) -> Asked | None:
        """Add a request; return the one, perhaps this one, that is refused for lack of room."""
        self._waiting[asked.request.id] = asked
        if len(self._waiting) <= self._most:
            return None
        held = _Held(each.request.peer for each in self._waiting.values())
        last = max(reversed(self._waiting.values()), key=lambda each: held.of(each.request.peer))
        return self._waiting.pop(last.request.id)

    def take(self) -> Asked | None:
        """Return a request to work on; None if none may have a thread."""
        free = self._threads - len(self._working)
        held = _Held(self._working.values())
        may_go = (each for each in self._waiting.values() if held.of(each.request.peer)[0] < free)
        asked = min(may_go, key=lambda each: held.of(each.request.peer), default=None)
        if asked is not None:
            self.drop(asked.request.id)
            self._working[asked.request.id] = asked.request.peer
        return asked

    def drop(self, request_id: int) -> None:
        """Forget a waiting request: nobody is waiting for its answer any more."""
        self._waiting.pop(request_id, None)

    def done(self, request_id: int) -> None:
        """Record that a request is no longer in progress."""
        self._working.pop(request_id, None)


class _Held:
    """How many requests hosts have, and the ports of each."""

    def __init__(self, peers: Iterable[Quadruplet]) -> None:
        self._phones = Counter(peers)
        self._hosts: Counter[str] = Counter()
        for peer, count in self._phones.items():
            self._hosts[peer.host] += count

    def of(self, peer: Quadruplet) -> tuple[int, int]:
        """Return how many a phone's host has, and the phone itself."""
        return self._hosts[peer.host], self._phones[peer]
