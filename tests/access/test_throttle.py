"""throttle: guessing becomes slow, mistyping does not, and whoever waits is told when it is their turn."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.access.known_devices import KnownDevices, SignInOrigin
from gateway.access.throttle import (
    ACCOUNT,
    ACCOUNT_AND_ADDRESS,
    ADDRESS,
    LIFETIME,
    Attempt,
    FailureCount,
    Records,
    Throttle,
    site_of,
)
from gateway.access.waiting_queue import HOLD_SECONDS, MOST_CROWDS, Names, QueueRate, WaitingQueue
from gateway.errors import TooManyTries
from gateway.state import State
from gateway.state.people.sign_in_origins import MOST_WRONG
from tests import rig

NOW = 1_000_000.0
ANNA, BEN = b"anna", b"ben"
GATEWAY = "192.0.2.1"
HOUR = 3600.0


class Memory:
    """What `state` keeps on disk, in a dictionary: for tests with thousands of tries."""

    def __init__(self) -> None:
        self.kept: dict[bytes, str] = {}

    def get(self, keys: Iterable[bytes]) -> Records:
        return {key: self.kept.get(key) for key in keys}

    def change(self, keys: Iterable[bytes], step: Callable[[Records], Records], now: float) -> None:
        for key, text in step(self.get(keys)).items():
            self.kept.pop(key, None)
            if text is not None:
                self.kept[key] = text


@dataclass
class Nobody:
    """Recognizes nobody."""

    charged: list[SignInOrigin] = field(default_factory=list)

    def charge(self, origin: SignInOrigin, now: float) -> frozenset[bytes]:
        return frozenset()

    def keep(self, origin: SignInOrigin, account: int, now: float, by_token: bool) -> str:
        return ""


def alone(memory: Memory | None = None) -> Throttle:
    """Make a throttle that recognizes nobody."""
    return Throttle(memory or Memory(), Nobody())  # type: ignore[arg-type]


@pytest.fixture
def throttle() -> Throttle:
    return alone()


def attempt(account: bytes, address: str, cookie: str = "") -> Attempt:
    return Attempt(account, address, SignInOrigin(account, site_of(address), cookie))


def guess(throttle: Throttle, account: bytes, address: str, now: float) -> int:
    """Try a wrong password; return 0, or the seconds to wait if it was not checked."""
    try:
        throttle.enter(attempt(account, address), now)
    except TooManyTries as error:
        return error.seconds
    return 0


def sign_in(throttle: Throttle, account: bytes, address: str, now: float) -> int:
    """Try the right password; return as `guess` does."""
    try:
        entry = throttle.enter(attempt(account, address), now)
    except TooManyTries as error:
        return error.seconds
    throttle.succeeded(entry, 1, now, by_token=False)
    return 0


def guesses(throttle: Throttle, accounts: list[bytes], addresses: list[str], seconds: float) -> int:
    """Guess whenever somebody's turn has come, and return how often that was."""
    now, tries = NOW, 0
    pairs = [
        (accounts[n % len(accounts)], addresses[n % len(addresses)])
        for n in range(max(len(accounts), len(addresses)))
    ]
    turns = [(NOW, *pair) for pair in pairs]
    while turns:
        turns.sort(key=lambda turn: turn[0])
        now, account, address = turns.pop(0)
        if now > NOW + seconds:
            break
        wait = guess(throttle, account, address, now)
        tries += not wait
        turns.append((now + (wait or 0.5), account, address))
    return tries


# One account from one address


def test_mistyping_on_a_keypad_costs_nothing(throttle: Throttle) -> None:
    for second in (0, 20, 40, 60, 80):
        assert guess(throttle, ANNA, GATEWAY, NOW + second) == 0
    assert sign_in(throttle, ANNA, GATEWAY, NOW + 81) == 0


def test_then_the_wait_grows_and_ends(throttle: Throttle) -> None:
    now, waits = NOW, []
    for _ in range(5):
        assert guess(throttle, ANNA, GATEWAY, now) == 0
    for _ in range(10):
        assert guess(throttle, ANNA, GATEWAY, now) == 0
        waits.append(guess(throttle, ANNA, GATEWAY, now))
        assert guess(throttle, ANNA, GATEWAY, now + waits[-1] - 0.5) == 1
        now += waits[-1]
    assert waits[:6] == [10, 20, 40, 80, 160, 320]
    assert max(waits) <= 900


def test_many_at_once_are_no_way_around(throttle: Throttle) -> None:
    """Every try counts before its password is checked, so those in progress count, too."""
    assert sum(not guess(throttle, ANNA, GATEWAY, NOW) for _ in range(100)) == 6


def test_the_right_password_forgives(throttle: Throttle) -> None:
    for _ in range(6):
        guess(throttle, ANNA, GATEWAY, NOW)
    assert sign_in(throttle, ANNA, GATEWAY, NOW + 10) == 0
    for _ in range(5):
        assert guess(throttle, ANNA, GATEWAY, NOW + 10) == 0
    assert sign_in(throttle, ANNA, GATEWAY, NOW + 10) == 0


def test_signing_in_all_day_leaves_nothing_behind() -> None:
    memory = Memory()
    for second in range(1000):
        assert sign_in(alone(memory), ANNA, GATEWAY, NOW + second) == 0
    assert memory.kept == {}


def test_what_came_to_nothing_counts_nothing() -> None:
    memory = Memory()
    for _ in range(400):
        entry = alone(memory).enter(attempt(ANNA, GATEWAY), NOW)
        alone(memory).did_not_fail(entry, NOW)
    assert memory.kept == {}


def test_another_account_at_the_same_address_does_not_wait(throttle: Throttle) -> None:
    for _ in range(20):
        guess(throttle, ANNA, GATEWAY, NOW)
    assert guess(throttle, ANNA, GATEWAY, NOW) > 0
    assert sign_in(throttle, BEN, GATEWAY, NOW) == 0


def test_the_owner_elsewhere_does_not_wait(throttle: Throttle) -> None:
    for _ in range(20):
        guess(throttle, ANNA, "198.51.100.7", NOW)
    assert sign_in(throttle, ANNA, GATEWAY, NOW) == 0


def test_a_busy_gateway_goes_on(throttle: Throttle) -> None:
    """Four mistypings a minute for a day, each by another person, delay nobody."""
    for number in range(4 * 24 * 60):
        assert guess(throttle, b"%d" % number, GATEWAY, NOW + number * 15) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::1", "::2", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("", "", True),
        ("unix:\ud800", "unix", False),
    ],
)
def test_what_one_subscriber_has_is_one_address(throttle: Throttle, one: str, other: str, same: bool) -> None:
    for _ in range(6):
        guess(throttle, ANNA, one, NOW)
    assert (guess(throttle, ANNA, other, NOW) > 0) is same


# How much can be guessed: docs/security.md has these numbers


def test_guessing_one_account_is_slow(throttle: Throttle) -> None:
    assert guesses(throttle, [ANNA], [GATEWAY], 24 * HOUR) < 300


def test_guessing_one_account_from_everywhere_is_slow(throttle: Throttle) -> None:
    addresses = [f"2001:db8:{number:x}::1" for number in range(200)]
    assert guesses(throttle, [ANNA], addresses, HOUR) <= ACCOUNT.free + HOUR / ACCOUNT.every + 1 == 171


def test_guessing_many_accounts_from_one_address_is_slow(throttle: Throttle) -> None:
    accounts = [b"%d" % number for number in range(1000)]
    assert guesses(throttle, accounts, [GATEWAY], HOUR) <= ADDRESS.free + HOUR / ADDRESS.every + 1 == 601


# The owner, while others guess


def crowd(throttle: Throttle, networks: int, now: float) -> None:
    """Guess from this many networks until all of them wait."""
    addresses = [f"{10 + number // 256}.{number % 256}.7.9" for number in range(networks)]
    for _ in range(3):
        for address in addresses:
            for _ in range(6):
                guess(throttle, ANNA, address, now)


@pytest.mark.parametrize("networks", [9, 20, 29])
def test_the_owner_waits_for_one_turn_of_each_network(throttle: Throttle, networks: int) -> None:
    crowd(throttle, networks, NOW)
    wait = sign_in(throttle, ANNA, GATEWAY, NOW)
    assert 0 < wait <= (networks + 1) * ACCOUNT.every
    crowd(throttle, networks, NOW + wait)  # whatever they do in the meantime
    assert sign_in(throttle, ANNA, GATEWAY, NOW + wait) == 0


def test_asking_again_neither_helps_nor_harms(throttle: Throttle) -> None:
    crowd(throttle, 20, NOW)
    wait = sign_in(throttle, ANNA, GATEWAY, NOW)
    for second in range(wait):
        assert sign_in(throttle, ANNA, GATEWAY, NOW + second) == wait - second
    assert sign_in(throttle, ANNA, GATEWAY, NOW + wait) == 0


def test_who_comes_late_still_has_their_turn_and_is_not_waited_for(throttle: Throttle) -> None:
    crowd(throttle, 20, NOW)
    wait = sign_in(throttle, ANNA, GATEWAY, NOW)
    late = NOW + wait + HOLD_SECONDS - 1
    crowd(throttle, 20, late)
    assert sign_in(throttle, ANNA, GATEWAY, late) == 0


def test_a_botnet_of_thousands_holds_a_bounded_number_of_places() -> None:
    memory = Memory()
    throttle = alone(memory)
    for number in range(1500):
        guess(throttle, ANNA, f"{1 + number % 223}.{number // 223}.1.1", NOW)
    [queue] = [text for text in memory.kept.values() if len(json.loads(text)[2] or []) > 1 if '"' in text]
    assert len(WaitingQueue.unpacked(queue).places) <= ACCOUNT.most + MOST_CROWDS
    wait = sign_in(throttle, ANNA, "250.0.0.1", NOW)
    assert wait <= (ACCOUNT.most + MOST_CROWDS) * ACCOUNT.every
    assert wait + HOLD_SECONDS <= LIFETIME  # what is kept of it is not purged before that


def test_a_neighbour_of_somebody_who_guesses_at_many_accounts_waits_their_turn(throttle: Throttle) -> None:
    for number in range(ADDRESS.free + 20):
        guess(throttle, b"%d" % number, GATEWAY, NOW)
    wait = sign_in(throttle, BEN, GATEWAY, NOW)
    assert 0 < wait <= 21 * ADDRESS.every
    assert sign_in(throttle, BEN, GATEWAY, NOW + wait) == 0


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("10.1.2.3", "10.1.2.4", 3),
        ("10.1.2.3", "10.1.3.3", 2),
        ("10.1.2.3", "10.2.2.3", 1),
        ("10.1.2.3", "11.1.2.3", 0),
        ("2001:db8:1::1", "2001:db8:1:f::1", 3),
        ("2001:db8:1::1", "2001:db8:2::1", 2),
        ("2001:db8:1::1", "2001:db9:1::1", 1),
        ("2001:db8:1::1", "2011:db8:1::1", 0),
    ],
)
def test_neighbours_share_the_names_of_the_networks_they_share(one: str, other: str, shared: int) -> None:
    names, others = attempt(ANNA, one).networks(), attempt(ANNA, other).networks()
    assert sum(name == name2 for name, name2 in zip(names, others, strict=True)) == shared
    assert names[0].startswith(names[1])
    assert attempt(BEN, one).networks()[2] != names[2]


def test_neighbours_have_places_of_their_own_until_they_are_many() -> None:
    rate = QueueRate(every=30, free=1, most=4, neighbours=2)
    queue = WaitingQueue().take(("z", "z", "z"), NOW, rate)
    people = [
        ("fa1", "fa", "f"),
        ("fa2", "fa", "f"),
        ("fa3", "fa", "f"),
        ("fb1", "fb", "f"),
        ("fb2", "fb", "f"),
    ]
    for names in people:
        queue = queue.hold(names, queue.turn(names, NOW, rate), NOW, rate)
    assert [queue.place(names) for names in people] == ["fa1", "fa2", "fa", "fb1", "f"]
    assert [turn - NOW for _name, turn, _until in queue.places] == [30, 60, 90, 120, 150]


def test_a_place_lies_as_far_ahead_when_the_clock_is_set_back() -> None:
    rate = QueueRate(every=30, free=1, most=4)
    queue = WaitingQueue().take(("z", "z", "z"), NOW, rate).hold(("fa1", "fa", "f"), NOW + 40, NOW, rate)
    assert queue.places == (("fa1", NOW + 30, NOW + 40),)
    queue = queue.take(("y", "y", "y"), NOW - 100, rate)
    assert queue.places == (("fa1", NOW - 70, NOW - 60),)


def test_a_place_is_kept_in_a_queue_that_has_nothing_else_to_say() -> None:
    names, rate = ("fa1", "fa", "f"), QueueRate(every=30, free=1, most=4)
    queue = WaitingQueue().take(("z", "z", "z"), NOW, rate).hold(names, NOW + 30, NOW, rate)
    late = queue.paid + 100
    assert WaitingQueue.unpacked(queue.packed(late)) == queue
    assert queue.take(names, late, rate).packed(late) is None
    assert WaitingQueue(NOW, NOW).packed(NOW) is None


# A time that is told is true


def at_their_times(throttle: Throttle, waits: dict[str, float], until: float, account: bytes = ANNA) -> None:
    """Have everybody guess whenever their time has come, the guessers before anybody else."""
    while (turn := min(waits.items(), key=lambda item: item[1]))[1] <= until:
        address, now = turn
        waits[address] = now + (guess(throttle, account, address, now) or 0.25)


@pytest.mark.parametrize("spread", ["10.{0}.{1}.9", "{2}.{3}.7.9"])
def test_the_owner_among_a_thousand_networks_is_taken_at_the_time_told(spread: str) -> None:
    """The guessers have the owner's own /8, too."""
    throttle = alone()
    addresses = [spread.format(n // 250, n % 250, 10 + n % 2, n // 2 % 250 + 1) for n in range(900)]
    waits = dict.fromkeys(addresses, NOW)
    at_their_times(throttle, waits, NOW + 1)
    owner, now = "10.251.9.9", NOW + 1
    wait = sign_in(throttle, ANNA, owner, now)
    assert 0 < wait <= (len(addresses) + 1) * ACCOUNT.every
    at_their_times(throttle, waits, now + wait)
    assert sign_in(throttle, ANNA, owner, now + wait) == 0


def test_a_time_is_true_in_both_lines() -> None:
    """The account's queue is long, the address's is short: a place in the short one is kept for the long one's time."""
    throttle = alone()
    crowd(throttle, 120, NOW)
    names = [b"%d" % number for number in range(ADDRESS.free + 3)]
    for name in names:
        guess(throttle, name, GATEWAY, NOW)
    wait = sign_in(throttle, ANNA, GATEWAY, NOW)
    assert wait > HOLD_SECONDS + 20 * ADDRESS.every
    for number in range(20):  # whatever is tried there in the meantime
        for name in names:
            guess(throttle, name + b"x", GATEWAY, NOW + wait * (number + 1) / 20)
    assert sign_in(throttle, ANNA, GATEWAY, NOW + wait) == 0


def test_a_time_is_true_when_a_line_fills_meanwhile(throttle: Throttle) -> None:
    for _ in range(5):
        guess(throttle, ANNA, GATEWAY, NOW)
    guess(throttle, ANNA, GATEWAY, NOW)
    wait = sign_in(throttle, ANNA, GATEWAY, NOW)
    crowd(throttle, 20, NOW + 1)
    assert sign_in(throttle, ANNA, GATEWAY, NOW + wait) == 0


def test_who_found_no_mail_server_at_their_turn_has_it_still(throttle: Throttle) -> None:
    for _ in range(6):
        guess(throttle, ANNA, GATEWAY, NOW)
    crowd(throttle, 20, NOW)
    wait = sign_in(throttle, ANNA, GATEWAY, NOW)
    throttle.did_not_fail(throttle.enter(attempt(ANNA, GATEWAY), NOW + wait), NOW + wait)
    crowd(throttle, 20, NOW + wait)
    assert sign_in(throttle, ANNA, GATEWAY, NOW + wait) == 0


def test_what_came_to_nothing_ends_no_wait_that_another_guess_began(throttle: Throttle) -> None:
    for _ in range(5):
        guess(throttle, ANNA, GATEWAY, NOW)
    slow = throttle.enter(attempt(ANNA, GATEWAY), NOW)
    assert guess(throttle, ANNA, GATEWAY, NOW + 10) == 0
    throttle.did_not_fail(slow, NOW + 11)
    assert guess(throttle, ANNA, GATEWAY, NOW + 11) == 19


def test_what_came_to_nothing_leaves_others_no_wait_that_they_would_not_have_had(throttle: Throttle) -> None:
    for _ in range(4):
        guess(throttle, ANNA, GATEWAY, NOW)
    slow = throttle.enter(attempt(ANNA, GATEWAY), NOW)
    guess(throttle, ANNA, GATEWAY, NOW)
    throttle.did_not_fail(slow, NOW)
    assert [guess(throttle, ANNA, GATEWAY, NOW) for _ in range(2)] == [0, 10]


def test_names_made_up_leave_no_rows() -> None:
    memory = Memory()
    throttle = alone(memory)
    for number in range(ADDRESS.free):
        guess(throttle, b"%d" % number, GATEWAY, NOW)
    rows = len(memory.kept)
    for number in range(1000):
        assert guess(throttle, b"made up %d" % number, GATEWAY, NOW) > 0
    assert len(memory.kept) == rows


# Known devices and networks


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with rig.state(tmp_path / "state.sqlite") as opened:
        yield opened


def real(state: State) -> Throttle:
    return Throttle(state.tries, KnownDevices(state.devices))


def enter(
    state: State, account: bytes, address: str, now: float, cookie: str = "", right: bool = False
) -> str | None:
    """Try a password; return the device's cookie, None if it was not checked."""
    try:
        entry = real(state).enter(attempt(account, address, cookie), now)
    except TooManyTries:
        return None
    return real(state).succeeded(entry, state.accounts.id_for(account), now, by_token=True) if right else ""


def attack(state: State, now: float) -> None:
    for number in range(12):
        for _ in range(5):
            enter(state, ANNA, f"198.18.{number}.1", now)


def test_a_known_device_is_always_taken(state: State) -> None:
    cookie = enter(state, ANNA, "203.0.113.5", NOW, right=True)
    for day in range(5):
        now = NOW + day * 24 * HOUR
        attack(state, now)
        assert enter(state, ANNA, GATEWAY, now, right=True) is None
        cookie = enter(state, ANNA, GATEWAY.replace("192", "193"), now, cookie or "", right=True)
        assert cookie


def test_ten_wrong_passwords_void_a_device_and_the_right_one_makes_it_new(state: State) -> None:
    first = enter(state, ANNA, "203.0.113.5", NOW, right=True) or ""
    attack(state, NOW)
    for _ in range(MOST_WRONG - 1):
        assert enter(state, ANNA, "193.0.2.1", NOW, first) == ""
    second = enter(state, ANNA, "193.0.2.1", NOW, first, right=True) or ""
    assert second
    assert enter(state, ANNA, "194.0.2.1", NOW, first) is None  # it was replaced
    for _ in range(MOST_WRONG):
        assert enter(state, ANNA, "194.0.2.1", NOW, second) == ""
    assert enter(state, ANNA, "195.0.2.1", NOW, second, right=True) is None


def test_a_device_is_known_to_its_own_accounts_alone(state: State) -> None:
    annas = enter(state, ANNA, "203.0.113.5", NOW, right=True) or ""
    both = enter(state, BEN, "203.0.113.5", NOW, annas, right=True) or ""
    assert annas in both
    attack(state, NOW)
    assert enter(state, ANNA, "193.0.2.1", NOW, both.partition(".")[0], right=True) is None
    assert enter(state, ANNA, "193.0.2.1", NOW, both, right=True)


@pytest.mark.parametrize("cookie", ["", ".", "x" * 5000, "." * 5000, "A" * 22, "é" * 22, "\ud800"])
def test_any_cookie_is_as_good_as_none(state: State, cookie: str) -> None:
    attack(state, NOW)
    assert enter(state, ANNA, GATEWAY, NOW, cookie, right=True) is None


def test_who_signs_in_without_cookies_is_given_none(state: State) -> None:
    entry = real(state).enter(attempt(ANNA, GATEWAY), NOW)
    assert real(state).succeeded(entry, state.accounts.id_for(ANNA), NOW, by_token=False) == ""


def test_without_cookies_the_network_is_known_again_to_its_account(state: State) -> None:
    assert enter(state, ANNA, GATEWAY, NOW, right=True)
    attack(state, NOW)
    assert enter(state, ANNA, GATEWAY, NOW, right=True)
    assert enter(state, ANNA, "192.0.2.2", NOW, right=True) is None
    for _ in range(MOST_WRONG):
        assert enter(state, ANNA, GATEWAY, NOW) == ""
    assert enter(state, ANNA, GATEWAY, NOW, right=True) is None


def test_a_neighbour_who_was_there_before_is_taken_whoever_guesses_from_there(state: State) -> None:
    assert enter(state, BEN, GATEWAY, NOW, right=True)
    for number in range(ADDRESS.free + 30):
        enter(state, b"%d" % number, GATEWAY, NOW)
    assert enter(state, b"somebody", GATEWAY, NOW) is None
    assert enter(state, BEN, GATEWAY, NOW, right=True)


def test_an_account_has_a_bounded_number_of_devices_and_they_are_forgotten(state: State) -> None:
    for number in range(100):
        assert enter(state, ANNA, f"203.0.{number}.5", NOW + number, right=True)
    with state.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM devices").scalar() == 20
    state.devices.purge(NOW + 181 * 24 * HOUR)
    with state.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM devices").scalar() == 0


# The clock


@given(st.lists(st.floats(0, 2 * HOUR), max_size=40))
def test_no_wait_is_longer_than_the_longest_and_all_are_forgotten(pauses: list[float]) -> None:
    failures, now = FailureCount(), NOW
    for pause in pauses:
        now += pause
        failures = ACCOUNT_AND_ADDRESS.after_failure(failures, now)
        assert failures.until <= now + ACCOUNT_AND_ADDRESS.longest_wait
    assert ACCOUNT_AND_ADDRESS.after_failure(
        failures, now + ACCOUNT_AND_ADDRESS.lifetime()
    ).level == pytest.approx(1)


@given(st.lists(st.floats(-1e9, 1e9), max_size=40))
def test_whatever_the_clock_does_a_wait_is_no_longer_and_nothing_is_forgiven_by_setting_it_back(
    steps: list[float],
) -> None:
    failures = FailureCount(NOW, ACCOUNT_AND_ADDRESS.free, 0.0)
    now = NOW
    for step in steps:
        now += step
        level, wait = failures.level, failures.until - failures.at
        failures = ACCOUNT_AND_ADDRESS.after_failure(failures.now(now), now)
        assert failures.until - now <= ACCOUNT_AND_ADDRESS.longest_wait
        if step <= 0:
            assert (
                level < failures.level <= level + 1 or failures.level == level > ACCOUNT_AND_ADDRESS.free + 1
            )
            assert failures.until - now >= wait - 1e-3


def test_a_clock_that_was_ahead_for_a_while_locks_nobody_out(state: State) -> None:
    ahead = NOW + 30 * 365 * 24 * HOUR
    attack(state, ahead)
    for _ in range(8):
        enter(state, ANNA, GATEWAY, ahead)
    first = guess(real(state), ANNA, GATEWAY, NOW)
    assert first <= 13 * ACCOUNT.every
    assert guess(real(state), ANNA, GATEWAY, NOW + first) == 0


def test_even_a_flood_leaks_away() -> None:
    failures = FailureCount()
    for _ in range(5000):
        failures = ACCOUNT_AND_ADDRESS.after_failure(failures, NOW)
    assert ACCOUNT_AND_ADDRESS.after_failure(
        failures, NOW + ACCOUNT_AND_ADDRESS.lifetime()
    ).level == pytest.approx(1)


def test_what_is_purged_meant_nothing() -> None:
    assert ACCOUNT_AND_ADDRESS.longest_wait < ACCOUNT_AND_ADDRESS.lifetime() <= LIFETIME
    assert max(ACCOUNT.lifetime(), ADDRESS.lifetime()) <= LIFETIME


PACE = QueueRate(every=10, free=3, most=6, neighbours=2)
NAMES = [(f"all net{n // 3} host{n}", f"all net{n // 3}", "all") for n in range(12)]


class OneLane(RuleBasedStateMachine):
    """People and guessers in one queue, under a clock that may be set; `told`: the turns that were promised."""

    def __init__(self) -> None:
        super().__init__()
        self.queue, self.now, self.let_through, self.begun = WaitingQueue(), NOW, 0, NOW
        self.told: dict[str, float] = {}
        self.elapsed = 0.0

    @rule(seconds=st.floats(0, 60))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.elapsed += seconds

    @rule(seconds=st.floats(-1e8, -1))
    def the_clock_is_set_back(self, seconds: float) -> None:
        self.now += seconds
        self.told.clear()  # told by a wrong clock; later ones are as accurate as ever

    @rule(names=st.sampled_from(NAMES), longer=st.sampled_from([0, 0, 40, 900]))
    def somebody_asks(self, names: Names, longer: float) -> None:
        """`longer`: they have to wait for something else as well, which delays nobody who goes by the same name."""
        waiting = {name for name, turn, _ in self.queue.places if turn > self.now}
        wait = self.queue.turn(names, self.now, PACE) - self.now
        assert wait <= (len(waiting) + 1) * PACE.every + 1e-3
        if wait:
            self.queue = self.queue.hold(names, self.now + wait + longer, self.now, PACE)
            own = next(name for name in names for place, *_ in self.queue.places if name == place)
            promised = self.told.setdefault(own, self.now + wait)
            assert self.now + wait <= promised + 1e-3  # a turn that was told is never put off
        else:
            self.queue = self.queue.take(names, self.now, PACE)
            for name in names:
                self.told.pop(name, None)
            self.let_through += 1

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def somebody_comes_at_their_turn(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.told)))
        names = next(names for names in NAMES if name in names)
        turn = max(self.told[name], self.now)
        if turn - self.told[name] > HOLD_SECONDS - 1:
            del self.told[name]
            return
        self.elapsed += turn - self.now
        self.now = turn
        wait = self.queue.turn(names, self.now, PACE) - self.now
        assert wait <= 1e-3
        self.now += wait
        self.queue = self.queue.take(names, self.now, PACE)
        for name in names:
            self.told.pop(name, None)
        self.let_through += 1

    @invariant()
    def no_more_are_let_through_than_the_pace_allows(self) -> None:
        assert self.let_through <= PACE.free + self.elapsed / PACE.every + 1 + 1e-6

    @invariant()
    def it_is_bounded_and_comes_back_from_text_as_it_was(self) -> None:
        assert len({name for name, *_ in self.queue.places}) == len(self.queue.places)
        text = self.queue.packed(self.now)
        assert text is None or WaitingQueue.unpacked(text) == self.queue


TestOneLane = OneLane.TestCase
TestOneLane.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


# For all processes


def test_state_keeps_tries_for_all_processes(tmp_path: Path) -> None:
    with State.open(tmp_path / "state") as one, State.open(tmp_path / "state") as other:
        assert one.accounts.id_for(ANNA) == 1
        for _ in range(6):
            assert guess(real(one), ANNA, GATEWAY, NOW) == 0
        assert guess(real(other), ANNA, GATEWAY, NOW) == 10
        assert sign_in(real(other), ANNA, GATEWAY, NOW + 10) == 0
        assert guess(real(one), ANNA, GATEWAY, NOW + 10) == 0


def test_the_table_is_bounded(state: State) -> None:
    for number in range(40):
        guess(real(state), b"%d" % number, f"10.{number}.0.1", NOW + number)
    state.tries.purge(NOW, most=9)
    with state.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*), min(last) FROM tries").one() == (9, NOW + 37)
    state.tries.purge(NOW + 100)
    with state.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM tries").scalar() == 0


def test_a_wait_is_told_without_writing_a_second_time(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    attack(state, NOW)
    wait = guess(real(state), ANNA, GATEWAY, NOW)
    monkeypatch.setattr(state.tries, "change", None)
    assert guess(real(state), ANNA, GATEWAY, NOW + 1) == wait - 1


def test_the_numbers_of_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text("utf-8")
    day = 24 * HOUR
    assert f"{math.ceil(ACCOUNT.free + day / ACCOUNT.every):,}" in page
    assert f"{math.ceil(ADDRESS.free + day / ADDRESS.every):,}" in page
    assert f"one in {ACCOUNT.every} seconds" in page
    assert f"one in {ADDRESS.every} seconds" in page
    assert f"{ACCOUNT.neighbours} networks have places" in page
    assert f"when {ACCOUNT.most:,} places wait" in page
    assert f"accounts have the places, {ADDRESS.most} of" in page
    assert (ACCOUNT.most + MOST_CROWDS) * ACCOUNT.every <= 10.5 * HOUR
