"""Composer: from what a reader meets in a text document (characters, ends of paragraphs, cells) to blocks.

Nothing here may know a file format. Blocks are ready as soon as their end is met, so that reading can stop when a
page is full; however long a paragraph, a block is not.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final

from gateway.rendition import glyphs
from gateway.rendition.blocks import Block, Kind, Run
from gateway.rendition.documents.bounds import CELL_LIMIT, COLUMNS_LIMIT
from gateway.rendition.links import linked
from gateway.rendition.segments import BLOCK_LIMIT

BULLET: Final = "•"
#: Between the cells of a row that is read out, and between the paragraphs of a cell.
BETWEEN: Final = " · "
_WITHIN: Final = " / "
#: A row with a longer cell is layout, not data: its cells become paragraphs, characters.
LAYOUT_CELL: Final = 240
#: Deepest heading and indentation that a small screen can tell.
_LEVELS: Final = 6
_INDENTS: Final = 3


class Composer:
    """Gathers text; `strong`, `emphasis` and `link` are the look of what comes next."""

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
        run = Run(text, self.strong, self.emphasis, link=self.link)
        if self._runs and replace(self._runs[-1], text="") == replace(run, text=""):
            run = replace(run, text=self._runs.pop().text + text)
        self._runs.append(run)

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
        """Begin a table; one inside a cell is read as the cell's text."""
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
        """End a table, and a row that was left open."""
        if not self._tables:
            return
        self.row()
        self._tables -= 1
        if not self._tables:
            self._runs, self._size = [], 0


def _tidy(runs: list[Run], shorten: bool) -> tuple[Run, ...]:
    """Collapse blanks, find links, and take blanks off both ends."""
    tidy: list[Run] = []
    for run in runs:
        lines = glyphs.visible(run.text).split("\n")
        text = "\n".join(glyphs.collapse(line) for line in lines)
        if not tidy:
            text = text.lstrip()
        if not text:
            continue
        if run.link:
            tidy.append(replace(run, text=text))
        else:
            found = linked(text, shorten)
            tidy.extend(replace(run, text=each.text, link=each.link) for each in found)
    while tidy:
        last = tidy.pop()
        text = last.text.rstrip()
        if text:
            tidy.append(replace(last, text=text))
            break
    return tuple(tidy)
