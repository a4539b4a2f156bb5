"""Merges two accounts that turn out to be one person's, with all their rows.

Nothing here may decrypt anything, or give a mailbox number two meanings: the merged account has a new number,
and mailboxes whose numbers clash get new ones, so that an old page leads to the right mailbox or nowhere.
Where only one row can stay, it is the first account's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, Table, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gateway.state.people.accounts import ACCOUNTS, number_for
from gateway.state.people.mailbox_numbers import MAILBOXES, decode_name
from gateway.state.people.memories import MEMORIES
from gateway.state.people.reading_positions import READING
from gateway.state.sending.journal import JOURNAL
from gateway.state.storage.metadata import METADATA


@dataclass(frozen=True, slots=True)
class EncryptedData:
    """An account's encrypted data: values by kind and name, with the time of writing; notes by ticket and mark."""

    memories: dict[tuple[str, str], tuple[bytes, float]] = field(default_factory=dict)
    journal: dict[tuple[bytes, bytes], bytes] = field(default_factory=dict)


#: Encrypts the data of several accounts, in this order, for one account; the names are those of their mailboxes.
Reseal = Callable[[Mapping[int, EncryptedData], frozenset[str], int], EncryptedData]
#: Returns whether one of these accounts is in use by its number.
Busy = Callable[[Connection, Iterable[int]], bool]

#: Moved by rules of their own; all others by `_move`.
_OWN_RULES: Final = (MAILBOXES, READING, MEMORIES, JOURNAL)


def merged_account(connection: Connection, key: bytes, former: bytes, reseal: Reseal, busy: Busy) -> int:
    """Return the number of the account with this key; an account that still has a former key is merged into it.

    While either is in use they are not merged until a later sign-in; this one then still gets the former
    account.
    """
    wanted = select(ACCOUNTS.c.key, ACCOUNTS.c.id).where(ACCOUNTS.c.key.in_((key, former)))
    numbers: dict[bytes, int] = {row.key: row.id for row in connection.execute(wanted)}
    if former == key or former not in numbers:
        return number_for(connection, key)
    if key not in numbers:
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.key == former).values(key=key))
        return numbers[former]
    if busy(connection, (numbers[key], numbers[former])):
        return numbers[former]
    return unite(connection, numbers[key], numbers[former], key, reseal)


def unite(connection: Connection, first: int, second: int, key: bytes, reseal: Reseal) -> int:
    """Unite two accounts under this key; return the number of the new one."""
    both = (first, second)
    # Never a number that was in use: AUTOINCREMENT.
    locked = connection.scalar(select(func.min(ACCOUNTS.c.locked)).where(ACCOUNTS.c.id.in_(both)))
    united = insert(ACCOUNTS).values(key=key + b"+", locked=locked).returning(ACCOUNTS.c.id)
    into: int = connection.scalars(united).one()
    sealed = reseal(
        {account: _sealed(connection, account) for account in both}, _names(connection, *both), into
    )
    _mailboxes_and_reading(connection, first, second, into)
    _keep_sealed(connection, both, into, sealed)
    for table in METADATA.sorted_tables:
        if table not in _OWN_RULES:
            for account in both:
                _move(connection, table, account, into)
    connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.id.in_(both)))
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == into).values(key=key))
    return into


def _move(connection: Connection, table: Table, account: int, into: int) -> None:
    """Move the rows of one account to the other, except for those that the other has of its own."""
    for key in table.foreign_keys:
        if key.column is ACCOUNTS.c.id:
            mine = update(table).where(key.parent == account).values({key.parent.name: into})
            connection.execute(mine.prefix_with("OR IGNORE"))


def _names(connection: Connection, *accounts: int) -> frozenset[str]:
    names = connection.scalars(select(MAILBOXES.c.name).where(MAILBOXES.c.account.in_(accounts)))
    return frozenset(map(decode_name, names))


def _mailboxes_and_reading(connection: Connection, first: int, second: int, into: int) -> None:
    """Number the mailboxes of both accounts, and move their reading positions."""
    own = [_numbered(connection, account) for account in (first, second)]
    fixed = _renumbered(*own)
    rows = [
        {"account": into, "number": number, "name": name, "uidvalidity": uidvalidity}
        for (name, uidvalidity), number in fixed.items()
    ]
    if rows:
        connection.execute(insert(MAILBOXES), rows)
    for account, numbers in zip((first, second), own, strict=True):
        for row in connection.execute(select(READING).where(READING.c.account == account)).all():
            mailbox = next((place for place, number in numbers.items() if number == row.mailbox), None)
            if mailbox is not None:
                values = {**row._mapping, "account": into, "mailbox": fixed[mailbox]}
                connection.execute(sqlite_insert(READING).values(values).on_conflict_do_nothing())


def _numbered(connection: Connection, account: int) -> dict[tuple[bytes, int], int]:
    rows = connection.execute(select(MAILBOXES).where(MAILBOXES.c.account == account))
    return {(row.name, row.uidvalidity): row.number for row in rows}


def _renumbered(
    first: Mapping[tuple[bytes, int], int], second: Mapping[tuple[bytes, int], int]
) -> dict[tuple[bytes, int], int]:
    """Give every mailbox one number: its own if it is unique, else a new one."""
    meanings: dict[int, set[tuple[bytes, int]]] = {}
    for numbers in (first, second):
        for mailbox, number in numbers.items():
            meanings.setdefault(number, set()).add(mailbox)
    fresh = max(meanings, default=0)
    fixed = {}
    for mailbox in {**first, **second}:
        own = [numbers[mailbox] for numbers in (first, second) if mailbox in numbers]
        if any(len(meanings[number]) > 1 for number in own):
            fresh += 1
            own = [fresh]
        fixed[mailbox] = max(own)  # the highest number stays in use, so that none is given twice
    return fixed


def _sealed(connection: Connection, account: int) -> EncryptedData:
    memories = connection.execute(
        select(MEMORIES).where(MEMORIES.c.account == account).order_by(MEMORIES.c.at)
    )
    journal = connection.execute(select(JOURNAL).where(JOURNAL.c.account == account))
    return EncryptedData(
        {(row.kind, row.name): (row.sealed, row.at) for row in memories},
        {(row.key, row.act): row.sealed for row in journal},
    )


def _keep_sealed(connection: Connection, both: tuple[int, int], into: int, sealed: EncryptedData) -> None:
    rows = [
        {"account": into, "kind": kind, "name": name, "sealed": octets, "at": at}
        for (kind, name), (octets, at) in sealed.memories.items()
    ]
    if rows:
        connection.execute(insert(MEMORIES), rows)
    for (key, act), octets in sealed.journal.items():
        mine = update(JOURNAL).where(JOURNAL.c.account.in_(both), JOURNAL.c.key == key, JOURNAL.c.act == act)
        connection.execute(mine.values(account=into, sealed=octets).prefix_with("OR IGNORE"))
