"""Shares of the request threads: who may wait for an upstream, so that some threads are always left for others.

Nothing here may know a thread, a lock or a clock: `now` is passed in. An upstream may have as many requests, running
and queued, as there are threads that all upstreams together leave free (the dynamic threshold of shared buffers: a
single upstream gets half, n of them 1/(n+1) each, and as much stays free). Half of an upstream's share is reserved for
people who are signed in, out of reach of those who try passwords. Each person may have two running and two queued. More
may queue only while the queue moves quickly, which delays others by moments: a burst at a healthy server is served, and
at a mute or slow one it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

#: Requests of one person that run at a time (each with a connection), and that queue behind them.
RUNNING_PER_PERSON: Final = 2
QUEUED_PER_PERSON: Final = 2
#: Seconds without an answered request after which a queue counts as stuck, and that a request must have run for that to
#: count: with slower requests, even a steady stream frees threads too slowly for others.
STUCK_SECONDS: Final = 0.5
QUICK_SECONDS: Final = 0.25
#: The most seconds that a request queues.
QUEUE_SECONDS: Final = 8.0


@dataclass(slots=True)
class _Movement:
    """The last answered request among several, if there was one; `held` counts all those that hold a thread."""

    moved: float
    running: int = 0
    queued: int = 0

    @property
    def held(self) -> int:
        return self.running + self.queued


@dataclass(slots=True, eq=False)
class Place:
    """One request's place, running or queued."""

    person: bytes
    since: float
    stranger: bool = False
    running: bool = False
    entered: float = 0.0

    @property
    def who(self) -> tuple[bytes, bool]:
        """The owner of the share: a request that tries somebody's password does not use that person's share."""
        return self.person, self.stranger


@dataclass(slots=True, eq=False)
class _Queue:
    """The requests of one upstream, in order of arrival."""

    all: _Movement
    strangers: _Movement
    people: dict[tuple[bytes, bool], _Movement] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)

    def counting(self, place: Place) -> list[_Movement]:
        """Return the counters that a place belongs to."""
        return [self.all, self.people[place.who], *([self.strangers] if place.stranger else ())]


class Shares:
    """The places at all upstreams; `threads` is how many requests are processed at a time."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lanes: dict[object, _Queue] = {}
        self._held = 0
        #: Upstreams whose last request was slow: if the queue is empty, a newcomer gets no time to see whether it
        #: moves.
        self._slow: set[object] = set()

    def join(self, upstream: object, person: bytes, now: float, stranger: bool = False) -> Place:
        """Append a request to the queue; a `stranger` has not yet proved to be that person."""
        moved = now - STUCK_SECONDS if upstream in self._slow else now
        queue = self._lanes.setdefault(upstream, _Queue(_Movement(moved), _Movement(moved)))
        place = Place(person, now, stranger)
        queue.places.append(place)
        queue.people.setdefault(place.who, _Movement(now))
        for movement in queue.counting(place):
            movement.queued += 1
        self._held += 1
        return place

    def enter(self, upstream: object, place: Place, now: float) -> bool:
        """Start a request if all requests that may go before it have started."""
        queue = self._lanes[upstream]
        if queue.all.running >= self._most(queue) or place is not self._next(queue):
            return False
        place.running, place.entered = True, now
        for movement in queue.counting(place):
            movement.queued -= 1
            movement.running += 1
        return True

    def waits(self, upstream: object, place: Place, now: float) -> float:
        """Return the seconds that a request may stay in the queue before the next check; None: refused."""
        queue = self._lanes[upstream]
        own = queue.people[place.who]
        line = [one for one in queue.places[: queue.places.index(place) + 1] if not one.running]
        mine = sum(one.who == place.who for one in line)
        strangers = sum(one.stranger for one in line)
        if own.running + mine > max(self._threads // 2, RUNNING_PER_PERSON + QUEUED_PER_PERSON):
            return 0.0
        patience = QUEUE_SECONDS - (now - place.since)
        # The last ones to arrive are refused: the first in the queue keep their places.
        for over, movement in (
            (mine > QUEUED_PER_PERSON, own),
            (
                place.stranger and strangers > self._most_strangers(queue) - queue.strangers.running,
                queue.strangers,
            ),
            (len(line) > self._most(queue) - queue.all.running, queue.all),
        ):
            if over:
                patience = min(patience, movement.moved + STUCK_SECONDS - now)
        return max(patience, 0.0)

    def leave(self, upstream: object, place: Place, answered: bool, now: float) -> None:
        """Give back a place; `answered`: whether the queue has moved, if that was quick."""
        queue = self._lanes[upstream]
        queue.places.remove(place)
        quick = answered and now - place.entered <= QUICK_SECONDS
        if place.running and now - place.entered > STUCK_SECONDS:
            self._slow.add(upstream)
        elif answered:
            self._slow.discard(upstream)
        for movement in queue.counting(place):
            movement.running -= place.running
            movement.queued -= not place.running
            if quick or not movement.held:
                movement.moved = now
        self._held -= 1
        if not queue.people[place.who].held:
            del queue.people[place.who]
        if not queue.places:
            del self._lanes[upstream]

    def held(self, upstream: object) -> int:
        """Count the threads that an upstream holds, running and queued."""
        queue = self._lanes.get(upstream)
        return queue.all.held if queue is not None else 0

    def _next(self, queue: _Queue) -> Place | None:
        """Return the first in the queue whose own share has room."""
        strangers = queue.strangers.running < self._most_strangers(queue)
        line = (one for one in queue.places if not one.running and (strangers or not one.stranger))
        return next((one for one in line if queue.people[one.who].running < RUNNING_PER_PERSON), None)

    def _most(self, queue: _Queue) -> int:
        """Return how many threads an upstream may hold: half of what the others leave, and at least one."""
        return max((self._threads - (self._held - queue.all.held)) // 2, 1)

    def _most_strangers(self, queue: _Queue) -> int:
        """Return how many of those may be held by people who are signing in: half, and at least one."""
        return max(self._most(queue) // 2, 1)
