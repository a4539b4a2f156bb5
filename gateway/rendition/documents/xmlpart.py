"""XML parts of documents: expat, fed only as far as a page needs, with everything dangerous refused.

Nothing here may know a vocabulary. A DOCTYPE is refused before it can declare an entity (no office format has one);
depth, elements and octets are limited. Names are local, since the formats' names do not clash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final
from xml.parsers import expat

from gateway.rendition.blocks import Block
from gateway.rendition.documents.bounds import DAMAGED, DEPTH_LIMIT, ELEMENTS_LIMIT, DocumentError
from gateway.rendition.documents.composer import Composer

XmlAttributes = Mapping[str, str]
Start = Callable[[XmlAttributes], None]
End = Callable[[], None]

_SEPARATOR: Final = " "


class PartTooLong(Exception):
    """The part has more elements than are read; what was read is kept."""


class Vocabulary:
    """What to do at the start and end of elements, by local name, and with text inside some of them.

    Attributes have local names too.
    """

    def __init__(self) -> None:
        self.starts: dict[str, Start] = {}
        self.ends: dict[str, End] = {}
        #: Elements that are skipped with their content.
        self.skipped: frozenset[str] = frozenset()

    def text(self, _text: str) -> None:
        """Take character data."""


class _Driver:
    """Connects expat to a vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._depth = 0
        self._skipping = 0
        self._elements = 0
        self.parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._depth += 1
        if self._elements > ELEMENTS_LIMIT:
            raise PartTooLong
        if self._depth > DEPTH_LIMIT:
            raise DocumentError(DAMAGED, "depth")
        local = name[name.rfind(_SEPARATOR) + 1 :]
        if self._skipping or local in self._vocabulary.skipped:
            self._skipping += 1
            return
        handler = self._vocabulary.starts.get(local)
        if handler is not None:
            handler({key[key.rfind(_SEPARATOR) + 1 :]: value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._skipping:
            self._skipping -= 1
            return
        handler = self._vocabulary.ends.get(name[name.rfind(_SEPARATOR) + 1 :])
        if handler is not None:
            handler()

    def _text(self, text: str) -> None:
        if not self._skipping:
            self._vocabulary.text(text)

    def _doctype(self, *_declaration: object) -> None:
        raise DocumentError(DAMAGED, "doctype")


def parse(chunks: Iterable[bytes], vocabulary: Vocabulary) -> Iterator[None]:
    """Feed a part to a vocabulary, yielding after each chunk; raise DocumentError or PartTooLong."""
    driver = _Driver(vocabulary)
    fed = False
    try:
        for chunk in chunks:
            driver.parser.Parse(chunk, False)
            fed = True
            yield
        if fed:
            driver.parser.Parse(b"", True)
            yield
    except expat.ExpatError as error:
        raise DocumentError(DAMAGED, str(error)) from error


def blocks(chunks: Iterable[bytes], vocabulary: Vocabulary, composer: Composer) -> Iterator[Block]:
    """Yield the blocks that a vocabulary makes, as soon as they are ready."""
    failure: Exception | None = None
    try:
        for _step in parse(chunks, vocabulary):
            while composer.ready:
                yield composer.ready.popleft()
    except (DocumentError, PartTooLong) as error:
        failure = error  # what was read before it is good
    composer.paragraph()
    yield from composer.ready
    composer.ready.clear()
    if failure is not None:
        raise failure


def consume(chunks: Iterable[bytes], vocabulary: Vocabulary) -> None:
    """Read a whole part, for tables that are needed before the text; its errors are ignored."""
    try:
        for _step in parse(chunks, vocabulary):
            pass
    except (DocumentError, PartTooLong):
        return
