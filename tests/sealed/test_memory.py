"""memory: what is remembered for an account, sealed, by kind and name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.sealed import vault
from gateway.sealed.memory import LARGEST, Memory
from gateway.state import State
from tests import rig

SECRET = bytes(range(32))


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with rig.state(tmp_path / "state.sqlite") as opened:
        yield opened


def _memory(state: State, key: bytes = b"alice", secret: bytes = SECRET) -> Memory:
    return Memory(state, state.accounts.id_for(key), secret, Clock())


VALUES = st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text()), max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.text(max_size=20), VALUES)
def test_what_is_put_is_got_by_the_same_account_only(
    state: State, name: str, value: dict[str, object]
) -> None:
    name = name.encode("utf-8", "replace").decode()
    mine, others = _memory(state), _memory(state, b"bob")
    mine.put("profile", name, value)
    assert mine.get("profile", name) == value
    assert mine.all("profile")[name] == value
    assert others.get("profile", name) is None
    assert mine.get("people", name) is None
    assert _memory(state, secret=b"other" * 8).get("profile", name) is None


def test_nothing_can_be_read_in_the_database(state: State, tmp_path: Path) -> None:
    memory = _memory(state)
    name = memory.mark("carol@example.org")
    memory.put("person", name, {"spec": "carol@example.org", "name": "Carol Secretname"})
    state.close()
    octets = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert name.encode() in octets
    assert b"carol" not in octets.lower()
    assert b"Secretname" not in octets


def test_a_thing_in_anothers_place_does_not_open(state: State) -> None:
    memory, account = _memory(state), state.accounts.id_for(b"alice")
    memory.put("profile", "1", {"a": 1})
    sealed = state.memories.get(account, "profile", "1")
    state.memories.change(account, "profile", "2", lambda _: sealed, 0.0)
    assert memory.get("profile", "2") is None
    assert memory.all("profile") == {"1": {"a": 1}}


def test_beyond_the_most_the_oldest_go(state: State) -> None:
    memory = _memory(state)
    for number in range(6):
        memory.put("search", str(number), {"n": number}, most=4)
    memory.put("search", "2", {"n": 22}, most=4)
    memory.put("search", "6", {"n": 6}, most=4)
    assert list(memory.all("search")) == ["4", "5", "2", "6"]


def test_changes_do_not_disturb_each_other(state: State) -> None:
    def count() -> None:
        memory = _memory(state)
        for _ in range(25):
            memory.change("person", "x", lambda old: {"used": (old or {"used": 0})["used"] + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _memory(state).get("person", "x") == {"used": 100}


def test_a_change_to_nothing_removes(state: State) -> None:
    memory = _memory(state)
    memory.put("person", "x", {"used": 1})
    assert memory.change("person", "x", lambda old: None) is None
    assert memory.get("person", "x") is None
    memory.put("person", "y", {})
    memory.remove("person", "y")
    assert memory.everything() == {}


def test_everything_and_nothing(state: State) -> None:
    mine, others = _memory(state), _memory(state, b"bob")
    mine.put("a", "1", {"x": 1})
    mine.put("b", "", {"y": "é"})
    others.put("a", "1", {"z": 2})
    assert mine.everything() == {"a": {"1": {"x": 1}}, "b": {"": {"y": "é"}}}
    mine.forget()
    assert mine.everything() == {}
    assert others.get("a", "1") == {"z": 2}


def test_what_is_too_large_is_refused_and_changes_nothing(state: State) -> None:
    memory = _memory(state)
    largest = {"text": "x" * (LARGEST - len('{"text":""}'))}
    memory.put("profile", "", largest)
    with pytest.raises(ValueError):
        memory.put("profile", "", {"text": largest["text"] + "x"})
    assert memory.get("profile") == largest


@given(st.text(), st.text())
def test_a_mark_names_one_text_of_one_owner(one: str, other: str) -> None:
    seal = vault.Seal("1", SECRET, b"memory")
    assert len(seal.mark(one)) == vault.MARK_LENGTH
    assert (seal.mark(one) == seal.mark(other)) == (one == other)
    assert vault.Seal("2", SECRET, b"memory").mark(one) != seal.mark(one)
    assert "key" not in repr(seal)


@given(st.binary(max_size=80))
def test_what_was_never_sealed_does_not_open(octets: bytes) -> None:
    assert vault.Seal("1", SECRET, b"memory").open(octets, b"row") is None
