"""The queries that the driver runs itself: what SQLAlchemy would find, in the current file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, MetaData, Table, func, select

from gateway.errors import StateError
from gateway.state import State
from gateway.state.people.device_settings import _MINE, SETTINGS
from gateway.state.people.memories import _READ, MEMORIES
from gateway.state.people.reading_positions import _BEGUN, READING
from gateway.state.people.session_rows import _LIVING, SESSIONS
from gateway.state.storage.prepared import Prepared, SnapshotReader

HOT = {
    "session": (_LIVING, SESSIONS, {"token": b"\x00d", "now": 5.0}),
    "settings": (_MINE, SETTINGS, {"account": 1, "device": "é"}),
    "memory": (_READ, MEMORIES, {"account": 1, "kind": "k", "name": "é"}),
    "reading": (_BEGUN, READING, {"account": 1, "mailbox": 1, "least": 1, "most": 3}),
}


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.open(tmp_path / "state.sqlite")


def fill(state: State) -> None:
    """Write rows that the queries find, and rows that they do not."""
    with state.database.writing() as connection:
        for number, key in ((1, b"one"), (2, b"two")):
            connection.exec_driver_sql("INSERT INTO accounts (id, key) VALUES (?, ?)", (number, key))
        for number in (1, 2, 3, 4):
            account = 1 + number % 2
            values: dict[str, Any] = {
                "id": number, "digest": b"\x00" + b"abcd"[number - 1 : number], "account": account, "family": "f",
                "markup": "wml", "device": "x", "language": "en", "via": "url", "sealed": b"\xff\x00", "touched": 1.5,
                "expires": 9.0, "domain": "d", "begun": 0.5,
            }  # fmt: skip
            connection.execute(SESSIONS.insert().values(values))
            connection.execute(
                READING.insert().values(
                    account=account, mailbox=1, uid=number, position="2t-ü", page=2, at=1.0
                )
            )
        for account in (1, 2):
            for name in ("é", "e"):
                connection.execute(
                    SETTINGS.insert().values(account=account, device=name, key="ké", value="vü")
                )
                connection.execute(
                    MEMORIES.insert().values(account=account, kind="k", name=name, sealed=b"\x00\xff", at=1.0)
                )


@pytest.mark.parametrize("name", HOT)
def test_the_driver_finds_what_sqlalchemy_finds(state: State, name: str) -> None:
    fill(state)
    query, _table, values = HOT[name]
    with state.database.reading() as connection:
        expected = [tuple(row) for row in connection.execute(query.select, values)]
    found = state.database.rows(query, **values)
    assert found == expected
    assert found, "the query found nothing, and so was not tested"
    assert not state.database.rows(query, **{key: _other(value) for key, value in values.items()})


def _other(value: object) -> object:
    return b"?" if isinstance(value, bytes) else "?" if isinstance(value, str) else 99


def test_what_needs_conversion_is_not_prepared() -> None:
    table = Table("prepared_test", MetaData(), Column("told", Boolean))
    with pytest.raises(TypeError):
        Prepared(select(table.c.told))
    with pytest.raises(TypeError):
        Prepared(select(func.now()))


def test_connections_are_used_again_and_a_failed_one_is_not(tmp_path: Path) -> None:
    made: list[sqlite3.Connection] = []

    def connect() -> sqlite3.Connection:
        made.append(sqlite3.connect(tmp_path / "x", check_same_thread=False))
        return made[-1]

    reader, query = SnapshotReader(connect), Prepared(select(SETTINGS.c.key))
    with pytest.raises(sqlite3.Error):
        reader.rows(query, {})
    made[0].close()
    setup = sqlite3.connect(tmp_path / "x")
    setup.execute("CREATE TABLE settings (key TEXT)")
    assert reader.rows(query, {}) == reader.rows(query, {}) == []
    assert len(made) == 2
    reader.close()
    with pytest.raises(sqlite3.ProgrammingError):
        made[1].execute("SELECT 1")
    setup.close()


def test_a_replaced_file_is_noticed_and_a_broken_one_is_an_error(state: State) -> None:
    fill(state)
    query, _table, values = HOT["settings"]
    assert state.database.rows(query, **values)
    state.database.path.unlink()
    assert state.database.rows(query, **values) == []
    state.database.close()
    state.database.path.write_bytes(b"no database" * 1000)
    state.database._opened = None
    with pytest.raises(StateError):
        state.database.rows(query, **values)
