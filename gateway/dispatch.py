"""One sending, step by step: the first time, and again by whoever finds it unfinished.

Nothing here may be done by two at once (`outbox` sees to that), go on to the next step before the last is on the disk,
or make a failure of what comes after acceptance. A step that cannot be looked into is left for later, never guessed.
Standard: RFC 5321 §6.1 (responsibility passes with the 250 after the data).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from gateway import filing
from gateway.errors import (
    GatewayError,
    ServerAlert,
    SessionEnded,
    StoreError,
    StoreUnreachable,
    SubmissionUncertain,
)
from gateway.journal import NOT_SENT, SENT, UNCERTAIN, Entry, Kind, Outcome, name
from gateway.message import outgoing
from gateway.session import Session
from gateway.state import Stage, StateError
from gateway.store.base import ANSWERED, MailStore, MessageRef

log = logging.getLogger(__name__)


def _(msgid: str) -> str:
    """Mark a msgid for extraction."""
    return msgid


STOPPED: Final = _("The gateway was stopped before it was sent.")


@dataclass(frozen=True, slots=True)
class Mail:
    """A finished message, with Bcc and all, and what goes with it.

    `sender` is an address. `answered` is the message that gets `flag`, `draft` the one that this was resumed from.
    """

    octets: bytes
    sender: str
    recipients: Sequence[str]
    message_id: str
    answered: MessageRef | None = None
    flag: str = ANSWERED
    draft: MessageRef | None = None


class Dispatch:
    """One sending, by whoever is alone at work on it; `entry` is how far it has come."""

    def __init__(self, session: Session, entry: Entry, now: datetime, looks: bool = True) -> None:
        self._session, self._entry, self._now = session, entry, now
        self._provider = session.sent_copy == "provider"
        #: Whether the mail server is worth asking; a second failure would cost as much time as the first.
        self.looks = looks

    # --- the first time ---

    def run(self, make: Callable[[MailStore], Mail]) -> Outcome:
        """Send a message for the first time."""
        try:
            with self._session.store() as store:
                mail = make(store)
                self._write(
                    Stage.CLAIMED,
                    message_id=mail.message_id,
                    recipients=tuple(mail.recipients),
                    answered=mail.answered,
                    flag=mail.flag,
                    draft=mail.draft,
                )
                kept = self._keep(store, mail)
        except SessionEnded as error:
            self._not_sent(error, False)
            raise
        except GatewayError as error:
            return self._not_sent(error, self._in_drafts())
        return self._submit(mail, kept)

    def _keep(self, store: MailStore, mail: Mail) -> bool:
        """Put the copy into Drafts. A full mailbox, or one without Drafts, is no reason to be silent."""
        try:
            ref = filing.keep(store, mail.octets, mail.message_id, self._now)
        except StoreUnreachable:
            raise
        except StoreError as error:
            log.warning("no copy in Drafts: %s: %s", type(error).__name__, error.detail)
            return False
        self._entry = replace(self._entry, notes=replace(self._entry.notes, kept=ref))
        return True

    def _submit(self, mail: Mail, kept: bool) -> Outcome:
        try:
            self._write(Stage.SUBMITTING)
            receipt = self._session.submit(mail.recipients, outgoing.wire(mail.octets), mail.sender)
        except SubmissionUncertain as error:
            log.warning("not certain: %s", error.detail)
            return self._uncertain(kept)
        except GatewayError as error:
            return self._not_sent(error, kept)
        try:
            self._write(Stage.ACCEPTED, refused=tuple(receipt.refused))
        except StateError as error:  # it is sent all the same, and what is told now is the truth
            log.error("the journal missed an acceptance: %s", error.detail)
        return self._finish(mail.octets)

    # --- again ---

    def outcome(self, told: bool = True) -> Outcome:
        """Say what became of a sending that was begun before, after finishing it as far as that goes."""
        entry = self._entry
        if entry.stage is Stage.DONE:
            return entry.notes.outcome or self._made(UNCERTAIN, kept=None)
        if entry.stage is Stage.ACCEPTED:
            return self._finish(None, told)
        if entry.stage is Stage.CLAIMED:
            before = entry.notes.outcome or self._made(NOT_SENT, sentence=STOPPED)
            return self._end(replace(before, kept=self._in_drafts(), draft=self._entry.notes.kept))
        return self._uncertain(self._in_drafts(), told)

    def news(self) -> Outcome | None:
        """Say what became of it to who has just signed in; None when they know, or have seen to it themselves."""
        entry = self._entry
        if entry.stage is not Stage.DONE:
            known = entry.told
            outcome = self.outcome(told=known)
            return None if known else outcome
        ended = entry.notes.outcome
        if entry.told or ended is None:
            return None
        if ended.kind == SENT or not ended.kept:
            return ended
        there = self._in_drafts()
        if there is False:  # sent again from Drafts, or removed
            self._write(Stage.DONE, told=True)
            return None
        return self._uncertain(there, told=False) if ended.kind == UNCERTAIN else ended

    # --- ends ---

    def _not_sent(self, error: GatewayError, kept: bool | None) -> Outcome:
        log.warning("not sent: %s: %s", type(error).__name__, error.detail)
        alert = error.alert if isinstance(error, ServerAlert) else ""
        refused = tuple(getattr(error, "refused", ()))
        return self._end(
            self._made(NOT_SENT, sentence=error.sentence, alert=alert, refused=refused, kept=kept)
        )

    def _uncertain(self, kept: bool | None, told: bool = True) -> Outcome:
        """Nobody knows, but for what is in Sent: only an acceptance brings it there."""
        if self._in_sent():
            with _minor("the journal missed an acceptance"):
                self._write(Stage.ACCEPTED)
            return self._finish(None, told)
        return self._end(self._made(UNCERTAIN, kept=kept))

    def _end(self, outcome: Outcome, told: bool = False) -> Outcome:
        """Settle, unless one could not look where the copy is. One copy in Drafts is enough."""
        stage = self._entry.stage if self._later(outcome.kept) else Stage.DONE
        with _minor("an outcome is not in the journal"):
            self._write(stage, told=told, outcome=outcome)
        if outcome.kept and self._entry.notes.draft is not None:
            with _minor("the draft this came from stays"), self._session.store() as store:
                filing.remove(store, self._entry.notes.draft)
        return outcome

    def _finish(self, octets: bytes | None, told: bool = True) -> Outcome:
        """Do what comes after acceptance; what cannot be done now is tried again at the next sign-in."""
        notes = self._entry.notes
        filed: bool | None = None
        answered = False
        with _minor("the copy is not where it belongs yet"), self._lent() as store:
            filed = self._file(store, octets) if self._entry.readable else None
        with _minor("the original is not flagged"), self._lent() as store:
            if notes.answered is not None and notes.flag:
                store.flag([notes.answered], [notes.flag])
                answered = True
        with _minor("the draft this came from stays"), self._lent() as store:
            filing.remove(store, notes.draft)
        kept = None if filed is None else False
        outcome = self._made(SENT, refused=notes.refused, filed=bool(filed), kept=kept, answered=answered)
        known = told and not notes.refused
        with _minor("an outcome is not in the journal"):
            self._write(Stage.ACCEPTED if self._later(filed) else Stage.DONE, told=known, outcome=outcome)
        return outcome

    def _file(self, store: MailStore, octets: bytes | None) -> bool:
        notes = self._entry.notes
        if self._provider:
            filing.remove(
                store, notes.kept if octets else filing.find(store, filing.DRAFTS, notes.message_id)
            )
            return True
        if octets is None:
            return filing.file(store, notes.message_id)
        return filing.file(store, notes.message_id, notes.kept, octets, self._now)

    # --- looking and writing ---

    def _later(self, known: bool | None) -> bool:
        """Say whether more can be known later: not without the notes."""
        return known is None and self._entry.readable

    @contextmanager
    def _lent(self) -> Iterator[MailStore]:
        """Lend the store, unless it has failed before."""
        if not self.looks:
            raise StoreUnreachable("it failed before")
        try:
            with self._session.store() as store:
                yield store
        except (StoreUnreachable, SessionEnded):
            self.looks = False
            raise

    def _in_drafts(self) -> bool | None:
        """Look for the copy in Drafts, and remember where it is; None when one cannot look."""
        if not self._entry.notes.message_id:
            return False if self._entry.readable else None
        try:
            with self._lent() as store:
                ref = filing.find(store, filing.DRAFTS, self._entry.notes.message_id)
        except GatewayError as error:
            log.info("Drafts cannot be looked into: %s", type(error).__name__)
            return None
        self._entry = replace(self._entry, notes=replace(self._entry.notes, kept=ref))
        return ref is not None

    def _in_sent(self) -> bool:
        """Look for the copy in Sent."""
        try:
            with self._lent() as store:
                return filing.find(store, filing.SENT, self._entry.notes.message_id) is not None
        except GatewayError as error:
            log.info("Sent cannot be looked into: %s", type(error).__name__)
            return False

    def _made(self, kind: Kind, **values: Any) -> Outcome:
        notes = self._entry.notes
        made = Outcome(kind, recipients=notes.recipients, at=self._entry.at, name=name(self._entry.key))
        made = replace(made, **values)
        return replace(made, draft=notes.kept if made.kept else None)

    def _write(self, stage: Stage, told: bool | None = None, **values: Any) -> None:
        notes = replace(self._entry.notes, **values)
        known = self._entry.told if told is None else told
        self._entry = self._session.journal.write(replace(self._entry, stage=stage, told=known, notes=notes))


@contextmanager
def _minor(what: str) -> Iterator[None]:
    """Go on without what is not worth a failure of the whole."""
    try:
        yield
    except GatewayError as error:
        log.warning("%s: %s: %s", what, type(error).__name__, error.detail)
