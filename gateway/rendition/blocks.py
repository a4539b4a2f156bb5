"""Blocks: what is left of a message when only what a small screen can use is kept.

Nothing here may know a markup. A Block is a paragraph, heading, item, row, note … made of runs of text; its
Position says where in the message it begins, so that a page can be opened there again without what precedes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from gateway.errors import BadRequest
from gateway.rendition import breaks


class Kind(Enum):
    """What a block is. How it looks is the markup's business."""

    HEADING = auto()
    PARAGRAPH = auto()
    ITEM = auto()  # of a list; `marker` holds the bullet or number, `indent` the depth
    ROW = auto()  # of a data table, already read out ("Item: Lamp · Price: 20 €")
    PREFORMATTED = auto()  # line breaks and blanks count
    RULE = auto()
    PICTURE = auto()  # `target` is a section or a URL, the text its alternative
    NOTE = auto()  # our own words about the message, not the sender's
    FOLD = auto()  # our own words in place of folded text; `target` is what unfolds it


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text with one look. `link` is an absolute URL of an allowed scheme, or ''.

    A "\\n" in `text` is a line break, in a block of any kind.
    """

    text: str
    strong: bool = False
    emphasis: bool = False
    code: bool = False
    link: str = ""


_POSITION: Final = re.compile(r"((?:[0-9]+(?:\.[0-9]+)*t?)?)-([0-9a-z]+)([A-Z]*)(?:-([0-9a-z]+))?\Z")
#: What a section of a message's text ends with (RFC 9051 §6.4.5), and how a position spells that.
_TEXT, _T = ".TEXT", "t"
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
#: Characters that `Position.encode` may return; leaves room for mailbox, UID and token in 75 octets of path.
POSITION_LIMIT: Final = 30


def _base36(number: int) -> str:
    out = ""
    while True:
        number, digit = divmod(number, 36)
        out = _DIGITS[digit] + out
        if not number:
            return out


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a message that reading can start at.

    `section`: the part, "" for the message itself. `start`: for text parts an octet offset into the encoded body
    at a safe boundary; for parts that are read whole (HTML) the ordinal of the block. `state`: capital letters,
    what the reader needs to know to begin there (decoder state, quoting; owned by the viewer of the part). `skip`:
    characters of the block found there that were already shown.
    """

    section: str = ""
    start: int = 0
    state: str = ""
    skip: int = 0

    def encode(self) -> str:
        """Say the position in characters that need no escaping in a URL."""
        tail = f"-{_base36(self.skip)}" if self.skip else ""
        section = self.section.removesuffix(_TEXT) + _T if self.section.endswith(_TEXT) else self.section
        return f"{section}-{_base36(self.start)}{self.state}{tail}"

    @classmethod
    def decode(cls, text: str) -> Position:
        """Read what `encode` wrote; raise BadRequest for anything else."""
        match = _POSITION.match(text) if len(text) <= 2 * POSITION_LIMIT else None
        if match is None:
            raise BadRequest("position")
        section, start, state, skip = match.groups()
        section = section.removesuffix(_T) + _TEXT if section.endswith(_T) else section
        return cls(section, int(start, 36), state, int(skip or "0", 36))


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `quote` is the depth of quotation, `level` that of a heading (1 to 6).

    `target` of a NOTE: the section whose original has what the note misses.
    """

    kind: Kind
    runs: tuple[Run, ...]
    at: Position = Position()
    quote: int = 0
    indent: int = 0
    level: int = 0
    marker: str = ""
    target: str = ""

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


def cut(block: Block, index: int) -> tuple[Block, Block]:
    """Cut a block before its character `index`; the tail knows its position and has no marker."""
    head: list[Run] = []
    tail: list[Run] = []
    seen = 0
    for run in block.runs:
        inside = index - seen
        seen += len(run.text)
        if seen <= index:
            head.append(run)
        elif inside <= 0:
            tail.append(run)
        else:
            head.append(replace(run, text=run.text[:inside]))
            tail.append(replace(run, text=run.text[inside:]))
    at = replace(block.at, skip=block.at.skip + index)
    return replace(block, runs=tuple(head)), replace(block, runs=tuple(tail), at=at, marker="")


Accept = Callable[[Block], bool]

#: Kinds that are one piece: cutting them would make two of what is one.
_WHOLE: Final = frozenset({Kind.RULE, Kind.PICTURE, Kind.FOLD})
#: Where the search for the largest head begins unless the caller knows better, characters: about a small deck.
_FIRST_TRY: Final = 512
#: The first stride from there, as a part of it.
_FIRST_STRIDE: Final = 16
#: The search ends this near, characters: each try weighs a block, and the cut goes back to a blank anyway.
_CLOSE: Final = 3


def _largest(block: Block, accept: Accept, length: int, guess: int) -> int:
    """Return the largest index before `length` whose head is accepted, to within _CLOSE, by strides from a guess."""
    low, high = 0, length
    at, stride = guess, max(guess // _FIRST_STRIDE, _CLOSE)
    while low < at < high:
        if accept(cut(block, at)[0]):
            low, at = at, at + stride
        else:
            high, at = at, at - stride
        if low and high < length:
            break
        stride *= 2
    while high - low > (_CLOSE if high > _FIRST_STRIDE * _CLOSE else 1):
        middle = (low + high) // 2
        if accept(cut(block, middle)[0]):
            low = middle
        else:
            high = middle
    return low


def split(
    block: Block, accept: Accept, guess: int = _FIRST_TRY, tear: bool = True, spare: int = 0
) -> tuple[Block, Block] | None:
    """Cut off the largest head that `accept` takes, at a sentence, word or grapheme; None if nothing fits.

    `accept` is expected to take every head shorter than one that it takes; `guess`: how many characters it may
    take. `tear`: rather than nothing, take the beginning of a short word. `spare`: characters that stopping at a
    sentence's end may cost. The tail has no leading blanks, and is not empty.
    """
    text = block.text
    length = len(text.rstrip())
    if block.kind in _WHOLE or length < 2:
        return None
    limit = breaks.grapheme_before(text, _largest(block, accept, length, guess))
    if not text[:limit].strip():
        return None
    index = breaks.best(text, limit, spare)
    if not text[:index].strip():
        if not tear:
            return None
        index = limit
    head_end = len(text[:index].rstrip()) or index
    tail_start = index + len(text[index:]) - len(text[index:].lstrip())
    return cut(block, head_end)[0], cut(block, tail_start)[1]
