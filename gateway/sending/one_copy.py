"""One copy in Sent, whoever puts it there: we, or a provider that files submitted mail, at once or late.

Nothing here may remove a copy unless another one was seen beside it, or one that is not known to be ours by its UID.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from gateway.access import sent_copies
from gateway.access.sent_copies import SentCopy
from gateway.sealed.send_journal import SendingNotes
from gateway.sending import filing
from gateway.store.base import MailStore, MessageRef

#: Seconds after which a provider has filed what it files.
LATE_SECONDS: Final = 60.0


class Filed(NamedTuple):
    """Whether a copy is in Sent; which one is ours, and whether the provider's is still waited for."""

    there: bool
    ours: MessageRef | None = None
    waiting: bool = False


def leave_one(
    store: MailStore, sent_copy: SentCopy, notes: SendingNotes, octets: bytes, when: datetime
) -> Filed:
    """Leave one copy of what was just sent: the provider's if it files sent mail itself, else ours."""
    message_id, files = notes.message_id, sent_copy.files
    if files is not False or not sent_copy.certain:
        waits = sent_copies.WAITS if files is not False else ()
        if filing.is_in_sent(store, message_id, waits):
            sent_copy.learn(True)
            filing.remove(store, filing.find(store, filing.DRAFTS, message_id))
            return Filed(True)
        if files:
            return Filed(False)  # it stays in Drafts: one that comes later would be the second
        sent_copy.learn(False)
    there = filing.file(store, message_id, notes.kept, octets, when)
    ours = filing.only(store, filing.SENT, message_id) if there and sent_copy.is_guess else None
    return Filed(there, ours, ours is not None)


def leave_one_later(store: MailStore, sent_copy: SentCopy, notes: SendingNotes, age: float) -> Filed:
    """Leave one copy of what was sent this many seconds ago."""
    if notes.in_sent is not None:
        return _without_ours(store, sent_copy, notes.in_sent, notes.message_id, age)
    if sent_copy.files is not False or not sent_copy.certain:
        if filing.is_in_sent(store, notes.message_id):
            filing.remove(store, filing.find(store, filing.DRAFTS, notes.message_id))
            return Filed(True)
        if sent_copy.files and sent_copy.certain:
            return Filed(False)
    return Filed(filing.file(store, notes.message_id))


def _without_ours(
    store: MailStore, sent_copy: SentCopy, ours: MessageRef, message_id: str, age: float
) -> Filed:
    """Remove our copy if the provider's has come after it, and learn from that."""
    copies = filing.copies(store, filing.SENT, message_id)
    if ours in copies and len(copies) > 1:
        filing.remove(store, ours)
        sent_copy.learn(True)
    elif age < LATE_SECONDS:
        return Filed(True, ours, waiting=True)
    elif ours in copies:
        sent_copy.confirm()
    return Filed(True)
