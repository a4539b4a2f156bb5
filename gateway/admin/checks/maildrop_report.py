"""What `pocketpost check` reports about a POP3 server, and about a maildrop after signing in.

Nothing here may change anything in the maildrop. Standard: RFC 2449 §6 (capabilities).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from gateway.admin.checks.findings import ReportLine, good, note
from gateway.store.base import INBOX, Window
from gateway.store.pop3.pop3_store import Pop3Store

#: Capabilities that matter, and what is lost without them.
COSTS: Final = (
    ("UIDL", "messages are known again by their headers, which takes longer"),
    ("TOP", "a list fetches whole messages for their headers"),
    ("PIPELINING", "a list takes a round trip for each message on its page"),
)


def costs(known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each missing capability, with its cost; nothing for a server that names none at all."""
    if known:
        yield from ((name, cost) for name, cost in COSTS if name not in known)


def findings(store: Pop3Store) -> Iterator[ReportLine]:
    """Report on the maildrop of the person who is signed in. Raise StoreError."""
    listing = store.summaries(INBOX, Window(1))
    yield good(f"messages: {listing.exists:,}")
    if listing.exists and listing.unseen is None:
        yield note("not all messages have a unique-id (UIDL): how many are unread is not shown")
    if any(not row.readable for row in listing.summaries):
        yield note("the header of the newest message is not told (TOP, RETR)")
    yield good("no folders, no search, no copies of what is sent; mail stays on the server")
