"""Tests of the WAP bearer: real datagrams to a toy application, and to the real one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from gateway import computing
from gateway.config import Config
from gateway.language import LANGUAGES, Language
from gateway.server import bearer, wap_notices, wap_requests
from gateway.server.reachability import AMPLIFICATION, UNPROVEN
from gateway.wap import wbxml, wsp
from tests import PATIENCE, rig
from tests.devices.phones import WmlPhone
from tests.devices.wap.wsp import WspSession, transport
from tests.server.test_workers import until
from tests.server.wap_phone import PICTURE, Phone, deck, serving, stalling, toy
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.smtp import SmtpServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


def test_requests_of_a_trusted_phone() -> None:
    with serving() as (port, _), closing(Phone(port)) as phone:
        assert "<p>/w</p>" in deck(phone.get("/w"))
        assert "opens no other addresses" in deck(phone.get("http://example.org/"))
        assert "<p>/w</p>" in deck(phone.get("http://127.0.0.1:8080/w"))
        post = wsp.Method("POST", "/w", (), "text/plain; charset=utf-8", "äöü".encode())
        assert "äöü" in deck(phone.ask(post))
        moved = phone.get("http://127.0.0.1:8080/go")
        assert isinstance(moved, wsp.Reply)
        assert (moved.status, moved.headers) == (302, (("Location", "http://127.0.0.1:8080/there"),))


@pytest.mark.parametrize("path", ["/fail", "/fail/midway", "/status"])
def test_a_failure_of_the_application_is_a_deck(path: str, caplog: pytest.LogCaptureFixture) -> None:
    with serving() as (port, _), closing(Phone(port)) as phone:
        assert "Something went wrong here." in deck(phone.get(path))
    assert path == "/status" or "the application failed" in caplog.text


def test_a_failure_of_our_own_is_a_deck_too(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wap_requests, "environ", lambda *_: 1 / 0)
    with serving() as (port, _), closing(Phone(port)) as phone:
        assert "Something went wrong here." in deck(phone.get("/w"))
    assert "a request could not be answered" in caplog.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("path", "msgid"),
    [
        ("http://example.org/", wap_notices.FOREIGN),
        ("/long", wap_notices.TOO_LARGE),
        ("/fail", wap_notices.FAILED),
    ],
)
def test_its_own_decks_speak_the_language_of_the_phone(language: str, path: str, msgid: str) -> None:
    words = Language(language).gettext(msgid)
    assert language == "en" or words != msgid
    with serving() as (port, _), closing(Phone(port, (("Accept-Language", language),))) as phone:
        assert words in deck(phone.get(path))


def test_its_own_decks_have_the_charset_of_the_phone() -> None:
    asked = (("Accept-Language", "ru, fr"), ("Accept-Charset", "iso-8859-1"))
    with serving() as (port, _), closing(Phone(port, asked)) as phone:
        said = phone.get("/long")
    assert "téléphone" in deck(said)
    assert isinstance(said, wsp.Reply)
    assert said.body[2] == 4, "not ISO-8859-1"


@pytest.mark.parametrize("sar", [False, True], ids=["one datagram", "segments"])
@pytest.mark.parametrize("path", ["/long", "/picture", "/endless"])
@pytest.mark.parametrize("sdu", [100, 1400, 0])
def test_what_is_too_large_is_told_in_a_deck(sdu: int, path: str, sar: bool) -> None:
    """An SDU of 100 octets is the smallest that is believed; 0 is no limit, but no more than 256 packets."""
    with serving() as (port, _), closing(Phone(port, sdu=sdu, sar=sar)) as phone:
        said = phone.get(path)
        if path == "/long" and sdu == 0:
            assert "é2999" in deck(said)
        elif path == "/picture" and sdu == 0 and sar:
            assert isinstance(said, wsp.Reply)
            assert (said.content_type, len(said.body)) == ("image/vnd.wap.wbmp", PICTURE)
        else:
            assert wap_notices.TOO_LARGE in deck(said)
            assert isinstance(said, wsp.Reply)
            assert len(wsp.write_pdu(said)) <= (sdu or 1 << 20)


@pytest.mark.parametrize("sar", [False, True], ids=["one datagram", "segments"])
@pytest.mark.parametrize("sdu", [100, 1400, 9000])
@pytest.mark.parametrize(
    "kind",
    [
        "application/xhtml+xml; charset=utf-8",
        "application/vnd.wap.xhtml+xml",
        "text/html",
        "image/vnd.wap.wbmp",
    ],
)
def test_what_is_no_wml_passes_to_the_last_octet_of_the_sdu(kind: str, sdu: int, sar: bool) -> None:
    """With one more, a deck says so."""
    room = sdu - len(wsp.write_pdu(wsp.Reply(200, kind)))
    with serving() as (port, _), closing(Phone(port, (("Accept", kind),), sdu=sdu, sar=sar)) as phone:
        assert phone.get(f"/octets?{kind}={room}") == wsp.Reply(200, kind, (), b"x" * room)
        assert wap_notices.TOO_LARGE in deck(phone.get(f"/octets?{kind}={room + 1}"))


def test_more_requests_than_may_wait_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bearer, "THREADS", 2)
    monkeypatch.setattr(bearer, "WAITING", 1)
    waiting, goes_on = threading.Event(), threading.Event()
    with ExitStack() as stack:
        port, _ = stack.enter_context(serving(stalling(waiting, goes_on)))
        first, second, third = (stack.enter_context(closing(Phone(port))) for _ in range(3))
        tids = {first: first.begin(wsp.Method("GET", "/w"))}
        assert waiting.wait(PATIENCE)
        tids[second] = second.begin(wsp.Method("GET", "/w"))  # one of two threads works for one host
        assert wap_notices.BUSY in deck(third.get("/w"))
        goes_on.set()
        for phone, tid in tids.items():
            assert "<p>/w</p>" in deck(phone.answer(tid))
        assert "<p>/w</p>" in deck(third.get("/w"))


def test_a_request_at_hand_is_answered_before_the_end() -> None:
    waiting, goes_on = threading.Event(), threading.Event()
    with ExitStack() as stack:
        serves = ExitStack()
        port, _ = serves.enter_context(serving(stalling(waiting, goes_on)))
        first, second = (stack.enter_context(closing(Phone(port))) for _ in range(2))
        tid = first.begin(wsp.Method("GET", "/w"))
        assert waiting.wait(PATIENCE)
        ending = threading.Thread(target=serves.close)
        ending.start()
        until(lambda: wap_notices.BUSY in deck(second.get("/w")))
        goes_on.set()
        assert "<p>/w</p>" in deck(first.answer(tid))
        ending.join(PATIENCE)
        assert not ending.is_alive()


def test_a_request_that_hangs_does_not_keep_it_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bearer, "GRACE", 0.05)
    waiting, goes_on = threading.Event(), threading.Event()
    with serving(stalling(waiting, goes_on)) as (port, _), closing(Phone(port)) as phone:
        phone.begin(wsp.Method("GET", "/w"))
        assert waiting.wait(PATIENCE)
    goes_on.set()


def test_a_host_that_a_new_configuration_names_is_ours_at_once() -> None:
    configs = [Config(())]
    with (
        serving(current=lambda first: configs[-1] if len(configs) > 1 else first) as (port, _),
        closing(Phone(port)) as phone,
    ):
        assert wap_notices.FOREIGN in deck(phone.get("http://m.example.org/w"))
        configs.append(Config((), url="http://m.example.org"))
        assert "<p>/w</p>" in deck(phone.get("http://m.example.org/w"))


def test_what_is_not_sent_is_told() -> None:
    refused: list[str] = []
    with (
        serving(wap_trusted=(), refused=refused.append) as (port, _),
        closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as line,
    ):
        for tid in range(1, 4):  # Connect and Get in 17 octets, answered with more than three times as many
            line.sendto(b"\x0e\0" + bytes((tid,)) + b"\x12\x01\x10\0\0", ("127.0.0.1", port))
            line.sendto(b"\x0e\1" + bytes((tid,)) + b"\x12\x40\1/", ("127.0.0.1", port))
        until(lambda: refused)
    assert set(refused) == {UNPROVEN}


def test_a_stranger_continues_first_and_no_form_is_lost() -> None:
    with serving(wap_trusted=()) as (port, _), closing(Phone(port)) as phone:
        post = wsp.Method("POST", "/w?a=b", (), "text/plain", b"typed")
        asked = deck(phone.ask(post))
        assert phone.received <= AMPLIFICATION * phone.sent
        link = asked.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
        assert link.startswith("/w?a=b&wt=")
        assert "typed" not in asked
        assert "typed" in deck(phone.get(link))
        assert "<p>/x</p>" in deck(phone.get("/x"))


def test_a_form_in_a_strangers_name_is_not_posted_by_its_owner() -> None:
    """Both come from one address, as they can if it is forged, and from one page."""
    with (
        serving(wap_trusted=()) as (port, _),
        closing(Phone(port)) as owner,
        closing(Phone(port)) as other,
    ):
        links = []
        for phone, typed in ((owner, b"mine"), (other, b"forged")):
            asked = deck(phone.ask(wsp.Method("POST", "/w", (), "text/plain", typed)))
            links.append(asked.partition('href="')[2].partition('"')[0])
        assert "mine" in deck(owner.get(links[0]))
        assert "forged" not in deck(owner.get("/w"))


def test_blind_acknowledgements_do_not_pay() -> None:
    with (
        serving(wap_trusted=()) as (port, _),
        closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as line,
    ):
        line.settimeout(0.2)
        sent = received = 0
        for tid in range(2, 120, 2):
            connect = b"\x0e\0" + bytes((tid,)) + b"\x12\x01\x10\0\0"
            get = b"\x0e\0" + bytes((tid + 1,)) + b"\x12\x40\1/"
            acks = [b"\x18\0" + bytes((each,)) for each in (tid, tid + 1)]
            for data in (connect, acks[0], get, acks[1]):
                sent += line.sendto(data, ("127.0.0.1", port))
        with suppress(TimeoutError):
            while True:
                received += len(line.recv(65_536))
        assert 0 < received <= AMPLIFICATION * sent


@pytest.mark.parametrize(
    ("trusted", "allowed", "said"),
    [
        (("127.0.0.0/8",), False, "<p>/w</p>"),
        (("127.0.0.0/8",), True, "<p>/w</p>"),
        ((), True, ">Continue</a>"),
        ((), False, None),
    ],
)
def test_without_a_session(trusted: tuple[str, ...], allowed: bool, said: str | None) -> None:
    # With its headers it has enough octets for a Continue.
    request = b"\x07" + wsp.write_pdu(wsp.Method("GET", "/w", (("User-Agent", "Nokia7110/1.0 (04.84)"),)))
    with (
        serving(wap_trusted=trusted, wap_connectionless=allowed) as (_, port),
        closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as line,
    ):
        line.settimeout(PATIENCE if said else 0.3)
        line.sendto(request, ("127.0.0.1", port))
        if said is None:
            with pytest.raises(TimeoutError):
                line.recv(65_536)
        else:
            tid, reply = wsp.read_unit(line.recv(65_536))
            assert tid == 7
            assert said in deck(reply)


def test_hostile_octets_do_no_harm() -> None:
    with serving() as (port, connectionless):
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as line:
            for data in (
                b"",
                b"\0",
                b"\x18\x90\0",
                b"\xff" * 40,
                b"\x0e\0\1\x12",
                b"\0\xff\xff",
                bytes(1500),
            ):
                for at in (port, connectionless):
                    line.sendto(data, ("127.0.0.1", at))
        with closing(Phone(port)) as phone:
            assert "<p>/w</p>" in deck(phone.get("/w"))


@pytest.mark.parametrize(
    ("accept", "path", "kind", "within"),
    [
        ("application/xhtml+xml", "/", "application/xhtml+xml; charset=utf-8", 300),
        (
            "application/vnd.wap.xhtml+xml, text/vnd.wap.wml",
            "/",
            "application/vnd.wap.xhtml+xml; charset=utf-8",
            300,
        ),
        ("text/html", "/", "text/html; charset=utf-8", 300),
        ("text/vnd.wap.wml", "/m", "text/html; charset=utf-8", 300),
        ("application/xhtml+xml", "/w", "application/vnd.wap.wmlc", 100),
    ],
)
def test_a_phone_has_the_markup_that_it_takes_or_asks_for(
    accept: str, path: str, kind: str, within: int, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    """If there is room for that, otherwise a deck. The address decides before the header does."""
    with rig.gateway(tmp_path, dovecot, smtp_server) as app, serving(app) as (port, _):
        with closing(Phone(port, (("Accept", accept),))) as phone:
            said = phone.get(path)
            assert isinstance(said, wsp.Reply)
            assert (said.status, said.content_type) == (200, kind)
            assert b"Pocketpost" in said.body
        with closing(Phone(port, (("Accept", accept),), sdu=within)) as phone:
            assert wap_notices.TOO_LARGE in deck(phone.get(path))


def test_the_screens_by_udp(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> None:
    """Sign in, see the mailbox, and sign out, as a phone does with nothing in between."""
    me = "wap@example.net"
    dovecot.user(me)
    with rig.gateway(tmp_path, dovecot, smtp_server) as app, serving(app) as (port, _):
        with WspSession("127.0.0.1", port, agent="Nokia7110/1.0 (04.84)") as session:
            phone = WmlPhone("http://127.0.0.1:8080", transport(session, wbxml.decode), limit=1396)
            phone.sign_in(me, PASSWORD)
            assert "No messages here." in phone.text
            phone.follow("Menu").follow("Sign out")
        assert max(reply.pdu for reply in session.replies) <= 1400


def test_one_host_leaves_threads_to_others() -> None:
    """It has slow requests, more than there are threads, from one port and from many."""
    began, goes_on = threading.Semaphore(0), threading.Event()

    def slow(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            began.release()
            with computing.waiting():
                goes_on.wait(PATIENCE)
        return toy(environ, start_response)

    with ExitStack() as stack:
        port, _ = stack.enter_context(serving(slow))
        stack.callback(goes_on.set)
        for _ in range(bearer.THREADS + 4):
            stack.enter_context(closing(Phone(port))).begin(wsp.Method("GET", "/slow"))
        for _ in range(bearer.THREADS // 2):
            assert began.acquire(timeout=PATIENCE)
        with closing(Phone(port, host="127.0.0.2")) as other:
            assert "<p>/w</p>" in deck(other.get("/w"))
        assert not began.acquire(blocking=False)


def _unborn() -> tuple[bearer.Bearer, Mock]:
    """Return a bearer without sockets, and the loop that it has instead of a running one."""
    loop = Mock(time=lambda: 100.0)
    made = bearer.Bearer(toy, lambda: Config(()), {})
    made._loop = loop
    return made, loop


def test_a_failure_at_what_is_due_does_not_take_all_the_time(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, loop = _unborn()
    monkeypatch.setattr(made._endpoint, "handle_timer", lambda now: 1 / 0)
    monkeypatch.setattr(made._endpoint, "get_timer", lambda: 99.0)
    made._wake()
    assert "what was due was not done" in caplog.text
    ((at, _), _) = loop.call_at.call_args
    assert at == 100.0 + bearer.MISSED


def test_a_request_that_a_failure_of_ours_meets_is_answered(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wap_requests, "target", lambda *_: 1 / 0)
    with serving() as (port, _), closing(Phone(port)) as phone:
        assert "Something went wrong here." in deck(phone.get("/w"))
    assert "a request could not be asked" in caplog.text
