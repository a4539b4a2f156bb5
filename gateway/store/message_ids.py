"""Finding a message by its Message-ID: how what was appended is met again where the server names no UID.

Nothing here may find a message that is marked as deleted: where EXPUNGE would hit others, that is all that deleting
can do. What is sent on keeps its Message-ID and gets a second one. Standard: RFC 9051 §6.4.4 (SEARCH; HEADER finds
substrings, and a Message-ID is in no other one); RFC 5322 §3.6.6 (Resent-Message-ID).
"""

from __future__ import annotations

from gateway.errors import UnsafeArgument
from gateway.store import response
from gateway.store.base import MessageRef
from gateway.store.exchange import refusal
from gateway.store.selected import Selected


class MessageIds(Selected):
    """What a store does with a Message-ID."""

    def find_id(self, mailbox: str, message_id: str) -> MessageRef | None:
        """Find the newest message with this Message-ID, or sent on with it, that is not marked as deleted."""
        if not message_id or not message_id.isascii():
            raise UnsafeArgument("no Message-ID")
        wanted = response.quoted(message_id)
        search = b"UID SEARCH UNDELETED OR HEADER Message-ID %s HEADER Resent-Message-ID %s" % (
            wanted,
            wanted,
        )
        # Anew, though it may be selected already: a search finds only what the server has told of. QUIRK: Dovecot puts
        # off a NOOP until after the commands behind it.
        reply = self._select(mailbox, search)
        if not reply.ok:
            raise refusal(reply)
        words = [word for line in reply.untagged if line.kind == "SEARCH" for word in line.pieces[0].split()]
        found = [uid for uid in map(response.numeral, words) if uid]
        return MessageRef(mailbox, self._uidvalidity, max(found)) if found else None
