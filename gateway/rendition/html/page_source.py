"""The source of a page, corrected before it is parsed: frames, ends of breaks, appended plain text; and its background.

Nothing here may read the whole of a page more than once, or change what is markup.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

from gateway.rendition.html.styles import colours
from gateway.rendition.text.line_kinds import rule_like
from gateway.rendition.text.lines import DELIMITER, is_cut

#: Characters at the end of a page that are searched for text that was appended as if the page were plain text.
_APPENDED_WITHIN: Final = 16 * 1024
#: The least lines of such text.
_LINES_LEAST: Final = 2
_TAG: Final = re.compile(r"<(?:(/?[a-z][a-z0-9:]*)(?:\s[^<>]*|/)?>|!)", re.IGNORECASE)
#: Tags behind which text of several lines counts as appended; and those behind which a rule must precede it.
_END: Final = frozenset({"/html", "/body"})
_MAY_END: Final = frozenset({"br", "hr", "p"})
#: Their content is for browsers without frames, but the parser, which knows frames, does not parse it.
_NO_FRAMES: Final = re.compile(r"<(/?)noframes\b", re.IGNORECASE)
#: A browser reads whatever follows as part of the select element and shows none of it (HTML §13.2.6.4.16), even up to
#: the end of the page; the parser ends the element early.
_CHOICE: Final = re.compile(r"<select\b[^<>]*>.*?(?:</select\s*>|\Z)", re.IGNORECASE | re.DOTALL)
#: To browsers the end tag of a line break is a break (HTML §13.2.6.4.7), but not to the parser; "<br></br>" is one
#: break.
_BREAK: Final = re.compile(r"(?:<br\b[^<>]{0,100}>\s{0,9})?</br\s*>", re.IGNORECASE)
#: Where a line may have been cut.
_CUT: Final = re.compile(r"!\r?\n ")
#: The start tag of a body with attributes, its background colour, and what else may set that.
_BODY: Final = re.compile(r"<[Bb][Oo][Dd][Yy]\s([^<>]{1,2000})")
_BGCOLOR: Final = re.compile(r"\bbgcolor\s*=\s*[\"']?\s*([#\w]{1,40})", re.IGNORECASE)
_GROUND: Final = re.compile(r"\bbackground\b", re.IGNORECASE)


def ground(page: str) -> colours.Colour | None:
    """Return the colour behind a whole page, including what is outside its body; None if it is unknown.

    The parser does not report a body tag that comes late, while browsers take its attributes (HTML §13.2.6.4.7).
    """
    for tag in _BODY.finditer(page):
        colour = _BGCOLOR.search(tag[1])
        if _GROUND.search(tag[1]):
            return None
        if colour is not None:
            return colours.colour(colour[1])
    return colours.WHITE


def put_right(page: str, all_of_it: bool = False) -> str:
    """Return the source with the content of noframes as content, end tags of breaks as breaks, appended text as text,
    and without select elements and cuts of long lines.

    `all_of_it`: select elements stay, as there is nothing else to read.
    """
    if "<frame" in page or "<FRAME" in page:
        page = _NO_FRAMES.sub(r"<\1div", page)
    if not all_of_it and ("<select" in page or "<SELECT" in page):
        page = _CHOICE.sub("", page)
    if "!\n " in page or "!\r\n " in page:
        page = _CUT.sub(_uncut, page)
    if "</br" in page or "</BR" in page:
        page = _BREAK.sub("<br>", page)
    at = len(page)
    while (
        at := page.rfind("<", len(page) - _APPENDED_WITHIN if len(page) > _APPENDED_WITHIN else 0, at)
    ) >= 0:
        tag = _TAG.match(page, at)
        if tag is not None:
            return _with_appended(page, tag)
    return page


def _uncut(cut: re.Match[str]) -> str:
    line = cut.string[cut.string.rfind("\n", 0, cut.start()) + 1 : cut.start() + 1]
    return "" if is_cut(line) else cut[0]


def _with_appended(page: str, last: re.Match[str]) -> str:
    name = (last[1] or "").lower()
    if not name.startswith("/") and name not in _MAY_END:
        return page
    text = page[last.end() :]
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < _LINES_LEAST or not (name in _END or any(map(_separates, lines))):
        return page
    return f"{page[: last.end()]}<pre>{escape(text, quote=False)}</pre>"


def _separates(line: str) -> bool:
    return rule_like(line) or line.rstrip() == DELIMITER.rstrip()
