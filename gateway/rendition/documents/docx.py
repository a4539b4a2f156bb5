"""DOCX: paragraphs, headings, lists with their numbers, tables and footnotes.

Nothing here may follow a reference out of the file. Word's automatic numbering is reproduced, since a numbered text
makes no sense without it. ISO 29500-1 §17.3 (paragraphs, runs), §17.4 (tables), §17.9 (numbering), §17.11 (notes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.rendition.blocks import Block
from gateway.rendition.context import Context
from gateway.rendition.documents import archive, numerals
from gateway.rendition.documents.bounds import DAMAGED, DocumentError
from gateway.rendition.documents.composer import BULLET, Composer
from gateway.rendition.documents.xmlpart import Vocabulary, XmlAttributes, blocks, consume
from gateway.rendition.links.urls import allowed

_DOCUMENT: Final = "word/document.xml"
_STYLES: Final = "word/styles.xml"
_NUMBERING: Final = "word/numbering.xml"
_LINKS: Final = "word/_rels/document.xml.rels"
_FOOTNOTES: Final = "word/footnotes.xml"

_HEADING: Final = re.compile(r"heading ([1-9])\Z")
_OFF: Final = frozenset({"0", "false", "off", "none"})


class _Styles(Vocabulary):
    """Style id -> heading level. Some versions of Word translate a style's id, but not its name."""

    def __init__(self) -> None:
        super().__init__()
        self.levels: dict[str, int] = {}
        self._style = ""
        self.starts = {"style": self._begin, "name": self._name}

    def _begin(self, attributes: XmlAttributes) -> None:
        self._style = attributes.get("styleId", "")

    def _name(self, attributes: XmlAttributes) -> None:
        name = attributes.get("val", "").lower()
        match = _HEADING.match(name)
        if match or name == "title":
            self.levels[self._style] = int(match.group(1)) if match else 1


class _Numbering(Vocabulary):
    """Numbering id -> the formats of its levels."""

    def __init__(self) -> None:
        super().__init__()
        self._abstract: dict[str, dict[str, str]] = {}
        self._lists: dict[str, str] = {}
        self._in_abstract = self._in_list = self._level = ""
        self.starts = {
            "abstractNum": self._begin_abstract,
            "lvl": self._begin_level,
            "numFmt": self._format,
            "num": self._begin_list,
            "abstractNumId": self._refers,
        }

    def _begin_abstract(self, attributes: XmlAttributes) -> None:
        self._in_abstract = attributes.get("abstractNumId", "")

    def _begin_level(self, attributes: XmlAttributes) -> None:
        self._level = attributes.get("ilvl", "0")

    def _format(self, attributes: XmlAttributes) -> None:
        self._abstract.setdefault(self._in_abstract, {})[self._level] = attributes.get("val", "")

    def _begin_list(self, attributes: XmlAttributes) -> None:
        self._in_list = attributes.get("numId", "")

    def _refers(self, attributes: XmlAttributes) -> None:
        self._lists[self._in_list] = attributes.get("val", "")

    def format(self, number_id: str, level: str) -> str:
        return self._abstract.get(self._lists.get(number_id, ""), {}).get(level, "bullet")


class _Links(Vocabulary):
    """Relationship id -> URL that may be linked."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: dict[str, str] = {}
        self.starts = {"Relationship": self._relation}

    def _relation(self, attributes: XmlAttributes) -> None:
        if attributes.get("TargetMode") == "External":
            self.targets[attributes.get("Id", "")] = allowed(attributes.get("Target", ""))


@dataclass(slots=True)
class _Paragraph:
    style: str = ""
    outline: int = 0
    list_id: str = ""
    level: str = "0"
    note: str = ""


@dataclass
class _Tables:
    """The tables from the other parts that the text refers to."""

    styles: _Styles = field(default_factory=_Styles)
    numbering: _Numbering = field(default_factory=_Numbering)
    links: _Links = field(default_factory=_Links)


class _Body(Vocabulary):
    """The text, or the footnotes, which have the same structure."""

    def __init__(self, composer: Composer, tables: _Tables) -> None:
        super().__init__()
        self._composer = composer
        self._tables = tables
        self._paragraph = _Paragraph()
        self._in_text = self._in_run = False
        self._counters: dict[tuple[str, str], int] = {}
        self.skipped = frozenset({"Fallback", "sectPr", "del", "moveFrom"})
        self.starts = {
            "p": self._begin_paragraph, "pStyle": self._style, "outlineLvl": self._outline, "numId": self._list,
            "ilvl": self._level, "r": self._begin_run, "b": self._bold, "i": self._italic, "t": self._begin_text,
            "tab": self._tab, "br": self._break, "cr": self._break, "noBreakHyphen": self._hyphen,
            "hyperlink": self._link, "tbl": lambda _attributes: composer.table(),
            "footnote": self._footnote, "footnoteReference": self._reference,
        }  # fmt: skip
        self.ends = {
            "p": self._end_paragraph, "r": self._end_run, "t": self._end_text, "hyperlink": self._end_link,
            "tc": composer.cell, "tr": composer.row, "tbl": composer.end_table,
        }  # fmt: skip

    def text(self, text: str) -> None:
        if self._in_text:
            self._composer.text(text)

    def _begin_paragraph(self, _attributes: XmlAttributes) -> None:
        if self._in_run:  # a text box is inside a run of the paragraph that it floats beside
            self._end_paragraph()
        self._paragraph = _Paragraph(note=self._paragraph.note)

    def _end_paragraph(self) -> None:
        paragraph, self._paragraph = self._paragraph, _Paragraph()
        level = self._tables.styles.levels.get(paragraph.style, 0) or paragraph.outline
        marker = f"[{paragraph.note}]" if paragraph.note else ""
        if paragraph.list_id not in ("", "0"):
            marker = self._marker(paragraph)
        self._composer.paragraph(level, marker, int(paragraph.level))

    def _marker(self, paragraph: _Paragraph) -> str:
        form = self._tables.numbering.format(paragraph.list_id, paragraph.level)
        if form in ("bullet", "none"):
            return BULLET
        key = (paragraph.list_id, paragraph.level)
        self._counters[key] = number = self._counters.get(key, 0) + 1
        for other in [other for other in self._counters if other[0] == key[0] and other[1] > key[1]]:
            del self._counters[other]
        return numerals.say(number, form) + "."

    def _style(self, attributes: XmlAttributes) -> None:
        self._paragraph.style = attributes.get("val", "")

    def _outline(self, attributes: XmlAttributes) -> None:
        level = attributes.get("val", "9")
        self._paragraph.outline = int(level) + 1 if level in "012345678" and level else 0

    def _list(self, attributes: XmlAttributes) -> None:
        self._paragraph.list_id = attributes.get("val", "")

    def _level(self, attributes: XmlAttributes) -> None:
        level = attributes.get("val", "0")
        self._paragraph.level = level if len(level) == 1 and level in "012345678" else "0"

    def _begin_run(self, _attributes: XmlAttributes) -> None:
        self._in_run = True
        self._composer.strong = self._composer.emphasis = False

    def _end_run(self) -> None:
        self._in_run = self._composer.strong = self._composer.emphasis = False

    def _bold(self, attributes: XmlAttributes) -> None:
        self._composer.strong = self._in_run and attributes.get("val", "1") not in _OFF

    def _italic(self, attributes: XmlAttributes) -> None:
        self._composer.emphasis = self._in_run and attributes.get("val", "1") not in _OFF

    def _begin_text(self, _attributes: XmlAttributes) -> None:
        self._in_text = True

    def _end_text(self) -> None:
        self._in_text = False

    def _tab(self, _attributes: XmlAttributes) -> None:
        if self._in_run:  # elsewhere it defines a stop
            self._composer.text("\t")

    def _break(self, _attributes: XmlAttributes) -> None:
        self._composer.text("\n")

    def _hyphen(self, _attributes: XmlAttributes) -> None:
        self._composer.text("-")

    def _link(self, attributes: XmlAttributes) -> None:
        self._composer.link = self._tables.links.targets.get(attributes.get("id", ""), "")

    def _end_link(self) -> None:
        self._composer.link = ""

    def _footnote(self, attributes: XmlAttributes) -> None:
        self._paragraph = _Paragraph(note=attributes.get("id", "")[:9])

    def _reference(self, attributes: XmlAttributes) -> None:
        self._composer.text(f"[{attributes.get('id', '')[:9]}]")


def read(octets: bytes, _leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield the text, then the footnotes."""
    with archive.opened(octets) as package:
        if _DOCUMENT not in package.NameToInfo:
            raise DocumentError(DAMAGED, "no document part")
        tables = _Tables()
        consume(archive.part(package, _STYLES), tables.styles)
        consume(archive.part(package, _NUMBERING), tables.numbering)
        consume(archive.part(package, _LINKS), tables.links)
        for name in (_DOCUMENT, _FOOTNOTES):
            composer = Composer(context.fold)
            for block in blocks(archive.part(package, name), _Body(composer, tables), composer):
                yield 0, block
