"""The sample mail: what lies in which mailbox of whom, moved in time so that the newest has just come.

Nothing here may talk to a server. The messages are files in `data/`, each one whole (RFC 5322) with LF line
ends and in US-ASCII; dates in them count back from `WRITTEN`, and all move together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from importlib.resources import files

from gateway.demo.servers import Stored

ALICE = "alice@pocketpost.example"
BOB = "bob@pocketpost.example"
PASSWORD = "tap"  # noqa: S105
"""The first letters of keys 8, 2 and 7: three presses on a keypad."""
PASSWORDS = {ALICE: PASSWORD, BOB: PASSWORD}
MAILBOXES = ("Drafts", "Sent", "Trash", "Junk", "Archive", "Boat", "Boat/Ålesund")

WRITTEN = datetime(2026, 11, 6, 13, 5, tzinfo=UTC)
"""The date of the newest message in `data/`."""
FRESH = timedelta(minutes=4)
"""The age of the newest message when the demo starts."""

DATE = re.compile(rb"(?m)^((?:Arrival-)?Date: )([^\r\n]+)")
CALENDAR_DATE = re.compile(rb"(?m)^(DT(?:START|END|STAMP):)(\d{8}T\d{6}Z)")
CALENDAR_FORM = "%Y%m%dT%H%M%SZ"

SEEN, ANSWERED, FLAGGED, DRAFT = "\\Seen", "\\Answered", "\\Flagged", "\\Draft"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one file of `data/` goes, with its flags."""

    file: str
    flags: tuple[str, ...] = ()
    mailbox: str = "INBOX"


PLACES: dict[str, tuple[Place, ...]] = {
    ALICE: (
        Place("lunch"),
        Place("regatta-4"),
        Place("letter"),
        Place("invitation"),
        Place("newsletter"),
        Place("order"),
        Place("rates", (SEEN, FLAGGED)),
        Place("lighthouse"),
        Place("map", (SEEN,)),
        Place("emoji"),
        Place("flowed", (SEEN,)),
        Place("ticket", (SEEN, FLAGGED)),
        Place("german", (SEEN, ANSWERED)),
        Place("regatta-3", (SEEN,)),
        Place("russian"),
        Place("regatta-1", (SEEN, ANSWERED)),
        Place("japanese"),
        Place("greek", (SEEN,)),
        Place("polish", (SEEN,)),
        Place("bounce", (SEEN,)),
        Place("chinese"),
        Place("arabic"),
        Place("forwarded", (SEEN,)),
        Place("club", (SEEN,)),
        Place("regatta-2", (SEEN,), "Sent"),
        Place("bob-welcome", (SEEN,), "Sent"),
        Place("draft", (SEEN, DRAFT), "Drafts"),
        Place("junk", (), "Junk"),
        Place("archived", (SEEN,), "Archive"),
        Place("berth", (SEEN,), "Boat"),
        Place("guest", (), "Boat/Ålesund"),
        Place("deleted", (SEEN,), "Trash"),
    ),
    BOB: (
        Place("bob-welcome"),
        Place("invitation", (SEEN,)),
        Place("regatta-3", (SEEN,)),
        Place("regatta-2", (SEEN,)),
        Place("bob-shop", (SEEN,)),
    ),
}


def sample(address: str, now: datetime) -> Iterator[Stored]:
    """Yield a user's messages, oldest first, as they would stand at `now`."""
    placed = [(place, _moved(place.file, now - FRESH - WRITTEN)) for place in PLACES[address]]
    for place, (octets, date) in sorted(placed, key=lambda pair: pair[1][1]):
        yield Stored(place.mailbox, octets, date, place.flags)


def _moved(file: str, by: timedelta) -> tuple[bytes, datetime]:
    octets = files("gateway.demo").joinpath("data", f"{file}.eml").read_bytes()
    octets = DATE.sub(lambda found: found[1] + format_datetime(_date(found[2]) + by).encode(), octets)
    octets = CALENDAR_DATE.sub(lambda found: found[1] + _calendar(found[2], by), octets)
    first = DATE.search(octets)
    assert first is not None
    return octets.replace(b"\n", b"\r\n"), _date(first[2])


def _date(text: bytes) -> datetime:
    return parsedate_to_datetime(text.decode())


def _calendar(text: bytes, by: timedelta) -> bytes:
    """Move a date of RFC 5545, to a full hour or half: nobody invites for 17:43."""
    date = datetime.strptime(text.decode(), CALENDAR_FORM).replace(tzinfo=UTC) + by
    date -= timedelta(minutes=date.minute % 30, seconds=date.second)
    return date.strftime(CALENDAR_FORM).encode()
