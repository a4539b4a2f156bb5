"""The app under test with its handhelds, for the screens on which mail is written.

Nothing here may look at a mailbox through the app: what a test claims is checked from outside over IMAP.
"""

from __future__ import annotations

import email
import email.policy
import imaplib
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from gateway.app import create_app
from tests import rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import WmlPhone, XhtmlBrowser, in_process
from tests.matrix import one_of
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

ORIGIN = "http://pp.example:8080"
HANDHELDS = ("phone", "narrow", "browser", "plain_browser")
#: `make test` takes the one with the least room in each markup.
CLIENTS = one_of(HANDHELDS, "narrow", "browser")


class Office:
    """One gateway, with options as an administrator sets them; `imap`: another way to the mail store."""

    def __init__(self, dovecot: Dovecot, smtp: SmtpServer, folder: Path, **options: Any) -> None:
        self.dovecot, self.smtp = dovecot, smtp
        self.path = folder / "state.sqlite"
        self.closing = ExitStack()
        from_addresses = options.pop("from_addresses", "login")
        store = options.pop("imap", dovecot)
        upstream = rig.upstream(store, smtp, from_addresses=from_addresses)
        self.config = rig.config(upstream, **options)
        self.sessions = self.closing.enter_context(rig.sessions(self.config, self.path))
        self.transport = in_process(create_app(self.config, sessions=self.sessions))

    def phone(self, **more: Any) -> WmlPhone:
        return WmlPhone(ORIGIN, self.transport, check_deck=check_deck, **more)

    def narrow(self) -> WmlPhone:
        return self.phone(limit=996, headers={"X-WAP-Client-SDU-Size": "1000"})

    def browser(self) -> XhtmlBrowser:
        return XhtmlBrowser(ORIGIN, self.transport, check_page=check_page)

    def plain_browser(self) -> XhtmlBrowser:
        agent, accept = "Lynx/2.9", "text/html, */*;q=0.01"
        return XhtmlBrowser(
            ORIGIN, self.transport, check_page=check_page, cookies=False, agent=agent, accept=accept
        )

    def anew(self, *users: str) -> None:
        """Make users with empty mailboxes."""
        for user in users:
            shutil.rmtree(self.dovecot.home(user), ignore_errors=True)
            self.dovecot.user(user)

    @contextmanager
    def imap(self, user: str) -> Iterator[imaplib.IMAP4]:
        connection = imaplib.IMAP4(self.dovecot.host, self.dovecot.ports["imap"])
        connection.login(user, "secret")
        try:
            yield connection
        finally:
            connection.logout()

    def found(self, user: str, mailbox: str = "INBOX") -> list[EmailMessage]:
        """Return the messages of a mailbox that are not marked as deleted."""
        return [
            email.message_from_bytes(octets, policy=email.policy.default)
            for octets in self.raw(user, mailbox)
        ]  # type: ignore[misc]

    def raw(self, user: str, mailbox: str = "INBOX") -> list[bytes]:
        with self.imap(user) as connection:
            if connection.select(mailbox, readonly=True)[0] != "OK":
                return []
            numbers = connection.search(None, "UNDELETED")[1][0].split()
            return [connection.fetch(n.decode(), "(BODY.PEEK[])")[1][0][1] for n in numbers]  # type: ignore[index]

    def flags(self, user: str, mailbox: str = "INBOX") -> list[str]:
        with self.imap(user) as connection:
            connection.select(mailbox, readonly=True)
            numbers = connection.search(None, "UNDELETED")[1][0].split()
            return [connection.fetch(n.decode(), "(FLAGS)")[1][0].decode() for n in numbers]  # type: ignore[union-attr]

    def signed_in(self, device: Any, user: str) -> Any:
        return device.sign_in(user, "secret")


def mail(
    sender: str = "Bob <bob@example.net>", to: str = "me@example.net", subject: str = "Lunch", **more: str
) -> bytes:
    """Write a small mail; `head`: further header lines, `text`: its text."""
    head = more.get("head", "")
    return (
        f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{subject.split()[0]}@example.org>\r\n"
        f"Date: Tue, 3 Nov 2026 14:05:00 +0100\r\n{head}MIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{more.get('text', 'Shall we?')}\r\n"
    ).encode()


def path_of(device: Any) -> str:
    """Return the last piece of a device's current address."""
    return str(device.url.rpartition("/")[2].partition("?")[0])


def at(device: Any, path: str) -> Any:
    """Go to a page of the session that a device is in."""
    device.fetch("GET", device.url.rpartition("/")[0] + "/" + path)
    return device


def specs(header: Any) -> list[str]:
    """List the addr-specs of a header of recipients."""
    return [one.addr_spec for one in header.addresses] if header is not None else []
