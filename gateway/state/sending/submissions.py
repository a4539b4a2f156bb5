"""Recent submissions of each account, to limit them.

Nothing here may know what a mail says or who receives it: a row is a time and a weight. Rows older than HOUR
are removed by the next one of their account.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Float, ForeignKey, Integer, Table, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

#: Seconds for which a mail counts.
HOUR: Final = 3600.0

SUBMISSIONS = Table(
    "submissions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("at", Float, nullable=False),
    Column("weight", Integer, nullable=False),
)


class Submissions:
    """The table of submissions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, account: int, weight: int, most: int, now: float) -> float | None:
        """Count one mail and return None; if that would exceed `most`, return when there is room for it.

        `weight` is at most `most`. However many come at once, in any process, no more than `most` are
        counted.
        """
        mine = SUBMISSIONS.c.account == account
        with self._database.writing() as connection:
            connection.execute(delete(SUBMISSIONS).where(mine, SUBMISSIONS.c.at <= now - HOUR))
            # Even if the clock has been set back, nobody waits longer than an hour.
            connection.execute(update(SUBMISSIONS).where(mine, SUBMISSIONS.c.at > now).values(at=now))
            query = select(SUBMISSIONS.c.at, SUBMISSIONS.c.weight).where(mine).order_by(SUBMISSIONS.c.at)
            rows = connection.execute(query).all()
            over = sum(row.weight for row in rows) + weight - most
            if over <= 0:
                connection.execute(insert(SUBMISSIONS).values(account=account, at=now, weight=weight))
                return None
        for row in rows:
            over -= row.weight
            if over <= 0:
                return float(row.at) + HOUR
        return now + HOUR

    def discount(self, account: int, weight: int) -> None:
        """Remove the newest count of this weight: the mail was not sent after all."""
        mine = (SUBMISSIONS.c.account == account, SUBMISSIONS.c.weight == weight)
        newest = (
            select(SUBMISSIONS.c.id).where(*mine).order_by(SUBMISSIONS.c.at.desc(), SUBMISSIONS.c.id.desc())
        )
        with self._database.writing() as connection:
            connection.execute(delete(SUBMISSIONS).where(SUBMISSIONS.c.id.in_(newest.limit(1))))
