"""Words, numbers and dates for one person: gettext, and short forms for narrow screens.

Nothing here may read a clock: the present comes in as a value. Message catalogues lie in `gateway/locale`
(gettext domain "pocketpost"); a language without one speaks English.
"""

from __future__ import annotations

import gettext as _gettext
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

_LOCALES: Final = Path(__file__).with_name("locale")


def _(msgid: str) -> str:
    return msgid


_DAYS: Final = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
_MONTHS: Final = (
    _("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May"), _("Jun"),
    _("Jul"), _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec"),
)  # fmt: skip
#: Days for which a weekday's name says unambiguously which day is meant.
_WEEKDAY_SPAN: Final = 6


@dataclass(frozen=True, slots=True)
class Language:
    """One language and time zone; `gettext` and `ngettext` translate msgids."""

    tag: str = "en"
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def gettext(self, msgid: str) -> str:
        return _catalogue(self.tag).gettext(msgid) if msgid else ""

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return _catalogue(self.tag).ngettext(singular, plural, number)

    def number(self, value: int) -> str:
        """Group digits by thousands."""
        return f"{value:,}"

    def short_date(self, when: datetime | None, now: datetime) -> str:
        """Say a date in at most eight characters: "14:05", "Tue", "3 Nov", "Nov 2019"."""
        if when is None:
            return ""
        local, today = when.astimezone(self.zone), now.astimezone(self.zone)
        days = (today.date() - local.date()).days
        if days == 0:
            return f"{local:%H:%M}"
        if 0 < days <= _WEEKDAY_SPAN:
            return self.gettext(_DAYS[local.weekday()])
        month = self.gettext(_MONTHS[local.month - 1])
        return f"{local.day} {month}" if local.year == today.year else f"{month} {local.year}"

    def long_date(self, when: datetime | None) -> str:
        """Say date and time in full: "Tue 3 Nov 2026 14:05"."""
        if when is None:
            return ""
        local = when.astimezone(self.zone)
        day, month = self.gettext(_DAYS[local.weekday()]), self.gettext(_MONTHS[local.month - 1])
        return f"{day} {local.day} {month} {local.year} {local:%H:%M}"


@lru_cache(maxsize=32)
def _catalogue(tag: str) -> _gettext.NullTranslations:
    return _gettext.translation("pocketpost", str(_LOCALES), [tag.replace("-", "_")], fallback=True)


def available() -> tuple[str, ...]:
    """Name the languages there are catalogues for, and English."""
    found = {
        path.parent.parent.name.replace("_", "-") for path in _LOCALES.glob("*/LC_MESSAGES/pocketpost.mo")
    }
    return ("en", *sorted(found - {"en"}))


def choose(accept_language: str, offered: Iterable[str]) -> str:
    """Choose by Accept-Language (RFC 9110 §12.5.4) among the offered tags; English when none fits."""
    wanted: list[tuple[float, str]] = []
    for item in accept_language[:1024].split(","):
        tag, _, rest = item.strip().partition(";")
        try:
            q = float(rest.partition("=")[2]) if rest else 1.0
        except ValueError:
            q = 0.0
        if tag and q > 0:
            wanted.append((-q, tag.strip().lower()))
    tags = {tag.lower(): tag for tag in offered}
    for _q, tag in sorted(wanted, key=lambda pair: pair[0]):
        for candidate in (tag, tag.partition("-")[0]):
            if candidate in tags:
                return tags[candidate]
    return "en"
