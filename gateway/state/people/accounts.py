"""Accounts that have ever signed in, or were locked before they did, as numbers.

Nothing here may store an address that can be read: an account is known by a digest of server and login, made by
`logins`, and its address, if an administrator wants it kept, is encrypted by `gateway.sealed.account_address`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    Integer,
    LargeBinary,
    Select,
    Table,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from gateway.state.people.session_rows import SESSIONS, end_sessions
from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", Integer, primary_key=True),  # AUTOINCREMENT: never reused
    Column("key", LargeBinary, nullable=False, unique=True),
    Column("locked", Float),  # since when nobody may sign in to it
    Column("address", LargeBinary),
)
#: Binary columns that hold text rather than digests or encrypted data.
_TEXTS: Final = {("mailboxes", "name")}


class AccountFilter(Enum):
    """Which accounts are listed."""

    ALL = "all"
    SIGNED_IN = "signed in"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account. `locked`: since when, None if it is not; `sessions`: how many live; `used`: the last use of one.

    Times are in seconds since the epoch; `used` is None without a session. `address` is encrypted.
    """

    id: int
    key: bytes
    locked: float | None
    sessions: int
    used: float | None
    address: bytes | None = field(default=None, repr=False)


class Accounts:
    """The table of accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def id_for(self, key: bytes) -> int:
        """Return the account's number, assigning one to a new account."""
        with self._database.writing() as connection:
            return number_for(connection, key)

    def keys(self, accounts: Iterable[int]) -> dict[int, bytes]:
        """Return the keys of accounts, by their numbers."""
        query = select(ACCOUNTS.c.id, ACCOUNTS.c.key).where(ACCOUNTS.c.id.in_(list(accounts)))
        with self._database.reading() as connection:
            return {row.id: row.key for row in connection.execute(query)}

    def rows(self, account: int) -> dict[str, list[dict[str, Any]]]:
        """Return the readable rows of an account, by table."""
        found: dict[str, list[dict[str, Any]]] = {}
        with self._database.reading() as connection:
            for table, mine in _of(account):
                query = select(table).where(mine)
                rows = [_readable(table.name, row._asdict()) for row in connection.execute(query)]
                if rows:
                    found[table.name] = rows
        return found

    def counts(self, account: int) -> dict[str, int]:
        """Return how many rows an account has, by table, for tables with any."""
        with self._database.reading() as connection:
            found = {
                table.name: connection.scalar(select(func.count()).select_from(table).where(mine)) or 0
                for table, mine in _of(account)
            }
        return {name: number for name, number in found.items() if number}

    def forget(self, account: int) -> tuple[bytes, ...]:
        """Remove an account with all its rows; return the digests of its sessions. A locked one stays locked."""
        mine, tries = ACCOUNTS.c.id == account, METADATA.tables["tries"]
        with self._database.writing() as connection:
            digests = tuple(
                connection.scalars(select(SESSIONS.c.digest).where(SESSIONS.c.account == account))
            )
            locked = connection.execute(select(ACCOUNTS).where(mine, ACCOUNTS.c.locked.is_not(None))).first()
            key = select(ACCOUNTS.c.key).where(mine).scalar_subquery()
            connection.execute(delete(tries).where(tries.c.person == key))
            connection.execute(delete(ACCOUNTS).where(mine))
            if locked is not None:
                connection.execute(insert(ACCOUNTS).values(key=locked.key, locked=locked.locked))
        return digests

    # --- what an administrator sees and does ---

    def page(
        self, now: float, which: AccountFilter = AccountFilter.ALL, most: int = 50, first: int = 0
    ) -> list[AccountRow]:
        """Return accounts, the last used first, from number `first` on."""
        query = _listed(now).order_by(
            func.max(SESSIONS.c.touched).desc().nulls_last(), ACCOUNTS.c.locked.desc(), ACCOUNTS.c.id.desc()
        )
        if which is AccountFilter.LOCKED:
            query = query.where(ACCOUNTS.c.locked.is_not(None))
        elif which is AccountFilter.SIGNED_IN:
            query = query.having(func.count(SESSIONS.c.id) > 0)
        with self._database.reading() as connection:
            return [AccountRow(**row._mapping) for row in connection.execute(query.limit(most).offset(first))]

    def find(self, prefix: bytes, now: float) -> list[AccountRow]:
        """Return the accounts whose key begins with these octets."""
        query = _listed(now).where(ACCOUNTS.c.key >= prefix, ACCOUNTS.c.key <= prefix + b"\xff" * 64)
        with self._database.reading() as connection:
            return [AccountRow(**row._mapping) for row in connection.execute(query)]

    def is_locked(self, keys: Iterable[bytes]) -> bool:
        """Return whether an account with one of these keys is locked."""
        with self._database.reading() as connection:
            return is_locked(connection, keys)

    def lock(self, account: int, now: float) -> tuple[bytes, ...]:
        """Lock an account and end its sessions, in one transaction; return their digests."""
        once = (ACCOUNTS.c.id == account, ACCOUNTS.c.locked.is_(None))
        with self._database.writing(synced=True) as connection:
            connection.execute(update(ACCOUNTS).where(*once).values(locked=now))
            return end_sessions(connection, SESSIONS.c.account == account)

    def unlock(self, account: int) -> None:
        """Let people sign in to an account again."""
        with self._database.writing(synced=True) as connection:
            connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account).values(locked=None))

    def erase_addresses(self) -> None:
        """Remove all stored addresses."""
        kept = ACCOUNTS.c.address.is_not(None)
        with self._database.reading() as connection:
            if connection.execute(select(ACCOUNTS.c.id).where(kept)).first() is None:
                return
        with self._database.writing(synced=True) as connection:
            connection.execute(update(ACCOUNTS).where(kept).values(address=None))


def is_locked(connection: Connection, keys: Iterable[bytes]) -> bool:
    """Return whether an account with one of these keys is locked."""
    query = select(ACCOUNTS.c.id).where(ACCOUNTS.c.key.in_(list(keys)), ACCOUNTS.c.locked.is_not(None))
    return connection.execute(query).first() is not None


def keep_address(connection: Connection, key: bytes, address: bytes) -> None:
    """Store the encrypted address of the account with this key."""
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.key == key).values(address=address))


def _listed(now: float) -> Select[Any]:
    living = (SESSIONS.c.account == ACCOUNTS.c.id) & (SESSIONS.c.expires > now)
    counted = func.count(SESSIONS.c.id).label("sessions"), func.max(SESSIONS.c.touched).label("used")
    return select(ACCOUNTS, *counted).outerjoin(SESSIONS, living).group_by(ACCOUNTS.c.id)


def _of(account: int) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Yield each table with data of accounts, and the condition for the rows of one account."""
    mine = select(SESSIONS.c.id).where(SESSIONS.c.account == account)
    for table in METADATA.sorted_tables:
        whose = {key.column.table.name: key.parent for key in table.foreign_keys}
        if "accounts" in whose:
            yield table, whose["accounts"] == account
        elif "sessions" in whose:
            yield table, whose["sessions"].in_(mine)


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
