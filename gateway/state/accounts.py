"""The accounts that have ever signed in, as numbers.

Nothing here may hold an address: an account is known by a digest that `session` makes of server and login.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.database import Database
from gateway.state.tables import METADATA

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", Integer, primary_key=True),  # never used again: AUTOINCREMENT
    Column("key", LargeBinary, nullable=False, unique=True),
)


class Accounts:
    """The table of accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def id_for(self, key: bytes) -> int:
        """Return the account's number, given on first sight."""
        wanted = select(ACCOUNTS.c.id).where(ACCOUNTS.c.key == key)
        with self._database.reading() as connection:
            found = connection.scalar(wanted)
        if found is not None:
            return int(found)
        with self._database.writing() as connection:
            connection.execute(insert(ACCOUNTS).values(key=key).on_conflict_do_nothing())
            return int(connection.scalars(wanted).one())
