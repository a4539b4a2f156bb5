"""Parts that are read as a whole: HTML, records, pictures, and notes about parts.

Nothing here may fetch more of a part than its cap; the rest is left out, with a note that names the part. A block's
position is its ordinal; that of a note is beyond all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from gateway.message.charset import decoding
from gateway.message.headers import header_fields
from gateway.message.mime import body
from gateway.message.mime.part_tree import envelope_from_header
from gateway.message.model import Address, Envelope, Part
from gateway.rendition import notes, roles
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.context import Context
from gateway.rendition.html import converter, picture_links
from gateway.rendition.html.html_octets import HTML_CAP as HTML_CAP
from gateway.rendition.html.html_octets import HtmlOctets
from gateway.rendition.records import invitations, records, reports
from gateway.rendition.segments import ReaderState, TextSegment
from gateway.rendition.selection import SelectedPart, View
from gateway.rendition.text import lines, markdown
from gateway.rendition.text.plain_text import TextReader
from gateway.rendition.unplaced import Draft

#: Octets of a record (invitation, contact, report) that are read.
RECORD_CAP: Final = 256 * 1024
#: The ordinal of a note about a part, beyond all of the part's own blocks.
NOTE_ORDINAL: Final = 1_000_000

#: Returns the octets of a section, transfer-encoded, from an offset on.
ReadSection = Callable[[str, int], Iterator[bytes]]


def _(msgid: str) -> str:
    return msgid


class Wholes:
    """Reads the parts of one message that are read as a whole.

    `pictures`: sections by Content-ID. `all_of_it`: hidden text is read too.
    """

    def __init__(
        self,
        context: Context,
        octets: ReadSection,
        reply: bool,
        pictures: dict[str, str],
        root: Part,
        all_of_it: bool = False,
    ) -> None:
        self._context = context
        self._octets = octets
        self._reply = reply
        self._pictures = pictures
        self._root = root
        self._all_of_it = all_of_it

    def segments(self, reading: SelectedPart) -> Iterator[TextSegment]:
        """Yield the segments of a part."""
        return _VIEWERS[reading.view](self, reading.part)

    def _read(self, part: Part, cap: int) -> tuple[str, bool]:
        octets, was_cut = body.whole(part, self._octets(part.section, 0), cap)
        return decoding.decode(octets, part.parameters.get("charset", ""))[0], was_cut

    def _html(self, part: Part) -> Iterator[TextSegment]:
        page = HtmlOctets(part, self._octets(part.section, 0))
        drafts, too_many = converter.read(
            page.text(),
            self._context.fold,
            self._reply,
            self._pictures,
            page.more,
            self._all_of_it,
            self._context.translate(picture_links.PICTURE),
        )
        if not self._reply:
            drafts = roles.without_preheader(drafts)
        yield from self._noted(part, drafts, page.cut, too_many)

    def _noted(self, part: Part, drafts: list[Draft], was_cut: bool, too_many: bool) -> list[TextSegment]:
        """Return the segments of drafts, and a note if they were cut."""
        found = roles.segments(drafts, part.section, self._reply)
        if was_cut:
            found.append(self.cut(part, HTML_CAP))
        elif too_many:
            found.append(self.note(part, notes.MANY_BLOCKS))
        return found

    def _enriched(self, part: Part) -> Iterator[TextSegment]:
        raw, was_cut = self._read(part, HTML_CAP)
        pieces = lines.pieces_of(records.enriched(raw))
        reader = TextReader(pieces, part.section, ReaderState(), self._context.fold)
        for ordinal, segment in enumerate(reader.segments()):
            yield replace(segment, block=replace(segment.block, at=Position(part.section, ordinal)))
        if was_cut:
            yield self.cut(part, HTML_CAP)

    def _markdown(self, part: Part) -> Iterator[TextSegment]:
        text, was_cut = self._read(part, HTML_CAP)
        drafts, too_many = markdown.read(text, self._context.fold)
        yield from self._noted(part, drafts, was_cut, too_many)

    def _calendar(self, part: Part) -> Iterator[TextSegment]:
        yield from self._record(part, invitations.calendar)

    def _card(self, part: Part) -> Iterator[TextSegment]:
        yield from self._record(part, records.card)

    def _delivery(self, part: Part) -> Iterator[TextSegment]:
        yield from self._record(part, reports.delivery)

    def _disposition(self, part: Part) -> Iterator[TextSegment]:
        yield from self._record(part, reports.disposition)

    def _feedback(self, part: Part) -> Iterator[TextSegment]:
        yield from self._record(part, reports.feedback)

    def _record(
        self, part: Part, read: Callable[[str, Context], records.RecordRows]
    ) -> Iterator[TextSegment]:
        text, was_cut = self._read(part, RECORD_CAP)
        rows, more = read(text, self._context)
        rows += self._returned(part, rows)
        yield from roles.rows(rows, part.section)
        if was_cut:
            yield self.cut(part, RECORD_CAP)
        elif more:
            yield self.note(part, notes.RECORDS)

    def _returned(self, part: Part, rows: list[records.RecordRow]) -> list[records.RecordRow]:
        """Return rows about the mail that a report concerns, after the last of its own parts."""
        for report in self._root.walk():
            if report.media_type != "multipart/report" or part not in report.parts:
                continue
            behind = report.parts[report.parts.index(part) + 1 :]
            original = behind[0] if behind else None
            if original is None:
                return []
            if original.envelope is not None:
                return reports.returned(original.envelope, self._context, rows)
            if original.media_type.endswith("rfc822-headers"):
                header = self._read(original, RECORD_CAP)[0].encode()
                return reports.returned(envelope_from_header(header)[0], self._context, rows)
        return []

    def _nested(self, part: Part) -> Iterator[TextSegment]:
        yield from self.heading(part.envelope or Envelope(), part.section)

    def heading(self, envelope: Envelope, section: str) -> list[TextSegment]:
        """Return the heading of an embedded message: subject, sender, date."""
        say = self._context.translate
        subject = header_fields.clean(envelope.subject)
        rows = [(Kind.HEADING, [Run(subject or say(_("(no subject)")))])]
        if envelope.from_:
            rows.append((Kind.ROW, [Run(f"{say(_('From'))}: {_named(envelope.from_[0])}")]))
        if envelope.date:
            rows.append((Kind.ROW, [Run(f"{say(_('Date'))}: {self._context.moment(envelope.date)}")]))
        return roles.rows(rows, section)

    def _picture(self, part: Part) -> Iterator[TextSegment]:
        if self._context.pictures:
            words = header_fields.clean(part.description or part.filename)
            at = Position(part.section)
            yield TextSegment(Block(Kind.PICTURE, (Run(words),) if words else (), at, target=part.section))

    def _signed(self, part: Part) -> Iterator[TextSegment]:
        yield self.signed(part)

    def signed(self, part: Part) -> TextSegment:
        """Return a note that a part is signed, which does not mean that the signature is valid."""
        return self._note_segment(part, self._context.translate(_("Signed message")))

    def _encrypted(self, part: Part) -> Iterator[TextSegment]:
        if part.parameters.get("smime-type", "").lower() == "signed-data":
            text = self._context.translate(_("This signed message cannot be opened here."))
        else:
            text = self._context.translate(notes.ENCRYPTED)
        yield self._note_segment(part, text)

    def cut(self, part: Part, octets: int) -> TextSegment:
        """Return a note that a part is cut at this many octets."""
        return self.note(part, notes.CUT, octets)

    def note(self, part: Part, msgid: str, octets: int = 0) -> TextSegment:
        """Return a note that a part is incomplete, with a link to the original."""
        return self._note_segment(
            part, notes.about(self._context.translate, msgid, part, octets), part.section
        )

    def _note_segment(self, part: Part, text: str, target: str = "") -> TextSegment:
        at = Position(part.section, NOTE_ORDINAL)
        return TextSegment(Block(Kind.NOTE, (Run(text),), at, target=target))


def _named(address: Address) -> str:
    return header_fields.clean(header_fields.safe_label(address))


_VIEWERS: Final[dict[View, Callable[[Wholes, Part], Iterator[TextSegment]]]] = {
    View.HTML: Wholes._html,
    View.ENRICHED: Wholes._enriched,
    View.MARKDOWN: Wholes._markdown,
    View.CALENDAR: Wholes._calendar,
    View.CARD: Wholes._card,
    View.DELIVERY: Wholes._delivery,
    View.DISPOSITION: Wholes._disposition,
    View.FEEDBACK: Wholes._feedback,
    View.NESTED: Wholes._nested,
    View.PICTURE: Wholes._picture,
    View.SIGNED: Wholes._signed,
    View.ENCRYPTED: Wholes._encrypted,
}
