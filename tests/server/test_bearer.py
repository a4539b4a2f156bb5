"""Tests of the WAP bearer: who is sent how much, which URLs are ours, and real datagrams to a toy application."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import Config
from gateway.server import wap_requests
from gateway.server.bearer import Bearer, free_ports
from gateway.server.reachability import AMPLIFICATION, HOST_RATE, HOSTS, KNOWN_SECONDS, SLOT, Reachability
from gateway.server.wap_requests import Elsewhere, split_token, target, with_token
from gateway.wap import wbxml, wsp
from gateway.wap.initiator import Answer, Initiator
from gateway.wap.quadruplet import Quadruplet
from gateway.wap.requests import Request
from tests import PATIENCE, rig
from tests.devices.phones import WmlPhone
from tests.devices.wsp import WspSession, transport
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.smtp import SmtpServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

HOST = "192.0.2.7"


class TestReachability:
    def test_three_times_what_came_and_no_more(self) -> None:
        reach = Reachability((), b"k")
        assert not reach.may_send(HOST, 1, 0)
        reach.received(HOST, 10, 0)
        assert reach.may_send(HOST, 10 * AMPLIFICATION - 1, 0)
        assert not reach.may_send(HOST, 2, 0)
        assert reach.may_send(HOST, 1, 0)
        assert not reach.may_send(HOST, 1, 1e6)

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


def _toy(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    """Answer with a deck that repeats what was posted; by path with a long one, a redirect, a failure."""
    path = environ["PATH_INFO"]
    if path == "/fail":
        raise RuntimeError
    headers = [("Content-Type", "text/vnd.wap.wml; charset=utf-8"), ("X-Own", "1")]
    if path == "/go":
        start_response("302 Found", [*headers, ("Location", "/there")])
        return [b""]
    start_response("200 OK", headers)
    # Nothing that is repeated: a string table makes little of that.
    long = "".join(f"é{number}" for number in range(3000))
    text = long if path == "/long" else environ["wsgi.input"].read().decode() or path
    return [PAGE.format(text).encode()]


@contextmanager
def serving(app: Any = _toy, **more: Any) -> Iterator[tuple[int, int]]:
    """Run a bearer at free ports; yield that of sessions and the connectionless one."""
    found = free_ports("127.0.0.1", ((0, 0),))
    assert found is not None
    _, port, connectionless = found
    config = Config((), wap_listen="127.0.0.1", wap_port=port, wap_connectionless_port=connectionless, **more)
    bearer = Bearer(app, config)
    bearer.start()
    try:
        yield port, connectionless
    finally:
        bearer.stop()


def _deck(reply: wsp.Pdu | None) -> str:
    assert isinstance(reply, wsp.Reply)
    assert reply.content_type == "application/vnd.wap.wmlc"
    return wbxml.decode(reply.body)


class Phone:
    """Our initiator at a socket of its own; counts octets."""

    def __init__(self, port: int) -> None:
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.connect(("127.0.0.1", port))
        self._line.settimeout(PATIENCE)
        self.phone = Initiator()
        self.sent = self.received = 0
        assert isinstance(self.ask(wsp.Connect()), wsp.ConnectReply)

    def close(self) -> None:
        self._line.close()

    def ask(self, pdu: wsp.Pdu) -> wsp.Pdu | None:
        self.phone.invoke(wsp.write_pdu(pdu), 0)
        while True:
            for data in self.phone.datagrams_to_send(0):
                self.sent += self._line.send(data)
            answer: Answer | None = self.phone.next_event()
            if answer is not None:
                return answer.pdu
            data = self._line.recv(65_536)
            self.received += len(data)
            self.phone.receive_datagram(data, 0)

    def get(self, url: str) -> wsp.Pdu | None:
        return self.ask(wsp.Method("GET", url))


class TestBearer:
    def test_requests_of_a_trusted_phone(self) -> None:
        with serving() as (port, _), closing(Phone(port)) as phone:
            assert "<p>/w</p>" in _deck(phone.get("/w"))
            assert "opens no other addresses" in _deck(phone.get("http://example.org/"))
            assert "too large for your phone" in _deck(phone.get("/long"))
            assert "<p>/w</p>" in _deck(phone.get("http://127.0.0.1:8080/w"))
            post = wsp.Method("POST", "/w", (), "text/plain; charset=utf-8", "äöü".encode())
            assert "äöü" in _deck(phone.ask(post))
            moved = phone.get("http://127.0.0.1:8080/go")
            assert isinstance(moved, wsp.Reply)
            assert (moved.status, moved.headers) == (302, (("Location", "http://127.0.0.1:8080/there"),))

    def test_a_failure_of_the_application_is_a_deck(self, caplog: pytest.LogCaptureFixture) -> None:
        with serving() as (port, _), closing(Phone(port)) as phone:
            assert "<p>" in _deck(phone.get("/fail"))
        assert "the application failed" in caplog.text

    def test_a_stranger_continues_first_and_no_form_is_lost(self) -> None:
        with serving(wap_trusted=()) as (port, _), closing(Phone(port)) as phone:
            post = wsp.Method("POST", "/w?a=b", (), "text/plain", b"typed")
            asked = _deck(phone.ask(post))
            assert phone.received <= AMPLIFICATION * phone.sent
            link = asked.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
            assert link.startswith("/w?a=b&wt=")
            assert "typed" not in asked
            assert "typed" in _deck(phone.get(link))
            assert "<p>/x</p>" in _deck(phone.get("/x"))

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
                    assert "<p>/w</p>" in _deck(reply)
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
                assert "<p>/w</p>" in _deck(phone.get("/w"))


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
