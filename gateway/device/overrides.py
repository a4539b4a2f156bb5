"""An administrator's overrides of the table of handsets, by patterns on the User-Agent.

Nothing here may look at anything but what it is given. An override is a row of its own: what it leaves open comes from
the table, or from the headers. The first that matches applies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import translate
from functools import lru_cache
from typing import Any, Final

from gateway.device.handsets import DeviceProfile

#: Characters of a User-Agent that a pattern is compared with.
LONGEST: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One override; None leaves a value to the table.

    `pattern`: a glob (fnmatch) for the whole User-Agent, in any case. `profile`: the row of the table to start from;
    `images`: media types, best first. The others are columns of the table.
    """

    pattern: str
    profile: str | None = None
    markup: str | None = None
    deck: int | None = None
    page: int | None = None
    screen: tuple[int, int] | None = None
    columns: int | None = None
    rows: int | None = None
    input_limit: int | None = None
    wml_version: str | None = None
    cookies: bool | None = None
    caches_regardless: bool | None = None
    attribute_references: bool | None = None
    shows_titles: bool | None = None
    images: tuple[str, ...] | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Override:
        """Make an override from the values of its options."""
        return cls(**values)

    def matches(self, agent: str) -> bool:
        """Return whether this override is for a User-Agent."""
        return _expression(self.pattern).fullmatch(agent[:LONGEST]) is not None

    def apply(self, profile: DeviceProfile) -> DeviceProfile:
        """Return a row of the table with the columns that this override sets."""
        set_here = {name: getattr(self, name) for name in _COLUMNS}
        return replace(profile, **{name: value for name, value in set_here.items() if value is not None})


#: What an override sets in a row; everything else changes how the row is chosen.
_COLUMNS: Final = tuple(
    field.name for field in fields(Override) if field.name not in ("pattern", "profile", "images")
)


def first_match(overrides: Sequence[Override], agent: str) -> Override | None:
    """Return the first override for a User-Agent."""
    return next((override for override in overrides if override.matches(agent)), None)


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern), re.IGNORECASE)
