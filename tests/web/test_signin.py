"""signin: each thing that can go wrong has its own sentence, and nothing of it leaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import errors
from gateway.app import create_app
from gateway.config import Config, Server, Tls, Upstream
from gateway.errors import GatewayError
from gateway.session import Sessions
from gateway.state import State
from gateway.store.pool import Pool
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import WmlPhone, XhtmlBrowser, in_process

ORIGIN = "http://pp.example:8080"
SENTENCES: dict[type[GatewayError], str] = {
    errors.AuthenticationFailed: "Wrong address or password.",
    errors.CredentialExpired: "Your password has expired.",
    errors.StoreUnreachable: "cannot be reached",
    errors.StoreTLSError: "not safe",
    errors.StoreRefused: "could not do that",
}


class Refusing:
    """A store that cannot be connected to, for the reason set."""

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
    with State.open(tmp_path / "s.sqlite") as state:
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
