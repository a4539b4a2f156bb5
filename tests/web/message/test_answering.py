"""Invitations are answered from the message, once: what is sent, to whom, and what is reported afterwards."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.devices.phones import Refused
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.acting import ME, PASSWORD, Side

ZONE = """BEGIN:VTIMEZONE
TZID:Kitchen time
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""
TOLD = "Nora Vale"
NORA = "ORGANIZER;CN=Nora Vale:mailto:nora@example.org"
LONG = "with a name that is much longer than one line of a calendar may be, grün und blau"


def event(
    *lines: str, method: str = "REQUEST", sequence: int = 1, uid: str = "walk-1", organizer: str = NORA
) -> str:
    """Write a calendar with one event."""
    return "\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{method}", ZONE.strip(), "BEGIN:VEVENT", f"UID:{uid}@example.org",
         f"SEQUENCE:{sequence}", "DTSTAMP:20261106T130500Z", "DTSTART;TZID=Kitchen time:20261113T170000",
         "DTEND;TZID=Kitchen time:20261113T193000", f"SUMMARY:Lantern walk\\, {LONG}", organizer, *lines,
         "END:VEVENT", "END:VCALENDAR"]
    ) + "\n"  # fmt: skip


def attendee(spec: str = ME, more: str = ";CN=Actor;RSVP=TRUE;PARTSTAT=NEEDS-ACTION") -> str:
    return f"ATTENDEE{more}:mailto:{spec}"


def mail(
    calendar: str,
    subject: str = "Walk",
    kind: str = "text/calendar; charset=utf-8; method=REQUEST",
    more: str = "",
) -> bytes:
    return (
        f"From: Club <club@example.net>\nTo: {ME}\nSubject: {subject}\nMessage-ID: <{subject}@example.net>\n"
        "Date: Tue, 3 Nov 2026 15:00:00 +0100\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=x\n\n"
        f"--x\nContent-Type: text/plain\n\nCome along.\n--x\nContent-Type: {kind}\n{more}\n{calendar}--x--\n"
    ).replace("\n", "\r\n").encode()  # fmt: skip


@pytest.fixture
def invite(device: Any, side: Side, dovecot: Dovecot, smtp_server: SmtpServer) -> Any:
    """Deliver a mail and open it."""
    smtp_server.reset()
    signed_in: list[bool] = []

    def opened(octets: bytes, subject: str = "Walk") -> Any:
        dovecot.deliver(ME, octets)
        if signed_in:
            device.follow("Inbox")
        else:
            device.sign_in(ME, PASSWORD)
        signed_in.append(True)
        return device.follow(subject)

    return opened


def answered(smtp_server: SmtpServer) -> tuple[Any, EmailMessage, list[str]]:
    """Return the one mail that was sent, and the lines of its calendar part."""
    (envelope,) = smtp_server.accepted
    found = email.message_from_bytes(envelope.octets, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    readable, calendar = found.iter_parts()
    assert found.get_content_type() == "multipart/alternative"
    assert readable.get_content_type() == "text/plain"
    assert calendar.get_content_type() == "text/calendar"
    assert calendar["Content-Type"].params == {"method": "REPLY", "charset": "UTF-8"}
    octets = calendar.get_payload(decode=True)
    assert isinstance(octets, bytes)
    assert all(len(line) <= 75 for line in octets.split(b"\r\n"))
    return envelope, found, octets.decode().replace("\r\n ", "").split("\r\n")


@pytest.mark.parametrize(
    ("label", "status", "said"),
    [
        ("Accept", "ACCEPTED", "You accepted."),
        ("Maybe", "TENTATIVE", "You answered: maybe."),
        ("Decline", "DECLINED", "You declined."),
    ],
)
def test_an_answer_is_a_reply_that_programs_understand(
    invite: Any, smtp_server: SmtpServer, side: Side, label: str, status: str, said: str
) -> None:
    walk = invite(mail(event(attendee())))
    assert "You accepted" not in walk.text
    walk.follow("Accept or decline")
    assert "Lantern walk" in walk.text
    assert "nora@example.org" in walk.text
    assert smtp_server.accepted == []
    walk.press(label)
    assert f"Sent to {TOLD}. {said}" in walk.text
    assert "Come along." in walk.text
    envelope, found, lines = answered(smtp_server)
    assert envelope.recipients == ("nora@example.org",)
    assert found["To"].addresses[0].addr_spec == "nora@example.org"
    assert found["In-Reply-To"] == "<Walk@example.net>"
    assert "Lantern walk" in found["Subject"]
    for line in (
        "METHOD:REPLY", "UID:walk-1@example.org", "SEQUENCE:1", "DTSTART;TZID=Kitchen time:20261113T170000",
        "DTEND;TZID=Kitchen time:20261113T193000", "TZID:Kitchen time", NORA,
        f"SUMMARY:Lantern walk\\, {LONG}", f"ATTENDEE;CN=Actor;PARTSTAT={status}:mailto:{ME}",
    ):  # fmt: skip
        assert lines.count(line) == 1, line
    assert sum(line.startswith("DTSTAMP:2") and line.endswith("Z") for line in lines) == 1
    assert len(side.flags("Sent")) == 1
    assert "\\Answered" in side.flags()["Walk"]


def test_an_answer_is_sent_once_and_can_be_changed(invite: Any, smtp_server: SmtpServer) -> None:
    walk = invite(mail(event(attendee()))).follow("Accept or decline")
    walk.press("Accept")
    first = walk.posted
    walk.fetch("POST", *first)
    assert f"Sent to {TOLD}. You accepted." in walk.text
    assert len(smtp_server.accepted) == 1
    walk.follow("Inbox").follow("Walk")
    assert "You accepted." in walk.text
    walk.follow("Accept or decline")
    assert "You accepted." in walk.text
    walk.press("Decline")
    assert f"Sent to {TOLD}. You declined." in walk.text
    assert len(smtp_server.accepted) == 2
    walk.fetch("POST", *first)
    assert f"Sent to {TOLD}. You declined." in walk.text, "a repeat is not another answer"
    assert len(smtp_server.accepted) == 2


@pytest.mark.parametrize(
    ("named", "written"),
    [
        (attendee("Actor+club@example.net"), "ATTENDEE;CN=Actor;PARTSTAT=ACCEPTED:mailto:Actor+club@example.net"),
        (attendee("somebody@example.net"), f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ME}"),
        (f'ATTENDEE;CN="A;C";EMAIL={ME}:urn:uuid:1', f'ATTENDEE;CN="A;C";EMAIL={ME};PARTSTAT=ACCEPTED:urn:uuid:1'),
        (f"{attendee('actor@example.org')}\n{attendee()}", f"ATTENDEE;CN=Actor;PARTSTAT=ACCEPTED:mailto:{ME}"),
        ("\n".join([*map(attendee, (f"a{n}@example.net" for n in range(200))), attendee()]),
         f"ATTENDEE;CN=Actor;PARTSTAT=ACCEPTED:mailto:{ME}"),
    ],
)  # fmt: skip
def test_the_invited_person_answers(invite: Any, smtp_server: SmtpServer, named: str, written: str) -> None:
    invite(mail(event(named))).follow("Accept or decline").press("Accept")
    _envelope, found, lines = answered(smtp_server)
    assert [line for line in lines if line.startswith("ATTENDEE")] == [written]
    assert found["From"].addresses[0].addr_spec == ME


def test_one_of_a_series_and_an_attached_file_are_answered(invite: Any, smtp_server: SmtpServer) -> None:
    calendar = event("RECURRENCE-ID;TZID=Kitchen time:20261113T170000", attendee())
    more = "Content-Disposition: attachment; filename=invite.ics\n"
    walk = invite(mail(calendar, kind="application/octet-stream", more=more))
    walk.follow("Accept or decline").press("Maybe")
    assert "RECURRENCE-ID;TZID=Kitchen time:20261113T170000" in answered(smtp_server)[2]


def test_another_version_says_so(invite: Any, dovecot: Dovecot) -> None:
    walk = invite(mail(event(attendee())))
    walk.follow("Accept or decline").press("Accept")
    invite(mail(event(attendee(), sequence=2), "Update"), "Update")
    assert "Updated invitation" in walk.text
    assert "You accepted. That was an earlier version." in walk.text
    walk.follow("Accept or decline").press("Decline")
    assert f"Sent to {TOLD}. You declined." in walk.text
    assert "earlier version" not in walk.text
    walk.follow("Inbox").follow("Walk")
    assert "There is a newer version of this invitation." in walk.text
    assert "Accept or decline" not in walk.links
    invite(mail(event(method="CANCEL", sequence=3), "Over"), "Over")
    assert "Cancelled event" in walk.text
    assert "Accept or decline" not in walk.links
    walk.follow("Inbox").follow("Update")
    assert "This event has been cancelled." in walk.text
    assert "Accept or decline" not in walk.links


def test_what_somebody_else_cancels_stays(invite: Any) -> None:
    walk = invite(mail(event(attendee())))
    other = "ORGANIZER:mailto:mallory@example.org"
    invite(mail(event(method="CANCEL", sequence=9, organizer=other), "Over"), "Over")
    walk.follow("Inbox").follow("Walk")
    assert "Accept or decline" in walk.links


@pytest.mark.parametrize(
    "calendar",
    [
        event(attendee(), method="PUBLISH"),
        event(attendee(), method="REPLY"),
        event(attendee(), method="CANCEL"),
        event(attendee(), organizer=f"ORGANIZER:mailto:{ME}"),
        event(attendee(), organizer="ORGANIZER:mailto:actor+walks@example.net"),
        event(attendee(), organizer="ORGANIZER:invalid:nomail"),
        event(attendee(), organizer="X-NOBODY:1"),
        event(attendee(), "STATUS:CANCELLED"),
        event(attendee()).replace("UID:", "X-UID:"),
        event(attendee(), "END:VEVENT", "BEGIN:VEVENT", "UID:another", NORA),
        event(attendee()).replace("VEVENT", "VTODO"),
        "nonsense\n",
    ],
)
def test_what_cannot_be_answered_is_not_offered(invite: Any, smtp_server: SmtpServer, calendar: str) -> None:
    walk = invite(mail(calendar, kind="text/calendar"))
    assert "Lantern walk" in walk.text or calendar == "nonsense\n"
    assert "Accept or decline" not in walk.links
    assert "Quick reply" in walk.links
    walk.fetch("GET", urljoin(walk.url, walk.links["Quick reply"].replace("y", "v", 1)))
    assert "This message contains no invitation to answer." in walk.text
    with pytest.raises(Refused):
        walk.press("Accept")
    assert smtp_server.accepted == []


def test_an_answer_that_turns_out_to_be_sent_is_called_so(
    invite: Any, device: Any, smtp_server: SmtpServer, side: Side
) -> None:
    walk = invite(mail(event(attendee()))).follow("Accept or decline")
    smtp_server.drop = "after accept"
    walk.press("Accept")
    smtp_server.drop = ""
    walk.follow("Inbox").follow("Walk")
    assert "You accepted" not in walk.text
    side.client.select("Drafts")
    side.client.uid("COPY", side.client.uid("SEARCH", "ALL")[1][0].decode(), "Sent")
    walk.follow("Inbox").follow("Menu").follow("Sign out")
    device.sign_in(ME, PASSWORD)
    assert "Sent." in device.text
    device.press("Continue")
    assert "You accepted." in device.follow("Walk").text


def test_a_failed_answer_that_is_continued_in_drafts_is_still_one_for_programs(
    invite: Any, smtp_server: SmtpServer
) -> None:
    walk = invite(mail(event(attendee()))).follow("Accept or decline")
    smtp_server.refuse["nora@example.org"] = "550 no such user"
    walk.press("Accept")
    smtp_server.refuse.clear()
    walk.follow("Inbox").follow("Menu").follow("Folders").follow("Drafts")
    walk.follow(next(label for label in walk.links if "Accepted" in label))
    walk.press("Save")
    walk.press("Send")
    assert "Sent to" in walk.text
    _envelope, _found, lines = answered(smtp_server)
    assert f"ATTENDEE;CN=Actor;PARTSTAT=ACCEPTED:mailto:{ME}" in lines


def test_what_was_not_sent_is_not_called_answered(invite: Any, smtp_server: SmtpServer) -> None:
    walk = invite(mail(event(attendee()))).follow("Accept or decline")
    smtp_server.refuse["nora@example.org"] = "550 no such user"
    walk.press("Accept")
    assert "Not sent." in walk.text
    walk.follow("Inbox").follow("Walk")
    assert "You accepted" not in walk.text
