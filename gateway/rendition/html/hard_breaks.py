"""Breaks that a program wrote at a column: text of a fixed width that was turned into HTML line by line.

Nothing here may decide differently than for plain text (`text.wrapping`): only wrapped lines are joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from gateway.rendition.blocks import Run
from gateway.rendition.text import line_kinds, wrapping
from gateway.rendition.text.lines import Line, Lines, pieces_of

#: The least breaks in a paragraph: a single one is meant.
BREAKS: Final = 2
#: Beginnings of lines that plain text would read as quotation marks of a reply.
_QUOTED: Final = (">", "|")


def joined(runs: list[Run]) -> list[Run]:
    """Return a paragraph with spaces in place of the breaks that only wrap it."""
    text = "".join(run.text for run in runs)
    written = text.split("\n")
    longest = max(map(len, written))
    if not wrapping.WRAP_NARROW <= longest <= wrapping.WRAP_MOST:
        return runs
    if any(line.lstrip().startswith(_QUOTED) for line in written):
        return runs
    read = _read(text)
    if len(read) != len(written):
        return runs
    ahead = read[: wrapping.WIDTH_LINES]
    wrapped = wrapping.of(ahead)
    if not (wrapped.width and wrapping.is_prose(ahead)):
        return runs
    return _with([_joins(wrapped, before, line) for before, line in pairwise(read)], runs)


def _read(text: str) -> list[Line]:
    source = Lines(pieces_of(text))
    read: list[Line] = []
    while (line := source.peek()) is not None and not line.long:
        read.append(line)
        source.take()
    return read


def _joins(wrapped: wrapping.Wrapping, before: Line, line: Line) -> bool:
    return line_kinds.item(line) is None and wrapped.between(before, line, before.text) == " "


def _with(joins: Iterable[bool], runs: list[Run]) -> list[Run]:
    waiting = iter(joins)
    return [replace(run, text="".join(_joined_lines(run.text, waiting))) for run in runs]


def _joined_lines(text: str, joins: Iterator[bool]) -> Iterator[str]:
    first, *rest = text.split("\n")
    yield first
    before = first
    for line in rest:
        blank = "" if before.endswith(" ") or line.startswith(" ") else " "
        yield (blank if next(joins) else "\n") + line
        before = line
