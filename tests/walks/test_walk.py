"""The main job, end to end: sign in, inbox, next page, message to its end, reply; then the recipient's mailbox.

Against a real Dovecot and a real SMTP server that demands AUTH and STARTTLS, as a strict WAP phone and as a small
XHTML browser, with mailboxes of 100 and 100,000 messages, and with the gateway restarted in the middle.
"""

from __future__ import annotations

import email
import email.policy
import imaplib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Config
from tests import rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import Refused, Transport, WmlPhone, XhtmlBrowser, in_process
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

ORIGIN = "http://pp.example:8080"
LONG = "The quick brown fox jumps over the lazy dog, for the %d. time today. "
LONG_TEXT = "".join(LONG % n for n in range(1, 301))
PAGES = 60
#: Before the mail that `deliver` writes: the special message is the newest.
EARLIER = 1_700_000_000


@dataclass
class Gateway:
    """The app under test, which can be restarted: everything but state and secret is made again."""

    config: Config
    state_path: Path
    closing: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.closing.close()
        app = self.closing.enter_context(rig.app(self.config, self.state_path))
        self.client = in_process(app)

    @property
    def transport(self) -> Transport:
        return lambda *request: self.client(*request)


@pytest.fixture
def gateway(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(rig.config(rig.upstream(dovecot, smtp_server)), tmp_path / "state.sqlite")
    yield made
    made.closing.close()


def _phone(gateway: Gateway) -> WmlPhone:
    return WmlPhone(ORIGIN, gateway.transport, check_deck=check_deck)


def _browser(gateway: Gateway) -> XhtmlBrowser:
    return XhtmlBrowser(ORIGIN, gateway.transport, check_page=check_page)


def _plain_browser(gateway: Gateway) -> XhtmlBrowser:
    return XhtmlBrowser(
        ORIGIN,
        gateway.transport,
        check_page=check_page,
        cookies=False,
        agent="Lynx/2.9",
        accept="text/html, */*;q=0.01",
    )


HANDHELDS = {"wml": _phone, "xhtml": _browser, "xhtml without cookies": _plain_browser}
Handheld = Callable[[Gateway], Any]


@pytest.fixture(params=HANDHELDS)
def handheld(request: pytest.FixtureRequest) -> Handheld:
    return HANDHELDS[request.param]


def _anew(dovecot: Dovecot, user: str) -> None:
    """Make a user with an empty mailbox."""
    shutil.rmtree(dovecot.home(user), ignore_errors=True)
    dovecot.user(user)


def _imap(dovecot: Dovecot, user: str, password: str = "secret") -> imaplib.IMAP4:
    connection = imaplib.IMAP4(dovecot.host, dovecot.ports["imap"])
    connection.login(user, password)
    return connection


def _found(dovecot: Dovecot, user: str, mailbox: str) -> list[email.message.EmailMessage]:
    connection = _imap(dovecot, user)
    try:
        connection.select(mailbox, readonly=True)
        numbers = connection.search(None, "ALL")[1][0].split()
        return [
            email.message_from_bytes(
                connection.fetch(n.decode(), "(RFC822)")[1][0][1], policy=email.policy.default
            )
            for n in numbers
        ]
    finally:
        connection.logout()


def _flags(dovecot: Dovecot, user: str, number: int) -> bytes:
    connection = _imap(dovecot, user)
    try:
        connection.select("INBOX", readonly=True)
        return connection.fetch(str(number), "(FLAGS)")[1][0]
    finally:
        connection.logout()


def _long_mail(to: str, sender: str = "bob@example.net") -> bytes:
    return (
        f"From: Bob <{sender}>\r\nTo: {to}\r\nSubject: Costs $5 & more\r\nMessage-ID: <orig@example.net>\r\n"
        "References: <root@example.net>\r\nDate: Tue, 3 Nov 2026 14:05:00 +0100\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8; format=flowed\r\n\r\nPay $(user) now.\r\n\r\n"
        + LONG_TEXT
        + "\r\n"
    ).encode()


def _read_to_the_end(handheld: Any) -> str:
    """Page through a message by Next, checking the numbers; return its words."""
    words = []
    for number in range(1, PAGES):
        words.append(handheld.text)
        pages = re.search(r"(\d+)/(\d+|…)", handheld.text)
        if number > 1 or "Next" in handheld.links:
            assert pages, handheld.text
            assert int(pages[1]) == number
        if "Next" not in handheld.links:
            assert pages is None or int(pages[2]) == number
            return "\n".join(words)
        handheld.follow("Next")
    raise AssertionError("no last page")


def _walk(
    device: Any, gateway: Gateway, dovecot: Dovecot, me: str, count: int, restart: bool = False
) -> None:
    device.sign_in(me, "secret")
    assert device.title.startswith("Inbox")
    assert f"of {count:,}" in device.text
    first_page = device.text
    device.follow("Next")
    assert device.text != first_page
    device.follow("Prev")
    if restart:
        gateway.restart()
    device.follow("Costs $5 & more")
    words = _read_to_the_end(device)
    assert "Pay $(user) now." in words
    for number in (1, 150, 300):
        assert re.search(rf"\s{number}\.", words.replace("\n", " ")), number
    if restart:
        gateway.restart()
    device.follow("Prev")
    device.follow("Reply")
    device.fill("text", "Grüße, 5 $ & 3 < 4 да").press("Send")
    assert "Sent to" in device.text
    device.follow("Inbox")


@pytest.mark.parametrize("restart", [False, True], ids=["", "restarted"])
def test_walk_with_100_messages(
    gateway: Gateway, handheld: Handheld, dovecot: Dovecot, smtp_server: SmtpServer, restart: bool
) -> None:
    me, bob = "walker@example.net", "bob@example.net"
    for user in (me, bob):
        _anew(dovecot, user)
    maildir.fill(dovecot.maildir(me), 99, first_second=EARLIER)
    dovecot.deliver(me, _long_mail(me))
    _walk(handheld(gateway), gateway, dovecot, me, 100, restart)
    arrived = _found(dovecot, bob, "INBOX")
    kept = _found(dovecot, me, "Sent")
    assert [m["Subject"] for m in arrived] == [m["Subject"] for m in kept] == ["Re: Costs $5 & more"]
    answer = arrived[0]
    assert answer["From"].addresses[0].addr_spec == me
    assert answer["To"].addresses[0].addr_spec == bob
    assert answer["In-Reply-To"] == "<orig@example.net>"
    assert answer["References"].split() == ["<root@example.net>", "<orig@example.net>"]
    assert answer["Message-ID"].endswith("@example.net>")
    assert answer["Message-ID"] == kept[0]["Message-ID"]
    assert answer["Date"].datetime.utcoffset() is not None
    text = answer.get_content()
    assert text.startswith("Grüße, 5 $ & 3 < 4 да")
    assert "> Pay $(user) now." in text
    assert len(text) < 12 * 1024
    assert b"\\Answered" in _flags(dovecot, me, 100)
    assert b"\\Seen" in _flags(dovecot, me, 100)


def test_walk_with_100_000_messages(gateway: Gateway, dovecot: Dovecot) -> None:
    me = "big@example.net"
    _anew(dovecot, me)
    _anew(dovecot, "bob@example.net")
    maildir.fill(dovecot.maildir(me), 99_999, first_second=EARLIER)
    dovecot.deliver(me, _long_mail(me))
    for make in HANDHELDS.values():
        device = make(gateway)
        device.sign_in(me, "secret")
        assert "of 100,000" in device.text
        device.follow("Costs $5 & more")
        _read_to_the_end(device)
        device.follow("Inbox").follow("Next")
        assert "–" in device.text


def test_a_wrong_password_keeps_the_address_and_says_so(
    gateway: Gateway, handheld: Handheld, dovecot: Dovecot
) -> None:
    me = dovecot.user("typo@example.net")
    device = handheld(gateway)
    device.sign_in(me, "wrong")
    assert "Wrong address or password." in device.text
    assert b'value="typo@example.net"' in device.answer.body
    assert b"wrong" not in device.answer.body.replace(b"Wrong", b"")
    assert device.answer.headers["cache-control"] == "no-store"
    device.fill("user", "someone@elsewhere.example").fill("password", "x").press("Sign in")
    assert "does not serve" in device.text
    device.fill("user", "typo").fill("password", "secret").press("Sign in")
    assert "No messages here." in device.text


def test_signing_out_ends_the_session(gateway: Gateway, handheld: Handheld, dovecot: Dovecot) -> None:
    me = dovecot.user("leaver@example.net")
    device = handheld(gateway)
    device.sign_in(me, "secret")
    inbox = device.url
    device.follow("Menu").follow("Sign out")
    assert "You are signed out." in device.text
    device.fetch("GET", inbox)
    assert device.title == "Pocketpost"


def test_a_repeated_post_sends_nothing_twice(gateway: Gateway, handheld: Handheld, dovecot: Dovecot) -> None:
    me, bob = "twice@example.net", "bob@example.net"
    for user in (me, bob):
        _anew(dovecot, user)
    dovecot.deliver(me, _long_mail(me))
    device = handheld(gateway)
    device.sign_in(me, "secret").follow("Costs $5 & more").follow("Reply")
    device.fill("text", "Once.").press("Send")
    assert "Sent to" in device.text
    device.fetch("POST", *device.posted)
    assert "Sent to" in device.text
    assert len(_found(dovecot, bob, "INBOX")) == 1
    assert len(_found(dovecot, me, "Sent")) == 1


def test_a_failed_submission_gives_the_text_back(
    gateway: Gateway, handheld: Handheld, dovecot: Dovecot, smtp_server: SmtpServer
) -> None:
    me, bob = "unlucky@example.net", "bob@example.net"
    for user in (me, bob):
        _anew(dovecot, user)
    dovecot.deliver(me, _long_mail(me))
    device = handheld(gateway)
    device.sign_in(me, "secret").follow("Costs $5 & more").follow("Reply")
    smtp_server.stop()
    try:
        device.fill("text", "Kept, $5 & <all>.").press("Send")
    finally:
        smtp_server.start()
    assert "Not sent." in device.text
    device.press("Send")
    assert "Sent to" in device.text
    assert _found(dovecot, bob, "INBOX")[0].get_content().startswith("Kept, $5 & <all>.")


def test_a_ticket_of_another_session_changes_nothing(gateway: Gateway, dovecot: Dovecot) -> None:
    me = "ticket@example.net"
    _anew(dovecot, me)
    dovecot.deliver(me, _long_mail(me))
    device = _plain_browser(gateway)
    device.sign_in(me, "secret").follow("Costs $5 & more").follow("Reply")
    device.fill("text", "Hello").fill("ticket", "A" * 20).press("Send")
    assert "Sent to" not in device.text
    assert "Hello" in device.page.find(".//textarea").text
    assert _found(dovecot, me, "Sent") == []


def test_no_page_before_sign_in_and_no_cookie_for_wml(gateway: Gateway) -> None:
    device = _phone(gateway)
    device.open("/i")
    assert device.title == "Pocketpost"
    device.open("/~AAAAAAAAAAAAAAAAAAAAAA/m1.1")
    assert device.title == "Pocketpost"
    with pytest.raises(Refused):
        device.follow("Inbox")


def test_a_user_agent_of_another_family_is_refused_and_ends_nothing(
    gateway: Gateway, dovecot: Dovecot
) -> None:
    me = dovecot.user("family@example.net")
    device = _phone(gateway).sign_in(me, "secret")
    inbox = device.url
    device.agent = ""
    device.fetch("GET", inbox)
    assert device.title.startswith("Inbox")
    device.agent = "EricssonT68/R101"
    device.fetch("GET", inbox)
    assert device.title == "Pocketpost"
    device.agent = "Nokia7110/1.0 (05.01)"
    device.fetch("GET", inbox)
    assert device.title.startswith("Inbox")


def test_the_sdu_of_the_request_lowers_the_deck(gateway: Gateway, dovecot: Dovecot) -> None:
    me = "narrow@example.net"
    _anew(dovecot, me)
    maildir.fill(dovecot.maildir(me), 30, first_second=EARLIER)
    dovecot.deliver(me, _long_mail(me))
    device = WmlPhone(
        ORIGIN,
        gateway.transport,
        limit=1000 - 4,
        check_deck=check_deck,
        headers={"X-WAP-Client-SDU-Size": "1000"},
    )
    device.sign_in(me, "secret").follow("Costs $5 & more")
    assert re.search(r"\s300\.", _read_to_the_end(device))


def test_a_message_expunged_meanwhile_ends_in_a_sentence_and_a_fresh_list(
    gateway: Gateway, handheld: Handheld, dovecot: Dovecot
) -> None:
    me = "gone@example.net"
    _anew(dovecot, me)
    maildir.fill(dovecot.maildir(me), 3, first_second=EARLIER)
    dovecot.deliver(me, _long_mail(me))
    device = handheld(gateway)
    device.sign_in(me, "secret")
    connection = _imap(dovecot, me)
    connection.select("INBOX")
    connection.store("4", "+FLAGS", "\\Deleted")
    connection.expunge()
    connection.logout()
    device.follow("Costs $5 & more")
    assert "no longer there" in device.text
    assert "of 3" in device.text
