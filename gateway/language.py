"""Words, numbers and dates for one person: gettext, and short forms for narrow screens.

Nothing here may read a clock: the present comes in as a value. Message catalogues lie in `gateway/locale`
(gettext domain "pocketpost"); a language without one speaks English, which needs none. How a language writes
numbers and dates stands in the table (Unicode CLDR 45, shortened to eight characters where that is longer).
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

from gateway import catalogue

_LOCALES: Final = Path(__file__).with_name("locale")
#: The context of a softkey's label, where the usual word is too long for one.
SOFTKEY: Final = "softkey"
#: Characters that a softkey of 1999 shows of its label (Nokia 7110: WAP-191 §9.3 leaves it to the device).
SOFTKEY_WIDTH: Final = 8


def _(msgid: str) -> str:
    return msgid


_DAYS: Final = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
_MONTHS: Final = (
    _("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May"), _("Jun"),
    _("Jul"), _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec"),
)  # fmt: skip
#: A charset that can say everything, so that no catalogue needs to be read to find out.
_EVERY_LETTER: Final = "utf-8"
#: Days for which a weekday's name says unambiguously which day is meant.
_WEEKDAY_SPAN: Final = 6


@dataclass(frozen=True, slots=True)
class Manner:
    """How a language calls itself and writes numbers and dates.

    `group` parts thousands, from numbers of `grouped` digits on. `day`: without a year; `month`: of another year.
    """

    name: str
    group: str = "\u00a0"
    point: str = ","
    grouped: int = 4
    day: str = "{day} {month}"
    month: str = "{month} {year}"
    full: str = "{weekday} {day} {month} {year} {time}"


_GERMAN_DAY: Final = "{day}. {month}"
#: Months that are declined, or too long with a year, stand as numbers there.
MANNERS: Final = {
    "en": Manner("English", ",", "."),
    "de": Manner("Deutsch", ".", day=_GERMAN_DAY, full="{weekday} {day}. {month} {year} {time}"),
    "es": Manner("Español", ".", grouped=5),
    "fr": Manner("Français", month="{number}/{year}"),
    "pl": Manner("Polski", grouped=5),
    "pt-BR": Manner("Português", "."),
    "ru": Manner("Русский", month="{number}.{year}"),
}
ENGLISH: Final = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """One language and time zone; `gettext` and `ngettext` translate msgids."""

    tag: str = ENGLISH
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def gettext(self, msgid: str) -> str:
        return _catalogue(self.tag).gettext(msgid) if msgid else ""

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return _catalogue(self.tag).ngettext(singular, plural, number)

    def number(self, value: int | float) -> str:
        """Write a number as the language does: digits grouped by thousands, a decimal point of its own."""
        manner = _manner(self.tag)
        whole, _point, rest = str(value).partition(".")
        grouped = f"{int(whole):,}" if len(whole.lstrip("-")) >= manner.grouped else whole
        return grouped.replace(",", manner.group) + (manner.point + rest if rest else "")

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
        manner = _manner(self.tag)
        return self._date(manner.day if local.year == today.year else manner.month, local)

    def long_date(self, when: datetime | None) -> str:
        """Say date and time in full: "Tue 3 Nov 2026 14:05"."""
        return self._date(_manner(self.tag).full, when.astimezone(self.zone)) if when else ""

    def _date(self, form: str, local: datetime) -> str:
        return form.format(
            weekday=self.gettext(_DAYS[local.weekday()]),
            day=local.day,
            month=self.gettext(_MONTHS[local.month - 1]),
            number=f"{local.month:02d}",
            year=local.year,
            time=f"{local:%H:%M}",
        )


def _manner(tag: str) -> Manner:
    return MANNERS.get(tag, MANNERS[ENGLISH])


def catalogue_path(tag: str) -> Path:
    """Say where the catalogue of a language lies."""
    return _LOCALES / tag.replace("-", "_") / "LC_MESSAGES" / "pocketpost.po"


@lru_cache(maxsize=32)
def _entries(tag: str) -> tuple[catalogue.Entry, ...]:
    path = catalogue_path(tag)
    return catalogue.read(path) if tag in MANNERS and path.exists() else ()


@lru_cache(maxsize=32)
def _catalogue(tag: str) -> _gettext.NullTranslations:
    entries = _entries(tag)
    return catalogue.translations(entries) if entries else _gettext.NullTranslations()


@lru_cache(maxsize=32)
def _shorts(tag: str) -> dict[str, str]:
    """Map the words of a language that are too long for a softkey to their short forms."""
    words = _catalogue(tag)
    return {
        words.gettext(entry.msgid): entry.strings[0]
        for entry in _entries(tag)
        if entry.context == SOFTKEY and entry.done
    }


def softkey(tag: str, label: str) -> str:
    """Say a label, in the words of a language, as a softkey has room for it."""
    return _shorts(tag).get(label, label)


def available() -> tuple[str, ...]:
    """Name the languages there are catalogues for, and English."""
    return tuple(tag for tag in MANNERS if tag == ENGLISH or catalogue_path(tag).exists())


@lru_cache(maxsize=8)
def offered(charset: str) -> tuple[str, ...]:
    """Name the languages whose letters a device of this charset can show."""
    return tuple(tag for tag in available() if _shown(tag, charset))


def _shown(tag: str, charset: str) -> bool:
    if charset == _EVERY_LETTER:
        return True
    words = [MANNERS[tag].name, *(text for entry in _entries(tag) for text in entry.strings if entry.msgid)]
    letters = {letter for text in words for letter in text if letter.isalpha()}
    try:
        "".join(letters).encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def choose(accept_language: str, offered: Iterable[str]) -> str:
    """Choose by Accept-Language (RFC 9110 §12.5.4) among the offered tags; English when none fits.

    A tag is as good as its language: "pt" and "pt-PT" take "pt-BR" where there is no other (RFC 4647 §3.4).
    """
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
    primary = {tag.partition("-")[0]: whole for tag, whole in tags.items()}
    for _q, tag in sorted(wanted, key=lambda pair: pair[0]):
        found = tags.get(tag) or primary.get(tag.partition("-")[0])
        if found:
            return found
    return ENGLISH
