"""The beginnings of a message's texts, fetched in the round trip that fetches its structure, or in the one after it.

Nothing here may be relied on: which texts a message has is known before its structure only of one that a list has shown
on this connection, and what did not come as it was asked for is left out, and fetched as usual.

Standard: RFC 9051 §6.4.5 (partial FETCH), §7.5.2.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final, NamedTuple

from gateway.message import media_types
from gateway.message.mime.part_tree import first_texts
from gateway.message.model import Part
from gateway.store.imap.response import Value, octets

# Octets of a text that are fetched first: usually all that a small screen wants.
FIRST_PIECE: Final = 8 * 1024
# Octets of the longest text that is fetched ahead, as HTML is read whole: a server that ignores ranges sends all of it.
MOST: Final = 64 * 1024
# A plain text and its HTML.
_TEXTS: Final = 2
# QUIRK: some servers name the item as it was asked for, or without its origin.
_NAME: Final = re.compile(rb"BODY(?:\.PEEK)?\[([\d.]+)\](?:<0(?:\.\d+)?>)?", re.IGNORECASE)


class FirstOctets(NamedTuple):
    """The first octets of a section, so many at most."""

    section: str
    octets: int


def beginnings(root: Part) -> tuple[FirstOctets, ...]:
    """Return what to fetch of a message with this structure."""
    return tuple(
        FirstOctets(part.section, MOST if part.media_type == media_types.HTML else FIRST_PIECE)
        for part in islice(first_texts(root), _TEXTS)
        if 0 < part.octets <= MOST
    )


def items(wanted: tuple[FirstOctets, ...]) -> bytes:
    """Write the items of a FETCH, each after a space."""
    return b"".join(b" BODY.PEEK[%b]<0.%d>" % (section.encode("ascii"), size) for section, size in wanted)


def found(row: dict[bytes, Value], wanted: tuple[FirstOctets, ...]) -> dict[FirstOctets, bytes]:
    """Return those that have come, without any of more octets than were asked for."""
    names = {match[1].decode("ascii"): name for name in row if (match := _NAME.fullmatch(name))}
    came = {one: octets(row[names[one.section]]) for one in wanted if one.section in names}
    return {one: text for one, text in came.items() if 0 < len(text) <= one.octets}
