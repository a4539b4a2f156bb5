"""Every screen, on phones from the smallest up: within the device's budget whatever compiles it, and valid.

One walk per device, over mail in many scripts, gathers the pages; our encoder, Kannel's compiler and libwbxml weigh
each deck, the grammars judge each page.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.header import Header
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from gateway.device import identify
from gateway.wap import wbxml
from gateway.web.message import tick_page
from tests import rig
from tests.devices.phones import Answer, Transport, WmlPhone, XhtmlBrowser, in_process
from tests.matrix import one_of
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.wap import oracles

ORIGIN = "http://pp.example:8080"
ME, EMPTY = "budget@example.net", "budget.empty@example.net"
PASSWORD = "secret"
ACCEPT = WmlPhone.accept
#: W3C default delivery context.
XHTML_BUDGET = 10_000
#: The most that a phone types into one field.
TYPED = ("Grüße, 5 $ & 3 < 4; " * 30)[:500]

SUBJECTS = (
    "Съешь же ещё этих мягких французских булок, да выпей чаю",
    "春眠不覚暁処処聞啼鳥夜来風雨声花落知多少" * 5,
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 4,
    "$$$ 100% $(user) $100 & <b>free</b> ]]> \"quoted\" 'n' $",
    "שלום עולם — مرحبا بالعالم",
    "🎉👩‍👩‍👧‍👦🏳️‍🌈 party " * 12,
    "",
    "a" * 1000,
    "re: RE: Fwd: AW: " * 9 + "x",
    "Ça coûte 5 € – « vraiment » ?",
)
SENDERS = (
    "Иван Иванович Достоевский-Салтыков-Щедрин",
    "株式会社東京電気計算機工業所営業部第二課",
    "$(password) & Sons",
    "Bob",
)
TEXTS = (
    "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 25,
    "春眠不覚暁、処処聞啼鳥。夜来風雨声、花落知多少。" * 25,
    "$" * 2000,
    "<tag attribute='&amp;'> & \"quotes\" " * 50,
    "n" * 2500,
    "Short.",
    "🎉 " * 400,
    "  four  spaces\r\n\tand tabs\r\n> quoted\r\n>> twice\r\n" * 25,
)


def _mail(number: int) -> bytes:
    subject = Header(SUBJECTS[number % len(SUBJECTS)], "utf-8").encode(linesep="\r\n")
    sender = Header(SENDERS[number % len(SENDERS)], "utf-8").encode(linesep="\r\n")
    head = (
        f"From: {sender} <{'long.address.' * 4}{number}@example.net>\r\nTo: {ME}\r\nSubject: {subject}\r\n"
        f"Date: Tue, 3 Nov 2026 14:{number:02}:00 +0100\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return (head + TEXTS[number % len(TEXTS)] + "\r\n").encode()


@pytest.fixture(scope="module")
def mail(dovecot: Dovecot) -> None:
    for user in (ME, EMPTY):
        shutil.rmtree(dovecot.home(user), ignore_errors=True)
        dovecot.user(user)
    maildir.write(dovecot.maildir(ME), [_mail(number) for number in range(50)])


class Gathered:
    """Passes requests on, and keeps every page that comes back, by its request."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.pages: dict[bytes, str] = {}

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = self._transport(method, url, headers, body)
        if answer.body:
            self.pages.setdefault(answer.body, f"{method} {url}")
        return answer


@pytest.fixture
def gathered(mail: None, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Gathered]:
    with rig.gateway(tmp_path, dovecot, smtp_server) as app:
        yield Gathered(in_process(app))


def _see_everything(device: Any, smtp: SmtpServer, home: str) -> None:
    """Walk over every screen, including those that report an error."""
    device.sign_in(ME, "wrong", home)
    device.fill("user", "x" * 60 + "@elsewhere.example").fill("password", "x").press("Sign in")
    device.sign_in(EMPTY, PASSWORD, home)
    assert "No messages here." in device.text
    device.follow("Menu").follow("Sign out").sign_in(ME, PASSWORD, home)
    inbox = device.url
    messages = [urljoin(inbox, href) for label, href in device.links.items() if ": " in label]
    while "Next" in device.links:
        device.follow("Next")
    device.follow("Prev")
    for message in messages:
        device.fetch("GET", message)
        while "Next" in device.links:
            device.follow("Next")
        while "Prev" in device.links:
            device.follow("Prev")
    _act_on_everything(device, inbox, messages)
    device.fetch("GET", inbox)
    device.follow(next(label for label in device.links if ": " in label)).follow("Reply")
    smtp.stop()
    try:
        device.fill("text", TYPED[: device.room("text")]).press("Send")
    finally:
        smtp.start()
    assert "Not sent." in device.text
    device.fill("text", "").press("Send")
    device.fill("text", TYPED[: device.room("text")]).press("Send")
    assert "Sent to" in device.text
    for wrong in ("m1.999999", "m99.1", "nowhere"):
        device.fetch("GET", inbox.rpartition("/")[0] + "/" + wrong)
    device.fetch("GET", inbox.rpartition("/")[0] + "/bye")
    assert "Sign out now?" in device.text
    device.follow("Sign out")
    device.open(inbox)
    assert device.title == "Pocketpost"


def _act_on_everything(device: Any, inbox: str, messages: list[str]) -> None:
    """See what can be done with one message and with several, each question, and everything undone."""
    for message in messages:
        device.fetch("GET", message)
        device.follow("More").follow("More").follow("Message").follow("More").follow("Move")
        while "Next" in device.links:
            device.follow("Next")
        device.follow("Message").press("Delete")
        assert "Deleted: " in device.text or "marked as deleted: " in device.text
        device.press("Undo")
        assert "Undone." in device.text
        device.follow("More").press("Unread")
    device.fetch("GET", inbox)
    device.follow("Menu").follow("Select")
    while "Next" in device.links:
        device.follow("Next")
    for word, label in (("move", "Move"), ("delete", "Delete")):
        device.fetch("GET", inbox)
        device.follow("Menu").follow("Select").fill("all", tick_page.FOUND)
        device.fill("do", word).press("OK") if isinstance(device, WmlPhone) else device.press(label)
        assert "50 messages?" in device.text


WML = {
    "nokia7110": {"User-Agent": "Nokia7110/1.0 (04.84)"},
    "nokia7110, SDU 1000": {"User-Agent": "Nokia7110/1.0 (04.84)", "X-Wap-Client-Sdu-Size": "1000"},
    "ericssont68, SDU 1400": {"User-Agent": "EricssonT68/R101", "X-Wap-Client-Sdu-Size": "1400"},
    "nokia6100, WML 1.2": {"User-Agent": "Nokia6100/1.0 (04.01)"},
    "unknown": {"User-Agent": "Phone/1.0"},
}


@pytest.mark.long
@oracles.needs_kannel
@oracles.needs_libwbxml
@pytest.mark.parametrize("kind", one_of(WML, "nokia7110, SDU 1000"))
def test_every_deck_fits_whoever_compiles_it(kind: str, gathered: Gathered, smtp_server: SmtpServer) -> None:
    headers = WML[kind]
    limit = identify({"Accept": ACCEPT, **headers}).deck_limit
    phone = WmlPhone(ORIGIN, gathered, agent=headers["User-Agent"], headers=headers)
    _see_everything(phone, smtp_server, "/")
    compilers: dict[str, Callable[[bytes], int | None]] = {
        "ours": lambda deck: len(wbxml.encode(deck)),
        "Kannel": oracles.kannel_size,
        "libwbxml": oracles.libwbxml_size,
    }
    wrong = []
    with ThreadPoolExecutor(2) as pool:
        for name, compiler in compilers.items():
            for size, (deck, asked) in zip(
                pool.map(compiler, gathered.pages), gathered.pages.items(), strict=True
            ):
                if size is None or size > limit:
                    wrong.append(f"{name}: {size} octets of {limit} for {asked}\n{deck.decode()}")
    wrong += [
        f"{asked}: {errors}" for page, asked in gathered.pages.items() if (errors := oracles.dtd_errors(page))
    ]
    assert not wrong, f"{len(wrong)} of {len(gathered.pages)}:\n" + "\n".join(wrong[:5])
    assert len(gathered.pages) > 30


XHTML = {
    "generic": ("Mozilla/5.0 (Mobile; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5", True),
    "nokia6230": ("Nokia6230/2.0 (04.44) Profile/MIDP-2.0", True),
    "lynx without cookies": ("Lynx/2.9.0dev.12", False),
}


@pytest.mark.parametrize("kind", one_of(XHTML, "lynx without cookies"))
def test_every_page_is_small_and_valid(kind: str, gathered: Gathered, smtp_server: SmtpServer) -> None:
    agent, cookies = XHTML[kind]
    browser = XhtmlBrowser(ORIGIN, gathered, agent=agent, cookies=cookies)
    _see_everything(browser, smtp_server, "/")
    wrong = []
    for page, asked in gathered.pages.items():
        if len(page) > XHTML_BUDGET:
            wrong.append(f"{len(page)} octets for {asked}")
        wrong += [f"{asked}: {error}" for error in oracles.dtd_errors(page)]
    assert not wrong, f"{len(wrong)} of {len(gathered.pages)}:\n" + "\n".join(wrong[:20])
    assert len(gathered.pages) > 25
