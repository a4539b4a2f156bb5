"""Cookies as browsers keep them: over HTTP and TLS on one host, after the browser was closed, under earlier names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.state.sending.posted_forms import LIFETIME
from tests.devices.checks import check_page
from tests.devices.cookie_store import CookieStore
from tests.devices.phones import XhtmlBrowser
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.office import Office, mail

ME, BOB, EVE = "cookie@example.net", "cookie-bob@example.net", "cookie-eve@example.net"
PLAIN, TLS = "http://pp.example", "https://pp.example"
TEXT = "Dear Bob, it is $5 or 5 €."
IDLE = 720 * 60  # seconds


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, BOB, EVE)
    dovecot.deliver(ME, mail(sender=f"Bob <{BOB}>", to=ME))
    yield made
    made.closing.close()


@pytest.fixture
def kept(office: Office) -> CookieStore:
    return CookieStore(office.transport)


def _browser(kept: CookieStore, origin: str = PLAIN) -> XhtmlBrowser:
    """Open a window; kept cookies belong to the browser, not to the window."""
    return XhtmlBrowser(origin, kept, cookies=False, check_page=check_page)


@pytest.mark.parametrize("origins", [(TLS, PLAIN), (PLAIN, TLS), (TLS, PLAIN, TLS)], ids=len)
def test_who_signed_in_over_one_signs_in_over_the_other(kept: CookieStore, origins: tuple[str, ...]) -> None:
    for origin in origins:
        browser = _browser(kept, origin).open("/")
        if not browser.title.startswith("Inbox"):
            browser.fill("user", ME).fill("password", "secret").press("Sign in")
        assert browser.title.startswith("Inbox"), origin
        assert "/~" not in browser.url
    for origin in origins:
        assert _browser(kept, origin).open("/i").title.startswith("Inbox"), origin


def test_over_plain_http_a_gateway_that_is_named_by_https_signs_in_too(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    office = Office(dovecot, smtp_server, tmp_path, url=TLS)
    office.anew(ME)
    browser = _browser(CookieStore(office.transport)).sign_in(ME, "secret")
    assert browser.title.startswith("Inbox")
    browser.follow("Menu")
    assert browser.title == "Menu"
    office.closing.close()


@pytest.mark.parametrize("origin", [PLAIN, TLS])
def test_a_closed_browser_signs_nobody_out_and_loses_no_text(
    office: Office, kept: CookieStore, origin: str
) -> None:
    browser = _browser(kept, origin).sign_in(ME, "secret").follow("Lunch").follow("Reply").fill("text", TEXT)
    kept.restart()
    browser.press("Send")
    assert "Sent to" in browser.text
    assert len(office.found(BOB)) == 1
    assert _browser(kept, origin).open("/").title.startswith("Inbox")


def _age(office: Office, seconds: float) -> None:
    """Let time pass for all sessions."""
    with office.sessions._state.database.writing() as connection:
        connection.exec_driver_sql(
            f"UPDATE sessions SET touched = touched - {seconds}, expires = expires - {seconds}"
        )


def test_the_cookie_is_renewed_when_the_session_is(office: Office, kept: CookieStore) -> None:
    browser = _browser(kept).sign_in(ME, "secret")
    given = kept.kept["s"].until
    assert given == IDLE + LIFETIME
    for _time in range(3):
        kept.now += IDLE - 3600
        _age(office, IDLE - 3600)
        assert browser.open("/i").title.startswith("Inbox")
        assert kept.kept["s"].until == kept.now + given
    before = kept.kept["s"]
    kept.now += 5
    browser.open("/i")
    assert kept.kept["s"] == before, "not with every page"


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("origin", [PLAIN, TLS])
def test_a_text_posted_when_the_session_has_ended_is_kept(
    office: Office, kept: CookieStore, origin: str, restarted: bool
) -> None:
    browser = _browser(kept, origin).sign_in(ME, "secret").follow("Lunch").follow("Reply").fill("text", TEXT)
    kept.now += IDLE + 60
    _age(office, IDLE + 60)
    if restarted:
        kept.restart()
    browser.press("Send")
    assert "Your text is kept" in browser.text
    _goes_on(office, browser)


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_a_text_posted_without_any_cookie_is_kept_in_the_page(
    office: Office, kept: CookieStore, charset: str
) -> None:
    """As after clearing the browser's data, or longer after the session's end than its cookie lasts."""
    browser = _browser(kept, TLS)
    browser.charset, browser.extra = charset, {"Accept-Charset": charset}
    browser.sign_in(ME, "secret").follow("Lunch").follow("Reply").fill("text", TEXT.replace("€", "EUR"))
    kept.kept.clear()
    browser.press("Send")
    assert "Your text is kept" in browser.text
    browser.fill("user", ME).fill("password", "wrong").press("Sign in")
    _goes_on(office, browser, TEXT.replace("€", "EUR"))


def _goes_on(office: Office, browser: XhtmlBrowser, text: str = TEXT) -> None:
    """Sign in, and send what was kept."""
    assert office.found(BOB) == []
    browser.fill("user", ME).fill("password", "secret").press("Sign in")
    assert "This was not sent" in browser.text
    browser.follow("Dear Bob")
    assert browser.page.findtext(".//textarea") == text
    browser.press("Send")
    assert "Sent to" in browser.text
    assert len(office.found(BOB)) == 1


def test_what_was_sent_is_not_offered_again_from_the_page(office: Office, kept: CookieStore) -> None:
    browser = _browser(kept, TLS).sign_in(ME, "secret").follow("Lunch").follow("Reply").fill("text", TEXT)
    browser.press("Send")
    kept.kept.clear()
    browser.fetch("POST", *browser.posted)  # as a browser does that has not seen the answer
    browser.fill("user", ME).fill("password", "secret").press("Sign in")
    assert "This was not sent" not in browser.text
    assert "What happened to your mail" in browser.text
    assert len(office.found(BOB)) == 1


def test_what_the_page_carries_is_ours_alone(office: Office, kept: CookieStore) -> None:
    browser = _browser(kept).open("/m")
    browser.fetch("POST", f"{PLAIN}/c", b"text=Dear+Bob&to=bob%40example.net")
    (hidden,) = browser.page.xpath("//*[@name='carried']")
    hidden.set("value", hidden.get("value")[:-8] + "AAAAAAAA")
    browser.fill("user", ME).fill("password", "secret").press("Sign in")
    assert browser.title.startswith("Inbox")


@pytest.mark.parametrize("origin", [PLAIN, TLS])
def test_the_cookie_of_an_earlier_version_is_in_nobodys_way(kept: CookieStore, origin: str) -> None:
    """It had one name over HTTP and TLS, and lasted until the browser was closed."""
    browser = _browser(kept, origin).sign_in(ME, "secret")
    token = kept.kept["s" if origin == PLAIN else "__Host-s"].value
    kept.kept.clear()
    kept.take(f"s={token}; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" * (origin == TLS)), origin)
    browser.open("/i")
    if origin == TLS:  # which would believe what was planted over HTTP, so it asks once more
        assert browser.title == "Pocketpost"
        browser.fill("user", ME).fill("password", "secret").press("Sign in")
    assert browser.title.startswith("Inbox")
    if origin == TLS:
        other = _browser(kept, PLAIN).sign_in(ME, "secret")
        assert other.follow("Menu").title == "Menu"


# --- the address


def _offered(browser: XhtmlBrowser) -> tuple[str, bool]:
    """Return the address that the sign-in page has in its field, and whether it offers to forget it."""
    (field,) = browser.page.xpath("//input[@name='user']")
    return field.get("value"), bool(browser.page.xpath("//input[@value='Forget me']"))


@pytest.mark.parametrize("origin", [PLAIN, TLS])
def test_the_address_is_there_when_the_session_has_ended(
    office: Office, kept: CookieStore, origin: str
) -> None:
    browser = _browser(kept, origin).open("/")
    assert _offered(browser) == ("", False)
    browser.sign_in(ME, "secret")
    kept.restart()
    kept.now += 30 * 24 * 3600
    _age(office, 30 * 24 * 3600)
    assert _offered(browser.open("/i")) == (ME, True)
    browser.fill("password", "wrong").press("Sign in")
    assert _offered(browser) == (ME, True)
    browser.fill("user", EVE).fill("password", "wrong").press("Sign in")
    assert _offered(browser) == (EVE, True)
    assert browser.open("/").fill("password", "secret").press("Sign in").title.startswith("Inbox")


def test_forget_me_forgets_the_address_and_no_text(office: Office, kept: CookieStore) -> None:
    browser = _browser(kept).sign_in(ME, "secret").follow("Lunch").follow("Reply").fill("text", TEXT)
    _age(office, IDLE + 60)
    browser.press("Send").press("Forget me")
    assert "no longer remembers" in browser.text
    assert _offered(browser) == ("", False)
    assert ME.encode() not in browser.answer.body  # type: ignore[union-attr]
    _goes_on(office, browser)
    browser.open("/bye")
    assert "a" in kept.kept, "asked first"


def test_signing_out_forgets_the_address(kept: CookieStore) -> None:
    browser = _browser(kept).sign_in(ME, "secret").follow("Menu").follow("Sign out")
    assert _offered(browser) == ("", False)
    assert _offered(browser.open("/")) == ("", False)
    assert ME not in str(kept.kept)


def test_without_cookies_no_address_is_remembered(office: Office) -> None:
    browser = office.plain_browser().sign_in(ME, "secret")
    _age(office, IDLE + 60)
    assert _offered(browser.open("/")) == ("", False)


@pytest.mark.parametrize("planted", ['"><script>', "a" * 5000, "\x01\ud800", '"\\000\\377"'])
def test_whatever_is_planted_as_an_address_is_text(kept: CookieStore, planted: str) -> None:
    answer = kept.transport("GET", f"{PLAIN}/", {"Cookie": f"a={planted}"}, b"")
    assert answer.status == 200
    assert len(answer.body) < 4000
    check_page(answer.body, 10_000)
