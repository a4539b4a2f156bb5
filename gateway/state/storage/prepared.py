"""Queries that every page makes, built once and run directly by the driver.

Nothing here may write. SQLAlchemy builds each query for the database's dialect; running it takes 3 µs by the driver, 69
by SQLAlchemy. That is allowed only if values need no conversion, which is checked.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Float, Integer, LargeBinary, Select, String
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import NullType

#: Types whose values the driver takes and returns as they are; NullType is that of a foreign key, which here is a
#: number.
_PLAIN: Final = (Integer, Float, String, LargeBinary, NullType)
#: Connections that stay open between requests.
_KEPT: Final = 5


class Prepared:
    """A query with parameters, compiled for the driver."""

    __slots__ = ("names", "select", "sql")

    def __init__(self, query: Select[Any]) -> None:
        """Raise TypeError for a query whose values need conversion."""
        compiled = query.compile(dialect=sqlite.dialect())
        types = [column.type for column in query.selected_columns]
        types += [bind.type for bind in compiled.binds.values()]
        if not all(type(each) in _PLAIN for each in types):
            raise TypeError(f"values need conversion: {types}")
        self.select = query
        self.sql = str(compiled)
        self.names = tuple(compiled.positiontup or ())


class SnapshotReader:
    """Runs prepared queries on a few connections of its own; thread-safe. Each sees one snapshot."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._idle: deque[sqlite3.Connection] = deque()

    def rows(self, query: Prepared, values: dict[str, Any]) -> list[Any]:
        """Return all rows of a query, as tuples. Raise sqlite3.Error."""
        idle = self._idle
        try:
            connection = idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            found = connection.execute(query.sql, [values[name] for name in query.names]).fetchall()
        except BaseException:
            connection.close()
            raise
        if len(idle) < _KEPT and idle is self._idle:
            idle.append(connection)
        else:
            connection.close()
        return found

    def close(self) -> None:
        """Close all idle connections; those in use are closed after use."""
        idle, self._idle = self._idle, deque()
        while idle:
            idle.pop().close()
