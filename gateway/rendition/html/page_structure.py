"""The structure of a page: what its blocks, quotations, lists, links and tables become.

Nothing here may look at a style beyond what it says about blocks: whether text is visible is up to the reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.rendition.blocks import Kind
from gateway.rendition.html import list_numbers
from gateway.rendition.html.elements import (
    QUOTE_CLASSES,
    QUOTE_IDS,
    SIGNATURE_CLASSES,
    SIGNATURE_IDS,
    Close,
)
from gateway.rendition.html.embedded import Embedded, is_drawn, named
from gateway.rendition.html.paragraphs import TextStyle
from gateway.rendition.html.styles import colours, css, lengths, symbols
from gateway.rendition.html.styles.style_sheets import Attributes
from gateway.rendition.html.tables import SPAN_LIMIT, Cell, Table, finish
from gateway.rendition.segments import Role
from gateway.rendition.text import quoting
from gateway.rendition.unplaced import Draft

#: Deeper quotation and indentation cannot be displayed anyway.
DEPTH_LIMIT: Final = 6


class Structure(Embedded):
    """Gathers drafts with the structure around them. `reply`: quotations are those of a reply."""

    def __init__(
        self, shorten: bool, reply: bool, pictures: Mapping[str, str], all_of_it: bool = False
    ) -> None:
        super().__init__(shorten, pictures, all_of_it)
        self._reply = reply
        #: A style, what was added to its face, and the result: mostly the same combination comes again.
        self._faced = (TextStyle(), "", TextStyle())
        #: For each change of a style: the style to which it was last made, and the result.
        self._changed: dict[str, tuple[TextStyle, TextStyle]] = {}
        self._tables: list[Table] = []
        #: Whether an attribution has introduced a quotation.
        self._introduced = False
        #: Whether two blockquotes are side by side, which makes them margins. Where the last one ended.
        self.margins = False
        self._quoted_to = -1

    def _open_inline(self, name: str, attributes: Attributes, style: css.Style) -> Close | None:
        role = self._role(attributes)
        if style.block or role is not None:
            return self._open_block(name, attributes, style)
        if name == "tspan" and not attributes.keys().isdisjoint(("x", "y", "dx", "dy")):
            self.blank()  # text that the drawing places elsewhere
        return None

    def _role(self, attributes: Attributes) -> Role | None:
        """Return the role that a mail program's class or id gives an element: quotation or signature."""
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
        """Open a quotation, or what may be only a margin: a reply quotes below a "wrote:", or declares that it
        cites."""
        self.flush()
        classes = attributes.get("class", "").lower()
        cites = attributes.get("type", "").lower() == "cite" or "quote" in classes
        if self._reply and not self._introduced and self.drafts:
            self._introduced = quoting.is_attribution(self.drafts[-1].text)
        if cites or (self._reply and (self._introduced or style.left_bar)):
            self._quoted(Role.QUOTE)
        elif "border:none" in attributes.get("style", "").replace(" ", "").lower():
            self._indented()  # QUIRK: Gmail and Outlook indent with a blockquote without a border
        else:
            self.margins = self.margins or self._quoted_to == len(self.drafts) > 0
            self._quoted(self.look.role)
            return self._close_quote
        return self.flush

    def _close_quote(self) -> None:
        self.flush()
        self._quoted_to = len(self.drafts)

    def _indented(self) -> None:
        look = self.look
        self.look = look._replace(indent=min(look.indent + 1, DEPTH_LIMIT))

    def _open_indented(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        self._indented()
        return self.flush

    def _open_heading(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        self._change(name, level=int(name[1]))
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

    def _change(self, change: str, **values: Any) -> None:
        """Change the style; `change` names these values, since mostly the same style is changed in the same way."""
        look = self.look
        known = self._changed.get(change)
        if known is None or known[0] is not look:
            known = self._changed[change] = look, look._replace(**values)
        self.look = known[1]

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
        url = self._target(attributes.get("href") or attributes.get("xlink:href", ""))
        if (self.look.colour is not None or self.look.clear) and not style.inherits and "href" in attributes:
            # Links do not inherit it: the page or the browser gives them a colour, which is unknown (HTML §15.3.1).
            self._change("uncoloured", colour=None, clear=False)
        if style.block:
            self.flush()
        if not url:
            return self.flush if style.block else None
        if self.touches_link():
            self.between_links()
        self.look = self.look.linked(url)
        added, block = self.added, style.block

        def close() -> None:
            if self.added == added:
                self._name_picture(url, attributes)
            if block:
                self.flush()

        self._picture = "" if is_drawn(style) else None
        return close

    def _name_picture(self, url: str, attributes: Attributes) -> None:
        """Name the picture of a link that has no text, if there is one."""
        if self._picture is None:
            self.left_open = attributes
            return
        name = named(attributes, "title", "aria-label")
        if name:
            self.picture_name(name)
        else:
            self._say_url(url, self._picture)

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

    def _on_other_ground(self) -> bool:
        look = self.look
        return bool(self._tables) and self._tables[-1].between and not (look.tiny or look.clear)

    def _open_cell(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        self.flush()
        if not self._tables:
            return self.flush
        columns = _span(attributes, "colspan") if "colspan" in attributes else 1
        rows = _span(attributes, "rowspan") if "rowspan" in attributes else 1
        cell = Cell(len(self.drafts), name == "th", columns, rows, end=len(self.drafts))
        table = self._tables[-1]
        table.cell(cell)
        table.between = False

        own = self.look.quote

        def close() -> None:
            self.flush()
            if self._quoted_to == len(self.drafts) > cell.start:
                self._let_in(cell.start, own)
            cell.end = len(self.drafts)
            table.between = True

        return close

    def _let_in(self, start: int, quote: int) -> None:
        """Unwrap what blockquotes in a cell only give a margin: all of it, unless it was announced with a colon."""
        inside = self.drafts[start:]
        announced = start > 0 and self.drafts[start - 1].text.rstrip().endswith(":")
        if announced or any(draft.quote <= quote or draft.role is Role.QUOTE for draft in inside):
            return
        for draft in inside:
            draft.quote = quote


def _span(attributes: Attributes, name: str) -> int:
    """Read how many columns or rows a cell takes."""
    return min(max(lengths.number(attributes[name]) or 1, 1), SPAN_LIMIT)
