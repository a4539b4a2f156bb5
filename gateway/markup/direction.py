"""Right to left: the direction of a text, and marks for a markup that has no attribute for it.

Nothing here may change left-to-right text. XHTML Basic 1.1 omits `dir` (its grammar sets XHTML.bidi to IGNORE), so
blocks have a class whose rule sets the direction; WML has neither, and gets marks. The first strong character decides:
Unicode UAX #9 §3.3.1, P2 and P3; marks: §2.6.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Final

from gateway.rendition.blocks import Block

#: The class of right-to-left blocks in XHTML.
CLASS: Final = "r"
#: LEFT-TO-RIGHT MARK, which ends such a text within a left-to-right line.
END: Final = "\u200e"
#: RIGHT-TO-LEFT MARK, as strong as a letter: what is between it and a letter is ordered with them.
MARK: Final = "\u200f"

_RIGHT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_BEFORE: Final = re.compile(r"^(?=[^\w\s])", re.MULTILINE)
_BEHIND: Final = re.compile(r"(?<=[^\w\s])$", re.MULTILINE)


def right_to_left(text: str) -> bool:
    """Return whether the first strong character of a text is a right-to-left one."""
    if text.isascii() or _RIGHT.search(text) is None:
        return False
    strong = (unicodedata.bidirectional(character) for character in text)
    return next((way != "L" for way in strong if way in ("L", "R", "AL")), False)


def marked(text: str) -> str:
    """Mark the lines that begin or end with punctuation, in a right-to-left text."""
    return _marked(text) if right_to_left(text) else text


def ended(text: str) -> str:
    """Mark a text within a left-to-right line, so that numbers after it do not count as part of it."""
    return _marked(text) + END if right_to_left(text) else text


def directed(item: Block) -> Block:
    """Mark a right-to-left block."""
    if not right_to_left(item.text):
        return item
    return replace(item, runs=tuple(replace(run, text=_marked(run.text)) for run in item.runs))


def _marked(text: str) -> str:
    return _BEHIND.sub(MARK, _BEFORE.sub(MARK, text))
