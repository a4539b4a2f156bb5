"""The words by which forms and tickets name messages, and what is said of a deed."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.language import Language
from gateway.web import deeds
from gateway.web.deeds import DEEDS, MOST, joined, parted

UIDS = st.sets(st.integers(1, 0xFFFFFFFF), max_size=60)


@given(UIDS)
def test_what_is_joined_is_read_again(uids: set[int]) -> None:
    assert parted(joined(uids)) == sorted(uids)


@given(st.text(alphabet="0123456789.-: ,x\n٣", max_size=40) | st.text(max_size=40))
def test_any_text_makes_no_error_and_no_other_message(text: str) -> None:
    found = parted(text)
    assert all(0 < uid <= 0xFFFFFFFF for uid in found)
    assert len(found) <= MOST
    if found:
        assert text.isascii()


def test_runs_are_short_and_bounded() -> None:
    assert joined([7, 3, 4, 5, 9]) == "3-5.7.9"
    assert joined([]) == ""
    assert len(parted(f"1-{MOST}")) == MOST
    assert parted(f"1-{MOST + 1}") == []
    assert parted("1-4294967295") == parted("5-3") == parted("0") == parted("4294967296") == []


def _visit() -> Any:
    language = Language("en")
    return SimpleNamespace(language=language, mailbox=lambda number: ({1: "INBOX", 2: "Trash"}[number], 7))


def _outcome(word: str, count: int, of: int, **more: str) -> dict[str, str]:
    part = {"from": 1, "uids": joined(range(1, count + 1)), "to": 2, "new": joined(range(1, count + 1))}
    return {"do": word, "count": str(count), "of": str(of), "parts": json.dumps([part]), **more}


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (_outcome("delete", 1, 1), "Deleted."),
        (_outcome("delete", 20, 20), "20 messages deleted."),
        (_outcome("move", 12, 20, why="Why."), "12 of 20 moved to Trash. Why."),
        (_outcome("move", 0, 20, why="Why."), "Why."),
        (_outcome("move", 1, 1), "Moved to Trash."),
        (_outcome("undo", 3, 3), "3 messages are as they were."),
        (_outcome("move", 0, 1, why="It says: %(alert)s", alert="50% full"), "It says: 50% full"),
        ({}, "Under way. Look again in a moment."),
    ],
)  # fmt: skip
def test_what_is_said(outcome: dict[str, str], sentence: str) -> None:
    assert deeds.say(_visit(), outcome) == sentence


def test_what_can_be_undone() -> None:
    known = {word for word in DEEDS if deeds.can_undo(_outcome(word, 1, 1))}
    assert known == set(DEEDS) - {"erase", "copy", "undo"}
    assert not deeds.can_undo({})
    assert not deeds.can_undo({"do": "chosen", "parts": "[]"})
    unknown = _outcome("move", 2, 2) | {"parts": json.dumps([{"from": 1, "uids": "1-2", "to": 2, "new": ""}])}
    assert not deeds.can_undo(unknown)
