"""TLS towards mail servers: contexts, reasons in words, and what `check` learns of a server.

Nothing here may send anything of a protocol; a certificate is verified, and so is the name in it, unless the
administrator wrote `insecure`. Standard: RFC 8314 (TLS for mail access and submission), RFC 9525 (names).
"""

from __future__ import annotations

import functools
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gateway.config import Server, Tls
from gateway.errors import GatewayError
from gateway.values import is_loopback

# OpenSSL's reason -> what an administrator can do with it.
_REASONS = {
    "WRONG_VERSION_NUMBER": "the server does not speak TLS on this port (is it a STARTTLS port?)",
    "UNSUPPORTED_PROTOCOL": "the server only speaks a TLS version older than 1.2",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the server refuses TLS 1.2 and newer",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the server shares no cipher with us",
    "UNEXPECTED_EOF_WHILE_READING": "the server closed the connection during the TLS handshake",
    "DH_KEY_TOO_SMALL": "the server's Diffie-Hellman key is too small",
    "EE_KEY_TOO_SMALL": "the key in the server's certificate is too small",
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the peer showed; the texts are empty when it was not verified (`insecure`)."""

    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    expires: datetime | None = None


@dataclass(slots=True)
class ProbeResult:
    """How far a connection without credentials got: fields fill in order, `failure` says where it ended."""

    addresses: tuple[str, ...] = ()
    connected: bool = False
    tls_version: str = ""
    certificate: Certificate = field(default_factory=Certificate)
    greeting: str = ""
    capabilities: tuple[str, ...] = ()
    mechanisms: tuple[str, ...] = ()
    size_limit: int | None = None
    failure: GatewayError | None = None


@functools.lru_cache(maxsize=64)
def _context(ca_file: Path | None, changed: float, insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def context(server: Server) -> ssl.SSLContext:
    """Share one context per trust (each costs 20 ms and 0.8 MB); raise SSLError for an unusable ca_file."""
    try:
        changed = server.ca_file.stat().st_mtime if server.ca_file else 0.0
        return _context(server.ca_file, changed, server.insecure)
    except OSError as error:
        raise ssl.SSLError(0, f"ca_file {server.ca_file} cannot be used: {words(error)}") from None


def is_unsafe(error: OSError) -> bool:
    """Tell a certificate or a TLS version that will not do from a connection that broke during the handshake."""
    return isinstance(error, ssl.SSLError) and not isinstance(
        error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)
    )


def words(error: OSError | UnicodeError) -> str:
    """Say in words that an administrator can act on why TLS failed, or why a connection was not made."""
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
    """Tell whether credentials would cross a network in plain text without the administrator's word."""
    return server.tls is Tls.NONE and not server.insecure and not is_loopback(server.host)


def _name(rdns: object) -> str:
    """Write a name as getpeercert() gives it: a tuple of tuples of (key, value) pairs."""
    pairs = [pair for rdn in rdns for pair in rdn] if isinstance(rdns, tuple) else []
    found = dict(reversed(pairs))
    return str(found.get("commonName") or found.get("organizationName") or "")


def certificate(sock: socket.socket) -> Certificate:
    """Describe the verified certificate of the peer."""
    shown = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    if not shown:
        return Certificate()
    names = shown.get("subjectAltName", ())
    return Certificate(
        subject=_name(shown.get("subject")),
        issuer=_name(shown.get("issuer")),
        names=tuple(str(value) for _, value in names) if isinstance(names, tuple) else (),
        expires=datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC),
    )


def protect(sock: socket.socket, server: Server) -> ssl.SSLSocket:
    """Do the handshake as a client; the plain socket is of no use any more, whatever comes of it."""
    try:
        return context(server).wrap_socket(sock, server_hostname=server.host)
    except BaseException:
        sock.close()
        raise


def describe(sock: socket.socket, result: ProbeResult) -> None:
    """Put TLS version and certificate of an open connection into a result."""
    result.connected = True
    if isinstance(sock, ssl.SSLSocket):
        result.tls_version = sock.version() or ""
        result.certificate = certificate(sock)


def resolve(server: Server) -> tuple[str, ...]:
    """Look up the addresses of a server, in the order in which they are tried, or raise OSError."""
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(words(error)) from None
    return tuple(dict.fromkeys(str(address[4][0]) for address in found))
