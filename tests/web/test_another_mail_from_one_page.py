"""One more mail from a page in the phone's cache: asked about with everything typed, sent if it is wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from gateway.language import Language
from gateway.web.entry import mail_outcomes
from tests.devices.phones import WmlPhone
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.office import CLIENTS, Office, at, mail, path_of

ME, BOB, ANN = "more@example.net", "more-bob@example.net", "more-ann@example.net"
FIRST, SECOND = "We meet at noon, at the café.", "No: at one. " + "It is far. " * 12
ASKED = re.compile(r"You sent a message to (\S+) a moment ago\. Send this one too\?")


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, BOB, ANN)
    dovecot.deliver(ME, mail(sender=f"Bob <{BOB}>", to=ME))
    yield made
    made.closing.close()


@pytest.fixture(params=CLIENTS)
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    return getattr(office, request.param)()


def _back_and_sent(device: Any, **typed: str) -> None:
    """Go back to the page that was sent, as the phone has it, type something else, and send that."""
    address, body, *kind = device.posted
    for name, text in typed.items():
        before = re.search(rf"(?:^|&){name}=([^&]*)".encode(), body)
        assert before is not None, name
        body = body.replace(before[0], before[0].removesuffix(before[1]) + quote_plus(text).encode())
    device.fetch("POST", address, body, *kind)


def _typed(device: Any, name: str) -> str:
    if isinstance(device, WmlPhone):
        return next(
            device.variables[match[1]]
            for postfield in device.card.iter("postfield")
            if postfield.get("name") == name
            and (match := re.fullmatch(r"\$\((\w+)\)", postfield.get("value", "")))
        )
    (field,) = device.page.xpath(f".//*[@name='{name}']")
    return str(field.get("value") or field.text or "")


def test_another_mail_from_the_same_page(office: Office, device: Any) -> None:
    at(office.signed_in(device, ME), "c")
    device.fill("to", BOB).fill("subject", "Noon").fill("text", FIRST).press("Send")
    assert "Sent to" in device.text
    posted = device.posted
    _back_and_sent(device, to=ANN, text=SECOND)
    asked = ASKED.search(device.text)
    assert asked is not None, device.text
    assert asked[1] == BOB
    assert office.found(ANN) == []
    assert _typed(device, "to") == ANN
    assert _typed(device, "text").split() == SECOND.split()
    device.press("Send")
    assert "Sent to" in device.text, device.text
    assert (len(office.found(BOB)), len(office.found(ANN))) == (1, 1)
    device.fetch("POST", *device.posted)  # twice
    device.fetch("POST", *posted)  # and the first once more
    assert "Sent to" in device.text
    assert (len(office.found(BOB)), len(office.found(ANN))) == (1, 1)


def test_an_answer_posted_again_with_another_text_is_asked_about(office: Office, device: Any) -> None:
    device.sign_in(ME, "secret").follow("Lunch").follow("Reply")
    device.fill("text", FIRST).press("Send")
    assert "Sent to" in device.text
    _back_and_sent(device, text=SECOND)
    assert ASKED.search(device.text), device.text
    assert len(office.found(BOB)) == 1
    device.press("Send")
    assert "Sent to" in device.text, device.text
    assert [got.get_content().split()[:1] for got in office.found(BOB)] == [["We"], ["No:"]]
    # Whoever sends the question's page twice sends it once.
    device.fetch("POST", *device.posted)
    assert "Sent to" in device.text
    assert len(office.found(BOB)) == 2
    assert len(office.found(ME, "Sent")) == 2
    assert office.found(ME, "Drafts") == []


def test_what_is_sent_on(office: Office, device: Any) -> None:
    device.sign_in(ME, "secret").follow("Lunch")
    at(device, path_of(device).replace("m", "f", 1) + ".r").fill("to", BOB).press("Send")
    assert "Sent to" in device.text, device.text
    _back_and_sent(device, to=ANN)
    assert ASKED.search(device.text), device.text
    assert _typed(device, "to") == ANN
    assert office.found(ANN) == []
    device.press("Send")
    assert "Sent to" in device.text
    assert (len(office.found(BOB)), len(office.found(ANN))) == (1, 1)


def test_after_not_sent_the_corrected_page_is_sent(office: Office, device: Any) -> None:
    at(office.signed_in(device, ME), "c")
    office.smtp.refuse = {BOB: "550 no such user"}
    device.fill("to", BOB).fill("subject", "Noon").fill("text", FIRST).press("Send")
    assert "Not sent." in device.text
    posted = device.posted
    _back_and_sent(device, to=ANN)
    assert "Sent to" in device.text, device.text
    assert len(office.found(ANN)) == 1
    device.fetch("POST", *posted)
    assert "Not sent." in device.text
    assert office.found(BOB) == []


def test_nobody_knows_of_the_first(office: Office, device: Any) -> None:
    at(office.signed_in(device, ME), "c")
    office.smtp.drop = "before accept"
    device.fill("to", BOB).fill("subject", "Noon").fill("text", FIRST).press("Send")
    office.smtp.reset()
    _back_and_sent(device, to=ANN, text=SECOND)
    assert "It is not certain whether your message to" in device.text
    assert "Send this one too?" in device.text
    assert _typed(device, "text").split() == SECOND.split()
    assert office.found(ANN) == []
    device.press("Send")
    assert "Sent to" in device.text
    assert len(office.found(ANN)) == 1


def test_the_session_has_ended_meanwhile(office: Office, device: Any) -> None:
    device.sign_in(ME, "secret").follow("Lunch").follow("Reply")
    device.fill("text", FIRST).press("Send")
    with office.sessions._state.database.writing() as connection:
        connection.exec_driver_sql("UPDATE sessions SET expires = 1")
    posted = device.posted
    for kept in (False, True):  # the second one is, once it was posted
        device.fetch("POST", *posted)
        assert ("Your text is kept" in device.text) is kept
        _back_and_sent(device, text=SECOND)
        assert "Your text is kept" in device.text
    device.fill("user", ME).fill("password", "secret").press("Sign in")
    assert "Sent." in device.text  # of the first
    device.press("Continue")
    assert "This was not sent" in device.text
    device.follow("No: at one.").press("Send")
    assert "Sent to" in device.text
    assert [got.get_content().split()[:1] for got in office.found(BOB)] == [["We"], ["No:"]]


def test_a_page_that_selects_does_what_was_pressed_last(office: Office) -> None:
    browser = office.signed_in(office.browser(), ME)
    at(browser, "x1").tick("Lunch").press("Flag")
    assert "Flagged." in browser.text
    address, body, *kind = browser.posted
    browser.fetch("POST", address, body.replace(b"do.flag", b"do.delete"), *kind)
    assert "Deleted" in browser.text
    assert office.found(ME) == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "a moment ago"), (59, "a moment ago"), (60, "1 minute ago"), (3599, "59 minutes ago"),
        (3600, "1 hour ago"), (86399, "23 hours ago"), (86400, "1 day ago"), (9 * 86400, "9 days ago"),
    ],
)  # fmt: skip
def test_the_question_says_how_long_ago_it_was_sent(seconds: int, said: str) -> None:
    class Visit:
        now = datetime(2026, 11, 3, 14, 5, tzinfo=UTC)
        language = Language()

    assert mail_outcomes.time_ago(Visit(), Visit.now.timestamp() - seconds) == said  # type: ignore[arg-type]
