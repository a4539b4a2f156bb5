"""The only HTTP client: it posts a small form over HTTPS to a public address, and returns the status.

Nothing here may reach a host of ours or of the administrator's network: the name is resolved once, all of its
addresses must be public, and the connection goes to the address that was checked. Port 443 only, the
certificate is verified for the name, redirects are not followed, nothing is stored or sent along, and
everything together has one deadline. Standards: RFC 9110, RFC 9112; the ranges are those of IANA's
special-purpose address registries (RFC 6890).
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final
from urllib.parse import urlencode

from gateway.errors import OutboundRefused, OutboundUncertain, OutboundUnreachable
from gateway.upstreams import connecting
from gateway.upstreams.connecting import Lookups

log = logging.getLogger(__name__)

#: Seconds for everything together: a person waits at a handheld.
SECONDS: Final = 5.0
#: Octets of a response that are read; only its first line matters.
LARGEST_RESPONSE: Final = 16 * 1024
LONGEST_URL: Final = 4000
PORT: Final = 443
USER_AGENT: Final = "Mozilla/5.0 (compatible; mail client)"

_URL: Final = re.compile(
    r"https://(?P<host>[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,20}\.?)(?::443)?(?P<target>(?:[/?][\x21-\x22\x24-\x7e]*)?)"
    r"(?:#[\x21-\x7e]*)?",
    re.IGNORECASE | re.ASCII,  # else [a-z] takes two letters more, İ and K (the Kelvin sign)
)
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: [^\r\n]*)?\r?\n")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")

#: Addresses that are never connected to. IPv6 is public only inside 2000::/3, so this lists the special ranges
#: within it; addresses that embed an IPv4 address (mapped, NAT64, 6to4, Teredo) do not get around the table either.
_SPECIAL: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    )
)  # fmt: skip
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")

Resolve = Callable[[str], Sequence[str]]
Connect = Callable[[str, int, float], socket.socket]


def is_public(address: str) -> bool:
    """Return whether an address, in the form the resolver returns, is on the public internet."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if found.version == 6 and (found not in _GLOBAL_UNICAST or found.scope_id):
        return False
    return not any(found in network for network in _SPECIAL if network.version == found.version)


def resolve(host: str) -> Sequence[str]:
    """Return all addresses of a name. Raise OSError."""
    return connecting.resolve(host, PORT)


def connect(address: str, port: int, seconds: float) -> socket.socket:
    """Connect to an address, never to a name."""
    return socket.create_connection((str(ipaddress.ip_address(address)), port), seconds)


@cache
def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Deadline:
    """The deadline of one request."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left. Raise TimeoutError if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Outbound:
    """The HTTP client. `resolve`, `connect` and `context` are replaceable for tests."""

    def __init__(
        self,
        resolve: Resolve = resolve,
        connect: Connect = connect,
        context: Callable[[], ssl.SSLContext] = _context,
        seconds: float = SECONDS,
    ) -> None:
        self._resolve, self._connect, self._context, self._seconds = resolve, connect, context, seconds
        self._lookups = Lookups(lambda host, _port: self._resolve(host))

    def post_form(self, url: str, fields: dict[str, str]) -> int:
        """POST fields to an https URL and return the status of the response, whatever it is.

        Raise OutboundRefused for an address that must not be reached, OutboundUnreachable if nothing was
        sent, OutboundUncertain if no response came to what was sent.
        """
        match = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
        if match is None:
            raise OutboundRefused("not an https URL on port 443 in plain ASCII")
        host = match["host"].rstrip(".").lower()
        target = match["target"] if match["target"].startswith("/") else "/" + match["target"]
        octets = _request(host, target, urlencode(fields).encode("ascii"))
        deadline = _Deadline(self._seconds)
        try:
            address = self._public_address(host, deadline)
            plain = self._connect(address, PORT, deadline.left())
        except OSError as error:
            raise OutboundUnreachable(f"{host}: {_reason(error)}") from error
        with plain:
            return self._exchange(plain, host, octets, deadline)

    def _public_address(self, host: str, deadline: _Deadline) -> str:
        """Resolve a name once; one address that is not public rules out all."""
        found = self._lookups.addresses(host, PORT, deadline.left())
        if not found:
            raise OutboundUnreachable(f"{host}: no address")
        for address in found:
            if not is_public(address):
                raise OutboundRefused(f"{host} has the address {address}, which is not public")
        return found[0]

    def _exchange(self, plain: socket.socket, host: str, octets: bytes, deadline: _Deadline) -> int:
        try:
            plain.settimeout(deadline.left())
            secured = self._context().wrap_socket(plain, server_hostname=host)
        except (OSError, ValueError) as error:
            raise OutboundUnreachable(f"{host}: {_reason(error)}") from error
        with secured:
            try:
                secured.settimeout(deadline.left())
                secured.sendall(octets)
                return _status(secured, deadline)
            except OSError as error:
                raise OutboundUncertain(f"{host}: {_reason(error)}") from error


def _request(host: str, target: str, body: bytes) -> bytes:
    """Return the request (RFC 9112 §3), which contains nothing about the person or this gateway."""
    lines = (
        f"POST {target} HTTP/1.1",
        f"Host: {host}",
        f"User-Agent: {USER_AGENT}",
        "Accept: */*",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "",
        "",
    )
    return "\r\n".join(lines).encode("ascii") + body


def _status(sock: socket.socket, deadline: _Deadline) -> int:
    """Read the final status; interim responses (RFC 9110 §15.2) are skipped."""
    octets = b""
    while len(octets) < LARGEST_RESPONSE:
        while match := _STATUS.match(octets):
            if not match[1].startswith(b"1"):
                return int(match[1])
            end = _HEAD_END.search(octets)
            if end is None:
                break
            octets = octets[end.end() :]
        sock.settimeout(deadline.left())
        piece = sock.recv(4096)
        if not piece:
            break
        octets += piece
    raise OutboundUncertain("the answer is not HTTP")


def _reason(error: Exception) -> str:
    """Return a short reason of a failure, for the log."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "took too long"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
