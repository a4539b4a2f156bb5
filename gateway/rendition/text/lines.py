"""Lines of a text part: depth of quotation, and flowing (format=flowed).

Nothing here may fetch more than is examined. A Line begins with a piece of the body, where reading can start; a line
too long for one piece is `long` and is read piece by piece. RFC 3676 (§4.1 flowed, §4.2 fixed, §4.4 space-stuffing,
§4.5 quoting, §4.3 signature).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Final, Protocol

from gateway.rendition import glyphs
from gateway.rendition.text import armour, quoting


class Piece(Protocol):
    """A line with its end, or part of a long one, and its position in the encoded body."""

    @property
    def text(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def state(self) -> str: ...


@dataclass(frozen=True, slots=True)
class StringPiece:
    """A piece of a text in memory."""

    text: str
    at: int = 0
    state: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end. `raw` has its white space, `text` is collapsed; `flows`: the next line belongs to it;
    `signed`: it is in text that is signed in the clear; `below`: it counts as quoted since the line above is."""

    at: int
    state: str
    depth: int
    raw: str
    text: str
    flows: bool = False
    long: bool = False
    signed: bool = False
    below: bool = False


#: Quote marks; a bar is one unless another follows later in the line, as in a table.
_MARKS: Final = re.compile(r"(?: ?(?:>|\|(?=[ >]|\Z)))+ ?(?!.*\|)|(?: ?>)+ ?")
#: QUIRK: writers of mboxrd files put one more mark before From, however many there are; some mails were stored twice.
_STUFFED: Final = re.compile(">+From ")
#: QUIRK: SuperCite quotes with the author's initials or name; such marks are not prompts. Some use a bracket or colon.
_OWN_MARK: Final = re.compile(
    r"( {0,8}(?:(?!SQL|PS|CMD)[A-Z]{2,4}|[ABD-RT-Z]|(?!Router|Switch)[A-Z][a-z]{2,11}|[A-Z][a-z]{1,3}[A-Z]"
    r"|(?!ftp|[gpi]?db|irb|lua|pre|div|br|em|d[dt]|t[dhr]|[dou]l|li|h\d)[a-z]{2,3})>| {2,8}[Sa-z+]>|--\]|[):]"
    r"| {2,4}\|(?!.*\|)| {2,8}>{1,2})(?:(?<=--\])|(?= |\r?\n?\Z))"
)
#: The same initials within this many following lines show that they are a mark.
_MARK_AHEAD: Final = 6
_INITIALS: Final = re.compile(r" {2,8}[\w+]|\w{2,}>|--\]")
#: A single line is marked if it is indented, as by SuperCite, or if a sentence follows the initials.
_LONE_MARK: Final = re.compile(
    r" {2,8}(?:\w{1,12}|\+)> [\"'(.]{0,3}[^\W\d_]+[ ,.'’]|[A-Z]{2,4}> (?:\S{1,40} ){2,}.*[a-z]"
)
#: How SuperCite introduces them: >>>>> "AB" == Anna Bell <ab@example.org> writes:
_INTRODUCED: Final = re.compile(r'>{5,6} ?(?:On [^"]{6,40}, )?"\w{1,20}" == ')
#: Signs that newsletters put before a link or a heading: the next line has no mark.
_POINTING: Final = re.compile(r" {0,3}>{2,}[ ]+[^\s>]")
#: Arrows that point at the text from both sides.
_ARROWS: Final = re.compile(r"[> ]*>{2}[^<>]+<{2}[< ]*(?:\r?\n)?\Z")
#: SMTP dialogues and Python sessions, whose prompts look like quote marks.
_PROMPT: Final = re.compile(
    r"((?: ?>)*? ?)(>>> ?(?:(?:HELO|EHLO|LHLO|MAIL|RCPT|DATA|BDAT|RSET|QUIT|AUTH|STARTTLS|VRFY|EXPN|NOOP|ETRN)\b"
    r"|(?:import|from|def|class|for|print)\b.*[\w)\]:]\Z|[\w.]+ ?(?:=[^=]|\()|\.\Z).*)"
)
#: QUIRK: Outlook writes a picture's Content-ID into the text where the picture was.
_CID: Final = re.compile(r"\[cid:[^\]\s]{1,200}\]")
#: QUIRK: Outlook writes a link's target after its text, even if they are the same.
_TWICE: Final = re.compile(
    r"(?<![^\s<(\[\"'])(?:https?://)?([^\s<>]{3,300})<((?:mailto:|https?://)\1/?)>", re.IGNORECASE
)
#: QUIRK: mailed feeds keep HTML's character references; between blanks or quotation marks the text is about them.
_REFERENCE: Final = re.compile(
    r"(?<=[\w.,;!?…])&#[1-9]\d{2,5};|&#[1-9]\d{2,5};(?=\w)"
    r"|&(?:[A-Za-z](?:acute|grave|circ|uml|tilde|ring|cedil|slash)|szlig|[Aa][Ee]lig);"
)
_MANY_BLANK: Final = re.compile(r"\n(?:[ \t\r]*\n){2,}")
#: QUIRK: sendmail cuts longer lines after so many octets, with an exclamation mark, and begins the rest with a blank.
_CUT: Final = range(989, 994)
#: Characters of a line that ends in a soft line break, which has 76 at most (RFC 2045 §6.7), and lines near it.
_SOFT: Final = range(60, 77)
_NEAR: Final = 8
DELIMITER: Final = "-- "
#: The most characters of a line left over from the quoted one above it; and the length that this one must exceed
#: together with it, less in deeper quotations: hardly anybody answers in the middle of those.
LEFT_OVER: Final = 30
_NUMBER: Final = re.compile(r"[$€£(]?\d[\d.,:/-]*[%)]?[.,;:]?")
#: Stands for the line above the first one that is read, which may be any.
_UNKNOWN: Final = "?"
_SENTENCE_ENDS: Final = (".", "!", "?", ":", ";", "…")
#: Where Outlook's header breaks off, before a name.
_BEHALF: Final = (" Of", " of")
QUOTED_LINE: Final = 71
DEEPER_LINE: Final = 60
#: Characters of a line to which patterns are applied; longer lines are prose.
LOOK: Final = 400


def _depth_of(text: str) -> tuple[int, str]:
    """Return the depth of quotation of a line, and the line without the marks."""
    if not text or text[0] not in " >|":
        return 0, text
    if _ARROWS.match(text[:LOOK]):
        return 0, text
    said = _PROMPT.match(text[:LOOK]) if ">>>" in text[:LOOK] else None
    if said is not None:
        return said.group(1).count(">"), text[said.start(2) :]
    match = _MARKS.match(text[:LOOK])
    if match is None:
        return 0, text
    marks = match.group()
    return marks.count(">") + marks.count("|"), text[match.end() :]


def is_cut(line: str) -> bool:
    """Return whether sendmail has cut a line, which is without its end: octets beyond ASCII were mostly one each."""
    return line.endswith("!") and (len(line) in _CUT or len(line.encode("utf-8", "replace")) in _CUT)


def _is_soft(line: str) -> bool:
    return line.endswith("=") and " " in line[:-2] and len(line) in _SOFT


def _put_right(text: str) -> str:
    """Return a line without what programs leave behind in it."""
    if "&" in text:
        text = _REFERENCE.sub(_referred, text)
    if "[cid:" in text:
        text = _CID.sub("", text)
    if "<mailto:" in text or "<http" in text:
        text = _TWICE.sub(_once, text)
    return text


def _referred(match: re.Match[str]) -> str:
    return glyphs.visible(unescape(match.group())).replace("\n", " ")


def _once(match: re.Match[str]) -> str:
    return match[1] if match[2][:7].lower() == "mailto:" else match[2]


def _flowed_depth(text: str) -> tuple[int, str]:
    """Return the depth of a flowed line and the line without marks and stuffing (RFC 3676 §4.4, §4.5)."""
    rest = text.lstrip(">")
    depth = len(text) - len(rest)
    if depth == 0:
        depth, marked = _depth_of(
            text
        )  # QUIRK: Apple Mail and others write "> > " in flowed text, Mozilla " > "
        if depth and (text.startswith(" > ") or not text.startswith(" ")):
            return depth, marked
        return 0, rest[1:] if rest.startswith(" ") else rest
    further, marked = _depth_of(rest) if rest.startswith(" >") else (0, rest)
    if further:
        return depth + further, marked
    return depth, rest[1:] if rest.startswith(" ") else rest


class Lines:
    """The pieces of a body as lines, with look-ahead."""

    def __init__(
        self,
        pieces: Iterable[Piece],
        flowed: bool = False,
        delsp: bool = False,
        signed: bool = False,
        below: bool = False,
    ) -> None:
        self._source: Iterator[Piece] = iter(pieces)
        self._pieces: deque[Piece] = deque()
        self._lines: deque[Line] = deque()
        self._flowed, self._delsp = flowed, delsp
        self._signed = signed
        #: The depth of the last line, and how it was written: nothing else here looks back.
        self._last = int(below), "" if below else _UNKNOWN

    def piece(self, index: int) -> Piece | None:
        """Return the piece `index` pieces after the lines already read, pulling as far as needed."""
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
        """Return the line `index` lines ahead, None after the end or after the start of a long line."""
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
        """Go to the next line. A long line's pieces remain: take them with `piece` and `drop_pieces`."""
        self._lines.popleft()

    def _line(self, piece: Piece) -> Line:
        ended = piece.text.endswith("\n")
        text = glyphs.visible(piece.text).rstrip("\r\n")
        below = False
        if _STUFFED.match(text):
            text, below = text[self._stuffing(text) :], self._last[0] > 0
        delimiter = text
        if self._flowed:
            depth, text = _flowed_depth(text)
            flows = ended and text.endswith(" ") and text != DELIMITER
            delimiter = text
            if flows and self._delsp:
                text = text[:-1]
        else:
            depth, text, flows, delimiter, below = self._marked(piece, text, below)
        self._last = depth, piece.text.rstrip()
        if armour.begins_signed(text):
            self._signed = True
        elif self._signed:
            self._signed = not armour.begins(text)
            text, delimiter = armour.without_dash(text), armour.without_dash(delimiter)
        text = _put_right(text)
        long = not ended and self.piece(1) is not None
        shown = glyphs.collapse(text) if flows else glyphs.collapse(text).rstrip()
        raw = DELIMITER if delimiter in (DELIMITER, "--") else text
        return Line(piece.at, piece.state, depth, raw, shown.lstrip(" "), flows, long, self._signed, below)

    def _marked(self, piece: Piece, text: str, below: bool) -> tuple[int, str, bool, str, bool]:
        """Return the depth of quotation of a line that does not flow, and what else depends on its marks."""
        if _INTRODUCED.match(text):
            text = text.lstrip("> ")
        below = below or (bool(self._last[0]) and _POINTING.match(text) is not None)
        depth, text = (0, text) if self._is_pointing(text) else _depth_of(text)
        flows, delimiter = False, text
        if text[:1] == "#" and text[1:2] in ("", " ") and self._goes_on_with("#"):
            further, text = _depth_of(text[1:].lstrip(" "))
            depth, below = 1 + further, True
        elif depth == 1 and "|" in piece.text[:2] and not self._is_marked_below():
            below = self._goes_on_with("|") or self._last == (0, "")
            depth, text = (depth, text) if below else (0, glyphs.visible(piece.text).rstrip("\r\n"))
        if depth > 1 and text.startswith("From ") and self._is_stuffed_inside(depth):
            depth -= 1
        if text.endswith("!") and is_cut(piece.text.rstrip("\r\n")) and self._begins_below(" "):
            flows, text = True, text[:-1] + " " * self._begins_below("  ")
        if text.endswith("=") and self._is_soft_break(piece.text.rstrip("\r\n")):
            flows, text = True, text[:-1]
        if depth == 0 and self._last[0] and self._is_left_over(text):
            depth, flows, text = self._last[0], True, text.rstrip() + " "
        mark = _OWN_MARK.match(text) if depth == 0 else None
        if mark and (_LONE_MARK.match(text[:LOOK]) or self._is_marked_so(mark[1])):
            depth, text = _depth_of(text[mark.end() :].lstrip(" "))
            depth += max(1, mark[1].count(">"))
        return depth, text, flows, delimiter, below

    def _is_soft_break(self, line: str) -> bool:
        """Return whether the sign at the end of a line is a soft line break of quoted-printable (RFC 2045 §6.7).

        QUIRK: some programs encode a text and do not label it so. One such line may be code; of several, none is.
        """
        below = [piece.text.rstrip("\r\n") for index in range(1, _NEAR) if (piece := self.piece(index))]
        return bool(below and below[0]) and _is_soft(line) and any(map(_is_soft, (self._last[1], *below)))

    def _begins_below(self, beginning: str) -> bool:
        following = self.piece(1)
        return following is not None and following.text.startswith(beginning)

    def _goes_on_with(self, mark: str) -> bool:
        """Return whether the line above is quoted by a mark, or introduces a quotation."""
        depth, above = self._last
        return above.lstrip(" ")[:1] in (mark, "") if depth else quoting.is_attribution(above)

    def _is_marked_below(self) -> bool:
        following = self.piece(1)
        return following is not None and _depth_of(following.text.rstrip("\r\n"))[0] > 0

    def _is_marked_so(self, mark: str) -> bool:
        """Return whether the line above or below, or one close below, begins with the same personal mark."""
        ahead = _MARK_AHEAD if _INITIALS.match(mark) else 1
        pieces = [self.piece(index) for index in range(1, ahead + 1)]
        beside = (self._last[1], *(piece.text for piece in pieces if piece is not None))
        found = [match[1] for match in map(_OWN_MARK.match, beside) if match is not None]
        return mark in found or (mark[:1] == " " and any(other[-1:] == mark[-1:] == ">" for other in found))

    def _is_pointing(self, text: str) -> bool:
        """Return whether the marks of a line are arrows: no other line has them, and text comes close below."""
        if self._last[0] or not _POINTING.match(text) or _PROMPT.match(text[:LOOK]):
            return False
        following = self.piece(1)
        below = following.text.strip() if following is not None else ""
        return (
            below != "" and below[0] != ">" and (not below[0].islower() or below.startswith(("http", "www.")))
        )

    def _is_left_over(self, text: str) -> bool:
        """Return whether a line is what did not fit on the quoted line above it, wrapped without its mark."""
        depth, above = self._last
        if len(text) > LEFT_OVER or above.endswith(_SENTENCE_ENDS):
            return False
        if not (text[:1].islower() or self._is_name(text) or _NUMBER.fullmatch(text)):
            return False
        if len(above) + 1 + len(text.split()[0]) <= (QUOTED_LINE if depth == 1 else DEEPER_LINE):
            return False
        following = self.piece(1)
        return following is not None and _depth_of(following.text.rstrip("\r\n"))[0] == depth

    def _is_name(self, text: str) -> bool:
        """Return whether a line is a word with a capital that hardly anybody answers with."""
        if " " in text or not text[:1].isupper():
            return False
        return not text.endswith(_SENTENCE_ENDS) or self._last[1].endswith(_BEHALF)

    def _is_stuffed_inside(self, depth: int) -> bool:
        """Return whether one mark of a quoted "> >From" comes from an mbox file: a line beside it has one less."""
        following = self.piece(1)
        beside = self._last[0], _depth_of(following.text.rstrip("\r\n"))[0] if following is not None else 0
        return depth - 1 in beside and depth not in beside

    def _stuffing(self, text: str) -> int:
        """Return how many marks of ">From" come from mbox files, not from a quotation like that of the next line."""
        following = self.piece(1)
        depth = len(text) - len(text.lstrip(">"))
        if following is None or following.text.isspace():
            return depth if not self._last[0] and self._is_unquoted_below() else 1
        quoted, _text = _depth_of(following.text.rstrip("\r\n"))
        return int(quoted < depth) if quoted else depth

    def _is_unquoted_below(self) -> bool:
        """Return whether the text continues without marks after this line and a blank one or two."""
        ahead = (self.piece(index) for index in (2, 3))
        text = next((piece.text for piece in ahead if piece is not None and not piece.text.isspace()), "")
        return text != "" and not _depth_of(text.rstrip("\r\n"))[0]


def pieces_of(text: str, size: int = 1000) -> Iterator[StringPiece]:
    """Split a text in memory into pieces of one line or at most `size` characters; many blank lines become one."""
    text = _MANY_BLANK.sub("\n\n", text)
    start = 0
    while start < len(text):
        end = text.find("\n", start, start + size)
        end = end + 1 if end >= 0 else min(start + size, len(text))
        yield StringPiece(text[start:end], start)
        start = end
