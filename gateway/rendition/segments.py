"""Segments: blocks as a reader makes them, with what folding must know of each; and a reader's state in letters.

Nothing here may know a kind of part. `Position.state` of a block of text is one letter of ours, then whatever the
decoder of the body needs; it is empty when both are in their first state. Reading that begins at a block's
position with its state yields the same blocks as reading from the beginning: all that a reader remembers from
one block to the next is in this letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from gateway.rendition.blocks import Block

#: Blocks are kept below this, characters, so that splitting and laying out one costs little.
BLOCK_LIMIT: Final = 4000


class Role(Enum):
    """Whose words a block is, as far as folding cares."""

    BODY = "body"
    ATTRIBUTION = "attribution"  # "On Monday, Anna wrote:"
    QUOTE = "quote"
    SIGNATURE = "signature"
    FOOTER = "footer"  # what a mailing list appends
    LEGAL = "legal"
    FILE = "file"  # octets written as letters, which nobody reads


class Mode(Enum):
    """Which stretch of a text a reader is in."""

    BODY = 0
    SIGNATURE = 1
    TAIL = 2  # an original message, quoted without marks, to the end


@dataclass(frozen=True, slots=True)
class Segment:
    """A block, its role, and how many lines it had."""

    block: Block
    role: Role = Role.BODY
    lines: int = 1


#: Depths of quotation that the middle of a long line can tell: 0, 1, 2 and more.
_DEPTHS: Final = 3


@dataclass(frozen=True, slots=True)
class State:
    """What a reader remembers: `opened`: an unfolded stretch goes on; `middle`: depth of quotation + 1 when
    reading begins inside a line, else 0; `decoder`: the letters of the body's decoder."""

    opened: bool = False
    mode: Mode = Mode.BODY
    middle: int = 0
    decoder: str = ""

    def encode(self) -> str:
        number = (self.middle * len(Mode) + self.mode.value) * 2 + self.opened
        return chr(65 + number) + self.decoder if number or self.decoder else ""

    @classmethod
    def decode(cls, letters: str) -> State:
        """Read what `encode` wrote; anything else means the first state."""
        number = ord(letters[0]) - 65 if letters else 0
        rest, opened = divmod(number, 2)
        middle, mode = divmod(rest, len(Mode))
        if not 0 <= middle <= _DEPTHS:
            return cls()
        return cls(bool(opened), Mode(mode), middle, letters[1:])


def middle_of(depth: int) -> int:
    """Return `State.middle` for a line quoted `depth` times."""
    return min(depth, _DEPTHS - 1) + 1
