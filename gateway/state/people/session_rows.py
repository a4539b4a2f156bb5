"""Sessions, one row each, without a readable password or address.

Nothing here may see a token (only its SHA-256) or a credential (only encrypted). An expired row counts as
none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    select,
    true,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA
from gateway.state.storage.prepared import Prepared

ENDED_SECONDS = 24 * 3600.0  # seconds that the account of an ended session is remembered
TOUCH_SECONDS = 60.0  # seconds between two writes of the expiry: reading a page should not write to disk

Via = Literal["url", "cookie"]

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("family", String, nullable=False),
    Column("markup", String, nullable=False),
    Column("device", String, nullable=False),
    Column("language", String, nullable=False),
    Column("via", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("touched", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("domain", String, nullable=False),
    Column("begun", Float, nullable=False),
    Column("chosen", Integer, nullable=False),
)

#: Accounts of ended sessions, while something may still be posted to one of them.
ENDED = Table(
    "ended",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("until", Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session. `id` is chosen by the caller, who encrypts with it; `family`: of the User-Agent, "" if unknown.

    `touched` (the last use), `expires` and `begun` are seconds since the epoch; `domain` is a mark of the mail domain.
    `begun` is 0 and `domain` is "" if an earlier version began it. `chosen`: its markup is the person's choice.
    """

    id: int
    digest: bytes = field(repr=False)
    account: int
    family: str
    markup: str
    device: str
    language: str
    via: Via
    sealed: bytes = field(repr=False)
    touched: float
    expires: float
    domain: str = ""
    begun: float = 0.0
    chosen: bool = True


_NAMES = tuple(column.name for column in SESSIONS.columns)
#: Built once: every page needs it.
_LIVING = Prepared(
    select(SESSIONS).where(SESSIONS.c.digest == bindparam("token"), SESSIONS.c.expires > bindparam("now"))
)


class SessionTable:
    """The table of sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, row: SessionRow) -> None:
        """Add a session."""
        with self._database.writing() as connection:
            add(connection, row)

    def get(self, digest: bytes, now: float) -> SessionRow | None:
        """Find the unexpired session of a token."""
        found = self._database.rows(_LIVING, token=digest, now=now)
        return SessionRow(**dict(zip(_NAMES, found[0], strict=True))) if found else None

    def living(self, digests: Collection[bytes], now: float) -> frozenset[bytes]:
        """Return which of these are digests of unexpired sessions."""
        query = select(SESSIONS.c.digest).where(SESSIONS.c.digest.in_(digests), SESSIONS.c.expires > now)
        with self._database.reading() as connection:
            return frozenset(connection.scalars(query))

    def touch(self, row: SessionRow, now: float, expires: float) -> bool:
        """Extend the expiry, written at most once in TOUCH_SECONDS, more often for very short lifetimes.

        Return whether it was.
        """
        if 0 <= now - row.touched < min(TOUCH_SECONDS, (expires - now) / 10):
            return False
        change = update(SESSIONS).where(SESSIONS.c.id == row.id).values(touched=now, expires=expires)
        with self._database.writing() as connection:
            connection.execute(change)
        return True

    def delete(self, row_id: int) -> None:
        """Remove a session and its tickets, if it is there."""
        with self._database.writing() as connection:
            end_sessions(connection, SESSIONS.c.id == row_id)

    def find(self, row_id: int) -> SessionRow | None:
        """Find a session by its number, expired or not."""
        with self._database.reading() as connection:
            found = connection.execute(select(SESSIONS).where(SESSIONS.c.id == row_id)).first()
        return SessionRow(**found._mapping) if found else None

    def page(
        self, now: float, account: int | None = None, most: int = 50, first: int = 0
    ) -> list[SessionRow]:
        """Return unexpired sessions, of one account or of all, the last used first, from number `first` on."""
        query = select(SESSIONS).where(SESSIONS.c.expires > now)
        if account is not None:
            query = query.where(SESSIONS.c.account == account)
        query = query.order_by(SESSIONS.c.touched.desc(), SESSIONS.c.id).limit(most).offset(first)
        with self._database.reading() as connection:
            return [SessionRow(**row._mapping) for row in connection.execute(query)]

    def end(self, row_id: int | None = None, account: int | None = None) -> tuple[bytes, ...]:
        """End one session, all of an account, or all; return the digests of those that were there."""
        which = true() if row_id is None else SESSIONS.c.id == row_id
        mine = true() if account is None else SESSIONS.c.account == account
        with self._database.writing(synced=True) as connection:
            return end_sessions(connection, and_(which, mine))

    def count(self, now: float) -> int:
        """Return how many sessions have not expired."""
        query = select(func.count()).select_from(SESSIONS).where(SESSIONS.c.expires > now)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def count_of(self, domains: Collection[str], now: float, others: bool = False) -> tuple[int, int]:
        """Return how many sessions of these domains, or of all others, have not expired, and of how many accounts."""
        counted = func.count(), func.count(SESSIONS.c.account.distinct())
        query = select(*counted).where(SESSIONS.c.expires > now, _of(domains, others))
        with self._database.reading() as connection:
            sessions, accounts = connection.execute(query).one()
        return sessions, accounts

    def end_of(self, domains: Collection[str], others: bool = False) -> int:
        """End all sessions of these domains, or of all others; return how many."""
        with self._database.writing() as connection:
            return len(end_sessions(connection, _of(domains, others)))

    def account(self, digest: bytes, now: float) -> int | None:
        """Return the account of an ended session, None if it has not ended or is forgotten."""
        expired = select(SESSIONS.c.account).where(SESSIONS.c.digest == digest, SESSIONS.c.expires <= now)
        ended = select(ENDED.c.account).where(ENDED.c.digest == digest, ENDED.c.until > now)
        with self._database.reading() as connection:
            return connection.scalar(expired) or connection.scalar(ended)

    def purge(self, now: float) -> int:
        """Remove expired sessions and their tickets, and return how many."""
        with self._database.writing() as connection:
            connection.execute(delete(ENDED).where(ENDED.c.until <= now))
            return len(end_sessions(connection, SESSIONS.c.expires <= now))


def add(connection: Connection, row: SessionRow) -> None:
    """Add a session."""
    connection.execute(insert(SESSIONS).values({name: getattr(row, name) for name in _NAMES}))


def _of(domains: Collection[str], others: bool) -> ColumnElement[bool]:
    which = SESSIONS.c.domain.not_in(domains) if others else SESSIONS.c.domain.in_(domains)
    return and_(which, SESSIONS.c.domain != "")


def end_sessions(connection: Connection, which: ColumnElement[bool]) -> tuple[bytes, ...]:
    """Remove sessions and return their digests; their accounts stay known for a while."""
    columns = SESSIONS.c.digest, SESSIONS.c.account, SESSIONS.c.expires + ENDED_SECONDS
    row = insert(ENDED).from_select(["digest", "account", "until"], select(*columns).where(which))
    connection.execute(row.on_conflict_do_nothing())
    return tuple(connection.scalars(delete(SESSIONS).where(which).returning(SESSIONS.c.digest)))
