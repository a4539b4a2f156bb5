"""Plain text and source code that came as files, in whatever charset.

Nothing here may know how mail is quoted or folded: a file has no sender's signature to hide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.message import charset
from gateway.rendition import glyphs
from gateway.rendition.blocks import Block, Kind, Run
from gateway.rendition.context import Context
from gateway.rendition.lines import pieces_of
from gateway.rendition.segments import BLOCK_LIMIT, State
from gateway.rendition.text import TextReader

#: Lines of source code that make one block.
LINES_TOGETHER: Final = 30
_TAB: Final = 4


def read_text(octets: bytes, _leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield prose: paragraphs, lists and columns as mail has them."""
    text = charset.decode(octets)[0].replace("\r\n", "\n").replace("\r", "\n")
    for segment in TextReader(pieces_of(text), "", State(), context.fold, reply=False).segments():
        yield 0, segment.block


def read_source(octets: bytes, _leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield code: lines stay lines, and blanks count."""
    gathered: list[str] = []
    size = 0
    for line in glyphs.visible(charset.decode(octets)[0]).splitlines():
        for start in range(0, max(len(line), 1), BLOCK_LIMIT):
            stretch = line[start : start + BLOCK_LIMIT].rstrip().expandtabs(_TAB)
            if size + len(stretch) > BLOCK_LIMIT or len(gathered) >= LINES_TOGETHER:
                yield from _block(gathered)
                gathered, size = [], 0
            gathered.append(stretch)
            size += len(stretch) + 1
    yield from _block(gathered)


def _block(gathered: list[str]) -> Iterator[tuple[int, Block]]:
    text = "\n".join(gathered).strip("\n")
    if text:
        yield 0, Block(Kind.PREFORMATTED, (Run(text),))
