"""A person's whole job on every mail store, going by what is on the screens: read, write, file, find, sign out.

On a strict WAP phone and on a small browser; the result of each step is examined by another mail program. What a store
does differently from the others, or not at all, is the row of `docs/protocols.md` that is compared at the end. A store
whose programs are not installed is skipped by name.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from gateway.access.sessions import Sessions
from gateway.app import create_app
from gateway.store.pool import Pool
from tests import PATIENCE, rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import WmlPhone, XhtmlBrowser, in_process
from tests.matrix import delivered_mail
from tests.matrix.mail_stores import MAIL_STORES, MailStore, Running
from tests.matrix.side import PASSWORD, Side
from tests.servers import maildir
from tests.servers.smtp import SmtpServer

pytestmark = pytest.mark.matrix

ORIGIN = "http://pp.example:8080"
DOCUMENT = Path(__file__).parents[2] / "docs" / "protocols.md"
CLIENTS = {"wml": (WmlPhone, check_deck), "xhtml": (XhtmlBrowser, check_page)}
#: Plain messages below those that are used.
OTHERS = 12
PAGES = 40
FOLDER, RENAMED = "Tom & Jérôme 日本", "Größe & Öl"


@dataclass(frozen=True)
class Site:
    """A mail store with the servers around it."""

    name: str
    kind: MailStore
    running: Running
    smtp: SmtpServer

    def side(self, user: str) -> Side:
        return Side(self.running.side, user)


def _users(client: str) -> tuple[str, str]:
    return f"{client}@example.net", f"{client}.bob@example.net"


@pytest.fixture(scope="module", params=MAIL_STORES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    kind = MAIL_STORES[request.param]
    users = [user for client in CLIENTS for user in _users(client)]
    for running in kind.run(users):
        smtp = SmtpServer(tmp_path_factory.mktemp("smtp"), partial(_deliver, running.side)).start()
        try:
            yield Site(request.param, kind, running, smtp)
        finally:
            smtp.stop()


def _deliver(port: int, user: str, octets: bytes) -> None:
    Side(port, user).put(octets)


@dataclass
class Walk:
    """One person with one handheld; `row`: what the document says about this store."""

    site: Site
    device: Any
    pool: Pool
    me: str
    bob: str
    row: dict[str, str] = field(default_factory=dict)

    @property
    def side(self) -> Side:
        """Look from outside, once the gateway has left if the store keeps something for it alone."""
        end = time.monotonic() + PATIENCE
        while self.site.kind.keeps_flags and self.pool.open_connections:
            assert time.monotonic() < end
            time.sleep(0.02)
        return self.site.side(self.me)

    def named(self, *path: str) -> str:
        """Return the name of a mailbox on the server."""
        return self.site.kind.prefix + self.site.kind.separator.join(path)

    def prepare(self) -> None:
        """Deliver the mail, and make what another program has made in such an account: a Trash."""
        self.side.create(self.named("Trash"))
        for number in range(1, OTHERS + 1):
            self.side.put(maildir.message(number))
        for octets in delivered_mail.to(self.me, self.bob):
            self.side.put(octets)

    def at(self, path: str) -> Any:
        """Go to a page of the session."""
        found = re.match(r"https?://[^/]+/(?:~[^/]+/)?", self.device.url)
        assert found
        return self.device.open(found[0] + path)

    def octets(self, label: str) -> bytes:
        """Download what a link leads to."""
        device = self.device
        headers = {"User-Agent": device.agent, "Accept": "*/*"}
        if getattr(device, "jar", None):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in device.jar.items())
        answer = device.transport("GET", urljoin(device.url, device.links[label]), headers, b"")
        return bytes(answer.body)

    # -- the job

    def reads(self) -> None:
        device, count = self.device, OTHERS + 5
        device.sign_in(self.me, PASSWORD)
        assert device.title.startswith("Inbox"), device.text
        assert f"of {count}" in device.text, device.text
        first = device.text
        device.follow("Next")
        assert device.text != first
        device.follow("Prev").follow("Letter $5")
        assert "Pay $(user) now." in device.text
        for _page in range(PAGES):
            if "Next" not in device.links:
                break
            device.follow("Next")
        assert "Sentence 119 of" in device.text
        device.follow("Inbox").follow("Webpage")
        assert "old lighthouse & its keeper." in re.sub(r"\s+", " ", device.text)
        assert "\\Seen" in self.side.flags("Webpage")
        device.follow("Inbox").follow("Papers").follow("Attachments").follow("notes.txt")
        assert "Words in a file, да." in device.text
        device.follow("Attachments").follow("données.bin")
        assert self.octets("Original") == delivered_mail.FILE

    def answers(self) -> None:
        device = self.at("i").follow("Letter $5").follow("Reply")
        device.fill("text", "Grüße, 5 $ & 3 < 4").press("Send")
        assert "Sent to" in device.text, device.text
        (arrived,) = self.site.side(self.bob).messages()
        said = arrived.message.get_content().replace("\r\n", "\n").replace(" \n", " ")
        assert said.startswith("Grüße, 5 $ & 3 < 4"), said[:200]
        assert "> Pay $(user) now." in said
        assert arrived.message["In-Reply-To"] == "<Letter@example.org>"
        (kept,) = self.side.messages(self.named("Sent"))
        assert kept.message["Message-ID"] == arrived.message["Message-ID"]
        self.row["copies keep flags"] = "yes" if "\\Seen" in kept.flags else "no"
        assert "\\Answered" in self.side.flags("Letter $5")
        assert self.side.messages(self.named("Drafts")) == []
        self.row["copies in"] = self.named("Sent")

    def drafts(self) -> None:
        device = self.at("c")
        device.fill("to", self.bob).fill("subject", "Entwurf").fill("text", "Noch nicht").press("Save")
        assert "Saved in Drafts." in device.text, device.text
        (draft,) = self.side.messages(self.named("Drafts"))
        assert (draft.subject, draft.message["To"]) == ("Entwurf", self.bob)
        assert ("\\Draft" in draft.flags) == (self.row["copies keep flags"] == "yes")
        device = self.at("z").follow("Drafts").follow("Entwurf")
        device.fill("text", "Jetzt fertig.").press("Send")
        assert "Sent to" in device.text, device.text
        assert self.site.side(self.bob).subjects() == ["Re: Letter $5", "Entwurf"]
        assert self.side.subjects(self.named("Sent")) == ["Re: Letter $5", "Entwurf"]
        assert self.side.messages(self.named("Drafts")) == []

    def files(self) -> None:
        device = self.at("i").follow("Papers").follow("More").press("Flag")
        assert "Flagged." in device.text
        assert "\\Flagged" in self.side.flags("Papers")
        before = sorted(self.side.subjects())
        device = self.at("i").follow("Rubbish").press("Delete")
        assert re.search("Deleted: Rubbish|marked as deleted: Rubbish", device.text), device.text
        assert self.side.subjects(self.named("Trash")) == ["Rubbish"]
        assert "Rubbish" not in self.side.subjects()
        if "Undo" in _keys(device):
            device.press("Undo")
            assert "Undone." in device.text, device.text
            assert sorted(self.side.subjects()) == before
            assert self.side.subjects(self.named("Trash")) == []
            self.at("i").follow("Rubbish").press("Delete")
            assert self.side.subjects(self.named("Trash")) == ["Rubbish"]
        self.row["undo"] = "yes" if "Undo" in _keys(device) else "not offered"
        stays = "Rubbish" in self.at("i").text
        self.row["deleted mail"] = "moved" if not stays else "copied, then marked"
        assert stays == ("(deleted)" in device.text)

    def folders(self) -> None:
        device = self.at("z").follow("Change folders").follow("New folder")
        device.fill("name", self.site.kind.separator.join("ab")).press("Create")
        assert f"A name cannot contain {self.site.kind.separator}" in device.text
        device.fill("name", FOLDER).press("Create")
        assert "Created." in device.text, device.text
        assert self.named(FOLDER) in self.side.mailboxes()
        device = self.at("i").follow("Umzug").follow("More").follow("Move").press(FOLDER)
        assert f"Moved to {FOLDER}: Umzug" in device.text, device.text
        assert self.side.subjects(self.named(FOLDER)) == ["Umzug & Grüße"]
        assert "Umzug & Grüße" not in self.side.subjects()
        device = self.at("z").follow(FOLDER).follow("Umzug")
        assert "Wir ziehen um." in device.text
        device = self.at("ze").follow(FOLDER).follow("Rename").fill("name", RENAMED).press("Rename")
        assert "Renamed." in device.text, device.text
        assert self.side.subjects(self.named(RENAMED)) == ["Umzug & Grüße"]
        assert self.named(FOLDER) not in self.side.mailboxes()
        self.row["folders in folders"] = "yes" if "New folder here" in device.links else "no"
        if "New folder here" in device.links:
            device.follow("New folder here").fill("name", "Unten").press("Create")
            assert "Created." in device.text, device.text
            assert self.named(RENAMED, "Unten") in self.side.mailboxes()
            device.follow("Delete").press("Delete")
            assert "Deleted." in device.text, device.text
            assert self.named(RENAMED, "Unten") not in self.side.mailboxes()

    def finds(self) -> None:
        device = self.at("i").follow("Menu").follow("Search").fill("q", "grüße").fill("in", "all")
        device.press("Search")
        assert "Umzug" in device.text, device.text
        assert "Papers" not in device.text
        device.follow("Umzug")
        assert "Wir ziehen um." in device.text
        device = self.at("i").follow("Menu").follow("Search").fill("q", "subject:webpage").fill("in", "here")
        device.press("Search")
        assert "Webpage" in device.text, device.text
        device = self.at("i").follow("Menu").follow("View")
        orders = _options(device)
        self.row["orders"] = "all" if "Subject" in orders else "arrival"
        self.row["threads"] = "yes" if "Threads" in orders else "no"
        if "Subject" in orders:
            device.fill("order", "subject").press("Show")
            assert "by subject" in device.text, device.text
            rows = [label.partition(": ")[2] for label in device.links if ": " in label]
            assert rows == sorted(rows), rows
            assert rows[0] == "Letter $5"
            device.follow("Menu").follow("View").fill("order", "arrival").press("Show")
            assert "Webpage" in device.text
        if "Threads" in orders:
            device.follow("Menu").follow("View").fill("order", "threads").press("Show")
            assert f"of {OTHERS + 3}, threads" in device.text, device.text
            device.follow("Menu").follow("View").fill("order", "arrival").press("Show")

    def leaves(self) -> None:
        device = self.at("ze").follow(RENAMED).follow("Delete").press("Delete")
        assert "Deleted." in device.text, device.text
        assert self.named(RENAMED) not in self.side.mailboxes()
        device.follow("Menu").follow("Sign out")
        assert "You are signed out." in device.text
        # Everything is where it must be, once.
        others = [f"Message number {n}: what a small message is about" for n in range(1, OTHERS + 1)]
        assert sorted(self.side.subjects()) == sorted([*others, "Letter $5", "Papers", "Webpage"])
        expected = {"INBOX", *map(self.named, ("Sent", "Trash", "Drafts"))}
        assert expected <= self.side.mailboxes()
        assert self.side.mailboxes() - expected <= {self.named("Junk")}


def documented(name: str) -> dict[str, str]:
    """Return a store's row of the document, by the headings of its columns."""
    section = DOCUMENT.read_text("utf-8").partition("\n## Mail stores\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    heads, *others = [[cell.strip() for cell in row] for row in rows]
    (found,) = (row for row in others if row[0] == name)
    return dict(zip(heads[1:], found[1:], strict=True))


def _keys(device: Any) -> set[str]:
    """Return the labels of what can be pressed."""
    if isinstance(device, WmlPhone):
        return {
            element.get("label") or "".join(element.itertext()).strip()
            for element in device.card.iter("do", "anchor")
        }
    return {element.get("value") for element in device.page.iter("input") if element.get("type") == "submit"}


def _options(device: Any) -> set[str]:
    """Return the labels of all options of all selects."""
    root = device.card if isinstance(device, WmlPhone) else device.page
    return {"".join(option.itertext()).strip() for option in root.iter("option")}


@contextmanager
def _walk(site: Site, client: str, folder: Path) -> Iterator[Walk]:
    made, check = CLIENTS[client]
    me, bob = _users(client)
    config = rig.config(rig.upstream(site.running.server, site.smtp))
    pool = Pool(idle_seconds=0.05) if site.kind.keeps_flags else Pool()
    with rig.state(folder / "state.sqlite") as state, closing(pool):
        app = create_app(config, sessions=Sessions(config, state, rig.SECRET, pool))
        options = {"check_deck" if made is WmlPhone else "check_page": check}
        yield Walk(site, made(ORIGIN, in_process(app), **options), pool, me, bob)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_whole_job(site: Site, client: str, tmp_path: Path) -> None:
    with _walk(site, client, tmp_path) as walk:
        walk.prepare()
        walk.reads()
        walk.answers()
        walk.drafts()
        walk.files()
        walk.folders()
        walk.finds()
        walk.leaves()
    said = documented(site.name)
    assert said == walk.row, " | ".join([site.name, *(walk.row.get(head, "") for head in said)])
