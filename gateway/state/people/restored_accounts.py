"""Brings the accounts of a backup back into the database that a gateway is using, in the caller's transaction.

Nothing here may take away what the gateway relies on: accounts, sessions, mailbox numbers and the record of what was
sent stay, and what only the backup has is added. Settings, memories and reading positions become what they were. What
has since been counted, audited and slowed down stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.errors import ConfigError
from gateway.state.people.account_merge import Busy, Reseal, unite
from gateway.state.people.accounts import ACCOUNTS
from gateway.state.people.device_settings import SETTINGS
from gateway.state.people.link_rows import LINKS
from gateway.state.people.mailbox_numbers import MAILBOXES
from gateway.state.people.memories import MEMORIES
from gateway.state.people.reading_positions import READING
from gateway.state.people.session_rows import ENDED, SESSIONS
from gateway.state.people.sign_in_origins import DEVICES
from gateway.state.sending.journal import JOURNAL
from gateway.state.sending.posted_forms import KEPT

#: What people store.
_STORED: Final = (SETTINGS, MEMORIES, READING)
#: Tables of which only missing rows are restored; those that refer to others come after them.
_ADDED: Final = (MAILBOXES, LINKS, SESSIONS, ENDED, KEPT, DEVICES, JOURNAL)


def bring_back(live: Connection, backup: Connection, reseal: Reseal, busy: Busy) -> None:
    """Bring a backup's accounts back. Raise ConfigError if that cannot be done now.

    If a person has been given a new account since, it is united with that of the backup.
    """
    numbers: dict[bytes, int] = {row.key: row.id for row in live.execute(select(ACCOUNTS))}
    keys = {number: key for key, number in numbers.items()}
    wanted = backup.execute(select(ACCOUNTS)).all()
    if any(keys.get(row.id, row.key) != row.key for row in wanted):
        raise ConfigError("the backup is of another gateway, whose accounts have the numbers of others here")
    anew = [(row.id, numbers[row.key], row.key) for row in wanted if numbers.get(row.key, row.id) != row.id]
    if any(busy(live, (second,)) for _, second, _ in anew):
        raise ConfigError("somebody to be restored is sending a mail just now; try again")
    for row in wanted:
        if row.id not in keys:
            key = row.key + b"-" if row.key in numbers else row.key
            live.execute(insert(ACCOUNTS).values({**row._mapping, "key": key}))
    _restore_stored(live, backup, [row.id for row in wanted])
    _restore_lost(live, backup)
    for first, second, key in anew:
        unite(live, first, second, key, reseal)


def _restore_stored(live: Connection, backup: Connection, accounts: list[int]) -> None:
    numbered = select(MAILBOXES.c.account, MAILBOXES.c.number, MAILBOXES.c.name, MAILBOXES.c.uidvalidity)
    taken = {tuple(row[:2]): tuple(row[2:]) for row in live.execute(numbered)}
    was = {tuple(row[:2]): tuple(row[2:]) for row in backup.execute(numbered)}
    for table in _STORED:
        for account in accounts:
            live.execute(delete(table).where(table.c.account == account))
        for row in _rows(backup, table):
            place = (row["account"], row.get("mailbox"))
            if table is not READING or taken.get(place, was.get(place)) == was.get(place):
                live.execute(insert(table).values(row))


def _restore_lost(live: Connection, backup: Connection) -> None:
    ended = set(live.scalars(select(ENDED.c.digest)))
    locked = set(live.scalars(select(ACCOUNTS.c.id).where(ACCOUNTS.c.locked.is_not(None))))
    for table in _ADDED:
        sessions = set(live.scalars(select(SESSIONS.c.id))) if table is JOURNAL else set()
        for row in _rows(backup, table):
            if table is SESSIONS and (row["digest"] in ended or row["account"] in locked):
                continue
            if table is JOURNAL and row["session"] not in sessions:
                row = {**row, "session": None}
            live.execute(insert(table).values(row).on_conflict_do_nothing())


def _rows(backup: Connection, table: Table) -> list[Mapping[str, Any]]:
    return [dict(row._mapping) for row in backup.execute(select(table))]
