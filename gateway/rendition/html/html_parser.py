"""HTML to events: libxml2's parser, never with too many elements open.

Nothing here may build a tree: below a depth of 255 text is silently lost, and 100,000 attributes take minutes. Nothing
here may let a document nest without limit: for each end tag the parser searches the open elements, all of them if it is
unmatched, so 60,000 unmatched ones within 80,000 elements take twelve seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import chain
from typing import Final, Protocol

from lxml import etree

#: The approximate limit on open elements: each level of quotation takes some four.
OPEN_LIMIT: Final = 512
#: Octets given to the parser at a time; the limit may be exceeded by what they open.
STRETCH: Final = 2048


class ParserTarget(Protocol):
    """The receiver of the events. `full`: it takes no more of them."""

    full: bool

    def start(self, name: str, attributes: Mapping[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def data(self, text: str) -> None: ...
    def comment(self, text: str) -> None: ...
    def pi(self, target: str, text: str | None = None) -> None: ...
    def close(self) -> None: ...

    @property
    def depth(self) -> int:
        """How many elements are open; 0 inside one whose content cannot be markup."""

    def staying(self) -> AbstractContextManager[None]:
        """Keep open the elements that end in the meantime, except those that hide text."""


def parse(source: Iterable[bytes], target: ParserTarget) -> None:
    """Parse a document in UTF-8, with a new parser whenever one has too many elements open."""
    parser, floor = _parser(target), 0
    for stretch in chain.from_iterable(map(_stretches, source)):
        try:
            parser.feed(stretch)
        except etree.LxmlError:
            parser, floor = _parser(target), target.depth
        if target.full:
            break
        if target.depth - floor > OPEN_LIMIT:
            with target.staying():
                _end(parser)
            parser, floor = _parser(target), target.depth
    _end(parser)


def _parser(target: ParserTarget) -> etree.HTMLParser:
    return etree.HTMLParser(target=target, encoding="utf-8", huge_tree=True)


def _end(parser: etree.HTMLParser) -> None:
    try:
        parser.close()
    except etree.LxmlError:  # what could be read has been read; even an empty document is an "error"
        pass


def _stretches(source: bytes) -> Iterator[bytes]:
    """Split a document in front of tags."""
    start = 0
    while start < len(source):
        end = source.find(b"<", start + STRETCH)
        end = end if end >= 0 else len(source)
        yield source[start:end]
        start = end
