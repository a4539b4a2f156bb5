"""The messages of a maildrop as one session sees them, and their UIDs.

Nothing here may do I/O. POP3 numbers messages anew in each session; what is permanent is the unique-id (RFC 1939 §7,
UIDL). A UID is 48 bits of its digest: nothing has to be stored, any process computes the same, and the UID of a message
that is gone fits no other message. If a server has no unique-ids, or gives one to several messages, a message is
identified by a digest of its header and by its size, which LIST reports for all messages: so only the headers of the
messages with that size have to be read, not all headers.

Standard: RFC 1939 §5 (LIST), §7 (UIDL).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from gateway.message.model import MAX_UID
from gateway.store.pop3 import answers
from gateway.store.pop3.answers import MalformedResponse
from gateway.upstreams.wire import Ledger, Overrun

#: Messages of a maildrop, and lines of a listing that are not messages.
MOST_MESSAGES: Final = 100_000
#: The most bytes that a line takes here: two numbers, and a third while UIDs are compared.
MESSAGE_BYTES: Final = 40
#: Lines that are counted together.
_AT_ONCE: Final = 100
#: The part of a UID that is the size, if it is made from a header.
_SIZE_BITS: Final = 20
_SIZE_MASK: Final = (1 << _SIZE_BITS) - 1
_UID_OCTETS: Final = MAX_UID.bit_length() // 8
#: QUIRK: fields that servers put into a header, and change when a message is read.
_CHANGING: Final = re.compile(
    rb"(?:x-uidl|x-status|status|content-length|x-mozilla-status2?):", re.IGNORECASE
)

Column: TypeAlias = "array[int]"


class MaildropEntry(NamedTuple):
    """One message: its rank from 1 (the oldest), the server's number for it, its size, its UID (0: from its header)."""

    rank: int
    number: int
    octets: int
    uid: int


class Maildrop:
    """What LIST and UIDL have reported; a line that cannot be read loses its message, or just the unique-id.

    It counts in its server's ledger for as long as it is referenced.
    """

    def __init__(self, listing: Iterable[bytes], unique_ids: Iterable[bytes], ledger: Ledger) -> None:
        self._ledger, self._charged = ledger, 0
        self._numbers, self._sizes = self._columns(listing, answers.scan)
        known = self._columns(unique_ids, lambda line: _hashed(*answers.unique(line)))
        self._uids = _matched(self._numbers, *known)
        _forget_shared(self._uids)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, rank: int) -> MaildropEntry:
        """Return the message at a rank from 1."""
        at = rank - 1
        return MaildropEntry(rank, self._numbers[at], self._sizes[at], self._uids[at])

    def __del__(self) -> None:
        self._ledger.give(self._charged)

    @property
    def uids(self) -> Sequence[int]:
        """The UIDs by rank, 0 if one is unknown without a header."""
        return self._uids

    def find(self, uid: int) -> MaildropEntry | None:
        """Return the message with a UID; None if there is none or it is unknown without a header."""
        try:
            return self[self._uids.index(uid) + 1]
        except ValueError:
            return None

    def candidates(self, uid: int) -> Iterator[MaildropEntry]:
        """Yield the messages whose headers may give this UID, the newest first."""
        for at in range(len(self) - 1, -1, -1):
            if not self._uids[at] and self._sizes[at] & _SIZE_MASK == uid & _SIZE_MASK:
                yield self[at + 1]

    def _columns(
        self, lines: Iterable[bytes], parse: Callable[[bytes], tuple[int, int]]
    ) -> tuple[Column, Column]:
        """Parse the lines of a listing; a number that is not above the last one is ignored."""
        numbers, values = array("Q"), array("Q")
        for count, line in enumerate(lines):
            if count >= MOST_MESSAGES:
                raise Overrun(f"more than {MOST_MESSAGES} messages")
            if not count % _AT_ONCE:
                self._ledger.take(_AT_ONCE * MESSAGE_BYTES)
                self._charged += _AT_ONCE * MESSAGE_BYTES
            with suppress(MalformedResponse):
                number, value = parse(line)
                if number > (numbers[-1] if numbers else 0):
                    numbers.append(number)
                    values.append(value)
        return numbers, values


def _matched(numbers: Column, known: Column, uids: Column) -> Column:
    """Return the UID of each number, 0 if none is known; both columns of numbers ascend."""
    found, at = array("Q"), 0
    for number in numbers:
        while at < len(known) and known[at] < number:
            at += 1
        found.append(uids[at] if at < len(known) and known[at] == number else 0)
    return found


def _forget_shared(uids: Column) -> None:
    """Forget the UIDs that several messages have."""
    shared = {one for one, other in pairwise(sorted(uids)) if one == other}
    for at, uid in enumerate(uids) if shared else ():
        if uid in shared:
            uids[at] = 0


def _hashed(number: int, unique_id: bytes) -> tuple[int, int]:
    return number, _digest(b"U" + unique_id) or 1


def uid_of_header(header: bytes, octets: int) -> int:
    """Return the UID of a message without a unique-id, from its header and its size."""
    lines = header.replace(b"\r\n", b"\n").partition(b"\n\n")[0].split(b"\n")
    lasting = b"\n".join(line for line in lines if not _CHANGING.match(line))
    return (_digest(b"H" + lasting) & ~_SIZE_MASK | octets & _SIZE_MASK) or 1


def _digest(octets: bytes) -> int:
    return int.from_bytes(sha256(octets).digest()[:_UID_OCTETS], "big")
