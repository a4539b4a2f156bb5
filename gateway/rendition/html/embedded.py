"""Embedded content of a page: pictures, image maps, buttons and forms, with their links.

Nothing here may fetch. A picture is represented by its name, or by where its link leads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gateway.rendition import glyphs
from gateway.rendition.blocks import Kind, Run
from gateway.rendition.html import picture_links, picture_names
from gateway.rendition.html.elements import Close
from gateway.rendition.html.paragraphs import Paragraphs
from gateway.rendition.html.styles import css, lengths, symbols
from gateway.rendition.html.styles.style_sheets import Attributes
from gateway.rendition.links import urls
from gateway.rendition.unplaced import Draft

#: A picture of at most this many pixels in one direction is a tracker or a spacer.
PIXEL: Final = 3
#: A link on a picture that shows nothing can be hit if it has at least this size in both directions, pixels.
AREA: Final = 20
#: Characters and lines of a text box without a size (HTML §4.10.11).
COLUMNS: Final = 20
ROWS: Final = 2
#: Files that show nothing, recognized by the last characters of their URL.
_SPACER: Final = re.compile(
    r"spacer|(?:^|[/_-])(?:blank|clear|(?:1x1)?pixel|trans(?:parent)?|shim|dot|1x1)\d{0,3}\.(?:gif|png)",
    re.IGNORECASE,
)
_FILE_NAME: Final = 100


class Embedded(Paragraphs):
    """Gathers paragraphs with the embedded content among them. `pictures`: sections by Content-ID."""

    def __init__(self, shorten: bool, pictures: Mapping[str, str], all_of_it: bool = False) -> None:
        super().__init__(shorten, all_of_it)
        self._pictures = pictures
        #: For each link that consists of a picture without a name: the picture's file, '' for an area of an image map.
        self._nameless: dict[str, str] = {}
        #: The file of the first picture in the link; None: it has none.
        self._picture: str | None = None
        #: What the links of the page are relative to; without it, relative ones lead nowhere.
        self._base = ""
        #: The targets of the open forms.
        self._actions: list[str] = []

    def _is_picture(self, text: str) -> bool:
        if not self.look.face.link or not symbols.is_nameless(text):
            return False
        self._picture = self._picture or ""
        return True

    def _open_base(self, name: str, attributes: Attributes, style: css.Style) -> None:
        self._base = self._base or urls.allowed(attributes.get("href", ""))

    def _target(self, href: str) -> str:
        """Return where a link leads, '' if nowhere."""
        return urls.allowed(href) or (urls.resolved(self._base, href) if self._base else "")

    def _say_url(self, url: str, source: str = "") -> None:
        """Write the label of a link that consists of a picture without a name, once per URL."""
        if url not in self._nameless:
            self.words(" ")
            self.picture_name(picture_links.makeshift(url))
            self.blank()
        self._nameless.setdefault(url, source)

    def _open_picture(self, name: str, attributes: Attributes, style: css.Style) -> None:
        width = style.width if style.width is not None else lengths.number(attributes.get("width", ""))
        height = style.height if style.height is not None else lengths.number(attributes.get("height", ""))
        if "%" in attributes.get("width", ""):
            width = None
        if (width is not None and width <= PIXEL) or (height is not None and height <= PIXEL):
            return
        alternative = named(attributes, "alt", *(("title",) if self.look.face.link else ()))
        source = attributes.get("src", "")
        if _SPACER.search(source[-_FILE_NAME:]):
            if self._picture is None and min(width or 0, height or 0) >= AREA:
                self._picture = ""
        elif not (self._picture and picture_links.file_words(self._picture)):
            self._picture = source
        section = self._pictures.get(source[4:].strip()) if source[:4].lower() == "cid:" else None
        link = self.look.face.link
        if section is not None and (width is None or width > 2 * PIXEL):
            self.flush()
            look = self.look
            words = (
                [Run(alternative)] if alternative and not link else []
            )  # the name of a link follows the picture
            self.drafts.append(
                Draft(Kind.PICTURE, words, look.quote, look.indent, target=section, role=look.role)
            )
        if alternative and (section is None or link):
            self.words(" ")
            self.picture_name(alternative)
            self.words(" ")

    def _open_area(self, name: str, attributes: Attributes, style: css.Style) -> None:
        """Take a link of an image map."""
        url = self._target(attributes.get("href", ""))
        if url:
            self._link(named(attributes, "alt", "title"), url)

    def _link(self, name: str, url: str, source: str = "") -> None:
        """Write a link that has no text in the page."""
        self.words(" ")
        look = self.look
        self.look = look.linked(url)
        if name:
            self.picture_name(name)
        else:
            self._say_url(url, source)
        self.look = look
        self.words(" ")

    def _open_control(self, name: str, attributes: Attributes, style: css.Style) -> None:
        kind = attributes.get("type", "").lower()
        if kind == "checkbox":  # in a task list
            self.words("[x] " if "checked" in attributes else "[ ] ")
        elif kind in ("submit", "image", "button"):
            link = self.look.face.link or (self._actions[-1] if self._actions and kind != "button" else "")
            name = named(attributes, "alt", "value", "title")
            if link:
                self._link(name, link, attributes.get("src", ""))
            elif name:
                self.words(f" {name} ")

    def _open_textarea(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        """Take as much as a text box shows, since no more is for reading; a URL to copy is taken whole."""
        self.flush()
        first = len(self.drafts)
        columns = lengths.number(attributes.get("cols", "")) or COLUMNS
        size = columns * (lengths.number(attributes.get("rows", "")) or ROWS)

        def close() -> None:
            self.flush()
            text = " ".join(draft.text for draft in self.drafts[first:])
            if self._all_of_it or len(text) <= size or " " not in text:
                return
            shown = text[:size].rpartition(" ")[0] or text[:size]
            self.drafts[first:] = [replace(self.drafts[first], runs=[Run(f"{shown} …")])]
            self.passed_over += len(text) - len(shown)

        return close

    def _open_form(self, name: str, attributes: Attributes, style: css.Style) -> Close:
        gets = attributes.get("method", "get").lower() == "get"  # a link cannot post
        self._actions.append(self._target(attributes.get("action", "")) if gets else "")
        self.flush()

        def close() -> None:
            self.flush()
            self._actions.pop()

        return close


def is_drawn(style: css.Style) -> bool:
    """Return whether an element has a background picture, large enough to be looked at."""
    return style.covered and min(style.width or AREA, style.height or 0) >= AREA


def named(attributes: Attributes, *names: str) -> str:
    """Return the first of these attributes that means something, as one line."""
    for name in names:
        said = glyphs.collapse(glyphs.visible(attributes.get(name) or "")).strip(glyphs.EDGES)
        if picture_names.says_something(said):
            return said
    return ""
