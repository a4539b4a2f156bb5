"""A cache of recently read documents, so that turning a page needs neither the file nor its parser again.

Nothing here may be required: what was evicted is read again. The cache holds text of people's mail: keyed by account,
in this process only, with a limit in characters for one document and for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final, cast

from gateway.message.model import Part
from gateway.rendition.blocks import Block, Kind, Position, Run, cut
from gateway.rendition.documents import DocumentError
from gateway.web.attachments.result_cache import CacheKey, ResultCache

#: Characters to read at a time (some ten pages on a small phone), to keep per document, and to keep per process.
CHUNK: Final = 20_000
MOST_PER_DOCUMENT: Final = 400_000
MOST_PER_PROCESS: Final = 2_000_000
#: Characters added to each block's own length, for Python's overhead.
_EACH: Final = 100
#: Maximum number of documents in the cache.
DOCUMENTS: Final = 16


@dataclass(frozen=True, slots=True)
class CachedBlocks:
    """Consecutive blocks of a file. `begins`, `ended`: they include its first, its last block. `part`: the file."""

    part: Part
    blocks: tuple[Block, ...] = ()
    begins: bool = False
    ended: bool = False

    @property
    def weight(self) -> int:
        return sum(len(block.text) + _EACH for block in self.blocks)

    def after(self, at: Position) -> list[Block] | None:
        """Return the cached blocks from a position on, or None if they are not cached."""
        if not self.blocks or not (self.begins or self.blocks[0].at.start <= at.start):
            return None
        rest = [block for block in self.blocks if block.at.start >= at.start]
        if rest and rest[0].at.start == at.start and at.skip:
            rest[:1] = [half for half in (cut(rest[0], at.skip)[1],) if half.runs]
        return rest or None


def new_cache() -> ResultCache[CachedBlocks]:
    """Return an empty document cache for one process."""
    return ResultCache(DOCUMENTS, MOST_PER_PROCESS, lambda kept: kept.weight)


class CachedReader:
    """Reads the blocks of one document from the cache, or else through `read`, and caches them.

    `read` starts at a position and may raise DocumentError; `translate` turns the error's sentence into the person's
    language.
    """

    def __init__(
        self,
        kept: ResultCache[CachedBlocks],
        key: CacheKey,
        part: Part,
        read: Callable[[Position], Iterator[Block]],
        translate: Callable[[str], str],
    ) -> None:
        self._cache, self._key, self._part = kept, key, part
        self._read, self._translate = read, translate

    def blocks(self, at: Position) -> Iterator[Block]:
        """Yield the blocks from a position on. Raise DocumentError if nothing can be read."""
        known = self._cache.get(self._key) or CachedBlocks(self._part)
        rest = known.after(at)
        if rest is None:
            known = CachedBlocks(self._part, begins=not (at.start or at.skip))
        else:
            yield from rest
            at = rest[-1].at
        if not known.ended:
            yield from self._read_on(known, at, 0 if rest is None else 1)

    def _read_on(self, known: CachedBlocks, at: Position, again: int) -> Iterator[Block]:
        """Read on, chunk by chunk; `again` is 1 if the first block has been yielded already."""
        found = cast(Generator[Block, None, None], self._read(replace(at, skip=0) if again else at))
        with closing(found):
            while not known.ended:
                chunk, ended, failure = _read_chunk(found)
                blocks, again = chunk[again:], max(again - len(chunk), 0)
                if blocks and known.weight <= MOST_PER_DOCUMENT:
                    known = replace(known, blocks=known.blocks + tuple(blocks), ended=ended and not failure)
                    self._cache.put(self._key, known)
                yield from blocks
                if failure is not None:
                    yield self._note(
                        failure, chunk[-1] if chunk else known.blocks[-1] if known.blocks else None
                    )
                if ended:
                    return

    def _note(self, failure: DocumentError, last: Block | None) -> Block:
        """Return a note about the error to follow the last block; the next request tries again from there."""
        if last is None:
            raise failure
        at = Position(last.at.section, last.at.start + 1)
        return Block(Kind.NOTE, (Run(self._translate(failure.sentence)),), at)


def _read_chunk(found: Iterator[Block]) -> tuple[list[Block], bool, DocumentError | None]:
    """Read some blocks; return them, whether they are the last, and the error if there was one."""
    chunk: list[Block] = []
    size = 0
    try:
        for block in found:
            chunk.append(block)
            size += len(block.text) + _EACH
            if size > CHUNK:
                return chunk, False, None
    except DocumentError as error:
        return chunk, True, error
    return chunk, True, None
