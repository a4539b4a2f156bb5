"""Limits on failed sign-ins: guessers are slowed down, and owners are not locked out.

Nothing here may read a clock, or refuse anybody permanently: a try that has to wait is given a time, and is admitted
then. Three limits apply to devices that are not known (see `known_devices`): one for a network address trying one
account, one for an account, and one for an address trying many accounts. A try is counted before its password is
verified, so that parallel tries gain nothing, and given back if it did not fail. All phones of a WAP gateway may share
one address, and a guesser may have many.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol

from gateway.access.known_devices import KnownDevices, SignInOrigin
from gateway.access.waiting_queue import Names, QueueRate, WaitingQueue
from gateway.errors import TooManyTries
from gateway.state import TrySubject

IPV6_SITE_BITS: Final = (
    64  # bits of an IPv6 address that identify a subscriber, who may vary the rest (RFC 6177)
)
#: Prefix lengths, for IPv4 and IPv6, of the networks that share one place in an account's queue, the finest first:
#: what can be routed by itself (RFC 7454 §6.1.3), what a provider has, whose neighbours share a place, and, in a
#: crowd, what registries assign.
_PREFIXES: Final = ((24, 48), (16, 32), (8, 12))
#: The names of the three limits.
BOTH: Final = "account and address"
OF_ACCOUNT: Final = "account"
OF_ADDRESS: Final = "address"
#: Characters of a network that administrators see; anything longer is not an address.
LONGEST_NETWORK: Final = 64
#: Digits of a network's digest in its name: enough to distinguish networks within the same larger one.
_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class FailureCount:
    """Failures as of the time `at`, and the end of the wait before the next try; seconds since the epoch."""

    at: float = 0.0
    level: float = 0.0
    until: float = 0.0

    def now(self, now: float) -> FailureCount:
        """Adjust to a clock that was set back, keeping the wait as long as it was."""
        back = max(0.0, self.at - now)
        return FailureCount(min(self.at, now), self.level, self.until - back) if back else self

    def packed(self, now: float) -> str | None:
        """Return the count as JSON; None if it is as good as a new one."""
        return json.dumps([self.at, self.level, self.until]) if self.level or self.until > now else None

    @classmethod
    def unpacked(cls, text: str | None) -> FailureCount:
        """Parse a count; a new one for None."""
        return cls(*json.loads(text)) if text else cls()


@dataclass(frozen=True, slots=True)
class BackoffRule:
    """A limit by exponential backoff.

    `free` failures cost nothing and leak away in `memory` seconds; waits are in seconds.
    """

    free: int
    memory: float
    first_wait: float
    longest_wait: float

    def after_failure(self, failures: FailureCount, now: float) -> FailureCount:
        """Add one failure to a count."""
        failures = failures.now(now)
        level = max(0.0, failures.level - (now - failures.at) * self.free / self.memory) + 1
        if level <= self.free:
            return FailureCount(now, level, failures.until)
        level = min(level, self._highest())
        wait = min(self.longest_wait, self.first_wait * 2.0 ** (math.ceil(level - self.free) - 1))
        return FailureCount(now, level, max(failures.until, now + wait))

    def given_back(self, failures: FailureCount, now: float, until: float) -> FailureCount:
        """Take back one failure and the wait `until` that it caused; a wait caused by others stays."""
        failures = failures.now(now)
        level = max(0.0, failures.level - 1)
        mine = level <= self.free or failures.until == until
        return replace(failures, level=level, until=0.0 if mine else failures.until)

    def lifetime(self) -> float:
        """Return the seconds in which any level leaks away."""
        return self._highest() / self.free * self.memory

    def _highest(self) -> float:
        """Return the level at which the wait is longest: a cap, so that it does not take days to leak away."""
        return self.free + 1.0 + math.ceil(math.log2(self.longest_wait / self.first_wait))


#: A person mistyping, or somebody guessing: one account from one address.
ACCOUNT_AND_ADDRESS: Final = BackoffRule(free=5, memory=1800, first_wait=10, longest_wait=900)
#: Guessing one account from many addresses: turns rotate among networks.
ACCOUNT: Final = QueueRate(every=30, free=50, most=1000)
#: Guessing many accounts from one address: turns rotate among accounts. A WAP gateway with thousands of mistyping
#: phones stays below this.
ADDRESS: Final = QueueRate(every=12, free=300, most=300)
LIFETIME: Final = max(ACCOUNT_AND_ADDRESS.lifetime(), ACCOUNT.lifetime(), ADDRESS.lifetime())
"""Seconds after which a record that has not changed is as good as none."""

#: Records by key, as text; None for no record.
Records = Mapping[bytes, str | None]


class ThrottleTable(Protocol):
    """Storage for the records, shared by all processes; `state` has one."""

    def get(self, keys: Iterable[bytes]) -> Records: ...

    def change(
        self, keys: Mapping[bytes, TrySubject], step: Callable[[Records], Records], now: float
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in attempt: the key its account is counted by, the address it comes from, and its origin."""

    account: bytes
    address: str
    origin: SignInOrigin

    def keys(self) -> tuple[bytes, bytes, bytes]:
        """Return the keys of its three records: of account and address together, of the account, and of the address."""
        both, account, site = self.account + site_of(self.address), self.account, site_of(self.address)
        return _digest(b"both", both), _digest(b"account", account), _digest(b"address", site)

    def subjects(self) -> Mapping[bytes, TrySubject]:
        """Return what administrators may know about its three records, by their keys."""
        person, network = self.origin.account, site_of(self.address).decode("utf-8", "replace")
        network = network[:LONGEST_NETWORK]
        whose = (
            TrySubject(BOTH, person, self.account, network),
            TrySubject(OF_ACCOUNT, person, self.account),
            TrySubject(OF_ADDRESS, network=network),
        )
        return dict(zip(self.keys(), whose, strict=True))

    def networks(self) -> Names:
        """Return the names of the address's networks, for the account's queue."""
        own, near, far = (_digest(self.account, one).hex()[:_DIGITS] for one in networks_of(self.address))
        return far + near + own, far + near, far

    def shares(self) -> Names:
        """Return the names of the account, for the address's queue.

        An account has no neighbours; its crowd is a group of accounts.
        """
        digest = hashlib.sha256(self.account).hexdigest()
        return digest[:16], digest[:16], digest[:1]


@dataclass(frozen=True, slots=True)
class AdmittedAttempt:
    """An attempt that was admitted; `charged`: to a known device or network, or, if empty, to the limits.

    `until`: the end of the wait that it caused for its account at its address, in seconds since the epoch;
    `places`: the names of its places in the queues of the account and of the address.
    """

    attempt: Attempt
    charged: frozenset[bytes] = frozenset()
    until: float = 0.0
    places: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Decision:
    """The records after an attempt; it is admitted as `entry` unless it has to wait for `wait` seconds."""

    kept: Records
    wait: float
    entry: AdmittedAttempt


class Throttle:
    """The limits on failed sign-ins."""

    def __init__(self, table: ThrottleTable, known_devices: KnownDevices) -> None:
        self._table, self._remembered = table, known_devices

    def enter(self, attempt: Attempt, now: float) -> AdmittedAttempt:
        """Admit an attempt, counted as a failure for now. Raise TooManyTries with the time of its turn."""
        charged = self._remembered.charge(attempt.origin, now)
        if charged:
            return AdmittedAttempt(attempt, charged)
        keys = attempt.keys()
        kept = self._table.get(keys)
        decision = decide(attempt, kept, now)
        if not decision.wait or decision.kept != kept:  # decide again, in one transaction

            def step(kept: Records) -> Records:
                nonlocal decision
                decision = decide(attempt, kept, now)
                return decision.kept

            self._table.change(attempt.subjects(), step, now)
        if decision.wait:
            raise TooManyTries(math.ceil(decision.wait))
        return decision.entry

    def succeeded(self, entry: AdmittedAttempt, account: int, now: float, by_token: bool) -> str:
        """Clear the account's failures at this address, and remember the device; return its new cookie, if any.

        Failures at other addresses are not one person's to clear.
        """
        if not entry.charged:
            self._table.change(entry.attempt.subjects(), lambda kept: after_success(entry, kept, now), now)
        return self._remembered.keep(entry.attempt.origin, account, now, by_token)

    def did_not_fail(self, entry: AdmittedAttempt, now: float) -> None:
        """Give back an attempt whose password proved neither right nor wrong."""
        if entry.charged:
            self._remembered.give_back(entry.charged)
            return
        self._table.change(entry.attempt.subjects(), lambda kept: after_no_verdict(entry, kept, now), now)


def decide(attempt: Attempt, kept: Records, now: float) -> Decision:
    """Admit an attempt, or determine its turn and hold a place for it in both queues."""
    both, account, address = attempt.keys()
    failures = FailureCount.unpacked(kept[both]).now(now)
    own, site = WaitingQueue.unpacked(kept[account]), WaitingQueue.unpacked(kept[address])
    networks, shares = attempt.networks(), attempt.shares()
    turn = max(failures.until, own.turn(networks, now, ACCOUNT), site.turn(shares, now, ADDRESS))
    places = (own.place(networks), site.place(shares))
    if turn > now:
        own = own.hold(networks, turn, now, ACCOUNT)
        site = site.hold(shares, turn, now, ADDRESS)
    else:
        failures = ACCOUNT_AND_ADDRESS.after_failure(failures, now)
        own = own.take(networks, now, ACCOUNT)
        site = site.take(shares, now, ADDRESS)
    after = {both: failures.packed(now), account: own.packed(now), address: site.packed(now)}
    return Decision(
        after, max(0.0, turn - now), AdmittedAttempt(attempt, until=failures.until, places=places)
    )


def after_success(entry: AdmittedAttempt, kept: Records, now: float) -> Records:
    """Return the records after a right password."""
    both, account, address = entry.attempt.keys()
    own = WaitingQueue.unpacked(kept[account]).give_back(now, ACCOUNT)
    site = WaitingQueue.unpacked(kept[address]).give_back(now, ADDRESS)
    return {both: None, account: own.packed(now), address: site.packed(now)}


def after_no_verdict(entry: AdmittedAttempt, kept: Records, now: float) -> Records:
    """Return the records after an attempt that proved neither right nor wrong: its turn is still its turn."""
    both, account, address = entry.attempt.keys()
    failures = ACCOUNT_AND_ADDRESS.given_back(FailureCount.unpacked(kept[both]), now, entry.until)
    own = WaitingQueue.unpacked(kept[account]).return_turn(entry.places[0], now, ACCOUNT)
    site = WaitingQueue.unpacked(kept[address]).return_turn(entry.places[1], now, ADDRESS)
    return {both: failures.packed(now), account: own.packed(now), address: site.packed(now)}


def _digest(purpose: bytes, text: bytes) -> bytes:
    return hashlib.sha256(b"%d:%s%s" % (len(purpose), purpose, text)).digest()


def site_of(address: str) -> bytes:
    """Reduce an address to the network of one subscriber; a text that is not an address stays as it is."""
    return _network(address, 32, IPV6_SITE_BITS)


def networks_of(address: str) -> tuple[bytes, ...]:
    """Return the networks of an address that have one place each, the smallest first."""
    return tuple(_network(address, *bits) for bits in _PREFIXES)


@lru_cache(1024)
def _network(address: str, ipv4_bits: int, ipv6_bits: int) -> bytes:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address.encode("utf-8", "surrogatepass")
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.IPv6Network((int(parsed), ipv6_bits), strict=False)).encode()
    ipv4 = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else parsed
    return str(ipaddress.IPv4Network((int(ipv4 or 0), ipv4_bits), strict=False)).encode()
