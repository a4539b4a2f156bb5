"""Where text may be broken: at sentences, at words, or failing that between graphemes.

Nothing here may know of blocks or pages. Follows Unicode UAX #29 (grapheme clusters) and UAX #14
(line breaking) as far as a small screen needs: no cluster is cut, no line begins with a closing mark.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: A "cluster" of more code points is taken for an attack and may be cut (UAX #15 stream-safe text: 30).
CLUSTER_LIMIT: Final = 32
#: A break at the end of a line or sentence is preferred if it wastes at most this fraction of what would fit.
SENTENCE_WINDOW: Final = 0.25
#: A break at the end of a word is preferred if it wastes at most this fraction.
WORD_WINDOW: Final = 0.6
#: A longer word may be cut, characters; a shorter one moves to the next page whole, at any cost.
WHOLE_WORD: Final = 48

_SENTENCE_END: Final = re.compile(r"(?:[.!?…][\"'”’»)\]]{0,3}(?=\s)|[。！？][」』）]{0,2})")
_NOT_FIRST: Final = frozenset(
    "、。，．・：；？！）］｝」』】〉》ーぁぃぅぇぉっゃゅょァィゥェォッャュョ,.;:!?)]}»”’"
)
#: Signs, or the number of an item, which may not stand alone at the end of a page.
_MARKER: Final = re.compile(r"\s*(?:\(?(?:\d{1,3}|[A-Za-z])[.)])?[\W_]*\Z")
_JOINER: Final = "\u200d"


def _extends(character: str) -> bool:
    """Return whether a character belongs to the one before it."""
    code = ord(character)
    if code < 0x300:
        return False
    return (
        character == _JOINER
        or code == 0x200C
        or 0x1F3FB <= code <= 0x1F3FF  # skin tones
        or 0xE0020 <= code <= 0xE007F  # tags of flags
        or 0x1160 <= code <= 0x11FF  # vowels and finals of decomposed Hangul
        or unicodedata.category(character) in ("Mn", "Mc", "Me")
    )


def _is_joined(text: str, index: int) -> bool:
    return _extends(text[index]) or text[index - 1] == _JOINER


def _regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def between_graphemes(text: str, index: int) -> bool:
    """Return whether a cut before `index` is between graphemes."""
    if index <= 0 or index >= len(text):
        return True
    before, after = text[index - 1], text[index]
    if after < "\u0300" and (before != _JOINER or after.isspace()):
        return True
    floor = max(index - CLUSTER_LIMIT, 0)
    if _extends(after) or before == _JOINER:
        return floor > 0 and all(_is_joined(text, at) for at in range(floor, index))
    if _regional(before) and _regional(after):
        first = index
        while first > floor and _regional(text[first - 1]):
            first -= 1
        return (index - first) % 2 == 0
    return True


def grapheme_before(text: str, index: int) -> int:
    """Return the last index up to `index` that is between graphemes; 0 if there is none."""
    while index > 0 and not between_graphemes(text, index):
        index -= 1
    return index


def _wide(character: str) -> bool:
    """Return whether lines may break after this character without a space (CJK, UAX #14 class ID)."""
    return character >= "\u2e80" and unicodedata.east_asian_width(character) in ("W", "F")


def _last_word_end(text: str, limit: int, floor: int) -> int:
    for index in range(limit, floor, -1):
        if text[index].isspace() if index < len(text) else True:
            return index
        if text[index - 1].isspace():
            return index
        if _wide(text[index - 1]) and text[index] not in _NOT_FIRST and between_graphemes(text, index):
            return index
    return 0


def _start_of_short_word(text: str, limit: int) -> int:
    """Return where the word around `limit` begins, or `limit` if that word is long."""
    start = limit
    while start and limit - start < WHOLE_WORD and not text[start - 1].isspace():
        start -= 1
    end = limit
    while end < len(text) and end - start <= WHOLE_WORD and not text[end].isspace():
        end += 1
    return start if end - start <= WHOLE_WORD else limit


def best(text: str, limit: int, spare: int = 0) -> int:
    """Return the best place to break up to `limit`, where a cut is allowed.

    `spare`: characters that a break at a line or sentence may always waste. A result of 0: everything before `limit` is
    the beginning of one short word.
    """
    floor = max(limit - max(int(limit * SENTENCE_WINDOW), spare), 0)
    line = text.rfind("\n", floor, limit + 1)
    if line > 0:
        return line
    ends = [match.end() for match in _SENTENCE_END.finditer(text, floor, min(limit + 1, len(text)))]
    ends = [end for end in ends if end <= limit and between_graphemes(text, end)]
    if ends:
        return ends[-1]
    word = _last_word_end(text, limit, limit - int(limit * WORD_WINDOW))
    return word or _start_of_short_word(text, limit)


def is_bare(text: str) -> bool:
    """Return whether a text means nothing without what follows it: signs, or the number of an item."""
    return _MARKER.match(text) is not None
