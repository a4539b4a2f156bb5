"""Attached plain text and source code, in any charset.

Nothing here may know how mail is quoted or folded: a file has no signature to hide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.message.charset import decoding
from gateway.rendition import glyphs
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.context import Context
from gateway.rendition.documents.xmlpart import PartTooLong
from gateway.rendition.segments import BLOCK_LIMIT, ReaderState
from gateway.rendition.text import markdown
from gateway.rendition.text.lines import pieces_of
from gateway.rendition.text.plain_text import TextReader

#: Lines of source code in one block.
LINES_TOGETHER: Final = 30
_TAB: Final = 4


def read_text(octets: bytes, _leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield prose: paragraphs, lists and columns, as in mail."""
    text = decoding.decode(octets)[0].replace("\r\n", "\n").replace("\r", "\n")
    for segment in TextReader(pieces_of(text), "", ReaderState(), context.fold, reply=False).segments():
        yield 0, segment.block


def read_markdown(octets: bytes, _leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield Markdown: headings, lists and code, as in mail."""
    drafts, too_many = markdown.read(decoding.decode(octets)[0], context.fold)
    for draft in drafts:
        yield 0, draft.segment(Position()).block
    if too_many:
        raise PartTooLong


def read_source(octets: bytes, _leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield code: lines and spaces are kept."""
    gathered: list[str] = []
    size = 0
    for line in glyphs.visible(decoding.decode(octets)[0]).splitlines():
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
