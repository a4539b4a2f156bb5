"""The sample mail: each user's mailboxes, with dates shifted so that the newest message has just arrived.

Nothing here may talk to a server. The messages are files in `data/`, each one complete (RFC 5322) with LF line ends and
in US-ASCII; their dates count back from `WRITTEN`, and all are shifted together.
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
"""The first letters on keys 8, 2 and 7: three presses on a keypad."""
PASSWORDS = {ALICE: PASSWORD, BOB: PASSWORD}
CAROL = "carol@harbour.example"
"""She reads by POP3; the others by IMAP."""
POP3_PASSWORDS = {CAROL: PASSWORD}
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
class SampleMessage:
    """One file of `data/`, with its flags and mailbox."""

    file: str
    flags: tuple[str, ...] = ()
    mailbox: str = "INBOX"


MESSAGES: dict[str, tuple[SampleMessage, ...]] = {
    ALICE: (
        SampleMessage("lunch"),
        SampleMessage("regatta-4"),
        SampleMessage("letter"),
        SampleMessage("invitation"),
        SampleMessage("newsletter"),
        SampleMessage("order"),
        SampleMessage("rates", (SEEN, FLAGGED)),
        SampleMessage("lighthouse"),
        SampleMessage("map", (SEEN,)),
        SampleMessage("emoji"),
        SampleMessage("flowed", (SEEN,)),
        SampleMessage("ticket", (SEEN, FLAGGED)),
        SampleMessage("german", (SEEN, ANSWERED)),
        SampleMessage("regatta-3", (SEEN,)),
        SampleMessage("russian"),
        SampleMessage("regatta-1", (SEEN, ANSWERED)),
        SampleMessage("japanese"),
        SampleMessage("greek", (SEEN,)),
        SampleMessage("polish", (SEEN,)),
        SampleMessage("bounce", (SEEN,)),
        SampleMessage("chinese"),
        SampleMessage("arabic"),
        SampleMessage("forwarded", (SEEN,)),
        SampleMessage("club", (SEEN,)),
        SampleMessage("regatta-2", (SEEN,), "Sent"),
        SampleMessage("bob-welcome", (SEEN,), "Sent"),
        SampleMessage("draft", (SEEN, DRAFT), "Drafts"),
        SampleMessage("junk", (), "Junk"),
        SampleMessage("archived", (SEEN,), "Archive"),
        SampleMessage("berth", (SEEN,), "Boat"),
        SampleMessage("guest", (), "Boat/Ålesund"),
        SampleMessage("deleted", (SEEN,), "Trash"),
    ),
    BOB: (
        SampleMessage("bob-welcome"),
        SampleMessage("invitation", (SEEN,)),
        SampleMessage("regatta-3", (SEEN,)),
        SampleMessage("regatta-2", (SEEN,)),
        SampleMessage("bob-shop", (SEEN,)),
    ),
    CAROL: tuple(
        map(
            SampleMessage,
            (
                "carol-welcome",
                "letter",
                "map",
                "ticket",
                "newsletter",
                "german",
                "forwarded",
                "rates",
                "club",
                "emoji",
            ),
        )
    ),
}


def sample(address: str, now: datetime) -> Iterator[Stored]:
    """Yield a user's messages, oldest first, as of `now`."""
    placed = [(place, _moved(place.file, now - FRESH - WRITTEN)) for place in MESSAGES[address]]
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
    """Shift a date of RFC 5545 to the full hour or half: nobody invites for 17:43."""
    date = datetime.strptime(text.decode(), CALENDAR_FORM).replace(tzinfo=UTC) + by
    date -= timedelta(minutes=date.minute % 30, seconds=date.second)
    return date.strftime(CALENDAR_FORM).encode()
