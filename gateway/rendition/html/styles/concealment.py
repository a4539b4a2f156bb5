"""The ways in which a style hides text.

Nothing here may know of elements; in case of doubt text counts as visible. CSS 2.1 §11.1 (overflow, clip), §11.2
(visibility), §16.1 (text-indent), CSS Masking §5.1 (clip-path), CSS Transforms §12, CSS Containment 2 §4.1.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.rendition.html.styles.lengths import AMOUNT, number, part, values

ZERO: Final = re.compile(r"\s*0*\.?0*(?:px|pt|em|rem|%|ex|in)?\s*(?:!important)?\s*\Z")
#: The fraction of full opacity or scale up to which text is illegible.
FAINT: Final = 0.05
#: A window of at most this many pixels shows no letter.
SLIT: Final = 2
#: Text that starts this far outside is invisible: pixels, and per cent of its box.
_FAR: Final = 900
_OUTSIDE: Final = 100


def hides(said: dict[str, str]) -> bool:
    """Return whether declarations hide the whole content of an element."""

    def zero(name: str) -> bool:
        return name in said and ZERO.match(said[name]) is not None

    display = said.get("display", "")
    visibility = said.get("visibility", "")
    if "none" in display or "hidden" in visibility or "collapse" in visibility:
        return True
    if "hidden" in said.get("content-visibility", ""):
        return True
    if part(said.get("opacity", ""), 1) <= FAINT and "animation" not in said:
        return True
    if _overflows_unseen(said) and (
        zero("max-height") or zero("height") or zero("max-width") or zero("width")
    ):
        return True
    if zero("max-height") and "visible" not in said.get("overflow", ""):
        return True
    if any(
        (number(said.get(name, "")) or 0) <= -_FAR for name in ("text-indent", "left", "top", "margin-left")
    ):
        return True
    return _masked(said)


def _overflows_unseen(said: dict[str, str]) -> bool:
    return any(
        word in said.get(name, "")
        for name in ("overflow", "overflow-x", "overflow-y")
        for word in ("hidden", "clip")
    )


def clips(said: dict[str, str]) -> bool:
    """Return whether a box is clipped until nothing is legible, or its content is pushed out of it."""
    if not _overflows_unseen(said):
        return False
    indent = said.get("text-indent", "")
    if (number(indent) or 0) >= (_OUTSIDE if "%" in indent else _FAR):
        return True
    least = {
        "height": "min-height",
        "max-height": "min-height",
        "width": "min-width",
        "max-width": "min-width",
    }
    return any(
        _slit(said.get(name, "")) and (other not in said or _slit(said[other]))
        for name, other in least.items()
    )


def _slit(length: str) -> bool:
    match = AMOUNT.match(length)
    return (
        match is not None
        and not match.group(2)
        and length[match.end() :].startswith("px")
        and float(match.group(1)) <= SLIT
    )


def _masked(said: dict[str, str]) -> bool:
    """Return whether clip, clip-path or transform leave nothing of the text."""
    if "clip" in said and said.get("position", "").startswith(("absolute", "fixed")):
        edges = values(said["clip"])
        if len(edges) == 4 and "auto" not in said["clip"]:
            top, right, bottom, left = edges
            if right - left <= SLIT or bottom - top <= SLIT:
                return True
    path = said.get("clip-path", said.get("-webkit-clip-path", ""))
    if path and _cut_away(path):
        return True
    sizes = (
        said.get("scale", ""),
        *re.findall(r"scale(?:[xy]|3d)?\(([^)]*)", said.get("transform", said.get("-webkit-transform", ""))),
    )
    if any(abs(value) <= FAINT for size in sizes for value in values(size)[:2]):
        return True
    return re.search(r"opacity\(\s*0?\.?0*%?\s*\)|opacity\s*=\s*0\s*\)", said.get("filter", "")) is not None


def _cut_away(path: str) -> bool:
    """Return whether a clip-path is a shape without area."""
    name, _, inside = path.partition("(")
    inside = inside.partition(")")[0]
    if name == "inset":
        edges = values(inside.partition("round")[0])[:4]
        if not edges or "%" not in inside:
            return False
        top, right, bottom, left = edges + _sides(edges)
        return top + bottom >= 98 or left + right >= 98
    if name in ("circle", "ellipse"):
        return any(value <= 0 for value in values(inside.partition("at")[0])[:2])
    return name == "polygon" and len({tuple(values(corner)) for corner in inside.split(",")}) == 1


def _sides(edges: list[float]) -> list[float]:
    """Return the edges of a box that a shorthand omits (CSS 2.1 §8.3)."""
    return {1: edges * 3, 2: edges[:2], 3: edges[1:2]}.get(len(edges), [])
