"""Folding: long quotations, signatures and legal notices become one line that opens in place.

Nothing here may lose a word, and nothing between two quotations is folded: only blocks with certain roles are. A
stretch that is open, or not worth folding, marks its positions, so that reading can continue inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from gateway.rendition.blocks import Block, Kind, Run
from gateway.rendition.context import Context
from gateway.rendition.segments import Mode, ReaderState, Role, TextSegment

#: Fewer lines are not folded: a line in their place would save nothing.
FOLDED_LINES: Final = {
    Role.QUOTE: 4,
    Role.SIGNATURE: 3,
    Role.FOOTER: 2,
    Role.LEGAL: 1,
    Role.FILE: 1,
    Role.HEADER: 3,
}
#: Characters read ahead for the end of a stretch, which limits the cost of a page; a longer stretch folds without a
#: count of its lines.
FOLD_REACH: Final = 32 * 1024
#: The most characters of a folded stretch that are skipped to find what follows; the rest folds again.
FOLD_SKIP: Final = 256 * 1024
#: Lines of LINE characters read ahead and skipped in one reading, so that a page costs the same however much it folds;
#: beyond that, stretches fold in pieces of this size.
FOLD_WORK: Final = 12_000
FOLD_PIECE: Final = 100
LINE: Final = 64
#: A longer "signature" or footer is ordinary text after a dashed line, lines.
SIGNATURE_LINES: Final = 15
_ENDS: Final = frozenset({Role.SIGNATURE, Role.FOOTER})


def _(msgid: str) -> str:
    return msgid


_LABELS: Final = {
    Role.SIGNATURE: _("[signature]"),
    Role.FOOTER: _("[list footer]"),
    Role.LEGAL: _("[legal notice]"),
    Role.FILE: _("[encoded file]"),
    Role.HEADER: _("[mail header]"),
}


def _label(first: TextSegment, lines: int, complete: bool, context: Context) -> str:
    if first.role is not Role.QUOTE:
        return context.translate(first.label or _LABELS[first.role])
    if not complete:
        return context.translate(_("[more than %(number)d quoted lines]")) % {"number": lines}
    return context.ngettext("[%(number)d quoted line]", "[%(number)d quoted lines]", lines) % {
        "number": lines
    }


def _opened(block: Block) -> Block:
    state = replace(ReaderState.decode(block.at.state), opened=True).encode()
    return replace(block, at=replace(block.at, state=state))


def _comes_first(segment: TextSegment) -> bool:
    """Return whether a segment may come first and means nothing without what it introduces."""
    rule = segment.block.kind is Kind.RULE and segment.role not in FOLDED_LINES
    return rule or segment.role is Role.ATTRIBUTION


class SegmentFolder:
    """Folds the segments of one part into blocks, from wherever reading begins."""

    def __init__(self, context: Context, opened: bool, from_start: bool) -> None:
        self._context = context
        self._open_role: Role | None = None
        self._opened_at_first = opened
        self._nothing_yet = from_start
        self._work = FOLD_WORK

    def blocks(self, segments: Iterator[TextSegment]) -> Iterator[Block]:
        """Yield blocks; segments are read ahead only inside a stretch that may fold."""
        waiting: TextSegment | None = next(segments, None)
        if self._opened_at_first and waiting is not None:
            if _comes_first(waiting):
                self._nothing_yet = True
            else:
                self._open_role = waiting.role
        while waiting is not None:
            if not self._context.fold or waiting.role not in FOLDED_LINES:
                yield self._plain(waiting)
                waiting = next(segments, None)
            elif waiting.role is self._open_role:
                yield _opened(waiting.block)
                waiting = next(segments, None)
            else:
                stretch, complete, waiting = self._ahead(waiting, segments)
                yield from self._stretch(stretch, complete, last=waiting is None)
                if waiting is not None and not complete and self._open_role is None:
                    waiting = self._behind(waiting, segments)

    def _plain(self, segment: TextSegment) -> Block:
        """Return the block of a segment that does not fold; an attribution or a rule notes whether it comes first."""
        self._open_role = None
        if self._nothing_yet and self._context.fold and _comes_first(segment):
            return _opened(segment.block)
        self._nothing_yet = False
        return segment.block

    def _ahead(
        self, first: TextSegment, segments: Iterator[TextSegment]
    ) -> tuple[list[TextSegment], bool, TextSegment | None]:
        """Gather the segments with the role of `first`; return them, whether they are complete, and the next one."""
        stretch, size = [first], len(first.block.text)
        least = min(self._work - FOLD_PIECE, 0)
        for segment in segments:
            if segment.role is not first.role or first.role is Role.LEGAL:
                return stretch, True, segment
            stretch.append(segment)
            size += len(segment.block.text)
            self._count(segment)
            if size > FOLD_REACH or self._work < least:
                return stretch, False, next(segments, None)
        return stretch, True, None

    def _behind(self, waiting: TextSegment, segments: Iterator[TextSegment]) -> TextSegment | None:
        """Skip the rest of a folded stretch; return the next segment, None at the end."""
        if ReaderState.decode(waiting.block.at.state).mode is Mode.TAIL:
            return None
        role, passed = waiting.role, 0
        following: TextSegment | None = waiting
        while following is not None and following.role is role and passed < FOLD_SKIP and self._work > 0:
            passed += len(following.block.text)
            self._count(following)
            following = next(segments, None)
        return following

    def _count(self, segment: TextSegment) -> None:
        self._work -= segment.lines + len(segment.block.text) // LINE

    def _stretch(self, stretch: list[TextSegment], complete: bool, last: bool) -> Iterator[Block]:
        role, first = stretch[0].role, stretch[0].block
        lines = sum(segment.lines for segment in stretch)
        target = first.at.encode()
        worth = lines >= FOLDED_LINES[role] and not (role in _ENDS and lines > SIGNATURE_LINES)
        all_there_is = self._nothing_yet and (last or not complete)
        self._open_role = None
        ends = role not in _ENDS or complete
        folds = (ends and not all_there_is) or role is Role.FILE
        if folds and worth and target not in self._context.unfolded:
            label = (Run(_label(stretch[0], lines, complete, self._context)),)
            outside = max(min(segment.block.quote for segment in stretch) - 1, 0)
            yield Block(Kind.FOLD, label, first.at, quote=outside, target=target)
        elif complete and not worth and role not in _ENDS:
            yield from (segment.block for segment in stretch)
        else:
            self._open_role = role
            yield from (_opened(segment.block) for segment in stretch)
        self._nothing_yet = False
