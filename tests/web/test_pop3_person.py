"""A person whose mail is read by POP3, in both markups: what POP3 cannot do is absent, and everything offered works.

The server locks the maildrop for each visit, as POP3 requires (RFC 1939 §4): a page that visited twice at a time, or a
visit that outlived its page, would be refused.
"""

from __future__ import annotations

import poplib
import re
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from werkzeug.exceptions import HTTPException

from gateway.app import NEEDS, create_app
from tests import rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import Transport, WmlPhone, XhtmlBrowser, in_process, path_at, ticked_rows
from tests.matrix import one_of
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

pytestmark = pytest.mark.long

ORIGIN = "http://pp.example:8080"
ME = "pop@example.net"
COUNT = 22
LONG = "".join(
    f"The quick brown fox jumps over the lazy dog, for the {n}. time today. " for n in range(1, 121)
)
#: Pages of one kind that are examined.
OF_A_KIND = 4
PAGES = {"text/vnd.wap.wml", "application/xhtml+xml", "text/html"}
HANDHELDS: dict[str, Callable[[Transport], Any]] = {
    "wml": lambda transport: WmlPhone(ORIGIN, transport, check_deck=check_deck),
    # Pages of 1,000 octets, with UIDs of fifteen digits.
    "narrow": lambda transport: WmlPhone(
        ORIGIN, transport, check_deck=check_deck, limit=996, headers={"X-WAP-Client-SDU-Size": "1000"}
    ),
    "xhtml": lambda transport: XhtmlBrowser(ORIGIN, transport, check_page=check_page),
}


def mail(number: int) -> bytes:
    return (
        f"From: Bob <bob@example.net>\r\nTo: {ME}\r\nSubject: Number {number}.\r\n"
        f"Message-ID: <{number}@example.net>\r\nDate: Tue, 3 Nov 2026 14:{number:02}:00 +0100\r\n\r\n"
        f"This is message {number}.\r\n"
    ).encode()


FILES = (
    f"From: Ann <ann@example.org>\r\nTo: {ME}\r\nSubject: Files\r\nMessage-ID: <files@example.org>\r\n"
    "Date: Tue, 3 Nov 2026 15:00:00 +0100\r\nList-Unsubscribe: <mailto:leave@example.org>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n"
    f"{LONG}The end.\r\n--x\r\nContent-Type: text/plain; name=notes.txt\r\n"
    "Content-Disposition: attachment; filename=notes.txt\r\n\r\nA file of notes.\r\n--x--\r\n"
).encode()


class Person:
    """The gateway in front of one maildrop."""

    def __init__(self, dovecot: Dovecot, smtp: SmtpServer, path: Path) -> None:
        self.dovecot, self.smtp = dovecot, smtp
        self.config = rig.config(rig.upstream(rig.pop3(dovecot), smtp))
        self.path = path

    @contextmanager
    def gateway(self) -> Iterator[Person]:
        shutil.rmtree(self.dovecot.home(ME), ignore_errors=True)
        self.dovecot.user(ME)
        for number in range(1, COUNT + 1):
            self.dovecot.deliver(ME, mail(number))
        self.dovecot.deliver(ME, FILES)
        with rig.sessions(self.config, self.path) as sessions:
            self.app = create_app(self.config, sessions=sessions)
            self.transport = in_process(self.app)
            yield self

    def endpoint(self, url: str, method: str) -> str:
        path = urlsplit(url).path
        path = "/" + path.split("/", 2)[2] if path.startswith("/~") and path.count("/") > 1 else path
        try:
            return str(self.app.url_map.bind("pp.example").match(path, method=method)[0])
        except HTTPException:
            return ""

    @contextmanager
    def another_program(self) -> Iterator[poplib.POP3]:
        """Another program has the maildrop open."""
        other = poplib.POP3(self.dovecot.host, self.dovecot.ports["pop3"])
        other.user(ME)
        other.pass_("secret")
        yield other
        other.quit()


@pytest.fixture(scope="module")
def locking() -> Iterator[Dovecot]:
    with closing(Dovecot(more="\nprotocol pop3 {{\n  pop3_lock_session = yes\n}}\n")) as server:
        server.start()
        yield server


@pytest.fixture
def person(locking: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Person]:
    with Person(locking, smtp_server, tmp_path / "state.sqlite").gateway() as made:
        yield made


@pytest.fixture(params=one_of(HANDHELDS, "narrow", "xhtml"))
def device(request: pytest.FixtureRequest, person: Person) -> Any:
    return HANDHELDS[request.param](person.transport).sign_in(ME, "secret")


def _targets(device: Any) -> Iterator[tuple[str, str]]:
    root = device.deck if isinstance(device, WmlPhone) else device.page
    for element in root.iter("a", "go", "form"):
        href = element.get("href") or element.get("action")
        if href is not None:
            method = "POST" if element.get("method", "").lower() == "post" else "GET"
            yield method, urljoin(device.url, href)


def _fields(device: Any) -> set[str]:
    root = device.deck if isinstance(device, WmlPhone) else device.page
    return {element.get("name") for element in root.iter("input", "select", "textarea")}


def test_every_way_leads_somewhere_and_none_to_what_cannot_be(person: Person, device: Any) -> None:
    seen: Counter[str] = Counter()
    known, waiting, titles = set(), deque([device.url]), set()
    while waiting:
        url = waiting.popleft()
        kind = re.sub(r"\d+", "#", re.sub(r"\A/~[\w-]+", "", urlsplit(url).path))
        if seen[kind] == OF_A_KIND or "/bye" in url:
            continue
        seen[kind] += 1
        headers = {"Accept": device.accept, "User-Agent": device.agent}
        if getattr(device, "jar", None):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in device.jar.items())
        answer = person.transport("GET", url, headers, b"")
        assert answer.status in (200, 302, 303), (url, answer.body)
        if answer.status == 200 and answer.media_type not in PAGES:
            continue  # a file
        device.fetch("GET", url)
        assert device.title not in ("Pocketpost", "Sorry"), (url, device.text)
        titles.add(device.title)
        assert not {"order", "filter", "sort", "in"} & _fields(device), url
        for method, there in _targets(device):
            endpoint = person.endpoint(there, method)
            need = NEEDS.get(endpoint) or NEEDS.get(endpoint.partition(".")[0])
            assert need in (None, "change"), (url, there)
            if method == "GET" and there.startswith(ORIGIN) and there not in known:
                known.add(there)
                waiting.append(there)
    assert {"Menu", "Write", "View: Inbox", "Select: Inbox", "More", "Contacts", "Settings"} <= titles
    assert {"Quick reply", "Forward", "Details"} <= titles
    assert not {"Folders", "Search", "Move", "Copy"} & titles
    assert person.dovecot.count(ME) == COUNT + 1


def test_pages_and_files_of_a_message(person: Person, device: Any) -> None:
    assert f"({COUNT + 1})" in device.title
    _to_row(device, "Files")
    assert "notes.txt" in device.text
    device.follow("Attachments")
    assert "A file of notes." in device.text
    device.open(path_at(device, "i"))
    _to_row(device, "Files")
    while "Next" in device.links:
        device.follow("Next")
    assert "The end." in device.text
    device.open(path_at(device, "i"))
    assert f"({COUNT})" in device.title


def test_deleting_asks_first_and_is_for_good(person: Person, device: Any) -> None:
    _to_row(device, f"Number {COUNT}.")
    device.press("Delete")
    assert "Delete this message for good?" in device.text
    assert person.dovecot.count(ME) == COUNT + 1
    device.press("Delete")
    assert f"Deleted for good: Number {COUNT}." in device.text
    assert "Undo" not in device.text
    assert device.title.startswith("Inbox")
    assert person.dovecot.count(ME) == COUNT


def test_what_was_read_is_remembered_and_can_be_taken_back(person: Person, device: Any) -> None:
    for number in (COUNT, COUNT - 1):
        device.open(path_at(device, "i"))
        _to_row(device, f"Number {number}.")
    device.follow("More").press("Unread")
    assert "Marked as unread." in device.text
    assert f"({COUNT})" in device.title
    again = type(device)(ORIGIN, person.transport).sign_in(ME, "secret")  # on any handheld
    assert f"({COUNT})" in again.title
    device.open(path_at(device, "i"))
    _to_row(device, "Files")
    device.follow("More").follow("More").follow("Next unread")
    assert f"Number {COUNT - 1}." in device.title + device.text


def test_several_at_a_time(person: Person, device: Any) -> None:
    device.follow("Next").follow("Menu").follow("Select")
    device.tick(*ticked_rows(device)[:2])
    _press(device, "unread")
    assert "2 messages marked as unread." in device.text
    device.follow("Menu").follow("Select")
    device.tick(*ticked_rows(device)[:2])
    _press(device, "delete")
    device.press("Delete" if isinstance(device, XhtmlBrowser) else "Yes")
    assert "2 messages deleted for good." in device.text
    assert person.dovecot.count(ME) == COUNT - 1


def test_answering_and_forwarding(person: Person, device: Any) -> None:
    _to_row(device, f"Number {COUNT}.")
    device.follow("Reply").fill("text", "Yes.").press("Send")
    assert "Sent to" in device.text, device.text
    device.open(path_at(device, "i"))
    _to_row(device, "Files")
    device.follow("Forward")
    device.fill("to", "bob@example.net").fill("text", "See below.").press("Send")
    assert "Sent to" in device.text, device.text
    assert [b"See below." in each.octets for each in person.smtp.accepted] == [False, True]
    assert b"A file of notes." in person.smtp.accepted[1].octets


@pytest.mark.parametrize("device", one_of(HANDHELDS, "xhtml"), indirect=True)  # Dovecot waits ten seconds
def test_another_program_has_the_maildrop(
    person: Person, device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.pop3.visiting.LOCKED_SECONDS", ())
    with person.another_program():
        device.open(path_at(device, "i"))
        assert "Another program is using your mailbox. Try again in 20 seconds." in device.text
        assert "Menu" in device.links
    device.follow("Try again")
    assert device.title.startswith("Inbox")


def test_a_message_that_is_too_large_says_so_and_gives_no_half_files(
    person: Person, device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.pop3.retrieving.MOST_READ", 20_000)
    monkeypatch.setattr("gateway.store.pop3.retrieving.BEGINNING_LINES", 150)
    line = "TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQsIGNvbnNlY3RldHVy" + "\r\n"
    person.dovecot.deliver(
        ME, FILES.replace(b"A file of notes.", b"A file of notes.\r\n" + line.encode() * 500)
    )
    device.open(path_at(device, "i"))
    _to_row(device, "Files")
    said = "The message is too large: only its beginning is here."
    text = device.text
    while said not in text:
        text = device.follow("Next").text
    device.open(path_at(device, "i"))
    _to_row(device, "Files")
    device.follow("Forward")
    device.fill("to", "bob@example.net").fill("text", "All of it.").press("Send")
    assert "more than this gateway can handle" in device.text
    assert person.smtp.accepted == []


def test_signing_in_while_another_program_has_the_maildrop(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.pop3.visiting.LOCKED_SECONDS", ())
    device = HANDHELDS["wml"](person.transport)
    with person.another_program():
        device.sign_in(ME, "secret")
        assert "Another program is using your mailbox." in device.text
        assert "Wrong" not in device.text
    device.fill("password", "secret").press("Sign in")
    assert device.title.startswith("Inbox")


def test_a_message_that_another_program_deleted(person: Person, device: Any) -> None:
    _to_row(device, f"Number {COUNT}.")
    with person.another_program() as other:
        other.dele(COUNT)
        other.dele(COUNT - 1)
    device.follow("Next message")
    assert "Files" in device.text or f"Number {COUNT - 2}." in device.text + device.title, device.text
    assert person.dovecot.count(ME) == COUNT - 1


def _press(device: Any, word: str) -> None:
    if isinstance(device, WmlPhone):
        device.fill("do", word).press("OK")
    else:
        device.press(word.capitalize())


def _to_row(device: Any, label: str) -> None:
    """Open a message in the list, on whichever of its pages it is."""
    while not any(label in each for each in device.links):
        device.follow("Next")
    device.follow(label)
