"""Mail that was or was not sent, according to the send journal: without text and without addresses.

Nothing here may say more than the journal does: what is uncertain is called uncertain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.access.log_context import account_hash
from gateway.sealed import send_journal
from gateway.sealed.send_journal import JournalEntry
from gateway.state import Stage, State

#: Seconds after which no request is working on a sending any more (`access.idempotency`).
STOPPED_SECONDS: Final = 300.0

STAGES: Final = {
    Stage.CLAIMED: "begun",
    Stage.SUBMITTING: "being handed over",
    Stage.ACCEPTED: "accepted, its copy being filed",
    Stage.DONE: "done",
}
#: What is uncertain if nothing was recorded for STOPPED_SECONDS, by stage; the next sign-in looks.
_INTERRUPTED: Final = {
    Stage.CLAIMED: "whether a copy is in Drafts: interrupted before it was handed over, so not sent",
    Stage.SUBMITTING: "whether the mail server accepted it: interrupted meanwhile",
    Stage.ACCEPTED: "where its copy is: interrupted before that was seen",
}
#: The outcome of a sending whose own is not recorded, by its stage.
_OUTCOMES: Final = {
    Stage.CLAIMED: "open",
    Stage.SUBMITTING: "open",
    Stage.ACCEPTED: send_journal.SENT,
    Stage.DONE: "unknown",
}


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending: hash of the account, when it began (seconds since the epoch), stage, outcome, what is uncertain."""

    account: str
    at: float
    stage: str
    outcome: str
    uncertain: tuple[str, ...]


def page(
    state: State, secret: bytes, now: float, account: int | None = None, most: int = 50, first: int = 0
) -> list[Sending]:
    """Return sendings, of one account or of all, the newest first, from number `first` on."""
    found = []
    for number, key, row in state.journal.page(account, most, first):
        entry = send_journal.opened(row, number, secret)
        outcome = entry.kind or _OUTCOMES[entry.stage]
        uncertain = tuple(_uncertain(entry, now))
        found.append(Sending(account_hash(key), entry.at, STAGES[entry.stage], outcome, uncertain))
    return found


def counts(state: State, account: int | None = None) -> dict[str, int]:
    """Return how many sendings had each outcome, the most frequent first."""
    found: dict[str, int] = {}
    for (stage, kind), number in state.journal.counts(account).items():
        outcome = kind or _OUTCOMES[stage]
        found[outcome] = found.get(outcome, 0) + number
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def _uncertain(entry: JournalEntry, now: float) -> Iterator[str]:
    if not entry.readable:
        yield "the details: the server secret has changed since"
    if not entry.kind and not 0 <= now - entry.at < STOPPED_SECONDS:
        yield _INTERRUPTED.get(entry.stage, "everything else: an earlier version kept no outcome")
    if entry.kind == send_journal.UNCERTAIN:
        yield "whether the mail server accepted it"
    outcome = entry.notes.outcome
    if outcome is None:
        return
    if outcome.doubtful and outcome.kind == send_journal.SENT:
        yield f"whether {len(outcome.doubtful)} of its recipients got it"
    if outcome.kept is None or outcome.filed is None:
        sent = outcome.kind == send_journal.SENT
        yield "where its copy is" if sent else "whether a copy is in Drafts"
