"""Wrapping: which line ends of a paragraph come from wrapping at eighty columns, and which are meant.

Nothing here may know of blocks or pages. Only wrapped lines are joined; fields, verse, addresses and rows of
figures keep their line ends. RFC 5322 §2.1.1 (78 columns), RFC 3986 appendix C (URLs over several lines).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from gateway.rendition.text import wrapped_urls
from gateway.rendition.text.line_kinds import item
from gateway.rendition.text.lines import LOOK, Line
from gateway.rendition.text.listings import has_prompt
from gateway.rendition.text.wrapped_urls import ADDRESSES

#: Text whose longest line is in this range was wrapped by a program (RFC 5322 §2.1.1: 78; quoting adds some), columns.
WRAP_LEAST: Final = 55
WRAP_MOST: Final = 100
#: A longer line that ends in a URL is longer because of it.
USUAL: Final = 78
#: Narrower text was wrapped if its lines are full and it reads like prose, columns; with many lines, if most are full.
WRAP_NARROW: Final = 36
MANY_LINES: Final = 6
MOST_FULL: Final = 0.7
#: A line counts as full if the next word would have come this close to the longest line, columns.
WRAP_SLACK: Final = 4
#: A line that stops in the middle of a sentence may be shorter by this much, columns.
WRAP_EARLY: Final = 25
#: The remainder of a line that a second program has wrapped has at most this many characters.
REST: Final = 20
#: A line above one that is only a URL is shorter than this fraction of the column: the URL is on a line of its own.
LONE: Final = 0.7
#: Lines of a paragraph that are examined to find out how it was wrapped.
WIDTH_LINES: Final = 20
#: Lines that all begin with a capital are separate if that is this unlikely by chance: verse, one sentence per line. If
#: all lines are full, it must be less likely; still less if there are names inside the lines, too.
CHANCE: Final = 0.04
CHANCE_FULL: Final = 0.005
CHANCE_NAMES: Final = 0.0005
NAMES: Final = 0.1
#: The fraction of capitalized words below which prose stays; addresses and lists of names exceed it.
CAPITALS: Final = 0.6
#: The first of the two lines of a title has at least this length, columns.
TITLE_LINE: Final = 70
#: A line below a narrower one, indented by this many more columns, says more about it.
DEEPER: Final = 3
#: Two lines that both begin with a capital are separate if they are shorter than this, columns.
TWO_LINES: Final = 60
#: The least lines of one kind (fields, rows) in a paragraph; fewer are accidents.
KIN: Final = 2
#: The first of two lines of prose has at least this length, columns.
PROSE_LINE: Final = 50
#: Spaces in a line that begins with a small letter, from which on it continues a line that ends in a number or colon.
READS_ON: Final = 2
#: What separates columns; justified text has less, but some writers put as much after a sentence.
_GAP: Final = " " * 5
_COLUMN_GAP: Final = re.compile(r"\S(?<![a-z][.?!]) {5,}\S")

_FIRST_WORD: Final = re.compile(r"\S*")
_WORDS: Final = re.compile(r"[^\W\d_]\S*|\d\S*")
#: "Name: value" with a name of at most four words; or a time of day with an event.
_FIELD: Final = re.compile(
    r"[*_\s]{0,6}(?:[^\W_][\w.()/&'’#-]{0,30}(?: [\w.()/&'’#-]{1,24}){0,3}\s?[::][*_]{0,2}(?:\s|\Z)"
    r"|\d\d?[:.]\d\d(?:\s?[-–]\s?\d\d?[:.]\d\d)?\s)"
)
#: Lines that end in a number (with its unit or currency), a mail address, a URL or a path.
_ROW: Final = re.compile(
    r"(?:(?:^|[\s:=$€£¥(+-])\d[\d.,'’ /-]*\)?\s?(?:%|°C?|€|\$|£|¥|₽|(?:eur|usd|gbp|chf|pln|zł|rub|руб|brl|kč|kr|"
    r"[kmg]i?b|kg|g|km|m|cm|mm|ml|l|h|min|s|ms|am|pm|uhr|st|pcs)\b)?[.)]?"
    r"|\S+@[\w.-]+\w[>)]?[,;.]?|<?(?:https?://|www\.)\S+|\S*(?:/[\w.+-]+){3,}|(?<!\S)(?:[\w.-]+:)?(?:/[\w.+-]+){2})\s*\Z",
    re.IGNORECASE,
)
#: Beginnings of separate lines: marks of quoted answers and headings, dates of a log, dot leaders.
_BEGINS: Final = re.compile(
    r"\s*(?:<(?!https?:|mailto:|URL:|/?\w{1,10}>[\w<]|\w[\w/ -]{0,30}>[\"',.;:)])|"
    r"\||>>>|[A-Za-z]{1,4}>\s|-{4,}|(?:-{3}|\*{3})\Z|={4,}|_{4,}|\*{4,}|#{1,6}\s|"
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d|"
    r"%(?:[a-z]{3,20}(?:\(|\s|\Z)|\{)|[\w./+-]{1,80}\.\w{1,4}:\d{1,6}:(?:\d{1,4}:)?\s|make(?:\[\d+\])?: |"
    r"[\w.+-]{1,20}: (?:[Ff]atal |[Ii]nternal )?(?:[Ee]rror|[Ww]arning)s?\b|"
    r"(?:\[?[\w.-]{1,32}@[\w.-]{1,40}[: ]\S{0,60}|\[?[\w.-]{1,40}:~\S{0,60})[$#%>]\s|\$ [a-z./]|"
    r"\[\d\d?:\d\d|[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d[\s.]|\d{3}[ -]\d\.\d\.\d\b|--\w|---[A-Z])"
)
#: Stars before a text are a bullet, not a rule.
_STARS: Final = re.compile(r"\*{4,} ?[^\W\d_]")
#: Personal quote marks, which each line has.
_MARK: Final = re.compile(r"(?:[^\w\s\"'“”‘’«»(<*_]{2,4}|[:)}\]%~;] )(?=\S)")
#: Ends of a line inside a sentence, and words that cannot end one.
_STOPS: Final = re.compile(r"[^\W\d_]|[,)”-]")
_UNFINISHED: Final = re.compile(
    r"\b(?:an?|the|this|and|or|of|to|for|with|from|by|in|at|is|are|was|your|our|der|die|das|dem|den|ein|eine|und|oder|von"
    r"|mit|für|ist|le|les|des|du|une?|et|de|pour|avec|est|el|los|las|una|con|para|que|il|gli|di|per|het|een|van|voor|met)\Z",
    re.IGNORECASE,
)
#: A bullet without a space after it: the lines are separate if both have one.
_TIGHT: Final = re.compile(r"[-+*•·](?=[^\W_])")
#: Ends of separate lines.
_ENDS: Final = re.compile(
    r"(?:-{4,}|={4,}|_{4,}|\*{4,}|#{4,}(?: \[ *\d{1,3}%\])?|\|)\s*\Z|(?:\. ?){4,}\s*\d*\s*\Z"
)
_END_SIGNS: Final = tuple("-=_*#|].0123456789")
_OPENING: Final = "\"'“„«»‚‘(*_¡¿"
#: The one word that is always capitalized.
_ENGLISH_I: Final = re.compile(r"I\b(?!\.)")
_DASH: Final = re.compile(r"[-–—]{1,2} [a-zß-ÿа-я]")
#: Words that are in lower case inside a sentence.
_ANEW: Final = re.compile(r"(?:To|For|This|These|If|You|We|Your|Our|Please|Click|Visit|See|When)\b")
_SENTENCE: Final = re.compile(r"[.!?…][\"'”’»)]?\Z")
#: A compound that was broken after its hyphen, unlike "long- and short-term".
_HYPHEN: Final = re.compile(r"\w-\Z")
_GOES_ON: Final = re.compile(
    r"(?!(?:and|or|to|nor|und|oder|bzw|bis|sowie|et|ou|o|y|e|ed|of|en|och|eller|og|i|lub|oraz|и|или)\b)[a-zß-ÿа-я]"
)
_URL_LAST: Final = re.compile(r"\s\S*https?://\S*(?:\s?\S)?\Z", re.IGNORECASE)

_RULES: Final = ("----", "====", "____", "****")

#: A mail address whose opening bracket is at the end of the line above, where Gmail breaks attributions.
_ADDRESS_END: Final = re.compile(r"[^\s<>@]{1,100}@[^\s<>@]{1,100}>")
#: The end of an attribution that begins with the address: "<a@example.org> wrote:".
_SAYS_FROM: Final = re.compile(
    r"[<(][^\s<>()@]{1,100}@[^\s<>()@]{1,100}[)>] [^\W\d_]{2,12}(?: [^\W\d_]{1,12})?\s?:\Z"
)
#: The words at the end of an attribution: "wrote:".
_SAYS: Final = re.compile(r"[a-zß-ÿа-я]{3,12}(?: [a-zß-ÿа-я]{1,12})?\s?:\Z")
#: A sentence that ends inside a line, as in prose, not in verse or lists.
_INSIDE: Final = re.compile(r"[^\W\d_]{2}[\"'”’)]?[.!?][\"'”’)]? {1,2}[\"'“‘(]?[A-ZÀ-ÖØ-ÞА-Я]")


@dataclass(frozen=True, slots=True)
class Wrapping:
    """How a paragraph was wrapped: its column (0: not wrapped), and whether it has fields and rows.

    `early`: a line that stops inside a sentence is wrapped if the next word would have extended beyond this column.
    """

    width: int = 0
    fields: bool = False
    rows: bool = False
    early: int = WRAP_MOST

    def between(self, before: Line, following: Line, written: str, in_item: bool = False) -> str:
        """Return what joins two lines: nothing, a space, or a line end; `written`: the text up to that point."""
        if wrapped_urls.goes_on(written, before.text, following.text):
            return ""
        if before.text[-1:] == "<" and _ADDRESS_END.match(following.text):
            return ""
        if following.text[:1] in ("<", "(") and _SAYS_FROM.match(following.text):
            return " "
        if "@" in before.text and _SAYS.match(following.text):
            return " "
        joined = self.full(before, following) or self._reads_on(before, following, written)
        if joined and not self._apart(before, following):
            return "" if _HYPHEN.search(before.text[-2:]) and _GOES_ON.match(following.text) else " "
        hangs = _hangs(before, following) or _hangs_below(before, following)
        return " " if in_item and hangs else "\n"

    def full(self, line: Line, following: Line) -> bool:
        """Return whether `following` may be on a new line only because it did not fit on this one."""
        return self.width > 0 and _reach(line, following) > self.width - WRAP_SLACK

    def _reads_on(self, before: Line, following: Line, written: str) -> bool:
        """Return whether a line that a person wrapped early, or the rest of a full one, stops inside a sentence."""
        if _indent(following) > _indent(before) + following.raw.startswith(" "):  # one blank is an accident
            return False
        left = written.removesuffix(before.text)[-1:] == " "  # it did not fit on the line above it
        short = left and 0 < len(before.text) <= REST < self.width
        if (
            short
            and len(following.text) > REST
            and following.text[:1].isalnum()
            and before.text[-1:].isalpha()
        ):
            return True
        if not (left and self.width) and _reach(before, following) <= self.early:
            return False
        stops = _STOPS.search(before.text[-1:]) and following.text[:1].islower()
        ends = left and _SENTENCE.search(following.text) is not None  # its last word or two
        if stops and (ends or following.text.count(" ") >= READS_ON):
            return True
        return _UNFINISHED.search(before.text[-LOOK:]) is not None  # last, since it costs most

    def _apart(self, before: Line, following: Line) -> bool:
        mark = _MARK.match(before.text)
        if mark and following.text.startswith(mark.group()):
            return True
        name = before.text.partition(" ")[0]
        if name[-1:] == ":" and following.text.startswith(name + " "):  # two lines of one log
            return True
        if self._is_below(before, following) or _is_address_below(before, following):
            return True
        if _ends_columns(before, following):
            return True
        alone = " " not in following.text and following.text.startswith(ADDRESSES)
        least = USUAL if self.width < TWO_LINES and _indent(before) else self.width * LONE
        if alone and (len(before.text) < least or _SENTENCE.search(before.text)):
            return True
        begun = _BEGINS.match(before.text[:LOOK]) is not None and not _hangs(before, following)
        if (begun and not _STARS.match(before.text)) or _BEGINS.match(following.text[:LOOK]):
            return True
        if " " not in before.text and before.text.startswith(ADDRESSES) and following.text[:1].isupper():
            return True
        if before.text[-1:].isalnum() and _ANEW.match(following.text) and _unfinished(before) is None:
            return True
        bullet = _TIGHT.match(before.text)
        if bullet is not None and following.text.startswith(bullet.group()):
            return True
        ended = before.text.endswith(_END_SIGNS) and _ENDS.search(before.text[-LOOK:]) is not None
        if ended or (self.fields and is_field(following) and not _is_finished_by(before, following)):
            return True
        reads_on = following.text[:1].islower() and following.text.count(" ") >= READS_ON
        return not reads_on and (before.text.endswith((":", "：")) or (self.rows and is_row(before)))

    def _is_below(self, before: Line, following: Line) -> bool:
        """Return whether a line is below a title of fewer columns than the text is wrapped at."""
        deeper = _indent(following) >= _indent(before) + DEEPER and item(before) is None
        return deeper and self.width < TWO_LINES and not _indent(before) and _unfinished(before) is None


def _is_address_below(before: Line, following: Line) -> bool:
    """Return whether a line that begins with an address is indented more than the one above it, as in a signature."""
    address = _FIRST_WORD.match(following.text)
    return address is not None and "@" in address[0] and _indent(following) >= _indent(before) + DEEPER


def _ends_columns(before: Line, following: Line) -> bool:
    """Return whether a line has two columns, as in the head of a newsletter, and no sentence continues below it."""
    if _GAP not in before.raw or following.text[:1].islower():
        return False
    return _COLUMN_GAP.search(before.raw[:LOOK]) is not None


def _unfinished(line: Line) -> re.Match[str] | None:
    return _UNFINISHED.search(line.text[-LOOK:])


def _is_finished_by(before: Line, field: Line) -> bool:
    """Return whether a line that looks like a field is the end of the sentence above it."""
    if _UNFINISHED.search(before.text[-LOOK:]):
        return True
    return field.text[:1].islower() and before.text[-1:].isalpha()


def _hangs(before: Line, following: Line) -> bool:
    """Return whether a line continues an item above it."""
    if following.text.startswith(ADDRESSES):
        return False
    indented = following.raw.startswith((" ", "\t")) and following.text[:1].islower()
    return indented and _SENTENCE.search(before.text) is None


def _hangs_below(before: Line, following: Line) -> bool:
    """Return whether an indented line is what did not fit on the line of an item above it, such as a title in
    capitals."""
    if not following.raw.startswith((" ", "\t")) or following.text.startswith(ADDRESSES):
        return False
    ended = _SENTENCE.search(before.text) is not None or before.text.endswith((":", "："))
    full = _reach(before, following) > WRAP_LEAST and not is_row(before)
    return not ended and (full or _unfinished(before) is not None)


def _indent(line: Line) -> int:
    return len(line.raw) - len(line.raw.lstrip())


def is_parenthesis(text: str, written: str) -> bool:
    """Return whether a line after a dash continues the sentence above it."""
    return (
        _DASH.match(text) is not None and not written.endswith((":", "：")) and not _SENTENCE.search(written)
    )


def of(ahead: Sequence[Line], flowed: bool = False) -> Wrapping:
    """Find out from the first lines of a paragraph how it was wrapped; `flowed`: the sender says so."""
    if flowed and any(line.flows for line in ahead):
        return Wrapping()
    if len(ahead) < 2:
        return Wrapping()
    fields = sum(map(is_field, ahead)) >= KIN
    rows = sum(map(is_row, ahead)) >= max(KIN, len(ahead) / 2)
    longest = max(map(_length, ahead), default=0)
    if not WRAP_NARROW <= longest <= WRAP_MOST or has_prompt(ahead) or _stands_apart(ahead, longest):
        return Wrapping(0, fields, rows)
    if len(ahead) >= MANY_LINES and sorted(map(_length, ahead))[len(ahead) // 2] < longest / 2:
        return Wrapping(0, fields, rows)  # a list with a few long lines
    wide = longest >= WRAP_LEAST or _goes_on(ahead)
    runs_on = not wide and is_prose(ahead) and any(_INSIDE.search(line.text[:LOOK]) for line in ahead)
    width = longest if wide or runs_on or _is_narrow_prose(ahead, longest) else 0
    return Wrapping(width, fields, rows, width - WRAP_EARLY if wide or runs_on else WRAP_LEAST)


def is_field(line: Line) -> bool:
    """Return whether a line is "Name: value"."""
    return not line.long and _FIELD.match(line.text[:LOOK]) is not None


def is_row(line: Line) -> bool:
    """Return whether a line ends like a row of a table: in a number, an address, a URL."""
    if line.long or len(line.text) > LOOK:
        return False
    return _ROW.search(" " + " ".join(line.text.rsplit(None, 2)[-2:])) is not None


def _is_narrow_prose(ahead: Sequence[Line], width: int) -> bool:
    pairs = [(line, following) for line, following in pairwise(ahead) if len(line.text) > REST]
    if 2 * len(pairs) < len(ahead):
        pairs = list(pairwise(ahead))
    full = [_reach(line, following) > width - WRAP_SLACK for line, following in pairs]
    enough = MOST_FULL * len(full) if len(ahead) >= MANY_LINES else len(full)
    return len(ahead) >= 3 and sum(full) >= enough and is_prose(ahead)


def _length(line: Line) -> int:
    """Return the length of a line as far as it shows where text was wrapped: URLs and headings go beyond that."""
    text = line.text[:LOOK]
    if " " not in text or text.startswith(_RULES):
        return 0
    length = len(line.raw.rstrip())
    address = _URL_LAST.search(text) if length > USUAL and "://" in text else None
    return length - len(address.group()) if address else length


def may_be_full(line: Line, following: Line) -> bool:
    """Return whether a line can be full at any usual column."""
    return _reach(line, following) > WRAP_NARROW - WRAP_SLACK


def _reach(line: Line, following: Line) -> int:
    """Return the column that a line would reach with the first word of the next one."""
    word = _FIRST_WORD.match(following.text)
    return len(line.raw.rstrip()) + 1 + (len(word.group()) if word else 0)


def _stands_apart(ahead: Sequence[Line], width: int) -> bool:
    """Return whether lines are not prose: most words are capitalized, or each line is, and not by chance."""
    words = [word for line in ahead for word in _WORDS.findall(line.text[:LOOK])]
    words = [word for word in words if not _ENGLISH_I.match(word)]
    if not any(word[0].islower() for word in words) or _all_capitals(words):
        return False
    capitals = sum(not word[0].islower() for word in words)
    is_title = len(ahead) == 2 and (width >= TITLE_LINE or _UNFINISHED.search(ahead[0].text[-LOOK:]))
    if capitals >= CAPITALS * len(words) and not is_title:
        return True
    if _are_two(ahead):
        return True
    starts = [line.text.lstrip(_OPENING) for line in ahead[1:] if item(line) is None]
    starts = [start[:1] for start in starts if not _ENGLISH_I.match(start)]
    if not all(start.isdigit() for start in starts):
        starts = [start for start in starts if not start.isdigit()]
    if len(starts) < 2 or not all(start.isupper() or start.isdigit() for start in starts):
        return False
    rate = (capitals - len(starts) + 0.5) / max(len(words) - len(starts), 1)
    full = all(_reach(line, following) > width - WRAP_SLACK for line, following in pairwise(ahead))
    least = CHANCE if not full else CHANCE_NAMES if rate > NAMES else CHANCE_FULL
    return rate ** len(starts) < least


def _are_two(ahead: Sequence[Line]) -> bool:
    """Return whether a paragraph is a title and a subtitle, with or without a URL below them."""
    lines = [line for line in ahead if not line.text.startswith(ADDRESSES)]
    if len(lines) != 2 or item(lines[1]) is not None:
        return False
    above, below = lines[0].text, lines[1].text
    if len(ahead) == 3 and lines == ahead[:2] and _indent(ahead[2]) >= _indent(lines[1]) + DEEPER:
        return below[:1].isupper() and _UNFINISHED.search(above[-LOOK:]) is None
    if max(len(above), len(below)) >= TWO_LINES or (len(above) >= PROSE_LINE and _is_sentence(above)):
        return False
    return below[:1].isupper() and not above.endswith((",", "-")) and not _UNFINISHED.search(above[-LOOK:])


def _is_sentence(above: str) -> bool:
    """Return whether a line is part of a sentence rather than a title: most of its words are in lower case."""
    words = _WORDS.findall(above)
    return _STOPS.search(above[-1:]) is not None and sum(word[0].islower() for word in words) > len(words) / 2


def _goes_on(ahead: Sequence[Line]) -> bool:
    """Return whether a paragraph is one line of a sentence and what did not fit on it."""
    return (
        len(ahead) == 2
        and len(ahead[0].text) >= PROSE_LINE
        and _is_sentence(ahead[0].text)
        and is_prose(ahead)
    )


def _all_capitals(words: Sequence[str]) -> bool:
    return sum(word.isupper() for word in words) > len(words) / 2


def is_prose(ahead: Sequence[Line]) -> bool:
    """Return whether narrow lines are prose: one in three begins with a small letter, if the script has them."""
    starts = [line.text[:1] for line in ahead[1:] if not line.text.startswith(ADDRESSES)]
    return bool(starts) and 3 * sum(start.islower() for start in starts) >= len(starts)
