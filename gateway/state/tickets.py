"""One-time tickets: the first request with a ticket acts, every repeat is told the first outcome.

Nothing here may hold text of a mail: an outcome is ids and msgids. A row lives as long as its session and
goes with it: were it removed sooner, the same POST would act a second time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Column, Float, ForeignKey, LargeBinary, String, Table, insert, select, update

from gateway.errors import SessionEnded
from gateway.state.database import Database
from gateway.state.sessions import SESSIONS
from gateway.state.tables import METADATA

TICKETS = Table(
    "tickets",
    METADATA,
    Column("session", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("nonce", LargeBinary, primary_key=True),
    Column("claimed", Float, nullable=False),
    Column("outcome", String),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim found. `fresh`: this request acts. Else `outcome` of the first, None while it is at work.

    `claimed`: when the first came, in seconds since the epoch; long ago and no outcome means it died.
    """

    fresh: bool
    claimed: float
    outcome: dict[str, str] | None = None


class Tickets:
    """The table of tickets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, session_id: int, nonce: bytes, now: float) -> Claim:
        """Claim a ticket; of any number of claims, in any process, one is fresh. Raise SessionEnded."""
        ours = (TICKETS.c.session == session_id, TICKETS.c.nonce == nonce)
        with self._database.writing() as connection:
            found = connection.execute(select(TICKETS.c.claimed, TICKETS.c.outcome).where(*ours)).first()
            if found is not None:
                return Claim(False, found.claimed, json.loads(found.outcome) if found.outcome else None)
            if connection.scalar(select(SESSIONS.c.id).where(SESSIONS.c.id == session_id)) is None:
                raise SessionEnded("a ticket of a session that is gone")
            connection.execute(insert(TICKETS).values(session=session_id, nonce=nonce, claimed=now))
            return Claim(True, now)

    def settle(self, session_id: int, nonce: bytes, outcome: dict[str, str], synced: bool = False) -> None:
        """Record the outcome of a claimed ticket; the first one stands. `synced`: on the disk on return."""
        open_one = (TICKETS.c.session == session_id, TICKETS.c.nonce == nonce, TICKETS.c.outcome.is_(None))
        with self._database.writing(synced) as connection:
            connection.execute(update(TICKETS).where(*open_one).values(outcome=json.dumps(outcome)))
