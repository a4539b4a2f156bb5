"""The protocols of mail stores: which of them a server is spoken to by.

Nothing here may speak one.
"""

from __future__ import annotations

from gateway.config import Server
from gateway.store.base import MailStore
from gateway.store.imap import imap_store
from gateway.store.pop3 import pop3_store
from gateway.upstreams.tls import ProbeResult


def connect(server: Server, user: str, password: str) -> MailStore:
    """Open a signed-in connection; raise the StoreError for why that fails."""
    if server.protocol == "pop3":
        return pop3_store.connect(server, user, password)
    return imap_store.connect(server, user, password)


def probe(server: Server) -> ProbeResult:
    """Learn what a server announces before sign-in, as far as that works; never raise a StoreError."""
    return pop3_store.probe(server) if server.protocol == "pop3" else imap_store.probe(server)
