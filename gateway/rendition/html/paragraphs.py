"""Paragraphs: stretches of text become drafts, with white space collapsed and lines broken.

Nothing here may know an element: what surrounds the text is a TextStyle. CSS 2.1 §16.6.1 (collapsing blanks).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple

from gateway.rendition import glyphs
from gateway.rendition.blocks import Kind, Run
from gateway.rendition.html import hard_breaks, list_numbers, picture_names
from gateway.rendition.html.styles import colours, symbols
from gateway.rendition.html.styles.style_sheets import Attributes
from gateway.rendition.links import urls
from gateway.rendition.segments import BLOCK_LIMIT, ReaderState, Role
from gateway.rendition.text.lines import pieces_of
from gateway.rendition.text.plain_text import TextReader
from gateway.rendition.unplaced import Draft, Face, runs_of

#: A longer "heading" is a paragraph in large letters, characters.
HEADING_LIMIT: Final = 200
#: What a preformatted text, which is read like a part of its own, costs, in blocks.
PREFORMATTED: Final = 3
#: From here on, scripts mostly have no blanks between words (CJK).
_NO_BLANKS: Final = "\u2e80"
#: One letter at the end, as where the first letter of a word is a link of its own.
_INITIAL: Final = re.compile(r"(?:^|\W)[^\W\d_a-z]\Z")
#: The last character of a paragraph after which spaces are dropped; '': there is none.
_BEGUN: Final = ("", " ", "\n")


class TextStyle(NamedTuple):
    """What surrounding elements mean for the text inside."""

    face: Face = Face()
    pre: bool = False
    line_ends: bool = False
    tiny: bool = False
    clear: bool = False
    symbols: bool = False
    colour: colours.Colour | None = None
    background: colours.Colour | None = colours.WHITE
    quote: int = 0
    indent: int = 0
    level: int = 0
    role: Role = Role.BODY

    def linked(self, url: str) -> TextStyle:
        """Return the same style inside a link."""
        strong, emphasis, code, _ = self.face
        return TextStyle(Face(strong, emphasis, code, url), *self[1:])  # twice as fast as _replace

    @property
    def unseen(self) -> bool:
        """Whether text is invisible: too small, transparent, or in the colour of its background."""
        if self.tiny or self.clear:
            return True
        return (
            self.colour is not None
            and self.background is not None
            and colours.alike(self.colour, self.background)
        )


class Paragraphs:
    """Gathers stretches of text under the current `look` into `drafts`.

    `all_of_it`: hidden text is taken too.
    """

    def __init__(self, shorten: bool, all_of_it: bool = False) -> None:
        self.drafts: list[Draft] = []
        #: Characters of text that were not read.
        self.passed_over = 0
        self.look = TextStyle()
        self.marker = ""
        self.lists: list[list_numbers.Counter] = []
        #: What preformatted texts cost beyond the blocks that they become, in blocks.
        self.extra = 0
        #: How many stretches there were that are not blank: this shows whether an element had any text.
        self.added = 0
        #: The attributes of a link that ended with nothing in it, until something follows.
        self.left_open: Attributes | None = None
        self._shorten = shorten
        self._all_of_it = all_of_it
        self._stretches: list[tuple[str, Face]] = []
        #: The indexes of those that are picture names.
        self._names: list[int] = []
        self._last = ""
        self._size = 0
        self._edge = False
        self._breaks = 0
        #: The indexes of blanks between two links that may be one word.
        self._between: list[int] = []

    def text(self, text: str) -> None:
        """Take text as it is in the source."""
        look = self.look
        if look.symbols and self._is_picture(text):
            return
        if text.isspace():
            if self._last in _BEGUN and not (look.pre or look.line_ends):
                return  # the indentation of the source: half of all texts
        elif look.unseen and not (self._all_of_it or self._on_other_ground()):
            self.passed_over += len(text)
            return
        text = glyphs.visible(text)
        if look.symbols:
            text = symbols.drawn(text)
        if look.pre:
            self._add(text)
        elif look.line_ends and "\n" in text:
            first, *rest = text.split("\n")
            self.words(first)
            for line in rest:
                self.line_break()
                self.words(line)
        else:
            self.words(text)

    def _is_picture(self, text: str) -> bool:
        """Return whether a text is the one glyph of an icon font that its link consists of: it is not read."""
        return False

    def _on_other_ground(self) -> bool:
        """Return whether text hidden by its colour is moved in front of a table, as browsers do with anything outside
        the cells (HTML §13.2.6.1)."""
        return False

    def touches_link(self) -> bool:
        """Return whether the next text would follow a link without a space."""
        return bool(self._stretches) and bool(self._stretches[-1][1].link) and self._last not in (" ", "\n")

    def between_links(self) -> None:
        """Put a blank between touching links, which padding usually keeps apart; it goes if they make one word."""
        if _INITIAL.search(self._stretches[-1][0]):
            self._between.append(len(self._stretches))
        self.blank()

    def edge(self) -> None:
        """Begin or end an inline box: words do not run together across its edge."""
        self._edge = True

    def _are_words(self, text: str) -> bool:
        """Return whether the next text and the one before it are words of their own, not letters of one word.

        Letters in boxes of one letter each make one word; so does text in a script without blanks.
        """
        pair = self._stretches[-1][0][-2:] if self._stretches else "", text[:2]
        if any(not one or one >= _NO_BLANKS for one in pair):
            return False
        left, right = pair[0][-1], pair[1][0]
        if not (left.isalnum() and right.isalnum()):
            return False
        return left.isdigit() != right.isdigit() or all(len(one) == 2 and one.isalnum() for one in pair)

    def blank(self) -> None:
        self._add(" ")

    def words(self, text: str) -> None:
        text = glyphs.collapse(text)
        while len(text) > BLOCK_LIMIT:
            end = text.rfind(" ", BLOCK_LIMIT // 2, BLOCK_LIMIT) + 1 or BLOCK_LIMIT
            self._words_of(text[:end])
            text = text[end:]
        self._words_of(text)

    def picture_name(self, name: str) -> None:
        """Take the name of a picture."""
        before = len(self._stretches)
        self.words(name)
        self._names += range(before, len(self._stretches))

    def _words_of(self, text: str) -> None:
        if text[:1] == " " and self._last in _BEGUN:
            text = text.lstrip(" ")
        if text and self._edge:
            self._edge = False
            if self._are_words(text):
                self.blank()
        if text:
            self._add(text)

    def _add(self, text: str) -> None:
        size = self._size + len(text)
        if size > BLOCK_LIMIT and (self._last in (" ", "\n") or self._size > BLOCK_LIMIT):
            self.flush()
            if not self.look.pre:
                text = text.lstrip(" ")
            size = len(text)
        if text:
            self._stretches.append((text, self.look.face))
            self._size = size
            self.added += not text.isspace()
            self._last = text[-1]

    def line_break(self) -> None:
        """End the line; the second time in a row, the paragraph."""
        if self.look.pre:
            self._add("\n")
        elif self._last == "\n":
            self.flush()
        elif self._last:
            self._breaks += 1
            self._add("\n")

    def flush(self) -> None:
        """Turn the text gathered so far into a draft."""
        if not self._stretches:
            return
        stretches, self._stretches = self._stretches, []
        names, self._names = self._names, []
        breaks, self._breaks = self._breaks, 0
        if self._between:
            self._join_links(stretches)
        self._last, self._size = "", 0
        look = self.look
        only_names = False
        if names:
            said = sum([not text.isspace() for text, _face in stretches])
            only_names = len(names) == said
            if said > 1:
                stretches = picture_names.once(stretches, names)
        runs = runs_of(stretches)
        if not runs:
            return
        if look.pre:
            self._preformatted(look, runs)
            return
        if breaks >= hard_breaks.BREAKS:
            runs = hard_breaks.joined(runs)
        runs = self._all_linked(runs)
        draft = self._draft(look, [_tidy(run) for run in runs])
        draft.names = only_names
        if self.drafts and (only_names or self.drafts[-1].names):
            picture_names.settle(self.drafts, draft)
        self.drafts.append(draft)

    def _join_links(self, stretches: list[tuple[str, Face]]) -> None:
        """Remove the blank between two links where a small letter follows it: they are one word."""
        between, self._between = self._between, []
        for index in between:
            following, face = stretches[index + 1] if index + 1 < len(stretches) else ("", None)
            if face is not None and following[:1].islower():
                stretches[index] = "", face

    def _all_linked(self, runs: list[Run]) -> list[Run]:
        if len(runs) == 1:
            return [*self._linked(runs[0], None)]
        return [piece for pair in zip(runs, [*runs[1:], None], strict=True) for piece in self._linked(*pair)]

    def _linked(self, run: Run, following: Run | None) -> Iterable[Run]:
        """Shorten the URL that is the text of a link, or link the URLs and mail addresses in a text."""
        if run.link:
            return (_short(run),) if self._shorten else (run,)
        if not urls.may_be_in(run.text):
            return (run,)
        pieces = [
            replace(run, text=piece.text, link=piece.link) for piece in urls.linked(run.text, self._shorten)
        ]
        goes_on = following is not None and following.text[:1].isalnum() and bool(pieces[-1].link)
        return (run,) if goes_on else pieces

    def _draft(self, look: TextStyle, runs: list[Run]) -> Draft:
        kind, level = Kind.PARAGRAPH, 0
        if self.marker:
            kind = Kind.ITEM
        elif look.level and sum([len(run.text) for run in runs]) <= HEADING_LIMIT:
            kind, level = Kind.HEADING, look.level
        indent = look.indent - 1 if kind is Kind.ITEM and look.indent else look.indent
        draft = Draft(kind, runs, look.quote, indent, level, self.marker, role=look.role)
        if self.marker and self.lists:
            self.lists[-1].numbered.append(draft)
        self.marker = ""
        return draft

    def _preformatted(self, look: TextStyle, runs: list[Run]) -> None:
        """Read preformatted text like a plain-text part, unless it has links or code."""
        if any(run.link or run.code for run in runs):
            self.drafts.append(Draft(Kind.PREFORMATTED, runs, look.quote, look.indent, role=look.role))
            return
        self.extra += PREFORMATTED
        text = "".join(run.text for run in runs) + "\n"
        for segment in TextReader(pieces_of(text), "", ReaderState(), self._shorten, reply=False).segments():
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
    short = urls.shown(text)
    return run if short == text else replace(run, text=run.text.replace(text, short))


def _tidy(run: Run) -> Run:
    """Remove spaces before line ends, and joiners, across stretches that were collapsed one by one."""
    text = glyphs.unpadded(run.text)
    if " \n" in text:
        text = text.replace(" \n", "\n")
    return run if text == run.text else replace(run, text=text)
