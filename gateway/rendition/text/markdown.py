"""Markdown to drafts: as much of it as people use in mail.

Nothing here may fail on odd text, or take longer for it: one pass over the lines, no nesting except quotations and
lists, and whatever is not markup stays as it is. RFC 7763 (text/markdown); CommonMark 0.31 for the marks themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.rendition import glyphs
from gateway.rendition.blocks import Kind, Run
from gateway.rendition.links.urls import allowed, linked
from gateway.rendition.segments import BLOCK_LIMIT
from gateway.rendition.unplaced import Draft

#: The most lines that are read.
LINES_LIMIT: Final = 20_000
_QUOTE: Final = re.compile(r" {0,3}((?:> ?)+)")
_FENCE: Final = re.compile(r" {0,3}(```+|~~~+)")
_HEADING: Final = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*\Z")
_UNDERLINE: Final = re.compile(r" {0,3}(=+|-+)\s*\Z")
_RULE: Final = re.compile(r" {0,3}([-*_])(?:\s*\1){2,}\s*\Z")
_ITEM: Final = re.compile(r"(\s{0,20})([-*+]|\d{1,9}[.)])\s+(.*)")
_TABLE_RULE: Final = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)+\|?\s*\Z")
#: Markup inside a paragraph: code, picture or link, URL, strong, emphasis, an escaped character.
_MARK: Final = re.compile(
    r"`+(?P<code>[^`\n]{1,400})`+"
    r"|!?\[(?P<text>[^\[\]]{0,400})\]\((?P<url>[^()\s]{1,2000})(?:\s+\"[^\"]{0,200}\")?\)"
    r"|<(?P<address>(?:https?://|mailto:)[^<>\s]{1,2000})>"
    r"|(?P<strong>\*\*|__)(?=\S)(?P<loud>[^\n]{1,400}?)(?<=\S)(?P=strong)"
    r"|(?<!\w)(?P<mark>[*_])(?=[^\s*_])(?P<soft>[^*_\n]{1,400}?)(?<=\S)(?P=mark)(?!\w)"
    r"|(?P<plain>(?:\\[!-/:-@\[-`{-~])+)"
)


def read(text: str, shorten: bool) -> tuple[list[Draft], bool]:
    """Read a Markdown text into drafts; return them, and whether there was too much."""
    lines = glyphs.visible(text).replace("\r\n", "\n").split("\n", LINES_LIMIT)
    reader = _Reader([piece for line in lines[:LINES_LIMIT] for piece in _pieces(line)], shorten)
    return list(reader.drafts()), len(lines) > LINES_LIMIT


def _pieces(line: str) -> Iterator[str]:
    """Split a line that is longer than a block, between words if there are any."""
    while len(line) > BLOCK_LIMIT:
        end = line.rfind(" ", BLOCK_LIMIT // 2, BLOCK_LIMIT) + 1 or BLOCK_LIMIT
        yield line[:end]
        line = line[end:]
    yield line


class _Reader:
    """Reads the lines once; `_gathered` has those of an open paragraph or item."""

    def __init__(self, lines: list[str], shorten: bool) -> None:
        self._lines, self._shorten = lines, shorten
        self._gathered: list[str] = []
        self._size = 0
        self._draft = Draft(Kind.PARAGRAPH)

    def drafts(self) -> Iterator[Draft]:
        at, depth, listing = 0, 0, False
        while at < len(self._lines):
            line = self._lines[at]
            quote = _QUOTE.match(line[:200])
            now = quote.group(1).count(">") if quote else 0
            line = line[quote.end() :] if quote else line
            if now != depth and (quote or not self._gathered or not line.strip()):
                yield from self._end()
                depth = now
            taken = self._block(at, line, depth)
            if taken is not None:
                drafts, at = taken
                yield from self._end()
                yield from drafts
                continue
            at += 1
            item = _ITEM.match(line)
            if not line.strip() or item or self._size > BLOCK_LIMIT:
                yield from self._end()
                listing = listing and not (line[:1].strip() and not item)
            if item:
                listing = True
                marker = item.group(2) if item.group(2)[0].isdigit() else "•"
                indent = min(len(item.group(1).expandtabs(4)) // 2, 3)
                self._draft = Draft(Kind.ITEM, quote=depth, indent=indent, marker=marker)
                line = item.group(3)
            elif not self._gathered:
                self._draft = Draft(Kind.PARAGRAPH, quote=depth, indent=int(listing and line[:1].isspace()))
            if line.strip():
                self._gathered.append(line)
                self._size += len(line)
        yield from self._end()

    def _block(self, at: int, line: str, depth: int) -> tuple[list[Draft], int] | None:
        """Read a block that is not a paragraph: return its drafts, and the index of the next line."""
        fence = _FENCE.match(line)
        if fence:
            return self._code(at, fence.group(1), depth)
        heading = _HEADING.match(line[:BLOCK_LIMIT])
        if heading:
            return [
                Draft(Kind.HEADING, self._runs(heading.group(2)), depth, level=len(heading.group(1)))
            ], at + 1
        if len(self._gathered) == 1 and self._draft.kind is Kind.PARAGRAPH and _UNDERLINE.match(line):
            text = self._gathered.pop()
            level = 1 if "=" in line else 2
            return [Draft(Kind.HEADING, self._runs(text), depth, level=level)], at + 1
        if _RULE.match(line[:200]):
            return [Draft(Kind.RULE, quote=depth)], at + 1
        following = self._lines[at + 1] if at + 1 < len(self._lines) else ""
        if "|" in line and _TABLE_RULE.match(following[:BLOCK_LIMIT]):
            return self._table(at, depth)
        return None

    def _code(self, at: int, fence: str, depth: int) -> tuple[list[Draft], int]:
        end = at + 1
        while end < len(self._lines) and not self._lines[end].lstrip().startswith(fence):
            end += 1
        drafts: list[Draft] = []
        waiting: list[str] = []
        size = 0
        for line in [*self._lines[at + 1 : end], None]:
            if waiting and (line is None or size > BLOCK_LIMIT):
                drafts.append(Draft(Kind.PREFORMATTED, [Run("\n".join(waiting))], depth))
                waiting, size = [], 0
            if line is not None:
                waiting.append(line.expandtabs(4).rstrip()[:BLOCK_LIMIT])
                size += len(waiting[-1])
        return [draft for draft in drafts if draft.text.strip()], end + 1

    def _table(self, at: int, depth: int) -> tuple[list[Draft], int]:
        head = _cells(self._lines[at])
        rows: list[Draft] = []
        at += 2
        while at < len(self._lines) and "|" in self._lines[at]:
            cells = [(name, cell) for name, cell in zip(head, _cells(self._lines[at]), strict=False) if cell]
            said = " · ".join(f"{name}: {cell}" if name else cell for name, cell in cells)
            if said:
                rows.append(Draft(Kind.ROW, self._runs(said), depth))
            at += 1
        return rows, at

    def _end(self) -> Iterator[Draft]:
        gathered, self._gathered, self._size = self._gathered, [], 0
        if gathered:
            joined = "".join(
                f"{line.strip()}\n" if line.endswith(("  ", "\\")) else f"{line.strip()} "
                for line in gathered
            )
            self._draft.runs = self._runs(joined.replace("\\\n", "\n").strip())
            yield self._draft

    def _runs(self, text: str) -> list[Run]:
        runs: list[Run] = []
        done = 0
        for match in _MARK.finditer(text):
            marked = _marked(match)
            if marked is not None:
                runs += linked(text[done : match.start()], self._shorten)
                runs.append(marked)
                done = match.end()
        return [*runs, *linked(text[done:], self._shorten)]


def _marked(match: re.Match[str]) -> Run | None:
    """Return an inline element as a run; None if it is not one after all."""
    kind = match.lastgroup
    if kind == "code":
        return Run(match["code"], code=True)
    if kind == "plain":
        return Run(match["plain"][1::2])
    if kind in ("loud", "strong"):
        return Run(match["loud"], strong=True)
    if kind in ("soft", "mark"):
        return Run(match["soft"], emphasis=True)
    url = allowed(match["url"] or match["address"] or "")
    words = match["text"] or match["address"] or url
    return Run(words, link=url) if words and (url or match["text"]) else None


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip()[:BLOCK_LIMIT].strip("|").split("|")]
