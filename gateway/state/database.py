"""One SQLite file, shared by every process and thread of the gateway.

Nothing else may make an engine or a transaction, and nothing here may know a table. Open it after a fork,
once in each process. A writing transaction takes the lock as it begins (BEGIN IMMEDIATE): what it reads
cannot change before it writes. WAL (sqlite.org/wal.html): readers and the writer never wait for each other.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.errors import ConfigError, GatewayError

BUSY_SECONDS = 10.0  # seconds a writer waits for another one; a transaction here takes milliseconds
FILE_MODE = 0o600

_WRITES = {"pocketpost_writes": True}


class StateError(GatewayError):
    """The gateway's own database could not do its part: full disk, lost file, locked for too long."""


class Database:
    """The engines of one file: the usual one, and one whose commits reach the disk before they return."""

    def __init__(self, path: Path, steps: Sequence[Sequence[str]]) -> None:
        """Open or create the file and bring it up to the last step. Raise ConfigError."""
        self.path = path
        self._engine = _engine(path, synchronous="NORMAL")
        self._synced = _engine(path, synchronous="FULL")
        try:
            with _alone(path):
                _private(path)
                self._prepare(path, steps)
        except OSError as error:
            raise ConfigError(f"state database {path}: {error.strerror}") from error
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise ConfigError(f"state database {path}: {_reason(error)}") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection that sees one moment of the database."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StateError(f"state: {_reason(error)}") from error

    @contextmanager
    def writing(self, synced: bool = False) -> Iterator[Connection]:
        """Lend the one writing transaction, committed at the end; `synced`: on the disk when this returns.

        Without `synced` a crash of the machine (never of the gateway alone) may lose the last commits.
        """
        engine = self._synced if synced else self._engine
        try:
            with engine.connect().execution_options(**_WRITES) as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            raise StateError(f"state: {_reason(error)}") from error

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()
        self._synced.dispose()

    def _prepare(self, path: Path, steps: Sequence[Sequence[str]]) -> None:
        raw = self._engine.raw_connection()
        try:
            if raw.cursor().execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
                raise ConfigError(f"state database {path}: its file system does not allow sharing (WAL)")
        finally:
            raw.close()
        with self._engine.connect().execution_options(**_WRITES) as connection, connection.begin():
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            tables = int(connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one())
            if version > len(steps):
                raise ConfigError(f"state database {path}: written by a newer version of Pocketpost")
            if version == 0 and tables:
                raise ConfigError(f"state database {path}: not a database of Pocketpost")
            for step in steps[version:]:
                for statement in step:
                    connection.exec_driver_sql(statement)
            connection.exec_driver_sql(f"PRAGMA user_version = {len(steps)}")


def _engine(path: Path, synchronous: str) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        # As many connections as there are busy threads; five stay open between requests.
        pool_size=5,
        max_overflow=-1,
        # Parameters hold sealed credentials and digests: they stay out of messages and logs.
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where sqlite3 guesses
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("pocketpost_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold other processes off while the file is made: switching to WAL does not wait for a lock by itself.

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
        for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            if file.exists() and file.stat().st_mode & 0o077:
                file.chmod(FILE_MODE)


def _reason(error: Exception) -> str:
    """Name the database's own words, which hold no values; SQLAlchemy's hold the statement too."""
    if isinstance(error, DBAPIError):
        return str(error.orig)
    return str(error) if isinstance(error, sqlite3.Error) else type(error).__name__
