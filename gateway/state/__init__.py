"""The gateway's own records, in one database: sessions, short ids, settings; never mail.

Only this package may import sqlalchemy. Nothing here may read a clock (`now` is passed in, in seconds since
the epoch; only waiting times are measured), or store a password that can be read without the session's token,
an address that can be read without the server secret, or text of a mail.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType

from gateway.errors import AccountLocked, StateError
from gateway.state.people.account_merge import EncryptedData, Reseal, merged_account
from gateway.state.people.accounts import AccountFilter, AccountRow, Accounts, is_locked, keep_address
from gateway.state.people.device_settings import Settings
from gateway.state.people.link_rows import Links
from gateway.state.people.mailbox_numbers import Mailboxes
from gateway.state.people.memories import Memories
from gateway.state.people.reading_positions import ReadingPosition, ReadingPositions
from gateway.state.people.restored_accounts import bring_back
from gateway.state.people.session_rows import SessionRow, SessionTable, Via, add
from gateway.state.people.sign_in_origins import SignInOrigins
from gateway.state.people.tries import Tries, TryRow, TrySubject
from gateway.state.sending.journal import JournalRow, JournalTable, Stage
from gateway.state.sending.posted_forms import PostedForm, PostedForms
from gateway.state.sending.submissions import Submissions
from gateway.state.sending.tickets import Claim, Tickets
from gateway.state.storage.database import Database
from gateway.state.storage.faults import BUSY_SECONDS, optional
from gateway.state.storage.migrations import ANEW, STEPS
from gateway.state.watching.administration import Administration, AuditLine
from gateway.state.watching.counts import Counted, Counts
from gateway.state.watching.gauges import Gauges
from gateway.state.watching.handhelds_seen import HandheldSeen, HandheldsSeen
from gateway.state.watching.server_health import ServerHealth

__all__ = [
    "BUSY_SECONDS",
    "AccountFilter",
    "AccountRow",
    "AuditLine",
    "Claim",
    "Counted",
    "EncryptedData",
    "HandheldSeen",
    "JournalRow",
    "PostedForm",
    "ReadingPosition",
    "Reseal",
    "SessionRow",
    "Stage",
    "State",
    "StateError",
    "TryRow",
    "TrySubject",
    "Via",
    "optional",
]  # fmt: skip


class State:
    """All tables of one database file, shared with other processes; thread-safe."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path, STEPS, ANEW)
        self.accounts = Accounts(self.database)
        self.sessions = SessionTable(self.database)
        self.mailboxes = Mailboxes(self.database)
        self.tickets = Tickets(self.database)
        self.tries = Tries(self.database)
        self.devices = SignInOrigins(self.database)
        self.settings = Settings(self.database)
        self.reading = ReadingPositions(self.database)
        self.links = Links(self.database)
        self.memories = Memories(self.database)
        self.posted_forms = PostedForms(self.database)
        self.counts = Counts(self.database)
        self.gauges = Gauges(self.database)
        self.server_health = ServerHealth(self.database)
        self.handhelds = HandheldsSeen(self.database)
        self.journal = JournalTable(self.database, self.counts)
        self.submissions = Submissions(self.database)
        self.administration = Administration(self.database)

    @classmethod
    def open(cls, path: Path) -> State:
        """Open or create the file, mode 0600, and migrate it. Raise ConfigError."""
        return cls(path)

    def begin(
        self, row: SessionRow, key: bytes, former: bytes, reseal: Reseal, address: bytes | None = None
    ) -> SessionRow:
        """Add a session to the account with this key, or with its former key; return it with its account.

        `address`: the encrypted address to be kept, if any. In one transaction: two sign-ins of one person might merge
        the accounts that the other has just found. Raise AccountLocked if it has just been locked.
        """
        with self.database.writing() as connection:
            if is_locked(connection, (key, former)):
                raise AccountLocked("locked while the mail server was asked")
            account = merged_account(connection, key, former, reseal, self.journal.is_locked)
            row = replace(row, account=account)
            add(connection, row)
            if address is not None:
                keep_address(connection, key, address)
        return row

    def bring_back(self, backup: State, reseal: Reseal) -> None:
        """Bring the accounts of a backup back, while the gateway has this database in use. Raise ConfigError."""
        with backup.database.reading() as reader, self.database.writing(synced=True) as connection:
            bring_back(connection, reader, reseal, self.journal.is_locked)

    def close(self) -> None:
        """Close every connection."""
        self.database.close()

    def __enter__(self) -> State:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
