"""Counts of what the gateway does, for its administrator: by kind and labels, summed over processes and restarts.

Nothing here may hold anything about a person. Counting costs an entry in a dictionary, whatever is counted; `flush`
writes what is new in one transaction, so that no page waits for the disk. Rows are sums of one UTC day; those of old
days are merged, so that totals never go down.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from enum import Enum
from math import inf
from threading import Lock
from typing import Final

from sqlalchemy import Column, Float, Integer, String, Table, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

DAY: Final = 86_400  # seconds
#: Days that are kept apart; the sums of earlier ones are rows of day 0.
DAYS: Final = 31
#: The most different counts in this process; further ones are not counted. Labels come from tables, not from requests.
MOST: Final = 10_000
#: Upper bounds of a histogram, in seconds (prometheus.io/docs/practices/histograms).
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, inf)

COUNTS = Table(
    "counts",
    METADATA,
    Column("day", Integer, primary_key=True),
    Column("name", String, primary_key=True),
    Column("value", Float, nullable=False),
)

#: A kind and its labels.
CountKey = tuple[str, ...]


class Counted(Enum):
    """What is counted: the name of the count, and the names of its labels. A histogram's last label is its bucket."""

    PAGES = "pages", ("device", "markup")
    SENDS = "sends", ("outcome",)
    SIGN_INS = "sign_ins", ("outcome",)
    UPSTREAM_ERRORS = "upstream_errors", ("server", "error")
    WAP_REFUSED = "wap_refused", ("reason",)
    REQUEST_TIMES = "request_times", ("screen", "markup", "at_most")
    UPSTREAM_TIMES = "upstream_times", ("server", "at_most")
    CONNECT_TIMES = "connect_times", ("server", "at_most")

    def __init__(self, key: str, labels: tuple[str, ...]) -> None:
        self.key, self.labels = key, labels
        #: The name of the count for the total seconds of a histogram.
        self.sum_of = f"{key}_seconds"


class Counts:
    """The counts of this process, and the table of the sums; thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._new: Counter[CountKey] = Counter()
        self._known: set[CountKey] = set()

    def add(self, what: Counted, *labels: str) -> None:
        """Count one."""
        with self._lock:
            self._put((what.key, *labels), 1)

    def time(self, what: Counted, seconds: float, *labels: str) -> None:
        """Count one in a histogram; `labels` are those before the bucket."""
        bucket = str(BUCKETS[bisect_left(BUCKETS, seconds)])
        with self._lock:
            self._put((what.key, *labels, bucket), 1)
            self._put((what.sum_of, *labels), seconds)

    def flush(self, now: float) -> None:
        """Write what is new. Raise StateError; nothing is lost by that."""
        with self._lock:
            new, self._new = self._new, Counter()
        if not new:
            return
        try:
            self._write(new, int(now // DAY))
        except BaseException:
            with self._lock:
                self._new.update(new)
            raise

    def totals(self, since: float = 0.0) -> dict[CountKey, float]:
        """Return the sums of all processes since the day of a time, seconds since the epoch; 0 for all."""
        query = select(COUNTS.c.name, func.sum(COUNTS.c.value)).group_by(COUNTS.c.name)
        if since:
            query = query.where(COUNTS.c.day >= int(since // DAY))
        with self._database.reading() as connection:
            found = {tuple(name.split("\t")): value for name, value in connection.execute(query)}
        with self._lock:
            for key, value in self._new.items():
                found[key] = found.get(key, 0.0) + value
        return found

    def _put(self, key: CountKey, value: float) -> None:
        if key in self._known or len(self._known) < MOST:
            self._known.add(key)
            self._new[key] += value  # type: ignore[assignment]  # seconds are counted too

    def _write(self, new: Counter[CountKey], today: int) -> None:
        row = insert(COUNTS)
        change = row.on_conflict_do_update(
            index_elements=["day", "name"], set_={"value": COUNTS.c.value + row.excluded.value}
        )
        rows = [{"day": today, "name": "\t".join(key), "value": value} for key, value in new.items()]
        with self._database.writing() as connection:
            connection.execute(change, rows)
            old = (COUNTS.c.day > 0) & (COUNTS.c.day <= today - DAYS)
            sums = select(COUNTS.c.name, func.sum(COUNTS.c.value)).where(old).group_by(COUNTS.c.name)
            merged = [{"day": 0, "name": name, "value": value} for name, value in connection.execute(sums)]
            if merged:
                connection.execute(change, merged)
                connection.execute(delete(COUNTS).where(old))
