"""state: settings by device, and where reading stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.state import ReadingPosition, State
from gateway.state.people import reading_positions as reading_module
from gateway.state.people.device_settings import LONGEST_VALUE


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State.open(tmp_path / "state.sqlite") as opened:
        yield opened


def test_settings_are_kept_by_account_and_device(state: State, tmp_path: Path) -> None:
    anna, bob = state.accounts.id_for(b"anna"), state.accounts.id_for(b"bob")
    assert state.settings.all(anna, "nokia7110") == {}
    state.settings.put(anna, "nokia7110", {"size": "tiny", "pictures": "off"})
    state.settings.put(anna, "nokia7110", {"size": "large", "long": "x" * 5000})
    state.settings.put(anna, "kaios", {})
    with State.open(tmp_path / "state.sqlite") as other:
        found = other.settings.all(anna, "nokia7110")
        assert found == {"size": "large", "pictures": "off", "long": "x" * LONGEST_VALUE}
        assert other.settings.all(anna, "kaios") == other.settings.all(bob, "nokia7110") == {}
        other.settings.put(anna, "nokia7110", {"size": "small"})
    assert state.settings.all(anna, "nokia7110")["size"] == "small"


def test_a_stop_is_kept_replaced_and_forgotten(state: State) -> None:
    anna, bob = state.accounts.id_for(b"anna"), state.accounts.id_for(b"bob")
    state.reading.remember(anna, 1, 7, ReadingPosition("-1f", 2), 10.0)
    state.reading.remember(anna, 1, 7, ReadingPosition("-2f", 3), 11.0)
    state.reading.remember(anna, 2, 7, ReadingPosition("1.2-0", 4), 12.0)
    assert state.reading.positions(anna, 1, [7, 8, 2**70]) == {7: ReadingPosition("-2f", 3)}
    assert state.reading.positions(bob, 1, [7]) == {}
    state.reading.forget(anna, 1, 7)
    state.reading.forget(anna, 1, 7)
    assert state.reading.positions(anna, 1, [7]) == {}
    assert state.reading.positions(anna, 2, [7]) == {7: ReadingPosition("1.2-0", 4)}
    assert state.reading.positions(anna, 2, []) == {}


def test_a_known_stop_writes_nothing(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = state.accounts.id_for(b"anna")
    state.reading.remember(anna, 1, 7, ReadingPosition("-1f", 2), 10.0)

    def writing(synced: bool = False) -> None:
        raise AssertionError("written")

    monkeypatch.setattr(state.database, "writing", writing)
    state.reading.remember(anna, 1, 7, ReadingPosition("-1f", 2), 11.0)
    state.reading.forget(anna, 1, 8)
    with pytest.raises(AssertionError):
        state.reading.remember(anna, 1, 7, ReadingPosition("-1f", 3), 12.0)


def test_the_newest_stops_are_kept(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "KEPT", 5)
    anna, bob = state.accounts.id_for(b"anna"), state.accounts.id_for(b"bob")
    state.reading.remember(bob, 1, 1, ReadingPosition("-1", 2), 0.0)
    for uid in range(20):
        state.reading.remember(anna, 1, uid, ReadingPosition("-1", 2), 10.0 + uid)
    assert sorted(state.reading.positions(anna, 1, range(20))) == [15, 16, 17, 18, 19]
    assert state.reading.positions(bob, 1, [1]) == {1: ReadingPosition("-1", 2)}
