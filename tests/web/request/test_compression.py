"""Pages are compressed for browsers that accept it, decks are not, and no compressed page contains what lasts."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urljoin

import pytest
from flask import Response

from gateway.web.request.compression import LEAST, compress
from tests.devices.phones import Answer, Transport
from tests.web.acting import HANDHELDS, ME, PASSWORD

TOKEN = "Tm9ib2R5IGtub3dzIHRoaX"
TICKET = re.compile(rb'name="ticket" value="([\w-]+)"')


class Compressed:
    """A transport that accepts gzip, and keeps what was sent that way."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.bodies: list[bytes] = []
        self.saved = 0

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = self._transport(method, url, {**headers, "Accept-Encoding": "gzip, deflate"}, body)
        if answer.headers.get("content-encoding") != "gzip":
            return answer
        assert answer.headers["content-length"] == str(len(answer.body))
        assert "Accept-Encoding" in answer.headers["vary"]
        plain = gzip.decompress(answer.body)
        self.bodies.append(plain)
        self.saved += len(plain) - len(answer.body)
        return replace(answer, body=plain, headers={**answer.headers, "content-length": str(len(plain))})


def test_no_compressed_page_has_the_token_and_each_has_a_ticket_of_its_own(
    transport: Transport, side: object
) -> None:
    compressed = Compressed(transport)
    browser = HANDHELDS["xhtml"](compressed).sign_in(ME, PASSWORD)
    (token,) = (value for name, value in browser.jar.items() if name == "s")
    inbox = browser.url
    for _ in range(2):
        browser.fetch("GET", inbox)
        addresses = list(browser.links.values())
        for address in addresses:
            browser.fetch("GET", urljoin(inbox, address))
    assert len(compressed.bodies) > 10
    assert compressed.saved > sum(map(len, compressed.bodies)) // 3
    assert not [body for body in compressed.bodies if token.encode() in body]
    tickets = [ticket for body in compressed.bodies for ticket in set(TICKET.findall(body))]
    assert tickets
    assert len(tickets) == len(set(tickets)), "a ticket is in two pages"


def test_decks_are_sent_as_they_are(transport: Transport, side: object) -> None:
    compressed = Compressed(transport)
    HANDHELDS["wml"](compressed).sign_in(ME, PASSWORD)
    assert not compressed.bodies


@pytest.mark.parametrize(
    ("accepted", "body", "expected"),
    [
        ("gzip", "a" * LEAST, True),
        ("br;q=1.0, gzip;q=0.1", "a" * LEAST, True),
        ("gzip", "a" * (LEAST - 1), False),
        ("gzip;q=0", "a" * LEAST, False),
        ("identity", "a" * LEAST, False),
        ("", "a" * LEAST, False),
        ("gzip", "a" * LEAST + TOKEN, False),
    ],
)
def test_what_is_compressed(accepted: str, body: str, expected: bool) -> None:
    kept: dict[object, bytes] = {}
    for again in (False, True):
        response = Response(body)
        compress(response, accepted or None, lambda: ("", TOKEN), kept)
        assert (response.headers.get("Content-Encoding") == "gzip") == expected
        assert (response.get_data() != body.encode()) == expected
        assert len(kept) == expected, again
    assert [gzip.decompress(packed) for packed in kept.values()] == [body.encode()] * expected
