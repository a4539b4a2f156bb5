"""The send journal: the stage of each sending, so that nothing is sent twice or lost without notice.

Nothing here may store text of a mail or a readable address: a sending is known by the SHA-256 of its ticket
and the mark of the content posted with it; `gateway.sealed.send_journal` encrypts the rest. Stages only go
forward, and each is on disk before the next begins. A row outlives its session: the person may return to it.
A request at work on a row holds a lock of the operating system, which ends with its process, whatever happens
to clocks and process numbers.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Float,
    ForeignKey,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from gateway.errors import SessionEnded, StateError
from gateway.state.people.accounts import ACCOUNTS
from gateway.state.people.session_rows import SESSIONS
from gateway.state.storage import faults
from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA
from gateway.state.watching.counts import Counted, Counts

LIFETIME = 90 * 24 * 3600.0  # seconds after which an outcome that nobody asked for is removed
MEMORY = 30 * 24 * 3600.0  # seconds that a finished sending is kept after its session is gone

JOURNAL = Table(
    "journal",
    METADATA,
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("act", LargeBinary, primary_key=True),
    Column("session", ForeignKey("sessions.id", ondelete="SET NULL")),
    Column("stage", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("told", Boolean(create_constraint=False), nullable=False),
    Column("at", Float, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)


class Stage(Enum):
    """The stage of a sending: SMTP happens only in SUBMITTING; DONE has an outcome."""

    CLAIMED = "claimed"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One sending. `at`: when it was claimed, in seconds since the epoch; `told`: the person need not be told about it.

    `key` is the hash of its ticket, `act` the mark of the content posted with it, b"" in rows older than
    marks. `kind`: the outcome in one word, "" while it is unknown.
    """

    key: bytes
    act: bytes
    stage: Stage
    told: bool
    at: float
    sealed: bytes = field(repr=False)
    kind: str = ""


class JournalTable:
    """The table of sendings, and the locks on them."""

    def __init__(self, database: Database, counts: Counts) -> None:
        self._database, self._counts = database, counts
        self._folder = database.path.with_name(database.path.name + "-sending")

    def claim(self, account: int, session: int, row: JournalRow) -> JournalRow | None:
        """Begin a sending and return None, or return the row of one that has begun. Raise SessionEnded."""
        values = {
            "account": account,
            "session": session,
            "key": row.key,
            "act": row.act,
            "stage": row.stage.value,
            "kind": row.kind,
            "told": row.told,
            "at": row.at,
            "sealed": row.sealed,
        }
        with self._database.writing(synced=True) as connection:
            found = connection.execute(select(JOURNAL).where(*_this(account, row.key, row.act))).first()
            if found is not None:
                return _row(found)
            if connection.scalar(select(SESSIONS.c.id).where(SESSIONS.c.id == session)) is None:
                raise SessionEnded("a ticket of a session that is gone")
            connection.execute(insert(JOURNAL).values(values))
        return None

    def write(self, account: int, row: JournalRow) -> None:
        """Record the stage of a sending, on disk when this returns. Raise StateError if its row is gone."""
        values = {"stage": row.stage.value, "kind": row.kind, "told": row.told, "sealed": row.sealed}
        change = update(JOURNAL).where(*_this(account, row.key, row.act)).values(values)
        before = select(JOURNAL.c.kind).where(*_this(account, row.key, row.act))
        with self._database.writing(synced=True) as connection:
            known = connection.scalar(before)
            if not connection.execute(change).rowcount:
                raise StateError("state: a sending that has been forgotten")
        if row.kind != known:
            self._counts.add(Counted.SENDS, row.kind)

    def of(self, account: int, key: bytes) -> tuple[JournalRow, ...]:
        """Return the sendings of a ticket, the oldest first."""
        query = select(JOURNAL).where(JOURNAL.c.account == account, JOURNAL.c.key == key)
        with self._database.reading() as connection:
            return tuple(map(_row, connection.execute(query.order_by(JOURNAL.c.at, JOURNAL.c.act))))

    def all(self, account: int) -> tuple[JournalRow, ...]:
        """Return every sending, the oldest first."""
        query = select(JOURNAL).where(JOURNAL.c.account == account).order_by(JOURNAL.c.at, JOURNAL.c.key)
        with self._database.reading() as connection:
            return tuple(map(_row, connection.execute(query)))

    def open(self, account: int, most: int) -> tuple[JournalRow, ...]:
        """Return the sendings to be finished or reported, the oldest first."""
        unsettled = (JOURNAL.c.stage != Stage.DONE.value) | JOURNAL.c.told.is_(False)
        query = select(JOURNAL).where(JOURNAL.c.account == account, unsettled)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(JOURNAL.c.at, JOURNAL.c.key).limit(most))
            return tuple(_row(row) for row in found)

    def page(self, account: int | None, most: int, first: int = 0) -> list[tuple[int, bytes, JournalRow]]:
        """Return sendings with number and key of their account, the newest first, from number `first` on."""
        query = select(JOURNAL, ACCOUNTS.c.key.label("whose")).join(ACCOUNTS).limit(most).offset(first)
        query = query.order_by(JOURNAL.c.at.desc(), JOURNAL.c.key, JOURNAL.c.act)
        if account is not None:
            query = query.where(JOURNAL.c.account == account)
        with self._database.reading() as connection:
            return [(row.account, row.whose, _row(row)) for row in connection.execute(query)]

    def counts(self, account: int | None = None) -> dict[tuple[Stage, str], int]:
        """Return how many sendings there are of each stage and outcome."""
        query = select(JOURNAL.c.stage, JOURNAL.c.kind, func.count()).group_by(
            JOURNAL.c.stage, JOURNAL.c.kind
        )
        if account is not None:
            query = query.where(JOURNAL.c.account == account)
        with self._database.reading() as connection:
            return {(Stage(stage), kind): number for stage, kind, number in connection.execute(query)}

    def kinds(self, since: float) -> Counter[str]:
        """Count the sendings of all accounts begun since a time, by outcome; "" if that is unknown."""
        query = (
            select(JOURNAL.c.kind, func.count().label("count"))
            .where(JOURNAL.c.at >= since)
            .group_by(JOURNAL.c.kind)
        )
        with self._database.reading() as connection:
            return Counter({row.kind: row.count for row in connection.execute(query)})

    def tell(self, account: int, rows: Iterable[JournalRow]) -> None:
        """Record that these outcomes have been reported; unknown ones are still to be reported."""
        known = JOURNAL.c.stage.in_((Stage.ACCEPTED.value, Stage.DONE.value))
        with self._database.writing() as connection:
            for row in rows:
                heard = (*_this(account, row.key, row.act), known)
                connection.execute(update(JOURNAL).where(*heard).values(told=True))

    def ask(self, account: int, row: JournalRow) -> None:
        """Have the outcome of a sending reported (again) at the next sign-in."""
        change = update(JOURNAL).where(*_this(account, row.key, row.act)).values(told=False)
        with self._database.writing() as connection:
            connection.execute(change)

    def purge(self, now: float) -> None:
        """Remove finished sendings, and those nobody asked for, when the session is gone and their time is over."""
        settled = (JOURNAL.c.stage == Stage.DONE.value) & JOURNAL.c.told & (JOURNAL.c.at <= now - MEMORY)
        old = JOURNAL.c.at <= now - LIFETIME
        with self._database.writing() as connection:
            connection.execute(delete(JOURNAL).where(JOURNAL.c.session.is_(None), settled | old))
        for path in self._folder.glob("*"):  # of dead processes; taking and releasing a lock removes it
            with self._alone(path):
                pass

    @contextmanager
    def locked(self, key: bytes) -> Iterator[bool]:
        """Lock a sending against all threads and processes; False if another one holds the lock."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise faults.of_system(error) from error
        with self._alone(self._folder / key.hex()) as alone:
            yield alone

    def is_locked(self, connection: Connection, accounts: Iterable[int]) -> bool:
        """Return whether a begun sending of one of these accounts is locked."""
        begun = (JOURNAL.c.account.in_(list(accounts)), JOURNAL.c.stage != Stage.DONE.value)
        for key in connection.scalars(select(JOURNAL.c.key).where(*begun)).all():
            with self.locked(key) as alone:
                if not alone:
                    return True
        return False

    @contextmanager
    def _alone(self, path: Path) -> Iterator[bool]:
        descriptor = _locked(path)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                path.unlink(missing_ok=True)  # before the release, so that others find it gone
                os.close(descriptor)


def _locked(path: Path) -> int | None:
    """Open and lock a file; None if another process has locked it."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise faults.of_system(error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:  # its former holder has removed it
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _this(account: int, key: bytes, act: bytes) -> tuple[ColumnElement[bool], ...]:
    return (JOURNAL.c.account == account, JOURNAL.c.key == key, JOURNAL.c.act == act)


def _row(found: Row[Any]) -> JournalRow:
    stage = Stage(found.stage)
    return JournalRow(found.key, found.act, stage, bool(found.told), found.at, found.sealed, found.kind)
