"""The little of CSS that decides whether text in a mail is seen at all.

Nothing here may know of elements or blocks. Inline declarations and, from style sheets, the plain rules for one
class or id that stand outside @media. CSS 2.1 §9.2.4 (display), §11.2 (visibility), CSS Color §3.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

#: A longer style attribute is read so far, characters.
STYLE_LIMIT: Final = 4000
#: A longer style sheet is read so far, characters.
SHEET_LIMIT: Final = 128 * 1024
#: Colours nearer than this, sum of the differences of the channels, cannot be told apart.
CONTRAST_LEAST: Final = 16

Colour = tuple[int, int, int]
WHITE: Final[Colour] = (255, 255, 255)
BLACK: Final[Colour] = (0, 0, 0)

_NAMES: Final[dict[str, Colour]] = {
    "white": WHITE, "black": BLACK, "snow": (255, 250, 250), "ivory": (255, 255, 240), "silver": (192, 192, 192),
    "gray": (128, 128, 128), "grey": (128, 128, 128), "whitesmoke": (245, 245, 245), "red": (255, 0, 0),
    "blue": (0, 0, 255), "green": (0, 128, 0), "yellow": (255, 255, 0), "navy": (0, 0, 128),
    "orange": (255, 165, 0), "purple": (128, 0, 128), "lime": (0, 255, 0), "aqua": (0, 255, 255),
}  # fmt: skip
_DECLARATION: Final = re.compile(r"(?:^|;)\s*([a-z-]{1,40})\s*:([^;]{0,400})")
_ZERO: Final = re.compile(r"\s*0*\.?0*(?:px|pt|em|rem|%|ex|in)?\s*(?:!important)?\s*\Z")
_SMALL: Final = re.compile(r"\s*(?:0*\.\d+|[01](?:\.\d*)?)(?:px|pt)\s*(?:!important)?\s*\Z")
_NUMBER: Final = re.compile(r"\s*(-?\d{1,6})")
_HEX: Final = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})\b")
_RGB: Final = re.compile(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?:,\s*([\d.]{1,6})\s*)?\)")


@dataclass(frozen=True, slots=True)
class Style:
    """What one style attribute says. None means that it says nothing about it."""

    hidden: bool = False
    shown: bool = False
    tiny: bool | None = None
    colour: Colour | None = None
    clear: bool = False
    background: Colour | None = None
    covered: bool = False
    strong: bool | None = None
    emphasis: bool | None = None
    keep_blanks: bool | None = None
    left_bar: bool = False
    block: bool = False
    width: int | None = None
    height: int | None = None


NOTHING: Final = Style()


def colour(text: str) -> Colour | None:
    """Read a colour; None for what is not one that we know."""
    text = text.strip().lower().removesuffix("!important").strip()
    if text in _NAMES:
        return _NAMES[text]
    match = _HEX.match(text)
    if match is not None:
        digits = match.group(1)
        if len(digits) == 3:
            digits = "".join(digit * 2 for digit in digits)
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    match = _RGB.match(text)
    if match is not None:
        return int(match.group(1)), int(match.group(2)), int(match.group(3))
    return None


def alike(one: Colour, other: Colour) -> bool:
    """Say whether text of one colour cannot be seen on the other."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) < CONTRAST_LEAST


def number(text: str) -> int | None:
    """Read the whole number that a length begins with."""
    match = _NUMBER.match(text)
    return int(match.group(1)) if match else None


def _hides(said: dict[str, str]) -> bool:
    def zero(name: str) -> bool:
        return name in said and _ZERO.match(said[name]) is not None

    display = said.get("display", "")
    if (
        "none" in display
        or "hidden" in said.get("visibility", "")
        or "collapse" in said.get("visibility", "")
    ):
        return True
    if zero("opacity"):
        return True
    clipped = "hidden" in said.get("overflow", "")
    if clipped and (zero("max-height") or zero("height") or zero("max-width") or (zero("width"))):
        return True
    if zero("max-height") and zero("line-height"):
        return True
    return any((number(said.get(name, "")) or 0) <= -900 for name in ("text-indent", "left", "top"))


def _background(said: dict[str, str]) -> tuple[Colour | None, bool]:
    """Return the background colour, and whether something of unknown colour (a picture) covers it."""
    text = f"{said.get('background', '')} {said.get('background-color', '')}".strip()
    if "url(" in text or "gradient" in text or "url(" in said.get("background-image", ""):
        return None, True
    for word in reversed(text.replace(", ", ",").split()):
        found = colour(word)
        if found is not None:
            return found, False
    known = ("transparent", "none", "inherit", "initial", "")
    return None, bool(text) and not any(word in known for word in text.replace("!important", "").split())


@lru_cache(maxsize=512)
def read(text: str) -> Style:
    """Read a style attribute, already in lower case and within STYLE_LIMIT."""
    said = {name: value.strip() for name, value in _DECLARATION.findall(text)}
    if not said:
        return NOTHING
    size = said.get("font-size")
    if size is None and "font" in said:
        size = next((word.partition("/")[0] for word in said["font"].split() if word[:1].isdigit()), None)
    tiny = None if size is None else (_ZERO.match(size) or _SMALL.match(size)) is not None
    background, covered = _background(said)
    weight = said.get("font-weight")
    look = said.get("font-style")
    blanks = said.get("white-space")
    ink = said.get("color", "")
    display = said.get("display", "")
    return Style(
        hidden=_hides(said),
        shown="display" in said and "none" not in display,
        tiny=tiny,
        colour=colour(ink) if ink else None,
        clear="transparent" in ink,
        background=background,
        covered=covered,
        strong=None if weight is None else weight.startswith(("bold", "6", "7", "8", "9")),
        emphasis=None if look is None else look.startswith(("italic", "oblique")),
        keep_blanks=None
        if blanks is None
        else blanks.startswith("pre") and not blanks.startswith("pre-line"),
        left_bar=_has_left_bar(said),
        block=display.startswith(("block", "table", "flex", "grid", "list-item")),
        width=number(said["width"]) if "width" in said and "%" not in said["width"] else None,
        height=number(said["height"]) if "height" in said and "%" not in said["height"] else None,
    )


def _has_left_bar(said: dict[str, str]) -> bool:
    """Say whether the box has a line at its left side only, as quotations have."""
    bar = said.get("border-left", "") + said.get("border-left-style", "")
    return any(word in bar for word in ("solid", "double", "ridge"))


_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_SELECTOR: Final = re.compile(r"(?:[a-z0-9]{1,20})?([.#][\w-]{1,100})\Z")


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield selector and declarations of the rules at the top level."""
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


def note_sizes(sheet: str, tiny: dict[str, bool]) -> bool:
    """Learn which classes and ids a style sheet makes too small to be seen, and which not.

    False: it gives sizes to others as well, so that what is inside of those cannot be told.
    """
    for selectors, declarations in _rules(_COMMENT.sub(" ", sheet[:SHEET_LIMIT].lower())):
        style = read(declarations[:STYLE_LIMIT])
        if style.tiny is None:
            continue
        for selector in selectors.split(","):
            match = _SELECTOR.match(selector.strip())
            if match is None:
                return False
            tiny[match.group(1)] = style.tiny
    return True


def hide_names(sheet: str, hidden: set[str]) -> None:
    """Add the classes (".name") and ids ("#name") that a style sheet hides everywhere, take off those it shows."""
    sheet = _COMMENT.sub(" ", sheet[:SHEET_LIMIT].lower())
    for selectors, declarations in _rules(sheet):
        style = read(declarations[:STYLE_LIMIT])
        if not (style.hidden or style.shown):
            continue
        for selector in selectors.split(","):
            match = _SELECTOR.match(selector.strip())
            if match is None:
                continue
            if style.hidden:
                hidden.add(match.group(1))
            else:
                hidden.discard(match.group(1))
