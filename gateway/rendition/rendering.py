"""From a Message to blocks: the parts to read, one after another, from any position.

Nothing here may fetch, or fail on malformed mail: octets are pulled through a callable, only as far as the consumed
blocks need; a StoreError passes through.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Final

from gateway.message import media_types
from gateway.message.charset import decoding
from gateway.message.headers import header_fields
from gateway.message.mime import body, cms, protected
from gateway.message.mime.wire_format import MessageFile
from gateway.message.model import Message, Part
from gateway.rendition import loose, notes, selection
from gateway.rendition.blocks import Block, Kind, Position, Run, cut
from gateway.rendition.context import Context
from gateway.rendition.fold import SegmentFolder
from gateway.rendition.html import picture_links
from gateway.rendition.html.html_octets import is_page
from gateway.rendition.segments import UNSEEN, ReaderState, TextSegment
from gateway.rendition.selection import PAGE_ORDINAL, PARTS_ORDINAL, SelectedPart, View
from gateway.rendition.text import quoting
from gateway.rendition.text.plain_text import TextReader
from gateway.rendition.wholes import HTML_CAP as HTML_CAP
from gateway.rendition.wholes import NOTE_ORDINAL, ReadSection, Wholes

#: Octets of an encoded message that are decoded; how deep such messages may be nested.
SEALED_CAP: Final = 512 * 1024
SEALED_DEPTH: Final = 3
#: The ordinal of a note about the whole message, beyond any offset into a text.
GAP_ORDINAL: Final = 36**7
#: Octets of a text that show whether it is a page, or consists of parts.
PAGE_OCTETS: Final = 512
#: Octets of a text without a word; what follows after more of them is left out, with a note. Each character that is
#: read allows some more, each segment as many as one character.
EMPTY_LIMIT: Final = 1024 * 1024
EMPTY_PER_CHARACTER: Final = 100
#: The most names of parts listed in a note.
NAMES_LIMIT: Final = 5


def _(msgid: str) -> str:
    return msgid


class _Replay:
    """ReadSection whose beginnings were examined and must not be fetched again."""

    def __init__(self, octets: ReadSection) -> None:
        self._octets = octets
        self._begun: dict[str, tuple[list[bytes], Iterator[bytes]]] = {}

    def peek(self, section: str) -> Iterator[bytes]:
        """Pull from the beginning, remembering what was pulled."""
        if section not in self._begun:
            self._begun[section] = ([], self._octets(section, 0))
        pulled, source = self._begun[section]
        yield from tuple(pulled)
        for octets in source:
            pulled.append(octets)
            yield octets

    def __call__(self, section: str, start: int) -> Iterator[bytes]:
        begun = self._begun.pop(section, None) if start == 0 else None
        if begun is None:
            return self._octets(section, start)
        return chain(begun[0], begun[1])


class _Renderer:
    """Renders one message for one context.

    `depth`: how many encoded messages contain it. `all_of_it`: hidden and duplicate text is not left out.
    """

    def __init__(
        self, message: Message, context: Context, octets: ReadSection, depth: int = 0, all_of_it: bool = False
    ) -> None:
        self._message = message
        self._context = context
        self._octets = _Replay(octets)
        self._depth = depth
        self._all_of_it = all_of_it
        subject = message.envelope.subject
        answers = quoting.is_reply(subject) or bool(message.envelope.in_reply_to)
        self._reply = answers and not quoting.is_forward(subject)
        pictures = selection.pictures(message.root) if context.pictures else {}
        self._wholes = Wholes(context, self._octets, self._reply, pictures, message.root, all_of_it)

    def blocks(self, start: Position | None) -> Iterator[Block]:
        """Yield the blocks from a position on."""
        for reading in self._readings(start.section if start else None):
            state = ReaderState.decode(start.state) if start else ReaderState()
            segments = _skipping(self._part(reading, start, state), start.skip if start else 0)
            folder = SegmentFolder(self._context, state.opened, from_start=not (start and start.start))
            for block in folder.blocks(segments):
                yield block if block.runs else self._worded(block)
            start = None

    def gaps(self, first: int = 0) -> Iterator[Block]:
        """Yield notes about what limits have left out of the message."""
        for index, gap in enumerate(notes.gaps(self._message)):
            if index >= first:
                text = notes.gap(self._context.translate, gap)
                yield Block(Kind.NOTE, (Run(text),), Position("", GAP_ORDINAL + index))

    def _readings(self, section: str | None) -> Iterator[SelectedPart]:
        return selection.Chooser(self._message.root, self._peek, section, self._all_of_it).readings()

    def _peek(self, part: Part) -> str:
        """Return the beginning of a text part, decoded."""
        octets, _ = body.whole(part, self._octets.peek(part.section), selection.COMPARED)
        declared = part.parameters.get("charset", "")
        return decoding.decode(
            octets, decoding.html_label(octets, declared) if "html" in part.media_type else declared
        )[0]

    def _part(
        self, reading: SelectedPart, start: Position | None, state: ReaderState
    ) -> Iterator[TextSegment]:
        """Yield a part's segments from a position in it on."""
        at = start.start if start else 0
        if reading.view is View.TEXT:
            beginning = self._beginning(reading.part) if at == 0 else b""
            if at >= PARTS_ORDINAL or (self._depth < SEALED_DEPTH and loose.parts_in(beginning)):
                parts = _from(self._parts(reading.part), max(at - PARTS_ORDINAL, 0))
                return _numbered(parts, PARTS_ORDINAL)
            if at >= PAGE_ORDINAL or is_page(beginning):
                page = self._wholes.segments(replace(reading, view=View.HTML))  # labelled as plain text
                return _numbered(_from(page, max(at - PAGE_ORDINAL, 0)), PAGE_ORDINAL)
            return self._text(reading.part, reading.part.section, at, state)
        if reading.view is View.LOOSE:
            return self._loose(reading.part, at, state)
        if reading.part.media_type in protected.OPAQUE:
            return _from(self._opaque(reading), at)
        whole = self._sealed(reading.part) if reading.view is View.SEALED else self._wholes.segments(reading)
        return _from(whole, at)

    def _beginning(self, part: Part) -> bytes:
        """Return the first octets of a text, which show whether it is one; none of a file."""
        if part.media_type != media_types.TEXT or part.filename:
            return b""
        return body.whole(part, self._octets.peek(part.section), PAGE_OCTETS)[0]

    def _parts(self, part: Part) -> Iterator[TextSegment]:
        """Read a text that consists of the parts of a multipart; note that there are files, which have no section."""
        octets, was_cut = body.whole(part, self._octets(part.section, 0), SEALED_CAP)
        boundary = loose.parts_in(octets[:PAGE_OCTETS])
        found = MessageFile(loose.with_boundary("multipart/mixed", boundary) + octets)
        if [inner.media_type for inner in found.message.root.parts] == [media_types.TEXT, media_types.HTML]:
            found = MessageFile(loose.with_boundary("multipart/alternative", boundary) + octets)
        yield from self._inside(part, found, [], was_cut)
        if selection.attachments(found.message) and not was_cut:
            yield self._wholes.note(part, notes.RECORDS)

    def _worded(self, block: Block) -> Block:
        """Give a picture without a name one, so that its link has text."""
        if block.kind is not Kind.PICTURE or block.runs:
            return block
        return replace(block, runs=(Run(self._context.translate(picture_links.PICTURE)),))

    def _text(self, part: Part, section: str, start: int, state: ReaderState) -> Iterator[TextSegment]:
        """Read a text part whose octets are those of a section."""
        allowance = body.Allowance(self._octets(section, start), EMPTY_LIMIT)
        pieces = body.text_pieces(part, lambda _start: iter(allowance), start, state.decoder)
        parameters = part.parameters
        flowed = parameters.get("format", "").strip().lower() == "flowed"
        delsp = flowed and parameters.get("delsp", "").strip().lower() == "yes"
        shorten = self._context.fold
        say = self._context.translate
        left_out = notes.about(say, notes.EMPTY, part)
        encrypted = say(notes.ENCRYPTED)
        reader = TextReader(
            pieces, part.section, state, shorten, flowed, delsp, self._reply, left_out, encrypted
        )
        for segment in reader.segments():
            allowance.renew(EMPTY_PER_CHARACTER * (len(segment.block.text) + 1))
            yield segment
        if allowance.spent:  # reading continues from the note's position
            at = Position(part.section, start + allowance.pulled)
            yield TextSegment(Block(Kind.NOTE, (Run(left_out),), at))

    def _loose(self, part: Part, start: int, state: ReaderState) -> Iterator[TextSegment]:
        """Read a multipart without parts as a text, or parse it here if it has parts after all."""
        section, of_header = loose.sections(part)
        header = _beginning(self._octets(of_header, 0), loose.HEADER_OCTETS)
        text = loose.as_text(part, header)
        looked_at = body.whole(text, self._octets.peek(section), loose.LOOK_OCTETS)[0]
        named = loose.has_boundary(part, looked_at)
        boundary = "" if named else loose.boundary_in(looked_at)
        if not named and not boundary:
            yield from self._text(text, section, start, state)
        elif self._depth < SEALED_DEPTH:
            octets, was_cut = body.whole(text, self._octets(section, 0), SEALED_CAP)
            header = (
                loose.with_boundary(part.media_type, boundary) if boundary else loose.without_encoding(header)
            )
            found = MessageFile(header + octets)
            yield from _from(self._inside(part, found, [], was_cut), start)

    def _sealed(self, part: Part) -> Iterator[TextSegment]:
        """Read an encoded message."""
        if self._depth >= SEALED_DEPTH:
            yield self._wholes.note(part, notes.DEEP)
            return
        part = loose.unsealed(part, next(self._octets.peek(part.section), b""))
        octets, was_cut = body.whole(part, self._octets(part.section, 0), SEALED_CAP)
        found = MessageFile(octets)
        yield from self._inside(part, found, self._wholes.heading(found.message.envelope, ""), was_cut)

    def _opaque(self, reading: SelectedPart) -> Iterator[TextSegment]:
        """Read an S/MIME body that is signed or compressed as a whole; note that any other cannot be opened."""
        octets, was_cut = body.whole(reading.part, self._octets.peek(reading.part.section), SEALED_CAP)
        sort, content = cms.read_body(octets, SEALED_CAP)
        if not content or self._depth >= SEALED_DEPTH:
            yield from self._wholes.segments(reading)
            return
        found = MessageFile(content)
        found.message = replace(found.message, envelope=self._message.envelope)
        first = [self._wholes.signed(reading.part)] if sort is cms.BodyKind.SIGNED else []
        yield from self._inside(reading.part, found, first, was_cut)

    def _inside(
        self, part: Part, found: MessageFile, first: list[TextSegment], was_cut: bool
    ) -> Iterator[TextSegment]:
        """Yield the segments of a message that was parsed here, with positions in the part that contains it."""
        inner = _Renderer(found.message, self._context, found.octets, self._depth + 1, self._all_of_it)
        readings = inner._readings(None)
        parts = (inner._part(reading, None, ReaderState()) for reading in readings)
        segments = chain(first, chain.from_iterable(parts))
        for ordinal, segment in enumerate(segments):
            # Its pictures and originals have no section that could be fetched.
            block = replace(segment.block, at=Position(part.section, ordinal), target="")
            yield replace(segment, block=self._worded(block))
        if was_cut:
            yield self._wholes.cut(part, SEALED_CAP)

    def nothing(self) -> Block:
        """Return a note that there is no text, with the names of what there is."""
        say = self._context.translate
        found = selection.attachments(self._message)
        names = [header_fields.clean(part.filename) or part.media_type for part in found[:NAMES_LIMIT]]
        text = say(_("This message has no text."))
        if names:
            more = " …" if len(found) > NAMES_LIMIT else ""
            text = say(_("This message has no text. It contains: %(names)s")) % {
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


def _from(segments: Iterator[TextSegment], start: int) -> Iterator[TextSegment]:
    """Yield the segments of a part that is read as a whole, from an ordinal on."""
    if start >= NOTE_ORDINAL:
        return (note for note in segments if note.block.at.start >= NOTE_ORDINAL)
    return islice(segments, start, None)


def _numbered(segments: Iterator[TextSegment], first: int) -> Iterator[TextSegment]:
    """Count the positions of a text that is read as a whole, starting from an ordinal beyond its octets."""
    for segment in segments:
        block = segment.block
        yield replace(segment, block=replace(block, at=replace(block.at, start=first + block.at.start)))


def _skipping(segments: Iterator[TextSegment], skip: int) -> Iterator[TextSegment]:
    """Skip the characters of the first block that were already shown."""
    first = next(segments, None) if skip else None
    if first is None:
        return segments
    rest = cut(first.block, skip - first.block.at.skip)[1]
    return chain((replace(first, block=rest),), segments) if rest.runs else segments


def render(
    message: Message, context: Context, octets: ReadSection, start: Position | None = None
) -> Iterator[Block]:
    """Yield the message's blocks from `start` on; for None, or a position that is not in it, from its beginning.

    `octets(section, start)` yields a section's octets, transfer-encoded; its errors pass through.
    """
    if start is not None and (yield from _from_place(message, context, octets, start)):
        return
    renderer = _Renderer(message, context, octets)
    first, blocks = _begun(renderer.blocks(None))
    if not _tells(first) and selection.has_more(message.root):
        again, others = _begun(_all_of_it(message, context, octets, None))
        if _tells(again):
            first, blocks = again, others
    yield from first or [renderer.nothing()]
    yield from blocks
    yield from renderer.gaps()


def _from_place(
    message: Message, context: Context, octets: ReadSection, start: Position
) -> Generator[Block, None, bool]:
    """Yield the blocks from a position on; return whether there were any."""
    renderer = _Renderer(message, context, octets)
    of_all = start.start >= GAP_ORDINAL
    first: list[Block] = []
    if not start.state.startswith(UNSEEN):
        source = renderer.gaps(start.start - GAP_ORDINAL) if of_all else renderer.blocks(start)
        first, blocks = _begun(source)
    if not first and not of_all:
        bare = replace(start, state=start.state.removeprefix(UNSEEN))
        form = bare == start and start in map(Position, selection.both_forms(message.root) or ())
        source = _all_of_it(message, context, octets, bare) if form or bare != start else iter(())
        first, blocks = _begun(source)
    yield from first
    yield from blocks
    if first and not of_all:
        yield from renderer.gaps()
    return bool(first)


def _all_of_it(
    message: Message, context: Context, octets: ReadSection, start: Position | None
) -> Iterator[Block]:
    """Yield all blocks of a message, hidden or not, with positions that say so."""
    for block in _Renderer(message, context, octets, all_of_it=True).blocks(start):
        yield replace(block, at=replace(block.at, state=UNSEEN + block.at.state))


def _begun(blocks: Iterator[Block]) -> tuple[list[Block], Iterator[Block]]:
    """Pull blocks up to the first that is not a note of ours; return them and the remaining ones."""
    first: list[Block] = []
    for block in blocks:
        first.append(block)
        if block.kind is not Kind.NOTE:
            break
    return first, blocks


def _tells(blocks: list[Block]) -> bool:
    return bool(blocks) and blocks[-1].kind is not Kind.NOTE
