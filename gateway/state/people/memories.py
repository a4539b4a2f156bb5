"""An account's stored data: small encrypted values, by kind and name.

Nothing here may store anything readable: `gateway.sealed.memory` encrypts the values. A name is a number or a mark,
never an address or anything a person has written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    select,
)
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA
from gateway.state.storage.prepared import Prepared

MEMORIES = Table(
    "memories",
    METADATA,
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("at", Float, nullable=False),
)

#: Built once: every page needs it.
_ONE: Final = select(MEMORIES.c.sealed).where(
    MEMORIES.c.account == bindparam("account"),
    MEMORIES.c.kind == bindparam("kind"),
    MEMORIES.c.name == bindparam("name"),
)

_READ: Final = Prepared(_ONE)
_ROW: Final = insert(MEMORIES).values({column.name: bindparam(column.name) for column in MEMORIES.c})
_PUT: Final = _ROW.on_conflict_do_update(
    index_elements=["account", "kind", "name"],
    set_={"sealed": _ROW.excluded.sealed, "at": _ROW.excluded.at},
)

#: Maps the stored octets to new ones; None: nothing stored (before, after).
MemoryChange = Callable[[bytes | None], bytes | None]


class Memories:
    """The table of accounts' stored data."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, account: int, kind: str, name: str) -> bytes | None:
        """Return one value, None if there is none."""
        found = self._database.rows(_READ, account=account, kind=kind, name=name)
        return found[0][0] if found else None

    def all(self, account: int, kind: str) -> dict[str, bytes]:
        """Return all values of a kind by name, the oldest first."""
        query = (
            select(MEMORIES.c.name, MEMORIES.c.sealed)
            .where(MEMORIES.c.account == account, MEMORIES.c.kind == kind)
            .order_by(MEMORIES.c.at, MEMORIES.c.name)
        )
        with self._database.reading() as connection:
            return {row.name: row.sealed for row in connection.execute(query)}

    def kinds(self, account: int) -> tuple[str, ...]:
        """Return the kinds that have values."""
        query = select(MEMORIES.c.kind).where(MEMORIES.c.account == account).distinct()
        with self._database.reading() as connection:
            return tuple(sorted(connection.scalars(query)))

    def change(
        self, account: int, kind: str, name: str, change: MemoryChange, now: float, most: int = 0
    ) -> None:
        """Replace a value with what `change` returns, in one transaction; beyond `most` the oldest are removed."""
        with self._database.writing() as connection:
            octets = change(_one(connection, account, kind, name))
            if octets is None:
                connection.execute(delete(MEMORIES).where(*_place(account, kind, name)))
                return
            row = {"account": account, "kind": kind, "name": name, "sealed": octets, "at": now}
            connection.execute(_PUT, row)
            if most:
                _keep_newest(connection, account, kind, most)

    def remove(self, account: int, kind: str, name: str) -> None:
        """Remove one value."""
        with self._database.writing() as connection:
            connection.execute(delete(MEMORIES).where(*_place(account, kind, name)))

    def forget(self, account: int) -> None:
        """Remove all values of an account."""
        with self._database.writing() as connection:
            connection.execute(delete(MEMORIES).where(MEMORIES.c.account == account))


def _place(account: int, kind: str, name: str) -> tuple[ColumnElement[bool], ...]:
    return MEMORIES.c.account == account, MEMORIES.c.kind == kind, MEMORIES.c.name == name


def _one(connection: Connection, account: int, kind: str, name: str) -> bytes | None:
    found: bytes | None = connection.scalar(_ONE, {"account": account, "kind": kind, "name": name})
    return found


def _keep_newest(connection: Connection, account: int, kind: str, most: int) -> None:
    same = (MEMORIES.c.account == account, MEMORIES.c.kind == kind)
    newest = select(MEMORIES.c.name).where(*same).order_by(MEMORIES.c.at.desc(), MEMORIES.c.name).limit(most)
    connection.execute(delete(MEMORIES).where(*same, MEMORIES.c.name.not_in(newest)))
