"""Exactly-once sending: one copy for each recipient, one in Sent, and a true report to the person.

Nothing here may hand a message to SMTP twice, call "not sent" what may have been sent, or lose a text silently. The
order decides, and each step is on disk before the next: claim the ticket; a copy into Drafts; *submitting*; SMTP;
*accepted*; the copy moves to Sent; the original is flagged; the draft it came from is removed. A repeat of the same
post, or the next sign-in, finds out how far the sending got: if it was only claimed it is not sent; if it was being
submitted it is uncertain and stays in Drafts; if it was accepted it is finished. Other content posted with a ticket
whose mail was or may have been sent is asked about first. See docs/sending.md. Standard: RFC 5321 §6.1 (responsibility
passes with the 250 reply after the data).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Container
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from gateway.access.session import Session
from gateway.errors import (
    BadRequest,
    GatewayError,
    RecipientsDeferred,
    RecipientsRefused,
    RecipientsTooLarge,
    SubmissionUncertain,
)
from gateway.sealed.send_journal import (
    ASKED,
    NOT_SENT,
    SENDING,
    SENT,
    UNCERTAIN,
    JournalEntry,
    Outcome,
    OutcomeKind,
)
from gateway.sealed.vault import TicketedPost
from gateway.sending import filing
from gateway.sending.dispatch import Dispatch, Mail
from gateway.sending.progress import remove_draft
from gateway.sending.recovery import Recovery
from gateway.state import BUSY_SECONDS, Stage, StateError, optional
from gateway.store.base import MailStore, MessageRef

__all__ = [
    "ASKED",
    "NOT_SENT",
    "SENDING",
    "SENT",
    "UNCERTAIN",
    "Mail",
    "Outcome",
    "acknowledge",
    "has_pending",
    "record_draft",
    "recover",
    "remove_replaced_draft",
    "save_draft",
    "send",
    "sentences",
]

log = logging.getLogger(__name__)

#: Seconds that a repeat waits for the outcome of the first request, and between polls.
WAIT_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.1
#: Sendings that one sign-in finishes or reports; the next one goes on.
AT_ONCE: Final = 10

_MESSAGE_ID: Final = re.compile(rb"(?im)^Message-ID:\s*(<[^<>\s]+>)")


def _(msgid: str) -> str:
    """Mark a msgid for extraction."""
    return msgid


def send(
    session: Session,
    post: TicketedPost,
    make: Callable[[MailStore], Mail],
    now: datetime,
    resumed: bool = False,
    form: str = "",
) -> Outcome:
    """Send the mail that `make` returns, once for each post, and return the outcome, also to repeats.

    ASKED: nothing was sent, because another mail was, or may have been, sent with the same ticket. `make` is called
    once, after the claim; if it raises a GatewayError the mail is not sent. `resumed`: the page came from Drafts;
    `form`: the digest of the saved form that it was typed on. Raise BadRequest for a ticket of another session that
    this account has not sent with, and SessionEnded, before anything is sent, if the mail server no longer accepts the
    password.
    """
    entry = session.journal.new_entry(post, now.timestamp(), resumed, form)
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with session.journal.locked(post) as alone:
                if alone:
                    return _once(session, post, entry, make, now)
            if time.monotonic() >= until or not session.await_other(POLL_SECONDS):
                return _under_way(session, post)
        except StateError as error:
            return _unheld(session, post, entry, make, now, error)


def recover(session: Session, now: datetime) -> tuple[Outcome, ...]:
    """Finish what a process left behind when it died, and return the outcomes not yet reported; never raise.

    An outcome is returned until it is acknowledged; sendings that are running elsewhere are left alone.
    """
    outcomes: list[Outcome] = []
    looks = True
    try:
        for entry in tuple(session.journal.open(AT_ONCE)):
            with session.journal.locked(entry) as alone:
                left = session.journal.again(entry) if alone else None
                if left is None:
                    continue
                sending = Recovery(session, left, now, looks)
                outcome = sending.news()
                looks = sending.looks
                outcomes.extend([outcome] if outcome is not None else ())
    except GatewayError as error:
        log.warning("recovery: %s: %s", type(error).__name__, error.detail)
    return tuple(outcomes)


def has_pending(session: Session) -> bool:
    """Return whether `recover` has anything to do; False if unknown. Costs one read of the journal."""
    try:
        return any(True for _entry in session.journal.open(1))
    except StateError as error:
        log.error("the journal cannot be read: %s", error.detail)
        return False


def acknowledge(session: Session, names: Container[str]) -> None:
    """Record that the person has seen these outcomes of `recover`; if that fails they are reported again."""
    with optional("who has heard of their mail"):
        session.journal.tell(names)


def record_draft(session: Session, outcome: Outcome, draft: MessageRef | None) -> Outcome:
    """Record that a copy of an unsent mail is in Drafts after all; return the corrected outcome."""
    known = replace(outcome, kept=True, draft=draft)
    with optional("that a copy is in Drafts", BUSY_SECONDS):
        session.journal.correct(known)
    return known


def save_draft(store: MailStore, octets: bytes, now: datetime) -> MessageRef | None:
    """Put an unfinished message into Drafts, unless it is there; return its reference if known. Raise StoreError."""
    found = _MESSAGE_ID.search(octets[: octets.find(b"\r\n\r\n") + 2])
    return filing.keep(store, octets, found[1].decode("ascii", "replace") if found else "", now)


def remove_replaced_draft(session: Session, older: MessageRef | None, ref: MessageRef | None) -> None:
    """Remove the draft that a newer one has replaced; if that fails it stays, and nothing is lost."""
    if older != ref:
        remove_draft(session, older)


def _utc(when: datetime) -> str:
    return f"{when.astimezone(UTC):%H:%M} UTC"


def sentences(
    outcome: Outcome, clock: Callable[[datetime], str] = _utc
) -> tuple[tuple[str, dict[str, str]], ...]:
    """Return an outcome as msgids, each with its values; the first one is the short form.

    `clock` formats a time of day.
    """
    unseen = outcome.kind == UNCERTAIN and not outcome.keeps
    parts: list[tuple[str, dict[str, str]]] = [(_NOT_CERTAIN if unseen else _SHORT[outcome.kind], {})]
    if outcome.sentence and not (outcome.is_partial and outcome.sentence in _OF_RECIPIENTS):
        values = {"alert": outcome.alert} if outcome.alert else {}
        if outcome.until:
            values["time"] = clock(datetime.fromtimestamp(outcome.until, UTC))
        if outcome.sender:
            values["sender"] = outcome.sender
        parts.append((outcome.sentence, values))
    for name, msgid in _UNSENT.items():
        if who := ", ".join(getattr(outcome, name)):
            parts.append((msgid, {"who": who}))
    if outcome.kind == SENT:
        if outcome.is_partial:
            parts.append((_("It was sent to the others."), {}))
        if outcome.filed is False:
            copied = outcome.to_self and outcome.kept is False
            parts.append((_("A copy was sent to you.") if copied else _COPY_NOT_IN_SENT[outcome.kept], {}))
    elif outcome.kind in (NOT_SENT, UNCERTAIN):
        parts.append((_COPY_IN_DRAFTS[outcome.kept], {}))
    return tuple(parts)


_SHORT: Final[dict[str, str]] = {
    SENT: _("Sent."),
    NOT_SENT: _("Not sent."),
    UNCERTAIN: SubmissionUncertain.sentence,
    SENDING: _("Sending. Look again in a moment."),
}
#: If there is no Sent mailbox to look in.
_NOT_CERTAIN: Final = _("It is not certain whether the message was sent.")
_UNSENT: Final[dict[str, str]] = {
    "refused": _("Refused, so not sent to: %(who)s"),
    "later": _("The mail server asks you to wait. Not sent yet to: %(who)s"),
    "too_large": _("Too large for their mailbox, so not sent to: %(who)s"),
    "doubtful": _("It is not certain whether it was sent to: %(who)s"),
}
#: What need not be said if the recipients are named.
_OF_RECIPIENTS: Final = frozenset(
    kind.sentence for kind in (RecipientsRefused, RecipientsDeferred, RecipientsTooLarge)
)
_COPY_IN_DRAFTS: Final[dict[bool | None, str]] = {
    True: _("A copy is in Drafts."),
    False: _("No copy could be kept in Drafts."),
    None: _("Look in Drafts for a copy."),
}
_COPY_NOT_IN_SENT: Final[dict[bool | None, str]] = {
    True: _("The copy is still in Drafts."),
    False: _("No copy could be kept in Sent."),
    None: _("A copy may or may not be in Sent."),
}


def _once(
    session: Session,
    post: TicketedPost,
    entry: JournalEntry,
    make: Callable[[MailStore], Mail],
    now: datetime,
) -> Outcome:
    known = _known(session, post, now)
    if known is not None:
        return known
    try:
        _fresh, entry = session.journal.claim(entry)
    except StateError as error:
        return _unclaimed(session, entry, make, now, error)
    _look_after(session, now)
    return Dispatch(session, entry, now).run(make)


def _look_after(session: Session, now: datetime) -> None:
    """See where the copies of earlier mails are now: if a provider files late, that is learnt for the next mail."""
    if session.submission.sent_copy.certain:
        return
    try:
        for entry in tuple(session.journal.open(AT_ONCE)):
            with session.journal.locked(entry) as alone:
                left = session.journal.again(entry) if alone else None
                if left is not None and (sending := Recovery(session, left, now)).is_to_be_looked_after:
                    sending.outcome()
    except GatewayError as error:
        log.warning("copies of earlier mails: %s: %s", type(error).__name__, error.detail)


def _known(session: Session, post: TicketedPost, now: datetime) -> Outcome | None:
    """Return the outcome of a post that began earlier, or a question; None for a new one."""
    own, others = session.journal.of(post)
    if own is not None:
        return _newest(session, own, now)
    for entry in others:
        first = _newest(session, entry, now)
        if first.kind != NOT_SENT:
            return _question(first.kind, entry)
    if session.check_ticket(post.ticket) is None:
        raise BadRequest("a ticket that is not of this session")
    return None


def _newest(session: Session, own: JournalEntry, now: datetime) -> Outcome:
    """Return the outcome of a sending, or of one that has continued it since and may have reached its recipients."""
    sending = Recovery(session, own, now)
    outcome = sending.outcome()
    for later in sending.successors(outcome) if outcome.kind == NOT_SENT else ():
        found = _of_another(session, own, later, now)
        if found.kind == NOT_SENT or (own.notes.message_id and later.notes.addressed != own.notes.addressed):
            continue
        # If it was never made, its recipients are not known.
        return found if own.notes.message_id else replace(outcome, kind=UNCERTAIN, sentence="")
    return outcome


def _of_another(session: Session, own: JournalEntry, other: JournalEntry, now: datetime) -> Outcome:
    """Return the outcome of a sending other than the one whose lock is held."""
    if other.stage is Stage.DONE or other.key == own.key:
        return Recovery(session, other, now).outcome()
    with session.journal.locked(other) as alone:
        left = session.journal.again(other) if alone else None
        if left is not None:
            return Recovery(session, left, now).outcome()
        return Outcome(SENDING)


def _unheld(
    session: Session,
    post: TicketedPost,
    entry: JournalEntry,
    make: Callable[[MailStore], Mail],
    now: datetime,
    error: StateError,
) -> Outcome:
    """Return what is known when no lock can be taken, so that nobody can begin the sending."""
    try:
        own, others = session.journal.of(post)
        if any(one.stage is not Stage.DONE for one in (own, *others) if one is not None):
            return _unknown(session, error)  # perhaps another request is running, and perhaps it died
        return _known(session, post, now) or _unclaimed(session, entry, make, now, error)
    except StateError as unread:  # nothing is known, not even whether this is the first request
        log.error("the journal cannot be read: %s", unread.detail)
        return _unknown(session, unread)


def _unknown(session: Session, error: StateError) -> Outcome:
    return Outcome(UNCERTAIN, error.sentence, keeps=session.last_seen_can.append)


def _unclaimed(
    session: Session, entry: JournalEntry, make: Callable[[MailStore], Mail], now: datetime, error: StateError
) -> Outcome:
    return Dispatch(session, entry, now).unclaimed(make, error)


def _under_way(session: Session, post: TicketedPost) -> Outcome:
    """Return what is known while another request works with the ticket, on this post or another."""
    own, others = session.journal.of(post)
    return Outcome(SENDING) if own is not None or not others else _question(SENDING, others[-1])


def _question(first: OutcomeKind, before: JournalEntry) -> Outcome:
    """Ask whether this is a second mail; `before` is the earlier sending."""
    return Outcome(ASKED, recipients=before.notes.recipients, at=before.at, first=first)
