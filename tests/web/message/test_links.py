"""links, write, unsubscribe: what the links of a mail become, walked by strict handhelds against Dovecot.

The server of the mailing list is a real TLS server on loopback, reached through outbound's two seams.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from gateway.app import create_app
from gateway.pages.layout import Layout, MessagePage
from gateway.sealed.link_ids import Link, LinkIds
from gateway.state.people import link_rows as links_module
from tests import rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import Refused, WmlPhone, XhtmlBrowser, in_process
from tests.matrix import one_of
from tests.outbound.test_outbound import NAME, Listener, Net, answering
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.walks.test_walk import _anew, _found

ORIGIN = "http://pp.example:8080"
TOKEN = re.compile(r"/~[A-Za-z0-9_-]{22}")
LONG = "https://shop.example/" + "long-" * 300

HTML = f"""<p>Dear reader,</p>
<p><a href="https://shop.example/lamp?id=5&amp;x=$(y)">A lamp</a>
<a href="https://evil.example/login">www.<b>paypal.com</b></a>
<a href="https://www.google.com/url?q=https%3A%2F%2Fshop.example%2Fsale%3Futm_source%3Dmail%26id%3D7&amp;sa=D">Sale</a>
<a href="https://t.co/AbCdEf">Short one</a>
<a href="https://p&#1072;ypal.com/">Your account</a>
<a href="https://paypal.com@evil.example/">Strange</a>
<a href="{LONG}">Long one</a></p>
<p><a href="mailto:desk@example.net?subject=Lamp%20%245&amp;body=Dear%20desk,%0D%0Asend%20it.">Mail us</a>
<a href="tel:+49-30-12345">Call us</a> <a href="javascript:alert(1)">Run</a> <a href="tel:*%2306%23">Code</a></p>"""


def _mail(to: str, subject: str, html: str = HTML, more: str = "") -> bytes:
    return (
        f"From: Shop <shop@example.org>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@example.org>\r\n"
        f"Date: Tue, 3 Nov 2026 14:05:00 +0100\r\n{more}MIME-Version: 1.0\r\n"
        "Content-Type: text/html; charset=utf-8\r\n\r\n" + html.replace("\n", "\r\n")
    ).encode()


class House:
    """The app under test, with a way out to one listener."""

    def __init__(
        self, dovecot: Dovecot, smtp_server: SmtpServer, path: Path, net: Net, on: bool = True
    ) -> None:
        self.config = rig.config(rig.upstream(dovecot, smtp_server), outbound=on, timezone="UTC")
        self.closing = ExitStack()
        self.path = path
        self.now = 2_000_000_000.0
        self.sessions = self.closing.enter_context(rig.sessions(self.config, path, clock=lambda: self.now))
        self.app = create_app(self.config, sessions=self.sessions, outbound=net.outbound())
        self.transport = in_process(self.app)

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

    def rows(self) -> list[tuple[bytes, bytes, float]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute("SELECT digest, sealed, expires FROM links").fetchall()


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    made = Listener(tmp_path_factory.mktemp("list"))
    yield made
    made.stop()


@pytest.fixture
def listener(listening: Listener) -> Listener:
    listening.received.clear()
    listening.script = answering(b"HTTP/1.1 200 OK\r\n\r\n")
    return listening


@pytest.fixture
def house(dovecot: Dovecot, smtp_server: SmtpServer, listener: Listener, tmp_path: Path) -> Iterator[House]:
    made = House(dovecot, smtp_server, tmp_path / "state.sqlite", Net(listener))
    yield made
    made.closing.close()


HANDHELDS = ("phone", "narrow", "browser", "plain_browser")


@pytest.fixture(params=one_of(HANDHELDS, "narrow", "browser"))
def handheld(request: pytest.FixtureRequest, house: House) -> Any:
    return getattr(house, request.param)()


def _opened(device: Any, dovecot: Dovecot, me: str, subject: str = "Lamps", **mail: str) -> Any:
    _anew(dovecot, me)
    dovecot.deliver(me, _mail(me, subject, **mail))
    return device.sign_in(me, "secret").follow(subject)


def _see(device: Any, label: str) -> Any:
    """Follow a link on whichever page of the message it is, and check where that led."""
    while label not in device.links and "Next" in device.links:
        device.follow("Next")
    device.follow(label)
    return device


def _hrefs(device: Any) -> list[str]:
    root = device.deck if isinstance(device, WmlPhone) else device.page
    return [element.get("href").replace("$$", "$") for element in root.iter("a", "go") if element.get("href")]


def _away(device: Any) -> list[str]:
    return list(dict.fromkeys(href for href in _hrefs(device) if ":" in href))


# The link page


def test_no_page_of_a_message_holds_a_url_of_the_senders(
    house: House, handheld: Any, dovecot: Dovecot
) -> None:
    _opened(handheld, dovecot, "reader1@example.net")
    seen: list[str] = []
    while True:
        seen += [href for href in _hrefs(handheld) if ":" in href]
        assert b"://shop" not in handheld.answer.body
        assert b"javascript" not in handheld.answer.body
        if "Next" not in handheld.links:
            break
        handheld.follow("Next")
    assert {*seen} == {"wtai://wp/mc;+493012345" if isinstance(handheld, WmlPhone) else "tel:+493012345"}


def test_links_are_kept_for_the_page_that_is_shown_and_nothing_is_written_to_measure_it(
    house: House, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring, kept = [False], []

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*args: Any) -> Any:
            measuring[0] = True
            try:
                return method(*args)
            finally:
                measuring[0] = False

        return measured

    def framed(layout: Layout, page: MessagePage) -> Any:
        measuring[0] = True
        return layout._frame(page)

    def keep(ids: LinkIds, links: Mapping[str, Link]) -> None:
        kept.append((measuring[0], list(links)))

    for name in ("page", "page_before"):
        monkeypatch.setattr(Layout, name, watched(getattr(Layout, name)))
    monkeypatch.setattr(Layout, "screen", watched(framed))
    monkeypatch.setattr(LinkIds, "keep", keep)
    device = _opened(house.narrow(), dovecot, "measured@example.net", html=HTML * 4)
    pages = 1
    while "Next" in device.links:
        device.follow("Next")
        pages += 1
    assert pages > 1
    assert 1 < len(kept) <= pages  # a page without links keeps none
    assert not any(while_measuring for while_measuring, _links in kept)
    assert all(links for _while_measuring, links in kept)


def test_a_link_leads_to_its_page_outside_the_session_and_from_there_out(
    house: House, handheld: Any, dovecot: Dovecot
) -> None:
    _opened(handheld, dovecot, "reader2@example.net")
    _see(handheld, "A lamp")
    assert re.fullmatch(re.escape(ORIGIN) + r"/l/[A-Za-z0-9_-]{11}", handheld.url)
    assert "shop.example" in handheld.text
    assert _away(handheld) == ["https://shop.example/lamp?id=5&x=$(y)"]
    assert not TOKEN.search(handheld.answer.body.decode())
    assert "/~" not in handheld.answer.body.decode()
    assert handheld.answer.headers["referrer-policy"] == "no-referrer"


def test_a_link_in_letters_that_a_device_lacks_leads_to_its_page(
    house: House, handheld: Any, dovecot: Dovecot
) -> None:
    _opened(
        handheld,
        dovecot,
        "reader11@example.net",
        html='<p><a href="https://shop.example/lamp">Лампа \u2192 \U0001f4a1</a></p>',
    )
    label = next(label for label in handheld.links if label.casefold().startswith(("lampa", "лампа")))
    handheld.follow(label)
    assert "https://shop.example/lamp" in _away(handheld)


def test_a_text_that_names_another_site_is_marked(house: House, handheld: Any, dovecot: Dovecot) -> None:
    _opened(handheld, dovecot, "reader3@example.net")
    _see(handheld, "paypal.com")
    assert "The text names www.paypal.com, but the link leads to evil.example." in handheld.text


def test_a_tracker_is_looked_through_and_the_original_comes_second(
    house: House, handheld: Any, dovecot: Dovecot
) -> None:
    _opened(handheld, dovecot, "reader4@example.net")
    _see(handheld, "Sale")
    assert handheld.links["Open"] == "https://shop.example/sale?id=7"
    assert handheld.links["Open as sent"].startswith("https://www.google.com/url?q=")
    assert "goes through www.google.com" in handheld.text
    assert "names" not in handheld.text


def test_opaque_trackers_lookalikes_and_logins_are_said(
    house: House, handheld: Any, dovecot: Dovecot
) -> None:
    for number, (label, said) in enumerate(
        (
            ("Short one", "t.co counts clicks and hides where the link leads."),
            ("Your account", "it is xn--pypal-4ve.com."),
            ("Strange", "begins with paypal.com, which is not where it leads."),
        )
    ):
        device = handheld
        _opened(device, dovecot, f"reader5{number}@example.net")
        _see(device, label)
        assert said in device.text
        device.jar = {}


def test_a_url_too_long_for_the_deck_is_said_so(house: House, dovecot: Dovecot) -> None:
    device = _see(_opened(house.phone(), dovecot, "reader6@example.net"), "Long one")
    assert "too long for this device: 1,521 characters" in device.text
    assert _away(device) == []
    browser = _see(_opened(house.browser(), dovecot, "reader6@example.net"), "Long one")
    assert _away(browser) == [LONG]
    assert LONG not in browser.text


def test_the_link_page_looks_like_the_session_whatever_a_phone_says_of_itself(
    house: House, dovecot: Dovecot
) -> None:
    device = _opened(house.phone(), dovecot, "reader7@example.net")
    href = urljoin(device.url, device.links["A lamp"])
    answer = house.transport("GET", href, {"Accept": "*/*"}, b"")
    assert answer.media_type == "text/vnd.wap.wml"


def test_a_link_that_is_not_known_says_so(house: House, handheld: Any) -> None:
    handheld.open("/l/AAAAAAAAAAA")
    assert "Open the message again." in handheld.text
    assert handheld.answer.headers["cache-control"] == "no-store"


def test_there_is_no_redirect_to_elsewhere(house: House, dovecot: Dovecot) -> None:
    browser = _opened(house.plain_browser(), dovecot, "reader8@example.net")
    key = browser.links["A lamp"].rpartition("/")[2]
    for path in (f"/l/{key}", f"/l/{key}?go=1", "/l?u=https://evil.example/", "/l/https://evil.example/"):
        answer = house.transport("GET", ORIGIN + path, {"Accept": "text/html"}, b"")
        assert answer.status in (200, 404)
        assert "location" not in answer.headers


# What is kept


def test_viewing_again_adds_no_rows_and_the_database_tells_nothing(house: House, dovecot: Dovecot) -> None:
    device = _opened(house.browser(), dovecot, "reader9@example.net")
    rows = house.rows()
    assert len(rows) == 8  # all but the number to dial and what may not be linked
    device.follow("Inbox").follow("Lamps")
    assert sorted(house.rows()) == sorted(rows)
    everything = b"".join(digest + sealed for digest, sealed, _ in rows)
    for secret in (b"shop", b"evil", b"example", b"lamp"):
        assert secret not in everything
    keys = {href.rpartition("/")[2] for href in _hrefs(device) if "l/" in href}
    assert not any(key.encode() in everything for key in keys)


def test_ids_are_each_sessions_own(house: House, dovecot: Dovecot) -> None:
    first = _opened(house.browser(), dovecot, "readera@example.net").links["A lamp"]
    second = house.browser().sign_in("readera@example.net", "secret").follow("Lamps").links["A lamp"]
    assert first != second


def test_links_end_after_a_day_and_are_renewed_by_looking(house: House, dovecot: Dovecot) -> None:
    device = _opened(house.browser(), dovecot, "readerb@example.net")
    href = urljoin(device.url, device.links["A lamp"])
    kept = sorted(house.rows())
    house.now += links_module.RENEWED - 60
    device.fetch("GET", device.url)
    assert sorted(house.rows()) == kept
    house.now += 120
    browser = house.browser().sign_in("readerb@example.net", "secret")
    browser.follow("Lamps")
    assert "shop.example" in device_text(house, href)
    house.now += links_module.LIFETIME
    assert "Open the message again." in device_text(house, href)
    house.browser().sign_in("readerb@example.net", "secret")
    assert house.rows() == []


def device_text(house: House, href: str) -> str:
    browser = house.plain_browser()
    browser.fetch("GET", href)
    return browser.text


# Writing


def test_a_mail_address_opens_our_own_writing_page(house: House, handheld: Any, dovecot: Dovecot) -> None:
    me, desk = "writer@example.net", "desk@example.net"
    _anew(dovecot, desk)
    _opened(handheld, dovecot, me)
    _see(handheld, "Mail us")
    assert handheld.title == "Write"
    page = handheld.answer.body.decode()
    for said in (
        "desk@example.net",
        "Lamp $$5" if isinstance(handheld, WmlPhone) else "Lamp $5",
        "Dear desk,",
    ):
        assert said in page
    handheld.fill("text", "Grüße & 3 < 4").press("Send")
    assert "Sent to" in handheld.text
    handheld.fetch("POST", *handheld.posted)
    assert "Sent to" in handheld.text
    (arrived,) = _found(dovecot, desk, "INBOX")
    (kept,) = _found(dovecot, me, "Sent")
    assert arrived["Subject"] == kept["Subject"] == "Lamp $5"
    assert arrived["From"].addresses[0].addr_spec == me
    assert arrived["To"].addresses[0].addr_spec == desk
    assert arrived.get_content().strip() == "Grüße & 3 < 4"


def test_typed_text_is_never_lost(
    house: House, handheld: Any, dovecot: Dovecot, smtp_server: SmtpServer
) -> None:
    _anew(dovecot, "desk@example.net")
    _see(_opened(handheld, dovecot, "writer2@example.net"), "Mail us")
    handheld.fill("to", "nobody").fill("text", "Kept $5").press("Send")
    assert "Not a valid mail address: nobody" in handheld.text
    handheld.fill("to", "").press("Send")
    assert "Enter a recipient." in handheld.text
    smtp_server.stop()
    try:
        handheld.fill("to", "desk@example.net").press("Send")
    finally:
        smtp_server.start()
    assert "Not sent." in handheld.text
    handheld.press("Send")
    assert "Sent to" in handheld.text
    assert _found(dovecot, "desk@example.net", "INBOX")[0].get_content().strip() == "Kept $5"


def test_a_suggestion_too_long_for_the_deck_is_cut_and_said_so(house: House, dovecot: Dovecot) -> None:
    many = ",".join(f"person-number-{n}@long-domain-name.example" for n in range(16))
    html = f'<p><a href="mailto:{many}?body={"word%20" * 300}">All of us</a></p>'
    device = _see(_opened(house.narrow(), dovecot, "writer3@example.net", html=html), "All of us")
    assert "There is not enough room for everything the link suggests." in device.text
    browser = _see(_opened(house.browser(), dovecot, "writer3@example.net", html=html), "All of us")
    assert "person-number-15@" in browser.answer.body.decode()


def test_writing_needs_a_session(house: House, dovecot: Dovecot) -> None:
    device = _opened(house.plain_browser(), dovecot, "writer4@example.net")
    key = device.links["Mail us"]
    device.open("/" + key)
    assert device.title == "Pocketpost"


# Leaving a list

ONE_CLICK = (
    f"List-Unsubscribe: <https://{NAME}/u?id=1>, <mailto:out@example.net>\r\n"
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
)
BY_MAIL = (
    "List-Unsubscribe: <mailto:out@example.net?subject=off%20the%20list>, <https://list.example/page>\r\n"
)
ON_THE_WEB = "List-Unsubscribe: <http://list.example/page?me=1>\r\n"


def test_one_click_is_asked_first_then_told_to_the_server_once(
    house: House, handheld: Any, dovecot: Dovecot, listener: Listener
) -> None:
    _opened(handheld, dovecot, "leaver1@example.net", more=ONE_CLICK).follow("Unsubscribe")
    assert f"{NAME} will be told." in handheld.text
    assert listener.received == []
    handheld.press("Unsubscribe" if isinstance(handheld, XhtmlBrowser) else "Yes")
    assert "The list's server accepted" in handheld.text
    (request,) = listener.received
    assert request.startswith(b"POST /u?id=1 HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\nList-Unsubscribe=One-Click")
    assert b"leaver1" not in request
    handheld.fetch("POST", *handheld.posted)
    assert "The list's server accepted" in handheld.text
    assert len(listener.received) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "did not accept it: status 404"),
        (b"HTTP/1.1 302 Found\r\nLocation: https://list.example/\r\n\r\n", "did not accept it: status 302"),
        (b"", "It is not certain what happened."),
    ],
)
def test_what_the_server_says_is_told_truthfully(
    house: House, dovecot: Dovecot, listener: Listener, answer: bytes, said: str
) -> None:
    listener.script = answering(answer)
    browser = _opened(house.browser(), dovecot, "leaver2@example.net", more=ONE_CLICK).follow("Unsubscribe")
    browser.press("Unsubscribe")
    assert said in browser.text
    assert len(listener.received) == 1
    browser.follow("On the web")
    assert f"https://{NAME}/u?id=1" in _away(browser)


def test_a_list_inside_our_network_is_not_told(
    dovecot: Dovecot, smtp_server: SmtpServer, listener: Listener, tmp_path: Path
) -> None:
    net = Net(listener, ("127.0.0.1",))
    house = House(dovecot, smtp_server, tmp_path / "state.sqlite", net)
    with house.closing:
        browser = _opened(house.browser(), dovecot, "leaver3@example.net", more=ONE_CLICK)
        browser.follow("Unsubscribe").press("Unsubscribe")
        assert "Not unsubscribed. That address cannot be reached from here." in browser.text
    assert net.connected == listener.received == []


def test_without_a_ticket_of_ours_nothing_is_told(house: House, dovecot: Dovecot, listener: Listener) -> None:
    browser = _opened(house.browser(), dovecot, "leaver4@example.net", more=ONE_CLICK).follow("Unsubscribe")
    browser.fill("ticket", "A" * 18).press("Unsubscribe")
    assert "could not be understood" in browser.text
    assert listener.received == []


def test_switched_off_the_list_is_left_by_mail(
    dovecot: Dovecot, smtp_server: SmtpServer, listener: Listener, tmp_path: Path
) -> None:
    net = Net(listener)
    house = House(dovecot, smtp_server, tmp_path / "state.sqlite", net, on=False)
    with house.closing:
        browser = _opened(house.browser(), dovecot, "leaver5@example.net", more=ONE_CLICK).follow(
            "Unsubscribe"
        )
        assert "This message will be sent to out@example.net" in browser.text
    assert net.resolved == []


def test_a_list_is_left_by_mail_once(house: House, handheld: Any, dovecot: Dovecot) -> None:
    _anew(dovecot, "out@example.net")
    _opened(handheld, dovecot, "leaver6@example.net", more=BY_MAIL).follow("Unsubscribe")
    assert "This message will be sent to out@example.net:" in handheld.text
    assert "off the list" in handheld.text
    handheld.press("Unsubscribe" if isinstance(handheld, XhtmlBrowser) else "Yes")
    assert "Sent." in handheld.text
    handheld.fetch("POST", *handheld.posted)
    assert "Sent." in handheld.text
    (arrived,) = _found(dovecot, "out@example.net", "INBOX")
    assert arrived["Subject"] == "off the list"
    assert arrived["From"].addresses[0].addr_spec == "leaver6@example.net"


def test_a_list_that_has_only_a_page_leads_to_the_link_page(
    house: House, handheld: Any, dovecot: Dovecot
) -> None:
    _opened(handheld, dovecot, "leaver7@example.net", more=ON_THE_WEB).follow("Unsubscribe")
    assert "open its page on list.example" in handheld.text
    with pytest.raises(Refused):
        handheld.press("Unsubscribe")
    handheld.follow("On the web")
    assert "/l/" in handheld.url
    assert _away(handheld) == ["http://list.example/page?me=1"]


def test_without_the_header_nothing_is_offered(house: House, handheld: Any, dovecot: Dovecot) -> None:
    _opened(handheld, dovecot, "leaver8@example.net")
    assert "Unsubscribe" not in handheld.links
    handheld.fetch("GET", re.sub(r"/m([\d.]+)$", r"/u\1", handheld.url))
    assert "does not say how to unsubscribe" in handheld.text


def test_the_page_of_a_link_leads_back(handheld: Any, dovecot: Dovecot) -> None:
    _see(_opened(handheld, dovecot, "back@example.net"), "A lamp")
    _assert_leads_back(handheld)
    handheld.open("/l/AbCdEfGhIjK")
    assert "This link has expired." in handheld.text
    _assert_leads_back(handheld)


def _assert_leads_back(device: Any) -> None:
    """By the browser's own way, by the cookie's session, or by a key that the page names."""
    told = "The back key of your device leads back to the message." in device.text
    if isinstance(device, WmlPhone):
        (back,) = [one for one in device.card.iter("anchor") if one.find("prev") is not None]
        assert back.text == "Back"
    else:
        assert ("Inbox" in device.links) is not told
    assert told is (not isinstance(device, WmlPhone) and not device.keeps)
