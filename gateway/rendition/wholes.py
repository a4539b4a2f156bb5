"""Parts that are read whole: web pages, records, pictures, and what is only said of a part.

Nothing here may fetch more of a part than its cap; what stands behind that is left out, and a note says of which
part. A block's place is its ordinal, that of a note lies behind all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from gateway.message import body, charset, headers
from gateway.message.model import Address, Envelope, Part
from gateway.rendition import html, lines, markdown, notes, records, roles
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.choose import Reading, View
from gateway.rendition.context import Context
from gateway.rendition.drafts import Draft
from gateway.rendition.segments import Segment, State
from gateway.rendition.text import TextReader

#: HTML is read so far, octets: what is behind that is left to the original.
HTML_CAP: Final = 512 * 1024
#: Records (invitations, contacts, reports) are read so far, octets.
RECORD_CAP: Final = 256 * 1024
#: The ordinal of a note about a part, behind all of the part's own blocks.
NOTE_ORDINAL: Final = 1_000_000

#: Octets of a section, transfer-encoded, from an offset on.
Octets = Callable[[str, int], Iterator[bytes]]


def _(msgid: str) -> str:
    return msgid


class Wholes:
    """Reads parts of one message that are read whole. `pictures`: sections by Content-ID."""

    def __init__(self, context: Context, octets: Octets, reply: bool, pictures: dict[str, str]) -> None:
        self._context = context
        self._octets = octets
        self._reply = reply
        self._pictures = pictures

    def segments(self, reading: Reading) -> Iterator[Segment]:
        """Yield the segments of a part."""
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
        """Yield the segments of drafts, and say where they were cut."""
        yield from roles.segments(drafts, part.section, self._reply)
        if was_cut:
            yield self.cut(part, HTML_CAP)
        elif too_many:
            yield self.note(part, notes.MANY_BLOCKS)

    def _enriched(self, part: Part) -> Iterator[Segment]:
        raw, was_cut = self._read(part, HTML_CAP)
        pieces = lines.pieces_of(records.enriched(raw))
        reader = TextReader(pieces, part.section, State(), self._context.fold)
        for ordinal, segment in enumerate(reader.segments()):
            yield replace(segment, block=replace(segment.block, at=Position(part.section, ordinal)))
        if was_cut:
            yield self.cut(part, HTML_CAP)

    def _markdown(self, part: Part) -> Iterator[Segment]:
        text, was_cut = self._read(part, HTML_CAP)
        drafts, too_many = markdown.read(text, self._context.fold)
        yield from self._noted(part, drafts, was_cut, too_many)

    def _calendar(self, part: Part) -> Iterator[Segment]:
        yield from self._record(part, records.calendar)

    def _card(self, part: Part) -> Iterator[Segment]:
        yield from self._record(part, records.card)

    def _delivery(self, part: Part) -> Iterator[Segment]:
        yield from self._record(part, records.delivery)

    def _record(self, part: Part, read: Callable[[str, Context], records.Rows]) -> Iterator[Segment]:
        text, was_cut = self._read(part, RECORD_CAP)
        rows, more = read(text, self._context)
        yield from roles.rows(rows, part.section)
        if was_cut:
            yield self.cut(part, RECORD_CAP)
        elif more:
            yield self.note(part, notes.RECORDS)

    def _nested(self, part: Part) -> Iterator[Segment]:
        yield from self.heading(part.envelope or Envelope(), part.section)

    def heading(self, envelope: Envelope, section: str) -> list[Segment]:
        """Make the heading of an embedded message: subject, from, date."""
        say = self._context.translate
        subject = headers.clean(envelope.subject)
        rows = [(Kind.HEADING, [Run(subject or say(_("(no subject)")))])]
        if envelope.from_:
            rows.append((Kind.ROW, [Run(f"{say(_('From'))}: {_named(envelope.from_[0])}")]))
        if envelope.date:
            rows.append((Kind.ROW, [Run(f"{say(_('Date'))}: {self._context.moment(envelope.date)}")]))
        return roles.rows(rows, section)

    def _picture(self, part: Part) -> Iterator[Segment]:
        if self._context.pictures:
            words = headers.clean(part.description or part.filename)
            at = Position(part.section)
            yield Segment(Block(Kind.PICTURE, (Run(words),) if words else (), at, target=part.section))

    def _signed(self, part: Part) -> Iterator[Segment]:
        yield self._said(part, self._context.translate(_("Signed message")))

    def _encrypted(self, part: Part) -> Iterator[Segment]:
        if part.parameters.get("smime-type", "").lower() == "signed-data":
            text = self._context.translate(_("This signed message cannot be opened here."))
        else:
            text = self._context.translate(_("This message is encrypted. It cannot be read here."))
        yield self._said(part, text)

    def cut(self, part: Part, octets: int) -> Segment:
        """Say that a part is cut at so many octets."""
        return self.note(part, notes.CUT, octets)

    def note(self, part: Part, msgid: str, octets: int = 0) -> Segment:
        """Say of a part that not all of it is here; the note leads to the original."""
        return self._said(part, notes.about(self._context.translate, msgid, part, octets), part.section)

    def _said(self, part: Part, text: str, target: str = "") -> Segment:
        at = Position(part.section, NOTE_ORDINAL)
        return Segment(Block(Kind.NOTE, (Run(text),), at, target=target))


def _named(address: Address) -> str:
    return headers.clean(headers.safe_label(address))


_VIEWERS: Final[dict[View, Callable[[Wholes, Part], Iterator[Segment]]]] = {
    View.HTML: Wholes._html,
    View.ENRICHED: Wholes._enriched,
    View.MARKDOWN: Wholes._markdown,
    View.CALENDAR: Wholes._calendar,
    View.CARD: Wholes._card,
    View.DELIVERY: Wholes._delivery,
    View.NESTED: Wholes._nested,
    View.PICTURE: Wholes._picture,
    View.SIGNED: Wholes._signed,
    View.ENCRYPTED: Wholes._encrypted,
}
