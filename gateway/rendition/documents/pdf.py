"""PDF: the text of its pages, with lines rejoined into paragraphs.

Nothing here may draw: a picture of text stays a picture. A page is a leaf, so that reading can start at page 40
without the pages before it. pypdf, which limits what streams unpack to, is used only here. ISO 32000-2 §9.10.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from typing import Final

from gateway.rendition import glyphs
from gateway.rendition.blocks import Block, Kind
from gateway.rendition.context import Context
from gateway.rendition.documents.bounds import (
    CUT,
    EMPTY,
    NO_TEXT,
    PAGES_LIMIT,
    PROTECTED,
    DocumentError,
    note,
)
from gateway.rendition.links.urls import linked
from gateway.rendition.segments import BLOCK_LIMIT


def _(msgid: str) -> str:
    return msgid


_PAGE: Final = _("[page %(number)d of %(pages)d]")
_PAGE_BROKEN: Final = _("[page %(number)d cannot be read]")

#: Characters of one page that are read; a dense page of a newspaper has 20,000.
PAGE_LIMIT: Final = 100_000
#: A line is full, and continues in the next one, if it has this fraction of the long lines' length.
FULL: Final = 0.8
#: Shorter lines are never full, characters: tables, addresses, verse.
FULL_LEAST: Final = 40
_BULLET: Final = re.compile(r"\s*(?:[-*•·‣◦▪–—]|\d{1,3}[.)]|\(\d{1,3}\))\s+\S")
#: Dot leaders between a title and its page number.
_LEADERS: Final = re.compile(r"(?: ?\.){4,} ?")
_HYPHENATED: Final = re.compile(r"[^\W\d_]-\Z")


def _library() -> type:
    """Load pypdf, and keep its messages about strangers' files out of the log."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    return pypdf.PdfReader


def read(octets: bytes, leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield the text, page by page, from page `leaf`."""
    reader = _library()(io.BytesIO(octets), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise DocumentError(PROTECTED)
    pages = len(reader.pages)
    if not pages:
        yield 0, note(context, EMPTY)
    found = leaf > 0
    for number in range(leaf, min(pages, PAGES_LIMIT)):
        text = _text(reader, number)
        said = {"number": number + 1, "pages": pages}
        if text is None:
            found = True
            yield number, note(context, _PAGE_BROKEN, said)
        elif text.strip():
            found = True
            if pages > 1:
                yield number, note(context, _PAGE, said)
            yield from ((number, block) for block in _blocks(text, context))
    if pages > PAGES_LIMIT:
        yield PAGES_LIMIT, note(context, CUT)
    elif pages and not found:
        yield pages, note(context, NO_TEXT)


def _text(reader: object, number: int) -> str | None:
    """Return the text of a page; None if it cannot be read, so that other pages still are."""
    try:
        return str(reader.pages[number].extract_text())[:PAGE_LIMIT]  # type: ignore[attr-defined]
    except MemoryError:
        raise
    except Exception:  # the library raises whatever its parsers raise
        return None


def _blocks(text: str, context: Context) -> Iterator[Block]:
    for paragraph in paragraphs(glyphs.visible(text)):
        for start in range(0, len(paragraph), BLOCK_LIMIT):
            runs = tuple(linked(paragraph[start : start + BLOCK_LIMIT], context.fold))
            yield Block(Kind.PARAGRAPH, runs)


def paragraphs(text: str) -> Iterator[str]:
    """Join the lines of a page: a full line continues in the next; a line that is not full ends a paragraph."""
    lines = [_LEADERS.sub(" … ", glyphs.collapse(line)).strip() for line in text.splitlines()]
    lengths = sorted(len(line) for line in lines if line)
    usual = lengths[len(lengths) * 9 // 10] if lengths else 0
    least = max(usual * FULL, FULL_LEAST)
    gathered, full, joined = "", False, False
    for line in lines:
        if gathered and (not line or (joined and not full)):
            yield gathered
            gathered, joined = "", False
        if not gathered:
            gathered = line
        elif not full or _BULLET.match(line):
            gathered, joined = f"{gathered}\n{line}", False
        elif _HYPHENATED.search(gathered) and line[0].islower():
            gathered, joined = gathered[:-1] + line, True
        else:
            gathered, joined = f"{gathered} {line}", True
        full = len(line) >= least
    if gathered:
        yield gathered
