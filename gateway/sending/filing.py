"""Copies of outgoing mail: into Drafts before sending, from there to Sent, and out of Drafts again.

Nothing here may know of submission, or remove a message that was not looked up by UID. A copy is one message
that moves: it is never in Sent twice, and if a move broke off halfway the rest is removed from Drafts. A store that
cannot append has no copies.
Standard: RFC 6154 (special-use); RFC 9051 §2.3.2 (\\Draft), §6.4.8 (MOVE).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gateway import computing
from gateway.errors import (
    MailboxGone,
    MessageGone,
    NotRemoved,
    NotSupported,
    StoreError,
    StoreUnreachable,
    TargetGone,
)
from gateway.store.base import DRAFT, SEEN, MailStore, MessageRef

log = logging.getLogger(__name__)


#: The roles of the two mailboxes.
DRAFTS: Final = "drafts"
SENT: Final = "sent"


def keep(store: MailStore, octets: bytes, message_id: str, when: datetime) -> MessageRef | None:
    """Put a copy into Drafts, which is created if missing, unless the copy is there; return its reference.

    It is there if the response to an earlier APPEND was lost, or could not be recorded. None if the server
    does not say where it is. Raise NotSupported if the store cannot keep any.
    """
    if not store.can.append:
        raise NotSupported("this store keeps no copies")
    name = store.special_or_new(DRAFTS)
    there = _found(store, name, message_id)
    if there is not None:
        return there
    name, ref = _append(store, name, octets, (DRAFT, SEEN), when)
    return ref if ref is not None else _found(store, name, message_id)


def remove_duplicates(store: MailStore, message_id: str) -> MessageRef | None:
    """Leave one copy in Drafts, the newest; return it.

    An APPEND whose connection broke may take effect after the mailbox was searched.
    """
    found = copies(store, DRAFTS, message_id)
    for older in found[:-1]:
        remove(store, older)
    return next(reversed(found), None)


def find(store: MailStore, role: str, message_id: str) -> MessageRef | None:
    """Return the copy in a mailbox, None if there is no copy or no such mailbox."""
    name = _mailbox(store, role) if message_id else None
    return _found(store, name, message_id) if name is not None else None


def copies(store: MailStore, role: str, message_id: str) -> list[MessageRef]:
    """Return all copies in a mailbox; none if there is no such mailbox."""
    name = _mailbox(store, role) if message_id else None
    try:
        return store.copies(name, message_id) if name is not None else []
    except MailboxGone:
        return []


def only(store: MailStore, role: str, message_id: str) -> MessageRef | None:
    """Return the copy in a mailbox, None if there are several."""
    found = copies(store, role, message_id)
    return found[0] if len(found) == 1 else None


def is_in_sent(store: MailStore, message_id: str, waits: Sequence[float] = ()) -> bool:
    """Return whether a copy is in Sent, looking again after each of these pauses, in seconds."""
    for seconds in (0.0, *waits):
        with computing.waiting():
            time.sleep(seconds)
        if find(store, SENT, message_id) is not None:
            return True
    return False


def find_by_field(store: MailStore, field: str, text: str) -> MessageRef | None:
    """Return the newest draft with this text in a header field, None if there is none."""
    name = _mailbox(store, DRAFTS)
    try:
        return store.find_by_field(name, field, text) if name is not None else None
    except MailboxGone:
        return None


def file(
    store: MailStore,
    message_id: str,
    kept: MessageRef | None = None,
    octets: bytes | None = None,
    when: datetime | None = None,
) -> bool:
    """Move the copy to Sent, which is created if missing; return False if there is no copy anywhere.

    `kept`: its place in Drafts, if just put there; `octets`: the message, in case the copy has vanished.
    """
    if not store.can.append:
        return False
    sent = store.special_or_new(SENT)
    if kept is not None and _moved(store, kept, sent):
        return True
    if find(store, SENT, message_id) is not None:
        remove(store, find(store, DRAFTS, message_id))
        return True
    draft = find(store, DRAFTS, message_id)
    if draft is not None and _moved(store, draft, sent):
        return True
    if octets is None:
        return False
    try:
        _append(store, sent, octets, (SEEN,), when)
    except StoreUnreachable:
        raise
    except StoreError as error:
        log.warning("no copy in Sent: %s: %s", type(error).__name__, error.detail)
        return False
    try:
        remove(store, draft)  # it is there, but could not be moved
    except StoreUnreachable:
        raise
    except StoreError as error:
        log.warning("a copy in Drafts, too: %s: %s", type(error).__name__, error.detail)
    return True


def remove(store: MailStore, ref: MessageRef | None) -> None:
    """Remove a message by its UID; a missing one is no error."""
    if ref is None:
        return
    try:
        store.delete([ref])
    except (MailboxGone, MessageGone):
        pass


def _mailbox(store: MailStore, role: str) -> str | None:
    return store.special(role) if store.can.append else None


def _moved(store: MailStore, ref: MessageRef, sent: str) -> bool:
    """Move a draft to Sent; return False if it has vanished."""
    try:
        # Before the move: if that breaks off halfway, the copy that arrives in Sent is not a draft.
        store.flag([ref], [DRAFT], present=False)
        try:
            store.move([ref], sent)
        except TargetGone:
            store.move([ref], store.create(sent, whole=True))
    except (MailboxGone, MessageGone, NotRemoved):  # a copy that was not removed is found like any other
        return False
    return True


def _found(store: MailStore, name: str, message_id: str) -> MessageRef | None:
    try:
        return store.find_id(name, message_id) if message_id else None
    except MailboxGone:
        return None


def _append(
    store: MailStore, name: str, octets: bytes, flags: tuple[str, ...], when: datetime | None
) -> tuple[str, MessageRef | None]:
    try:
        return name, store.append(name, octets, flags, when)
    except MailboxGone:  # listed but missing: a name that is only subscribed, or has been removed since
        name = store.create(name, whole=True)
        return name, store.append(name, octets, flags, when)
