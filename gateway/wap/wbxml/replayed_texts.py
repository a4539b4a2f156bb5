"""The string tables of Kannel and libwbxml, and what texts take beside them.

Nothing here may parse markup: `meter` collects the texts, and `sizes` describes what both compilers do with them. What
a text takes depends on nothing but the table, and most pieces of a deck leave that as it was: of a deck that differs
from the one before in its last piece, only that piece is replayed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple, TypeAlias

from gateway.wap.wbxml.meter import KANNEL_MINIMUM, LIBWBXML_MINIMUM, Share, named
from gateway.wap.wbxml.repeats import NEAR

#: Octets before the string table's length: version, public identifier, charset.
HEADER: Final = 3
#: What a string table's references stand for within texts: each with its own octets and those of its reference's
#: number.
_Items: TypeAlias = list[tuple[bytes, int, int]]


class _Table(NamedTuple):
    """A string table. `octets`: those of the header, the table, and all references to names."""

    octets: int
    items: _Items


class _Repeats:
    """What others put into the string table: texts that occur twice, then `words` of the other texts that do."""

    def __init__(self, texts: Iterable[bytes], words: re.Pattern[bytes]) -> None:
        self._words = words
        self._texts = Counter(texts)
        self._whole = [text for text, count in self._texts.items() if count > 1]
        known = set(self._whole)
        single = [text for text in self._texts if text not in known] if known else self._texts
        self._counts = Counter(words.findall(b" ".join(single)))
        self._once = {word for word, count in self._counts.items() if count == 1}
        self.items = self._listed(self._counts)

    def beside(self, texts: Sequence[bytes]) -> list[bytes] | None:
        """Return the items if there are more texts; None if one of them occurs twice."""
        if len(set(texts)) < len(texts) or not self._texts.keys().isdisjoint(texts):
            return None
        words = self._words.findall(b" ".join(texts))
        if self._once.isdisjoint(words):
            new = [word for word in words if word not in self._counts]
            if len(set(new)) == len(new):
                return self.items
        counts = Counter(self._counts)
        counts.update(words)
        return self._listed(counts)

    def _listed(self, counts: dict[bytes, int]) -> list[bytes]:
        return self._whole + [word for word, count in counts.items() if count > 1 and word not in self._whole]


class StringTables:
    """The string tables of one compiler. The last one is kept: most pieces leave it as it was.

    `minimum`: words of at most so many octets stay out; `replay` returns the octets of texts beside a table's items.
    """

    def __init__(self, minimum: int, replay: Callable[[Sequence[bytes], _Items], int]) -> None:
        self.replay = replay
        self._words = re.compile(rb"\S{%d,}" % (minimum + 1))
        self._asked: tuple[list[bytes], tuple[bytes, ...]] | None = None
        self._table = _Table(0, [])

    def repeats(self, texts: Iterable[bytes]) -> _Repeats:
        """Return what texts contribute to a table."""
        return _Repeats(texts, self._words)

    def table(self, items: list[bytes], names: tuple[bytes, ...]) -> _Table:
        """Return the table of a deck: the same object if nothing has changed in it."""
        asked = items, names
        if asked != self._asked:
            self._asked, self._table = asked, _table(*asked)
        return self._table


class ReplayedTexts:
    """What the beginning of a deck takes with one of the other compilers.

    What a text takes depends on nothing but the table, so with the same table only the last piece is gone through.
    """

    def __init__(self, share: Share, before: ReplayedTexts | StringTables) -> None:
        self._before = before if isinstance(before, ReplayedTexts) else None
        self._tables: StringTables = before._tables if isinstance(before, ReplayedTexts) else before
        self._whole: Share = joined([self._before._whole, share]) if self._before else share
        self._said = share.said
        self._spelled = self._whole.spelled()
        self._repeats: _Repeats | None = None
        self._table: _Table | None = None
        self._texts = 0

    def size(self, last: Share) -> int:
        """Return the octets of the deck with a last piece."""
        whole, tables = self._whole, self._tables
        if self._repeats is None:
            self._repeats = tables.repeats(whole.counted)
        items = self._repeats.beside(last.counted)
        if items is None:
            items = tables.repeats(whole.counted + last.counted).items
        table = tables.table(items, whole.names + last.names)
        texts = self._replayed(table) + tables.replay(last.said, table.items)
        return table.octets + whole.fixed + last.fixed + texts

    def inline(self, last: Share) -> int:
        """Return the octets of the deck with a last piece, if no text occurs twice."""
        return HEADER + 1 + self._spelled + last.spelled() + named(self._whole.names + last.names)

    def _replayed(self, table: _Table) -> int:
        if table is not self._table:
            before = self._before._replayed(table) if self._before else 0
            self._table, self._texts = table, before + self._tables.replay(self._said, table.items)
        return self._texts


def joined(shares: Sequence[Share]) -> Share:
    return Share(
        sum([share.fixed for share in shares]),
        tuple([name for share in shares for name in share.names]),
        tuple([text for share in shares for text in share.said]),
        tuple([text for share in shares for text in share.counted]),
    )


def _table(items: Sequence[bytes], names: Sequence[bytes]) -> _Table:
    """Lay out the string table of some items, which are all different, and of the names that are not among them."""
    offsets: dict[bytes, int] = {}
    length = 0
    for text, size in zip((*items, *names), map(len, chain(items, names)), strict=True):
        if text not in offsets:
            offsets[text] = length
            length += size + 1
    octets = HEADER + _length(length) + length
    octets += sum([_length(offsets[name]) for name in names])
    sizes = [1 if offset < NEAR else _length(offset) for offset in islice(offsets.values(), len(items))]
    return _Table(octets, [*zip(items, map(len, items), sizes, strict=True)])


def _length(number: int) -> int:
    """Return how many octets a multi-byte integer takes (WAP-192 §5.1)."""
    return 1 if number < NEAR else (number.bit_length() + 6) // 7


#: Separates texts that are replayed together, and replaces what a reference stands for: no XML text contains
#: either (XML 1.0 §2.2).
_BETWEEN: Final = b"\1"
_REFERENCE: Final = b"\0"


def _kannel_texts(texts: Sequence[bytes], items: _Items) -> int:
    """Replay all texts: in each, the first occurrence of each item becomes a reference, with strings around it."""
    octets = sum(map(len, texts)) + 2 * len(texts)
    page = _BETWEEN + _BETWEEN.join(texts) + _BETWEEN
    for item, length, reference in items:
        if item not in page:
            continue
        page, *others = page.split(item)
        again = False  # the item has been replaced in this text
        for part in others:
            if again:
                page += item + part
            else:
                ends = (page[-1] == 1) + (part[:1] == _BETWEEN)
                octets += reference + (3, 1, -1)[ends] - length
                page += _REFERENCE + part
            again = _BETWEEN not in part
    return octets


def _libwbxml_texts(texts: Sequence[bytes], items: _Items) -> int:
    """Replay all texts: each occurrence of each item becomes a reference."""
    page = _REFERENCE.join(texts)
    references = 0
    before = len(page)
    for item, length, reference in items:
        if item in page:
            page = page.replace(item, _REFERENCE)
            after = len(page)
            references += (before - after) // (length - 1) * (1 + reference)
            before = after
    strings = [string for string in page.split(_REFERENCE) if string]
    return sum(map(len, strings)) + 2 * len(strings) + references


def kannel() -> StringTables:
    """Return the string tables of Kannel."""
    return StringTables(KANNEL_MINIMUM, _kannel_texts)


def libwbxml() -> StringTables:
    """Return the string tables of libwbxml."""
    return StringTables(LIBWBXML_MINIMUM, _libwbxml_texts)
