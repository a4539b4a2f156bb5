"""`gateway.serve` and `gateway.bridge`, as a child process with a toy application, by raw sockets."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from gateway import bridge, serve
from gateway.config import Config
from gateway.errors import ConfigError

TOY = """
import contextvars, sys, threading, time
from pathlib import Path
from gateway import bridge
from gateway.serve import Listener, run

bridge.BODY_PAUSE = float(sys.argv[2])
mark = contextvars.ContextVar("mark")

def stream():
    mark.set("here")
    for _ in range(40):
        yield mark.get().encode() + b"." * 65532

def torn():
    yield b"." * 100_000
    raise ValueError("private text")

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/slow":
        print("in flight", flush=True)
        time.sleep(1)
    if path == "/boom":
        raise ValueError("private text")
    if path == "/long":
        start_response("200 OK", [("Content-Length", str(40 * 65536))])
        return stream()
    if path.startswith("/torn"):
        start_response("200 OK", [("Content-Length", path[5:])] if path[5:] else [])
        return torn()
    body = environ["wsgi.input"].read()
    body = body if len(body) < 1000 else len(body)
    words = [f"{key}={value}" for key, value in environ.items() if isinstance(value, str)]
    text = "\\n".join([*sorted(words), f"body={body!r}"]).encode("utf-8")
    headers = [("Content-Length", str(len(text))), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    start_response("200 OK", headers)
    return [text] if environ["REQUEST_METHOD"] != "HEAD" else []

where = []
for spec in sys.argv[3:]:
    port, _, pair = spec.partition(",")
    files = [Path(pair + ".crt"), Path(pair + ".key")] if pair else []
    where.append(Listener("127.0.0.1", int(port), *files))
run(app, tuple(where), int(sys.argv[1]), lambda: print("ready", flush=True), 1_000_000)
print("threads", [t.name for t in threading.enumerate() if t.name.startswith("request")], flush=True)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def toy(
    *, threads: int = 2, pause: float = 60, pair: str = ""
) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    ports = [free_port()] + ([free_port()] if pair else [])
    where = [str(ports[0])] + ([f"{ports[1]},{pair}"] if pair else [])
    child = subprocess.Popen(
        [sys.executable, "-bb", "-W", "error", "-c", TOY, str(threads), str(pause), *where],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        yield child, ports
    finally:
        child.kill()
        child.communicate()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def say(port: int, request: bytes) -> bytes:
    with connect(port) as line:
        line.sendall(request)
        return rest(line)


def rest(line: socket.socket) -> bytes:
    answer = bytearray()
    while piece := line.recv(65536):
        answer += piece
    return bytes(answer)


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: m.example\r\nConnection: close\r\n\r\n".encode("latin-1")


STALLED = {
    "idle": b"",
    "half a header": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
    "half a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nto=",
    "an answer not read": get("/long"),
}


@pytest.mark.parametrize("kind", STALLED)
def test_stalled_sockets_block_nobody(kind: str) -> None:
    with toy(threads=2) as (_, [port]), contextlib.ExitStack() as lines:
        for _ in range(64):
            lines.enter_context(connect(port)).sendall(STALLED[kind])
        for _ in range(3):
            assert say(port, get("/")).startswith(b"HTTP/1.1 200")


def test_sigterm_finishes_what_is_in_flight_and_drops_what_is_not() -> None:
    with toy() as (child, [port]), connect(port) as slow, connect(port) as stalled, connect(port) as idle:
        stalled.sendall(STALLED["half a body"])
        idle.sendall(STALLED["half a header"])
        slow.sendall(get("/slow"))
        assert child.stdout is not None
        assert child.stdout.readline() == "in flight\n"
        child.send_signal(signal.SIGTERM)
        assert rest(slow).startswith(b"HTTP/1.1 200")
        assert rest(stalled).startswith(b"HTTP/1.1 503")
        assert child.wait(20) == 0
        assert child.stdout.read() == "threads []\n"
        with pytest.raises(ConnectionRefusedError):
            connect(port)


def test_sigint_ends_it_too_without_a_word() -> None:
    with toy() as (child, [port]):
        say(port, get("/"))
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 0
        assert child.stdout is not None
        assert child.stdout.read() == "threads []\n"


def test_the_environ_is_as_pep_3333_says() -> None:
    request = (
        b"POST /f%C3%BCr/x?q=%20+a HTTP/1.1\r\nHost: m.example:8080\r\nCookie: a=1\r\nCookie: b=2\r\n"
        b"Accept: text/vnd.wap.wml\r\nAccept: */*\r\nX_Spoof: 1\r\nProxy: evil\r\nConnection: close\r\n"
        b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\n\xff\x00\r\n0\r\n\r\n"
    )
    with toy() as (_, [port]):
        head, _, body = say(port, request).partition(b"\r\n\r\n")
    assert re.findall(rb"(?im)^set-cookie: (.+)\r$", head + b"\r") == [b"a=1", b"b=2"]
    said = dict(line.split("=", 1) for line in body.decode().splitlines())
    assert said["PATH_INFO"] == "/für/x".encode().decode("latin-1")
    assert said["QUERY_STRING"] == "q=%20+a"
    assert said["HTTP_COOKIE"] == "a=1; b=2"
    assert said["HTTP_ACCEPT"] == "text/vnd.wap.wml, */*"
    assert said["HTTP_HOST"] == "m.example:8080"
    assert (said["CONTENT_TYPE"], said["CONTENT_LENGTH"]) == ("text/plain", "5")
    assert said["body"] == r"b'abc\xff\x00'"
    assert (said["REMOTE_ADDR"], said["SERVER_PORT"]) == ("127.0.0.1", str(port))
    assert not {"HTTP_X_SPOOF", "HTTP_PROXY", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_TYPE"} & said.keys()


def test_head_keeps_content_length() -> None:
    with toy() as (_, [port]):
        head, _, body = say(port, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").partition(
            b"\r\n\r\n"
        )
    assert re.search(rb"(?i)content-length: [1-9]", head)
    assert body == b""


def test_a_long_answer_is_streamed_in_one_context() -> None:
    with toy() as (_, [port]):
        body = say(port, get("/long")).partition(b"\r\n\r\n")[2]
    assert body == (b"here" + b"." * 65532) * 40


def test_a_failing_application_shows_nothing() -> None:
    with toy() as (_, [port]):
        answer = say(port, get("/boom"))
    assert answer.startswith(b"HTTP/1.1 500")
    assert b"private" not in answer


def received(line: socket.socket) -> tuple[bytes, bool]:
    """Read an answer as a strict client does; say whether its end was seen (RFC 9112 §8)."""
    answer = bytearray()
    reset = False
    try:
        while piece := line.recv(65536):
            answer += piece
    except (ConnectionError, ssl.SSLError):
        reset = True
    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    if b"chunked" in head:
        return body, body.endswith(b"0\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return body, len(body) >= int(length[1]) if length else not reset


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("path", ["/torn", "/torn200000", "/long"])
def test_an_answer_that_fails_midway_does_not_look_complete(path: str, version: str) -> None:
    with toy() as (child, [port]):
        for _ in range(2):
            with connect(port) as line:
                line.sendall(get(path).replace(b"1.1", version.encode()))
                body, complete = received(line)
            assert body.strip(b"0123456789abcdef\r\nhr") != b""
            assert complete == (path == "/long")
        assert say(port, get("/")).startswith(b"HTTP/1.1 200")
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0
        assert child.stdout is not None
        log = child.stdout.read()
    assert ("failed in the midst" in log) == (path != "/long")
    assert b"threads []" in log.encode()


def test_only_the_connection_that_failed_is_reset() -> None:
    with toy() as (_, [port]), connect(port) as other, connect(port) as line:
        other.sendall(get("/slow"))
        line.sendall(get("/torn"))
        assert not received(line)[1]
        assert rest(other).startswith(b"HTTP/1.1 200")


def test_a_secure_answer_that_fails_midway_does_not_look_complete(tmp_path: Path) -> None:
    pair = str(tmp_path / "m")
    make_pair(Path(pair + ".crt"), Path(pair + ".key"))
    context = ssl.create_default_context(cafile=pair + ".crt")
    with (
        toy(pair=pair) as (_, [_plain, secure]),
        context.wrap_socket(connect(secure), server_hostname="localhost") as line,
    ):
        line.sendall(get("/torn"))
        assert not received(line)[1]


def posted(size: int, kind: bytes) -> bytes:
    head = (
        b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    )
    return head % (kind, size) + b"x" * size


def test_uploads_have_a_limit_of_their_own() -> None:
    """What is beyond it is read and dropped for a while, so that a browser hears that it was too much."""
    limit = bridge.BODY_LIMIT + 1_000_000
    with toy() as (_, [port]):
        for size, answer in ((900_000, b"body=900000"), (2_000_000, b"body=%d" % limit)):
            assert answer in say(port, posted(size, b"Multipart/form-data; boundary=x"))
        assert say(port, posted(5_000_000, b"multipart/form-data")).startswith(b"HTTP/1.1 413")
        assert say(port, posted(900_000, b"application/x-www-form-urlencoded")).startswith(b"HTTP/1.1 413")


def test_bodies_are_bounded_in_octets_and_time() -> None:
    big = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (
        bridge.BODY_LIMIT + 1
    )
    with toy(pause=0.2) as (_, [port]):
        assert say(port, big + b"x" * (bridge.BODY_LIMIT + 1)).startswith(b"HTTP/1.1 413")
        assert say(port, STALLED["half a body"]).startswith(b"HTTP/1.1 408")


def test_http_and_https_stand_side_by_side(tmp_path: Path) -> None:
    pair = str(tmp_path / "m")
    make_pair(Path(pair + ".crt"), Path(pair + ".key"))
    context = ssl.create_default_context(cafile=pair + ".crt")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with toy(pair=pair) as (child, [plain, secure]):
        assert b"wsgi.url_scheme=http\n" in say(plain, get("/"))
        with context.wrap_socket(connect(secure), server_hostname="localhost") as line:
            line.sendall(get("/"))
            assert b"wsgi.url_scheme=https\n" in rest(line)
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0


def make_pair(cert: Path, key: Path) -> None:
    """Write a self-made certificate for localhost and its key."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    start = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key.write_bytes(
        private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )


def test_a_taken_address_is_an_error_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = serve.Listener("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ConfigError, match="another program listens there"):
            serve.run(lambda e, s: [], (where,), 1)


def test_a_certificate_of_no_use_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("not a certificate")
    where = serve.Listener("127.0.0.1", 0, tmp_path / "a.pem", tmp_path / "a.pem")
    with pytest.raises(ConfigError, match=r"certificate .*a\.pem"):
        serve.server(bridge.Bridge(lambda e, s: [], 1, OSError), where)


@pytest.mark.parametrize("listen", ["8080", "a:b", ":8080", "a:99999", "a:-1", "a:"])
def test_a_bad_address_is_an_error(listen: str) -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        serve.Listener.parse(listen)


def test_addresses() -> None:
    assert serve.Listener.parse("[::1]:80") == serve.Listener("::1", 80)
    assert serve.Listener.parse("[::1]:80").url == "http://[::1]:80/"
    config = Config(
        (), listen="127.0.0.1:1", https_listen="127.0.0.1:2", https_cert=Path("c"), https_key=Path("k")
    )
    assert [each.url for each in serve.listeners(config)] == ["http://127.0.0.1:1/", "https://127.0.0.1:2/"]


def test_ask_closes_what_it_ends_and_keeps_what_it_does_not() -> None:
    closed = []

    class Pieces(BytesIO):
        def close(self) -> None:
            closed.append(self)

    def app(environ: dict[str, object], start_response: object) -> Pieces:
        start_response("404 Not Found", [("X", "y")])  # type: ignore[operator]
        return Pieces(b"a\nb\n" if environ["short"] else b"long line of octets\n" * 10_000)

    short = bridge.ask(app, {"short": True})  # type: ignore[arg-type]
    assert (short.status, short.headers, short.head, short.rest) == (404, [("X", "y")], b"a\nb\n", None)
    assert len(closed) == 1
    long = bridge.ask(app, {"short": False})  # type: ignore[arg-type]
    assert long.rest is not None
    assert bridge.INLINE < len(long.head) < bridge.INLINE + 100
    assert len(closed) == 1
