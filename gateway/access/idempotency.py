"""Idempotent POST requests: of all requests that post the same, one does the work and all get its outcome.

Nothing here may do the work twice, return the outcome of one post for another, or know about screens. A post is a
ticket together with the content posted (`vault.TicketedPost`): the same content again is a repeat, other content with
the same ticket is another post. Sending mail goes through `outbox` instead, which has one more question to ask.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from gateway.access.session import Session
from gateway.errors import BadRequest, GatewayError
from gateway.sealed import vault
from gateway.sealed.vault import TicketedPost
from gateway.state import Claim, StateError

log = logging.getLogger(__name__)

#: The outcome of a post: ids and msgids by field name (see `outcomes`).
PostOutcome = dict[str, str]

#: Seconds that a repeat waits for the outcome of the first request, and between polls.
WAIT_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.1
#: Seconds after which a request without an outcome counts as dead: longer than all its time limits.
ABANDONED_SECONDS: Final = 300.0
#: The field whose msgid is shown if no outcome is known.
UNKNOWN: Final = "unknown"


def _(msgid: str) -> str:
    """Mark a msgid for extraction."""
    return msgid


UNDER_WAY: Final = _("Still working on it. Look again in a moment.")
UNCERTAIN: Final = _("This may or may not have been done. Check before you try again.")


class OutcomeUnknown(GatewayError):
    """The outcome of a post is not known, or not known yet; `sentence` says which."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def do_once(session: Session, post: TicketedPost, do: Callable[[], PostOutcome]) -> PostOutcome:
    """Call `do` for the first request of a post; return its outcome, also to repeats.

    A repeat waits while the first request is running, and gets UNKNOWN if that takes too long. If `do` raises
    a GatewayError nothing was done, so the next request of the same post calls it again. Raise BadRequest for
    a ticket of another session.
    """
    until = time.monotonic() + WAIT_SECONDS
    while not (found := claim(session, post)).fresh:
        if found.outcome is not None:
            return found.outcome
        if session.now() - found.claimed > ABANDONED_SECONDS:
            return {UNKNOWN: UNCERTAIN}
        if time.monotonic() >= until or not session.await_other(POLL_SECONDS):
            return {UNKNOWN: UNDER_WAY}
    return _first(session, post, do)


def claim(session: Session, post: TicketedPost) -> Claim:
    """Claim a post: fresh the first time, else with its outcome. Raise BadRequest for a foreign ticket."""
    if session.check_ticket(post.ticket) is None:
        raise BadRequest("a ticket that is not of this session")
    return session.state.tickets.claim(session.id, post.key, post.mark, session.now())


def settle(session: Session, post: TicketedPost, outcome: PostOutcome) -> None:
    """Record the outcome of a claimed post for its repeats."""
    session.state.tickets.settle(session.id, post.mark, outcome)


def outcome_of(session: Session, name: str) -> PostOutcome | None:
    """Return the outcome of the post with this name, empty while it is running; None for an unknown one."""
    mark = vault.post_mark(name)
    return session.state.tickets.outcome(session.id, mark) if mark is not None else None


def last_outcome(session: Session, post: TicketedPost) -> PostOutcome:
    """Return the outcome of the newest post with the same ticket; empty if there is none."""
    return session.state.tickets.last(session.id, post.key)


def _first(session: Session, post: TicketedPost, do: Callable[[], PostOutcome]) -> PostOutcome:
    try:
        outcome = do()
    except GatewayError:
        try:
            session.state.tickets.release(session.id, post.mark)
        except StateError as error:
            log.error("the claim of a post that failed could not be released: %s", error.detail)
        raise
    try:
        settle(session, post, outcome)
    except StateError as error:  # it is done all the same, so its outcome is returned
        log.error("an outcome is not kept: %s", error.detail)
    return outcome
