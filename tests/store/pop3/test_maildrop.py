"""UIDs of messages without numbers of their own, and marks of what was opened: stable, limited, never another's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import StateFull
from gateway.message.model import MAX_UID
from gateway.store.pop3 import seen_marks
from gateway.store.pop3.maildrop import Maildrop, uid_of_header
from gateway.store.pop3.seen_marks import SeenMarks
from gateway.upstreams.wire import Ledger, Overrun

ROOM = 12 * 1024 * 1024
NAMES = st.lists(st.integers(0, 30).map(lambda n: b"id%d" % n), max_size=20)


def maildrop(names: list[bytes], ledger: Ledger | None = None) -> Maildrop:
    listing = [b"%d %d" % (n, 100 + n) for n in range(1, len(names) + 1)]
    unique = [b"%d %b" % (n, name) for n, name in enumerate(names, 1)]
    return Maildrop(listing, unique, ledger or Ledger(ROOM))


@given(NAMES, st.lists(st.integers(0, 19), max_size=5))
def test_a_uid_is_a_messages_own_whatever_vanishes(names: list[bytes], gone: list[int]) -> None:
    before = maildrop(names)
    left = [name for at, name in enumerate(names) if at not in gone]
    after = maildrop(left)
    for at, name in enumerate(names):
        uid = before[at + 1].uid
        assert (uid == 0) == (names.count(name) > 1)
        assert uid <= MAX_UID
        found = after.find(uid) if uid else None
        if uid and name in left:
            assert found is not None
            assert left[found.rank - 1] == name
        else:
            assert found is None or not uid


@given(st.lists(st.binary(max_size=12), max_size=30), st.lists(st.binary(max_size=12), max_size=30))
def test_any_listing_is_a_maildrop(listing: list[bytes], unique: list[bytes]) -> None:
    ledger = Ledger(ROOM)
    found = Maildrop(listing, unique, ledger)
    numbers = [found[rank].number for rank in range(1, len(found) + 1)]
    assert numbers == sorted(set(numbers))
    assert len(found.uids) == len(found) <= len(listing)
    del found
    assert ledger._held == 0


def test_what_a_server_holds_is_counted_and_given_back() -> None:
    ledger = Ledger(20_000)
    held = maildrop([b"x%d" % n for n in range(100)], ledger)
    with pytest.raises(Overrun):
        maildrop([b"x%d" % n for n in range(300)], ledger)
    del held
    assert ledger._held == 0


def test_a_header_is_the_same_whether_it_was_read_or_not() -> None:
    fresh = b"From: a\r\nSubject: b\r\n\r\n"
    read = b"From: a\r\nSubject: b\r\nStatus: RO\r\nX-UIDL: 17\r\nX-Status: A\r\n\r\nBody."
    assert (
        uid_of_header(fresh, 1000)
        == uid_of_header(read, 1000)
        == uid_of_header(fresh.replace(b"\r", b""), 1000)
    )
    assert uid_of_header(fresh, 1000) != uid_of_header(fresh, 1001)
    assert uid_of_header(fresh, 1000) != uid_of_header(b"From: a\r\nSubject: c\r\n\r\n", 1000)
    assert 0 < uid_of_header(b"", 0) <= MAX_UID


# --- marks


class Table:
    """Notes that remember how often they were written."""

    def __init__(self, value: Any = None) -> None:
        self.value, self.writes = value, 0

    def get(self, kind: str, name: str = "") -> Any:
        return self.value

    def change(self, kind: str, name: str, update: Any, most: int = 0) -> Any:
        self.writes += 1
        self.value = update(self.value)
        return self.value


@given(st.lists(st.tuples(st.sets(st.integers(1, 12), min_size=1), st.booleans()), max_size=12))
def test_marks_are_what_was_put_last(changes: list[tuple[set[int], bool]]) -> None:
    table, expected = Table(), set[int]()
    for uids, seen in changes:
        SeenMarks(table).put(uids, seen)
        expected = expected | uids if seen else expected - uids
    assert {uid for uid in range(1, 13) if uid in SeenMarks(table)} == expected


def test_marks_are_bounded_and_of_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_marks, "MOST_SEEN", 3)
    table = Table()
    for uid in (1, 2, 3, MAX_UID):
        SeenMarks(table).put([uid], True)
    assert [uid in SeenMarks(table) for uid in (1, 2, 3, MAX_UID)] == [False, True, True, True]
    SeenMarks(table).put([5], True, there=[3, 5])
    assert [uid in SeenMarks(table) for uid in (2, 3, MAX_UID, 5)] == [False, True, False, True]
    writes = table.writes
    SeenMarks(table).put([5], True)
    assert table.writes == writes  # opened once more: nothing is written


@given(st.dictionaries(st.just("uids"), st.text() | st.none() | st.integers()) | st.none())
def test_any_note_can_be_read(value: Any) -> None:
    assert MAX_UID not in SeenMarks(Table(value)) or value


def test_marks_that_cannot_be_kept_count_for_the_page() -> None:
    class Full(Table):
        def change(self, kind: str, name: str, update: Any, most: int = 0) -> Any:
            raise StateFull("no room")

    marks = SeenMarks(Full())
    marks.put([7], True)
    assert 7 not in marks
