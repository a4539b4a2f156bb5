"""session: signing in, being found again, and ending; with a mail server made of a dictionary."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import vault
from gateway.config import Config, Server, Tls, Upstream
from gateway.errors import (
    AuthenticationFailed,
    BadRequest,
    CredentialExpired,
    SessionEnded,
    StoreUnreachable,
    TooManyTries,
    UnknownDomain,
)
from gateway.session import Session, Sessions, user_agent_family
from gateway.state import State
from gateway.store.base import MailStore
from gateway.submission import Receipt

PASSWORD = "sw0rdfish"
SECRET = bytes(range(32))
NOKIA = "Nokia7110/1.0 (04.84)"
ANNA = "anna@example.org"


def server(protocol: str) -> Server:
    return Server(protocol, f"{protocol}.example.org", 993, Tls.IMPLICIT)


CONFIG = Config(upstreams=(Upstream(("example.org",), server("imap"), server("smtp")),), idle_minutes=10)


class Pool:
    """Keeps what it lends warm under its key, as the real one does."""

    def __init__(self) -> None:
        self.warm: dict[bytes, MailStore] = {}

    @contextmanager
    def lease(self, key: bytes, connect: Callable[[], MailStore]) -> Iterator[MailStore]:
        store = self.warm.pop(key, None) or connect()
        yield store
        self.warm[key] = store

    def drop(self, key: bytes) -> None:
        self.warm.pop(key, None)


class House:
    """A gateway process: what is in here is gone after a restart, but for the state."""

    def __init__(self, path: Path) -> None:
        self.state = State.open(path)
        self.pool = Pool()
        self.passwords = {ANNA: PASSWORD, "anna": PASSWORD}
        self.connects: list[tuple[str, str, str]] = []
        self.submitted: list[tuple[Any, ...]] = []
        self.now = 1_000_000.0
        self.failure: Exception | None = None
        self.sessions = self.joined(CONFIG)

    def joined(self, config: Config, secret: bytes = SECRET) -> Sessions:
        return Sessions(config, self.state, secret, self.pool, self.connect, self.submit, lambda: self.now)

    def restart(self, config: Config = CONFIG, secret: bytes = SECRET) -> None:
        self.pool = Pool()
        self.sessions = self.joined(config, secret)

    def connect(self, server: Server, user: str, password: str) -> MailStore:
        self.connects.append((server.host, user, password))
        if self.failure:
            raise self.failure
        if self.passwords.get(user) != password:
            raise AuthenticationFailed("LOGIN failed")
        return cast(MailStore, object())

    def submit(
        self, server: Server, user: str, password: str, sender: str, recipients: Sequence[str], octets: bytes
    ) -> Receipt:
        self.submitted.append((server.host, user, password, sender, recipients, octets))
        return cast(Receipt, "receipt")

    def open(self, address: str = ANNA, password: str = PASSWORD, **changes: Any) -> Session:
        more: dict[str, Any] = {
            "device": "nokia7110",
            "markup": "wml",
            "user_agent": NOKIA,
            "language": "de",
            "via": "url",
            "remote": "192.0.2.1",
        }
        return self.sessions.open(address, password, **{**more, **changes})

    def ended(self, token: str, user_agent: str | None = NOKIA) -> bool:
        try:
            self.sessions.resume(token, user_agent)
        except SessionEnded:
            return True
        return False


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "state.sqlite")
    yield made
    made.state.close()


# Signing in


def test_a_session_is_opened_and_found_again(house: House) -> None:
    opened = house.open()
    found = house.sessions.resume(opened.token, NOKIA)
    for session in (opened, found):
        assert (session.address, session.device, session.markup) == (ANNA, "nokia7110", "wml")
        assert (session.language, session.via, session.sent_copy) == ("de", "url", "append")
        assert (session.token, session.account) == (opened.token, opened.account)
    assert opened.account >= 1
    assert vault.is_token(opened.token)


def test_signing_in_is_one_connection_and_it_stays_warm(house: House) -> None:
    session = house.open()
    with session.store() as first:
        pass
    with house.sessions.resume(session.token, None).store() as second:
        assert second is first
    assert house.connects == [("imap.example.org", ANNA, PASSWORD)]


def test_the_domain_may_be_left_out(house: House) -> None:
    assert house.open(" anna ").address == ANNA


def test_the_login_may_be_the_local_part(house: House) -> None:
    upstream = Upstream(
        ("example.org",), server("imap"), server("smtp"), login="local-part", sent_copy="provider"
    )
    house.restart(Config(upstreams=(upstream,)))
    session = house.open()
    session.submit(["ben@example.org"], b"octets")
    assert house.connects == [("imap.example.org", "anna", PASSWORD)]
    assert house.submitted == [("smtp.example.org", "anna", PASSWORD, ANNA, ["ben@example.org"], b"octets")]
    assert session.sent_copy == "provider"


def test_one_account_is_one_number_whatever_the_session(house: House) -> None:
    house.passwords["ben@example.org"] = PASSWORD
    accounts = [house.open(address).account for address in (ANNA, "ben@example.org", "anna@Example.ORG")]
    assert accounts[0] == accounts[2] != accounts[1]


@pytest.mark.parametrize(
    ("address", "password"), [(ANNA, "wrong"), (ANNA, ""), (ANNA, "x" * 1025), ("x" * 1025, "x")]
)
def test_a_wrong_password_opens_nothing(house: House, address: str, password: str) -> None:
    with pytest.raises(AuthenticationFailed):
        house.open(address, password)
    assert not house.pool.warm
    assert all(len(password) == 5 for _, _, password in house.connects)


def test_an_unknown_domain_is_not_asked_anywhere(house: House) -> None:
    with pytest.raises(UnknownDomain):
        house.open("anna@elsewhere.example")
    assert house.connects == []


def test_failures_wait_and_the_server_is_spared(house: House) -> None:
    for _ in range(6):
        with pytest.raises(AuthenticationFailed):
            house.open(password="wrong")
    with pytest.raises(TooManyTries):
        house.open()
    assert len(house.connects) == 6
    house.restart()
    with pytest.raises(TooManyTries):
        house.open()
    house.now += 11
    assert house.open().address == ANNA


def test_mistyping_three_times_is_forgiven(house: House) -> None:
    for _ in range(4):
        for _ in range(3):
            with pytest.raises(AuthenticationFailed):
                house.open(password="wrong")
        house.open()


def test_an_unreachable_server_is_nobodys_failure(house: House) -> None:
    house.failure = StoreUnreachable("down")
    for _ in range(20):
        with pytest.raises(StoreUnreachable):
            house.open()
    house.failure = None
    house.open()


def test_an_expired_password_is_told_as_such(house: House) -> None:
    house.failure = CredentialExpired("EXPIRED")
    with pytest.raises(CredentialExpired):
        house.open()


# Being found again


def test_a_restart_ends_nothing(house: House) -> None:
    session = house.open()
    ticket, number = session.ticket(), session.mailbox_number("INBOX", 3)
    assert session.claim(ticket).fresh
    house.restart()
    again = house.sessions.resume(session.token, NOKIA)
    with again.store():
        pass
    assert house.connects[-1] == ("imap.example.org", ANNA, PASSWORD)
    assert not again.claim(ticket).fresh
    assert again.mailbox(number) == ("INBOX", 3)


@pytest.mark.parametrize("token", ["", "x", "x" * 22, "é" * 22, "\ud800", "x" * 100_000])
def test_an_unknown_token_is_no_session(house: House, token: str) -> None:
    house.open()
    assert house.ended(token)


def test_a_session_ends_when_nobody_comes_and_slides_when_somebody_does(house: House) -> None:
    session = house.open()
    for _ in range(5):
        house.now += 9 * 60
        assert not house.ended(session.token)
    house.now += 10 * 60
    assert house.ended(session.token)


def test_another_browser_ends_the_session_for_good(house: House) -> None:
    session = house.open()
    assert not house.ended(session.token, "NOKIA7110/2.0")
    assert not house.ended(session.token, None)
    assert not house.ended(session.token, " ")
    assert house.ended(session.token, "Mozilla/5.0")
    assert house.ended(session.token)
    assert not house.pool.warm


def test_a_session_begun_without_a_user_agent_takes_any(house: House) -> None:
    session = house.open(user_agent="")
    assert not house.ended(session.token, NOKIA)
    assert not house.ended(session.token, "Mozilla/5.0")


def test_another_server_secret_ends_it(house: House) -> None:
    session = house.open()
    house.restart(secret=bytes(32))
    assert house.ended(session.token)
    house.restart()
    assert house.ended(session.token)


def test_an_upstream_that_is_gone_ends_it(house: House) -> None:
    session = house.open()
    house.restart(Config(upstreams=(Upstream(("other.example",), server("imap"), server("smtp")),)))
    assert house.ended(session.token)


def test_a_changed_password_ends_it(house: House) -> None:
    session = house.open()
    house.restart()
    house.passwords[ANNA] = "another"
    resumed = house.sessions.resume(session.token, NOKIA)
    with pytest.raises(SessionEnded), resumed.store():
        pass
    assert house.ended(session.token)


def test_other_failures_leave_it_alone(house: House) -> None:
    session = house.open()
    house.restart()
    house.failure = StoreUnreachable("down")
    with pytest.raises(StoreUnreachable), house.sessions.resume(session.token, NOKIA).store():
        pass
    assert not house.ended(session.token)


def test_signing_out_ends_it_everywhere(house: House) -> None:
    session, other = house.open(), house.open()
    session.close()
    session.close()
    assert house.ended(session.token)
    assert list(house.pool.warm) == [vault.digest(other.token)]
    assert not house.ended(other.token)
    with pytest.raises(SessionEnded):
        session.claim(session.ticket())


def test_what_has_expired_is_removed_in_time(house: House) -> None:
    house.open()
    house.now += 3600
    kept = house.open()
    with house.state.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT digest FROM sessions").all()
    assert rows == [(vault.digest(kept.token),)]


# Tickets


def test_a_ticket_acts_once(house: House) -> None:
    session = house.open()
    ticket = session.ticket()
    assert session.check_ticket(ticket)
    assert session.claim(ticket).fresh
    session.settle(ticket, {"said": "Sent."})
    claim = house.sessions.resume(session.token, None).claim(ticket)
    assert (claim.fresh, claim.outcome) == (False, {"said": "Sent."})


def test_a_ticket_of_another_session_is_refused(house: House) -> None:
    session, other = house.open(), house.open()
    for ticket in (other.ticket(), "", "x" * 18):
        assert session.check_ticket(ticket) is None
        with pytest.raises(BadRequest):
            session.claim(ticket)
        with pytest.raises(BadRequest):
            session.settle(ticket, {})


# Secrets


def test_nothing_shows_the_password(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    session = house.open()
    resumed = house.sessions.resume(session.token, NOKIA)
    shown = [text for thing in (session, resumed, house.sessions) for text in (repr(thing), str(thing))]
    shown += [repr(getattr(resumed, name)) for name in Session.__slots__ if name != "token"]
    house.passwords[ANNA] = "another"
    house.pool.warm.clear()
    try:
        with resumed.store():
            pass
    except SessionEnded as error:
        shown += traceback.format_exception(error)
    with pytest.raises(AuthenticationFailed) as caught:
        house.open()
    shown += [*traceback.format_exception(caught.value), caplog.text]
    assert not [text for text in shown if PASSWORD in text or session.token in text]


def test_the_database_holds_neither_password_nor_address_nor_token(house: House, tmp_path: Path) -> None:
    session = house.open()
    session.settle(session.ticket(), {"said": "Sent."})
    house.state.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"nokia7110" in kept
    for secret in (PASSWORD, "anna", session.token, "example.org"):
        assert secret.encode() not in kept


@pytest.mark.parametrize("password", ["pässwörd €", "\ud800", "a\0b", "\\\"'"])
def test_any_password_comes_back_as_it_was(house: House, password: str) -> None:
    house.passwords[ANNA] = password
    session = house.open(password=password)
    house.restart()
    with house.sessions.resume(session.token, None).store():
        assert house.connects[-1][2] == password


# User-Agent


@pytest.mark.parametrize(
    ("user_agent", "family"),
    [
        (NOKIA, "nokia7110"),
        ("SonyEricssonT68/R201A", "sonyericssont68"),
        ("MOT-V3/08.B4.34R MIB/2.2.1", "mot-v3"),
        ("UP.Browser/3.01-IG01", "up.browser"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "mozilla"),
        ("w3m/0.5.3+git20230121", "w3m"),
        ("Links (2.28; Linux)", "links"),
        ("  Lynx/2.9.0", "lynx"),
        ("(none)", ""),
        ("", ""),
        (None, ""),
        ("x" * 500, "x" * 64),
    ],
)
def test_families(user_agent: str | None, family: str) -> None:
    assert user_agent_family(user_agent) == family


@given(st.text())
def test_any_user_agent_has_a_family_that_stays(user_agent: str) -> None:
    family = user_agent_family(user_agent)
    assert user_agent_family(family) == family
    assert family.isascii()
