"""The short ids of an account's mailboxes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.access.mailbox_ids import MailboxIds
from gateway.errors import MailboxGone, StoreUnreachable
from gateway.state import State
from gateway.state.people.mailbox_numbers import FIRST_TEMPORARY
from gateway.store.base import MessageRef

ACCOUNT = 1


@contextmanager
def _listing(names: dict[str, int], asked: list[str]) -> Iterator[Any]:
    asked.append("folders")
    folders = [SimpleNamespace(name=name, uidvalidity=validity) for name, validity in names.items()]
    yield SimpleNamespace(folders=lambda all: folders)


@contextmanager
def _unreachable() -> Iterator[Any]:
    raise StoreUnreachable("no route")
    yield


@pytest.fixture
def ids(tmp_path: Path) -> Iterator[MailboxIds]:
    with State.open(tmp_path / "state.sqlite") as state:
        yield MailboxIds(state.mailboxes, ACCOUNT)


def _lent(tmp_path: Path) -> int:
    """Let another process assign a number, as it does if it cannot record any."""
    with State.open(tmp_path / "other.sqlite") as other:
        return other.mailboxes._temporary(ACCOUNT, "Work", 7)


def test_a_number_that_nobody_gave_is_of_no_mailbox(ids: MailboxIds) -> None:
    assert ids.find(3) is None
    with pytest.raises(MailboxGone):
        ids.message(3, 1)


def test_a_lent_number_is_looked_up_once_and_a_plain_one_never(ids: MailboxIds, tmp_path: Path) -> None:
    number, asked = _lent(tmp_path), list[str]()
    assert number >= FIRST_TEMPORARY
    for _time in range(2):
        ids.resolve_temporary([5, number], lambda: _listing({"INBOX": 1, "Work": 7}, asked))
    assert asked == ["folders"]
    assert ids.message(number, 9) == MessageRef("Work", 7, 9)


def test_what_kept_one_from_looking_is_told_and_tried_once(ids: MailboxIds, tmp_path: Path) -> None:
    number, asked = _lent(tmp_path), list[str]()

    def store() -> Any:
        asked.append("store")
        return _unreachable()

    ids.resolve_temporary([number, number + 1], store)
    assert asked == ["store"]  # a second try would cost the same time again
    assert ids.find(number) is None
    with pytest.raises(StoreUnreachable):
        ids.mailbox(number)
