"""One mailbox of twelve messages for walks that change it, and another mail program that watches from outside.

Nothing here may know what a walk does. The other program has flagged one message \\Deleted: it stays to the end.
"""

from __future__ import annotations

import imaplib
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

from gateway.config import Server
from gateway.store.base import Mailbox
from gateway.store.imap import imap_store
from gateway.store.imap.imap_store import ImapStore
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import Transport, WmlPhone, XhtmlBrowser
from tests.servers.dovecot import Dovecot

ORIGIN = "http://pp.example:8080"
ME = "actor@example.net"
PASSWORD = "secret"
COUNT = 12
#: What another program has flagged \\Deleted.
THEIRS = "Number 2."


class Side:
    """Another mail program that looks at the same mailbox."""

    def __init__(self, dovecot: Dovecot) -> None:
        self.address = dovecot.host, dovecot.ports["imap"]
        self.client = imaplib.IMAP4(*self.address)
        self.client.login(ME, PASSWORD)

    def flags(self, mailbox: str = "INBOX") -> dict[str, str]:
        """Subject -> flags of all messages in a mailbox."""
        client = imaplib.IMAP4(*self.address)
        client.login(ME, PASSWORD)
        try:
            return self._flags(client, mailbox)
        finally:
            client.logout()

    def _flags(self, client: imaplib.IMAP4, mailbox: str) -> dict[str, str]:
        if client.select(f'"{mailbox}"', readonly=True)[1] == [b"0"]:
            return {}
        found: dict[str, str] = {}
        for item in client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
            if isinstance(item, tuple):
                subject = item[1].decode().partition(": ")[2].strip()
                assert subject not in found, f"{subject} is there twice"
                found[subject] = item[0].split(b"FLAGS (")[1].split(b")")[0].decode()
        return found

    def store(self, subject: str, flags: str, expunge: bool = False) -> None:
        self.client.select("INBOX")
        (number,) = self.client.uid("SEARCH", "SUBJECT", f'"{subject}"')[1][0].split()
        self.client.uid("STORE", number.decode(), "+FLAGS", flags)
        if expunge:
            self.client.uid("EXPUNGE", number.decode())

    def name(self, command: str, *names: str) -> None:
        assert getattr(self.client, command)(*names)[0] == "OK"


def mail(number: int) -> bytes:
    return (
        f"From: Bob <bob@example.net>\r\nTo: {ME}\r\nSubject: Number {number}.\r\n"
        f"Message-ID: <{number}@example.net>\r\nDate: Tue, 3 Nov 2026 14:{number:02}:00 +0100\r\n\r\n"
        f"This is message {number}.\r\n"
    ).encode()


class Upstreams:
    """The gateway's servers, with capabilities hidden as the test requires."""

    def __init__(self) -> None:
        self.hidden: frozenset[str] = frozenset()
        self.without: frozenset[str] = frozenset()

    def connect(self, server: Server, user: str, password: str) -> ImapStore:
        store = imap_store.connect(server, user, password)
        store._capabilities -= self.hidden
        listed = store._selection

        def selection(*arguments: Any, **options: Any) -> tuple[Mailbox, ...]:
            return tuple(one for one in listed(*arguments, **options) if one.name not in self.without)

        store._selection = selection  # type: ignore[method-assign]
        return store


HANDHELDS: dict[str, Callable[[Transport], Any]] = {
    "wml": lambda transport: WmlPhone(ORIGIN, transport, check_deck=check_deck),
    "xhtml": lambda transport: XhtmlBrowser(ORIGIN, transport, check_page=check_page),
}


def opened(device: Any, number: int) -> Any:
    """Sign in and open a message; costs count from there on."""
    device.sign_in(ME, PASSWORD)
    while not any(f"Number {number}." in label for label in device.links):
        device.follow("Next")
    device.follow(f"Number {number}.")
    assert f"This is message {number}." in device.text
    device.visited.clear()
    return device


def going_on(device: Any) -> Any:
    """Choose that the next message comes after one was deleted, and return to where the device was."""
    here = device.url
    device.fetch("GET", urljoin(here, "sd"))
    device.fill("after", "next").press("Save")
    assert "Saved." in device.text
    device.fetch("GET", here)
    device.visited.clear()
    return device


def buttons(device: Any) -> list[str]:
    """Name what can be pressed on a page, in order."""
    if isinstance(device, WmlPhone):
        return [(anchor.text or "").strip() for anchor in device.card.iter("anchor")]
    return [e.get("value") for e in device.page.iter("input") if e.get("type") == "submit"]
