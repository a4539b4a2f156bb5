"""What the gateway itself must remember, in one database: who is signed in, short ids, choices; never mail.

Only this room may import sqlalchemy. Nothing here may read a clock (`now` is passed in, in seconds since the
epoch), hold a password that can be read without the session's token, an address, or text of a mail.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from gateway.state.accounts import Accounts
from gateway.state.database import Database, StateError
from gateway.state.journal import JournalRow, JournalTable, Stage
from gateway.state.kept import Kept, KeptRow
from gateway.state.links import Links
from gateway.state.mailboxes import Mailboxes
from gateway.state.memories import Memories
from gateway.state.migrations import STEPS
from gateway.state.reading import Reading, Stop
from gateway.state.sessions import SessionRow, SessionTable, Via
from gateway.state.settings import Settings
from gateway.state.tickets import Claim, Tickets
from gateway.state.tries import Tries

__all__ = ["Claim", "JournalRow", "KeptRow", "SessionRow", "Stage", "State", "StateError", "Stop", "Via"]


class State:
    """All tables of one database file, shared with other processes; safe to use from many threads."""

    def __init__(self, path: Path, folder: Path | None = None) -> None:
        self._folder = folder  # removed on close
        self.database = Database(path, STEPS)
        self.accounts = Accounts(self.database)
        self.sessions = SessionTable(self.database)
        self.mailboxes = Mailboxes(self.database)
        self.tickets = Tickets(self.database)
        self.tries = Tries(self.database)
        self.settings = Settings(self.database)
        self.reading = Reading(self.database)
        self.links = Links(self.database)
        self.memories = Memories(self.database)
        self.kept = Kept(self.database)
        self.journal = JournalTable(self.database)

    @classmethod
    def open(cls, path: Path) -> State:
        """Open or create the file, mode 0600, brought up to date. Raise ConfigError."""
        return cls(path)

    @classmethod
    def temporary(cls) -> State:
        """Make a database that is gone after close."""
        folder = Path(tempfile.mkdtemp(prefix="pocketpost-"))
        return cls(folder / "state.sqlite", folder)

    def close(self) -> None:
        """Close every connection; remove what was temporary."""
        self.database.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> State:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
