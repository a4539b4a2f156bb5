"""Blocks: a message reduced to what a small screen can use.

Nothing here may know a markup. A Block is a paragraph, heading, item, row, note … made of runs of text; its
Position says where in the message it begins, so that a page can start there again without what precedes it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import accumulate, groupby
from operator import attrgetter
from typing import Final

from gateway.addresses import Position as Position
from gateway.rendition import breaks


class Kind(Enum):
    """What a block is; its appearance is up to the markup."""

    HEADING = auto()
    PARAGRAPH = auto()
    ITEM = auto()  # of a list; `marker` holds the bullet or number, `indent` the depth
    ROW = auto()  # of a data table, already read out ("Item: Lamp · Price: 20 €")
    PREFORMATTED = auto()  # line breaks and spaces count
    RULE = auto()
    PICTURE = auto()  # `target` is a section or a URL, the text its alternative
    NOTE = auto()  # our words about the message, not the sender's
    FOLD = auto()  # our words in place of folded text; `target` unfolds it


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text with one style. `link` is an absolute URL of an allowed scheme, or ''.

    A "\\n" in `text` is a line break, in a block of any kind.
    """

    text: str
    strong: bool = False
    emphasis: bool = False
    code: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `quote` is the depth of quotation, `level` that of a heading (1 to 6).

    `target` of a NOTE: the section whose original has what is missing.
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
        text = ""
        for run in self.runs:  # faster than joining a list: most blocks have one run
            text += run.text
        return text


def leading(block: Block) -> Iterator[tuple[Run, tuple[Run, ...]]]:
    """Yield adjacent runs with one link: joined into one run, and as they are."""
    if len(block.runs) == 1:
        yield block.runs[0], block.runs
        return
    for url, group in groupby(block.runs, attrgetter("link")):
        runs = tuple(group)
        yield runs[0] if len(runs) == 1 else Run("".join(run.text for run in runs), link=url), runs


class _Cuts:
    """The ends of the runs of a block, so that a cut costs no more than the runs of its head."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._ends = list(accumulate(len(run.text) for run in block.runs))

    def _place(self, index: int) -> tuple[int, int]:
        """Return how many whole runs precede a character, and how many characters of the next one."""
        number = bisect_right(self._ends, index)
        inside = index - (self._ends[number - 1] if number else 0)
        return number, max(inside, 0) if number < len(self._ends) else 0

    def head(self, index: int) -> Block:
        """Return the block up to a character."""
        number, inside = self._place(index)
        runs = self._block.runs[: number + 1] if inside else self._block.runs[:number]
        if inside:
            runs = (*runs[:-1], replace(runs[-1], text=runs[-1].text[:inside]))
        return replace(self._block, runs=runs)

    def tail(self, index: int) -> Block:
        """Return the block from a character on, with its position and without a marker."""
        number, inside = self._place(index)
        runs = self._block.runs[number:]
        if inside:
            runs = (replace(runs[0], text=runs[0].text[inside:]), *runs[1:])
        at = replace(self._block.at, skip=self._block.at.skip + index)
        return replace(self._block, runs=runs, at=at, marker="")

    def apart(self, index: int) -> tuple[Block, Block]:
        """Return the block up to a character and from there on, without the blanks between them."""
        text = self._block.text
        margin = "\n" if self._block.kind is Kind.PREFORMATTED and text[index] == "\n" else None
        end, start = len(text[:index].rstrip()) or index, len(text) - len(text[index:].lstrip(margin))
        return self.head(end), self.tail(start)


def cut(block: Block, index: int) -> tuple[Block, Block]:
    """Cut a block before its character `index`; the tail has its position and no marker."""
    cuts = _Cuts(block)
    return cuts.head(index), cuts.tail(index)


Accept = Callable[[Block], bool]

#: Kinds that cannot be split.
_WHOLE: Final = frozenset({Kind.RULE, Kind.PICTURE, Kind.FOLD})
#: Where the search for the largest head starts by default, characters: about a small deck.
_FIRST_TRY: Final = 512
#: The first stride from there, as a fraction of it.
_FIRST_STRIDE: Final = 16
#: A block with fewer characters is not split; at least the smaller number stays together at the end or beginning of a
#: page.
_UNTORN: Final = 60
_LEAST: Final = 20
#: How far from where the largest head seems to end a try is sure to be on its side, characters.
_NEAR: Final = 2
#: How many such tries may be made instead of one that is asked for.
_TOLD: Final = 2
#: Precision of the search, characters: each try measures a block, and the cut moves back to a space anyway.
_CLOSE: Final = 3


class _Tries:
    """Which heads of a block are accepted, found by few tries: if one is, all shorter ones are.

    `more`: see `split`. The largest head is before the character `high`.
    """

    def __init__(self, cuts: _Cuts, accept: Accept, length: int, more: Callable[[], int] | None) -> None:
        self._cuts, self._accept, self._more = cuts, accept, more
        self._low, self.high = 0, length
        self._aim: int | None = None  # where the largest head seems to end

    def takes(self, at: int) -> bool:
        """Return whether the head before a character is accepted; others may tell, and more."""
        for _ in range(_TOLD):
            if self._low < at < self.high and self._aim is not None:
                self.attempt(max(at, self._aim - _NEAR) if at < self._aim else min(at, self._aim + _NEAR))
        if self._low < at < self.high:
            self.attempt(at)
        return at <= self._low

    def attempt(self, at: int) -> None:
        """Ask about a head that is not known yet, or one next to it."""
        at = min(max(at, self._low + 1), self.high - 1)
        if self._accept(self._cuts.head(at)):
            self._low = at
        else:
            self.high = at
        if self._more:
            self._aim = at + self._more()


def _largest(
    takes: Callable[[int], bool], length: int, guess: int, settled: Callable[[int, int], bool]
) -> int:
    """Return the largest index before `length` whose head is accepted, to within _CLOSE, in strides from a guess.

    `takes` returns whether the head before an index is accepted. `settled` returns whether all indexes between two give
    the same cut: then any of them will do.
    """
    low, high = 0, length
    at, stride = guess, max(guess // _FIRST_STRIDE, _CLOSE)
    while low < at < high:
        if takes(at):
            low, at = at, at + stride
        else:
            high, at = at, at - stride
        if low and high < length:
            break
        stride *= 2
    while high - low > (_CLOSE if high > _FIRST_STRIDE * _CLOSE else 1):
        if low and settled(low, high - 1):
            break
        middle = (low + high) // 2
        if takes(middle):
            low = middle
        else:
            high = middle
    return low


def split(
    block: Block,
    accept: Accept,
    guess: int = _FIRST_TRY,
    tear: bool = True,
    spare: int = 0,
    more: Callable[[], int] | None = None,
) -> tuple[Block, Block] | None:
    """Cut off the largest head that `accept` takes, at a sentence, word or grapheme; None if nothing fits.

    `accept` must accept every head that is shorter than one it accepts; `guess`: how many characters that may be.
    `tear`: take the beginning of a short block or word rather than nothing. `spare`: how many characters a break at a
    sentence may waste. `more` returns about how many characters more than it was last asked about `accept` would take,
    below 0 how many fewer; before it is asked, how many it would take. It saves tries, and changes nothing else.
    The tail has no leading spaces, and is not empty.
    """
    text = block.text
    length = len(text.rstrip())
    if block.kind in _WHOLE or length < (2 if tear else _UNTORN):
        return None
    cuts = _Cuts(block)
    tries = _Tries(cuts, accept, length, more)

    def settled(least: int, most: int) -> bool:
        limits = (breaks.grapheme_before(text, least), breaks.grapheme_before(text, most))
        least, most = (breaks.best(text, limit, spare) for limit in limits)
        return least == most and bool(text[:least].strip()) and not breaks.is_bare(text[:least])

    if more:
        tries.attempt(max(more(), 1 if tear else _LEAST))
        if not tear and tries.high <= _LEAST:
            return None
    most = length - _LEAST if length >= _UNTORN else length
    limit = breaks.grapheme_before(text, min(_largest(tries.takes, length, guess, settled), most))
    if not text[:limit].strip():
        return None
    index = breaks.best(text, limit, spare)
    if index < _LEAST and not tear:
        return None
    if breaks.is_bare(text[:index]):
        if not tear:
            return None
        index = limit
    return cuts.apart(index)
