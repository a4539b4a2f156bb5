"""Who may be sent how much by UDP, where anybody can write any sender address into a datagram.

Nothing here may open a socket or read a clock. Hosts in trusted networks are sent what they ask for. All others are
sent at most three times the octets that came from them, repetitions included, until a URL from them has carried a token
that they can only have from an earlier answer; after that they have a budget, and so have their network and all of them
together. RFC 9000 §8 (address validation) uses the same idea.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from base64 import b32encode
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

AMPLIFICATION: Final = 3
"""Octets sent for each octet received, before an address is known. RFC 9000 §8.1."""
TOKEN: Final = 13
"""Characters of a token, five bits each."""
SLOT: Final = 600.0
"""Seconds during which tokens stay the same; those of the slot before are accepted, too."""
KNOWN_SECONDS: Final = 1800.0
"""Seconds since its last request for which an address stays known."""
HOSTS: Final = 10_000
"""How many addresses are remembered; beyond that, those not heard from for longest are forgotten."""
HOST_RATE: Final = 20_000.0
"""Octets per second for one known address: GPRS has 10,000."""
NETWORK_RATE: Final = 100_000.0
"""Octets per second for one network: 24 bits of IPv4, 48 of IPv6."""
WHOLE_RATE: Final = 1_000_000.0
"""Octets per second for all that are not trusted."""
BURST: Final = 10.0
"""For how many seconds a budget accumulates at its rate."""

#: Why a datagram is not sent.
UNPROVEN: Final = "address not proven"
OVER_BUDGET: Final = "over budget"


@dataclass(slots=True)
class _Budget:
    rate: float
    left: float
    at: float

    def take(self, octets: int, now: float) -> bool:
        self.left = min(self.rate * BURST, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < octets:
            return False
        self.left -= octets
        return True


def new_token() -> str:
    """Return a token unlike any other."""
    return _written(secrets.token_bytes(TOKEN))


def _written(octets: bytes) -> str:
    return b32encode(octets).decode("ascii")[:TOKEN].lower()


@dataclass(slots=True)
class _Host:
    received: int
    sent: int
    known_until: float
    budget: _Budget


class Reachability:
    """What has come from whom, and what may go there."""

    def __init__(
        self, trusted: Iterable[object], secret: bytes, refused: Callable[[str], object] = lambda why: None
    ) -> None:
        """`trusted`: networks; `secret`: the key of tokens; `refused` is told about each datagram not sent."""
        self._trusted = tuple(ipaddress.ip_network(str(network)) for network in trusted)
        self._secret, self._refused = secret, refused
        self.is_trusted = lru_cache(HOSTS)(self._is_trusted)
        """Whether a host lies in a trusted network. It is asked for every datagram."""
        self._hosts: OrderedDict[str, _Host] = OrderedDict()
        self._networks: OrderedDict[str, _Budget] = OrderedDict()
        self._whole = _Budget(WHOLE_RATE, WHOLE_RATE * BURST, 0.0)

    def _is_trusted(self, host: str) -> bool:
        address = ipaddress.ip_address(host)
        return any(address in network for network in self._trusted)

    def is_known(self, host: str, now: float) -> bool:
        """Return whether what is sent to a host is known to arrive there."""
        entry = self._hosts.get(host)
        return self.is_trusted(host) or (entry is not None and now < entry.known_until)

    def received(self, host: str, octets: int, now: float) -> None:
        """Record that a datagram came."""
        if not self.is_trusted(host):
            self._host(host, now).received += octets

    def may_send(self, host: str, octets: int, now: float) -> bool:
        """Return whether a datagram may be sent, and count it if so."""
        if self.is_trusted(host):
            return True
        entry = self._host(host, now)
        if now >= entry.known_until and entry.sent + octets > AMPLIFICATION * entry.received:
            self._refused(UNPROVEN)
            return False
        budgets = (entry.budget, self._network(host, now), self._whole)
        if not all(budget.take(octets, now) for budget in budgets):
            self._refused(OVER_BUDGET)
            return False
        entry.sent += octets
        return True

    def token(self, host: str, now: float) -> str:
        """Return the token that a host's next URL may carry."""
        return self._token(host, int(now // SLOT))

    def take_token(self, host: str, token: str, now: float) -> bool:
        """Take a token from a URL; return whether it proves that the host gets our answers."""
        slot = int(now // SLOT)
        right = [self._token(host, each) for each in (slot, slot - 1)]
        if not any(hmac.compare_digest(token.encode(), each.encode()) for each in right):
            return False
        self.keep(host, now)
        return True

    def keep(self, host: str, now: float) -> None:
        """Record a request of a known host: it stays known."""
        if not self.is_trusted(host):
            self._host(host, now).known_until = now + KNOWN_SECONDS

    def _token(self, host: str, slot: int) -> str:
        digest = hmac.digest(self._secret, f"{host} {slot}".encode(), hashlib.sha256)
        return _written(digest)

    def _host(self, host: str, now: float) -> _Host:
        entry = self._hosts.get(host)
        if entry is None:
            entry = self._hosts[host] = _Host(0, 0, 0.0, _Budget(HOST_RATE, HOST_RATE * BURST, now))
            if len(self._hosts) > HOSTS:
                self._hosts.popitem(last=False)
        self._hosts.move_to_end(host)
        return entry

    def _network(self, host: str, now: float) -> _Budget:
        version = ipaddress.ip_address(host).version
        name = str(ipaddress.ip_network(f"{host}/{24 if version == 4 else 48}", strict=False))
        budget = self._networks.get(name)
        if budget is None:
            budget = self._networks[name] = _Budget(NETWORK_RATE, NETWORK_RATE * BURST, now)
            if len(self._networks) > HOSTS:
                self._networks.popitem(last=False)
        return budget
