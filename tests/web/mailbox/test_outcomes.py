"""What became of a mail, reported after signing in: to strict phones in both markups, until they have heard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from gateway.errors import StoreUnreachable
from gateway.sending import outbox
from gateway.state import StateError
from gateway.state.sending.journal import JournalTable
from gateway.store.imap.imap_store import ImapStore
from tests import rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import WmlPhone, XhtmlBrowser, in_process
from tests.postbox import NOW, Letter, Wiring, act, look, signed_in, worker
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

ME, BOB = "teller@example.net", "bob@example.net"
ORIGIN = "http://pp.example:8080"


class Died(BaseException):
    """The gateway's end, as far as its own code can see."""


@pytest.fixture
def wiring(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Wiring:
    shutil.rmtree(dovecot.home(ME), ignore_errors=True)
    for user in (ME, BOB):
        dovecot.user(user)
    ports = dovecot.ports["imap"], smtp_server.port
    return Wiring(str(tmp_path / "state.sqlite"), *ports, str(dovecot.ca_file), str(smtp_server.ca_file))


@pytest.fixture
def app(wiring: Wiring, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Flask]:
    with rig.gateway(tmp_path, dovecot, smtp_server) as made:
        yield made


@pytest.fixture(params=["wml", "xhtml"])
def handheld(request: pytest.FixtureRequest, app: Flask) -> Any:
    if request.param == "wml":
        return WmlPhone(ORIGIN, in_process(app), check_deck=check_deck)
    return browser_of(app)


def browser_of(app: Flask) -> XhtmlBrowser:
    """Make a browser without cookies, so that it can sign in again and again."""
    return XhtmlBrowser(
        ORIGIN, in_process(app), check_page=check_page, cookies=False, agent="Lynx/2.9", accept="text/html"
    )


def leave_unfinished(wiring: Wiring, *to: str) -> None:
    """Have the gateway die while it submits."""

    def dies(*args: Any) -> Any:
        raise Died

    with worker(wiring, dies) as sessions:
        session = signed_in(sessions, ME)
        with pytest.raises(Died):
            outbox.send(session, act(session.ticket()), Letter("unfinished", ME, to or (BOB,)).mail, NOW)


def test_who_signs_in_is_told_until_they_have_heard(wiring: Wiring, handheld: Any) -> None:
    leave_unfinished(wiring)
    for _ in range(2):
        handheld.sign_in(ME, "secret")
        assert handheld.title.startswith("Your mail")
        assert "to bob@example.net" in handheld.text
        assert "3 Nov 2026" in handheld.text
        assert "It is not certain whether the message was sent." in handheld.text
        assert "A copy is in Drafts." in handheld.text
    handheld.press("Continue")
    assert handheld.title.startswith("Inbox")
    handheld.sign_in(ME, "secret")
    assert handheld.title.startswith("Inbox")
    assert look(wiring.imap_port, ME, "Drafts").subjects == {"unfinished": 1}


def test_many_are_told_on_as_many_pages_as_it_takes(wiring: Wiring, handheld: Any) -> None:
    everybody = [
        f"{name}.{'x' * 30}@example.net" for name in ("anna", "berta", "carl", "doris", "emil", "frida")
    ]
    for who in everybody:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.web.mailbox.test_outcomes.NOW", NOW.replace(minute=everybody.index(who)))
            leave_unfinished(wiring, who)
    handheld.sign_in(ME, "secret")
    heard = ""
    while handheld.title.startswith("Your mail"):
        heard += handheld.text
        handheld.press("Continue")
    assert handheld.title.startswith("Inbox")
    assert [heard.count(f"to {who[:9]}") for who in everybody] == [1] * len(everybody)


def test_nothing_keeps_anybody_from_signing_in(
    wiring: Wiring, handheld: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_unfinished(wiring)
    with monkeypatch.context() as patch:
        patch.setattr(ImapStore, "find_id", lambda *args: (_ for _ in ()).throw(StoreUnreachable("gone")))
        handheld.sign_in(ME, "secret")
        assert "Look in Drafts for a copy." in handheld.text
        handheld.press("Continue")
        assert handheld.title.startswith("Inbox")
    with monkeypatch.context() as patch:
        patch.setattr(JournalTable, "open", lambda *args: (_ for _ in ()).throw(StateError("locked")))
        handheld.sign_in(ME, "secret")
        assert handheld.title.startswith("Inbox")


def test_hearing_takes_a_ticket(wiring: Wiring, app: Flask) -> None:
    leave_unfinished(wiring)
    browser = browser_of(app)
    browser.sign_in(ME, "secret")
    (seen,) = (
        field.get("value").encode() for field in browser.page.iter("input") if field.get("name") == "seen"
    )
    browser.fetch("POST", browser.url, b"seen=" + seen + b"&ticket=AAAAAAAAAAAAAAAAAA")
    assert "could not be understood" in browser.text
    browser.sign_in(ME, "secret")
    assert browser.title.startswith("Your mail")
