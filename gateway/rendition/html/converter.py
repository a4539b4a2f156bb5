"""HTML to drafts, in one pass over the parser's events, however broken the markup.

Nothing here may fetch, and none of the sender's markup passes: the output is text in blocks of our own kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby, pairwise
from typing import Final

from gateway.rendition import glyphs
from gateway.rendition.blocks import Kind
from gateway.rendition.html import meanings, page_source, picture_links, picture_names
from gateway.rendition.html.elements import TAGS, Close, Tag
from gateway.rendition.html.embedded import is_drawn
from gateway.rendition.html.html_parser import STRETCH, parse
from gateway.rendition.html.page_structure import Structure
from gateway.rendition.html.paragraphs import TextStyle
from gateway.rendition.html.styles import colours, css
from gateway.rendition.html.styles.style_sheets import NOTHING, Attributes, Sheets
from gateway.rendition.segments import Role
from gateway.rendition.unplaced import Draft

#: The most blocks and table cells in one part: each costs some 20 µs, and nobody writes that many.
BLOCKS_LIMIT: Final = 20_000
#: The most elements in one part, hidden ones aside: each costs some 5 µs, and large newsletters have a tenth of this.
ELEMENTS_LIMIT: Final = 60_000
#: Kinds of elements whose meaning is remembered: a newsletter has some twenty.
MEANINGS_LIMIT: Final = 2000
#: The sign between two parts of a formula that are written one above the other.
_PAIRS: Final = {"mfrac": "/", "msup": "^", "msub": "_"}

#: Before these the parser ends an open link.
_ENDS_LINKS: Final = frozenset({"table", "fieldset"})
#: Faster than the parser's own empty mapping.
_NO_ATTRIBUTES: Final[Attributes] = {}


class HtmlReader(Structure):
    """The parser target: gathers drafts."""

    def __init__(
        self,
        shorten: bool,
        reply: bool,
        pictures: Mapping[str, str],
        all_of_it: bool = False,
        picture: str = picture_links.PICTURE,
    ) -> None:
        super().__init__(shorten, reply, pictures, all_of_it)
        self._picture_word = picture
        #: Whether the rest is being left out.
        self.full = False
        self._elements = 0
        #: For each open element: the style outside it, and what its end tag does.
        self._opened: list[tuple[TextStyle, Close | None]] = []
        self._hidden = 0
        self._staying = False
        self._sheet: list[str] | None = None
        self._sheets = Sheets()
        #: What the elements so far mean, by all that this depends on: mostly the same question is asked again.
        self._meanings: dict[tuple[object, ...], meanings.Meaning] = {}
        #: For each open pair of a formula: its depth, how many parts have begun, and the sign between them.
        self._pairs: list[tuple[int, int, str]] = []

    # The parser's events

    def start(self, name: str, attributes: Attributes) -> None:
        if self._hidden or self.full or len(self.drafts) + self.extra > BLOCKS_LIMIT:
            self._pass_over(name)
            return
        self._elements += 1
        self.full = self._elements > ELEMENTS_LIMIT
        tag, opens = _ELEMENTS.get(name, _UNKNOWN)
        if opens is None:
            self._hidden = 1
            self._sheet = [] if tag is Tag.STYLE else None
            return
        before = self.look
        meaning = (
            self._meaning(name, tag, attributes) if attributes or self._sheets.some else meanings.NOTHING
        )
        style = meaning.style
        if style.covered and before.face.link and is_drawn(style):
            self._picture = self._picture or ""
        if meaning.hidden and not self._all_of_it:
            self._hidden = 1
            return
        if self._pairs:
            self._between_pair()
        if style.apart:
            self.edge()
        around = self._link_around(name) if self.left_open is not None else None
        close = opens(self, name, attributes or _NO_ATTRIBUTES, style)
        if around is not None:
            close = _both(close, around)
        self._opened.append((before, self._apart(close) if style.apart else close))
        if (meaning.changes or meaning.faces) and name != "img":  # nothing is inside a picture
            self.look = meaning.inside(self.look)

    def _pass_over(self, name: str) -> None:
        """Count an element in hidden text, or stop at one beyond the limit."""
        if self.full or len(self.drafts) + self.extra > BLOCKS_LIMIT:
            self.full = True
        else:
            self._hidden += 1
            self.passed_over += len(name) + len(name) + len("<></>")

    def _link_around(self, name: str) -> Close | None:
        """Reopen the link that the parser has ended, as it does before a table, unlike browsers; return its end."""
        attributes, self.left_open = self.left_open, None
        if attributes is None or name not in _ENDS_LINKS:
            return None
        return self._open_link("a", attributes, css.NOTHING)

    def _meaning(self, name: str, tag: Tag, attributes: Attributes) -> meanings.Meaning:
        """Return what an element means, read once for all that are alike."""
        sheets = self._sheets.some
        key = (
            name,
            attributes.get("style"),
            attributes.get("bgcolor"),
            attributes["class"] if sheets and "class" in attributes else None,
            attributes["id"] if sheets and "id" in attributes else None,
            "background" in attributes,
            "hidden" in attributes,
        )
        known = self._meanings.get(key)
        if known is None:
            if len(self._meanings) > MEANINGS_LIMIT:
                self._meanings.clear()
            rules = self._sheets.of(name, attributes) if sheets else NOTHING
            known = self._meanings[key] = meanings.read(tag, attributes, rules)
        return known

    def end(self, name: str) -> None:
        if self.full or self._staying:
            return
        if self._hidden:
            self._hidden -= 1
            if self._hidden == 0 and self._sheet is not None:
                self._take_sheet("".join(self._sheet))
                self._sheet = None
            return
        if not self._opened:
            return
        look, close = self._opened.pop()
        if close is not None:
            close()
        self.look = look

    def data(self, text: str) -> None:
        self.left_open = None
        if self.full:
            return
        if self._hidden:
            self.passed_over += len(text)
            if self._sheet is not None:
                self._sheet.append(text)
            return
        self.text(text)

    def comment(self, text: str) -> None:
        """Skip comments, conditional ones with their content."""
        self.passed_over += len(text)

    def pi(self, target: str, text: str | None = None) -> None:
        """Skip processing instructions."""

    def close(self) -> None:
        """Do nothing: reading may continue with another parser."""

    # What `html_parser` asks of its target

    @property
    def depth(self) -> int:
        return 0 if self._hidden == 1 else len(self._opened) + self._hidden

    @contextmanager
    def staying(self) -> Iterator[None]:
        self._staying = True
        yield
        self._staying = False
        self._hidden, self._sheet = 0, None

    def finish(self) -> None:
        """Turn what remains into drafts."""
        self.flush()
        while self._tables:
            self._close_table()
        self.drafts = [draft for draft in self.drafts if not draft.gone]
        self.drafts = picture_names.without_repeated(self.drafts)
        _let_in(self.drafts, self.margins)
        if self._nameless:
            self.drafts = picture_links.settle(self.drafts, self._nameless, self._picture_word)

    # Elements

    def _take_sheet(self, sheet: str) -> None:
        grounded = self._sheets.grounded
        self._sheets.take(sheet)
        self._meanings.clear()
        if self._sheets.grounded and not grounded:  # the background of the open elements is no longer white
            self.look = _off_white(self.look)
            self._opened = [(_off_white(look), close) for look, close in self._opened]

    def _apart(self, close: Close | None) -> Close:
        def closed() -> None:
            if close is not None:
                close()
            self.edge()

        return closed

    def _between_pair(self) -> None:
        depth, begun, sign = self._pairs[-1]
        if depth == len(self._opened):
            self._pairs[-1] = depth, begun + 1, sign
            if begun == 1:
                self.words(sign)

    def _open_pair(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self._pairs.append((len(self._opened) + 1, 0, _PAIRS[name]))

        def close() -> None:
            self._pairs.pop()

        return close


def _both(first: Close | None, second: Close) -> Close:
    def closed() -> None:
        if first is not None:
            first()
        second()

    return closed


OpenElement = Callable[[HtmlReader, str, Attributes, css.Style], Close | None]

_OPEN: Final[dict[Tag, OpenElement]] = {
    Tag.INLINE: Structure._open_inline,
    Tag.BLOCK: Structure._open_block,
    Tag.HEADING: Structure._open_heading,
    Tag.LIST: Structure._open_list,
    Tag.ITEM: Structure._open_item,
    Tag.QUOTE: Structure._open_quote,
    Tag.PRE: Structure._open_pre,
    Tag.STRONG: Structure._open_strong,
    Tag.EMPHASIS: Structure._open_emphasis,
    Tag.CODE: Structure._open_code,
    Tag.LINK: Structure._open_link,
    Tag.PICTURE: Structure._open_picture,
    Tag.BREAK: Structure._open_break,
    Tag.RULE: Structure._open_rule,
    Tag.TABLE: Structure._open_table,
    Tag.ROW: Structure._open_row,
    Tag.CELL: Structure._open_cell,
    Tag.INDENTED: Structure._open_indented,
    Tag.FONT: Structure._open_font,
    Tag.CONTROL: Structure._open_control,
    Tag.FORM: Structure._open_form,
    Tag.BASE: Structure._open_base,
    Tag.TEXTAREA: Structure._open_textarea,
    Tag.AREA: Structure._open_area,
    Tag.PAIR: HtmlReader._open_pair,
}
#: What the reader does at each element, None for one whose content is not read.
_ELEMENTS: Final = {name: (tag, _OPEN.get(tag)) for name, tag in TAGS.items()}
_UNKNOWN: Final = (Tag.INLINE, _OPEN[Tag.INLINE])


def _let_in(drafts: list[Draft], margins: bool) -> None:
    """Unwrap paragraphs that a blockquote only gives a margin: lists, and all of a letter that has most of its text in
    blockquotes, or some of them side by side (`margins`).
    """
    if not [draft for draft in drafts if draft.quote]:
        return
    own = [draft for draft in drafts if draft.role is not Role.QUOTE]
    for is_quoted, stretch in groupby(own, lambda draft: draft.quote > 0):
        inside = list(stretch)
        if is_quoted and all(draft.kind is Kind.ITEM for draft in inside):
            _leave(inside)
    quoted = [draft for draft in own if draft.quote]
    if margins:
        _leave(quoted)
    if any(above.quote < below.quote and above.text.rstrip().endswith(":") for above, below in pairwise(own)):
        return
    if 2 * sum(len(draft.text) for draft in quoted) > sum(len(draft.text) for draft in own):
        _leave(quoted)


def _leave(quoted: list[Draft]) -> None:
    for draft in quoted:
        draft.quote = 0


def _off_white(look: TextStyle) -> TextStyle:
    return look._replace(background=None) if look.background == colours.WHITE else look


#: Returns more of a part's text, about this many characters; "" at its end.
More = Callable[[int], str]


def _no_more(_characters: int) -> str:
    return ""


def read(
    html: str,
    shorten: bool,
    reply: bool,
    pictures: Mapping[str, str],
    more: More = _no_more,
    all_of_it: bool = False,
    picture: str = picture_links.PICTURE,
) -> tuple[list[Draft], bool]:
    """Read an HTML part into drafts; return them, and whether there were too many.

    `pictures`: the sections of the pictures to show, by Content-ID. `more` is called to replace text that is not for
    reading. `all_of_it`: hidden text is read, too. `picture`: the name for a picture about which nothing is known.
    """
    reader = HtmlReader(shorten, reply, pictures, all_of_it, picture)
    reader.look = TextStyle(background=page_source.ground(html))

    def source() -> Iterator[bytes]:
        text, asked, inside = html, 0, False
        while text:
            shown = (
                glyphs.visible(page_source.put_right(text, all_of_it))
                .replace("\x0b", " ")
                .replace("\x0c", " ")
            )
            yield shown.encode("utf-8", "replace")
            opened, closed = text.rfind("<!--"), text.rfind("-->")
            inside = opened > closed if opened != closed else inside
            unseen = len(text) - max(opened, 0) if inside else 0  # a comment is reported only at its end
            wanted = max(reader.passed_over - asked, 0) + unseen
            bite = max(wanted, STRETCH) if wanted else 0
            asked += bite - unseen
            text = more(bite) if bite else ""

    parse(source(), reader)
    reader.finish()
    return reader.drafts, reader.full
