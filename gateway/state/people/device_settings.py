"""A person's settings, for each of their devices.

Nothing here may know what a key means: keys and values are words that `web` understands. A missing setting is
the device's default. Rows are read on every use, by primary key: another process may have written them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Column, ForeignKey, String, Table, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA
from gateway.state.storage.prepared import Prepared

#: Characters of a value.
LONGEST_VALUE: Final = 1000

SETTINGS = Table(
    "settings",
    METADATA,
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("device", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)
#: Built once: every page needs it.
_MINE: Final = Prepared(
    select(SETTINGS.c.key, SETTINGS.c.value).where(
        SETTINGS.c.account == bindparam("account"), SETTINGS.c.device == bindparam("device")
    )
)


class Settings:
    """The table of settings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, account: int, device: str) -> dict[str, str]:
        """Return the settings on a device."""
        return dict(self._database.rows(_MINE, account=account, device=device))

    def put(self, account: int, device: str, values: Mapping[str, str]) -> None:
        """Store settings, all of them or none."""
        rows = [
            {"account": account, "device": device, "key": key, "value": value[:LONGEST_VALUE]}
            for key, value in values.items()
        ]
        row = insert(SETTINGS)
        change = row.on_conflict_do_update(
            index_elements=["account", "device", "key"], set_={"value": row.excluded.value}
        )
        if rows:
            with self._database.writing() as connection:
                connection.execute(change, rows)
