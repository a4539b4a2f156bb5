"""`gateway.server` as a child process with a toy application, by raw sockets."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from gateway.config import Config
from gateway.errors import ConfigError
from gateway.server import listeners, wsgi
from tests import PATIENCE
from tests.servers.certs import Authority
from tests.servers.toy import connect, get, half, received, rest, say, secured, toy


def test_sigterm_finishes_what_is_in_flight_and_drops_what_is_not() -> None:
    with (
        toy() as served,
        connect(served.port) as stalled,
        connect(served.port) as idle,
        connect(served.port) as slow,
    ):
        stalled.sendall(half())
        idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
        slow.sendall(get("/slow/1"))
        assert served.line() == "in flight\n"
        assert served.stop() == "threads []\n"
        assert rest(slow).startswith(b"HTTP/1.1 200")
        assert rest(stalled).startswith(b"HTTP/1.1 503")
        assert rest(idle) == b""
        with pytest.raises(ConnectionRefusedError):
            connect(served.port)


def test_sigterm_lets_an_answer_be_read_to_its_end() -> None:
    with toy() as served, connect(served.port, room=4096) as line:
        line.sendall(get("/stream/-3"))
        assert line.recv(10) == b"HTTP/1.1 2"
        served.process.send_signal(signal.SIGTERM)
        body, complete = received(line)
        assert complete
        assert body.count(b".") == 3_000_000
        assert "threads []" in served.ended()


def test_sigterm_ends_it_though_the_application_hangs_and_says_what_was_left() -> None:
    with toy(listeners__GRACE=1.0) as served, connect(served.port) as hung, connect(served.port) as unread:
        unread.sendall(get("/stream/40"))
        assert unread.recv(12) == b"HTTP/1.1 200"
        hung.sendall(get("/slow/3600"))
        assert served.line() == "in flight\n"
        log = served.stop()
        assert "not finished within 1 s, broken off now: 1 being answered, 1 being worked on" in log
        assert "threads ['request_" in log
        assert received(hung) == (b"", False)
        assert not received(unread)[1]


def test_sigint_ends_it_too_without_a_word() -> None:
    with toy() as served:
        served.get("/")
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(PATIENCE) == 0
        assert served.process.stdout is not None
        assert served.process.stdout.read() == "threads []\n"


def test_the_environ_is_as_pep_3333_says() -> None:
    request = (
        b"POST /f%C3%BCr/x?q=%20+a HTTP/1.1\r\nHost: m.example:8080\r\nCookie: a=1\r\nCookie: b=2\r\n"
        b"Accept: text/vnd.wap.wml\r\nAccept: */*\r\nX_Spoof: 1\r\nProxy: evil\r\nConnection: close\r\n"
        b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\n\xff\x00\r\n0\r\n\r\n"
    )
    with toy() as served:
        head, _, body = say(served.port, request).partition(b"\r\n\r\n")
    assert re.findall(rb"(?im)^set-cookie: (.+)\r$", head + b"\r") == [b"a=1", b"b=2"]
    said = dict(line.split("=", 1) for line in body.decode().splitlines())
    assert said["PATH_INFO"] == "/für/x".encode().decode("latin-1")
    assert said["QUERY_STRING"] == "q=%20+a"
    assert said["HTTP_COOKIE"] == "a=1; b=2"
    assert said["HTTP_ACCEPT"] == "text/vnd.wap.wml, */*"
    assert said["HTTP_HOST"] == "m.example:8080"
    assert (said["CONTENT_TYPE"], said["CONTENT_LENGTH"]) == ("text/plain", "5")
    assert said["body"] == r"b'abc\xff\x00'"
    assert (said["REMOTE_ADDR"], said["SERVER_PORT"]) == ("127.0.0.1", str(served.port))
    assert not {"HTTP_X_SPOOF", "HTTP_PROXY", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_TYPE"} & said.keys()


def test_head_keeps_content_length() -> None:
    with toy() as served:
        head, _, body = say(
            served.port, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        ).partition(b"\r\n\r\n")
    assert re.search(rb"(?i)content-length: [1-9]", head)
    assert body == b""


def test_a_failing_application_shows_nothing() -> None:
    with toy() as served:
        answer = say(served.port, get("/boom"))
    assert answer.startswith(b"HTTP/1.1 500")
    assert b"private" not in answer


def test_http_and_https_stand_side_by_side(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("m", "localhost")
    with toy(pair=(pair.cert, pair.key)) as served:
        assert b"wsgi.url_scheme=http\n" in served.get("/")
        with secured(connect(served.secure), tmp_path / "ca.pem") as line:
            line.sendall(get("/"))
            assert b"wsgi.url_scheme=https\n" in rest(line)
        assert served.stop() == "threads []\n"


def test_over_ipv6_and_over_both() -> None:
    """On [::] an IPv4 peer has its IPv4 address, as rules for proxies and for the throttle know it."""
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").read_text():
        pytest.skip("NOT TESTED: this machine has no IPv6")
    with toy(hosts=("::",)) as served:
        assert b"REMOTE_ADDR=127.0.0.1\n" in say(served.port, get("/"))
        assert b"REMOTE_ADDR=::1\n" in say(served.port, get("/"), "::1")


def test_a_taken_address_is_an_error_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = listeners.Listener("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ConfigError, match="another program listens there"):
            listeners.run(listeners.Site(lambda e, s: [], (where,), 1))


def test_a_certificate_of_no_use_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("not a certificate")
    where = listeners.Listener("127.0.0.1", 0, tmp_path / "a.pem", tmp_path / "a.pem")
    with pytest.raises(ConfigError, match=r"certificate .*a\.pem"):
        where.certificate()


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("m", "localhost")
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    pair.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    script = (
        "import sys; from pathlib import Path; from gateway.server.certificate import ServerCertificate\n"
        "ServerCertificate(*map(Path, sys.argv[1:]))"
    )
    at, terminal = pty.openpty()
    child = subprocess.run(
        [sys.executable, "-c", script, str(pair.cert), str(pair.key)],
        stdin=terminal,
        stderr=subprocess.PIPE,
        start_new_session=True,
        timeout=PATIENCE,
    )
    os.close(at)
    os.close(terminal)
    assert b"ConfigError" in child.stderr


@pytest.mark.parametrize("listen", ["8080", "a:b", ":8080", "a:99999", "a:-1", "a:"])
def test_a_bad_address_is_an_error(listen: str) -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        listeners.Listener.parse(listen)


def test_addresses() -> None:
    assert listeners.Listener.parse("[::1]:80") == listeners.Listener("::1", 80)
    assert listeners.Listener.parse("[::1]:80").url == "http://[::1]:80/"
    config = Config(
        (), listen="127.0.0.1:1", https_listen="127.0.0.1:2", https_cert=Path("c"), https_key=Path("k")
    )
    assert [each.url for each in listeners.listeners(config)] == [
        "http://127.0.0.1:1/",
        "https://127.0.0.1:2/",
    ]


def test_ask_closes_what_it_ends_and_keeps_what_it_does_not() -> None:
    closed = []

    class Pieces(BytesIO):
        def close(self) -> None:
            closed.append(self)

    def app(environ: dict[str, object], start_response: object) -> Pieces:
        start_response("404 Not Found", [("X", "y")])  # type: ignore[operator]
        return Pieces(b"a\nb\n" if environ["short"] else b"long line of octets\n" * 10_000)

    short = wsgi.ask(app, {"short": True})  # type: ignore[arg-type]
    assert (short.status, short.headers, short.head, short.rest) == (404, [("X", "y")], b"a\nb\n", None)
    assert len(closed) == 1
    long = wsgi.ask(app, {"short": False})  # type: ignore[arg-type]
    assert long.rest is not None
    assert wsgi.INLINE < len(long.head) < wsgi.INLINE + 100
    assert len(closed) == 1
