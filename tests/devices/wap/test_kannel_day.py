"""What is done to mail and what is written, posted through a real WAP gateway by a phone of 1999."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote_plus

import pytest

from gateway.wap import wbxml
from tests.devices.checks import check_compiled_deck
from tests.devices.journey import PASSWORD, SUBJECT, Journey
from tests.devices.phones import WmlPhone
from tests.devices.wap.kannel import Kannel
from tests.devices.wap.wsp import WspSession, transport
from tests.matrix import one_of
from tests.servers.gateway import GatewayServer

#: The two narrowest: nothing negotiated, and less than everybody supports.
SDUS = {"SDU 1400": None, "SDU 1000": 1000}


@pytest.fixture(params=one_of(SDUS, "SDU 1000"))
def phone(
    request: pytest.FixtureRequest, kannel: Kannel, served: GatewayServer, journey: Journey
) -> Iterator[WmlPhone]:
    with WspSession(
        kannel.host, kannel.port, agent="Nokia7110/1.0 (04.84)", sdu=SDUS[request.param]
    ) as session:
        yield WmlPhone(
            served.url,
            transport(session, wbxml.decode),
            limit=session.sdu - 4,
            check_deck=check_compiled_deck,
        ).sign_in(journey.me, PASSWORD)
        assert max(reply.pdu for reply in session.replies) <= session.sdu


def _subjects(journey: Journey, mailbox: str = "INBOX") -> list[str]:
    with journey.imap(journey.me) as connection:
        if connection.select(mailbox, readonly=True)[0] != "OK":
            return []
    return [str(found["Subject"]) for found in journey.messages(journey.me, mailbox)]


def test_deleting_says_what_went_and_is_taken_back(phone: WmlPhone, journey: Journey) -> None:
    phone.follow(SUBJECT).press("Delete")
    assert f"Deleted: {SUBJECT[:9]}" in phone.text
    assert _subjects(journey, "Trash") == [SUBJECT]
    assert SUBJECT not in _subjects(journey)
    phone.press("Undo")
    assert "Undone." in phone.text
    assert _subjects(journey, "Trash") == []
    assert SUBJECT in _subjects(journey)


def test_several_are_ticked_and_deleted(phone: WmlPhone, journey: Journey) -> None:
    phone.follow("Menu").follow("Select")
    ticked = [option.text for option in phone.card.iter("option")][1:4:2]
    before = set(_subjects(journey))
    phone.tick(*ticked).fill("do", "delete").press("OK")
    assert "2 messages deleted." in phone.text
    posted = dict(pair.split("=") for pair in phone.posted[1].decode().split("&"))
    assert unquote_plus(posted["u"]).count(";") == 1
    gone = _subjects(journey, "Trash")
    assert len(gone) == 2
    assert before - set(_subjects(journey)) == set(gone)
    for label, subject in zip(ticked, sorted(gone, reverse=True), strict=True):
        assert label.partition(": ")[2].rstrip("…").strip() in subject
    phone.press("Undo")
    assert set(_subjects(journey)) == before


def test_a_text_is_written_piece_by_piece(phone: WmlPhone, journey: Journey) -> None:
    phone.follow("Menu").follow("Write")
    phone.fill("to", journey.bob).fill("subject", "Stück für Stück")
    phone.fill("text", "Erstens, $1.").press("Add more")
    (draft,) = journey.messages(journey.me, "Drafts")
    assert draft["Subject"] == "Stück für Stück"
    phone.fill("text", "Zweitens & drittens.").press("Add more")
    phone.fill("text", "Ende.").press("Send")
    assert "Sent to" in phone.text
    (arrived,) = journey.messages(journey.bob)
    said = arrived.get_content().replace(" \r\n", " ").split()
    assert " ".join(said) == "Erstens, $1. Zweitens & drittens. Ende."
    assert arrived["Subject"] == "Stück für Stück"
    assert _subjects(journey, "Sent") == ["Stück für Stück"]
    assert _subjects(journey, "Drafts") == []
