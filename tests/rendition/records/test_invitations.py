"""Invitations: when, how long, how often and who, whatever calendar program wrote them."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rendition import Context
from gateway.rendition.records.invitations import calendar
from gateway.rendition.records.occasions import duration
from gateway.rendition.records.windows_zones import IANA

INDIA = "(GMT+05.30) Kolkata/Chennai/Mumbai/New Delhi/India Standard Time"
#: Zones with rules of their own: northern and southern, one offset, and one without a rule.
OWN = """BEGIN:VTIMEZONE
TZID:Own
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VTIMEZONE
TZID:(GMT+05:00) Own
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VTIMEZONE
TZID:South
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETTO:+1000
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETTO:+1100
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=10
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VTIMEZONE
TZID:Fixed
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETTO:-0330
END:STANDARD
END:VTIMEZONE
"""


def told(*lines: str, method: str = "REQUEST", before: str = "") -> list[str]:
    """Read out an event with these properties, without its heading."""
    text = f"BEGIN:VCALENDAR\nMETHOD:{method}\n{before}BEGIN:VEVENT\n" + "".join(
        f"{line}\n" for line in lines
    )
    rows, more = calendar((text + "END:VEVENT\nEND:VCALENDAR\n").replace("\n", "\r\n"), Context())
    assert not more
    return ["".join(run.text for run in runs) for _kind, runs in rows]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("DTSTART;VALUE=DATE:20261110", "DTEND;VALUE=DATE:20261111", ["When: 2026-11-10"]),
        ("DTSTART;VALUE=DATE:20261110", "DTEND;VALUE=DATE:20261113", ["When: 2026-11-10", "Until: 2026-11-12"]),
        ("DTSTART;VALUE=DATE:20261231", "DTEND;VALUE=DATE:20270102", ["When: 2026-12-31", "Until: 2027-01-01"]),
        ("DTSTART;VALUE=DATE:20261110", "DTEND;VALUE=DATE:20261110", ["When: 2026-11-10"]),
        ("DTSTART;VALUE=DATE:20261110", "DURATION:P1D", ["When: 2026-11-10"]),
        ("DTSTART;VALUE=DATE:20261110", "DURATION:P1W", ["When: 2026-11-10", "Until: 2026-11-16"]),
        ("DTSTART;VALUE=DATE:20261110", "SUMMARY:Lamp", ["What: Lamp", "When: 2026-11-10"]),
        ("DTSTART:20261110T120000Z", "DURATION:PT1H30M", ["When: 2026-11-10 12:00", "Until: 2026-11-10 13:30"]),
        ("DTSTART:20261110T120000", "DURATION:PT45M", ["When: 2026-11-10 12:00", "Until: 2026-11-10 12:45"]),
        ("DTSTART:20261110T120000Z", "DURATION:P1DT2H", ["When: 2026-11-10 12:00", "Until: 2026-11-11 14:00"]),
        ("DTSTART:20261110T120000Z", "DURATION:nonsense", ["When: 2026-11-10 12:00"]),
        ("DTSTART:20261110T120000Z", "DURATION:-PT15M", ["When: 2026-11-10 12:00"]),
        ("DTSTART:20261110T120000Z", "DURATION:PT0S", ["When: 2026-11-10 12:00"]),
        ("DTSTART:20261110T120000Z", "DTEND:20261110T120000Z", ["When: 2026-11-10 12:00"]),
        ("DTSTART:20261110T120000", "DTEND:20261110T130000", ["When: 2026-11-10 12:00", "Until: 2026-11-10 13:00"]),
        ("DTSTART:20261110T120000Z", "DTEND:20261110T130000Z", ["When: 2026-11-10 12:00", "Until: 2026-11-10 13:00"]),
    ],
)  # fmt: skip
def test_beginning_and_end(start: str, end: str, expected: list[str]) -> None:
    assert told(start, end)[1:] == expected


@pytest.mark.parametrize(
    ("zone", "summer", "winter"),
    [
        ("Europe/Berlin", "10:00", "11:00"),
        ("W. Europe Standard Time", "10:00", "11:00"),
        ("W. Europe Standard Time 1", "10:00", "11:00"),
        ('"Eastern Standard Time"', "16:00", "17:00"),
        ("AUS Eastern Standard Time", "02:00", "01:00"),
        (f'"{INDIA}"', "06:30", "06:30"),
        ("/mozilla.org/20050126_1/Europe/Berlin", "10:00", "11:00"),
        ("/freeassociation.sourceforge.net/America/New_York", "16:00", "17:00"),
        ("tzone://Microsoft/Utc", "12:00", "12:00"),
        ("europe/berlin", "10:00", "11:00"),
        ("w. europe standard time", "10:00", "11:00"),
        ("(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "10:00", "11:00"),
        ("(UTC+10:00) Canberra, Melbourne, Sydney", "02:00", "01:00"),
        ("(GMT) Greenwich Mean Time - Dublin / Edinburgh / London", "11:00", "12:00"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "16:00", "17:00"),
        ("(GMT+05:30) Chennai, Kolkata, Mumbai, New Delhi", "06:30", "06:30"),
        ("(UTC) Coordinated Universal Time", "12:00", "12:00"),
        ("GMT-0330", "15:30", "15:30"),
        ("UTC+2", "10:00", "10:00"),
        ("(GMT+05:00) Own", "10:00", "11:00"),
        ("Own", "10:00", "11:00"),
        ("South", "02:00", "01:00"),
        ("Fixed", "15:30", "15:30"),
    ],
)
def test_zones_are_converted(zone: str, summer: str, winter: str) -> None:
    quoted = zone if zone.startswith('"') or ":" not in zone else f'"{zone}"'
    for day, clock in (("0710", summer), ("1110", winter)):
        shown = told(f"DTSTART;TZID={quoted}:2026{day}T120000", before=OWN)[1]
        assert shown == f"When: 2026-{day[:2]}-{day[2:]} {clock}"


@pytest.mark.parametrize(
    "zone", ["(GMT+03:00) Berlin", "(GMT+01:00) Nowhere", "Customized Time Zone", "GMT+99"]
)
def test_a_zone_is_not_guessed(zone: str) -> None:
    assert told(f'DTSTART;TZID="{zone}":20260710T120000')[1] == f"When: 2026-07-10 12:00 ({zone})"


def test_a_zone_that_nobody_knows_is_named_in_full() -> None:
    name = "Zone of the long-lasting and far-reaching committee for lamps of all kinds and colours"
    assert told(f"DTSTART;TZID={name}:20261110T120000")[1] == f"When: 2026-11-10 12:00 ({name})"


def test_every_windows_zone_is_one() -> None:
    assert len(IANA) >= 130
    for name in IANA:
        assert "(" not in told(f"DTSTART;TZID={name}:20261110T120000")[1]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=WEEKLY;BYDAY=TU", "every week, Tue"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR;WKST=SU", "every 2 weeks, Mon, Wed, Fri"),
        ("FREQ=MONTHLY;BYDAY=2TU", "every month, second Tue"),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=6", "every month, last Fri, 6 times"),
        ("FREQ=MONTHLY;BYDAY=TH;BYSETPOS=3", "every month, third Thu"),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "every month, on day 15"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "every month, on the last day"),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1", "every year, on day 1, Mar"),
        ("freq=daily;interval=3;until=20261231T225959Z", "every 3 days, until 2026-12-31"),
        ("FREQ=YEARLY;COUNT=1", "every year, 1 time"),
        ("FREQ=HOURLY;INTERVAL=6", "every 6 hours"),
        ("FREQ=DAILY;INTERVAL=0;COUNT=0", "every day"),
        ("FREQ=MONTHLY;BYDAY=5FR", "every month, fifth Fri"),
        ("FREQ=MONTHLY;BYDAY=-2MO", "every month, second-to-last Mon"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "every month, on day 1, on day 15"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month, last working day"),
        ("FREQ=MONTHLY;BYDAY=SU,MO,TU,WE,TH,FR,SA;BYSETPOS=2", "every month, second day"),
        # half of a rule would be wrong
        *(
            (f"FREQ={rule}", f"FREQ={rule}")
            for rule in (
                "MONTHLY;BYMONTHDAY=-3,-1",
                "YEARLY;BYYEARDAY=100",
                "YEARLY;BYWEEKNO=20;BYDAY=MO",
                "DAILY;BYHOUR=9,15",
                "MONTHLY;BYDAY=MO;BYSETPOS=1,3",
                "MONTHLY;BYDAY=MO,TU;BYSETPOS=1",
                "MONTHLY;BYDAY=6MO",
                "YEARLY;BYMONTH=13",
                "MONTHLY;BYMONTHDAY=" + ",".join(map(str, range(1, 32))),
                "SECONDLY",
            )
        ),
        ("nonsense", "nonsense"),
    ],
)
def test_rules_are_said_in_words(rule: str, words: str) -> None:
    assert told("DTSTART:20261110T120000Z", f"RRULE:{rule}")[2] == f"Repeats: {words}"


def test_the_last_time_is_a_day_of_the_readers() -> None:
    text = "BEGIN:VEVENT\nDTSTART:20261110T120000Z\nRRULE:FREQ=DAILY;UNTIL=20270101T045959Z\nEND:VEVENT\n"
    rows, _more = calendar(text, Context(timezone=ZoneInfo("America/New_York")))
    assert "".join(run.text for run in rows[-1][1]) == "Repeats: every day, until 2026-12-31"


def test_many_events_are_cut_and_said_so() -> None:
    text = "".join(f"BEGIN:VEVENT\nSUMMARY:Lamp {n}\nEND:VEVENT\n" for n in range(25))
    rows, more = calendar(text, Context())
    assert more
    assert ["".join(run.text for run in runs) for _kind, runs in rows] == [
        f"What: Lamp {n}" for n in range(20)
    ]


def test_days_without_it_are_named() -> None:
    shown = told("DTSTART;VALUE=DATE:20261110", "RRULE:FREQ=DAILY", "EXDATE;VALUE=DATE:20261112,20261113")
    assert shown[-1] == "Except: 2026-11-12, 2026-11-13"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ann", "Ann"),
        ('"Bee, Ann: of the committee; for lamps"', "Bee, Ann: of the committee; for lamps"),
        ("Bee\\, Ann", "Bee, Ann"),
        ("Ann " + "B" * 300, "Ann " + "B" * 300),
        ("\"Ann ^'the lamp^' Bee\"", 'Ann "the lamp" Bee'),
    ],
)
def test_names_are_not_cut(name: str, shown: str) -> None:
    assert (
        told(f"ORGANIZER;CN={name};SENT-BY=x:mailto:ann@example.net")[1] == f"Who: {shown} <ann@example.net>"
    )


@pytest.mark.parametrize(
    ("method", "lines", "heading"),
    [
        ("REQUEST", ["SEQUENCE:0"], "Invitation"),
        ("REQUEST", ["SEQUENCE:2"], "Updated invitation"),
        ("CANCEL", ["SEQUENCE:2", "STATUS:CANCELLED"], "Cancelled event"),
        ("PUBLISH", ["STATUS:CANCELLED"], "Cancelled event"),
        ("REPLY", [], "Answer to an invitation"),
        ("COUNTER", [], "Another time is proposed"),
    ],
)
def test_an_update_or_cancellation_says_so(method: str, lines: list[str], heading: str) -> None:
    assert told("SUMMARY:Lamp", *lines, method=method)[:2] == [heading, "What: Lamp"]


@pytest.mark.parametrize(
    ("status", "words"), [("ACCEPTED", "accepted"), ("DECLINED", "declined"), ("TENTATIVE", "maybe")]
)
def test_an_answer_is_said(status: str, words: str) -> None:
    shown = told(f"ATTENDEE;PARTSTAT={status};CN=Mary:mailto:mary@example.net", method="REPLY")
    assert shown[1] == f"With: Mary <mary@example.net> – {words}"
    assert words not in told(f"ATTENDEE;PARTSTAT={status};CN=Mary:mailto:mary@example.net")[1]


NOISE = st.lists(
    st.sampled_from(
        ["BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "BEGIN:STANDARD", "END:STANDARD", "TZID:Own",
         "TZOFFSETTO:+9999", "TZOFFSETTO:+0100", "DTSTART:99991231T235959Z", "DTSTART:00010101", "DURATION:P99999D",
         "DTSTART;TZID=Own:00010101T000000", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=13", "DTEND;VALUE=DATE:20261110",
         "RRULE:FREQ=DAILY;INTERVAL=99999999999999999999", "RRULE:FREQ=MONTHLY;BYDAY=99TU", "DTSTART;TZID=/../x:1",
         "EXDATE:,,,", "ORGANIZER;CN=:", "SUMMARY", "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=2"]
    )
)  # fmt: skip


@given(NOISE)
def test_no_record_is_too_broken(lines: list[str]) -> None:
    rows, _more = calendar("\r\n".join(lines), Context())
    assert all(runs for _kind, runs in rows)


@given(st.text(max_size=20))
def test_a_duration_is_one_or_none(text: str) -> None:
    assert isinstance(duration(text), timedelta | None)
