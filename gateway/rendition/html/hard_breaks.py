"""Breaks that a program wrote at a column: text of a fixed width that was turned into HTML line by line.

Nothing here may join other lines than plain text does (`text.wrapping`), except narrow ones: in HTML these are columns
that somebody wrapped by hand, and lines of verse are rarely all full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from gateway.rendition.blocks import Run
from gateway.rendition.text import line_kinds, wrapping
from gateway.rendition.text.lines import Line, Lines, pieces_of

#: The least breaks in a paragraph: a single one is meant.
BREAKS: Final = 2
#: Lines of narrow text at least, and its column; and the fraction of them that may end in punctuation, as verse does.
NARROW_LINES: Final = 3
NARROW: Final = range(24, wrapping.WRAP_LEAST)
PUNCTUATED: Final = 1 / 3
_PUNCTUATION: Final = tuple(".,;:!?…)")
#: A line of one word that is no prose: a host, a file, a mail address.
_ADDRESS: Final = re.compile(r"\S+[@/.:]\S+")
#: Beginnings of lines that plain text would read as quotation marks of a reply.
_QUOTED: Final = (">", "|")


def joined(runs: list[Run]) -> list[Run]:
    """Return a paragraph with spaces in place of the breaks that only wrap it."""
    text = "".join(run.text for run in runs)
    written = text.split("\n")
    longest = max(map(len, written))
    if not NARROW[0] <= longest <= wrapping.WRAP_MOST:
        return runs
    if any(line.lstrip().startswith(_QUOTED) for line in written):
        return runs
    read = _read(text)
    if len(read) != len(written):
        return runs
    ahead = read[: wrapping.WIDTH_LINES]
    wrapped = wrapping.of(ahead)
    if wrapped.width and wrapping.is_prose(ahead):
        return _with([_joins(wrapped, before, line) for before, line in pairwise(read)], runs)
    joins = list(_narrow_joins(read))
    return _with(joins, runs) if any(joins) else runs


def _narrow_joins(lines: list[Line]) -> Iterator[bool]:
    """Yield for each break whether it only wraps narrow text: lines that go on with a small letter, and are full."""
    at = 0
    while at < len(lines):
        end = at + 1
        while end < len(lines) and lines[end].text[:1].islower():
            end += 1
        stretch = lines[at:end]
        yield from [_is_narrow(stretch)] * (len(stretch) - 1)
        if end < len(lines):
            yield False
        at = end


def _is_narrow(stretch: list[Line]) -> bool:
    texts = [line.text for line in stretch]
    width = max(map(len, texts))
    if len(stretch) < NARROW_LINES or width not in NARROW:
        return False
    if any(wrapping.is_field(line) or _ADDRESS.fullmatch(line.text) for line in stretch):
        return False
    if sum(text.endswith(_PUNCTUATION) for text in texts[:-1]) > PUNCTUATED * (len(texts) - 1):
        return False
    reaches = [len(text) + 1 + len(below.partition(" ")[0]) for text, below in pairwise(texts)]
    return min(reaches) > width - wrapping.WRAP_SLACK


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
