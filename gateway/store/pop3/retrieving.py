"""The part of the store that reads messages: headers by TOP, and whole messages, which our own reader parses.

Nothing here may trust a server about how much it sends. A message that was opened is kept for a while, so that its
pages and attachments need no further visit; beyond a few octets in memory it is in a temporary file without a name.

Standard: RFC 1939 §5 (RETR), §7 (TOP).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from gateway.errors import AnswerTooLong, MailboxGone, MessageGone, StoreRefused
from gateway.message.model import Bound, Gap, Message
from gateway.store.base import INBOX, SEEN, MessageRef
from gateway.store.pop3.connection import BoundedPOP3
from gateway.store.pop3.maildrop import MaildropEntry, uid_of_header
from gateway.store.pop3.visiting import MaildropVisit
from gateway.store.sections import HELD, MOST_READ, OwnReading, SectionFile, require_section
from gateway.store.session_cache import SessionCache
from gateway.upstreams.wire import Ledger, Overrun

#: The UIDVALIDITY of the only mailbox: its UIDs never identify another message.
UIDVALIDITY: Final = 1
#: Octets of a header that are read: no mail program writes that much.
HEADER_OCTETS: Final = 64 * 1024
#: Headers that are read to find a message without a unique-id.
MOST_LOOKED_AT: Final = 100
#: Octets of a message that is fetched only for its header, from a server without TOP.
MOST_FOR_A_HEADER: Final = 1024 * 1024
#: Lines, and octets, of a message that is too large to be read as a whole.
BEGINNING_LINES: Final = 4000
BEGINNING: Final = 1024 * 1024
#: Messages that are kept from one lease to the next, and their octets together.
MOST_KEPT: Final = 4
OCTETS_KEPT: Final = MOST_READ
#: Bytes that a part takes as an object.
PART_BYTES: Final = 1000

_BARE: Final = re.compile(rb"(?<!\r)\n")


class Kept:
    """A message that was opened; `cut`: only its beginning. `counted`: in its server's ledger, as long as it exists."""

    def __init__(self, own: OwnReading, octets: int, cut: bool, ledger: Ledger) -> None:
        self.own, self.octets, self.cut = own, octets, cut
        self._ledger, self._size = ledger, 0
        size = min(own.message.octets, HELD) + PART_BYTES * sum(1 for _ in own.message.root.walk())
        try:
            ledger.take(size)
            self._size = size
        except Overrun:
            pass

    @property
    def counted(self) -> bool:
        return self._size > 0

    def __del__(self) -> None:
        self._ledger.give(self._size)


class Retrieving(MaildropVisit):
    """Reads messages."""

    def __init__(self, connection: BoundedPOP3) -> None:
        super().__init__(connection)
        self._opened: OrderedDict[int, Kept] = OrderedDict()
        self.cache = SessionCache()

    def structure(self, ref: MessageRef) -> Message:
        """Read everything about a message except its bodies."""
        kept = self._read(ref)
        message = kept.own.message
        if kept.cut:
            message = replace(
                message,
                octets=kept.octets,
                defects=(*message.defects, Gap("message: only its beginning", Bound.END)),
            )
        return replace(message, flags=self._flags(ref.uid))

    def octets(self, ref: MessageRef, section: str, start: int = 0) -> Iterator[bytes]:
        """Yield a section from `start`; raise AnswerTooLong where the rest was left out."""
        require_section(section, start)
        return self._pieces(ref, section, start)

    def _pieces(self, ref: MessageRef, section: str, start: int) -> Iterator[bytes]:
        kept = self._read(ref)
        self._leave()  # a phone may need minutes to receive a file: nobody has to wait for it
        yield from kept.own.read(section, start)
        if kept.cut and kept.own.is_last(section):
            raise AnswerTooLong(f"a message of {kept.octets} octets")

    def close(self) -> None:
        """Leave the maildrop, and drop the messages for which there is no room."""
        super().close()
        for uid in [uid for uid, kept in self._opened.items() if not kept.counted]:
            del self._opened[uid]

    # --- whole messages ---

    def _read(self, ref: MessageRef) -> Kept:
        self._require(ref.mailbox, ref.uidvalidity)
        kept = self._opened.get(ref.uid)
        if kept is None:
            kept = self._opened[ref.uid] = self._retrieved(self._found(ref.uid))
        self._opened.move_to_end(ref.uid)
        while len(self._opened) > MOST_KEPT or (
            len(self._opened) > 1
            and sum(one.own.message.octets for one in self._opened.values()) > OCTETS_KEPT
        ):
            self._opened.popitem(last=False)
        return kept

    def _retrieved(self, entry: MaildropEntry) -> Kept:
        """Fetch a message, or the beginning of one that is too large."""
        line = self._line()
        cut = entry.octets > MOST_READ
        command = b"TOP %d %d" % (entry.number, BEGINNING_LINES) if cut else b"RETR %d" % entry.number
        reply = line.ask(command)
        if not reply.ok:
            raise StoreRefused(str(reply))
        file = SectionFile()
        for piece in _with_crlf(line.text()):
            if file.size + len(piece) > MOST_READ:
                with line.listening():
                    raise Overrun(f"a message of more than {MOST_READ} octets, not {entry.octets}")
            if not cut or file.size < BEGINNING:
                file.write(piece)
        return Kept(OwnReading(file), entry.octets, cut, line.ledger)

    # --- headers ---

    def _headers(self, entries: Sequence[MaildropEntry]) -> list[bytes | None]:
        """Fetch headers; None for one that the server does not return."""
        line = self._line()
        found = line.each([b"TOP %d 0" % entry.number for entry in entries], lambda: _header(line))
        told = dict(zip(entries, found, strict=True))
        # TOP is optional.
        some = [entry for entry in entries if told[entry] is None and entry.octets <= MOST_FOR_A_HEADER]
        told |= zip(
            some, line.each([b"RETR %d" % entry.number for entry in some], lambda: _header(line)), strict=True
        )
        return [told[entry] for entry in entries]

    def _found(self, uid: int) -> MaildropEntry:
        """Return the message with a UID, with its number in this visit. Raise MessageGone."""
        maildrop = self._listed()
        entry = maildrop.find(uid)
        if entry is not None:
            return entry
        some = list(islice(maildrop.candidates(uid), MOST_LOOKED_AT))
        for entry, header in zip(some, self._headers(some) if some else (), strict=True):
            if header is not None and uid_of_header(header, entry.octets) == uid:
                return entry._replace(uid=uid)
        raise MessageGone(f"UID {uid}")

    def _named(self, entries: Sequence[MaildropEntry]) -> list[MaildropEntry]:
        """Return messages with their UIDs, without those whose UID cannot be determined."""
        unnamed = [entry for entry in entries if not entry.uid][:MOST_LOOKED_AT]
        headers = dict(zip(unnamed, self._headers(unnamed) if unnamed else (), strict=True))
        named = (
            entry._replace(uid=uid_of_header(header, entry.octets))
            if (header := headers.get(entry))
            else entry
            for entry in entries
        )
        return [entry for entry in named if entry.uid]

    # --- what is asked about ---

    def _require(self, mailbox: str, uidvalidity: int = UIDVALIDITY) -> None:
        if mailbox.upper() != INBOX or uidvalidity != UIDVALIDITY:
            raise MailboxGone("there is one mailbox")

    def _flags(self, uid: int) -> frozenset[str]:
        return frozenset({SEEN}) if uid in self._seen else frozenset()


def _header(line: BoundedPOP3) -> bytes | None:
    """Read the answer to TOP or RETR as far as the header goes; None for a refusal."""
    if not line.status().ok:
        return None
    kept = bytearray()
    for piece in line.text():
        kept += piece[: HEADER_OCTETS - len(kept)]
    return bytes(kept)


def _with_crlf(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Convert line ends to CRLF, so that the reader need not make another copy for that."""
    held = b""
    for piece in pieces:
        piece = held + piece
        held = b"\r" if piece.endswith(b"\r") else b""
        yield _BARE.sub(b"\r\n", piece.removesuffix(held))
    yield held
