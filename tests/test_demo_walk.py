"""The demo as a stranger meets it: one command, then the main job on a WAP phone and on a small browser."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.devices.checks import check_deck, check_page
from tests.devices.phones import WmlPhone, XhtmlBrowser, over_http
from tests.servers import free_ports

PASSWORD = "tap"


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """The address of a demo that ends by Ctrl-C, with exit status 0."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "gateway", "demo", "--listen", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = ""
        while "Stop " not in said and process.poll() is None:
            said += process.stdout.readline()
        assert re.search(rf"^Address +http://127.0.0.1:{port}/$", said, re.MULTILINE), said
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0


def _phone(origin: str) -> Any:
    return WmlPhone(origin, over_http, check_deck=check_deck)


def _browser(origin: str) -> Any:
    return XhtmlBrowser(origin, over_http, check_page=check_page)


@pytest.mark.parametrize("make", [_phone, _browser], ids=["wml", "xhtml"])
def test_the_main_job(origin: str, make: Any) -> None:
    device = make(origin)
    device.sign_in("alice", PASSWORD)
    assert device.title.startswith("Inbox")
    device.follow("Next").follow("Prev").follow("Letter from the island")
    while "Next" in device.links:
        device.follow("Next")
    pages = re.search(r"(\d+)/(\d+)", device.text)
    assert pages
    assert pages[1] == pages[2]
    device.follow("Inbox").follow("Lunch on Thursday?").follow("Reply")
    answer = f"Yes, from {make.__name__}."
    device.fill("text", answer).press("Send")
    assert "Sent." in device.text
    device.follow("Inbox").follow("Sign out")
    bob = make(origin).sign_in("bob", PASSWORD).follow("Re: Lunch on Thursday?")
    assert answer in bob.text
