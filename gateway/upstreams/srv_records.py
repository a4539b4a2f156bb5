"""Which hosts offer a service for a domain, according to its SRV records (RFC 2782): the only importer of dnspython.

Nothing here may connect to what it finds. The answers come from the system's resolver, for which nobody vouches: what a
record names is a hint until a certificate or a person confirms it (RFC 6186 §6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from dns.resolver import Resolver as Resolver

from gateway.config.hosts import MAX_PORT, host_name

#: Seconds for one query, to all name servers together.
SECONDS: Final = 5.0
#: The most hosts of one service that are returned.
MOST: Final = 8


@dataclass(frozen=True, slots=True)
class ServiceHost:
    """A host that offers a service."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ServiceRecords:
    """What is known about one service: its hosts, the best first; `refused`: the domain says that it has none.

    `failure`: why nothing is known.
    """

    hosts: tuple[ServiceHost, ...] = ()
    refused: bool = False
    failure: str = ""


def system_resolver() -> Resolver:
    """Return a resolver that asks the name servers of this machine. Raise OSError if it names none."""
    try:
        return Resolver()
    except dns.resolver.NoResolverConfiguration as error:
        raise OSError(str(error)) from None


def look_up(service: str, domain: str, resolver: Resolver) -> ServiceRecords:
    """Return the hosts of a service ("_imaps._tcp") of a domain; none if there are no records."""
    try:
        answer = resolver.resolve(f"{service}.{domain}.", "SRV", lifetime=SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.name.LabelTooLong, dns.name.NameTooLong):
        return ServiceRecords()
    except (dns.exception.DNSException, OSError, ValueError) as error:
        return ServiceRecords(failure=type(error).__name__)
    records = [one for one in answer if one.rdtype == dns.rdatatype.SRV]
    # Among equals RFC 2782 chooses randomly, by weight; the heaviest one is the likeliest.
    records.sort(key=lambda one: (one.priority, -one.weight, one.target.to_text(), one.port))
    if len(records) == 1 and records[0].target.to_text() == ".":
        return ServiceRecords(refused=True)
    hosts = (_host(one.target.to_text(omit_final_dot=True), one.port) for one in records)
    return ServiceRecords(tuple(dict.fromkeys(one for one in hosts if one is not None))[:MOST])


def _host(name: str, port: int) -> ServiceHost | None:
    try:
        return ServiceHost(host_name(name), port) if 0 < port <= MAX_PORT else None
    except ValueError:
        return None
