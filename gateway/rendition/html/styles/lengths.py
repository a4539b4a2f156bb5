"""Lengths and numbers of CSS and HTML attributes.

Nothing here may raise: what is not a number is None or a default.
"""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(r"\s*(-?\d{1,6})")
AMOUNT: Final = re.compile(r"\s*(-?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}))(%?)")
_VALUE: Final = re.compile(r"-?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:[a-z]{1,4}|%)?")


def number(text: str) -> int | None:
    """Parse the integer at the start of a length."""
    match = _NUMBER.match(text)
    return int(match.group(1)) if match else None


def part(text: str, otherwise: float) -> float:
    """Parse a fraction or a percentage, as a fraction."""
    match = AMOUNT.match(text)
    if match is None:
        return otherwise
    return float(match.group(1)) / (100 if match.group(2) else 1)


def values(text: str) -> list[float]:
    """Parse all numbers in a text, whatever their units."""
    return [part(value, 0) * (100 if value.endswith("%") else 1) for value in _VALUE.findall(text)[:8]]
