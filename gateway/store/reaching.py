"""Reaches a mail store's server: TCP, and TLS if a connection begins with it; and says why that failed.

Nothing here may speak a protocol. Plain text leaves this machine only with the administrator's consent.
"""

from __future__ import annotations

import socket

from gateway.config import Server, Tls
from gateway.errors import AnswerTooLong, ServerAlert, StoreError, StoreTLSError, StoreUnreachable
from gateway.upstreams import connecting, tls
from gateway.upstreams.wire import Overrun


def connect(server: Server) -> socket.socket:
    """Connect, with TLS unless that is negotiated later or not at all. Raise StoreTLSError, StoreUnreachable."""
    if tls.is_too_open(server):
        scheme = f"{server.protocol}s:// or {server.protocol}+starttls://"
        raise StoreTLSError(f"plain text to another machine: use {scheme}, or insecure = true")
    try:
        sock = connecting.connect(server.host, server.port)
        return tls.protect(sock, server) if server.tls is Tls.IMPLICIT else sock
    except (OSError, UnicodeError) as error:
        raise unopened(server, error) from None


def unopened(server: Server, error: OSError | UnicodeError | StoreError) -> StoreError:
    """Return the error for a connection that was not opened, with the server's address."""
    if isinstance(error, ServerAlert):
        return error
    if isinstance(error, StoreError):
        named = type(error)(f"{server.address}: {error.detail}")
        if isinstance(error, StoreUnreachable) and isinstance(named, StoreUnreachable):
            named.answered = error.answered
        return named
    said = f"{server.address}: {tls.words(error)}"
    if isinstance(error, OSError) and tls.is_unsafe(error):
        return StoreTLSError(said)
    unreachable = StoreUnreachable(said)
    unreachable.answered = isinstance(error, ConnectionRefusedError)
    return unreachable


def broken_off(why: str | OSError) -> StoreUnreachable:
    """Return the error for a conversation that cannot continue."""
    if isinstance(why, Overrun):
        return AnswerTooLong(str(why))
    unreachable = StoreUnreachable(tls.words(why) if isinstance(why, OSError) else why)
    unreachable.dropped = isinstance(why, ConnectionError)
    return unreachable
