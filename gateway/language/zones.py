"""Time zones, found by the name of a town or by the offset from UTC, as people on a keypad type them.

Nothing here may read a clock: the current time is passed in, since offsets change with the season. The names are
those of the IANA time zone database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

#: One well-known town for each offset, offered before anything is typed.
SHORT_LIST: Final = (
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Moscow", "Asia/Dubai", "Asia/Karachi",
    "Asia/Kolkata", "Asia/Dhaka", "Asia/Bangkok", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney",
    "Pacific/Noumea", "Pacific/Auckland", "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles",
    "America/Denver", "America/Chicago", "America/New_York", "America/Halifax", "America/Sao_Paulo",
    "Atlantic/South_Georgia", "Atlantic/Azores",
)  # fmt: skip
#: Characters of the typed text that are read.
LONGEST: Final = 40
_HOURS: Final = re.compile(r"(?:UTC|GMT)?\s*([+-])\s*(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)


def find(text: str, now: datetime) -> tuple[str, ...]:
    """Find the zones of a town, or those with this current offset from UTC; towns that begin with the text come
    first."""
    text = text.strip()[:LONGEST].replace("−", "-")
    hours = _HOURS.fullmatch(text)
    if hours:
        minutes = int(hours[2]) * 60 + int(hours[3] or 0)
        wanted = timedelta(minutes=-minutes if hours[1] == "-" else minutes)
        known = {name: index for index, name in enumerate(SHORT_LIST)}
        same = (name for name in _names() if now.astimezone(ZoneInfo(name)).utcoffset() == wanted)
        return tuple(sorted(same, key=lambda name: (known.get(name, len(known)), name)))
    typed = _plain(text)
    if not typed:
        return ()
    matches = ((_plain(name), name) for name in _names())
    found = [(not _town(plain).startswith(typed), name) for plain, name in matches if typed in plain]
    return tuple(name for _later, name in sorted(found))


def label(name: str, now: datetime) -> str:
    """Format a zone as its town and its offset from UTC: "New York, UTC-5"."""
    offset = now.astimezone(ZoneInfo(name)).utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    hours_from = f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "") if minutes else "UTC"
    town = _town(name).replace("_", " ")
    return hours_from if town == hours_from else f"{town}, {hours_from}"


def distinct(candidates: Sequence[str], most: int) -> tuple[str, ...]:
    """Return as many names as a page has room for, without duplicates, in order."""
    return tuple(dict.fromkeys(candidates))[:most]


@cache
def _names() -> tuple[str, ...]:
    """List the zones that are named after a place; the others are older names of the same zones."""
    return tuple(
        sorted(
            name
            for name in available_timezones()
            if name == "UTC" or re.match(r"(?!Etc/|US/)[A-Z]\w+/", name)
        )
    )


def _town(name: str) -> str:
    return name.rpartition("/")[2]


def _plain(text: str) -> str:
    """Remove case, accents and word separators."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if sign.isalnum() or sign == "/")
