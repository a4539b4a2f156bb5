"""Rows in pages: nothing is lost, and a page opened by its address is the one to which a person pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.device import WML, XHTML, Device, identify
from gateway.markup.screen import Screen
from gateway.pages.layout import Layout, MessagePage
from gateway.pages.rows import of_rows
from gateway.rendition.blocks import Block, Kind, Run

DEVICES = [replace(identify({}, markup), deck_limit=limit) for markup, limit in ((WML, 600), (XHTML, 2600))]
#: Rows of this many words each, no word twice, and whether they are headings.
ROWS = st.lists(st.tuples(st.integers(1, 120), st.booleans()), max_size=6).map(
    lambda found: [
        Block(
            Kind.HEADING if heading else Kind.ROW, (Run(" ".join(f"{row}.{word}" for word in range(count))),)
        )
        for row, (count, heading) in enumerate(found)
    ]
)


def frame(shown: MessagePage) -> Screen:
    return Screen("details", "Rows", {"pages": "", "body": shown.body})


def paged(layout: Layout) -> list[MessagePage]:
    shown = [layout.page()]
    while (at := shown[-1].next) is not None:
        shown.append(layout.page(at, shown[-1].number + 1))
        assert len(shown) < 100, "pages without end"
    return shown


def words(blocks: Iterable[Block]) -> list[str]:
    return [word for block in blocks for word in block.text.split()]


@given(st.sampled_from(DEVICES), ROWS)
def test_nothing_is_lost_and_every_page_can_be_left_backwards(device: Device, rows: list[Block]) -> None:
    layout = of_rows(rows, device, frame)
    pages = paged(layout)
    assert [word for shown in pages for word in words(shown.blocks)] == words(rows)
    for shown, following in pairwise(pages):
        assert following.start is not None
        before = layout.page_before(following.start, following.number)
        assert words(before.blocks) == words(shown.blocks)
