"""From a Message to blocks: the parts that are worth reading, one after the other, from any position on.

Nothing here may fetch or fail on ugly mail: octets are pulled through a callable, only as far as the blocks that are
consumed need; a StoreError passes through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Final

from gateway.message import body, headers
from gateway.message.model import Message, Part
from gateway.message.wire import Wire
from gateway.rendition import choose, loose, notes, quoting
from gateway.rendition.blocks import Block, Kind, Position, Run, cut
from gateway.rendition.choose import Reading, View
from gateway.rendition.context import Context
from gateway.rendition.fold import Folder
from gateway.rendition.segments import Segment, State
from gateway.rendition.text import TextReader
from gateway.rendition.wholes import HTML_CAP as HTML_CAP
from gateway.rendition.wholes import NOTE_ORDINAL, Octets, Wholes

#: A message that came in an encoding is decoded so far, octets; and so many of them within each other.
SEALED_CAP: Final = 512 * 1024
SEALED_DEPTH: Final = 3
#: The ordinal of a note about the whole message, behind any offset into a text.
GAP_ORDINAL: Final = 36**7
#: Octets of a text that may pass without a word in them: what stands behind more is left out, and a note says so.
EMPTY_LIMIT: Final = 1024 * 1024
#: Names of parts that a note lists at most.
NAMES_LIMIT: Final = 5


def _(msgid: str) -> str:
    return msgid


class _Replay:
    """Octets whose beginnings were looked at and are not to be fetched again."""

    def __init__(self, octets: Octets) -> None:
        self._octets = octets
        self._begun: dict[str, tuple[list[bytes], Iterator[bytes]]] = {}

    def peek(self, section: str) -> Iterator[bytes]:
        """Pull from the beginning, remembering what was pulled."""
        pulled: list[bytes] = []
        source = self._octets(section, 0)
        self._begun[section] = (pulled, source)
        for octets in source:
            pulled.append(octets)
            yield octets

    def __call__(self, section: str, start: int) -> Iterator[bytes]:
        begun = self._begun.pop(section, None) if start == 0 else None
        if begun is None:
            return self._octets(section, start)
        return chain(begun[0], begun[1])


class _Renderer:
    """Renders one message for one context; `depth`: how many encodings it lay in."""

    def __init__(self, message: Message, context: Context, octets: Octets, depth: int = 0) -> None:
        self._message = message
        self._context = context
        self._octets = _Replay(octets)
        self._depth = depth
        subject = message.envelope.subject
        answers = quoting.is_reply(subject) or bool(message.envelope.in_reply_to)
        self._reply = answers and not quoting.is_forward(subject)
        pictures = choose.pictures(message.root) if context.pictures else {}
        self._wholes = Wholes(context, self._octets, self._reply, pictures)

    def blocks(self, start: Position | None) -> Iterator[Block]:
        """Yield the blocks of all that is read, from a position on."""
        for reading in self._readings(start.section if start else None):
            state = State.decode(start.state) if start else State()
            segments = _skipping(self._part(reading, start, state), start.skip if start else 0)
            folder = Folder(self._context, state.opened, from_start=not (start and start.start))
            for block in folder.blocks(segments):
                yield self._worded(block)
            start = None

    def gaps(self, first: int = 0) -> Iterator[Block]:
        """Say what bounds have left out of the message."""
        for index, gap in enumerate(notes.gaps(self._message)):
            if index >= first:
                text = notes.gap(self._context.translate, gap)
                yield Block(Kind.NOTE, (Run(text),), Position("", GAP_ORDINAL + index))

    def _readings(self, section: str | None) -> Iterator[Reading]:
        return choose.Chooser(self._message.root, self._peek, section).readings()

    def _peek(self, part: Part) -> str:
        """Return the beginning of a text part, decoded."""
        pieces = body.text_pieces(part, lambda _start: self._octets.peek(part.section))
        texts: list[str] = []
        size = 0
        for piece in pieces:
            texts.append(piece.text)
            size += len(piece.text)
            if size > choose.EXCUSE_LIMIT:
                break
        return "".join(texts)

    def _part(self, reading: Reading, start: Position | None, state: State) -> Iterator[Segment]:
        """Yield a part's segments from a position in it on."""
        at = start.start if start else 0
        if reading.view is View.TEXT:
            return self._text(reading.part, reading.part.section, at, state)
        if reading.view is View.LOOSE:
            return self._loose(reading.part, at, state)
        whole = self._sealed(reading.part) if reading.view is View.SEALED else self._wholes.segments(reading)
        return _from(whole, at)

    def _worded(self, block: Block) -> Block:
        """Give a picture without words one, so that there is something to follow."""
        if block.kind is not Kind.PICTURE or block.runs:
            return block
        return replace(block, runs=(Run(self._context.translate(_("Picture"))),))

    def _text(self, part: Part, section: str, start: int, state: State) -> Iterator[Segment]:
        """Read a text whose octets are those of a section."""
        allowance = body.Allowance(self._octets(section, start), EMPTY_LIMIT)
        pieces = body.text_pieces(part, lambda _start: iter(allowance), start, state.decoder)
        parameters = part.parameters
        flowed = parameters.get("format", "").strip().lower() == "flowed"
        delsp = flowed and parameters.get("delsp", "").strip().lower() == "yes"
        shorten = self._context.fold
        left_out = notes.about(self._context.translate, notes.EMPTY, part)
        reader = TextReader(pieces, part.section, state, shorten, flowed, delsp, self._reply, left_out)
        for segment in reader.segments():
            allowance.renew()
            yield segment
        if allowance.spent:  # from the note's position reading goes on
            at = Position(part.section, start + allowance.pulled)
            yield Segment(Block(Kind.NOTE, (Run(left_out),), at))

    def _loose(self, part: Part, start: int, state: State) -> Iterator[Segment]:
        """Read a multipart without parts as a text, or take it apart here if there are some after all."""
        section, of_header = loose.sections(part)
        header = _beginning(self._octets(of_header, 0), loose.HEADER_OCTETS)
        text = loose.as_text(part, header)
        looked_at = body.whole(text, self._octets.peek(section), loose.LOOK_OCTETS)[0]
        if not loose.has_boundary(part, looked_at):
            yield from self._text(text, section, start, state)
        elif self._depth < SEALED_DEPTH:
            octets, was_cut = body.whole(text, self._octets(section, 0), SEALED_CAP)
            found = Wire(loose.without_encoding(header) + octets)
            yield from _from(self._inside(part, found, [], was_cut), start)

    def _sealed(self, part: Part) -> Iterator[Segment]:
        """Open a message that lies in an encoding."""
        if self._depth >= SEALED_DEPTH:
            yield self._wholes.note(part, notes.DEEP)
            return
        part = loose.unsealed(part, next(self._octets.peek(part.section), b""))
        octets, was_cut = body.whole(part, self._octets(part.section, 0), SEALED_CAP)
        found = Wire(octets)
        yield from self._inside(part, found, self._wholes.heading(found.message.envelope, ""), was_cut)

    def _inside(self, part: Part, found: Wire, first: list[Segment], was_cut: bool) -> Iterator[Segment]:
        """Yield what a message taken apart here says, in places of the part that it is."""
        inner = _Renderer(found.message, self._context, found.octets, self._depth + 1)
        readings = inner._readings(None)
        parts = (inner._part(reading, None, State()) for reading in readings)
        segments = chain(first, chain.from_iterable(parts))
        for ordinal, segment in enumerate(segments):
            # Its pictures and originals have no section that could be asked for.
            block = replace(segment.block, at=Position(part.section, ordinal), target="")
            yield replace(segment, block=self._worded(block))
        if was_cut:
            yield self._wholes.cut(part, SEALED_CAP)

    def nothing(self) -> Block:
        """Say that there is no text, and what there is."""
        say = self._context.translate
        found = choose.attachments(self._message)
        names = [headers.clean(part.filename) or part.media_type for part in found[:NAMES_LIMIT]]
        text = say(_("This message has no text."))
        if names:
            more = " …" if len(found) > NAMES_LIMIT else ""
            text = say(_("This message has no text. It holds: %(names)s")) % {
                "names": ", ".join(names) + more
            }
        return Block(Kind.NOTE, (Run(text),), Position(self._message.root.section, NOTE_ORDINAL))


def _beginning(octets: Iterator[bytes], limit: int) -> bytes:
    """Pull the first octets."""
    pulled: list[bytes] = []
    size = 0
    for stretch in octets:
        pulled.append(stretch)
        size += len(stretch)
        if size >= limit:
            break
    return b"".join(pulled)[:limit]


def _from(segments: Iterator[Segment], start: int) -> Iterator[Segment]:
    """Yield the segments of a part that is read whole from an ordinal on."""
    if start >= NOTE_ORDINAL:
        return (note for note in segments if note.block.at.start >= NOTE_ORDINAL)
    return islice(segments, start, None)


def _skipping(segments: Iterator[Segment], skip: int) -> Iterator[Segment]:
    """Leave out what was already shown of the first block."""
    for segment in segments:
        if skip:
            segment = replace(segment, block=cut(segment.block, skip - segment.block.at.skip)[1])
            skip = 0
            if not segment.block.runs:
                continue
        yield segment


def render(
    message: Message, context: Context, octets: Octets, start: Position | None = None
) -> Iterator[Block]:
    """Yield the message's blocks from `start` on (None, or a position that is not in it: from its beginning).

    `octets(section, start)` yields a section's octets, transfer-encoded; its errors pass through.
    """
    if start is not None:
        renderer = _Renderer(message, context, octets)
        of_all = start.start >= GAP_ORDINAL
        blocks = renderer.gaps(start.start - GAP_ORDINAL) if of_all else renderer.blocks(start)
        some = False
        for block in blocks:
            some = True
            yield block
        if some:
            yield from () if of_all else renderer.gaps()
            return
    renderer = _Renderer(message, context, octets)
    nothing = True
    for block in renderer.blocks(None):
        nothing = False
        yield block
    if nothing:
        yield renderer.nothing()
    yield from renderer.gaps()
