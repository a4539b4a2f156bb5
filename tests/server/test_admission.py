"""`gateway.server.admission`: who gets a place, and who loses one for that."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.server.admission import Full, Holder, Priority, Slots


def holder(address: str, standing: Priority = Priority.STRANGER, left: list[str] | None = None) -> Holder:
    return Holder(address, lambda: left.append(address) if left is not None else None, standing)


def full(places: Slots, *holders: Holder) -> None:
    for each in holders:
        places.take(each)


def test_there_is_room_until_there_is_none() -> None:
    places = Slots(2)
    first, second = holder("192.0.2.1"), holder("192.0.2.2")
    full(places, first, second)
    with pytest.raises(Full):
        places.take(holder("192.0.2.3"))
    places.free(first)
    places.free(first)
    places.take(holder("192.0.2.3"))
    assert len(places) == 2


def test_signed_in_people_come_first() -> None:
    left: list[str] = []
    places = Slots(2)
    full(places, holder("192.0.2.1", left=left), holder("192.0.2.2", Priority.KNOWN, left))
    places.take(holder("192.0.2.3", Priority.KNOWN))
    assert left == ["192.0.2.1"]
    with pytest.raises(Full):
        places.take(holder("192.0.2.4"))


def test_of_strangers_the_address_with_most_places_loses_one_its_oldest() -> None:
    left: list[str] = []
    places = Slots(3)
    first = Holder("192.0.2.9", lambda: left.append("first"))
    full(places, holder("192.0.2.1", left=left), first, holder("192.0.2.9", left=left))
    places.take(holder("192.0.2.5"))
    assert left == ["first"]


def test_an_idle_connection_is_no_loss() -> None:
    left: list[str] = []
    places = Slots(3)
    full(places, holder("192.0.2.9", left=left), holder("192.0.2.9", left=left))
    places.take(holder("192.0.2.1", Priority.IDLE, left))
    places.take(holder("192.0.2.5"))
    assert left == ["192.0.2.1"]


def test_whoever_insists_gets_in_unless_all_are_being_answered() -> None:
    left: list[str] = []
    places = Slots(2)
    full(places, holder("192.0.2.1", Priority.KNOWN, left), holder("192.0.2.2", Priority.BUSY, left))
    with pytest.raises(Full):
        places.take(holder("192.0.2.3"))
    places.take(holder("192.0.2.3", Priority.BUSY), insist=True)
    assert left == ["192.0.2.1"]
    with pytest.raises(Full):
        places.take(holder("192.0.2.4"), insist=True)


def test_one_address_has_its_share() -> None:
    left: list[str] = []
    places = Slots(4, share=2)
    full(places, holder("2001:db8::1", left=left), holder("2001:db8::2:1", left=left))
    with pytest.raises(Full):
        places.take(holder("2001:db8::3"))
    places.take(holder("2001:db8:0:1::1"))
    places.take(holder("2001:db8::4", Priority.KNOWN))
    assert left == ["2001:db8::1"]


def test_an_address_told_later_counts() -> None:
    left: list[str] = []
    places = Slots(3)
    proxied = [holder("127.0.0.1", left=left) for _ in range(3)]
    full(places, *proxied)
    for number, each in enumerate(proxied):
        each.move(f"192.0.2.{max(number, 1)}")
    places.take(holder("192.0.2.7"))
    assert left == ["127.0.0.1"]
    assert len(places) == 3
    places.free(proxied[0])
    assert len(places) == 3  # it was the one that lost its place


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "192.0.2.1", "::ffff:192.0.2.1"]), st.sampled_from(Priority))
    )
)
def test_never_more_places_than_there_are_and_never_one_of_the_busy(who: list[tuple[str, Priority]]) -> None:
    left: list[Holder] = []
    places = Slots(3, share=2)
    inside: Counter[str] = Counter()
    for address, standing in who:
        newcomer = Holder(address, lambda: None, standing)
        newcomer.leave = lambda newcomer=newcomer: left.append(newcomer)  # type: ignore[misc]
        gone = len(left)
        try:
            places.take(newcomer)
        except Full:
            assert len(left) == gone
            continue
        inside[newcomer.site] += 1
        for each in left[gone:]:
            inside[each.site] -= 1
            assert each.standing is not Priority.BUSY
            assert each.standing >= standing
        assert len(places) <= 3
        assert max(inside.values()) <= 2
