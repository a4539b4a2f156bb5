"""Measures pieces of a page, so that the size of the page is known before it is assembled.

Nothing here may estimate by characters. XHTML is measured in octets sent, WML in octets compiled, by the worst
compiler; since compilers share repeated strings across a deck, a page takes less than the sum of its pieces, but never
less than with our own compiler.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

from gateway.device import ASCII, LATIN_1, UTF_8
from gateway.wap import wbxml

W = TypeVar("W")

#: The devices' charsets by MIBenum, their number in the IANA registry, as WBXML names them.
MIB_ENUMS: Final = {UTF_8: 106, LATIN_1: 4, ASCII: 3}

#: The bound for all compilers, as a multiple of our own compiler's size, in prose.
_BOUND_OVER_OWN: Final = 1.05


class Scale(Protocol[W]):
    """Measures pages and their pieces, as values of a type of its own."""

    def page(self, text: str) -> W:
        """Measure a page without its pieces."""

    def piece(self, text: str) -> W:
        """Measure a piece of a page."""

    def room(self, weights: Iterable[W], limit: int) -> int:
        """Return how many of this many octets all these together leave; below 0, they exceed them by at least that."""

    def least(self, weight: W) -> int:
        """Return the least octets that this takes, whatever is beside it."""

    def rough(self, weights: Iterable[W]) -> int:
        """Return the approximate octets that all these take."""


class XhtmlScale:
    """Measures octets in the device's charset."""

    def __init__(self, charset: str) -> None:
        self._charset = charset

    def page(self, text: str) -> int:
        return len(text if text.isascii() else text.encode(self._charset, "xmlcharrefreplace"))

    piece = page

    def room(self, weights: Iterable[int], limit: int) -> int:
        return limit - self.rough(weights)

    def least(self, weight: int) -> int:
        return weight + 1

    def rough(self, weights: Iterable[int]) -> int:
        # The template ends each piece with a line feed: one octet.
        return sum([weight + 1 for weight in weights])


class CompiledScale:
    """Measures octets of decks that we compile, without a string table."""

    def __init__(self, charset: str) -> None:
        self._charset = MIB_ENUMS[charset]

    def page(self, text: str) -> int:
        return wbxml.HEADER + 1 + wbxml.own_size(text, self._charset, whole=True)

    def piece(self, text: str) -> int:
        return wbxml.own_size(text, self._charset)

    def room(self, weights: Iterable[int], limit: int) -> int:
        return limit - sum(weights)

    def least(self, weight: int) -> int:
        return weight

    def rough(self, weights: Iterable[int]) -> int:
        return sum(weights)


class WmlScale:
    """Measures octets of decks that somebody else's gateway compiles.

    What pages begin with is added up once: all have the same frame, and the search for the end of a page asks about one
    last piece after another.
    """

    def __init__(self) -> None:
        self._frame: list[wbxml.Measure] = []
        self._begun: list[wbxml.Measure] = []
        self._framed = self._deck = wbxml.MeasuredDeck(())

    def page(self, text: str) -> wbxml.Measure:
        return wbxml.measure_deck(text)

    def piece(self, text: str) -> wbxml.Measure:
        return wbxml.measure(text)

    def room(self, weights: Iterable[wbxml.Measure], limit: int) -> int:
        begun = [*weights]
        last = begun.pop() if begun[:-1] == self._begun else None
        if last is None and begun != self._begun:
            if begun[:1] != self._frame:
                self._frame = begun[:1]
                self._framed = wbxml.MeasuredDeck(self._frame)
            self._begun, self._deck = begun, wbxml.MeasuredDeck(begun[1:], self._framed)
        return self._deck.room(limit, last)

    def least(self, weight: wbxml.Measure) -> int:
        return weight.own

    def rough(self, weights: Iterable[wbxml.Measure]) -> int:
        return int(sum(weight.own for weight in weights) * _BOUND_OVER_OWN)
