"""Plain text to segments: lines wrapped for eighty columns become paragraphs; lists, tables and addresses stay.

Nothing here may look back: a segment is decided by the lines from its own beginning on, and by the letters of its
State, so that reading from a segment's position gives the same segments again. RFC 3676 (format=flowed, DelSp).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from gateway.rendition import glyphs, lines, quoting
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.lines import Line, Lines, Piece
from gateway.rendition.links import linked
from gateway.rendition.segments import BLOCK_LIMIT, Mode, Role, Segment, State, middle_of

#: Lines of one block at most: a look-ahead must end.
LINES_LIMIT: Final = 120
#: Blank lines that are skipped; what stands behind more of them is left out, and a note says so.
BLANK_LIMIT: Final = 20_000
#: Text whose longest line lies within these columns was wrapped by a machine (RFC 5322 §2.1.1: 78; quoting adds).
WRAP_LEAST: Final = 55
WRAP_MOST: Final = 100
#: Narrower text was wrapped if all its lines are full.
WRAP_NARROW: Final = 36
#: A line is taken for full if the next word would have come this near to the longest line, columns.
WRAP_SLACK: Final = 4
#: Lines that are measured to find that column.
WIDTH_LINES: Final = 20
#: Blanks before an item for each list that it lies in; fewer are put before any list.
INDENT: Final = 4
#: Pieces of a long line that make one block.
LONG_PIECES: Final = 3
_FIRST_WORD: Final = re.compile(r"\S*")


class TextReader:
    """Reads one text part from a position on."""

    def __init__(
        self,
        pieces: Iterable[Piece],
        section: str,
        state: State,
        shorten: bool,
        flowed: bool = False,
        delsp: bool = False,
        reply: bool = True,
        left_out: str = "",
    ) -> None:
        self._lines = Lines(pieces, flowed, delsp)
        self._reply = reply
        self._left_out = left_out
        self._section = section
        self._mode = state.mode
        self._footer = False
        self._end_begins = state.mode is Mode.SIGNATURE
        self._middle = state.middle
        self._shorten = shorten

    def segments(self) -> Iterator[Segment]:
        """Yield segments to the end of the part."""
        while True:
            if self._middle:
                yield from self._long()
                continue
            line = self._lines.peek()
            if line is None:
                return
            if self._is_idle(line):
                if not self._skip_blanks(line):
                    yield self._made(Kind.NOTE, line, [Run(self._left_out)], 1)
                    return
                continue
            self._change_mode(line)
            if self._mode is not Mode.TAIL and line.depth == 0 and self._is_delimiter(line):
                self._mode = Mode.SIGNATURE
                self._end_begins = True
                self._lines.take()
                continue
            if self._end_begins:
                self._end_begins, self._footer = False, quoting.is_list_footer(line.text)
            if line.long:
                self._middle = -1 - line.depth
                self._lines.take()
                continue
            yield self._segment(line)

    def _is_delimiter(self, line: Line) -> bool:
        """Say whether a signature, or the footer of a mailing list, begins behind this line."""
        if lines.is_delimiter(line):
            return True
        following = self._lines.peek(1) if quoting.is_footer_rule(line.text) else None
        return following is not None and quoting.is_list_footer(following.text)

    def _is_idle(self, line: Line) -> bool:
        """Say whether a line is empty, or begins a signature inside one."""
        again = self._mode is Mode.SIGNATURE and line.depth == 0 and lines.is_delimiter(line)
        return again or lines.is_blank(line)

    def _skip_blanks(self, line: Line | None) -> bool:
        """Skip blank lines; say whether their end is near enough."""
        for _number in range(BLANK_LIMIT):
            if line is None or not self._is_idle(line):
                return True
            self._lines.take()
            line = self._lines.peek()
        return False

    def _change_mode(self, line: Line) -> None:
        if self._mode is Mode.SIGNATURE and line.depth:
            self._mode = Mode.BODY
        if self._mode is not Mode.TAIL and self._original_begins(line):
            self._mode = Mode.TAIL

    def _original_begins(self, line: Line) -> bool:
        """Say whether an original without quote marks begins at this line, the next one; only replies have any."""
        if not self._reply or line.depth or self._mode is Mode.TAIL:
            return False
        if quoting.is_original_marker(line.text):
            return True
        if quoting.header_kind(line.text) != "from":
            return False
        ahead = (self._lines.peek(index) for index in range(quoting.HEADER_LINES))
        return quoting.is_header_block([line.text for line in ahead if line is not None])

    def _segment(self, line: Line) -> Segment:
        if lines.is_rule(line):
            self._lines.take()
            return self._made(Kind.RULE, line, (), 1)
        following = self._lines.peek(1)
        if lines.is_encoded(line, following):
            taken = self._taken(lines.is_encoded_still)
            made = self._made(
                Kind.PREFORMATTED, line, [Run("\n".join(line.raw for line in taken))], len(taken)
            )
            return replace(made, role=Role.FILE) if made.role is Role.BODY else made
        if following is not None and self._is_figure(line, following):
            taken = self._taken(lines.is_drawn)
            return self._as_it_stands(taken)
        if following is not None and lines.is_indented_code(line, following):
            return self._as_it_stands(self._taken(lambda line: not lines.is_blank(line)))
        match = lines.item(line)
        width = self._width()
        taken = self._paragraph(width, is_item=match is not None)
        text = _joined(taken, width)
        if match is None:
            return self._made(Kind.PARAGRAPH, line, linked(text, self._shorten), len(taken), text)
        marker = match.group(2) or "•"
        indent = min((len(match.group()) - len(match.group().lstrip())) // INDENT, 3)
        body = text[len(match.group().strip()) :].lstrip()
        return self._made(
            Kind.ITEM, line, linked(body, self._shorten), len(taken), marker=marker, indent=indent
        )

    def _is_figure(self, line: Line, following: Line) -> bool:
        """Say whether a table or a drawing begins here: two lines of one, and columns in one of them."""
        if not (lines.is_drawn(line) and lines.is_drawn(following)):
            return False
        return line.depth == following.depth and (lines.is_columnar(line) or lines.is_columnar(following))

    def _as_it_stands(self, taken: list[Line]) -> Segment:
        text = "\n".join(line.raw.expandtabs(8).rstrip() for line in taken)
        return self._made(Kind.PREFORMATTED, taken[0], linked(text, False), len(taken))

    def _taken(self, belongs: Callable[[Line], bool]) -> list[Line]:
        """Take the lines of one depth for which `belongs` holds, as many as make a block."""
        taken: list[Line] = []
        size = 0
        line = self._lines.peek()
        while line is not None and len(taken) < LINES_LIMIT and size < BLOCK_LIMIT:
            if taken and (line.depth != taken[0].depth or line.long or not belongs(line)):
                break
            taken.append(line)
            size += len(line.text) + 1
            self._lines.take()
            line = self._lines.peek()
        return taken

    def _paragraph(self, width: int, is_item: bool) -> list[Line]:
        last: Line | None = None

        def belongs(line: Line) -> bool:
            nonlocal last
            before = last
            last = line
            if before is None:
                return True
            if before.flows:
                return not lines.is_blank(line) and not lines.is_delimiter(line)
            return not self._ends(before, line, width, is_item)

        first = self._lines.peek()
        if first is not None:
            belongs(first)
        return self._taken(belongs)

    def _ends(self, before: Line, line: Line, width: int, is_item: bool) -> bool:
        """Say whether a new block begins at `line`."""
        if lines.is_blank(line) or lines.is_delimiter(line) or lines.is_rule(line):
            return True
        full = _full(before, line, width)
        match = lines.item(line)
        if match is not None and not (full and match.group(2)):
            return True
        if is_item:
            return not (full or line.raw[:1] in (" ", "\t"))
        if self._original_begins(line):
            return True
        following = self._lines.peek(1)
        if following is None:
            return False
        return self._is_figure(line, following) or lines.is_encoded(line, following)

    def _width(self) -> int:
        """Return the column where the paragraph that begins here was wrapped, or 0 if it was not."""
        ahead: list[Line] = []
        for index in range(WIDTH_LINES):
            line = self._lines.peek(index)
            if line is None or line.long or lines.is_blank(line) or (ahead and line.depth != ahead[0].depth):
                break
            ahead.append(line)
        width = max((len(line.raw.rstrip()) for line in ahead if " " in line.text), default=0)
        if WRAP_LEAST <= width <= WRAP_MOST:
            return width
        narrow = WRAP_NARROW <= width < WRAP_LEAST and len(ahead) >= 3
        if narrow and all(_full(line, following, width) for line, following in pairwise(ahead)):
            return width
        return 0

    def _long(self) -> Iterator[Segment]:
        """Read a stretch of a long line; its pieces end between words."""
        gathered: list[Piece] = []
        ended = False
        while not ended and len(gathered) < LONG_PIECES:
            piece = self._lines.piece(len(gathered))
            if piece is None:
                break
            gathered.append(piece)
            ended = piece.text.endswith("\n")
        at_start = self._middle < 0
        depth = -1 - self._middle if at_start else self._middle - 1
        middle, self._middle = self._middle, 0
        if not gathered:
            return
        if not ended and self._lines.piece(len(gathered)) is not None:
            self._middle = middle_of(depth)
        self._lines.drop_pieces(len(gathered))
        text = glyphs.collapse_lines(glyphs.visible("".join(piece.text for piece in gathered)))
        if at_start and depth:
            text = text.lstrip(" >|")
        if text:
            state = State(False, self._mode, 0 if at_start else middle, gathered[0].state).encode()
            at = Position(self._section, gathered[0].at, state)
            runs = tuple(linked(text, self._shorten))
            block = Block(Kind.PARAGRAPH, runs, at, quote=self._quote(depth))
            yield Segment(block, self._role(depth), max(len(text) // 72, 1))

    def _role(self, depth: int) -> Role:
        if self._mode is Mode.SIGNATURE:
            return Role.FOOTER if self._footer else Role.SIGNATURE
        return Role.QUOTE if depth or self._mode is Mode.TAIL else Role.BODY

    def _quote(self, depth: int) -> int:
        return depth + (self._mode is Mode.TAIL)

    def _made(
        self,
        kind: Kind,
        line: Line,
        runs: Iterable[Run],
        count: int,
        text: str = "",
        marker: str = "",
        indent: int = 0,
    ) -> Segment:
        at = Position(self._section, line.at, State(False, self._mode, 0, line.state).encode())
        role = self._role(line.depth)
        if role is Role.BODY and text:
            role = _role_of(text)
        block = Block(kind, tuple(runs), at, quote=self._quote(line.depth), marker=marker, indent=indent)
        return Segment(block, role, count)


def _role_of(text: str) -> Role:
    if quoting.is_attribution(text):
        return Role.ATTRIBUTION
    return Role.LEGAL if quoting.is_legal(text) else Role.BODY


def _full(line: Line, following: Line, width: int) -> bool:
    """Say whether `following` was put on a new line only because it did not fit on this one."""
    if not width:
        return False
    word = _FIRST_WORD.match(following.text)
    return len(line.raw.rstrip()) + 1 + (len(word.group()) if word else 0) > width - WRAP_SLACK


def _joined(taken: list[Line], width: int) -> str:
    """Join lines: by nothing where the text flows, by a blank where it was wrapped, else keeping the line end."""
    parts: list[str] = []
    for line, following in zip(taken, [*taken[1:], None], strict=True):
        parts.append(line.text)
        if following is None or line.flows:
            continue
        parts.append(" " if _full(line, following, width) else "\n")
    return glyphs.collapse_lines("".join(parts))
