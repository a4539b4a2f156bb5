"""Going back in a large text: where to start paging forward in order to reach the page before a position.

Nothing here may read a text from its beginning: at most `distance` and one more line is pulled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from gateway.message.mime import body, transfer
from gateway.message.model import Message, Part
from gateway.rendition import selection
from gateway.rendition.blocks import Position
from gateway.rendition.segments import ReaderState, middle_of
from gateway.rendition.wholes import ReadSection

#: Enough for one page on any device, octets.
DISTANCE: Final = 24 * 1024
#: Pieces, each of up to 1,000 characters, searched for the beginning of a line.
PIECES_LIMIT: Final = 4
#: Encoded octets searched for the end of a line.
WINDOW: Final = 2048
_LINE_END: Final = re.compile(rb"=?\r?\n")
#: Charsets that cannot be decoded from the middle.
_FROM_THE_START: Final = ("utf-16", "utf16", "utf-32", "utf32", "utf-7", "utf7", "ucs")


def earlier(
    message: Message, octets: ReadSection, position: Position, distance: int = DISTANCE
) -> Position | None:
    """Return where to start reading, at least `distance` octets before `position`; None: at the beginning.

    The first block from there may begin inside a paragraph or quotation.
    """
    part = next((part for part in message.root.walk() if part.section == position.section), None)
    if part is None or part.maintype != "text" or selection.has_own_view(part, position.start):
        return None
    if position.start <= distance or _reads_whole(part):
        return (
            Position(position.section) if position.start and _large_before(message, part, distance) else None
        )
    state = ReaderState.decode(position.state)
    return _line_start(part, octets, position.start - distance, position, state) or Position(position.section)


def _reads_whole(part: Part) -> bool:
    return part.parameters.get("charset", "").lower().startswith(_FROM_THE_START)


def _large_before(message: Message, part: Part, distance: int) -> bool:
    """Return whether there is much text before the part."""
    before = 0
    for other in message.root.walk():
        if other is part:
            break
        before += other.octets if other.maintype == "text" else 0
    return before > distance


def _encoded_line(octets: Iterator[bytes], soft: bool) -> int:
    """Return the offset of the first encoded line that begins a line of text, 0 if none is near."""
    window = b""
    for piece in octets:
        window += piece
        for match in _LINE_END.finditer(window):
            if not (soft and match.group().startswith(b"=")):
                return match.end()
        if len(window) > WINDOW:
            break
    return 0


def _decoder_state(part: Part, state: ReaderState) -> str:
    """Return the state of a decoder that starts anew but knows the detected charset."""
    own = transfer.decoder(part.encoding).STATE_LETTERS
    found = state.decoder[own : own + 2]
    known = found if found.startswith(("X", "W")) else "Y" if found.startswith("Y") else ""
    return "A" * own + known if state.decoder else ""


def _line_start(
    part: Part, octets: ReadSection, start: int, position: Position, state: ReaderState
) -> Position | None:
    """Return the position of the first line after `start`, or of the first piece if the text is one endless line."""
    part_octets = partial(octets, part.section)
    start += _encoded_line(part_octets(start), part.encoding == "quoted-printable") or -(start % 4)
    ended = False
    found: body.TextPiece | None = None
    for number, piece in enumerate(body.text_pieces(part, part_octets, start, _decoder_state(part, state))):
        if piece.at >= position.start or number > PIECES_LIMIT:
            break
        if ended:
            at_line = replace(state, middle=0, decoder=piece.state)
            return Position(part.section, piece.at, at_line.encode())
        ended = piece.text.endswith("\n")
        found = found or (piece if number else None)
    if found is None:
        return None
    inside = replace(state, middle=middle_of(0), decoder=found.state)
    return Position(part.section, found.at, inside.encode())
