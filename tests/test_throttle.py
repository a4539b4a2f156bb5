"""throttle: guessing becomes slow, mistyping does not, and a shared address shuts nobody out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import TooManyTries
from gateway.state import State
from gateway.throttle import LIFETIME, RULES, Rule, Tally, Throttle

NOW = 1_000_000.0
ANNA, BEN = b"anna", b"ben"
GATEWAY = "192.0.2.1"
HOUR = 3600.0


class Memory:
    """Tallies in a dictionary: what `state` does on disk, for tests with thousands of tries."""

    def __init__(self) -> None:
        self.tallies: dict[bytes, Tally] = {}

    def until(self, keys: Iterable[bytes]) -> float:
        return max((self.tallies[key][2] for key in keys if key in self.tallies), default=0.0)

    def change(self, key: bytes, step: Callable[[Tally | None], Tally]) -> None:
        self.tallies[key] = step(self.tallies.get(key))

    def forget(self, key: bytes) -> None:
        self.tallies.pop(key, None)


@pytest.fixture
def throttle() -> Throttle:
    return Throttle(Memory())


def wait(throttle: Throttle, account: bytes, address: str, now: float) -> int:
    try:
        throttle.check(account, address, now)
    except TooManyTries as error:
        return error.seconds or -1
    return 0


def fail(throttle: Throttle, account: bytes, address: str, now: float, times: int = 1) -> None:
    for _ in range(times):
        throttle.failed(account, address, now)


def guess(throttle: Throttle, accounts: list[bytes], addresses: list[str], seconds: float) -> int:
    """Guess as often as it is allowed, and say how often that was."""
    now, tries = NOW, 0
    while now < NOW + seconds:
        account, address = accounts[tries % len(accounts)], addresses[tries % len(addresses)]
        held = wait(throttle, account, address, now)
        if held:
            now += held
            continue
        fail(throttle, account, address, now)
        tries += 1
        now += 0.5
    return tries


def test_mistyping_on_a_keypad_costs_nothing(throttle: Throttle) -> None:
    for second in (0, 20, 40, 60, 80):
        assert wait(throttle, ANNA, GATEWAY, NOW + second) == 0
        fail(throttle, ANNA, GATEWAY, NOW + second)
    assert wait(throttle, ANNA, GATEWAY, NOW + 81) == 0


def test_then_the_wait_grows_and_ends(throttle: Throttle) -> None:
    fail(throttle, ANNA, GATEWAY, NOW, 5)
    waits = []
    for _ in range(12):
        fail(throttle, ANNA, GATEWAY, NOW)
        waits.append(wait(throttle, ANNA, GATEWAY, NOW))
    assert waits == [10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900, 900]
    assert wait(throttle, ANNA, GATEWAY, NOW + 899.5) == 1
    assert wait(throttle, ANNA, GATEWAY, NOW + 900) == 0
    assert wait(throttle, ANNA, GATEWAY, NOW + 900) == 0  # a check is not a try


def test_the_right_password_forgives(throttle: Throttle) -> None:
    fail(throttle, ANNA, GATEWAY, NOW, 6)
    throttle.succeeded(ANNA, GATEWAY)
    assert wait(throttle, ANNA, GATEWAY, NOW) == 0
    fail(throttle, ANNA, GATEWAY, NOW, 5)
    assert wait(throttle, ANNA, GATEWAY, NOW) == 0


def test_another_account_at_the_same_address_does_not_wait(throttle: Throttle) -> None:
    fail(throttle, ANNA, GATEWAY, NOW, 20)
    assert wait(throttle, ANNA, GATEWAY, NOW) > 0
    assert wait(throttle, BEN, GATEWAY, NOW) == 0


def test_the_owner_elsewhere_does_not_wait(throttle: Throttle) -> None:
    fail(throttle, ANNA, "198.51.100.7", NOW, 20)
    assert wait(throttle, ANNA, GATEWAY, NOW) == 0


def test_a_busy_gateway_goes_on(throttle: Throttle) -> None:
    """Four mistypings a minute for a day, each of another person, hold nobody up."""
    for number in range(4 * 24 * 60):
        assert wait(throttle, b"%d" % number, GATEWAY, NOW + number * 15) == 0
        fail(throttle, b"%d" % number, GATEWAY, NOW + number * 15)


def test_guessing_one_account_is_slow(throttle: Throttle) -> None:
    assert guess(throttle, [ANNA], [GATEWAY], 24 * HOUR) < 300


def test_guessing_one_account_from_everywhere_is_slow(throttle: Throttle) -> None:
    addresses = [f"2001:db8:{number:x}::1" for number in range(5000)]
    assert guess(throttle, [ANNA], addresses, HOUR) < 50 + 8 + 60
    assert wait(throttle, ANNA, GATEWAY, NOW + HOUR) <= 300  # and the owner waits some minutes at most


def test_guessing_many_accounts_from_one_address_is_slow(throttle: Throttle) -> None:
    accounts = [b"%d" % number for number in range(5000)]
    assert guess(throttle, accounts, [GATEWAY], HOUR) < 300 + 6 + 310


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("", "", True),
        ("unix:\ud800", "unix", False),
    ],
)
def test_what_one_subscriber_has_is_one_address(throttle: Throttle, one: str, other: str, same: bool) -> None:
    fail(throttle, ANNA, one, NOW, 6)
    assert (wait(throttle, ANNA, other, NOW) > 0) is same


@given(st.sampled_from(RULES), st.lists(st.floats(0, 2 * HOUR), max_size=40))
def test_no_wait_is_longer_than_the_longest_and_all_are_forgotten(rule: Rule, pauses: list[float]) -> None:
    tally, now = None, NOW
    for pause in pauses:
        now += pause
        tally = rule.after_failure(tally, now)
        assert tally[2] <= now + rule.longest_wait
    assert rule.after_failure(tally, now + rule.lifetime())[0] == pytest.approx(1)


@given(st.sampled_from(RULES), st.lists(st.floats(-HOUR, HOUR), max_size=40))
def test_a_clock_set_back_forgives_nothing(rule: Rule, steps: list[float]) -> None:
    tally: Tally = (rule.free, NOW, 0.0)
    now = NOW
    for step in steps:
        now -= abs(step)
        level, until = tally[0], tally[2]
        tally = rule.after_failure(tally, now)
        assert level < tally[0] <= level + 1 or tally[0] == level > rule.free + 1
        assert tally[2] >= until


@pytest.mark.parametrize("rule", RULES)
def test_even_a_flood_leaks_away(rule: Rule) -> None:
    tally = None
    for _ in range(5000):
        tally = rule.after_failure(tally, NOW)
    assert rule.after_failure(tally, NOW + rule.lifetime())[0] == pytest.approx(1)


def test_what_is_purged_meant_nothing() -> None:
    assert all(rule.longest_wait < rule.lifetime() <= LIFETIME for rule in RULES)


def test_state_keeps_tallies_for_all_processes(tmp_path: Path) -> None:
    with State.open(tmp_path / "state") as one, State.open(tmp_path / "state") as other:
        fail(Throttle(one.tries), ANNA, GATEWAY, NOW, 6)
        assert wait(Throttle(other.tries), ANNA, GATEWAY, NOW) == 10
        Throttle(other.tries).succeeded(ANNA, GATEWAY)
        assert wait(Throttle(one.tries), ANNA, GATEWAY, NOW) == 0
