"""Characters: what cannot be seen or would turn the line around is taken out of all text of a message.

Nothing here may know of blocks. Bidirectional embeddings, overrides and isolates (Unicode UAX #9 §2) only serve
to disguise on a small screen; zero-width characters and soft hyphens serve as padding of preheaders.
"""

from __future__ import annotations

import re
from typing import Final

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
#: Blanks that are drawn as nothing or as a blank, and joiners, which are padding when they stand beside one.
_SPECIAL: Final = "\u200c\u200d\u115f\u1160\u2800\u3164"
_HAS_SPECIAL: Final = re.compile(f"[{_SPECIAL}]")
_BLANKS_SPECIAL: Final = re.compile(rf"[\s{_SPECIAL}]+")
_BLANKS: Final = re.compile(r"\s{2,}|[^\S ]")
_JOINERS: Final = "\u200c\u200d"
EDGES: Final = " \t\r\n\x0b\x0c\x85\xa0" + _SPECIAL


def visible(text: str) -> str:
    """Remove control, bidirectional and zero-width characters; line ends and tabs stay."""
    if "\u2028" in text or "\u2029" in text:
        text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    return _UNSEEN.sub("", text)


def _one(match: re.Match[str]) -> str:
    blanks = match.group()
    return " " if blanks.strip(_JOINERS) else blanks


def collapse(text: str) -> str:
    """Make one blank of every run of blanks, whatever kinds they are."""
    if _HAS_SPECIAL.search(text):
        text = _BLANKS_SPECIAL.sub(_one, text)
    return _BLANKS.sub(" ", text)


def collapse_lines(text: str) -> str:
    """Make one blank of every run of blanks, keep line ends, and take off what is blank at the edges."""
    return "\n".join(collapse(line).strip(EDGES) for line in text.split("\n")).strip(EDGES)
