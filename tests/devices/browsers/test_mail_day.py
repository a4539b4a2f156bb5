"""A day's mail in three text browsers, as a person at a terminal does it, from folders to drafts and settings.

Each step is checked from outside: over IMAP, and in what the SMTP server has accepted.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.devices.browsers.text_browsers import AREA, BROWSERS, Lynx, W3m
from tests.devices.journey import PASSWORD, Journey
from tests.matrix import one_of
from tests.servers.gateway import GatewayServer
from tests.servers.smtp import SmtpServer

#: Where the buttons are on a page for writing mail, counted from its last field.
SEND, SAVE, MORE_FIELDS, LEAVE = 1, 3, 5, 6
#: Lynx works without cookies, so that both ways of keeping a session are tested.
WITHOUT_COOKIES = {"lynx"}


@dataclass
class Day:
    """A browser, the mailbox that it shows, and the checks from outside."""

    browser: W3m
    journey: Journey
    smtp: SmtpServer

    @property
    def carol(self) -> str:
        return self.journey.bob.replace("bob", "carol")

    @property
    def dan(self) -> str:
        return self.journey.bob.replace("bob", "dan")

    def deliver(self, subject: str, **more: str) -> None:
        to = more.get("to", self.journey.me)
        self.journey.dovecot.deliver(
            self.journey.me,
            f"From: Bob <{self.journey.bob}>\r\nTo: {to}\r\n{more.get('head', '')}Subject: {subject}\r\n"
            f"Message-ID: <{subject.split()[0]}@example.net>\r\nDate: Tue, 3 Nov 2026 14:05:00 +0100\r\n\r\n"
            f"{more.get('text', 'Hello.')}\r\n".encode(),
        )

    def subjects(self, mailbox: str, user: str = "") -> list[str]:
        return [str(found["Subject"]) for found in self.messages(mailbox, user)]

    def messages(self, mailbox: str, user: str = "") -> list[EmailMessage]:
        with self.journey.imap(user or self.journey.me) as connection:
            if connection.select(mailbox, readonly=True)[0] != "OK":
                return []
        return self.journey.messages(user or self.journey.me, mailbox)

    def flags(self, subject: str) -> str:
        with self.journey.imap(self.journey.me) as connection:
            connection.select("INBOX", readonly=True)
            (number,) = connection.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
            return connection.fetch(number.decode(), "(FLAGS)")[1][0].decode()

    def last(self) -> tuple[set[str], EmailMessage]:
        """Return the recipients of the last sent mail, and our own copy of it."""
        return set(self.smtp.accepted[-1].recipients), self.messages("Sent")[-1]

    def inbox(self) -> str:
        """Go to the inbox from any page of a message."""
        return self.browser.follow("0 Inbox")


@pytest.fixture(params=one_of(BROWSERS, Lynx), ids=lambda made: made.program)
def day(
    request: pytest.FixtureRequest,
    served: GatewayServer,
    journey: Journey,
    smtp_server: SmtpServer,
    tmp_path: Path,
) -> Iterator[Day]:
    made = request.param
    if shutil.which(made.program) is None:
        pytest.skip(f"NOT TESTED: {made.program} is not installed (see tests/debian-packages.txt)")
    opened = made(tmp_path, served.url + "/", made.program not in WITHOUT_COOKIES)
    day = Day(opened, journey, smtp_server)
    for user in (day.carol, day.dan):
        shutil.rmtree(journey.dovecot.home(user), ignore_errors=True)
        journey.dovecot.user(user)
    try:
        yield day
    finally:
        opened.close()


@pytest.mark.long
def test_folders_and_what_is_done_to_messages(day: Day) -> None:
    for subject in ("Umzug", "Fahne", "Abfall"):
        day.deliver(subject)
    browser = day.browser
    browser.sign_in(day.journey.me, PASSWORD)
    # A folder is made.
    browser.follow("0 Menu")
    assert "1 Inbox" in browser.follow("2 Folders")
    browser.follow("Change folders")
    browser.open("New folder")
    assert "Created." in browser.form({"Name": "Reisen"})
    with day.journey.imap(day.journey.me) as connection:
        assert any(row.endswith(b" Reisen") for row in connection.list()[1])
    # A message is moved there.
    browser.follow("0 Folders")
    browser.follow("1 Inbox")
    browser.follow("Umzug")
    browser.follow("8 More")
    assert "Reisen" in browser.follow("3 Move")
    assert "Moved to Reisen: Umzug" in browser.press("Reisen")
    assert day.subjects("Reisen") == ["Umzug"]
    assert "Umzug" not in day.subjects("INBOX")
    # One is flagged.
    browser.follow("Fahne")
    browser.follow("8 More")
    assert "Flagged." in browser.press("Flag")
    assert "\\Flagged" in day.flags("Fahne")
    # One is deleted, and that is undone.
    day.inbox()
    browser.follow("Abfall")
    assert "Deleted: Abfall" in browser.press("Delete")
    assert day.subjects("Trash") == ["Abfall"]
    assert "Abfall" not in day.subjects("INBOX")
    assert "Undone." in browser.press("Undo")
    assert day.subjects("Trash") == []
    assert "Abfall" in day.subjects("INBOX")
    # Words are searched for, and a hit is opened.
    day.inbox()
    browser.follow("0 Menu")
    browser.open("4 Search")
    found = browser.form({"Words": "fahne", "In": None})
    assert "Fahne" in found
    assert "Umzug" not in found
    assert "Hello." in browser.follow("flagged Bob")


@pytest.mark.long
def test_what_is_written(day: Day) -> None:
    me, bob = day.journey.me, day.journey.bob
    day.deliver("Runde", to=f"{me}, {day.carol}", head=f"Cc: {day.dan}\r\n")
    day.deliver("Eilig")
    browser = day.browser
    browser.sign_in(me, PASSWORD)
    # The name is set, and whoever gets mail sees it.
    browser.follow("0 Menu")
    browser.follow("8 Settings")
    browser.follow("2 Name")
    browser.open(f"1 {me[:8]}")
    assert "Saved." in browser.form({"Name": "Walter Rufer", "Mail address": None, "Reply to": None})
    # A mail to two, with a copy to a third.
    browser.follow("Inbox")
    browser.follow("0 Menu")
    browser.open("3 Write")
    browser.submit({"To": None, "Subject": None, AREA: None}, MORE_FIELDS)
    fields = {
        "To": f"{bob}, {day.carol}",
        "Cc": day.dan,
        "Bcc": None,
        "Subject": "Größe",
        AREA: "Drei Leute.",
    }
    assert "Sent to" in browser.form(fields, SEND)
    to, kept = day.last()
    assert to == {bob, day.carol, day.dan}
    assert (kept["Subject"], kept["Cc"]) == ("Größe", day.dan)
    assert kept["From"].addresses[0].display_name == "Walter Rufer"
    assert [day.subjects("INBOX", user)[-1] for user in (bob, day.carol, day.dan)] == ["Größe"] * 3
    # An answer to all.
    browser.follow("Runde")
    browser.open("3 Reply all")
    assert "Sent to" in browser.form({AREA: "Ja."})
    to, kept = day.last()
    assert to == {bob, day.carol, day.dan}
    assert kept["In-Reply-To"] == "<Runde@example.net>"
    assert "\\Answered" in day.flags("Runde")
    # A quick reply.
    browser.follow("0 Inbox")
    browser.follow("Eilig")
    browser.follow("5 Quick reply")
    assert "Sent to" in browser.press("Yes.")
    to, kept = day.last()
    assert (to, kept["Subject"]) == ({bob}, "Re: Eilig")
    assert kept.get_content().startswith("Yes.")
    # A draft is kept, found in its folder, and sent.
    sent = len(day.smtp.accepted)
    browser.follow("0 Inbox")
    browser.follow("0 Menu")
    browser.open("3 Write")
    browser.submit({"To": bob, "Subject": "Entwurf", AREA: "Noch nicht fertig."}, SAVE)
    assert "Inbox" in browser.form({"To": None, "Subject": None, AREA: None}, LEAVE)
    (draft,) = day.messages("Drafts")
    assert (draft["Subject"], draft["To"]) == ("Entwurf", bob)
    assert len(day.smtp.accepted) == sent
    browser.follow("0 Menu")
    browser.follow("2 Folders")
    browser.follow("2 Drafts")
    browser.open("Entwurf")
    assert "Sent to" in browser.form({AREA: None})
    to, kept = day.last()
    assert (to, kept["Subject"]) == ({bob}, "Entwurf")
    assert kept.get_content().strip() == "Noch nicht fertig."
    assert day.messages("Drafts") == []
