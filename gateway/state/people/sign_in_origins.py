"""Devices and networks from which an account's owner has signed in, until they expire.

Nothing here may store a token or an address: `remembered` makes digests of them that include the account. A
row is void after MOST_WRONG wrong passwords since the last right one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Column, Float, ForeignKey, Integer, LargeBinary, Table, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from gateway.state.people.accounts import ACCOUNTS
from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

MOST_WRONG: Final = 10
#: Rows of one account; those that expire first are removed first.
MOST: Final = 20

DEVICES = Table(
    "devices",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("wrong", Integer, nullable=False),
    Column("expires", Float, nullable=False),
)


class SignInOrigins:
    """The table of devices and networks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, digests: Iterable[bytes]) -> frozenset[bytes]:
        """Return the known ones, void or not."""
        with self._database.reading() as connection:
            wanted = select(DEVICES.c.digest).where(DEVICES.c.digest.in_(list(digests)))
            return frozenset(connection.scalars(wanted))

    def charge(self, digests: Iterable[bytes], now: float) -> frozenset[bytes]:
        """Count a wrong password, provisionally, against those that are not void; return them."""
        known = (DEVICES.c.digest.in_(list(digests)), DEVICES.c.expires > now, DEVICES.c.wrong < MOST_WRONG)
        with self._database.reading() as connection:
            if connection.execute(select(DEVICES.c.digest).where(*known)).first() is None:
                return frozenset()
        change = update(DEVICES).where(*known).values(wrong=DEVICES.c.wrong + 1)
        with self._database.writing() as connection:
            return frozenset(connection.scalars(change.returning(DEVICES.c.digest)))

    def give_back(self, digests: Iterable[bytes]) -> None:
        """Take a count back."""
        charged = (DEVICES.c.digest.in_(list(digests)), DEVICES.c.wrong > 0)
        with self._database.writing() as connection:
            connection.execute(update(DEVICES).where(*charged).values(wrong=DEVICES.c.wrong - 1))

    def keep(self, account: int, digests: dict[bytes, float], instead_of: Iterable[bytes]) -> None:
        """Remember devices and networks until they expire, replacing others; nothing for an account that is gone."""
        row = insert(DEVICES)
        renewed = {name: row.excluded[name] for name in ("account", "wrong", "expires")}
        rows = [
            {"digest": digest, "account": account, "wrong": 0, "expires": expires}
            for digest, expires in digests.items()
        ]
        mine = DEVICES.c.account == account
        newest = select(DEVICES.c.digest).where(mine).order_by(DEVICES.c.expires.desc()).limit(MOST)
        with self._database.writing() as connection:
            if connection.scalar(select(ACCOUNTS.c.id).where(ACCOUNTS.c.id == account)) is None:
                return
            connection.execute(delete(DEVICES).where(DEVICES.c.digest.in_(list(instead_of))))
            connection.execute(row.on_conflict_do_update(index_elements=["digest"], set_=renewed), rows)
            connection.execute(delete(DEVICES).where(mine, DEVICES.c.digest.not_in(newest)))

    def purge(self, now: float) -> None:
        """Remove expired rows."""
        with self._database.writing() as connection:
            connection.execute(delete(DEVICES).where(DEVICES.c.expires <= now))
