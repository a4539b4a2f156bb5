"""zones: found by town or by offset, shown with their current offset."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.language import zones

WINTER = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
SUMMER = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ber", "Atlantic/Bermuda"),
        ("Berlin", "Europe/Berlin"),
        (" NEW york ", "America/New_York"),
        ("são paulo", "America/Sao_Paulo"),
        ("asia/tok", "Asia/Tokyo"),
        ("+5:30", "Asia/Kolkata"),
        ("+0530", "Asia/Kolkata"),
        ("UTC-3", "America/Sao_Paulo"),
        ("gmt +9", "Asia/Tokyo"),
        ("−8", "America/Los_Angeles"),
        ("+0", "UTC"),
    ],
)
def test_a_zone_is_found(text: str, name: str) -> None:
    assert zones.find(text, WINTER)[0] == name


@pytest.mark.parametrize("text", ["", " ", "nowhere", "+25", "+1:75", "Etc/GMT+5", "../../etc"])
def test_nothing_is_found(text: str) -> None:
    assert zones.find(text, WINTER) == ()


def test_hours_are_those_of_the_day() -> None:
    assert "Europe/Berlin" in zones.find("+1", WINTER)
    assert "Europe/Berlin" in zones.find("+2", SUMMER)
    assert "Europe/Berlin" not in zones.find("+1", SUMMER)


@pytest.mark.parametrize(
    ("name", "winter", "summer"),
    [
        ("UTC", "UTC", "UTC"),
        ("Europe/London", "London, UTC", "London, UTC+1"),
        ("America/New_York", "New York, UTC-5", "New York, UTC-4"),
        ("Asia/Kathmandu", "Kathmandu, UTC+5:45", "Kathmandu, UTC+5:45"),
        ("America/St_Johns", "St Johns, UTC-3:30", "St Johns, UTC-2:30"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires, UTC-3", "Buenos Aires, UTC-3"),
    ],
)
def test_a_zone_is_said_with_its_hours(name: str, winter: str, summer: str) -> None:
    assert (zones.label(name, WINTER), zones.label(name, SUMMER)) == (winter, summer)


@given(st.text(max_size=60))
def test_whatever_is_typed_only_zones_are_found(text: str) -> None:
    assert all(ZoneInfo(name) for name in zones.find(text, WINTER)[:5])


def test_the_short_list_goes_around_the_world() -> None:
    hours = {
        day.astimezone(ZoneInfo(name)).utcoffset().total_seconds() // 3600
        for name in zones.SHORT_LIST
        for day in (WINTER, SUMMER)
    }
    assert {*range(-10, 14)} <= hours


def test_a_page_has_each_zone_once() -> None:
    assert zones.distinct(("a", "b", "a", "c"), 2) == ("a", "b")
