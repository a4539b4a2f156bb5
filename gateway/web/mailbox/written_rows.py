"""Recently written rows of lists, so that a list that is shown again need not be written again.

Nothing here may be shown that would now be written differently: what is kept belongs to one reader on one day, each
text to one summary, and each markup to one row with all its values. It is dropped with the session's connection.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final

from markupsafe import Markup

from gateway.store.base import MessageRef, Summary
from gateway.store.session_cache import SessionCache

#: Rows kept, three pages of a text browser; and the maximum characters of a row that is kept.
MOST: Final = 60
LONGEST: Final = 1000

_KEY: Final = "written rows"

#: Sender or recipient, subject and date.
Texts = tuple[str, str, str]


class WrittenRows:
    """Texts by summary, and markup by row, for the latest reader."""

    def __init__(self) -> None:
        self._reader: Hashable = None
        self._texts: dict[MessageRef, tuple[Summary, Texts]] = {}
        self._markup: dict[Hashable, Markup] = {}

    @classmethod
    def of(cls, cache: SessionCache) -> WrittenRows:
        """Return what a session keeps; only while its store is leased."""
        kept = cache.get(_KEY)
        if not isinstance(kept, cls):
            kept = cls()
            cache.put(_KEY, kept, MOST * LONGEST)
        return kept

    def begin(self, reader: Hashable) -> None:
        """Forget everything if this is another reader: device, language, day, or whatever else the texts depend on."""
        if reader != self._reader:
            self._reader, self._texts, self._markup = reader, {}, {}

    def texts(self, summary: Summary, make: Callable[[Summary], Texts]) -> Texts:
        """Return the texts of a summary, kept for the same summary object."""
        known = self._texts.get(summary.ref)
        if known is not None and known[0] is summary:
            return known[1]
        made = make(summary)
        if len(self._texts) >= MOST:
            self._texts = {}
        self._texts[summary.ref] = summary, made
        return made

    def markup(self, row: Hashable, write: Callable[[], Markup]) -> Markup:
        """Return the markup of a row."""
        known = self._markup.get(row)
        if known is not None:
            return known
        made = write()
        if len(self._markup) >= MOST:
            self._markup = {}
        if len(made) <= LONGEST:
            self._markup[row] = made
        return made
