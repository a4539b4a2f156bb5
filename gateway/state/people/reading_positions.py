"""Reading positions: where a person stopped in a message that they have not finished.

Nothing here may store text of a mail: a row is a mailbox's number, a UID, a position in the form URLs have,
and the page number counted there, which is only a hint: other devices have other pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import Column, Float, ForeignKey, Integer, String, Table, bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.people.mailbox_numbers import MAX_INTEGER
from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA
from gateway.state.storage.prepared import Prepared

#: Messages per account; the most recent are kept.
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
#: Built once: every list needs it.
_BEGUN: Final = Prepared(
    select(READING.c.uid, READING.c.position, READING.c.page).where(
        READING.c.account == bindparam("account"),
        READING.c.mailbox == bindparam("mailbox"),
        READING.c.uid.between(bindparam("least"), bindparam("most")),
    )
)


class ReadingPosition(NamedTuple):
    """Where reading stopped: a position as it is spelled in addresses, and the page's number there."""

    position: str
    page: int


class ReadingPositions:
    """The table of reading positions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def positions(self, account: int, mailbox: int, uids: Iterable[int]) -> dict[int, ReadingPosition]:
        """Return where reading stopped in those of the messages that have been begun."""
        known = {uid for uid in uids if uid <= MAX_INTEGER}
        if not known:
            return {}
        least, most = min(known), max(known)
        found = self._database.rows(_BEGUN, account=account, mailbox=mailbox, least=least, most=most)
        return {uid: ReadingPosition(position, page) for uid, position, page in found if uid in known}

    def remember(self, account: int, mailbox: int, uid: int, position: ReadingPosition, now: float) -> None:
        """Remember a position; nothing is written if it is stored already."""
        if self.positions(account, mailbox, (uid,)).get(uid) == position:
            return
        values = {"position": position.position, "page": position.page, "at": now}
        row = insert(READING).values(account=account, mailbox=mailbox, uid=uid, **values)
        newest = select(READING.c.at).where(READING.c.account == account).order_by(READING.c.at.desc())
        last = newest.limit(1).offset(KEPT - 1).scalar_subquery()
        with self._database.writing() as connection:
            connection.execute(
                row.on_conflict_do_update(index_elements=["account", "mailbox", "uid"], set_=values)
            )
            connection.execute(delete(READING).where(READING.c.account == account, READING.c.at < last))

    def forget(self, account: int, mailbox: int, uid: int) -> None:
        """Forget a position, if there is one."""
        if not self.positions(account, mailbox, (uid,)):
            return
        with self._database.writing() as connection:
            connection.execute(
                delete(READING).where(
                    READING.c.account == account, READING.c.mailbox == mailbox, READING.c.uid == uid
                )
            )
