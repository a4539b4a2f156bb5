"""The main job through a real WAP gateway: Kannel fetches, compiles and forwards; fakewap and our own session ask."""

from __future__ import annotations

import re

import pytest

from gateway.device import SMALLEST_UNKNOWN_DECK, WSP_REPLY_HEADER
from gateway.wap import wbxml
from tests.devices.checks import check_compiled_deck
from tests.devices.journey import LAST_WORDS, PASSWORD, SUBJECT, Journey
from tests.devices.phones import WmlPhone
from tests.devices.wap.kannel import Kannel
from tests.devices.wap.wsp import WMLC_TYPE, WspSession, transport
from tests.matrix import one_of
from tests.servers.gateway import GatewayServer
from tests.wap import oracles

NOKIA = "Nokia7110/1.0 (04.84)"
#: fakewap answers quickly only when it posts more than 1200 octets.
PADDING = b"&padding=" + b"x" * 1300


def _words(compiled: bytes) -> str:
    """Decompile a deck to WML, with libwbxml if it is installed."""
    return (oracles.libwbxml_decode(compiled) or wbxml.decode(compiled).encode()).decode()


def _read_to_the_end(phone: WmlPhone) -> str:
    words = [phone.text]
    for number in range(2, 100):
        if "Next" not in phone.links:
            return "\n".join(words)
        phone.follow("Next")
        assert f"{number}/" in phone.text
        words.append(phone.text)
    raise AssertionError("no last page")


@pytest.mark.parametrize("connected", [True, False], ids=["connected", "connectionless"])
def test_fakewap_gets_the_sign_in_page_and_is_told_what_is_wrong(
    kannel: Kannel, served: GatewayServer, journey: Journey, connected: bool
) -> None:
    got = kannel.fakewap(served.url + "/", connected=connected, agent=NOKIA)
    assert got.status == 200
    assert len(got.body) <= SMALLEST_UNKNOWN_DECK
    assert 'label="Sign in"' in _words(got.body)
    form = f"user={journey.me}&password=mistaken".encode() + PADDING
    told = kannel.fakewap(served.url + "/w", form, connected=connected, agent=NOKIA)
    assert told.status == 200
    assert "Wrong address or password." in _words(told.body)
    assert journey.me in _words(told.body)
    assert "mistaken" not in _words(told.body)


#: What the phone negotiates, how it encodes what is typed, and what it calls itself.
PHONES = {
    "7110": (None, "utf-8", NOKIA, "Grüße 5 € да, $9"),
    "SDU 1400": (1400, "windows-1252", NOKIA, "Grüße 5 €, $9"),
    "SDU 1000": (1000, "iso-8859-1", "EricssonT68/R101", "Grüße, $9"),
    "SDU 3000, unknown": (3000, "utf-8", "", "Grüße 5 € да, $9"),
}


@pytest.mark.parametrize("kind", one_of(PHONES, "7110"))
def test_walk_with_a_restart_in_the_middle(
    kannel: Kannel, served: GatewayServer, journey: Journey, kind: str
) -> None:
    sdu, charset, agent, text = PHONES[kind]
    with WspSession(kannel.host, kannel.port, agent=agent, sdu=sdu) as session:
        phone = WmlPhone(
            served.url,
            transport(session, wbxml.decode),
            limit=3000 if agent.startswith("Ericsson") else 1396,
            charset=charset,
            check_deck=check_compiled_deck,
        )
        phone.sign_in(journey.me, PASSWORD)
        assert phone.title.startswith("Inbox")
        assert f"of {journey.count}" in phone.text
        first = phone.text
        phone.follow("Next")
        assert phone.text != first
        served.restart()
        phone.follow("Prev").follow(SUBJECT)
        words = _read_to_the_end(phone)
        assert "Pay $(user) now." in words
        assert LAST_WORDS in words
        phone.follow("Reply")
        served.restart()
        phone.fill("text", text).press("Send")
        assert "Sent to" in phone.text
        phone.follow("Inbox")
        _assert_carried(session)
    journey.assert_answered(text)


def _assert_carried(session: WspSession) -> None:
    """Every reply was a deck or a redirect, and header and body together fit what the phone negotiated."""
    assert {reply.status for reply in session.replies} == {200, 302}
    for reply in session.replies:
        assert reply.pdu <= session.sdu, reply
        assert "set-cookie" not in reply.headers
        if reply.status == 200:
            assert reply.media_type == WMLC_TYPE
            assert reply.overhead <= WSP_REPLY_HEADER, reply


def test_a_session_goes_on_without_a_user_agent(
    kannel: Kannel, served: GatewayServer, journey: Journey
) -> None:
    """Connectionless phones send none; fakewap, another client, opens the session's address."""
    with WspSession(kannel.host, kannel.port, agent=NOKIA) as session:
        phone = WmlPhone(served.url, transport(session, wbxml.decode)).sign_in(journey.me, PASSWORD)
        for connected in (True, False):
            got = kannel.fakewap(phone.url, connected=connected, agent=NOKIA)
            assert f"of {journey.count}" in _words(got.body)
        phone.follow("Menu").follow("Sign out")
        assert "You are signed out." in phone.text
        gone = kannel.fakewap(phone.visited[1], connected=False, agent=NOKIA)
        assert 'title="Pocketpost"' in _words(gone.body)


def test_a_reply_posted_in_segments_arrives_whole(
    kannel: Kannel, served: GatewayServer, journey: Journey
) -> None:
    with WspSession(kannel.host, kannel.port, agent=NOKIA) as session:
        phone = WmlPhone(served.url, transport(session, wbxml.decode)).sign_in(journey.me, PASSWORD)
        phone.follow(SUBJECT).follow("Reply")
    tickets = re.findall(rb'name="ticket" value="([^"]+)"', phone.answer.body if phone.answer else b"")
    text = "A line with words. " * 120
    form = b"text=" + text.strip().replace(" ", "+").encode() + b"&ticket=" + tickets[0]
    told = kannel.fakewap(phone.url, form, agent=NOKIA)
    assert "Sent to" in _words(told.body)
    journey.assert_answered(text.strip())
