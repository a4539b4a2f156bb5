"""A place for a database that can be full, locked, read-only or gone, as a test needs it.

Nothing here may be pretended: the file system is a small tmpfs of its own, the lock is another connection's, what is
read-only is so for the kernel, and a file that is gone is unlinked. Mounting needs root; elsewhere the tests are
skipped by name.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from gateway.sending import outbox
from gateway.state.storage import faults
from gateway.state.storage.database import Database
from gateway.web.entry import restored_forms
from tests import PATIENCE

SIZE = 2 * 1024 * 1024  # octets of the file system
#: Seconds that a writer waits for another one here: longer than if it need not write, as in the product.
BUSY_SECONDS = 0.3
assert BUSY_SECONDS > faults.OPTIONAL_SECONDS


def be_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only briefly if somebody has the lock: a test with a lock does little else."""
    for module in (faults, outbox, restored_forms):
        monkeypatch.setattr(module, "BUSY_SECONDS", BUSY_SECONDS)


class Volume:
    """A small file system, mounted at two places: at `door` it can become read-only while at `inside` it is not."""

    def __init__(self, folder: Path) -> None:
        self.inside, self.door = folder / "inside", folder / "door"

    def __enter__(self) -> Volume:
        self.inside.mkdir()
        self.door.mkdir()
        if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(self.inside)):
            pytest.skip("NOT TESTED: a file system cannot be mounted here")
        _mount("--bind", str(self.inside), str(self.door))
        return self

    def __exit__(self, *_: object) -> None:
        for place in (self.door, self.inside):
            subprocess.run(["umount", "-l", str(place)], check=True, timeout=PATIENCE)

    @contextmanager
    def full(self, database: Database) -> Iterator[None]:
        """Leave no octet free, not even in what the database already has."""
        with closing(sqlite3.connect(database.path, isolation_level=None)) as connection:
            assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        filler = self.inside / "filler"
        with filler.open("wb", 0) as file, suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        assert os.statvfs(self.inside).f_bavail == 0
        try:
            yield
        finally:
            filler.unlink()

    @contextmanager
    def locked(self, database: Database) -> Iterator[None]:
        """Hold the lock of the only writer."""
        with closing(sqlite3.connect(database.path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    @contextmanager
    def read_only(self, database: Database) -> Iterator[None]:
        """Let nobody write who opens the file now; another process still has it open."""
        with _opened_elsewhere(self.inside / database.path.name):
            database.close()
            assert _mount("-o", "remount,ro,bind", str(self.door)) == 0
            try:
                yield
            finally:
                database.close()
                _mount("-o", "remount,rw,bind", str(self.door))


FAULTS = ("full", "locked", "read_only")


#: In a process of its own: SQLite hands a file's descriptor on to whoever opens it next in the same one.
_HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def _opened_elsewhere(path: Path) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        try:
            yield
        finally:
            assert holder.stdin is not None
            holder.stdin.close()


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], timeout=PATIENCE, stderr=subprocess.DEVNULL).returncode
