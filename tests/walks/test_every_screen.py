"""Every screen there is, walked by its links in both markups and held to what a small device can take.

XHTML is judged by W3C mobileOK Basic, as the device that standard describes (the default delivery context); WML by
its grammar and by all compilers. A screen that no link leads to is named here, or the test fails.
"""

from __future__ import annotations

import imaplib
import io
import re
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from PIL import Image

from gateway.markup import style_sheet
from gateway.markup.keys import BACK_KEY, KEYS, MAIN_KEY, ROW_KEYS
from tests import rig
from tests.devices import mobileok
from tests.devices.browsers import chromium
from tests.devices.browsers.chromium import Chromium
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import Answer, WmlPhone, XhtmlBrowser, in_process, label_of
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

ORIGIN = "http://pp.example:8080"
DOCS = Path(__file__).parents[2] / "docs"
SAMPLES = Path(__file__).parents[1] / "data" / "messages"
#: Pages of one kind that are looked at: the third message list differs from the second by its words only.
OF_A_KIND = 8
#: Of messages all, since each is unlike the others.
ALL = {"message.first", "details.first"}
#: As the default delivery context says of itself (mobileOK Basic §2.3.3).
DDC = "W3C-mobileOK/DDC-1.0 (see http://www.w3.org/2006/07/mobileok-ddc)"
DDC_ACCEPT = (
    "application/xhtml+xml,text/html;q=0.1,application/vnd.wap.xhtml+xml;q=0.1,text/css,image/jpeg,image/gif"
)
#: Screens that no link of a page leads to by GET, and why.
ELSEWHERE = {
    "signin.sign_out": "ends the walk; tests/walks/test_walk.py",
    "plain.robots": "for robots; tests/web/test_http.py",
    "plain.favicon": "for browsers; tests/web/test_http.py",
    "plain.style_sheet": "for browsers; tests/web/test_http.py",
    "outcomes.show": "after a sending was left unfinished; tests/web/mailbox/test_outcomes.py",
    "contacts.return_to_message": "of an address that is posted to; tests/web/contacts/test_contacts.py",
    "message_actions.return_to_message": "of an address that is posted to; tests/web/message/test_actions.py",
    "search.repeat": "of a search that is forgotten; tests/web/mailbox/test_search.py",
    "restored_forms.show": "after a session has ended; tests/web/entry/test_restored_forms.py",
    "signin.wml": "leads out of the session",
    "signin.xhtml": "leads out of the session",
    "signin.front": "leads out of the session",
}
#: Files that a WAP phone could do nothing with, so no deck links to them.
NOT_FOR_PHONES = {"vcards.export", "stored_data.download"}


@pytest.fixture(scope="module")
def app(dovecot: Dovecot, _smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    user = "screens@example.net"
    shutil.rmtree(dovecot.home(user), ignore_errors=True)
    dovecot.user(user)
    for sample in sorted(SAMPLES.glob("*.eml")):
        dovecot.deliver(user, sample.read_bytes())
    dovecot.deliver(user, _crowded(user))
    for number in range(9):
        dovecot.deliver(user, b"From: ann@example.org\r\nSubject: Filed\r\n\r\nFiled.\r\n", f"Box {number}")
    config = rig.config(rig.upstream(dovecot, _smtp))
    with rig.app(config, tmp_path_factory.mktemp("screens") / "s.sqlite") as made:
        _furnish(made, dovecot, user)
        yield made


def _furnish(app: Flask, dovecot: Dovecot, user: str) -> None:
    """Make what screens are about: a folder, a contact, a saved search."""
    connection = imaplib.IMAP4(dovecot.host, dovecot.ports["imap"])
    connection.login(user, "secret")
    for number in range(24):
        connection.create(f"Projects{number}")
        connection.subscribe(f"Projects{number}")
    connection.logout()
    browser = XhtmlBrowser(ORIGIN, in_process(app), check_page=check_page)
    browser.sign_in(user, "secret").open("/tn").fill("name", "Carol").fill("mail", "carol@example.org")
    browser.press("Save").open("/q").fill("q", "subject:e").press("Search").press("Save search")
    browser.open("/bye").follow("Sign out")


def _crowded(user: str) -> bytes:
    """Make a mail with more of everything than fits a page: recipients, attachments, a mail inside, a document."""
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Ann <ann@example.org>", "More of everything " + "and more " * 800
    mail["To"] = ", ".join(f"Guest {n} <guest{n}@example.org>" for n in range(120))
    mail["Cc"] = ", ".join(f"Host {n} <host{n}@example.org>" for n in range(60))
    mail["List-Unsubscribe"] = "<mailto:leave@example.org>, <https://example.org/leave>"
    mail["List-Post"] = "<mailto:list@example.org>"
    mail["Message-ID"] = "<crowded@example.org>"
    mail.set_content("".join(f"Paragraph {n} of a long letter to all of you.\n\n" for n in range(400)))
    mail.add_attachment("".join(f"Line {n} of a document.\n\n" for n in range(400)), filename="long.txt")
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "Ben <ben@example.org>", "Inside"
    inner.set_content("".join(f"Sentence {n} inside.\n\n" for n in range(300)))
    mail.add_attachment(inner)
    for number in range(12):
        mail.add_attachment(f"File {number}.\n", filename=f"file{number}.txt")
    mail.add_attachment(_picture(), maintype="image", subtype="png", filename="photo.png")
    return mail.as_bytes()


def _picture() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((400, 300), 60).save(file, "PNG")
    return file.getvalue()


def _endpoint(app: Flask, url: str) -> str:
    path = re.sub(r"\A/~[\w-]+", "", urlsplit(url).path) or "/"
    return app.url_map.bind("pp.example").match(path, method="GET")[0]


def _walk(app: Flask, device: Any, judge: Callable[[Any], None], most: int = OF_A_KIND) -> set[str]:
    """Follow every link of ours, some of each kind; return the screens seen."""
    seen: dict[str, int] = {}
    known: set[str] = set()
    waiting = deque([device.url, *_of_a_draft(device)])
    while waiting:
        url = waiting.popleft()
        endpoint = _endpoint(app, url)
        if endpoint in ELSEWHERE or (seen.get(endpoint, 0) >= most and not (endpoint in ALL and most > 2)):
            continue
        seen[endpoint] = seen.get(endpoint, 0) + 1
        answer = device.transport("GET", url, _headers(device), b"")
        assert answer.status == 200, (url, answer.status)
        if answer.media_type not in PAGES:
            continue
        device.fetch("GET", url)
        judge(device)
        for href in _addresses(device):
            there = urljoin(device.url, href)
            if there.startswith(ORIGIN + "/") and there not in known:
                known.add(there)
                waiting.append(there)
    return set(seen)


def _of_a_draft(device: Any) -> list[str]:
    """Begin a mail; return where the page of its files leads, which can be reached only by a button."""
    device.fetch("GET", urljoin(device.url, "c"))
    device.fill("subject", "Begun").press("Attach")
    return [urljoin(device.url, href) for href in _addresses(device)]


#: A thumbnail's size is not known before it is fetched (docs/best-practices.md); one picture is a single pixel.
EXEMPT = re.compile(r"IMAGES_SPECIFY_SIZE: g[\d.]+\?m=1|GRAPHICS_FOR_SPACING")
#: Types of pages; everything else that is returned is a file.
PAGES = {"text/vnd.wap.wml", "application/xhtml+xml", "text/html"}


def _headers(device: Any) -> dict[str, str]:
    headers = {"Accept": device.accept, "User-Agent": device.agent}
    jar = getattr(device, "jar", {})
    if jar:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
    return headers


def _addresses(device: Any) -> Iterator[str]:
    root = device.deck if isinstance(device, WmlPhone) else device.page
    for element in root.iter("a", "go", "img"):
        if element.get("method") != "post":
            yield element.get("href") or element.get("src") or ""


def _screens(app: Flask) -> set[str]:
    return {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}


@pytest.mark.long
def test_every_page_is_mobileok(app: Flask) -> None:
    browser = XhtmlBrowser(ORIGIN, in_process(app), agent=DDC, accept=DDC_ACCEPT, check_page=check_page)
    browser.sign_in("screens@example.net", "secret")
    found: list[str] = []

    def fetch(url: str) -> Answer:
        return browser.transport("GET", url, _headers(browser), b"")

    def judge(device: XhtmlBrowser) -> None:
        assert device.answer is not None
        faults = mobileok.faults(device.answer, fetch)
        found.extend(f"{urlsplit(device.url).path}: {each}" for each in faults if not EXEMPT.match(each))

    seen = _walk(app, browser, judge)
    assert not found, "\n".join(found)
    assert _screens(app) - seen == set(ELSEWHERE)


@pytest.mark.long
def test_every_deck_is_good_on_the_smallest_phone(app: Flask) -> None:
    phone = WmlPhone(ORIGIN, in_process(app), check_deck=check_deck)
    phone.sign_in("screens@example.net", "secret")
    seen = _walk(app, phone, lambda device: None)
    assert _screens(app) - seen == set(ELSEWHERE) | NOT_FOR_PHONES


# --- keys

#: Screens whose numbered items are rows: lists, menus, choices.
ROWS = {
    "mailbox.inbox", "mailbox.drafts", "mailbox.by_number", "mailbox.in_view", "search.results", "search.favourite",
    "bulk.tick", "bulk.return_to_list", "menu.show", "folders.show", "folders.page", "more.choose",
    "contacts.listing", "attachment.listing", "attachment.contents", "search.form",
    "quick.listing", "quick.to_edit", "attach_mail.messages", "attach_mail.folders", "attach_mail.parts",
    "settings.show", "identities.identities", "identities.quick", "favourites.show", "stored_data.show",
}  # fmt: skip
#: Screens of lists, where 0 is the menu.
LISTS = {
    "mailbox.inbox", "mailbox.drafts", "mailbox.by_number", "mailbox.in_view", "search.results", "search.favourite",
    "bulk.return_to_list", "search.form", "folders.show", "folders.page", "contacts.listing",
}  # fmt: skip
#: Labels that share a key, because a page has only one of them.
EITHER = ({"Flag", "Unflag"}, {"Unread", "Restore"}, {"Junk", "Not junk"}, {"Subscribe", "Unsubscribe"})


def _keyed(device: Any) -> Iterator[tuple[str, str, bool]]:
    """Yield label and key of everything that has a key, and whether it is the button of a form or a question."""
    if isinstance(device, WmlPhone):
        accept = [do.get("label") for do in device.card.findall("do") if do.get("type") == "accept"]
        for element in device.card.iter("a", "anchor", "input"):
            if key := element.get("accesskey"):
                label = element.text if element.tag == "anchor" else "".join(element.itertext())
                is_form = element.find("go") is not None and element.find("go").get("method") == "post"
                yield device._plain(label or "").strip(), key, is_form and bool(accept)
        return
    for element in device.page.iter("a", "input", "textarea", "label"):
        if key := element.get("accesskey"):
            is_button = element.get("type") == "submit"
            label = element.get("value") if is_button else label_of(element)
            yield (label or "").strip(), key, is_button


def _without_number(device: Any) -> Iterator[str]:
    """Name the buttons whose key is not beside them, in the same line even in a text browser."""
    for button in device.page.iter("input") if isinstance(device, XhtmlBrowser) else ():
        key = button.get("accesskey")
        if (
            button.get("type") == "submit"
            and key
            and key not in button.getparent().xpath("span[@class='k']/text()")
        ):
            yield f"{button.get('value')!r} without its {key}"


def _faults_of_keys(screen: str, found: list[tuple[str, str, bool]]) -> Iterator[str]:
    """Name what violates the table of gateway/markup/keys.py on one page."""
    held = [key for _label, key, _button in found]
    if len(held) != len(set(held)):
        yield f"two things on one key: {found}"
    if "0" not in held:
        yield "no way back on 0"
    for label, key, is_button in found:
        plain = re.sub(r" \([\d,.]+\)$", "", label)
        plain = re.sub(r"\A(Write) to .*|\A(Call) .*", r"\1\2", plain)
        if (screen in ROWS and key in ROW_KEYS) or (is_button and key == MAIN_KEY):
            continue
        if key == BACK_KEY:
            if (plain == "Menu") is not (screen in LISTS):
                yield f"{label!r} on 0"
        elif KEYS.get(plain) != key:
            yield f"{label!r} on {key}"


KEYPADS = {
    "wml": lambda app: WmlPhone(ORIGIN, in_process(app), agent="Nokia6610/1.0 (4.18)", limit=5600),
    "xhtml": lambda app: XhtmlBrowser(ORIGIN, in_process(app)),
}


@pytest.mark.long
@pytest.mark.parametrize("markup", KEYPADS)
def test_every_key_is_that_of_the_table(app: Flask, markup: str) -> None:
    device = KEYPADS[markup](app)
    device.sign_in("screens@example.net", "secret")
    faults: set[str] = set()
    labels: dict[tuple[str, str], set[str]] = {}

    def judge(device: Any) -> None:
        screen, found = _endpoint(app, device.url), list(_keyed(device))
        wrong = (*_faults_of_keys(screen, found), *_without_number(device))
        faults.update(f"{screen}: {fault}" for fault in wrong)
        for label, key, _is_button in found:
            if screen not in ROWS and key in ROW_KEYS:
                labels.setdefault((screen, key), set()).add(label)

    _walk(app, device, judge, 3)
    for (screen, key), given in labels.items():
        if len(given) > 1 and given not in EITHER:
            faults.add(f"{screen}: {key} is given to {sorted(given)}")
    assert not faults, "\n".join(sorted(faults))


@pytest.mark.parametrize("markup", KEYPADS)
def test_signing_in_has_the_keys_of_the_table(app: Flask, markup: str) -> None:
    device = KEYPADS[markup](app)
    device.open("/").fill("user", "screens@example.net").fill("password", "secret")
    assert [key for _label, key, _button in _keyed(device)] == [MAIN_KEY] == [KEYS["Sign in"]]
    device.press("Sign in")
    if isinstance(device, XhtmlBrowser):  # whose cookies remember the address
        device.jar = {name: value for name, value in device.jar.items() if value == "screens@example.net"}
        device.open("/")
        held = {label: key for label, key, _button in _keyed(device)}
        assert held == {"Sign in": KEYS["Sign in"], "Forget me": KEYS["Forget me"]}
        assert not list(_without_number(device))


def test_the_docs_have_the_same_keys() -> None:
    section = (DOCS / "pages.md").read_text("utf-8").partition("## Keys")[2].partition("\n## ")[0]
    told: dict[str, str] = {}
    for row in re.findall(r"^\| `?([\d#*])`? \|(.*)\|$", section, re.MULTILINE):
        told |= dict.fromkeys(re.findall(r"\*([\w ]+)\*", row[1]), row[0])
    assert told == dict(KEYS)


#: CSS pixels: the narrowest screen of the standard, a keypad phone, a small tablet.
WIDTHS = (120, 240, 600)
#: CSS pixels of a target for a finger (WCAG 2.2 §2.5.8).
TAP = 24


@pytest.mark.long
def test_every_page_fits_any_width_and_a_finger(app: Flask, tmp_path: Path) -> None:
    if chromium.BINARY is None:
        pytest.skip("NOT TESTED: chromium is not installed (see tests/debian-packages.txt)")
    browser = XhtmlBrowser(ORIGIN, in_process(app))
    browser.sign_in("screens@example.net", "secret")
    pages: dict[str, Path] = {}

    def keep(device: XhtmlBrowser) -> None:
        assert device.answer is not None
        # Pictures are not fetched here; their declared size is what counts.
        file = tmp_path / f"{_endpoint(app, device.url)}-{len(pages)}.xhtml"
        sheet = b"<style>" + style_sheet.STYLE_SHEET + b"</style>"
        file.write_bytes(re.sub(rb'<link rel="stylesheet"[^>]*/>', sheet, device.answer.body))
        pages[device.url] = file

    _walk(app, browser, keep, 2)
    faults: list[str] = []
    shown = Chromium(tmp_path / "profile")
    try:
        for file in pages.values():
            shown.open(file.as_uri())
            for width in WIDTHS:
                size = {"width": width, "height": 320, "deviceScaleFactor": 1, "mobile": True}
                shown.call("Emulation.setDeviceMetricsOverride", **size)
                if shown.width > width:
                    faults.append(f"{file.name}: {shown.width} px wide on {width}")
                faults.extend(f"{file.name} on {width}: {fault}" for fault in _low_targets(shown))
    finally:
        shown.close()
    assert not faults, "\n".join(faults)


def _low_targets(shown: Chromium) -> Iterator[str]:
    """Name the buttons, fields and links on lines of their own that a finger would miss."""
    root = shown.call("DOM.getDocument", depth=0)["root"]["nodeId"]
    wanted = "input:not([type=hidden]), textarea, select, .a a"
    for node in shown.call("DOM.querySelectorAll", nodeId=root, selector=wanted)["nodeIds"]:
        box = shown.call("DOM.getBoxModel", nodeId=node)["model"]
        if box["height"] < TAP and "checkbox" not in str(shown.call("DOM.getAttributes", nodeId=node)):
            yield f"{box['height']} px high: {shown.call('DOM.getOuterHTML', nodeId=node)['outerHTML'][:80]}"
