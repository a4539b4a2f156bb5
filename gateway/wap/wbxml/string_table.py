"""Writes the body of a deck with a string table: of whole strings, quickly, or of any repeated substrings.

Nothing here may make a deck larger than it is without a table. WAP-192 §5.6 and §6; `repeats` finds which substrings
are worth it. A reference may point into a longer string of the table, at its tail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from gateway.wap.wbxml.repeats import BREAK, MARK, DeckStrings, Substring, Width, choose, joined, marked
from gateway.wap.wbxml.tokens import EXT_I, EXT_T, STR_I, STR_T

OCTET: Final = tuple(bytes((number,)) for number in range(256))
#: Octets of a reference into a string table of less than 2 MiB (7 bits an octet).
LARGEST_REFERENCE: Final = 3
#: Characters of a deck in which a few octets matter, so that a second table is tried.
_SHORT: Final = 1000
_STR_I: Final = OCTET[STR_I]
_STR_T: Final = OCTET[STR_T]


def multibyte(number: int) -> bytes:
    """Write a multi-byte integer (WAP-192 §5.1)."""
    out = [number & 0x7F]
    while number := number >> 7:
        out.append(number & 0x7F | 0x80)
    return bytes(reversed(out))


@dataclass(slots=True)
class Body:
    """What follows the string table, as pieces of octets, as it would be without one.

    `strings`: the piece of each string, its text, and whether it is in an attribute. `variables`: the piece of each,
    its conversion, its name. `names`: the piece of each literal, empty, and its name, which must be in the table.
    `values`: strings that have tokens in attributes.
    """

    codec: str
    values: Mapping[str, int]
    pieces: list[bytes] = field(default_factory=list)
    strings: list[tuple[int, str, bool]] = field(default_factory=list)
    variables: list[tuple[int, int, str]] = field(default_factory=list)
    names: list[tuple[int, str]] = field(default_factory=list)

    def size(self) -> int:
        """Return the most octets that this adds to a deck."""
        size = sum(map(len, self.pieces))
        if self.names:  # and the length of the table takes more than one octet
            names = {name for _, name in self.names}
            size += LARGEST_REFERENCE * (len(self.names) + 1) - 1
            size += sum(len(name.encode(self.codec)) + 1 for name in names)
        return size

    def with_wholes(self, attribute_references: bool) -> bytes:
        """Return string table and body; the table has strings that occur more than once, if that saves octets.

        `attribute_references`: attribute values, too, may refer to the table.
        """
        table = _Table(self.codec)
        for _, name in self.names:
            table.add(name)
        uses: dict[str, list[int]] = {}
        referring = {
            place: text for place, text, inside in self.strings if attribute_references or not inside
        }
        for place, text in referring.items():
            uses.setdefault(text, []).append(len(self.pieces[place]))
        for _, _, name in self.variables:
            uses.setdefault(name, []).append(len(name) + 2)
        saved = 0
        repeated = [(text, sizes) for text, sizes in uses.items() if len(sizes) > 1]
        # Frequent ones get short references.
        for text, sizes in sorted(repeated, key=lambda row: -len(row[1])):
            length = len(text.encode(self.codec)) + 1
            gain = sum(sizes) - len(sizes) * (1 + len(multibyte(len(table.octets)))) - length
            if gain > 0 and table.reference(text) is None:
                table.add(text)
                saved += gain
        if not self.names and saved < len(multibyte(len(table.octets))):  # its length is an octet anyway
            return b"\0" + b"".join(self.pieces)
        found = {place: table.token(text) for place, text in referring.items() if table.reference(text)}
        return self._written(table, found)

    def with_substrings(self, attribute_references: bool) -> Iterator[bytes]:
        """Yield string tables with bodies; the tables have any substrings, if that saves octets.

        `attribute_references`: attribute values, too, may refer to the table.
        """
        yield self._with_substrings(attribute_references, whole_words=False)
        if sum(len(text) for _, text, _ in self.strings) < _SHORT:
            yield self._with_substrings(attribute_references, whole_words=True)

    def _with_substrings(self, attribute_references: bool, *, whole_words: bool) -> bytes:
        width = cache(lambda text: len(text.encode(self.codec)))
        texts = [text for _, text, in_attribute in self.strings if not in_attribute]
        attributes = [text for _, text, in_attribute in self.strings if in_attribute and attribute_references]
        entries = dict.fromkeys(name for _, name in self.names)
        names = Counter(name for *_, name in self.variables)
        # Those that save octets by themselves.
        entries |= dict.fromkeys(name for name, count in names.items() if count * len(name) > len(name) + 1)
        known = "".join(entry + MARK for entry in entries)
        page = DeckStrings(joined(texts), joined(attributes), known, names)
        items, page = choose(page, self.values, width, whole_words=whole_words)
        entries |= dict.fromkeys(item.text for item in items if not item.token)
        table = _Table(self.codec)
        for entry in _ordered(list(entries), self._mentioned(items, page), width):
            table.add(entry)
        rewritten: dict[int, bytes] = {}
        for strings, in_attribute in ((page.texts, False), (page.attributes, True)):
            if in_attribute and not attribute_references:
                continue
            places = [place for place, _, inside in self.strings if inside == in_attribute]
            rewritten |= zip(places, self._segments(strings, items, table), strict=False)
        return self._written(table, rewritten)

    def _mentioned(self, items: list[Substring], page: DeckStrings) -> list[str]:
        """Return every string that is referred to, once per reference."""
        marks = (page.texts + page.attributes).split(BREAK)
        found = [items[marked(mark)] for mark in marks if len(mark) > 1 and mark[0] == MARK]
        mentioned = [item.text for item in found if not item.token]
        return mentioned + [name for *_, name in self.variables] + [name for _, name in self.names]

    def _segments(self, page: str, items: list[Substring], table: _Table) -> Iterator[bytes]:
        """Yield the octets of each string of a page."""
        octets: list[bytes] = []
        for segment in page.split(BREAK):
            if segment == MARK:
                yield b"".join(octets)
                octets = []
            elif segment[:1] == MARK:
                item = items[marked(segment)]
                octets.append(OCTET[self.values[item.text]] if item.token else table.token(item.text))
            elif segment:
                octets.append(_STR_I + segment.encode(self.codec) + b"\0")
        yield b"".join(octets)

    def _written(self, table: _Table, rewritten: Mapping[int, bytes]) -> bytes:
        pieces = self.pieces.copy()
        for place, name in self.names:
            pieces[place] = table.reference(name) or b""
        for place, conversion, name in self.variables:
            reference = table.reference(name)
            if reference is not None and len(reference) <= len(name):
                pieces[place] = OCTET[EXT_T + conversion] + reference
        for place, octets in rewritten.items():
            if len(octets) < len(pieces[place]):
                pieces[place] = octets
        return multibyte(len(table.octets)) + table.octets + b"".join(pieces)


def string_piece(text: str, codec: str) -> bytes:
    """Write a string inline."""
    return _STR_I + text.encode(codec) + b"\0"


def variable_piece(conversion: int, name: str) -> bytes:
    """Write a variable inline."""
    return OCTET[EXT_I + conversion] + name.encode() + b"\0"


class _Table:
    """The string table: terminated strings."""

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self.octets = b""
        self._references: dict[str, bytes] = {}

    def add(self, text: str) -> None:
        """Add a string, unless it is there already, if only as the tail of another."""
        if self.reference(text) is None:
            self._references[text] = multibyte(len(self.octets))
            self.octets += text.encode(self._codec) + b"\0"

    def reference(self, text: str) -> bytes | None:
        """Return the number of a string."""
        known = self._references.get(text)
        if known is None:
            at = self.octets.find(text.encode(self._codec) + b"\0")
            if at >= 0:
                known = self._references[text] = multibyte(at)
        return known

    def token(self, text: str) -> bytes:
        """Return the token of a string that is in the table."""
        return _STR_T + (self.reference(text) or b"")


def _ordered(entries: list[str], mentioned: list[str], width: Width) -> list[str]:
    """Order the strings of a table so that the most references are short; tails of others are left out."""
    tails = sorted(entries, key=lambda entry: entry[::-1])
    hosts: dict[str, str] = {}
    host = ""
    for entry in reversed(tails):
        if not host.endswith(entry):
            host = entry
        hosts[entry] = host
    uses = dict.fromkeys(hosts.values(), 0)
    for text in mentioned:
        if text in hosts:
            uses[hosts[text]] += 1
    return sorted(uses, key=lambda entry: (-uses[entry] / (width(entry) + 1), entry))
