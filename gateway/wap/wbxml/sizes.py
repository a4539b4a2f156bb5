"""How large a deck becomes, whichever compiler is used: ours, Kannel, or libwbxml.

A deck that is sent as text is compiled by somebody's gateway, and must still fit the phone. Nothing here may return
less than what Kannel 1.4.5 and libwbxml 0.11 (with its string table and without) make of the same deck: tests compare
it with the programs. What makes them larger than `encode`, as measured:

- Both put every string, and then every word, that comes twice into the string table, whether that saves
  anything or not: Kannel from 5 octets on, libwbxml from 4. In prose that is 2 to 6 % (a word of five letters
  that comes twice costs 6 octets and saves 2); in a list of links it is often a gain. It depends on the whole
  deck, so no sum over fragments can tell it: `measure` each fragment once, and `bound` plays both tables
  through for any sequence of them without parsing again; `deck_bound` does both for a whole deck.
- libwbxml leaves variables and `$$` as they are written, and white space but at the ends of a text; it writes
  `xml:lang` as a literal of 41 octets: a deck should do without.
- Kannel refers to variables through the string table only, has no tokens for `pre` and `xml:lang`, keeps
  white space beside an emphasis, leaves two blanks two, and uses no value tokens in a value with a `$`. Told
  that a deck is ISO-8859-1 it writes texts so, but the table in UTF-8: what is not ASCII is never found there.

What is measured must be plain: no comments, processing instructions or CDATA sections.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from gateway.wap.wbxml.encoder import Compiler
from gateway.wap.wbxml.meter import KANNEL_MINIMUM, LIBWBXML_MINIMUM, Measure, Meter, Share
from gateway.wap.wbxml.tokens import CHARSETS, UTF_8
from gateway.wap.wbxml.wml_parser import read, read_fragment

#: Octets before the string table's length: version, public identifier, charset.
HEADER: Final = 3
_LATIN: Final = frozenset({"iso-8859-1", "latin1", "latin-1", "iso_8859-1"})


def measure(markup: str) -> Measure:
    """Measure content of a deck, well-formed in itself."""
    meter = Meter(bare=True)
    read_fragment(markup, meter, plain=True)
    return meter.measure()


def measure_deck(wml: str | bytes) -> Measure:
    """Measure a whole deck; `bound` adds the header."""
    meter = Meter()
    prolog = read(wml, meter, plain=True)
    return meter.measure()._replace(latin=prolog.encoding.lower() in _LATIN)


def own_size(markup: str, charset: int = UTF_8, *, whole: bool = False) -> int:
    """Return the most octets that `encode` makes of some content, or of a `whole` deck after its header."""
    compiler = Compiler(bare=not whole, codec=CHARSETS[charset][0])
    if whole:
        read(markup, compiler)
    else:
        read_fragment(markup, compiler)
    return compiler.body.size()


def fragment_size(markup: str) -> int:
    """Return the most octets that some content adds to a deck, apart from other compilers' string tables.

    Additive: with the size of the deck around it, the sum over all content is at least `len(encode(whole))`, and what
    Kannel and libwbxml make of it except for their string tables. The size of the deck around it is that of the deck
    with some content, such as `<p/>`, minus that content: an empty card has no end tag. For the exact limit use
    `bound`.
    """
    found = measure(markup)
    return max(found.own, found.kannel.inline(), found.libwbxml.inline())


def deck_bound(wml: str | bytes) -> int:
    """Return how many octets a deck has at most, whichever compiler is used."""
    return bound([measure_deck(wml)])


def bound(pieces: Iterable[Measure]) -> int:
    """Return how many octets a deck of these pieces, in this order, has at most, whichever compiler is used."""
    return max(_sizes(list(pieces)))


def room(pieces: Iterable[Measure], limit: int) -> int:
    """Return how many octets of a limit a deck leaves, whichever compiler is used.

    Below 0, it is too large; by how many octets, only one compiler says, as the others cannot change that.
    """
    left = limit
    for size in _sizes(list(pieces)):
        left = min(left, limit - size)
        if left < 0:
            break
    return left


def _sizes(pieces: Sequence[Measure]) -> Iterator[int]:
    """Yield the most octets that each compiler makes of a deck."""
    yield HEADER + 1 + sum(piece.own for piece in pieces)
    yield _libwbxml(_joined([piece.libwbxml for piece in pieces]))
    kannel = _joined([piece.kannel for piece in pieces])
    yield _kannel(kannel, bytes)
    if any(piece.latin for piece in pieces) and not all(map(bytes.isascii, kannel.said)):
        yield _kannel(kannel, _latin)


#: Characters that ISO-8859-1 does not have.
_BEYOND_LATIN: Final = re.compile("[^\0-\xff]+")


def _in_utf8(found: re.Match[str]) -> str:
    """Write characters as octets in UTF-8, each as the character of ISO-8859-1 that it is."""
    return found[0].encode().decode("latin-1")


def _latin(text: bytes) -> bytes:
    """Convert text as Kannel does, except for the string table, if the deck is declared ISO-8859-1."""
    return text if text.isascii() else _BEYOND_LATIN.sub(_in_utf8, text.decode()).encode("latin-1")


def _joined(shares: Sequence[Share]) -> Share:
    return Share(
        sum(share.fixed for share in shares),
        tuple(chain.from_iterable(share.names for share in shares)),
        tuple(chain.from_iterable(share.said for share in shares)),
        tuple(chain.from_iterable(share.counted for share in shares)),
    )


def _repeated(texts: Iterable[bytes], minimum: int) -> list[bytes]:
    """Return what others put into the table: texts that occur twice, then words of the other texts that do."""
    whole = Counter(texts)
    words = Counter(b" ".join([text for text, count in whole.items() if count == 1]).split())
    items = [text for text, count in whole.items() if count > 1]
    known = set(items)
    items += [
        word for word, count in words.items() if count > 1 and len(word) > minimum and word not in known
    ]
    return items


def _length(number: int) -> int:
    """Return how many octets a multi-byte integer takes (WAP-192 §5.1)."""
    return 1 if number < 128 else (number.bit_length() + 6) // 7


def _table(share: Share, items: Sequence[bytes]) -> tuple[int, list[tuple[bytes, int]]]:
    """Return the octets of header, table and references to names, and each item with the size of its reference."""
    offsets: dict[bytes, int] = {}
    length = 0
    for text in (*items, *share.names):
        if text not in offsets:
            offsets[text] = length
            length += len(text) + 1
    octets = HEADER + _length(length) + length
    octets += sum(_length(offsets[name]) for name in share.names)
    return octets, [(item, _length(offsets[item])) for item in items]


def _kannel(share: Share, convert: Callable[[bytes], bytes]) -> int:
    octets, items = _table(share, _repeated(share.counted, KANNEL_MINIMUM))
    return octets + share.fixed + _kannel_texts([convert(text) for text in share.said], items)


#: Separates texts that are replayed together, and replaces what a reference stands for: no XML text contains
#: either (XML 1.0 §2.2).
_BETWEEN: Final = b"\1"
_REFERENCE: Final = b"\0"


def _kannel_texts(texts: Sequence[bytes], items: Iterable[tuple[bytes, int]]) -> int:
    """Replay all texts: in each, the first occurrence of each item becomes a reference, with strings around it."""
    octets = sum(map(len, texts)) + 2 * len(texts)
    page = _BETWEEN + _BETWEEN.join(texts) + _BETWEEN
    for item, reference in items:
        length = len(item)
        at = page.find(item)
        while at >= 0:
            end = at + length
            ends = (page[at - 1] == 1) + (page[end] == 1)
            octets += reference + (3, 1, -1)[ends] - length
            page = page[:at] + _REFERENCE + page[end:]
            at = page.find(item, page.index(_BETWEEN, at))
    return octets


def _libwbxml(share: Share) -> int:
    octets, items = _table(share, _repeated(share.counted, LIBWBXML_MINIMUM))
    octets += share.fixed + _libwbxml_texts(share.said, items)
    return max(octets, HEADER + 1 + share.inline())


def _libwbxml_texts(texts: Sequence[bytes], items: Iterable[tuple[bytes, int]]) -> int:
    """Replay all texts: each occurrence of each item becomes a reference."""
    page = _REFERENCE.join(texts)
    references = 0
    for item, reference in items:
        before = len(page)
        page = page.replace(item, _REFERENCE)
        references += (before - len(page)) // (len(item) - 1) * (1 + reference)
    strings = [string for string in page.split(_REFERENCE) if string]
    return sum(map(len, strings)) + 2 * len(strings) + references
