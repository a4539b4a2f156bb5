"""The source of a page, put right before it is parsed: frames, ends of breaks, appended plain text; and its ground.

Nothing here may read the whole of a page more than once, or change what is markup.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

from gateway.rendition.html.styles import colours
from gateway.rendition.text.line_kinds import rule_like
from gateway.rendition.text.lines import DELIMITER

#: Characters at the end of a page in which text is looked for that was appended as though the page were text.
_APPENDED_WITHIN: Final = 16 * 1024
#: Lines of such text at least.
_LINES_LEAST: Final = 2
_TAG: Final = re.compile(r"<(?:(/?[a-z][a-z0-9:]*)(?:\s[^<>]*|/)?>|!)", re.IGNORECASE)
#: Tags behind which any text of several lines was appended; and those behind which there must be a rule before it.
_END: Final = frozenset({"/html", "/body"})
_MAY_END: Final = frozenset({"br", "hr", "p"})
#: Their content is for browsers without frames, but the parser, which knows frames, leaves it as it stands.
_NO_FRAMES: Final = re.compile(r"<(/?)noframes\b", re.IGNORECASE)
#: A browser reads whatever follows as the choice's own, and shows none of it (HTML §13.2.6.4.16), also to the end;
#: the parser ends it early.
_CHOICE: Final = re.compile(r"<select\b[^<>]*>.*?(?:</select\s*>|\Z)", re.IGNORECASE | re.DOTALL)
#: The end of a line break is one for browsers (HTML §13.2.6.4.7), but not for the parser; "<br></br>" is one break.
_BREAK: Final = re.compile(r"(?:<br\b[^<>]{0,100}>\s{0,9})?</br\s*>", re.IGNORECASE)
#: The start tag of a body with attributes, the colour of its ground, and what else may set that.
_BODY: Final = re.compile(r"<[Bb][Oo][Dd][Yy]\s([^<>]{1,2000})")
_BGCOLOR: Final = re.compile(r"\bbgcolor\s*=\s*[\"']?\s*([#\w]{1,40})", re.IGNORECASE)
_GROUND: Final = re.compile(r"\bbackground\b", re.IGNORECASE)


def ground(page: str) -> colours.Colour | None:
    """Return the colour behind a whole page, also behind what stands outside its body; None if it is unknown.

    Of a body tag that comes late the parser says nothing, while browsers take its attributes (HTML §13.2.6.4.7).
    """
    for tag in _BODY.finditer(page):
        colour = _BGCOLOR.search(tag[1])
        if _GROUND.search(tag[1]):
            return None
        if colour is not None:
            return colours.colour(colour[1])
    return colours.WHITE


def put_right(page: str, all_of_it: bool = False) -> str:
    """Return the source with what stands for frames as content, line breaks that are written as ends, without
    choices, and with appended text as such.

    `all_of_it`: choices stay, as there is nothing else to read.
    """
    if "<frame" in page or "<FRAME" in page:
        page = _NO_FRAMES.sub(r"<\1div", page)
    if not all_of_it and ("<select" in page or "<SELECT" in page):
        page = _CHOICE.sub("", page)
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
