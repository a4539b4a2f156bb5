"""Pages laid out from kept blocks equal those from a new reading, however a person walks through a message."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.device import Device, by_name
from gateway.language import Language
from gateway.markup.screen import Screen
from gateway.message.mime import wire_format
from gateway.message.mime.wire_format import MessageFile
from gateway.pages.known_blocks import MOST, MOST_PAGES, KnownBlocks
from gateway.pages.known_pages import KnownPages, PageRequest
from gateway.pages.layout import LOOKAHEAD, Layout, MessagePage, of_message
from gateway.pages.message_pages import reading_context
from gateway.rendition.blocks import Block, Position, Run
from gateway.rendition.selection import both_forms

MESSAGES = sorted((Path(__file__).parents[1] / "data" / "messages").glob("*.eml"))
STEPS = 8
TITLES = ["Words"] * 4 + ["Words, a hundred of them. " * 4]
LETTER = b"Content-Type: text/html\r\n\r\n" + b"<p>Some words of a letter, <b>long</b> enough.</p>" * 90
LINKS = b"Content-Type: text/html\r\n\r\n" + b"".join(
    b"<p>Paragraph %d with <a href='https://example.org/%d'>a link</a> in it.</p>" % (n, n)
    for n in range(200)
)
LONG = b"Subject: long\r\n\r\n" + b"".join(
    b"Line %05d of a long text. " % n * 18 + b"\r\n\r\n" for n in range(250)
)
FORMS = (
    b'Subject: forms\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\n'
    b"Content-Type: text/plain\r\n\r\n" + b"A plain sentence of its own.\r\n\r\n" * 90 + b"--b\r\n"
    b"Content-Type: text/html\r\n\r\n<p>"
    + b"</p><p>".join([b"Said in <b>another</b> way here."] * 90)
    + b"</p>\r\n--b--\r\n"
)


@dataclass
class Kept:
    """A shelf for one message."""

    blocks: KnownBlocks | None = None
    made_of: object = None

    def get(self) -> KnownBlocks | None:
        return self.blocks

    def put(self, blocks: KnownBlocks) -> None:
        self.blocks = blocks


class Reader:
    """Lays out a message, again for each page as requests do; counts the octets that were fetched."""

    def __init__(
        self, mail: MessageFile, device: Device, unfolded: str, shelf: Kept | None, title: str = "Words"
    ) -> None:
        self.mail, self.device, self.shelf, self.title = mail, device, shelf, title
        if shelf is not None:
            shelf.made_of = device, title
        self.context = reading_context(Language(), unfolded=frozenset({unfolded} - {""}))
        self.fetched = self.written = 0

    def octets(self, section: str, start: int) -> Iterator[bytes]:
        size = 8 * 1024
        whole = b"".join(self.mail.octets(section, start))
        while whole:
            piece, whole = whole[:size], whole[size:]
            self.fetched += len(piece)
            yield piece
            size = min(2 * size, 32 * 1024)

    def layout(self) -> Layout:
        def frame(shown: MessagePage) -> Screen:
            self.written += 1
            return Screen("details", self.title, {"pages": "", "body": shown.body})

        def link_target(block: Block, run: Run | None) -> str:
            self.written += 1
            return "l/12345678901" if run is not None else f"m1.1.1.{block.at.encode()}"

        return of_message(
            self.mail.message, self.octets, self.device, self.context, frame, link_target, shelf=self.shelf
        )


def _walk(mail: MessageFile, device: Device, unfolded: str, seed: int) -> Kept:
    """Walk to and fro, and compare each page with the one from a new reading; return what is kept at the end."""
    chance, shelf = random.Random(seed), Kept()
    places: list[tuple[Position | None, int, bool]] = [
        (None, 1, False),
        *((Position(form), 1, False) for form in both_forms(mail.message.root) or ()),
    ]
    known: int | None = None
    for _step in range(STEPS):
        at, number, before = chance.choice(places[-4:] if chance.random() < 0.7 else places)
        total = chance.choice([None, known])
        title = chance.choice(TITLES)  # a long one leaves less room for the text
        shown = []
        for kept in (shelf, None):
            layout = Reader(mail, device, unfolded, kept, title).layout()
            shown.append(
                layout.page_before(at, number, total) if before and at else layout.page(at, number, total)
            )
            layout.keep()
        assert shown[0] == shown[1]
        page = shown[1]
        known = page.known if not number > 1 else known
        if page.next is not None:
            places.append((page.next, page.number + 1, False))
        if page.start is not None:
            places.append((page.start, max(page.number - 1, 1), True))
    return shelf


@pytest.mark.parametrize("name", ["nokia7110", "textbrowser"])
@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_a_kept_message_has_the_pages_of_one_that_is_read_anew(path: Path, name: str) -> None:
    mail, device = wire_format.parse(path.read_bytes()), by_name(name)
    for seed, unfolded in enumerate(("", "1")):
        _walk(mail, device, unfolded, seed)


@pytest.mark.parametrize("octets", [LONG, FORMS], ids=["long", "forms"])
def test_a_long_text_and_one_in_two_forms_too(octets: bytes) -> None:
    mail = wire_format.parse(octets)
    for seed in range(3):
        _walk(mail, by_name("nokia7110"), "", seed)


def test_the_next_page_fetches_nothing() -> None:
    mail = wire_format.parse(LETTER)
    shelf = Kept()
    first = Reader(mail, by_name("nokia7110"), "", shelf)
    layout = first.layout()
    page = layout.page()
    layout.keep()
    assert first.fetched > 0
    assert shelf.blocks is not None
    assert page.next is not None
    following = Reader(mail, by_name("nokia7110"), "", shelf)
    assert following.layout().page(page.next, 2, page.known).body
    assert following.fetched == 0


def _opened(reader: Reader, start: Position | None = None, *asked: int | None) -> MessagePage:
    layout = reader.layout()
    page = layout.page(start, *asked)
    layout.keep()
    return page


@pytest.mark.parametrize("name", ["nokia7110", "textbrowser"])
def test_a_page_that_is_shown_again_is_not_laid_out_again(name: str) -> None:
    mail, device, shelf = wire_format.parse(LINKS), by_name(name), Kept()
    page = _opened(Reader(mail, device, "", shelf))
    assert page.next is not None
    for total in (None, page.known):
        again = Reader(mail, device, "", shelf)
        assert _opened(again, None, 1, total) == page
        assert again.written == 0
    other = Reader(mail, device, "", shelf, "Other words")
    assert _opened(other) == _opened(Reader(mail, device, "", None, "Other words"))
    assert other.written > 0


def test_the_next_page_is_divided_already() -> None:
    mail, device, shelf = wire_format.parse(LINKS), by_name("textbrowser"), Kept()
    page = _opened(Reader(mail, device, "", shelf))
    following, anew = Reader(mail, device, "", shelf), Reader(mail, device, "", None)
    shown = _opened(following, page.next, 2, page.known)
    assert shown == _opened(anew, page.next, 2, page.known)
    assert following.written == shown.body.count("<a ") < anew.written  # no frame, and no page after it


def test_pages_that_are_kept_are_weighed() -> None:
    mail, device, shelf = wire_format.parse(LINKS), by_name("nokia7110"), Kept()
    page, weights = _opened(Reader(mail, device, "", shelf)), []
    while page.next is not None:
        assert shelf.blocks is not None
        weights.append(shelf.blocks.pages.weight)
        page = _opened(Reader(mail, device, "", shelf), page.next, page.number + 1, page.known)
    assert len(page.body) < weights[0] < weights[-1] <= MOST_PAGES


def test_pages_for_which_there_is_no_room_are_not_kept() -> None:
    page = _opened(Reader(wire_format.parse(LINKS), by_name("textbrowser"), "", None))
    asked, made = PageRequest(None, 1, None, before=False), []
    for most in (len(page.body), 4 * len(page.body)):
        pages = KnownPages("what it was made of", most)
        for _time in range(2):
            pages.page(asked, lambda: made.append(page) or page)  # type: ignore[func-returns-value]
        assert pages.weight <= most
    assert len(made) == 2 + 1


def test_what_is_fetched_bit_by_bit_and_what_is_large_is_not_kept() -> None:
    assert len(LONG) > LOOKAHEAD
    assert _walk(wire_format.parse(LONG), by_name("nokia7110"), "", 1).blocks is None
    longer = Reader(wire_format.parse(LONG[: LOOKAHEAD + 4096]), by_name("textbrowser"), "", shelf := Kept())
    (layout := longer.layout()).page()
    layout.keep()
    assert longer.fetched == len(LONG[: LOOKAHEAD + 4096]) - len(b"Subject: long\r\n\r\n")
    assert shelf.blocks is None
    large = b"Content-Type: text/html\r\n\r\n" + b"<p>Some words of a very large page.</p>" * (MOST // 100)
    assert _walk(wire_format.parse(large), by_name("textbrowser"), "", 1).blocks is None
