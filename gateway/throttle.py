"""Who may try to sign in again, and when.

Nothing here may read a clock, keep a tally or lock anybody out for good: the longest wait is minutes. All
phones of a WAP gateway share one network address, so an address alone is bounded only far above what their
owners' mistyping can reach. Each failure adds one to a level that leaks away steadily; above the free level
each further failure doubles the wait.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from gateway.errors import TooManyTries

IPV6_SITE_BITS = 64  # bits of an IPv6 address that name a subscriber; the rest is theirs to vary (RFC 6177)

Tally = tuple[
    float, float, float
]  # level, last change, no try before; the two times in seconds since the epoch


@dataclass(frozen=True, slots=True)
class Rule:
    """One bound. `free` failures cost nothing and leak away in `memory` seconds; waits are in seconds."""

    by_account: bool
    by_address: bool
    free: int
    memory: float
    first_wait: float
    longest_wait: float

    def after_failure(self, tally: Tally | None, now: float) -> Tally:
        """Add one failure to a tally."""
        level, last, until = tally or (0.0, now, 0.0)
        level = max(0.0, level - max(0.0, now - last) * self.free / self.memory) + 1
        if level <= self.free:
            return level, now, until
        level = min(level, self._highest())
        wait = min(self.longest_wait, self.first_wait * 2.0 ** (math.ceil(level - self.free) - 1))
        return level, now, max(until, now + wait)

    def lifetime(self) -> float:
        """Return the seconds in which any level has leaked away."""
        return self._highest() / self.free * self.memory

    def _highest(self) -> float:
        """Bound the level where the wait is longest, so that it does not take days to leak away."""
        return self.free + 1.0 + math.ceil(math.log2(self.longest_wait / self.first_wait))


RULES = (
    # A person mistyping, or somebody guessing: one account from one address.
    KEYPAD := Rule(True, True, free=5, memory=1800, first_wait=10, longest_wait=900),
    # Guessing spread over many addresses. Wider, because it also keeps the owner out.
    Rule(True, False, free=50, memory=3600, first_wait=10, longest_wait=300),
    # Guessing over many accounts. A gateway with thousands of mistyping phones stays below.
    Rule(False, True, free=300, memory=3600, first_wait=10, longest_wait=300),
)
LIFETIME = max(rule.lifetime() for rule in RULES)
"""Seconds after which a tally that has not changed means nothing."""


class Tallies(Protocol):
    """Where tallies are kept, for all processes alike; `state` has one."""

    def until(self, keys: Iterable[bytes]) -> float: ...

    def change(self, key: bytes, step: Callable[[Tally | None], Tally]) -> None: ...

    def forget(self, key: bytes) -> None: ...


class Throttle:
    """The bounds on sign-ins that fail."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies

    def check(self, account_key: bytes, address: str, now: float) -> None:
        """Raise TooManyTries when this account or this address has to wait."""
        wait = self._tallies.until(_key(rule, account_key, address) for rule in RULES) - now
        if wait > 0:
            raise TooManyTries(math.ceil(wait))

    def failed(self, account_key: bytes, address: str, now: float) -> None:
        """Count a refused sign-in."""
        for rule in RULES:
            self._tallies.change(_key(rule, account_key, address), partial(rule.after_failure, now=now))

    def succeeded(self, account_key: bytes, address: str) -> None:
        """Forgive this account at this address; others' tallies are not for one's own account to clear."""
        self._tallies.forget(_key(KEYPAD, account_key, address))


def _key(rule: Rule, account_key: bytes, address: str) -> bytes:
    account = account_key if rule.by_account else b""
    site = _site(address) if rule.by_address else b""
    return hashlib.sha256(b"%d:%s%s" % (len(account), account, site)).digest()


def _site(address: str) -> bytes:
    """Reduce an address to what one subscriber has; what is no address stands for itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address.encode("utf-8", "surrogatepass")
    if parsed.version == 6:
        if parsed.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((int(parsed), IPV6_SITE_BITS), strict=False)).encode()
        parsed = parsed.ipv4_mapped
    return str(parsed).encode()
