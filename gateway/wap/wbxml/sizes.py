"""How large a deck becomes, whoever compiles it: here, in Kannel, or by libwbxml.

A deck that leaves as text is compiled by somebody's gateway, and must fit the phone then too. Nothing here may
say less than what Kannel 1.4.5 and libwbxml 0.11 (with its string table and without) make of the same deck:
tests hold that against the programs. What makes them larger than `encode`, as measured:

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

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from gateway.wap.wbxml.encoder import multibyte
from gateway.wap.wbxml.meter import KANNEL_MINIMUM, LIBWBXML_MINIMUM, Measure, Meter, Share
from gateway.wap.wbxml.source import read, read_fragment

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


def fragment_size(markup: str) -> int:
    """Say how many octets some content adds at most to a deck, the string tables of others left aside.

    Additive: with the size of the deck around, the sum over all content is at least `len(encode(whole))`, and
    what Kannel and libwbxml make of it but for their string tables. The size of the deck around is that with
    some content, as `<p/>`, less the content: an empty card has no end. For the last word ask `bound`.
    """
    found = measure(markup)
    return max(found.own, found.kannel.inline(), found.libwbxml.inline())


def deck_bound(wml: str | bytes) -> int:
    """Say how many octets a deck has at most, whoever compiles it."""
    return bound([measure_deck(wml)])


def bound(pieces: Iterable[Measure]) -> int:
    """Say how many octets a deck of these pieces, in this order, has at most, whoever compiles it."""
    pieces = list(pieces)
    own = HEADER + 1 + sum(piece.own for piece in pieces)
    kannel = _joined([piece.kannel for piece in pieces])
    libwbxml = _joined([piece.libwbxml for piece in pieces])
    sizes = [own, _kannel(kannel, bytes), _libwbxml(libwbxml)]
    if any(piece.latin for piece in pieces):
        sizes.append(_kannel(kannel, _latin))
    return max(sizes)


def _latin(text: bytes) -> bytes:
    """Convert as Kannel does a text, but not the string table, if it is told ISO-8859-1."""
    return b"".join(c.encode("latin-1" if c <= "\xff" else "utf-8") for c in text.decode())


def _joined(shares: Sequence[Share]) -> Share:
    return Share(
        sum(share.fixed for share in shares),
        tuple(name for share in shares for name in share.names),
        tuple(text for share in shares for text in share.said),
        tuple(text for share in shares for text in share.counted),
    )


def _repeated(texts: Iterable[bytes], minimum: int) -> list[bytes]:
    """Return what others put into the table: texts that come twice, then such words of the other texts."""
    whole = Counter(texts)
    words = Counter(word for text, count in whole.items() if count == 1 for word in text.split())
    items = [text for text, count in whole.items() if count > 1]
    known = set(items)
    items += [
        word for word, count in words.items() if count > 1 and len(word) > minimum and word not in known
    ]
    return items


def _table(share: Share, items: Sequence[bytes]) -> tuple[int, list[tuple[bytes, int]]]:
    """Return the octets of header, table and references to names, and each item with those of a reference."""
    offsets: dict[bytes, int] = {}
    length = 0
    for text in (*items, *share.names):
        if text not in offsets:
            offsets[text] = length
            length += len(text) + 1
    octets = HEADER + len(multibyte(length)) + length
    octets += sum(len(multibyte(offsets[name])) for name in share.names)
    return octets, [(item, len(multibyte(offsets[item]))) for item in items]


def _kannel(share: Share, convert: Callable[[bytes], bytes]) -> int:
    octets, items = _table(share, _repeated(share.counted, KANNEL_MINIMUM))
    return octets + share.fixed + sum(_kannel_text(convert(text), items) for text in share.said)


def _kannel_text(text: bytes, items: Sequence[tuple[bytes, int]]) -> int:
    """Play through one text: the first place of each item becomes a reference, with strings around it."""
    size = len(text) + 2
    for item, reference in items:
        at = text.find(item)
        if at < 0:
            continue
        length = len(item)
        if length == len(text):
            return 1 + reference
        at_an_end = at == 0 or at + length == len(text)
        size += reference + (1 if at_an_end else 3) - length
        text = text[:at] + b"\0" + text[at + length :]
    return size


def _libwbxml(share: Share) -> int:
    octets, items = _table(share, _repeated(share.counted, LIBWBXML_MINIMUM))
    octets += share.fixed + sum(_libwbxml_text(text, items) for text in share.said)
    return max(octets, HEADER + 1 + share.inline())


def _libwbxml_text(text: bytes, items: Sequence[tuple[bytes, int]]) -> int:
    """Play through one text: each place of each item becomes a reference."""
    strings = [text]
    references = 0
    for item, reference in items:
        if item in text:
            cut = [string.split(item) for string in strings]
            references += (sum(map(len, cut)) - len(cut)) * (1 + reference)
            strings = [part for parts in cut for part in parts if part]
    return sum(map(len, strings)) + 2 * len(strings) + references
