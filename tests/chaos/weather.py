"""What fails, and when: all of it follows from one seed, so that a run can be repeated.

Nothing here may know a person. The plan depends on the seed; which request a fault meets depends on the machine.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos.servers import Gate, StateFolder
from tests.servers.scripted.cutting import NEVER, Cut, Cutting


@dataclass(frozen=True, slots=True)
class Climate:
    """How bad it is: seconds on average between faults, their length from and to in seconds, and shares in percent.

    `long_mute`: one in this many mutes lasts this long, in seconds.
    """

    kill_every: float = 2.5
    full_every: float = 15.0
    full: tuple[float, float] = (0.5, 2.5)
    locked_every: float = 15.0
    locked: tuple[float, float] = (0.5, 6.0)
    mute_every: float = 8.0
    mute: tuple[float, float] = (1.0, 8.0)
    long_mute: tuple[int, float] = (12, 40.0)
    cut_http: int = 12
    cut_store: int = 60
    cut_smtp: int = 15


#: For a run of seconds: the same, more often and shorter.
BRIEF: Final = Climate(
    kill_every=4.0,
    full_every=6.0,
    full=(0.2, 0.6),
    locked_every=6.0,
    locked=(0.2, 0.8),
    mute_every=3.0,
    mute=(0.5, 1.5),
    long_mute=(0, 0.0),
)
#: Octets of a connection within which it is cut: some sendings over IMAP, a visit by POP3, one sending over SMTP.
IMAP: Final = Cut(up=12_000, down=24_000)
POP3: Final = Cut(up=300, down=6_000)
SMTP: Final = Cut(up=1_100, down=420)


class Cuts:
    """Returns where each connection is cut; nowhere once the weather is `over`."""

    def __init__(self, dice: random.Random, percent: int, within: Cut) -> None:
        self._dice, self._percent, self._within = dice, percent, within
        self._lock = threading.Lock()
        self.over = False

    def __call__(self) -> Cut:
        with self._lock:
            bad, way, part = (self._dice.random() for _ in range(3))
        if self.over or bad * 100 >= self._percent:
            return NEVER
        if way < 0.5:
            return Cut(up=int((self._within.up or 0) * part))
        return Cut(down=int((self._within.down or 0) * part))


@dataclass(frozen=True, slots=True)
class Event:
    """One fault: how long after the one before, on which of how many, for how long (seconds)."""

    gap: float
    which: int
    length: float


def events(
    dice: random.Random, every: float, length: tuple[float, float], rare: tuple[int, float] = (0, 0.0)
) -> Iterator[Event]:
    """Plan the faults of one kind, without end."""
    while True:
        gap, which, lasts = dice.uniform(0.3, 1.7) * every, dice.randrange(1000), dice.uniform(*length)
        if rare[0] and dice.randrange(rare[0]) == 0:
            lasts = rare[1]
        yield Event(gap, which, lasts)


class Weather:
    """Lets things fail until it is over; `counts` and `seconds` record what has happened, by kind."""

    def __init__(self, seed: int, climate: Climate) -> None:
        self.climate = climate
        self._seed = seed
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._cuts: list[Cuts] = []
        self.counts: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()

    def dice(self, name: str) -> random.Random:
        """Return a random generator for one thing."""
        return random.Random(f"{self._seed} {name}")

    def cuts(self, name: str, percent: int, within: Cut) -> Cuts:
        """Plan where the connections of one line are cut."""
        self._cuts.append(Cuts(self.dice(name), percent, within))
        return self._cuts[-1]

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def begin(
        self, gates: Sequence[Gate], folder: StateFolder, state: Path, lines: Sequence[Cutting]
    ) -> None:
        """Begin; `lines` are those to the upstreams."""
        climate = self.climate

        @contextmanager
        def killed(which: int) -> Iterator[None]:
            gates[which % len(gates)].kill()
            yield

        @contextmanager
        def full(which: int) -> Iterator[None]:
            folder.fill()
            try:
                yield
            finally:
                folder.free()

        @contextmanager
        def locked(which: int) -> Iterator[None]:
            with closing(sqlite3.connect(state, timeout=5.0, isolation_level=None)) as connection:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.Error:  # it is full, or not there yet
                    self.counts["locked"] -= 1
                yield

        @contextmanager
        def mute(which: int) -> Iterator[None]:
            line = lines[which % len(lines)]
            line.mute = True
            try:
                yield
            finally:
                line.mute = False

        self._let("kill", killed, climate.kill_every, (0.0, 0.0))
        self._let("full", full, climate.full_every, climate.full)
        self._let("locked", locked, climate.locked_every, climate.locked)
        self._let("mute", mute, climate.mute_every, climate.mute, climate.long_mute)

    def _let(
        self,
        name: str,
        happen: Callable[[int], AbstractContextManager[None]],
        every: float,
        length: tuple[float, float],
        rare: tuple[int, float] = (0, 0.0),
    ) -> None:
        def run() -> None:
            for event in events(self.dice(name), every, length, rare):
                if self._over.wait(event.gap):
                    return
                self.counts[name] += 1
                began = time.monotonic()
                with happen(event.which):
                    self._over.wait(event.length)
                self.seconds[name] += time.monotonic() - began

        self._threads.append(threading.Thread(target=run, name=name))
        self._threads[-1].start()

    def end(self) -> None:
        """Let nothing fail any more."""
        self._over.set()
        for cuts in self._cuts:
            cuts.over = True
        for thread in self._threads:
            thread.join(30)
