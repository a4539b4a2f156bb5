"""One-time tickets: the first request of a post carries it out, every repeat gets the first outcome.

A post is a ticket with the content posted (`vault.TicketedPost`); other content with the same ticket is another.
Nothing here may store a ticket, or text of a mail: an outcome is ids and msgids. A row lives as long as its
session: if it were removed sooner, the same POST would be carried out a second time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Column, Float, ForeignKey, LargeBinary, String, Table, delete, insert, select, update

from gateway.errors import SessionEnded
from gateway.state.people.session_rows import SESSIONS
from gateway.state.storage.database import Database
from gateway.state.storage.metadata import METADATA

TICKETS = Table(
    "tickets",
    METADATA,
    Column("session", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("act", LargeBinary, primary_key=True),  # the mark of a post, as version 1 named it
    Column("ticket", LargeBinary, nullable=False),
    Column("claimed", Float, nullable=False),
    Column("outcome", String),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """The result of a claim. `fresh`: this request carries it out. If not, `outcome`: of the first, None while running.

    `claimed`: the time of the first, in seconds since the epoch; if that is long ago and there is no outcome, it has
    died.
    """

    fresh: bool
    claimed: float
    outcome: dict[str, str] | None = None


class Tickets:
    """The table of tickets: `ticket` is a ticket's hash, `mark` that of a post."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, session_id: int, ticket: bytes, mark: bytes, now: float) -> Claim:
        """Claim a post; however many claim it, in any process, one is fresh. Raise SessionEnded."""
        ours = (TICKETS.c.session == session_id, TICKETS.c.act == mark)
        with self._database.writing() as connection:
            found = connection.execute(select(TICKETS.c.claimed, TICKETS.c.outcome).where(*ours)).first()
            if found is not None:
                return Claim(False, found.claimed, json.loads(found.outcome) if found.outcome else None)
            if connection.scalar(select(SESSIONS.c.id).where(SESSIONS.c.id == session_id)) is None:
                raise SessionEnded("a ticket of a session that is gone")
            values = {"session": session_id, "act": mark, "ticket": ticket, "claimed": now}
            connection.execute(insert(TICKETS).values(values))
            return Claim(True, now)

    def settle(self, session_id: int, mark: bytes, outcome: dict[str, str], synced: bool = False) -> None:
        """Record the outcome of a claimed post; the first one stays. `synced`: on disk on return."""
        open_one = (TICKETS.c.session == session_id, TICKETS.c.act == mark, TICKETS.c.outcome.is_(None))
        with self._database.writing(synced) as connection:
            connection.execute(update(TICKETS).where(*open_one).values(outcome=json.dumps(outcome)))

    def release(self, session_id: int, mark: bytes) -> None:
        """Remove the claim of a post that failed, so that the next request carries it out."""
        open_one = (TICKETS.c.session == session_id, TICKETS.c.act == mark, TICKETS.c.outcome.is_(None))
        with self._database.writing() as connection:
            connection.execute(delete(TICKETS).where(*open_one))

    def outcome(self, session_id: int, mark: bytes) -> dict[str, str] | None:
        """Return the outcome of a post, empty while it is running; None if it was never claimed."""
        query = select(TICKETS.c.outcome).where(TICKETS.c.session == session_id, TICKETS.c.act == mark)
        with self._database.reading() as connection:
            found = connection.execute(query).first()
        return None if found is None else json.loads(found.outcome or "{}")

    def last(self, session_id: int, ticket: bytes) -> dict[str, str]:
        """Return the outcome of the newest finished post of a ticket, empty if there is none."""
        ours = (TICKETS.c.session == session_id, TICKETS.c.ticket == ticket, TICKETS.c.outcome.is_not(None))
        query = select(TICKETS.c.outcome).where(*ours).order_by(TICKETS.c.claimed.desc()).limit(1)
        with self._database.reading() as connection:
            found: dict[str, str] = json.loads(connection.scalar(query) or "{}")
        return found
