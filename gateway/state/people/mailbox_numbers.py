"""Small numbers for mailboxes, so that a URL has "3" for "INBOX/Räume/Straße" with its UIDVALIDITY.

Nothing here may assign a number twice: an old URL leads to the mailbox it was made for, or nowhere. Numbers are per
account and start at 1. If none can be written, a temporary one from LENT up is computed from the name: reading needs no
writes, and a process that does not know such a number finds it among the mailboxes.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
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

from gateway.state.storage.database import Database
from gateway.state.storage.faults import optional
from gateway.state.storage.metadata import METADATA

CACHED = 10_000  # mailboxes cached in this process: every request needs one; about 200 bytes each
KEPT_PER_NAME = 8  # numbers of one mailbox name: some servers invent a UIDVALIDITY at each visit
NUMBER_SECONDS = 2.0  # seconds that a number waits for another writer: a list without numbers is still useful
FIRST_TEMPORARY = 2**30  # the first temporary number; no account has so many mailboxes
MAX_INTEGER = 2**63 - 1  # SQLite's INTEGER; the number in a URL may be any

_SURROGATES = "surrogatepass"  # a mailbox name may have a lone surrogate, which SQLite does not store as text

MAILBOXES = Table(
    "mailboxes",
    METADATA,
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", LargeBinary, nullable=False),
    Column("uidvalidity", Integer, nullable=False),
)


class Mailboxes:
    """The table of mailboxes, with a cache: a row never changes its meaning, so the cache is never stale."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._numbers: dict[tuple[int, str, int], int] = {}
        self._places: dict[tuple[int, int], tuple[str, int]] = {}
        database.on_renewal(self._clear)

    def number(self, account: int, name: str, uidvalidity: int) -> int:
        """Return the mailbox's number, assigning one to a new mailbox."""
        known = self._numbers.get((account, name, uidvalidity))
        if known is not None:
            return known
        key = (account, name.encode("utf-8", _SURROGATES), uidvalidity)
        number = self._temporary(account, name, uidvalidity)
        with optional("the number of a mailbox", NUMBER_SECONDS):
            number = self._given(*key)
        self._remember(account, number, name, uidvalidity)
        return number

    def _given(self, account: int, name: bytes, uidvalidity: int) -> int:
        with self._database.reading() as connection:
            number = _find(connection, account, name, uidvalidity)
        if number is not None:
            return number
        with self._database.writing() as connection:
            return _find(connection, account, name, uidvalidity) or _add(
                connection, account, name, uidvalidity
            )

    def lookup(self, account: int, number: int) -> tuple[str, int] | None:
        """Return name and UIDVALIDITY of a number, None if it was never given or is long out of date."""
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
        name = decode_name(found.name)
        self._remember(account, number, name, found.uidvalidity)
        return name, found.uidvalidity

    def resolve_temporary(self, account: int, number: int, places: Iterable[tuple[str, int]]) -> None:
        """Find out which of these mailboxes (name and UIDVALIDITY) has a temporary number from another process."""
        for place in places:
            if _computed(account, *place) == number:
                self._remember(account, number, *place)

    def forget(self, account: int) -> None:
        """Clear this process's cache for an account."""
        with self._lock:
            self._numbers = {key: value for key, value in self._numbers.items() if key[0] != account}
            self._places = {key: value for key, value in self._places.items() if key[0] != account}

    def _temporary(self, account: int, name: str, uidvalidity: int) -> int:
        """Make a temporary number that is unique in this process."""
        number = _computed(account, name, uidvalidity)
        while self._places.get((account, number)) not in (None, (name, uidvalidity)):
            number += 1
        return number

    def _clear(self) -> None:
        with self._lock:
            self._numbers.clear()
            self._places.clear()

    def _remember(self, account: int, number: int, name: str, uidvalidity: int) -> None:
        with self._lock:
            _make_room(self._numbers)
            _make_room(self._places)
            if number < FIRST_TEMPORARY:  # a temporary one is looked up again until there is a permanent one
                self._numbers[account, name, uidvalidity] = number
            self._places[account, number] = name, uidvalidity


def is_temporary(number: int) -> bool:
    """Return whether a number is temporary."""
    return number >= FIRST_TEMPORARY


def _computed(account: int, name: str, uidvalidity: int) -> int:
    """Compute a number from a name: the same at each request, and short enough for a phone's URLs."""
    said = f"{account} {uidvalidity} {name}".encode("utf-8", _SURROGATES)
    return FIRST_TEMPORARY + int.from_bytes(sha256(said).digest()[:4], "big")


def decode_name(octets: bytes) -> str:
    """Decode a mailbox's name from the table."""
    return octets.decode("utf-8", _SURROGATES)


def _make_room(cache: dict[Any, Any]) -> None:
    if len(cache) >= CACHED:  # the oldest is evicted; reloading it costs one query
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
    """Assign the next number; the highest row is never removed, so none is given twice."""
    highest = connection.scalar(select(func.max(MAILBOXES.c.number)).where(MAILBOXES.c.account == account))
    number = int(highest or 0) + 1
    same = (MAILBOXES.c.account == account, MAILBOXES.c.name == name)
    connection.execute(
        insert(MAILBOXES).values(account=account, number=number, name=name, uidvalidity=uidvalidity)
    )
    newest = select(MAILBOXES.c.number).where(*same).order_by(MAILBOXES.c.number.desc()).limit(KEPT_PER_NAME)
    connection.execute(delete(MAILBOXES).where(*same, MAILBOXES.c.number.not_in(newest)))
    return number
