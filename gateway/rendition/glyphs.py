"""Characters: removes from a message those that are invisible or change the direction of text.

Nothing here may know of blocks. On a small screen, bidirectional embeddings, overrides and isolates (Unicode UAX #9 §2)
serve only to disguise; zero-width characters and soft hyphens pad preheaders.
"""

from __future__ import annotations

import re
from typing import Final

_CONTROLS: Final = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff"
)
_UNSEEN: Final = re.compile(f"[{_CONTROLS}]")
#: Characters that only a certain font draws: nothing, where it is missing. QUIRK: Word writes the signs of its fonts
#: this way.
_PRIVATE: Final = re.compile("[\ue000-\uf8ff]")
_DRAWN: Final = {
    "\uf0b7": "•", "\uf0a7": "•", "\uf0a8": "•", "\uf06e": "•", "\uf076": "•",
    "\uf0d8": "►", "\uf0e0": "→", "\uf0fc": "✓", "\uf04a": ":-)", "\uf04b": ":-|", "\uf04c": ":-(",
}  # fmt: skip
#: QUIRK: UTF-8 that was taken for Windows-1252 and encoded again: emoji, quotation marks and dashes.
_TWICE: Final = re.compile("\xf0[\u0178\x9f][\x80-\u2122]{2}|\xe2[\u20ac\x80][\x80-\u2122]")
#: Characters that are drawn as nothing or as a space, and joiners, which are padding next to one.
_SPECIAL: Final = "\u200c\u200d\u115f\u1160\u2800\u3164"
_BLANKS_SPECIAL: Final = re.compile(rf"[\s{_SPECIAL}]+")
#: Joiners have no use in scripts whose letters do not join; there they pad words to evade filters.
_PADDING: Final = re.compile("(?<=[\x00-\u052f])[\u200c\u200d]++(?![^\x00-\u052f])")
_BETWEEN: Final = re.compile(r"[\W_]+")
#: Variation selectors with no character before them.
_SELECTS_NOTHING: Final = re.compile("(?:(?<=\\s)|\\A)[\ufe00-\ufe0f]+")
_JOINERS: Final = "\u200c\u200d"
#: All that `visible` looks for: one search for it takes a third of the time, and most texts have none.
_LOOKED_FOR: Final = re.compile(f"[{_CONTROLS}{_JOINERS}\u2028\u2029\xe2\xf0\ue000-\uf8ff\ufe0e\ufe0f]")
EDGES: Final = " \t\r\n\x0b\x0c\x85\xa0" + _SPECIAL


def visible(text: str) -> str:
    """Remove control, bidirectional and zero-width characters; line ends and tabs stay."""
    if text.isascii():
        return text if text.isprintable() else _UNSEEN.sub("", text)
    if _LOOKED_FOR.search(text) is None:
        return text
    if "\u2028" in text or "\u2029" in text:
        text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    if "\xf0" in text or "\xe2" in text:
        text = _TWICE.sub(_once, text)
    text = unpadded(_UNSEEN.sub("", text))
    if _PRIVATE.search(text):
        text = _PRIVATE.sub(_of_private, text)
    return _SELECTS_NOTHING.sub("", text) if "\ufe0f" in text or "\ufe0e" in text else text


def _of_private(match: re.Match[str]) -> str:
    return _DRAWN.get(match.group(), "")


def _once(match: re.Match[str]) -> str:
    octets = bytearray()
    for character in match.group():
        try:
            octets += character.encode("latin-1" if "\x80" <= character < "\xa0" else "cp1252")
        except UnicodeEncodeError:
            return match.group()
    return octets.decode("utf-8", "ignore") or match.group()


def unpadded(text: str) -> str:
    """Remove joiners between letters that do not join."""
    return _PADDING.sub("", text) if "\u200c" in text or "\u200d" in text else text


def words(text: str) -> str:
    """Reduce a text to its words with a space around each, for comparison."""
    return f" {_BETWEEN.sub(' ', text.casefold()).strip()} "


def _one(match: re.Match[str]) -> str:
    blanks = match.group()
    return " " if blanks.strip(_JOINERS) else blanks


def collapse(text: str) -> str:
    """Replace each run of white space of any kind with one space."""
    if not text.isascii():
        for special in _SPECIAL:  # several times as fast as a pattern
            if special in text:
                text = _BLANKS_SPECIAL.sub(_one, text)
                break
    if text.isprintable() and "  " not in text:  # no other white space is printable
        return text
    joined = " ".join(text.split())
    before = " " if text[:1].isspace() else ""
    return f"{before}{joined} " if joined and text[-1].isspace() else before + joined


def collapse_lines(text: str) -> str:
    """Collapse white space within lines, and strip the lines and the text."""
    return "\n".join(collapse(line).strip(EDGES) for line in text.split("\n")).strip(EDGES)
