"""Executing and undoing operations on messages, each once per ticket.

Nothing here may act on a message without a permanent reference (a stale one becomes a sentence), raise errors of the
mail server instead of reporting them, or undo what was not changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from typing import Final

from gateway.access.idempotency import PostOutcome, do_once
from gateway.access.session import Session
from gateway.actions import operation_outcomes
from gateway.actions.operation_outcomes import OutcomePart, encode_uids
from gateway.actions.store_operations import OperationResult, apply, revert
from gateway.actions.table import OPERATIONS, UNDO
from gateway.errors import ServerAlert, StoreError, StoreUnreachable
from gateway.sealed.vault import TicketedPost
from gateway.state import optional
from gateway.store.base import MailStore, MessageRef


def _(msgid: str) -> str:
    return msgid


#: The kind under which the account memory keeps the name (`of`) of the last operation, and the subject of its message.
LAST: Final = "undo"
_STAYS: Final = _("Messages in Trash or Junk stay there.")
#: The sentence for a connection that broke during an operation.
_UNCERTAIN: Final = _("The connection to the mail server was lost. It is not certain what was done.")


def run_once(
    session: Session, post: TicketedPost, do: Callable[[], PostOutcome], subject: Callable[[], str] = str
) -> PostOutcome:
    """Perform what was posted, once, and remember it as the operation to undo; return its outcome.

    `subject`: returns the subject of the one message concerned; called afterwards. An outcome is not encrypted, so the
    subject is stored separately.
    """

    def remembered() -> PostOutcome:
        outcome = do()
        title = subject()
        if title or operation_outcomes.can_undo(outcome):
            with optional("what can be undone"):
                session.memory.put(LAST, "", {"of": post.name, "subject": title})
        return outcome

    return do_once(session, post, remembered)


@contextmanager
def _leased(session: Session, ref: MessageRef) -> Iterator[MailStore]:
    """Lease the mail store with the mailbox of a message selected.

    A connection that turns out to be dead before it was used is replaced by another.
    """
    for last in (False, True):
        with session.store() as store:
            try:
                store.enter(ref)
            except StoreUnreachable:
                if last:
                    raise
                continue
            yield store
            return


# --- performing


def subject_of(session: Session, name: str) -> str:
    """Return the subject of the message that the last operation was about, "" if that operation has another name."""
    last = session.memory.get(LAST) or {}
    return str(last.get("subject", "")) if last.get("of") == name else ""


def perform(
    session: Session, word: str, refs: Iterable[MessageRef], target: str = "", *, neighbour: bool = False
) -> PostOutcome:
    """Perform an operation and return its outcome, which includes refusals of the mail server.

    `neighbour`: if a single message is gone afterwards, the outcome names the next older one.
    """
    wanted = sorted(set(refs), key=lambda ref: (ref.mailbox, ref.uidvalidity, ref.uid))
    outcome: PostOutcome = {"do": word, "of": str(len(wanted)), "count": "0"}
    parts: list[OutcomePart] = []
    count, asks = 0, False
    try:
        with _leased(session, wanted[0]) as store:
            for _mailbox, group in groupby(wanted, key=lambda ref: (ref.mailbox, ref.uidvalidity)):
                some = list(group)
                result = apply(store, word, some, target)
                count += len(result.done)
                parts.append(_part(session, some[0], result))
                asks = asks or result.ask
                _reason(outcome, result.why, started=True)
                if isinstance(result.why, StoreUnreachable):
                    break
            if neighbour and len(wanted) == 1 and OPERATIONS[word].away and count:
                after = store.neighbour(wanted[0], older=True)
                outcome |= {"next": str(after.uid)} if after is not None else {}
    except StoreError as error:
        _reason(outcome, error)
    if asks:
        outcome |= {"why": _STAYS} if count else {"ask": "yes"}
    return outcome | {"count": str(count), "parts": json.dumps(parts)}


def _reason(outcome: PostOutcome, why: StoreError | None, started: bool = False) -> None:
    """Set the first reason why not everything was done, as a msgid, or as an ALERT in the server's words."""
    if why is not None and "why" not in outcome:
        outcome["why"] = _UNCERTAIN if started and isinstance(why, StoreUnreachable) else why.sentence
        if isinstance(why, ServerAlert):
            outcome["alert"] = why.alert


def _part(session: Session, first: MessageRef, result: OperationResult) -> OutcomePart:
    new = [ref for ref in result.done.values() if ref is not None]
    old = result.done if result.changed is None else result.changed
    part: dict[str, int | str] = {
        "from": session.mailboxes.number(first.mailbox, first.uidvalidity),
        "uids": encode_uids(ref.uid for ref in old),
    }
    if result.to:
        # Without a UIDVALIDITY the number only stands for the name.
        part["to"] = session.mailboxes.number(result.to, new[0].uidvalidity if new else 0)
        known = result.back and len(new) == len(result.done)
        part["new"] = encode_uids(ref.uid for ref in new) if known else ""
    return part | ({"left": 1} if result.left else {})


# --- undoing


def undo(session: Session, before: Mapping[str, str]) -> PostOutcome:
    """Revert exactly what an operation has changed; return the outcome of that."""
    operation, parts = OPERATIONS[before["do"]], []
    count = of = 0
    outcome: PostOutcome = {"do": UNDO}
    try:
        told = [part for part in operation_outcomes.parts(before) if part["uids"]]
        groups = [(part, operation_outcomes.refs(session.mailboxes, part)) for part in told]
        with _leased(session, groups[0][1][0]) as store:
            for part, old in groups:
                of += len(old)
                new = operation_outcomes.refs(session.mailboxes, part, "to", "new")
                result = revert(store, operation, bool(part.get("left")), old, new)
                count += len(result.done)
                parts.append(_part(session, old[0], result))
                _reason(outcome, result.why, started=True)
    except StoreError as error:
        _reason(outcome, error)
    return outcome | {"of": str(of), "count": str(count), "parts": json.dumps(parts)}
