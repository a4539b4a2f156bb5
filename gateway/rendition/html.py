"""HTML to drafts, in one pass over the events of libxml2's parser, whatever the tags do.

Nothing here may build a tree: text below depth 255 of one is silently lost, and 100,000 attributes take minutes.
Nothing here may fetch, and no markup of the sender passes: what comes out is text in blocks of our own kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from lxml import etree

from gateway.rendition import css, glyphs, links, lists
from gateway.rendition.blocks import Kind, Run
from gateway.rendition.drafts import Draft, Face
from gateway.rendition.html_tags import (
    QUOTE_CLASSES,
    QUOTE_IDS,
    SIGNATURE_CLASSES,
    SIGNATURE_IDS,
    TAGS,
    Tag,
)
from gateway.rendition.paragraphs import Look, Paragraphs
from gateway.rendition.segments import Role
from gateway.rendition.sheets import Sheets
from gateway.rendition.tables import SPAN_LIMIT, Cell, Table, finish

#: Deeper quotation and indentation cannot be shown anyway.
DEPTH_LIMIT: Final = 6
#: Blocks, and cells of tables, of one part at most: each costs some 20 µs, and nobody writes so many.
BLOCKS_LIMIT: Final = 20_000
#: A picture of at most so many pixels in one direction is there to count or to make room.
PIXEL: Final = 3
#: Names of pictures that say nothing.
_NOTHING_ALT: Final = frozenset(
    {"", "spacer", "blank", "pixel", "image", "img", "logo.png", "picture", "divider", "*"}
)

Attributes = Mapping[str, str]
Close = Callable[[], None]


class HtmlReader(Paragraphs):
    """The target of the parser: gathers drafts."""

    def __init__(self, shorten: bool, reply: bool, pictures: Mapping[str, str]) -> None:
        super().__init__(shorten)
        #: Whether what follows is left out.
        self.full = False
        self._reply = reply
        self._pictures = pictures
        self._stack: list[tuple[Look, Close | None]] = []
        self._hidden = 0
        self._sheet: list[str] | None = None
        self._sheets = Sheets()
        self._tables: list[Table] = []
        self._said_host = ""

    # The parser's events

    def start(self, name: str, attributes: Attributes) -> None:
        self.full = self.full or len(self.drafts) > BLOCKS_LIMIT
        if self.full:
            return
        if self._hidden:
            self._hidden += 1
            return
        tag = TAGS.get(name, Tag.INLINE)
        if tag is Tag.DROP or tag is Tag.STYLE:
            self._hidden = 1
            self._sheet = [] if tag is Tag.STYLE else None
            return
        before = self.look
        style = css.NOTHING
        if attributes:
            declared = attributes.get("style")
            if declared:
                style = css.read(declared[: css.STYLE_LIMIT].lower())
            if style.hidden or "hidden" in attributes or self._sheets.hides(attributes, style):
                self._hidden = 1
                return
        close = _OPEN[tag](self, name, attributes, style)
        if attributes:
            self.look = self._seen(self.look, attributes, style)
        self._stack.append((before, close))

    def end(self, name: str) -> None:
        if self.full:
            return
        if self._hidden:
            self._hidden -= 1
            if self._hidden == 0 and self._sheet is not None:
                self._take_sheet("".join(self._sheet))
                self._sheet = None
            return
        if not self._stack:
            return
        look, close = self._stack.pop()
        if close is not None:
            close()
        self.look = look

    def data(self, text: str) -> None:
        if self.full:
            return
        if self._hidden:
            if self._sheet is not None:
                self._sheet.append(text)
            return
        self.text(text)

    def comment(self, text: str) -> None:
        """Comments are not shown, nor is what stands in conditional ones."""

    def pi(self, target: str, text: str | None = None) -> None:
        """Processing instructions are not shown."""

    def close(self) -> None:
        self.flush()
        while self._tables:
            self._close_table()

    # Elements

    def _seen(self, look: Look, attributes: Attributes, style: css.Style) -> Look:
        """Say what an element's attributes change about what is seen of its text."""
        changes: dict[str, object] = {}
        if self._sheets.coloured and ("class" in attributes or "id" in attributes):
            changes["colour"] = changes["background"] = None
        tiny = self._sheets.tiny(attributes)
        if tiny is not None:
            changes["tiny"] = tiny
        if style is not css.NOTHING:
            if style.tiny is not None:
                changes["tiny"] = style.tiny
            if style.colour is not None or style.clear:
                changes["colour"] = style.colour
            if style.keep_blanks is not None:
                changes["line_ends"] = style.keep_blanks
            if style.strong is not None or style.emphasis is not None:
                face = look.face
                changes["face"] = face._replace(
                    strong=face.strong if style.strong is None else style.strong,
                    emphasis=face.emphasis if style.emphasis is None else style.emphasis,
                )
        colour = attributes.get("bgcolor")
        if colour:
            changes["background"] = css.colour(colour)
        if style.background is not None or style.covered or "background" in attributes:
            changes["background"] = style.background
        return look._replace(**changes) if changes else look  # type: ignore[arg-type]

    def _take_sheet(self, sheet: str) -> None:
        self._sheets.take(sheet)
        if self._sheets.coloured and self.look.background == css.WHITE:
            self.look = self.look._replace(background=None)

    def _open_inline(self, name: str, attributes: Attributes, style: css.Style) -> Close | None:
        role = self._role(attributes)
        if style.block or role is not None:
            return self._open_block(name, attributes, style)
        return None

    def _role(self, attributes: Attributes) -> Role | None:
        """Say whether an element's class or id names it a quotation or a signature of a mail program."""
        if "class" not in attributes and "id" not in attributes:
            return None
        classes = attributes.get("class", "")[:400].lower().split()
        identity = attributes.get("id", "")[:100].lower()
        if not QUOTE_CLASSES.isdisjoint(classes) or identity.startswith(QUOTE_IDS):
            return Role.QUOTE
        if not SIGNATURE_CLASSES.isdisjoint(classes) or identity in SIGNATURE_IDS:
            return Role.SIGNATURE
        return None

    def _open_block(self, name: str, attributes: Attributes, style: css.Style) -> Close | None:
        self.flush()
        if attributes:
            role = self._role(attributes)
            if role is Role.QUOTE or (style.left_bar and self._reply and name == "div"):
                self._quoted(Role.QUOTE)
            elif role is Role.SIGNATURE and self.look.role is Role.BODY:
                self.look = self.look._replace(role=role)
        return self.flush

    def _quoted(self, role: Role) -> None:
        look = self.look
        self.look = look._replace(quote=min(look.quote + 1, DEPTH_LIMIT), role=role)

    def _open_quote(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        classes = attributes.get("class", "").lower()
        cites = attributes.get("type", "").lower() == "cite" or "quote" in classes
        if cites or self._reply:
            self._quoted(Role.QUOTE)
        elif "border:none" in attributes.get("style", "").replace(" ", "").lower():
            self._indented()  # QUIRK: Gmail and Outlook indent by a blockquote without a border
        else:
            self._quoted(self.look.role)
        return self.flush

    def _indented(self) -> None:
        look = self.look
        self.look = look._replace(indent=min(look.indent + 1, DEPTH_LIMIT))

    def _open_indented(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        self._indented()
        return self.flush

    def _open_heading(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        self.look = self.look._replace(level=int(name[1]))
        return self.flush

    def _open_pre(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        self.look = self.look._replace(pre=True)
        return self.flush

    def _open_list(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        self.lists.append(lists.Counter.of(name, attributes))
        self._indented()
        return self._close_list

    def _close_list(self) -> None:
        self.flush()
        self.marker = ""
        self.lists.pop().finish()

    def _open_item(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        self.marker = self.lists[-1].next(attributes) if self.lists else lists.BULLET
        return self._close_item

    def _close_item(self) -> None:
        self.flush()
        self.marker = ""

    def _face(self, face: Face) -> None:
        self.look = self.look._replace(face=face)

    def _open_strong(self, name: str, attributes: Attributes, style: css.Style) -> None:
        self._face(self.look.face._replace(strong=True))

    def _open_emphasis(self, name: str, attributes: Attributes, style: css.Style) -> None:
        self._face(self.look.face._replace(emphasis=True))

    def _open_code(self, name: str, attributes: Attributes, style: css.Style) -> None:
        self._face(self.look.face._replace(code=True))

    def _open_font(self, name: str, attributes: Attributes, style: css.Style) -> None:
        colour = css.colour(attributes.get("color", "")) if attributes else None
        if colour is not None:
            self.look = self.look._replace(colour=colour)

    def _open_link(self, name: str, attributes: Attributes, style: css.Style) -> Close | None:
        url = links.allowed(attributes.get("href", ""))
        if style.block:
            self.flush()
        if not url:
            return self.flush if style.block else None
        if self.touches_link():
            self.blank()  # links that touch are kept apart by padding, mostly
        self.look = self.look._replace(face=self.look.face._replace(link=url))
        added, drafts, block = self.added, len(self.drafts), style.block

        def close() -> None:
            if self.added == added and len(self.drafts) == drafts and self._saw_picture:
                self._say_host(url)
            if block:
                self.flush()

        self._saw_picture = False
        return close

    _saw_picture = False

    def _say_host(self, url: str) -> None:
        """Give a link that is only a picture without words its host as text."""
        name = links.host(url) or url.partition(":")[2]
        if name != self._said_host and not self.look.unseen:
            self.words(f"{name} ")
        self._said_host = name

    def _open_picture(self, name: str, attributes: Attributes, style: css.Style) -> None:
        width = style.width if style.width is not None else css.number(attributes.get("width", ""))
        height = style.height if style.height is not None else css.number(attributes.get("height", ""))
        if "%" in attributes.get("width", ""):
            width = None
        if (width is not None and width <= PIXEL) or (height is not None and height <= PIXEL):
            return
        alternative = glyphs.collapse(glyphs.visible(attributes.get("alt") or "")).strip(glyphs.EDGES)
        source = attributes.get("src", "")
        self._saw_picture = "spacer" not in source.lower()
        section = self._pictures.get(source[4:].strip()) if source[:4].lower() == "cid:" else None
        if section is not None and (width is None or width > 2 * PIXEL):
            self.flush()
            look, link = self.look, self.look.face.link
            words = [Run(alternative, link=link)] if alternative else []
            self.drafts.append(
                Draft(Kind.PICTURE, words, look.quote, look.indent, target=section, role=look.role)
            )
        elif alternative.lower() not in _NOTHING_ALT:
            self.words(f" {alternative} ")

    def _open_control(self, name: str, attributes: Attributes, style: css.Style) -> None:
        if attributes.get("type", "").lower() == "checkbox":  # of a list of tasks
            self.words("[x] " if "checked" in attributes else "[ ] ")

    def _open_break(self, name: str, attributes: Attributes, style: css.Style) -> None:
        self.line_break()

    def _open_rule(self, name: str, attributes: Attributes, style: css.Style) -> None:
        self.flush()
        look = self.look
        self.drafts.append(Draft(Kind.RULE, [], look.quote, look.indent, role=look.role))

    def _open_table(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        if self._tables:
            self._tables[-1].nested = True
        role = attributes.get("role", "").lower()
        self._tables.append(Table(len(self.drafts), layout=role in ("presentation", "none")))
        return self._close_table

    def _close_table(self) -> None:
        self.flush()
        finish(self._tables.pop(), self.drafts)

    def _open_row(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        if self._tables:
            self._tables[-1].row()
        return self.flush

    def _open_cell(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        if not self._tables:
            return self.flush
        columns = min(max(css.number(attributes.get("colspan", "")) or 1, 1), SPAN_LIMIT)
        rows = min(max(css.number(attributes.get("rowspan", "")) or 1, 1), SPAN_LIMIT)
        cell = Cell(len(self.drafts), name == "th", columns, rows, end=len(self.drafts))
        self._tables[-1].cell(cell)

        def close() -> None:
            self.flush()
            cell.end = len(self.drafts)

        return close


Open = Callable[[HtmlReader, str, Attributes, css.Style], Close | None]

_OPEN: Final[dict[Tag, Open]] = {
    Tag.INLINE: HtmlReader._open_inline,
    Tag.BLOCK: HtmlReader._open_block,
    Tag.HEADING: HtmlReader._open_heading,
    Tag.LIST: HtmlReader._open_list,
    Tag.ITEM: HtmlReader._open_item,
    Tag.QUOTE: HtmlReader._open_quote,
    Tag.PRE: HtmlReader._open_pre,
    Tag.STRONG: HtmlReader._open_strong,
    Tag.EMPHASIS: HtmlReader._open_emphasis,
    Tag.CODE: HtmlReader._open_code,
    Tag.LINK: HtmlReader._open_link,
    Tag.PICTURE: HtmlReader._open_picture,
    Tag.BREAK: HtmlReader._open_break,
    Tag.RULE: HtmlReader._open_rule,
    Tag.TABLE: HtmlReader._open_table,
    Tag.ROW: HtmlReader._open_row,
    Tag.CELL: HtmlReader._open_cell,
    Tag.INDENTED: HtmlReader._open_indented,
    Tag.FONT: HtmlReader._open_font,
    Tag.CONTROL: HtmlReader._open_control,
}


def read(html: str, shorten: bool, reply: bool, pictures: Mapping[str, str]) -> tuple[list[Draft], bool]:
    """Read an HTML part into drafts, and say whether there were too many.

    `pictures`: sections by Content-ID, of those that are to be shown.
    """
    reader = HtmlReader(shorten, reply, pictures)
    source = glyphs.visible(html).replace("\x0b", " ").replace("\x0c", " ").encode("utf-8", "replace")
    parser = etree.HTMLParser(target=reader, encoding="utf-8", huge_tree=True)
    try:
        etree.fromstring(source, parser)
    except etree.LxmlError:  # what could be read has been read: an empty document is an "error", too
        pass
    reader.close()
    return reader.drafts, reader.full
