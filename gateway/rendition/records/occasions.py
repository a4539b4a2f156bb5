"""When an event takes place: moments in the reader's time zone, durations, recurrence in words (RFC 5545).

Nothing here may fail on what a calendar program writes, or put half of a rule into words: a zone is looked up by its
Windows name, then by its VTIMEZONE, then named as it is; a rule without words here is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final

from gateway.rendition.context import Context
from gateway.rendition.records import zone_names


def _(msgid: str) -> str:
    return msgid


#: Parts of a rule, and characters of a zone's name, that are read.
_RULE_LIMIT: Final = 20
_LIST_LIMIT: Final = 12

_DURATION: Final = re.compile(
    r"([+-]?)P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?\Z",
    re.IGNORECASE,
)
_OFFSET: Final = re.compile(r"([+-])(\d\d)(\d\d)(?:\d\d)?\Z")
_WEEKDAYS: Final = {"MO": "Mon", "TU": "Tue", "WE": "Wed", "TH": "Thu", "FR": "Fri", "SA": "Sat", "SU": "Sun"}
_NUMBERED_DAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)\Z")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NTH: Final = {
    1: _("first %(day)s"),
    2: _("second %(day)s"),
    3: _("third %(day)s"),
    4: _("fourth %(day)s"),
    5: _("fifth %(day)s"),
    -1: _("last %(day)s"),
    -2: _("second-to-last %(day)s"),
}
#: Parts of a rule that have words, and one that changes nothing.
_WORDED_PARTS: Final = frozenset(
    ("FREQ", "INTERVAL", "BYDAY", "BYSETPOS", "BYMONTHDAY", "BYMONTH", "COUNT", "UNTIL", "WKST")
)
_WORKING: Final = frozenset(_WEEKDAYS) - {"SA", "SU"}


@dataclass(frozen=True, slots=True)
class Observance:
    """A standard or daylight time of a VTIMEZONE: when it first began, its offset, and the month and day when it
    begins."""

    start: datetime
    offset: timedelta
    month: int = 0
    nth: int = 0
    weekday: int = -1

    def onset(self, year: int) -> datetime:
        """Return when it begins in a year, in local time."""
        if not self.month or self.weekday < 0 or year < self.start.year:
            return self.start
        first = self.start.replace(year=year, month=self.month, day=1)
        if self.nth > 0:
            return first + timedelta(days=(self.weekday - first.weekday()) % 7 + 7 * (self.nth - 1))
        following = first.replace(year=year + self.month // 12, month=self.month % 12 + 1)
        last = following - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - self.weekday) % 7)


Zones = Mapping[str, tuple[Observance, ...]]


def observance(properties: Mapping[str, str]) -> Observance | None:
    """Parse one STANDARD or DAYLIGHT of a VTIMEZONE (RFC 5545 §3.6.5)."""
    match = _OFFSET.match(properties.get("TZOFFSETTO", "").strip())
    start = _local(properties.get("DTSTART", "")) or datetime(1970, 1, 1)  # noqa: DTZ001  # local time
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3])) * (-1 if match[1] == "-" else 1)
    rule = _parts(properties.get("RRULE", ""))
    day = _NUMBERED_DAY.match(rule.get("BYDAY", ""))
    month = rule.get("BYMONTH", "")
    if (
        day is None
        or not month.isdecimal()
        or not 1 <= int(month) <= 12
        or abs(offset) >= timedelta(hours=24)
    ):
        return Observance(start, offset) if abs(offset) < timedelta(hours=24) else None
    return Observance(start, offset, int(month), int(day[1] or 1), list(_WEEKDAYS).index(day[2]))


def zone(name: str, zones: Zones, local: datetime) -> tzinfo | None:
    """Find the zone that a calendar program means by a name, at a local time; None if it is unknown."""
    found = zone_names.known(name)
    if found is not None:
        return found
    offset = _observed(zones.get(name, ()), local)
    return timezone(offset) if offset is not None else zone_names.described(name)


def _observed(observances: tuple[Observance, ...], local: datetime) -> timedelta | None:
    """Return the offset of a VTIMEZONE at a local time."""
    onsets = [(one.onset(year), one.offset) for one in observances for year in (local.year - 1, local.year)]
    begun = [onset for onset in onsets if onset[0] <= local]
    return max(begun or onsets, key=lambda onset: onset[0])[1] if onsets else None


def _local(value: str) -> datetime | None:
    digits = value.strip().rstrip("Zz")
    for form in ("%Y%m%dT%H%M%S", "%Y%m%dT%H%M", "%Y%m%d"):
        try:
            return datetime.strptime(digits, form)  # noqa: DTZ007  # the zone comes later
        except ValueError:
            continue
    return None


def is_day(value: str) -> bool:
    """Return whether a value is a date without a time (RFC 5545 §3.3.4)."""
    return len(value.strip()) == 8


def moment(context: Context, value: str, name: str, zones: Zones, after: timedelta = timedelta()) -> str:
    """Format a DATE or DATE-TIME, `after` later; `name`: its TZID, '' if it has none."""
    local = _local(value)
    if local is None:
        return ""
    try:
        if is_day(value):
            return context.day((local + after).date())
        if value.strip()[-1:] in "Zz":
            return context.moment(local.replace(tzinfo=UTC) + after)
        if not name:
            return (local + after).strftime("%Y-%m-%d %H:%M")
        found = zone(name, zones, local)
        if found is None:
            return f"{local + after:%Y-%m-%d %H:%M} ({name})"
        begins = local.replace(tzinfo=found).astimezone(UTC)  # a duration is elapsed time, whatever clocks do
        return context.moment(
            begins + after if after < timedelta(days=1) else (local + after).replace(tzinfo=found)
        )
    except (OverflowError, ValueError):
        return ""


def _here(context: Context, universal: datetime) -> datetime:
    """Return a time in the reader's zone."""
    try:
        return universal.replace(tzinfo=UTC).astimezone(context.timezone)
    except (OverflowError, ValueError):
        return universal


def day(value: str) -> date | None:
    """Parse a date without a time."""
    local = _local(value) if is_day(value) else None
    return local.date() if local else None


def duration(value: str) -> timedelta | None:
    """Parse a duration (RFC 5545 §3.3.6)."""
    match = _DURATION.match(value.strip())
    if match is None:
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if match[1] == "-" else length


def _parts(rule: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in rule.strip().upper().split(";")[:_RULE_LIMIT])
    return {name.strip(): value.strip() for name, _sign, value in pairs if value}


def recurrence(context: Context, rule: str) -> str:
    """Put a recurrence rule into words (RFC 5545 §3.3.10); one without words here is returned as it is."""
    parts = _parts(rule)
    interval = int(parts["INTERVAL"]) if parts.get("INTERVAL", "").isdecimal() else 1
    every = _every(context, parts.get("FREQ", ""), min(max(interval, 1), 9999))
    when = [_days(context, parts), _month_days(context, parts), _months(context, parts)]
    long = any(value.count(",") >= _LIST_LIMIT for value in parts.values())
    if not every or long or not _WORDED_PARTS.issuperset(parts) or None in when:
        return rule.strip()
    said = [word for words in when for word in words or ()]
    return ", ".join([every, *said, *_end(context, parts)])


def _list(parts: Mapping[str, str], name: str) -> list[str]:
    return [one.strip() for one in parts.get(name, "").split(",") if one.strip()]


def _days(context: Context, parts: Mapping[str, str]) -> list[str] | None:
    """Put the days of the week into words; None if there are none, as below."""
    found = [_NUMBERED_DAY.match(one) for one in _list(parts, "BYDAY")]
    days = [(one[1] or "", one[2]) for one in found if one]
    place = parts.get("BYSETPOS", "")
    if len(days) < len(found) or (place and any(nth for nth, _day in days)):
        return None
    if not place:
        return _each(_weekday(context, nth, context.translate(_WEEKDAYS[day])) for nth, day in days)
    match frozenset(day for _nth, day in days):
        case alone if len(alone) == 1:
            return _each([_weekday(context, place, context.translate(_WEEKDAYS[days[0][1]]))])
        case working if working == _WORKING:
            return _each([_weekday(context, place, context.translate(_("working day")))])
        case every if every == frozenset(_WEEKDAYS):
            return _each([_weekday(context, place, context.translate(_("day")))])
    return None


def _weekday(context: Context, nth: str, shown: str) -> str | None:
    if not nth:
        return shown
    form = _NTH.get(int(nth)) if re.fullmatch(r"[+-]?\d{1,2}", nth) else None
    return context.translate(form) % {"day": shown} if form else None


def _month_days(context: Context, parts: Mapping[str, str]) -> list[str] | None:
    def said(number: str) -> str | None:
        if number == "-1":
            return context.translate(_("on the last day"))
        known = number.isdecimal() and len(number) <= 2
        return context.translate(_("on day %(number)d")) % {"number": int(number)} if known else None

    return _each(map(said, _list(parts, "BYMONTHDAY")))


def _months(context: Context, parts: Mapping[str, str]) -> list[str] | None:
    numbers = [int(one) if one.isdecimal() and len(one) <= 2 else 0 for one in _list(parts, "BYMONTH")]
    return _each(context.translate(_MONTHS[one - 1]) if 1 <= one <= 12 else None for one in numbers)


def _each(words: Iterable[str | None]) -> list[str] | None:
    found = list(words)
    said = [word for word in found if word is not None]
    return said if len(said) == len(found) else None


def _every(context: Context, frequency: str, number: int) -> str:
    match frequency:
        case "DAILY":
            said = context.ngettext("every day", "every %(number)d days", number)
        case "WEEKLY":
            said = context.ngettext("every week", "every %(number)d weeks", number)
        case "MONTHLY":
            said = context.ngettext("every month", "every %(number)d months", number)
        case "YEARLY":
            said = context.ngettext("every year", "every %(number)d years", number)
        case "HOURLY":
            said = context.ngettext("every hour", "every %(number)d hours", number)
        case "MINUTELY":
            said = context.ngettext("every minute", "every %(number)d minutes", number)
        case _:
            return ""
    return said % {"number": number}


def _end(context: Context, parts: Mapping[str, str]) -> list[str]:
    """Say how often, or until when."""
    if parts.get("COUNT", "").strip("0").isdecimal():
        number = min(int(parts["COUNT"]), 99_999)
        return [context.ngettext("%(number)d time", "%(number)d times", number) % {"number": number}]
    until = _local(parts.get("UNTIL", ""))
    if until is not None and parts["UNTIL"].endswith("Z"):
        until = _here(context, until)
    return [context.translate(_("until %(date)s")) % {"date": context.day(until.date())}] if until else []
