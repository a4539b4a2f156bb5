"""How many sign-ins have failed lately, and until when the next one has to wait.

Nothing here may know a rule: `throttle` decides, this remembers, for all processes alike. Keys are digests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import Column, Float, LargeBinary, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.database import Database
from gateway.state.tables import METADATA

Tally = tuple[
    float, float, float
]  # level, last change, no try before; the two times in seconds since the epoch

TRIES = Table(
    "tries",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("level", Float, nullable=False),
    Column("last", Float, nullable=False),
    Column("until", Float, nullable=False),
)


class Tries:
    """The table of tries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def until(self, keys: Iterable[bytes]) -> float:
        """Return the latest time until which one of the keys has to wait, 0.0 for none."""
        wanted = select(TRIES.c.until).where(TRIES.c.key.in_(list(keys)))
        with self._database.reading() as connection:
            return max(connection.scalars(wanted), default=0.0)

    def change(self, key: bytes, step: Callable[[Tally | None], Tally]) -> None:
        """Replace the tally of a key by what `step` makes of it, with no other change in between."""
        wanted = select(TRIES.c.level, TRIES.c.last, TRIES.c.until).where(TRIES.c.key == key)
        with self._database.writing() as connection:
            found = connection.execute(wanted).first()
            level, last, until = step((found.level, found.last, found.until) if found else None)
            values = {"level": level, "last": last, "until": until}
            row = insert(TRIES).values(key=key, **values)
            connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=values))

    def forget(self, key: bytes) -> None:
        """Remove the tally of a key."""
        with self._database.writing() as connection:
            connection.execute(delete(TRIES).where(TRIES.c.key == key))

    def purge(self, before: float) -> None:
        """Remove tallies not changed since."""
        with self._database.writing() as connection:
            connection.execute(delete(TRIES).where(TRIES.c.last < before))
