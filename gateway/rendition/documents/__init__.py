"""Documents: files that came with a mail, as blocks that page like the mail itself.

Nothing here may raise anything but DocumentError, fetch, or run code of a document. A document is a row of leaves
(pages of a PDF, sheets; most have one), and a block's position is its leaf and its place in it, so that reading
goes on at a leaf without the leaves before. Time and memory are bounded by `confined`, where files of strangers
are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from gateway.rendition.blocks import Block, Position, cut
from gateway.rendition.context import Context
from gateway.rendition.documents import archive, docx, kinds, odt, pdf, plain, rtf, sheets
from gateway.rendition.documents.archive import Entry, zip_entries, zip_entry
from gateway.rendition.documents.bounds import (
    BLOCKS_LIMIT,
    BROKEN,
    CUT,
    DAMAGED,
    EMPTY,
    NO_READER,
    OCTETS_LIMIT,
    TOO_LARGE,
    UNKNOWN,
    DocumentError,
    note,
)
from gateway.rendition.documents.kinds import effective_type
from gateway.rendition.documents.xmlpart import TooLong

__all__ = [
    "DocumentError",
    "Entry",
    "earlier",
    "effective_type",
    "read",
    "readable",
    "zip_entries",
    "zip_entry",
]

#: Positions of one leaf: more than it may have blocks.
_LEAF: Final = 100_000

#: A viewer yields blocks with the number of their leaf, beginning at the first block of the leaf it is given.
Viewer = Callable[[bytes, int, Context], Iterator[tuple[int, Block]]]

VIEWERS: Final[dict[str, Viewer]] = {
    kinds.PDF: pdf.read,
    kinds.DOCX: docx.read,
    kinds.ODT: odt.read,
    kinds.RTF: rtf.read,
    kinds.XLSX: sheets.read_workbook,
    kinds.XLSB: sheets.read_workbook,
    kinds.XLS: sheets.read_workbook,
    kinds.ODS: sheets.read_workbook,
    kinds.CSV: sheets.read_csv,
    kinds.TEXT: plain.read_text,
    kinds.SOURCE: plain.read_source,
    kinds.ZIP: archive.read,
}


def readable(media_type: str, filename: str) -> bool:
    """Say whether `read` has a viewer for a file, as far as its label and name tell."""
    return effective_type(media_type, filename) in VIEWERS


def read(
    octets: bytes,
    media_type: str,
    filename: str,
    context: Context,
    at: Position = Position(),  # noqa: B008
) -> Iterator[Block]:
    """Yield the blocks of a document from a position on, `at.section` naming its part.

    Raise DocumentError when nothing of it can be read; what fails or is cut later ends in a note that says so.
    """
    if len(octets) > OCTETS_LIMIT:
        raise DocumentError(TOO_LARGE)
    viewer = VIEWERS.get(effective_type(media_type, filename, octets))
    if viewer is None:
        raise DocumentError(UNKNOWN)
    return _blocks(viewer, octets, context, at)


def earlier(at: Position, blocks: int, leaves: int) -> Position | None:
    """Go back so many blocks within a leaf, or so many leaves from a leaf's beginning; None: to the beginning."""
    leaf, index = divmod(at.start, _LEAF)
    if index > blocks:
        return Position(at.section, at.start - blocks)
    return Position(at.section, (leaf - leaves) * _LEAF) if leaf > leaves else None


def _blocks(viewer: Viewer, octets: bytes, context: Context, at: Position) -> Iterator[Block]:
    leaf, index = at.start // _LEAF, -1
    for number, block in _guarded(viewer, octets, leaf, context):
        index = 0 if number != leaf else index + 1
        leaf = number
        start = leaf * _LEAF + index
        if start < at.start:
            continue
        block = replace(block, at=Position(at.section, start))
        if start == at.start and at.skip:
            block = cut(block, at.skip)[1]
            if not block.runs:
                continue
        yield block


def _guarded(viewer: Viewer, octets: bytes, leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield what a viewer yields; end with a note what fails or is too long after that."""
    number, total, ending = leaf, 0, ""
    try:
        for number, block in viewer(octets, leaf, context):
            yield number, block
            total += 1
            if total >= BLOCKS_LIMIT:
                raise TooLong
        if not total and not leaf:
            ending = EMPTY
    except TooLong:
        ending = CUT
    except (Exception, MemoryError) as error:  # libraries raise whatever their parsers do
        if not total:
            raise _translated(error) from error
        ending = BROKEN
    if ending:
        yield number, note(context, ending)


def _translated(error: BaseException) -> DocumentError:
    if isinstance(error, DocumentError):
        return error
    if isinstance(error, MemoryError):
        return DocumentError(TOO_LARGE, "memory")
    if isinstance(error, ImportError):
        return DocumentError(NO_READER, error.name or "")
    return DocumentError(DAMAGED, type(error).__name__)  # its message might quote the file
