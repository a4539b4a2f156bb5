"""Spreadsheets: XLSX, XLSB, XLS, ODS, CSV and TSV as rows ("Item: Lamp · Price: 20").

Nothing here may read workbooks outside `confined`: python-calamine, used only here, allocates a whole sheet, and
ends the process if two cells at opposite corners take more memory than there is. RFC 4180 (CSV).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Final

from gateway.message.charset import decoding
from gateway.rendition import glyphs
from gateway.rendition.blocks import Block, Kind, Run
from gateway.rendition.context import Context
from gateway.rendition.documents import archive
from gateway.rendition.documents.bounds import (
    CELL_LIMIT,
    COLUMNS_LIMIT,
    CUT,
    DAMAGED,
    EMPTY,
    PROTECTED,
    ROWS_LIMIT,
    TOO_LARGE,
    WORKBOOK_LIMIT,
    DocumentError,
    note,
)
from gateway.rendition.documents.composer import BETWEEN
from gateway.rendition.links.urls import linked

#: Sheets that are read.
SHEETS_LIMIT: Final = 100
#: The most characters of a header: a short word or two.
HEADER_LIMIT: Final = 60
#: A table of two columns is probably a form (name, value), unless it clearly has a header.
_COLUMNS_OF_TABLE: Final = 3
#: Lines searched for the delimiter of a CSV.
_SAMPLE_LINES: Final = 10
_DELIMITERS: Final = ";\t,|"
_ZIP: Final = b"PK\3\4"


def _cell_text(cell: object) -> str:
    """Format a cell's value as a person would write it."""
    if isinstance(cell, bool):
        return "✓" if cell else "✗"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else f"{cell:.12g}"
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == time() else f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return glyphs.collapse(glyphs.visible(str(cell)[:CELL_LIMIT])).strip()


def _is_text(cell: str) -> bool:
    return not any(character.isdigit() for character in cell)


def _header(first: Sequence[str], second: Sequence[str]) -> bool:
    """Return whether the first row names the columns: short distinct words, above values of another kind."""
    if not first or len(set(first)) < len(first) or not all(first) or len(first) < 2:
        return False
    if any(len(cell) > HEADER_LIMIT for cell in first) or not all(map(_is_text, first)):
        return False
    figures = any(not _is_text(cell) for cell in second)
    return figures or len(first) >= _COLUMNS_OF_TABLE


def _filled(rows: Iterable[Sequence[object]]) -> Iterator[list[str]]:
    """Yield the rows that are not empty, as texts."""
    for row in rows:
        cells = [_cell_text(cell) for cell in row[:COLUMNS_LIMIT]]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield cells


def read_out(rows: Iterable[Sequence[object]], shorten: bool) -> Iterator[Block]:
    """Yield a block for each row; each value has the name of its column, if it has one."""
    filled = _filled(rows)
    first, second = next(filled, None), next(filled, None)
    if first is None:
        return
    header: list[str] = first if second is not None and _header(first, second) else []
    if not header:
        yield _row(first, [], shorten)
    if second is not None:
        yield _row(second, header, shorten)
    for cells in filled:
        yield _row(cells, header, shorten)


def _row(cells: Sequence[str], header: Sequence[str], shorten: bool) -> Block:
    names = [*header, *[""] * (len(cells) - len(header))]
    pairs = (f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=False) if cell)
    return Block(Kind.ROW, tuple(linked(BETWEEN.join(pairs), shorten)))


def read_workbook(octets: bytes, leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield the rows of the visible sheets, from sheet `leaf`."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

    if octets.startswith(_ZIP):
        with archive.opened(octets) as package:
            if sum(entry.file_size for entry in package.infolist()) > WORKBOOK_LIMIT:
                raise DocumentError(TOO_LARGE)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(octets))
        visible = [
            sheet.name for sheet in workbook.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible
        ]
        nothing = leaf == 0
        rows = 0
        for number in range(leaf, min(len(visible), SHEETS_LIMIT)):
            sheet = workbook.get_sheet_by_name(visible[number])
            for index, block in enumerate(read_out(sheet.iter_rows(), context.fold)):
                if index == 0 and len(visible) > 1:
                    yield number, Block(Kind.HEADING, (Run(_cell_text(visible[number]) or "-"),), level=2)
                nothing = False
                yield number, block
                rows += 1
                if rows >= ROWS_LIMIT:
                    yield number, note(context, CUT)
                    return
        if nothing:
            yield 0, note(context, EMPTY)
    except PasswordError as error:
        raise DocumentError(PROTECTED) from error
    except CalamineError as error:
        raise DocumentError(DAMAGED, type(error).__name__) from error


def _delimiter(text: str) -> str:
    """Choose the most regular delimiter: the one with the highest minimum per line."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:_SAMPLE_LINES]
    return max(_DELIMITERS, key=lambda mark: (min((line.count(mark) for line in lines), default=0),
                                              sum(line.count(mark) for line in lines)))  # fmt: skip


def read_csv(octets: bytes, _leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield the rows of a delimited text, whatever its delimiter."""
    text = decoding.decode(octets)[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        for index, block in enumerate(read_out(rows, context.fold)):
            if index >= ROWS_LIMIT:
                yield 0, note(context, CUT)
                return
            yield 0, block
    except csv.Error as error:  # an endless cell
        raise DocumentError(DAMAGED, type(error).__name__) from error
