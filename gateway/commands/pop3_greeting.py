"""Looks at a POP3 server without signing in: TLS, and its greeting.

Nothing here may send more than STLS and QUIT. Standard: RFC 1939 §4, RFC 2595 §4 (STLS).
"""

from __future__ import annotations

from typing import Final

from gateway.config import Server, Tls
from gateway.errors import StoreError, StoreTLSError, StoreUnreachable
from gateway.upstreams import connecting, tls
from gateway.upstreams.tls import ProbeResult
from gateway.upstreams.wire import Budget, Wire

#: Seconds for each response, octets of it (RFC 2449 §4 allows 512).
RESPONSE_SECONDS: Final = 5.0
LONGEST: Final = 512
_BUDGET: Final = Budget(64 * 1024, 1, 0)


def probe(server: Server) -> ProbeResult:
    """Learn what a server says before sign-in, as far as that works; never raise a StoreError."""
    result = ProbeResult()
    try:
        _look(server, result)
    except StoreError as error:
        result.failure = error
    except (OSError, UnicodeError) as error:
        unsafe = isinstance(error, OSError) and tls.is_unsafe(error)
        result.failure = (StoreTLSError if unsafe else StoreUnreachable)(f"{server.host}: {tls.words(error)}")
    return result


def _look(server: Server, result: ProbeResult) -> None:
    result.addresses = tuple(connecting.addresses(server.host, server.port))
    sock = connecting.connect(server.host, server.port)
    if server.tls is Tls.IMPLICIT:
        sock = tls.protect(sock, server)
    try:
        wire = Wire(sock, RESPONSE_SECONDS)
        result.greeting = _positive(wire)
        if server.tls is Tls.STARTTLS:
            wire.send(b"STLS\r\n")
            _positive(wire)
            if wire.held:
                raise StoreTLSError(f"{server.host}: octets in plain text behind the answer to STLS")
            sock = tls.protect(sock, server)
        tls.describe(sock, result)
        sock.sendall(b"QUIT\r\n")
    finally:
        sock.close()


def _positive(wire: Wire) -> str:
    """Read a response; return the text of a positive one."""
    wire.begin(RESPONSE_SECONDS, _BUDGET)
    line = wire.line(LONGEST)
    if not line.startswith(b"+OK"):
        raise StoreUnreachable("the server does not speak POP3 here, or refuses")
    return "".join(sign for sign in line[3:].decode("latin-1") if sign.isprintable()).strip()
