"""The address book, on scripted handhelds of both markups, against a real Dovecot."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from gateway.message import vcard
from gateway.message.vcard import Card
from tests import rig
from tests.devices import mobileok
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import Refused, Transport, WmlPhone, XhtmlBrowser, in_process
from tests.matrix import one_of
from tests.servers.dovecot import Dovecot

ORIGIN = "http://pp.example:8080"
ME = "contacts@example.net"
MAIL = (
    b"From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\nSubject: Hello\r\n"
    b"Date: Tue, 3 Nov 2026 08:05:00 -0500\r\n\r\nHi\r\n"
)


@pytest.fixture
def transport(dovecot: Dovecot, tmp_path: Path) -> Iterator[Transport]:
    config = rig.config(rig.upstream(dovecot), upload_limit=50_000)
    shutil.rmtree(dovecot.home(ME), ignore_errors=True)
    dovecot.user(ME)
    with rig.app(config, tmp_path / "state.sqlite") as app:
        yield in_process(app)


def _phone(transport: Transport, **options: Any) -> WmlPhone:
    return WmlPhone(ORIGIN, transport, check_deck=check_deck, **options)


def _small_phone(transport: Transport) -> WmlPhone:
    return _phone(transport, limit=1000 - 4, headers={"X-WAP-Client-SDU-Size": "1000"})


def _browser(transport: Transport) -> XhtmlBrowser:
    return XhtmlBrowser(ORIGIN, transport, check_page=check_page)


HANDHELDS: dict[str, Callable[[Transport], Any]] = {
    "wml": _phone,
    "small wml": _small_phone,
    "xhtml": _browser,
}


@pytest.fixture(params=one_of(HANDHELDS, "small wml", "xhtml"))
def device(request: pytest.FixtureRequest, transport: Transport) -> Any:
    return HANDHELDS[request.param](transport).sign_in(ME, "secret").follow("Menu").follow("Contacts")


def add(device: Any, **fields: str) -> Any:
    device.follow("New")
    for name, value in fields.items():
        device.fill(name, value)
    return device.press("Save")


def people(device: Any) -> list[str]:
    others = ("Next", "Prev", "New", "Import", "Export", "Menu", "Undo")
    return [label for label in device.links if label not in others]


def exported(transport: Transport) -> list[Card]:
    browser = _browser(transport).sign_in(ME, "secret").follow("Menu").follow("Contacts")
    if "Export" not in browser.links:
        return []
    url = urljoin(browser.url, browser.links["Export"])
    headers = {"User-Agent": browser.agent, "Cookie": "; ".join(f"{k}={v}" for k, v in browser.jar.items())}
    answer = transport("GET", url, headers, b"")
    assert answer.headers["content-type"] == "text/vcard; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="Contacts.vcf"'
    return vcard.parse(answer.body)[0]


def test_an_empty_book_says_so(device: Any) -> None:
    assert device.title == "Contacts"
    assert "No contacts here." in device.text
    assert people(device) == []
    assert device.follow("Menu").follow("Inbox").title.startswith("Inbox")


def test_somebody_is_written_down_changed_and_deleted(device: Any, transport: Transport) -> None:
    add(
        device,
        name="Zoë $1",
        mail="zoe@example.org, Zoe <z@example.com>",
        phone="+49 170 1",
        organisation="Acme",
    )
    assert "Saved." in device.text
    assert device.title == "Zoë $1"
    assert "Acme" in device.text
    assert {"Write to zoe@example.org", "Write to z@example.com", "Edit", "Delete"} <= device.links.keys()
    assert device.links["Call +49 170 1"] in ("tel:+491701", "wtai://wp/mc;+491701")
    device.follow("Contacts")
    assert people(device) == ["Zoë $1"]
    device.follow("Zoë").follow("Edit").fill("mail", "zoe@example.org").fill("note", "one").press("Save")
    assert "Saved." in device.text
    assert "zoe@example.org" in device.text
    assert exported(transport) == [Card("Zoë $1", ("zoe@example.org",), ("+49 170 1",), "Acme", "one")]
    device.follow("Delete")
    assert "Delete Zoë $1?" in device.text
    device.press("Delete")
    assert "Deleted." in device.text
    assert exported(transport) == []


def test_write_leads_to_a_page_with_the_address_in_it(device: Any) -> None:
    add(device, name="Al", mail="al+x@example.org")
    device.follow("Write")
    assert device.title == "Write"
    fields = device.card.iter("input") if isinstance(device, WmlPhone) else device.page.iter("input")
    assert "al+x@example.org" in [element.get("value") for element in fields]


@pytest.mark.parametrize(
    ("mail", "sentence"),
    [
        ("nonsense", "Not a valid mail address: nonsense"),
        ("", "Enter a mail address or a phone number."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(
    device: Any, mail: str, sentence: str, transport: Transport
) -> None:
    add(device, name="Mü$er", mail=mail, note="keep me")
    assert sentence in device.text
    device.fill("mail", "m@example.org").press("Save")
    assert exported(transport) == [Card("Mü$er", ("m@example.org",), note="keep me")]


def test_a_refused_form_has_what_is_wrong_and_what_else_there_is_room_for(transport: Transport) -> None:
    browser = _browser(transport).sign_in(ME, "secret").follow("Menu").follow("Contacts")
    add(browser, name="Al " * 30, mail="al@example.org", organisation="Ox " * 30, note="So. " * 30)
    phone = _phone(transport).sign_in(ME, "secret").follow("Menu").follow("Contacts")
    phone.follow(people(phone)[0]).follow("Edit")
    for name in ("name", "phone", "organisation", "note"):
        phone.fill(name, "€" * phone.room(name))
    phone.fill("mail", "nonsense").press("Save")  # the phone measures each deck
    assert "Not a valid mail address: nonsense" in phone.text
    assert b"nonsense" in phone.answer.body


def test_a_form_sent_twice_is_one_contact(device: Any, transport: Transport) -> None:
    add(device, name="Al", mail="al@example.org")
    device.fetch("POST", *device.posted)
    assert device.title == "Al"
    assert "Saved." in device.text
    assert len(exported(transport)) == 1


def test_a_foreign_ticket_changes_nothing(transport: Transport) -> None:
    browser = _browser(transport).sign_in(ME, "secret").follow("Menu").follow("Contacts").follow("New")
    browser.fill("name", "Al").fill("mail", "al@example.org")
    browser.filled["ticket"] = "A" * 18
    browser.press("Save")
    assert "could not be understood" in browser.text
    assert exported(transport) == []


def test_a_note_of_several_lines(transport: Transport) -> None:
    browser = _browser(transport).sign_in(ME, "secret").follow("Menu").follow("Contacts")
    add(browser, name="Al", mail="al@example.org", note="one\ntwo")
    phone = _phone(transport).sign_in(ME, "secret").follow("Menu").follow("Contacts").follow("Al")
    assert "one\ntwo" in phone.text
    phone.follow("Edit").press("Save")
    assert exported(transport)[0].note == "one\ntwo"


def fill_book(transport: Transport, names: list[str]) -> None:
    browser = _browser(transport).sign_in(ME, "secret").follow("Menu").follow("Contacts").follow("Import")
    cards = [Card(name, (f"a{number}@example.org",)) for number, name in enumerate(names)]
    browser.attach("file", "all.vcf", vcard.write(cards)).press("Import")
    assert f"{len(names)} contacts added." in browser.text


def test_the_list_is_in_order_and_turned_page_by_page(device: Any, transport: Transport) -> None:
    names = [f"{letter}{'ä' * 30}" for letter in "zyxwvutsrqponmlkjihgfedcbaÄ"]
    fill_book(transport, names)
    device.follow("Menu").follow("Contacts")
    seen = list(people(device))
    while "Next" in device.links:
        device.follow("Next")
        seen += people(device)
    assert [label[0] for label in seen] == list("aÄbcdefghijklmnopqrstuvwxyz")
    assert "of 27" in device.text
    for _ in range(27):
        if "Prev" not in device.links:
            break
        device.follow("Prev")
    assert people(device)[0].startswith("aä")


def test_letters_find_people(device: Any, transport: Transport) -> None:
    fill_book(transport, [f"Person Nümber{number:02}" for number in range(25)] + ["Somebody Else"])
    with pytest.raises(Refused):  # there was nobody to search for
        device.fill("q", "else")
    device.fetch("GET", device.url)
    device.fill("q", "else").press("Search")
    assert people(device) == ["Somebody Else"]
    device.fill("q", "numb").press("Search")
    assert "of 25" in device.text
    first = people(device)
    device.follow("Next")
    assert "of 25" in device.text
    assert not set(first) & set(people(device))
    device.fill("q", "nobody").press("Search")
    assert "No contacts here." in device.text
    device.fill("q", "").press("Search")
    assert "of 26" in device.text


def test_the_sender_is_added_with_one_press(device: Any, transport: Transport, dovecot: Dovecot) -> None:
    dovecot.deliver(ME, MAIL)
    device.follow("Menu").follow("Inbox").follow("Hello").follow("More").follow("More")
    device.press("Add sender")
    assert "Added." in device.text
    assert device.title == "Jörg"
    device.fetch("POST", *device.posted)
    assert "Added." in device.text
    device.follow("Message")
    assert "Hi" in device.text
    assert exported(transport) == [Card("Jörg", ("joerg@example.org",))]
    device.follow("More").follow("More")
    device.press("Add sender")
    assert "Already in the address book." in device.text
    assert len(exported(transport)) == 1


def test_the_back_key_after_adding_leads_to_the_message(transport: Transport, dovecot: Dovecot) -> None:
    dovecot.deliver(ME, MAIL)
    phone = _phone(transport).sign_in(ME, "secret").follow("Hello").follow("More").follow("More")
    phone.press("Add sender").follow("Contacts").back()
    assert "Hi" in phone.text


CARDS = (
    "BEGIN:VCARD\nVERSION:3.0\nFN:Ann Lee\nEMAIL:ann@example.org\nEND:VCARD\n"
    "BEGIN:VCARD\nVERSION:3.0\nFN:Nobody\nEND:VCARD\n"
)


def test_cards_are_pasted(device: Any, transport: Transport) -> None:
    device.follow("Import").fill("text", CARDS).press("Import")
    assert "1 contact added." in device.text
    assert "Without an address or number: 1." in device.text
    device.fetch("POST", *device.posted)
    assert "1 contact added." in device.text
    assert people(device) == ["Ann Lee"]
    device.follow("Import").fill("text", CARDS).press("Import")
    assert "0 contacts added. Already there: 1." in device.text
    assert exported(transport) == [Card("Ann Lee", ("ann@example.org",))]
    device.follow("Import").fill("text", "rubbish $ü").press("Import")
    assert "No contacts found in this." in device.text
    values = [
        element.get("value") or element.text
        for element in (device.card if isinstance(device, WmlPhone) else device.page).iter(
            "input", "textarea"
        )
    ]
    assert any("rubbish $" in (value or "") for value in values)


def test_a_file_too_large_is_said_and_what_was_pasted_stays(transport: Transport) -> None:
    browser = _browser(transport).sign_in(ME, "secret").follow("Menu").follow("Contacts").follow("Import")
    browser.fill("text", CARDS).attach("file", "Größe.vcf", b"x" * 400_000).press("Import")
    assert "This file is too large: Größe.vcf" in browser.text
    assert "Ann Lee" in (browser.page.find(".//textarea").text or "")
    browser.press("Import")
    assert "1 contact added." in browser.text


def test_what_is_gone_is_said(device: Any) -> None:
    add(device, name="Al", mail="al@example.org")
    url = device.url
    device.follow("Delete").press("Delete")
    device.fetch("GET", re.sub(r"/tn\Z", "/t1", url))
    assert "Page not found." in device.text


def test_pages_are_good_for_the_device_that_mobileok_describes(transport: Transport) -> None:
    browser = _browser(transport).sign_in(ME, "secret").follow("Menu").follow("Contacts")
    add(browser, name="Al", mail="al@example.org, al@example.com", phone="+49 170 1", note="one")
    pages = {"one": browser.url.replace("/tn", "/t1"), "list": browser.url.replace("/tn", "/t")}
    pages |= {name: pages["one"] + end for name, end in (("edit", ".e"), ("ask", ".x"))}
    pages["import"] = browser.url.replace("/tn", "/ti")

    def fetch(url: str) -> Any:
        return transport("GET", url, {}, b"")

    for url in pages.values():
        browser.fetch("GET", url)
        assert browser.answer is not None
        assert mobileok.faults(browser.answer, fetch) == []


def test_whose_mail_is_opened_is_known_and_sealed(
    transport: Transport, dovecot: Dovecot, tmp_path: Path
) -> None:
    dovecot.deliver(ME, MAIL)
    phone = _phone(transport).sign_in(ME, "secret").follow("Hello")
    assert "Hi" in phone.text
    octets = (tmp_path / "state.sqlite").read_bytes() + (tmp_path / "state.sqlite-wal").read_bytes()
    assert b"people" in octets
    assert b"joerg" not in octets
