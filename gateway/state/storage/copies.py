"""Copies of the database: taken while the gateway is running, and examined before they are put in its place.

Nothing here may write to the file that it copies or examines. SQLite's online backup (sqlite.org/backup.html) reads one
state of the database in one step, whatever is written in the meantime.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from gateway.errors import ConfigError
from gateway.state.storage.database import FILE_MODE, require_known
from gateway.state.storage.migrations import STEPS

#: Seconds to wait for a lock: only a process that closes the last connection locks readers out.
PATIENCE_SECONDS: Final = 10.0
#: How the names of SQLite's log and of its index end.
LOGS: Final = ("-wal", "-shm")
_COUNTS: Final = {"accounts": "SELECT count(*) FROM accounts", "sessions": "SELECT count(*) FROM sessions"}


def copy(source: Path, target: Path) -> None:
    """Copy a database, in use or not, to a file that does not exist yet, mode 0600 and on disk. Raise ConfigError."""
    with _translated(source):
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
        with closing(_opened(source, "mode=rw")) as reader, closing(sqlite3.connect(target)) as writer:
            reader.backup(writer)
            writer.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def examine(path: Path) -> dict[str, int]:
    """Return how many accounts and sessions a copy has, and its version. Raise ConfigError.

    It is refused if it is damaged, not ours, or written by a newer version of this program; or if SQLite's log is
    beside it, since then the file alone is not the whole database.
    """
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise ConfigError(f"{path}: copied from a running gateway without its log; use `pocketpost backup`")
    with _translated(path), closing(_opened(path, "mode=ro&immutable=1")) as reader:
        version = int(reader.execute("PRAGMA user_version").fetchone()[0])
        tables = {name for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        require_known(path, version, len(STEPS), bool(tables))
        if not version:
            raise ConfigError(f"{path}: empty, so it is not a backup")
        faults = [str(row[0]) for row in reader.execute("PRAGMA integrity_check(1)") if row[0] != "ok"]
        faults += [
            f"a row of {row[0]} without its owner" for row in reader.execute("PRAGMA foreign_key_check")
        ]
        if faults:
            raise ConfigError(f"{path}: damaged: {faults[0]}")
        counts = {name: int(reader.execute(query).fetchone()[0]) for name, query in _COUNTS.items()}
    return {**counts, "version": version}


def newest_memories(path: Path, most: int = 20) -> list[tuple[int, str, str, bytes]]:
    """Return account, kind, name and encrypted value of what was stored last in a copy. Raise ConfigError."""
    query = "SELECT account, kind, name, sealed FROM memories ORDER BY at DESC LIMIT ?"
    with _translated(path), closing(_opened(path, "mode=ro&immutable=1")) as reader:
        return reader.execute(query, (most,)).fetchall()


def is_in_use(path: Path) -> bool:
    """Return whether another program has a database open; if not, merge its log into it. Raise ConfigError."""
    with _translated(path), closing(_opened(path, "mode=rw")) as connection:
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            # Leaving WAL takes the only connection there is (sqlite.org/wal.html).
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            return str(mode) != "delete"
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return True


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{error.filename or path}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise ConfigError(f"{path}: {error}") from error


def _opened(path: Path, how: str) -> sqlite3.Connection:
    path.stat()  # whose error names the file, unlike SQLite's
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=PATIENCE_SECONDS)
