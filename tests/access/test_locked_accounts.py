"""Accounts that an administrator has locked, sessions ended elsewhere, and addresses kept on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.access import logins
from gateway.access.sessions import Sessions
from gateway.config import Upstream
from gateway.errors import AccountLocked, AuthenticationFailed, SessionEnded
from gateway.language import LANGUAGES, Language, load
from gateway.sealed import account_address, vault
from gateway.state import AccountFilter, EncryptedData, State
from gateway.state.people.account_merge import merged_account
from tests import rig
from tests.access.test_session import ANNA, CONFIG, NOKIA, PASSWORD, SECRET, House, server
from tests.account.test_uniting import NOW, OLD, Anna

SHOWN = replace(CONFIG, admin_show_addresses=True)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "state.sqlite")
    yield made
    made.state.close()


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Anna]:
    made = Anna(tmp_path / "state.sqlite")
    yield made
    made.state.close()


def octets(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*") if file.is_file())


# --- the lock


def test_a_lock_ends_all_sessions_at_once_and_nobody_elses(house: House) -> None:
    house.passwords["ben@example.org"] = PASSWORD
    first, second, ben = house.open(), house.open(), house.open("ben@example.org")
    digests = house.state.accounts.lock(first.account, house.now)
    assert set(digests) == {vault.digest(each.token) for each in (first, second)}
    assert house.ended(first.token)
    assert house.ended(second.token)
    assert not house.ended(ben.token)


def test_a_locked_account_is_refused_before_anything_goes_to_the_mail_server(house: House) -> None:
    session = house.open()
    house.state.accounts.lock(session.account, house.now)
    asked, counted = len(house.connects), house.state.tries.page(100)
    for address, password in (
        (ANNA, PASSWORD),
        (ANNA, "wrong"),
        ("anna", PASSWORD),
        (" ANNA@Example.ORG", "x"),
    ):
        for _ in range(8):
            with pytest.raises(AccountLocked):
                house.open(address, password, remote="198.51.100.9")
    assert len(house.connects) == asked
    assert house.state.tries.page(100) == counted
    house.state.accounts.unlock(session.account)
    assert house.open().account == session.account


def test_who_guessed_before_the_lock_still_waits_after_it(house: House) -> None:
    account = house.open().account
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            house.open(password="wrong", remote="198.51.100.9")
    before = house.state.tries.page(100)
    house.state.accounts.lock(account, house.now)
    with pytest.raises(AccountLocked):
        house.open(password="wrong", remote="198.51.100.9")
    house.state.accounts.unlock(account)
    assert house.state.tries.page(100) == before


def test_a_lock_that_comes_while_the_mail_server_is_asked_holds(house: House) -> None:
    account = house.open().account
    connect = house.connect

    def locking(*asked: Any) -> Any:
        house.state.accounts.lock(account, house.now)
        return connect(*asked)

    sessions = Sessions(CONFIG, house.state, SECRET, house.pool, locking, house.submit, lambda: house.now)
    house.sessions = sessions
    counted = house.state.tries.page(100)
    with pytest.raises(AccountLocked):
        house.open(remote="198.51.100.9")
    assert house.state.sessions.count(house.now) == 0
    assert [row.kept for row in house.state.tries.page(100)] == [row.kept for row in counted]


def test_an_account_can_be_locked_before_it_ever_signed_in(house: House) -> None:
    key = logins.account_key(CONFIG.upstreams[0], ANNA)
    house.state.accounts.lock(house.state.accounts.id_for(key), house.now)
    with pytest.raises(AccountLocked):
        house.open()
    assert house.connects == []


@settings(max_examples=20)  # each opens a database
@given(st.text("anANåÅ.+", min_size=1, max_size=6), st.booleans())
def test_a_lock_holds_in_every_spelling_that_leads_to_the_account(local: str, sensitive: bool) -> None:
    upstream = Upstream(("example.org",), server("imap"), server("smtp"), case_sensitive_logins=sensitive)
    with TemporaryDirectory() as folder, State.open(Path(folder) / "state.sqlite") as state:
        address = f"{local}@example.org"
        key = logins.account_key(upstream, address)
        state.accounts.lock(state.accounts.id_for(key), 1.0)
        for spelling in (address, address.upper(), address.lower(), f" {local}@EXAMPLE.org"):
            keys = logins.account_key(upstream, spelling), logins.key_as_typed(upstream, spelling)
            same = local == spelling.rpartition("@")[0].strip() or not sensitive
            assert state.accounts.is_locked(keys) is (key in keys)
            assert state.accounts.is_locked(keys) or not same


def test_an_account_of_an_earlier_version_stays_locked_in_its_spelling(anna: Anna) -> None:
    before, now = anna.session_before(OLD), anna.open(NOW)
    anna.state.accounts.lock(before.account, anna.now)
    with pytest.raises(AccountLocked):
        anna.open(OLD)
    anna.state.accounts.unlock(before.account)
    anna.state.accounts.lock(now.account, anna.now)
    for spelling in (NOW, OLD, "ANNA@example.org"):
        with pytest.raises(AccountLocked):
            anna.open(spelling)
    assert anna.accounts() == 2


@pytest.mark.parametrize("locked", [b"key", b"former"])
def test_accounts_that_are_merged_keep_the_lock_of_either(tmp_path: Path, locked: bytes) -> None:
    with rig.state(tmp_path / "state.sqlite") as state:
        for key in (b"key", b"former"):
            state.accounts.id_for(key)
        state.accounts.lock(state.accounts.id_for(locked), 7.0)
        with state.database.writing() as connection:
            merged_account(connection, b"key", b"former", lambda *_: EncryptedData(), lambda *_: False)
        (row,) = state.accounts.page(9.0)
        assert (row.key, row.locked) == (b"key", 7.0)


def test_a_former_key_is_renamed_with_its_lock(tmp_path: Path) -> None:
    with rig.state(tmp_path / "state.sqlite") as state:
        number = state.accounts.id_for(b"former")
        state.accounts.lock(number, 7.0)
        with state.database.writing() as connection:
            assert (
                merged_account(connection, b"key", b"former", lambda *_: EncryptedData(), lambda *_: False)
                == number
            )
        assert state.accounts.is_locked([b"key"])


def test_forgetting_takes_everything_but_a_lock(house: House) -> None:
    session = house.open()
    session.state.settings.put(session.account, "nokia7110", {"lines": "4"})
    with pytest.raises(AuthenticationFailed):
        house.open(password="wrong", remote="198.51.100.9")
    house.state.accounts.lock(session.account, house.now)
    house.state.accounts.forget(session.account)
    (row,) = house.state.accounts.page(house.now, AccountFilter.LOCKED)
    assert row.id != session.account
    assert [each.subject.person for each in house.state.tries.page(9)] == [b""]  # of the network as a whole
    assert house.state.accounts.counts(row.id) == house.state.accounts.counts(session.account) == {}
    with pytest.raises(AccountLocked):
        house.open()


@pytest.mark.parametrize("language", [*LANGUAGES])
def test_the_refusal_is_said_in_every_language(language: str) -> None:
    load()
    said = Language(language).gettext(AccountLocked.sentence)
    assert said
    assert (said == AccountLocked.sentence) is (language == "en")


# --- sessions that end elsewhere


def test_a_session_that_was_ended_elsewhere_ends_with_its_next_request_and_keeps_what_was_typed(
    house: House,
) -> None:
    for end in (
        lambda session: house.state.sessions.end(session.id),
        lambda session: house.state.sessions.end(account=session.account),
        lambda session: house.state.accounts.lock(session.account, house.now),
    ):
        session = house.open()
        end(session)
        with pytest.raises(SessionEnded):
            house.sessions.resume(session.token, NOKIA)
        assert house.sessions.saved_forms.keep(session.token, "/c", {"text": "Dear Ben"})
        house.state.accounts.unlock(session.account)
        later = house.open()
        assert later.saved_forms.adopt(session.token, later.token, later.account) == 1


def test_a_session_says_when_it_began(house: House) -> None:
    began = house.now
    session = house.open()
    house.now += 120
    house.sessions.resume(session.token, NOKIA)
    (row,) = house.state.sessions.page(house.now)
    assert (row.begun, row.touched, row.device) == (began, began + 120, "nokia7110")


def test_pages_of_accounts_and_sessions_have_each_once(house: House) -> None:
    people = [f"p{number}@example.org" for number in range(7)]
    house.passwords |= dict.fromkeys(people, PASSWORD)
    for person in people:
        house.now += 1
        house.open(person)
    accounts = [
        row.id
        for first in range(0, 9, 3)
        for row in house.state.accounts.page(house.now, most=3, first=first)
    ]
    sessions = [
        row.id for first in range(0, 9, 3) for row in house.state.sessions.page(house.now, None, 3, first)
    ]
    assert len(accounts) == len({*accounts}) == len(sessions) == len({*sessions}) == 7
    assert accounts == sorted(accounts, reverse=True)
    assert len(house.state.accounts.page(house.now, AccountFilter.SIGNED_IN)) == 7
    house.now += 3600
    assert house.state.accounts.page(house.now, AccountFilter.SIGNED_IN) == []
    assert [row.sessions for row in house.state.accounts.page(house.now)] == [0] * 7


# --- addresses


def kept(house: House) -> list[str]:
    rows = house.state.accounts.page(house.now)
    return [account_address.opened(row.address, row.key, SECRET) for row in rows]


def test_no_address_is_kept_unless_the_administrator_wants_it(house: House, tmp_path: Path) -> None:
    house.open()
    assert kept(house) == [""]
    house.restart(SHOWN)
    assert kept(house) == [""]
    house.open("Anna@example.org")
    assert kept(house) == [ANNA]
    assert b"anna@" not in octets(tmp_path / "state.sqlite").lower()
    (row,) = house.state.accounts.page(house.now)
    assert account_address.opened(row.address, row.key, b"x" * 32) == ""
    assert account_address.opened(row.address, b"another key", SECRET) == ""


def test_switching_addresses_off_erases_them_at_the_next_start(house: House) -> None:
    house.restart(SHOWN)
    house.open()
    house.restart(CONFIG)
    (row,) = house.state.accounts.page(house.now)
    assert row.address is None
    house.restart(SHOWN)
    assert kept(house) == [""]


def test_an_address_is_readable_after_two_accounts_became_one(anna: Anna) -> None:
    anna.restart(SHOWN)
    anna.open(NOW), anna.session_before(OLD)
    one = anna.open(OLD)
    assert anna.accounts() == 1
    assert kept(anna) == [OLD]
    one.forget_account()
    assert anna.accounts() == 0
