"""What is known about invitations: the newest version, whether the event is cancelled, and the person's answer.

Nothing here may know what a calendar looks like. The caller's text identifies an event; only a mark of it is stored.
Its versions are its SEQUENCE (RFC 5546 §2.1.4). The events about which nothing has been recorded for longest are
forgotten.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from gateway.access.session import Session
from gateway.state import optional

KIND: Final = "invitation"
#: Maximum number of invitations that are remembered.
MOST: Final = 500


@dataclass(frozen=True, slots=True)
class SeenInvitation:
    """What is known about an event. `answer`: the one that was sent, '' if none was, for the version `answered`.

    `pending`: the name of a sending that was begun with `pending_answer`, whatever its outcome.
    """

    sequence: int = -1
    cancelled: bool = False
    answer: str = ""
    answered: int = -1
    pending: str = ""
    pending_answer: str = ""
    pending_version: int = -1


def known(session: Session, event: str) -> SeenInvitation:
    """Return what is known about an event."""
    return _read(session.memory.get(KIND, session.memory.mark(event)))


def record_version(session: Session, event: str, sequence: int, cancelled: bool) -> SeenInvitation:
    """Record a version that was seen, unless a newer one is known. Return what is known then."""
    before = known(session, event)
    if sequence < before.sequence or (sequence == before.sequence and (before.cancelled or not cancelled)):
        return before
    with optional("which version of an invitation is the newest"):
        _change(session, event, sequence=sequence, cancelled=cancelled)
    return replace(before, sequence=sequence, cancelled=cancelled)


def record_answer(session: Session, event: str, sequence: int, answer: str) -> None:
    """Record an answer that was sent."""
    with optional("what an invitation was answered"):
        _change(session, event, answer=answer, answered=sequence, pending="")


def record_pending(session: Session, event: str, sequence: int, answer: str, sending: str) -> None:
    """Record, before an answer is sent, the sending whose outcome will tell whether it was."""
    with optional("what an invitation may be answered"):
        _change(session, event, pending=sending, pending_answer=answer, pending_version=sequence)


def settled(session: Session, event: str, now: SeenInvitation) -> SeenInvitation:
    """Return what is known about an event, after looking up the outcome of an uncertain answer."""
    if now.pending and session.journal.is_sent(now.pending):
        record_answer(session, event, now.pending_version, now.pending_answer)
        return replace(now, answer=now.pending_answer, answered=now.pending_version, pending="")
    return now


def _change(session: Session, event: str, **values: Any) -> None:
    session.memory.change(
        KIND, session.memory.mark(event), lambda kept: asdict(replace(_read(kept), **values)), MOST
    )


def _read(kept: dict[str, Any] | None) -> SeenInvitation:
    usual, kept = asdict(SeenInvitation()), kept or {}
    read = {name: kept[name] for name, value in usual.items() if type(kept.get(name)) is type(value)}
    return SeenInvitation(**(usual | read))
