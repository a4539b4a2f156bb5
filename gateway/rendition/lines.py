"""Lines of a text part: depth of quotation, flowing (format=flowed), and what kind of line it is.

Nothing here may fetch more than is looked at. A Line begins at a piece of the body, which is a place where reading
can start; a line too long for one piece is `long` and is read piece by piece. RFC 3676 (§4.1 flowed, §4.2 fixed,
§4.4 space-stuffing, §4.5 quoting, §4.3 signature).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.rendition import glyphs


class Piece(Protocol):
    """A line with its end, or part of a long one, and where in the encoded body it begins."""

    @property
    def text(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def state(self) -> str: ...


@dataclass(frozen=True, slots=True)
class StringPiece:
    """A piece of a text that is in memory."""

    text: str
    at: int = 0
    state: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end. `raw` keeps its blanks, `text` is collapsed; `flows`: the next one belongs to it."""

    at: int
    state: str
    depth: int
    raw: str
    text: str
    flows: bool = False
    long: bool = False


_MARKS: Final = re.compile(r"(?: ?>)+ ?|(?:\| )+(?!.*\|)")
_RULE: Final = re.compile(r"\s*([-=_*~#+.·—–─━═•/\\^@%&:;])(?:\s?\1){4,}\s*\Z")
_ITEM: Final = re.compile(
    r"\s*(?:([-*•·‣◦▪–—])|(\d{1,3}[.)]|\(\d{1,3}\)|[a-zA-Z]\)))\s+(?=\S)",
)
#: Columns: three or more blanks (or a tab) between words, or drawn frames.
_COLUMNS: Final = re.compile(
    r"\S(?: {3,}|[ ]*\t[ \t]*)\S|^\s*[|│].*[|│]\s*$|^\s*\+[-=+]{3,}|[─│┌┐└┘├┤┬┴┼║═]{2}"
    r"|^\s*[-=]{2,}(?:\s+[-=]{2,})+\s*$"
)
_NOT_DRAWN: Final = re.compile(r"[^\W_]|\s")
#: A line that fewer marks make is too little to be a drawing.
_DRAWN_LEAST: Final = 4
_UU_BEGIN: Final = re.compile(r"begin [0-7]{3,4} \S")
_UU_LINE: Final = re.compile(r"[!-M][ -`]{4,60}\Z")
#: A full line of uuencoding: 45 octets.
_UU_FULL: Final = re.compile(r"M[ -`]{56,60}\Z")
_CODE: Final = re.compile(r"^(?: {2,}|\t).*[;{}\\]\s*$|^\s*[{}]+\s*;?\s*$")
_MANY_BLANK: Final = re.compile(r"\n(?:[ \t\r]*\n){2,}")
DELIMITER: Final = "-- "
#: Characters of a line at which patterns are tried; longer lines are prose.
_LOOK: Final = 400


def _depth_of(text: str) -> tuple[int, str]:
    """Return how often a line is quoted, and the line without the marks."""
    if not text or text[0] not in " >|" or text.startswith(">From "):  # QUIRK: mbox writers put > before From
        return 0, text[1:] if text.startswith(">From ") else text
    match = _MARKS.match(text[:_LOOK])
    if match is None:
        return 0, text
    marks = match.group()
    return marks.count(">") + marks.count("|"), text[match.end() :]


def _flowed_depth(text: str) -> tuple[int, str]:
    """Return the depth of a flowed line and the line without marks and stuffing (RFC 3676 §4.4, §4.5)."""
    rest = text.lstrip(">")
    depth = len(text) - len(rest)
    if depth == 0:
        depth, marked = _depth_of(text)  # QUIRK: Apple Mail and others write "> > " in flowed text
        if depth and not text.startswith(" "):
            return depth, marked
        return 0, rest[1:] if rest.startswith(" ") else rest
    further, marked = _depth_of(rest) if rest.startswith(" >") else (0, rest)
    if further:
        return depth + further, marked
    return depth, rest[1:] if rest.startswith(" ") else rest


class Lines:
    """A look-ahead over the pieces of a body, as lines."""

    def __init__(
        self, pieces: Iterable[Piece], flowed: bool = False, delsp: bool = False, middle: int = 0
    ) -> None:
        self._source: Iterator[Piece] = iter(pieces)
        self._pieces: deque[Piece] = deque()
        self._lines: deque[Line] = deque()
        self._flowed, self._delsp = flowed, delsp
        self.middle = middle

    def piece(self, index: int) -> Piece | None:
        """Return the piece `index` pieces ahead of the lines looked at, pulling as far as needed."""
        while len(self._pieces) <= index:
            piece = next(self._source, None)
            if piece is None:
                return None
            self._pieces.append(piece)
        return self._pieces[index]

    def drop_pieces(self, number: int) -> None:
        """Forget the next pieces; only inside a long line."""
        for _ in range(number):
            self._pieces.popleft()

    def peek(self, index: int = 0) -> Line | None:
        """Return the line `index` lines ahead, or None behind the end or behind the start of a long line."""
        while len(self._lines) <= index:
            if self._lines and self._lines[-1].long:
                return None
            piece = self.piece(0)
            if piece is None:
                return None
            line = self._line(piece)
            self._lines.append(line)
            if not line.long:
                self._pieces.popleft()
        return self._lines[index]

    def take(self) -> None:
        """Go on to the next line. A long line's pieces stay: take them by `piece` and `drop_pieces`."""
        self._lines.popleft()

    def _line(self, piece: Piece) -> Line:
        ended = piece.text.endswith("\n")
        text = glyphs.visible(piece.text).rstrip("\r\n")
        delimiter = text
        if self._flowed:
            depth, text = _flowed_depth(text)
            flows = ended and text.endswith(" ") and text != DELIMITER
            delimiter = text
            if flows and self._delsp:
                text = text[:-1]
        else:
            depth, text = _depth_of(text)
            flows, delimiter = False, text
        long = not ended and self.piece(1) is not None
        shown = glyphs.collapse(text) if flows else glyphs.collapse(text).rstrip()
        raw = DELIMITER if delimiter in (DELIMITER, "--") else text
        return Line(piece.at, piece.state, depth, raw, shown.lstrip(" "), flows, long)


def is_blank(line: Line) -> bool:
    return not line.long and not line.text.strip(glyphs.EDGES)


def is_delimiter(line: Line) -> bool:
    """Say whether a signature begins behind this line."""
    return line.raw == DELIMITER


def is_rule(line: Line) -> bool:
    return rule_like(line.raw)


def rule_like(text: str) -> bool:
    """Say whether a text is nothing but a drawn line."""
    return len(text) < _LOOK and _RULE.match(text) is not None


def item(line: Line) -> re.Match[str] | None:
    """Match the bullet (group 1) or number (group 2) that a line begins with."""
    return _ITEM.match(line.raw[:_LOOK])


def is_drawn(line: Line) -> bool:
    """Say whether a line is columnar, or has more marks than letters, as those of a drawing."""
    if is_columnar(line):
        return True
    if line.flows or line.long or len(line.raw) > _LOOK:
        return False
    marks = len(_NOT_DRAWN.sub("", line.raw))
    return marks >= _DRAWN_LEAST and 3 * marks > 2 * len("".join(line.raw.split()))


def is_indented_code(line: Line, following: Line) -> bool:
    """Say whether a line of program text begins here, by its end and by how the next one is indented."""
    if line.flows or line.long or following.long or item(following) is not None:
        return False
    deeper = _indent(following) >= _indent(line) + 2
    return deeper and len(line.raw) <= _LOOK and _OPENS.search(line.raw.rstrip()) is not None


_OPENS: Final = re.compile(
    r"[\[({\\,;=]$|^\s*(?:def|class|if|elif|else|for|while|with|try|except|switch|function|sub)\b.*:$"
)


def _indent(line: Line) -> int:
    expanded = line.raw.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())


def is_encoded(line: Line, following: Line | None) -> bool:
    """Say whether a uuencoded file begins here, or goes on."""
    if _UU_FULL.match(line.raw):
        return True
    return following is not None and _UU_BEGIN.match(line.raw) is not None and _is_uu(following)


def _is_uu(line: Line) -> bool:
    return _UU_LINE.match(line.raw) is not None and not line.flows


def is_encoded_still(line: Line) -> bool:
    """Say whether a line behind others of a uuencoded file belongs to it."""
    return _is_uu(line) or line.raw.strip() in ("", "`", "end") or _UU_BEGIN.match(line.raw) is not None


def is_columnar(line: Line) -> bool:
    """Say whether the blanks of a line seem to count: columns, drawn frames, code."""
    if line.flows or line.long or len(line.raw) > _LOOK:
        return False
    return _COLUMNS.search(line.raw.rstrip()) is not None or _CODE.search(line.raw) is not None


def pieces_of(text: str, size: int = 1000) -> Iterator[StringPiece]:
    """Cut a text in memory into pieces, each a line or at most `size` characters of one; many blank lines are one."""
    text = _MANY_BLANK.sub("\n\n", text)
    start = 0
    while start < len(text):
        end = text.find("\n", start, start + size)
        end = end + 1 if end >= 0 else min(start + size, len(text))
        yield StringPiece(text[start:end], start)
        start = end
