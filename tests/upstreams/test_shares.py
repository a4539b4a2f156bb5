"""Places for threads: nobody holds more than their share for longer than moments, whoever comes in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.upstreams.shares import (
    QUEUE_SECONDS,
    QUEUED_PER_PERSON,
    RUNNING_PER_PERSON,
    STUCK_SECONDS,
    Place,
    Shares,
)

THREADS = 16


def crowd(shares: Shares, upstream: str, people: int, each: int, now: float = 0.0) -> list[Place]:
    """Have this many people come at the same time; all who may start running."""
    places = [shares.join(upstream, b"%d" % n, now) for _ in range(each) for n in range(people)]
    for place in places:
        shares.enter(upstream, place, now)
    return places


def stay(shares: Shares, upstream: str, places: list[Place], now: float) -> list[Place]:
    """Turn away those for whom the queue has no place; the last to come go first."""
    for place in reversed([place for place in places if not place.running]):
        if shares.waits(upstream, place, now) <= 0:
            shares.leave(upstream, place, False, now)
            places.remove(place)
    return places


def test_a_mute_upstream_holds_half_of_the_threads_and_no_more() -> None:
    shares = Shares(THREADS)
    places = crowd(shares, "mute", 20, 1)
    assert sum(place.running for place in places) == THREADS // 2
    assert len(stay(shares, "mute", places, STUCK_SECONDS - 0.01)) == 20  # it may be a burst
    assert len(stay(shares, "mute", places, STUCK_SECONDS)) == THREADS // 2
    late = shares.join("mute", b"late", 5.0)
    assert not shares.enter("mute", late, 5.0)
    assert shares.waits("mute", late, 5.0) == 0


def test_several_mute_upstreams_leave_threads_to_the_others_all_the_same() -> None:
    shares = Shares(THREADS)
    for n in range(4):
        stay(shares, f"mute {n}", crowd(shares, f"mute {n}", 20, 1), STUCK_SECONDS)
    assert [shares.held(f"mute {n}") for n in range(4)] == [8, 4, 2, 1]
    assert shares.enter("swift", shares.join("swift", b"x", 1.0), 1.0)


def test_one_person_holds_a_couple_however_much_they_ask_for() -> None:
    shares = Shares(THREADS)
    mine = crowd(shares, "slow", 1, 24)
    assert sum(place.running for place in mine) == RUNNING_PER_PERSON
    assert len(stay(shares, "slow", mine, STUCK_SECONDS)) == RUNNING_PER_PERSON + QUEUED_PER_PERSON
    other = shares.join("slow", b"other", 1.0)
    assert shares.enter("slow", other, 1.0), "others are not behind what cannot go on"


def test_a_burst_at_an_upstream_that_answers_is_served_to_the_last() -> None:
    shares, now = Shares(THREADS), 0.0
    places = crowd(shares, "swift", 20, 2)
    while places:
        now += STUCK_SECONDS / 2
        for place in [place for place in places if place.running]:
            shares.leave("swift", place, True, now)
            places.remove(place)
        for place in places:
            assert shares.enter("swift", place, now) or shares.waits("swift", place, now) > 0
    assert now < QUEUE_SECONDS


def test_nobody_stands_in_line_for_longer_than_a_person_waits() -> None:
    shares = Shares(THREADS)
    places = crowd(shares, "slow", 1, RUNNING_PER_PERSON + QUEUED_PER_PERSON)
    assert 0 < shares.waits("slow", places[-1], QUEUE_SECONDS - 1) <= 1
    assert shares.waits("slow", places[-1], QUEUE_SECONDS) == 0


def test_who_came_first_goes_first() -> None:
    shares = Shares(2)
    first = shares.join("x", b"a", 0.0)
    assert shares.enter("x", first, 0.0)
    second, third = shares.join("x", b"b", 0.0), shares.join("x", b"c", 0.0)
    shares.leave("x", first, True, 0.1)
    assert not shares.enter("x", third, 0.1)
    assert shares.enter("x", second, 0.1)


def test_people_who_come_back_answered_but_late_move_no_line() -> None:
    """A server that takes its time over each of many people frees a thread now and then, and holds all of them."""
    shares, now = Shares(THREADS), 0.0
    places = crowd(shares, "late", 8, 1)
    while now < 3.0:  # one comes back in half of STUCK_SECONDS, each after over a second
        now += STUCK_SECONDS / 2
        if now > 1.0:
            first = next(place for place in places if place.running)
            shares.leave("late", first, True, now)
            places.remove(first)
        places += crowd(shares, "late", 20 - len(places), 1, now)
        stay(shares, "late", places, now)
        for place in places:
            shares.enter("late", place, now)
    assert shares.held("late") <= THREADS // 2


def test_a_server_that_was_late_gets_no_time_to_be_looked_at_again() -> None:
    shares = Shares(THREADS)
    for place in stay(shares, "late", crowd(shares, "late", 20, 1), STUCK_SECONDS):
        shares.leave("late", place, True, 2 * STUCK_SECONDS)
    assert shares.held("late") == 0
    again = crowd(shares, "late", 20, 1, 1.1)
    assert len(stay(shares, "late", again, 1.1)) == THREADS // 2
    for place in again:
        shares.leave("late", place, True, 1.1)
    assert len(stay(shares, "late", crowd(shares, "late", 20, 1, 1.2), 1.2)) == 20


def test_one_person_never_holds_more_than_half_however_fast_it_moves() -> None:
    shares = Shares(THREADS)
    mine = crowd(shares, "swift", 1, 24)
    assert len(stay(shares, "swift", mine, 0.0)) == THREADS // 2


def test_people_who_try_passwords_leave_half_to_those_who_are_signed_in() -> None:
    shares = Shares(THREADS)
    guesses = [shares.join("mail", b"%d" % n, 0.0, stranger=True) for n in range(20)]
    for place in guesses:
        shares.enter("mail", place, 0.0)
    assert sum(place.running for place in guesses) == THREADS // 4
    known = [shares.join("mail", b"%d" % n, 0.1) for n in range(4)]
    assert all(shares.enter("mail", place, 0.1) for place in known)


def test_who_tries_somebodys_password_takes_no_place_of_theirs() -> None:
    shares = Shares(THREADS)
    for _ in range(2):
        assert shares.enter("mail", shares.join("mail", b"anna", 0.0, stranger=True), 0.0)
    assert shares.enter("mail", shares.join("mail", b"anna", 0.0), 0.0)


@given(
    st.lists(
        st.tuples(st.sampled_from("UVW"), st.integers(0, 3), st.integers(0, 2), st.floats(0, 1)), max_size=80
    )
)
def test_what_is_counted_is_what_is_there(steps: list[tuple[str, int, int, float]]) -> None:
    shares, now = Shares(8), 0.0
    there: list[tuple[str, Place]] = []
    for upstream, person, what, seconds in steps:
        now += seconds
        mine = [place for name, place in there if name == upstream]
        if what == 0:
            there.append(
                (
                    upstream,
                    shares.join(upstream, b"%d" % person, now, bool(what == 0 and int(seconds * 10) % 2)),
                )
            )
        elif what == 1:
            for place in mine:
                if not place.running:
                    shares.enter(upstream, place, now)
        elif mine:
            shares.leave(upstream, mine[0], bool(person % 2), now)
            there.remove((upstream, mine[0]))
        for name in "UVW":
            here = [place for other, place in there if other == name]
            assert shares.held(name) == len(here)
            for who in {place.who for place in here}:
                own = [place for place in here if place.who == who]
                assert sum(place.running for place in own) <= RUNNING_PER_PERSON
            for place in (place for place in here if not place.running):
                assert shares.waits(name, place, now) <= QUEUE_SECONDS
    for name, place in there:
        shares.leave(name, place, True, now)
    assert not shares._lanes
    assert shares._held == 0
