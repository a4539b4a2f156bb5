"""EPUB: a book's chapters in the order of its spine, each a leaf, read like HTML in a mail.

Nothing here may follow a reference out of the file. EPUB 3.3 §4.2.6 (container.xml), §5.6 (manifest), §5.7 (spine).
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from gateway.message import media_types
from gateway.message.charset import decoding
from gateway.rendition import roles
from gateway.rendition.blocks import Block
from gateway.rendition.context import Context
from gateway.rendition.documents import archive
from gateway.rendition.documents.bounds import DAMAGED, DocumentError
from gateway.rendition.documents.xmlpart import Vocabulary, XmlAttributes, consume
from gateway.rendition.html import converter, picture_links

_CONTAINER: Final = "META-INF/container.xml"
#: Octets of a chapter that are read.
CHAPTER_LIMIT: Final = 4 * 1024 * 1024
#: The most chapters of a book.
CHAPTERS_LIMIT: Final = 2000
_PAGES: Final = ("application/xhtml+xml", media_types.HTML, "application/x-dtbook+xml")


class _Container(Vocabulary):
    """Finds the package document."""

    def __init__(self) -> None:
        super().__init__()
        self.package = ""
        self.starts = {"rootfile": self._root}

    def _root(self, attributes: XmlAttributes) -> None:
        self.package = self.package or attributes.get("full-path", "")


class _Package(Vocabulary):
    """The files of a book, and the reading order."""

    def __init__(self) -> None:
        super().__init__()
        self._files: dict[str, str] = {}
        self._order: list[str] = []
        self.starts = {"item": self._item, "itemref": self._reference}

    def _item(self, attributes: XmlAttributes) -> None:
        if attributes.get("media-type", "").lower() in _PAGES:
            self._files[attributes.get("id", "")] = attributes.get("href", "")

    def _reference(self, attributes: XmlAttributes) -> None:
        self._order.append(attributes.get("idref", ""))

    @property
    def chapters(self) -> list[str]:
        """The references to the chapters, in order."""
        return [self._files[name] for name in self._order if name in self._files][:CHAPTERS_LIMIT]


def read(octets: bytes, leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield the blocks of a book, from the chapter with this number."""
    with archive.opened(octets) as book:
        for number, name in enumerate(_chapters(book)):
            if number >= leaf:
                for block in _chapter(book, name, context):
                    yield number, block


def _chapters(book: zipfile.ZipFile) -> list[str]:
    """Return the file names of the chapters."""
    container, package = _Container(), _Package()
    consume(archive.part(book, _CONTAINER), container)
    consume(archive.part(book, container.package), package)
    folder = posixpath.dirname(container.package)
    names = [
        posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0])))
        for href in package.chapters
    ]
    if not names:
        raise DocumentError(DAMAGED)
    return names


def _chapter(book: zipfile.ZipFile, name: str, context: Context) -> Iterator[Block]:
    page, size = [], 0
    for octets in archive.part(book, name):
        page.append(octets)
        size += len(octets)
        if size > CHAPTER_LIMIT:
            break
    octets = b"".join(page)
    text = decoding.decode(octets, decoding.html_label(octets))[0]
    drafts, _too_many = converter.read(
        text, context.fold, False, {}, picture=context.translate(picture_links.PICTURE)
    )
    return (segment.block for segment in roles.segments(drafts, "", False))
