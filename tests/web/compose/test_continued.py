"""A mail that was continued after an interrupted sending: only its final outcome is reported."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import StateFull
from gateway.state import Stage
from gateway.state.sending.journal import JournalRow, JournalTable
from gateway.state.sending.posted_forms import PostedForms
from gateway.store.abilities import EVERY_ABILITY
from gateway.store.imap.selected import Selected
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.office import Office, at, mail

ME, BOB = "goneon@example.net", "goneonbob@example.net"
#: How far the journal gets before it is full.
UNMADE, UNSUBMITTED = frozenset(Stage), frozenset(Stage) - {Stage.CLAIMED}


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, BOB)
    dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME))
    yield made
    made.closing.close()


@pytest.fixture
def device(office: Office) -> Any:
    return office.signed_in(office.browser(), ME).follow("Lunch").follow("Reply")


@pytest.fixture
def keepless(monkeypatch: pytest.MonkeyPatch) -> None:
    can = replace(EVERY_ABILITY, append=False)
    monkeypatch.setattr(Selected, "can", property(lambda _self: can))


@contextmanager
def full(stages: frozenset[Stage] = UNSUBMITTED, claims: bool = True) -> Iterator[None]:
    """Have the state full from a stage of the next sending on; `claims`: one can still be begun."""
    write = JournalTable.write

    def refused(*_arguments: Any) -> Any:
        raise StateFull("full")

    def written(table: JournalTable, account: int, row: JournalRow) -> None:
        if row.stage in stages:
            refused()
        write(table, account, row)

    with pytest.MonkeyPatch.context() as context:
        context.setattr(JournalTable, "write", written)
        context.setattr(PostedForms, "put", refused)
        if not claims:
            context.setattr(JournalTable, "claim", refused)
        yield


def _news(office: Office) -> str:
    text: str = office.signed_in(office.phone(), ME).text
    return text


def _is_sent_alone(office: Office) -> None:
    assert len(office.found(BOB)) == 1
    news = _news(office)
    assert "Not sent." not in news, news
    assert "not certain" not in news, news


def _refused(device: Any, **typed: str) -> Any:
    for name, text in typed.items():
        device.fill(name, text)
    device.press("Send")
    assert "Not sent." in device.text
    return device


@pytest.mark.parametrize("stages", [UNSUBMITTED, UNMADE], ids=["unsubmitted", "unmade"])
@pytest.mark.parametrize("drafts", [True, False], ids=["drafts", "no drafts"])
@pytest.mark.parametrize("name", ["narrow", "browser"])
def test_from_the_page_that_said_so(
    request: pytest.FixtureRequest, office: Office, name: str, stages: frozenset[Stage], drafts: bool
) -> None:
    if not drafts:
        request.getfixturevalue("keepless")
    device = office.signed_in(getattr(office, name)(), ME).follow("Lunch").follow("Reply")
    with full(stages):
        _refused(device, text="At noon.")
    first = device.posted
    device.press("Send")
    assert "Sent to" in device.text
    _is_sent_alone(office)
    # Whoever repeats the first request gets the same answer.
    device.fetch("POST", *first)
    said = "It is not certain whether the message was sent." if stages is UNMADE else "Sent to"
    assert said in device.text, device.text
    assert len(office.found(BOB)) == 1


def test_a_copy_of_what_is_in_no_journal_is_not_denied(office: Office, device: Any) -> None:
    with full():
        _refused(device, text="At noon.")
    with full(claims=False):
        _refused(device)  # its copy has replaced the first one
    assert len(office.found(ME, "Drafts")) == 1
    news = _news(office)
    assert "Not sent." in news
    assert "A copy is in Drafts." in news


def test_twice(office: Office, device: Any, keepless: None) -> None:
    for _time in range(2):
        with full():
            _refused(device, text="At noon.")
    device.press("Send")
    assert "Sent to" in device.text
    _is_sent_alone(office)


def test_only_the_last_one_is_told(office: Office, device: Any, keepless: None) -> None:
    for _time in range(2):
        with full():
            _refused(device, text="At noon.")
    assert _news(office).count("Not sent.") == 1


def test_from_a_draft_that_was_saved_once_more(office: Office, device: Any) -> None:
    with full():
        _refused(device, text="At noon.")
    device.fill("text", "At one.").press("Save").press("Send")
    assert "Sent to" in device.text
    _is_sent_alone(office)


def test_from_what_was_kept_of_it(office: Office, device: Any, keepless: None) -> None:
    office.smtp.refuse = {BOB: "550 no"}
    _refused(device, text="At noon.")
    office.smtp.refuse.clear()
    at(device, "kept").follow("At noon.").press("Send")
    assert "Sent to" in device.text
    _is_sent_alone(office)


def test_what_was_interrupted_before_it_was_made_may_be_what_was_sent_with_its_ticket(
    office: Office, device: Any, keepless: None
) -> None:
    with full(claims=False):
        _refused(device, text="At noon.")
    first = device.posted
    with full(UNMADE):
        _refused(device, text="At one.")
    device.fetch("POST", *first)
    assert "Sent to" in device.text, device.text
    news = _news(office)
    assert "Not sent." not in news, news
    assert "It is not certain whether the message was sent." in news


def test_from_what_was_kept_when_its_request_came_again_too_late(
    office: Office, device: Any, keepless: None
) -> None:
    with full():
        _refused(device, text="At noon.")
    first = device.posted
    office.sessions._state.sessions.purge(time.time() + 10 * 24 * 3600)
    device.fetch("POST", *first)
    assert "Your text is kept: sign in to continue." in device.text
    device.fill("user", ME).fill("password", "secret").press("Sign in")
    at(device, "kept").follow("At noon.").press("Send")
    assert "Sent to" in device.text
    _is_sent_alone(office)


def test_another_mail_from_the_page_before_is_asked_about(
    office: Office, device: Any, keepless: None
) -> None:
    with full():
        _refused(device, text="At noon.")
    address, body, *kind = device.posted
    device.press("Send")
    device.fetch("POST", address, body.replace(b"noon", b"one"), *kind)
    assert "Send this one too?" in device.text
    assert len(office.found(BOB)) == 1
