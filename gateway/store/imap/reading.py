"""The part of the store that reads one message: its structure, and the octets of its sections.

Nothing here may trust a server about how much it sends, from where, or how a message is structured. A section is
fetched in ranges, and what comes is compared with the beginning of the section and with its size in the structure: a
server that ignores ranges, their origins or their ends is asked for the section as a whole, which goes to a temporary
file. A message whose structure is unusable is fetched whole, and parsed by our own reader, which then numbers the
sections.

Standard: RFC 9051 §6.4.5 (FETCH), §7.5.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final, TypeAlias

from gateway.errors import AnswerTooLong, MessageGone, StoreRefused
from gateway.message.model import Bound, Envelope, Gap, Message, Part
from gateway.store.base import MailStore, MessageRef, StoredNotes
from gateway.store.imap import beginnings, fetched, response
from gateway.store.imap.beginnings import FIRST_PIECE, FirstOctets
from gateway.store.imap.exchange import Exchange, refusal
from gateway.store.imap.features import Feature, Refusals
from gateway.store.imap.fetched import BODY, OPEN_ITEMS, PLAIN_OPEN_ITEMS, FetchItems
from gateway.store.imap.response import CommandResponse, ImapSyntaxError, number
from gateway.store.imap.search import criteria
from gateway.store.imap.selected import Selected
from gateway.store.sections import MOST_READ, OwnReading, SectionFile, require_section

# Octets of a body fetched at a time, after the first piece.
LARGEST_PIECE = 32 * 1024
# Octets at the beginning of a section by which it is recognized if another range was requested; fewer than the second
# number are no evidence.
BEGINNING, LEAST_BEGINNING = 64, 16
# A section may have twice the octets that its structure says, and this many more: sizes are estimates on some servers.
SPARE = 64 * 1024
# How much may be missing from it without a further request: a fraction, and octets.
SHORT_FRACTION, SHORT_OCTETS = 16, 1024
# Messages whose structure a connection remembers.
REMEMBERED = 8

# The approximate octets that one part of a kept message takes as an object.
PART_OCTETS: Final = 1000
# The cache key of such messages.
_OPENED: Final = "opened"

_UNREADABLE: Final = Message(
    Envelope(), Part("", "multipart/mixed"), defects=(f"{fetched.STRUCTURE} not told by the server",)
)
# Neither the server nor our own reader can say what there is.
_UNSEEN: Final = Gap("message: unreadable", Bound.MESSAGE)

#: The items that show how a message is structured.
_MADE: Final = b"UID RFC822.SIZE BODYSTRUCTURE"

#: The octets of each section according to the structure, and of the whole message; or our own reading of it.
Known: TypeAlias = "Mapping[str, int] | OwnReading"


class Reading(Selected):
    """Reads one message at a time."""

    def __init__(
        self,
        exchange: Exchange,
        capabilities: frozenset[str],
        utf8: bool = False,
        refusals: Refusals | None = None,
    ) -> None:
        super().__init__(exchange, capabilities, utf8, refusals)
        self._known: dict[MessageRef, Known] = {}
        #: The message that was opened last, and the beginnings of its texts that have come.
        self._ahead: tuple[MessageRef | None, dict[FirstOctets, bytes]] = (None, {})
        #: The texts of that message whose beginnings come together as soon as one is read.
        self._texts: tuple[FirstOctets, ...] = ()
        #: The last section that came as a whole.
        self._whole: tuple[MessageRef, str, SectionFile] | None = None
        #: Whether this connection has been seen to obey ranges.
        self._ranged = False

    @contextmanager
    def lent(self, connect: Callable[[], MailStore], notes: StoredNotes | None = None) -> Iterator[None]:
        """Within the block, have a way to connect anew, and the beginnings of the message that is opened."""
        with super().lent(connect, notes):
            try:
                yield
            finally:
                self._ahead, self._texts = (None, {}), ()

    def structure(self, ref: MessageRef) -> Message:
        """Fetch everything about a message except its body; for one that was read before, only its flags."""
        self._ahead, self._texts = (ref, {}), ()
        if (known := self._opened_before(ref)) is not None:
            return known
        wanted = self._known_rows.beginnings(ref)
        row = self._described(ref, beginnings.items(wanted))
        self._ahead = ref, beginnings.found(row, wanted)
        message = fetched.message(row) if row else _UNREADABLE
        doubtful = _is_doubtful(message) or fetched.has_blank_line(row)
        if not doubtful:
            weight = len(fetched.header_of(row)) + PART_OCTETS * sum(1 for _ in message.root.walk())
            self.cache.put((_OPENED, ref), message, weight)
            self._texts = () if wanted else beginnings.beginnings(message.root)
        own = self._read_by_ourselves(ref, message.octets) if doubtful else None
        self._remember(ref, message, own)
        if own is not None:
            return _merged(own.message, message, bool(row))
        return replace(message, defects=(*message.defects, _UNSEEN)) if _is_doubtful(message) else message

    def octets(self, ref: MessageRef, section: str, start: int = 0) -> Iterator[bytes]:
        """Yield a section from `start`, a piece for each pull; the connection is used at each pull."""
        require_section(section, start)
        return self._pieces(ref, section, start)

    # --- its structure ---

    def _opened_before(self, ref: MessageRef) -> Message | None:
        """Return a kept message, with its current flags; None if it has to be fetched."""
        known = self.cache.get((_OPENED, ref))
        if not isinstance(known, Message):
            return None
        try:
            row = _row_of(self._fetch(ref, b"UID FLAGS"), ref.uid, (b"FLAGS",))
        except StoreRefused:
            return None
        self._remember(ref, known)
        return replace(known, flags=fetched.flags_of(row))

    def _described(self, ref: MessageRef, more: bytes) -> FetchItems:
        """Fetch a message's row, with as much as the server can report; empty if the message exists but nothing is
        reported.

        `more`: items that are requested with it in the first attempt.
        """
        grouped = self._offers(Feature.HEADER_GROUPS)
        ways = (OPEN_ITEMS[0], *PLAIN_OPEN_ITEMS[:1], *OPEN_ITEMS[1:]) if grouped else PLAIN_OPEN_ITEMS
        ways = (ways[0] + more, *ways) if more else ways
        refused = False
        for items in ways:
            try:
                row = _row_of(self._fetch(ref, items), ref.uid, (b"RFC822.SIZE", *BODY))
            except (MessageGone, StoreRefused) as error:
                if items is ways[0] and not self._is_listed(ref):
                    raise
                refused = isinstance(error, StoreRefused)
                continue
            if grouped and items is PLAIN_OPEN_ITEMS[0] and refused:
                self._refusals.add(Feature.HEADER_GROUPS, for_anyone=True)
            return row
        return {}

    def _is_listed(self, ref: MessageRef) -> bool:
        (reply,) = self._run(b"UID SEARCH UID %d" % ref.uid)
        return ref.uid in criteria.numbers(reply)

    def _read_by_ourselves(self, ref: MessageRef, size: int) -> OwnReading | None:
        """Fetch a whole message and parse it; None if it is too large for that, or cannot be fetched."""
        file = None
        if size <= MOST_READ:
            with suppress(MessageGone, StoreRefused):
                file = self._fetch_whole(ref, "")
        return OwnReading(file) if file is not None and 0 < file.size <= MOST_READ else None

    # --- its octets ---

    def _pieces(self, ref: MessageRef, section: str, start: int) -> Iterator[bytes]:
        at = start
        if self._came_whole(ref, section) is None and not self._own(ref):
            for piece in self._ranges(ref, section, start):
                yield piece
                at += len(piece)
        own, file = self._own(ref), self._came_whole(ref, section)
        if file and not own:
            told = self._octets_of(ref, section)
            if file.size < told // 2 or start < file.size < at:
                own = self._instead(ref)
                if own is None:
                    raise StoreRefused(f"section {section}: {file.size} octets of {told}")
            else:
                yield from file.read(at, file.size)
        if own:
            yield from own.read(section, at)

    def _instead(self, ref: MessageRef) -> OwnReading | None:
        """Read a message ourselves that is not structured as the server said; None if even that does not get all of it.

        QUIRK: Exchange estimates the sizes of parts, at times by far too high.
        """
        size = self._octets_of(ref, "")
        own = self._read_by_ourselves(ref, size)
        if own is None or own.message.octets < size // 2:
            return None
        self._known[ref] = own
        self.cache.drop((_OPENED, ref))
        return own

    def _ranges(self, ref: MessageRef, section: str, start: int) -> Iterator[bytes]:
        """Yield ranges of a section to its end, or as long as they can be trusted: after that, fetch all of it."""
        ahead = self._taken_ahead(ref, section) if not start else None
        at, size, begins = start, ahead[0] if ahead else FIRST_PIECE, b""
        while True:
            try:
                piece, begins = ahead[1:] if ahead else self._range(ref, section, at, size, begins)
            except (StoreRefused, MessageGone) as error:
                if isinstance(error, MessageGone) and not at:
                    raise
                piece = None  # QUIRK: a server that refuses ranges, or those beyond the end
            if self._own(ref) or self._came_whole(ref, section):
                return
            told = self._octets_of(ref, section)
            if piece is None or (not piece and at < (told if at == start else _least(told))):
                self._whole = ref, section, self._fetch_whole(ref, section)
                return
            if piece:
                yield piece
            at += len(piece)
            if not piece or (len(piece) < size and _is_end(section, piece, at, told)):
                return
            most = 2 * (told or self._octets_of(ref, "")) + SPARE
            if at > most:
                raise AnswerTooLong(f"section {section}: more than {most} octets of {told}")
            size, ahead = min(2 * size, LARGEST_PIECE), None

    def _taken_ahead(self, ref: MessageRef, section: str) -> tuple[int, bytes, bytes] | None:
        """Take what came of a section with the structure: how much was asked for, it, and how the section begins."""
        opened, ahead = self._ahead
        if opened != ref:
            return None
        texts, self._texts = self._texts, ()
        if len(texts) > 1 and any(text.section == section for text in texts):
            with suppress(MessageGone, StoreRefused):
                row = _row_of(self._fetch(ref, b"UID" + beginnings.items(texts)), ref.uid, BODY)
                ahead |= beginnings.found(row, texts)
        one = next((one for one in ahead if one.section == section), None)
        return (one.octets, octets := ahead.pop(one), octets[:BEGINNING]) if one is not None else None

    def _range(
        self, ref: MessageRef, section: str, at: int, size: int, begins: bytes
    ) -> tuple[bytes | None, bytes]:
        """Fetch one range, and return it with the beginning of the section; None for octets from somewhere else.

        In the same round trip, fetch the structure and the beginning if they are needed and unknown. A section that
        came whole instead is kept.
        """
        name = section.encode("ascii")
        wanted = [b"UID BODY.PEEK[%b]<%d.%d>" % (name, at, size)]
        probed = at > 0 and not begins and not self._ranged
        if probed:
            wanted.insert(0, b"UID BODY.PEEK[%b]<0.%d>" % (name, BEGINNING))
        if ref not in self._known:
            wanted.insert(0, _MADE)
        file = SectionFile(size)
        with self._exchange.into(file):
            replies = self._fetch(ref, *wanted)
        if wanted[0] is _MADE and not self._trusts(ref, replies):
            return b"", begins
        octets, partial = fetched.piece(_row_of(replies, ref.uid, BODY, b"<%d>" % at))
        if len(octets) > size and not file.size:
            file.write(octets)
        if file.size:
            if not 0 < _least(self._octets_of(ref, section)) <= file.size:
                return None, begins
            self._whole = ref, section, file
            return b"", begins
        if probed:
            begins = fetched.piece(_row_of(replies, ref.uid, BODY, b"<0>"))[0][:BEGINNING]
        head = octets[:BEGINNING]
        if not at:
            return octets, head
        if head and not self._ranged:
            if begins.startswith(head) or head.startswith(begins):
                return (octets if partial and len(head) < LEAST_BEGINNING else None), begins
            self._ranged = len(head) >= LEAST_BEGINNING
        return octets, begins

    def _trusts(self, ref: MessageRef, replies: Sequence[CommandResponse]) -> bool:
        """Process a message's structure; return whether it is usable, so that the server's sections can be used."""
        with suppress(MessageGone, StoreRefused):
            message = fetched.message(_row_of(replies, ref.uid, (b"BODYSTRUCTURE",)))
            if not _is_doubtful(message):
                self._remember(ref, message)
                return True
        self.structure(ref)
        return not self._own(ref)

    def _remember(self, ref: MessageRef, message: Message, own: OwnReading | None = None) -> None:
        self._known.pop(ref, None)
        self._known[ref] = own or (
            {part.section: part.octets for part in message.root.walk()} | {"": message.octets}
        )
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]

    def _own(self, ref: MessageRef) -> OwnReading | None:
        known = self._known.get(ref)
        return known if isinstance(known, OwnReading) else None

    def _octets_of(self, ref: MessageRef, section: str) -> int:
        """Return how many octets a section has according to the structure, 0 if unknown."""
        known = self._known.get(ref, {})
        return 0 if isinstance(known, OwnReading) else known.get(section, 0)

    def _came_whole(self, ref: MessageRef, section: str) -> SectionFile | None:
        return self._whole[2] if self._whole is not None and self._whole[:2] == (ref, section) else None

    def _fetch_whole(self, ref: MessageRef, section: str) -> SectionFile:
        """Fetch a section without a range."""
        file = SectionFile()
        with self._exchange.into(file):
            replies = self._fetch(ref, b"UID BODY.PEEK[%b]" % section.encode("ascii"))
        octets, _ = fetched.piece(_row_of(replies, ref.uid, BODY))
        if not file.size:
            file.write(octets)
        return file

    def _fetch(self, ref: MessageRef, *wanted: bytes) -> list[CommandResponse]:
        """Fetch items of one message, one command each, selecting its mailbox in the same round trip if necessary.

        QUIRK: Dovecot may answer commands that were sent together in the reply to any of them.
        """
        commands = [b"UID FETCH %b (%b)" % (response.number_set([ref.uid]), items) for items in wanted]
        if self._selected == ref.mailbox:
            replies = self._run(*commands)
        else:
            replies = self._select(ref.mailbox, *commands)
        self._check(ref)
        return sorted(replies, key=lambda reply: reply.finished)


def _is_doubtful(message: Message) -> bool:
    """Return whether a message's structure is unreliable."""
    return any(defect.startswith(fetched.STRUCTURE) for defect in message.defects)


def _row_of(
    replies: Sequence[CommandResponse], uid: int, proofs: tuple[bytes, ...], origin: bytes = b""
) -> FetchItems:
    """Return the row of a message in the replies to a FETCH of it alone, or raise the reason for its absence.

    `proofs`: how the names of the items that it must have begin; of several rows the one with an item of this origin is
    meant, else the last. QUIRK: some servers leave out the UID there.
    """
    rows: list[FetchItems] = []
    at = 0
    for line in (line for reply in replies for line in reply.untagged):
        if line.kind == "EXPUNGE":
            # Dovecot still reports a message that another client has expunged, and then that it is gone.
            rows = [] if line.number == at else rows
            at -= line.number < at
        elif line.kind == "FETCH":
            with suppress(ImapSyntaxError):
                row = line.items()
                if (number(row.get(b"UID")) or uid) == uid and any(name.startswith(proofs) for name in row):
                    rows.append(row)
                    at = line.number
    if rows:
        return next((row for row in rows if any(name.endswith(origin) for name in row)), rows[-1])
    reply = next((reply for reply in replies if not reply.ok), replies[-1])
    if reply.status.kind == "BAD" or reply.status.code:
        raise refusal(reply) if not reply.ok else MessageGone(f"UID {uid}")
    # RFC 2180 §4.1.2: a NO may be the only response about a message that another client expunged.
    raise MessageGone(f"UID {uid}: {reply.status.text}")


def _least(told: int) -> int:
    """Return how many octets a section must have, given those that the structure says."""
    return told - told // SHORT_FRACTION - SHORT_OCTETS if told > 2 * SHORT_OCTETS else told


def _is_end(section: str, piece: bytes, at: int, told: int) -> bool:
    """Return whether a piece shorter than requested is the last one, rather than all that a server returns at a
    time."""
    if told:
        return at >= told
    return section.endswith(("HEADER", "MIME")) and piece.endswith(b"\r\n\r\n")


def _merged(own: Message, told: Message, described: bool) -> Message:
    """Take from the server what only the server knows."""
    received, octets = told.received, told.octets or own.octets
    defects = told.defects if described else ()
    return replace(
        own,
        flags=told.flags,
        received=received,
        octets=octets,
        defects=tuple(
            dict.fromkeys((*own.defects, *(d for d in defects if d.startswith(fetched.STRUCTURE))))
        ),
    )
