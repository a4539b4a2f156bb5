"""HTML to drafts, in one pass over the parser's events, however broken the markup.

Nothing here may fetch, and none of the sender's markup passes: the output is text in blocks of our own kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from gateway.rendition import glyphs
from gateway.rendition.blocks import Kind
from gateway.rendition.html import colours, css, lengths, list_numbers, page_source, picture_links, symbols
from gateway.rendition.html.elements import (
    QUOTE_CLASSES,
    QUOTE_IDS,
    SIGNATURE_CLASSES,
    SIGNATURE_IDS,
    TAGS,
    Attributes,
    Close,
    Tag,
)
from gateway.rendition.html.embedded import Embedded, named
from gateway.rendition.html.html_parser import parse
from gateway.rendition.html.paragraphs import TextStyle
from gateway.rendition.html.style_sheets import NOTHING, Said, Sheets
from gateway.rendition.html.tables import SPAN_LIMIT, Cell, Table, finish
from gateway.rendition.links import urls
from gateway.rendition.segments import Role
from gateway.rendition.unplaced import Draft

#: Deeper quotation and indentation cannot be displayed anyway.
DEPTH_LIMIT: Final = 6
#: Most blocks and table cells in one part: each costs some 20 µs, and nobody writes so many.
BLOCKS_LIMIT: Final = 20_000
#: Elements that form a box: what the box clips cannot be seen.
_BOXES: Final = frozenset(
    {Tag.BLOCK, Tag.FORM, Tag.HEADING, Tag.LIST, Tag.ITEM, Tag.QUOTE, Tag.PRE, Tag.INDENTED}
)
#: The sign between two parts of a formula that are written one above the other.
_PAIRS: Final = {"mfrac": "/", "msup": "^", "msub": "_"}

#: Faster than the parser's own empty mapping.
_NO_ATTRIBUTES: Final[Attributes] = {}


class HtmlReader(Embedded):
    """The parser target: gathers drafts."""

    def __init__(
        self, shorten: bool, reply: bool, pictures: Mapping[str, str], all_of_it: bool = False
    ) -> None:
        super().__init__(shorten, pictures, all_of_it)
        #: Whether the rest is left out.
        self.full = False
        self._reply = reply
        #: For each open element: the style outside it, and what its end tag does.
        self._looks: list[TextStyle] = []
        self._closes: list[Close | None] = []
        #: A style, what was added to its face, and the result: mostly the same is asked for again.
        self._faced = (TextStyle(), "", TextStyle())
        self._hidden = 0
        self._staying = False
        self._sheet: list[str] | None = None
        self._sheets = Sheets()
        self._tables: list[Table] = []
        #: For each open pair of a formula: its depth, how many parts have begun, and the sign between them.
        self._pairs: list[tuple[int, int, str]] = []

    # The parser's events

    def start(self, name: str, attributes: Attributes) -> None:
        self.full = self.full or len(self.drafts) > BLOCKS_LIMIT
        if self.full:
            return
        if self._hidden:
            self._hidden += 1
            self.passed_over += len(name) + len(name) + len("<></>")
            return
        tag = TAGS.get(name, Tag.INLINE)
        if tag is Tag.DROP or tag is Tag.STYLE:
            self._hidden = 1
            self._sheet = [] if tag is Tag.STYLE else None
            return
        before = self.look
        style = css.NOTHING
        if not attributes:
            attributes = _NO_ATTRIBUTES
        else:
            declared = attributes.get("style")
            if declared:
                style = css.read(declared[: css.STYLE_LIMIT].lower())
        said = self._sheets.of(name, attributes) if self._sheets.some else NOTHING
        marked = bool(attributes) or said is not NOTHING
        if marked:
            if not self._all_of_it and _hides(tag, attributes, style, said):
                self._hidden = 1
                return
            if said.block and not style.shown:
                style = replace(style, block=True)
            if said.apart and not style.shown:
                style = replace(style, apart=True)
        if self._pairs:
            self._between_pair()
        if style.apart:
            self.edge()
        close = _OPEN[tag](self, name, attributes, style)
        if style.apart:
            close = self._apart(close)
        if marked:
            self.look = self._seen(self.look, attributes, style, said)
        self._looks.append(before)
        self._closes.append(close)

    def end(self, name: str) -> None:
        if self.full or self._staying:
            return
        if self._hidden:
            self._hidden -= 1
            if self._hidden == 0 and self._sheet is not None:
                self._take_sheet("".join(self._sheet))
                self._sheet = None
            return
        if not self._looks:
            return
        close = self._closes.pop()
        if close is not None:
            close()
        self.look = self._looks.pop()

    def data(self, text: str) -> None:
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
        """Do nothing: reading may go on with another parser."""

    # What `html_parser` asks of its target

    @property
    def depth(self) -> int:
        return 0 if self._hidden == 1 else len(self._looks) + self._hidden

    @contextmanager
    def staying(self) -> Iterator[None]:
        self._staying = True
        yield
        self._staying = False
        self._hidden, self._sheet = 0, None

    def finish(self) -> None:
        """Turn what is left into drafts."""
        self.flush()
        while self._tables:
            self._close_table()
        self.drafts = [draft for draft in self.drafts if not draft.gone]
        if self._nameless:
            self.drafts = picture_links.settle(self.drafts, self._nameless)

    # Elements

    def _seen(self, look: TextStyle, attributes: Attributes, style: css.Style, said: Said) -> TextStyle:
        """Return the style inside an element, from its attributes and what the sheets say of it."""
        changes: dict[str, object] = {}
        if said is not NOTHING:
            if said.inked:
                changes |= {"colour": None, "clear": said.clear}
            if said.grounded:
                changes["background"] = None
            if said.tiny is not None:
                changes["tiny"] = said.tiny
        if style is not css.NOTHING:
            if style.tiny is not None:
                changes["tiny"] = style.tiny
            if style.inked:
                changes |= {"colour": style.colour, "clear": style.clear}
            if style.symbols is not None and style.symbols is not look.symbols:
                changes["symbols"] = style.symbols
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
            changes["background"] = colours.colour(colour)
        if style.background is not None or style.covered or "background" in attributes:
            changes["background"] = style.background
        return look._replace(**changes) if changes else look  # type: ignore[arg-type]

    def _take_sheet(self, sheet: str) -> None:
        grounded = self._sheets.grounded
        self._sheets.take(sheet)
        if self._sheets.grounded and not grounded:  # the background of the open elements is no longer white
            self.look, *self._looks = [_off_white(look) for look in (self.look, *self._looks)]

    def _apart(self, close: Close | None) -> Close:
        def closed() -> None:
            if close is not None:
                close()
            self.edge()

        return closed

    def _between_pair(self) -> None:
        depth, begun, sign = self._pairs[-1]
        if depth == len(self._looks):
            self._pairs[-1] = depth, begun + 1, sign
            if begun == 1:
                self.words(sign)

    def _open_pair(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self._pairs.append((len(self._looks) + 1, 0, _PAIRS[name]))

        def close() -> None:
            self._pairs.pop()

        return close

    def _open_inline(self, name: str, attributes: Attributes, style: css.Style) -> Close | None:
        role = self._role(attributes)
        if style.block or role is not None:
            return self._open_block(name, attributes, style)
        if name == "tspan" and not attributes.keys().isdisjoint(("x", "y", "dx", "dy")):
            self.blank()  # text that a drawing places elsewhere
        return None

    def _role(self, attributes: Attributes) -> Role | None:
        """Return the role that a class or id of a mail program gives an element: quotation or signature."""
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
        self.lists.append(list_numbers.Counter.of(name, attributes))
        self._indented()
        return self._close_list

    def _close_list(self) -> None:
        self.flush()
        self.marker = ""
        self.lists.pop().finish()

    def _open_item(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        self.marker = self.lists[-1].next(attributes) if self.lists else list_numbers.BULLET
        return self._close_item

    def _close_item(self) -> None:
        self.flush()
        self.marker = ""

    def _face(self, name: str) -> None:
        """Set one attribute of the face."""
        look, added, faced = self._faced
        if look is not self.look or added != name:
            look = self.look
            faced = (
                look if getattr(look.face, name) else look._replace(face=look.face._replace(**{name: True}))  # type: ignore[arg-type]
            )
            self._faced = look, name, faced
        self.look = faced

    def _open_strong(self, name: str, attributes: Attributes, style: css.Style) -> None:
        self._face("strong")

    def _open_emphasis(self, name: str, attributes: Attributes, style: css.Style) -> None:
        self._face("emphasis")

    def _open_code(self, name: str, attributes: Attributes, style: css.Style) -> None:
        self._face("code")

    def _open_font(self, name: str, attributes: Attributes, style: css.Style) -> None:
        if attributes.get("color"):
            self.look = self.look._replace(colour=colours.colour(attributes["color"]), clear=False)
        if attributes.get("face"):
            self.look = self.look._replace(symbols=bool(symbols.are_in(attributes["face"])))

    def _open_link(self, name: str, attributes: Attributes, style: css.Style) -> Close | None:
        url = urls.allowed(attributes.get("href") or attributes.get("xlink:href", ""))
        if style.block:
            self.flush()
        if not url:
            return self.flush if style.block else None
        if self.touches_link():
            self.blank()  # touching links are usually kept apart by padding
        self.look = self.look._replace(face=self.look.face._replace(link=url))
        added, block = self.added, style.block

        def close() -> None:
            if self.added == added and self._picture is not None:
                name = named(attributes, "title", "aria-label")
                if name:
                    self.picture_name(name)
                else:
                    self._say_url(url, self._picture)
            if block:
                self.flush()

        self._picture = None
        return close

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
        columns, rows = _span(attributes, "colspan"), _span(attributes, "rowspan")
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
    Tag.FORM: HtmlReader._open_form,
    Tag.AREA: HtmlReader._open_area,
    Tag.PAIR: HtmlReader._open_pair,
}


def _span(attributes: Attributes, name: str) -> int:
    """Read how many columns or rows a cell takes."""
    return min(max(lengths.number(attributes[name]) or 1, 1), SPAN_LIMIT) if name in attributes else 1


def _hides(tag: Tag, attributes: Attributes, style: css.Style, said: Said) -> bool:
    """Return whether an element hides its content."""
    if style.hidden or "hidden" in attributes or (said.hidden and not style.shown):
        return True
    return (style.clipped or said.clipped) and (style.boxed or tag in _BOXES)


def _off_white(look: TextStyle) -> TextStyle:
    return look._replace(background=None) if look.background == colours.WHITE else look


#: Returns more of a part's text, about so many characters; "" at its end.
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
) -> tuple[list[Draft], bool]:
    """Read an HTML part into drafts; return them, and whether there were too many.

    `pictures`: the sections of the pictures to show, by Content-ID. `more` is called to replace what was not for
    reading. `all_of_it`: hidden text is read too.
    """
    reader = HtmlReader(shorten, reply, pictures, all_of_it)

    def source() -> Iterator[bytes]:
        text, asked, inside = html, 0, False
        while text:
            shown = glyphs.visible(page_source.put_right(text)).replace("\x0b", " ").replace("\x0c", " ")
            yield shown.encode("utf-8", "replace")
            wanted = reader.passed_over - asked
            asked += wanted
            opened, closed = text.rfind("<!--"), text.rfind("-->")
            inside = opened > closed if opened != closed else inside
            if inside:  # a comment is reported only at its end
                wanted += len(text) - max(opened, 0)
            text = more(wanted) if wanted else ""

    parse(source(), reader)
    reader.finish()
    return reader.drafts, reader.full
