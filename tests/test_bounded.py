"""bounded: a function is called in a process of its own, and the limits take effect."""

from __future__ import annotations

import os

import pytest

from tests import bounded


def _process_id() -> int:
    return os.getpid()


def _spin() -> None:
    while True:
        pass


def _take(octets: int) -> int:
    return len(bytes(octets))


def _raise(word: str) -> None:
    raise ValueError(word)


def test_it_returns_what_the_function_returns_elsewhere() -> None:
    assert bounded.call(_process_id) not in (os.getpid(), bounded.call(_process_id))


def test_an_exception_is_shown_with_its_place() -> None:
    with pytest.raises(bounded.Ended, match=r"_raise(?s:.*)ValueError: a word"):
        bounded.call(_raise, "a word")


def test_who_takes_too_long_is_ended() -> None:
    with pytest.raises(bounded.Ended, match="ended by -"):
        bounded.call_within(1, bounded.ROOM, _spin)


def test_who_takes_too_much_memory_is_refused_it() -> None:
    assert bounded.call(_take, bounded.ROOM // 2) == bounded.ROOM // 2
    with pytest.raises(bounded.Ended, match="MemoryError"):
        bounded.call(_take, 2 * bounded.ROOM)
