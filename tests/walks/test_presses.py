"""What each thing costs in presses, counted on strict phones in both markups; docs/pages.md says the same.

A press is a key, a softkey, or a link that is opened; typing is not counted, nor is moving to a link on phones without
access keys (WML 1.1). On all others every press counted here must be a key of its own on that page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from tests.devices.phones import Refused, WmlPhone, label_of
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.office import Office, mail

ME, BOB, CAROL = "pme@example.net", "pbob@example.net", "pcarol@example.net"
DOCS = Path(__file__).parents[2] / "docs" / "pages.md"
#: Further mail, so that the list has pages, and when its first message came.
OLD, EARLIER = 12, 1_700_000_000
#: More than fits a page on any device here.
LONG = "".join(f"Sentence {n} of a long mail that has pages.\r\n\r\n" for n in range(200))


class Keypad:
    """A phone on which presses are counted; `keys`: each of them must be an access key or a softkey."""

    def __init__(self, device: Any, keys: bool) -> None:
        self.device, self.keys, self.presses = device, keys, 0

    def press(self, label: str) -> None:
        """Press what has this label, or whose label contains it."""
        self.presses += 1
        found = self._find(label)
        assert found, f"no {label!r}: {[name for name, _, _ in self._reachable()]}"
        name, key, act = found
        if self.keys:
            assert key, f"{name!r} has no key"
        held = [each for _name, each, _act in self._reachable() if each and each != "softkey"]
        assert len(held) == len(set(held)), f"two things on one key: {held}"
        act(name)

    def type(self, field: str, words: str) -> None:
        """Type into a field, which is not counted."""
        self.device.fill(field, words)

    def _find(self, label: str) -> tuple[str, str, Callable[[str], Any]] | None:
        reachable = self._reachable()
        exact = [one for one in reachable if one[0] == label]
        return next(iter(exact or [one for one in reachable if label in one[0]]), None)

    def _reachable(self) -> list[tuple[str, str, Callable[[str], Any]]]:
        """List what can be pressed: label, key ("" for none), and how."""
        device = self.device
        if isinstance(device, WmlPhone):
            shown = [(do.get("label"), "softkey", device.press) for do in device.card.findall("do")]
            for element in device.card.iter("a", "anchor"):
                way = device.follow if element.tag == "a" else device.press
                words = "".join(element.itertext()) if element.tag == "a" else element.text or ""
                shown.append((device._plain(words).strip(), element.get("accesskey", ""), way))
            return shown
        shown = []
        for element in device.page.iter("a", "input", "textarea", "label"):
            key = element.get("accesskey", "")
            if element.tag == "a":
                shown.append((label_of(element), key, device.follow))
            elif element.get("type") == "submit":
                shown.append((element.get("value"), key, device.press))
            elif key:
                shown.append((f"<{element.get('name')}>", key, _cannot_be_pressed))
        return shown


def _cannot_be_pressed(name: str) -> None:
    raise Refused(f"{name} is a field")


DEVICES: dict[str, tuple[Callable[[Office], Any], bool]] = {
    "wml 1.1": (lambda office: office.phone(), False),
    "wml 1.2": (lambda office: office.phone(agent="Nokia6610/1.0 (4.18)", limit=5600), True),
    "xhtml": (lambda office: office.browser(), True),
}


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, BOB)
    made_of_two = EmailMessage()
    made_of_two["From"], made_of_two["To"], made_of_two["Subject"] = BOB, ME, "Oldest"
    made_of_two.set_content("See the file.")
    made_of_two.add_attachment("A line of the file.\n", filename="notes.txt")
    dovecot.deliver(ME, made_of_two.as_bytes(policy=SMTP))
    for subject in ("Older", "Newest"):
        cc = f"Cc: {CAROL}\r\n" if subject == "Older" else ""
        dovecot.deliver(
            ME, mail(f"Bob <{BOB}>", ME, subject, text=LONG if subject == "Newest" else "Hello.", head=cc)
        )
    maildir.fill(dovecot.maildir(ME), OLD, first_second=EARLIER)
    with made.imap(ME) as connection:
        connection.create("Archive")
    yield made
    made.closing.close()


@dataclass(frozen=True)
class Row:
    """One thing to do: from which page it is counted, what it costs, and what is seen when it is done."""

    what: str
    presses: int
    start: Callable[[Any], Any]
    do: Callable[[Keypad], None]
    done: Callable[[Any, Office], bool]


def _sign_in_page(device: Any) -> Any:
    return device.open("/")


def _inbox(device: Any) -> Any:
    return device.sign_in(ME, "secret")


def _newest(device: Any) -> Any:
    return _inbox(device).follow("Newest")


def _drafts(device: Any) -> Any:
    """A mail has been begun."""
    _inbox(device).open(_path(device, "c")).fill("to", f"Bob <{BOB}>").fill("subject", "Half").fill(
        "text", "Well."
    )
    device.press("Save and close")
    return device.open(_path(device, "z")).follow("Drafts")


def _older(device: Any) -> Any:
    return _inbox(device).follow("Older")


def _oldest(device: Any) -> Any:
    return _inbox(device).follow("Oldest")


def _found(device: Any) -> Any:
    """The results of a search."""
    return _inbox(device).follow("Search").fill("q", "subject:older").press("Search")


def _search_again(keypad: Keypad) -> None:
    keypad.press("Search again")
    keypad.type("q", "subject:newest")
    keypad.press("Search")


def _known(device: Any) -> Any:
    """Bob has been written to."""
    _newest(device).follow("Reply").fill("text", "Once.").press("Send")
    return device.follow("Inbox")


def _moved_once(device: Any) -> Any:
    """Something has been moved to Archive."""
    _older(device).follow("More").follow("Move").press("Archive")
    return device.open(_path(device, "i")).follow("Newest")


def _with_contact(device: Any) -> Any:
    _inbox(device).open(_path(device, "tn")).fill("name", "Bob").fill("mail", BOB).press("Save")
    return device.open(_path(device, "i"))


def _path(device: Any, name: str) -> str:
    path = re.match(r"https?://[^/]+(/(?:~[^/]+/)?)", device.url)
    assert path
    return path[1] + name


def _sequence(*labels: str) -> Callable[[Keypad], None]:
    def do(keypad: Keypad) -> None:
        for label in labels:
            keypad.press(label)

    return do


def _from_the_bookmark(keypad: Keypad) -> None:
    keypad.type("user", ME)
    keypad.type("password", "secret")
    keypad.press("Sign in")
    keypad.press("Newest")


def _reply(*ways: str) -> Callable[[Keypad], None]:
    def do(keypad: Keypad) -> None:
        for way in ways:
            keypad.press(way)
        keypad.type("text", "Yes.")
        keypad.press("Send")

    return do


def _forward(keypad: Keypad) -> None:
    keypad.press("Forward")
    keypad.type("to", BOB)
    keypad.press("Send")


def _write(keypad: Keypad) -> None:
    keypad.press("Menu")
    keypad.press("Write")
    keypad.type("to", "pb")
    keypad.type("subject", "Hello")
    keypad.type("text", "Hello.")
    keypad.press("Send")
    assert "Choose the right person" in keypad.device.text
    keypad.press("Send")


def _write_from_contacts(keypad: Keypad) -> None:
    for label in ("Menu", "Contacts", "Bob", "Write"):
        keypad.press(label)
    keypad.type("subject", "Hello")
    keypad.type("text", "Hello.")
    keypad.press("Send")


def _search(keypad: Keypad) -> None:
    keypad.press("Menu")
    keypad.press("Search")
    keypad.type("q", "subject:older")
    keypad.press("Search")
    keypad.press("Older")


def _deleted(device: Any) -> Any:
    return _newest(device).press("Delete")


def _sent(subject: str) -> Callable[[Any, Office], bool]:
    def done(device: Any, office: Office) -> bool:
        return "Sent to" in device.text and subject in [found["Subject"] for found in office.found(BOB)]

    return done


def _subjects(office: Office, mailbox: str = "INBOX") -> list[str]:
    return [found["Subject"] for found in office.found(ME, mailbox)]


ROWS = (
    Row(
        "the newest mail, from the sign-in page",
        2,
        _sign_in_page,
        _from_the_bookmark,
        lambda device, office: "Sentence 1 of" in device.text,
    ),
    Row(
        "the newest mail, from a bookmark of the inbox",
        1,
        _inbox,
        _sequence("Newest"),
        lambda device, office: "Sentence 1 of" in device.text,
    ),
    Row(
        "the next page of a message",
        1,
        _newest,
        _sequence("Next"),
        lambda device, office: re.search(r"\b2/", device.text) is not None,
    ),
    Row(
        "the next page of a list",
        1,
        _inbox,
        _sequence("Next"),
        lambda device, office: f"of {OLD + 3}" in device.text and "Newest" not in device.text,
    ),
    Row(
        "a quick reply, from the message",
        2,
        _newest,
        _sequence("Quick reply", "Yes."),
        _sent("Re: Newest"),
    ),
    Row("continuing a draft, from Drafts", 2, _drafts, _sequence("Half", "Send"), _sent("Half")),
    Row("a reply", 2, _newest, _reply("Reply"), _sent("Re: Newest")),
    Row("a reply to all", 2, _older, _reply("Reply all"), _sent("Re: Older")),
    Row("forwarding", 2, _newest, _forward, _sent("Fwd: Newest")),
    Row(
        "deleting a message",
        1,
        _newest,
        _sequence("Delete"),
        lambda device, office: "Deleted: Newest" in device.text and _subjects(office)[-1] == "Older",
    ),
    Row(
        "archiving a message",
        1,
        _newest,
        _sequence("Archive"),
        lambda device, office: (
            "Archived: Newest" in device.text and _subjects(office, "Archive") == ["Newest"]
        ),
    ),
    Row(
        "taking that back",
        1,
        _deleted,
        _sequence("Undo"),
        lambda device, office: "Newest" in _subjects(office) and "Undone." in device.text,
    ),
    Row(
        "the message after this one",
        1,
        _newest,
        _sequence("Next message"),
        lambda device, office: "Hello." in device.text,
    ),
    Row(
        "the next unread message",
        3,
        _newest,
        _sequence("More", "More", "Next unread"),
        lambda device, office: "Hello." in device.text,
    ),
    Row(
        "flagging",
        2,
        _newest,
        _sequence("More", "Flag"),
        lambda device, office: "\\Flagged" in office.flags(ME)[-1],
    ),
    Row(
        "marking as unread",
        2,
        _newest,
        _sequence("More", "Unread"),
        lambda device, office: "\\Seen" not in office.flags(ME)[-1],
    ),
    Row(
        "moving to the folder used last",
        3,
        _moved_once,
        _sequence("More", "Move", "Archive"),
        lambda device, office: sorted(_subjects(office, "Archive")) == ["Newest", "Older"],
    ),
    Row("writing to somebody known, by first letters, from a list", 4, _known, _write, _sent("Hello")),
    Row(
        "writing to somebody in the address book, from a list",
        5,
        _with_contact,
        _write_from_contacts,
        _sent("Hello"),
    ),
    Row(
        "searching from a list, and opening what was found",
        4,
        _inbox,
        _search,
        lambda device, office: "Hello." in device.text,
    ),
    Row(
        "searching again, from what was found",
        2,
        _found,
        _search_again,
        lambda device, office: "Newest" in device.text and "Older" not in device.text,
    ),
    Row(
        "the only attachment of a message",
        1,
        _oldest,
        _sequence("Attachments"),
        lambda device, office: "A line of the file." in device.text,
    ),
    Row(
        "fetching a list anew",
        1,
        _inbox,
        _sequence("Refresh"),
        lambda device, office: "Newest" in device.text,
    ),
    Row(
        "another folder, from a list",
        3,
        _inbox,
        _sequence("Menu", "Folders", "Sent"),
        lambda device, office: device.title.startswith("Sent"),
    ),
)


@pytest.mark.parametrize("kind", DEVICES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_each_thing_costs_as_many_presses_as_documented(office: Office, kind: str, row: Row) -> None:
    make, keys = DEVICES[kind]
    keypad = Keypad(row.start(make(office)), keys)
    row.do(keypad)
    assert row.done(keypad.device, office), keypad.device.text
    assert keypad.presses == row.presses


def test_the_docs_say_the_same() -> None:
    section = DOCS.read_text("utf-8").partition("## Presses")[2].partition("\n## ")[0]
    told = dict(re.findall(r"^\| (\w[^|]*) \| (\d+) \|$", section, re.MULTILINE))
    assert told == {row.what: str(row.presses) for row in ROWS}


def test_without_access_keys_what_matters_most_is_on_the_accept_key(office: Office) -> None:
    def accept() -> list[str]:
        return [do.get("label") for do in phone.card.findall("do") if do.get("type") == "accept"]

    phone = office.phone().open("/")
    assert accept() == ["Sign in"]
    _inbox(phone)
    assert "Newest" in next(iter(phone.links))
    assert accept() == ["Next"]
    _newest(phone)
    assert accept() == ["Next"]
    _older(phone)
    assert accept() == ["Reply"]
    phone.follow("Reply")
    assert accept() == ["Send"]
