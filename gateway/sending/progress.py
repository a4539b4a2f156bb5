"""The progress of one sending: what is recorded about it, what can be looked up, and how it ends.

Nothing here may run twice at once (`outbox` locks), or call an outcome settled while more can be found out: a step that
cannot be verified is left for later, never guessed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.access.session import Session
from gateway.errors import GatewayError, SessionEnded, StoreUnreachable
from gateway.sealed.send_journal import SENT, UNCERTAIN, JournalEntry, Outcome, OutcomeKind
from gateway.sending import filing, one_copy
from gateway.state import Stage
from gateway.store.base import MailStore, MessageRef

log = logging.getLogger(__name__)


class Progress:
    """One sending, for the request that holds its lock; `entry` is its progress."""

    def __init__(self, session: Session, entry: JournalEntry, now: datetime, looks: bool = True) -> None:
        self._session, self._entry, self._now = session, entry, now
        self._sent_copy = session.submission.sent_copy
        #: Whether to try the mail server: a second failure would cost as much time as the first.
        self.looks = looks
        #: Whether the provider may still put a copy beside ours.
        self._waiting = False
        #: Whether Drafts has been searched.
        self._looked = False

    # --- ends ---

    def _uncertain(self, kept: bool | None, told: bool = True) -> Outcome:
        """Return "uncertain", unless the mail is in Sent: only an acceptance brings it there."""
        if self._in_sent():
            with optional_step("the journal missed an acceptance"):
                self._write(Stage.ACCEPTED)
            return self._finish(None, told)
        return self._end(self._outcome(UNCERTAIN, kept=kept, **self._entry.notes.unsent()))

    def _end(self, outcome: Outcome, told: bool = False) -> Outcome:
        """Settle, unless the copy could not be looked for. One copy in Drafts is enough: the older one is removed."""
        before, known = self._entry.stage, self._entry.notes.outcome
        later, older = self._later(outcome.kept), self._older(outcome)
        open_ = later or older is not None
        with optional_step("an outcome is not in the journal"):
            # Until it is settled, a copy that was seen once is not forgotten.
            noted = known if open_ and known is not None and known.kept else outcome
            self._write(before if open_ else Stage.DONE, told=told, outcome=noted)
        if older is not None and remove_draft(self._session, older) and not later:
            with optional_step("an outcome is not in the journal"):
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
            with optional_step("the original is not flagged"), self._store() as store:
                store.flag([notes.answered], [notes.flag])
                answered = True
        if notes.draft is not None:
            with optional_step("the draft this came from stays for now"), self._store() as store:
                filing.remove(store, notes.draft)
                tidy = True
        if tidy and notes.draft is not None and filed is False and kept is False:  # now there may be room
            filed, kept = self._filed(octets)
        to_self = notes.copy_to != "" and all(notes.copy_to not in some for some in notes.unsent().values())
        outcome = self._outcome(
            SENT, **notes.unsent(), filed=bool(filed), kept=kept, answered=answered, to_self=to_self
        )
        known = told and not outcome.is_partial
        with optional_step("an outcome is not in the journal"):
            # What is still in Drafts is checked once more later: a provider may be slow to file.
            done = tidy and not (self._later(filed) or self._waiting or (kept and octets is not None))
            self._write(Stage.DONE if done else Stage.ACCEPTED, told=known, outcome=outcome)
        return outcome

    def _filed(self, octets: bytes | None) -> tuple[bool | None, bool | None]:
        """File the copy; return whether it is in Sent, and in Drafts. None: unknown, after two connections."""
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
        """Look for the copy in Drafts, and remember its place; None if that is impossible, `_none` without one."""
        # Without a Message-ID there is nothing to look for, now or later; an earlier request may have left a copy.
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
def optional_step(what: str) -> Iterator[None]:
    """Log an error in a step whose failure must not fail the whole."""
    try:
        yield
    except GatewayError as error:
        log.warning("%s: %s: %s", what, type(error).__name__, error.detail)
