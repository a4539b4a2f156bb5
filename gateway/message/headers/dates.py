"""Dates of header fields: RFC 5322 §3.3, its obsolete forms, and what is found in the wild.

Nothing here may raise or read a clock. The result is aware; a missing or meaningless zone is UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

#: Plausible years of a mail; others come from a wrong clock, and would spoil the order of a mailbox.
YEARS: Final = range(1970, 2101)
#: Characters of a field that are read: dates are short.
_LIMIT: Final = 200

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan", "feb", "mar mär mrz", "apr avr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov",
            "dec dez",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_ZONES: Final = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "bst": 60, "west": 60, "cet": 60, "met": 60, "mez": 60,
    "cest": 120, "mest": 120, "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "ist": 330, "hkt": 480,
    "sgt": 480, "awst": 480, "jst": 540, "kst": 540, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
    "ast": -240, "adt": -180, "edt": -240, "est": -300, "cdt": -300, "cst": -360, "mdt": -360, "mst": -420,
    "pdt": -420, "pst": -480, "akst": -540, "hst": -600,
}  # fmt: skip

_TIME: Final = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?(?:[.,]\d{1,9})?\s*(?P<half>[ap]m\b)?"
)
_DAY: Final = r"(?P<day>\d{1,2})"
_MONTH: Final = r"(?P<month>[^\W\d_]{3,9})\.?"
_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"\b{_DAY}(?:st|nd|rd|th)?[\s./-]*{_MONTH}[\s.,/-]*(?P<year>\d{{2,4}})\b(?:[\s,:T]|at)*(?:{_TIME})?",
        rf"\b(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.]{_DAY}(?:[T\s]\s*{_TIME})?",
        rf"\b{_MONTH}\s+{_DAY},?\s+{_TIME}\s*(?P<zone>[A-Z]{{2,5}}\b(?:\s*[+-]\d{{4}})?|[+-]\d{{4}})?\s*(?P<year>\d{{4}})\b",
        rf"\b{_MONTH}\s+{_DAY},?\s+(?P<year>\d{{4}})\b(?:[\s,]|at)*(?:{_TIME})?",
    )
)
_ZONE: Final = re.compile(
    r"\s*(?P<name>[A-Za-z]{1,5})?\s*(?P<sign>[+-])?(?P<hours>\d{1,2})?:?(?P<minutes>\d{2})?"
)


def parse(value: bytes | str | None) -> tuple[datetime | None, list[str]]:
    """Parse a date leniently: an aware datetime or None, and what was wrong."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
    text = " ".join(text[:_LIMIT].replace("\0", " ").split())
    if not text:
        return None, ["date: missing"]
    for form in _FORMS:
        match = form.search(text)
        if match:
            found = _date(match, match.groupdict().get("zone") or text[match.end() :])
            if found is None:
                continue
            if found.year not in YEARS:
                return None, ["date: not a year of mail"]
            return found, []
    return None, ["date: unparsable"]


def _date(match: re.Match[str], zone: str) -> datetime | None:
    part = match.groupdict()
    try:
        month = int(part["month"]) if part["month"].isdecimal() else _MONTHS[part["month"][:3].lower()]
        when = datetime(
            _year(part["year"]),
            month,
            int(part["day"]),
            _hour(int(part["hour"] or 0), (part["half"] or "").lower()),
            int(part["minute"] or 0),
            min(int(part["second"] or 0), 59),  # a leap second becomes the second before it
            tzinfo=_zone(zone),
        )
        when.astimezone(UTC)  # overflows at the ends of the calendar, as it would later when shown
    except (KeyError, ValueError, OverflowError):
        return None
    return when


def _year(digits: str) -> int:
    """Expand a year of two or three digits (RFC 5322 §4.3); QUIRK: old Outlook Express sent "0102"."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if year < 1000 else year


def _hour(hour: int, half: str) -> int:
    return hour % 12 + (12 if half == "pm" else 0) if half and hour <= 12 else hour


def _zone(text: str) -> timezone:
    """Parse a zone: "+0200", "GMT+2", "EST", "(CEST)"; anything else is UTC (RFC 5322 §4.3, -0000)."""
    match = _ZONE.match(text.lstrip(" ("))
    if match is None:
        return UTC
    name, hours = (match["name"] or "").lower(), match["hours"]
    minutes = _ZONES.get(name, 0)
    if match["sign"] and hours:
        minutes = int(hours) * 60 + int(match["minutes"] or 0)
        minutes = -minutes if match["sign"] == "-" else minutes
    return timezone(timedelta(minutes=minutes)) if minutes and abs(minutes) < 24 * 60 else UTC
