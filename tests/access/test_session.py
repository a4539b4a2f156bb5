"""session: signing in, being found again, and ending; with a mail server made of a dictionary."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import app
from gateway.access.browser_families import is_another_browser, user_agent_family
from gateway.access.idempotency import claim, last_outcome, outcome_of, settle
from gateway.access.session import Session
from gateway.access.sessions import Sessions, domain_mark
from gateway.access.throttle import ADDRESS
from gateway.config import Config, Server, Tls, Upstream
from gateway.errors import (
    AppPasswordNeeded,
    AuthenticationFailed,
    BadRequest,
    CredentialExpired,
    PasswordsNotTaken,
    ServerAlert,
    ServerClosed,
    SessionEnded,
    StateError,
    StoreRefused,
    StoreUnreachable,
    TooManyTries,
    UnknownDomain,
)
from gateway.sealed import vault
from gateway.sealed.link_ids import Link
from gateway.store.abilities import EVERY_ABILITY
from gateway.store.base import MailStore
from gateway.submission import Receipt, Settled
from tests import rig
from tests.postbox import act

PASSWORD = "sw0rdfish"
SECRET = bytes(range(32))
NOKIA = "Nokia7110/1.0 (04.84)"
ANNA = "anna@example.org"


def server(protocol: str) -> Server:
    return Server(protocol, f"{protocol}.example.org", 993, Tls.IMPLICIT)


CONFIG = Config(upstreams=(Upstream(("example.org",), server("imap"), server("smtp")),), idle_minutes=10)


class Pool:
    """Keeps what it lends open under its key, like the real one."""

    def __init__(self) -> None:
        self.warm: dict[bytes, MailStore] = {}

    @contextmanager
    def lease(self, key: bytes, connect: Callable[[], MailStore]) -> Iterator[MailStore]:
        store = self.warm.pop(key, None) or connect()
        yield store
        self.warm[key] = store

    def drop(self, key: bytes) -> None:
        self.warm.pop(key, None)

    def close(self) -> None:
        self.warm.clear()


class House:
    """A gateway process: everything in here is gone after a restart, except the state."""

    def __init__(self, path: Path) -> None:
        self.state = rig.state(path)
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
        return cast(MailStore, SimpleNamespace(can=EVERY_ABILITY, lent=lambda connect, notes: nullcontext()))

    def submit(
        self,
        server: Server,
        user: str,
        password: str,
        sender: str,
        recipients: Sequence[str],
        octets: bytes,
        settled: Settled,
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
        assert (session.language, session.via, session.submission.sent_copy.files) == ("de", "url", None)
        assert (session.token, session.account) == (opened.token, opened.account)
    assert opened.account >= 1
    assert vault.is_token(opened.token)


def test_a_session_has_a_mark_of_its_domain_and_not_the_domain(house: House) -> None:
    for address in (ANNA, " anna "):
        house.open(address)
    mark = domain_mark(SECRET, "EXAMPLE.org")
    assert house.state.sessions.count_of({mark}, house.now) == (2, 1)
    assert "example" not in mark.lower()
    assert domain_mark(SECRET, "example.net") != mark != domain_mark(b"x" * 32, "example.org")


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
    session.submission.submit(["ben@example.org"], b"octets")
    assert house.connects == [("imap.example.org", "anna", PASSWORD)]
    assert house.submitted == [("smtp.example.org", "anna", PASSWORD, ANNA, ["ben@example.org"], b"octets")]
    assert session.submission.sent_copy.files is True


def test_a_login_in_capitals_is_tried_in_small_letters(house: House) -> None:
    """Keypads capitalize the first letter; the right spelling is kept, for sending, too."""
    session = house.open("Anna@example.org")
    assert [user for _, user, _ in house.connects] == ["Anna@example.org", ANNA]
    assert house.sessions.resume(session.token, NOKIA).address == ANNA
    session.submission.submit(["ben@example.org"], b"octets")
    assert house.submitted[0][1] == ANNA


def test_small_letters_are_tried_only_for_a_wrong_login_in_capitals(house: House) -> None:
    for failure in (
        CredentialExpired("x"),
        AppPasswordNeeded("x"),
        ServerAlert("x"),
        StoreUnreachable("x"),
        PasswordsNotTaken("x"),
    ):
        house.failure = failure
        with pytest.raises(type(failure)):
            house.open("Anna@example.org")
    twice = house.failure = AuthenticationFailed("x")
    twice.tries = 2  # the password has already been offered to two mechanisms
    with pytest.raises(AuthenticationFailed):
        house.open("Anna@example.org")
    assert [user for _, user, _ in house.connects] == ["Anna@example.org"] * 6
    house.failure = None
    with pytest.raises(AuthenticationFailed):
        house.open(ANNA, "wrong")
    upstream = Upstream(("example.org",), server("imap"), server("smtp"), case_sensitive_logins=True)
    house.restart(Config(upstreams=(upstream,)))
    with pytest.raises(AuthenticationFailed):
        house.open("Anna@example.org")
    assert [user for _, user, _ in house.connects[6:]] == [ANNA, "Anna@example.org"]


def test_the_logins_at_the_two_servers_may_differ(house: House) -> None:
    upstream = Upstream(
        ("example.org",), server("imap"), server("smtp"), imap_login="{local}", smtp_login="{domain}/{local}"
    )
    house.restart(Config(upstreams=(upstream,)))
    house.passwords["DOM\\web12p3"] = PASSWORD
    session = house.open("DOM\\web12p3")
    session.submission.submit(["ben@example.org"], b"octets")
    assert house.connects[0][1] == "DOM\\web12p3"
    assert house.submitted[0][1] == "example.org/DOM\\web12p3"


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


@pytest.mark.parametrize("failure", [StoreUnreachable("down"), ServerClosed("Closed for the night.")])
def test_an_unreachable_server_is_nobodys_failure(house: House, failure: Exception) -> None:
    house.failure = failure
    for _ in range(20):
        with pytest.raises(type(failure)):
            house.open()
    house.failure = None
    house.open()


@pytest.mark.parametrize(
    "refusal", [ServerAlert("Invalid credentials (Failure)"), StoreRefused("NO [LIMIT]")]
)
def test_whatever_the_server_answers_to_a_password_is_a_guess_that_counts(
    house: House, refusal: Exception
) -> None:
    house.failure = refusal
    for _ in range(6):
        with pytest.raises(type(refusal)):
            house.open(password="wrong")
    with pytest.raises(TooManyTries):
        house.open()
    assert len(house.connects) == 6


def test_a_right_password_never_counts_even_where_no_session_can_be_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StateError("state: database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(house.state, "begin", full)
        for _ in range(20):
            with pytest.raises(StateError):
                house.open()
    house.open()


def test_a_slow_mail_server_moves_nobodys_turn(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given back after a right password is given back when that is known, not when it was asked for."""
    lease, told = house.pool.lease, []

    def ask() -> None:
        with pytest.raises(TooManyTries) as error:
            house.open("somebody@example.org", "wrong")
        told.append(error.value.seconds)

    @contextmanager
    def slow(key: bytes, connect: Callable[[], MailStore]) -> Iterator[MailStore]:
        monkeypatch.setattr(house.pool, "lease", lease)
        house.now += 100
        for number in range(ADDRESS.free + 5):
            with pytest.raises((AuthenticationFailed, TooManyTries)):
                house.open(f"{number}@example.org", "wrong")
        ask()
        with lease(key, connect) as store:
            yield store

    monkeypatch.setattr(house.pool, "lease", slow)
    house.open()
    ask()
    assert told[0] == told[1]


def test_of_many_guesses_at_once_no_more_are_looked_at(house: House) -> None:
    def guess(_: int) -> bool:
        try:
            house.open(password="wrong")
        except AuthenticationFailed:
            return True
        except TooManyTries:
            return False
        raise AssertionError("let in")

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(guess, range(40))) == 6
    assert len(house.connects) == 6


def test_an_expired_password_is_told_as_such(house: House) -> None:
    house.failure = CredentialExpired("EXPIRED")
    with pytest.raises(CredentialExpired):
        house.open()


# Being found again


def test_a_restart_ends_nothing(house: House) -> None:
    session = house.open()
    done, number = act(session.ticket()), session.mailboxes.number("INBOX", 3)
    assert claim(session, done).fresh
    house.restart()
    again = house.sessions.resume(session.token, NOKIA)
    with again.store():
        pass
    assert house.connects[-1] == ("imap.example.org", ANNA, PASSWORD)
    assert not claim(again, done).fresh
    assert again.mailboxes.mailbox(number) == ("INBOX", 3)


@pytest.mark.parametrize("token", ["", "x", "x" * 22, "é" * 22, "\ud800", "x" * 100_000])
def test_an_unknown_token_is_no_session(house: House, token: str) -> None:
    house.open()
    assert house.ended(token)


def test_a_token_is_known_for_as_long_as_its_session_lives(house: House) -> None:
    session = house.open()
    assert house.sessions.knows(session.token)
    assert not house.sessions.knows(vault.new_token())
    assert not house.sessions.knows("\ud800")
    session.close()
    assert not house.sessions.knows(session.token)


def test_a_session_ends_when_nobody_comes_and_slides_when_somebody_does(house: House) -> None:
    session = house.open()
    for _ in range(5):
        house.now += 9 * 60
        assert not house.ended(session.token)
    house.now += 10 * 60
    assert house.ended(session.token)


def test_another_browser_is_refused_and_the_session_lives_on(house: House) -> None:
    session = house.open()
    ticket = session.ticket()
    assert not house.ended(session.token, "NOKIA7110/2.0")
    assert not house.ended(session.token, None)
    assert not house.ended(session.token, " ")
    assert house.ended(session.token, "Mozilla/5.0")
    assert not house.sessions.saved_forms.keep(session.token, "/c", {"text": "not the owner's"})
    assert not house.sessions.was_begun(session.token, act(ticket))
    resumed = house.sessions.resume(session.token, NOKIA)
    assert claim(resumed, act(ticket)).fresh
    with resumed.store():
        pass
    assert len(house.connects) == 1  # its connection stayed open


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
        claim(session, act(session.ticket()))


def test_what_has_expired_is_removed_in_time(house: House) -> None:
    house.open()
    house.now += 3600
    kept = house.open()
    with house.state.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT digest FROM sessions").all()
    assert rows == [(vault.digest(kept.token),)]


def test_what_has_expired_is_removed_from_every_table(house: House) -> None:
    def rows(table: str) -> set[tuple[object, ...]]:
        with house.state.database.reading() as connection:
            return set(map(tuple, connection.exec_driver_sql(f"SELECT * FROM {table}").all()))

    session = house.open(via="cookie")
    with pytest.raises(AuthenticationFailed):
        house.open(password="wrong", remote="198.51.100.1")
    session.links.keep({"A" * 11: Link("https://example.org/", "a link", "", "", "")})
    session.journal.claim(session.journal.new_entry(act(session.ticket()), house.now, False))
    session.close()
    assert session.saved_forms.keep(session.token, "/c", {"text": "typed"})
    before = {table: rows(table) for table in ("devices", "ended", "journal", "kept", "links", "tries")}
    assert all(before.values())
    house.now += 365 * 24 * 3600
    house.open()
    assert {table for table, old in before.items() if old & rows(table)} == set()


# Tickets


def test_an_act_is_done_once(house: House) -> None:
    session = house.open()
    ticket = session.ticket()
    assert session.check_ticket(ticket)
    done = act(ticket)
    assert outcome_of(session, done.name) is None
    assert claim(session, done).fresh
    assert outcome_of(session, done.name) == {}
    settle(session, done, {"said": "Sent."})
    resumed = house.sessions.resume(session.token, None)
    found = claim(resumed, act(ticket))
    assert (found.fresh, found.outcome) == (False, {"said": "Sent."})
    assert outcome_of(resumed, done.name) == last_outcome(resumed, done) == {"said": "Sent."}
    assert outcome_of(house.open(), done.name) is None


def test_a_ticket_with_something_else_is_another_act(house: House) -> None:
    session = house.open()
    ticket = session.ticket()
    claim(session, act(ticket))
    settle(session, act(ticket), {"said": "Sent."})
    other = act(ticket, b"something else")
    assert claim(session, other).fresh
    assert last_outcome(session, other) == {"said": "Sent."}
    assert claim(session, other).outcome is None


def test_a_ticket_of_another_session_is_refused(house: House) -> None:
    session, other = house.open(), house.open()
    for ticket in (other.ticket(), "", "x" * 18):
        assert session.check_ticket(ticket) is None
        with pytest.raises(BadRequest):
            claim(session, act(ticket))
        settle(session, act(ticket), {})
        assert outcome_of(session, act(ticket).name) is None


# Secrets


def test_nothing_shows_the_password(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    session = house.open()
    resumed = house.sessions.resume(session.token, NOKIA)
    shown = [
        text
        for thing in (session, resumed, resumed.submission, house.sessions)
        for text in (repr(thing), str(thing))
    ]
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
    done = act(session.ticket())
    claim(session, done)
    settle(session, done, {"said": "Sent."})
    house.state.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"nokia7110" in kept
    for secret in (PASSWORD, "anna", session.token, "example.org", done.ticket):
        assert secret.encode() not in kept


@pytest.mark.parametrize("password", ["pässwörd €", "\ud800", "a\0b", "\\\"'"])
def test_any_password_comes_back_as_it_was(house: House, password: str) -> None:
    house.passwords[ANNA] = password
    session = house.open(password=password)
    house.restart()
    with house.sessions.resume(session.token, None).store():
        assert house.connects[-1][2] == password


# User-Agent


KINDLE = "Mozilla/5.0 (Linux; U; en-US) AppleWebKit/528.5+ (KHTML, like Gecko, Safari/528.5+) Version/4.0 Kindle/3.0"
OPERA = "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10"
KAIOS = "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5"
SONY = "SonyEricssonT68/R201A Browser/SEMC-Browser/4.2 Profile/MIDP-2.0 Configuration/CLDC-1.1"
POCKET = "Mozilla/4.0 (compatible; MSIE 6.0; Windows CE; IEMobile 7.11)"
FIREFOX = "Mozilla/5.0 (Android 13; Mobile; rv:109.0) Gecko/109.0 Firefox/115.0"
SAME = [
    (NOKIA, "NOKIA7110/2.0 (05.01)"),
    (SONY, SONY.replace("R201A", "R301B").replace("4.2", "4.2.1") + " UP.Link/6.3.0.0.0"),
    (OPERA, "Opera/9.80 (J2ME/MIDP; Opera Mini/8.0.35158/36.2534; U; en) Presto/2.12.423 Version/12.16"),
    (KAIOS, "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:84.0) Gecko/84.0 Firefox/84.0 KAIOS/3.0"),
    (POCKET, POCKET.replace("6.0", "8.0").replace("7.11", "8.12")),
    (
        FIREFOX,
        FIREFOX.replace("Android 13", "Android 14").replace("115.0", "128.0").replace("rv:109", "rv:128"),
    ),
    (KINDLE + " (screen 600x800; rotate)", KINDLE.replace("3.0", "3.4") + " (screen 600x800)"),
    ("w3m/0.5.3+git20230121", "w3m/0.5.4"),
    ("  Lynx/2.9.0", "Lynx/2.9.2 "),
]
OTHERS = [
    *(NOKIA, SONY, OPERA, KAIOS, POCKET, FIREFOX, KINDLE),
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0",
    "Nokia6230/2.0 (04.84)",
    "facebookexternalhit/1.1",
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_an_update_of_a_browser_makes_no_other(house: House, one: str, other: str) -> None:
    assert not house.ended(house.open(user_agent=one).token, other)
    assert not house.ended(house.open(user_agent=other).token, one)


@pytest.mark.parametrize("user_agent", OTHERS)
def test_two_browsers_are_two(house: House, user_agent: str) -> None:
    token = house.open(user_agent=user_agent).token
    assert [other for other in OTHERS if not house.ended(token, other)] == [user_agent]
    assert not house.ended(token, user_agent)


@pytest.mark.parametrize("kept", ["mozilla", "nokia7110"])
def test_sessions_of_earlier_versions_go_on(house: House, kept: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.access.sessions.user_agent_family", lambda user_agent: kept)
        token = house.open().token
    assert [house.ended(token, user_agent) for user_agent in (NOKIA, FIREFOX)] == [
        kept == "mozilla",
        kept != "mozilla",
    ]


@given(st.text())
def test_any_user_agent_has_a_family(user_agent: str) -> None:
    family = user_agent_family(user_agent)
    assert family.isascii()
    assert user_agent_family(user_agent.lower()) == family or not user_agent.isascii()
    assert len(family) <= 64 + 1 + 12
    assert not is_another_browser(family, family)


def test_at_the_end_of_the_process_connections_are_closed_and_sessions_live_on(house: House) -> None:
    session = house.open()
    with session.store():
        pass
    assert house.pool.warm
    app.close(app.create_app(CONFIG, sessions=house.sessions))
    assert not house.pool.warm
    assert not house.ended(session.token)


@pytest.mark.parametrize("user_agent", ["(none)", "", " ", None])
def test_no_name_is_no_family(user_agent: str | None) -> None:
    assert user_agent_family(user_agent) == ""
