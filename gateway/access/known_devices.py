"""Devices and networks that an account's owner has signed in from before.

Nothing here may store a token or an address, or authenticate anybody: a known device only skips the
throttle's waits, for at most ten wrong passwords after the last right one. A device is known by a token in a
cookie of its own, which outlives sessions and is replaced at each sign-in; a device without cookies is known
by its network alone. Both count for one account only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.sealed import vault
from gateway.state.people.sign_in_origins import SignInOrigins

DEVICE_SECONDS: Final = 180 * 24 * 3600.0
#: Shorter than for devices, as networks are reassigned.
NETWORK_SECONDS: Final = 30 * 24 * 3600.0
#: Tokens in one cookie, for people who share a device.
MOST_TOKENS: Final = 4
_BETWEEN: Final = "."


@dataclass(frozen=True, slots=True)
class SignInOrigin:
    """The origin of a sign-in: the account's key, the network's name, and the cookie as received."""

    account: bytes
    network: bytes
    cookie: str = ""

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens in the cookie."""
        return tuple(filter(vault.is_token, self.cookie.split(_BETWEEN, MOST_TOKENS)[:MOST_TOKENS]))

    def device(self, token: str) -> bytes:
        """Return a device's key in the database."""
        return hashlib.sha256(b"device" + self.account + token.encode("ascii")).digest()

    @property
    def whole_network(self) -> bytes:
        """The network's key in the database."""
        return hashlib.sha256(b"network" + self.account + self.network).digest()


class KnownDevices:
    """The devices and networks of each account that are known, by their keys."""

    def __init__(self, table: SignInOrigins) -> None:
        self._table = table

    def charge(self, origin: SignInOrigin, now: float) -> frozenset[bytes]:
        """Count a wrong password against the device, or else the network; return the keys charged, if any."""
        devices = self._table.charge(map(origin.device, origin.tokens), now)
        return devices or self._table.charge([origin.whole_network], now)

    def give_back(self, charged: Iterable[bytes]) -> None:
        """Undo a charge."""
        self._table.give_back(charged)

    def keep(self, origin: SignInOrigin, account: int, now: float, by_token: bool) -> str:
        """Record the origin of a successful sign-in; return the device's new cookie, '' unless `by_token`.

        Other tokens in the cookie belong to other people.
        """
        known = {origin.whole_network: now + NETWORK_SECONDS}
        if not by_token:
            self._table.keep(account, known, ())
            return ""
        token = vault.new_token()
        own = self._table.known(map(origin.device, origin.tokens))
        others = [one for one in origin.tokens if origin.device(one) not in own]
        self._table.keep(account, {origin.device(token): now + DEVICE_SECONDS, **known}, own)
        return _BETWEEN.join([token, *others][:MOST_TOKENS])
