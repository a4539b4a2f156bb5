"""Kinds of lines of a text part: rules, items, columns, drawings, uuencoded files.

Nothing here may look beyond the lines that it is given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gateway.rendition import glyphs
from gateway.rendition.text.lines import DELIMITER, LOOK, Line

_RULE: Final = re.compile(
    r"\s*(?:…\s?){5,}[.…]*\s*\Z|\s*([-=_*~#+.·—–─━═•/\\^@%&:;])(?:\s?\1){4,}(?:~-{1,2}>)?\s*\Z|\s*([-*•~=])(?:\s+\2){2,}\s*\Z"
    r"|\s*([-=~*+_.])(?!\3)([-=~*+_.])(?:\3\4){3,}\3?\s*\Z"
)
_ITEM: Final = re.compile(
    r"\s*(?:([-*•·‣◦▪▫–—●○■□◆◇▶►▸➢➤→✓✔✗❑❖⁃∙+]|o(?=\s{2}|\t))|(\d{1,3}[.)]|\(\d{1,3}\)|[a-zA-Z]\)))\s+(?=[^\s!^])",
)
#: A line that ends in a sign, or of several signs, is a heading or a rule: "* We go on *", "* * *".
_BETWEEN_SIGNS: Final = re.compile(r".*\s[-*•·~=+]\s*\Z|([-*•])\s+\1\s+\1\s", re.DOTALL)
_NAME: Final = re.compile(
    r"\s*[-–—] ([A-ZÀ-ÖØ-ÞА-Я][\w.]{0,15})(?: ['\"“(]?[A-ZÀ-ÖØ-ÞА-Я][\w.]{0,15}['\"”)]?){0,3}\s*\Z"
)
#: What may be below a name that ends a letter: a rule, a postscript, an aside, an address.
_AFTERWARDS: Final = re.compile(r"[-_=~*#]{2}|\(|P\.?\s?S\b|https?:|www\.")
_ADDRESS: Final = re.compile(r"<?(?:https?://|www\.|\S{1,100}@)\S+")
_NUMBERED: Final = re.compile(r"\(?(\d{1,3}|[a-z])[.)]\s")
#: Columns: three or more spaces (or a tab) between words, or drawn frames.
_COLUMNS: Final = re.compile(
    r"\S(?:(?<![a-z][.?!]) {3,}| {8,}|[ ]*\t[ \t]*)\S|^\s*[|│].*[|│]\s*$|^\s*\+[-=+]{3,}|[─│┌┐└┘├┤┬┴┼║═]{2}"
    r"|^\s*[-=]{2,}(?:\s+[-=]{2,})+\s*$|^\s+\S+(?: {2,}\S+){2,4}$"
)
#: Columns of a line between two signs from which it is one of a frame around a text.
FRAME_LEAST: Final = 40
_FRAME_SIGNS: Final = ("* ", "# ")
#: The name of a field: whatever follows it in a column is its value.
_NAMED: Final = re.compile(r"\s*[^\W\d_][^\s:]{0,30}(?: [^\s:]{1,24}){0,3} ?:[ \t]+(?=\S)")
_DRAWN: Final = re.compile(r"[─│┌┐└┘├┤┬┴┼║═]{2}")
_NOT_DRAWN: Final = re.compile(r"[^\W_]|\s")
#: The least signs in a line of a drawing.
_DRAWN_LEAST: Final = 4
_UU_BEGIN: Final = re.compile(r"begin [0-7]{3,4} \S")
_UU_LINE: Final = re.compile(r"[!-M][ -`]{4,60}\Z")
#: A full line of uuencoding: 45 octets.
_UU_FULL: Final = re.compile(r"M[ -`]{56,60}\Z")
_CODE: Final = re.compile(r"^(?: {2,}|\t).*[;{}\\]\s*$|^\s*[{}]+\s*;?\s*$")


def is_blank(line: Line) -> bool:
    return not line.long and not line.text.strip(glyphs.EDGES)


def is_delimiter(line: Line) -> bool:
    """Return whether a signature begins after this line."""
    return line.raw == DELIMITER


def is_rule(line: Line) -> bool:
    return rule_like(line.raw)


def rule_like(text: str) -> bool:
    """Return whether a text is only a drawn line."""
    return len(text) < LOOK and not text[:1].isalnum() and _RULE.match(text) is not None


def item(line: Line) -> re.Match[str] | None:
    """Match the bullet (group 1) or number (group 2) that a line begins with."""
    match = _ITEM.match(line.raw[:LOOK])
    return None if match and match[1] and _BETWEEN_SIGNS.match(line.raw[:LOOK].lstrip()) else match


def is_signed(ahead: Sequence[Line], following: Line | None, below: Line | None) -> bool:
    """Return whether a paragraph is a name after a dash that ends a letter, alone or with a mail address below.
    The last item of a list is not: text continues after it. `following`, `below`: the two lines after the paragraph.
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
    """Return whether an item's number follows the one that begins the text before it."""
    before = _NUMBERED.match(written)
    if before is None:
        return False
    following = str(int(before[1]) + 1) if before[1].isdigit() else chr(ord(before[1]) + 1)
    return number.strip("().") == following


def is_drawn(line: Line) -> bool:
    """Return whether a line is columnar, or has more signs than letters, as in a drawing."""
    if is_columnar(line):
        return True
    if line.flows or line.long or len(line.raw) > LOOK:
        return False
    marks = len(_NOT_DRAWN.sub("", line.raw))
    return marks >= _DRAWN_LEAST and 3 * marks > 2 * len("".join(line.raw.split()))


def is_figure(line: Line, following: Line) -> bool:
    """Return whether a table or drawing begins here: two such lines, one of them with columns."""
    if not (is_drawn(line) and is_drawn(following)):
        return False
    return line.depth == following.depth and (is_columnar(line) or is_columnar(following))


def is_encoded(line: Line, following: Line | None) -> bool:
    """Return whether a uuencoded file begins or continues here."""
    if _UU_FULL.match(line.raw):
        return True
    return following is not None and _UU_BEGIN.match(line.raw) is not None and _is_uu(following)


def _is_uu(line: Line) -> bool:
    return _UU_LINE.match(line.raw) is not None and not line.flows


def is_encoded_still(line: Line) -> bool:
    """Return whether a line that follows lines of a uuencoded file belongs to it."""
    return _is_uu(line) or line.raw.strip() in ("", "`", "end") or _UU_BEGIN.match(line.raw) is not None


def _is_plain(text: str) -> bool:
    """Return whether a line begins with a word and has nothing that makes columns: a quicker test than for columns."""
    return text[:1].isalnum() and "  " not in text and "\t" not in text and not _DRAWN.search(text)


def is_columnar(line: Line) -> bool:
    """Return whether the spaces of a line seem to matter: columns, drawn frames, code."""
    if line.flows or line.long or len(line.raw) > LOOK:
        return False
    text = line.raw.rstrip()
    if text[:2] in _FRAME_SIGNS and len(text) >= FRAME_LEAST and text[-2:] == text[1::-1]:
        return True
    bullet = _ITEM.match(text)  # the spaces after it do not make a column
    rest = text[bullet.end() :] if bullet else text
    if text[:1].isalnum() and _is_plain(rest):
        return False
    columns = _COLUMNS.search(rest)
    if columns is not None and (named := _NAMED.match(text)) is not None:  # nor do those after a name
        columns = _COLUMNS.search(text[named.end() :])
    return columns is not None or _CODE.search(text) is not None
