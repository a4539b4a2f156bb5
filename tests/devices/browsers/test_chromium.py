"""The main job in Chromium at 240x320 with scripts off, with only number keys."""

from __future__ import annotations

import struct

import pytest

from tests.devices.browsers.chromium import HEIGHT, WIDTH, Chromium
from tests.devices.journey import LAST_WORDS, PASSWORD, SUBJECT, Journey
from tests.servers.gateway import GatewayServer

#: Rows of a list that a person sees without scrolling.
ROWS_ON_SCREEN = 7
TEXT = "Grüße 5 € да, $9"


@pytest.fixture
def browser(opened_chromium: Chromium) -> Chromium:
    return opened_chromium


def test_walk_by_number_keys_with_a_restart_in_the_middle(
    browser: Chromium, served: GatewayServer, journey: Journey
) -> None:
    browser.open(served.url + "/")
    browser.type("user", journey.me)
    browser.type("password", PASSWORD)
    inbox = browser.go(browser.key_of("Sign in"))
    assert f"of {journey.count}" in inbox
    assert "/~" not in browser.source, "the session is in a cookie"
    assert browser.on_screen("ul.m a") >= ROWS_ON_SCREEN
    _assert_fits(browser)
    assert browser.go("#") != inbox
    served.restart()
    assert browser.go("*") == inbox
    assert browser.key_of(SUBJECT) == "1"
    page = browser.go("1")
    assert "Pay $(user) now." in page
    _assert_fits(browser)
    for number in range(2, 20):
        if LAST_WORDS in page:
            break
        page = browser.go("#")
        assert f"{number}/" in page
    assert LAST_WORDS in page
    browser.go(browser.key_of("Reply"))
    _assert_fits(browser)
    assert browser.on_screen('input[name="do.send"]') == 1
    browser.type("text", TEXT)
    served.restart()
    assert "Sent to" in browser.go(browser.key_of("Send"))
    _assert_fits(browser)
    assert SUBJECT in browser.go("0")
    journey.assert_answered(TEXT)
    browser.go(browser.key_of("Menu"))
    assert "You are signed out." in browser.go(browser.key_of("Sign out"))


def _assert_fits(browser: Chromium) -> None:
    """Nothing has to be scrolled sideways, and there is no script in the page."""
    assert browser.width <= WIDTH
    assert "<script" not in browser.source
    assert struct.unpack(">II", browser.screenshot()[16:24]) == (WIDTH, HEIGHT)
