"""A rate-limited queue whose members wait outside: each is given a time, and has its turn at that time.

Nothing here may read a clock, or refuse anybody permanently. A number of tries is free and refills steadily (the
generic cell rate algorithm, ITU-T I.371); beyond them, one is admitted per interval, in the order in which places were
taken. Each name has one place at a time, so turns rotate however often one name asks, and a newcomer waits for one turn
of each waiting name. A member that misses its turn delays nobody. Many neighbours share one place, and so does a crowd,
which bounds the queue.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

#: Seconds for which a place is held after its time, for people who come back on a slow phone.
HOLD_SECONDS: Final = 1200.0
#: How many of the coarsest names a queue is assumed to have: there are 256 IPv4 /8 networks.
MOST_CROWDS: Final = 256

#: The names of a member: its own, its neighbourhood's and its crowd's. The first begins with the second.
Names = tuple[str, str, str]
QueuePlace = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class QueueRate:
    """The rate of a queue: `free` tries at once, then one every `every` seconds.

    At most `most` places wait under their own or a neighbourhood's name, and at most `neighbours` of one
    neighbourhood under their own.
    """

    every: float
    free: int
    most: int
    neighbours: int = 30

    def lifetime(self) -> float:
        """Return the seconds after which a queue that has not changed is as good as a new one."""
        return self.every * (self.free + self.most + MOST_CROWDS) + HOLD_SECONDS


@dataclass(frozen=True, slots=True)
class WaitingQueue:
    """The state of a queue at the time `at`; all times are in seconds since the epoch.

    `paid`: when all tries admitted or scheduled so far are paid off. `places`: name, time of its turn, and
    the latest time that a member of this name was given.
    """

    at: float = 0.0
    paid: float = 0.0
    places: tuple[QueuePlace, ...] = ()

    def turn(self, names: Names, now: float, rate: QueueRate) -> float:
        """Return the time of the turn of somebody with these names."""
        queue = self._now(now)
        place = queue._place(names)
        return max(now, queue.paid - (rate.free - 1) * rate.every if place is None else place[1])

    def hold(self, names: Names, until: float, now: float, rate: QueueRate) -> WaitingQueue:
        """Reserve a place for somebody who was given the time `until`; an idle queue needs none.

        A place that exists keeps its turn, since others may share its name.
        """
        queue = self._now(now)
        place = queue._place(names)
        if place is not None and place[2] < until:
            name, turn, _ = place
            others = tuple(one for one in queue.places if one != place)
            return replace(queue, at=now, places=(*others, (name, turn, until)))
        if place is not None or queue.paid <= now:
            return queue
        place = (queue._name(names, now, rate), queue.turn(names, now, rate), until)
        return WaitingQueue(now, queue.paid + rate.every, (*queue.places, place))

    def take(self, names: Names, now: float, rate: QueueRate) -> WaitingQueue:
        """Use a turn: that of a reserved place, or a free one."""
        queue = self._now(now)
        place = queue._place(names)
        if place is not None:
            return replace(queue, at=now, places=tuple(one for one in queue.places if one != place))
        return replace(queue, at=now, paid=max(queue.paid, now) + rate.every)

    def give_back(self, now: float, rate: QueueRate) -> WaitingQueue:
        """Undo the use of a turn."""
        queue = self._now(now)
        return replace(queue, at=now, paid=queue.paid - rate.every)

    def return_turn(self, name: str, now: float, rate: QueueRate) -> WaitingQueue:
        """Undo the use of a turn; the place of this name, if there was one, has its turn again."""
        queue = self._now(now)
        others = tuple(one for one in queue.places if one[0] != name)
        if not name or len(others) < len(queue.places):
            queue = queue.give_back(now, rate)
        return replace(queue, at=now, places=(*others, (name, now, now))) if name else queue

    def place(self, names: Names) -> str:
        """Return the name of somebody's place; '' if they have none."""
        place = self._place(names)
        return place[0] if place is not None else ""

    def _name(self, names: Names, now: float, rate: QueueRate) -> str:
        own, near, far = names
        waiting = [name for name, turn, _ in self.places if turn > now]
        if len(waiting) >= rate.most:
            return far
        return own if sum(name.startswith(near) for name in waiting) < rate.neighbours else near

    def _place(self, names: Names) -> QueuePlace | None:
        places = {place[0]: place for place in self.places}
        return next((places[name] for name in names if name in places), None)

    def _now(self, now: float) -> WaitingQueue:
        """Adjust to a clock that was set back, keeping waits as long as they were; drop expired places."""
        back = max(0.0, self.at - now)
        places: Iterable[QueuePlace] = self.places
        if back:
            places = [(name, turn - back, until - back) for name, turn, until in places]
        left = tuple([place for place in places if place[2] + HOLD_SECONDS > now])
        return WaitingQueue(min(self.at, now), self.paid - back, left)

    def packed(self, now: float) -> str | None:
        """Return the queue as JSON; None if it is as good as a new one."""
        queue = [self.at, self.paid, self.places]
        return json.dumps(queue, separators=(",", ":")) if self.places or self.paid > now else None

    @classmethod
    def unpacked(cls, text: str | None) -> WaitingQueue:
        """Parse a queue; a new one for None."""
        at, paid, places = json.loads(text) if text else (0.0, 0.0, ())
        return cls(at, paid, tuple(map(tuple, places)))
