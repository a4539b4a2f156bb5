"""The last page of a document has more than a few words, and is the same from wherever it is reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.device import WML, XHTML, identify
from gateway.markup.screen import Screen
from gateway.pages.layout import Layout, MessagePage
from gateway.rendition.blocks import Block, Kind, Position, Run, cut

DEVICES = {
    markup: replace(identify({}, markup), deck_limit=limit) for markup, limit in ((WML, 600), (XHTML, 2600))
}
#: Paragraphs of this many words, and headings.
TEXT = st.lists(
    st.tuples(st.integers(1, 240), st.just(False)) | st.tuples(st.integers(1, 6), st.just(True)),
    min_size=1,
    max_size=4,
)


def frame(shown: MessagePage) -> Screen:
    return Screen("details", "Words", {"pages": "", "body": shown.body})


def layout(text: list[tuple[int, bool]], markup: str = WML, even: bool = True) -> Layout:
    found = [
        Block(Kind.HEADING if heading else Kind.PARAGRAPH, (Run(" ".join(f"{n}.{word}" for word in range(words))),),
              Position("1", n))
        for n, (words, heading) in enumerate(text)
    ]  # fmt: skip

    def blocks(start: Position | None) -> Iterator[Block]:
        at = start or Position("1")
        for block in found[at.start :]:
            yield cut(block, at.skip)[1] if at.skip and block.at.start == at.start else block

    return Layout(blocks, DEVICES[markup], frame, lambda _block, _run: "", even=even)


def words(page: MessagePage) -> list[str]:
    return " ".join(block.text for block in page.blocks).split()


@pytest.mark.parametrize("markup", DEVICES)
def test_a_few_words_are_not_a_page(markup: str) -> None:
    evened = 0
    for count in range(60, 900, 12):
        text = [(count, False)]
        *_before, last = layout(text, markup, even=False).all()
        *_, before, evenly = [None, *layout(text, markup).all()]
        if before is not None and len(words(last)) < 12:
            evened += 1
            assert 0.7 < len(words(evenly)) / len(words(before)) < 1.4
    assert evened


@settings(max_examples=60, deadline=None)
@example([(1, False), (200, False), (5, True), (38, False)], WML)  # the heading has room for a part of it
@given(TEXT, st.sampled_from(sorted(DEVICES)))
def test_nothing_is_lost_and_a_page_is_the_same_from_wherever_it_is_reached(
    text: list[tuple[int, bool]], markup: str
) -> None:
    pages = list(layout(text, markup).all())
    assert [word for page in pages for word in words(page)] == [
        f"{n}.{word}" for n, (count, _heading) in enumerate(text) for word in range(count)
    ]
    assert len(pages) == len(list(layout(text, markup, even=False).all()))
    for before, page in zip([None, *pages], pages, strict=False):
        found = layout(text, markup).page(page.start, page.number)
        assert (words(found), found.next) == (words(page), page.next)
        assert found.total in (None, len(pages))
        if before is not None and page.start is not None:
            again = layout(text, markup).page_before(page.start, page.number)
            assert (words(again), again.start) == (words(before), before.start)
            assert before.blocks[-1].kind is not Kind.HEADING or {one.kind for one in before.blocks} == {
                Kind.HEADING
            }


def test_one_page_more_is_looked_at_and_no_more() -> None:
    """A page is held back until it is known whether the next one is the last."""
    taken: list[int] = []

    def blocks(_start: Position | None) -> Iterator[Block]:
        for number in range(1000):
            taken.append(number)
            yield Block(Kind.PARAGRAPH, (Run("word " * 20),), Position("1", number))

    shown = [
        len(Layout(blocks, DEVICES[WML], frame, lambda _block, _run: "", even=even).page(None, 1, 500).blocks)
        for even in (False, True)
    ]
    assert shown[0] == shown[1]
    assert len(taken) <= 2 * 4 * (shown[0] + 2)
