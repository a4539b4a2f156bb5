"""Writing and sending with a mail store that cannot keep anything: no draft is offered, no copy in Sent is claimed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import OverQuota, StateFull
from gateway.sending import filing
from gateway.state.sending.posted_forms import PostedForms
from gateway.store.abilities import EVERY_ABILITY
from gateway.store.imap.imap_store import ImapStore
from gateway.store.imap.selected import Selected
from tests.devices.phones import WmlPhone
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.acting import buttons
from tests.web.office import CLIENTS, Office, at, mail

ME, BOB = "keepless@example.net", "keepbob@example.net"
SAVING = {"Save", "Add more", "Attach"}


@pytest.fixture
def office(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    can = replace(EVERY_ABILITY, append=False)
    monkeypatch.setattr(Selected, "can", property(lambda _self: can))
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, BOB)
    yield made
    made.closing.close()


@pytest.fixture
def drafting(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    """The same with a store that keeps drafts."""
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, BOB)
    dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME))
    yield made
    made.closing.close()


@pytest.fixture(params=CLIENTS)
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    device = getattr(office, request.param)()
    office.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME))
    return office.signed_in(device, ME).follow("Lunch").follow("Reply")


def _kept(office: Office) -> int:
    return sum(len(office.found(ME, name)) for name in ("Drafts", "Sent"))


def test_a_mail_is_sent_and_no_copy_is_claimed(office: Office, device: Any) -> None:
    assert "Close" in buttons(device)
    assert SAVING.isdisjoint(buttons(device))
    device.fill("text", "At noon.").press("Send")
    assert "Sent to" in device.text
    assert "A copy was sent to you." in device.text
    (copy,) = [one for one in office.found(ME) if one["Subject"] == "Re: Lunch"]
    assert ME not in str(copy["To"]) + str(copy["Cc"])
    (wire,) = office.smtp.accepted
    assert wire.recipients == (BOB, ME)
    assert b"\nBcc:" not in wire.octets
    assert "copy is" not in device.text
    assert len(office.found(BOB, "INBOX")) == 1
    assert _kept(office) == 0


def test_a_mail_that_is_not_sent_comes_back_with_its_text(office: Office, device: Any) -> None:
    office.smtp.refuse = {BOB: "550 no"}
    device.fill("text", "At noon.").press("Send")
    assert "Not sent." in device.text
    assert "No copy could be kept in Drafts." in device.text
    assert "At noon." in device.answer.body.decode()
    office.smtp.refuse.clear()
    device.press("Send")
    assert "Sent to" in device.text
    assert len(office.found(BOB, "INBOX")) == 1
    assert _kept(office) == 0


@pytest.mark.parametrize("sent", [True, False])
def test_only_what_became_of_a_text_at_last_is_told(office: Office, device: Any, sent: bool) -> None:
    office.smtp.refuse = {BOB: "550 no"}
    device.fill("text", "At noon.").press("Send")
    device.press("Send")
    assert "Not sent." in device.text
    if sent:
        office.smtp.refuse.clear()
        device.press("Send")
        assert "Sent to" in device.text
    again = office.signed_in(office.phone(), ME)
    assert ("Not sent." in again.text) is not sent
    assert again.text.count("Not sent.") <= 1


@pytest.mark.parametrize("name", CLIENTS)
def test_a_text_that_found_no_room_in_drafts_is_not_reported_after_it_was_sent(
    drafting: Office, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*_arguments: Any) -> None:
        raise OverQuota("full")

    device = drafting.signed_in(getattr(drafting, name)(), ME).follow("Lunch").follow("Reply")
    drafting.smtp.refuse = {BOB: "550 no"}
    with monkeypatch.context() as context:
        context.setattr(filing, "keep", full)
        device.fill("text", "At noon.").press("Send")
    assert "No copy could be kept in Drafts." in device.text
    drafting.smtp.refuse.clear()
    device.press("Send")
    assert "Sent to" in device.text
    assert "Not sent." not in drafting.signed_in(drafting.phone(), ME).text


@pytest.mark.parametrize("name", CLIENTS)
def test_a_text_that_found_room_in_drafts_later_is_kept_there_alone(
    drafting: Office, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*_arguments: Any) -> None:
        raise OverQuota("full")

    device = drafting.signed_in(getattr(drafting, name)(), ME).follow("Lunch").follow("Reply")
    drafting.smtp.refuse = {BOB: "550 no"}
    with monkeypatch.context() as context:
        context.setattr(filing, "keep", full)
        device.fill("text", "At noon.").press("Send")
    at(device, "kept")
    assert "At noon." in device.text
    device.follow("At noon.").press("Send")
    assert "A copy is in Drafts." in device.text
    at(device, "kept")
    assert "There are no unsent texts." in device.text
    assert len(drafting.found(ME, "Drafts")) == 1
    drafting.smtp.refuse.clear()


def test_who_leaves_finds_the_text_again(office: Office, device: Any) -> None:
    device.fill("text", "At noon.").press("Close")
    assert device.title == ("Bob" if isinstance(device, WmlPhone) else "Lunch")
    assert "Your text is kept for a day, under Menu." in device.text
    assert _kept(office) == 0
    device.follow("Inbox").follow("Menu").follow("Your text").follow("At noon.")
    assert device.title == "Reply"
    assert "At noon." in device.answer.body.decode()
    device.press("Send")
    assert len(office.found(BOB, "INBOX")) == 1
    device.follow("Inbox").follow("Menu")
    assert "Your text" not in device.links


def test_a_text_is_discarded_when_that_was_asked(office: Office, device: Any) -> None:
    device.fill("text", "At noon.").press("Discard")
    assert "Discard this message?" in device.text
    device.follow("Text")
    assert "At noon." in device.answer.body.decode()
    device.press("Discard").press("Discard")
    assert "Deleted." in device.text
    device.fetch("POST", *device.posted)  # once more, as phones do
    assert "Deleted." in device.text
    assert "Your text" not in device.follow("Menu").links


UNSURE, UNSENT = (
    "It is not certain whether this was sent. Continue with it?",
    "This was not sent. Continue with it?",
)


def _unsure(office: Office, device: Any, drop: str = "before accept") -> Any:
    """Send a text whose fate is uncertain."""
    office.smtp.drop = drop
    device.fill("text", "At noon.").press("Send")
    office.smtp.drop = ""
    assert "It is not certain whether the message was sent." in device.text
    return device


def test_a_text_that_may_have_been_sent_is_kept_until_it_was(office: Office, device: Any) -> None:
    assert "Your text is kept for a day, under Menu." in _unsure(office, device).text
    device.fetch("POST", *device.posted)
    assert "Your text is kept for a day, under Menu." in device.text
    device.follow("Inbox").follow("Menu").follow("Your text")
    assert UNSURE in device.text
    assert device.text.count("At noon.") == 1
    device.follow("At noon.")
    assert "At noon." in device.answer.body.decode()
    device.press("Send")
    assert "Sent to" in device.text
    assert len(office.found(BOB, "INBOX")) == 1
    assert "Your text" not in device.follow("Inbox").follow("Menu").links
    assert "not certain" not in office.signed_in(office.phone(), ME).text


def test_a_text_that_is_left_again_may_have_been_sent_all_the_same(office: Office, device: Any) -> None:
    at(_unsure(office, device), "kept")
    device.follow("At noon.").press("Close")
    at(device, "kept")
    assert UNSURE in device.text
    assert device.text.count("At noon.") == 1


def test_what_may_have_been_sent_is_told_from_what_was_not(office: Office, device: Any) -> None:
    _unsure(office, device).follow("Inbox").follow("Lunch").follow("Reply")
    device.fill("text", "At one.").press("Close")
    at(device, "kept")
    assert UNSENT in device.text
    assert [one for one in device.links if one.startswith(("At", "Perhaps"))] == [
        "At one.",
        "Perhaps sent: At noon.",
    ]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_text_that_was_found_in_sent_is_offered_no_more(
    drafting: Office, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*_arguments: Any) -> None:
        raise OverQuota("full")

    device = drafting.signed_in(getattr(drafting, name)(), ME).follow("Lunch").follow("Reply")
    with monkeypatch.context() as context:
        context.setattr(filing, "keep", full)
        _unsure(drafting, device, "after accept")
    device.follow("Inbox").follow("Menu").follow("Your text")
    assert UNSURE in device.text
    drafting.dovecot.deliver(ME, drafting.smtp.accepted[-1].octets, "Sent", "S")
    assert "Sent." in drafting.signed_in(drafting.phone(), ME).text
    at(device, "kept")
    assert "There are no unsent texts." in device.text


def test_a_text_that_was_kept_is_discarded_later_and_no_other(office: Office, device: Any) -> None:
    device.fill("text", "At noon.").press("Close").follow("Reply")
    device.fill("text", "Or at one.").press("Close")
    at(device, "kept")
    device.follow("At noon.").press("Discard").press("Discard")
    at(device, "kept")
    assert "At noon." not in device.text
    assert "Or at one." in device.text


def test_what_was_not_typed_is_not_asked_about(office: Office, device: Any) -> None:
    device.press("Discard")
    assert device.title == ("Bob" if isinstance(device, WmlPhone) else "Lunch")
    assert "Deleted" not in device.text


def test_the_drafts_of_a_mailbox_without_any_are_not_promised(
    office: Office, device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImapStore, "special", lambda _self, _use: None)
    at(device, "bd")
    assert "This mailbox keeps no drafts and no sent mail." in device.text
    assert "No drafts yet" not in device.text
    assert "Your text" not in device.links
    device.follow("Write").fill("text", "At noon.").press("Close")
    at(device, "bd")
    assert "At noon." in device.follow("Your text").text


def test_what_was_kept_stays_if_nothing_else_keeps_it(
    office: Office, device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any) -> None:
        raise StateFull("full")

    device.fill("text", "At noon.").press("Close")
    at(device, "kept").follow("At noon.")
    with monkeypatch.context() as context:
        context.setattr(PostedForms, "put", full)
        assert "Your text is kept" not in _unsure(office, device).text
    at(device, "kept")
    assert UNSURE in device.text
    assert "At noon." in device.links


def test_a_copy_is_asked_about_once(office: Office, device: Any) -> None:
    assert "This mailbox keeps no drafts and no sent mail." in device.text
    device.fill("copy_to_self", "no").fill("text", "At noon.").press("Send")
    assert office.smtp.accepted[0].recipients == (BOB,)
    device.follow("Inbox").follow("Lunch").follow("Reply")
    assert "Copy to me" not in device.text
    device.fill("text", "Or at one.").press("Send")
    assert office.smtp.accepted[1].recipients == (BOB,)


def test_a_copy_is_sent_afterwards_once(office: Office, device: Any) -> None:
    device.fill("copy_to_self", "no").fill("text", "At noon.").press("Send")
    assert "No copy could be kept in Sent." in device.text
    device.press("Send me a copy")
    assert "A copy was sent to you." in device.text
    device.fetch("POST", *device.posted)
    assert "A copy was sent to you." in device.text
    first, copy = office.smtp.accepted
    assert (copy.recipients, copy.octets.partition(b"Message-ID")[2][:40]) == (
        (ME,), first.octets.partition(b"Message-ID")[2][:40],
    )  # fmt: skip
    assert "Your text" not in device.follow("Inbox").follow("Menu").links


def test_if_nobody_but_oneself_got_it_it_was_not_sent(office: Office, device: Any) -> None:
    office.smtp.refuse = {BOB: "550 no"}
    device.fill("text", "At noon.").press("Send")
    assert "Not sent." in device.text
    device.press("Close").follow("Inbox")
    assert "Your text" in device.follow("Menu").links


def _unsent(device: Any) -> Any:
    """Leave a text that is kept."""
    device.fill("text", "At noon.").press("Close")
    assert "Your text is kept for a day, under Menu." in device.text
    return device.follow("Inbox")


def test_who_signs_out_finds_the_text_after_signing_in_there_again(office: Office, device: Any) -> None:
    _unsent(device).follow("Menu").follow("Sign out")
    assert "Your text is kept: sign in to continue." in device.text
    device.fill("user", ME).fill("password", "secret").press("Sign in")
    assert "This was not sent. Continue with it?" in device.text
    device.follow("At noon.")
    assert "At noon." in device.answer.body.decode()
    device.press("Send")
    assert len(office.found(BOB, "INBOX")) == 1


def test_what_is_kept_of_one_person_is_nothing_to_another(office: Office, device: Any) -> None:
    _unsent(device).follow("Menu").follow("Sign out")
    device.fill("user", BOB).fill("password", "secret").press("Sign in")
    assert device.title.startswith("Inbox")
    assert "Your text" not in device.follow("Menu").links


def test_who_was_signed_out_and_follows_a_link_finds_the_text(office: Office, device: Any) -> None:
    _unsent(device)
    office.sessions._state.sessions.purge(time.time() + 10 * 24 * 3600)
    device.follow("Lunch")
    assert "Your text is kept: sign in to continue." in device.text
    device.fill("user", ME).fill("password", "secret").press("Sign in")
    assert "At noon." in device.links


def test_who_signs_out_without_a_text_is_told_of_none(office: Office, device: Any) -> None:
    device.fill("copy_to_self", "no").fill("text", "At noon.").press("Send")
    assert "Send me a copy" in buttons(device)
    device.follow("Inbox").follow("Menu").follow("Sign out")
    assert "You are signed out." in device.text
