"""The steps of one sending: the first time, and again when it is found unfinished.

Nothing here may run twice at once (`outbox` locks), begin a step before the previous one is on disk, or turn
a failure after acceptance into a failure of the sending. If a step cannot be verified it is left for later,
never guessed. Standard: RFC 5321 §6.1 (responsibility passes with the 250 reply after the data).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast

from gateway.access.session import Session
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
from gateway.sealed.send_journal import NOT_SENT, SENT, UNCERTAIN, UNSENT, JournalEntry, Outcome, OutcomeKind
from gateway.sending import filing, one_copy
from gateway.state import Stage, StateError
from gateway.store.base import ANSWERED, MailStore, MessageRef
from gateway.submission import Receipt
from gateway.upstreams import deadline

log = logging.getLogger(__name__)


def _(msgid: str) -> str:
    """Mark a msgid for extraction."""
    return msgid


#: Seconds for the steps after acceptance, however long that took: the rest is done at the next sign-in.
FILING_SECONDS: Final = 10.0
STOPPED: Final = _("The gateway was interrupted before it could send this.")


@dataclass(frozen=True, slots=True)
class Mail:
    """A finished message, including Bcc, and what sending it involves.

    `sender` is an address. `answered` is the message that gets `flag`, `draft` the one that this mail was
    resumed from. `copy_to`: the writer's own address among the recipients, if that is the only copy.
    """

    octets: bytes
    sender: str
    recipients: Sequence[str]
    message_id: str
    answered: MessageRef | None = None
    flag: str = ANSWERED
    draft: MessageRef | None = None
    copy_to: str = ""


class Dispatch:
    """One sending, for the request that holds its lock; `entry` is its progress."""

    def __init__(self, session: Session, entry: JournalEntry, now: datetime, looks: bool = True) -> None:
        self._session, self._entry, self._now = session, entry, now
        self._sent_copy = session.submission.sent_copy
        #: Whether to try the mail server: a second failure would cost as much time as the first.
        self.looks = looks
        self._mail: Mail | None = None
        #: Whether the provider may still put a copy beside ours.
        self._waiting = False
        #: Whether Drafts has been searched.
        self._looked = False

    # --- the first time ---

    def run(self, make: Callable[[MailStore], Mail]) -> Outcome:
        """Send a message for the first time."""
        try:
            with self._session.store() as store:
                mail = self._make(store, make)
                self._write(Stage.CLAIMED)
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
            )
            self._entry = replace(self._entry, notes=notes)
        return self._mail

    def _save_after_failure(self, make: Callable[[MailStore], Mail], error: GatewayError) -> bool | None:
        """Put the copy into Drafts after all, unless it is there; return None if one cannot look."""
        there = self._in_drafts()
        known = there or not self._looked  # without a look, another copy must not be made
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
            # Nobody but the writer got it.
            unsent = {name: who for name, who in receipt.unsent().items() if name != "doubtful"}
            return self._not_sent(RecipientsRefused(detail="all but the copy", **unsent), kept)
        try:
            self._write(Stage.ACCEPTED, **receipt.unsent())
        except StateError as error:  # it is sent all the same, so that is the outcome
            log.error("the journal missed an acceptance: %s", error.detail)
        with deadline.anew(FILING_SECONDS):
            return self._finish(mail.octets)

    def _note(self, receipt: Receipt) -> None:
        """Record who has the mail, before others are tried in a transaction of their own."""
        self._write(Stage.SUBMITTING, accepted=receipt.accepted, **receipt.unsent())

    # --- again ---

    def outcome(self, told: bool = True) -> Outcome:
        """Return the outcome of a sending that began earlier, after finishing it as far as possible."""
        entry = self._entry
        if entry.stage is Stage.DONE:
            known = cast("OutcomeKind", entry.kind or UNCERTAIN)
            return entry.notes.outcome or self._outcome(known, kept=None, filed=None)
        if entry.stage is Stage.ACCEPTED:
            return self._finish(None, told)
        before = entry.notes.outcome
        if entry.stage is Stage.CLAIMED or (before is not None and before.kind == NOT_SENT):
            before = before or self._outcome(NOT_SENT, sentence=STOPPED)
            return self._end(replace(before, kept=self._in_drafts(), draft=self._entry.notes.kept))
        if entry.notes.accepted:
            return self._broken_off(told)
        return self._uncertain(self._in_drafts(), told)

    def _broken_off(self, told: bool) -> Outcome:
        """Finish a sending that some recipients have: of those who were still to be tried nothing is certain."""
        notes = self._entry.notes
        known = {spec for group in (notes.accepted, *notes.unsent().values()) for spec in group}
        rest = tuple(dict.fromkeys(spec for spec in notes.recipients if spec not in known))
        with _optional("the journal missed an acceptance"):
            self._write(Stage.ACCEPTED, doubtful=rest)
        return self._finish(None, told)

    @property
    def is_to_be_looked_after(self) -> bool:
        """Whether nothing is left but to see where the copy is by now."""
        entry, age = self._entry, self._now.timestamp() - self._entry.at
        return (
            entry.stage is Stage.ACCEPTED and entry.told and entry.readable and age >= one_copy.LATE_SECONDS
        )

    def news(self) -> Outcome | None:
        """Return the outcome to report after sign-in.

        None if the person knows it, or has dealt with the mail already, or as long as one cannot look whether.
        """
        entry = self._entry
        if entry.stage is not Stage.DONE:
            known = entry.told
            outcome = self.outcome(told=known)
            return None if known or self._is_resumed(outcome) else outcome
        if entry.told:
            return None
        ended = self.outcome()
        if ended.text and self._session.journal.is_gone_on_with(ended.text, entry.at):
            self._write(Stage.DONE, told=True)
            return None
        if ended.kind == SENT or not ended.kept:
            return ended
        there = self._in_drafts()
        if self._later(
            there
        ):  # what is known of it may be old: it may have been sent again from Drafts since
            return None
        # Sent again from Drafts, or removed; the copy is there for a while after that if the gateway died meanwhile.
        if self._is_resumed(ended) or (self._looked and not there):
            self._write(Stage.DONE, told=True)
            return None
        return self._uncertain(there, told=False) if ended.kind == UNCERTAIN else ended

    def _is_resumed(self, outcome: Outcome) -> bool:
        """Return whether the copy in Drafts was sent from there since: that sending is reported instead."""
        copies = {ref for ref in (outcome.draft, self._entry.notes.kept) if ref is not None}
        return outcome.kind != SENT and bool(copies) and self._session.journal.is_resumed(copies)

    # --- ends ---

    def _not_sent(self, error: GatewayError, kept: bool | None) -> Outcome:
        log.warning("not sent: %s: %s", type(error).__name__, error.detail)
        alert = error.alert if isinstance(error, ServerAlert) else ""
        until = error.until if isinstance(error, SentTooMuch) else 0.0
        sender = error.sender if isinstance(error, SenderRefusedThere) else ""
        why = {"sentence": error.sentence, "alert": alert, "until": until, "sender": sender}
        unsent = {name: getattr(error, name, ()) for name in UNSENT}
        return self._end(self._outcome(NOT_SENT, kept=kept, **why, **unsent))

    def _uncertain(self, kept: bool | None, told: bool = True) -> Outcome:
        """Return "uncertain", unless the mail is in Sent: only an acceptance brings it there."""
        if self._in_sent():
            with _optional("the journal missed an acceptance"):
                self._write(Stage.ACCEPTED)
            return self._finish(None, told)
        return self._end(self._outcome(UNCERTAIN, kept=kept, **self._entry.notes.unsent()))

    def _end(self, outcome: Outcome, told: bool = False) -> Outcome:
        """Settle, unless the copy could not be looked for. One copy in Drafts is enough: the older one is removed."""
        before, known = self._entry.stage, self._entry.notes.outcome
        later, older = self._later(outcome.kept), self._older(outcome)
        open_ = later or older is not None
        with _optional("an outcome is not in the journal"):
            # Until it is settled, a copy that was seen once is not forgotten.
            noted = known if open_ and known is not None and known.kept else outcome
            self._write(before if open_ else Stage.DONE, told=told, outcome=noted)
        if older is not None and remove_draft(self._session, older) and not later:
            with _optional("an outcome is not in the journal"):
                self._write(Stage.DONE, told=told, outcome=outcome)
        return outcome

    def _older(self, outcome: Outcome) -> MessageRef | None:
        """Return the draft this mail came from, if a copy in Drafts has replaced it, even one that has gone since."""
        draft, before = self._entry.notes.draft, self._entry.notes.outcome
        seen = [one for one in (before, outcome) if one is not None and one.kept]
        return draft if seen and all(draft != one.draft for one in seen) else None

    def _finish(self, octets: bytes | None, told: bool = True) -> Outcome:
        """Do what follows acceptance; what fails now is tried again at the next sign-in."""
        notes = self._entry.notes
        filed, kept = self._filed(octets)
        answered, tidy = False, notes.draft is None
        if notes.answered is not None and notes.flag and self._session.last_seen_can.flag:
            with _optional("the original is not flagged"), self._store() as store:
                store.flag([notes.answered], [notes.flag])
                answered = True
        if notes.draft is not None:
            with _optional("the draft this came from stays for now"), self._store() as store:
                filing.remove(store, notes.draft)
                tidy = True
        if tidy and notes.draft is not None and filed is False and kept is False:  # now there may be room
            filed, kept = self._filed(octets)
        to_self = notes.copy_to != "" and all(notes.copy_to not in some for some in notes.unsent().values())
        outcome = self._outcome(
            SENT, **notes.unsent(), filed=bool(filed), kept=kept, answered=answered, to_self=to_self
        )
        known = told and not outcome.is_partial
        with _optional("an outcome is not in the journal"):
            # What is still in Drafts is looked after once more: a provider may be slow to file.
            done = tidy and not (self._later(filed) or self._waiting or (kept and octets is not None))
            self._write(Stage.DONE if done else Stage.ACCEPTED, told=known, outcome=outcome)
        return outcome

    def _filed(self, octets: bytes | None) -> tuple[bool | None, bool | None]:
        """File the copy; return whether it is in Sent, and in Drafts. None: that was not seen, on two connections."""
        if not self._keeps:
            return False, False
        for _connection in range(2 if self._entry.readable else 0):
            try:
                with self._store() as store:
                    if self._file(store, octets):
                        return True, False
                    return False, filing.find(store, filing.DRAFTS, self._entry.notes.message_id) is not None
            except StoreUnreachable as error:
                log.warning("the copy is not where it belongs yet: %s", error.detail)
                if not error.dropped:
                    break
                self.looks = True
            except GatewayError as error:
                log.warning("the copy is not where it belongs: %s: %s", type(error).__name__, error.detail)
                kept = self._in_drafts()
                return (self._in_sent(), False) if kept is False else (False if kept else None, kept)
        return None, None

    def _file(self, store: MailStore, octets: bytes | None) -> bool:
        """Leave one copy, in Sent, and note which one is ours if another may come."""
        notes = self._entry.notes
        if octets is None:
            age = self._now.timestamp() - self._entry.at
            filed = one_copy.leave_one_later(store, self._sent_copy, notes, age)
        else:
            filed = one_copy.leave_one(store, self._sent_copy, notes, octets, self._now)
        self._entry = replace(self._entry, notes=replace(notes, in_sent=filed.ours))
        self._waiting = filed.waiting
        return filed.there

    # --- looking and writing ---

    def _later(self, known: bool | None) -> bool:
        """Return whether more can be known later: not without the notes, nor after a look."""
        return known is None and self._entry.readable and not self._looked

    @contextmanager
    def _store(self) -> Iterator[MailStore]:
        """Lease the mail store, unless it has failed before."""
        if not self.looks:
            raise StoreUnreachable("it failed before")
        try:
            with self._session.store() as store:
                yield store
        except (StoreUnreachable, SessionEnded):
            self.looks = False
            raise

    def _in_drafts(self) -> bool | None:
        """Look for the copy in Drafts, and remember its place; None if one cannot look, or see `_none`."""
        # Without a Message-ID there is nothing to look for, now or later; a request before may have left a copy.
        self._looked = self._entry.readable and not (self._entry.notes.message_id and self._keeps)
        if self._looked or not self._entry.notes.message_id:
            return self._none if self._looked and not self._keeps else None
        try:
            with self._store() as store:
                ref = filing.find(store, filing.DRAFTS, self._entry.notes.message_id)
        except GatewayError as error:
            log.info("Drafts cannot be looked into: %s", type(error).__name__)
            return None
        self._entry = replace(self._entry, notes=replace(self._entry.notes, kept=ref))
        self._looked = True
        return True if ref is not None else self._none

    @property
    def _keeps(self) -> bool:
        """Whether the mailbox has Drafts and Sent at all."""
        return self._session.last_seen_can.append

    @property
    def _none(self) -> bool | None:
        """What is known if no copy was found: the draft that the mail was resumed from may hold the same text."""
        return None if self._entry.notes.resumed else False

    def _in_sent(self) -> bool:
        """Look for the copy in Sent."""
        if not self._keeps:
            return False
        try:
            with self._store() as store:
                return filing.find(store, filing.SENT, self._entry.notes.message_id) is not None
        except GatewayError as error:
            log.info("Sent cannot be looked into: %s", type(error).__name__)
            return False

    def _outcome(self, kind: OutcomeKind, **values: Any) -> Outcome:
        notes = self._entry.notes
        entry, keeps = self._entry, self._keeps
        made = Outcome(kind, recipients=notes.recipients, at=entry.at, name=entry.name, keeps=keeps)
        made = replace(made, **values)
        return replace(made, draft=notes.kept if made.kept else None)

    def _write(self, stage: Stage, told: bool | None = None, **values: Any) -> None:
        notes = replace(self._entry.notes, **values)
        known = self._entry.told if told is None else told
        self._entry = self._session.journal.write(replace(self._entry, stage=stage, told=known, notes=notes))


def _was_handed_over(error: GatewayError) -> bool:
    """Return whether the submission server has seen the mail, which then counts, whatever the reply was."""
    if isinstance(error, SubmissionUnreachable):
        return error.answered
    return not isinstance(error, StateError)


def remove_draft(session: Session, draft: MessageRef | None) -> bool:
    """Remove a draft that was replaced, on a second connection if the first breaks; return whether that worked."""
    for _connection in range(2):
        try:
            if draft is not None:
                with session.store() as store:
                    filing.remove(store, draft)
            return True
        except StoreUnreachable as error:
            log.info("an older draft is not removed yet: %s", error.detail)
        except GatewayError as error:
            log.warning("an older draft stays: %s: %s", type(error).__name__, error.detail)
            break
    return False


@contextmanager
def _optional(what: str) -> Iterator[None]:
    """Log an error in a step whose failure must not fail the whole."""
    try:
        yield
    except GatewayError as error:
        log.warning("%s: %s: %s", what, type(error).__name__, error.detail)
