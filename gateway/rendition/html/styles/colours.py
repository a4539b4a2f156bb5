"""CSS colours, as far as they decide whether text is visible. CSS Color 4 §4.2, §5, §7.

Nothing here may guess: an unknown or translucent colour is None, and text that has it counts as visible.
"""

from __future__ import annotations

import colorsys
import re
from functools import lru_cache
from typing import Final

from gateway.rendition.html.styles.lengths import part

#: Colours that differ by less than this, summed over the channels, cannot be told apart.
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
_HEX: Final = re.compile(r"#?([0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b")
_RGB: Final = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]{1,9}(\d{1,3})[\s,]{1,9}(\d{1,3})\b")
_HSL: Final = re.compile(r"hsla?\(\s*(\d{1,3})(?:deg)?[\s,]{1,9}(\d{1,3})%[\s,]{1,9}(\d{1,3})%")
_ALPHA: Final = re.compile(
    r"(?:rgb|hsl)a?\((?:[^,()]{1,20},){3}([^,()]{1,20})\)|[a-z]{2,9}\([^/()]{1,60}/([^/()]{1,20})\)"
)


def important(text: str) -> str:
    """Remove "!important"."""
    return text.strip().removesuffix("!important").strip()


def colour(text: str) -> Colour | None:
    """Parse a colour; None for an unknown or translucent one."""
    text = important(text.lower())
    if text in _NAMES:
        return _NAMES[text]
    if alpha(text) < 1:
        return None
    match = _HEX.match(text)
    if match is not None:
        digits = match.group(1)
        if len(digits) < 6:
            digits = "".join(digit * 2 for digit in digits)
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
    match = _RGB.match(text)
    if match is not None:
        return int(match.group(1)), int(match.group(2)), int(match.group(3))
    match = _HSL.match(text)
    if match is not None:
        hue, saturation, lightness = (int(value) for value in match.groups())
        red, green, blue = colorsys.hls_to_rgb(hue / 360, lightness / 100, saturation / 100)
        return round(red * 255), round(green * 255), round(blue * 255)
    return None


def alpha(text: str) -> float:
    """Return a colour's opacity, from 0 to 1."""
    if text == "transparent":
        return 0
    match = _HEX.match(text)
    if match is not None:
        digits = match.group(1)
        return (
            int(digits[6:], 16) / 255
            if len(digits) == 8
            else int(digits[3:], 16) / 15
            if len(digits) == 4
            else 1
        )
    match = _ALPHA.match(text)
    return min(part(match.group(1) or match.group(2), 1), 1) if match else 1


@lru_cache(maxsize=1024)  # a page has some dozen colours, and asks for one with each text
def alike(one: Colour, other: Colour) -> bool:
    """Return whether text of one colour is invisible on the other."""
    red, green, blue = one
    return abs(red - other[0]) + abs(green - other[1]) + abs(blue - other[2]) < CONTRAST_LEAST
