"""Plain text to segments: lines wrapped at eighty columns become paragraphs; lists, tables and addresses stay.

Nothing here may look back: a segment depends only on the lines from its beginning on and on its ReaderState, so that
reading from a segment's position yields the same segments. RFC 3676 (format=flowed, DelSp).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import dropwhile, islice, takewhile
from typing import Final

from gateway.rendition import glyphs
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.links.urls import linked, linked_source
from gateway.rendition.segments import BLOCK_LIMIT, Mode, ReaderState, Role, TextSegment, middle_of
from gateway.rendition.text import armour, frames, line_kinds, listings, quoting, wrapping
from gateway.rendition.text.lines import Line, Lines, Piece
from gateway.rendition.text.wrapping import Wrapping

#: The most lines of one block, which limits the look-ahead.
LINES_LIMIT: Final = 120
#: Lines that show whether armour is what it claims to be.
ARMOUR_LOOK: Final = 4
#: Lines of ciphertext skipped at a time.
ARMOUR_LIMIT: Final = 20_000
#: Blank lines that are skipped; what follows after more of them is left out, with a note. Each line of text allows some
#: more.
BLANK_LIMIT: Final = 20_000
BLANKS_PER_LINE: Final = 50
#: An attribution that begins before this octet has nothing above it.
FIRST: Final = 4
#: Spaces before an item for each list around it; any list may have fewer.
INDENT: Final = 4
#: Pieces of a long line that make up one block.
LONG_PIECES: Final = 3
#: Lines, with what joins them, that are searched for the beginning of a URL.
_WRITTEN_LINES: Final = 16


class TextReader:
    """Reads one text part, from any position."""

    def __init__(
        self,
        pieces: Iterable[Piece],
        section: str,
        state: ReaderState,
        shorten: bool,
        flowed: bool = False,
        delsp: bool = False,
        reply: bool = True,
        left_out: str = "",
        encrypted: str = "",
    ) -> None:
        self._lines = Lines(pieces, flowed, delsp, state.signed, state.below)
        self._flowed = flowed
        self._reply = reply
        self._left_out = left_out
        self._encrypted = encrypted
        self._section = section
        self._mode = state.mode
        self._footer = False
        self._end_begins = state.mode is Mode.SIGNATURE
        self._middle = state.middle
        self._signed = state.signed
        self._shorten = shorten
        self._blanks = BLANK_LIMIT

    def segments(self) -> Iterator[TextSegment]:
        """Yield segments to the end of the part."""
        while True:
            if self._middle:
                yield from self._long()
                continue
            line = self._lines.peek()
            if line is None:
                return
            passed = self._pass_over(line)
            if self._blanks < 0:
                yield self._made(Kind.NOTE, line, [Run(self._left_out)], 1)
                return
            if passed:
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
                self._signed = line.signed
                self._lines.take()
                continue
            made = self._segment(line)
            first = line.at <= FIRST  # somebody has removed the original
            if made.role is Role.ATTRIBUTION and not first and self._introduces_all(made.block.text):
                self._mode = Mode.TAIL
            self._blanks = min(self._blanks + BLANKS_PER_LINE * made.lines, BLANK_LIMIT)
            yield made

    def _introduces_all(self, text: str) -> bool:
        """Return whether an attribution is followed by an unmarked original, to the end."""
        if not self._reply or self._mode is not Mode.BODY or not quoting.introduces_all(text):
            return False
        found = [line for line in self._coming() if not line_kinds.is_blank(line)]
        if not found or line_kinds.is_delimiter(found[0]) or quoting.is_marked(found[0].text):
            return False
        return not any(line.depth for line in found)  # if some lines are marked, the others are answers

    def _is_delimiter(self, line: Line) -> bool:
        """Return whether a signature, or the footer of a mailing list, begins after this line."""
        if line_kinds.is_delimiter(line):
            return True
        following = self._lines.peek(1) if quoting.is_footer_rule(line.text) else None
        return following is not None and quoting.is_list_footer(following.text)

    def _is_idle(self, line: Line) -> bool:
        """Return whether a line is empty, or a signature delimiter inside a signature."""
        again = self._mode is Mode.SIGNATURE and line.depth == 0 and line_kinds.is_delimiter(line)
        return again or line_kinds.is_blank(line)

    def _pass_over(self, first: Line) -> bool:
        """Take blank lines, as many as are allowed, or the beginning of signed text; return whether there were any."""
        if self._shorten and armour.begins_signed(first.text):
            self._blanks -= len(self._taken(lambda line: armour.is_header(line.text)))
            return True
        line: Line | None = first
        while line is not None and self._is_idle(line):
            self._blanks -= 1
            if self._blanks < 0:
                break
            self._lines.take()
            line = self._lines.peek()
        return line is not first

    def _change_mode(self, line: Line) -> None:
        if self._mode is Mode.SIGNATURE and (line.depth or self._introduces_marked(line)):
            self._mode = Mode.BODY
        if self._mode is not Mode.TAIL and self._original_begins(line):
            self._mode = Mode.TAIL

    def _introduces_marked(self, line: Line) -> bool:
        """Return whether a line is an attribution with marked lines below it, which end a signature."""
        below = islice(self._coming(1), 3) if quoting.is_attribution(line.text) else ()
        said = next((one for one in below if not line_kinds.is_blank(one)), None)
        return said is not None and said.depth > 0

    def _original_begins(self, line: Line) -> bool:
        """Return whether an unmarked original begins at this line, the next one to be read; only replies have one."""
        if not self._reply or line.depth or self._mode is Mode.TAIL:
            return False
        if quoting.is_original_marker(line.text):
            return not self._is_marked_below()
        if not quoting.header_kind(line.text):
            return False
        ahead = islice(self._coming(), quoting.HEADER_LINES)
        header = quoting.is_header_block([line.text for line in ahead])
        return header and not self._is_marked_below()

    def _is_marked_below(self) -> bool:
        """Return whether the header block here introduces marked lines, after which the sender continues."""
        rest = dropwhile(lambda line: not (line.depth or line_kinds.is_blank(line)), self._coming())
        said = (line for line in rest if not line_kinds.is_blank(line))
        first = next((line for line in said if line.depth or not quoting.is_attribution(line.text)), None)
        return first is not None and first.depth > 0

    def _segment(self, line: Line) -> TextSegment:
        if line_kinds.is_rule(line):
            return self._made(Kind.RULE, line, (), len(self._taken(line_kinds.is_rule)))
        following = self._lines.peek(1)
        if line_kinds.is_encoded(line, following):
            return self._folding(self._taken(line_kinds.is_encoded_still), Role.FILE)
        words = armour.begins(line.text)
        words = words if words and self._is_armour() else ""
        ahead = self._ahead()
        inside = following is not None and armour.is_inside(following.text)
        if words or (inside and armour.is_base64(row.text for row in ahead)):
            return self._armour(line, words)
        if quoting.is_mail_header([line.raw for line in ahead]):
            return self._folding(self._taken(lambda line: not line_kinds.is_blank(line)), Role.HEADER)
        if listings.is_diff(ahead):
            return self._as_it_stands(self._taken(self._is_diff_still))
        if following is not None and line_kinds.is_figure(line, following):
            return self._figure(self._taken(line_kinds.is_drawn))
        if listings.is_code(ahead):
            return self._as_it_stands(self._taken(lambda line: not line_kinds.is_blank(line)))
        signed = line_kinds.is_signed(ahead, *map(self._lines.peek, (len(ahead), len(ahead) + 1)))
        match = None if signed else line_kinds.item(line)
        taken, text = self._paragraph(line, wrapping.of(ahead, self._flowed), is_item=match is not None)
        if match is None:
            return self._made(Kind.PARAGRAPH, line, linked_source(text, self._shorten), len(taken), text)
        marker = match.group(2) or "•"
        indent = min((len(match.group()) - len(match.group().lstrip())) // INDENT, 3)
        body = text[len(match.group().strip()) :].lstrip()
        return self._made(
            Kind.ITEM, line, linked_source(body, self._shorten), len(taken), marker=marker, indent=indent
        )

    def _is_armour(self) -> bool:
        """Return whether the lines after the next one can be inside armour."""
        ahead = (self._lines.peek(index) for index in range(1, ARMOUR_LOOK))
        return all(
            armour.is_inside(line.text) or armour.ends(line.text) for line in ahead if line is not None
        )

    def _folding(self, taken: list[Line], role: Role, label: str = "") -> TextSegment:
        """Return a segment of lines that nobody reads; in a quotation they are quoted like the rest."""
        runs = [Run("\n".join(line.raw for line in taken))]
        made = self._made(Kind.PREFORMATTED, taken[0], runs, len(taken))
        return replace(made, role=role, label=label) if made.role in (Role.BODY, Role.SIGNATURE) else made

    def _armour(self, line: Line, words: str) -> TextSegment:
        """Take armour from its BEGIN to its END line; for ciphertext return a note with its part."""
        ended = False

        def belongs(line: Line) -> bool:
            nonlocal ended
            if ended or not (armour.is_inside(line.text) or armour.ends(line.text)):
                return False
            ended = armour.ends(line.text)
            return True

        encrypted = self._shorten and self._encrypted and armour.is_encrypted(words)
        taken = self._taken(belongs, ARMOUR_LIMIT if encrypted else LINES_LIMIT)
        if self._mode is Mode.SIGNATURE:
            self._mode = Mode.BODY
        if not encrypted:
            return self._folding(taken, Role.FILE, armour.label(words))
        made = self._made(Kind.NOTE, line, [Run(self._encrypted)], len(taken))
        return replace(made, block=replace(made.block, target=self._section))

    def _figure(self, taken: list[Line]) -> TextSegment:
        text = frames.opened(taken)
        if not text:
            return self._as_it_stands(taken)
        return self._made(Kind.PARAGRAPH, taken[0], linked_source(text, self._shorten), len(taken), text)

    def _as_it_stands(self, taken: list[Line]) -> TextSegment:
        text = "\n".join(line.raw.expandtabs(8).rstrip() for line in taken)
        return self._made(Kind.PREFORMATTED, taken[0], linked(text, False), len(taken))

    def _taken(self, belongs: Callable[[Line], bool], limit: int = LINES_LIMIT) -> list[Line]:
        """Take the lines of one depth for which `belongs` is true, up to the size of a block."""
        most = BLOCK_LIMIT if limit == LINES_LIMIT else limit * BLOCK_LIMIT
        taken: list[Line] = []
        size = 0
        line = self._lines.peek()
        while line is not None and len(taken) < limit and size < most:
            if taken and (line.depth != taken[0].depth or line.long or not belongs(line)):
                break
            taken.append(line)
            size += len(line.text) + 1
            self._lines.take()
            line = self._lines.peek()
        return taken

    def _is_diff_still(self, line: Line) -> bool:
        """Return whether a line belongs to the diff above it; an empty one does if the diff continues after it."""
        if not line_kinds.is_blank(line):
            return listings.is_diff_line(line)
        following = self._lines.peek(1)
        return following is not None and (listings.is_change(following) or listings.is_context(following))

    def _paragraph(self, first: Line, wrapped: Wrapping, is_item: bool) -> tuple[list[Line], str]:
        """Take the lines of a paragraph; return them, and the text with wrapped lines joined."""
        last = first
        parts = [first.text]

        def belongs(line: Line) -> bool:
            nonlocal last
            written = "".join(parts[-_WRITTEN_LINES:])
            between = "" if last.flows else wrapped.between(last, line, written, is_item)
            if self._begins(line, last, written, between, wrapped, is_item):
                return False
            parts.extend((between, line.text))
            last = line
            return True

        taken = self._taken(belongs)
        return taken, glyphs.collapse_lines("".join(parts))

    def _begins(
        self, line: Line, before: Line, written: str, between: str, wrapped: Wrapping, is_item: bool
    ) -> bool:
        """Return whether a new block begins at `line`."""
        if line_kinds.is_blank(line) or line_kinds.is_delimiter(line) or armour.begins(line.text):
            return True
        if not between:
            return False
        if line_kinds.is_rule(line):
            return True
        full = wrapped.full(before, line)
        match = line_kinds.item(line)
        if match is not None and not (full and self._is_inside(line, match, written, is_item)):
            return True
        if is_item:
            return between == "\n" and not full and line.raw[:1] not in (" ", "\t")
        if self._original_begins(line) or (self._reply and quoting.introduces_all(written)):
            return True
        below = self._lines.peek(1)
        return below is not None and (line_kinds.is_figure(line, below) or line_kinds.is_encoded(line, below))

    def _is_inside(self, line: Line, match: re.Match[str], written: str, is_item: bool) -> bool:
        """Return whether the number or dash that begins a line of a full paragraph is part of a sentence."""
        dash, number = match.groups()
        if number:
            return not line_kinds.is_next(number, written)
        if is_item or not wrapping.is_parenthesis(line.raw, written):
            return False
        rest = takewhile(lambda one: not line_kinds.is_blank(one), self._coming(1))
        return not any(other and other.group(1) == dash for other in map(line_kinds.item, rest))

    def _coming(self, first: int = 0) -> Iterator[Line]:
        """Return the lines that come next, as far as they are looked at, to the start of a long one at most."""
        return filter(None, map(self._lines.peek, range(first, wrapping.WIDTH_LINES)))

    def _ahead(self) -> list[Line]:
        """Return the first lines of the paragraph here."""
        ahead: list[Line] = []
        for line in self._coming():
            if line.long or line_kinds.is_blank(line):
                break
            if ahead and (line.depth != ahead[0].depth or self._stands_alone(ahead[-1], line)):
                break
            ahead.append(line)
        return ahead

    def _stands_alone(self, before: Line, line: Line) -> bool:
        """Return whether a line cannot continue the one before it, however that was wrapped."""
        if line_kinds.is_delimiter(line) or line_kinds.is_rule(line):
            return True
        return line_kinds.item(line) is not None and not wrapping.may_be_full(before, line)

    def _long(self) -> Iterator[TextSegment]:
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
            state = ReaderState(False, self._mode, 0 if at_start else middle, gathered[0].state, self._signed)
            at = Position(self._section, gathered[0].at, state.encode())
            runs = tuple(linked(text, self._shorten))
            block = Block(Kind.PARAGRAPH, runs, at, quote=self._quote(depth))
            yield TextSegment(block, self._role(depth), max(len(text) // 72, 1))

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
    ) -> TextSegment:
        state = ReaderState(False, self._mode, 0, line.state, line.signed, line.below)
        at = Position(self._section, line.at, state.encode())
        role = self._role(line.depth)
        if role is Role.BODY and text:
            role = _role_of(text)
        block = Block(kind, tuple(runs), at, quote=self._quote(line.depth), marker=marker, indent=indent)
        return TextSegment(block, role, count)


def _role_of(text: str) -> Role:
    if quoting.is_attribution(text) or quoting.announces(text):
        return Role.ATTRIBUTION
    return Role.LEGAL if quoting.is_legal(text) else Role.BODY
