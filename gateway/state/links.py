"""Where links in mail lead, for as long as somebody may still want to follow one.

Nothing here may hold a URL that can be read: what is kept was sealed by `session` under the link's id, and the id
itself is known by its SHA-256 only. A row lives LIFETIME seconds from when its link was last shown, more or less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock

from sqlalchemy import Column, Float, LargeBinary, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.database import Database
from gateway.state.tables import METADATA

LIFETIME = 24 * 3600.0  # seconds: a page kept open overnight still leads somewhere
RENEWED = LIFETIME / 2  # seconds before its end from which on a link that is shown again is written again
CACHED = 20_000  # links remembered as written in this process; about 150 bytes each

LINKS = Table(
    "links",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires", Float, nullable=False),
)


class Links:
    """The table of links, with a cache of what need not be written again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._expiries: dict[bytes, float] = {}

    def missing(self, digests: Iterable[bytes], now: float) -> set[bytes]:
        """Return those that are not kept, or not for long any more."""
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
        """Keep links, or keep them longer, in one transaction."""
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
        """Return what is kept of a link, None for one that is not known any more."""
        query = select(LINKS.c.sealed).where(LINKS.c.digest == digest, LINKS.c.expires > now)
        with self._database.reading() as connection:
            return connection.scalar(query)

    def purge(self, now: float) -> None:
        """Remove what has expired."""
        with self._database.writing() as connection:
            connection.execute(delete(LINKS).where(LINKS.c.expires <= now))

    def _remember(self, expiries: Mapping[bytes, float]) -> None:
        with self._lock:
            self._expiries.update(expiries)
            while len(self._expiries) > CACHED:
                self._expiries.pop(next(iter(self._expiries)))
