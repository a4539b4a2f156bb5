"""How small our decks are compared with those of Kannel and libwbxml, over pages of ours in several languages."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from gateway import markup
from gateway.device import WML_COMPILED, Device, by_name
from gateway.language import Language
from gateway.message.mime import wire_format
from gateway.pages.message_pages import message_layout
from gateway.wap import wbxml
from tests.matrix import one_of
from tests.wap import oracles
from tests.wap.wbxml.decks import canonical

MESSAGES = Path(__file__).parents[2] / "data" / "messages"
ZONE = timezone(timedelta(hours=1))


def pages(tag: str, device: Device) -> Iterator[bytes]:
    """Write every page of every message as the device gets it."""
    for file in sorted(MESSAGES.glob("*.eml")):
        mail = wire_format.parse(file.read_bytes())
        layout = message_layout(mail.message, mail.octets, device, language=Language(tag, ZONE))
        for page in layout.all():
            yield markup.encode(layout.screen(page), device)[0]


def assert_smaller(decks: list[bytes]) -> tuple[int, int, int]:
    """Each deck is as small as Kannel's if that says the same, and all together are smaller; return the sums."""
    with ThreadPoolExecutor(2) as pool:
        kannel = list(pool.map(oracles.kannel_compile, decks))
        libwbxml = list(pool.map(oracles.libwbxml_compile, decks))
    ours = [wbxml.encode(deck) for deck in decks]
    for deck, own, theirs in zip(decks, ours, kannel, strict=True):
        assert canonical(wbxml.decode(own)) == canonical(deck.decode())
        assert theirs is not None
        same = canonical(wbxml.decode(theirs)) == canonical(deck.decode())
        assert len(own) <= len(theirs) + 1 or not same, deck.decode()
    sums = tuple(sum(len(octets or b"") for octets in found) for found in (ours, kannel, libwbxml))
    own_sum, kannel_sum, libwbxml_sum = sums
    # Pages that fill a deck with prose have few repeats: they save less than others' decks do (docs/wap.md), all the
    # less since their heads say nothing twice.
    assert own_sum <= 0.97 * kannel_sum
    assert own_sum <= 0.97 * libwbxml_sum
    return own_sum, kannel_sum, libwbxml_sum


@oracles.needs_kannel
@oracles.needs_libwbxml
@pytest.mark.parametrize("tag", one_of(("en", "de", "es", "fr", "pl", "pt-BR", "ru"), "en"))
def test_our_pages_are_smaller(tag: str) -> None:
    decks = [*pages(tag, by_name("nokia7110")), *pages(tag, by_name("wml5000"))]
    print(len(decks), *assert_smaller(decks))
    assert len(decks) > 30


@pytest.mark.parametrize("limit", [904, 1396])
def test_a_page_that_we_compile_fits_and_holds_no_less(limit: int) -> None:
    prose = (Path(__file__).parents[3] / "docs" / "security.md").read_text("utf-8").replace("|", " ")
    mail = wire_format.parse(
        b"Subject: x\nFrom: a@b.example\nContent-Type: text/plain; charset=utf-8\n\n" + prose.encode()
    )
    text = replace(by_name("nokia7110"), deck_limit=limit)
    counts = []
    for device in (text, replace(text, content_type=WML_COMPILED)):
        layout = message_layout(mail.message, mail.octets, device, language=Language("en", ZONE))
        decks = [markup.encode(layout.screen(page), device)[0] for page in layout.all()]
        counts.append(len(decks))
    assert max(map(len, decks)) <= limit
    assert counts[1] <= counts[0]
