"""The mail servers in the configuration: protocol, address and TLS, as one URL."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from gateway.config.hosts import host_port
from gateway.config.options import default


class Tls(Enum):
    """How TLS is used on a connection."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


#: By scheme: protocol, use of TLS, default port (RFC 8314 §7.1–§7.3; RFC 6409 §3.1).
SCHEMES: Final[dict[str, tuple[str, Tls, int]]] = {
    "imaps": ("imap", Tls.IMPLICIT, 993),
    "imap+starttls": ("imap", Tls.STARTTLS, 143),
    "imap": ("imap", Tls.NONE, 143),
    "pop3s": ("pop3", Tls.IMPLICIT, 995),
    "pop3+starttls": ("pop3", Tls.STARTTLS, 110),
    "pop3": ("pop3", Tls.NONE, 110),
    "smtps": ("smtp", Tls.IMPLICIT, 465),
    "smtp+starttls": ("smtp", Tls.STARTTLS, 587),
    "smtp": ("smtp", Tls.NONE, 587),
}
_SCHEME_OF: Final = {(protocol, tls): scheme for scheme, (protocol, tls, _port) in SCHEMES.items()}


def schemes(protocol: str) -> tuple[str, ...]:
    """Return the URL schemes of a protocol."""
    return tuple(scheme for scheme, (spoken, _tls, _port) in SCHEMES.items() if spoken == protocol)


@dataclass(frozen=True, slots=True)
class Server:
    """One server of an upstream.

    `insecure`: plain text or an unverified certificate is accepted. `special`: role and path of the folders that the
    administrator has named. `helo`: our name in EHLO, "" for our address on the connection.
    """

    protocol: str  # "imap", "pop3" or "smtp"
    host: str
    port: int
    tls: Tls
    ca_file: Path | None = default("upstream", "ca_file")
    insecure: bool = default("upstream", "insecure")
    special: tuple[tuple[str, str], ...] = default("upstream", "special")
    helo: str = default("submission", "helo")

    def __hash__(self) -> int:
        # Each page looks servers up several times; host and port tell apart nearly all that differ.
        return hash((self.host, self.port))

    @property
    def address(self) -> str:
        """HOST:PORT of the server."""
        return host_port(self.host, self.port)

    @property
    def url(self) -> str:
        """The server as a URL, as in the configuration."""
        return f"{_SCHEME_OF[self.protocol, self.tls]}://{self.address}"
