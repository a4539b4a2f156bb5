"""Tests of `gateway.wap.request_queue`: how many of the application's threads one phone, and one host, may have."""

from __future__ import annotations

from collections import Counter
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wap.quadruplet import Quadruplet
from gateway.wap.request_queue import Asked, RequestQueue
from gateway.wap.requests import WapRequest

_ids = count(1)


def _asked(host: int, port: int = 1) -> Asked:
    peer = Quadruplet(f"192.0.2.{host}", port, 9201)
    return Asked(WapRequest(next(_ids), peer, "GET", "/", (), "", b"", 1400), "", "/")


def _taken(queue: RequestQueue) -> list[Asked]:
    return list(iter(queue.take, None))


@pytest.mark.parametrize("ports", [1, 7, 1000])
def test_one_host_has_half_of_the_threads_and_leaves_others_theirs(ports: int) -> None:
    queue = RequestQueue(16, 64)
    for number in range(200):
        queue.put(_asked(7, number % ports))
        assert len(_taken(queue)) <= 1
    assert len(queue) == 8 + 64
    for host in range(8, 11):
        other = _asked(host)
        refused = queue.put(other)
        assert refused is None or refused.request.peer.host == "192.0.2.7"
        assert _taken(queue) == [other]


def test_who_has_fewest_at_work_goes_next() -> None:
    queue = RequestQueue(6, 64)
    flood = [_asked(7, 1) for _ in range(10)]
    beside, other = _asked(7, 2), _asked(8)
    for asked in (*flood, beside, other):
        queue.put(asked)
    assert _taken(queue) == [flood[0], other, beside, flood[1]]
    queue.done(flood[0].request.id)
    assert _taken(queue) == [flood[2]]


def test_in_a_full_queue_a_phone_takes_the_place_of_its_hosts_flood() -> None:
    queue = RequestQueue(2, 8)
    flood = [_asked(7, 1) for _ in range(8)]
    assert [queue.put(asked) for asked in flood] == [None] * 8
    beside = _asked(7, 2)
    assert queue.put(beside) is flood[-1]
    assert queue.put(another := _asked(7, 1)) is another


def test_who_does_not_wait_any_more_is_not_worked_for() -> None:
    queue = RequestQueue(2, 8)
    asked = _asked(7)
    queue.put(asked)
    queue.drop(asked.request.id)
    assert not queue
    assert queue.take() is None


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 3)), max_size=150))
def test_shares_hold_whatever_comes(comes: list[tuple[int, int, int]]) -> None:
    queue = RequestQueue(8, 12)
    working: list[Asked] = []
    waiting: dict[int, Asked] = {}
    for host, port, ended in comes:
        asked = _asked(host, port)
        waiting[asked.request.id] = asked
        refused = queue.put(asked)
        if refused is not None:
            held = Counter(each.request.peer.host for each in waiting.values())
            assert held[refused.request.peer.host] == max(held.values())
            del waiting[refused.request.id]
        for each in working[:ended]:
            queue.done(each.request.id)
        del working[:ended]
        for each in _taken(queue):
            before = sum(1 for other in working if other.request.peer.host == each.request.peer.host)
            assert before < 8 - len(working)
            working.append(each)
            del waiting[each.request.id]
        assert len(queue) == len(working) + len(waiting)
        assert len(waiting) <= 12
        idle = {each.request.peer.host for each in waiting.values()} - {
            each.request.peer.host for each in working
        }
        assert not idle or len(working) == 8, "a host that has no thread waits while one is free"
