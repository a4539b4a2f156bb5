"""How large a deck becomes, whichever compiler is used: ours, Kannel, or libwbxml.

A deck that is sent as text is compiled by somebody's gateway, and must still fit the phone. Nothing here may return
less than what Kannel 1.4.5 and libwbxml 0.11 (with its string table and without) make of the same deck: tests compare
it with the programs. What makes them larger than `encode`, as measured:

- Both put every string, and then every word, that comes twice into the string table, whether that saves
  anything or not: Kannel from 5 octets on, libwbxml from 4. In prose that is 2 to 6 % (a word of five letters
  that comes twice costs 6 octets and saves 2); in a list of links it is often a gain. It depends on the whole
  deck, so no sum over fragments can tell it: `measure` each fragment once, and `bound` plays both tables
  through for any sequence of them without parsing again (`replayed_texts`); `deck_bound` does both for a whole deck.
- libwbxml leaves variables and `$$` as they are written, and white space but at the ends of a text; it writes
  `xml:lang` as a literal of 41 octets: a deck should do without.
- Kannel refers to variables through the string table only, has no tokens for `pre` and `xml:lang`, keeps
  white space beside an emphasis, leaves two blanks two, and uses no value tokens in a value with a `$`. Told
  that a deck is ISO-8859-1 it writes texts so, but the table in UTF-8: what is not ASCII is never found there.

What is measured must be plain: no comments, processing instructions or CDATA sections.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gateway.wap.wbxml.encoder import Compiler
from gateway.wap.wbxml.meter import Measure, Meter, Share, paragraph
from gateway.wap.wbxml.replayed_texts import HEADER, ReplayedTexts, joined, kannel, libwbxml
from gateway.wap.wbxml.tokens import CHARSETS, UTF_8
from gateway.wap.wbxml.wml_parser import read, read_fragment

_LATIN: Final = frozenset({"iso-8859-1", "latin1", "latin-1", "iso_8859-1"})


def measure(markup: str) -> Measure:
    """Measure content of a deck, well-formed in itself."""
    known = paragraph(markup)
    if known is not None:
        return known
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
    return MeasuredDeck(list(pieces)).size()


class MeasuredDeck:
    """The pieces that a deck begins with; it tells its size with one piece more without adding them up again."""

    def __init__(self, pieces: Sequence[Measure], before: MeasuredDeck | None = None) -> None:
        """`before`: what precedes the pieces."""
        shares = joined([piece.kannel for piece in pieces])
        self._own: int = sum([piece.own for piece in pieces]) + (before._own if before else HEADER + 1)
        self._libwbxml: ReplayedTexts = ReplayedTexts(
            joined([piece.libwbxml for piece in pieces]), before._libwbxml if before else libwbxml()
        )
        self._kannel: ReplayedTexts = ReplayedTexts(shares, before._kannel if before else kannel())
        self._ascii: bool = (not before or before._ascii) and all(map(bytes.isascii, shares.said))
        self._latin: ReplayedTexts | None = None
        if before.latin if before else any(piece.latin for piece in pieces):
            self._latin = ReplayedTexts(_in_latin(shares), (before and before._latin) or kannel())

    @property
    def latin(self) -> bool:
        """Whether the deck is declared to be ISO-8859-1."""
        return self._latin is not None

    def room(self, limit: int, last: Measure | None = None) -> int:
        """Return how many octets of a limit the deck leaves, with a `last` piece, whichever compiler is used.

        Below 0, it is too large; by how many octets, only one compiler says, as the others cannot change that.
        """
        left = limit
        for size in self._sizes(last or _NOTHING):
            left = min(left, limit - size)
            if left < 0:
                break
        return left

    def size(self, last: Measure | None = None) -> int:
        """Return how many octets the deck has at most with a `last` piece, whichever compiler is used."""
        return max(self._sizes(last or _NOTHING))

    def _sizes(self, last: Measure) -> Iterator[int]:
        """Yield the most octets that each compiler makes of the deck with a `last` piece."""
        yield self._own + last.own
        yield self._libwbxml.inline(last.libwbxml)
        yield self._libwbxml.size(last.libwbxml)
        yield self._kannel.size(last.kannel)
        if self._latin and not (self._ascii and all(map(bytes.isascii, last.kannel.said))):
            yield self._latin.size(_in_latin(last.kannel))


_EMPTY: Final = Share(0, (), (), ())
_NOTHING: Final = Measure(0, _EMPTY, _EMPTY)


#: Characters that ISO-8859-1 does not have.
_BEYOND_LATIN: Final = re.compile("[^\0-\xff]+")


def _in_utf8(found: re.Match[str]) -> str:
    """Write characters as octets in UTF-8, each as the character of ISO-8859-1 that it is."""
    return found[0].encode().decode("latin-1")


def _latin(text: bytes) -> bytes:
    """Convert text as Kannel does, except for the string table, if the deck is declared ISO-8859-1."""
    return text if text.isascii() else _BEYOND_LATIN.sub(_in_utf8, text.decode()).encode("latin-1")


def _in_latin(share: Share) -> Share:
    return share._replace(said=tuple(map(_latin, share.said)))
