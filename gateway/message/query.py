"""Search queries as people type them: `lamp from:bob since:7d larger:2m "two words" -is:flagged`.

Nothing here may know a protocol, read a clock (today is passed in) or raise anything but BadQuery, which has
the piece that was not understood. All terms must match. `str` returns a query in canonical form, which parses
to the same value. The names are those of RFC 9051 §6.4.4.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, TypeAlias


def _(msgid: str) -> str:
    return msgid


#: Characters and terms of a query: as many as fit a phone's input, and an IMAP command line with room to spare.
LONGEST: Final = 300
MOST_TERMS: Final = 16
#: The largest size in octets that IMAP can search for (RFC 9051 §9, number).
LARGEST: Final = 0xFFFFFFFF
YEARS: Final = range(1970, 2101)

CriterionValue: TypeAlias = str | int | date

TOO_LONG: Final = _("That is too long. Leave some words out.")
UNCLOSED: Final = _("A quotation mark is missing: %(piece)s")
UNKNOWN: Final = _("Not understood: %(piece)s Put it in quotation marks to search for it as text.")
EMPTY: Final = _("Something is missing after %(piece)s")
NO_DATE: Final = _("Not a date: %(piece)s Write 2026-11-03, 3.11.2026, 11/2026 or 7d.")
NO_SIZE: Final = _("Not a size: %(piece)s Write 500k or 2m.")


class BadQuery(ValueError):
    """A query that was not understood; `reason` is a msgid with %(piece)s in it."""

    def __init__(self, reason: str, piece: str = "") -> None:
        super().__init__(reason % {"piece": piece})
        self.reason, self.piece = reason, piece


@dataclass(frozen=True, slots=True)
class Term:
    """One condition, or its negation. `key` is "word" or one of KEYS; words and the values of `is`, `has` are str."""

    key: str
    value: CriterionValue
    negated: bool = False

    def __str__(self) -> str:
        name = "" if self.key == "word" else f"{self.key}:"
        return f"{'-' * self.negated}{name}{_written(self)}"


@dataclass(frozen=True, slots=True)
class Query:
    """Conditions that must all match; if there are none, every message does."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __add__(self, other: Query) -> Query:
        return Query(self.terms + tuple(term for term in other.terms if term not in self.terms))

    @property
    def is_approximate(self) -> bool:
        """Return whether IMAP has no search key for a term, so that an approximation is used."""
        return any(term.key == "has" for term in self.terms)


def flag(name: str, present: bool = True) -> Query:
    """Make a query for one state of a message: "unread", "flagged" or "answered"."""
    return Query((Term("is", name, not present),))


_STATES: Final = {
    "unread": ("unread", False), "unseen": ("unread", False), "new": ("unread", False),
    "read": ("unread", True), "seen": ("unread", True),
    "flagged": ("flagged", False), "starred": ("flagged", False), "unflagged": ("flagged", True),
    "answered": ("answered", False), "replied": ("answered", False), "unanswered": ("answered", True),
}  # fmt: skip
_HAVINGS: Final = frozenset({"attachment", "attachments"})
_UNITS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}

_BLANKS: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
#: What phones and people type for the ASCII quotation mark.
_QUOTES: Final = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_PIECE: Final = re.compile(
    r' *+(?P<negated>-(?=[^ ]))?(?:(?P<key>[A-Za-z]+):)?(?: *"(?P<quoted>[^"]*)"(?= |\Z)'
    r'| *(?!-?[A-Za-z]+:)(?P<apart>[^ "]+)(?= |\Z)|(?P<bare>[^ "]*)(?= |\Z))'
)
_DATE_FORMS: Final = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})\Z", re.ASCII),
    re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})\Z", re.ASCII),
    re.compile(r"(?P<month>\d{1,2})[/.](?P<year>\d{4})\Z", re.ASCII),
    re.compile(r"(?P<year>\d{4})(?:[-/](?P<month>\d{1,2}))?\Z", re.ASCII),
)
_AGO: Final = re.compile(r"(\d{1,4})([dwmy])\Z", re.ASCII)
_DAYS: Final = {"d": 1, "w": 7}
_MONTHS: Final = {"m": 1, "y": 12}
_SIZE: Final = re.compile(r"(\d{1,10})([kmg]?)b?\Z", re.ASCII)


def parse(text: str, today: date) -> Query:
    """Parse what a person has typed; raise nothing but BadQuery."""
    text = _BLANKS.sub(" ", unicodedata.normalize("NFC", text).translate(_QUOTES)).strip()
    if len(text) > LONGEST:
        raise BadQuery(TOO_LONG)
    terms: list[Term] = []
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            raise BadQuery(UNCLOSED, text[at:].strip())
        at = found.end()
        term = _term(found, today)
        if term not in terms:
            terms.append(term)
    if len(terms) > MOST_TERMS:
        raise BadQuery(TOO_LONG)
    return Query(tuple(terms))


def _term(found: re.Match[str], today: date) -> Term:
    negated = found["negated"] is not None
    value = next(
        (text.strip() for text in (found["quoted"], found["apart"], found["bare"]) if text is not None), ""
    )
    piece = found[0].strip()
    name = (found["key"] or "").lower()
    if not value:
        raise BadQuery(EMPTY, piece)
    if not name:
        return Term("word", value, negated)
    read = KEYS.get(name)
    if read is None:
        raise BadQuery(UNKNOWN, piece)
    term = read(name, value, piece, today)
    return Term(term.key, term.value, term.negated != negated)


def _letters(name: str, value: str, piece: str, today: date) -> Term:
    return Term(name, value)


def _state(name: str, value: str, piece: str, today: date) -> Term:
    state = _STATES.get(value.lower())
    if state is None:
        raise BadQuery(UNKNOWN, piece)
    return Term(name, *state)


def _having(name: str, value: str, piece: str, today: date) -> Term:
    if value.lower() not in _HAVINGS:
        raise BadQuery(UNKNOWN, piece)
    return Term(name, "attachment")


def _size(name: str, value: str, piece: str, today: date) -> Term:
    found = _SIZE.match(value.lower())
    octets = int(found[1]) * _UNITS[found[2]] if found else LARGEST + 1
    if octets > LARGEST:
        raise BadQuery(NO_SIZE, piece)
    return Term(name, octets)


def _day(name: str, value: str, piece: str, today: date) -> Term:
    try:
        day = _ago(value.lower(), today) or _calendar(value)
    except (ValueError, OverflowError):
        day = None
    if day is None or day.year not in YEARS:
        raise BadQuery(NO_DATE, piece)
    return Term(name, day)


def _calendar(value: str) -> date | None:
    """Parse a day; a month or a year alone means its first day."""
    for form in _DATE_FORMS:
        found = form.match(value)
        if found:
            parts = {"month": None, "day": None} | found.groupdict()
            return date(int(parts["year"] or 0), int(parts["month"] or 1), int(parts["day"] or 1))
    return None


def _ago(value: str, today: date) -> date | None:
    """Parse a time before today: "7d", "2w", "3m", "1y"."""
    found = _AGO.match(value)
    if not found:
        return None
    if found[2] in _DAYS:
        return today - timedelta(days=int(found[1]) * _DAYS[found[2]])
    month = today.year * 12 + today.month - 1 - int(found[1]) * _MONTHS[found[2]]
    for day in (today.day, 30, 29):
        try:
            return date(month // 12, month % 12 + 1, day)
        except ValueError:  # the month is shorter
            continue
    return date(month // 12, month % 12 + 1, 28)


#: Every name before a colon, with the parser of its value.
KEYS: Final[dict[str, Callable[[str, str, str, date], Term]]] = {
    "from": _letters, "to": _letters, "subject": _letters, "text": _letters,
    "before": _day, "since": _day, "larger": _size, "smaller": _size, "has": _having, "is": _state,
}  # fmt: skip


def _written(term: Term) -> str:
    value = term.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        unit = next((u for u in ("g", "m", "k") if value and value % _UNITS[u] == 0), "")
        return f"{value // _UNITS[unit]}{unit}"
    # Quote what would be read as something else, or would end too soon.
    plain = " " not in value and not re.match(r"-|[A-Za-z]+:", value)
    return value if plain else f'"{value}"'


__all__ = ["KEYS", "BadQuery", "Query", "Term", "flag", "parse"]
