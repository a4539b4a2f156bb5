"""Builds the tree of parts from a server's BODYSTRUCTURE, and numbers its sections.

Nothing here may raise, or recurse as deeply as a message nests, whatever a server says: what cannot be read is left out
and named as a defect, with its section if there is one (RFC 9051 §7.5.2; section numbers as in §6.4.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.message import media_types
from gateway.message.headers import header_fields as headers
from gateway.message.headers import parameters
from gateway.message.headers.envelopes import envelope as envelope
from gateway.message.headers.envelopes import envelope_from_header as envelope_from_header
from gateway.message.headers.envelopes import header_fields as header_fields
from gateway.message.headers.envelopes import octets
from gateway.message.mime import transfer
from gateway.message.mime.disposition import has_attachment as has_attachment
from gateway.message.model import Bound, Envelope, Gap, Part

#: Levels of multipart and message/rfc822 that are opened; real mail has fewer than ten.
DEPTH_LIMIT: Final = 50
#: Parts of a message that are listed.
PART_LIMIT: Final = 1000
_NUMBER: Final = rf"[1-9][0-9]{{0,{len(str(PART_LIMIT)) - 1}}}"
#: The section numbers (RFC 9051 §6.4.5) of all parts within these limits.
SECTION_PATTERN: Final = rf"{_NUMBER}(?:\.{_NUMBER}){{0,{DEPTH_LIMIT}}}"
#: Gaps that are listed one by one.
GAPS_LIMIT: Final = 5


@dataclass(slots=True)
class Node:
    """A part while its tree is being built: what its own header says, and its children."""

    media_type: str = media_types.TEXT
    parameters: dict[str, str] = field(default_factory=dict)
    encoding: str = "7bit"
    octets: int = 0
    disposition: str = ""
    disposition_parameters: dict[str, str] = field(default_factory=dict)
    content_id: str = ""
    description: str = ""
    envelope: Envelope | None = None
    children: list[Node] = field(default_factory=list)
    section: str = ""
    depth: int = 0

    @property
    def multipart(self) -> bool:
        return self.media_type.startswith("multipart/")


@dataclass(slots=True)
class Omitted:
    """What a limit left out, before sections have numbers: a node itself, or child `number` of `above`."""

    bound: Bound
    node: Node
    above: Node | None = None
    number: int = 0
    count: int = 0

    def gap(self) -> Gap:
        """Return the gap, once its section is known."""
        if self.above is None:
            part = _part(self.node, ())
            return Gap(f"parts: deeper than {DEPTH_LIMIT}: {named(part)} not opened", self.bound, part)
        self.node.section = _below(self.above, self.number)
        part = _part(self.node, ())
        many = (
            f"{self.count} left out, from {named(part)} on"
            if self.count
            else f"left out from {named(part)} on"
        )
        return Gap(f"parts: more than {PART_LIMIT}: {many}", self.bound, part, self.count)


def gaps(omitted: list[Omitted]) -> list[Gap]:
    """Describe what was left out, by section; if it is a lot, the first gaps, and the number of the others."""
    found = [each.gap() for each in omitted[:GAPS_LIMIT]]
    rest = sum(max(each.count, 1) for each in omitted[GAPS_LIMIT:])
    if rest:
        found.append(Gap(f"parts: {rest} more left out", Bound.PARTS, None, rest))
    return found


def named(part: Part) -> str:
    """Describe a part by section, media type and file name."""
    name = f", {part.filename}" if part.filename else ""
    return f"{part.section or 'the whole'} ({part.media_type}{name})"


def _below(node: Node, number: int) -> str:
    prefix = node.section.removesuffix("TEXT").rstrip(".")
    return f"{prefix}.{number}" if prefix else str(number)


def _part(node: Node, children: tuple[Part, ...]) -> Part:
    return Part(
        node.section,
        node.media_type,
        node.parameters,
        node.encoding,
        node.octets,
        node.disposition,
        node.disposition_parameters,
        node.content_id,
        node.description,
        children,
        node.envelope,
    )


def finish(root: Node) -> tuple[Part, list[Node]]:
    """Number a tree as RFC 9051 §6.4.5 does, and return its Part, and the nodes, parents first."""
    root.section = "" if root.multipart else "1"
    nodes = [root]
    for node in nodes:
        for number, child in enumerate(node.children, 1):
            embedded = node.envelope is not None and child.multipart
            child.section = f"{node.section}.TEXT" if embedded else _below(node, number)
            nodes.append(child)
    made: dict[int, Part] = {}
    for node in reversed(nodes):
        made[id(node)] = _part(node, tuple(made[id(child)] for child in node.children))
    return made[id(root)], nodes


def text_charset(root: Part) -> str:
    """Return the charset label of a message's first text, which is also used to read its raw header."""
    return next((part.parameters.get("charset", "") for part in root.walk() if part.maintype == "text"), "")


def first_texts(root: Part) -> Iterator[Part]:
    """Yield the texts that a reader probably begins with: the first one, with all its alternatives."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.parts:
            every = part.media_type == "multipart/alternative"
            waiting.extend(reversed(part.parts if every else part.parts[:1]))
        elif part.media_type in (media_types.TEXT, media_types.HTML) and part.disposition != "attachment":
            yield part


def from_bodystructure(raw: object) -> tuple[Part, list[str]]:
    """Read BODYSTRUCTURE: nested sequences, the parts of a multipart in a list or one after another."""
    defects: list[str] = []
    omitted: list[Omitted] = []
    root = Node()
    waiting: list[tuple[Node, object]] = [(root, raw)]
    count = 1
    for node, value in waiting:
        below = _read(node, value, defects)
        if below and node.depth >= DEPTH_LIMIT:
            omitted.append(Omitted(Bound.DEPTH, node))
            continue
        kept = below[: PART_LIMIT - count]
        if len(kept) < len(below):
            first = Node()
            _read(first, below[len(kept)], [])
            omitted.append(Omitted(Bound.PARTS, first, node, len(kept) + 1, len(below) - len(kept)))
        count += len(kept)
        for child in kept:
            node.children.append(Node(depth=node.depth + 1))
            waiting.append((node.children[-1], child))
    part, _ = finish(root)
    return part, list(dict.fromkeys([*defects, *gaps(omitted)]))


def _read(node: Node, raw: object, defects: list[str]) -> Sequence[object]:
    """Fill in a node from its structure, and return the structures of its children."""
    items = list(raw) if isinstance(raw, (tuple, list)) else []
    if items and isinstance(items[0], (tuple, list)):
        return _read_multipart(node, items)
    if len(items) < 2:
        defects.append("structure: unreadable")
        return ()
    items += [None] * 12
    node.media_type = media_type(octets(items[0]) + b"/" + octets(items[1]))
    describe(node, _pairs(items[2]), octets(items[3]), octets(items[4]), octets(items[5]))
    node.octets = _count(items[6])
    embedded = node.media_type in MESSAGES and isinstance(items[8], (tuple, list))
    sealed = is_encoded_message(node.media_type, node.encoding)
    disposition = items[11 if embedded else 9 if node.media_type.startswith("text/") else 8]
    _dispose(node, disposition)
    if not embedded or sealed:
        return ()
    node.envelope = envelope(items[7])[0]
    return (items[8],)


def _count(value: object) -> int:
    """Read a number of octets, 0 if it is not one. QUIRK: some servers quote it."""
    if isinstance(value, bytes):
        return int(value) if value.isdigit() and len(value) <= 10 else 0
    return value if isinstance(value, int) and value > 0 else 0


#: Media types whose body is a message that a server parses.
MESSAGES: Final = ("message/rfc822", "message/global")


def is_encoded_message(media_type: str, encoding: str) -> bool:
    """Return whether a message is transfer-encoded (against RFC 2046 §5.2.1), so that the server parsed it wrong."""
    return media_type in MESSAGES and transfer.decoder(encoding) is not transfer.IdentityDecoder


def _read_multipart(node: Node, items: list[Any]) -> Sequence[object]:
    if isinstance(items[0], list):
        below: Sequence[object] = items[0]
        rest = items[1:]
    else:
        end = next((at for at, item in enumerate(items) if not isinstance(item, tuple)), len(items))
        below, rest = items[:end], items[end:]
    rest += [None] * 3
    node.media_type = media_type(b"multipart/" + octets(rest[0]))
    node.parameters = parameters.combine(_pairs(rest[1]))[0]
    _dispose(node, rest[2])
    return below


_ODD: Final = re.compile(r"[^a-z0-9!#$&^_.+/-]")


def media_type(octets: bytes) -> str:
    """Normalize a media type to lower case; text/plain for an invalid one (RFC 2045 §5.2)."""
    main, slash, sub = _ODD.sub("", octets[:200].decode("ascii", "replace").lower()).partition("/")
    return (
        f"{main}/{sub}" if main and slash and sub else f"{main}/plain" if main == "text" else media_types.TEXT
    )


def describe(
    node: Node, pairs: list[parameters.Pair], cid: bytes, description: bytes, encoding: bytes
) -> None:
    """Fill in what BODYSTRUCTURE says about a part's header."""
    node.parameters = parameters.combine(pairs)[0]
    if node.multipart:
        return
    node.content_id = headers.decode(cid).strip("<> ")
    node.description = headers.decode(description)
    node.encoding = headers.decode(encoding).partition(" ")[0].partition(";")[0].lower() or "7bit"


def _dispose(node: Node, value: object) -> None:
    items = value if isinstance(value, (tuple, list)) else (value,)
    if items and isinstance(items[0], (bytes, str)):
        node.disposition = headers.decode(items[0]).lower()
        node.disposition_parameters = parameters.combine(_pairs(items[1] if len(items) > 1 else None))[0]


def _pairs(value: object) -> list[parameters.Pair]:
    flat = [octets(item) for item in value] if isinstance(value, (tuple, list)) else []
    return list(zip(flat[::2], flat[1::2], strict=False))
