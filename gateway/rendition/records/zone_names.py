"""Names of time zones in calendars, and the zones that they mean.

Nothing here may guess where clocks may differ: a place listed in a name counts only if its standard time has the offset
that the name gives.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from gateway.rendition.records.windows_zones import IANA

#: Characters of a name that are examined.
_LIMIT: Final = 200
_PLACE: Final = re.compile(
    r"(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific)/[\w/+-]+\Z", re.IGNORECASE
)
_COPY: Final = re.compile(r" \d{1,2}\Z")
_OFFSET: Final = re.compile(r"(?:GMT|UTC) ?(?:([+-])(\d{1,2})[:.]?([0-5]\d)?)?", re.IGNORECASE)
#: Windows' display names: "(UTC+01:00) Amsterdam, Berlin, Rome", "(GMT-05:00) Eastern Time (US & Canada)".
_DISPLAYED: Final = re.compile(r"\(([^()]{3,9})\) (.+)\Z")
_REGION: Final = re.compile(r"(\w+(?: \w+)?) Time \(US & Canada\)\Z", re.IGNORECASE)
_WINDOWS: Final = {name.casefold(): zone for name, zone in IANA.items()}
#: Days on each of which one half of the earth has standard time.
_SEASONS: Final = (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC))


@lru_cache(maxsize=256)
def known(name: str) -> tzinfo | None:
    """Return the zone of an IANA or a Windows name, in any case, also after a prefix; None for any other name."""
    name = name.strip().rstrip(".")[:_LIMIT]
    found = (
        _named(name) or _windows(name) or _windows(_COPY.sub("", name))
    )  # QUIRK: Outlook numbers zones with the same name
    if found is None and (place := _PLACE.search(name)) is not None:
        found = _named(place.group())
    behind = re.split(r"/| - ", name)[-1]
    return found or _windows(behind) or (UTC if behind.casefold() in ("utc", "z") else None)


@lru_cache(maxsize=256)
def described(name: str) -> tzinfo | None:
    """Return the zone that a name describes by its offset and places, None if that is uncertain."""
    name = name.strip()[:_LIMIT]
    fixed = _offset(name)
    if fixed is not None:
        return timezone(fixed)
    displayed = _DISPLAYED.match(name)
    offset = _offset(displayed[1]) if displayed else None
    if displayed is None or offset is None:
        return None
    region = _REGION.match(displayed[2])
    places = [place.strip().replace(" ", "_").casefold() for place in re.split(r"[,/]| - ", displayed[2])]
    region = _REGION.match(displayed[2])
    zones = [_windows(f"{region[1]} Standard Time")] if region else list(map(_places().get, places))
    universal = UTC if displayed[2].casefold().startswith("coordinated universal") else None
    return universal or next((found for found in zones if found and _standard(found) == offset), None)


def _standard(found: ZoneInfo) -> timedelta:
    """Return a zone's offset in standard time."""
    return min(
        offset for day in _SEASONS if (offset := found.utcoffset(day.replace(tzinfo=found))) is not None
    )


def _named(name: str) -> ZoneInfo | None:
    found = _names().get(name.casefold())
    return ZoneInfo(found) if found else None


def _windows(name: str) -> ZoneInfo | None:
    found = _WINDOWS.get(name.casefold())
    return _named(found) if found else None


def _offset(text: str) -> timedelta | None:
    match = _OFFSET.fullmatch(text.strip())
    if match is None or int(match[2] or 0) > 14:
        return None
    offset = timedelta(hours=int(match[2] or 0), minutes=int(match[3] or 0))
    return -offset if match[1] == "-" else offset


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones()}


@lru_cache(maxsize=1)
def _places() -> dict[str, ZoneInfo]:
    """Return the zones by the last word of their names."""
    return {
        name.rpartition("/")[2].casefold(): ZoneInfo(name)
        for name in sorted(_names().values())
        if "/" in name
    }
