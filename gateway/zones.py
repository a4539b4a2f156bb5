"""Time zones as a person on a keypad finds them: by the town they are named after, or by hours from UTC.

Nothing here may read a clock: the present comes in, since hours from UTC change with the season. The names are
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

#: One well-known town for each hour of the day, offered before anybody has typed anything.
SHORT_LIST: Final = (
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Moscow", "Asia/Dubai", "Asia/Karachi",
    "Asia/Kolkata", "Asia/Dhaka", "Asia/Bangkok", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney",
    "Pacific/Noumea", "Pacific/Auckland", "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles",
    "America/Denver", "America/Chicago", "America/New_York", "America/Halifax", "America/Sao_Paulo",
    "Atlantic/South_Georgia", "Atlantic/Azores",
)  # fmt: skip
#: Characters of what is typed that are looked at.
LONGEST: Final = 40
_HOURS: Final = re.compile(r"(?:UTC|GMT)?\s*([+-])\s*(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)


def find(text: str, now: datetime) -> tuple[str, ...]:
    """Name the zones of a town, or of hours from UTC as they are now; towns that begin with the text come first."""
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


def said(name: str, now: datetime) -> str:
    """Say a zone by its town and its hours from UTC: "New York, UTC-5"."""
    offset = now.astimezone(ZoneInfo(name)).utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    hours_from = f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "") if minutes else "UTC"
    town = _town(name).replace("_", " ")
    return hours_from if town == hours_from else f"{town}, {hours_from}"


def chosen(candidates: Sequence[str], most: int) -> tuple[str, ...]:
    """Choose what a page has room for: each name once, in its order."""
    return tuple(dict.fromkeys(candidates))[:most]


@cache
def _names() -> tuple[str, ...]:
    """Name the zones that are called after a place; the others are older names of the same."""
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
    """Take away case, accents and what parts words."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if sign.isalnum() or sign == "/")
