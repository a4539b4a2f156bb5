"""The mail server's line is cut once, at every step of Send and of Save: one draft at most, and what is said is true.

The text is longer than its page, so that whatever becomes of the mail, it has to go into Drafts. The places of the cuts
are counted in octets of the one connection that the request uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urljoin

import pytest

from gateway.sealed import vault
from tests import rig
from tests.devices.phones import WmlPhone
from tests.matrix import by_turns, one_of
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.cutting import NEVER, Cut, Cutting
from tests.servers.smtp import SmtpServer
from tests.web.office import ORIGIN, Office, at

ME, BOB = "onedraft@example.net", "onedraft.bob@example.net"
LONG = "This is what somebody typed with twelve keys. " * 60
#: Octets between two cuts, for each way; a command has 20 to 80, the text 2,800. `make matrix` cuts at twice as many.
STEPS = {"coarse": {"up": 211, "down": 353}, "fine": {"up": 101, "down": 173}}
#: What is done, and which way is cut; in this order each two of these and of how it was begun come together.
CASES = [("send", "up"), ("send", "down"), ("save", "down"), ("save", "up")]
_SAID = re.compile(r"Sent to|Sent\.|Not sent\.|Saved|Not saved\.|Look in Drafts|not certain")


class Line:
    """The way to the mail server: the next connection is cut as told, all others never."""

    def __init__(self) -> None:
        self.next = NEVER

    def __call__(self) -> Cut:
        cut, self.next = self.next, NEVER
        return cut


@pytest.fixture
def line(dovecot: Dovecot) -> Iterator[tuple[Cutting, Line]]:
    plan = Line()
    with Cutting(dovecot.ports["imap"], plan) as proxy:
        yield proxy, plan


@pytest.fixture
def office(
    line: tuple[Cutting, Line], dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> Iterator[Office]:
    made = Office(dovecot, smtp_server, tmp_path, imap=rig.plain(line[0]), per_hour=0)
    made.anew(ME, BOB)
    yield made
    made.closing.close()


def _emptied(office: Office, user: str, mailbox: str) -> None:
    root = office.dovecot.maildir(user, mailbox)
    if not any(file for folder in ("cur", "new") for file in (root / folder).glob("*")):
        return
    with office.imap(user) as connection:
        connection.select(mailbox)
        connection.store("1:*", "+FLAGS", "\\Deleted")
        connection.expunge()


def _form(device: WmlPhone, ticket: str, does: str) -> bytes:
    fields = {"to": BOB, "subject": "Long", "text": LONG, "ticket": ticket, "keep": ticket, "do": does}
    return "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items()).encode()


def _counts(office: Office) -> tuple[int, int, int]:
    """Count at the recipient, in Sent and in Drafts."""
    count = office.dovecot.count
    return count(BOB), count(ME, "Sent"), count(ME, "Drafts")


def _untrue(text: str, counts: tuple[int, int, int]) -> list[str]:
    """Compare what is reported with what exists."""
    arrived, _sent, drafts = counts
    return [
        what
        for what, is_so in {
            # What the line interrupted is finished at the next request, and that is reported.
            "more than one draft": drafts > 1 + ("A copy may or may not be in Sent." in text),
            "arrived twice": arrived > 1,
            "sent, and is not": re.search(r"Sent\.|Sent to ", text) is not None and arrived != 1,
            "not sent, and was": "Not sent." in text and arrived != 0,
            "a copy, and there is none": "A copy is in Drafts." in text and drafts != 1,
            "no copy, and there is one": "No copy could be kept in Drafts." in text and drafts != 0,
            "not saved, and is": "Not saved." in text and drafts != 0,
            "saved, and is not": "Saved in Drafts." in text and drafts != 1,
            "nothing said": not _SAID.search(text),
        }.items()
        if is_so
    ]


@pytest.mark.long
@pytest.mark.parametrize("steps", one_of(STEPS, "coarse"))
@pytest.mark.parametrize(("case", "begun"), by_turns(CASES, ["new", "saved before"]))
def test_one_draft_wherever_the_line_is_cut(
    office: Office, line: tuple[Cutting, Line], case: tuple[str, str], begun: str, steps: str
) -> None:
    does, way = case
    proxy, plan = line
    # Pages may be of any size here; it is the words that count.
    device = office.signed_in(WmlPhone(ORIGIN, office.transport), ME)
    token = re.search(r"/~([\w-]+)/", device.url)
    assert token is not None
    step = STEPS[steps][way]
    wrong: list[str] = []
    told: set[str] = set()
    for octets in range(step, 100_000, step):
        for user, mailbox in ((ME, "Drafts"), (ME, "Sent"), (BOB, "INBOX")):
            _emptied(office, user, mailbox)
        at(device, "c")
        found = re.search(rb'name="ticket" value="([^"]+)"', device.answer.body)
        assert found is not None
        page = device.url
        if begun != "new":
            _post(device, page, _form(device, found[1].decode(), "save"))
            page = _href(device)
            found = re.search(rb'name="ticket" value="([^"]+)"', device.answer.body)
            assert found is not None
        form = _form(device, found[1].decode(), does)
        office.sessions._resources.pool.drop(vault.digest(token[1]))
        plan.next, before = Cut(**{way: octets}), proxy.cuts
        for time in ("", " again", " a third time"):
            text = _post(device, page, form)
            counts = _counts(office)
            told.add(text[:8])
            wrong += [
                f"{way} {octets}{time}: {what}: {counts}, {text[:120]!r}" for what in _untrue(text, counts)
            ]
        if proxy.cuts == before:
            break
    else:
        pytest.fail("there is no end to it")
    assert not wrong, "\n".join([f"{len(wrong)} wrong", *wrong[:30]])
    # The faults did occur, and so did a run without.
    assert octets > 5 * step
    assert len(told) > 1


def _href(device: Any) -> str:
    """Return the page to which the form on the screen is posted."""
    found = re.search(rb'href="(c\d+\.\d+)"', device.answer.body)
    assert found is not None
    return urljoin(device.url, found[1].decode())


def _post(device: Any, page: str, form: bytes) -> str:
    device.fetch("POST", page, form)
    return str(device.text)
