"""The style sheets of one HTML part: their rules by tag, class and id.

Nothing here may hide text because of a rule with any other selector, since without a tree its matches are unknown; but
if such a rule may set a size or a colour, that is unknown too, and the text counts as visible. See `css`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.rendition.html.styles import css

#: The attributes of a start tag.
Attributes = Mapping[str, str]

#: One class or id, with or without a tag before it.
_PLAIN: Final = re.compile(r"(?:[a-z0-9]{1,20})?([.#][\w-]{1,100})\Z")
#: The last compound of a selector, to which the rule applies.
_LAST: Final = re.compile(r"[^\s>+~]{1,200}\Z")
#: Tags that rules hide as wrappers of filler; a rule for one of these is about the whole page, or a part of it.
_STRUCTURE: Final = frozenset(
    {"html", "body", "table", "tbody", "tr", "td", "th", "div", "p", "a", "span", "center"}
)
_NAMES: Final = re.compile(r"[.#][\w-]{1,100}")
_TAG: Final = re.compile(r"[a-z][a-z0-9]{0,19}")
#: Matches every element.
_ANY: Final = "*"


@dataclass(slots=True)
class Declared:
    """What the sheets say about one name. `tiny`: None if nothing; `inked`, `grounded`: the text or background colour
    is unknown; `clear`: text is transparent; `keep_blanks`: as in `css.Style`."""

    hidden: bool = False
    clipped: bool = False
    block: bool = False
    apart: bool = False
    tiny: bool | None = None
    inked: bool = False
    clear: bool = False
    grounded: bool = False
    keep_blanks: bool | None = None


NOTHING: Final = Declared()


class Sheets:
    """Gathers style sheets as they come. `grounded`: one of them sets the background of the page."""

    def __init__(self) -> None:
        #: Whether they say anything.
        self.some = False
        self.grounded = False
        self._read = 0  # characters
        self._last = ""
        self._declared: dict[str, Declared] = {}
        #: Results since the last sheet.
        self._asked: dict[tuple[str, str, str], Declared] = {}

    def take(self, sheet: str) -> None:
        """Read another sheet, up to the limit."""
        if self._read > css.SHEET_LIMIT or sheet == self._last:
            return
        self._last = sheet
        self._read += len(sheet)
        self._asked.clear()
        for selector, style in css.rules(sheet):
            plain = _PLAIN.match(selector)
            if plain is not None:
                self._name(plain.group(1), style)
            elif style.hidden and selector not in _STRUCTURE and _TAG.fullmatch(selector):
                self._name(selector, style)
            else:
                for name in _hit(selector):
                    self._doubt(name, style)
        self.some = bool(self._declared)

    def _name(self, name: str, style: css.Style) -> None:
        """Record a rule that applies to a name everywhere."""
        declared = self._declared.setdefault(name, Declared())
        if style.hidden or style.shown:
            declared.hidden = style.hidden
            declared.block = style.block
            declared.apart = style.apart
        declared.clipped = declared.clipped or style.clipped
        if style.inked:
            declared.clear = style.clear
        if style.tiny is not None:
            declared.tiny = style.tiny
        if style.keep_blanks is not None:
            declared.keep_blanks = style.keep_blanks
        self._colour(declared, style)

    def _doubt(self, name: str, style: css.Style) -> None:
        """Record a rule that may apply to a name."""
        if not (style.tiny is False or style.inked or style.covered or style.background):
            return
        declared = self._declared.setdefault(name, Declared())
        if style.tiny is False:
            declared.tiny = False
        if style.inked:
            declared.clear = False
        self._colour(declared, style)
        self.grounded = self.grounded or (declared.grounded and name in (_ANY, "body", "html"))

    def _colour(self, declared: Declared, style: css.Style) -> None:
        declared.inked = declared.inked or style.inked
        declared.grounded = declared.grounded or style.covered or style.background is not None

    def of(self, tag: str, attributes: Attributes) -> Declared:
        """Return what the sheets say about an element; its id overrides its classes, and those override its tag."""
        key = (
            (tag, attributes.get("class", "")[:400], attributes.get("id", ""))
            if attributes
            else (tag, "", "")
        )
        known = self._asked.get(key)
        if known is None:
            known = self._asked[key] = self._joined(*key)
        return known

    def _joined(self, tag: str, classes: str, identity: str) -> Declared:
        names = [_ANY, tag, *(f".{name}" for name in classes.lower().split()), f"#{identity.lower()}"]
        found = [self._declared[name] for name in names if name in self._declared]
        if not found:
            return NOTHING
        sizes = [declared.tiny for declared in found if declared.tiny is not None]
        blanks = [declared.keep_blanks for declared in found if declared.keep_blanks is not None]
        return Declared(
            any(declared.hidden for declared in found),
            any(declared.clipped for declared in found),
            any(declared.block for declared in found),
            any(declared.apart for declared in found),
            sizes[-1] if sizes else None,
            any(declared.inked for declared in found),
            [declared.clear for declared in found if declared.inked][-1:] == [True],
            any(declared.grounded for declared in found),
            blanks[-1] if blanks else None,
        )


def _hit(selector: str) -> list[str]:
    """Return what a rule may apply to: classes and ids, or else a tag, or else everything."""
    last = _LAST.search(selector)
    if last is None:
        return []
    tag = _TAG.match(last.group())
    return _NAMES.findall(last.group()) or [tag.group() if tag else _ANY]
