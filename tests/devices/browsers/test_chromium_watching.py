"""The screens that watch the gateway, in Chromium and lynx: they fit, and links inside a previewed page work."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests import PATIENCE
from tests.devices.browsers.chromium import Chromium
from tests.devices.browsers.test_chromium_panel import WIDTHS, Desk
from tests.devices.phones import WmlPhone, over_http

PASSWORD = "tap"
LYNX = shutil.which("lynx")


@pytest.fixture(scope="module")
def demo(demo_said: str) -> tuple[str, str]:
    """The addresses of a demo and of its panel."""
    handhelds, panel = re.findall(r"^(?:Address|Panel) +(http://[\d.:]+)/", demo_said, re.MULTILINE)
    return handhelds, panel


@pytest.fixture
def browser(opened_chromium: Chromium) -> Chromium:
    return opened_chromium


def within(node: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """Yield the elements of a name in a document and its frames."""
    if node["nodeName"].lower() == name:
        yield node
    for child in [*node.get("children", []), *filter(None, [node.get("contentDocument")])]:
        yield from within(child, name)


def click_in_frame(browser: Chromium, number: int) -> None:
    """Click a link of the page in the frame, with the mouse."""
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=WIDTHS[-1], height=900, deviceScaleFactor=1, mobile=False
    )
    until = time.monotonic() + PATIENCE
    links: list[dict[str, Any]] = []
    while len(links) <= number and time.monotonic() < until:
        root = browser.call("DOM.getDocument", depth=-1, pierce=True)["root"]
        links = [link for frame in within(root, "iframe") for link in within(frame, "a")]
    browser.call("DOM.scrollIntoViewIfNeeded", nodeId=links[number]["nodeId"])
    corners = browser.call("DOM.getContentQuads", nodeId=links[number]["nodeId"])["quads"][0]
    place = {"x": (corners[0] + corners[4]) / 2, "y": (corners[1] + corners[5]) / 2}
    browser._events.clear()
    for kind in ("mousePressed", "mouseReleased"):
        browser.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)
    browser._await("Page.loadEventFired")


@pytest.mark.long
def test_from_the_overview_to_an_override_that_is_seen_in_the_preview(
    demo: tuple[str, str], browser: Chromium
) -> None:
    handhelds, panel = demo
    WmlPhone(handhelds, over_http).sign_in("alice", PASSWORD)
    desk = Desk(browser)
    desk.open(panel)
    desk.fill(password=PASSWORD).press("Sign in")
    words = desk.open(panel)
    assert re.search(r"imap://127\.0\.0\.1:\d+\s+(For: )?pocketpost\.example\s+(State: )?Up since", words), (
        words
    )
    assert re.search(r"signed in\s+1\s+1\s+1", words), words
    assert "Nothing." in words
    assert "of all workers" in desk.follow("/log")
    assert "WML" in desk.follow("/handhelds")

    desk.follow("/handhelds/preview")
    words = desk.fill(agent="SonyEricssonK750i/R1").press("Open")
    assert re.search(r"[\d,]+ octets, of 5,000 at most", words), words
    for _ in range(2):
        before = browser.call("Page.getNavigationHistory")
        click_in_frame(browser, 0)
        after = browser.call("Page.getNavigationHistory")
        assert after["currentIndex"] == before["currentIndex"] + 1
        assert "/handhelds/preview/" in after["entries"][after["currentIndex"]]["url"]
        assert "octets" in browser.text

    desk.open(f"{panel}/settings/tables/handheld/0?pattern=SonyEricssonK750*")
    saved = desk.fill(deck="900", screen="120x100", password=PASSWORD)
    saved._run("document.getElementsByName('markup')[0].value = 'wml'")
    assert "Saved" in saved.press("Save")
    assert "SonyEricssonK750*" in desk.open(f"{panel}/handhelds")
    desk.follow("/handhelds/preview")
    words = desk.fill(agent="SonyEricssonK750i/R1").press("Open")
    assert re.search(r"\d+ octets compiled \(WBXML\), [\d,]+ as text, of 900 at most", words), words
    click_in_frame(browser, 0)
    assert "compiled (WBXML)" in browser.text


@pytest.mark.skipif(not LYNX, reason="NOT TESTED: lynx is not installed (see tests/debian-packages.txt)")
def test_a_text_browser_shows_the_health_checks(demo: tuple[str, str]) -> None:
    _, panel = demo
    for path, words in (
        ("/health/live", '"live"'),
        ("/health/ready", '"ready"'),
        ("/metrics", "pocketpost_info"),
    ):
        shown = subprocess.run(
            ["lynx", "-dump", panel + path], capture_output=True, text=True, check=True
        ).stdout
        assert words in shown
