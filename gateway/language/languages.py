"""Words, numbers and dates in one person's language: gettext, and short forms for narrow screens.

Nothing here may read a clock: the current time is passed in. The message catalogues are in `language/locale` (gettext
domain "pocketpost"): translators edit the .po files, the build compiles them to .mo (hatch_build.py), and only those
are read here. English needs none. How a language writes numbers and dates is in the table (Unicode CLDR 45, shortened
if a date would be longer than eight characters).
"""

from __future__ import annotations

import gettext as _gettext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from gateway.errors import CatalogueMissing

_LOCALES: Final = Path(__file__).with_name("locale")
#: The gettext context of a softkey's short label, for words that are too long for a softkey.
SOFTKEY: Final = "softkey"
#: Characters of a label that the softkeys of a 1999 phone show (Nokia 7110; WAP-191 §9.3 leaves it to the device).
SOFTKEY_WIDTH: Final = 8


def _(msgid: str) -> str:
    return msgid


_DAYS: Final = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
_MONTHS: Final = (
    _("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May"), _("Jun"),
    _("Jul"), _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec"),
)  # fmt: skip
#: Days back for which the name of a weekday is unambiguous.
_WEEKDAY_SPAN: Final = 6


@dataclass(frozen=True, slots=True)
class LanguageFormat:
    """How a language calls itself and writes numbers and dates.

    `letters`: those beyond ASCII in its catalogue, in lower case. `group` separates thousands, in numbers of `grouped`
    digits or more. `day`: a date without a year; `month`: one of another year.
    """

    name: str
    letters: str = ""
    group: str = "\u00a0"
    point: str = ","
    grouped: int = 4
    day: str = "{day} {month}"
    month: str = "{month} {year}"
    full: str = "{weekday} {day} {month} {year} {time}"


_GERMAN_DAY: Final = "{day}. {month}"
#: Months that are declined, or too long beside a year, are written as numbers.
LANGUAGES: Final = {
    "en": LanguageFormat("English", group=",", point="."),
    "de": LanguageFormat(
        "Deutsch", "äöüß", group=".", day=_GERMAN_DAY, full="{weekday} {day}. {month} {year} {time}"
    ),
    "es": LanguageFormat("Español", "áéíñóú", group=".", grouped=5),
    "fr": LanguageFormat("Français", "àçèéêîùû", month="{number}/{year}"),
    "pl": LanguageFormat("Polski", "óąćęłńśźż", grouped=5),
    "pt-BR": LanguageFormat("Português", "àáâãçéêíóôõú", group="."),
    "ru": LanguageFormat("Русский", "абвгдежзийклмнопрстуфхцчшщыьэюяё", month="{number}.{year}"),
}
ENGLISH: Final = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """One language and time zone; `gettext` and `ngettext` translate msgids."""

    tag: str = ENGLISH
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def gettext(self, msgid: str) -> str:
        return _catalogue(self.tag).gettext(msgid) if msgid else ""

    def before(self, label: str, value: str) -> str:
        """Return a value after its label."""
        return self.gettext(_("%(label)s: %(value)s")) % {"label": label, "value": value}

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return _catalogue(self.tag).ngettext(singular, plural, number)

    def number(self, value: int | float) -> str:
        """Format a number as the language does, with its thousands separator and decimal point."""
        manner = _manner(self.tag)
        whole, _point, rest = str(value).partition(".")
        grouped = f"{int(whole):,}" if len(whole.lstrip("-")) >= manner.grouped else whole
        return grouped.replace(",", manner.group) + (manner.point + rest if rest else "")

    def size(self, octets: int) -> str:
        """Write a number of octets in a few characters: "640 B", "35 KB", "1.2 MB"."""
        if octets < 1000:
            return self.gettext(_("%s B")) % octets
        if octets < 1_000_000:
            return self.gettext(_("%s KB")) % round(octets / 1000)
        unit, large = (_("%s MB"), octets / 1e6) if octets < 1_000_000_000 else (_("%s GB"), octets / 1e9)
        return self.gettext(unit) % self.number(round(large, 1) if large < 10 else round(large))

    def short_date(self, when: datetime | None, now: datetime) -> str:
        """Format a date in at most eight characters: "14:05", "Tue", "3 Nov", "Nov 2019"."""
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

    def moment(self, when: datetime | None, now: datetime) -> str:
        """Format when something came, with its time if that is recent: "Sat 16:37", "3 Nov 16:37", "Nov 2019"."""
        if when is None:
            return ""
        local, today = when.astimezone(self.zone), now.astimezone(self.zone)
        if 0 <= (today.date() - local.date()).days <= _WEEKDAY_SPAN:
            return f"{self.gettext(_DAYS[local.weekday()])} {local:%H:%M}"
        day = self.short_date(when, now)
        return f"{day} {local:%H:%M}" if local.year == today.year else day

    def clock(self, when: datetime) -> str:
        """Format a time of day, rounded up to the minute: "15:40"."""
        return f"{(when + timedelta(seconds=59)).astimezone(self.zone):%H:%M}"

    def long_date(self, when: datetime | None) -> str:
        """Format date and time in full: "Tue 3 Nov 2026 14:05"."""
        return self._date(_manner(self.tag).full, when.astimezone(self.zone)) if when else ""

    def day(self, day: date) -> str:
        """Format a date without a time: "Tue 3 Nov 2026"."""
        form = _manner(self.tag).full.removesuffix(" {time}")
        return self._date(form, datetime(day.year, day.month, day.day, tzinfo=self.zone))

    def _date(self, form: str, local: datetime) -> str:
        return form.format(
            weekday=self.gettext(_DAYS[local.weekday()]),
            day=local.day,
            month=self.gettext(_MONTHS[local.month - 1]),
            number=f"{local.month:02d}",
            year=local.year,
            time=f"{local:%H:%M}",
        )


def _manner(tag: str) -> LanguageFormat:
    return LANGUAGES.get(tag, LANGUAGES[ENGLISH])


def catalogue_path(tag: str) -> Path:
    """Return the path of a language's compiled catalogue."""
    return _LOCALES / tag.replace("-", "_") / "LC_MESSAGES" / "pocketpost.mo"


@cache
def _catalogue(tag: str) -> _gettext.NullTranslations:
    if tag == ENGLISH or tag not in LANGUAGES:
        return _gettext.NullTranslations()
    path = catalogue_path(tag)
    try:
        with path.open("rb") as file:
            return _gettext.GNUTranslations(file)
    except FileNotFoundError as error:
        raise CatalogueMissing(f"{path} is missing; `python hatch_build.py` writes it") from error


def load() -> None:
    """Read every catalogue, so that a missing one prevents the start and not a request."""
    for tag in LANGUAGES:
        _catalogue(tag)


def softkey(tag: str, label: str) -> str:
    """Return the short form of a translated label, or the label if it has none."""
    return _catalogue(tag).pgettext(SOFTKEY, label)


@lru_cache(maxsize=8)
def offered(charset: str) -> tuple[str, ...]:
    """Return the languages whose letters a charset has."""
    return tuple(tag for tag, manner in LANGUAGES.items() if _encodable(manner.letters, charset))


def _encodable(letters: str, charset: str) -> bool:
    try:
        (letters + letters.upper()).encode(charset)
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=64)
def choose(accept_language: str, offered: tuple[str, ...]) -> str:
    """Choose one of the offered tags by Accept-Language (RFC 9110 §12.5.4), English if none matches.

    A tag also matches by its primary language: "pt" and "pt-PT" match "pt-BR" if nothing else does (RFC 4647 §3.4).
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
