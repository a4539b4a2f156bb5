"""What was read of documents last, so that the next page needs neither the file nor its parser again.

Nothing here may be needed: what has fallen off is read anew. What is kept is text of one account's mail: under that
account's key, in this process only, bounded in characters for one document and for all together.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final, cast

from gateway.message.model import Part
from gateway.rendition.blocks import Block, Kind, Position, Run, cut
from gateway.rendition.documents import DocumentError
from gateway.web.shelf import Key, Shelf

#: Characters read at a time, some ten pages of a small phone; kept of one document; and kept of all in a process.
GULP: Final = 20_000
MOST_OF_ONE: Final = 400_000
MOST: Final = 2_000_000
#: Characters that a block counts for beside its own: what Python needs to hold it.
_EACH: Final = 100
#: Documents kept.
DOCUMENTS: Final = 16


@dataclass(frozen=True, slots=True)
class Kept:
    """Blocks of a file that follow each other; whether they begin and end it; `part`: what the file is."""

    part: Part
    blocks: tuple[Block, ...] = ()
    begins: bool = False
    ended: bool = False

    @property
    def weight(self) -> int:
        return sum(len(block.text) + _EACH for block in self.blocks)

    def after(self, at: Position) -> list[Block] | None:
        """Return what is kept from a position on, None if that is not kept."""
        if not self.blocks or not (self.begins or self.blocks[0].at.start <= at.start):
            return None
        rest = [block for block in self.blocks if block.at.start >= at.start]
        if rest and rest[0].at.start == at.start and at.skip:
            rest[:1] = [half for half in (cut(rest[0], at.skip)[1],) if half.runs]
        return rest or None


def shelf() -> Shelf[Kept]:
    """Make the shelf of a process."""
    return Shelf(DOCUMENTS, MOST, lambda kept: kept.weight)


class Rereader:
    """The blocks of one document, from the shelf where they are, else from `read`, and then put there.

    `read` begins at a position; it raises DocumentError. `say` says the sentence of one in words.
    """

    def __init__(
        self,
        kept: Shelf[Kept],
        key: Key,
        part: Part,
        read: Callable[[Position], Iterator[Block]],
        say: Callable[[str], str],
    ) -> None:
        self._shelf, self._key, self._part = kept, key, part
        self._read, self._say = read, say

    def blocks(self, at: Position) -> Iterator[Block]:
        """Yield blocks from a position on; raise DocumentError if nothing can be read."""
        known = self._shelf.get(self._key) or Kept(self._part)
        rest = known.after(at)
        if rest is None:
            known = Kept(self._part, begins=not (at.start or at.skip))
        else:
            yield from rest
            at = rest[-1].at
        if not known.ended:
            yield from self._further(known, at, 0 if rest is None else 1)

    def _further(self, known: Kept, at: Position, again: int) -> Iterator[Block]:
        """Read on, gulp by gulp; the first block is there already if `again` is 1."""
        found = cast(Generator[Block, None, None], self._read(replace(at, skip=0) if again else at))
        with closing(found):
            while not known.ended:
                gulp, ended, failure = _gulp(found)
                blocks, again = gulp[again:], max(again - len(gulp), 0)
                if blocks and known.weight <= MOST_OF_ONE:
                    known = replace(known, blocks=known.blocks + tuple(blocks), ended=ended and not failure)
                    self._shelf.put(self._key, known)
                yield from blocks
                if failure is not None:
                    yield self._note(
                        failure, gulp[-1] if gulp else known.blocks[-1] if known.blocks else None
                    )
                if ended:
                    return

    def _note(self, failure: DocumentError, last: Block | None) -> Block:
        """Say behind the last block what went wrong; next time it is tried again from there."""
        if last is None:
            raise failure
        at = Position(last.at.section, last.at.start + 1)
        return Block(Kind.NOTE, (Run(self._say(failure.sentence)),), at)


def _gulp(found: Iterator[Block]) -> tuple[list[Block], bool, DocumentError | None]:
    """Pull some blocks; say whether they are the last, and what went wrong."""
    gulp: list[Block] = []
    size = 0
    try:
        for block in found:
            gulp.append(block)
            size += len(block.text) + _EACH
            if size > GULP:
                return gulp, False, None
    except DocumentError as error:
        return gulp, True, error
    return gulp, True, None
