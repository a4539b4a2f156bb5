"""The style sheets of one HTML part: what is hidden, too small or coloured by the name of a class or an id.

Nothing here may apply a rule with any other selector: what it would hit cannot be told without a tree. See `css`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.rendition import css

Attributes = Mapping[str, str]


class Sheets:
    """Gathers style sheets as they come. `coloured`: one of them gives colours."""

    def __init__(self) -> None:
        self.coloured = False
        self._read = 0  # characters
        self._hidden: set[str] = set()
        self._tiny: dict[str, bool] | None = {}  # None: sizes cannot be told by names

    def take(self, sheet: str) -> None:
        """Read one more, while there are not too many."""
        if self._read > css.SHEET_LIMIT:
            return
        self._read += len(sheet)
        css.hide_names(sheet, self._hidden)
        if self._tiny is not None and not css.note_sizes(sheet, self._tiny):
            self._tiny = None
        lowered = sheet.lower()
        self.coloured = self.coloured or "background" in lowered or "color" in lowered

    def hides(self, attributes: Attributes, style: css.Style) -> bool:
        """Say whether an element is hidden by its names."""
        if not self._hidden or style.shown:
            return False
        return any(name in self._hidden for name in _names(attributes))

    def tiny(self, attributes: Attributes) -> bool | None:
        """Say whether an element's text is too small to be seen; None if nothing is said of it."""
        found = [self._tiny[name] for name in _names(attributes) if name in self._tiny] if self._tiny else []
        return found[-1] if found else None


def _names(attributes: Attributes) -> Iterator[str]:
    """Yield the selectors for an element's classes, then for its id, which weighs more."""
    for name in attributes.get("class", "")[:400].lower().split():
        yield f".{name}"
    identity = attributes.get("id", "")
    if identity:
        yield f"#{identity.lower()}"
