"""What the gateway says in HTTP: types, charsets, caching, cookies, addresses; and what it never says in a log."""

from __future__ import annotations

import base64
import imaplib
import logging
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta, tzinfo
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from lxml import etree
from werkzeug.test import Client, TestResponse

from gateway.device import HTML, WML_COMPILED, WML_TEXT, XHTML_WAP, XHTML_XML
from gateway.markup import style_sheet
from gateway.wap import wbxml
from gateway.web.request import visit as visits
from tests import rig
from tests.devices.phones import Answer, Transport, WmlPhone, XhtmlBrowser, in_process, over_http
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.servers.gateway import GatewayServer
from tests.servers.smtp import SmtpServer

ORIGIN = "http://pp.example:8080"
PASSWORD = "s3cret-Wörd"
ME = "http@example.net"
#: Octets of path and query; the other 25 of 100 are the origin's.
LONGEST_PATH = 75
WML_DOCTYPE = b"-//WAPFORUM//DTD WML 1."
XHTML_DOCTYPE = b"-//W3C//DTD XHTML Basic 1.1//EN"
KAIOS = "Mozilla/5.0 (Mobile; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5"


def _mail(number: int, to: str = ME) -> bytes:
    text = "\r\n\r\n".join(f"Paragraph {n} of message {number}, which is long." for n in range(20 * number))
    return (
        f"From: Bob <bob@example.net>\r\nTo: {to}\r\nSubject: Number {number}\r\nMIME-Version: 1.0\r\n"
        f"Date: Tue, 3 Nov 2026 14:05:00 +0100\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


@pytest.fixture(scope="module")
def password(dovecot: Dovecot, _smtp: SmtpServer) -> str:
    dovecot.user(ME, PASSWORD)
    _smtp.passwords[ME] = PASSWORD
    return PASSWORD


@pytest.fixture
def app(password: str, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[object]:
    """The gateway, in front of a mailbox whose UIDs and UIDVALIDITY are as long as they can be."""
    shutil.rmtree(dovecot.home(ME), ignore_errors=True)
    dovecot.user(ME, PASSWORD)
    maildir.fill(dovecot.maildir(ME), 20, first_second=1_700_000_000)
    maildir.write(dovecot.maildir(ME), [_mail(number) for number in (1, 2, 9)])
    uids = dovecot.maildir(ME) / "dovecot-uidlist"
    uids.write_text(f"3 V4294967294 N4294967200 G{'0123456789abcdef' * 2}\n")
    shutil.chown(uids, dovecot.maildir(ME).stat().st_uid, dovecot.maildir(ME).stat().st_gid)
    with rig.gateway(tmp_path, dovecot, smtp_server) as made:
        yield made


@pytest.fixture
def named(
    app: object, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> Iterator[Callable[..., Client]]:
    """The same gateway as an administrator may have configured it."""
    with ExitStack() as stack:

        def make(**options: Any) -> Client:
            configured = rig.gateway(tmp_path, dovecot, smtp_server, **options)
            return Client(stack.enter_context(configured), use_cookies=False)

        yield make


@pytest.fixture
def client(app: object) -> Client:
    return Client(app, use_cookies=False)  # type: ignore[arg-type]


@pytest.fixture
def transport(app: object) -> Transport:
    return in_process(app)


def _phone(transport: Transport, agent: str = "Nokia7110/1.0 (04.84)") -> WmlPhone:
    return WmlPhone(ORIGIN, transport, agent=agent).sign_in(ME, PASSWORD)


def _browser(transport: Transport, cookies: bool = True) -> XhtmlBrowser:
    return XhtmlBrowser(ORIGIN, transport, cookies=cookies).sign_in(ME, PASSWORD)


# --- markup, type and charset

PHONE_ACCEPT = WmlPhone.accept
ACCEPTED = [
    (None, HTML),
    ("*/*", HTML),
    ("text/html", HTML),
    ("text/html, */*;q=0.01", HTML),
    (XHTML_XML, XHTML_XML),
    (XHTML_WAP, XHTML_WAP),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", XHTML_XML),
    (WML_TEXT, WML_TEXT),
    (WML_COMPILED, WML_COMPILED),
    (PHONE_ACCEPT, WML_TEXT),
    (f"{WML_TEXT};q=0.5, {XHTML_XML};q=0.8", XHTML_XML),
    (f"{WML_TEXT};q=0.8, text/html;q=0.5", WML_TEXT),
    (f"{WML_TEXT}, text/html", HTML),
    (f"{WML_TEXT};q=0.2, */*", WML_TEXT),
    (f"*/*, {WML_TEXT};q=0.1", WML_TEXT),
    (f"{WML_TEXT};q=0, */*", HTML),
    (f"{XHTML_WAP}, {WML_TEXT};q=0.9", XHTML_WAP),
    ("image/png", HTML),
    (",;q=,;;", HTML),
]


def _assert_said_as(answer: TestResponse, media_type: str) -> None:
    """The type is this, the charset is the same in header and declaration, the DOCTYPE matches it."""
    assert answer.mimetype == media_type
    body = answer.get_data()
    if media_type == WML_COMPILED:
        body = wbxml.decode(body).encode()
    else:
        declared = re.match(rb'<\?xml version="1.0" encoding="([\w-]+)"\?>', body)
        assert declared
        assert declared[1].decode().lower() == answer.mimetype_params["charset"].lower()
    assert (WML_DOCTYPE if media_type in (WML_TEXT, WML_COMPILED) else XHTML_DOCTYPE) in body


@pytest.mark.parametrize(("accept", "media_type"), ACCEPTED)
def test_accept_chooses_the_markup(client: Client, accept: str | None, media_type: str) -> None:
    headers = {} if accept is None else {"Accept": accept}
    _assert_said_as(client.get("/", headers=headers), media_type)
    fields = {"Accept"} if media_type in (WML_TEXT, WML_COMPILED) else {"Accept", "Accept-Encoding"}
    assert fields <= set(client.get("/", headers=headers).headers["Vary"].split(", "))


def test_what_came_through_a_wap_gateway_is_compiled_by_us(client: Client) -> None:
    """Accept is the same for both: what distinguishes them is in Vary."""
    for headers, media_type in (
        ({}, WML_TEXT),
        ({"X-WAP-Gateway": "x"}, WML_COMPILED),
        ({"Via": "WAP/1.1 x"}, WML_COMPILED),
    ):
        answer = client.get("/", headers={"Accept": f"{WML_COMPILED}, {WML_TEXT}", **headers})
        _assert_said_as(answer, media_type)
        assert {"Via", "X-WAP-Gateway"} <= set(answer.headers["Vary"].split(", "))
        assert "Content-Security-Policy" not in answer.headers


@pytest.mark.parametrize("accept", ["*/*", "text/html", WML_TEXT, PHONE_ACCEPT])
def test_w_and_m_are_wml_and_xhtml_whatever_is_accepted(client: Client, accept: str) -> None:
    assert WML_DOCTYPE in client.get("/w", headers={"Accept": accept}).get_data()
    assert XHTML_DOCTYPE in client.get("/m", headers={"Accept": accept}).get_data()


def test_the_chosen_markup_sticks(transport: Transport) -> None:
    browser = XhtmlBrowser(ORIGIN, transport, accept=PHONE_ACCEPT, agent="Phone/1.0", cookies=False)
    browser.sign_in(ME, PASSWORD, "/m").follow("Number 9").follow("Next")
    phone = WmlPhone(ORIGIN, transport, agent="Phone/1.0")
    phone.accept = "text/html"
    phone.sign_in(ME, PASSWORD, "/w").follow("Number 9").follow("Next")
    assert (b"<html" in browser.answer.body, b"<wml>" in phone.answer.body) == (True, True)


def test_the_sign_in_pages_lead_to_each_other(transport: Transport) -> None:
    phone = WmlPhone(ORIGIN, transport).open("/")
    target = urljoin(phone.url, next(iter(phone.links.values())))
    browser = XhtmlBrowser(ORIGIN, transport)
    browser.fetch("GET", target)
    assert urljoin(browser.url, browser.links["WAP pages (WML)"]) == ORIGIN + "/w"


# --- caching


def _lives(device: WmlPhone | XhtmlBrowser) -> Iterator[tuple[str, str]]:
    """Walk, and yield how long each kind of answer may be kept."""

    def life() -> str:
        assert device.answer is not None
        return device.answer.headers["cache-control"]

    device.open("/")
    yield "sign-in page", life()
    device.fill("user", ME).fill("password", "wrong").press("Sign in")
    yield "failed sign-in", life()
    device.sign_in(ME, PASSWORD)
    yield "list", life()
    device.follow("Number 9")
    yield "message", life()
    device.follow("Next")
    yield "its next page", life()
    device.follow("Reply")
    yield "form", life()
    device.fill("text", "Yes.").press("Send")
    yield "outcome", life()
    inbox = urljoin(device.url, device.links["Inbox"])
    device.fetch("GET", inbox.rpartition("/")[0] + "/nowhere")
    yield "error", life()


LIVES = {
    "sign-in page": "private, max-age=600",
    "failed sign-in": "no-store",
    "list": "no-cache",
    "message": "private, max-age=600",
    "its next page": "private, max-age=600",
    "form": "private, max-age=600",
    "outcome": "no-store",
    "error": "no-store",
}


@pytest.mark.parametrize("make", [WmlPhone, XhtmlBrowser])
def test_every_kind_of_answer_has_its_life(transport: Transport, make: type[WmlPhone | XhtmlBrowser]) -> None:
    assert dict(_lives(make(ORIGIN, transport))) == LIVES


def test_the_redirect_after_sign_in_is_not_kept_and_names_the_inbox(client: Client) -> None:
    form = {"user": ME, "password": PASSWORD}
    for path, status in (("/w", 302), ("/m", 303)):
        answer = client.post(path, data=form)
        assert answer.status_code == status
        assert answer.headers["Cache-Control"] == "no-store"
        assert re.fullmatch(r"/~[\w-]{16,}/i(\?c=\w+)?", answer.headers["Location"])
        assert answer.get_data() == b""
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("url", "names", "host", "base"),
    [
        ("", (), "evil.example", ""),
        ("", (), "", ""),
        ("", ("m.example", "m.example:8080"), "evil.example", ""),
        ("", ("m.example",), "m.example:8080", ""),
        ("", ("m.example",), "m.example.evil.example", ""),
        ("", ("m.example",), "evil@m.example", ""),
        ("", ("m.example", "m.example:8080"), "M.Example:8080", "http://m.example:8080"),
        ("", ("m.example",), "m.example:80", "http://m.example"),
        ("", ("[2001:db8::1]:8080",), "[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
        ("https://pp.example", (), "evil.example", "https://pp.example"),
        ("https://pp.example", ("m.example",), "evil.example", "https://pp.example"),
        ("https://pp.example", ("m.example",), "m.example", "http://m.example"),
    ],
)
def test_a_redirect_never_takes_host_as_it_comes(
    named: Callable[..., Client], url: str, names: tuple[str, ...], host: str, base: str
) -> None:
    client = named(url=url, names=names)
    answer = client.post("/w", data={"user": ME, "password": PASSWORD}, environ_overrides={"HTTP_HOST": host})
    location = answer.headers["Location"]
    assert re.fullmatch(re.escape(base) + r"/~[\w-]{16,}/i(\?c=\w+)?", location)
    home = urlsplit(location).path.removesuffix("i")
    assert client.get(home, environ_overrides={"HTTP_HOST": host}).headers["Location"].startswith(base + home)


def test_no_address_at_all_redirects_to_host(client: Client) -> None:
    """Every rule, in the spellings that routing would correct: slashes doubled and added."""
    rules = [re.sub(r"<[^>]+>", "1", rule.rule) for rule in client.application.url_map.iter_rules()]  # type: ignore[attr-defined]
    asked = {
        spelled
        for rule in rules
        for spelled in (f"{rule}/", f"{rule}//", f"/{rule}", rule.replace("/", "//"))
    }
    assert len(asked) > 100
    for path in sorted(asked):
        answer = client.get(
            path, environ_overrides={"HTTP_HOST": "evil.example"}, headers={"Accept": "text/html"}
        )
        assert "evil.example" not in str(answer.headers)
        assert b"evil.example" not in answer.get_data()


def test_behind_a_proxy_that_speaks_tls_the_cookie_is_secure(named: Callable[..., Client]) -> None:
    client = named(trusted_proxies=(ip_network("127.0.0.1"),), names=("pp.example",))
    headers = {
        "User-Agent": KAIOS,
        "Cookie": "s=1; __Host-s=1",
        "X-Forwarded-Proto": "https",
        "Host": "pp.example:443",
    }
    for peer, secure in (("127.0.0.1", True), ("192.0.2.9", False)):
        answer = client.post(
            "/m",
            data={"user": ME, "password": PASSWORD},
            headers=headers,
            environ_overrides={"REMOTE_ADDR": peer},
        )
        assert ("Secure" in answer.headers["Set-Cookie"]) is secure
        assert answer.headers["Location"] == ("https://pp.example/i" if secure else "/i")


def test_a_phone_that_caches_regardless_gets_new_addresses_for_lists(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = timedelta(0)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + later

    monkeypatch.setattr(visits, "datetime", Clock)
    phone = _phone(transport).follow("Number 1")
    first = urljoin(phone.url, phone.links["Inbox"])
    later = timedelta(seconds=1)
    second = urljoin(phone.url, phone.follow("More").follow("Details").links["Inbox"])
    assert first != second
    assert urlsplit(first).path == urlsplit(second).path
    phone.follow("Inbox")
    assert "?c=" in phone.links["Next"]
    other = _phone(transport, "EricssonT68/R101")
    assert "?" not in other.links["Next"]


def test_referrers_are_never_sent_and_pages_load_nothing(client: Client) -> None:
    for accept in ("text/html", WML_TEXT):
        answer = client.get("/", headers={"Accept": accept})
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in client.get("/m").headers["Content-Security-Policy"]


# --- HEAD and Content-Length


@pytest.mark.parametrize("make", [_phone, _browser])
def test_head_says_what_get_says_and_changes_nothing(
    transport: Transport, client: Client, dovecot: Dovecot, make: object
) -> None:
    device = _phone(transport) if make is _phone else _browser(transport, cookies=False)
    inbox = device.url
    message = urljoin(inbox, next(href for label, href in device.links.items() if "Number 9" in label))
    form = message.replace("/m", "/r")
    headers = {"Accept": device.accept, "User-Agent": device.agent}
    assert _seen(dovecot) == 0
    for url in (
        ORIGIN + "/",
        ORIGIN + "/w",
        ORIGIN + "/m",
        ORIGIN + "/robots.txt",
        ORIGIN + "/favicon.ico",
        inbox,
        message,
        form,
        inbox.rpartition("/")[0] + "/bye",
        ORIGIN + "/nowhere",
    ):
        path = url.removeprefix(ORIGIN)
        head = client.head(path, headers=headers)
        assert head.get_data() == b""
        if url == message:
            assert _seen(dovecot) == 0
        got = client.get(path, headers=headers)
        assert head.status_code == got.status_code
        assert int(got.headers["Content-Length"]) == len(got.get_data())
        assert dict(head.headers) == dict(got.headers), path
    assert _seen(dovecot) == 1


def _seen(dovecot: Dovecot) -> int:
    """Count the big messages that are marked as read."""
    connection = imaplib.IMAP4(dovecot.host, dovecot.ports["imap"])
    connection._encoding = "utf-8"
    try:
        connection.authenticate("PLAIN", lambda _: f"\0{ME}\0{PASSWORD}".encode())
        connection.select("INBOX", readonly=True)
        return len(connection.search(None, "SEEN SUBJECT Number FROM bob")[1][0].split())
    finally:
        connection.logout()


def test_robots_and_favicon_are_cacheable_and_open_no_session(client: Client, transport: Transport) -> None:
    browser = _browser(transport)
    for path, media_type in (("/robots.txt", "text/plain"), ("/favicon.ico", "image/x-icon")):
        cookie = "; ".join(f"{name}={value}" for name, value in browser.jar.items())
        for headers in ({}, {"Cookie": cookie}):
            answer = client.get(path, headers=headers)
            assert answer.status_code == 200
            assert answer.mimetype == media_type
            assert answer.headers["Cache-Control"] == "public, max-age=86400"
            assert "Set-Cookie" not in answer.headers
    assert client.get("/robots.txt").get_data() == b"User-agent: *\nDisallow: /\n"


def test_the_style_sheet_is_kept_for_a_year_under_its_digest(client: Client, transport: Transport) -> None:
    """Every page links to it outside its session; under another name it is sent, but not kept."""
    browser = _browser(transport)
    (link,) = etree.fromstring(browser.answer.body).iterfind(".//{*}link")
    address = urljoin(browser.url, link.get("href"))
    assert address == f"{ORIGIN}/{style_sheet.NAME}"
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "text/css")
    assert answer.get_data() == style_sheet.STYLE_SHEET
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in answer.headers
    assert client.get("/style-00000000.css").headers["Cache-Control"] == "no-cache"


# --- cookies

#: A text that the sign-in page carries is encrypted anew each time.
CARRIED = re.compile(rb'(?<=name="carried" value=")[^"]*')
#: The time in a cookie, which the second may change between two answers.
EXPIRES = re.compile(r"Expires=[^;]*")


def _sign_in_over(client: Client, base_url: str) -> str:
    """Sign in with the probe cookie back, and return the cookie that keeps the session."""
    over_tls = base_url.startswith("https")
    prefix = "__Host-" if over_tls else ""
    headers = {"User-Agent": KAIOS, "Cookie": f"{prefix}s=1"}
    answer = client.post("/m", base_url=base_url, data={"user": ME, "password": PASSWORD}, headers=headers)
    assert urlsplit(answer.headers["Location"]).path == "/i"
    cookie, *lasting = answer.headers.getlist("Set-Cookie")
    for name, value, site, other in zip("da", (r"[\w-]{22}", ME), ("Strict", "Lax"), lasting, strict=True):
        attributes = {each.strip() for each in other.split(";")}
        assert {"HttpOnly", f"SameSite={site}", "Path=/", "Max-Age=15552000"} <= attributes
        assert ("Secure" in attributes) is over_tls
        assert re.match(rf"{prefix}{name}={value};", other)
    assert re.match(rf"{prefix}s=[\w-]{{22}};", cookie)
    return cookie


def test_the_session_cookie_has_the_attributes_it_needs(client: Client) -> None:
    plain = [each.strip() for each in _sign_in_over(client, ORIGIN).split(";")]
    lifetime = (
        f"Max-Age={(12 + 24) * 3600}"  # a session that nobody uses, and a day for texts that come too late
    )
    assert {"HttpOnly", "SameSite=Lax", "Path=/", lifetime} <= set(plain)
    assert "Secure" not in plain
    secure = [each.strip() for each in _sign_in_over(client, "https://pp.example").split(";")]
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Secure"} <= set(secure)


def test_the_probe_decides_where_the_session_lives(client: Client, transport: Transport) -> None:
    probe = client.get("/m", headers={"User-Agent": KAIOS}).headers["Set-Cookie"]
    assert probe.startswith("s=1;")
    assert "/~" not in _browser(transport, cookies=True).url
    assert "/~" in _browser(transport, cookies=False).url


@pytest.mark.parametrize("kept_in", ["url", "cookie"])
def test_what_another_browser_brings_is_answered_like_no_session_and_signs_nobody_out(
    transport: Transport, client: Client, kept_in: str
) -> None:
    browser = _browser(transport, cookies=kept_in == "cookie")
    here = urlsplit(browser.url)
    token = browser.jar.get("s") or here.path.split("/")[1].removeprefix("~")
    for method, path in (("GET", here.path), ("POST", here.path), ("GET", "/bye"), ("GET", "/")):
        answers = []
        for brought in (token, "A" * len(token)):
            headers = {"User-Agent": "Scanner/1.0", "Accept": "text/html"}
            if kept_in == "cookie":
                headers["Cookie"] = f"s={brought}"
            elif path == "/":
                path = f"/~{token}/"
            where = path.replace(token, brought)
            said = client.open(
                where, method=method, headers=headers, data={"text": "x"} if method == "POST" else {}
            )
            answers.append(
                (
                    said.status,
                    sorted((name, EXPIRES.sub("", value)) for name, value in said.headers),
                    CARRIED.sub(b"", said.get_data().replace(brought.encode(), b"")),
                )
            )
        assert answers[0] == answers[1]
        given = [value for value in said.headers.getlist("Set-Cookie") if value.startswith("s=")]
        assert not given if kept_in == "cookie" else all(value.startswith("s=1;") for value in given)
    browser.fetch("GET", browser.url)
    assert browser.title.startswith("Inbox")


def test_wml_gets_no_cookie_at_all(client: Client, transport: Transport) -> None:
    assert "Set-Cookie" not in client.get("/w", headers={"Cookie": "s=1"}).headers
    form = {"user": ME, "password": PASSWORD}
    answer = client.post("/w", data=form, headers={"Cookie": "s=1"})
    assert "Set-Cookie" not in answer.headers
    assert "/~" in answer.headers["Location"]


def test_signing_out_takes_the_cookie_away(transport: Transport) -> None:
    browser = _browser(transport)
    token = browser.jar["s"]
    assert token not in browser.follow("Menu").follow("Sign out").jar.values()


# --- addresses and keys


# A list's keypad is full: these have keys on its menu.
_OTHER_MARKUP = ("Full pages (XHTML)", "WAP pages (WML)")
_WITHOUT_A_KEY = ("Inbox", "Write", "Search", "Refresh", "Drafts", "This folder", "Unsubscribe")


class Watched:
    """Passes requests on and examines each page that comes back."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.pages: list[tuple[str, etree._Element]] = []

    def __call__(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        answer = self._transport(method, url, headers, body)
        if answer.body:
            root = etree.fromstring(answer.body, etree.XMLParser(resolve_entities=False, no_network=True))
            for element in root.iter(etree.Element):
                element.tag = etree.QName(element).localname
            self.pages.append((url, root))
        return answer


def _walk(device: WmlPhone | XhtmlBrowser) -> None:
    device.follow("Next").follow("Prev").follow("Number 9")
    while "Next" in device.links:
        device.follow("Next")
    device.follow("Prev").follow("Reply").fill("text", "Yes.").press("Send").follow("Inbox")
    device.follow("Menu").follow("Sign out")


def _make(kind: str, transport: Transport) -> WmlPhone | XhtmlBrowser:
    match kind:
        case "WML 1.1":
            return _phone(transport)
        case "WML 1.2":
            return _phone(transport, "Nokia6100/1.0 (04.01)")
        case _:
            return _browser(transport, cookies=False)


@pytest.mark.parametrize("kind", ["WML 1.1", "WML 1.2", "XHTML"])
def test_addresses_are_short_relative_and_hold_no_token(transport: Transport, kind: str) -> None:
    watched = Watched(transport)
    _walk(_make(kind, watched))
    longest = 0
    for url, page in watched.pages:
        for element in page.iter("a", "go", "form"):
            href = element.get("href") or element.get("action") or ""
            assert not href.startswith(("/", "http")), href
            assert "~" not in href
            target = urljoin(url, href).removeprefix(ORIGIN)
            longest = max(longest, len(target))
            assert len(target) <= LONGEST_PATH, target
    assert longest > len("/~") + 22 + len("/m1.4294967200.1."), "no page of a message with a long UID was met"


def _is_written_in(page: etree._Element, element: etree._Element) -> bool:
    """Return whether this is a field of a mail or of the sign-in page: there the keys belong to the buttons."""
    sends = page.xpath(
        "//anchor[@accesskey='1'][starts-with(., 'Send') or starts-with(., 'Sign in')]"
        " | //input[@accesskey='1'][@value='Send' or @value='Sign in']"
    )
    is_field = element.tag == "textarea" or (
        element.tag == "input" and element.get("type", "text") in ("text", "password")
    )
    return bool(sends) and is_field


@pytest.mark.parametrize("kind", ["WML 1.2", "XHTML"])
def test_every_link_and_field_has_a_key_of_its_own(transport: Transport, kind: str) -> None:
    watched = Watched(transport)
    _walk(_make(kind, watched))
    for url, page in watched.pages:
        reached = [
            element
            for element in page.iter("a", "anchor", "input", "textarea")
            if element.get("type") != "hidden" and not _is_written_in(page, element)
        ]
        labels = ["".join(element.itertext()).strip() for element in reached]
        spare = _WITHOUT_A_KEY if {"Menu", "This folder"} & set(labels) else _OTHER_MARKUP
        keys = [
            element.get("accesskey")
            for element, label in zip(reached, labels, strict=True)
            if element.get("accesskey") or label not in spare
        ]
        assert None not in keys, (url, etree.tostring(page))
        assert len(keys) == len(set(keys)), (url, keys)


def test_wml_1_1_knows_no_access_keys(transport: Transport) -> None:
    watched = Watched(transport)
    _walk(_make("WML 1.1", watched))
    assert not [page for _url, page in watched.pages if page.xpath("//@accesskey")]


# --- logs


@pytest.mark.parametrize("kind", ["WML 1.1", "XHTML", "XHTML with cookies"])
def test_no_log_names_a_token_a_ticket_or_a_password(
    transport: Transport, smtp_server: SmtpServer, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        for name in list(logging.root.manager.loggerDict):
            caplog.set_level(logging.DEBUG, logger=name)
        caplog.set_level(logging.INFO, logger="mail.log")  # the test's own server takes octets for text
        watched = Watched(transport)
        device = _browser(watched) if "cookies" in kind else _make(kind, watched)
        XhtmlBrowser(ORIGIN, transport).sign_in(ME, PASSWORD + "?")
        kept = {device.jar["s"]} if "cookies" in kind else set()
        device.follow("Number 1").follow("Reply")
        smtp_server.stop()
        try:
            device.fill("text", "Yes.").press("Send")
        finally:
            smtp_server.start()
        device.press("Send")
        assert "Sent to" in device.text
        device.follow("Inbox").follow("Menu").follow("Sign out").fetch("GET", device.visited[-1])
    secrets = set(re.findall(r"~([\w-]{16,})", " ".join(device.visited)))
    secrets |= kept
    secrets |= {value for _url, page in watched.pages for value in page.xpath("//*[@name='ticket']/@value")}
    assert len(secrets) >= 3  # the session's token, and the tickets of two forms
    secrets |= {PASSWORD, base64.b64encode(f"\0{ME}\0{PASSWORD}".encode()).decode()}
    assert len(caplog.records) > 5
    for record in caplog.records:
        if record.name == "mail.log":  # the test's own SMTP server
            continue
        said = record.getMessage() + repr(record.args) + (record.exc_text or "")
        for secret in secrets:
            assert secret not in said, (record.name, said.replace(secret, "<secret>"))


# --- many at once


def test_twenty_people_sign_in_at_once_and_each_sees_their_own(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    people = [f"crowd{number}@example.net" for number in range(20)]
    for number, person in enumerate(people):
        shutil.rmtree(dovecot.home(person), ignore_errors=True)
        dovecot.deliver(dovecot.user(person), _mail(number + 100, person)[:600])
    server = GatewayServer(tmp_path, dovecot, smtp_server).start()
    try:

        def visit(number: int) -> str:
            make = WmlPhone if number % 2 else XhtmlBrowser
            device = make(server.url, over_http)
            for _attempt in range(20):  # a person who is told that the server is busy signs in again
                text = str(device.sign_in(people[number], "secret").text)
                if "server is busy" not in text:
                    break
            return text

        with ThreadPoolExecutor(20) as pool:
            pages = list(pool.map(visit, range(20)))
    finally:
        server.stop()
    for number, page in enumerate(pages):
        assert re.findall(r"Number (\d+)", page) == [str(number + 100)], page
    assert "Traceback" not in server.log
