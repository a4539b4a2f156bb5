"""ODT: paragraphs, headings, lists with their numbers, tables and notes of OpenDocument text.

Nothing here may follow a reference out of the file. ODF 1.2-1 §5 (paragraphs, lists, changes), §6 (text), §9
(tables); deleted text and comments are left out, footnotes are in brackets where they are referenced.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.rendition.blocks import Block
from gateway.rendition.context import Context
from gateway.rendition.documents import archive, numerals
from gateway.rendition.documents.bounds import DAMAGED, DocumentError
from gateway.rendition.documents.composer import BULLET, Composer
from gateway.rendition.documents.xmlpart import Vocabulary, XmlAttributes, blocks
from gateway.rendition.links.urls import allowed

_CONTENT: Final = "content.xml"
#: Spaces that `text:s` may stand for: they are collapsed anyway.
_BLANKS: Final = 8


def _number(text: str, fallback: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else fallback


class _Content(Vocabulary):
    """The styles, which come first in the part, then the text."""

    def __init__(self, composer: Composer) -> None:
        super().__init__()
        self._composer = composer
        self._styles: dict[str, tuple[bool, bool]] = {}  # of spans: strong, emphasis
        self._lists: dict[str, dict[int, str]] = {}  # number format by level; no entry: a bullet
        self._style = ""
        self._spans: list[tuple[bool, bool]] = []
        self._open: list[tuple[str, int]] = []  # open lists: style, and number of the current item
        self._fresh = False  # the first paragraph of an item has its marker
        self._level = self._paragraphs = 0
        self.skipped = frozenset({"annotation", "tracked-changes", "note-citation", "ruby-text", "desc"})
        self.starts = {
            "style": self._begin_style, "text-properties": self._look, "list-style": self._begin_style,
            "list-level-style-number": self._numbered, "p": self._paragraph, "h": self._heading,
            "list": self._begin_list, "list-item": self._item, "span": self._span, "a": self._link,
            "tab": self._blank, "s": self._blanks, "line-break": self._break, "note-body": self._note,
            "table": lambda _attributes: composer.table(),
        }  # fmt: skip
        self.ends = {
            "p": self._end, "h": self._end, "list": self._end_list, "span": self._end_span, "a": self._end_link,
            "note-body": self._end_note, "table-cell": composer.cell, "table-row": composer.row,
            "table": composer.end_table,
        }  # fmt: skip

    def text(self, text: str) -> None:
        if self._paragraphs:
            self._composer.text(text.replace("\n", " "))

    def _begin_style(self, attributes: XmlAttributes) -> None:
        self._style = attributes.get("name", "")

    def _look(self, attributes: XmlAttributes) -> None:
        strong = attributes.get("font-weight", "") in ("bold", "600", "700", "800", "900")
        self._styles[self._style] = strong, attributes.get("font-style", "") in ("italic", "oblique")

    def _numbered(self, attributes: XmlAttributes) -> None:
        form = attributes.get("num-format", "")
        if form:
            self._lists.setdefault(self._style, {})[_number(attributes.get("level", ""), 1)] = form

    def _paragraph(self, _attributes: XmlAttributes) -> None:
        self._paragraphs += 1

    def _heading(self, attributes: XmlAttributes) -> None:
        self._paragraphs += 1
        self._level = _number(attributes.get("outline-level", ""), 1)

    def _end(self) -> None:
        self._paragraphs = max(self._paragraphs - 1, 0)
        if self._paragraphs:  # a note is inside the paragraph that refers to it
            self._composer.text(" ")
            return
        level, self._level = self._level, 0
        marker = self._marker() if self._fresh else ""
        self._fresh = False
        self._composer.paragraph(level, marker, max(len(self._open) - 1, 0))

    def _marker(self) -> str:
        style, number = self._open[-1] if self._open else ("", 0)
        form = self._lists.get(style, {}).get(len(self._open))
        return numerals.say(number, form) + "." if form else BULLET

    def _begin_list(self, attributes: XmlAttributes) -> None:
        inherited = self._open[-1][0] if self._open else ""
        self._open.append((attributes.get("style-name", inherited), 0))

    def _end_list(self) -> None:
        self._fresh = False
        if self._open:
            self._open.pop()

    def _item(self, attributes: XmlAttributes) -> None:
        self._fresh = True
        if self._open:
            style, number = self._open[-1]
            self._open[-1] = style, _number(attributes.get("start-value", ""), number + 1)

    def _span(self, attributes: XmlAttributes) -> None:
        self._spans.append((self._composer.strong, self._composer.emphasis))
        look = self._styles.get(attributes.get("style-name", ""), (False, False))
        self._composer.strong |= look[0]
        self._composer.emphasis |= look[1]

    def _end_span(self) -> None:
        if self._spans:
            self._composer.strong, self._composer.emphasis = self._spans.pop()

    def _link(self, attributes: XmlAttributes) -> None:
        self._composer.link = allowed(attributes.get("href", ""))

    def _end_link(self) -> None:
        self._composer.link = ""

    def _blank(self, _attributes: XmlAttributes) -> None:
        self._composer.text("\t")

    def _blanks(self, attributes: XmlAttributes) -> None:
        self._composer.text(" " * min(_number(attributes.get("c", ""), 1), _BLANKS))

    def _break(self, _attributes: XmlAttributes) -> None:
        self._composer.text("\n")

    def _note(self, _attributes: XmlAttributes) -> None:
        self._composer.text(" [")

    def _end_note(self) -> None:
        self._composer.text("]")


def read(octets: bytes, _leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield the text."""
    with archive.opened(octets) as package:
        if _CONTENT not in package.NameToInfo:
            raise DocumentError(DAMAGED, "no content part")
        composer = Composer(context.fold)
        for block in blocks(archive.part(package, _CONTENT), _Content(composer), composer):
            yield 0, block
