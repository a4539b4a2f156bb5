"""The settings: on scripted handhelds of both markups, against a real Dovecot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from sqlalchemy import func, select

from gateway.account.profile import LONGEST_ADDRESS, LONGEST_NAME, LONGEST_SIGNATURE, MOST_QUICK
from gateway.state import State
from gateway.state.storage.metadata import METADATA
from tests import rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import Refused, Transport, WmlPhone, XhtmlBrowser, in_process
from tests.matrix import one_of
from tests.servers import maildir
from tests.servers.dovecot import Dovecot

ORIGIN = "http://pp.example:8080"
ME = "settings@example.net"
EARLIER = 1_700_000_000


@pytest.fixture
def transport(dovecot: Dovecot, tmp_path: Path) -> Iterator[Transport]:
    config = rig.config(rig.upstream(dovecot, from_addresses="domain"))
    shutil.rmtree(dovecot.home(ME), ignore_errors=True)
    dovecot.user(ME)
    with rig.app(config, tmp_path / "state.sqlite") as app:
        yield in_process(app)


def _phone(transport: Transport, **options: Any) -> WmlPhone:
    return WmlPhone(ORIGIN, transport, check_deck=check_deck, **options)


def _small_phone(transport: Transport) -> WmlPhone:
    return _phone(transport, limit=1000 - 4, headers={"X-WAP-Client-SDU-Size": "1000"})


def _browser(transport: Transport, **options: Any) -> XhtmlBrowser:
    return XhtmlBrowser(ORIGIN, transport, check_page=check_page, **options)


HANDHELDS = {"wml": _phone, "small wml": _small_phone, "xhtml": _browser}
Handheld = Callable[[Transport], Any]


@pytest.fixture(params=one_of(HANDHELDS, "small wml", "xhtml"))
def handheld(request: pytest.FixtureRequest) -> Handheld:
    return HANDHELDS[request.param]


@pytest.fixture
def device(handheld: Handheld, transport: Transport) -> Any:
    return handheld(transport).sign_in(ME, "secret").follow("Menu").follow("Settings")


def _mail(subject: str = "Long", text: str = "word " * 4000) -> bytes:
    return (
        f"Subject: {subject}\r\nFrom: Bob <bob@example.net>\r\nDate: Tue, 3 Nov 2026 08:05:00 -0500\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


def _held(device: Any) -> list[str]:
    """Name the choices that apply, as the device shows them."""
    if isinstance(device, WmlPhone):
        return [select.get("value") for select in device.card.iter("select")]
    return [option.get("value") for option in device.page.iter("option") if option.get("selected")]


def _values(device: Any) -> list[str]:
    """Name what is in the fields."""
    if isinstance(device, WmlPhone):
        return [element.get("value") for element in device.card.iter("input")]
    return [
        element.text or "" if element.tag == "textarea" else element.get("value")
        for element in device.page.iter("input", "textarea")
        if element.get("type") in (None, "text")
    ]


# The index


def test_the_index_leads_to_every_section_and_back(device: Any) -> None:
    sections = [
        "This device",
        "Name and addresses",
        "Quick replies",
        "Reading and writing",
        "Time zone",
        "Language",
        "Saved searches",
        "My data",
    ]
    assert [label for label in device.links if label in sections] == sections
    for section in sections:
        device.follow(section)
        assert device.title == section
        device.follow("Settings")
        assert device.title == "Settings"
    device.follow("Inbox")
    assert device.title.startswith("Inbox")


def test_zero_leads_back_from_every_section(transport: Transport) -> None:
    browser = _browser(transport).sign_in(ME, "secret").open("/s")
    assert browser.keys["0"] == "Inbox"
    for path in ("sd", "sm", "sm0", "sm1", "sg1", "sq", "sq0", "sr", "sz", "sl", "sf", "sk", "skp", "skx"):
        assert browser.open(f"/{path}").keys["0"] == "Settings", path
        assert "*" not in browser.keys, path
    assert browser.open("/sz0").keys["0"] == "Time zone"


def test_good_news_is_green_and_errors_are_not(transport: Transport) -> None:
    def said() -> tuple[list[str], list[str]]:
        return browser.page.xpath("//div[@class='g']/text()"), browser.page.xpath("//div[@class='e']/text()")

    browser = _browser(transport).sign_in(ME, "secret").open("/sd").press("Save")
    assert said() == (["Saved."], [])
    browser.open("/sm0").press("Save")
    assert said() == (["Saved."], [])
    browser.open("/sm2").press("Remove")
    assert said() == (["Removed."], [])
    browser.open("/sm0").fill("address", "nobody").press("Save")
    assert said() == ([], ["Not a valid mail address: nobody"])
    browser.open("/sq0").press("Save")
    assert said() == ([], ["Type a text first."])
    browser.open("/sd").fill("ticket", "A" * 18).press("Save")
    assert said() == ([], ["That could not be understood. Go back and try again."])


def test_an_empty_list_says_what_belongs_in_it(device: Any) -> None:
    device.follow("Saved searches")
    assert "press Save search below the results" in device.text
    device.follow("Settings").follow("Quick replies")
    assert "No quick replies yet" not in device.text
    while (text := next(iter(device.links))) not in ("Add", "Settings"):
        device.follow(text).press("Remove")
    assert "Add the sentences that you often reply with." in device.text


# This device


def test_settings_are_seen_at_once_and_kept_for_the_device(
    transport: Transport, handheld: Handheld, dovecot: Dovecot
) -> None:
    maildir.fill(dovecot.maildir(ME), 30, first_second=EARLIER)
    dovecot.deliver(ME, _mail())
    device = handheld(transport).sign_in(ME, "secret")
    usual_rows = device.text.count("Sénder")
    device.follow("Menu").follow("Settings").follow("This device")
    device.fill("size", "tiny").fill("pictures", "off").press("Save")
    assert "Saved." in device.text
    assert _held(device) == ["tiny", "off", "list"]
    device.follow("Inbox")
    assert 0 < device.text.count("Sénder") < usual_rows
    device.follow("Long")
    tiny = len(device.answer.body)
    device = handheld(transport).sign_in(ME, "secret").follow("Menu").follow("Settings").follow("This device")
    assert _held(device) == ["tiny", "off", "list"]
    device.fill("size", "large").press("Save")
    assert _held(device) == ["large", "off", "list"]
    large = len(device.follow("Inbox").follow("Long").answer.body)
    assert tiny < large or device.limit < 1000  # such a phone takes no more than tiny pages


def test_settings_are_of_one_device_only(transport: Transport) -> None:
    phone = _phone(transport).sign_in(ME, "secret").follow("Menu").follow("Settings").follow("This device")
    phone.fill("size", "tiny").press("Save")
    browser = (
        _browser(transport).sign_in(ME, "secret").follow("Menu").follow("Settings").follow("This device")
    )
    assert _held(browser) == ["medium", "on", "list"]


def test_a_foreign_ticket_or_an_unknown_word_changes_nothing(transport: Transport) -> None:
    device = _browser(transport).sign_in(ME, "secret").follow("Menu").follow("Settings").follow("This device")
    device.filled = {"size": "tiny", "ticket": "A" * 18}
    device.press("Save")
    assert "Saved." not in device.text
    assert _held(device) == ["medium", "on", "list"]
    device.filled = {"size": "enormous", "pictures": "off"}
    device.press("Save")
    assert _held(device) == ["medium", "off", "list"]
    device.fetch("POST", *device.posted)
    assert _held(device) == ["medium", "off", "list"]
    with pytest.raises(Refused):
        device.follow("tiny")


# Name and addresses


def test_an_identity_is_named_added_and_removed(device: Any) -> None:
    device.follow("Name and addresses").follow(ME[:20])
    device.fill("name", "Anna $5 Müller").press("Save")
    assert "Saved." in device.text
    device.follow("Add")
    assert _values(device) == [
        "Anna $$5 Müller" if isinstance(device, WmlPhone) else "Anna $5 Müller",
        ME,
        "",
    ]
    device.fill("name", "Office").fill("address", "info@example.net").fill("reply_to", "all@example.com")
    device.press("Save")
    assert len([label for label in device.links if "@" in label or "<" in label]) == 2
    device.follow("Office").press("Remove")
    assert "Removed." in device.text
    assert len([label for label in device.links if "@" in label or "<" in label]) == 1


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("info@elsewhere.example", "You cannot send from that address."),
        ("nobody", "Not a valid mail address: nobody"),
        ("a@example.net, b@example.net", "Not a valid mail address"),
        ("", "Not a valid mail address"),
        ("ü" * 80 + "@example.net", "Not a valid mail address"),
    ],
)
def test_an_address_that_is_not_allowed_is_said_and_nothing_is_lost(
    device: Any, address: str, sentence: str
) -> None:
    device.follow("Name and addresses").follow("Add")
    device.fill("name", "Kept").fill("address", address).press("Save")
    assert sentence in device.text
    assert _values(device)[0] == "Kept"
    device.fill("address", "info@example.net").press("Save")
    assert "Saved." in device.text


def test_a_signature_has_lines_on_every_device(transport: Transport) -> None:
    phone = (
        _phone(transport).sign_in(ME, "secret").follow("Menu").follow("Settings").follow("Name and addresses")
    )
    phone.follow(ME[:20]).follow("Signature")
    phone.fill("signature", "Anna / 1 Main Street / / https://a.example/$5 /").press("Save")
    browser = (
        _browser(transport)
        .sign_in(ME, "secret")
        .follow("Menu")
        .follow("Settings")
        .follow("Name and addresses")
    )
    browser.follow(ME[:20]).follow("Signature")
    assert _values(browser) == ["Anna\n1 Main Street\n\nhttps://a.example/$5"]
    phone = (
        _phone(transport).sign_in(ME, "secret").follow("Menu").follow("Settings").follow("Name and addresses")
    )
    phone.follow(ME[:20]).follow("Signature").press("Save")
    browser = (
        _browser(transport)
        .sign_in(ME, "secret")
        .follow("Menu")
        .follow("Settings")
        .follow("Name and addresses")
    )
    browser.follow(ME[:20]).follow("Signature")
    assert _values(browser) == ["Anna\n1 Main Street\n\nhttps://a.example/$5"]
    browser.fill("signature", "Anna\nElsewhere").press("Save")
    phone = (
        _phone(transport).sign_in(ME, "secret").follow("Menu").follow("Settings").follow("Name and addresses")
    )
    phone.follow(ME[:20]).follow("Signature")
    assert _values(phone) == ["Anna / Elsewhere"]


def test_the_longest_of_everything_fits(device: Any) -> None:
    longest = "я" * ((LONGEST_ADDRESS - len("@example.net")) // 2) + "@example.net"
    device.follow("Name and addresses").follow("Add")
    device.fill("name", "Ж" * LONGEST_NAME).fill("address", longest).fill("reply_to", longest).press("Save")
    assert "Saved." in device.text
    device.follow("ЖЖЖ").follow("Signature").fill("signature", "Ж" * LONGEST_SIGNATURE).press("Save")
    assert "Saved." in device.text
    device.follow("ЖЖЖ").follow("Signature")
    assert _values(device) == ["Ж" * LONGEST_SIGNATURE]


# Quick replies


def test_quick_replies_are_offered_changed_added_and_removed(device: Any) -> None:
    device.follow("Quick replies")
    assert "Thank you." in device.links
    device.follow("Thank you.").fill("quick", "Thanks, $5 & more").press("Save")
    assert "Saved." in device.text
    assert "Thanks, $5 & more" in device.links
    assert "Thank you." not in device.links
    device.follow("Add").fill("quick", " ").press("Save")
    assert "Type a text first." in device.text
    device.fill("quick", "Ciao").press("Save")
    device.follow("Ciao").press("Remove")
    assert "Removed." in device.text
    assert "Ciao" not in device.links


def test_there_is_room_for_so_many_quick_replies_page_by_page(device: Any) -> None:
    device.follow("Quick replies")
    for number in range(7, MOST_QUICK):
        device.follow("Add").fill("quick", f"Ответ номер {number}, довольно длинный").press("Save")
        assert "Saved." in device.text
    device.follow("Add").fill("quick", "one too many").press("Save")
    assert "The list is full." in device.text
    seen = []
    while True:
        seen += [label for label in device.links if label.startswith("Ответ")]
        if "Next" not in device.links:
            break
        device.follow("Next")
    assert len(seen) == MOST_QUICK - 7
    device.follow("Prev")


# Reading and writing, time zone, language


def test_reading_and_writing_are_kept_on_all_devices(device: Any, transport: Transport) -> None:
    device.follow("Reading and writing")
    assert _held(device) == ["inbox", "arrival", "yes"]
    device.fill("start", "folders").fill("sort", "size").fill("quoting", "no").press("Save")
    assert "Saved." in device.text
    assert _held(device) == ["folders", "size", "no"]
    other = _phone(transport).sign_in(ME, "secret")
    other.fetch("GET", urljoin(other.url, "sr"))
    assert _held(other) == ["folders", "size", "no"]


def test_a_zone_is_chosen_from_the_short_list_and_the_clock_follows(device: Any, dovecot: Dovecot) -> None:
    dovecot.deliver(ME, _mail())
    device.follow("Time zone")
    assert _held(device) == ["Europe/Berlin"]
    assert "(Berlin, UTC+" in device.text
    device.fill("zone", "Europe/Athens").press("Save")
    assert "Saved." in device.text
    assert _held(device) == ["Europe/Athens"]
    assert "(Athens, UTC+" in device.text
    device.follow("Inbox").follow("Long").follow("More").follow("Details")
    assert "3 Nov 2026 15:05" in device.text


def test_a_zone_is_found_by_town_or_by_hours(device: Any) -> None:
    device.follow("Time zone").follow("Find a town").fill("find", "nowhere at all").press("Find")
    assert "Nothing found." in device.text
    device.fill("find", "kathmandu").press("Find").fill("zone", "Asia/Kathmandu").press("Save")
    assert "UTC+5:45" in device.text
    device.follow("Find a town").fill("find", "+5:30").press("Find")
    device.fill("zone", "Asia/Kolkata").press("Save")
    assert "Saved." in device.text
    device.fill("zone", "Moon/Crater").press("Save")
    assert "There is no such time zone." in device.text
    assert "Kolkata" in device.text


# The start page


@pytest.mark.parametrize(
    ("start", "title"), [("unread", "Inbox"), ("folders", "Folders"), ("favourite.f1", "Search: word")]
)
def test_a_person_lands_where_they_chose(
    transport: Transport, handheld: Handheld, dovecot: Dovecot, start: str, title: str
) -> None:
    dovecot.deliver(ME, _mail("Seen"))
    device = handheld(transport).sign_in(ME, "secret")
    assert device.title.startswith("Inbox")
    _keep_search(device, "word")
    device.fetch("GET", urljoin(device.url, "sr"))
    assert "favourite.f1" in {option.get("value") for option in _options(device)}
    device.fill("start", start).press("Save")
    again = handheld(transport).sign_in(ME, "secret")
    assert again.title.startswith(title)
    if start == "unread":
        assert "unread only" in again.text
    if start.startswith("favourite"):
        assert "Seen" in "".join(again.links)
        # A favourite that was removed leads to the inbox.
        again.fetch("GET", urljoin(again.url, "sf"))
        again.follow("word").press("Remove")
        assert "Removed." in again.text
        assert handheld(transport).sign_in(ME, "secret").title.startswith("Inbox")


def _options(device: Any) -> list[Any]:
    tree = device.card if isinstance(device, WmlPhone) else device.page
    return list(tree.iter("option"))


def _keep_search(device: Any, words: str) -> None:
    device.fetch("GET", urljoin(device.url, "q"))
    device.fill("q", words).press("Search")
    device.press("Save search")


def test_a_favourite_has_a_name_of_its_own(device: Any, dovecot: Dovecot) -> None:
    dovecot.deliver(ME, _mail("Seen"))
    _keep_search(device, "word")
    device.fetch("GET", urljoin(device.url, "sf"))
    device.follow("word").fill("name", "All my words").press("Save")
    assert "Saved." in device.text
    assert "All my words" in device.links


# What is kept


def _shown(device: Any) -> str:
    words = [device.text]
    while "Next" in device.links:
        device.follow("Next")
        words.append(device.text)
    return "\n".join(words)


def test_everything_kept_is_shown_and_downloaded(device: Any, transport: Transport) -> None:
    device.follow("Name and addresses").follow("Add")
    device.fill("name", "Anna Unmistakable").fill("address", "info@example.net").press("Save")
    device.follow("Settings").follow("My data").follow("Show")
    words = _shown(device)
    assert "Anna Unmistakable" in words
    assert "Settings identities" in words
    assert "memory" not in words
    browser = _browser(transport).sign_in(ME, "secret").follow("Menu").follow("Settings").follow("My data")
    address = browser.links["Download"]
    answer = transport("GET", f"{ORIGIN}/{address}", {"Cookie": f"s={browser.jar['s']}"}, b"")
    assert answer.headers["content-disposition"] == 'attachment; filename="pocketpost.json"'
    kept = json.loads(answer.body)
    assert kept["address"] == ME
    assert kept["sendings"] == []
    assert kept["memory"]["profile"][""]["identities"][1]["name"] == "Anna Unmistakable"
    assert {row["device"] for row in kept["tables"]["sessions"]} >= {"kaios"}
    assert "secret" not in answer.body.decode()


def test_deleting_is_asked_first_and_takes_everything(
    device: Any, transport: Transport, tmp_path: Path
) -> None:
    other = _browser(transport).sign_in(ME, "secret")
    device.follow("Quick replies").follow("Add").fill("quick", "Mine").press("Save")
    device.follow("Settings").follow("My data").follow("Delete my data")
    assert "All your devices are signed out." in device.text
    device.press("Delete my data")
    assert "Your data is deleted." in device.text
    assert device.title == "Pocketpost"
    other.open("/i")
    assert other.title == "Pocketpost"
    with State.open(tmp_path / "state.sqlite") as state, state.database.reading() as connection:
        ours = [table for table in METADATA.sorted_tables if {"account", "session"} & {*table.columns.keys()}]
        assert len(ours) > 8
        for table in (
            *ours,
            METADATA.tables["accounts"],
            METADATA.tables["devices"],
            METADATA.tables["kept"],
        ):
            assert connection.scalar(select(func.count()).select_from(table)) == 0, table.name
    device.sign_in(ME, "secret").follow("Menu").follow("Settings").follow("Quick replies")
    assert "Mine" not in device.links


def test_deleting_needs_the_pages_own_ticket(transport: Transport) -> None:
    device = _browser(transport).sign_in(ME, "secret").follow("Menu").follow("Settings").follow("My data")
    device.follow("Delete my data")
    device.fill("ticket", "A" * 18).press("Delete my data")
    assert "could not be understood" in device.text
    device.open("/i")
    assert device.title.startswith("Inbox")
