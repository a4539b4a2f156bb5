"""Dates as they are sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.headers import dates


@pytest.mark.parametrize(
    ("raw", "iso"),
    [
        ("Mon, 3 Nov 2003 14:05:00 +0100", "2003-11-03T14:05:00+01:00"),
        ("3 Nov 03 14:05 EST", "2003-11-03T14:05:00-05:00"),
        ("Mon Nov  3 14:05:00 2003", "2003-11-03T14:05:00+00:00"),
        ("Mon Nov  3 14:05:00 CET 2003", "2003-11-03T14:05:00+01:00"),
        ("2003-11-03T14:05:00Z", "2003-11-03T14:05:00+00:00"),
        ("2003-11-03 14:05:00+02:00", "2003-11-03T14:05:00+02:00"),
        ("Mon, 3 Nov 2003 14:05:00 GMT+2", "2003-11-03T14:05:00+02:00"),
        ("mon, 03 NOV 2003 2:05 PM", "2003-11-03T14:05:00+00:00"),
        ("Nov 3, 2003 12:05:10 AM", "2003-11-03T00:05:10+00:00"),
        ("Mon, 3 Nov 103 14:05:00", "2003-11-03T14:05:00+00:00"),
        ("Thu, 22 Aug 0102 12:07:35 +0800", "2002-08-22T12:07:35+08:00"),
        ("3-Nov-2003 14:05:00 -0800 (PST)", "2003-11-03T14:05:00-08:00"),
        ("Mon, 3 November 2003", "2003-11-03T00:00:00+00:00"),
        ("Di, 4 Mär 2003 10:00:00 +0100", "2003-03-04T10:00:00+01:00"),
        ("Fri, 3 Nov 2023 14.05.00 +0530", "2023-11-03T14:05:00+05:30"),
        ("Mon, 3 Nov 2003 14:05:60 +9999", "2003-11-03T14:05:59+00:00"),
        ("Mon, 3 Nov 2003 14:05:00 -0000", "2003-11-03T14:05:00+00:00"),
        ("Sun, 06 Nov 94 08:49:37 GMT", "1994-11-06T08:49:37+00:00"),
        ("  \r\n Mon,\r\n 3 Nov 2003 14:05:00 +0100", "2003-11-03T14:05:00+01:00"),
    ],
)
def test_dates_are_read(raw: str, iso: str) -> None:
    assert dates.parse(raw) == (datetime.fromisoformat(iso), [])
    assert dates.parse(raw.encode())[0] == datetime.fromisoformat(iso)


@pytest.mark.parametrize(
    ("raw", "defect"),
    [
        (None, "date: missing"),
        ("", "date: missing"),
        ("xx", "date: unparsable"),
        ("32 Nov 2003 1:01", "date: unparsable"),
        ("3 Nov 2003 24:00:00 +0000", "date: unparsable"),
        ("3 Nov 9999 14:05", "date: not a year of mail"),
        ("3 Nov 1969 14:05", "date: not a year of mail"),
        ("Thu, 01 Jan 1970 00:00:00", None),
    ],
)
def test_what_is_no_date(raw: str | None, defect: str | None) -> None:
    found, defects = dates.parse(raw)
    assert (found is None, defects) == ((True, [defect]) if defect else (False, []))


@given(
    st.one_of(st.text(max_size=60), st.text("0123456789:+-/., NovGMT", max_size=40), st.binary(max_size=60))
)
def test_whatever_a_date_says_is_a_time_or_a_defect(raw: str | bytes) -> None:
    found, defects = dates.parse(raw)
    if found is None:
        assert defects
    else:
        assert found.year in dates.YEARS
        found.astimezone(UTC)
