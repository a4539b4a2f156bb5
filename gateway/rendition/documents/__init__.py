"""Documents: attached files as blocks, paged like the mail itself.

Nothing here may raise anything but DocumentError, fetch, or run a document's code. A document is a sequence of leaves
(pages of a PDF, sheets; most have one), and a block's position is its leaf and its index there, so reading can start
at any leaf. Time and memory are limited by `confined`, where strangers' files are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from gateway.message import media_types
from gateway.rendition.blocks import Block, Position, cut
from gateway.rendition.context import Context
from gateway.rendition.documents import archive, docx, epub, odt, pdf, plain_files, rtf, spreadsheets
from gateway.rendition.documents.archive import ArchiveEntry, zip_entries, zip_entry
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
from gateway.rendition.documents.xmlpart import PartTooLong

__all__ = [
    "ArchiveEntry",
    "DocumentError",
    "earlier",
    "effective_type",
    "read",
    "readable",
    "zip_entries",
    "zip_entry",
]

#: Positions in one leaf: more than the blocks that it may have.
_LEAF: Final = 100_000

#: A viewer yields blocks with the numbers of their leaves, from the beginning of the given leaf.
Viewer = Callable[[bytes, int, Context], Iterator[tuple[int, Block]]]

VIEWERS: Final[dict[str, Viewer]] = {
    media_types.PDF: pdf.read,
    media_types.DOCX: docx.read,
    media_types.ODT: odt.read,
    media_types.RTF: rtf.read,
    media_types.EPUB: epub.read,
    media_types.XLSX: spreadsheets.read_workbook,
    media_types.XLSB: spreadsheets.read_workbook,
    media_types.XLS: spreadsheets.read_workbook,
    media_types.ODS: spreadsheets.read_workbook,
    media_types.CSV: spreadsheets.read_csv,
    media_types.TEXT: plain_files.read_text,
    media_types.MARKDOWN: plain_files.read_markdown,
    media_types.SOURCE: plain_files.read_source,
    media_types.ZIP: archive.read,
}


def readable(media_type: str, filename: str) -> bool:
    """Return whether `read` has a viewer for a file, going by its media type and name."""
    return effective_type(media_type, filename) in VIEWERS


def read(
    octets: bytes,
    media_type: str,
    filename: str,
    context: Context,
    at: Position = Position(),
) -> Iterator[Block]:
    """Yield the blocks of a document from a position on, `at.section` naming its part.

    Raise DocumentError if nothing can be read; a later failure or cut ends in a note.
    """
    if len(octets) > OCTETS_LIMIT:
        raise DocumentError(TOO_LARGE)
    viewer = VIEWERS.get(effective_type(media_type, filename, octets))
    if viewer is None:
        raise DocumentError(UNKNOWN)
    return _blocks(viewer, octets, context, at)


def earlier(at: Position, blocks: int, leaves: int) -> Position | None:
    """Go back by this many blocks within a leaf, or this many leaves from its beginning; None: to the beginning."""
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
    """Yield what a viewer yields; end with a note if it then fails or is too long."""
    number, total, ending = leaf, 0, ""
    try:
        for number, block in viewer(octets, leaf, context):
            yield number, block
            total += 1
            if total >= BLOCKS_LIMIT:
                raise PartTooLong
        if not total and not leaf:
            ending = EMPTY
    except PartTooLong:
        ending = CUT
    except (Exception, MemoryError) as error:  # libraries raise whatever their parsers raise
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
    return DocumentError(DAMAGED, type(error).__name__)  # its message may quote the file
