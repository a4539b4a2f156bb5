"""Where requests may go: to public addresses over HTTPS, or to the origins that an administrator has listed.

Nothing here may connect or look a name up. What a person or a mail names is reached through `Public`: never a host of
ours or of the administrator's network. The ranges are those in IANA's special-purpose address registries (RFC 6890);
origins are those of RFC 6454.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.errors import OutboundRefused

LONGEST_URL: Final = 4000
PORTS: Final = {"https": 443, "http": 80}

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,20}\.?|\[[0-9a-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<target>(?:[/?][\x21-\x22\x24-\x7e]*)?)(?:#[\x21-\x7e]*)?",
    re.IGNORECASE | re.ASCII,  # otherwise [a-z] matches two more letters, İ and K (the Kelvin sign)
)

#: Addresses that are never public. IPv6 is public only inside 2000::/3, so this lists the special ranges within it;
#: addresses that embed an IPv4 address (mapped, NAT64, 6to4, Teredo) do not get around the table either.
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


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL names: `host` in lower case, without the dot of the root and without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The host, and the port unless it is the scheme's own, as in the field Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The origin in the form in which origins are compared."""
        return f"{self.scheme}://{self.authority}"


def read(url: str) -> Target:
    """Read a URL in plain ASCII, without its fragment. Raise OutboundRefused for anything else."""
    match = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
    if match is None:
        raise OutboundRefused("not a URL of HTTP in plain ASCII")
    scheme, host = match["scheme"].lower(), match["host"].lower().rstrip(".").strip("[]")
    port = int(match["port"] or PORTS[scheme])
    if not 0 < port < 65536:
        raise OutboundRefused("no such port")
    path = match["target"] if match["target"].startswith("/") else "/" + match["target"]
    return Target(scheme, host, port, path)


class Reach(Protocol):
    """Decides where requests go: by the URL before the name is looked up, then by each of its addresses."""

    def allows(self, target: Target) -> bool:
        """Return whether a URL may be requested."""

    def allows_address(self, address: str) -> bool:
        """Return whether an address may be connected to."""


class Public:
    """Reaches public addresses over HTTPS at its own port: for URLs that a person or a mail names."""

    def allows(self, target: Target) -> bool:
        """Return whether it is HTTPS at port 443 of a name."""
        return target.scheme == "https" and target.port == PORTS["https"] and ":" not in target.host

    def allows_address(self, address: str) -> bool:
        """Return whether an address is public."""
        return is_public(address)


class ListedOrigins:
    """Reaches the origins that an administrator has listed, whatever their scheme, port and addresses."""

    def __init__(self, origins: Iterable[str]) -> None:
        """`origins`: URLs, of which only scheme, host and port count. Raise OutboundRefused for an invalid one."""
        self._origins = frozenset(read(origin).origin for origin in origins)

    def allows(self, target: Target) -> bool:
        """Return whether the origin is listed."""
        return target.origin in self._origins

    def allows_address(self, address: str) -> bool:
        """Return True: the administrator knows where the origin is."""
        return True


def is_public(address: str) -> bool:
    """Return whether an address, in the form the resolver returns, is on the public internet."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if found.version == 6 and (found not in _GLOBAL_UNICAST or found.scope_id):
        return False
    return not any(found in network for network in _SPECIAL if network.version == found.version)
