"""A sending that is found unfinished, by a repeat of its request or by a sign-in: it is finished and reported.

Nothing here may submit anything, or call "not sent" a mail that was, or may have been, sent since.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, cast

from gateway.errors import GatewayError
from gateway.message.outgoing import builder
from gateway.sealed.send_journal import NOT_SENT, SENT, UNCERTAIN, JournalEntry, Outcome, OutcomeKind
from gateway.sending import filing, one_copy
from gateway.sending.progress import Progress, optional_step
from gateway.state import Stage

log = logging.getLogger(__name__)


def _(msgid: str) -> str:
    """Mark a msgid for extraction."""
    return msgid


STOPPED: Final = _("The gateway was interrupted before it could send this.")


class Recovery(Progress):
    """A sending that began earlier."""

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
            kept = self._in_drafts()
            if kept is False and self._keeps:
                kept = self._in_a_later_draft()
            return self._end(replace(before, kept=kept, draft=self._entry.notes.kept))
        if entry.notes.accepted:
            return self._broken_off(told)
        return self._uncertain(self._in_drafts(), told)

    def _in_a_later_draft(self) -> bool | None:
        """Look for a draft that continues this sending: one that is in no journal may have taken its copy's place."""
        try:
            with self._store() as store:
                found = (
                    filing.find_by_field(store, builder.AFTER, mark) for mark in sorted(self._entry.marks)
                )
                ref = next(filter(None, found), None)
        except GatewayError as error:
            log.info("Drafts cannot be looked into: %s", type(error).__name__)
            return None
        self._entry = replace(self._entry, notes=replace(self._entry.notes, kept=ref))
        return ref is not None

    def _broken_off(self, told: bool) -> Outcome:
        """Finish a sending that reached some recipients: nothing is certain about those still to be tried."""
        notes = self._entry.notes
        known = {spec for group in (notes.accepted, *notes.unsent().values()) for spec in group}
        rest = tuple(dict.fromkeys(spec for spec in notes.recipients if spec not in known))
        with optional_step("the journal missed an acceptance"):
            self._write(Stage.ACCEPTED, doubtful=rest)
        return self._finish(None, told)

    @property
    def is_to_be_looked_after(self) -> bool:
        """Whether nothing is left but to see where the copy is now."""
        entry, age = self._entry, self._now.timestamp() - self._entry.at
        return (
            entry.stage is Stage.ACCEPTED and entry.told and entry.readable and age >= one_copy.LATE_SECONDS
        )

    def news(self) -> Outcome | None:
        """Return the outcome to report after sign-in.

        None if the person knows it or has already continued the mail, or while that cannot be checked.
        """
        entry = self._entry
        if entry.stage is not Stage.DONE:
            known = entry.told
            outcome = self.outcome(told=known)
            return None if known or self._is_continued(outcome) else self._in_doubt(outcome)
        if entry.told:
            return None
        ended = self.outcome()
        if ended.kind == SENT:
            return ended
        continued = self._is_continued(ended)
        there = self._in_drafts() if ended.kept and not continued else None
        if ended.kept and not continued and self._later(there):
            return None  # what is known about it may be old: it may have been sent again from Drafts since
        # Continued, or removed; the copy outlives that for a while if the gateway died in between.
        if continued or (ended.kept and self._looked and not there):
            self._write(Stage.DONE, told=True)
            return None
        if ended.kind == UNCERTAIN:
            return self._uncertain(there if ended.kept else ended.kept, told=False)
        return self._in_doubt(ended)

    def successors(self, outcome: Outcome) -> Iterator[JournalEntry]:
        """Yield the sendings that have continued this mail since, the oldest first."""
        copies = {ref for ref in (outcome.draft, self._entry.notes.kept) if ref is not None}
        return self._session.journal.successors(self._entry, copies)

    def _is_continued(self, outcome: Outcome) -> bool:
        """Return whether the mail has been continued since: that sending is reported instead."""
        return outcome.kind != SENT and any(True for _entry in self.successors(outcome))

    def _in_doubt(self, outcome: Outcome) -> Outcome:
        """Return "uncertain" if the last post with the ticket may be the same mail, but left no record."""
        if outcome.kind == NOT_SENT and self._session.journal.is_posted_again(self._entry):
            return replace(outcome, kind=UNCERTAIN, sentence="")
        return outcome
