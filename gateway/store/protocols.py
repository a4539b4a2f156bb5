"""The protocols of mail stores: which of them connects to a server.

Nothing here may speak one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gateway.config import Server
from gateway.store.base import MailStore
from gateway.store.imap import imap_store
from gateway.store.pop3 import pop3_store
from gateway.upstreams.tls import ProbeResult

_CONNECT: Final[Mapping[str, Callable[[Server, str, str], MailStore]]] = {
    "imap": imap_store.connect,
    "pop3": pop3_store.connect,
}
_PROBE: Final[Mapping[str, Callable[[Server], ProbeResult]]] = {
    "imap": imap_store.probe,
    "pop3": pop3_store.probe,
}


def connect(server: Server, user: str, password: str) -> MailStore:
    """Open a signed-in connection; raise the StoreError for why that fails."""
    return _CONNECT[server.protocol](server, user, password)


def probe(server: Server) -> ProbeResult:
    """Learn what a server announces before sign-in, as far as that works; never raise a StoreError."""
    return _PROBE[server.protocol](server)
