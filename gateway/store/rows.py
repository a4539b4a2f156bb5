"""What a FETCH asks for, and what becomes of its answer: rows of a list, open messages, mailboxes.

Nothing here may do I/O. Header fields are asked for by name and with a limit, not as ENVELOPE: a raw 8-bit header
survives, a Date that no one can parse is still there, and a thousand recipients cost no more than a few.
Standard: RFC 9051 §6.4.5 (items), §7.5.2 (FETCH), §7.3.1 (LIST).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TypeAlias

from gateway.message import structure
from gateway.message.model import Bound, Gap, Message, Part
from gateway.store import response
from gateway.store.base import Mailbox, MessageRef, Summary
from gateway.store.opening import mailbox_name
from gateway.store.response import Malformed, Reply, Value, number, octets

Row: TypeAlias = dict[bytes, Value]

# Octets of header fields for one row of a list: From, Subject, Date; and the recipients, for Sent.
ROW_OCTETS, ROW_RECIPIENT_OCTETS = 4096, 1024
# Octets of header fields of an open message, for each of the two groups: no mail program writes as much.
HEADER_OCTETS = 65_536


def _fields(names: str, limit: int) -> bytes:
    return b" BODY.PEEK[HEADER.FIELDS (%s)]<0.%d>" % (names.encode("ascii"), limit)


_BASIC = b"UID FLAGS INTERNALDATE RFC822.SIZE"
_LIST_HEADER = _fields("DATE FROM SUBJECT", ROW_OCTETS) + _fields("TO", ROW_RECIPIENT_OCTETS)
_OPEN_HEADER = _fields(
    "DATE FROM SENDER REPLY-TO SUBJECT IN-REPLY-TO MESSAGE-ID REFERENCES LIST-UNSUBSCRIBE"
    " LIST-UNSUBSCRIBE-POST LIST-POST LIST-ID MAIL-FOLLOWUP-TO AUTO-SUBMITTED",
    HEADER_OCTETS,
) + _fields("TO CC BCC", HEADER_OCTETS)

# The second of each pair is for a message whose structure the server cannot tell, or tells in no grammar.
LIST_ITEMS = (_BASIC + b" BODYSTRUCTURE" + _LIST_HEADER, _BASIC + _LIST_HEADER)
OPEN_ITEMS = (_BASIC + b" BODYSTRUCTURE" + _OPEN_HEADER, _BASIC + _OPEN_HEADER)


def summary(ref: MessageRef, sequence: int, row: Row) -> Summary:
    """Make a row of a list."""
    envelope, _ = structure.envelope_from_header(_header(row))
    tree = row.get(b"BODYSTRUCTURE")
    attached = tree is not None and structure.has_attachment(structure.part_tree(tree)[0])
    size, received = number(row.get(b"RFC822.SIZE")), response.moment(row.get(b"INTERNALDATE"))
    return Summary(ref, sequence, envelope, flags_of(row), received, size, attached)


def is_whole(row: Row) -> bool:
    """Tell the answer to a FETCH from a row of changed flags, which may name its UID too (RFC 9051 §7.5.2)."""
    return b"UID" in row and b"RFC822.SIZE" in row


def unseen(replies: Iterable[Reply]) -> int | None:
    """Take the number of unread messages out of a STATUS."""
    for line in (line for reply in replies for line in reply.untagged):
        if line.kind == "STATUS":
            with suppress(Malformed):
                found = line.items().get(b"UNSEEN")
                return found if isinstance(found, int) else None
    return None


def message(row: Row) -> Message:
    """Make an open message, without any body."""
    header = _header(row)
    envelope, defects = structure.envelope_from_header(header)
    tree = row.get(b"BODYSTRUCTURE")
    if tree is None:
        root, more = Part("1", "text/plain"), ["structure: not told by the server"]
    else:
        root, more = structure.part_tree(tree)
    more = [*more, *_cut(row)]
    return Message(
        envelope=envelope,
        root=root,
        flags=flags_of(row),
        received=response.moment(row.get(b"INTERNALDATE")),
        octets=number(row.get(b"RFC822.SIZE")),
        headers=structure.header_fields(header),
        defects=(*defects, *more),
    )


def _cut(row: Row) -> list[Gap]:
    """Say of which group of header fields the rest was not fetched."""
    cut = [
        name
        for name, value in row.items()
        if name.startswith(b"BODY[") and len(octets(value)) >= HEADER_OCTETS
    ]
    groups = ["To, Cc, Bcc" if b"(TO " in name.upper() else "" for name in cut]
    said = f"more than {HEADER_OCTETS} octets, the rest left out"
    return [Gap(f"{names or 'header'}: {said}", Bound.HEADER, names=names) for names in groups]


def piece(row: Row) -> tuple[bytes, bool]:
    """Take the octets of the one section that a row holds, and tell whether they are a part of it (BODY[1]<0>)."""
    for name, value in row.items():
        if name.startswith(b"BODY["):
            return octets(value), name.endswith(b">") or value is None
    return b"", True


def mailbox(values: tuple[Value, ...], utf8: bool = False) -> Mailbox:
    """Make a mailbox of a LIST response: attributes, delimiter, name."""
    if len(values) < 3 or not isinstance(values[0], tuple):
        raise Malformed("LIST")
    return Mailbox(
        mailbox_name(octets(values[2]), utf8), octets(values[1]).decode("ascii", "replace"), _words(values[0])
    )


def _words(values: Iterable[Value]) -> frozenset[str]:
    return frozenset(octets(value).decode("utf-8", "replace") for value in values)


def _header(row: Row) -> bytes:
    """Join the groups of header fields into one header, each without its empty last line."""
    groups = [octets(value) for name, value in row.items() if name.startswith(b"BODY[HEADER.FIELDS")]
    return b"".join(group.rstrip(b"\r\n") + b"\r\n" for group in groups if group.strip()) + b"\r\n"


def flags_of(row: Row) -> frozenset[str]:
    """Take the flags of a row, but for \\Recent, which is nobody's to set."""
    flags = row.get(b"FLAGS")
    return _words(flags) - {"\\Recent"} if isinstance(flags, tuple) else frozenset()
