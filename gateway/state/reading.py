"""Where a person stopped in a message that they have not read to its end.

Nothing here may hold text of a mail: a place is a mailbox's number, a UID, a position's spelling, and the number
of the page as it was counted there, which is a hint only: on another device pages are others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import Column, Float, ForeignKey, Integer, String, Table, bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.database import Database
from gateway.state.mailboxes import MAX_INTEGER
from gateway.state.tables import METADATA

#: Messages of one account, the newest places are kept.
KEPT: Final = 200

READING = Table(
    "reading",
    METADATA,
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("mailbox", Integer, primary_key=True),
    Column("uid", Integer, primary_key=True),
    Column("position", String, nullable=False),
    Column("page", Integer, nullable=False),
    Column("at", Float, nullable=False),
)
#: Built once: every list asks it.
_BEGUN: Final = select(READING.c.uid, READING.c.position, READING.c.page).where(
    READING.c.account == bindparam("account"),
    READING.c.mailbox == bindparam("mailbox"),
    READING.c.uid.in_(bindparam("uids", expanding=True)),
)


class Stop(NamedTuple):
    """Where reading stopped: a position as it is spelled in addresses, and the page's number there."""

    position: str
    page: int


class Reading:
    """The table of places."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stops(self, account: int, mailbox: int, uids: Iterable[int]) -> dict[int, Stop]:
        """Return where reading stopped in those of the messages that have been begun."""
        known = [uid for uid in uids if uid <= MAX_INTEGER]
        with self._database.reading() as connection:
            found = connection.execute(_BEGUN, {"account": account, "mailbox": mailbox, "uids": known})
            return {row.uid: Stop(row.position, row.page) for row in found}

    def stop(self, account: int, mailbox: int, uid: int, stop: Stop, now: float) -> None:
        """Remember a place; nothing is written when it is known."""
        if self.stops(account, mailbox, (uid,)).get(uid) == stop:
            return
        values = {"position": stop.position, "page": stop.page, "at": now}
        row = insert(READING).values(account=account, mailbox=mailbox, uid=uid, **values)
        newest = select(READING.c.at).where(READING.c.account == account).order_by(READING.c.at.desc())
        last = newest.limit(1).offset(KEPT - 1).scalar_subquery()
        with self._database.writing() as connection:
            connection.execute(
                row.on_conflict_do_update(index_elements=["account", "mailbox", "uid"], set_=values)
            )
            connection.execute(delete(READING).where(READING.c.account == account, READING.c.at < last))

    def forget(self, account: int, mailbox: int, uid: int) -> None:
        """Forget a place, if there is one."""
        if not self.stops(account, mailbox, (uid,)):
            return
        with self._database.writing() as connection:
            connection.execute(
                delete(READING).where(
                    READING.c.account == account, READING.c.mailbox == mailbox, READING.c.uid == uid
                )
            )
