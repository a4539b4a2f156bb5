"""Who has to wait after failed sign-ins, in words, and how to let them continue at once.

Nothing here may name the address of an account; networks are in clear, since the log has them too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.access import slow_downs
from gateway.access.log_context import account_hash
from gateway.access.slow_downs import SlowDown
from gateway.access.throttle import BOTH, OF_ACCOUNT
from gateway.errors import NotFound
from gateway.state import State


@dataclass(frozen=True, slots=True)
class Waiting:
    """One limit in force: `key` to clear it by, hash of the account and network ("" for any), why, and until when."""

    key: str
    account: str
    network: str
    why: str
    until: float


def page(state: State, now: float, most: int = 50, first: int = 0) -> tuple[list[Waiting], int | None]:
    """Return who has to wait, the newest first, from record `first` on, and where to continue, None at the end."""
    found, rest = slow_downs.page(state.tries, now, most, first)
    return [_waiting(one) for one in found], rest


def of_account(state: State, key: bytes, now: float) -> list[Waiting]:
    """Return the limits that are in force for one account, by its key."""
    return [_waiting(one) for one in slow_downs.of_account(state.tries, key, now)]


def clear(state: State, key: str, record: Callable[[str, str], None]) -> None:
    """Clear one limit. Raise NotFound if it is not there any more."""
    try:
        subject = state.tries.clear(bytes.fromhex(key))
    except ValueError:
        subject = None
    if subject is None:
        raise NotFound("This limit is not in force any more.")
    record("limit cleared", " ".join(filter(None, (account_hash(subject.person), subject.network))))


def clear_account(state: State, key: bytes, record: Callable[[str, str], None]) -> int:
    """Clear all limits of an account, by its key; return how many there were."""
    gone = state.tries.clear_account(key)
    record("limits of account cleared", f"{account_hash(key)}: {gone}")
    return gone


def _waiting(one: SlowDown) -> Waiting:
    if one.kind == BOTH:
        why = f"about {one.failures} wrong passwords for this account from this network"
    elif one.kind == OF_ACCOUNT:
        why = f"many tries for this account from many networks; {one.waiting} places are waiting"
    else:
        why = f"many tries for many accounts from this network; {one.waiting} places are waiting"
    return Waiting(one.key.hex(), account_hash(one.person), one.network, why, one.until)
