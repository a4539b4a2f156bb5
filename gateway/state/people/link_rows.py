"""Targets of the links in mail, for as long as somebody may follow one.

Nothing here may store a readable URL: rows are encrypted under the link's id by `gateway.sealed.link_ids`, and only the
SHA-256 of the id is known here. A row lives about LIFETIME seconds from when its link was last shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock

from sqlalchemy import Column, Float, LargeBinary, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

LIFETIME = 24 * 3600.0  # seconds: a page kept open overnight still leads somewhere
RENEWED = LIFETIME / 2  # remaining seconds at which a link that is shown again is written again
CACHED = 20_000  # links cached as written in this process; about 150 bytes each

LINKS = Table(
    "links",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires", Float, nullable=False),
)


class Links:
    """The table of links, with a cache of those that need not be written again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._expiries: dict[bytes, float] = {}
        database.on_renewal(self._expiries.clear)

    def missing(self, digests: Iterable[bytes], now: float) -> set[bytes]:
        """Return which of these digests are not stored, or expire soon."""
        lasting = now + RENEWED
        wanted = {digest for digest in digests if self._expiries.get(digest, 0.0) <= lasting}
        if not wanted:
            return wanted
        query = select(LINKS.c.digest, LINKS.c.expires).where(
            LINKS.c.digest.in_(wanted), LINKS.c.expires > lasting
        )
        with self._database.reading() as connection:
            found = {row.digest: row.expires for row in connection.execute(query)}
        self._remember(found)
        return wanted - found.keys()

    def keep(self, sealed: Mapping[bytes, bytes], now: float) -> None:
        """Store links, or extend them, in one transaction."""
        if not sealed:
            return
        rows = [
            {"digest": digest, "sealed": octets, "expires": now + LIFETIME}
            for digest, octets in sealed.items()
        ]
        statement = insert(LINKS)
        renewed = {name: statement.excluded[name] for name in ("sealed", "expires")}
        with self._database.writing() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["digest"], set_=renewed), rows)
        self._remember(dict.fromkeys(sealed, now + LIFETIME))

    def get(self, digest: bytes, now: float) -> bytes | None:
        """Return a link's row, None for an unknown or expired one."""
        query = select(LINKS.c.sealed).where(LINKS.c.digest == digest, LINKS.c.expires > now)
        with self._database.reading() as connection:
            return connection.scalar(query)

    def purge(self, now: float) -> None:
        """Remove expired rows."""
        with self._database.writing() as connection:
            connection.execute(delete(LINKS).where(LINKS.c.expires <= now))

    def _remember(self, expiries: Mapping[bytes, float]) -> None:
        with self._lock:
            self._expiries.update(expiries)
            while len(self._expiries) > CACHED:
                self._expiries.pop(next(iter(self._expiries)))
