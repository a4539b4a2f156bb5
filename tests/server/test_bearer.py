"""Tests of the WAP bearer: who is sent how much, which URLs are ours, and real datagrams to a toy application."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import Config
from gateway.language import LANGUAGES, Language
from gateway.server import bearer, wap_notices, wap_requests
from gateway.server.bearer import Bearer, beside, bind_all, free_ports
from gateway.server.reachability import (
    AMPLIFICATION,
    HOST_RATE,
    HOSTS,
    KNOWN_SECONDS,
    OVER_BUDGET,
    SLOT,
    UNPROVEN,
    Reachability,
)
from gateway.server.wap_requests import Elsewhere, split_token, target, with_token
from gateway.wap import wbxml, wsp
from gateway.wap.initiator import Answer, Initiator
from gateway.wap.quadruplet import Quadruplet
from gateway.wap.requests import Request
from gateway.wap.wsp.headers import Headers
from gateway.wap.wsp.octets import uintvar
from tests import PATIENCE, rig
from tests.devices.phones import WmlPhone
from tests.devices.wsp import WspSession, transport
from tests.server.test_workers import until
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.smtp import SmtpServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

HOST = "192.0.2.7"
CLIENT_SDU = 0


class TestReachability:
    def test_three_times_what_came_and_no_more(self) -> None:
        reach = Reachability((), b"k")
        assert not reach.may_send(HOST, 1, 0)
        reach.received(HOST, 10, 0)
        assert reach.may_send(HOST, 10 * AMPLIFICATION - 1, 0)
        assert not reach.may_send(HOST, 2, 0)
        assert reach.may_send(HOST, 1, 0)
        assert not reach.may_send(HOST, 1, 1e6)

    def test_why_nothing_is_sent_is_told(self) -> None:
        refused: list[str] = []
        reach = Reachability((), b"k", refused.append)
        reach.may_send(HOST, 1, 0)
        reach.keep(HOST, 0)
        while reach.may_send(HOST, 1000, 0):
            pass
        assert refused == [UNPROVEN, OVER_BUDGET]

    def test_a_token_makes_an_address_known_for_a_while(self) -> None:
        reach = Reachability((), b"k")
        token = reach.token(HOST, 0)
        assert not reach.take_token("192.0.2.8", token, 0)
        assert not reach.take_token(HOST, token[:-1] + "a2"[token.endswith("a")], 0)
        assert not reach.take_token(HOST, token, 2 * SLOT)
        assert reach.take_token(HOST, token, 2 * SLOT - 1)
        assert reach.is_known(HOST, 2 * SLOT - 1)
        assert reach.may_send(HOST, 5000, 2 * SLOT - 1)
        assert not reach.is_known(HOST, 2 * SLOT - 1 + KNOWN_SECONDS)
        assert Reachability((), b"other").token(HOST, 0) != token

    def test_a_known_address_has_a_budget(self) -> None:
        reach = Reachability((), b"k")
        reach.keep(HOST, 0)
        sent = sum(1000 for _ in range(1000) if reach.may_send(HOST, 1000, 0))
        assert sent == HOST_RATE * 10
        assert reach.may_send(HOST, 1000, 1)

    def test_trusted_networks_have_none(self) -> None:
        reach = Reachability(("192.0.2.0/24", "2001:db8::/32"), b"k")
        assert all(reach.may_send(HOST, 60_000, 0) for _ in range(1000))
        assert reach.is_known("2001:db8::1", 0)
        assert not reach.is_known("198.51.100.1", 0)

    def test_what_is_remembered_is_bounded(self) -> None:
        reach = Reachability((), b"k")
        for number in range(HOSTS + 50):
            reach.received(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 10, 0)
        assert len(reach._hosts) == HOSTS


OWN = frozenset({"m.example.org", "192.0.2.1:8080", "192.0.2.1"})


class TestTarget:
    @pytest.mark.parametrize(
        ("url", "found"),
        [
            ("http://m.example.org/w?a=b#c", ("m.example.org", "/w?a=b")),
            ("HTTP://M.EXAMPLE.ORG/W", ("m.example.org", "/W")),
            ("http://m.example.org", ("m.example.org", "/")),
            ("http://m.example.org?a", ("m.example.org", "/?a")),
            ("http://m.example.org:80/", ("m.example.org", "/")),
            ("http://192.0.2.1:8080/w", ("192.0.2.1:8080", "/w")),
            ("http://192.0.2.1/w", ("192.0.2.1", "/w")),
            ("/w", ("", "/w")),
            ("w?x", ("", "/w?x")),
            ("", ("", "/")),
            ("DEVICE:home", ("", "/")),
        ],
    )
    def test_urls_of_ours(self, url: str, found: tuple[str, str]) -> None:
        assert target(url, OWN) == found

    @pytest.mark.parametrize(
        "url",
        [
            "http://example.org/", "https://m.example.org/", "http://m.example.org:8081/", "//example.org/", "ftp://m/",
            "http://m.example.org@example.org/", "http://m.example.org.example.org/", "javascript:x", "http:///w",
        ],
    )  # fmt: skip
    def test_urls_of_others(self, url: str) -> None:
        with pytest.raises(Elsewhere):
            target(url, OWN)

    @pytest.mark.parametrize("path", ["/w", "/w?a=b", "/"])
    def test_a_token_comes_and_goes(self, path: str) -> None:
        token = Reachability((), b"k").token(HOST, 0)
        assert split_token(with_token(path, token)) == (path, token)
        assert split_token(path) == (path, "")


def _request(**how: Any) -> Request:
    usual: dict[str, Any] = {
        "method": "GET",
        "url": "/",
        "headers": (),
        "content_type": "",
        "body": b"",
        "limit": 1400,
    }
    return Request(1, Quadruplet(HOST, 1, 9201), **usual | how)


class TestEnviron:
    @pytest.mark.parametrize(
        ("accept", "asked"),
        [
            ("", "application/vnd.wap.wmlc"),
            ("*/*", "*/*, application/vnd.wap.wmlc"),
            ("application/vnd.wap.wmlc", "application/vnd.wap.wmlc"),
            ("application/xhtml+xml", "application/xhtml+xml"),
        ],
    )
    def test_anything_means_wml(self, accept: str, asked: str) -> None:
        headers = (("Accept", accept),) if accept else ()
        assert wap_requests.environ(_request(headers=headers), "", "/")["HTTP_ACCEPT"] == asked

    def test_what_a_phone_says_of_addresses_is_not_believed(self) -> None:
        headers = (
            ("X-Forwarded-For", "1.2.3.4"),
            ("X_Forwarded_For", "1.2.3.4"),
            ("Host", "x"),
            ("Referer", "/r"),
        )
        environ = wap_requests.environ(_request(headers=headers), "m.example.org", "/a%20b?c")
        assert not [key for key in environ if "FORWARDED" in key]
        assert environ["REMOTE_ADDR"] == HOST
        assert (environ["HTTP_HOST"], environ["PATH_INFO"], environ["QUERY_STRING"]) == (
            "m.example.org",
            "/a b",
            "c",
        )
        assert (environ["HTTP_REFERER"], environ["HTTP_X_WAP_CLIENT_SDU_SIZE"]) == ("/r", "1400")


PAGE = '<?xml version="1.0"?><!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML 1.1//EN" "x"><wml><card><p>{}</p></card></wml>'


#: Octets of a picture that goes into segments and not into a datagram.
PICTURE = 100_000


def _pieces(path: str) -> Iterator[bytes]:
    """Yield more than is taken, or break off."""
    for _ in range(100):
        yield b"x" * 10_000
        if path == "/fail/midway":
            yield b"x" * 60_000
            raise RuntimeError


def _toy(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answer with a deck that repeats what was posted; by path with something long, a redirect, a failure."""
    path = environ["PATH_INFO"]
    if path == "/fail":
        raise RuntimeError
    if path == "/status":
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
        return [b"Something"]
    if path == "/picture":
        start_response("200 OK", [("Content-Type", "image/vnd.wap.wbmp")])
        return [b"x" * PICTURE]
    if path in ("/endless", "/fail/midway"):
        start_response("200 OK", [("Content-Type", "image/vnd.wap.wbmp")])
        return _pieces(path)
    headers = [("Content-Type", "text/vnd.wap.wml; charset=utf-8"), ("X-Own", "1")]
    if path == "/go":
        start_response("302 Found", [*headers, ("Location", "/there")])
        return [b""]
    start_response("200 OK", headers)
    # Nothing that is repeated: a string table makes little of that.
    long = "".join(f"é{number}" for number in range(3000))
    text = long if path == "/long" else environ["wsgi.input"].read().decode() or path
    return [PAGE.format(text).encode()]


def _stalling(waiting: threading.Event, goes_on: threading.Event) -> Any:
    """Return the toy, which says when it is first asked, and waits before it answers that."""

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not waiting.is_set():
            waiting.set()
            goes_on.wait(PATIENCE)
        return _toy(environ, start_response)

    return app


@contextmanager
def serving(
    app: Any = _toy,
    *,
    refused: Callable[[str], object] = lambda why: None,
    current: Callable[[Config], Config] = lambda config: config,
    **more: Any,
) -> Iterator[tuple[int, int]]:
    """Run a bearer at free ports; yield that of sessions and the connectionless one."""
    found = free_ports("127.0.0.1", ((0, 0),))
    assert found is not None
    _, port, connectionless = found
    config = Config((), wap_listen="127.0.0.1", wap_port=port, wap_connectionless_port=connectionless, **more)
    with beside(Bearer(app, lambda: current(config), bind_all(config), refused)):
        yield port, connectionless


def deck(reply: wsp.Pdu | None) -> str:
    assert isinstance(reply, wsp.Reply)
    assert reply.content_type == "application/vnd.wap.wmlc"
    return wbxml.decode(reply.body)


class Phone:
    """Our initiator at a socket of its own; counts octets."""

    def __init__(
        self, port: int, headers: Headers = (), *, sdu: int | None = None, sar: bool = False
    ) -> None:
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.connect(("127.0.0.1", port))
        self._line.settimeout(PATIENCE)
        self.phone = Initiator(sar=sar)
        self.sent = self.received = 0
        capabilities = () if sdu is None else ((CLIENT_SDU, uintvar(sdu)),)
        assert isinstance(self.ask(wsp.Connect(capabilities, headers)), wsp.ConnectReply)

    def close(self) -> None:
        self._line.close()

    def begin(self, pdu: wsp.Pdu) -> int:
        """Ask, and return the request's transaction id."""
        tid = self.phone.invoke(wsp.write_pdu(pdu), 0)
        self._send()
        return tid

    def _send(self) -> None:
        for data in self.phone.datagrams_to_send(0):
            self.sent += self._line.send(data)

    def answer(self, tid: int) -> wsp.Pdu | None:
        answer = self.answered()
        assert answer.tid == tid
        return answer.pdu

    def answered(self) -> Answer:
        while True:
            self._send()
            answer: Answer | None = self.phone.next_event()
            if answer is not None:
                return answer
            data = self._line.recv(65_536)
            self.received += len(data)
            self.phone.receive_datagram(data, 0)

    def ask(self, pdu: wsp.Pdu) -> wsp.Pdu | None:
        return self.answer(self.begin(pdu))

    def get(self, url: str) -> wsp.Pdu | None:
        return self.ask(wsp.Method("GET", url))


class TestBearer:
    def test_requests_of_a_trusted_phone(self) -> None:
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
    def test_a_failure_of_the_application_is_adeck(self, path: str, caplog: pytest.LogCaptureFixture) -> None:
        with serving() as (port, _), closing(Phone(port)) as phone:
            assert "Something went wrong here." in deck(phone.get(path))
        assert path == "/status" or "the application failed" in caplog.text

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize(
        ("path", "msgid"),
        [
            ("http://example.org/", wap_notices.FOREIGN),
            ("/long", wap_notices.TOO_LARGE),
            ("/fail", wap_notices.FAILED),
        ],
    )
    def test_its_own_decks_speak_the_language_of_the_phone(
        self, language: str, path: str, msgid: str
    ) -> None:
        words = Language(language).gettext(msgid)
        assert language == "en" or words != msgid
        with serving() as (port, _), closing(Phone(port, (("Accept-Language", language),))) as phone:
            assert words in deck(phone.get(path))

    def test_its_own_decks_have_the_charset_of_the_phone(self) -> None:
        asked = (("Accept-Language", "ru, fr"), ("Accept-Charset", "iso-8859-1"))
        with serving() as (port, _), closing(Phone(port, asked)) as phone:
            said = phone.get("/long")
        assert "téléphone" in deck(said)
        assert isinstance(said, wsp.Reply)
        assert said.body[2] == 4, "not ISO-8859-1"

    @pytest.mark.parametrize("sar", [False, True], ids=["one datagram", "segments"])
    @pytest.mark.parametrize("path", ["/long", "/picture", "/endless"])
    @pytest.mark.parametrize("sdu", [100, 1400, 0])
    def test_what_is_too_large_is_told_in_adeck(self, sdu: int, path: str, sar: bool) -> None:
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

    def test_more_requests_than_may_wait_are_told_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bearer, "WAITING", 1)
        waiting, goes_on = threading.Event(), threading.Event()
        with (
            serving(_stalling(waiting, goes_on)) as (port, _),
            closing(Phone(port)) as first,
            closing(Phone(port)) as second,
        ):
            tid = first.begin(wsp.Method("GET", "/w"))
            assert waiting.wait(PATIENCE)
            assert wap_notices.BUSY in deck(second.get("/w"))
            goes_on.set()
            assert "<p>/w</p>" in deck(first.answer(tid))
            assert "<p>/w</p>" in deck(second.get("/w"))

    def test_a_request_at_hand_is_answered_before_the_end(self) -> None:
        waiting, goes_on = threading.Event(), threading.Event()
        with ExitStack() as stack:
            serves = ExitStack()
            port, _ = serves.enter_context(serving(_stalling(waiting, goes_on)))
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

    def test_a_request_that_hangs_does_not_keep_it_from_ending(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bearer, "GRACE", 0.05)
        waiting, goes_on = threading.Event(), threading.Event()
        with serving(_stalling(waiting, goes_on)) as (port, _), closing(Phone(port)) as phone:
            phone.begin(wsp.Method("GET", "/w"))
            assert waiting.wait(PATIENCE)
        goes_on.set()

    def test_a_host_that_a_new_configuration_names_is_ours_at_once(self) -> None:
        configs = [Config(())]
        with (
            serving(current=lambda first: configs[-1] if len(configs) > 1 else first) as (port, _),
            closing(Phone(port)) as phone,
        ):
            assert wap_notices.FOREIGN in deck(phone.get("http://m.example.org/w"))
            configs.append(Config((), url="http://m.example.org"))
            assert "<p>/w</p>" in deck(phone.get("http://m.example.org/w"))

    def test_what_is_not_sent_is_told(self) -> None:
        refused: list[str] = []
        with (
            serving(wap_trusted=(), refused=refused.append) as (port, _),
            closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as line,
        ):
            for tid in range(
                1, 4
            ):  # Connect and Get in 17 octets, answered with more than three times as many
                line.sendto(b"\x0e\0" + bytes((tid,)) + b"\x12\x01\x10\0\0", ("127.0.0.1", port))
                line.sendto(b"\x0e\1" + bytes((tid,)) + b"\x12\x40\1/", ("127.0.0.1", port))
            until(lambda: refused)
        assert set(refused) == {UNPROVEN}

    def test_a_stranger_continues_first_and_no_form_is_lost(self) -> None:
        with serving(wap_trusted=()) as (port, _), closing(Phone(port)) as phone:
            post = wsp.Method("POST", "/w?a=b", (), "text/plain", b"typed")
            asked = deck(phone.ask(post))
            assert phone.received <= AMPLIFICATION * phone.sent
            link = asked.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
            assert link.startswith("/w?a=b&wt=")
            assert "typed" not in asked
            assert "typed" in deck(phone.get(link))
            assert "<p>/x</p>" in deck(phone.get("/x"))

    def test_a_form_in_a_strangers_name_is_not_posted_by_its_owner(self) -> None:
        """Both come from one address, as whoever forges it can have it, and one page."""
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

    def test_blind_acknowledgements_do_not_pay(self) -> None:
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

    @pytest.mark.parametrize("allowed", [False, True])
    def test_without_a_session(self, allowed: bool) -> None:
        request = b"\x07" + wsp.write_pdu(wsp.Method("GET", "/w"))
        for trusted in ((), ("127.0.0.0/8",)):
            with (
                serving(wap_trusted=trusted, wap_connectionless=allowed) as (_, port),
                closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as line,
            ):
                line.settimeout(PATIENCE if trusted else 0.3)
                line.sendto(request, ("127.0.0.1", port))
                if trusted:
                    tid, reply = wsp.read_unit(line.recv(65_536))
                    assert tid == 7
                    assert "<p>/w</p>" in deck(reply)
                else:  # a Continue would be more than three times such a short request
                    with pytest.raises(TimeoutError):
                        line.recv(65_536)

    def test_hostile_octets_do_no_harm(self) -> None:
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
