"""The health of each mail server, as all processes have seen it: a row for each server, encrypted by the layer above.

Nothing here may know what is in a row: it may be the text of a server's answer. Rows are few, and those of servers that
have not been contacted for long are removed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from sqlalchemy import Column, Float, LargeBinary, String, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

#: Seconds without contact after which a server's health counts as unknown.
KEPT_SECONDS: Final = 86_400.0
#: The most rows: those of the servers contacted last.
MOST: Final = 1000

SERVER_HEALTH = Table(
    "server_health",
    METADATA,
    Column("server", String, primary_key=True),
    Column("seen", Float, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

#: Takes the existing rows, by server; returns those to write, each with the time at which the server was contacted.
HealthChange = Callable[[Mapping[str, bytes]], Mapping[str, tuple[float, bytes]]]


class ServerHealth:
    """The table of the health of mail servers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, servers: Collection[str], now: float) -> dict[str, bytes]:
        """Return the rows of these servers, as far as there are any."""
        wanted = SERVER_HEALTH.c.server.in_(servers) & (SERVER_HEALTH.c.seen > now - KEPT_SECONDS)
        query = select(SERVER_HEALTH.c.server, SERVER_HEALTH.c.sealed).where(wanted)
        with self._database.reading() as connection:
            return {row.server: row.sealed for row in connection.execute(query)}

    def change(self, servers: Collection[str], change: HealthChange, now: float) -> None:
        """Rewrite the rows of servers, in one transaction with reading them."""
        query = select(SERVER_HEALTH.c.server, SERVER_HEALTH.c.sealed)
        row = insert(SERVER_HEALTH)
        put = row.on_conflict_do_update(
            index_elements=["server"], set_={"seen": row.excluded.seen, "sealed": row.excluded.sealed}
        )
        newest = select(SERVER_HEALTH.c.server).order_by(SERVER_HEALTH.c.seen.desc()).limit(MOST)
        gone = (SERVER_HEALTH.c.seen <= now - KEPT_SECONDS) | SERVER_HEALTH.c.server.not_in(newest)
        with self._database.writing() as connection:
            found = connection.execute(query.where(SERVER_HEALTH.c.server.in_(servers)))
            made = change({each.server: each.sealed for each in found})
            connection.execute(
                put, [{"server": name, "seen": at, "sealed": sealed} for name, (at, sealed) in made.items()]
            )
            connection.execute(delete(SERVER_HEALTH).where(gone))
