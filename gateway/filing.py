"""Copies of what is written: into Drafts before it is sent, from there to Sent, and out of Drafts again.

Nothing here may speak of sending, or remove a message that it has not looked up by UID. A copy is one message that
moves: it is never in Sent twice, and where moving broke off halfway the rest is removed from Drafts.
Standard: RFC 6154 (special-use); RFC 9051 §2.3.2 (\\Draft), §6.4.8 (MOVE).
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final, NamedTuple

from gateway.errors import (
    MailboxGone,
    MessageGone,
    NotRemoved,
    StoreError,
    StoreUnreachable,
    TargetGone,
)
from gateway.store.base import DRAFT, SEEN, MailStore, MessageRef
from gateway.store.tree import ROLES

log = logging.getLogger(__name__)


class Use(NamedTuple):
    """A special use, the name of the mailbox that we make for it, and the names by which others may have it."""

    attribute: str
    ours: str
    names: tuple[str, ...]


_NAMES: Final = {role: names for role, _attribute, names in ROLES}
DRAFTS: Final = Use("\\Drafts", "Drafts", _NAMES["drafts"])
SENT: Final = Use("\\Sent", "Sent", _NAMES["sent"])


def keep(store: MailStore, octets: bytes, message_id: str, when: datetime) -> MessageRef | None:
    """Put a copy into Drafts, made if there is none; say where it is, None where the server cannot tell."""
    name, ref = _append(store, DRAFTS, octets, (DRAFT, SEEN), when)
    if ref is not None or not message_id:
        return ref
    return store.find_id(name, message_id)


def find(store: MailStore, use: Use, message_id: str) -> MessageRef | None:
    """Find the copy in a mailbox, None if there is none, or no such mailbox."""
    name = store.special(use.attribute, use.names) if message_id else None
    try:
        return store.find_id(name, message_id) if name is not None else None
    except MailboxGone:
        return None


def file(
    store: MailStore,
    message_id: str,
    kept: MessageRef | None = None,
    octets: bytes | None = None,
    when: datetime | None = None,
) -> bool:
    """Bring the one copy to Sent, made if there is none; False if there is no copy anywhere.

    `kept`: where it is in Drafts, for who has just put it there; `octets`: for when it is not there any more.
    """
    sent = _mailbox(store, SENT)
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
        _append(store, SENT, octets, (SEEN,), when)
    except StoreUnreachable:
        raise
    except StoreError as error:
        log.warning("no copy in Sent: %s: %s", type(error).__name__, error.detail)
        return False
    return True


def remove(store: MailStore, ref: MessageRef | None) -> None:
    """Remove a message by its UID; one that has gone is fine."""
    if ref is None:
        return
    try:
        store.delete([ref])
    except (MailboxGone, MessageGone):
        pass


def _moved(store: MailStore, ref: MessageRef, sent: str) -> bool:
    """Move a draft to Sent; False if it is not there any more."""
    try:
        # Before it moves: if this breaks off in between, what arrives in Sent is no draft all the same.
        store.flag([ref], [DRAFT], present=False)
        try:
            store.move([ref], sent)
        except TargetGone:
            store.move([ref], store.create(sent))
    except (MailboxGone, MessageGone, NotRemoved):  # a copy that could not be removed is found like any other
        return False
    return True


def _mailbox(store: MailStore, use: Use) -> str:
    name = store.special(use.attribute, use.names)
    return store.create(use.ours) if name is None else name


def _append(
    store: MailStore, use: Use, octets: bytes, flags: tuple[str, ...], when: datetime | None
) -> tuple[str, MessageRef | None]:
    name = _mailbox(store, use)
    try:
        return name, store.append(name, octets, flags, when)
    except MailboxGone:  # listed, and not there: a name that is only subscribed, or removed meanwhile
        name = store.create(name)
        return name, store.append(name, octets, flags, when)
