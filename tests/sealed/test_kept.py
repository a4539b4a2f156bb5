"""kept: text posted to a session that has ended, sealed under that session's token for a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.sealed import vault
from gateway.sealed.saved_forms import LARGEST, SavedForms
from gateway.state import SessionRow, State
from gateway.state.sending.posted_forms import LIFETIME, MOST
from tests import rig

SECRET = bytes(range(32))
OLD, NEW, OTHER = "A" * 22, "B" * 22, "C" * 22
DAY = 24 * 3600.0
FORM = {"text": "Dear Grandmother, €", "to": "g@example.org"}


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with rig.state(tmp_path / "state.sqlite") as opened:
        yield opened


@pytest.fixture
def texts(state: State, clock: Clock) -> SavedForms:
    return SavedForms(state, SECRET, clock)


def _session(state: State, token: str, account: bytes = b"alice", number: int = 1) -> SessionRow:
    row = SessionRow(
        id=number,
        digest=vault.digest(token),
        account=state.accounts.id_for(account),
        family="",
        markup="wml",
        device="",
        language="en",
        via="url",
        sealed=b"",
        touched=Clock.now,
        expires=Clock.now + 600,
    )
    state.sessions.create(row)
    return row


def _ended(state: State, token: str, account: bytes = b"alice", number: int = 1) -> int:
    row = _session(state, token, account, number)
    state.sessions.delete(row.id)
    return row.account


def test_a_text_comes_back_to_the_same_account_with_the_old_token(state: State, texts: SavedForms) -> None:
    alice, bob = _ended(state, OLD), state.accounts.id_for(b"bob")
    assert texts.keep(OLD, "/r3.77", FORM)
    assert texts.adopt(OLD, NEW, bob) == 0
    assert texts.adopt(OTHER, NEW, alice) == 0
    assert texts.all(NEW, alice) == ()
    assert texts.adopt(OLD, NEW, alice) == 1
    (text,) = texts.all(NEW, alice)
    assert (text.path, text.fields) == ("/r3.77", FORM)
    assert texts.all(NEW, bob) == ()
    assert texts.all(OLD, alice) == ()
    texts.forget(NEW, text.name)
    assert texts.all(NEW, alice) == ()


def test_a_text_is_not_lost_where_old_and_new_session_are_the_same(state: State, texts: SavedForms) -> None:
    alice = _ended(state, OLD)
    assert texts.keep(OLD, "/r3.77", FORM)
    assert texts.adopt(OLD, OLD, alice) == 0
    assert [text.fields for text in texts.all(OLD, alice)] == [FORM]


@pytest.mark.parametrize("token", ["", "x", OTHER, "A" * 23, "/" * 22])
def test_a_token_that_never_was_keeps_nothing(
    state: State, texts: SavedForms, token: str, tmp_path: Path
) -> None:
    _ended(state, OLD)
    assert not texts.keep(token, "/r3.77", FORM)
    with state.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM kept").scalar_one() == 0


def test_a_living_session_keeps_nothing_until_it_expires(
    state: State, texts: SavedForms, clock: Clock
) -> None:
    _session(state, OLD)
    assert not texts.keep(OLD, "/c", FORM)
    clock.now += 601
    assert texts.keep(OLD, "/c", FORM)


def test_a_purged_session_is_known_for_a_day(state: State, texts: SavedForms, clock: Clock) -> None:
    _session(state, OLD)
    clock.now += 601
    assert state.sessions.purge(clock.now) == 1
    assert texts.keep(OLD, "/c", FORM)
    clock.now += DAY
    state.sessions.purge(clock.now)
    assert not texts.keep(OLD, "/c", {"text": "another"})


def test_a_text_is_gone_after_a_day_and_adopting_does_not_make_it_younger(
    state: State, texts: SavedForms, clock: Clock
) -> None:
    account = _ended(state, OLD)
    texts.keep(OLD, "/c", FORM)
    clock.now += LIFETIME / 2
    texts.keep(OLD, "/c", FORM)
    assert texts.adopt(OLD, NEW, account) == 1
    clock.now += LIFETIME / 2 - 1
    assert len(texts.all(NEW, account)) == 1
    clock.now += 1
    assert texts.all(NEW, account) == ()
    state.posted_forms.purge(clock.now)
    with state.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM kept").scalar_one() == 0


def test_the_same_text_is_kept_once_and_the_newest_few(state: State, texts: SavedForms, clock: Clock) -> None:
    account = _ended(state, OLD)
    for number in range(MOST + 2):
        clock.now += 1
        for _ in range(3):
            assert texts.keep(OLD, "/c", {"text": str(number)})
    found = [text.fields["text"] for text in texts.all(OLD, account)]
    assert found == [str(number) for number in reversed(range(2, MOST + 2))]


def test_nothing_can_be_read_without_the_token(state: State, texts: SavedForms, tmp_path: Path) -> None:
    account = _ended(state, OLD)
    texts.keep(OLD, "/c", FORM)
    (row,) = state.posted_forms.all(vault.digest(OLD), account, Clock.now)
    state.posted_forms.put(replace(row, digest=vault.digest(OTHER)))
    assert texts.all(OTHER, account) == ()
    assert SavedForms(state, b"other" * 8, Clock()).all(OLD, account) == ()
    state.close()
    octets = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (b"Grandmother", b"g@example.org", OLD.encode()):
        assert secret not in octets


def test_what_is_too_large_is_not_kept(state: State, texts: SavedForms) -> None:
    _ended(state, OLD)
    room = LARGEST - len('["/c",{"text":""}]')
    assert not texts.keep(OLD, "/c", {"text": "x" * (room + 1)})
    assert texts.keep(OLD, "/c", {"text": "x" * room})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.dictionaries(st.text(max_size=8), st.text(max_size=200), max_size=6))
def test_any_form_comes_back_as_it_was(state: State, texts: SavedForms, form: dict[str, str]) -> None:
    account = state.accounts.id_for(b"alice")
    if state.sessions.account(vault.digest(OLD), Clock.now) is None:
        _ended(state, OLD)
    assert texts.keep(OLD, "/c", form)
    (text,) = texts.all(OLD, account)
    assert text.fields == form
    texts.forget(OLD, text.name)
