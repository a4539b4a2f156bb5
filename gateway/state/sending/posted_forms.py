"""Forms posted to ended sessions, until their author has signed in again.

Nothing here may store readable text: `gateway.sealed.saved_forms` encrypts it under the ended session's
token, of which only the SHA-256 is known here. A row lives LIFETIME seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Column, Float, ForeignKey, LargeBinary, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

LIFETIME = 24 * 3600.0  # seconds
MOST = 8  # forms of one session; the oldest are removed

KEPT = Table(
    "kept",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("name", LargeBinary, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires", Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class PostedForm:
    """One form: the token's digest, a name that is the same for the same form, and when it expires."""

    digest: bytes = field(repr=False)
    name: bytes
    account: int
    sealed: bytes = field(repr=False)
    expires: float


class PostedForms:
    """The table of forms."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, row: PostedForm) -> None:
        """Store a form; one that is already stored stays as it is, with its expiry."""
        values = {name: getattr(row, name) for name in ("digest", "name", "account", "sealed", "expires")}
        same = KEPT.c.digest == row.digest
        newest = select(KEPT.c.name).where(same).order_by(KEPT.c.expires.desc(), KEPT.c.name).limit(MOST)
        with self._database.writing() as connection:
            connection.execute(insert(KEPT).values(values).on_conflict_do_nothing())
            connection.execute(delete(KEPT).where(same, KEPT.c.name.not_in(newest)))

    def all(self, digest: bytes, account: int | None, now: float) -> tuple[PostedForm, ...]:
        """Return the forms under a token, the newest first, if they belong to this account, or to any (None)."""
        query = select(KEPT).where(KEPT.c.digest == digest, KEPT.c.expires > now)
        if account is not None:
            query = query.where(KEPT.c.account == account)
        query = query.order_by(KEPT.c.expires.desc(), KEPT.c.name)
        with self._database.reading() as connection:
            return tuple(PostedForm(**row._mapping) for row in connection.execute(query))

    def remove(self, digest: bytes, name: bytes) -> None:
        """Remove one form."""
        with self._database.writing() as connection:
            connection.execute(delete(KEPT).where(KEPT.c.digest == digest, KEPT.c.name == name))

    def purge(self, now: float) -> None:
        """Remove expired rows."""
        with self._database.writing() as connection:
            connection.execute(delete(KEPT).where(KEPT.c.expires <= now))
