"""Paragraphs: text that comes in stretches becomes drafts, with blanks collapsed and lines ended.

Nothing here may know an element: what surrounds the text is a Look. CSS 2.1 §16.6.1 (collapsing blanks).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from gateway.rendition import css, glyphs, links, lists
from gateway.rendition.blocks import Kind, Run
from gateway.rendition.drafts import Draft, Face, merged, stripped
from gateway.rendition.lines import pieces_of
from gateway.rendition.segments import BLOCK_LIMIT, Role, State
from gateway.rendition.text import TextReader

#: A "heading" of more characters is a paragraph in large type.
HEADING_LIMIT: Final = 200


class Look(NamedTuple):
    """What surrounding elements mean for the text inside."""

    face: Face = Face()
    pre: bool = False
    line_ends: bool = False
    tiny: bool = False
    colour: css.Colour | None = None
    background: css.Colour | None = css.WHITE
    quote: int = 0
    indent: int = 0
    level: int = 0
    role: Role = Role.BODY

    @property
    def unseen(self) -> bool:
        """Whether text cannot be seen: too small, or of the colour of what is behind it."""
        if self.tiny:
            return True
        return (
            self.colour is not None
            and self.background is not None
            and css.alike(self.colour, self.background)
        )


class Paragraphs:
    """Gathers stretches of text under the current `look` into `drafts`."""

    def __init__(self, shorten: bool) -> None:
        self.drafts: list[Draft] = []
        self.look = Look()
        self.marker = ""
        self.lists: list[lists.Counter] = []
        #: How many stretches there were: tells whether an element had any text.
        self.added = 0
        self._shorten = shorten
        self._stretches: list[tuple[str, Face]] = []
        self._last = ""
        self._size = 0

    def text(self, text: str) -> None:
        """Take in text as it stands in the source."""
        if self.look.unseen:
            return
        text = glyphs.visible(text)
        if self.look.pre:
            self._add(text)
        elif self.look.line_ends and "\n" in text:
            first, *rest = text.split("\n")
            self.words(first)
            for line in rest:
                self.line_break()
                self.words(line)
        else:
            self.words(text)

    def touches_link(self) -> bool:
        """Say whether the next text would follow a link without a blank."""
        return bool(self._stretches) and bool(self._stretches[-1][1].link) and self._last not in (" ", "\n")

    def blank(self) -> None:
        self._add(" ")

    def words(self, text: str) -> None:
        text = glyphs.collapse(text)
        while len(text) > BLOCK_LIMIT:
            end = text.rfind(" ", BLOCK_LIMIT // 2, BLOCK_LIMIT) + 1 or BLOCK_LIMIT
            self._words_of(text[:end])
            text = text[end:]
        self._words_of(text)

    def _words_of(self, text: str) -> None:
        if self._last in ("", " ", "\n"):
            text = text.lstrip(" ")
        if text:
            self._add(text)

    def _add(self, text: str) -> None:
        if self._size + len(text) > BLOCK_LIMIT and (self._last in (" ", "\n") or self._size > BLOCK_LIMIT):
            self.flush()
            if not self.look.pre:
                text = text.lstrip(" ")
        if text:
            self._stretches.append((text, self.look.face))
            self._size += len(text)
            self.added += 1
            self._last = text[-1]

    def line_break(self) -> None:
        """End the line; a second time, the paragraph."""
        if self.look.pre:
            self._add("\n")
        elif self._last == "\n":
            self.flush()
        elif self._last:
            self._add("\n")

    def flush(self) -> None:
        """Make a draft of the text gathered so far."""
        stretches, self._stretches = self._stretches, []
        self._last, self._size = "", 0
        if not stretches:
            return
        look = self.look
        runs = stripped(merged(stretches))
        if not runs:
            return
        if look.pre:
            self._preformatted(look, runs)
            return
        if self._shorten:
            runs = [_short(run) if run.link else run for run in runs]
        self.drafts.append(self._draft(look, [_tidy(run) for run in runs]))

    def _draft(self, look: Look, runs: list[Run]) -> Draft:
        kind, level = Kind.PARAGRAPH, 0
        if self.marker:
            kind = Kind.ITEM
        elif look.level and sum(len(run.text) for run in runs) <= HEADING_LIMIT:
            kind, level = Kind.HEADING, look.level
        indent = look.indent - 1 if kind is Kind.ITEM and look.indent else look.indent
        draft = Draft(kind, runs, look.quote, indent, level, self.marker, role=look.role)
        if self.marker and self.lists:
            self.lists[-1].numbered.append(draft)
        self.marker = ""
        return draft

    def _preformatted(self, look: Look, runs: list[Run]) -> None:
        """Read preformatted text as plain text is read, unless there is more than plain text in it."""
        if any(run.link or run.code for run in runs):
            self.drafts.append(Draft(Kind.PREFORMATTED, runs, look.quote, look.indent, role=look.role))
            return
        text = "".join(run.text for run in runs) + "\n"
        for segment in TextReader(pieces_of(text), "", State(), self._shorten, reply=False).segments():
            block = segment.block
            role = segment.role if look.role is Role.BODY else look.role
            self.drafts.append(
                Draft(
                    block.kind,
                    list(block.runs),
                    look.quote + block.quote,
                    look.indent + block.indent,
                    marker=block.marker,
                    role=role,
                )
            )


def _short(run: Run) -> Run:
    text = run.text.strip()
    short = links.shown(text)
    return run if short == text else replace(run, text=run.text.replace(text, short))


def _tidy(run: Run) -> Run:
    """Take off the blanks before line ends that collapsing could not see."""
    return replace(run, text=run.text.replace(" \n", "\n")) if " \n" in run.text else run
