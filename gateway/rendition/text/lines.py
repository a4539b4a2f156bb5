"""Lines of a text part: depth of quotation, flowing (format=flowed), and kind of line.

Nothing here may fetch more than is examined. A Line begins with a piece of the body, at which reading can start; a
line too long for one piece is `long` and is read piece by piece. RFC 3676 (§4.1 flowed, §4.2 fixed,
§4.4 space-stuffing, §4.5 quoting, §4.3 signature).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Final, Protocol

from gateway.rendition import glyphs
from gateway.rendition.text import armour


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
    `signed`: it is in text that is signed in the clear; `below`: it is taken for quoted since the line above is."""

    at: int
    state: str
    depth: int
    raw: str
    text: str
    flows: bool = False
    long: bool = False
    signed: bool = False
    below: bool = False


#: Quote marks; a bar is one unless another follows later, as in a table.
_MARKS: Final = re.compile(r"(?: ?(?:>|\|(?=[ >]|\Z)))+ ?(?!.*\|)|(?: ?>)+ ?")
#: QUIRK: writers of mboxrd files put one more mark before From, however many there are; some mails were stored twice.
_STUFFED: Final = re.compile(">+From ")
#: QUIRK: SuperCite quotes with the initials or name of the author; these are no prompts. Some use a bracket or colon.
_OWN_MARK: Final = re.compile(
    r"( {0,8}(?:(?!SQL|PS|CMD)[A-Z]{2,4}|[ABD-RT-Z]|(?!Router|Switch)[A-Z][a-z]{2,11}|[A-Z][a-z]{1,3}[A-Z]"
    r"|(?!ftp|[gpi]?db|irb|lua|pre|div|br|em|d[dt]|t[dhr]|[dou]l|li|h\d)[a-z]{2,3})>| {2,8}[Sa-z+]>|--\]|[):]"
    r"| {2,4}\|(?!.*\|)| {2,8}>{1,2})(?:(?<=--\])|(?= |\r?\n?\Z))"
)
#: So many lines ahead the same initials show that they are a mark.
_MARK_AHEAD: Final = 6
_INITIALS: Final = re.compile(r" {2,8}[\w+]|\w{2,}>|--\]")
#: A line alone is marked if it is indented, as SuperCite does, or if a sentence follows the initials.
_LONE_MARK: Final = re.compile(
    r" {2,8}(?:\w{1,12}|\+)> [\"'(.]{0,3}[^\W\d_]+[ ,.'’]|[A-Z]{2,4}> (?:\S{1,40} ){2,}.*[a-z]"
)
#: It introduces them so: >>>>> "AB" == Anna Bell <ab@example.org> writes:
_INTRODUCED: Final = re.compile(r'>{5,6} ?(?:On [^"]{6,40}, )?"\w{1,20}" == ')
#: Signs of newsletters before a link or a heading: the next line is not marked.
_POINTING: Final = re.compile(r" {0,3}>{2,}[ ]+[^\s>]")
#: What points at the text from both sides.
_ARROWS: Final = re.compile(r"[> ]*>{2}[^<>]+<{2}[< ]*(?:\r?\n)?\Z")
#: SMTP dialogues and Python sessions, with a prompt that looks like quotation.
_PROMPT: Final = re.compile(
    r"((?: ?>)*? ?)(>>> ?(?:(?:HELO|EHLO|LHLO|MAIL|RCPT|DATA|BDAT|RSET|QUIT|AUTH|STARTTLS|VRFY|EXPN|NOOP|ETRN)\b"
    r"|(?:import|from|def|class|for|print)\b.*[\w)\]:]\Z|[\w.]+ ?(?:=[^=]|\()|\.\Z).*)"
)
#: QUIRK: Outlook writes a picture's Content-ID into the text in its place.
_CID: Final = re.compile(r"\[cid:[^\]\s]{1,200}\]")
#: QUIRK: Outlook writes a link's target behind its text, also where that is the same.
_TWICE: Final = re.compile(
    r"(?<![^\s<(\[\"'])(?:https?://)?([^\s<>]{3,300})<((?:mailto:|https?://)\1/?)>", re.IGNORECASE
)
#: QUIRK: feeds that are mailed keep the references of HTML; between blanks or quotation marks they are spoken of.
_REFERENCE: Final = re.compile(
    r"(?<=[\w.,;!?…])&#[1-9]\d{2,5};|&#[1-9]\d{2,5};(?=\w)"
    r"|&(?:[A-Za-z](?:acute|grave|circ|uml|tilde|ring|cedil|slash)|szlig|[Aa][Ee]lig);"
)
_RULE: Final = re.compile(
    r"\s*(?:…\s?){5,}[.…]*\s*\Z|\s*([-=_*~#+.·—–─━═•/\\^@%&:;])(?:\s?\1){4,}\s*\Z|\s*([-*•~=])(?:\s+\2){2,}\s*\Z"
    r"|\s*([-=~*+_.])(?!\3)([-=~*+_.])(?:\3\4){3,}\3?\s*\Z"
)
_ITEM: Final = re.compile(
    r"\s*(?:([-*•·‣◦▪▫–—●○■□◆◇▶►▸➢➤→✓✔✗❑❖⁃∙+]|o(?=\s{2}|\t))|(\d{1,3}[.)]|\(\d{1,3}\)|[a-zA-Z]\)))\s+(?=[^\s!^])",
)
#: A line between signs is a heading or a rule: "* We go on *", "* * *".
_BETWEEN_SIGNS: Final = re.compile(r".*\s[-*•·~=+]\s*\Z|([-*•])\s+\1\s+\1\s", re.DOTALL)
_NAME: Final = re.compile(
    r"\s*[-–—] ([A-ZÀ-ÖØ-ÞА-Я][\w.]{0,15})(?: ['\"“(]?[A-ZÀ-ÖØ-ÞА-Я][\w.]{0,15}['\"”)]?){0,3}\s*\Z"
)
#: What may stand below a name that ends a letter: a rule, a postscript, an aside, an address.
_AFTERWARDS: Final = re.compile(r"[-_=~*#]{2}|\(|P\.?\s?S\b|https?:|www\.")
_ADDRESS: Final = re.compile(r"<?(?:https?://|www\.|\S{1,100}@)\S+")
_NUMBERED: Final = re.compile(r"\(?(\d{1,3}|[a-z])[.)]\s")
#: Columns: three or more spaces (or a tab) between words, or drawn frames.
_COLUMNS: Final = re.compile(
    r"\S(?:(?<![a-z][.?!]) {3,}| {8,}|[ ]*\t[ \t]*)\S|^\s*[|│].*[|│]\s*$|^\s*\+[-=+]{3,}|[─│┌┐└┘├┤┬┴┼║═]{2}"
    r"|^\s*[-=]{2,}(?:\s+[-=]{2,})+\s*$|^\s+\S+(?: {2,}\S+){2,4}$"
)
#: The name of a field: what stands behind it in a column is its value.
_NAMED: Final = re.compile(r"\s*[^\W\d_][^\s:]{0,30}(?: [^\s:]{1,24}){0,3} ?:[ \t]+(?=\S)")
_DRAWN: Final = re.compile(r"[─│┌┐└┘├┤┬┴┼║═]{2}")
_NOT_DRAWN: Final = re.compile(r"[^\W_]|\s")
#: Signs in a line of a drawing at least.
_DRAWN_LEAST: Final = 4
_UU_BEGIN: Final = re.compile(r"begin [0-7]{3,4} \S")
_UU_LINE: Final = re.compile(r"[!-M][ -`]{4,60}\Z")
#: A full line of uuencoding: 45 octets.
_UU_FULL: Final = re.compile(r"M[ -`]{56,60}\Z")
_CODE: Final = re.compile(r"^(?: {2,}|\t).*[;{}\\]\s*$|^\s*[{}]+\s*;?\s*$")
_MANY_BLANK: Final = re.compile(r"\n(?:[ \t\r]*\n){2,}")
DELIMITER: Final = "-- "
#: Characters of a line that is left over from the quoted one above it at most; and which that would exceed with it,
#: less where the quotation is deeper: hardly anybody answers the middle of such.
LEFT_OVER: Final = 30
_SENTENCE_ENDS: Final = (".", "!", "?", ":", ";", "…")
QUOTED_LINE: Final = 71
DEEPER_LINE: Final = 60
#: Characters of a line to which patterns are applied; longer lines are prose.
_LOOK: Final = 400


def _depth_of(text: str) -> tuple[int, str]:
    """Return the depth of quotation of a line, and the line without the marks."""
    if not text or text[0] not in " >|":
        return 0, text
    if _ARROWS.match(text[:_LOOK]):
        return 0, text
    said = _PROMPT.match(text[:_LOOK]) if ">>>" in text[:_LOOK] else None
    if said is not None:
        return said.group(1).count(">"), text[said.start(2) :]
    match = _MARKS.match(text[:_LOOK])
    if match is None:
        return 0, text
    marks = match.group()
    return marks.count(">") + marks.count("|"), text[match.end() :]


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
        self._last = int(below), ""

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
        """Go on to the next line. A long line's pieces remain: take them by `piece` and `drop_pieces`."""
        self._lines.popleft()

    def _line(self, piece: Piece) -> Line:
        ended = piece.text.endswith("\n")
        text = glyphs.visible(piece.text).rstrip("\r\n")
        if _STUFFED.match(text):
            text = text[self._stuffing(text) :]
        delimiter, below = text, False
        if self._flowed:
            depth, text = _flowed_depth(text)
            flows = ended and text.endswith(" ") and text != DELIMITER
            delimiter = text
            if flows and self._delsp:
                text = text[:-1]
        else:
            if _INTRODUCED.match(text):
                text = text.lstrip("> ")
            below = bool(self._last[0]) and _POINTING.match(text) is not None
            depth, text = (0, text) if self._is_pointing(text) else _depth_of(text)
            flows, delimiter = False, text
            if depth > 1 and text.startswith("From ") and self._is_stuffed_inside(depth):
                depth -= 1
            if depth == 0 and self._last[0] and self._is_left_over(text):
                depth, flows, text = self._last[0], True, text.rstrip() + " "
            mark = _OWN_MARK.match(text) if depth == 0 else None
            if mark and (_LONE_MARK.match(text[:_LOOK]) or self._is_marked_so(mark[1])):
                depth, text = _depth_of(text[mark.end() :].lstrip(" "))
                depth += max(1, mark[1].count(">"))
        self._last = depth, piece.text.rstrip()
        if armour.begins_signed(text):
            self._signed = True
        elif self._signed:
            self._signed = not armour.begins(text)
            text, delimiter = armour.without_dash(text), armour.without_dash(delimiter)
        if "&" in text:
            text = _REFERENCE.sub(_referred, text)
        if "[cid:" in text:
            text = _CID.sub("", text)
        if "<mailto:" in text or "<http" in text:
            text = _TWICE.sub(_once, text)
        long = not ended and self.piece(1) is not None
        shown = glyphs.collapse(text) if flows else glyphs.collapse(text).rstrip()
        raw = DELIMITER if delimiter in (DELIMITER, "--") else text
        return Line(piece.at, piece.state, depth, raw, shown.lstrip(" "), flows, long, self._signed, below)

    def _is_marked_so(self, mark: str) -> bool:
        """Return whether the line above or below begins with the same mark of somebody's own, or one close below."""
        ahead = _MARK_AHEAD if _INITIALS.match(mark) else 1
        pieces = [self.piece(index) for index in range(1, ahead + 1)]
        beside = (self._last[1], *(piece.text for piece in pieces if piece is not None))
        found = [match[1] for match in map(_OWN_MARK.match, beside) if match is not None]
        return mark in found or (mark[:1] == " " and any(other[-1:] == mark[-1:] == ">" for other in found))

    def _is_pointing(self, text: str) -> bool:
        """Return whether the marks of a line are arrows: of no other line, and text comes close below."""
        if self._last[0] or not _POINTING.match(text) or _PROMPT.match(text[:_LOOK]):
            return False
        following = self.piece(1)
        below = following.text.strip() if following is not None else ""
        return (
            below != "" and below[0] != ">" and (not below[0].islower() or below.startswith(("http", "www.")))
        )

    def _is_left_over(self, text: str) -> bool:
        """Return whether a line is what did not fit into the quoted one above it, wrapped without its mark."""
        depth, above = self._last
        if not text[:1].islower() or len(text) > LEFT_OVER or above.endswith(_SENTENCE_ENDS):
            return False
        if len(above) + 1 + len(text.split()[0]) <= (QUOTED_LINE if depth == 1 else DEEPER_LINE):
            return False
        following = self.piece(1)
        return following is not None and _depth_of(following.text.rstrip("\r\n"))[0] == depth

    def _is_stuffed_inside(self, depth: int) -> bool:
        """Return whether one mark of a quoted "> >From" is that of an mbox file: a line beside it has one less."""
        following = self.piece(1)
        beside = self._last[0], _depth_of(following.text.rstrip("\r\n"))[0] if following is not None else 0
        return depth - 1 in beside and depth not in beside

    def _stuffing(self, text: str) -> int:
        """Return how many marks of ">From" are those of mbox files, not of a quotation like that of the next line."""
        following = self.piece(1)
        depth = len(text) - len(text.lstrip(">"))
        if following is None or following.text.isspace():
            return 1
        quoted, _text = _depth_of(following.text.rstrip("\r\n"))
        return int(quoted < depth) if quoted else depth


def is_blank(line: Line) -> bool:
    return not line.long and not line.text.strip(glyphs.EDGES)


def is_delimiter(line: Line) -> bool:
    """Return whether a signature begins after this line."""
    return line.raw == DELIMITER


def is_rule(line: Line) -> bool:
    return rule_like(line.raw)


def rule_like(text: str) -> bool:
    """Return whether a text consists of a drawn line."""
    return len(text) < _LOOK and not text[:1].isalnum() and _RULE.match(text) is not None


def item(line: Line) -> re.Match[str] | None:
    """Match the bullet (group 1) or number (group 2) that a line begins with."""
    match = _ITEM.match(line.raw[:_LOOK])
    return None if match and match[1] and _BETWEEN_SIGNS.match(line.raw[:_LOOK].lstrip()) else match


def is_signed(ahead: Sequence[Line], following: Line | None, below: Line | None) -> bool:
    """Return whether a paragraph is a name behind a dash, by which a letter ends, alone or with a mail address below.

    The last item of a list is none: text goes on behind it. `following`, `below`: the two lines after the paragraph.
    """
    name = _NAME.match(ahead[0].raw)
    if name is None or any(other is not None and item(other) is not None for other in (following, below)):
        return False
    if len(ahead) > 1:
        addresses = all(_ADDRESS.fullmatch(line.text) for line in ahead[1:])
        return addresses and any("@" in line.text for line in ahead[1:])
    if below is None or is_blank(below) or below.depth != ahead[0].depth:
        return True
    return _AFTERWARDS.match(below.text) is not None or name[1] in below.text


def is_next(number: str, written: str) -> bool:
    """Return whether an item's number follows the one that the text before it begins with."""
    before = _NUMBERED.match(written)
    if before is None:
        return False
    following = str(int(before[1]) + 1) if before[1].isdigit() else chr(ord(before[1]) + 1)
    return number.strip("().") == following


def is_drawn(line: Line) -> bool:
    """Return whether a line is columnar, or has more signs than letters, as in a drawing."""
    if is_columnar(line):
        return True
    if line.flows or line.long or len(line.raw) > _LOOK:
        return False
    marks = len(_NOT_DRAWN.sub("", line.raw))
    return marks >= _DRAWN_LEAST and 3 * marks > 2 * len("".join(line.raw.split()))


def is_encoded(line: Line, following: Line | None) -> bool:
    """Return whether a uuencoded file begins or continues here."""
    if _UU_FULL.match(line.raw):
        return True
    return following is not None and _UU_BEGIN.match(line.raw) is not None and _is_uu(following)


def _is_uu(line: Line) -> bool:
    return _UU_LINE.match(line.raw) is not None and not line.flows


def is_encoded_still(line: Line) -> bool:
    """Return whether a line after others of a uuencoded file belongs to it."""
    return _is_uu(line) or line.raw.strip() in ("", "`", "end") or _UU_BEGIN.match(line.raw) is not None


def _is_plain(text: str) -> bool:
    """Return whether a line begins with a word and has none of what makes columns: found faster than columns are."""
    return text[:1].isalnum() and "  " not in text and "\t" not in text and not _DRAWN.search(text)


def is_columnar(line: Line) -> bool:
    """Return whether the spaces of a line seem to matter: columns, drawn frames, code."""
    if line.flows or line.long or len(line.raw) > _LOOK:
        return False
    text = line.raw.rstrip()
    bullet = _ITEM.match(text)  # the spaces after it are not a column
    rest = text[bullet.end() :] if bullet else text
    if text[:1].isalnum() and _is_plain(rest):
        return False
    columns = _COLUMNS.search(rest)
    if columns is not None and (named := _NAMED.match(text)) is not None:  # nor are those after a name
        columns = _COLUMNS.search(text[named.end() :])
    return columns is not None or _CODE.search(text) is not None


def pieces_of(text: str, size: int = 1000) -> Iterator[StringPiece]:
    """Split a text in memory into pieces of a line or at most `size` characters; many blank lines become one."""
    text = _MANY_BLANK.sub("\n\n", text)
    start = 0
    while start < len(text):
        end = text.find("\n", start, start + size)
        end = end + 1 if end >= 0 else min(start + size, len(text))
        yield StringPiece(text[start:end], start)
        start = end
