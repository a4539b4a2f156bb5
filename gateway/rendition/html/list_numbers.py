"""The numbers of list items, counted as in HTML (HTML §4.4.5: start, reversed, type, value).

Nothing here may know a parser.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.rendition.html.styles import lengths
from gateway.rendition.unplaced import Draft

BULLET: Final = "•"
#: Roman numerals and letters are used only below this.
_LETTERS_LIMIT: Final = 1000
_ROMAN: Final = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


def _letters(number: int) -> str:
    out = ""
    while number > 0:
        number, digit = divmod(number - 1, 26)
        out = chr(97 + digit) + out
    return out


def _roman(number: int) -> str:
    out = ""
    for value, sign in _ROMAN:
        out += sign * (number // value)
        number %= value
    return out


def marker(number: int, kind: str) -> str:
    """Format a number in the style of a list's `type`."""
    said = str(number)
    if 0 < number < _LETTERS_LIMIT and kind in ("a", "A"):
        said = _letters(number)
    elif 0 < number < _LETTERS_LIMIT and kind in ("i", "I"):
        said = _roman(number)
    return (said.upper() if kind in ("A", "I") else said) + "."


@dataclass(slots=True)
class Counter:
    """Counts the items of one list; `numbered`: the drafts with its markers."""

    ordered: bool = False
    number: int = 1
    step: int = 1
    kind: str = "1"
    recount: bool = False
    numbered: list[Draft] = field(default_factory=list)

    @classmethod
    def of(cls, name: str, attributes: Mapping[str, str]) -> Counter:
        """Make the counter for a list element."""
        start = lengths.number(attributes.get("start", ""))
        backwards = "reversed" in attributes
        return cls(
            ordered=name == "ol",
            number=1 if start is None else start,
            step=-1 if backwards else 1,
            kind=attributes.get("type", "1"),
            recount=backwards and start is None,
        )

    def next(self, attributes: Mapping[str, str]) -> str:
        """Return the marker of the next item."""
        if not self.ordered:
            return BULLET
        value = lengths.number(attributes.get("value", ""))
        if value is not None:
            self.number = value
        said = marker(self.number, attributes.get("type", self.kind))
        self.number += self.step
        return said

    def finish(self) -> None:
        """Number a reversed list, now that its length is known."""
        if self.recount:
            for number, draft in enumerate(reversed(self.numbered), 1):
                draft.marker = marker(number, self.kind)
