"""Numerals: how office formats number items.

Nothing here may know a format's markup; the names of both families are in one table. ISO 29500-1 §17.18.59,
ODF 1.2-1 §19.500.
"""

from __future__ import annotations

from typing import Final

_ROMAN: Final = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
#: Larger numbers are written in digits: Roman numerals and repeated letters get long.
_LIMIT: Final = 400


def _roman(number: int) -> str:
    out = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        out += letters * count
    return out


def _letters(number: int) -> str:
    repeated, index = divmod(number - 1, 26)
    return chr(97 + index) * (repeated + 1)


_FORMS: Final = {
    "lowerRoman": _roman, "i": _roman, "upperRoman": _roman, "I": _roman,
    "lowerLetter": _letters, "a": _letters, "upperLetter": _letters, "A": _letters,
}  # fmt: skip
_UPPER: Final = frozenset({"upperRoman", "I", "upperLetter", "A"})


def say(number: int, form: str) -> str:
    """Format a positive number; an unknown form means digits."""
    if form not in _FORMS or not 0 < number <= _LIMIT:
        return str(number)
    said = _FORMS[form](number)
    return said.upper() if form in _UPPER else said
