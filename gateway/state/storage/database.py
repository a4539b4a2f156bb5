"""One SQLite file, shared by all processes and threads of the gateway.

Nothing else may make an engine or a transaction, and nothing here may know a table. Open it after a fork,
once in each process. A writing transaction takes the lock when it begins (BEGIN IMMEDIATE), so that what it
reads cannot change before it writes. WAL (sqlite.org/wal.html): readers and the writer never wait for each
other. If the file is removed or replaced, the next transaction notices and opens or recreates it: nothing is
written to an unlinked file.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from gateway import computing
from gateway.errors import ConfigError, StateError, StateLocked
from gateway.state.storage import faults
from gateway.state.storage.prepared import Prepared, SnapshotReader

log = logging.getLogger(__name__)

#: Seconds after a failure in which optional writes are not tried.
REST_SECONDS: Final = 5.0
FILE_MODE = 0o600

_PATIENCE = "pocketpost_patience"
#: Identifies a file: device and inode.
FileIdentity = tuple[int, int]


class Database:
    """The engines of one file: the usual one, and one whose commits are synced to disk."""

    def __init__(self, path: Path, steps: Sequence[Sequence[str]], anew: Sequence[str] = ()) -> None:
        """Open or create the file and migrate it to the last step. Raise ConfigError.

        `anew`: additional steps for recreating a lost file while this process still has data from it.
        """
        self.path = path
        self._steps, self._anew = steps, anew
        self._engine = _engine(path, synchronous="NORMAL")
        self._synced = _engine(path, synchronous="FULL")
        self._reader = SnapshotReader(lambda: _reading(path))
        self._opening = Lock()
        self._turn = Lock()
        self._renewed: list[Callable[[], None]] = []
        self._rest_until = 0.0  # monotonic clock
        self._fault: type[StateError] = StateError
        try:
            with _alone(path):
                self._open()
        except OSError as error:
            raise ConfigError(f"state database {path}: {error.strerror}") from error
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise ConfigError(f"state database {path}: {faults.reason(error)}") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees a snapshot of the database. Raise StateError."""
        try:
            self._look()
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise faults.of_database(error) from error

    def rows(self, query: Prepared, **values: Any) -> list[Any]:
        """Return the rows of a prepared query, as tuples of its columns. Raise StateError."""
        self._look()
        try:
            return self._reader.rows(query, values)
        except sqlite3.Error as error:
            raise faults.of_database(error) from error

    @contextmanager
    def writing(self, synced: bool = False) -> Iterator[Connection]:
        """Yield the writing transaction, committed at the end; `synced`: on disk when this returns.

        Without `synced`, a crash of the machine (not of the gateway) may lose the last commits. After
        StateError nothing was written.
        """
        rests, minor = time.monotonic() < self._rest_until, faults.patience()
        if rests and minor is not None and minor < faults.BUSY_SECONDS:
            raise self._fault("state: it failed just now")
        patience = faults.OPTIONAL_SECONDS if rests else faults.BUSY_SECONDS if minor is None else minor
        with self._queued(patience) as patience:
            engine = self._synced if synced else self._engine
            try:
                self._look()
                leased = engine.connect().execution_options(**{_PATIENCE: patience})
                with leased as connection, connection.begin():
                    yield connection
            except SQLAlchemyError as error:
                raise self._remember(error) from error
            self._rest_until = 0.0

    @contextmanager
    def _queued(self, patience: float) -> Iterator[float]:
        """Wait for this process's other writers; yield the seconds of patience that are left. Raise StateLocked.

        SQLite itself only polls for the lock, and among many writers some never get it.
        """
        until = time.monotonic() + patience
        with computing.waiting():
            mine = self._turn.acquire(timeout=patience)
        if not mine:
            raise StateLocked("state: other writers of this process take too long")
        try:
            yield max(until - time.monotonic(), faults.OPTIONAL_SECONDS)
        finally:
            self._turn.release()

    def require_writable(self) -> None:
        """Raise StateError if nothing can be written, as far as that can be known in advance."""
        # Writing the same number again takes a page of space like any other write.
        with self.writing() as connection:
            connection.exec_driver_sql(f"PRAGMA user_version = {len(self._steps)}")

    def on_renewal(self, forget: Callable[[], None]) -> None:
        """Register a callback for when the opened file has been replaced."""
        self._renewed.append(forget)

    def close(self) -> None:
        """Close every connection."""
        self._reader.close()
        self._engine.dispose()
        self._synced.dispose()

    def _remember(self, error: SQLAlchemyError) -> StateError:
        """Record that nothing can be written for now, unless the write itself was at fault."""
        fault = faults.of_database(error)
        if isinstance(error, OperationalError):
            self._rest_until, self._fault = time.monotonic() + REST_SECONDS, type(fault)
        return fault

    # --- the file ---

    def _look(self) -> None:
        """Check that the file is the one that was opened, and open the current one if it is not."""
        if _identity(self.path) == self._opened:
            return
        with self._opening:
            if _identity(self.path) == self._opened:
                return
            log.error("state database %s: removed or replaced while it was open; opened anew", self.path.name)
            try:
                with _alone(self.path):
                    self._remove_rest()
                    self.close()
                    self._open(self._anew)
            except OSError as error:
                raise faults.of_system(error) from error
            except sqlite3.Error as error:
                raise faults.of_database(error) from error
            except ConfigError as error:
                raise StateError(error.detail) from error
            for forget in self._renewed:
                forget()

    def _open(self, anew: Sequence[str] = ()) -> None:
        _private(self.path)
        self._prepare(anew)
        self._opened = _identity(self.path)
        self._beside = {path: _identity(path) for path in _beside(self.path)}

    def _remove_rest(self) -> None:
        """Remove the log and index of a file that is gone: SQLite would take them for those of the new one.

        (sqlite.org/howtocorrupt.html §1.4, §2.4.) What another process has created since has other inodes.
        """
        gone = not self.path.exists()
        for path, known in self._beside.items():
            if gone or (known is not None and _identity(path) == known):
                with suppress(FileNotFoundError):
                    path.unlink()

    def _prepare(self, anew: Sequence[str]) -> None:
        """Migrate the file to the last step; an up-to-date one need not be writable."""
        raw = self._engine.raw_connection()
        try:
            if raw.cursor().execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
                raise ConfigError(f"state database {self.path}: its file system does not allow sharing (WAL)")
        finally:
            raw.close()
        with self._engine.connect() as connection:
            if self._version(connection) == len(self._steps):
                return
        leased = self._engine.connect().execution_options(**{_PATIENCE: faults.BUSY_SECONDS})
        with leased as connection, connection.begin():
            version = self._version(connection)
            made = [*(statement for step in self._steps[version:] for statement in step)]
            for statement in (*made, *(anew if version == 0 else ())):
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql(f"PRAGMA user_version = {len(self._steps)}")

    def _version(self, connection: Connection) -> int:
        """Return how many steps a file has had. Raise ConfigError for a file of another program."""
        version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        tables = int(connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one())
        require_known(self.path, version, len(self._steps), bool(tables))
        return version


def require_known(path: Path, version: int, latest: int, has_tables: bool) -> None:
    """Raise ConfigError for a file of another program, or of a version newer than the latest step."""
    if version > latest:
        raise ConfigError(f"state database {path}: written by a newer version of Pocketpost")
    if version == 0 and has_tables:
        raise ConfigError(f"state database {path}: not a database of Pocketpost")


def _engine(path: Path, synchronous: str) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": faults.BUSY_SECONDS},
        # As many connections as there are busy threads; five stay open between requests.
        pool_size=5,
        max_overflow=-1,
        # Parameters hold encrypted credentials and digests: they stay out of messages and logs.
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where sqlite3 guesses
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        patience = connection.get_execution_options().get(_PATIENCE)
        if patience is None:
            connection.exec_driver_sql("BEGIN")
            return
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(patience * 1000)}")
        with computing.waiting():  # for the writers of other processes
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _reading(path: Path) -> sqlite3.Connection:
    """Open a connection for single queries, each a transaction of its own; used by one thread at a time."""
    return sqlite3.connect(path, faults.BUSY_SECONDS, isolation_level=None, check_same_thread=False)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes out while the file is created: switching to WAL does not wait for a lock.

    The lock is on the folder: closing a second descriptor of a database file drops SQLite's locks on it
    (sqlite.org/howtocorrupt.html §2.2).
    """
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _private(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    except FileExistsError:
        for file in (path, *_beside(path)):
            if file.exists() and file.stat().st_mode & 0o077:
                file.chmod(FILE_MODE)


def _beside(path: Path) -> tuple[Path, Path]:
    """Return the paths of the log and its index."""
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def _identity(path: Path) -> FileIdentity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
