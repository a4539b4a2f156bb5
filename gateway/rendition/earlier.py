"""Going back in a large text: a place before a position from which paging forward comes to the page before it.

Nothing here may read a text from its beginning to find it: at most `distance` and a line more is pulled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from gateway.message import body, transfer
from gateway.message.model import Message, Part
from gateway.rendition import choose
from gateway.rendition.blocks import Position
from gateway.rendition.segments import State, middle_of
from gateway.rendition.wholes import Octets

#: Enough for the page before on any device, octets.
DISTANCE: Final = 24 * 1024
#: Pieces looked at to find the beginning of a line, each up to 1,000 characters.
PIECES_LIMIT: Final = 4
#: Encoded octets in which the end of a line is looked for.
WINDOW: Final = 2048
_LINE_END: Final = re.compile(rb"=?\r?\n")
#: Charsets in which octets cannot be read from the middle without knowing what came before.
_FROM_THE_START: Final = ("utf-16", "utf16", "utf-32", "utf32", "utf-7", "utf7", "ucs")


def earlier(
    message: Message, octets: Octets, position: Position, distance: int = DISTANCE
) -> Position | None:
    """Return a place to begin reading at least `distance` octets before `position`; None: at the beginning.

    The first block read from there may begin within a paragraph or a quotation of the text.
    """
    part = next((part for part in message.root.walk() if part.section == position.section), None)
    if part is None or part.maintype != "text" or choose.has_own_view(part):
        return None
    if position.start <= distance or _reads_whole(part):
        return (
            Position(position.section) if position.start and _large_before(message, part, distance) else None
        )
    state = State.decode(position.state)
    return _line_start(part, octets, position.start - distance, position, state) or Position(position.section)


def _reads_whole(part: Part) -> bool:
    return part.parameters.get("charset", "").lower().startswith(_FROM_THE_START)


def _large_before(message: Message, part: Part, distance: int) -> bool:
    """Say whether there is much to be read before the part."""
    before = 0
    for other in message.root.walk():
        if other is part:
            break
        before += other.octets if other.maintype == "text" else 0
    return before > distance


def _encoded_line(octets: Iterator[bytes], soft: bool) -> int:
    """Return how many octets lie before the first encoded line that begins a line of the text, 0 if none is near."""
    window = b""
    for piece in octets:
        window += piece
        for match in _LINE_END.finditer(window):
            if not (soft and match.group().startswith(b"=")):
                return match.end()
        if len(window) > WINDOW:
            break
    return 0


def _decoder_state(part: Part, state: State) -> str:
    """Return the letters of a decoder that begins afresh, but knows the charset that was found."""
    own = transfer.decoder(part.encoding).STATE_LETTERS
    found = state.decoder[own : own + 2]
    known = found if found.startswith("X") else "Y" if found.startswith("Y") else ""
    return "A" * own + known if state.decoder else ""


def _line_start(part: Part, octets: Octets, start: int, position: Position, state: State) -> Position | None:
    """Return the first line that begins behind `start`, or in one endless line the first piece."""
    part_octets = partial(octets, part.section)
    start += _encoded_line(part_octets(start), part.encoding == "quoted-printable") or -(start % 4)
    ended = False
    found: body.Piece | None = None
    for number, piece in enumerate(body.text_pieces(part, part_octets, start, _decoder_state(part, state))):
        if piece.at >= position.start or number > PIECES_LIMIT:
            break
        if ended:
            return Position(part.section, piece.at, State(state.opened, state.mode, 0, piece.state).encode())
        ended = piece.text.endswith("\n")
        found = found or (piece if number else None)
    if found is None:
        return None
    inside = State(state.opened, state.mode, middle_of(0), found.state)
    return Position(part.section, found.at, inside.encode())
