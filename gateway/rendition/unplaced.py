"""Drafts: the blocks of a part that is still being read, without their positions.

Nothing here may parse. A Draft may still be merged into a table's row, renumbered, or found to be quoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from gateway.rendition import glyphs
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.segments import Role, TextSegment

#: Characters that count as a line if a text has no lines: for "12 quoted lines" in HTML.
LINE: int = 72
_FACE = itemgetter(1)


class Face(NamedTuple):
    """The typeface and link of a stretch of text."""

    strong: bool = False
    emphasis: bool = False
    code: bool = False
    link: str = ""


@dataclass(slots=True)
class Draft:
    """A block in the making. `names`: it consists of names of pictures."""

    kind: Kind
    runs: list[Run] = field(default_factory=list)
    quote: int = 0
    indent: int = 0
    level: int = 0
    marker: str = ""
    target: str = ""
    role: Role = Role.BODY
    names: bool = False

    @property
    def gone(self) -> bool:
        """Whether it had only names of pictures that are repeated elsewhere."""
        return self.names and not self.runs

    @property
    def text(self) -> str:
        text = ""
        for run in self.runs:  # faster than joining a list: most blocks have one run
            text += run.text
        return text

    def segment(self, at: Position) -> TextSegment:
        """Return the segment, now that the position is known."""
        text = self.text
        lines = max(text.count("\n") + 1, -(-len(text) // LINE))
        block = Block(
            self.kind, tuple(self.runs), at, self.quote, self.indent, self.level, self.marker, self.target
        )
        return TextSegment(block, self.role, lines)


def runs_of(stretches: Sequence[tuple[str, Face]]) -> list[Run]:
    """Return the runs of a paragraph: neighbours with the same face joined, white space stripped from both ends."""
    if len(stretches) == 1:
        text, face = stretches[0]
        text = text.strip(glyphs.EDGES)
        return [Run(text, *face)] if text else []
    # Stripped before they become runs: changing a run makes a new one.
    texts, faces = _merged(stretches)
    end = len(texts)
    while end and not (text := texts[end - 1].rstrip(glyphs.EDGES)):
        end -= 1
    if not end:
        return []
    texts[end - 1], first = text, 0
    while not (text := texts[first].lstrip(glyphs.EDGES)):
        first += 1
    texts[first] = text
    return [Run(texts[index], *faces[index]) for index in range(first, end)]


def _merged(stretches: Iterable[tuple[str, Face]]) -> tuple[list[str], list[Face]]:
    """Join neighbours with the same face; return their texts and their faces."""
    texts: list[str] = []
    faces: list[Face] = []
    for face, group in groupby(stretches, _FACE):
        texts.append("".join([text for text, _face in group]))
        faces.append(face)
    return texts, faces


def stripped(runs: Iterable[Run]) -> list[Run]:
    """Strip white space and empty runs from both ends of a sequence of runs."""
    kept = list(runs)
    while kept and not (text := kept[-1].text.rstrip(glyphs.EDGES)):
        kept.pop()
    if kept and len(text) < len(kept[-1].text):
        kept[-1] = replace(kept[-1], text=text)
    first = 0
    while first < len(kept) and not (text := kept[first].text.lstrip(glyphs.EDGES)):
        first += 1
    if kept and len(text) < len(kept[first].text):
        kept[first] = replace(kept[first], text=text)
    return kept[first:]
