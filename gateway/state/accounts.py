"""Accounts that have ever signed in, as numbers.

Nothing here may store an address: an account is known by a digest of server and login, made by `session`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Column, Connection, Integer, LargeBinary, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", Integer, primary_key=True),  # AUTOINCREMENT: never reused
    Column("key", LargeBinary, nullable=False, unique=True),
)
#: Binary columns that hold text rather than digests or encrypted data.
_TEXTS: Final = {("mailboxes", "name")}


class Accounts:
    """The table of accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def id_for(self, key: bytes) -> int:
        """Return the account's number, assigning one to a new account."""
        with self._database.writing() as connection:
            return number_for(connection, key)

    def rows(self, account: int) -> dict[str, list[dict[str, Any]]]:
        """Return the readable rows of an account, by table."""
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
        """Remove an account with all its rows; return the digests of its sessions."""
        sessions = METADATA.tables["sessions"]
        with self._database.writing() as connection:
            digests = tuple(
                connection.scalars(select(sessions.c.digest).where(sessions.c.account == account))
            )
            connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.id == account))
        return digests


def number_for(connection: Connection, key: bytes) -> int:
    """Return the number of a key, assigning one to a new key."""
    connection.execute(insert(ACCOUNTS).values(key=key).on_conflict_do_nothing())
    number: int = connection.scalars(select(ACCOUNTS.c.id).where(ACCOUNTS.c.key == key)).one()
    return number


def _readable(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    made = {}
    for name, value in row.items():
        if isinstance(value, bytes) and (table, name) in _TEXTS:
            made[name] = value.decode("utf-8", "replace")
        elif not isinstance(value, bytes) and name not in ("account", "session"):
            made[name] = value
    return made
