"""The main job in w3m, lynx and elinks, as a person at a terminal does it, with and without cookies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devices.browsers.text_browsers import BROWSERS, W3m
from tests.devices.journey import LAST_WORDS, PASSWORD, SUBJECT, Journey
from tests.matrix import one_of
from tests.servers.gateway import GatewayServer

TEXT = "Grüße 5 € да, $9"
#: A text browser's page holds some 150 of the long message's sentences.
SENTENCES = 400

KINDS = {
    f"{made.program} {'with' if cookies else 'without'} cookies": (made, cookies)
    for made in BROWSERS
    for cookies in (True, False)
}


@pytest.fixture(params=one_of(KINDS, "w3m with cookies"))
def browser(request: pytest.FixtureRequest, served: GatewayServer, tmp_path: Path) -> Iterator[W3m]:
    made, cookies = KINDS[request.param]
    if shutil.which(made.program) is None:
        pytest.skip(f"NOT TESTED: {made.program} is not installed (see tests/debian-packages.txt)")
    opened = made(tmp_path, served.url + "/", cookies)
    try:
        yield opened
    finally:
        opened.close()


@pytest.mark.long
def test_walk_with_a_restart_in_the_middle(browser: W3m, served: GatewayServer, journey: Journey) -> None:
    journey.prepare(SENTENCES)
    first = browser.sign_in(journey.me, PASSWORD)
    assert "Inbox" in first
    assert f"of {journey.count}" in first
    assert SUBJECT in first
    second = browser.follow("Next")
    assert f"–{journey.count} of {journey.count}" in second
    served.restart()
    browser.follow("Prev")
    page = browser.follow("Costs")
    assert "Pay $(user) now." in page
    for number in range(2, 10):
        if LAST_WORDS in page:
            break
        page = browser.follow("Next")
        assert f"{number}/" in page
    assert LAST_WORDS in page
    assert "# Next" not in page
    browser.open_reply()
    served.restart()
    assert "Sent to" in browser.write(TEXT)
    assert SUBJECT in browser.follow("Inbox")
    journey.assert_answered(TEXT)
    browser.open("Menu")
    browser.open("Sign out")
    browser.terminal.await_words("signed")
