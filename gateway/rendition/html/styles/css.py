"""The part of CSS that decides whether text in a mail is visible, and how it is laid out.

Nothing here may know of elements or blocks. In case of doubt text counts as visible. CSS 2.1 §9.2.4 (display), §14.2
(background), §15 (fonts), §16.6 (white-space).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gateway.rendition.html.styles import symbols
from gateway.rendition.html.styles.colours import Colour, alpha, colour, important
from gateway.rendition.html.styles.concealment import FAINT, ZERO, clips, hides
from gateway.rendition.html.styles.lengths import number

#: Characters of a style attribute that are read.
STYLE_LIMIT: Final = 4000
#: Characters of a style sheet that are read.
SHEET_LIMIT: Final = 128 * 1024

_DECLARATION: Final = re.compile(r"(?:^|;)\s*([a-z-]{1,40})\s*:([^;]{0,400})")
#: What is in the brackets of a function, such as `rgb(0, 0, 0)`.
_BRACKETS: Final = re.compile(r"\([^)]*\)")
#: An illegible size: up to two pixels or points, or a seventh of the size around it.
_SMALL: Final = re.compile(
    r"\s*(?:(?:0*\.\d+|[01](?:\.\d*)?|2(?:\.0*)?)(?:px|pt)|0*\.(?:0\d*|1[0-4]?\d*)(?:r?em|ex|ch|v(?:w|h|min|max))"
    r"|\d?(?:\.\d*)?%|0*\.00\d*(?:in|[cm]m|pc|q))\s*(?:!important)?\s*\Z"
)


@dataclass(frozen=True, slots=True)
class Style:
    """The declarations of one style attribute. None: not declared.

    `clipped`: hidden if it forms a box of its own; `boxed`: it does. `inked`: it sets a text colour, which is in
    `colour` if it is known and can hide text; `inherits`: it keeps the colour around it; `clear`: text has no colour at
    all. `covered`: what is behind the text has a colour that cannot be determined. `apart`: a box within a line, such
    as inline-block. `symbols`: its letters are drawings, as in Wingdings.
    """

    hidden: bool = False
    clipped: bool = False
    boxed: bool = False
    shown: bool = False
    tiny: bool | None = None
    inked: bool = False
    colour: Colour | None = None
    inherits: bool = False
    clear: bool = False
    background: Colour | None = None
    covered: bool = False
    strong: bool | None = None
    emphasis: bool | None = None
    keep_blanks: bool | None = None
    left_bar: bool = False
    block: bool = False
    apart: bool = False
    symbols: bool | None = None
    width: int | None = None
    height: int | None = None


NOTHING: Final = Style()


def _background(said: dict[str, str]) -> tuple[Colour | None, bool]:
    """Return the background colour, and whether something of unknown colour, such as a picture, covers it."""
    text = f"{said.get('background', '')} {said.get('background-color', '')}".strip()
    if not text and "background-image" not in said:
        return None, False
    if "url(" in text or "gradient" in text or "url(" in said.get("background-image", ""):
        return None, True
    words = re.sub(
        r"\([^)]*\)", lambda inner: inner[0].replace(" ", "\x00"), text.replace("!important", "")
    ).split()
    for word in reversed(words):
        found = colour(word.replace("\x00", " "))
        if found is not None:
            return found, False
    known = ("transparent", "none", "inherit", "initial", "unset")
    return None, bool(words) and not any(
        word in known or alpha(word.replace("\x00", " ")) <= 0 for word in words
    )


@lru_cache(maxsize=512)
def read(text: str) -> Style:
    """Read a style attribute, already in lower case and within STYLE_LIMIT."""
    said = {name: value.strip() for name, value in _DECLARATION.findall(text)}
    if not said:
        return NOTHING
    background, covered = _background(said)
    weight = said.get("font-weight")
    look = said.get("font-style")
    blanks = said.get("white-space")
    ink = important(said.get("color", ""))
    inherits = ink.startswith(("inherit", "currentcolor", "unset"))
    inked = bool(ink) and not inherits
    display = said.get("display", "")
    return Style(
        hidden=hides(said),
        clipped=clips(said),
        boxed=("display" in said and not display.startswith("inline")) or "inline-block" in display,
        shown="display" in said and "none" not in display,
        tiny=_is_tiny(said),
        inked=inked,
        colour=colour(ink) if inked else None,
        inherits=inherits,
        clear=inked and alpha(ink) <= FAINT and not _painted(said),
        background=background,
        covered=covered,
        strong=None if weight is None else weight.startswith(("bold", "6", "7", "8", "9")),
        emphasis=None if look is None else look.startswith(("italic", "oblique")),
        keep_blanks=None
        if blanks is None
        else blanks.startswith("pre") and not blanks.startswith("pre-line"),
        left_bar=_has_left_bar(said),
        block=display.startswith(("block", "table", "flex", "grid", "list-item")),
        apart=display.startswith("inline-"),
        symbols=symbols.are_in(said.get("font-family") or said.get("font", "")),
        width=number(said["width"]) if "width" in said and "%" not in said["width"] else None,
        height=number(said["height"]) if "height" in said and "%" not in said["height"] else None,
    )


def _is_tiny(said: dict[str, str]) -> bool | None:
    """Return whether letters are illegibly small; None if no size is given."""
    size = said.get("font-size")
    if size is None and "font" in said:
        size = next((word.partition("/")[0] for word in said["font"].split() if word[:1].isdigit()), None)
    return None if size is None else (ZERO.match(size) or _SMALL.match(size)) is not None


def _painted(said: dict[str, str]) -> bool:
    """Return whether transparent letters are visible through their shadow or background."""
    return "text-shadow" in said or "text" in said.get("background-clip", "") + said.get(
        "-webkit-background-clip", ""
    )


def _has_left_bar(said: dict[str, str]) -> bool:
    """Return whether the box has a line on its left, as quotations do, and none on its right, as frames do."""
    return _is_drawn(said, "border-left") and not _is_drawn(said, "border-right")


def _is_drawn(said: dict[str, str], border: str) -> bool:
    """Return whether a border is a visible line: newsletter editors write "0px solid transparent"."""
    line = said.get(border, "") + " " + said.get(border + "-style", "")
    if not any(word in line for word in ("solid", "double", "ridge")):
        return False
    width, colours = said.get(border + "-width", ""), said.get(border + "-color", "")
    words = _BRACKETS.sub("", f"{line} {width} {colours}".replace("!important", " ")).split()
    return "transparent" not in words and not any(map(ZERO.match, words))


_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
#: Conditions that always hold: their rules are read like those outside.
_ALWAYS: Final = re.compile(r"@media\s+(?:only\s+)?(?:screen|all)\s*\{")


def rules(sheet: str) -> Iterator[tuple[str, Style]]:
    """Yield each selector of a style sheet with its declarations; conditional rules are skipped."""
    sheet = _ALWAYS.sub(" ", _COMMENT.sub(" ", sheet[:SHEET_LIMIT].lower()))
    for selectors, declarations in _rules(sheet):
        style = read(declarations[:STYLE_LIMIT])
        if style != NOTHING:
            for selector in selectors.split(","):
                yield selector.strip(), style


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield the selectors and declarations of the top-level rules."""
    depth, start, selector = 0, 0, ""
    for match in re.finditer(r"[{};]", sheet):
        mark = match.group()
        if mark == "{":
            if depth == 0:
                selector, start = sheet[start : match.start()].strip(), match.end()
            depth += 1
        elif mark == "}":
            depth = max(depth - 1, 0)
            if depth == 0:
                if not selector.startswith("@"):
                    yield selector, sheet[start : match.start()]
                selector, start = "", match.end()
        elif depth == 0:  # "@import …;"
            start = match.end()
