"""Fonts whose letters are drawings: a single letter means what it draws.

Nothing here may drop text: more than one letter in such a font is text that its sender did not see. The tables are
those of Windows' fonts: Outlook's smileys are letters in Wingdings, Word's bullets in Wingdings and Symbol.
"""

from __future__ import annotations

import re
from typing import Final

_FAMILY: Final = re.compile(r"[^,]*?\b(?:wingdings|webdings|symbol)\b", re.IGNORECASE)
_DRAWN: Final = {
    "J": ":-)",
    "K": ":-|",
    "L": ":-(",
    "ü": "✓",
    "û": "✗",
    "þ": "☑",
    "o": "☐",
    "¨": "☐",
    "à": "→",
    "è": "→",
    "Ø": "►",
    "ß": "←",
    "(": "☎",
    "*": "✉",
}
_BULLET: Final = "•"


def are_in(families: str) -> bool | None:
    """Return whether the first of these fonts is a font of drawings; None if there is no font."""
    return _FAMILY.match(families) is not None if families else None


def drawn(text: str) -> str:
    """Return what a text in such a font draws, if it is one letter; otherwise the text as it is."""
    letter = text.strip()
    return text.replace(letter, f"{_DRAWN.get(letter, _BULLET)} ") if len(letter) == 1 else text


def is_nameless(text: str) -> bool:
    """Return whether a text in such a font is a drawing that none of our signs represents."""
    letter = text.strip()
    return len(letter) == 1 and letter not in _DRAWN
