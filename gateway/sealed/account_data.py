"""All encrypted data of several accounts, encrypted for one."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.sealed import memory, send_journal
from gateway.state import EncryptedData, Reseal


def resealing(secret: bytes, merge: memory.Merge) -> Reseal:
    """Return what encrypts the data of several accounts for the one into which they are merged."""

    def reseal(kept: Mapping[int, EncryptedData], mailboxes: frozenset[str], into: int) -> EncryptedData:
        memories = {account: sealed.memories for account, sealed in kept.items()}
        journals = {account: sealed.journal for account, sealed in kept.items()}
        return EncryptedData(
            memory.reencrypted(memories, mailboxes, into, secret, merge),
            send_journal.reencrypted(journals, into, secret),
        )

    return reseal
