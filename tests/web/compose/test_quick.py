"""quick: a person's own sentences, sent in two presses from the message, the most used first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.access.session import Session
from gateway.account import profile
from tests.devices.phones import WmlPhone, XhtmlBrowser
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.acting import buttons
from tests.web.office import CLIENTS, Office, at, mail, path_of

ME, BOB = "qme@example.net", "qbob@example.net"


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, BOB)
    made.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME))
    yield made
    made.closing.close()


@pytest.fixture(params=CLIENTS)
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    return getattr(office, request.param)()


def _session(office: Office) -> Session:
    return office.sessions.open(
        ME,
        "secret",
        device="xhtml",
        markup="xhtml",
        user_agent="",
        language="en",
        via="url",
        remote="192.0.2.9",
    )


def _sentences(office: Office) -> list[str]:
    return [one.text for one in profile.profile(_session(office)).quick]


_OTHERS = ("Back", "Next", "Prev", "Edit first")


def _listed(device: Any) -> list[str]:
    return [one for one in (*device.links, *buttons(device)) if one not in _OTHERS]


def test_two_presses_from_the_message_send_a_sentence(office: Office, device: Any) -> None:
    office.signed_in(device, ME).follow("Lunch")
    device.follow("Quick reply")  # one
    assert "To: Bob" in device.text
    device.press("Thank you.")  # two
    assert "Sent to Bob." in device.text
    assert device.title == ("Bob" if isinstance(device, WmlPhone) else "Lunch")
    (got,) = office.found(BOB)
    assert got.get_content().replace("\r\n", "\n").startswith("Thank you.\n\nOn ")
    assert got["In-Reply-To"] == "<Lunch@example.org>"
    assert "\\Answered" in office.flags(ME)[0]


def test_the_presses_are_keys(office: Office) -> None:
    browser = office.signed_in(office.browser(), ME).follow("Lunch")
    assert browser.keys["5"] == "Quick reply"
    browser.follow("Quick reply")
    assert {key for key in browser.keys if key != "0"} == set("1234567")
    (button,) = [e for e in browser.page.iter("input") if e.get("value") == "Yes."]
    assert button.get("accesskey") == "1"


def test_a_second_sentence_from_the_same_page_is_asked_about(office: Office, device: Any) -> None:
    """Whoever presses the wrong key and goes back does not send two answers that way."""
    office.signed_in(device, ME).follow("Lunch").follow("Quick reply").press("No.")
    url, *body = device.posted
    one, other = sorted(profile.profile(_session(office)).quick, key=lambda quick: quick.text != "No.")[:2]
    device.fetch("POST", url.replace(f".{one.id}", f".{other.id}"), *body)
    assert "Send this one too?" in device.text
    assert len(office.found(BOB)) == 1
    device.press("Send")
    assert "Sent to Bob." in device.text
    assert len(office.found(BOB)) == 2


def test_a_repeat_sends_and_counts_once(office: Office, device: Any) -> None:
    office.signed_in(device, ME).follow("Lunch").follow("Quick reply").press("No.")
    for _time in range(2):
        device.fetch("POST", *device.posted)
        assert "Sent to" in device.text
    assert len(office.found(BOB)) == len(office.found(ME, "Sent")) == 1
    session = _session(office)
    assert [one.used for one in profile.profile(session).quick][:2] == [1, 0]


def test_what_is_used_most_comes_first(office: Office, device: Any) -> None:
    office.signed_in(device, ME).follow("Lunch")
    message = path_of(device)
    for sentence in ("I'll be late.", "No.", "I'll be late."):
        at(device, message).follow("Quick reply").press(sentence)
        assert "Sent to" in device.text
    at(device, message).follow("Quick reply")
    assert _listed(device)[:3] == ["I'll be late.", "No.", "Yes."]


def test_a_sentence_can_be_continued(office: Office, device: Any) -> None:
    office.signed_in(device, ME).follow("Lunch").follow("Quick reply")
    device.follow("Edit first").follow("I'll be late.").press("Edit")
    assert "I'll be late." in device.answer.body.decode()
    device.fill("text", "I'll be late. Very.").press("Send")
    assert office.found(BOB)[0].get_content().startswith("I'll be late. Very.")


def test_one_that_could_not_be_sent_is_in_drafts(office: Office, device: Any) -> None:
    office.signed_in(device, ME).follow("Lunch").follow("Quick reply")
    office.smtp.stop()
    try:
        device.press("Yes.")
    finally:
        office.smtp.start()
    assert "Not sent." in device.text
    assert len(office.found(ME, "Drafts")) == 1
    device.press("Send")
    assert "Sent to" in device.text
    assert len(office.found(BOB)) == 1
    assert office.found(ME, "Drafts") == []


def test_many_long_sentences_fit_and_are_shown_in_full_before_they_are_sent(
    office: Office, device: Any
) -> None:
    session = _session(office)
    for sign in ("д", "字", "$", "&", "ü", '"', "🎉", "x", "<", "y", "z", "w"):
        assert profile.keep_quick(session, sign + "".join(f" {sign * 9}" for _ in range(19)))
    office.signed_in(device, ME).follow("Lunch").follow("Quick reply")
    first = _listed(device)
    assert len(first) == 9
    device.follow("Next")
    second = _listed(device)
    assert len(first + second) >= 18
    device.follow("Next")
    assert not set(_listed(device)) & {*first, *second}
    device.follow("Prev")
    assert _listed(device) == second
    device.follow(next(label for label in second if label.startswith("&")))
    assert device.text.count("&" * 9) == 19
    device.press("Send")
    assert "Sent to" in device.text


def test_who_has_none_is_told_where_to_write_them(office: Office, device: Any) -> None:
    session = _session(office)
    for one in profile.profile(session).quick:
        profile.remove_quick(session, one.id)
    office.signed_in(device, ME).follow("Lunch").follow("Quick reply")
    assert "Add some under Settings." in device.text
    at(device, path_of(device) + ".3")
    assert "Page not found." in device.text


def test_nothing_is_sent_without_a_ticket_of_this_session(office: Office) -> None:
    for device in (office.phone(), office.plain_browser()):
        assert isinstance(device, WmlPhone | XhtmlBrowser)
        office.signed_in(device, ME).follow("Lunch").follow("Quick reply")
        device.follow("Edit first").follow("Yes.")
        device.fetch("POST", device.url, b"ticket=" + b"A" * 18)
        assert "could not be understood" in device.text
    assert office.smtp.accepted == []
