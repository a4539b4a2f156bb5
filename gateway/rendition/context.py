"""Context: what a rendition needs to know about the reader.

Nothing here may know a device's markup or have effects: it is one frozen value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo


def _same(msgid: str) -> str:
    return msgid


def _english(singular: str, plural: str, number: int) -> str:
    return singular if number == 1 else plural


def _plain_date(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True)
class Context:
    """Language, time zone and choices of one reader.

    `fold`: long quotations, signatures and legal notices are folded and long URLs shortened. `unfolded`: targets
    of FOLD blocks that were opened. `pictures`: embedded pictures become PICTURE blocks. `date` formats a moment
    that is already in the reader's time zone, `day` a date without a time.
    """

    translate: Callable[[str], str] = _same
    ngettext: Callable[[str, str, int], str] = _english
    timezone: tzinfo = UTC
    day: Callable[[date], str] = date.isoformat
    date: Callable[[datetime], str] = _plain_date
    fold: bool = True
    pictures: bool = True
    unfolded: frozenset[str] = field(default_factory=frozenset)

    def moment(self, when: datetime) -> str:
        """Format a moment in the reader's time zone."""
        try:
            return self.date(when.astimezone(self.timezone))
        except (OverflowError, ValueError):  # year 1 or 9999, shifted out of range
            return self.date(when)
