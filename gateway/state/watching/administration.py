"""The password of the administrator's panel, as its hash, and what administrators have done.

Nothing here may know a password, or keep more than the newest MOST lines of the audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, Float, Integer, String, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

#: How many lines of the audit are kept.
MOST: Final = 10_000

ADMIN_PASSWORD = Table(
    "admin_password",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("hash", String, nullable=False),
)
AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("origin", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
)


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One thing that was done: when (seconds since the epoch), from which address or "shell", what, and to what."""

    at: float
    origin: str
    action: str
    subject: str


class Administration:
    """The tables of the panel."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def password_hash(self) -> str:
        """Return the hash of the password, "" if none is set."""
        with self._database.reading() as connection:
            return connection.scalar(select(ADMIN_PASSWORD.c.hash)) or ""

    def set_password_hash(self, text: str) -> None:
        """Set the hash of the password; "" removes it."""
        with self._database.writing(synced=True) as connection:
            connection.execute(delete(ADMIN_PASSWORD))
            if text:
                connection.execute(insert(ADMIN_PASSWORD).values(id=1, hash=text))

    def record(self, line: AuditLine) -> None:
        """Add a line to the audit."""
        with self._database.writing(synced=True) as connection:
            added = connection.execute(
                insert(AUDIT).values(at=line.at, origin=line.origin, action=line.action, subject=line.subject)
            )
            (number,) = added.inserted_primary_key or (0,)
            connection.execute(delete(AUDIT).where(AUDIT.c.id <= number - MOST))

    def audit(self, before: int | None = None, most: int = 100) -> list[tuple[int, AuditLine]]:
        """Return lines of the audit with their numbers, the newest first, from those with numbers below `before`."""
        query = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(most)
        if before is not None:
            query = query.where(AUDIT.c.id < before)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [(row.id, AuditLine(row.at, row.origin, row.action, row.subject)) for row in rows]
