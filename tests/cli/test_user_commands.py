"""`pocketpost user`, `sessions`, `admin audit`, `backup` and `restore`: what each does and prints."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from gateway import cli
from gateway.access.log_context import account_hash
from gateway.access.session import Session
from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.records.backup import SECRET, STATE
from gateway.config import load
from gateway.errors import AccountLocked
from gateway.sealed import vault
from gateway.sealed.vault import TicketedPost
from gateway.state import State
from gateway.state.storage.migrations import STEPS
from tests import PATIENCE
from tests.admin.conftest import FILE
from tests.admin.signed_in import is_out, sign_in
from tests.devices.phones import WmlPhone, over_http
from tests.servers.dovecot import Dovecot
from tests.servers.gateway import GatewayServer
from tests.servers.smtp import SmtpServer

ANNA, BEN = "anna@example.org", "ben@example.org"


@pytest.fixture
def process(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A running gateway; its file is `pocketpost.toml`."""
    file = tmp_path / "pocketpost.toml"
    file.write_text(FILE)
    made = GatewayProcess(load(file), file)
    yield made
    made.close()


def run(process: GatewayProcess, *arguments: str, typed: str = "", fails: int = 0) -> Result:
    """Run a command with the gateway's file."""
    parts = 2 if arguments[0] in ("user", "sessions", "admin") else 1
    said = CliRunner().invoke(
        cli.main, [*arguments[:parts], "--config", str(process.file), *arguments[parts:]], input=typed
    )
    assert said.exit_code == fails, said.output
    assert "Traceback" not in said.output
    return said


def as_json(process: GatewayProcess, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(process, *arguments, "--json").stdout)
    return found


def audit(process: GatewayProcess) -> list[tuple[str, str]]:
    return [(row["from"], row["what"]) for row in as_json(process, "admin", "audit")]


def hash_of(process: GatewayProcess, account: int) -> str:
    return account_hash(process.state.accounts.keys([account])[account])


# --- people and sessions


class Resting:
    """A connection to a mail server that reports when it is closed."""

    broken = False

    def __init__(self) -> None:
        self.closed = Event()

    def is_usable(self, idle: float) -> bool:
        return True

    def close(self) -> None:
        self.closed.set()


def test_the_running_gateway_closes_the_connections_of_a_session_that_the_shell_ends(
    process: GatewayProcess,
) -> None:
    anna, ben = sign_in(process, ANNA), sign_in(process, BEN)
    with process.pool.lease(vault.digest(anna.token), Resting) as ended:
        pass
    with process.pool.lease(vault.digest(ben.token), Resting) as living:
        pass
    run(process, "sessions", "end", str(anna.id))
    assert ended.closed.wait(PATIENCE)
    assert not living.closed.is_set()


def test_accounts_and_sessions_are_listed(process: GatewayProcess) -> None:
    anna, ben = sign_in(process, ANNA), sign_in(process, BEN)
    table = run(process, "user", "list").stdout.splitlines()
    assert table[0].split() == ["account", "address", "sessions", "last", "use", "locked", "since"]
    assert {line.split()[0] for line in table[1:]} == {hash_of(process, one.account) for one in (anna, ben)}
    rows = as_json(process, "sessions", "list")
    assert {row["session"] for row in rows} == {anna.id, ben.id}
    assert {row["device"] for row in rows} == {"nokia7110"}
    assert all(row["begun"] and row["last_use"] for row in rows)
    assert ANNA not in run(process, "user", "list").output
    ben.close()
    assert len(as_json(process, "user", "list", "--signed-in")) == 1


def test_sessions_alone_lists_them(process: GatewayProcess) -> None:
    anna = sign_in(process, ANNA)
    said = CliRunner().invoke(cli.main, ["sessions", "--config", str(process.file), "--json"])
    assert [row["session"] for row in json.loads(said.stdout)] == [anna.id]
    assert CliRunner().invoke(cli.main, ["sessions"]).exit_code == 2


def test_addresses_are_listed_where_they_are_switched_on(process: GatewayProcess) -> None:
    assert process.file is not None
    process.file.write_text(FILE + "[admin]\nshow_addresses = true\n")
    process.reload()
    sign_in(process, ANNA)
    assert [row["address"] for row in as_json(process, "user", "list")] == [ANNA]
    process.file.write_text(FILE)
    assert [row["address"] for row in as_json(process, "user", "list")] == [None]


def test_a_session_and_all_of_an_account_and_all_end(process: GatewayProcess) -> None:
    first, second, ben = sign_in(process, ANNA), sign_in(process, ANNA), sign_in(process, BEN)
    run(process, "sessions", "end", str(first.id))
    assert [is_out(process, one) for one in (first, second, ben)] == [True, False, False]
    assert "1 sessions ended" in run(process, "user", "end", ANNA).output
    assert [is_out(process, one) for one in (first, second, ben)] == [True, True, False]
    run(process, "sessions", "end", "--all")
    assert is_out(process, ben)
    run(process, "sessions", "end", str(first.id), fails=1)
    run(process, "sessions", "end", str(2**80), fails=1)
    run(process, "sessions", "end", fails=2)
    assert audit(process) == [
        ("shell", "sessions of everybody ended"), ("shell", "sessions ended"), ("shell", "session ended")
    ]  # fmt: skip


def test_locking_and_unlocking(process: GatewayProcess) -> None:
    anna = sign_in(process, ANNA)
    assert "locked, 1 sessions ended" in run(process, "user", "lock", "Anna@Example.org").output
    assert is_out(process, anna)
    with pytest.raises(AccountLocked):
        sign_in(process, ANNA)
    assert len(as_json(process, "user", "list", "--locked")) == 1
    run(process, "user", "unlock", hash_of(process, anna.account))
    sign_in(process, ANNA)
    run(process, "user", "lock", "new@example.org")
    with pytest.raises(AccountLocked):
        sign_in(process, "NEW@example.org")
    assert audit(process) == [
        ("shell", "account locked"),
        ("shell", "account unlocked"),
        ("shell", "account locked"),
    ]


def test_forgetting_asks_and_says_what_goes(process: GatewayProcess) -> None:
    anna = sign_in(process, ANNA)
    said = run(process, "user", "forget", ANNA, typed="n\n", fails=1)
    assert "Sessions: 1" in said.output
    assert not is_out(process, anna)
    run(process, "user", "forget", ANNA, typed="y\n")
    assert as_json(process, "user", "list") == []
    assert is_out(process, anna)
    sign_in(process, ANNA)
    run(process, "user", "forget", "--yes", ANNA)
    assert as_json(process, "user", "list") == []


@pytest.mark.parametrize("who", ["", "\r\n", "nobody@example.org", "x@elsewhere.test", "0" * 12, "a\0b@example.org",
                                 "@example.org", "a" * 300 + "@example.org", "\x1b[2J@example.org"])  # fmt: skip
def test_who_is_not_known_is_an_error_and_changes_nothing(process: GatewayProcess, who: str) -> None:
    anna = sign_in(process, ANNA)
    for command in ("end", "unlock", "forget"):
        said = run(process, "user", command, "--", who, fails=1)
        assert "\x1b" not in said.output
    assert not is_out(process, anna)
    assert audit(process) == []


def test_a_table_shows_no_escape_sequences(process: GatewayProcess) -> None:
    sign_in(process, ANNA, device="\x1b[2Jnokia\r\n")
    said = run(process, "sessions", "list").output
    assert "\x1b" not in said
    assert len(said.splitlines()) == 2


def test_no_command_makes_a_state_file(tmp_path: Path) -> None:
    file = tmp_path / "pocketpost.toml"
    file.write_text(FILE)
    for arguments in (
        ["user", "list"],
        ["sessions", "list"],
        ["admin", "audit"],
        ["backup", str(tmp_path / "b")],
    ):
        parts = 2 if len(arguments) == 2 and arguments[0] != "backup" else 1
        said = CliRunner().invoke(cli.main, [*arguments[:parts], "--config", str(file), *arguments[parts:]])
        assert said.exit_code == 1
        assert "there is none" in said.output
    assert [each.name for each in tmp_path.iterdir()] == ["pocketpost.toml"]


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, gateway.cli as cli\n"
        "for name in ('user', 'sessions', 'backup', 'restore', 'admin'): cli.main.get_command(None, name)\n"
        "print([name for name in ('sqlalchemy', 'flask', 'cryptography', 'lxml') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


# --- backup and restore


def other(tmp_path: Path, process: GatewayProcess) -> GatewayProcess:
    """Name a gateway elsewhere by its file; nothing of it is created."""
    assert process.file is not None
    folder = tmp_path / "elsewhere"
    folder.mkdir(exist_ok=True)
    shutil.copy(process.file, folder)
    made = object.__new__(GatewayProcess)
    made.file = folder / process.file.name
    return made


def test_a_backup_is_taken_while_somebody_writes_and_works_elsewhere(
    process: GatewayProcess, tmp_path: Path
) -> None:
    anna = sign_in(process, ANNA)
    anna.memory.put("profile", "", {"signature": "Anna"})
    said = run(process, "backup", str(tmp_path / "b")).output
    assert "1 accounts, 1 sessions" in said
    assert {each.name for each in (tmp_path / "b").iterdir()} == {STATE, SECRET}
    for each in (tmp_path / "b").iterdir():
        assert each.stat().st_mode & 0o077 == 0
    assert (tmp_path / "b").stat().st_mode & 0o077 == 0
    late = sign_in(process, BEN)
    elsewhere = other(tmp_path, process)
    said = run(elsewhere, "restore", str(tmp_path / "b")).output
    assert "restored, 1 accounts, 1 sessions" in said
    moved = GatewayProcess(load(elsewhere.file), elsewhere.file)  # type: ignore[arg-type]
    try:
        assert not is_out(moved, anna)
        assert is_out(moved, late)
        (found,) = (
            moved.app.extensions["pocketpost.sessions"]
            .resume(anna.token, None)
            .memory.all("profile")
            .values()
        )
        assert found == {"signature": "Anna"}
        assert [line.action for _, line in moved.state.administration.audit()] == ["restored"]
    finally:
        moved.close()
    assert audit(process)[0] == ("shell", "backup")


def test_state_and_secret_need_not_lie_together(process: GatewayProcess, tmp_path: Path) -> None:
    anna = sign_in(process, ANNA)
    safe = tmp_path / "safe.secret"
    run(process, "backup", "--secret", str(safe), str(tmp_path / "b"))
    assert [each.name for each in (tmp_path / "b").iterdir()] == [STATE]
    run(process, "backup", "--without-secret", str(tmp_path / "c"))
    assert [each.name for each in (tmp_path / "c").iterdir()] == [STATE]
    elsewhere = other(tmp_path, process)
    said = run(elsewhere, "restore", str(tmp_path / "b"), fails=1).output
    assert "server secret" in said
    assert [each.name for each in (tmp_path / "elsewhere").iterdir()] == ["pocketpost.toml"]
    run(elsewhere, "restore", "--secret", str(safe), str(tmp_path / "b"))
    moved = GatewayProcess(load(elsewhere.file), elsewhere.file)  # type: ignore[arg-type]
    try:
        assert not is_out(moved, anna)
    finally:
        moved.close()


def test_a_backup_overwrites_nothing(process: GatewayProcess, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in (STATE, SECRET):
        (tmp_path / "b" / name).write_text("mine")
        assert "exists" in run(process, "backup", str(tmp_path / "b"), fails=1).output
        assert [each.read_text() for each in (tmp_path / "b").iterdir()] == ["mine"]
        (tmp_path / "b" / name).unlink()


def test_restoring_puts_files_that_are_there_aside(process: GatewayProcess, tmp_path: Path) -> None:
    anna = sign_in(process, ANNA)
    run(process, "backup", str(tmp_path / "b"))
    assert "exists" in run(process, "restore", str(tmp_path / "b"), fails=1).output
    assert not is_out(process, anna)
    later = sign_in(process, BEN)
    process.close()
    process.state.close()
    said = run(process, "restore", "--replace", str(tmp_path / "b")).output
    assert said.count("put aside as") == 2
    aside = [each for each in tmp_path.iterdir() if ".before-" in each.name and "sqlite" in each.name]
    with State.open(aside[0]) as before:
        assert before.sessions.find(later.id) is not None
    again = GatewayProcess(load(process.file), process.file)  # type: ignore[arg-type]
    try:
        assert not is_out(again, anna)
        assert is_out(again, later)
    finally:
        again.close()


def stored(process: GatewayProcess, one: Session) -> dict[str, Any] | None:
    return process.app.extensions["pocketpost.sessions"].resume(one.token, None).memory.get("profile")


def test_a_running_gateway_gets_its_accounts_back(process: GatewayProcess, tmp_path: Path) -> None:
    """What was lost comes back, what people store is as it was; whoever came since stays, and nothing is sent twice."""
    anna, gone = sign_in(process, ANNA), sign_in(process, "carl@example.org")
    for one in (anna, gone):
        one.memory.put("profile", "", {"signature": "then"})
    number = process.state.mailboxes.number(anna.account, "INBOX", 7)
    run(process, "backup", str(tmp_path / "b"))
    run(process, "user", "forget", "carl@example.org", typed="y\n")
    anna.memory.put("profile", "", {"signature": "now"})
    post = TicketedPost("ticket", b"a" * 16)
    assert anna.journal.claim(anna.journal.new_entry(post, 1e9, False, ""))[0]
    other_number = process.state.mailboxes.number(anna.account, "Sent", 7)
    ben = sign_in(process, BEN)
    ben.memory.put("profile", "", {"signature": "Ben"})

    said = run(process, "restore", "--replace", str(tmp_path / "b")).output

    assert not anna.journal.claim(anna.journal.new_entry(post, 1e9, False, ""))[0]
    assert "restored in use, 2 accounts, 2 sessions" in said
    assert not any(is_out(process, one) for one in (anna, ben, gone))
    assert [stored(process, one) for one in (anna, gone, ben)] == [
        {"signature": "then"}, {"signature": "then"}, {"signature": "Ben"}
    ]  # fmt: skip
    assert process.state.mailboxes.lookup(anna.account, number) == ("INBOX", 7)
    assert process.state.mailboxes.lookup(anna.account, other_number) == ("Sent", 7)
    assert audit(process)[0] == ("shell", "restored")
    (aside,) = (each for each in tmp_path.iterdir() if ".before-" in each.name)
    with State.open(aside) as before:
        assert before.sessions.find(gone.id) is None
        assert before.sessions.find(ben.id) is not None
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(f".{process.config.state.name}")]


def test_sessions_that_were_ended_and_people_who_are_locked_do_not_come_back(
    process: GatewayProcess, tmp_path: Path
) -> None:
    anna, ben, carl = (sign_in(process, who) for who in (ANNA, BEN, "carl@example.org"))
    run(process, "backup", str(tmp_path / "b"))
    run(process, "sessions", "end", str(anna.id))
    run(process, "user", "lock", BEN)
    with process.state.database.writing() as connection:
        connection.execute(text("DELETE FROM ended"))  # a day later
    run(process, "sessions", "end", str(carl.id))
    run(process, "restore", "--replace", str(tmp_path / "b"))
    assert is_out(process, ben)
    assert is_out(process, carl)
    assert not is_out(process, anna)


def test_after_a_lost_state_a_person_has_both_sessions(process: GatewayProcess, tmp_path: Path) -> None:
    """The file was lost while the gateway ran, and its owner signed in again: one account, with what both had."""
    anna = sign_in(process, ANNA)
    anna.memory.put("profile", "", {"signature": "then"})
    run(process, "backup", str(tmp_path / "b"))
    process.config.state.unlink()
    again = sign_in(process, ANNA)
    assert again.account != anna.account
    assert is_out(process, anna)
    assert "restored" in run(process, "restore", "--replace", str(tmp_path / "b")).output
    assert not is_out(process, anna)
    assert not is_out(process, again)
    assert stored(process, anna) == stored(process, again) == {"signature": "then"}
    assert len(as_json(process, "user", "list")) == 1


def test_a_running_gateway_is_not_given_what_is_not_its_own(process: GatewayProcess, tmp_path: Path) -> None:
    sign_in(process, ANNA).memory.put("profile", "", {"signature": "then"})
    run(process, "backup", str(tmp_path / "b"))
    with sqlite3.connect(tmp_path / "b" / STATE) as connection:
        connection.execute("UPDATE accounts SET key = x'00'")
    said = run(process, "restore", "--replace", str(tmp_path / "b"), fails=1).output
    assert "of another gateway" in said
    shutil.copy(tmp_path / "b" / SECRET, tmp_path / "right")
    (tmp_path / "b" / SECRET).write_bytes(b"x" * 32)
    said = run(process, "restore", "--replace", str(tmp_path / "b"), fails=1).output
    assert "stop it first" in said
    process.config.secret.write_bytes(b"x" * 32)
    said = run(process, "restore", "--replace", str(tmp_path / "b"), fails=1).output
    assert "does not decrypt" in said
    assert len(as_json(process, "sessions", "list")) == 1


def test_the_log_of_a_lost_database_is_not_taken_for_the_restored_ones(
    process: GatewayProcess, tmp_path: Path
) -> None:
    anna = sign_in(process, ANNA)
    run(process, "backup", str(tmp_path / "b"))
    elsewhere = other(tmp_path, process)
    lost = tmp_path / "elsewhere" / (process.config.state.name + "-wal")
    lost.write_bytes(b"frames of another database")
    assert "put aside as" in run(elsewhere, "restore", str(tmp_path / "b")).output
    assert not lost.exists() or lost.read_bytes() != b"frames of another database"
    assert as_json(elsewhere, "sessions", "list")[0]["session"] == anna.id


def damaged(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[4096:8192] = b"\xa5" * 4096
    path.write_bytes(octets)


def newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")


def foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE cats (name TEXT)")


def orphaned(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM accounts")


def with_log(path: Path) -> None:
    path.with_name(path.name + "-wal").write_bytes(b"x" * 100)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (damaged, "malformed"),
        (newer, "newer version"),
        (foreign, "not a database of Pocketpost"),
        (orphaned, "damaged"),
        (with_log, "without its log"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_bytes(b"no database" * 1000), "not a database"),
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.with_name(SECRET).write_bytes(b"short"), "shorter"),
        (lambda path: path.with_name(SECRET).write_bytes(b"x" * 32), "not the secret of this state"),
    ],
)  # fmt: skip
def test_a_bad_backup_is_refused_before_anything_is_changed(
    process: GatewayProcess, tmp_path: Path, spoil: Any, words: str
) -> None:
    sign_in(process, ANNA).memory.put("profile", "", {"signature": "Anna"})
    run(process, "backup", str(tmp_path / "b"))
    spoil(tmp_path / "b" / STATE)
    elsewhere = other(tmp_path, process)
    said = run(elsewhere, "restore", "--replace", str(tmp_path / "b"), fails=1).output
    assert words in said
    assert [each.name for each in (tmp_path / "elsewhere").iterdir()] == ["pocketpost.toml"]


def test_an_older_backup_is_brought_up_to_date(process: GatewayProcess, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir(mode=0o700)
    with sqlite3.connect(tmp_path / "b" / STATE) as connection:
        for step in STEPS[:9]:
            for statement in step:
                connection.execute(statement)
        connection.execute("PRAGMA user_version = 9")
        connection.execute("INSERT INTO accounts (key) VALUES (x'00')")
    (tmp_path / "b" / SECRET).write_bytes(b"k" * 32)
    elsewhere = other(tmp_path, process)
    assert "version 9" in run(elsewhere, "restore", str(tmp_path / "b")).output
    assert [row["account"] for row in as_json(elsewhere, "user", "list")] == ["00"]


def test_a_folder_that_cannot_be_made_is_a_sentence(process: GatewayProcess, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("a file")
    assert "Not a directory" in run(process, "backup", str(tmp_path / "b" / "c"), fails=1).output


def test_a_real_gateway_is_backed_up_while_it_serves_and_goes_on_elsewhere(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    """The phone's bookmark still works on the other machine, with its owner's settings."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir(), there.mkdir()
    one = GatewayServer(here, dovecot, smtp_server).start()
    try:
        phone = WmlPhone(one.url, over_http).sign_in("moved@example.net", "secret")
        address = phone.url
        phone.follow("Menu").follow("Settings").follow("Quick replies").follow("Add").fill(
            "quick", "On my way"
        ).press("Save")
        done = _pocketpost("backup", "--config", str(here / "pocketpost.toml"), str(tmp_path / "b"))
        assert "1 accounts, 1 sessions" in done
        phone.open(address.removeprefix(one.url))
        phone.follow("Menu").follow("Settings").follow("Quick replies").follow("Add").fill(
            "quick", "Not today"
        ).press("Save")
        assert "Not today" in phone.follow("Next").text
        said = _pocketpost(
            "restore", "--replace", "--config", str(here / "pocketpost.toml"), str(tmp_path / "b")
        )
        assert "restored in use" in said
        phone.open(address.removeprefix(one.url))
        said = phone.follow("Menu").follow("Settings").follow("Quick replies").text
        assert "On my way" in said
        assert "Not today" not in said + (phone.follow("Next").text if "Next" in phone.links else "")
        assert _pocketpost("sessions", "--config", str(here / "pocketpost.toml")).count("\n") == 2
    finally:
        one.stop()
    two = GatewayServer(there, dovecot, smtp_server)
    _pocketpost("restore", "--config", str(there / "pocketpost.toml"), str(tmp_path / "b"))
    two.start()
    try:
        moved = WmlPhone(two.url, over_http)
        moved.open(address.removeprefix(one.url))
        assert "Inbox" in moved.title
        moved.follow("Menu").follow("Settings").follow("Quick replies")
        assert "On my way" in moved.text
        _pocketpost("user", "lock", "--config", str(there / "pocketpost.toml"), "moved@example.net")
        moved.open(address.removeprefix(one.url))
        assert moved.title == "Pocketpost"
        moved.sign_in("Moved@example.net", "secret")
        assert "Your account is locked here" in moved.text
    finally:
        two.stop()


def _pocketpost(*arguments: str, fails: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments], capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode != 0) is fails, done.stderr
    return done.stdout + done.stderr
