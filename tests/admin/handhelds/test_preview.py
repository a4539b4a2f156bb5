"""The preview: real pages of the demo, in their frame, with their size; nothing of it remains, and nothing is open."""

from __future__ import annotations

import builtins
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

import pytest
from lxml import etree

from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.handhelds import demo_gateway
from gateway.admin.handhelds.demo_gateway import DemoGateway, ShownHandheld
from gateway.admin.handhelds.demo_walks import WALKS, Follow, Open, Walk
from gateway.admin.handhelds.preview_screens import DEMO
from gateway.markup.style_sheet import STYLE_SHEET
from gateway.wap import wbxml
from gateway.web.message.unsubscribe import EXTENSION
from tests.admin.conftest import XHTML, Administrator, text_of

SECONDS = 20.0
#: Pages of a walk along the links: the first ones and some more, among them the one that signs out.
PAGES = 25


class Configured:
    """The process from which a gateway that all tests share reads its overrides: starting one takes seconds."""

    process: GatewayProcess | None = None

    def handhelds(self) -> Any:
        return self.process.config.handhelds if self.process is not None else ()


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[DemoGateway, Configured]]:
    configured = Configured()
    made = DemoGateway(configured.handhelds)
    yield made, configured
    made.close()


@pytest.fixture
def demo(
    process: GatewayProcess, administrator: Administrator, shared: tuple[DemoGateway, Configured]
) -> DemoGateway:
    made, configured = shared
    configured.process = process
    administrator.client.application.extensions[DEMO] = made
    return made


def opened(administrator: Administrator, query: str) -> str:
    """Return the address of the inbox of a handheld."""
    answer = administrator.client.get(f"/handhelds/preview?{query}")
    assert answer.status_code == 303
    return answer.headers["Location"]


def inbox_of(administrator: Administrator, query: str) -> str:
    """Return the address of a handheld's inbox to which links on its pages lead."""
    _page, _frame, document = frame_of(administrator, opened(administrator, query))
    (base,) = document.xpath("//base/@href")
    return str(base)


def frame_of(administrator: Administrator, address: str) -> tuple[etree._Element, str, etree._Element]:
    """Return the page around a frame, the frame's address, and the document in it."""
    page = administrator.get(address)
    (frame,) = page.xpath("//h:iframe", namespaces=XHTML)
    answer = administrator.client.get(frame.get("src"))
    assert answer.status_code == 200
    return page, frame.get("src"), etree.HTML(answer.data)


def test_a_deck_is_shown_readable_at_the_width_of_the_phone_with_its_compiled_size(
    administrator: Administrator, demo: DemoGateway
) -> None:
    page, _, document = frame_of(administrator, opened(administrator, "agent=&profile=nokia7110"))
    text = text_of(page)
    source = page.xpath("string(//h:pre)", namespaces=XHTML)
    compiled, sent = len(wbxml.encode(source)), len(source.encode())
    assert f"{compiled:,} octets compiled (WBXML), {sent:,} as text, of 1,396 at most" in text
    assert compiled <= 1396
    assert page.xpath("string(//h:iframe/@width)", namespaces=XHTML) == "96"
    assert document.xpath("string(//h1)").startswith("Inbox")
    assert document.xpath("//a[contains(@href, 'm')]")
    assert not document.xpath("//go|//card|//do")


def test_a_page_is_shown_as_it_is_at_the_width_of_the_handheld_with_its_size(
    administrator: Administrator, demo: DemoGateway
) -> None:
    page, frame, document = frame_of(
        administrator, opened(administrator, "agent=SonyEricssonK750i/R1&markup=")
    )
    source = page.xpath("string(//h:pre)", namespaces=XHTML)
    assert f"{len(source.encode()):,} octets, of 5,000 at most" in text_of(page)
    assert page.xpath("string(//h:iframe/@width)", namespaces=XHTML) == "176"
    assert document.xpath("string(//title)") in source
    raw = re.sub("<base[^>]*>", "", administrator.client.get(frame).text)
    # In the frame the style sheet is where the page has a link to it.
    (link,) = re.findall('<link rel="stylesheet"[^>]*/>', source)
    sheet = f"<style>{STYLE_SHEET.decode()}</style>"
    assert raw.count(sheet) == 1
    raw = raw.replace(sheet, link)
    tickets = re.compile(r'bye\?t=[\w-]+|name="ticket" value="[^"]+"')
    assert tickets.sub("", raw).strip() == tickets.sub("", source).strip()


@pytest.mark.parametrize("profile", ["nokia7110", "kaios"])
def test_links_lead_on_within_the_preview(
    administrator: Administrator, demo: DemoGateway, profile: str
) -> None:
    waiting, seen = [opened(administrator, f"agent=&profile={profile}")], set()
    while waiting and len(seen) < PAGES:
        address = waiting.pop(0)
        answer = administrator.client.get(address, follow_redirects=True)
        assert answer.status_code == 200, address
        if answer.mimetype != "text/html" or address in seen:
            continue
        seen.add(address)
        _page, _frame, document = frame_of(administrator, answer.request.path)
        (base,) = document.xpath("//base")
        assert base.get("target") == "_top"
        links = [urljoin(base.get("href"), link) for link in document.xpath("//a/@href")]
        inside = [link for link in links if link.startswith("/handhelds/preview/")]
        assert inside == [link for link in links if link.startswith("/")]
        waiting += inside
    assert len(seen) == PAGES


@pytest.mark.parametrize("profile", ["nokia7110", "kaios"])
def test_a_screen_that_only_a_form_leads_to_is_chosen_from_the_list(
    administrator: Administrator, demo: DemoGateway, profile: str
) -> None:
    choice = administrator.get("/handhelds/preview")
    assert choice.xpath("//h:option[../@label]/text()", namespaces=XHTML) == [*WALKS]
    address = opened(administrator, f"agent=&profile={profile}&screen=Deleted")
    for words in (
        "Deleted: Lunch on Thursday?",
        "Undone.",
        "Deleted: Lunch on Thursday?",
    ):  # as new each time
        page, _, document = frame_of(administrator, address)
        assert "too large" not in text_of(page)
        assert words in " ".join(document.xpath("//body//text()"))
        another = "Undone" if words.startswith("Deleted") else "Deleted"
        (form,) = page.xpath("//h:form[.//h:select[@id='screen']]", namespaces=XHTML)
        answer = administrator.client.get(f"{form.get('action')}?screen={another}")
        assert answer.status_code == 303
        address = answer.headers["Location"]
        assert not [
            node
            for node in document.xpath("//input|//select|//textarea")
            if profile == "nokia7110" and not node.get("disabled")
        ]


def test_links_lead_on_from_where_a_walk_has_ended(administrator: Administrator, demo: DemoGateway) -> None:
    address = opened(administrator, "agent=&profile=kaios&screen=Your+text")
    _page, _frame, document = frame_of(administrator, address)
    (link,) = document.xpath("//a[contains(., 'See you there')]/@href")
    there = urljoin(document.xpath("string(//base/@href)"), link)
    _page, _frame, document = frame_of(administrator, there)
    assert document.xpath("string(//textarea)").strip() == "See you there."


def test_a_walk_whose_way_is_gone_says_so(
    administrator: Administrator, demo: DemoGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = Walk("Inbox", (Open("i"), Follow("no such words")))
    monkeypatch.setitem(WALKS, "Inbox", walk)  # type: ignore[arg-type]
    text = text_of(administrator.get(opened(administrator, "agent=&profile=kaios"), 404))
    assert "This handheld does not get to that screen: no link 'no such words'." in text


def test_no_request_of_a_walk_leaves_this_machine() -> None:
    demo = DemoGateway(lambda: ())
    try:
        demo.root(ShownHandheld(profile="kaios"))
        running = demo._running
        assert running is not None
        assert running.app is not None
        assert running.app.extensions[EXTENSION] is None
    finally:
        demo.close()


def test_a_frame_can_run_post_and_load_nothing(administrator: Administrator, demo: DemoGateway) -> None:
    for profile in ("nokia7110", "kaios"):
        page, frame, _ = frame_of(administrator, opened(administrator, f"agent=&profile={profile}"))
        sandbox = page.xpath("string(//h:iframe/@sandbox)", namespaces=XHTML).split()
        assert not {"allow-scripts", "allow-forms", "allow-popups", "allow-top-navigation"} & {*sandbox}
        policy = administrator.client.get(frame).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert "sandbox" in policy
        assert "unsafe" not in policy
    assert (
        "frame-ancestors 'none'"
        in administrator.client.get("/handhelds/preview").headers["Content-Security-Policy"]
    )


def test_a_page_of_another_session_or_of_none_is_one_of_this_session(
    administrator: Administrator, demo: DemoGateway
) -> None:
    address = inbox_of(administrator, "agent=&profile=kaios")
    other = re.sub("~[A-Za-z0-9_-]+", "~" + "A" * 22, address)
    _page, _frame, document = frame_of(administrator, other)
    assert "Inbox" in document.xpath("string(//h1)")
    administrator.client.get(address.removesuffix("/i") + "/bye")
    _page, _frame, document = frame_of(administrator, address)
    assert "Inbox" in document.xpath("string(//h1)")


def test_nothing_is_shown_without_a_session(administrator: Administrator, demo: DemoGateway) -> None:
    address = opened(administrator, "agent=&profile=nokia7110")
    stranger = administrator.client.application.test_client()
    for path in (address, address.replace("/preview/", "/framed/"), "/handhelds/preview?agent=x"):
        answer = stranger.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


def test_an_override_changes_what_is_shown_without_a_restart(
    process: GatewayProcess, administrator: Administrator, demo: DemoGateway
) -> None:
    query = "agent=SonyEricssonK750i/R1"
    assert "of 5,000 at most" in text_of(administrator.get(opened(administrator, query)))
    override = {"pattern": "SonyEricssonK750*", "markup": "wml", "deck": 900, "screen": (120, 100)}
    process.apply(replace(process.config, handhelds=(override,)))
    page, _, document = frame_of(administrator, opened(administrator, query))
    assert "octets compiled (WBXML)" in text_of(page)
    assert "of 900 at most" in text_of(page)
    assert page.xpath("string(//h:iframe/@width)", namespaces=XHTML) == "120"
    assert document.xpath("//div[@class='card']")


def test_it_starts_when_it_is_looked_at_and_stops_when_nobody_does(process: GatewayProcess) -> None:
    demo = DemoGateway(lambda: (), idle_seconds=1.0, watch_seconds=0.05)
    assert not demo.is_running
    shown = ShownHandheld(profile="nokia7110")
    name, root = demo.name(shown), demo.root(shown)
    folder = demo._running.config.state.parent  # type: ignore[union-attr]
    assert folder.exists()
    until = time.monotonic() + SECONDS
    while demo.is_running and time.monotonic() < until:
        time.sleep(0.05)
    assert not demo.is_running
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not folder.exists()
    assert demo.shown(name) == shown
    assert b"Inbox" in demo.get(shown, f"{root}/i", "").octets
    demo.close()
    assert not demo.is_running


def test_nothing_of_it_is_counted_or_seen_here(
    process: GatewayProcess, administrator: Administrator, demo: DemoGateway
) -> None:
    administrator.get(opened(administrator, "agent=&profile=nokia7110"))
    process.instruments.flush()
    assert process.state.handhelds.all() == []
    assert not any(key[0] in ("pages", "sign_ins") for key in process.state.counts.totals())
    assert process.state.sessions.count(time.time()) == 0


def test_without_the_demo_the_page_names_what_is_missing(
    administrator: Administrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def missing(name: str, *values: Any, **names: Any) -> Any:
        if name.startswith("gateway.demo"):
            raise ModuleNotFoundError(name="pymap")
        return real(name, *values, **names)

    monkeypatch.setattr(builtins, "__import__", missing)
    page = administrator.get("/handhelds/preview?agent=&profile=nokia7110", 404)
    assert 'pymap is not installed: pip install "pocketpost[demo]"' in text_of(page)


@pytest.mark.parametrize(
    "query",
    [
        "agent=%0d%0aX-Evil:1&profile=../../etc&markup=%3Cscript%3E",
        "agent=" + "x" * 5000,
        "agent=%ff%fe%00",
        "agent=%3Cscript%3Ealert(1)%3C/script%3E",
    ],
)
def test_whatever_is_asked_for_is_a_page(administrator: Administrator, demo: DemoGateway, query: str) -> None:
    address = opened(administrator, query)
    page = administrator.get(address)
    assert not page.xpath("//h:script", namespaces=XHTML)
    assert page.xpath("//h:iframe", namespaces=XHTML)


@pytest.mark.parametrize(
    "path",
    [
        "/handhelds/preview/x",
        "/handhelds/preview/x/i",
        "/handhelds/framed/0123456789ab/i",
        "/handhelds/framed/../../etc/passwd",
    ],
)
def test_an_address_of_no_handheld_leads_to_the_choice(
    administrator: Administrator, demo: DemoGateway, path: str
) -> None:
    answer = administrator.client.get(path)
    assert answer.status_code in (303, 404)
    assert b"passwd" not in answer.data


def test_no_page_of_a_post_is_shown(administrator: Administrator, demo: DemoGateway) -> None:
    address = opened(administrator, "agent=&profile=kaios")
    assert administrator.client.post(address).status_code in (405, 409)


def test_a_picture_and_a_file_are_passed_on_as_such(administrator: Administrator, demo: DemoGateway) -> None:
    inbox = inbox_of(administrator, "agent=&profile=kaios")
    demo_answers = {
        "image/png": demo_gateway.DemoResponse(200, "image/png", b"png"),
        "application/octet-stream": demo_gateway.DemoResponse(200, "text/plain", b"a file"),
    }
    for kind, given in demo_answers.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(demo, "get", lambda *_values, given=given: given)
            for address in (inbox, inbox.replace("/preview/", "/framed/")):
                answer = administrator.client.get(address)
                assert (answer.mimetype, answer.data) == (kind, given.octets)
                assert "sandbox" in answer.headers["Content-Security-Policy"]
