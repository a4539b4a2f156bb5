"""The kinds of handheld that have asked for pages: by user agent and markup, without a trace of whose they are.

Nothing here may know an account or a session. Sightings are collected in memory; `flush` writes them in one
transaction, so that no page waits for the disk. People who have not signed in cannot crowd out the handhelds of those
who have: each kind has a limit of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Final

from sqlalchemy import Boolean, Column, Float, Integer, String, Table, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

#: The most rows of handhelds whose people have signed in, and of all others; beyond that, those seen longest ago are
#: removed.
MOST: Final = {True: 400, False: 100}
#: The most different handhelds between two writes; further ones are not noted.
MOST_NEW: Final = 500

HANDHELDS = Table(
    "handhelds",
    METADATA,
    Column("agent", String, primary_key=True),
    Column("markup", String, primary_key=True),
    Column("device", String, nullable=False),
    Column("budget", Integer, nullable=False),
    Column("known", Boolean(create_constraint=False), nullable=False),
    Column("pages", Integer, nullable=False),
    Column("last", Float, nullable=False),
)


@dataclass(slots=True)
class HandheldSeen:
    """One kind of handheld.

    `agent`: its User-Agent, cleaned (`device.agents`); `device`: the profile that it was taken for; `budget`: octets
    of a page; `known`: somebody has signed in with it; `last`: seconds since the epoch.
    """

    agent: str
    markup: str
    device: str
    budget: int
    known: bool
    pages: int
    last: float


class HandheldsSeen:
    """The table of handhelds, and what has been seen since it was written; thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._new: dict[tuple[str, str], HandheldSeen] = {}

    def note(self, agent: str, markup: str, device: str, budget: int, known: bool, now: float) -> None:
        """Note one more page."""
        with self._lock:
            seen = self._new.get((agent, markup))
            if seen is None:
                if len(self._new) < MOST_NEW:
                    self._new[agent, markup] = HandheldSeen(agent, markup, device, budget, known, 1, now)
                return
            seen.device, seen.budget, seen.last = device, budget, now
            seen.known |= known
            seen.pages += 1

    def flush(self) -> None:
        """Write what is new. Raise StateError; nothing is lost by that."""
        with self._lock:
            new, self._new = self._new, {}
        if not new:
            return
        try:
            self._write(list(new.values()))
        except BaseException:
            with self._lock:
                for key, seen in new.items():
                    if (later := self._new.setdefault(key, seen)) is not seen:
                        later.known |= seen.known
                        later.pages += seen.pages
            raise

    def all(self) -> list[HandheldSeen]:
        """Return all handhelds that were written, the most frequent first."""
        query = select(HANDHELDS).order_by(HANDHELDS.c.pages.desc(), HANDHELDS.c.agent, HANDHELDS.c.markup)
        with self._database.reading() as connection:
            return [
                HandheldSeen(**{**row._mapping, "known": bool(row.known)})
                for row in connection.execute(query)
            ]

    def _write(self, new: list[HandheldSeen]) -> None:
        row = insert(HANDHELDS)
        change = row.on_conflict_do_update(
            index_elements=["agent", "markup"],
            set_={
                "device": row.excluded.device,
                "budget": row.excluded.budget,
                "known": HANDHELDS.c.known | row.excluded.known,
                "pages": HANDHELDS.c.pages + row.excluded.pages,
                "last": func.max(HANDHELDS.c.last, row.excluded.last),
            },
        )
        with self._database.writing() as connection:
            connection.execute(change, [{name: getattr(one, name) for name in _NAMES} for one in new])
            for known, most in MOST.items():
                mine = HANDHELDS.c.known.is_(known)
                kept = (
                    select(HANDHELDS.c.last)
                    .where(mine)
                    .order_by(HANDHELDS.c.last.desc())
                    .limit(1)
                    .offset(most - 1)
                )
                connection.execute(delete(HANDHELDS).where(mine, HANDHELDS.c.last < kept.scalar_subquery()))


_NAMES: Final = tuple(column.name for column in HANDHELDS.columns)
