"""Composer: from the elements of a text document (characters, ends of paragraphs, cells) to blocks.

Nothing here may know a file format. Blocks are ready as soon as they end, so that reading can stop when a page is
full; a long paragraph becomes several blocks.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from gateway.rendition import glyphs
from gateway.rendition.blocks import Block, Kind, Run
from gateway.rendition.documents.bounds import CELL_LIMIT, COLUMNS_LIMIT
from gateway.rendition.links.urls import linked
from gateway.rendition.segments import BLOCK_LIMIT

BULLET: Final = "•"
#: Separates the cells of a row, and the paragraphs of a cell.
BETWEEN: Final = " · "
_WITHIN: Final = " / "
#: A row with a longer cell is layout, and its cells become paragraphs, characters.
LAYOUT_CELL: Final = 240
#: Deepest heading and indentation that a small screen can distinguish.
_LEVELS: Final = 6
_INDENTS: Final = 3


class Composer:
    """Gathers text; `strong`, `emphasis` and `link` apply to what comes next."""

    def __init__(self, shorten: bool) -> None:
        self.strong = False
        self.emphasis = False
        self.link = ""
        self.ready: deque[Block] = deque()
        self._shorten = shorten
        self._runs: list[Run] = []
        self._size = 0
        self._tables = 0
        self._cells: list[str] = []

    def text(self, text: str) -> None:
        """Add characters; "\\n" is a line break."""
        for start in range(0, len(text), BLOCK_LIMIT):
            self._add(text[start : start + BLOCK_LIMIT])
            if self._size >= BLOCK_LIMIT and not self._tables:
                self.paragraph()

    def _add(self, text: str) -> None:
        if self._tables and self._size > CELL_LIMIT * COLUMNS_LIMIT:
            return
        self._size += len(text)
        if self._runs:
            last = self._runs[-1]
            if (last.strong, last.emphasis, last.link) == (self.strong, self.emphasis, self.link):
                text = self._runs.pop().text + text
        self._runs.append(Run(text, self.strong, self.emphasis, link=self.link))

    def paragraph(self, level: int = 0, marker: str = "", indent: int = 0) -> None:
        """End a paragraph: a heading if it has a level, else an item if it has a marker."""
        if self._tables:
            self._add(_WITHIN)
            return
        runs, self._runs, self._size = _tidy(self._runs, self._shorten), [], 0
        if not runs:
            return
        if level:
            number = (Run(f"{marker} "),) if marker and marker != BULLET else ()
            self.ready.append(Block(Kind.HEADING, (*number, *runs), level=min(level, _LEVELS)))
        elif marker:
            self.ready.append(Block(Kind.ITEM, runs, marker=marker, indent=min(indent, _INDENTS)))
        else:
            self.ready.append(Block(Kind.PARAGRAPH, runs))

    def table(self) -> None:
        """Begin a table; one inside a cell becomes the cell's text."""
        if not self._tables:
            self.paragraph()
        self._tables += 1

    def cell(self) -> None:
        """End a cell."""
        if self._tables != 1:
            return
        text = glyphs.collapse(glyphs.visible("".join(run.text for run in self._runs)))
        parts = [part.strip() for part in text.split(_WITHIN)]
        if len(self._cells) < COLUMNS_LIMIT:
            self._cells.append(_WITHIN.join(part for part in parts if part))
        self._runs, self._size = [], 0

    def row(self) -> None:
        """End a row: read out if its cells are short, as paragraphs otherwise."""
        if self._tables != 1:
            return
        cells, self._cells = [cell for cell in self._cells if cell], []
        if any(len(cell) > LAYOUT_CELL for cell in cells):
            for cell in cells:
                for part in cell.split(_WITHIN):
                    for start in range(0, len(part), BLOCK_LIMIT):
                        runs = tuple(linked(part[start : start + BLOCK_LIMIT], self._shorten))
                        self.ready.append(Block(Kind.PARAGRAPH, runs))
        elif cells:
            self.ready.append(Block(Kind.ROW, tuple(linked(BETWEEN.join(cells), self._shorten))))

    def end_table(self) -> None:
        """End a table, and its row if still open."""
        if not self._tables:
            return
        self.row()
        self._tables -= 1
        if not self._tables:
            self._runs, self._size = [], 0


def _tidy(runs: list[Run], shorten: bool) -> tuple[Run, ...]:
    """Collapse white space, find links, and strip both ends."""
    tidy: list[Run] = []
    for run in runs:
        lines = glyphs.visible(run.text).split("\n")
        text = "\n".join(glyphs.collapse(line) for line in lines)
        if not tidy:
            text = text.lstrip()
        if not text:
            continue
        if run.link:
            tidy.append(Run(text, run.strong, run.emphasis, link=run.link))
        else:
            found = linked(text, shorten)
            tidy.extend(Run(each.text, run.strong, run.emphasis, link=each.link) for each in found)
    while tidy:
        last = tidy.pop()
        text = last.text.rstrip()
        if text:
            tidy.append(Run(text, last.strong, last.emphasis, link=last.link))
            break
    return tuple(tidy)
