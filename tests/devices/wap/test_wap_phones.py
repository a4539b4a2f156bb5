"""WAP phones with nothing in between: Kannel's own test phone does the main job on our ports."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main, wap_get
from gateway.server.datagrams import free_ports
from gateway.wap import wbxml
from tests.devices.checks import check_compiled_deck
from tests.devices.journey import LAST_WORDS, PASSWORD, SUBJECT, Journey
from tests.devices.phones import Answer, Transport, WmlPhone, over_http
from tests.devices.wap import kannel as kannels
from tests.devices.wap.kannel import Kannel
from tests.devices.wap.tap import Tap, tapped
from tests.devices.wap.wsp import answered, read_reply
from tests.servers.dovecot import Dovecot
from tests.servers.gateway import GatewayServer
from tests.servers.smtp import SmtpServer
from tests.wap import oracles

NOKIA = "Nokia7110/1.0 (04.84)"
_WAP = '[wap]\nlisten = "127.0.0.1"\nport = {}\nconnectionless_port = {}\n'


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    """Our ports: for sessions, and the connectionless one."""
    found = free_ports("127.0.0.1", ((0, 0),))
    assert found is not None
    return found[1:]


@pytest.fixture(scope="module")
def served(
    dovecot: Dovecot, _smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory, ports: tuple[int, int]
) -> Iterator[GatewayServer]:
    if kannels.missing():
        pytest.skip(f"NOT TESTED: {kannels.missing()} not installed (see tests/debian-packages.txt)")
    folder = tmp_path_factory.mktemp("gateway")
    server = GatewayServer(folder, dovecot, _smtp, tables=_WAP.format(*ports)).start()
    try:
        yield server
    finally:
        server.stop()


def by_fakewap(folder: Path, tap: Tap, connected: bool) -> Transport:
    """Let a scripted phone speak through fakewap; its headers are read from the wire."""

    def fetch(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        posted = body if method == "POST" else None
        got = kannels.fakewap(folder, "127.0.0.1", tap.port, url, posted, connected=connected, agent=NOKIA)
        # A Result in one packet after its three octets, or a TID, and the Reply.
        head, kind = (3, 2) if connected else (1, 0)
        answer = next(data for data in tap.replies() if not connected or data[0] >> 3 & 15 == kind)
        reply = read_reply(answer[head:])
        assert (reply.status, reply.body) == (got.status, got.body)
        return answered(reply, url, wbxml.decode)

    return fetch


@pytest.mark.parametrize("connected", [True, False], ids=["connected", "connectionless"])
def test_the_main_job_by_fakewap(
    served: GatewayServer, ports: tuple[int, int], journey: Journey, tmp_path: Path, connected: bool
) -> None:
    with tapped(ports[not connected]) as tap:
        phone = WmlPhone(
            served.url, by_fakewap(tmp_path, tap, connected), check_deck=check_compiled_deck, limit=1396
        )
        phone.sign_in(journey.me, PASSWORD)
        assert f"of {journey.count}" in phone.text
        phone.follow(SUBJECT)
        words = phone.text
        while "Next" in phone.links:
            words += phone.follow("Next").text
        assert "Pay $(user) now." in words
        assert LAST_WORDS in words
        phone.follow("Reply").fill("text", "Grüße 5 €, $9").press("Send")
        assert "Sent to" in phone.text
        journey.assert_answered("Grüße 5 €, $9")
        phone.follow("Inbox").follow(SUBJECT).press("Delete")
        assert f"Deleted: {SUBJECT[:9]}" in phone.text
        assert [found["Subject"] for found in journey.messages(journey.me, "Trash")] == [SUBJECT]
        phone.follow("Menu").follow("Sign out")
    _assert_well_formed(tap, connected)


def _assert_well_formed(tap: Tap, connected: bool) -> None:
    """Tshark reads every datagram, and finds none malformed."""
    if oracles.TSHARK is None:
        return
    protocol = "wtp" if connected else "wsp"
    decode = ("-d", f"udp.port=={tap.target},{protocol}", "-T", "fields", "-e", "frame.number")
    read = oracles.tshark(tap.seen, *decode, "-Y", protocol)
    assert len(read.split()) == len(tap.seen)
    assert not oracles.tshark(tap.seen, *decode, "-Y", "_ws.malformed")


def test_fakewap_that_loses_a_fifth_of_what_it_gets(served: GatewayServer, ports: tuple[int, int]) -> None:
    """It repeats neither Connect nor Get, and takes a repeated ConnectReply for a Reply: only we repeat."""
    command = [kannels.FAKEWAP, "-g", "127.0.0.1", "-p", str(ports[0]), "-I", "127.0.0.1", "-i", "0"]
    command += ["-F", "-c", "10", "-m", "100", "-l", "20", "-A", NOKIA, f"{served.url}/"]
    done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    said = (done.stdout + done.stderr).decode("latin-1")
    assert done.returncode == 0, said
    assert len(re.findall(r"Reply with status code 200", said)) >= 98, said


def _page(gateway: str, *arguments: str) -> str:
    """Return the deck that `pocketpost wap get` shows."""
    done = CliRunner().invoke(main, ["wap", "get", "--agent", NOKIA, "--gateway", gateway, *arguments])
    assert done.exit_code == 0, done.output
    head, _, deck = done.output.partition("<?xml")
    assert "< Reply 200 application/vnd.wap.wmlc" in head
    return _lasting(f"<?xml{deck}")


def _by_http(url: str, sdu: str) -> str:
    headers = {"Accept": wap_get.ACCEPT, "User-Agent": NOKIA, "X-WAP-Client-SDU-Size": sdu}
    return _lasting(wbxml.decode(over_http("GET", url, headers, b"").body))


def _lasting(deck: str) -> str:
    """Return a deck without what is new in each: names of variables, what keeps it out of caches, and tickets."""
    deck = re.sub(r'(?<=[("])v[0-9a-z]{4,6}(?=[a-z]+[):"])|(?<=[?;]c=)[0-9a-z]+', "", deck)
    return re.sub(r'(name="ticket" value=)"[^"]+"', r"\1", deck).strip()


@pytest.mark.parametrize("connectionless", [False, True], ids=["connected", "connectionless"])
def test_our_phone_gets_the_same_pages_from_kannel_from_us_and_by_http(
    kannel: Kannel, served: GatewayServer, ports: tuple[int, int], journey: Journey, connectionless: bool
) -> None:
    phone = WmlPhone(served.url, over_http).sign_in(journey.me, PASSWORD)
    pages = [f"{served.url}/", f"{served.url}/w", phone.url, phone.follow(SUBJECT).url]
    more = ("--connectionless",) * connectionless
    theirs = kannel.connectionless if connectionless else kannel.port
    for page in pages:
        assert _page(f"127.0.0.1:{ports[connectionless]}", *more, page) == _by_http(page, sdu="1400")
        # Without a session Kannel states no size.
        assert _page(f"127.0.0.1:{theirs}", *more, page) == _by_http(
            page, sdu="" if connectionless else "1400"
        )
