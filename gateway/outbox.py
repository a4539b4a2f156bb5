"""Sent exactly once: from a ticket and a finished message to one copy at each recipient, one in Sent, and the truth.

Nothing here may hand a message to SMTP twice, call "not sent" what may have been, or say nothing of what is lost. The
order decides, and each step is on the disk before the next: claim the ticket; a copy into Drafts; *submitting*; SMTP;
*accepted*; the copy moves to Sent; the original is flagged; the draft it came from goes. Whoever brings the ticket
again, or signs in again, finds how far it came: what was only claimed is not sent; what was being submitted is not
certain and stays in Drafts; what was accepted is finished. docs/sending.md tells it at length.
Standard: RFC 5321 §6.1 (responsibility passes with the 250 after the data).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Container
from datetime import datetime
from typing import Final

from gateway import filing
from gateway.dispatch import Dispatch, Mail
from gateway.errors import BadRequest, GatewayError, StoreError, SubmissionUncertain
from gateway.journal import NOT_SENT, SENDING, SENT, UNCERTAIN, Outcome
from gateway.session import Session
from gateway.state import StateError
from gateway.store.base import MailStore, MessageRef

__all__ = [
    "NOT_SENT",
    "SENDING",
    "SENT",
    "UNCERTAIN",
    "Mail",
    "Outcome",
    "acknowledge",
    "recover",
    "save_draft",
    "send",
    "sentences",
    "waiting",
]

log = logging.getLogger(__name__)

#: Seconds that a repeat waits for the first one's outcome, and between looks.
PATIENCE: Final = 5.0
GLANCE: Final = 0.1
#: Sendings that one signing in finishes or tells; the next one goes on.
AT_ONCE: Final = 10

_MESSAGE_ID: Final = re.compile(rb"(?im)^Message-ID:\s*(<[^<>\s]+>)")


def _(msgid: str) -> str:
    """Mark a msgid for extraction."""
    return msgid


def send(session: Session, ticket: str, make: Callable[[MailStore], Mail], now: datetime) -> Outcome:
    """Send what `make` makes, once for each ticket, and say what became of it; a repeat is told the same.

    `make` is called once, after the claim; a GatewayError of its is "not sent". Raise BadRequest for a ticket of
    another session, SessionEnded when the mail server no longer takes the password (nothing was sent then).
    """
    if session.check_ticket(ticket) is None:
        raise BadRequest("a ticket that is not of this session")
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with session.journal.at_work(ticket) as alone:
                if alone:
                    return _once(session, ticket, make, now)
        except StateError as error:  # nothing is known then, not even whether this is the first
            log.error("the journal cannot be read: %s", error.detail)
            return Outcome(UNCERTAIN, error.sentence)
        if time.monotonic() >= until:
            return Outcome(SENDING)
        time.sleep(GLANCE)


def recover(session: Session, now: datetime) -> tuple[Outcome, ...]:
    """Finish what was left by a process that died, and return what the person has not been told; never raise.

    What is returned once is returned again until it is acknowledged; what is in flight elsewhere is left alone.
    """
    outcomes: list[Outcome] = []
    looks = True
    try:
        for entry in tuple(session.journal.open(AT_ONCE)):
            with session.journal.at_work_on(entry) as alone:
                left = session.journal.again(entry) if alone else None
                if left is None:
                    continue
                sending = Dispatch(session, left, now, looks)
                outcome = sending.news()
                looks = sending.looks
                outcomes.extend([outcome] if outcome is not None else ())
    except GatewayError as error:
        log.warning("recovery: %s: %s", type(error).__name__, error.detail)
    return tuple(outcomes)


def waiting(session: Session) -> bool:
    """Say whether `recover` has anything to look at; False where that is not known. Costs one look at the journal."""
    try:
        return any(True for _entry in session.journal.open(1))
    except StateError as error:
        log.error("the journal cannot be read: %s", error.detail)
        return False


def acknowledge(session: Session, names: Container[str]) -> None:
    """Remember that the person has seen these outcomes of `recover`."""
    session.journal.tell(names)


def save_draft(
    session: Session, store: MailStore, octets: bytes, replaces: MessageRef | None, now: datetime
) -> MessageRef | None:
    """Put an unfinished message into Drafts and remove the one it replaces; say where it is, if that is known.

    Raise StoreError when it cannot be kept; what was there is there still.
    """
    found = _MESSAGE_ID.search(octets[: octets.find(b"\r\n\r\n") + 2])
    ref = filing.keep(store, octets, found[1].decode("ascii", "replace") if found else "", now)
    try:
        filing.remove(store, replaces)
    except StoreError as error:
        log.info("an older draft stays: %s", type(error).__name__)
    return ref


def sentences(outcome: Outcome) -> tuple[tuple[str, dict[str, str]], ...]:
    """Say an outcome in msgids, each with what goes into it; the first one is the short answer."""
    told: list[tuple[str, dict[str, str]]] = [(_SHORT[outcome.kind], {})]
    if outcome.sentence:
        told.append((outcome.sentence, {"alert": outcome.alert} if outcome.alert else {}))
    if outcome.refused:
        who = ", ".join(outcome.refused)
        told.append((_("Refused, so not sent to: %(who)s"), {"who": who}))
    if outcome.kind == SENT:
        if outcome.refused:
            told.append((_("The others got it."), {}))
        if not outcome.filed:
            told.append((_NOT_FILED[outcome.kept], {}))
    elif outcome.kind in (NOT_SENT, UNCERTAIN):
        told.append((_KEPT[outcome.kept], {}))
    return tuple(told)


_SHORT: Final[dict[str, str]] = {
    SENT: _("Sent."),
    NOT_SENT: _("Not sent."),
    UNCERTAIN: SubmissionUncertain.sentence,
    SENDING: _("Sending. Look again in a moment."),
}
_KEPT: Final[dict[bool | None, str]] = {
    True: _("A copy is in Drafts."),
    False: _("No copy could be kept in Drafts."),
    None: _("Look in Drafts for a copy."),
}
_NOT_FILED: Final[dict[bool | None, str]] = {
    True: _("Its copy is still in Drafts."),
    False: _("No copy could be kept in Sent."),
    None: _("Look in Drafts for its copy."),
}


def _once(session: Session, ticket: str, make: Callable[[MailStore], Mail], now: datetime) -> Outcome:
    fresh, entry = session.journal.claim(ticket, now.timestamp())
    sending = Dispatch(session, entry, now)
    return sending.run(make) if fresh else sending.outcome()
