"""What the processes of the gateway hold at the moment, each with a row of its own, so that one can report for all.

Nothing here may hold anything about a person. A row that is not renewed belongs to a process that has ended.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Column, Float, String, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

#: Seconds after which a row no longer counts.
FRESH_SECONDS: Final = 60.0

GAUGES = Table(
    "gauges",
    METADATA,
    Column("process", String, primary_key=True),
    Column("at", Float, nullable=False),
    Column("held", String, nullable=False),
)


class Gauges:
    """The table of what processes hold."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def report(self, process: str, held: Mapping[str, int], now: float) -> None:
        """Replace a process's row; a process that holds nothing has none."""
        row = insert(GAUGES)
        change = row.on_conflict_do_update(
            index_elements=["process"], set_={"at": row.excluded.at, "held": row.excluded.held}
        )
        with self._database.writing() as connection:
            gone = (GAUGES.c.process == process) | (GAUGES.c.at <= now - FRESH_SECONDS)
            connection.execute(delete(GAUGES).where(gone))
            if any(held.values()):
                connection.execute(change, {"process": process, "at": now, "held": json.dumps(dict(held))})

    def of_others(self, process: str, now: float) -> Counter[str]:
        """Return the sums of what all other processes hold."""
        fresh = (GAUGES.c.process != process) & (GAUGES.c.at > now - FRESH_SECONDS)
        total: Counter[str] = Counter()
        with self._database.reading() as connection:
            for held in connection.scalars(select(GAUGES.c.held).where(fresh)):
                total.update(json.loads(held))
        return total
