"""Documents are read once for a range of pages, and kept within limits under their own key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway import confined
from gateway.message.model import Part
from gateway.rendition.blocks import Block, Kind, Position, Run, cut
from gateway.rendition.documents import DocumentError
from gateway.rendition.documents.bounds import TOO_LONG
from gateway.web.attachments import document_cache, file_links
from gateway.web.attachments.document_cache import CHUNK, MOST_PER_DOCUMENT, CachedBlocks, CachedReader
from gateway.web.attachments.result_cache import ResultCache
from tests.web.attachments.test_attachments import app, attachments, browser, find, mailbox, read  # noqa: F401

PART = Part("2", "application/pdf")
BLOCKS = [Block(Kind.PARAGRAPH, (Run(f"Paragraph {n}. " + "x" * 300),), Position("2", n)) for n in range(500)]


class Source:
    """A document that counts how often, and how far, it is read."""

    def __init__(self, blocks: list[Block] = BLOCKS, fail_at: int | None = None) -> None:
        self.blocks, self.fail_at = blocks, fail_at
        self.begun: list[int] = []
        self.pulled = 0

    def __call__(self, at: Position) -> Iterator[Block]:
        self.begun.append(at.start)
        for block in self.blocks:
            if block.at.start == self.fail_at:
                raise DocumentError(TOO_LONG)
            if block.at.start < at.start:
                continue
            self.pulled += 1
            yield cut(block, at.skip)[1] if block.at.start == at.start and at.skip else block


def some(reader: CachedReader, at: Position, count: int = 5) -> list[Block]:
    blocks = reader.blocks(at)
    try:
        return [block for block, _ in zip(blocks, range(count), strict=False)]
    finally:
        blocks.close()  # type: ignore[attr-defined]


def a_reader(source: Source, shelf: ResultCache[CachedBlocks], key: object = "key") -> CachedReader:
    return CachedReader(shelf, (key,), PART, source, str.upper)


def test_pages_near_by_are_not_read_again() -> None:
    source, shelf = Source(), document_cache.new_cache()
    assert some(a_reader(source, shelf), Position("2")) == BLOCKS[:5]
    assert source.pulled < 100
    for start in range(0, 40, 5):
        assert some(a_reader(source, shelf), Position("2", start)) == BLOCKS[start : start + 5]
    assert source.begun == [0]
    (half,) = some(a_reader(source, shelf), Position("2", 7, "", 11), 1)
    assert half == cut(BLOCKS[7], 11)[1]
    assert source.begun == [0]
    assert some(a_reader(source, shelf, "another"), Position("2")) == BLOCKS[:5]
    assert source.begun == [0, 0]


def test_reading_goes_on_where_it_stopped() -> None:
    source, shelf = Source(), document_cache.new_cache()
    some(a_reader(source, shelf), Position("2"))
    known = shelf.get(("key",))
    assert known is not None
    last = known.blocks[-1].at.start
    shown = some(a_reader(source, shelf), Position("2", last - 2), 10)
    assert shown == BLOCKS[last - 2 : last + 8]
    assert source.begun == [0, last]
    whole = list(a_reader(source, shelf).blocks(Position("2")))
    assert whole == BLOCKS
    assert list(a_reader(source, shelf).blocks(Position("2"))) == BLOCKS
    assert len(source.begun) == 3


def test_a_position_from_elsewhere_is_read_from_there() -> None:
    source, shelf = Source(), document_cache.new_cache()
    assert some(a_reader(source, shelf), Position("2", 400)) == BLOCKS[400:405]
    assert some(a_reader(source, shelf), Position("2", 410)) == BLOCKS[410:415]
    assert source.begun == [400]
    assert some(a_reader(source, shelf), Position("2", 100)) == BLOCKS[100:105]
    assert source.begun == [400, 100]


def test_what_fails_is_told_and_tried_again() -> None:
    source, shelf = Source(fail_at=30), document_cache.new_cache()
    shown = list(a_reader(source, shelf).blocks(Position("2")))
    assert shown[:-1] == BLOCKS[:30]
    assert (shown[-1].text, shown[-1].at) == (TOO_LONG.upper(), Position("2", 30))
    source.fail_at = None
    assert list(a_reader(source, shelf).blocks(Position("2"))) == BLOCKS
    with pytest.raises(DocumentError):
        list(a_reader(Source(fail_at=0), document_cache.new_cache()).blocks(Position("2")))


def test_what_is_kept_is_bounded() -> None:
    long = [Block(Kind.PARAGRAPH, (Run("y" * 3000),), Position("2", n)) for n in range(2000)]
    shelf = document_cache.new_cache()
    for key in range(40):
        assert len(list(a_reader(Source(long), shelf, key).blocks(Position("2")))) == 2000
    kept = [each for each in (shelf.get((key,)) for key in range(40)) if each is not None]
    assert kept
    assert all(each.weight <= MOST_PER_DOCUMENT + CHUNK + 4000 for each in kept)
    assert sum(each.weight for each in kept) <= document_cache.MOST_PER_PROCESS
    assert shelf.get((39,)) is not None


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    counts = {"fetched": 0, "parsed": 0}
    fetch, document = file_links.fetch, confined.document

    def fetched(*given: Any) -> bytes:
        counts["fetched"] += 1
        return fetch(*given)

    def parsed(*given: Any, **more: Any) -> Iterator[Block]:
        counts["parsed"] += 1
        return document(*given, **more)

    monkeypatch.setattr(file_links, "fetch", fetched)
    monkeypatch.setattr(confined, "document", parsed)
    return counts


def test_a_pdf_is_fetched_once_for_all_its_pages(app: Any, mailbox: str, counted: dict[str, int]) -> None:  # noqa: F811
    device = browser(app).sign_in(mailbox, "secret")
    attachments(device)
    find(device, "report.pdf")
    first = device.text
    words = read(device)
    assert words.count("Page 3 begins.") == 1
    assert counted == {"fetched": 1, "parsed": 1}
    while "Prev" in device.links:
        device.follow("Prev")
    assert device.text == first
    assert counted == {"fetched": 1, "parsed": 1}
    other = browser(app).sign_in(mailbox, "secret")
    attachments(other)
    find(other, "report.pdf")
    assert other.text == first
    assert counted["fetched"] == 1  # the same account
