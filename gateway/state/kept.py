"""What was posted to sessions that had ended, until its writer has signed in again.

Nothing here may hold a text that can be read: `gateway.kept` seals it under the ended session's token, of which only
the SHA-256 is known here. A row lives LIFETIME seconds from when it was posted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Column, Float, ForeignKey, LargeBinary, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.database import Database
from gateway.state.tables import METADATA

LIFETIME = 24 * 3600.0  # seconds
MOST = 4  # texts of one session; the oldest go

KEPT = Table(
    "kept",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("name", LargeBinary, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires", Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One text: the token's digest, a name that is the same for the same text, and when it is gone."""

    digest: bytes = field(repr=False)
    name: bytes
    account: int
    sealed: bytes = field(repr=False)
    expires: float


class Kept:
    """The table of texts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, row: KeptRow) -> None:
        """Keep a text; the same one again stays as it is, and does not live longer."""
        values = {name: getattr(row, name) for name in ("digest", "name", "account", "sealed", "expires")}
        same = KEPT.c.digest == row.digest
        newest = select(KEPT.c.name).where(same).order_by(KEPT.c.expires.desc(), KEPT.c.name).limit(MOST)
        with self._database.writing() as connection:
            connection.execute(insert(KEPT).values(values).on_conflict_do_nothing())
            connection.execute(delete(KEPT).where(same, KEPT.c.name.not_in(newest)))

    def all(self, digest: bytes, account: int, now: float) -> tuple[KeptRow, ...]:
        """Return the texts under a token, the newest first, if they are that account's."""
        query = (
            select(KEPT)
            .where(KEPT.c.digest == digest, KEPT.c.account == account, KEPT.c.expires > now)
            .order_by(KEPT.c.expires.desc(), KEPT.c.name)
        )
        with self._database.reading() as connection:
            return tuple(KeptRow(**row._mapping) for row in connection.execute(query))

    def remove(self, digest: bytes, name: bytes) -> None:
        """Forget one text."""
        with self._database.writing() as connection:
            connection.execute(delete(KEPT).where(KEPT.c.digest == digest, KEPT.c.name == name))

    def purge(self, now: float) -> None:
        """Remove what has expired."""
        with self._database.writing() as connection:
            connection.execute(delete(KEPT).where(KEPT.c.expires <= now))
