"""state: what is remembered stays remembered, once, whoever asks at the same time."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from gateway.errors import ConfigError, SessionEnded, StateLocked
from gateway.state import Claim, JournalRow, SessionRow, Stage, State, StateError, TrySubject, optional
from gateway.state.people import mailbox_numbers as mailboxes_module
from gateway.state.storage import faults as faults_module
from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA
from gateway.state.storage.migrations import STEPS
from tests import PATIENCE

NOW = 1_000_000.0


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State.open(tmp_path / "state.sqlite") as opened:
        yield opened


def row(state: State, number: int = 7, **changes: object) -> SessionRow:
    """Make a session row whose account exists."""
    plain = SessionRow(
        id=number,
        digest=b"digest %d" % number,
        account=state.accounts.id_for(b"anna"),
        family="nokia7110",
        markup="wml",
        device="nokia7110",
        language="en",
        via="url",
        sealed=b"sealed",
        touched=NOW,
        expires=NOW + 600,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


# The file


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with State.open(tmp_path / "state.sqlite") as state:
            state.accounts.id_for(b"anna")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"state.sqlite": 0o600, "state.sqlite-wal": 0o600, "state.sqlite-shm": 0o600}


def test_a_file_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    State.open(path).close()
    path.chmod(0o644)
    State.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_connections_are_set_up(state: State) -> None:
    for lend, synchronous in ((state.database.writing, 1), (lambda: state.database.writing(synced=True), 2)):
        with lend() as connection:
            said = [
                connection.execute(text(f"PRAGMA {name}")).scalar()
                for name in ("synchronous", "foreign_keys")
            ]
            assert said == [synchronous, 1]
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


def test_what_is_remembered_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with State.open(path) as state:
        kept = row(state)
        state.sessions.create(kept)
        number = state.mailboxes.number(kept.account, "INBOX", 3)
    with State.open(path) as state:
        assert state.sessions.get(kept.digest, NOW) == kept
        assert state.mailboxes.lookup(kept.account, number) == ("INBOX", 3)


def test_the_tables_are_those_of_the_migrations(state: State) -> None:
    with state.database.reading() as connection:
        found = inspect(connection)
        assert set(found.get_table_names()) - {"sqlite_sequence"} == set(METADATA.tables)
        for name, table in METADATA.tables.items():
            columns = {column["name"]: str(column["type"]) for column in found.get_columns(name)}
            kinds = {"VARCHAR": "TEXT", "FLOAT": "REAL"}
            assert columns == {
                column.name: kinds.get(str(column.type.compile()), str(column.type.compile()))
                for column in table.columns
            }
            assert found.get_pk_constraint(name)["constrained_columns"] == [
                column.name for column in table.primary_key
            ]


def test_what_was_sent_before_anybody_kept_what_was_posted_is_still_known(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    before = Database(path, STEPS[:6])
    with before.writing() as connection:
        connection.execute(text("INSERT INTO accounts (id, key) VALUES (1, x'01')"))
        connection.execute(text("INSERT INTO journal VALUES (1, x'02', NULL, 'done', 1, 7.0, x'03')"))
    before.close()
    with State.open(path) as state:
        assert state.journal.of(1, b"\2") == (JournalRow(b"\2", b"", Stage.DONE, True, 7.0, b"\3"),)


# When it cannot be written


def test_a_lock_that_lasts_keeps_nobody_from_opening_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with State.open(path) as state:
        kept = row(state)
        state.sessions.create(kept)
        number = state.mailboxes.number(kept.account, "INBOX", 3)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with State.open(path) as state:
            assert state.sessions.get(kept.digest, NOW) == kept
            assert state.mailboxes.number(kept.account, "INBOX", 3) == number
            lent = state.mailboxes.number(kept.account, "Archive", 3)
            assert lent >= mailboxes_module.FIRST_TEMPORARY
            assert state.mailboxes.number(kept.account, "Archive", 3) == lent
            assert state.mailboxes.lookup(kept.account, lent) == ("Archive", 3)
            other.execute("ROLLBACK")
            state.sessions.touch(kept, NOW + 600, NOW + 1200)  # which ends the pause
            assert state.mailboxes.number(kept.account, "Archive", 3) == number + 1
            assert state.mailboxes.lookup(kept.account, lent) == ("Archive", 3)


def test_what_is_needed_is_tried_and_what_is_not_needed_is_left_alone(
    state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(faults_module, "BUSY_SECONDS", 0.5)
    done: list[str] = []

    def write(what: str) -> None:
        with state.database.writing():
            done.append(what)

    with closing(sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateLocked):
            write("needed")
        with optional("a trifle"):
            write("a trifle")
        other.execute("ROLLBACK")
        with optional("a trifle"):  # it failed just now
            write("a trifle")
        assert done == []
        write("needed")
        with optional("a trifle"):
            write("a trifle")
    assert done == ["needed", "a trifle"]


def test_writers_of_one_process_wait_in_a_queue_and_not_at_the_file(state: State) -> None:
    engine = state.database._engine
    done = threading.Event()

    def write() -> None:
        with state.database.writing():
            done.set()

    with state.database.writing():
        other = threading.Thread(target=write)
        other.start()
        assert not done.wait(0.3)
        # A waiting thread has no connection yet: SQLite's way of waiting has no order, and lets some wait forever.
        assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
        with pytest.raises(StateLocked):
            hurried(state)
    other.join(PATIENCE)
    assert done.is_set()


def hurried(state: State) -> None:
    """Write something that may not wait long."""
    token = faults_module._PATIENCE.set(0.05)
    try:
        with state.database.writing():
            raise AssertionError("two wrote at a time")
    finally:
        faults_module._PATIENCE.reset(token)


def test_an_error_of_ours_is_no_trifle(state: State) -> None:
    def wrong() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), optional("a trifle"):
        wrong()


def test_no_number_of_a_lost_file_is_given_again(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with State.open(path) as state, State.open(path) as elsewhere:
        before = state.accounts.id_for(b"anna"), state.accounts.id_for(b"bob")
        number = elsewhere.mailboxes.number(before[0], "INBOX", 3)
        path.unlink()
        after = {opened.accounts.id_for(b"carl") for opened in (state, elsewhere)}
        assert len(after) == 1
        assert not after & set(before)
        # What was remembered in the process is forgotten.
        assert elsewhere.mailboxes.lookup(before[0], number) is None
        assert elsewhere.accounts.id_for(b"dora") == state.accounts.id_for(b"dora")


def test_a_file_in_the_place_of_the_first_one_is_opened(tmp_path: Path) -> None:
    path, backup = tmp_path / "state.sqlite", tmp_path / "backup.sqlite"
    with State.open(path) as state:
        first = state.accounts.id_for(b"anna")
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
            source.backup(target)
        state.accounts.id_for(b"bob")
        backup.replace(path)
        assert state.accounts.id_for(b"anna") == first
        with state.database.reading() as connection:
            assert connection.execute(text("SELECT count(*) FROM accounts")).scalar() == 1
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def test_what_is_no_database_any_more_is_an_error_with_a_sentence(state: State, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"nothing of ours" * 1000)
    other.replace(tmp_path / "state.sqlite")
    with pytest.raises(StateError):
        state.accounts.id_for(b"anna")


# Steps


def test_a_later_step_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with State.open(path) as state:
        state.accounts.id_for(b"anna")
    later = Database(path, (*STEPS, ("ALTER TABLE accounts ADD COLUMN name TEXT",)))
    with later.reading() as connection:
        assert connection.execute(text("SELECT id, key, name FROM accounts")).all() == [(1, b"anna", None)]
    later.close()
    with pytest.raises(ConfigError, match="written by a newer version"):
        State.open(path)


def test_a_step_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    State.open(path).close()
    with pytest.raises(ConfigError, match="no such table: nowhere"):
        Database(path, (*STEPS, ("CREATE TABLE half (id INTEGER)", "DROP TABLE nowhere")))
    with State.open(path) as state, state.database.reading() as connection:
        assert "half" not in inspect(connection).get_table_names()


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.sqlite"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(ConfigError, match="not a database of Pocketpost"):
        State.open(foreign)
    noise = tmp_path / "noise"
    noise.write_bytes(b"no database at all" * 100)
    with pytest.raises(ConfigError, match="file is not a database"):
        State.open(noise)
    with pytest.raises(ConfigError, match="No such file"):
        State.open(tmp_path / "nowhere" / "state.sqlite")


def test_errors_of_the_database_are_ours_and_show_no_values(state: State) -> None:
    kept = row(state, device="very sealed")
    state.sessions.create(kept)
    with pytest.raises(StateError) as caught:
        state.sessions.create(kept)
    assert "very sealed" not in str(caught.value)
    assert "very sealed" not in str(caught.value.__cause__)


def test_a_failed_writing_is_undone(state: State) -> None:
    def half() -> None:
        with state.database.writing() as connection:
            connection.execute(text("INSERT INTO accounts (key) VALUES ('x')"))
            raise KeyError

    with pytest.raises(KeyError):
        half()
    with state.database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM accounts")).scalar() == 0


# Sessions and accounts


def test_an_account_has_one_number(state: State) -> None:
    assert state.accounts.id_for(b"anna") == state.accounts.id_for(b"anna") != state.accounts.id_for(b"ben")


def test_a_session_is_found_until_it_expires(state: State) -> None:
    kept = row(state, id=2**63 - 1)
    state.sessions.create(kept)
    assert state.sessions.get(kept.digest, NOW + 599) == kept
    assert state.sessions.get(kept.digest, NOW + 600) is None
    assert state.sessions.get(b"other", NOW) is None


def test_the_sessions_of_some_domains_are_counted_and_ended(state: State) -> None:
    other = state.accounts.id_for(b"bob")
    for number, more in enumerate(
        ({"domain": "a"}, {"domain": "a"}, {"domain": "b", "account": other}, {"domain": "c"}, {})
    ):
        state.sessions.create(row(state, number + 1, **more))
    counted = state.sessions.count_of
    assert counted({"a", "b"}, NOW) == (3, 2)
    assert counted({"a", "b"}, NOW, others=True) == (1, 1)  # nothing is reported about what is unknown
    assert counted({"a"}, NOW + 601) == (0, 0)
    assert counted((), NOW) == (0, 0)
    assert state.sessions.end_of({"a"}) == 2
    assert state.sessions.end_of({"b"}, others=True) == 1
    assert state.sessions.count(NOW) == 2
    assert state.sessions.account(b"digest 1", NOW + 1) == state.accounts.id_for(b"anna")


def test_touching_is_written_once_a_minute(state: State) -> None:
    state.sessions.create(row(state))

    def touch(now: float) -> SessionRow:
        found = state.sessions.get(b"digest 7", now)
        assert found
        state.sessions.touch(found, now, now + 600)
        again = state.sessions.get(b"digest 7", now)
        assert again
        return again

    assert touch(NOW + 59).expires == NOW + 600
    assert touch(NOW + 60).expires == NOW + 660
    assert touch(NOW + 100).touched == NOW + 60
    assert touch(NOW + 659).expires == NOW + 1259


def test_a_short_session_slides_too(state: State) -> None:
    found = row(state, expires=NOW + 60)
    state.sessions.create(found)
    for second in range(0, 600, 30):
        again = state.sessions.get(found.digest, NOW + second)
        assert again, second
        state.sessions.touch(again, NOW + second, NOW + second + 60)


def test_deleting_and_purging_take_the_tickets_along(state: State) -> None:
    for number, expires in ((1, NOW + 5), (2, NOW + 10), (3, NOW + 20)):
        state.sessions.create(row(state, number, expires=expires))
        state.tickets.claim(number, b"ticket", b"n", NOW)
    state.sessions.delete(3)
    state.sessions.delete(3)
    assert state.sessions.purge(NOW + 5) == 1
    with state.database.reading() as connection:
        assert connection.execute(text("SELECT session FROM tickets")).all() == [(2,)]
    assert state.sessions.get(b"digest 2", NOW + 5)


def test_a_session_shows_no_secret() -> None:
    shown = repr(SessionRow(1, b"digest", 1, "", "wml", "", "en", "url", b"sealed", 0.0, 0.0))
    assert "b'digest'" not in shown
    assert "b'sealed'" not in shown


# Mailboxes


def test_mailboxes_have_small_numbers_of_each_account(state: State) -> None:
    anna, ben = state.accounts.id_for(b"anna"), state.accounts.id_for(b"ben")
    assert [state.mailboxes.number(anna, name, 1) for name in ("INBOX", "Räume", "INBOX")] == [1, 2, 1]
    assert state.mailboxes.number(anna, "INBOX", 2) == 3
    assert state.mailboxes.number(ben, "Sent", 4_294_967_295) == 1
    assert state.mailboxes.lookup(ben, 1) == ("Sent", 4_294_967_295)
    assert state.mailboxes.lookup(ben, 2) is None


@pytest.mark.parametrize("number", [0, -1, 99, 2**63, 10**40])
def test_any_number_may_be_asked_for(state: State, number: int) -> None:
    assert state.mailboxes.lookup(state.accounts.id_for(b"anna"), number) is None


@pytest.mark.parametrize("name", ["", "a\0b", "half \ud800", "☃" * 500])
def test_any_name_may_be_numbered(tmp_path: Path, name: str) -> None:
    path = tmp_path / "state.sqlite"
    with State.open(path) as first, State.open(path) as second:
        account = first.accounts.id_for(b"anna")
        assert second.mailboxes.lookup(account, first.mailboxes.number(account, name, 1)) == (name, 1)


def test_a_number_is_never_given_twice(state: State) -> None:
    account = state.accounts.id_for(b"anna")
    first = state.mailboxes.number(account, "INBOX", 1)
    numbers = [state.mailboxes.number(account, "Restless", validity) for validity in range(1, 31)]
    assert numbers == list(range(2, 32))
    with state.database.reading() as connection:
        kept = connection.execute(text("SELECT number FROM mailboxes")).scalars().all()
    assert kept == [first, *range(24, 32)]


def test_the_cache_is_bounded_and_asks_nothing_twice(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes_module, "CACHED", 3)
    account = state.accounts.id_for(b"anna")
    for name in "abcdef":
        state.mailboxes.number(account, name, 1)
    assert [len(cache) for cache in (state.mailboxes._numbers, state.mailboxes._places)] == [3, 3]
    assert [state.mailboxes.number(account, name, 1) for name in "abcdef"] == [1, 2, 3, 4, 5, 6]
    state.database.close()
    monkeypatch.setattr(Database, "reading", None)
    assert state.mailboxes.lookup(account, 6) == ("f", 1)
    assert state.mailboxes.number(account, "f", 1) == 6


def test_another_process_may_number_a_mailbox_first(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = state.accounts.id_for(b"anna")
    find, raced = mailboxes_module._find, []

    def overtaken(connection: Connection, *key: Any) -> int | None:
        found = find(connection, *key)
        if not raced:
            raced.append(True)
            raced.append(other.mailboxes.number(account, "INBOX", 1))
        return found

    monkeypatch.setattr(mailboxes_module, "_find", overtaken)
    with State.open(tmp_path / "state.sqlite") as other:
        assert [state.mailboxes.number(account, "INBOX", 1)] == raced[1:] == [1]


# Tickets


def test_a_ticket_is_fresh_once_and_then_tells_its_outcome(state: State) -> None:
    state.sessions.create(row(state))
    assert state.tickets.claim(7, b"ticket", b"nonce", NOW) == Claim(True, NOW)
    assert state.tickets.claim(7, b"ticket", b"nonce", NOW + 5) == Claim(False, NOW, None)
    state.tickets.settle(7, b"nonce", {"said": "Sent."}, synced=True)
    state.tickets.settle(7, b"nonce", {"said": "twice"})
    assert state.tickets.claim(7, b"ticket", b"nonce", NOW + 9) == Claim(False, NOW, {"said": "Sent."})
    assert state.tickets.claim(7, b"ticket", b"other", NOW).fresh


def test_tickets_are_each_sessions_own(state: State) -> None:
    for number in (1, 2):
        state.sessions.create(row(state, number))
        assert state.tickets.claim(number, b"ticket", b"nonce", NOW).fresh
    state.tickets.settle(1, b"nonce", {"of": "1"})
    assert state.tickets.claim(2, b"ticket", b"nonce", NOW).outcome is None


def test_an_empty_outcome_is_an_outcome(state: State) -> None:
    state.sessions.create(row(state))
    state.tickets.claim(7, b"ticket", b"nonce", NOW)
    state.tickets.settle(7, b"nonce", {})
    assert state.tickets.claim(7, b"ticket", b"nonce", NOW).outcome == {}


def test_what_came_to_nothing_is_fresh_again_and_what_has_an_outcome_is_not(state: State) -> None:
    state.sessions.create(row(state))
    state.tickets.claim(7, b"ticket", b"act", NOW)
    state.tickets.release(7, b"act")
    assert state.tickets.claim(7, b"ticket", b"act", NOW + 1).fresh
    state.tickets.settle(7, b"act", {"said": "Sent."})
    state.tickets.release(7, b"act")
    assert state.tickets.claim(7, b"ticket", b"act", NOW + 2) == Claim(False, NOW + 1, {"said": "Sent."})


def test_an_outcome_is_found_by_its_act_and_the_newest_by_its_ticket(state: State) -> None:
    state.sessions.create(row(state))
    assert state.tickets.outcome(7, b"one") is None
    for second, act in enumerate((b"one", b"two", b"three")):
        state.tickets.claim(7, b"ticket", act, NOW + second)
    assert state.tickets.outcome(7, b"one") == {}
    assert state.tickets.last(7, b"ticket") == {}
    state.tickets.settle(7, b"two", {"of": "2"})
    state.tickets.settle(7, b"one", {"of": "1"})
    assert state.tickets.outcome(7, b"one") == {"of": "1"}
    assert state.tickets.last(7, b"ticket") == {"of": "2"}
    assert state.tickets.last(7, b"another") == {}


def test_a_ticket_of_a_session_that_is_gone_does_nothing(state: State) -> None:
    with pytest.raises(SessionEnded):
        state.tickets.claim(7, b"ticket", b"nonce", NOW)
    state.tickets.settle(7, b"nonce", {"said": "late"})


def test_of_many_threads_one_claims(state: State) -> None:
    state.sessions.create(row(state))
    start = threading.Barrier(16)

    def claims(_: int) -> list[bool]:
        start.wait()
        return [state.tickets.claim(7, b"ticket", b"nonce %d" % number, NOW).fresh for number in range(25)]

    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(claims, range(16)))
    assert [sum(fresh) for fresh in zip(*results, strict=True)] == [1] * 25


CHILD = """
import sys
from pathlib import Path
from gateway.state import State

state = State.open(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(200):
    fresh = state.tickets.claim(7, b"ticket", b"nonce %d" % number, 0.0).fresh
    print("fresh" if fresh else "stale", state.mailboxes.number(1, f"box {number}", 1))
state.close()
"""


def run_twice(path: Path, ready: Callable[[], None]) -> list[list[str]]:
    """Run two processes that begin together, and return the lines of each."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    ready()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    lines = [child.communicate(timeout=PATIENCE)[0].splitlines() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    return lines


def test_of_two_processes_one_claims(tmp_path: Path) -> None:
    """Both also make the file at the same moment, and compete for mailbox numbers."""
    path = tmp_path / "state.sqlite"

    def ready() -> None:
        with State.open(path) as state:
            state.sessions.create(row(state))

    first, second = (
        list(zip(*(line.split() for line in lines), strict=True)) for lines in run_twice(path, ready)
    )
    assert all({one, other} == {"fresh", "stale"} for one, other in zip(first[0], second[0], strict=True))
    assert first[1] == second[1]
    assert sorted(map(int, first[1])) == list(range(1, 201))


# Tries


def whose(*keys: bytes) -> dict[bytes, TrySubject]:
    return dict.fromkeys(keys, TrySubject())


def test_tries_are_kept_until_they_are_forgotten(state: State) -> None:
    assert state.tries.get([b"a", b"b"]) == {b"a": None, b"b": None}
    state.tries.change(whose(b"a"), lambda kept: {b"a": "1"}, NOW)
    state.tries.change(whose(b"b"), lambda kept: {b"b": "2"}, NOW + 1)
    seen: list[object] = []

    def look(kept: Mapping[bytes, str | None]) -> Mapping[bytes, str | None]:
        seen.append(kept)
        return kept

    state.tries.change(whose(b"a", b"b", b"c"), look, NOW + 9)
    assert seen == [{b"a": "1", b"b": "2", b"c": None}]
    state.tries.purge(NOW + 1)  # what was only read has not changed
    assert state.tries.get([b"a", b"b"]) == {b"a": None, b"b": "2"}
    state.tries.change(whose(b"b"), lambda kept: {b"b": None}, NOW)
    assert state.tries.get([b"b"]) == {b"b": None}


def test_no_failure_is_lost_between_threads(state: State) -> None:
    def add(kept: Mapping[bytes, str | None]) -> Mapping[bytes, str | None]:
        return {b"a": str(int(kept[b"a"] or 0) + 1)}

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: state.tries.change(whose(b"a"), add, NOW), range(80)))
    assert state.tries.get([b"a"]) == {b"a": "80"}
