"""One deadline for everything that a request waits for."""

from __future__ import annotations

import contextvars
import threading

import pytest

from gateway.upstreams import deadline


def test_without_one_there_is_as_much_time_as_a_step_has() -> None:
    assert deadline.left(7.0) == 7.0


def test_an_inner_deadline_never_ends_later_than_the_outer_one() -> None:
    with deadline.within(5), deadline.within(100):
        assert deadline.left(1000) <= 5
        with deadline.within(1):
            assert deadline.left(1000) <= 1
        assert 1 < deadline.left(1000) <= 5
    assert deadline.left(1000) == 1000


def test_no_time_left_is_a_timeout() -> None:
    with deadline.within(0), pytest.raises(TimeoutError):
        deadline.left(10)


def test_what_must_be_tried_has_a_time_of_its_own() -> None:
    with deadline.within(0):
        with deadline.anew(10):
            assert deadline.left(20) > 5
        with pytest.raises(TimeoutError):
            deadline.left(20)


def test_octets_to_be_sent_make_room_in_every_deadline_around() -> None:
    with deadline.within(5):
        with deadline.within(3):
            assert deadline.allow(10 * deadline.LEAST_RATE) == 10
            assert 10 < deadline.left(1000) <= 13
        assert 10 < deadline.left(1000) <= 15


def test_a_request_has_its_own_whichever_thread_goes_on_with_it() -> None:
    found: list[float] = []
    with deadline.within(5):
        context = contextvars.copy_context()
    for run in (lambda: context.run(deadline.left, 1000.0), lambda: deadline.left(1000.0)):
        thread = threading.Thread(target=lambda run=run: found.append(run()))
        thread.start()
        thread.join()
    assert found[0] <= 5
    assert found[1] == 1000


def test_one_that_is_left_over_in_another_context_harms_nobody() -> None:
    left_over = deadline.within(5)
    contextvars.copy_context().run(left_over.__enter__)
    left_over.__exit__(None, None, None)
    assert deadline.left(1000) == 1000
