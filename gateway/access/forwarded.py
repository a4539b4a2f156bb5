"""The client behind proxies and WAP gateways, from header fields that are trusted only as far as configured.

Nothing here may trust an address that the administrator has not listed, or guess. A field is read from the
right, where the nearest proxy has written, up to the first address that is not a trusted proxy. If a field
cannot be parsed, or two fields name different clients, the proxy itself counts as the client. RFC 7239;
X-Forwarded-For and X-Forwarded-Proto as older proxies write them; X-WAP-Network-Client-IP as WAP gateways
write it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Characters of a field that are read: some fifty proxies.
LONGEST: Final = 4096

# RFC 7239 §4. QUIRK: many write addresses with ports and brackets without the quotes that RFC 7239 §6 asks for.
_PAIR: Final = re.compile(
    r"""[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;\\]+)))?[ \t]*"""
)
# RFC 7239 §6: an address, in brackets if it is IPv6, and perhaps a port; without brackets in X-Forwarded-For.
_NODE: Final = re.compile(
    r"\[([0-9A-Fa-f:.]+)\](?::[\w.-]+)?|([0-9.]+)(?::[\w.-]+)?|([0-9A-Fa-f:.]+)", re.ASCII
)
_SCHEMES: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Client:
    """The client of a request: its address in canonical form, and the scheme it used."""

    address: str
    scheme: str


def client(peer: str, scheme: str, field: Callable[[str], str | None], trusted: Sequence[_Network]) -> Client:
    """Return the client of a request received from `peer` over `scheme`; `field` returns a header field by name."""
    nearest = parse_node(peer)
    if nearest is None or not _among(nearest, trusted):
        return Client(str(nearest) if nearest else peer, scheme)
    elements = _elements(field("Forwarded"))
    listed = _listed(field("X-Forwarded-For"))
    beyond = _listed(field("X-WAP-Network-Client-IP"))[
        -1:
    ]  # the gateway's own; the phone may have sent one as well
    chains = [[parse_node(one.get("for", "")) for one in elements], [parse_node(one) for one in listed]]
    chains = [chain for chain in chains if chain] or [[]]
    reached = {_reached(nearest, [*map(parse_node, beyond), *chain], trusted) for chain in chains}
    protocols = [one["proto"] for one in elements[-1:] if "proto" in one]
    protocols += _listed(field("X-Forwarded-Proto"))[-1:]
    schemes = {one.lower() for one in protocols}
    return Client(
        str(reached.pop() if len(reached) == 1 else nearest),
        schemes.pop() if len(schemes) == 1 and schemes <= {*_SCHEMES} else scheme,
    )


def parse_node(text: str) -> IPAddress | None:
    """Parse an address with an optional port; None for anything else, such as "unknown" and "_hidden"."""
    match = _NODE.fullmatch(text.strip(" \t"))
    try:
        address = ipaddress.ip_address(next(filter(None, match.groups()))) if match else None
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address


def _reached(nearest: IPAddress, chain: Sequence[IPAddress | None], trusted: Sequence[_Network]) -> IPAddress:
    """Follow the chain outwards from the nearest proxy, as long as each address is trusted and names another."""
    reached = nearest
    for one in reversed(chain):
        if one is None or not _among(reached, trusted):
            return reached
        reached = one
    return reached


def _among(address: IPAddress, networks: Sequence[_Network]) -> bool:
    return any(address in network for network in networks)


def _listed(value: str | None) -> list[str]:
    """Split a comma-separated list; one that is too long becomes a single item without meaning."""
    if not value:
        return []
    return [one.strip(" \t") for one in value.split(",")] if len(value) <= LONGEST else [""]


def _elements(value: str | None) -> list[dict[str, str]]:
    """Parse Forwarded; a value that violates RFC 7239 §4 becomes one empty element."""
    if not value:
        return []
    try:
        return list(_parsed(value)) if len(value) <= LONGEST else [{}]
    except ValueError:
        return [{}]


def _parsed(value: str) -> Iterator[dict[str, str]]:
    element: dict[str, str] = {}
    at = 0
    while pair := _PAIR.match(value, at):
        name, quoted, plain = pair.groups()
        if name is not None:
            if name.lower() in element:
                raise ValueError("said twice")
            element[name.lower()] = plain or re.sub(r"\\(.)", r"\1", quoted)
        at = pair.end()
        end = value[at : at + 1]
        if end not in ("", ",", ";"):
            raise ValueError("neither a pair nor an end")
        if end != ";":
            yield element
            element = {}
        if not end:
            return
        at += 1
