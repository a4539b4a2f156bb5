"""signin: each thing that can go wrong has its own sentence, and nothing leaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from werkzeug.test import Client, TestResponse

from gateway import errors
from gateway.access.sessions import Sessions
from gateway.app import create_app
from gateway.config import Config, Server, Tls, Upstream
from gateway.errors import GatewayError
from gateway.language import Language
from gateway.store.abilities import EVERY_ABILITY
from gateway.store.pool import Pool
from gateway.web.entry.sign_in import error_sentence
from gateway.web.request.visit import Visit
from tests import rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import WmlPhone, XhtmlBrowser, in_process

ORIGIN = "http://pp.example:8080"
SENTENCES: dict[type[GatewayError], str] = {
    errors.AuthenticationFailed: "Wrong address or password.",
    errors.CredentialExpired: "Your password has expired.",
    errors.StoreUnreachable: "cannot be reached",
    errors.StoreTLSError: "not secure",
    errors.StoreRefused: "could not do that",
}


class Refusing:
    """A store to which nothing can connect, for the given reason."""

    error: GatewayError

    def __call__(self, server: Server, user: str, password: str) -> Any:
        raise self.error


@pytest.fixture
def refusing() -> Refusing:
    return Refusing()


@pytest.fixture
def app(tmp_path: Path, refusing: Refusing) -> Iterator[Any]:
    server = Server("imap", "mail.internal.example", 993, Tls.IMPLICIT)
    config = Config(upstreams=(Upstream(("example.net",), server, server),))
    with rig.state(tmp_path / "s.sqlite") as state:
        yield create_app(config, sessions=Sessions(config, state, b"k" * 32, Pool(), connect=refusing))


@pytest.mark.parametrize("error", SENTENCES, ids=lambda error: error.__name__)
@pytest.mark.parametrize("markup", ["wml", "xhtml"])
def test_every_failure_has_its_sentence(
    app: Any, refusing: Refusing, markup: str, error: type[GatewayError]
) -> None:
    refusing.error = error("mail.internal.example said: NO [X] hunter2")
    if markup == "wml":
        device: Any = WmlPhone(ORIGIN, in_process(app), check_deck=check_deck)
    else:
        device = XhtmlBrowser(ORIGIN, in_process(app), check_page=check_page)
    device.sign_in("zoe@example.net", "hunter2")
    assert SENTENCES[error] in device.text
    assert b"internal.example" not in device.answer.body
    assert b"hunter2" not in device.answer.body
    assert b"zoe@example.net" in device.answer.body
    assert device.answer.headers["cache-control"] == "no-store"


def test_the_sentences_differ() -> None:
    said = {
        error.sentence
        for error in (*SENTENCES, errors.UnknownDomain, errors.ServerAlert, errors.TooManyTries)
    }
    assert len(said) == len(SENTENCES) + 3


def test_an_alert_of_the_server_is_shown(app: Any, refusing: Refusing) -> None:
    refusing.error = errors.ServerAlert("Disk full & $5 <due>")
    phone = WmlPhone(ORIGIN, in_process(app), check_deck=check_deck).sign_in("zoe", "x")
    assert "Your mail server says: Disk full & $5 <due>" in phone.text


# --- guessers and owners


class Street:
    """A gateway with a mail server that knows two people, a clock of its own, and people at many addresses."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.now = 1_800_000_000.0
        self.passwords = {"zoe@example.net": "right", "bob@example.net": "right"}
        server = Server("imap", "mail.internal.example", 993, Tls.IMPLICIT)
        config = Config(upstreams=(Upstream(("example.net",), server, server),), **options)
        self.state = rig.state(path)
        sessions = Sessions(
            config, self.state, b"k" * 32, Pool(), connect=self.connect, clock=lambda: self.now
        )
        self.client = Client(create_app(config, sessions=sessions), use_cookies=False)

    def connect(self, server: Server, user: str, password: str) -> Any:
        if self.passwords.get(user) != password:
            raise errors.AuthenticationFailed("no")
        return Warm()

    def post(self, address: str, user: str, password: str, path: str = "/m", **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            path,
            data={"user": user, "password": password},
            headers=named,
            environ_overrides={"REMOTE_ADDR": address},
        )

    def guess(self, user: str = "zoe@example.net") -> None:
        """Guess at an account from twelve networks until all of them wait."""
        for number in range(12):
            for _ in range(6):
                self.post(f"198.18.{number}.1", user, "wrong")

    def guess_at_all(self, address: str, **headers: str) -> None:
        """Guess at many accounts from one address until it waits."""
        for number in range(330):
            self.post(address, f"user{number}@example.net", "wrong", **headers)


class Warm:
    """A mail store that has been signed in to, and is asked for nothing."""

    broken = False
    can = EVERY_ABILITY

    def close(self) -> None: ...

    def lent(self, _connect: object, _notes: object) -> nullcontext[None]:
        return nullcontext()


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    made = Street(tmp_path / "s.sqlite")
    yield made
    made.state.close()


def _taken(answer: TestResponse) -> bool:
    return answer.status_code == 303


def _seconds(answer: TestResponse) -> int:
    """Read the least number of seconds that is stated."""
    found = re.search(
        r"Too many attempts. Try again in (\d+) (second|minute)s?", answer.get_data(as_text=True)
    )
    assert found is not None
    return int(found[1]) * (60 if found[2] == "minute" else 1)


def _device(answer: TestResponse) -> str:
    return next(one.partition(";")[0] for one in answer.headers.getlist("Set-Cookie") if one.startswith("d="))


def test_an_owner_with_a_known_device_is_taken_from_anywhere_while_others_guess(street: Street) -> None:
    known = _device(street.post("192.0.2.1", "zoe@example.net", "right", Cookie="s=1"))
    for number in range(5):
        street.guess()
        assert not _taken(street.post(f"203.0.113.{number}", "zoe@example.net", "right"))
        answer = street.post(f"203.0.113.{number}", "Zoe@EXAMPLE.net", "wrong", Cookie=f"s=1; {known}")
        assert "Wrong address or password." in answer.get_data(as_text=True)
        answer = street.post(f"203.0.113.{number}", "zoe@example.net", "right", Cookie=f"s=1; {known}")
        assert _taken(answer)
        known = _device(answer)
    for _ in range(10):
        street.post("203.0.114.1", "zoe@example.net", "wrong", Cookie=f"s=1; {known}")
    assert not _taken(street.post("203.0.114.1", "zoe@example.net", "right", Cookie=f"s=1; {known}"))


@pytest.mark.parametrize("path", ["/m", "/w"])
def test_an_owner_with_a_new_device_is_told_a_time_and_taken_then(street: Street, path: str) -> None:
    street.guess()
    answer = street.post("192.0.2.1", "zoe@example.net", "right", path)
    wait = _seconds(answer)
    assert 30 <= wait <= 13 * 30 + 60
    assert b"zoe@example.net" in answer.get_data()
    assert b"right" not in answer.get_data()
    street.now += wait
    street.guess()
    assert street.post("192.0.2.1", "zoe@example.net", "right", path).status_code in (302, 303)


def test_a_phone_without_cookies_is_known_where_it_was_before(street: Street) -> None:
    assert street.post("192.0.2.1", "zoe@example.net", "right", "/w").status_code == 302
    street.guess()
    assert street.post("192.0.2.1", "zoe@example.net", "right", "/w").status_code == 302


def test_neighbours_of_a_guesser_are_taken(street: Street) -> None:
    """At an address where 330 passwords were wrong: whoever was there before, at once; anybody else at the stated
    time."""
    assert _taken(street.post("192.0.2.1", "zoe@example.net", "right"))
    street.guess_at_all("192.0.2.1")
    refused = sum(not _taken(street.post("192.0.2.1", "zoe@example.net", "right")) for _ in range(50))
    assert refused == 0
    wait = _seconds(street.post("192.0.2.1", "bob@example.net", "right"))
    street.now += wait
    assert _taken(street.post("192.0.2.1", "bob@example.net", "right"))


def test_behind_a_proxy_a_guesser_waits_alone(tmp_path: Path) -> None:
    street = Street(tmp_path / "s.sqlite", trusted_proxies=(ip_network("10.0.0.0/8"),))
    street.guess_at_all("10.0.0.1", X_Forwarded_For="203.0.113.7, 192.0.2.1")
    assert not _taken(street.post("10.0.0.1", "zoe@example.net", "right", X_Forwarded_For="192.0.2.1"))
    for named in (
        {"X_Forwarded_For": "192.0.2.2"},
        {"Forwarded": "for=192.0.2.3"},
        {"X_WAP_Network_Client_IP": "10.9.9.9"},
    ):
        assert _taken(street.post("10.0.0.1", "zoe@example.net", "right", **named))
    street.state.close()


@pytest.mark.parametrize(
    ("seconds", "tag", "said"),
    [
        (1, "en", "Try again in 1 second."),
        (40, "en", "Try again in 40 seconds."),
        (99, "en", "Try again in 99 seconds."),
        (100, "en", "Try again in 2 minutes, at 15:36."),
        (9000, "en", "Try again in 150 minutes, at 18:04."),
        (40, "de", "Versuchen Sie es in 40 Sekunden wieder."),
        (22, "pl", "Spróbuj ponownie za 22 sekundy."),
        (300, "ru", "Повторите через 5 минут, в 15:39."),
    ],
)
def test_a_time_is_told_that_is_not_too_early(seconds: int, tag: str, said: str) -> None:
    visit = cast(
        Visit, SimpleNamespace(language=Language(tag), now=datetime(2026, 11, 3, 15, 33, 50, tzinfo=UTC))
    )
    assert error_sentence(errors.TooManyTries(seconds), visit).endswith(said)
