"""Folders and the menu: on handhelds of both markups, against a real Dovecot, checked from outside over IMAP."""

from __future__ import annotations

import imaplib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imapclient.imap_utf7 import decode, encode

from gateway.store.base import FolderList
from gateway.store.imap.imap_store import ImapStore
from gateway.web.folders.folder_names import LONGEST, NameRefused, validated
from gateway.web.request import mailbox_names
from tests import rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import Refused, Transport, WmlPhone, XhtmlBrowser, in_process
from tests.matrix import one_of
from tests.servers import dovecot as dovecots
from tests.servers import maildir
from tests.servers.dovecot import Dovecot

ORIGIN = "http://pp.example:8080"
ME = "folders@example.net"
MAIL = b"From: a@example.org\r\nSubject: A plain one\r\n\r\nplain text\r\n"
QUOTA = """
mail_plugins = $mail_plugins quota
protocol imap {{
  mail_plugins = $mail_plugins quota imap_quota
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=2M
}}
"""


def _app(stack: ExitStack, dovecot: Dovecot, folder: Path) -> Transport:
    config = rig.config(rig.upstream(dovecot), timezone="UTC")
    return in_process(stack.enter_context(rig.app(config, folder / "state.sqlite")))


@pytest.fixture
def transport(dovecot: Dovecot, tmp_path: Path) -> Iterator[Transport]:
    shutil.rmtree(dovecot.home(ME), ignore_errors=True)
    dovecot.user(ME)
    with ExitStack() as stack:
        yield _app(stack, dovecot, tmp_path)


@pytest.fixture
def aside(dovecot: Dovecot, transport: Transport) -> Iterator[imaplib.IMAP4]:
    client = imaplib.IMAP4(dovecot.host, dovecot.ports["imap"])
    client.login(ME, "secret")
    yield client
    client.logout()


def _phone(transport: Transport, **options: Any) -> WmlPhone:
    return WmlPhone(ORIGIN, transport, check_deck=check_deck, **options)


def _small_phone(transport: Transport) -> WmlPhone:
    return _phone(transport, limit=1000 - 4, headers={"X-WAP-Client-SDU-Size": "1000"})


def _browser(transport: Transport) -> XhtmlBrowser:
    return XhtmlBrowser(ORIGIN, transport, check_page=check_page)


HANDHELDS = {"wml": _phone, "small wml": _small_phone, "xhtml": _browser}
Handheld = Callable[[Transport], Any]


@pytest.fixture(params=one_of(HANDHELDS, "small wml", "xhtml"))
def handheld(request: pytest.FixtureRequest) -> Handheld:
    return HANDHELDS[request.param]


@pytest.fixture
def device(handheld: Handheld, transport: Transport) -> Any:
    return handheld(transport).sign_in(ME, "secret")


def made(aside: imaplib.IMAP4, *names: str) -> None:
    for name in names:
        said = '"' + encode(name).decode() + '"'
        assert aside.create(said)[0] == "OK"
        aside.subscribe(said)


def names_in(rows: list[bytes]) -> set[str]:
    return {decode(row.split(b' "', 1)[1].split(b'" ', 1)[1].strip(b'"')) for row in rows if row}


def there(aside: imaplib.IMAP4) -> set[str]:
    return names_in(aside.list()[1])


def subscribed(aside: imaplib.IMAP4) -> set[str]:
    return names_in(aside.lsub()[1])


def count(aside: imaplib.IMAP4, mailbox: str) -> int:
    return int(re.search(rb"MESSAGES (\d+)", aside.status(mailbox, "(MESSAGES)")[1][0])[1])


# --- the menu


def test_the_menu_leads_everywhere_and_back(device: Any) -> None:
    device.follow("Menu")
    assert device.title == "Menu"
    assert ME in device.text
    assert {"Inbox", "Folders", "Settings", "Sign out", "Back"} <= device.links.keys()
    menu = device.url
    for label in ("Inbox", "Folders", "Settings", "Back"):
        device.fetch("GET", urljoin(menu, device.links[label]))
        assert device.title != "Menu"
        device.fetch("GET", menu)
    device.follow("Sign out")
    assert "You are signed out." in device.text


def test_drafts_are_two_presses_from_the_inbox(
    device: Any, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(ImapStore, "special", lambda self, role: None)
        device.follow("Menu").follow("Drafts")
    assert "No drafts yet." in device.text
    dovecot.deliver(ME, MAIL, "Drafts")
    device.follow("Inbox").follow("Menu").follow("Drafts")
    assert device.title.startswith("Drafts")
    assert "A plain one" in device.text


def test_the_keys_of_the_menu(transport: Transport) -> None:
    browser = _browser(transport).sign_in(ME, "secret").follow("Menu")
    keys = browser.keys
    assert {
        "1": "Inbox",
        "2": "Folders",
        "8": "Settings",
        "9": "Sign out",
        "0": "Back",
    }.items() <= keys.items()


def test_folders_are_two_presses_from_the_inbox_and_open_with_one(
    transport: Transport, dovecot: Dovecot, aside: imaplib.IMAP4
) -> None:
    made(aside, "Größe")
    dovecot.deliver(ME, MAIL, "Gr&APYA3w-e")
    browser = _browser(transport).sign_in(ME, "secret")
    for key in "02":
        browser.follow(browser.keys[key])
    assert browser.keys["6"] == "Größe (1)"
    browser.follow(browser.keys["6"])
    assert browser.title == "Größe (1)"
    assert "A plain one" in browser.text


def test_the_room_left_is_on_the_menu(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(dovecots.running(more=QUOTA))
        server.user(ME)
        client = imaplib.IMAP4(server.host, server.ports["imap"])
        client.login(ME, "secret")
        client.append("INBOX", None, None, MAIL + b"x" * 500_000)
        client.logout()
        transport = _app(stack, server, tmp_path)
        for handheld in HANDHELDS.values():
            device = handheld(transport).sign_in(ME, "secret").follow("Menu")
            assert "501 KB of 2.1 MB used (24%)" in device.text


def test_no_word_of_room_where_the_server_has_none(device: Any) -> None:
    assert "used" not in device.follow("Menu").text


def test_back_from_the_menu_is_the_page_it_was_opened_from(device: Any, dovecot: Dovecot) -> None:
    maildir.fill(dovecot.maildir(ME), 30)
    device.follow("Menu").follow("Inbox").follow("Next").follow("Next")
    page = device.text
    device.follow("Menu").follow("Back")
    assert device.text == page
    device.follow("Menu").follow("Inbox")
    assert device.text != page


# --- the list


def test_a_list_that_is_not_whole_says_so(
    device: Any, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = "There are more folders than can be listed."
    dovecot.deliver(ME, MAIL)
    device.follow("Menu").follow("Folders")
    assert more not in device.text
    listed = ImapStore.folders
    monkeypatch.setattr(ImapStore, "folders", lambda *args, **how: FolderList(listed(*args, **how), False))
    device.fetch("GET", device.url)
    assert more in device.text
    device.follow("Inbox").follow("A plain one").follow("More").follow("Move")
    assert f"To which folder? {more}" in " ".join(device.text.split())


def test_special_ones_first_with_names_of_their_own_and_what_is_unread(
    device: Any, dovecot: Dovecot, aside: imaplib.IMAP4
) -> None:
    made(aside, "Aa", "Deleted Items")
    dovecot.deliver(ME, MAIL, "Aa")
    dovecot.deliver(ME, MAIL)
    device.follow("Menu").follow("Folders")
    listed = [label for label in device.links if label in SHOWN or "(" in label or label == "Deleted Items"]
    assert listed == ["Inbox (1)", "Drafts", "Sent", "Trash", "Junk", "Aa (1)", "Deleted Items"]


SHOWN = ("Drafts", "Sent", "Trash", "Junk")


def test_names_stand_below_each_other_or_say_their_path(transport: Transport, aside: imaplib.IMAP4) -> None:
    made(aside, "A", "A/B", "A/B/C", "A/B/C/D", "Z/Y")
    aside.unsubscribe('"A/B"')
    browser = _browser(transport).sign_in(ME, "secret").follow("Menu").follow("Folders")
    assert "6 A" in browser.text
    assert "7 - B/C" in browser.text
    assert "8 -- D" in browser.text
    assert "9 Z/Y" in browser.text
    browser.follow("All folders")
    assert "7 - B" in browser.text
    browser.follow("Next")
    assert "\nZ\n2 - Y" in browser.text, "Z holds no messages, and has no key"


def test_what_holds_no_messages_is_shown_and_not_opened(device: Any, aside: imaplib.IMAP4) -> None:
    made(aside, "Kunden/Nord")
    device.follow("Menu").follow("Folders").follow("All folders")
    assert "Kunden" in device.text
    assert "Kunden" not in device.links
    device.follow("Change folders")
    while "Kunden" not in device.links:
        device.follow("Next")
    device.follow("Kunden")
    assert "Contains folders only." in device.text
    assert "Open" not in device.links


def test_a_thousand_folders_are_paged_there_and_back(transport: Transport, dovecot: Dovecot) -> None:
    root = dovecot.maildir(ME)
    for n in range(1000):
        maildir.write(root / f".Ein etwas l&AOQ-ngerer Name Nummer {n:04}", [])
    for handheld in HANDHELDS.values():
        device = handheld(transport).sign_in(ME, "secret").follow("Menu").follow("Folders")
        shown = 0
        for _ in range(4):
            found = [label for label in device.links if "ummer" in label or label in (*SHOWN, "Inbox")]
            span = re.search(r"([\d,]+)–([\d,]+) of 1,005", device.text)
            assert span, device.text
            assert int(span[1]) == shown + 1
            assert int(span[2]) - shown == len(found) <= 9
            shown = int(span[2])
            device.follow("Next")
        while "Prev" in device.links:
            device.follow("Prev")
        assert "Inbox" in device.links


def test_shared_folders_have_a_heading(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(dovecots.running(dovecots.COURIER))
        server.user(ME)
        maildir.fill(server.base / "public" / ".News", 2)
        maildir.fill(server.base / "public" / ".News.Local", 1)
        transport = _app(stack, server, tmp_path)
        for handheld in HANDHELDS.values():
            device = handheld(transport).sign_in(ME, "secret").follow("Menu").follow("Folders")
            assert re.search(r"Junk\s+Shared\s", device.text)
            device.follow("News")
            assert "of 2" in device.text
        device.follow("Menu").follow("Folders").follow("Change folders").follow("New folder")
        device.fill("name", "a.b").press("Create")
        assert "A name cannot contain ." in device.text
        device.fill("name", "Privat").press("Create")
        assert device.title == "Privat"
        assert "On the server: INBOX.Privat" in device.text
        device.follow("New folder here").fill("name", "Kunden und Lieferanten").press("Create")
        device.follow("New folder here").fill("name", "Größe").press("Create")
        device.follow("Open")
        assert device.title == "…/Größe"  # of Privat/Kunden und Lieferanten/Größe
        device.follow("Menu").follow("Folders")
        assert "INBOX" not in device.text
        device.follow("Privat")
        assert device.title == "Privat"


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (24, "Projekte/Kunden/2024"),
        (19, "…/Kunden/2024"),
        (12, "…/2024"),
        (6, "…/2024"),
        (5, "2024"),
        (3, "20…"),
    ],
)
def test_paths_are_shortened_from_the_left_name_by_name(width: int, expected: str) -> None:
    assert mailbox_names.short(("Projekte", "Kunden", "2024"), width) == expected


# --- changes


def test_create_open_rename_delete(device: Any, dovecot: Dovecot, aside: imaplib.IMAP4) -> None:
    """The whole life of a folder with letters beyond ASCII."""
    device.follow("Menu").follow("Folders").follow("Change folders").follow("New folder")
    device.fill("name", "Rechnungen").press("Create")
    assert "Created." in device.text
    device.follow("New folder here").fill("name", "Größe").press("Create")
    assert device.title == "Größe"
    assert "Rechnungen/Größe" in device.text
    assert {"Rechnungen", "Rechnungen/Größe"} <= there(aside) & subscribed(aside)
    dovecot.deliver(ME, MAIL, "Rechnungen/Gr&APYA3w-e")
    device.follow("Open")
    assert "A plain one" in device.text
    device.follow("Menu").follow("This folder").follow("Rename")
    assert device.title == "Rename Größe"
    device.fill("name", "Maß & <Gewicht> $5").press("Rename")
    assert "Renamed." in device.text
    assert device.title == "Maß & <Gewicht> $5"
    assert "Rechnungen/Maß & <Gewicht> $5" in there(aside) & subscribed(aside)
    assert "Rechnungen/Größe" not in there(aside) | subscribed(aside)
    device.follow("Delete")
    assert "with its 1 message?" in device.text
    device.press("Delete")
    assert "Deleted." in device.text
    assert device.title == "Folders"
    assert not any("Gewicht" in name for name in there(aside) | subscribed(aside))


def test_a_parent_is_not_deleted_before_what_is_in_it(device: Any, aside: imaplib.IMAP4) -> None:
    made(aside, "Top", "Top/Below")
    _own_page(device, "Top").follow("Delete")
    assert "There are folders in Top. Delete those first." in device.text
    with pytest.raises(Refused):
        device.press("Delete")
    assert "Top" in there(aside)


def test_what_is_needed_is_neither_renamed_nor_deleted(device: Any, aside: imaplib.IMAP4) -> None:
    for label in ("Inbox", "Sent", "Trash"):
        _own_page(device, label)
        assert not {"Rename", "Delete"} & device.links.keys()
        for what in "dr":
            device.fetch("GET", device.url.split("?")[0] + "." + what)
            if what == "d":
                assert "is needed and cannot be deleted" in device.text
            device.fetch("GET", device.url.rpartition(".")[0])
    assert {"INBOX", "Sent", "Trash"} <= there(aside)


def test_mail_that_came_in_meanwhile_is_asked_about_anew(
    device: Any, dovecot: Dovecot, aside: imaplib.IMAP4
) -> None:
    made(aside, "Box")
    _own_page(device, "Box").follow("Delete")
    assert "Delete Box? It is empty." in device.text
    dovecot.deliver(ME, MAIL, "Box")
    device.press("Delete")
    assert "with its 1 message?" in device.text
    assert "Box" in there(aside)
    device.press("Delete")
    assert "Deleted." in device.text
    assert "Box" not in there(aside)


@pytest.mark.parametrize("mailbox", ["Trash", "Junk"])
def test_emptying_asks_and_takes_only_what_it_counted(
    device: Any, dovecot: Dovecot, aside: imaplib.IMAP4, mailbox: str
) -> None:
    for other in ("Trash", "Junk", "INBOX"):
        for _ in range(3):
            dovecot.deliver(ME, MAIL, other, "T" if other == "INBOX" else "")
    _own_page(device, mailbox).follow("Empty")
    assert f"Delete 3 messages in {mailbox} for good?" in device.text
    dovecot.deliver(ME, MAIL, mailbox, "T")
    device.press("Empty")
    assert "3 messages deleted." in device.text
    assert "1 message" in device.text
    assert count(aside, mailbox) == 1
    assert count(aside, "INBOX") == count(aside, "Junk" if mailbox == "Trash" else "Trash") == 3
    device.fetch("POST", *device.posted)
    assert "3 messages deleted." in device.text
    assert count(aside, mailbox) == 1


def test_where_only_these_cannot_be_expunged_they_are_flagged_and_that_is_said(
    device: Any, dovecot: Dovecot, aside: imaplib.IMAP4, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = ImapStore.__init__
    monkeypatch.setattr(
        ImapStore,
        "__init__",
        lambda self, exchange, names, *rest: offers(self, exchange, names - {"UIDPLUS"}, *rest),
    )
    device.follow("Menu").follow("Sign out").sign_in(ME, "secret")
    dovecot.deliver(ME, MAIL, "Trash", "S")
    _own_page(device, "Trash").follow("Empty")
    assert "only marks them as deleted" in device.text
    device.press("Empty")
    assert "1 message is marked as deleted." in device.text
    aside.select("Trash", readonly=True)
    assert aside.search(None, "DELETED")[1] == [b"1"]
    aside.close()


def test_only_trash_and_junk_are_emptied(device: Any, dovecot: Dovecot, aside: imaplib.IMAP4) -> None:
    made(aside, "Box")
    dovecot.deliver(ME, MAIL, "Box")
    _own_page(device, "Box")
    assert "Empty" not in device.links
    device.fetch("GET", device.url.split("?")[0] + ".e")
    assert "There is nothing to delete in Box." in device.text
    assert count(aside, "Box") == 1


def test_subscribing_and_ending_that(device: Any, aside: imaplib.IMAP4) -> None:
    made(aside, "News", "Other")
    _own_page(device, "News").press("Unsubscribe")
    assert "Unsubscribed." in device.text
    assert "News" not in subscribed(aside)
    device.follow("Folders")
    assert "News" not in device.links
    _own_page(device, "News").press("Subscribe")
    assert "Subscribed." in device.text
    assert "News" in subscribed(aside)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter a name first."),
        ("a/b", "A name cannot contain /"),
        ("100%", "A name cannot contain %"),
        ("a*", "A name cannot contain *"),
        ("a\u202eb", "A name cannot contain invisible characters."),
        ("\ufdd0\U0010ffff", "A name cannot contain invisible characters."),
        ("inbox", "There is already a folder with that name."),
        ("Taken", "There is already a folder with that name."),
    ],
)
def test_a_name_that_cannot_be_is_told_and_kept_in_the_field(
    device: Any, aside: imaplib.IMAP4, typed: str, said: str
) -> None:
    made(aside, "Taken")
    before = there(aside)
    device.follow("Menu").follow("Folders").follow("Change folders").follow("New folder")
    device.fill("name", typed).press("Create")
    assert said in device.text
    assert there(aside) == before
    device.fill("name", "Good one").press("Create")
    assert there(aside) == before | {"Good one"}


def test_a_repeated_post_creates_nothing_and_says_the_same(device: Any, aside: imaplib.IMAP4) -> None:
    device.follow("Menu").follow("Folders").follow("Change folders").follow("New folder")
    device.fill("name", "Once").press("Create")
    before = there(aside)
    device.fetch("POST", *device.posted)
    assert "Created." in device.text
    assert there(aside) == before


def test_a_ticket_of_another_session_changes_nothing(transport: Transport, aside: imaplib.IMAP4) -> None:
    made(aside, "Box")
    browser = _browser(transport).sign_in(ME, "secret")
    _own_page(browser, "Box").follow("Delete")
    url, body = urljoin(browser.url, browser.page.find(".//form").get("action")), b"ticket=" + b"A" * 20
    browser.fetch("POST", url, body)
    assert "could not be understood" in browser.text
    assert "Box" in there(aside)


def test_a_folder_that_has_gone_meanwhile_ends_in_a_sentence_and_a_list(
    device: Any, aside: imaplib.IMAP4
) -> None:
    made(aside, "Gone")
    _own_page(device, "Gone").follow("Delete")
    aside.delete("Gone")
    aside.unsubscribe("Gone")
    device.press("Delete")
    assert "This folder has changed." in device.text
    assert device.title == "Folders"


@given(st.text(), st.sampled_from(["/", ".", "\\", ""]))
def test_a_name_that_passes_is_one_name_and_stays_as_it_is(typed: str, delimiter: str) -> None:
    try:
        name = validated(typed, delimiter)
    except NameRefused:
        return
    assert 0 < len(name) <= LONGEST
    assert validated(name, delimiter) == name
    assert not set(name) & {*delimiter, "%", "*", "\0", "\r", "\n"}


def test_a_long_name_is_refused_and_a_composed_letter_is_one() -> None:
    assert validated(" Gro\u0308ße ", "/") == "Größe"
    with pytest.raises(NameRefused):
        validated("x" * (LONGEST + 1), "/")


def _own_page(device: Any, label: str) -> Any:
    """Go to what can be done with a folder."""
    device.fetch("GET", urljoin(device.url, "ze"))
    while not any(each == label or each.startswith(f"{label} (") for each in device.links):
        device.follow("Next")
    return device.follow(label)
