"""Recent sign-in attempts, as texts that `throttle` writes and reads.

Nothing here may know a rule: `throttle` decides, this stores, for all processes. Keys are digests. Outdated
rows are removed, and of the others the newest MOST stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sqlalchemy import Column, Connection, Float, LargeBinary, String, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

#: Rows that stay when the table is purged; each stands for tries against a mail server, some 200 octets.
MOST: Final = 100_000

Texts = Mapping[bytes, str | None]

TRIES = Table(
    "tries",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("kept", String, nullable=False),
    Column("last", Float, nullable=False),
)


class Tries:
    """The table of tries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, keys: Iterable[bytes]) -> Texts:
        """Return the text under each of the keys, None if there is none."""
        with self._database.reading() as connection:
            return _kept(connection, keys)

    def change(self, keys: Iterable[bytes], step: Callable[[Texts], Texts], now: float) -> None:
        """Replace the texts under some keys by what `step` returns for them, in one transaction."""
        with self._database.writing() as connection:
            before = _kept(connection, keys)
            for key, text in step(before).items():
                if text is None:
                    connection.execute(delete(TRIES).where(TRIES.c.key == key))
                elif text != before[key]:
                    values = {"kept": text, "last": now}
                    row = insert(TRIES).values(key=key, **values)
                    connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=values))

    def purge(self, before: float, most: int = MOST) -> None:
        """Remove what has not changed since, and all but the newest."""
        newest = (
            select(TRIES.c.last).order_by(TRIES.c.last.desc()).limit(1).offset(most - 1).scalar_subquery()
        )
        with self._database.writing() as connection:
            connection.execute(delete(TRIES).where((TRIES.c.last < before) | (TRIES.c.last < newest)))


def _kept(connection: Connection, keys: Iterable[bytes]) -> Texts:
    wanted = list(keys)
    found = connection.execute(select(TRIES.c.key, TRIES.c.kept).where(TRIES.c.key.in_(wanted)))
    return dict.fromkeys(wanted) | {row.key: row.kept for row in found}
