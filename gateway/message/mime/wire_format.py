"""Parses the raw octets of a message into a tree of parts (RFC 5322, RFC 2046), numbered as an IMAP server does.

Nothing here may raise, recurse, or copy a body. One pass finds the lines that begin with a boundary of an
open multipart; if several match, the longest boundary wins (RFC 2046 §5.1.2), and an outer boundary ends all
inner parts. Section numbers and sizes are those of Dovecot, so that a file reads like the same mail on a
server; a multipart without parts gets an empty one, as there. Two differences help the reader: a boundary in
RFC 2231 form is understood, and text in place of a header is body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.message import media_types
from gateway.message.headers import header_fields, parameters
from gateway.message.mime import part_tree
from gateway.message.model import Bound, Message

#: Octets that `Wire.octets` yields at a time, like a store.
_PIECE: Final = 32 * 1024
#: Octets of a boundary that are compared; RFC 2046 §5.1.1 allows 70, Dovecot compares 80.
_BOUNDARY_LIMIT: Final = 80

_NEVER: Final = -1


@dataclass(slots=True)
class _Node(part_tree.Node):
    """A part with its boundary, and where its header begins, its body begins and its body ends."""

    header: int = 0
    body: int = 0
    end: int = _NEVER
    boundary: bytes | None = None


@dataclass(slots=True)
class _Frame:
    """An open multipart: where its boundary occurs next, and what is open below it."""

    node: _Node
    needle: bytes
    next: int = _NEVER
    open: list[_Node] = field(default_factory=list)


class MessageFile:
    """A message from a file, with the same access to its octets as a store gives."""

    def __init__(self, octets: bytes) -> None:
        self._octets, defects = _normal(octets)
        scan = _Scan(self._octets)
        defects += scan.run()
        root, nodes = part_tree.finish(scan.root)
        defects += part_tree.gaps(scan.omitted)
        #: Where each section begins and ends in octets("").
        self.spans = _spans(nodes, len(self._octets))
        header = self._octets[: scan.root.body]
        label = part_tree.text_charset(root)
        envelope, wrong = part_tree.envelope_from_header(header, label)
        self.message = Message(
            envelope,
            root,
            octets=len(self._octets),
            headers=part_tree.header_fields(header, label),
            defects=tuple(dict.fromkeys((*wrong, *defects))),
        )

    def octets(self, section: str, start: int = 0) -> Iterator[bytes]:
        """Yield a section's octets from `start`; none for a section that does not exist (RFC 9051 §6.4.5)."""
        begin, end = self.spans.get(section.upper(), (0, 0))
        for at in range(begin + max(start, 0), end, _PIECE):
            yield self._octets[at : min(at + _PIECE, end)]

    def span(self, section: str) -> tuple[int, int]:
        """Return where a section begins and ends in octets("")."""
        return self.spans.get(section.upper(), (0, 0))


def parse(octets: bytes) -> MessageFile:
    """Parse a raw message with any line ends; an mbox "From " line before it is dropped."""
    return MessageFile(octets)


def _normal(octets: bytes) -> tuple[bytes, list[str]]:
    """Convert a message to CRLF line ends with the header in its first line."""
    defects: list[str] = []
    if b"\n" not in octets and b"\r" in octets:
        octets = octets.replace(b"\r", b"\r\n")
        defects.append("lines: end with CR")
    elif octets.count(b"\n") != octets.count(b"\r\n"):
        octets = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    octets = octets.removeprefix(b"\xef\xbb\xbf")
    if octets.startswith((b"From ", b">From ")):
        octets = octets[octets.find(b"\n") + 1 or len(octets) :]
    blank = len(octets[:1000]) - len(octets[:1000].lstrip(b"\r\n"))
    if blank and header_fields.is_field(octets[blank : blank + 300]):
        octets = octets[blank:]
        defects.append("header: blank lines before it")
    return octets, defects


def _spans(nodes: list[part_tree.Node], size: int) -> dict[str, tuple[int, int]]:
    root = nodes[0]
    assert isinstance(root, _Node)
    spans = {"": (0, size), "HEADER": (0, root.body), "TEXT": (root.body, size)}
    for node in nodes:
        assert isinstance(node, _Node)
        if node.section:
            spans[node.section] = (node.body, node.end)
            spans[f"{node.section}.MIME"] = (node.header, node.body)
        if node.envelope is not None and node.children:
            inner = node.children[0]
            assert isinstance(inner, _Node)
            spans[f"{node.section}.HEADER"] = (inner.header, inner.body)
            spans[f"{node.section}.TEXT"] = (inner.body, inner.end)
    return spans


class _Scan:
    """One pass over a message."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._frames: list[_Frame] = []
        self._outside: list[_Node] = []  # open parts outside any multipart
        self._nodes: list[_Node] = []
        self._defects: list[str] = []
        self.omitted: list[part_tree.Omitted] = []
        self.root = _Node()

    def run(self) -> list[str]:
        """Find all parts, and record what was wrong."""
        self._entity(self.root, 0, media_types.TEXT)
        while (event := self._event()) is not None:
            at, frame = event
            while self._frames[-1] is not frame:
                self._close(self._frames.pop(), at, "no final boundary")
            self._end(frame.open, at)
            line_end = self._octets.find(b"\r\n", at + 2)
            line_end = len(self._octets) if line_end < 0 else line_end
            if self._octets.startswith(b"--", at + len(frame.needle)):
                self._frames.pop()
                self._advance(line_end)
            else:
                self._advance(line_end)
                if not self._child(frame, line_end + 2):
                    break
        while self._frames:
            self._close(self._frames.pop(), len(self._octets), "no final boundary")
        self._end(self._outside, len(self._octets))
        for node in self._nodes:
            if node.multipart and not node.children and node.depth < part_tree.DEPTH_LIMIT:
                self._defects.append(f"{node.media_type}: no parts")
                empty = _Node(
                    parameters={"charset": "us-ascii"}, header=node.body, body=node.body, end=node.body
                )
                node.octets = 0
                node.children.append(empty)
        return self._defects

    def _child(self, frame: _Frame, at: int) -> bool:
        if len(self._nodes) >= part_tree.PART_LIMIT:
            first = _Node()
            event = self._event()
            self._header(first, at, event[0] if event else len(self._octets), media_types.TEXT)
            number = len(frame.node.children) + 1
            self.omitted.append(part_tree.Omitted(Bound.PARTS, first, frame.node, number))
            return False
        child = _Node(depth=frame.node.depth + 1)
        frame.node.children.append(child)
        digest = frame.node.media_type == "multipart/digest"
        self._entity(child, min(at, len(self._octets)), "message/rfc822" if digest else media_types.TEXT)
        return True

    def _event(self) -> tuple[int, _Frame] | None:
        """Return the next boundary line and its multipart; if there are several, the longest boundary's."""
        found: tuple[int, _Frame] | None = None
        for frame in self._frames:
            if frame.next == _NEVER:
                continue
            nearer = found is None or frame.next < found[0]
            if nearer or (found and frame.next == found[0] and len(frame.needle) >= len(found[1].needle)):
                found = (frame.next, frame)  # the inner one if two are alike
        return found

    def _advance(self, at: int) -> None:
        """Search again for the boundaries that were passed, but not beyond that of an outer multipart.

        One that was not found stays not found: an outer boundary, up to which it was searched, ends its multipart.
        """
        limit = len(self._octets)
        for frame in self._frames:
            if _NEVER < frame.next < at:
                frame.next = self._octets.find(frame.needle, at, limit + len(frame.needle))
            if frame.next != _NEVER:
                limit = min(limit, frame.next)

    def _end(self, nodes: list[_Node], at: int) -> None:
        for node in reversed(nodes):
            inner = [child.end for child in node.children if node.envelope and isinstance(child, _Node)]
            node.end = max(node.body, at, *inner)
            node.octets = 0 if node.multipart and node.children else node.end - node.body
        nodes.clear()

    def _close(self, frame: _Frame, at: int, why: str) -> None:
        self._end(frame.open, at)
        self._defects.append(f"{frame.node.media_type}: {why}")

    def _entity(self, node: _Node, at: int, default: str) -> None:
        """Read the header of a part, and open it; nested messages one by one."""
        while True:
            event = self._event()
            limit = event[0] if event else len(self._octets)
            self._nodes.append(node)
            (self._frames[-1].open if self._frames else self._outside).append(node)
            self._header(node, at, limit, default)
            if node.depth >= part_tree.DEPTH_LIMIT and (
                node.multipart or node.media_type in part_tree.MESSAGES
            ):
                self.omitted.append(part_tree.Omitted(Bound.DEPTH, node))
                return
            if node.media_type not in part_tree.MESSAGES or part_tree.is_encoded_message(
                node.media_type, node.encoding
            ):
                break
            inner = _Node(depth=node.depth + 1)
            node.children.append(inner)
            outer, node, at, default = node, inner, node.body, media_types.TEXT
            begin, _ = self._header_end(at, limit)
            outer.envelope = part_tree.envelope_from_header(self._octets[at:begin])[0]
        if node.boundary is not None:
            frame = _Frame(node, b"\r\n--" + node.boundary)
            self._frames.append(frame)
            frame.next = self._octets.find(frame.needle, node.body - 2, limit + len(frame.needle))

    def _header_end(self, at: int, limit: int) -> tuple[int, bool]:
        """Return where the body begins, and whether a blank line says so."""
        octets = self._octets
        if octets.startswith(b"\r\n", at):
            return at + 2, True
        if at >= limit:
            return at, True
        blank = octets.find(b"\r\n\r\n", at, limit + 2)
        within = min(limit, at + header_fields.HEADER_LIMIT, blank + 2 if blank >= 0 else limit)
        blanks = _blank_line(octets, at, within)
        if blanks and header_fields.is_field(octets[at : at + 300]):
            return blanks[1], True
        if blank >= 0 and (header_fields.is_field(octets[at : at + 300]) or _mostly_fields(octets[at:blank])):
            early = octets.find(b"\r\n--", at, blank) + 2
            if (
                early >= 2 and b"boundary" in octets[at:early].lower()
            ):  # the first boundary, directly after the fields
                return early, False
            stray = self._stray(at, blank) if blank + 4 >= limit else blank  # a body, if there is one
            return (stray, False) if stray < blank else (blank + 4, True)
        return self._stray(at, limit), False

    def _stray(self, at: int, limit: int) -> int:
        """Return where the first line begins that cannot be part of a header."""
        enough = min(limit, at + header_fields.HEADER_LIMIT)
        while at < enough:
            if self._octets[at] not in b" \t" and not header_fields.is_field(self._octets[at : at + 300]):
                break
            line = self._octets.find(b"\r\n", at, limit + 2)  # also the line end before a boundary
            at = line + 2 if line >= 0 else limit
        return at

    def _header(self, node: _Node, at: int, limit: int, default: str) -> None:
        node.header = at
        node.body, blank = self._header_end(at, limit)
        if not blank:
            self._defects.append("header: no blank line after it")
        found, wrong = header_fields.fields(self._octets[at : node.body])
        self._defects += wrong
        raw: dict[str, bytes] = {}
        for name, value in found:
            raw.setdefault(name, value)
        kind, pairs = parameters.split(raw.get("content-type") or default.encode())
        node.media_type = part_tree.media_type(kind.encode())
        if node.media_type.startswith("text/") and not any(name.startswith(b"charset") for name, _ in pairs):
            pairs.append((b"charset", b"us-ascii"))  # the default (RFC 2045 §5.2), as servers report it
        part_tree.describe(
            node,
            pairs,
            raw.get("content-id", b""),
            raw.get("content-description", b""),
            raw.get("content-transfer-encoding", b""),
        )
        if node.multipart and "boundary" in node.parameters:
            plain = [value for name, value in pairs if name == b"boundary"]
            boundary = plain[0] if plain else node.parameters["boundary"].encode("utf-8", "replace")
            node.boundary = boundary[:_BOUNDARY_LIMIT].rstrip()
        disposition, pairs = parameters.split(raw.get("content-disposition", b""))
        node.disposition = header_fields.clean(disposition)
        node.disposition_parameters = parameters.combine(pairs)[0]


_BLANKS: Final = re.compile(rb"\r\n[ \t]+\r\n")


def _blank_line(octets: bytes, at: int, limit: int) -> tuple[int, int] | None:
    """Find a whitespace-only line that ends a header: what follows is neither a field nor a folded line.

    QUIRK: to RFC 5322 §4.2 it is a folded line; programs that write it mean the end.
    """
    found = _BLANKS.search(octets, at, limit)
    while found is not None:
        following = octets[found.end() : found.end() + 300]
        if not header_fields.is_field(following) and not following.startswith((b" ", b"\t", b"\r\n")):
            return found.span()
        found = _BLANKS.search(octets, found.end() - 2, limit)
    return None


def _mostly_fields(block: bytes) -> bool:
    """Return whether a block that begins with something else is a header nevertheless."""
    lines = block[:_PIECE].splitlines()
    return 2 * sum(map(header_fields.is_field, lines)) >= len(lines)
