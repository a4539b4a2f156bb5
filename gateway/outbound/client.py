"""The HTTP client: looks a name up once, connects to an address that was checked, and makes one request.

Nothing here may connect to a name, or to an address that the reach forbids: one such address rules out all addresses of
a name. The certificate is verified for the name; everything together has one deadline.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final
from urllib.parse import urlencode

from gateway import computing
from gateway.errors import OutboundRefused, OutboundUncertain, OutboundUnreachable
from gateway.message import media_types
from gateway.outbound import http1_exchange, reach
from gateway.outbound.http1_exchange import Response
from gateway.outbound.reach import Public, Reach, Target
from gateway.upstreams import connecting
from gateway.upstreams.connecting import Lookups

log = logging.getLogger(__name__)

#: Seconds for everything together: a person is waiting at a handheld.
SECONDS: Final = 5.0

ResolveName = Callable[[str], Sequence[str]]
ConnectSocket = Callable[[str, int, float], socket.socket]


def resolve(host: str) -> Sequence[str]:
    """Return all addresses of a name. Raise OSError."""
    return connecting.resolve(host, reach.PORTS["https"])


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
        resolve: ResolveName = resolve,
        connect: ConnectSocket = connect,
        context: Callable[[], ssl.SSLContext] = _context,
        seconds: float = SECONDS,
        reach: Reach | None = None,
    ) -> None:
        """`reach`: public addresses over HTTPS unless another one is given."""
        self._resolve, self._connect, self._context, self._seconds = resolve, connect, context, seconds
        self._reach: Reach = reach or Public()
        self._lookups = Lookups(lambda host, _port: self._resolve(host))

    def post_form(self, url: str, fields: dict[str, str]) -> int:
        """POST fields, and return the status of the response; raise as `request` does."""
        return self.request("POST", url, urlencode(fields).encode("ascii"), media_types.FORM).status

    def request(
        self, method: str, url: str, body: bytes = b"", media_type: str = "", most: int = 0
    ) -> Response:
        """Send a request and return the response, whatever its status, with at most `most` octets of its body.

        Raise OutboundRefused for a URL that must not be requested, OutboundUnreachable if nothing was sent,
        OutboundUncertain if there was no response to what was sent, or one that is too long.
        """
        target = reach.read(url)
        if not self._reach.allows(target):
            raise OutboundRefused(f"{target.origin} is out of reach")
        octets = http1_exchange.request(method, target, body, media_type)
        with computing.waiting():
            return self._exchange(method, target, octets, most)

    def _exchange(self, method: str, target: Target, octets: bytes, most: int) -> Response:
        deadline = _Deadline(self._seconds)
        try:
            address = self._address(target, deadline)
            sock = self._connect(address, target.port, deadline.left())
        except OSError as error:
            raise OutboundUnreachable(f"{target.host}: {_reason(error)}") from error
        with sock, self._secured(sock, target, deadline) as secured:
            try:
                secured.settimeout(deadline.left())
                secured.sendall(octets)
                return http1_exchange.receive(secured, method, most, deadline.left)
            except OSError as error:
                raise OutboundUncertain(f"{target.host}: {_reason(error)}") from error

    def _address(self, target: Target, deadline: _Deadline) -> str:
        """Resolve a name once; one address that must not be reached rules out all."""
        found = self._lookups.addresses(target.host, target.port, deadline.left())
        if not found:
            raise OutboundUnreachable(f"{target.host}: no address")
        for address in found:
            if not self._reach.allows_address(address):
                raise OutboundRefused(f"{target.host} has the address {address}, which is not public")
        return found[0]

    def _secured(self, sock: socket.socket, target: Target, deadline: _Deadline) -> socket.socket:
        if target.scheme != "https":
            return sock
        try:
            sock.settimeout(deadline.left())
            return self._context().wrap_socket(sock, server_hostname=target.host)
        except (OSError, ValueError) as error:
            raise OutboundUnreachable(f"{target.host}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return a short reason for a failure, for the log."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "took too long"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
