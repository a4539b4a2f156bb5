"""Small numbers for mailboxes, so that a URL says "3" for "INBOX/Räume/Straße" with its UIDVALIDITY.

Nothing here may give a number twice: an old URL leads to the mailbox it was made for, or nowhere. Numbers are
each account's own and begin at 1.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    delete,
    func,
    insert,
    select,
)

from gateway.state.database import Database
from gateway.state.tables import METADATA

CACHED = 10_000  # mailboxes remembered in this process: every request asks for one; about 200 bytes each
KEPT_PER_NAME = 8  # numbers of one mailbox name: some servers invent a UIDVALIDITY at each visit
MAX_INTEGER = 2**63 - 1  # SQLite's INTEGER; a number from a URL may be any

_SURROGATES = "surrogatepass"  # a server may name a mailbox with half a pair, which is no text for SQLite

MAILBOXES = Table(
    "mailboxes",
    METADATA,
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", LargeBinary, nullable=False),
    Column("uidvalidity", Integer, nullable=False),
)


class Mailboxes:
    """The table of mailboxes, with a cache: a row never changes its meaning, so the cache cannot be wrong."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._numbers: dict[tuple[int, str, int], int] = {}
        self._places: dict[tuple[int, int], tuple[str, int]] = {}

    def number(self, account: int, name: str, uidvalidity: int) -> int:
        """Return the mailbox's number, given on first sight."""
        known = self._numbers.get((account, name, uidvalidity))
        if known is not None:
            return known
        key = (account, name.encode("utf-8", _SURROGATES), uidvalidity)
        with self._database.reading() as connection:
            number = _find(connection, *key)
        if number is None:
            with self._database.writing() as connection:
                number = _find(connection, *key) or _add(connection, *key)
        self._remember(account, number, name, uidvalidity)
        return number

    def lookup(self, account: int, number: int) -> tuple[str, int] | None:
        """Return name and UIDVALIDITY of a number, None if it was never given or is long outdated."""
        known = self._places.get((account, number))
        if known is not None or not 0 < number <= MAX_INTEGER:
            return known
        wanted = select(MAILBOXES.c.name, MAILBOXES.c.uidvalidity).where(
            MAILBOXES.c.account == account, MAILBOXES.c.number == number
        )
        with self._database.reading() as connection:
            found = connection.execute(wanted).first()
        if found is None:
            return None
        name = found.name.decode("utf-8", _SURROGATES)
        self._remember(account, number, name, found.uidvalidity)
        return name, found.uidvalidity

    def forget(self, account: int) -> None:
        """Forget in this process what is remembered of an account."""
        with self._lock:
            self._numbers = {key: value for key, value in self._numbers.items() if key[0] != account}
            self._places = {key: value for key, value in self._places.items() if key[0] != account}

    def _remember(self, account: int, number: int, name: str, uidvalidity: int) -> None:
        with self._lock:
            _make_room(self._numbers)
            _make_room(self._places)
            self._numbers[account, name, uidvalidity] = number
            self._places[account, number] = name, uidvalidity


def _make_room(cache: dict[Any, Any]) -> None:
    if len(cache) >= CACHED:  # the oldest goes; it costs one query to come back
        cache.pop(next(iter(cache)))


def _find(connection: Connection, account: int, name: bytes, uidvalidity: int) -> int | None:
    return connection.scalar(
        select(MAILBOXES.c.number).where(
            MAILBOXES.c.account == account,
            MAILBOXES.c.name == name,
            MAILBOXES.c.uidvalidity == uidvalidity,
        )
    )


def _add(connection: Connection, account: int, name: bytes, uidvalidity: int) -> int:
    """Give the next number; the highest is never removed, so none is given twice."""
    highest = connection.scalar(select(func.max(MAILBOXES.c.number)).where(MAILBOXES.c.account == account))
    number = int(highest or 0) + 1
    same = (MAILBOXES.c.account == account, MAILBOXES.c.name == name)
    connection.execute(
        insert(MAILBOXES).values(account=account, number=number, name=name, uidvalidity=uidvalidity)
    )
    newest = select(MAILBOXES.c.number).where(*same).order_by(MAILBOXES.c.number.desc()).limit(KEPT_PER_NAME)
    connection.execute(delete(MAILBOXES).where(*same, MAILBOXES.c.number.not_in(newest)))
    return number
