"""The protocols of mail stores: which of them a server speaks.

Nothing here may speak one.
"""

from __future__ import annotations

from gateway.config import Server
from gateway.store.abilities import EVERY_ABILITY, Can
from gateway.store.base import MailStore
from gateway.store.imap import imap_store
from gateway.store.pop3 import inbox, pop3_store
from gateway.upstreams.tls import ProbeResult


def connect(server: Server, user: str, password: str) -> MailStore:
    """Open a signed-in connection; raise the StoreError that says why that failed."""
    if server.protocol == "pop3":
        return pop3_store.connect(server, user, password)
    return imap_store.connect(server, user, password)


def expected(server: Server) -> Can:
    """Return what a store can do as far as that is known without asking its server: everything if nothing is known."""
    return inbox.CAN if server.protocol == "pop3" else EVERY_ABILITY


def probe(server: Server) -> ProbeResult:
    """Learn what a server announces before sign-in, as far as possible; never raise a StoreError."""
    return pop3_store.probe(server) if server.protocol == "pop3" else imap_store.probe(server)
