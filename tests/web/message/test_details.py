"""Details, and continuing where one stopped: on scripted handhelds, against a real Dovecot."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import Transport, WmlPhone, XhtmlBrowser, in_process
from tests.matrix import one_of
from tests.servers.dovecot import Dovecot

ORIGIN = "http://pp.example:8080"
ME = "details@example.net"
EARLIER = 1_700_000_000
LONG = "".join(f"The quick brown fox jumps over the lazy dog, for the {n}. time. " for n in range(1, 200))


@pytest.fixture
def transport(dovecot: Dovecot, tmp_path: Path) -> Iterator[Transport]:
    config = rig.config(rig.upstream(dovecot))
    shutil.rmtree(dovecot.home(ME), ignore_errors=True)
    dovecot.user(ME)
    with rig.app(config, tmp_path / "state.sqlite") as app:
        yield in_process(app)


def _phone(transport: Transport, **options: Any) -> WmlPhone:
    return WmlPhone(ORIGIN, transport, check_deck=check_deck, **options)


def _small_phone(transport: Transport) -> WmlPhone:
    return _phone(transport, limit=1000 - 4, headers={"X-WAP-Client-SDU-Size": "1000"})


def _latin_phone(transport: Transport) -> WmlPhone:
    return _phone(transport, headers={"Accept-Charset": "iso-8859-1"}, charset="iso-8859-1")


def _browser(transport: Transport, **options: Any) -> XhtmlBrowser:
    return XhtmlBrowser(ORIGIN, transport, check_page=check_page, **options)


HANDHELDS = {"wml": _phone, "small wml": _small_phone, "latin wml": _latin_phone, "xhtml": _browser}
Handheld = Callable[[Transport], Any]


@pytest.fixture(params=one_of(HANDHELDS, "small wml", "xhtml"))
def handheld(request: pytest.FixtureRequest) -> Handheld:
    return HANDHELDS[request.param]


def _mail(subject: str = "Long", text: str = LONG, header: str = "To: details@example.net\r\n") -> bytes:
    return (
        f"Subject: {subject}\r\nFrom: Bob <bob@example.net>\r\nMessage-ID: <one@example.net>\r\n"
        f"Date: Tue, 3 Nov 2026 08:05:00 -0500\r\n{header}"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


def _all_pages(device: Any) -> str:
    words = [device.text]
    while "Next" in device.links:
        device.follow("Next")
        words.append(device.text)
        assert len(words) < 200
    return re.sub(r"\s+", " ", " ".join(words))


MANY = "".join(f"Person {n} <p{n}@example.org>,\r\n " for n in range(1, 312)) + "Last <last@example.org>"
HEADER = (
    'Sender: robot@list.example\r\nReply-To: "bank@example.com" <thief@evil.example>\r\n'
    f"To: {MANY}\r\nCc: Friends: Ann <ann@example.org>, ben@example.org;, Carl <carl@example.org>\r\n"
    "List-Id: The harbour list <harbour.list.example>\r\nList-Unsubscribe: <mailto:leave@list.example>\r\n"
)


def test_details_say_everything_and_open_long_lists(
    transport: Transport, handheld: Handheld, dovecot: Dovecot
) -> None:
    dovecot.deliver(ME, _mail("A very long subject. " * 30 + "Its end", "Short.", HEADER))
    device = handheld(transport).sign_in(ME, "secret").follow("A very long").follow("More").follow("Details")
    words = _all_pages(device)
    for said in (
        "Its end",
        "From: Bob <bob@example.net>",
        "Sender: robot@list.example",
        "thief@evil.example (bank@example.com)",
        "To: Person 1 <p1@example.org> and 311 more",
        "Friends: Ann <ann@example.org> ben@example.org Carl <carl@example.org>",
        "Date: Tue 3 Nov 2026 14:05 +0100",
        "Sender's time: Tue 3 Nov 2026 08:05 -0500",
        "Received:",
        "State: read",
        "List: The harbour list <harbour.list.example>",
        "<mailto:leave@list.example>",
        "Message-ID: <one@example.net>",
    ):
        assert re.sub(r"\s", "", said) in re.sub(r"\s", "", words)
    device.follow("To (312)")
    assert device.title == "To (312)"
    words = _all_pages(device)
    assert words.index("p1@example.org") < words.index("p311@example.org") < words.index("last@example.org")
    assert all(f"<p{n}@example.org>" in words for n in range(1, 312))
    device.follow("Prev")
    assert "last@example.org" not in device.text
    device.follow("Details")
    assert device.title == "Details"
    device.follow("Message")
    assert "Short." in _all_pages(device)


def test_details_of_a_poor_message(transport: Transport, handheld: Handheld, dovecot: Dovecot) -> None:
    dovecot.deliver(ME, b"To: undisclosed-recipients:;\r\nDate: soon\r\n\r\nText\r\n")
    device = handheld(transport).sign_in(ME, "secret").follow("(no subject)").follow("More").follow("Details")
    words = _all_pages(device)
    assert "Subject: (no subject)" in words
    assert "To: undisclosed-recipients:" in words
    assert "Its date cannot be read." in words
    assert "From:" not in words


def test_details_go_back_to_where_one_was(transport: Transport, handheld: Handheld, dovecot: Dovecot) -> None:
    dovecot.deliver(ME, _mail())
    device = handheld(transport).sign_in(ME, "secret").follow("Long").follow("Next")
    there = device.text
    device.follow("More").follow("Details").follow("Message")
    assert device.text == there
    device.follow("More").follow("First page")
    assert "1/" in device.text
    assert "Reply" in device.links


# Continuing


def test_reading_continues_where_it_stopped(
    transport: Transport, handheld: Handheld, dovecot: Dovecot
) -> None:
    dovecot.deliver(ME, _mail())
    device = handheld(transport).sign_in(ME, "secret").follow("Long")
    first, address = device.text, device.url
    device.follow("Next").follow("Next")
    third = device.text
    device.follow("Inbox").follow("Long")
    assert device.text == third
    device.follow("Prev")
    assert "2/" in device.text
    device.follow("Prev")
    assert device.text == first
    device.fetch("GET", address)
    assert device.text == first
    device.follow("Inbox").follow("Long")
    assert "2/" in device.text
    _all_pages(device)
    device.follow("Inbox").follow("Long")
    assert device.text == first


def test_the_back_key_leads_back_while_reading(transport: Transport, dovecot: Dovecot) -> None:
    dovecot.deliver(ME, _mail())
    device = _phone(transport).sign_in(ME, "secret").follow("Long")
    first = device.text
    device.follow("Next").back()
    assert device.text == first


def test_another_device_continues_at_the_same_words(transport: Transport, dovecot: Dovecot) -> None:
    dovecot.deliver(ME, _mail())
    phone = _phone(transport).sign_in(ME, "secret").follow("Long").follow("Next").follow("Next")
    words = phone.text.partition("\n")[2].strip()[:40]
    browser = _browser(transport).sign_in(ME, "secret").follow("Long")
    assert words in browser.text
    browser.follow("Prev")
    assert "for the 1. time" in browser.text


# Charsets


def test_a_latin_phone_is_told_everything_in_its_charset(transport: Transport, dovecot: Dovecot) -> None:
    text = "Grüße aus München – “5 €” 👍🏽 Привет, Καλημέρα!\r\n\r\n" + LONG
    dovecot.deliver(ME, _mail("=?utf-8?B?UHJlaXMg4oKsIPCfmYI=?=", text))
    device = _latin_phone(transport).sign_in(ME, "secret")
    assert device.answer.headers["content-type"] == "text/vnd.wap.wml; charset=iso-8859-1"
    device.follow("Preis EUR :)")
    assert 'Grüße aus München - "5 EUR" [thumbs up] Privet, Kalimera!' in device.text
    assert "Grüße".encode("latin-1") in device.answer.body
    assert "199. time" in _all_pages(device)


def test_typed_text_survives_on_a_latin_phone(transport: Transport, dovecot: Dovecot) -> None:
    dovecot.deliver(ME, _mail())
    device = _latin_phone(transport).sign_in(ME, "secret").follow("Long").follow("Reply")
    device.fetch("POST", device.url, b"text=Gr%FC%DFe+5+%80&ticket=none&_probe=%E9%80")
    assert "Sent to" not in device.text
    assert "Grüße 5 &#8364;".encode("latin-1") in device.answer.body


PAGE = "".join(
    f"<p>The page says in paragraph {n} what there is to <a href='https://a.example/{n}'>see</a>.</p>"
    for n in range(60)
)


def _both(text: str, page: str) -> bytes:
    return (
        "Subject: Both\r\nFrom: Bob <bob@example.net>\r\nDate: Tue, 3 Nov 2026 08:05:00 -0500\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
        f"--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
        f"--b\r\nContent-Type: text/html\r\n\r\n{page}\r\n--b--\r\n"
    ).encode()


def _forth_and_back(device: Any) -> str:
    """Turn all pages and return to the first through the same ones; return all words."""
    seen = [device.text]
    while "Next" in device.links:
        device.follow("Next")
        seen.append(device.text)
    for text in reversed(seen[:-1]):
        device.follow("Prev")
        assert device.text == text
    return re.sub(r"\s+", " ", " ".join(seen))


def test_either_form_of_a_message_is_one_key_away(
    transport: Transport, handheld: Handheld, dovecot: Dovecot
) -> None:
    dovecot.deliver(ME, _both(LONG, PAGE))
    device = handheld(transport).sign_in(ME, "secret").follow("Both")
    by_itself = _forth_and_back(device)
    assert "paragraph 59" in by_itself
    device.follow("More").follow("Details").follow("As text")
    text = _forth_and_back(device)
    assert "for the 1. time" in text
    assert "for the 199." in text  # where a page may end
    assert "paragraph" not in text
    device.follow("More").follow("Details").follow("As HTML")
    page = _forth_and_back(device)
    assert "in paragraph 0" in page
    assert "paragraph 59" in page
    assert "lazy dog" not in page
    if device.links.get("Prev"):
        device.follow("Prev")
    assert device.follow("More").follow("Details").links["As text"]


def test_a_message_of_one_form_offers_no_other(
    transport: Transport, handheld: Handheld, dovecot: Dovecot
) -> None:
    dovecot.deliver(ME, _mail())
    device = handheld(transport).sign_in(ME, "secret").follow("Long").follow("More").follow("Details")
    assert not {"As text", "As HTML"} & set(device.links)
