"""Faults of the database, and which of them a person need not notice.

Nothing here may know a table. An error of SQLite or of the operating system becomes one of four (`gateway.errors`),
each with a sentence. Writes inside `optional` may fail: they wait briefly, are not tried for a while after a failure,
and are only logged if they fail. Any other failed write is an error; nothing was done then. Codes:
sqlite.org/rescode.html.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from sqlalchemy.exc import DBAPIError

from gateway.errors import StateError, StateFull, StateLocked, StateReadOnly

log = logging.getLogger(__name__)

_SQLITE: Final[dict[int, type[StateError]]] = {
    sqlite3.SQLITE_FULL: StateFull,
    sqlite3.SQLITE_BUSY: StateLocked,
    sqlite3.SQLITE_LOCKED: StateLocked,
    sqlite3.SQLITE_READONLY: StateReadOnly,
    sqlite3.SQLITE_PERM: StateReadOnly,
}
_SYSTEM: Final[dict[int, type[StateError]]] = {
    errno.ENOSPC: StateFull,
    errno.EDQUOT: StateFull,
    errno.EROFS: StateReadOnly,
    errno.EACCES: StateReadOnly,
    errno.EPERM: StateReadOnly,
}
#: The first octet of a code is the primary result code (sqlite.org/rescode.html#extrc).
_KIND: Final = 0xFF
#: No room for the shared-memory index of the log: a full disk under another name.
_NO_SHARED_MEMORY: Final = sqlite3.SQLITE_IOERR_SHMSIZE

#: Seconds that a writer waits for another one; transactions take milliseconds. Optional writes wait less, as
#: does everything directly after a failure.
BUSY_SECONDS: Final = 5.0
OPTIONAL_SECONDS: Final = 0.25

_PATIENCE: Final[ContextVar[float | None]] = ContextVar("patience", default=None)


@contextmanager
def optional(what: str, seconds: float = OPTIONAL_SECONDS) -> Iterator[None]:
    """Continue without what cannot be written inside; `seconds`: the wait for another writer."""
    token = _PATIENCE.set(seconds)
    try:
        yield
    except StateError as error:
        log.warning("not kept: %s: %s: %s", what, type(error).__name__, error.detail)
    finally:
        _PATIENCE.reset(token)


def patience() -> float | None:
    """Return how many seconds a write may wait now; None for the default."""
    return _PATIENCE.get()


def of_system(error: OSError) -> StateError:
    """Map an error of the operating system on a file."""
    return _SYSTEM.get(error.errno or 0, StateError)(f"state: {error.strerror}")


def of_database(error: Exception) -> StateError:
    """Map an error of the database."""
    said = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(said, "sqlite_errorcode", 0)
    kind = StateFull if code == _NO_SHARED_MEMORY else _SQLITE.get(code & _KIND, StateError)
    return kind(f"state: {reason(error)}")


def reason(error: Exception) -> str:
    """Return the database's own message, which has no values; SQLAlchemy's has the statement too."""
    if isinstance(error, DBAPIError):
        return str(error.orig)
    return str(error) if isinstance(error, sqlite3.Error) else type(error).__name__
