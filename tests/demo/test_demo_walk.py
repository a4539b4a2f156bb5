"""The demo as a stranger meets it: one command, then the main job on a WAP phone and on a small browser."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from tests.demo.running import running_demo
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import WmlPhone, XhtmlBrowser, over_http, path_at, ticked_rows
from tests.matrix import one_of

PASSWORD = "tap"
#: Pages of one kind that are examined.
OF_A_KIND = 6
PAGES = {"text/vnd.wap.wml", "application/xhtml+xml", "text/html"}


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """The address of a demo that ends with Ctrl-C, with exit status 0."""
    with running_demo() as (port, said):
        assert re.search(rf"^Address +http://127.0.0.1:{port}/$", said, re.MULTILINE), said
        yield f"http://127.0.0.1:{port}"


def _phone(origin: str) -> Any:
    return WmlPhone(origin, over_http, check_deck=check_deck)


def _browser(origin: str) -> Any:
    return XhtmlBrowser(origin, over_http, check_page=check_page)


CLIENTS = {"wml": _phone, "xhtml": _browser}
BOTH = pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)


@BOTH
def test_the_main_job(origin: str, make: Any) -> None:
    device = make(origin)
    device.sign_in("alice", PASSWORD)
    assert device.title.startswith("Inbox")
    device.follow("Next").follow("Prev").follow("Letter from the island")
    while "Next" in device.links:
        device.follow("Next")
    pages = re.search(r"(\d+)/(\d+)", device.text)
    assert pages
    assert pages[1] == pages[2]
    device.follow("Inbox").follow("Lunch on Thursday?").follow("Reply")
    answer = f"Yes, from {make.__name__}."
    device.fill("text", answer).press("Send")
    assert "Sent to" in device.text
    device.follow("Inbox").follow("Menu").follow("Sign out")
    bob = make(origin).sign_in("bob", PASSWORD).follow("Re: Lunch on Thursday?")
    assert answer in bob.text


@BOTH
def test_who_reads_by_pop3(origin: str, make: Any) -> None:
    """No folders, no search; everything else is the same as for the others."""
    device = make(origin).sign_in("carol@harbour.example", PASSWORD)
    assert device.title.startswith("Inbox (")
    device.follow("Menu")
    assert not {"Folders", "Search"} & set(device.links)
    device.open(path_at(device, "i")).follow("Your ticket").follow("Attachments")
    device.open(path_at(device, "i")).follow("One folder is enough").follow("Forward")
    device.fill("to", "bob@pocketpost.example").fill("text", f"So I see, from {make.__name__}.").press("Send")
    assert "Sent to" in device.text
    bob = make(origin).sign_in("bob", PASSWORD).follow("Fwd: One folder is enough")
    assert "So I see" in bob.text
    device.open(path_at(device, "i")).follow("Letter" if make is _phone else "Library").press("Delete").press(
        "Delete"
    )
    assert "Deleted for good: " in device.text


def _links(device: Any) -> Iterator[str]:
    root = device.deck if isinstance(device, WmlPhone) else device.page
    for element in root.iter("a", "go"):
        if element.get("method") != "post":
            yield urljoin(device.url, element.get("href"))


def _kind(url: str) -> str:
    return re.sub(r"\d+", "#", re.sub(r"\A/~[\w-]+", "", urlsplit(url).path))


@pytest.mark.parametrize("make", one_of(CLIENTS.values(), _browser), ids=CLIENTS)
def test_every_way_leads_somewhere(origin: str, make: Any) -> None:
    """Whatever its servers lack, no screen of the demo is an error, and what is lacking is reported."""
    device = make(origin).sign_in("alice", PASSWORD)
    seen: Counter[str] = Counter()
    known, waiting, titles, words = set(), deque([device.url]), set(), []
    while waiting:
        url = waiting.popleft()
        if seen[_kind(url)] == OF_A_KIND or "/bye" in url:
            continue
        seen[_kind(url)] += 1
        headers = {"Accept": device.accept, "User-Agent": device.agent}
        if getattr(device, "jar", None):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in device.jar.items())
        answer = over_http("GET", url, headers, b"")
        assert answer.status in (200, 302, 303), url
        if answer.status == 200 and answer.media_type not in PAGES:
            continue  # a file
        device.fetch("GET", url)
        assert device.title != "Pocketpost", url
        titles.add(device.title)
        words.append(device.text)
        for there in _links(device):
            if there.startswith(origin + "/") and there not in known:
                known.add(there)
                waiting.append(there)
    assert {
        "Menu",
        "Folders",
        "Change folders",
        "Write",
        "Search",
        "View: Inbox",
        "Select: Inbox",
        "More",
    } <= titles
    assert {"Contacts", "Settings", "Quick reply", "Forward", "Reply all", "Move"} <= titles
    assert any("cannot sort" in each for each in words)


def _subject(device: Any) -> str:
    """Return the subject of the message that is shown; the title of a deck is its sender."""
    if hasattr(device, "page"):
        return str(device.title)
    heads = (p for p in device.card.iter("p") if [each.tag for each in p][:2] == ["b", "br"])
    return next(p[0].text for p in heads if p.find("anchor") is None)


@pytest.mark.parametrize("make", one_of(CLIENTS.values(), _phone), ids=CLIENTS)
def test_a_mail_day(origin: str, make: Any) -> None:
    """Whatever is done to mail and with it works with the demo's servers, too."""
    device = make(origin).sign_in("alice", PASSWORD)
    # Folders: one with letters of its own below another exists, and more can be made.
    device.follow("Menu").follow("Folders")
    assert {"Boat", "Ålesund (1)"} <= {label.lstrip("- ") for label in device.links}
    device.follow("Change folders").follow("New folder")
    name = f"Été {make.__name__}"
    device.fill("name", name).press("Create")
    assert "Created." in device.text
    # One message: flagged, moved there, deleted, restored.
    device.open(path_at(device, "i")).follow(
        "Winter storage" if "Winter storage" in device.text else "Kettle"
    )
    subject = _subject(device)
    device.follow("More").press("Flag")
    assert "Flagged." in device.text
    device.follow("More").follow("Move").press(name)
    assert f"Moved to {name}: " in device.text
    device.press("Undo")
    assert "Undone." in device.text
    assert _subject(device) == subject
    device.follow("More").press("Unflag").press("Delete")
    assert f"Deleted: {subject[:20]}" in device.text
    device.press("Undo")
    assert _subject(device) == subject
    # Several, and everything that is found.
    device.open(path_at(device, "i")).follow("Menu").follow("Select")
    boxes = ticked_rows(device)[:2]
    device.tick(*boxes)
    if make is _phone:
        device.fill("do", "unread").press("OK")
    else:
        device.press("Unread")
    assert "2 messages marked as unread." in device.text
    device.press("Undo")
    # Searching, in all folders, in letters of any kind.
    for what, found in (
        ("ålesund", "Gjeste"),
        ("from:bob is:answered", "Regatta"),
        ("has:attachment", "ticket"),
    ):
        device.open(path_at(device, "q")).fill("q", what).fill("in", "all").press("Search")
        assert found in device.text, what
    # Views: what this server cannot do is not offered.
    device.open(path_at(device, "i")).follow("Menu").follow("View").fill("filter", "g").press("Show")
    assert "flagged only" in device.text
    assert "Quote: $1,250" in device.text
    # Writing: to the list, forwarding with its attachments, a draft, an answer to all.
    device.open(path_at(device, "i")).follow("Next").follow("Ruth A").follow("More").follow("More")
    device.follow("Reply to list").fill("text", "Me too.").press("Send")
    assert "Sent to" in device.text
    device.open(path_at(device, "i")).follow("Where the boat").follow("Forward")
    device.fill("to", "bob").fill("text", "See below.").press("Send")
    if "Sent to" not in device.text:
        device.press("Send")  # the person who is meant is offered
    assert "Sent to" in device.text
    device.open(path_at(device, "z")).follow("Drafts").follow("The light is back on")
    device.fill("text", "Dear Zoë,").press("Save")
    assert "Saved in Drafts." in device.text
