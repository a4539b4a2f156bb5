"""Recent sign-in attempts, as texts that `throttle` writes and reads.

Nothing here may know a rule: `throttle` decides, this stores, for all processes. Keys are digests; beside each is what
an administrator may know about it. Expired rows are removed, and of the others the newest MOST stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    LargeBinary,
    Select,
    String,
    Table,
    delete,
    select,
)
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

#: Rows that stay when the table is purged; each stands for tries against a mail server, some 200 octets.
MOST: Final = 100_000

TryTexts = Mapping[bytes, str | None]

TRIES = Table(
    "tries",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("kept", String, nullable=False),
    Column("last", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("person", LargeBinary, nullable=False),
    Column("counted", LargeBinary, nullable=False),
    Column("network", String, nullable=False),
)


@dataclass(frozen=True, slots=True)
class TrySubject:
    """Whose tries a key counts: the limit's name, the account's key, the key it is counted by, the network.

    Account and network are empty if the limit does not depend on them.
    """

    kind: str = ""
    person: bytes = b""
    counted: bytes = b""
    network: str = ""


@dataclass(frozen=True, slots=True)
class TryRow:
    """One record: its key, its text, when it last changed (seconds since the epoch), and whose it is."""

    key: bytes
    kept: str
    last: float
    subject: TrySubject


_NEWEST: Final = (TRIES.c.last.desc(), TRIES.c.key)
_SUBJECT: Final = tuple(TRIES.c[name] for name in TrySubject.__slots__)


class Tries:
    """The table of tries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, keys: Iterable[bytes]) -> TryTexts:
        """Return the text under each of the keys, None if there is none."""
        with self._database.reading() as connection:
            return _kept(connection, keys)

    def change(
        self, keys: Mapping[bytes, TrySubject], step: Callable[[TryTexts], TryTexts], now: float
    ) -> None:
        """Replace the texts under some keys with what `step` returns for them, in one transaction."""
        with self._database.writing() as connection:
            before = _kept(connection, keys)
            for key, text in step(before).items():
                if text is None:
                    connection.execute(delete(TRIES).where(TRIES.c.key == key))
                elif text != before[key]:
                    values = {"kept": text, "last": now, **asdict(keys[key])}
                    row = insert(TRIES).values(key=key, **values)
                    connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=values))

    def page(self, most: int, first: int = 0) -> list[TryRow]:
        """Return records, the last changed first, from number `first` on."""
        return self._rows(select(TRIES).order_by(*_NEWEST).limit(most).offset(first))

    def of_account(self, person: bytes, most: int = 100) -> list[TryRow]:
        """Return the records of an account, by its key, in whatever spelling, the last changed first."""
        return self._rows(select(TRIES).where(_counted_with(person)).order_by(*_NEWEST).limit(most))

    def clear(self, key: bytes) -> TrySubject | None:
        """Remove one record; return whose it was, None if there is none."""
        gone = delete(TRIES).where(TRIES.c.key == key).returning(*_SUBJECT)
        with self._database.writing() as connection:
            found = connection.execute(gone).first()
        return TrySubject(*found) if found is not None else None

    def clear_account(self, person: bytes) -> int:
        """Remove the records of an account, by its key, in whatever spelling; return how many."""
        with self._database.writing() as connection:
            return connection.execute(delete(TRIES).where(_counted_with(person))).rowcount

    def purge(self, before: float, most: int = MOST) -> None:
        """Remove records that have not changed since a time, and all but the newest."""
        newest = (
            select(TRIES.c.last).order_by(TRIES.c.last.desc()).limit(1).offset(most - 1).scalar_subquery()
        )
        with self._database.writing() as connection:
            connection.execute(delete(TRIES).where((TRIES.c.last < before) | (TRIES.c.last < newest)))

    def _rows(self, query: Select[Any]) -> list[TryRow]:
        with self._database.reading() as connection:
            found = connection.execute(query).all()
        return [
            TryRow(row.key, row.kept, row.last, TrySubject(*(row._mapping[name] for name in _SUBJECT)))
            for row in found
        ]


def _counted_with(person: bytes) -> ColumnElement[bool]:
    """Return the condition for records of an account, and of all that are counted together with it."""
    return TRIES.c.counted.in_(select(TRIES.c.counted).where(TRIES.c.person == person))


def _kept(connection: Connection, keys: Iterable[bytes]) -> TryTexts:
    wanted = list(keys)
    found = connection.execute(select(TRIES.c.key, TRIES.c.kept).where(TRIES.c.key.in_(wanted)))
    return dict.fromkeys(wanted) | {row.key: row.kept for row in found}
