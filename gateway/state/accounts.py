"""The accounts that have ever signed in, as numbers.

Nothing here may hold an address: an account is known by a digest that `session` makes of server and login.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Column, Integer, LargeBinary, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.database import Database
from gateway.state.tables import METADATA

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", Integer, primary_key=True),  # never used again: AUTOINCREMENT
    Column("key", LargeBinary, nullable=False, unique=True),
)
#: Octets that are a text and no digest or sealed thing.
_TEXTS: Final = {("mailboxes", "name")}


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

    def rows(self, account: int) -> dict[str, list[dict[str, Any]]]:
        """Return what the tables hold of an account and anybody can read, by table."""
        found: dict[str, list[dict[str, Any]]] = {}
        with self._database.reading() as connection:
            for table in METADATA.sorted_tables:
                whose = {key.column.table.name: key.parent for key in table.foreign_keys}
                if "accounts" in whose:
                    query = select(table).where(whose["accounts"] == account)
                elif "sessions" in whose:
                    sessions = METADATA.tables["sessions"]
                    mine = select(sessions.c.id).where(sessions.c.account == account)
                    query = select(table).where(whose["sessions"].in_(mine))
                else:
                    continue
                rows = [_readable(table.name, row._asdict()) for row in connection.execute(query)]
                if rows:
                    found[table.name] = rows
        return found

    def forget(self, account: int) -> tuple[bytes, ...]:
        """Remove an account with all that the tables hold of it; return the digests of its sessions."""
        sessions = METADATA.tables["sessions"]
        with self._database.writing() as connection:
            digests = tuple(
                connection.scalars(select(sessions.c.digest).where(sessions.c.account == account))
            )
            connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.id == account))
        return digests


def _readable(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    made = {}
    for name, value in row.items():
        if isinstance(value, bytes) and (table, name) in _TEXTS:
            made[name] = value.decode("utf-8", "replace")
        elif not isinstance(value, bytes) and name not in ("account", "session"):
            made[name] = value
    return made
