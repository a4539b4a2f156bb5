"""What an element's attributes and the style sheets say about it: whether it is hidden, and the style inside.

Nothing here may know what an element is for, beyond its tag. In a newsletter some twenty combinations serve hundreds of
elements.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.rendition.html.elements import Tag
from gateway.rendition.html.paragraphs import TextStyle
from gateway.rendition.html.styles import colours, css
from gateway.rendition.html.styles.style_sheets import Attributes, Declared

#: Elements that form a box: whatever the box clips is invisible.
_BOXES: Final = frozenset(
    {Tag.BLOCK, Tag.FORM, Tag.HEADING, Tag.LIST, Tag.ITEM, Tag.QUOTE, Tag.PRE, Tag.INDENTED}
)


@dataclass(slots=True)
class Meaning:
    """What an element's attributes and the style sheets say about it; elements with the same attributes share one.

    `changes`: what they change in the style inside, `faces` in its face; `looks`: the styles inside, by those outside.
    """

    style: css.Style = css.NOTHING
    hidden: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    faces: dict[str, Any] = field(default_factory=dict)
    looks: dict[TextStyle, TextStyle] = field(default_factory=dict)

    def inside(self, look: TextStyle) -> TextStyle:
        """Return the style inside the element."""
        if not self.changes and not self.faces:
            return look
        known = self.looks.get(look)
        if known is None:
            changes = (
                self.changes | {"face": look.face._replace(**self.faces)} if self.faces else self.changes
            )
            known = self.looks[look] = look._replace(**changes)
        return known


NOTHING: Final = Meaning()


def read(tag: Tag, attributes: Attributes, rules: Declared) -> Meaning:
    """Read what an element's attributes and the sheets say."""
    declared = attributes.get("style")
    style = css.read(declared[: css.STYLE_LIMIT].lower()) if declared else css.NOTHING
    hidden = _hides(tag, attributes, style, rules)
    if (rules.block or rules.apart) and not style.shown:
        style = replace(style, block=style.block or rules.block, apart=style.apart or rules.apart)
    faces = {"strong": style.strong, "emphasis": style.emphasis}
    given = {name: value for name, value in faces.items() if value is not None}
    return Meaning(style, hidden, _changes(attributes, style, rules), given)


def _hides(tag: Tag, attributes: Attributes, style: css.Style, rules: Declared) -> bool:
    """Return whether an element hides its content."""
    if style.hidden or "hidden" in attributes or (rules.hidden and not style.shown):
        return True
    return (style.clipped or rules.clipped) and (style.boxed or tag in _BOXES)


def _changes(attributes: Attributes, style: css.Style, rules: Declared) -> dict[str, Any]:
    """Return what an element changes in the style inside: first the sheets, then its own style, then its background."""
    changes: dict[str, Any] = {}
    if rules.inked:
        changes |= {"colour": None, "clear": rules.clear}
    if rules.grounded:
        changes["background"] = None
    if rules.tiny is not None:
        changes["tiny"] = rules.tiny
    if rules.keep_blanks is not None:
        changes["line_ends"] = rules.keep_blanks
    if style.tiny is not None:
        changes["tiny"] = style.tiny
    if style.inked:
        changes |= {"colour": style.colour, "clear": style.clear}
    if style.symbols is not None:
        changes["symbols"] = style.symbols
    if style.keep_blanks is not None:
        changes["line_ends"] = style.keep_blanks
    colour = attributes.get("bgcolor")
    if colour:
        changes["background"] = colours.colour(colour)
    if style.background is not None or style.covered or "background" in attributes:
        changes["background"] = style.background
    return changes
