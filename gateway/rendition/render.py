"""From a Message to blocks: the parts that are worth reading, one after the other, from any position on.

Nothing here may fetch or fail on ugly mail: octets are pulled through a callable, only as far as the blocks that are
consumed need; a StoreError passes through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Final

from gateway.message import body, charset, headers
from gateway.message.model import Address, Message, Part
from gateway.rendition import choose, html, lines, markdown, quoting, records, roles
from gateway.rendition.blocks import Block, Kind, Position, Run, cut
from gateway.rendition.choose import Reading, View
from gateway.rendition.context import Context
from gateway.rendition.drafts import Draft
from gateway.rendition.fold import Folder
from gateway.rendition.segments import Segment, State
from gateway.rendition.text import TextReader

#: HTML is read so far, octets: what is behind that is left to the original.
HTML_CAP: Final = 512 * 1024
#: Records (invitations, contacts, reports) are read so far, octets.
RECORD_CAP: Final = 256 * 1024
#: The ordinal of a note about a part, behind all of the part's own blocks.
NOTE_ORDINAL: Final = 1_000_000
#: Octets of a text that may pass without a word in them: what stands behind more is left out, and a note says so.
EMPTY_LIMIT: Final = 1024 * 1024
#: Names of parts that a note lists at most.
NAMES_LIMIT: Final = 5

Octets = Callable[[str, int], Iterator[bytes]]


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
    """Renders one message for one context."""

    def __init__(self, message: Message, context: Context, octets: Octets) -> None:
        self._message = message
        self._context = context
        self._octets = _Replay(octets)
        subject = message.envelope.subject
        answers = quoting.is_reply(subject) or bool(message.envelope.in_reply_to)
        self._reply = answers and not quoting.is_forward(subject)
        self._pictures = choose.pictures(message.root) if context.pictures else {}

    def blocks(self, start: Position | None) -> Iterator[Block]:
        chooser = choose.Chooser(self._message.root, self._peek, start.section if start else None)
        for reading in chooser.readings():
            yield from self._part(reading, start)
            start = None

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

    def _part(self, reading: Reading, start: Position | None) -> Iterator[Block]:
        """Yield a part's blocks from a position in it on."""
        state = State.decode(start.state) if start else State()
        skip = start.skip if start else 0
        if reading.view is View.TEXT:
            segments = self._text(reading.part, start.start if start else 0, state)
        else:
            segments = islice(self._whole(reading), start.start if start else 0, None)
            if start and start.start >= NOTE_ORDINAL:
                segments = (note for note in self._whole(reading) if note.block.at.start >= NOTE_ORDINAL)
        folder = Folder(self._context, state.opened, from_start=not (start and start.start))
        for block in folder.blocks(_skipping(segments, skip)):
            yield self._worded(block)

    def _worded(self, block: Block) -> Block:
        """Give a picture without words one, so that there is something to follow."""
        if block.kind is not Kind.PICTURE or block.runs:
            return block
        return replace(block, runs=(Run(self._context.translate(_("Picture"))),))

    def _text(self, part: Part, start: int, state: State) -> Iterator[Segment]:
        allowance = body.Allowance(self._octets(part.section, start), EMPTY_LIMIT)
        pieces = body.text_pieces(part, lambda _start: iter(allowance), start, state.decoder)
        parameters = part.parameters
        flowed = parameters.get("format", "").strip().lower() == "flowed"
        delsp = flowed and parameters.get("delsp", "").strip().lower() == "yes"
        shorten = self._context.fold
        left_out = self._context.translate(_("The rest, behind many empty lines, was left out."))
        reader = TextReader(pieces, part.section, state, shorten, flowed, delsp, self._reply, left_out)
        for segment in reader.segments():
            allowance.renew()
            yield segment
        if allowance.spent:  # from the note's position reading goes on
            at = Position(part.section, start + allowance.pulled)
            yield Segment(Block(Kind.NOTE, (Run(left_out),), at))

    def _whole(self, reading: Reading) -> Iterator[Segment]:
        """Yield the segments of a part that is read whole."""
        yield from _VIEWERS[reading.view](self, reading.part)

    def _read(self, part: Part, cap: int) -> tuple[str, bool]:
        octets, was_cut = body.whole(part, self._octets(part.section, 0), cap)
        declared = part.parameters.get("charset", "")
        label = charset.of_html(octets, declared) if part.media_type == "text/html" else declared
        return charset.decode(octets, label)[0], was_cut

    def _html(self, part: Part) -> Iterator[Segment]:
        text, was_cut = self._read(part, HTML_CAP)
        drafts, too_many = html.read(text, self._context.fold, self._reply, self._pictures)
        yield from self._noted(part, drafts, was_cut, too_many)

    def _noted(self, part: Part, drafts: list[Draft], was_cut: bool, too_many: bool) -> Iterator[Segment]:
        """Yield the segments of a part that is read whole, and say where it was cut."""
        yield from roles.segments(drafts, part.section, self._reply)
        if was_cut:
            yield self._note(part, _("Cut at 512 KB. The rest is in the original."))
        elif too_many:
            yield self._note(part, _("Cut after 20,000 blocks. The rest is in the original."))

    def _enriched(self, part: Part) -> Iterator[Segment]:
        text = records.enriched(self._read(part, HTML_CAP)[0])
        reader = TextReader(lines.pieces_of(text), part.section, State(), self._context.fold)
        for ordinal, segment in enumerate(reader.segments()):
            yield replace(segment, block=replace(segment.block, at=Position(part.section, ordinal)))

    def _markdown(self, part: Part) -> Iterator[Segment]:
        text, was_cut = self._read(part, HTML_CAP)
        drafts, too_many = markdown.read(text, self._context.fold)
        yield from self._noted(part, drafts, was_cut, too_many)

    def _calendar(self, part: Part) -> Iterator[Segment]:
        yield from roles.rows(records.calendar(self._read(part, RECORD_CAP)[0], self._context), part.section)

    def _card(self, part: Part) -> Iterator[Segment]:
        yield from roles.rows(records.card(self._read(part, RECORD_CAP)[0], self._context), part.section)

    def _delivery(self, part: Part) -> Iterator[Segment]:
        yield from roles.rows(records.delivery(self._read(part, RECORD_CAP)[0], self._context), part.section)

    def _nested(self, part: Part) -> Iterator[Segment]:
        """Yield the heading of an embedded message: subject, from, date."""
        say = self._context.translate
        envelope = part.envelope
        subject = headers.clean(envelope.subject) if envelope else ""
        rows = [(Kind.HEADING, [Run(subject or say(_("(no subject)")))])]
        if envelope and envelope.from_:
            rows.append((Kind.ROW, [Run(f"{say(_('From'))}: {_named(envelope.from_[0])}")]))
        if envelope and envelope.date:
            rows.append((Kind.ROW, [Run(f"{say(_('Date'))}: {self._context.moment(envelope.date)}")]))
        yield from roles.rows(rows, part.section)

    def _picture(self, part: Part) -> Iterator[Segment]:
        if self._context.pictures:
            words = headers.clean(part.description or part.filename)
            at = Position(part.section)
            yield Segment(Block(Kind.PICTURE, (Run(words),) if words else (), at, target=part.section))

    def _signed(self, part: Part) -> Iterator[Segment]:
        yield self._note(part, _("Signed message"))

    def _encrypted(self, part: Part) -> Iterator[Segment]:
        if part.parameters.get("smime-type", "").lower() == "signed-data":
            yield self._note(part, _("This signed message cannot be opened here."))
        else:
            yield self._note(part, _("This message is encrypted. It cannot be read here."))

    def _note(self, part: Part, msgid: str) -> Segment:
        text = self._context.translate(msgid)
        return Segment(Block(Kind.NOTE, (Run(text),), Position(choose.place(part), NOTE_ORDINAL)))

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
        return Block(Kind.NOTE, (Run(text),), Position(choose.place(self._message.root), NOTE_ORDINAL))


def _named(address: Address) -> str:
    return headers.clean(headers.safe_label(address))


def _skipping(segments: Iterator[Segment], skip: int) -> Iterator[Segment]:
    """Leave out what was already shown of the first block."""
    for segment in segments:
        if skip:
            segment = replace(segment, block=cut(segment.block, skip - segment.block.at.skip)[1])
            skip = 0
            if not segment.block.runs:
                continue
        yield segment


_VIEWERS: Final[dict[View, Callable[[_Renderer, Part], Iterator[Segment]]]] = {
    View.HTML: _Renderer._html,
    View.ENRICHED: _Renderer._enriched,
    View.MARKDOWN: _Renderer._markdown,
    View.CALENDAR: _Renderer._calendar,
    View.CARD: _Renderer._card,
    View.DELIVERY: _Renderer._delivery,
    View.NESTED: _Renderer._nested,
    View.PICTURE: _Renderer._picture,
    View.SIGNED: _Renderer._signed,
    View.ENCRYPTED: _Renderer._encrypted,
}


def render(
    message: Message, context: Context, octets: Octets, start: Position | None = None
) -> Iterator[Block]:
    """Yield the message's blocks from `start` on (None, or a position that is not in it: from its beginning).

    `octets(section, start)` yields a section's octets, transfer-encoded; its errors pass through.
    """
    if start is not None:
        some = False
        for block in _Renderer(message, context, octets).blocks(start):
            some = True
            yield block
        if some:
            return
    renderer = _Renderer(message, context, octets)
    nothing = True
    for block in renderer.blocks(None):
        nothing = False
        yield block
    if nothing:
        yield renderer.nothing()
