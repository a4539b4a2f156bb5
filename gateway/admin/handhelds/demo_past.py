"""What must have happened in the demo's mailbox before some of its screens can be seen.

Nothing here may be done to a session of any gateway other than the preview's own. Each function arranges one thing and
returns the address, within the session, at which it is shown.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final

from gateway.access.session import Session
from gateway.sealed.link_ids import Link
from gateway.sealed.send_journal import JournalEntry, SendingNotes
from gateway.sealed.vault import TicketedPost
from gateway.sending import filing
from gateway.state import Stage

#: Seconds since the gateway died.
_AGO: Final = 300.0
_BROKEN_URL: Final = "https://harbour..example/boat"
_BOB: Final = "bob@pocketpost.example"
_MAIL: Final = """From: {sender}\r
To: {to}\r
Subject: The boat\r
Message-ID: {message_id}\r
\r
See you there.\r
"""


def died_while_sending(session: Session) -> str:
    """Leave a mail in Drafts and in the send journal as if the gateway had died while sending it."""
    at, message_id = session.now() - _AGO, f"<{secrets.token_hex(8)}@pocketpost.example>"
    octets = _MAIL.format(sender=session.address, to=_BOB, message_id=message_id).encode("ascii")
    with session.store() as store:
        copy = filing.keep(store, octets, message_id, datetime.fromtimestamp(at, UTC))
    post, notes = TicketedPost.of(session.ticket(), octets), SendingNotes(message_id, (_BOB,), copy)
    session.journal.claim(JournalEntry(post.key, post.mark, Stage.SUBMITTING, at, notes=notes))
    return "o"


def broken_link(session: Session) -> str:
    """Keep a link of a mail whose URL cannot be parsed."""
    link = Link(_BROKEN_URL, "The boat", session.device, session.markup, session.language)
    key = session.links.id(link, session.token)
    session.links.keep({key: link})
    return f"l/{key}"
