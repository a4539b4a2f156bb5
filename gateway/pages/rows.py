"""Rows that are in memory, as pages: what is known about a message or a person, one block each.

Nothing here may know what a row is about. A position is the number of a row, and where in the row a page begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from gateway.device import Device
from gateway.markup.screen import Screen
from gateway.pages.layout import Layout, MessagePage
from gateway.rendition.blocks import Block, Position, cut


def of_rows(rows: Iterable[Block], device: Device, frame: Callable[[MessagePage], Screen]) -> Layout:
    """Lay out rows without links."""
    numbered = [replace(row, at=Position("", number)) for number, row in enumerate(rows)]

    def rows_from(start: Position | None) -> Iterator[Block]:
        at = start or Position()
        for row in numbered[at.start : at.start + 1]:
            rest = cut(row, at.skip)[1] if at.skip else row
            if rest.runs:
                yield rest
        yield from numbered[at.start + 1 :]

    return Layout(rows_from, device, frame, lambda block, run: "")
