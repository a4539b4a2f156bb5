"""TLS to mail servers: contexts, error messages for administrators, and what `check` learns about a server.

Nothing here may speak a protocol inside TLS; a certificate and the name in it are verified unless the administrator
configured `insecure`. Standard: RFC 8314 (TLS for mail access and submission), RFC 9525 (names).
"""

from __future__ import annotations

import functools
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway import computing
from gateway.config import Server, Tls
from gateway.config.hosts import is_loopback
from gateway.errors import GatewayError
from gateway.upstreams import certificates, connecting, deadline
from gateway.upstreams.certificates import PeerCertificate

# Seconds for a whole handshake.
HANDSHAKE_SECONDS = 8.0

# Seconds for a greeting, only to see whether there is one.
GREETING_SECONDS = 3.0

# OpenSSL's reason -> advice for an administrator.
_REASONS = {
    "WRONG_VERSION_NUMBER": "the server does not speak TLS on this port (is it a STARTTLS port?)",
    "UNSUPPORTED_PROTOCOL": "the server only speaks a TLS version older than 1.2",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the server refuses TLS 1.2 and newer",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the server shares no cipher with us",
    "UNEXPECTED_EOF_WHILE_READING": "the server closed the connection during the TLS handshake",
    "DH_KEY_TOO_SMALL": "the server's Diffie-Hellman key is too small",
    "EE_KEY_TOO_SMALL": "the key in the server's certificate is too small",
}


@dataclass(slots=True)
class ProbeResult:
    """The result of a connection without credentials: fields are filled in order, `failure` says where it ended."""

    addresses: tuple[str, ...] = ()
    connected: bool = False
    tls_version: str = ""
    certificate: PeerCertificate = field(default_factory=PeerCertificate)
    greeting: str = ""
    capabilities: tuple[str, ...] = ()
    mechanisms: tuple[str, ...] = ()
    size_limit: int | None = None
    failure: GatewayError | None = None


#: Connects to a server without signing in.
ProbeServer = Callable[[Server], ProbeResult]


@functools.lru_cache(maxsize=64)
def _context(ca_file: Path | None, changed: float, insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def context(server: Server) -> ssl.SSLContext:
    """Return a context, one per trust store (each takes 20 ms and 0.8 MB); raise SSLError for a bad ca_file."""
    try:
        changed = server.ca_file.stat().st_mtime if server.ca_file else 0.0
        return _context(server.ca_file, changed, server.insecure)
    except OSError as error:
        raise ssl.SSLError(0, f"ca_file {server.ca_file} cannot be used: {words(error)}") from None


def is_unsafe(error: OSError) -> bool:
    """Return whether the certificate or TLS version was refused, as opposed to the connection breaking in the
    handshake."""
    return isinstance(error, ssl.SSLError) and not isinstance(
        error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)
    )


def words(error: OSError | UnicodeError) -> str:
    """Say why TLS or a connection failed, in words that an administrator can act on."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message or error.reason}".rstrip(".")
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or ""
        return _REASONS.get(reason, reason.lower().replace("_", " ")) or error.strerror or "TLS failed"
    if isinstance(error, socket.gaierror):
        return f"the name cannot be resolved: {error.strerror}"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, UnicodeError):
        return "the name is no host name"
    return error.strerror or str(error) or type(error).__name__


def is_too_open(server: Server) -> bool:
    """Return whether credentials would be sent in plain text without the administrator's consent."""
    return server.tls is Tls.NONE and not server.insecure and not is_loopback(server.host)


def protect(sock: socket.socket, server: Server) -> ssl.SSLSocket:
    """Do the handshake with a server in the configuration; see `handshake`."""
    try:
        trusted = context(server)
    except BaseException:
        sock.close()
        raise
    return handshake(sock, trusted, server.host)


def handshake(sock: socket.socket, trusted: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """Do the handshake as a client; the plain socket must not be used any more, whatever the result."""
    try:
        sock.settimeout(deadline.left(HANDSHAKE_SECONDS))
        with computing.waiting():
            return trusted.wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise


def probe(
    server: Server, look: Callable[[Server, ProbeResult], None], unreachable: type[GatewayError]
) -> ProbeResult:
    """Learn the addresses of a server, and then what `look` finds; never raise a GatewayError.

    `unreachable` is the error for a server without addresses.
    """
    result = ProbeResult()
    try:
        result.addresses = tuple(connecting.addresses(server.host, server.port))
        look(server, result)
    except OSError as error:
        result.failure = unreachable(f"{server.host}: {words(error)}")
    except GatewayError as failure:
        result.failure = failure
    return result


def describe(sock: socket.socket, result: ProbeResult) -> None:
    """Put TLS version and certificate of an open connection into a result."""
    result.connected = True
    if isinstance(sock, ssl.SSLSocket):
        result.tls_version = sock.version() or ""
        result.certificate = certificates.read(sock.getpeercert(binary_form=True))


def begins_in_plain_text(server: Server) -> bool:
    """Return whether a port greets in plain text, as one for STARTTLS does."""
    try:
        with connecting.connect(server.host, server.port) as sock:
            sock.settimeout(deadline.left(GREETING_SECONDS))
            return sock.recv(4).startswith((b"* ", b"220", b"+OK"))
    except (OSError, UnicodeError):
        return False


def begins_with_tls(server: Server) -> bool:
    """Return whether a port accepts a TLS handshake first, whatever its certificate; nothing is sent inside."""
    try:
        protect(connecting.connect(server.host, server.port), replace(server, insecure=True)).close()
    except (OSError, UnicodeError):
        return False
    return True
