"""Segments: blocks with what folding needs to know about each; and a reader's state as letters.

Nothing here may know a media type. In a text block, `Position.state` is one letter for the reader, then the letters of
the body's decoder; it is empty if both are in their initial state. Reading from a block's position with its state
yields the same blocks as reading from the beginning: the letter has everything that a reader remembers between blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from gateway.rendition.blocks import Block

#: The most characters of a block, so that splitting and laying it out costs little.
BLOCK_LIMIT: Final = 4000


class Role(Enum):
    """Whose words a block is, for folding. Its hash is that of any object, which takes no call: it is looked up for
    each block."""

    __hash__ = object.__hash__

    BODY = "body"
    ATTRIBUTION = "attribution"  # "On Monday, Anna wrote:"
    QUOTE = "quote"
    SIGNATURE = "signature"
    FOOTER = "footer"  # what a mailing list appends
    LEGAL = "legal"
    FILE = "file"  # encoded octets
    HEADER = "header"  # a raw mail header in the text


class Mode(Enum):
    """The stretch of a text that a reader is in."""

    BODY = 0
    SIGNATURE = 1
    TAIL = 2  # an original message, quoted without marks, to the end


@dataclass(frozen=True, slots=True)
class TextSegment:
    """A block, its role, its number of lines, and its label when folded, unless that is its role's."""

    block: Block
    role: Role = Role.BODY
    lines: int = 1
    label: str = ""


#: Depths of quotation that a state inside a long line can hold: 0, 1, 2 and more.
_DEPTHS: Final = 3
#: Letters before the reader's own, which is never one of them: one for text that OpenPGP signs in the clear, two for a
#: line below a quoted one, three for both; and, before these, for a message that is read with its hidden text, as it
#: has no other text.
_FURTHER: Final = "Z"
UNSEEN: Final = "Y"


@dataclass(frozen=True, slots=True)
class ReaderState:
    """What a reader remembers. `opened`: an unfolded stretch continues; `middle`: the depth of quotation + 1 if reading
    begins inside a line, else 0; `decoder`: the letters of the body's decoder; `signed`: inside text that OpenPGP signs
    in the clear, with escaped dashes; `below`: the line above is quoted, and that matters."""

    opened: bool = False
    mode: Mode = Mode.BODY
    middle: int = 0
    decoder: str = ""
    signed: bool = False
    below: bool = False

    def encode(self) -> str:
        number = (self.middle * len(Mode) + self.mode.value) * 2 + self.opened
        first = _FURTHER * (self.signed + 2 * self.below)
        return first + chr(65 + number) + self.decoder if number or self.decoder or first else ""

    @classmethod
    def decode(cls, letters: str) -> ReaderState:
        """Parse what `encode` returned; anything else is the initial state."""
        whole, letters = letters, letters.lstrip(_FURTHER)
        below, signed = divmod(len(whole) - len(letters), 2)
        number = ord(letters[0]) - 65 if letters else 0
        rest, opened = divmod(number, 2)
        middle, mode = divmod(rest, len(Mode))
        if not 0 <= middle <= _DEPTHS or below > 1:
            return cls()
        return cls(bool(opened), Mode(mode), middle, letters[1:], bool(signed), bool(below))


def middle_of(depth: int) -> int:
    """Return `ReaderState.middle` for a line quoted `depth` times."""
    return min(depth, _DEPTHS - 1) + 1
