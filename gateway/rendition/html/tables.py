"""Tables: a data table is read out row by row ("Item: Lamp · Price: 20 €"); a layout table is dissolved.

Nothing here may parse: cells are ranges of the HTML reader's drafts. Each table looks only at its own cells, so
nesting costs nothing. HTML §4.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.rendition.blocks import Kind, Run
from gateway.rendition.unplaced import Draft, stripped

#: The most characters of a data cell, with headers and without.
CELL_LIMIT: Final = 240
PLAIN_CELL_LIMIT: Final = 90
#: The most paragraphs of a data cell.
CELL_BLOCKS: Final = 3
#: Short cells of a layout row (a menu, a name and a value) share a line of at most this many characters.
LINE_LIMIT: Final = 60
#: Figures beside a name may share its line if they take at most this many characters.
FIGURES_LIMIT: Final = 30
#: Largest span that is respected; a wider or longer table is not data.
SPAN_LIMIT: Final = 20
COLUMNS_LIMIT: Final = 30
ROWS_LIMIT: Final = 2000
#: The fraction of rows that must have all columns.
REGULAR: Final = 0.6
BETWEEN: Final = " · "
#: What separates a name from its value, even in a cell of its own.
_COLONS: Final = (":", "：")
#: A cell with only a bullet or a number belongs to the next one.
_MARKER: Final = re.compile(r"[•·‣◦▪▫●○■□◆►▶➤→✓✔✗☐☑*–»>§-]|\d{1,3}[.)]")


@dataclass(slots=True)
class Cell:
    """A cell: the drafts from `start` to `end`."""

    start: int
    header: bool = False
    columns: int = 1
    rows: int = 1
    end: int = 0


@dataclass(slots=True)
class Table:
    """A table that is being read. `start`: its first draft; `nested`: a cell of it has a table; `between`: no cell is
    open."""

    start: int
    layout: bool = False
    nested: bool = False
    between: bool = True
    rows: list[list[Cell]] = field(default_factory=list)

    def row(self) -> None:
        self.rows.append([])

    def cell(self, cell: Cell) -> None:
        if not self.rows:
            self.rows.append([])
        self.rows[-1].append(cell)


def finish(table: Table, drafts: list[Draft]) -> None:
    """Replace a finished table's drafts by a form for a small screen."""
    if len(drafts) == table.start or not any(len(row) > 1 for row in table.rows):
        return
    data = not table.layout and not table.nested and len(table.rows) <= ROWS_LIMIT
    if data and not any(_in_columns([drafts[cell.start : cell.end] for cell in row]) for row in table.rows):
        read = _read_out(table, drafts)
        if read is not None:
            drafts[table.start :] = read
            return
    _join_short_cells(table, drafts)


def _join_short_cells(table: Table, drafts: list[Draft]) -> None:
    """Join the short cells of a row on one line."""
    kept: list[Draft] = []
    done = table.start
    for row in table.rows:
        cells = [
            cell
            for cell in row
            if cell.end - cell.start > 1 or (cell.end > cell.start and not drafts[cell.start].gone)
        ]
        if len(cells) < 2:
            continue
        runs = _in_columns([drafts[cell.start : cell.end] for cell in cells])
        if not runs and all(cell.end - cell.start == 1 for cell in cells):
            inside = [drafts[cell.start] for cell in cells]
            runs = _between(draft.runs for draft in inside) if _fit_one_line(inside) else []
        if runs:
            drafts[cells[0].start].runs = runs
            kept += drafts[done : cells[0].start + 1]
            done = cells[-1].end
    if done > table.start:
        drafts[table.start : done] = kept


def _in_columns(cells: list[list[Draft]]) -> list[Run]:
    """Return two columns as lines, if the first has only names with a colon, as many as the second has values."""
    if len(cells) != 2 or not cells[0] or not cells[0][-1].text.rstrip().endswith(_COLONS):
        return []
    if (len(cells[0]) == 1 and "\n" not in cells[0][0].text) or not all(
        _plain(draft) for cell in cells for draft in cell
    ):
        return []
    names, values = (list(_lines(cell)) for cell in cells)
    if len(names) != len(values) or not all(line[-1].text.rstrip().endswith(_COLONS) for line in names):
        return []
    runs: list[Run] = []
    for name, value in zip(names, values, strict=True):
        runs += [*([Run("\n")] if runs else []), *_between([name, value])]
    return runs


def _lines(cell: list[Draft]) -> Iterator[list[Run]]:
    """Yield the lines of a cell, without empty ones."""
    for draft in cell:
        line: list[Run] = []
        for run in draft.runs:
            first, *rest = run.text.split("\n")
            line.append(replace(run, text=first))
            for text in rest:
                yield from filter(None, [stripped(line)])
                line = [replace(run, text=text)]
        yield from filter(None, [stripped(line)])


def _fit_one_line(inside: list[Draft]) -> bool:
    if len(inside) > COLUMNS_LIMIT or any("\n" in draft.text for draft in inside):
        return False
    if not all(_plain(draft) or draft.kind is Kind.HEADING for draft in inside):
        return False
    if len({(draft.quote, draft.indent, draft.role, draft.level) for draft in inside}) != 1:
        return False
    sizes = [len(draft.text) + len(BETWEEN) for draft in inside]
    if sum(sizes) <= LINE_LIMIT:
        return True
    figures = [draft for draft in inside if not any(map(str.isalpha, draft.text))]
    return len(figures) == len(inside) - 1 > 1 and sum(sizes) - max(sizes) <= FIGURES_LIMIT >= max(sizes) / 3


def _plain(draft: Draft) -> bool:
    return draft.kind in (Kind.PARAGRAPH, Kind.ROW)


def _between(parts: Iterable[list[Run]]) -> list[Run]:
    runs: list[Run] = []
    for part in parts:
        if runs and part and part[0].text.lstrip()[:1] in _COLONS:  # a column of colons: Name | : | Anna
            if runs[-1].text.rstrip()[-1:] in _COLONS:
                first = part[0].text.lstrip()[1:]
                part = stripped([replace(part[0], text=first), *part[1:]])
        elif runs and part:
            joined = runs[-1].text.rstrip()[-1:] in _COLONS or _MARKER.fullmatch(runs[-1].text.strip())
            runs.append(Run(" " if joined else BETWEEN))
        runs.extend(part)
    return runs


@dataclass(slots=True)
class _Value:
    """The content of one cell of the grid."""

    runs: list[Run]
    header: bool = False
    wide: bool = False

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)

    @property
    def strong(self) -> bool:
        return self.header or (bool(self.runs) and all(run.strong for run in self.runs if run.text.strip()))


_Row = dict[int, _Value]


def _value(cell: Cell, drafts: list[Draft], limit: int) -> _Value | None:
    """Read a cell as one line; None if it is longer."""
    inside = drafts[cell.start : cell.end] if cell.end - cell.start <= CELL_BLOCKS else None
    if inside is None or not all(_plain(draft) for draft in inside):
        return None
    if sum(len(draft.text) for draft in inside) > limit:
        return None
    runs: list[Run] = []
    for draft in inside:
        if runs:
            runs.append(Run(" "))
        runs.extend(
            Run(run.text.replace("\n", " "), run.strong, run.emphasis, run.code, run.link)
            for run in draft.runs
        )
    return _Value(stripped(runs), cell.header, cell.columns > 1)


def _grid(table: Table, drafts: list[Draft], limit: int) -> list[_Row] | None:
    """Place the cells in columns according to their spans; None if one is not a data cell."""
    grid: list[_Row] = []
    taken: dict[int, int] = {}  # column -> how many more rows a cell above spans
    for row in table.rows:
        placed: _Row = {}
        column = 0
        reaching = {at: left - 1 for at, left in taken.items() if left > 1}
        for cell in row:
            while taken.get(column, 0) > 0:
                column += 1
            value = _value(cell, drafts, limit)
            if value is None or column >= COLUMNS_LIMIT:
                return None
            if value.runs:
                placed[column] = value
            for at in range(column, column + cell.columns):
                if cell.rows > 1:
                    reaching[at] = cell.rows - 1
            column += cell.columns
        taken = reaching
        if placed:
            grid.append(placed)
    return grid


def _head(grid: list[_Row]) -> _Row:
    """Return the row of headers, or an empty one."""
    first = grid[0]
    if len(first) < 2 or len(grid) < 2:
        return {}
    if len({value.text for value in first.values()}) < len(first):
        return {}  # columns that share a name need no headers
    if all(value.header for value in first.values()):
        return first if not all(value.header for row in grid[1:] for value in row.values()) else {}
    if all(value.strong for value in first.values()) and not any(
        value.strong for row in grid[1:] for column, value in row.items() if column
    ):
        return first
    return {}


def _is_data(grid: list[_Row], head: _Row) -> bool:
    columns = {column for row in grid for column in row}
    full = sum(1 for row in grid if len(row) > 1)
    if len(columns) < 2 or len(grid) < 2 or full < len(grid) * REGULAR or full < 2:
        return False
    if head or any(value.header for row in grid for value in row.values()):
        return True
    return all(len(value.text) <= PLAIN_CELL_LIMIT for row in grid for value in row.values())


def _read_out(table: Table, drafts: list[Draft]) -> list[Draft] | None:
    """Return a data table as rows; None if it is not one."""
    grid = _grid(table, drafts, CELL_LIMIT)
    if not grid:
        return None
    head = _head(grid)
    if not _is_data(grid, head):
        return None
    inside = {index for row in table.rows for cell in row for index in range(cell.start, cell.end)}
    outside = [draft for index, draft in enumerate(drafts[table.start :], table.start) if index not in inside]
    pattern = drafts[min(inside)]
    body = grid[1:] if head else grid
    rows = [
        Draft(Kind.ROW, _labelled_runs(row, head), pattern.quote, pattern.indent, role=pattern.role)
        for row in body
    ]
    return outside + rows


def _labelled_runs(row: _Row, head: _Row) -> list[Run]:
    parts: list[list[Run]] = []
    for column, value in sorted(row.items()):
        label = head[column].text.rstrip(" :") if column in head and not value.wide else ""
        names_row = value.header and column == min(row) and len(row) > 1
        if label and not names_row:
            parts.append([Run(f"{label}: "), *value.runs])
        elif names_row and not head and not value.text.endswith(":"):
            parts.append([*value.runs, Run(":")])
        else:
            parts.append(value.runs)
    return _between(parts)
