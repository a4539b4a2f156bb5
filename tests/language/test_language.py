"""language: short dates and the choice of a language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.language import Language, choose

NOW = datetime(2026, 11, 6, 15, 0, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (NOW.replace(hour=14, minute=5), "14:05"),
        (NOW.replace(hour=23, minute=30), "23:30"),
        (NOW - timedelta(days=3), "Tue"),
        (NOW - timedelta(days=6), "Sat"),
        (NOW - timedelta(days=7), "30 Oct"),
        (NOW + timedelta(days=1), "7 Nov"),
        (datetime(2019, 11, 3, tzinfo=UTC), "Nov 2019"),
        (None, ""),
    ],
)
def test_short_dates(when: datetime | None, said: str) -> None:
    assert Language().short_date(when, NOW) == said


def test_the_zone_moves_midnight() -> None:
    late = datetime(2026, 11, 5, 23, 30, tzinfo=UTC)
    assert Language("en", ZoneInfo("Europe/Berlin")).short_date(late, NOW) == "00:30"
    assert Language("en").short_date(late, NOW) == "Thu"
    assert Language("en", ZoneInfo("Europe/Berlin")).long_date(late) == "Fri 6 Nov 2026 00:30"


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("de-AT, en;q=0.5", "de"),
        ("pt-BR", "pt-BR"),
        ("en;q=0.5, fr;q=0.7", "fr"),
        ("xx, *;q=0.1", "en"),
        ("de;q=0, fr;q=bad", "en"),
        ("", "en"),
    ],
)
def test_accept_language(header: str, tag: str) -> None:
    assert choose(header, ("en", "de", "fr", "pt-BR")) == tag
