"""The steps of one sending, the first time; `recovery` has what follows when it is found unfinished.

Nothing here may run twice at once (`outbox` locks), begin a step before the previous one is on disk, or turn
a failure after acceptance into a failure of the sending.
Standard: RFC 5321 §6.1 (responsibility passes with the 250 reply after the data).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.errors import (
    GatewayError,
    RecipientsRefused,
    SenderRefusedThere,
    SentTooMuch,
    ServerAlert,
    SessionEnded,
    StoreError,
    StoreUnreachable,
    SubmissionUncertain,
    SubmissionUnreachable,
)
from gateway.message.outgoing import builder
from gateway.sealed.send_journal import NOT_SENT, UNSENT, Outcome
from gateway.sending import filing
from gateway.sending.progress import Progress, remove_draft
from gateway.state import Stage, StateError
from gateway.store.base import ANSWERED, MailStore, MessageRef
from gateway.submission import Receipt
from gateway.upstreams import deadline

log = logging.getLogger(__name__)


#: Seconds for the steps after acceptance, however long that took: the rest is done at the next sign-in.
FILING_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Mail:
    """A finished message, including Bcc, and what sending it involves.

    `sender` is an address. `answered` is the message that gets `flag`, `draft` the one that this mail was
    resumed from. `copy_to`: the writer's own address among the recipients, if that is the only copy. `after`: marks of
    the sendings that it continues (`JournalEntry.marks`).
    """

    octets: bytes
    sender: str
    recipients: Sequence[str]
    message_id: str
    answered: MessageRef | None = None
    flag: str = ANSWERED
    draft: MessageRef | None = None
    copy_to: str = ""
    after: tuple[str, ...] = ()


class Dispatch(Progress):
    """A sending that begins."""

    _mail: Mail | None = None
    _noted = False

    def run(self, make: Callable[[MailStore], Mail]) -> Outcome:
        """Send a message for the first time."""
        try:
            with self._session.store() as store:
                mail = self._make(store, make)
                self._write(Stage.CLAIMED)
                self._noted = True
                kept = self._keep(store, mail)
        except SessionEnded as error:
            self._not_sent(error, None if self._keeps else False)
            raise
        except GatewayError as error:
            return self._not_sent(error, self._save_after_failure(make, error))
        return self._submit(mail, kept)

    def unclaimed(self, make: Callable[[MailStore], Mail], error: StateError) -> Outcome:
        """Save the text to Drafts; return the outcome of a sending that could not be recorded and so not begun."""
        log.warning("not sent: %s: %s", type(error).__name__, error.detail)
        kept = self._save_after_failure(make, error)
        outcome = self._outcome(NOT_SENT, sentence=error.sentence, kept=kept, begun=False)
        remove_draft(self._session, self._older(outcome))
        return outcome

    def _make(self, store: MailStore, make: Callable[[MailStore], Mail]) -> Mail:
        """Make the message, once, and note what is needed to find it again."""
        if self._mail is None:
            self._mail = mail = make(store)
            notes = replace(
                self._entry.notes,
                message_id=mail.message_id,
                recipients=tuple(mail.recipients),
                answered=mail.answered,
                flag=mail.flag,
                draft=mail.draft,
                copy_to=mail.copy_to,
                after=mail.after,
            )
            self._entry = replace(self._entry, notes=notes)
        return self._mail

    def _save_after_failure(self, make: Callable[[MailStore], Mail], error: GatewayError) -> bool | None:
        """Put the copy into Drafts after all, unless it is there; return None if Drafts cannot be searched."""
        there = self._in_drafts()
        known = there or not self._looked  # without a search, no other copy may be made
        if known or not isinstance(error, (StoreUnreachable, StateError)):
            return there
        try:
            with self._session.store() as store:
                kept = self._keep(store, self._make(store, make))
                one = filing.remove_duplicates(store, self._entry.notes.message_id)
                self._entry = replace(self._entry, notes=replace(self._entry.notes, kept=one))
                return kept
        except SessionEnded:
            raise
        except GatewayError as again:
            log.info("no copy in Drafts: %s", type(again).__name__)
            return self._in_drafts()

    def _keep(self, store: MailStore, mail: Mail) -> bool | None:
        """Put the copy into Drafts. A full mailbox, or one without Drafts, does not stop the sending."""
        try:
            ref = filing.keep(store, mail.octets, mail.message_id, self._now)
        except StoreUnreachable:
            raise
        except StoreError as error:
            log.warning("no copy in Drafts: %s: %s", type(error).__name__, error.detail)
            return self._none
        self._entry = replace(self._entry, notes=replace(self._entry.notes, kept=ref))
        return True

    def _submit(self, mail: Mail, kept: bool | None) -> Outcome:
        try:
            self._session.submission.count(len(mail.recipients))
        except GatewayError as error:
            return self._not_sent(error, kept)
        try:
            self._write(Stage.SUBMITTING)
            receipt = self._session.submission.submit(
                mail.recipients, builder.submitted_form(mail.octets), mail.sender, self._note
            )
        except SubmissionUncertain as error:
            log.warning("not certain: %s", error.detail)
            unsent: dict[str, Any] = {name: getattr(error, name, ()) for name in UNSENT}
            self._entry = replace(self._entry, notes=replace(self._entry.notes, **unsent))
            return self._uncertain(kept)
        except GatewayError as error:
            if not _was_handed_over(error):
                self._session.submission.discount(len(mail.recipients))
            return self._not_sent(error, kept)
        if any(receipt.unsent().values()):
            log.info("not accepted for all: %s", receipt.codes)
        if (
            mail.copy_to
            and set(receipt.accepted) == {mail.copy_to} != set(mail.recipients)
            and not receipt.doubtful
        ):
            # Nobody but the writer has it.
            unsent = {name: who for name, who in receipt.unsent().items() if name != "doubtful"}
            return self._not_sent(RecipientsRefused(detail="all but the copy", **unsent), kept)
        try:
            self._write(Stage.ACCEPTED, **receipt.unsent())
        except StateError as error:  # it is sent all the same, so that is the outcome
            log.error("the journal missed an acceptance: %s", error.detail)
        with deadline.anew(FILING_SECONDS):
            return self._finish(mail.octets)

    def _note(self, receipt: Receipt) -> None:
        """Record who has the mail, before the others are tried in a transaction of their own."""
        self._write(Stage.SUBMITTING, accepted=receipt.accepted, **receipt.unsent())

    def _not_sent(self, error: GatewayError, kept: bool | None) -> Outcome:
        log.warning("not sent: %s: %s", type(error).__name__, error.detail)
        alert = error.alert if isinstance(error, ServerAlert) else ""
        until = error.until if isinstance(error, SentTooMuch) else 0.0
        sender = error.sender if isinstance(error, SenderRefusedThere) else ""
        why = {"sentence": error.sentence, "alert": alert, "until": until, "sender": sender}
        unsent = {name: getattr(error, name, ()) for name in UNSENT}
        return self._end(self._outcome(NOT_SENT, kept=kept, noted=self._noted, **why, **unsent))


def _was_handed_over(error: GatewayError) -> bool:
    """Return whether the submission server has seen the mail, which then counts, whatever the reply was."""
    if isinstance(error, SubmissionUnreachable):
        return error.answered
    return not isinstance(error, StateError)
