"""Whatever is sent by somebody whose mailbox keeps no sent mail (POP3): a copy goes to them, or is offered, once.

Answers to invitations, redirected mail, mails that unsubscribe, quick replies and mails whose outcome is uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.account import profile
from gateway.web.entry.restored_forms import MOST_SENT
from tests import rig
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.acting import buttons
from tests.web.message.test_answering import attendee, event
from tests.web.message.test_answering import mail as invitation
from tests.web.office import CLIENTS, Office, at, mail, path_of

ME, BOB, LIST, NORA = "popcopy@example.net", "copybob@example.net", "leave@example.org", "nora@example.org"
COPY, COPIED = "Send me a copy", "A copy was sent to you."


@dataclass(frozen=True)
class Way:
    """A way to send: how to get to its outcome, to whom the mail goes, and what is then reported."""

    walk: Callable[[Any], Any]
    to: str
    said: str = "Sent to Bob."


def _redirect(device: Any) -> Any:
    at(device.follow("Lunch"), f"f{path_of(device)[1:]}.r")
    return device.fill("to", BOB).press("Send")


WAYS = {
    "invitation": Way(
        lambda device: device.follow("Walk").follow("Accept or decline").press("Accept"),
        NORA, "Sent to Nora Vale.",
    ),
    "redirect": Way(_redirect, BOB, f"Sent to {BOB}."),
    "list": Way(
        lambda device: at(device.follow("List"), f"u{path_of(device)[1:]}").press("Unsubscribe"), LIST, "Sent."
    ),
    "quick reply": Way(
        lambda device: device.follow("Lunch").follow("Quick reply").press("Thank you."), BOB
    ),
    "reply": Way(
        lambda device: device.follow("Lunch").follow("Reply").fill("copy_to_self", "no")
        .fill("text", "At noon.").press("Send"), BOB,
    ),
}  # fmt: skip


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    smtp_server.reset()
    made = Office(dovecot, smtp_server, tmp_path, imap=rig.pop3(dovecot))
    made.anew(ME, BOB)
    dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME))
    dovecot.deliver(ME, invitation(event(attendee(ME))))
    dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME, "List", head=f"List-Unsubscribe: <mailto:{LIST}>\r\n"))
    yield made
    made.closing.close()


@pytest.fixture(params=CLIENTS)
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    return getattr(office, request.param)()


def _chosen(office: Office, choice: str) -> None:
    session = office.sessions.open(
        ME, "secret", device="xhtml", markup="xhtml", user_agent="", language="en", via="url", remote="192.0.2.9"
    )  # fmt: skip
    profile.choose(session, copy_to_self=choice)


@pytest.mark.parametrize("name", WAYS)
def test_a_copy_is_offered_and_sent_once(office: Office, device: Any, name: str) -> None:
    way = WAYS[name]
    way.walk(office.signed_in(device, ME))
    assert way.said in device.text.splitlines()
    assert "No copy could be kept in Sent." in device.text
    device.press(COPY)
    assert COPIED in device.text
    assert COPY not in buttons(device)
    device.fetch("POST", *device.posted)
    assert COPIED in device.text
    sent, copy = office.smtp.accepted
    assert (sent.recipients, copy.recipients) == ((way.to,), (ME,))
    assert copy.octets == sent.octets


@pytest.mark.parametrize("name", sorted(set(WAYS) - {"reply"}))
def test_whoever_wants_copies_gets_one_of_everything(office: Office, device: Any, name: str) -> None:
    _chosen(office, "yes")
    way = WAYS[name]
    way.walk(office.signed_in(device, ME))
    assert COPIED in device.text
    assert COPY not in buttons(device)
    (wire,) = office.smtp.accepted
    assert wire.recipients == (way.to, ME)


@pytest.mark.parametrize("name", ["quick reply", "invitation"])
def test_a_repeated_request_is_offered_a_copy_too(office: Office, device: Any, name: str) -> None:
    WAYS[name].walk(office.signed_in(device, ME))
    device.fetch("POST", *device.posted)
    device.press(COPY)
    assert COPIED in device.text
    assert len(office.smtp.accepted) == 2


def test_of_a_mail_that_is_not_certain_nobody_is_sent_to_a_folder_that_is_not_there(
    office: Office, device: Any
) -> None:
    office.smtp.drop = "after accept"
    WAYS["reply"].walk(office.signed_in(device, ME))
    assert "It is not certain whether the message was sent." in device.text
    assert "Look in" not in device.text
    office.smtp.drop = ""
    device.press(COPY)
    assert [one.recipients for one in office.smtp.accepted] == [(BOB,), (ME,)]
    assert b"At noon." in office.smtp.accepted[1].octets


def test_copies_that_are_offered_leave_what_was_not_sent(office: Office) -> None:
    device = office.signed_in(office.phone(), ME)
    device.follow("Lunch").follow("Reply").fill("copy_to_self", "no").fill("text", "Not yet.").press(
        "Close"
    ).follow("Inbox")
    for _number in range(MOST_SENT + 5):
        WAYS["quick reply"].walk(device)
        assert COPY in buttons(device)
        device.follow("Inbox")
    assert "Not yet." in device.follow("Menu").follow("Your text").links


def test_a_list_that_is_not_left_is_not_said_of_a_copy(office: Office, device: Any) -> None:
    WAYS["list"].walk(office.signed_in(device, ME))
    office.smtp.refuse = {ME: "550 no"}
    device.press(COPY)
    assert "Not sent." in device.text
    assert "Not unsubscribed." not in device.text
