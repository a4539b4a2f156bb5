"""The words by which forms and tickets name messages, and what is reported about an operation."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.actions import operation_outcomes
from gateway.actions.operation_outcomes import MOST, decode_uids, encode_uids
from gateway.actions.table import OPERATIONS
from gateway.language import Language

UIDS = st.sets(st.integers(1, 0xFFFFFFFF), max_size=60)


@given(UIDS)
def test_what_is_joined_is_read_again(uids: set[int]) -> None:
    assert decode_uids(encode_uids(uids)) == sorted(uids)


@given(st.text(alphabet="0123456789.-: ,x\n٣", max_size=40) | st.text(max_size=40))
def test_any_text_makes_no_error_and_no_other_message(text: str) -> None:
    found = decode_uids(text)
    assert all(0 < uid <= 0xFFFFFFFF for uid in found)
    assert len(found) <= MOST
    if found:
        assert text.isascii()


def test_runs_are_short_and_bounded() -> None:
    assert encode_uids([7, 3, 4, 5, 9]) == "3-5.7.9"
    assert encode_uids([]) == ""
    assert len(decode_uids(f"1-{MOST}")) == MOST
    assert decode_uids(f"1-{MOST + 1}") == []
    assert (
        decode_uids("1-4294967295")
        == decode_uids("5-3")
        == decode_uids("0")
        == decode_uids("281474976710656")
        == []
    )


def _outcome(word: str, count: int, of: int, **more: str) -> dict[str, str]:
    part = {
        "from": 1,
        "uids": encode_uids(range(1, count + 1)),
        "to": 2,
        "new": encode_uids(range(1, count + 1)),
    }
    return {"do": word, "count": str(count), "of": str(of), "parts": json.dumps([part]), **more}


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (_outcome("delete", 1, 1), "Deleted."),
        (_outcome("delete", 20, 20), "20 messages deleted."),
        (_outcome("move", 12, 20, why="Why."), "12 of 20 moved to Trash. Why."),
        (_outcome("move", 0, 20, why="Why."), "Why."),
        (_outcome("move", 1, 1), "Moved to Trash."),
        (_outcome("undo", 3, 3), "Undone: 3 messages."),
        (_outcome("move", 0, 1, why="It says: %(alert)s", alert="50% full"), "It says: 50% full"),
        ({}, "Still working on it. Look again in a moment."),
    ],
)  # fmt: skip
def test_what_is_said(outcome: dict[str, str], sentence: str) -> None:
    folder = {2: "Trash"}.get(operation_outcomes.destination(outcome) or 0, "")
    assert operation_outcomes.sentence(outcome, Language("en"), folder) == sentence


def test_what_can_be_undone() -> None:
    known = {word for word in OPERATIONS if operation_outcomes.can_undo(_outcome(word, 1, 1))}
    assert known == set(OPERATIONS) - {"erase", "copy", "undo"}
    assert not operation_outcomes.can_undo({})
    assert not operation_outcomes.can_undo({"do": "chosen", "parts": "[]"})
    unknown = _outcome("move", 2, 2) | {"parts": json.dumps([{"from": 1, "uids": "1-2", "to": 2, "new": ""}])}
    assert not operation_outcomes.can_undo(unknown)


def test_what_is_marked_as_deleted_is_told_so_and_nothing_else_is() -> None:
    told = {
        ("read", '[{"from": 1, "uids": "1-2"}]'): "2 messages marked as read.",
        ("delete", '[{"from": 1, "uids": "1-2", "left": 1}]'): "2 messages are marked as deleted.",
        ("delete", '[{"from": 1, "uids": "1-2", "left": 1, "to": 2, "new": ""}]'): "2 messages deleted.",
    }
    for (word, parts), words in told.items():
        assert (
            operation_outcomes.sentence({"do": word, "of": "2", "count": "2", "parts": parts}, Language("en"))
            == words
        )
