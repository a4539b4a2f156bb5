"""Decides who gets a place when there are too few, and who gives one up for it.

Nothing here may wait, read a clock or know what a place is for. A place is taken from the holder that loses least:
from idle connections first, then from strangers before people who are signed in, and among these from the
address with most places (a subscriber's IPv6 network counts as one address), the oldest first. A request that
is being answered keeps its place.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

from gateway.access.throttle import IPV6_SITE_BITS


class Priority(IntEnum):
    """The claim of a holder to its place, the strongest first."""

    BUSY = 0  # the gateway is working for it: never evicted
    KNOWN = 1  # signed in, and slow
    STRANGER = 2
    IDLE = 3  # between two requests: nothing is lost


class Full(Exception):
    """There is no free place, and no holder with a weaker claim."""


@dataclass(eq=False, slots=True)
class Holder:
    """A holder of a place, or an applicant for one. `leave` is called when the place is taken away."""

    address: str
    leave: Callable[[], object]
    standing: Priority = Priority.STRANGER
    site: str = field(init=False)

    def __post_init__(self) -> None:
        self.move(self.address)

    def move(self, address: str) -> None:
        """Record the address given by a trusted proxy, once it is known."""
        self.address, self.site = address, _site(address)


class Slots:
    """A number of places. `share`: how many of them one address may have at most."""

    def __init__(self, count: int, share: int | None = None) -> None:
        self._count = count
        self._share = share or count
        self._holders: dict[Holder, None] = {}  # oldest first

    def __len__(self) -> int:
        return len(self._holders)

    def take(self, newcomer: Holder, *, insist: bool = False) -> None:
        """Give a newcomer a place, if need be that of a holder with a weaker claim; raise Full.

        With `insist`, any holder that may be evicted will do.
        """
        held = Counter(each.site for each in self._holders)
        crowded = held[newcomer.site] >= self._share
        if crowded or len(self._holders) >= self._count:
            self._make_room(newcomer, held, crowded, insist)
        self._holders[newcomer] = None

    def free(self, holder: Holder) -> None:
        """Take a place back, if it is not free already."""
        self._holders.pop(holder, None)

    def _make_room(self, newcomer: Holder, held: Counter[str], crowded: bool, insist: bool) -> None:
        held[newcomer.site] += 1

        def firmness(holder: Holder) -> tuple[Priority, int]:
            return holder.standing, held[holder.site] if holder.standing is not Priority.IDLE else 0

        candidates = (
            each
            for each in self._holders
            if each.standing is not Priority.BUSY and (not crowded or each.site == newcomer.site)
        )
        loser = max(candidates, key=firmness, default=None)
        if loser is None or not (insist or firmness(loser) > firmness(newcomer)):
            raise Full
        self.free(loser)
        loser.leave()


@lru_cache(maxsize=1024)
def _site(address: str) -> str:
    """Reduce an address to one subscriber's network; anything else stands for itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), IPV6_SITE_BITS), strict=False))
