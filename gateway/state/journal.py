"""The send journal: how far each sending has come, so that nothing is sent twice and nothing is lost untold.

Nothing here may hold text of a mail or an address that can be read: a sending is known by the SHA-256 of its ticket,
and `gateway.journal` seals the rest. Stages only go forward, and each is on the disk before the next begins. A row
outlives its session: somebody may come back for it. Who is at work on a row holds a lock of the
operating system, which ends with the process that held it, whatever clocks or process numbers say meanwhile.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from gateway.errors import SessionEnded
from gateway.state.database import Database, StateError
from gateway.state.sessions import SESSIONS
from gateway.state.tables import METADATA

LIFETIME = 90 * 24 * 3600.0  # seconds after which what nobody came back for is forgotten
MEMORY = 30 * 24 * 3600.0  # seconds for which what is settled is known when its session is gone

JOURNAL = Table(
    "journal",
    METADATA,
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("session", ForeignKey("sessions.id", ondelete="SET NULL")),
    Column("stage", String, nullable=False),
    Column("told", Boolean(create_constraint=False), nullable=False),
    Column("at", Float, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)


class Stage(Enum):
    """How far a sending has come: SMTP is spoken in SUBMITTING only; DONE has an outcome."""

    CLAIMED = "claimed"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One sending. `at`: when it was claimed, in seconds since the epoch; `told`: the person need not hear of it."""

    key: bytes
    stage: Stage
    told: bool
    at: float
    sealed: bytes = field(repr=False)


class JournalTable:
    """The table of sendings, and who is at work on them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._folder = database.path.with_name(database.path.name + "-sending")

    def claim(self, account: int, session: int, row: JournalRow) -> JournalRow | None:
        """Begin a sending and return None, or return the row of the one that has begun. Raise SessionEnded."""
        values = {
            "account": account,
            "session": session,
            "key": row.key,
            "stage": row.stage.value,
            "told": row.told,
            "at": row.at,
            "sealed": row.sealed,
        }
        with self._database.writing(synced=True) as connection:
            found = connection.execute(
                select(JOURNAL).where(JOURNAL.c.account == account, JOURNAL.c.key == row.key)
            ).first()
            if found is not None:
                return _row(found)
            if connection.scalar(select(SESSIONS.c.id).where(SESSIONS.c.id == session)) is None:
                raise SessionEnded("a ticket of a session that is gone")
            connection.execute(insert(JOURNAL).values(values))
        return None

    def write(self, account: int, row: JournalRow) -> None:
        """Take a sending on; on the disk when this returns."""
        values = {"stage": row.stage.value, "told": row.told, "sealed": row.sealed}
        change = update(JOURNAL).where(JOURNAL.c.account == account, JOURNAL.c.key == row.key).values(values)
        with self._database.writing(synced=True) as connection:
            connection.execute(change)

    def get(self, account: int, key: bytes) -> JournalRow | None:
        """Return one sending."""
        query = select(JOURNAL).where(JOURNAL.c.account == account, JOURNAL.c.key == key)
        with self._database.reading() as connection:
            found = connection.execute(query).first()
        return _row(found) if found is not None else None

    def all(self, account: int) -> tuple[JournalRow, ...]:
        """Return every sending, the oldest first."""
        query = select(JOURNAL).where(JOURNAL.c.account == account).order_by(JOURNAL.c.at, JOURNAL.c.key)
        with self._database.reading() as connection:
            return tuple(map(_row, connection.execute(query)))

    def open(self, account: int, most: int) -> tuple[JournalRow, ...]:
        """Return the sendings that are to be finished or told, the oldest first."""
        unsettled = (JOURNAL.c.stage != Stage.DONE.value) | JOURNAL.c.told.is_(False)
        query = select(JOURNAL).where(JOURNAL.c.account == account, unsettled)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(JOURNAL.c.at, JOURNAL.c.key).limit(most))
            return tuple(_row(row) for row in found)

    def tell(self, account: int, keys: Iterable[bytes]) -> None:
        """Remember that the person has heard what became of these; what is not known yet is still to be told."""
        known = JOURNAL.c.stage.in_((Stage.ACCEPTED.value, Stage.DONE.value))
        heard = (JOURNAL.c.account == account, JOURNAL.c.key.in_(list(keys)), known)
        with self._database.writing() as connection:
            connection.execute(update(JOURNAL).where(*heard).values(told=True))

    def ask(self, account: int, key: bytes) -> bool:
        """Have the outcome of a sending told (again) at the next sign-in; False if there is no such sending."""
        change = update(JOURNAL).where(JOURNAL.c.account == account, JOURNAL.c.key == key).values(told=False)
        with self._database.writing() as connection:
            return connection.execute(change).rowcount > 0

    def purge(self, now: float) -> None:
        """Remove what is settled and what nobody came back for, when the session is gone and time has passed."""
        settled = (JOURNAL.c.stage == Stage.DONE.value) & JOURNAL.c.told & (JOURNAL.c.at <= now - MEMORY)
        old = JOURNAL.c.at <= now - LIFETIME
        with self._database.writing() as connection:
            connection.execute(delete(JOURNAL).where(JOURNAL.c.session.is_(None), settled | old))
        for path in self._folder.glob("*"):  # of processes that died; taking and leaving a lock removes it
            with self._alone(path):
                pass

    @contextmanager
    def at_work(self, key: bytes) -> Iterator[bool]:
        """Be the only one at work on a sending, of all threads and processes; False while somebody else is."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StateError(f"state: {error.strerror}") from error
        with self._alone(self._folder / key.hex()) as alone:
            yield alone

    @contextmanager
    def _alone(self, path: Path) -> Iterator[bool]:
        descriptor = _locked(path)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                path.unlink(missing_ok=True)  # before the lock ends: whoever opened it finds that it is gone
                os.close(descriptor)


def _locked(path: Path) -> int | None:
    """Open and lock a file; None when somebody else has locked it."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateError(f"state: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:  # whoever held it has removed it
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _row(found: Row[Any]) -> JournalRow:
    return JournalRow(found.key, Stage(found.stage), bool(found.told), found.at, found.sealed)
