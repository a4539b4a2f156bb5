"""Folding: long quotations, signatures and legal notices become one line that can be opened in place.

Nothing here may drop a word for good, and nothing between two quotations is ever folded: only blocks whose role
says so are. A stretch that is opened, or not worth folding, marks its positions, so that reading can go on inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from gateway.rendition.blocks import Block, Kind, Run
from gateway.rendition.context import Context
from gateway.rendition.segments import Role, Segment, State

#: Fewer lines than this are shown: a note in their place would save nothing.
FOLDED_LINES: Final = {Role.QUOTE: 4, Role.SIGNATURE: 3, Role.FOOTER: 2, Role.LEGAL: 1, Role.FILE: 1}
#: What reading looks ahead for the end of a stretch, characters; a longer one is shown, not folded, so that the
#: first page of a huge text costs no more than a page and this.
FOLD_REACH: Final = 32 * 1024
#: A "signature" of more lines is rather a text behind a dashed line; so is a footer.
SIGNATURE_LINES: Final = 15
_ENDS: Final = frozenset({Role.SIGNATURE, Role.FOOTER})


def _(msgid: str) -> str:
    return msgid


_LABELS: Final = {
    Role.SIGNATURE: _("[signature]"),
    Role.FOOTER: _("[list footer]"),
    Role.LEGAL: _("[legal notice]"),
    Role.FILE: _("[encoded file]"),
}


def _label(role: Role, lines: int, context: Context) -> str:
    if role is Role.QUOTE:
        return context.ngettext("[%(number)d quoted line]", "[%(number)d quoted lines]", lines) % {
            "number": lines
        }
    return context.translate(_LABELS[role])


def _opened(block: Block) -> Block:
    state = replace(State.decode(block.at.state), opened=True).encode()
    return replace(block, at=replace(block.at, state=state))


class Folder:
    """Turns segments into blocks; one for each part, from wherever reading begins."""

    def __init__(self, context: Context, opened: bool, from_start: bool) -> None:
        self._context = context
        self._open_role: Role | None = None
        self._opened_at_first = opened
        self._nothing_yet = from_start

    def blocks(self, segments: Iterator[Segment]) -> Iterator[Block]:
        """Yield blocks, pulling segments ahead only inside a stretch that may fold."""
        waiting: Segment | None = next(segments, None)
        if self._opened_at_first and waiting is not None:
            if waiting.role is Role.ATTRIBUTION:
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
                stretch, complete, waiting = _stretch(waiting, segments)
                yield from self._stretch(stretch, complete, last=waiting is None)

    def _plain(self, segment: Segment) -> Block:
        """Return the block of a segment that does not fold; an attribution tells whether it comes first."""
        self._open_role = None
        if segment.role is Role.ATTRIBUTION and self._nothing_yet and self._context.fold:
            return _opened(segment.block)
        self._nothing_yet = False
        return segment.block

    def _stretch(self, stretch: list[Segment], complete: bool, last: bool) -> Iterator[Block]:
        role, first = stretch[0].role, stretch[0].block
        lines = sum(segment.lines for segment in stretch)
        target = first.at.encode()
        worth = lines >= FOLDED_LINES[role] and not (role in _ENDS and lines > SIGNATURE_LINES)
        all_there_is = self._nothing_yet and (last or not complete)
        self._open_role = None
        folds = (complete and not all_there_is) or role is Role.FILE
        if folds and worth and target not in self._context.unfolded:
            label = (Run(_label(role, lines, self._context)),)
            outside = max(min(segment.block.quote for segment in stretch) - 1, 0)
            yield Block(Kind.FOLD, label, first.at, quote=outside, target=target)
        elif complete and not worth and role not in _ENDS:
            yield from (segment.block for segment in stretch)
        else:
            self._open_role = role
            yield from (_opened(segment.block) for segment in stretch)
        self._nothing_yet = False


def _stretch(first: Segment, segments: Iterator[Segment]) -> tuple[list[Segment], bool, Segment | None]:
    """Gather what has the same role as `first`; say whether its end was reached, and what follows it."""
    stretch, size = [first], len(first.block.text)
    for segment in segments:
        if segment.role is not first.role or first.role is Role.LEGAL:
            return stretch, True, segment
        stretch.append(segment)
        size += len(segment.block.text)
        if size > FOLD_REACH:
            return stretch, False, next(segments, None)
    return stretch, True, None
