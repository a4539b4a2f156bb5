"""Frames that are drawn around a text with letters: on a small screen, where their lines break, the text alone is read.

Nothing here may know of blocks. A drawing stays as it is: most lines of a frame are words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Final

from gateway.rendition import glyphs
from gateway.rendition.text import wrapping
from gateway.rendition.text.line_kinds import FRAME_LEAST, item, rule_like
from gateway.rendition.text.lines import Line

#: Columns by which right edges may differ, since people draw them by hand.
RAGGED: Final = 2
#: Between what stood side by side, as between the cells of a table.
BETWEEN: Final = " · "
#: A line of a frame: its left edge, and the same at the right.
_FRAMED: Final = re.compile(r"\s*([|│║*#:!])(.*)\1\s*\Z")
#: A line across: "+-----+", "|=====|", "*----*".
_ACROSS: Final = re.compile(r"\s*[|│║*#:!+.'`┌└├╔╚┐┘┤╗╝]?[-=_*#+─═┬┴┼\s]{6,}[|│║*#:!+.'`┌└├╔╚┐┘┤╗╝]?\s*\Z")
#: What separates columns: a bar beside blanks, or many blanks.
_COLUMNS: Final = re.compile(r"\s+[|│║](?:\s+|\Z)|\s{3,}")
_SIGN: Final = re.compile(r"[^\w\s.,;:()@/'&|+-]|_")


def opened(lines: Sequence[Line]) -> str:
    """Return the text in a frame, with wrapped lines joined; '' if lines are none."""
    rows = [line for line in lines if not _is_across(line.raw)]
    framed = [match for match in (_FRAMED.match(line.raw) for line in rows) if match is not None]
    if len(framed) < max(1, len(rows)) or len({match[1] for match in framed}) > 1:
        return ""
    widths = [len(line.raw.expandtabs(8).rstrip()) for line in rows]
    if max(widths) < FRAME_LEAST or max(widths) - min(widths) > RAGGED:
        return ""
    inside = ["" if _ACROSS.match(match[0]) else match[2].rstrip() for match in framed]
    if any(2 * len(_SIGN.findall(text)) > len(text) for text in inside):
        return ""
    said = [BETWEEN.join(filter(None, map(str.strip, _COLUMNS.split(text)))) for text in inside]
    read = [
        replace(rows[0], raw=" " * (len(text) - len(text.lstrip())) + line, text=glyphs.collapse(line))
        for text, line in zip(inside, said, strict=True)
    ]
    return "\n".join(
        _joined(list(group)) for some, group in groupby(read, lambda line: bool(line.text)) if some
    )


def _is_across(text: str) -> bool:
    return rule_like(text) or (_FRAMED.match(text) is None and _ACROSS.match(text) is not None)


def _joined(lines: list[Line]) -> str:
    wrapped = wrapping.of(lines)
    written = lines[0].text
    for before, line in pairwise(lines):
        apart = BETWEEN in before.text or BETWEEN in line.text or item(line) is not None
        apart = apart or line.text.startswith("http") or _indent(before) != _indent(line)
        written += ("\n" if apart else wrapped.between(before, line, written)) + line.text
    return written


def _indent(line: Line) -> int:
    return len(line.raw) - len(line.raw.lstrip())
