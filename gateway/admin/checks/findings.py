"""The lines of a report to an administrator.

Nothing here may know what was examined, except when a certificate is worth a remark.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

EXPIRY_NOTICE = timedelta(days=21)
"""Certificates that are valid for longer get no remark; they are usually renewed 30 days before."""


class Verdict(Enum):
    """The severity of a finding; only BAD makes the check fail."""

    HEAD = ""
    GOOD = "ok"
    NOTE = "note"
    BAD = "FAIL"


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One line of the report."""

    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return self.text if self.verdict is Verdict.HEAD else f"  {self.verdict.value:<5}{self.text}"


def good(text: str) -> ReportLine:
    """Return a finding that something is as it should be."""
    return ReportLine(Verdict.GOOD, text)


def note(text: str) -> ReportLine:
    """Return a finding that deserves thought."""
    return ReportLine(Verdict.NOTE, text)


def bad(text: str) -> ReportLine:
    """Return a finding that something will not work."""
    return ReportLine(Verdict.BAD, text)


def remaining(expires: datetime, now: datetime) -> ReportLine:
    """Return how long a certificate is still valid."""
    day = f"{expires.astimezone(UTC):%Y-%m-%d}"
    if expires <= now:
        return bad(f"expired on {day}: it has to be renewed")
    until = f"valid until {day}, {(expires - now).days} days from now"
    return note(f"{until}: renew it soon") if expires - now < EXPIRY_NOTICE else good(until)
