"""FETCH items, and reading their results: rows of a list, open messages.

Nothing here may do I/O. Header fields are fetched by name and with a limit, not as ENVELOPE: that way a raw 8-bit
header survives, a Date that cannot be parsed is still there, and a thousand recipients cost no more than a few.

Standard: RFC 9051 §6.4.5 (items), §7.5.2 (FETCH).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TypeAlias

from gateway.message import media_types
from gateway.message.mime import part_tree
from gateway.message.model import HEADER_FIELDS, MAX_NUMBER, Bound, Envelope, Gap, Message, Part
from gateway.store.base import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN, MessageRef, Summary
from gateway.store.imap import response
from gateway.store.imap.response import (
    CommandResponse,
    ImapSyntaxError,
    Untagged,
    Value,
    number,
    octets,
    words,
)

_BLANKS = re.compile(rb"\r\n[ \t]+\r\n")

FetchItems: TypeAlias = dict[bytes, Value]

# Octets of header fields for one row of a list: From, Subject, Date; and the recipients, for Sent.
ROW_OCTETS, ROW_RECIPIENT_OCTETS = 4096, 1024
# Octets of header fields of an open message, for each of the two groups: no mail program writes that much.
HEADER_OCTETS = 65_536
# Octets of a message that a structure need not account for: its header, those of its parts, boundaries.
UNTOLD_OCTETS = 1_048_576
# How the item of a section is named. QUIRK: some servers name it as it was requested.
BODY = (b"BODY[", b"BODY.PEEK[")
# The beginning of a defect of the structure.
STRUCTURE = "structure:"

# Flags are case-insensitive (RFC 9051 §9).
_SYSTEM_FLAGS = {flag.lower(): flag for flag in (SEEN, ANSWERED, FLAGGED, DELETED, DRAFT, "\\Recent")}


def _fields(names: str, limit: int = 0) -> bytes:
    item = b" BODY.PEEK[HEADER.FIELDS (%s)]" % names.encode("ascii")
    return item + b"<0.%d>" % limit if limit else item


def _of_a_row(header: bytes) -> tuple[bytes, ...]:
    return (
        _BASIC + b" BODYSTRUCTURE" + header,
        _BASIC + header,
        b"UID RFC822.SIZE" + header,
        b"UID FLAGS",
        b"UID",
    )


def _of_a_message(header: bytes) -> tuple[bytes, ...]:
    return _BASIC + b" BODYSTRUCTURE" + header, _BASIC + header, b"UID RFC822.SIZE" + header


_BASIC = b"UID FLAGS INTERNALDATE RFC822.SIZE"
_LIST_HEADER = _fields("DATE FROM SUBJECT", ROW_OCTETS) + _fields("TO", ROW_RECIPIENT_OCTETS)
_ENVELOPE = "DATE FROM SENDER REPLY-TO SUBJECT IN-REPLY-TO MESSAGE-ID"
# The fields that usually end a header, for the line of blanks after them (see `has_blank_line`).
_MIME = "MIME-VERSION CONTENT-TYPE CONTENT-TRANSFER-ENCODING"
_OPENED = f"{_ENVELOPE} {' '.join(HEADER_FIELDS)} {_MIME}".upper()
_OPEN_HEADER = _fields(_OPENED, HEADER_OCTETS) + _fields("TO CC BCC", HEADER_OCTETS)

# From one to the next less is requested, for messages of which the server cannot report more, or reports it in broken
# syntax: without the structure, without flags and date, finally only what it takes to list them.
LIST_ITEMS, OPEN_ITEMS = _of_a_row(_LIST_HEADER), _of_a_message(_OPEN_HEADER)
# What is fetched of a message whose row is known: its flags, and its size, which must be the same.
FLAG_ITEMS = b"UID FLAGS RFC822.SIZE"
_FLAGS_ALONE = frozenset(FLAG_ITEMS.split())
_DESCRIPTION = frozenset({b"UID", b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"BODYSTRUCTURE"})
# The same for a server that refuses two groups of header fields in one FETCH, or ranges of them.
PLAIN_LIST_ITEMS = _of_a_row(_fields("DATE FROM SUBJECT TO"))
PLAIN_OPEN_ITEMS = _of_a_message(_fields(f"{_OPENED} TO CC BCC"))


def described(row: FetchItems) -> tuple[Envelope, Part]:
    """Read the header and the structure of a row."""
    tree = row.get(b"BODYSTRUCTURE")
    root = part_tree.from_bodystructure(tree)[0] if tree is not None else Part("1", media_types.TEXT)
    return part_tree.envelope_from_header(header_of(row), part_tree.text_charset(root))[0], root


def summary(ref: MessageRef, sequence: int, row: FetchItems) -> tuple[Summary, Part]:
    """Make a row of a list from whatever there is; return it with the message's structure."""
    envelope, root = described(row)
    attached = part_tree.has_attachment(root)
    size, received = number(row.get(b"RFC822.SIZE")), response.moment(row.get(b"INTERNALDATE"))
    made = Summary(ref, sequence, envelope, flags_of(row), received, size, attached, is_whole(row))
    return made, root


def uid_of(row: FetchItems) -> int:
    """Return the UID of a row, 0 if it has none."""
    uid = number(row.get(b"UID"))
    return uid if uid <= MAX_NUMBER else 0


def rows_of(lines: Iterable[Untagged]) -> Iterator[FetchItems]:
    """Yield the items of FETCH responses."""
    for line in lines:
        if line.kind == "FETCH":
            with suppress(ImapSyntaxError):
                yield line.items()


def is_whole(row: FetchItems) -> bool:
    """Return whether a row is a FETCH result, not just changed flags, which may have a UID too (RFC 9051 §7.5.2)."""
    return (b"RFC822.SIZE" in row or any(map(_is_header, row))) and uid_of(row) > 0


def is_brief(row: FetchItems) -> bool:
    """Return whether a row describes nothing, like those of FLAG_ITEMS."""
    if row.keys() == _FLAGS_ALONE:  # as nearly all are
        return True
    return b"BODYSTRUCTURE" not in row and b"INTERNALDATE" not in row and not any(map(_is_header, row))


def is_described(row: FetchItems) -> bool:
    """Return whether a row has all of LIST_ITEMS, so that only its flags can ever change."""
    return row.keys() >= _DESCRIPTION and any(map(_is_header, row))


def unseen(replies: Iterable[CommandResponse]) -> int | None:
    """Return the number of unread messages in a STATUS response."""
    return counted(replies, b"UNSEEN")


def messages(replies: Iterable[CommandResponse]) -> int | None:
    """Return the number of messages in a STATUS response."""
    return counted(replies, b"MESSAGES")


def counted(replies: Iterable[CommandResponse], name: bytes) -> int | None:
    """Return one number of a STATUS response."""
    for line in (line for reply in replies for line in reply.untagged):
        if line.kind == "STATUS":
            with suppress(ImapSyntaxError):
                found = line.items().get(name)
                return number(found) if octets(found).isdigit() else None
    return None


def message(row: FetchItems) -> Message:
    """Make an open message, without any body; a defect of its structure says that it is unreliable."""
    header = header_of(row)
    tree = row.get(b"BODYSTRUCTURE")
    if tree is None:
        root, more = Part("1", media_types.TEXT), [f"{STRUCTURE} not told by the server"]
    else:
        root, more = part_tree.from_bodystructure(tree)
        if _is_short(root, number(row.get(b"RFC822.SIZE"))):
            more.append(f"{STRUCTURE} of less than there is")
    label = part_tree.text_charset(root)
    envelope, defects = part_tree.envelope_from_header(header, label)
    more = [*more, *_cut(row)]
    return Message(
        envelope=envelope,
        root=root,
        flags=flags_of(row),
        received=response.moment(row.get(b"INTERNALDATE")),
        octets=number(row.get(b"RFC822.SIZE")),
        headers=part_tree.header_fields(header, label),
        defects=(*defects, *more),
    )


def has_blank_line(row: FetchItems) -> bool:
    """Return whether a header field of an open message is folded into a line of blanks.

    QUIRK: some programs end the header with such a line, but for RFC 5322 §4.2, and the server, the header continues.
    """
    return any(
        _BLANKS.search(octets(value)) for name, value in row.items() if name.startswith(b"BODY[HEADER")
    )


def _is_short(root: Part, size: int) -> bool:
    """Return whether a structure describes only a fraction of the message's reported size.

    QUIRK: some servers report a size of 0, or a multipart without parts, for what they could not parse.
    """
    leaves = [part.octets for part in root.walk() if not part.parts]
    untold = 0 if not any(leaves) else UNTOLD_OCTETS if all(leaves) else HEADER_OCTETS
    return 2 * sum(leaves) + untold < size


def _cut(row: FetchItems) -> list[Gap]:
    """Return the groups of header fields that were truncated."""
    cut = [name for name, value in row.items() if _is_header(name) and len(octets(value)) >= HEADER_OCTETS]
    groups = ["To, Cc, Bcc" if b"(TO " in name.upper() else "" for name in cut]
    said = f"more than {HEADER_OCTETS} octets, the rest left out"
    return [Gap(f"{names or 'header'}: {said}", Bound.HEADER, names=names) for names in groups]


def piece(row: FetchItems) -> tuple[bytes, bool]:
    """Return the octets of the only section in a row, and whether they are a partial fetch (BODY[1]<0>)."""
    for name, value in row.items():
        if name.startswith(BODY):
            return octets(value), name.endswith(b">") or value is None
    return b"", True


def header_of(row: FetchItems) -> bytes:
    """Join the groups of header fields into one header, each without its empty last line."""
    groups = [octets(value)[:HEADER_OCTETS] for name, value in row.items() if _is_header(name)]
    return b"".join(group.rstrip(b"\r\n") + b"\r\n" for group in groups if group.strip()) + b"\r\n"


def _is_header(name: bytes) -> bool:
    return name.startswith((b"BODY[HEADER", b"BODY.PEEK[HEADER"))


def flags_of(row: FetchItems) -> frozenset[str]:
    """Return the flags of a row without \\Recent, which no client can set; system flags in their usual case."""
    flags = row.get(b"FLAGS")
    names = words(flags) if isinstance(flags, tuple) else ()
    return frozenset(_SYSTEM_FLAGS.get(name.lower(), name) for name in names) - {"\\Recent"}
