"""Recently written rows of lists, so that a list that is shown again need not be written again.

Nothing here may be shown that would now be written differently: what is kept belongs to one reader on one day, each
text to one summary, and each markup to one row with all its values. It is dropped with the session's connection.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from markupsafe import Markup

from gateway.markup.screen import Screen
from gateway.store.base import MessageRef, Summary
from gateway.store.session_cache import SessionCache

#: Rows kept, three pages of a text browser; and the maximum characters of a row that is kept.
MOST: Final = 60
LONGEST: Final = 1000
#: Pages kept whole, and screens of one: a phone tries several widths of its rows.
MOST_PAGES: Final = 3
MOST_SCREENS: Final = 4

_KEY: Final = "written rows"

#: Sender or recipient, subject and date.
RowTexts = tuple[str, str, str]

_Row = TypeVar("_Row")
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(slots=True)
class WrittenPage(Generic[_Row]):
    """One page of a list: everything its rows were made of, the rows, and its screens by width and number of rows."""

    made_of: object
    rows: Sequence[_Row]
    markup: dict[tuple[int, int], list[Markup]] = field(default_factory=dict)
    screens: dict[tuple[int, int], Screen] = field(default_factory=dict)

    def marked_up(self, shape: tuple[int, int], write: Callable[[], list[Markup]]) -> list[Markup]:
        """Return the markup of the rows in this shape."""
        if shape not in self.markup:
            _make_room(self.markup, MOST_SCREENS)
            self.markup[shape] = write()
        return self.markup[shape]

    def screen(self, shape: tuple[int, int], made: Screen) -> Screen:
        """Return the screen that was shown in this shape if it is equal to this one: it is written already."""
        known = self.screens.get(shape)
        if known == made:
            return known
        _make_room(self.screens, MOST_SCREENS)
        self.screens[shape] = made
        return made


class WrittenRows(Generic[_Row]):
    """Texts by summary, and markup by row, for the latest reader."""

    def __init__(self) -> None:
        self._reader: Hashable = None
        self._texts: dict[MessageRef, tuple[Summary, RowTexts]] = {}
        self._markup: dict[Hashable, Markup] = {}
        self._pages: dict[Hashable, WrittenPage[_Row]] = {}

    @classmethod
    def of(cls, cache: SessionCache) -> WrittenRows[_Row]:
        """Return what a session keeps; only while its store is leased."""
        kept = cache.get(_KEY)
        if not isinstance(kept, cls):
            kept = cls()
            cache.put(_KEY, kept, MOST * LONGEST)
        return kept

    def begin(self, reader: Hashable) -> None:
        """Forget everything if this is another reader: device, language, day, or whatever else the texts depend on."""
        if reader != self._reader:
            self._reader, self._texts, self._markup, self._pages = reader, {}, {}, {}

    def page(self, name: Hashable, made_of: object, make: Callable[[], Sequence[_Row]]) -> WrittenPage[_Row]:
        """Return a page of a list by its address; made anew unless it was made of the same."""
        known = self._pages.get(name)
        if known is not None and known.made_of == made_of:
            return known
        _make_room(self._pages, MOST_PAGES)
        made = self._pages[name] = WrittenPage(made_of, make())
        return made

    def texts(self, summary: Summary, make: Callable[[Summary], RowTexts]) -> RowTexts:
        """Return the texts of a summary, kept for the same summary object."""
        known = self._texts.get(summary.ref)
        if known is not None and known[0] is summary:
            return known[1]
        made = make(summary)
        _make_room(self._texts, MOST)
        self._texts[summary.ref] = summary, made
        return made

    def markup(self, row: Hashable, write: Callable[[], Markup]) -> Markup:
        """Return the markup of a row."""
        known = self._markup.get(row)
        if known is not None:
            return known
        made = write()
        _make_room(self._markup, MOST)
        if len(made) <= LONGEST:
            self._markup[row] = made
        return made


def _make_room(kept: dict[_Key, _Value], most: int) -> None:
    """Forget everything if there is room for nothing more."""
    if len(kept) >= most:
        kept.clear()
