"""Searching, search results, and saved searches: walked by strict handhelds against Dovecot."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.store.base import MOST_HITS
from gateway.web.mailbox import search_history
from tests.matrix import one_of
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.store.imap.search.test_finding import mail
from tests.walks.test_walk import _anew
from tests.web.mailbox.test_lists import HANDHELDS, House, root, rows, whole

EIGHT = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
def house(dovecot: Dovecot, state: Path) -> Iterator[House]:
    made = House(dovecot, state)
    yield made
    made.closing.close()


@pytest.fixture(params=one_of(HANDHELDS, "narrow", "browser"))
def handheld(request: pytest.FixtureRequest, house: House) -> Any:
    return getattr(house, request.param)()


def put(dovecot: Dovecot, me: str, n: int, subject: str, mailbox: str = "INBOX", **more: str) -> None:
    """Deliver a mail that came in the n-th second."""
    path = dovecot.maildir(me, mailbox)
    maildir.write(path, [mail(n, subject, **more)], first_second=n)
    for file in (path / "cur").glob(f"{n}.*"):  # Dovecot: INTERNALDATE is the time of the file
        os.utime(file, (1_730_000_000 + n,) * 2)


@pytest.fixture
def me(dovecot: Dovecot) -> str:
    """Somebody with thirty lamps, every third of them in Sent, and a few other things."""
    name = "seeker@example.net"
    _anew(dovecot, name)
    for n in range(1, 31):
        put(dovecot, name, n, f"lamp {n:02}", "Sent" if n % 3 == 0 else "INBOX")
    put(dovecot, name, 40, "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", sender="Bob $ Co <bob@example.org>")
    put(dovecot, name, 41, "other", more=EIGHT, body="Schöne Grüße, да")
    put(dovecot, name, 42, "two words here", "R&AOQ-ume")
    return name


HERE = [f"lamp {n:02}" for n in range(30, 0, -1) if n % 3]
EVERYWHERE = [f"lamp {n:02}" for n in range(30, 0, -1)]


def search(device: Any, words: str, where: str = "here") -> Any:
    device.follow("Menu").follow("Search")
    return device.fill("q", words).fill("in", where).press("Search")


def held(device: Any) -> str:
    """Return what is in the input for words."""
    body = device.answer.body.decode()
    found = re.search(r'<input[^>]*value="([^"]*)" maxlength', body)
    assert found, body
    return found[1].replace("&quot;", '"').replace("&amp;", "&").replace("$$", "$")


def test_a_search_finds_in_this_folder(handheld: Any, me: str) -> None:
    device = handheld.sign_in(me, "secret")
    search(device, "lamp")
    assert device.title == "Search: lamp"
    assert "of 20" in device.text
    assert whole(device) == HERE


def test_a_search_finds_in_all_folders(handheld: Any, me: str) -> None:
    device = handheld.sign_in(me, "secret")
    search(device, "subject:lamp", "all")
    assert "of 30" in device.text
    assert "[Sent]" in device.text
    assert "[Inbox]" in device.text
    assert whole(device) == EVERYWHERE
    search(device, '"two words"', "all")
    assert "[Räume]" in device.text
    device.follow("two words here")
    assert "text" in device.text
    device.follow("Results")
    assert rows(device) == ["two words here"]


@pytest.mark.parametrize("words", ["Grüße", "da bob", "bob subject:grüße -lamp", "да"])
def test_a_search_finds_words_in_other_scripts(house: House, handheld: Any, me: str, words: str) -> None:
    device = handheld.sign_in(me, "secret")
    search(device, words)
    expected = {"Grüße": ["other", "Grüße"], "да": ["other"], "da bob": []}.get(words, ["Grüße"])
    assert rows(device) == expected
    if not expected:
        assert "Nothing found." in device.text


@pytest.mark.parametrize("handheld", one_of(HANDHELDS[:3], "narrow", "browser"), indirect=True)
def test_a_message_leads_back_and_its_pages_too(handheld: Any, me: str) -> None:
    device = handheld.sign_in(me, "secret")
    search(device, "lamp").follow("Next")
    page, shown = device.url.partition("?")[0], rows(device)
    device.follow(shown[2])
    assert shown[2] in device.title or shown[2] in device.text
    device.follow("More").follow("Details")
    device.follow("Message").follow("Results")
    assert rows(device) == shown
    assert device.url.partition("?")[0] == page


@pytest.mark.parametrize("handheld", one_of(HANDHELDS[:3], "narrow", "browser"), indirect=True)
def test_new_mail_and_reading_do_not_shift_the_pages(handheld: Any, me: str, dovecot: Dovecot) -> None:
    device = handheld.sign_in(me, "secret")
    search(device, "lamp is:unread").follow("Next")
    shown, page = rows(device), device.url
    device.follow(shown[0]).follow("Results")
    assert rows(device) == shown
    put(dovecot, me, 50, "lamp of today")
    device.fetch("GET", page)
    assert rows(device) == shown
    search(device, "lamp is:unread")
    assert rows(device)[0] == "lamp of today"
    assert shown[0] not in whole(device)


def test_what_is_expunged_meanwhile_is_left_out(handheld: Any, me: str, dovecot: Dovecot) -> None:
    device = handheld.sign_in(me, "secret")
    search(device, "lamp")
    first = rows(device)
    for file in dovecot.maildir(me).glob("cur/29.*"):
        file.unlink()
    device.fetch("GET", root(device) + "/q1")
    assert "lamp 29" not in device.text
    assert rows(device) == [row for row in first if row != "lamp 29"]
    device.follow("Next") if "Next" in device.links else None
    assert "Sorry" not in device.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("foo:bar lamp", "Not understood: foo:bar"),
        ('lamp from:"bob', 'A quotation mark is missing: from:"bob'),
        ("since:tomorrow", "Not a date: since:tomorrow"),
        ("larger:$5", "Not a size: larger:$5"),
        ("lamp from:", "Something is missing after from:"),
        ("", "Enter something to search for."),
        (" ".join("abcdefghijklmnopq"), "too long"),
        ('"' + "$д" * 49, "A quotation mark is missing"),
    ],
)
def test_what_is_not_understood_is_named_and_stays(handheld: Any, me: str, words: str, said: str) -> None:
    device = handheld.sign_in(me, "secret")
    search(device, words, "all")
    assert said in device.text
    assert held(device) == words
    assert device.answer.headers["cache-control"] == "no-store"
    device.fill("q", "subject:lamp").press("Search")
    assert "of 30" in device.text


def test_what_is_a_guess_is_said_to_be_one(handheld: Any, me: str) -> None:
    device = handheld.sign_in(me, "secret")
    search(device, "has:attachment")
    assert "This is a guess" in device.text
    search(device, "lamp")
    assert "guess" not in device.text


def test_how_far_a_search_went_is_said(
    house: House, handheld: Any, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = "manyfold@example.net"
    _anew(dovecot, many)
    maildir.fill(dovecot.maildir(many), MOST_HITS + 200)
    device = handheld.sign_in(many, "secret")
    search(device, "small")
    assert "The newest of 700 results." in device.text
    assert "of 500" in device.text
    monkeypatch.setattr("gateway.store.imap.search.searching.DEEP_STRETCH", 50)
    monkeypatch.setattr("gateway.store.imap.search.searching.SECONDS", -1.0)
    monkeypatch.setattr("gateway.store.imap.search.searching.Searching.search.__defaults__", (-1.0,))
    search(device, "lines", "all")
    assert "Only the newest 50 of 700 messages were searched." in device.text


def test_a_repeated_search_shows_the_same_and_searches_once(house: House, handheld: Any, me: str) -> None:
    device = handheld.sign_in(me, "secret")
    search(device, "lamp")
    shown, posted = rows(device), device.posted
    commands = sum(store.traffic.commands for store in house.stores)
    device.fetch("POST", *posted)
    assert rows(device) == shown
    assert (
        sum(store.traffic.commands for store in house.stores) - commands == 2
    )  # FETCH and NOOP for the rows, and no search
    device.fetch("POST", posted[0], re.sub(rb"ticket=[^&]*", b"ticket=" + b"A" * 18, posted[1]))
    assert "could not be understood" in device.text
    assert held(device) == "lamp"


def test_a_page_is_turned_without_searching(house: House, me: str) -> None:
    device = house.browser().sign_in(me, "secret")
    search(device, "lamp")
    trips = house.traffic[0]
    device.follow("Next")
    assert house.traffic[0] - trips == 1


def test_favourites_and_newest_searches(house: House, handheld: Any, me: str, dovecot: Dovecot) -> None:
    device = handheld.sign_in(me, "secret")
    search(device, "subject:lamp since:2000")
    device.press("Save search")
    assert "Saved. You will find it on the Search page." in device.text
    assert "Save search" not in device.text
    kept = device.posted
    search(device, "from:bob", "all")
    device.fetch("POST", *kept)  # a repeat keeps nothing twice
    device.follow("Menu").follow("Search")
    links = [label for label in device.links if "lamp" in label or "bob" in label]
    assert links == ["subject:lamp since:2000", "from:bob"]
    put(dovecot, me, 60, "lamp of tomorrow")
    device.follow("subject:lamp since:2000")
    assert rows(device)[0] == "lamp of tomorrow"
    assert "of 21" in device.text  # in this folder, as it was kept
    device.follow("Menu").follow("Search").follow("from:bob")
    assert rows(device) == ["Grüße"]
    device.follow("Search")
    assert held(device) == "from:bob"


def test_keys_of_the_search_page(house: House, me: str) -> None:
    device = house.browser().sign_in(me, "secret")
    for n in range(7):
        search(device, f"lamp -y{n}").press("Save search")
    device.follow("Menu").follow("Search")
    assert [device.keys[str(n)] for n in range(2, 9)] == [f"lamp -y{n}" for n in range(7)]
    assert device.keys["0"] == "Menu"
    device.follow("lamp -y0")
    assert [device.keys[str(n)].partition(": ")[2] for n in range(1, 10)] == HERE[:9]
    assert (device.keys["#"], device.keys["0"]) == ("Next", "Menu")
    assert device.keys["*"] == "Search again"


def test_a_favourite_is_a_start_page(house: House, me: str) -> None:
    device = house.browser().sign_in(me, "secret")
    search(device, "lamp").press("Save search")
    device.fetch("GET", root(device) + "/qf1")
    assert rows(device) == HERE[:9]
    for wrong in ("qf7", "q77", "q77.r", "q0"):
        device.fetch("GET", root(device) + "/" + wrong)
        assert "no longer there" in device.text


def test_nothing_that_was_typed_can_be_read_in_the_database(house: House, me: str, state: Path) -> None:
    device = house.browser().sign_in(me, "secret")
    search(device, "subject:lamp").press("Save search")
    with closing(sqlite3.connect(state)) as connection:
        kinds = {row[0] for row in connection.execute("SELECT kind FROM memories")}
        dump = "\n".join(connection.iterdump())
    assert {search_history.SEARCH, "favourite"} <= kinds
    assert "lamp" not in dump
    assert "6c616d70" not in dump.lower()


def test_old_searches_are_forgotten_and_numbers_never_given_again(house: House, me: str) -> None:
    device = house.browser().sign_in(me, "secret")
    for n in range(search_history.MOST_KEPT + 2):
        search(device, f"lamp -{n}")
    assert "/q" in device.url
    device.fetch("GET", root(device) + f"/q{search_history.MOST_KEPT + 2}")
    assert rows(device) == HERE[:9]
    device.fetch("GET", root(device) + "/q1")
    assert "no longer there" in device.text
    search(device, "lamp -0")
    device.fetch("GET", root(device) + f"/q{search_history.MOST_KEPT + 3}")
    assert device.title == "Search: lamp -0"


def test_a_folder_that_is_gone_is_said_so(house: House, handheld: Any, me: str, dovecot: Dovecot) -> None:
    device = handheld.sign_in(me, "secret")
    device.follow("Menu").follow("Folders")
    device.follow("Sent")
    search(device, "lamp").press("Save search")
    assert "of 10" in device.text
    shutil.rmtree(dovecot.maildir(me, "Sent"))
    for store in house.stores:
        store.close()
    device.fetch("GET", root(device) + "/q1")
    assert "Sorry" not in device.text
    device.follow("Menu").follow("Search").follow("lamp")
    assert "Sorry" not in device.text


def test_next_and_newer_go_on_in_what_was_found(house: House, me: str) -> None:
    device = house.browser().sign_in(me, "secret")
    search(device, "lamp", "all").follow(EVERYWHERE[1])
    for expected in EVERYWHERE[2:4]:
        device.follow("Next message")
        assert expected in device.text or expected in device.title
    device.follow("Results")
    assert rows(device) == EVERYWHERE[:9]
    device.follow(EVERYWHERE[0])
    device.fetch("GET", device.url.replace("/m", "/j").replace("?", ".n?"))
    assert "There is no newer message." in device.text
    assert rows(device) == EVERYWHERE[:9]
