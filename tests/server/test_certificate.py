"""HTTPS: what the listener accepts, and a certificate that is renewed while it serves."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import free_ports
from tests.servers.certs import Authority, Pair
from tests.servers.toy import Served, connect, get, received, rest, secured, toy

DOCS = Path(__file__).parent.parent.parent / "docs" / "security.md"
KEEP = get("/").replace(b"Connection: close\r\n", b"")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def put(pair: Pair, place: Path) -> tuple[Path, Path]:
    """Put a pair where the server looks for it, each file in one step, as renewal programs do."""
    names = place / "cert.pem", place / "key.pem"
    for source, target in zip((pair.cert, pair.key), names, strict=True):
        shutil.copy(source, target.with_suffix(".new")).replace(target)
    return names


def shown(served: Served, authority: Authority) -> str:
    """Return the name in the certificate that a new connection gets."""
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.check_hostname = False
    with context.wrap_socket(connect(served.secure)) as line:
        (((_, name),),) = line.getpeercert()["subject"]  # type: ignore[index,misc]
        return str(name)


def until_shown(served: Served, authority: Authority, name: str) -> None:
    for _ in range(200):
        if shown(served, authority) == name:
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} is never shown")


def ask(line: socket.socket) -> bytes:
    line.sendall(KEEP)
    return line.recv(65536)[:12]


def test_a_renewed_certificate_is_taken_and_drops_nobody(authority: Authority, tmp_path: Path) -> None:
    old, new = authority.issue("old", "localhost"), authority.issue("new", "new.example", "localhost")
    with (
        toy(pair=put(old, tmp_path)) as served,
        secured(connect(served.secure), authority.ca_file) as line,
    ):
        assert ask(line) == b"HTTP/1.1 200"
        assert shown(served, authority) == "localhost"
        put(new, tmp_path)
        served.process.send_signal(signal.SIGHUP)
        until_shown(served, authority, "new.example")
        assert ask(line) == b"HTTP/1.1 200"


def test_a_new_certificate_is_noticed_without_a_signal(authority: Authority, tmp_path: Path) -> None:
    old, new = authority.issue("old", "localhost"), authority.issue("new", "new.example")
    with toy(pair=put(old, tmp_path), listeners__LOOK_SECONDS=0.1) as served:
        assert shown(served, authority) == "localhost"
        put(new, tmp_path)
        until_shown(served, authority, "new.example")


def test_a_new_certificate_of_no_use_leaves_the_old_one(authority: Authority, tmp_path: Path) -> None:
    """As in the moment when the certificate is there before its key; then both are used."""
    old, new = authority.issue("old", "localhost"), authority.issue("new", "new.example")
    with toy(pair=put(old, tmp_path)) as served:
        put(Pair(new.cert, old.key), tmp_path)
        served.process.send_signal(signal.SIGHUP)
        assert "is of no use, the old one stays" in served.line()
        assert shown(served, authority) == "localhost"
        (tmp_path / "cert.pem").unlink()
        served.process.send_signal(signal.SIGHUP)
        assert "is of no use, the old one stays" in served.line()
        put(new, tmp_path)
        served.process.send_signal(signal.SIGHUP)
        until_shown(served, authority, "new.example")


@pytest.mark.parametrize("asked", [True, False])
def test_a_reset_connection_is_no_news(asked: bool, authority: Authority, tmp_path: Path) -> None:
    """After a request as well as immediately, when the handshake may not even be over."""
    with toy(pair=put(authority.issue("old", "localhost"), tmp_path)) as served:
        for _ in range(10):
            line = secured(connect(served.secure), authority.ca_file)
            if asked:
                assert ask(line) == b"HTTP/1.1 200"
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()
        assert served.stop() == "threads []\n"


def test_sighup_without_https_ends_nothing() -> None:
    with toy() as served:
        served.process.send_signal(signal.SIGHUP)
        assert served.get("/")
        assert served.stop() == "threads []\n"


def handshake(served: Served, version: ssl.TLSVersion, ciphers: str) -> str:
    """Return the cipher that is agreed on, or ''."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    try:
        with context.wrap_socket(connect(served.secure)) as line:
            agreed = line.cipher()
            return agreed[0] if agreed else ""
    except (ssl.SSLError, ConnectionError):
        return ""


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_the_listener_takes_what_the_document_says(authority: Authority, tmp_path: Path) -> None:
    said = DOCS.read_text().partition("## TLS")[2]
    named = re.findall(r"^\| `(\S+)` \|", said, re.M)
    rsa = authority.issue("rsa", "localhost", old=True)
    with (
        toy(pair=put(authority.issue("ec", "localhost"), tmp_path)) as served,
        toy(pair=(rsa.cert, rsa.key)) as other,
    ):
        for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            assert not handshake(served, old, "ALL:@SECLEVEL=0")
        taken = set()
        for each in (served, other):
            assert handshake(each, ssl.TLSVersion.TLSv1_3, "ALL").startswith("TLS_")
            for name in offered():
                taken |= {handshake(each, ssl.TLSVersion.TLSv1_2, f"{name}:@SECLEVEL=0")} - {""}
        assert taken == set(named)
        assert len(named) > 8


def offered() -> list[str]:
    """Name the ciphers of TLS 1.2 that this OpenSSL has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return [each["name"] for each in context.get_ciphers() if each["protocol"] != "TLSv1.3"]


# --- the proxy for devices that know nothing newer than TLS 1.0

PROXY = re.search(r"```nginx\n(.+?)```", DOCS.read_text(), re.S)
ENTIRE = """
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr error;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    {server}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path, pair: Pair, behind: int) -> Iterator[int]:
    """Run the proxy as in the document, except for its places."""
    if shutil.which("nginx") is None:
        pytest.skip("NOT TESTED: nginx is not installed (see tests/debian-packages.txt)")
    assert PROXY is not None
    (port,) = free_ports(1)
    server = PROXY[1]
    for said, here in {
        "listen 8444": f"listen 127.0.0.1:{port}",
        "/etc/pocketpost/pda.pem": str(pair.cert),
        "/etc/pocketpost/pda.key": str(pair.key),
        "127.0.0.1:8080": f"127.0.0.1:{behind}",
    }.items():
        assert server.count(said) == 1
        server = server.replace(said, here)
    (folder / "nginx.conf").write_text(ENTIRE.format(folder=folder, server=server))
    command = ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            for _ in range(200):
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
                with (
                    contextlib.suppress(ConnectionRefusedError),
                    socket.create_connection(("127.0.0.1", port)),
                ):
                    break
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def pda() -> ssl.SSLContext:
    """Speak TLS as a Pocket PC does: 1.0, static RSA, no elliptic curves."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


def test_a_pda_is_let_in_by_the_proxy_of_the_document(authority: Authority, tmp_path: Path) -> None:
    pair = authority.issue("pda", "localhost", old=True)
    with toy() as served, nginx(tmp_path, pair, served.port) as port:
        with pda().wrap_socket(connect(port), suppress_ragged_eofs=False) as line:
            assert (line.version(), line.cipher()) == ("TLSv1", ("AES128-SHA", "SSLv3", 128))
            line.sendall(get("/x"))
            body = rest(line)
        assert b"PATH_INFO=/x\n" in body
        assert b"HTTP_X_FORWARDED_FOR=127.0.0.1\n" in body
        assert b"HTTP_HOST=m.example\n" in body
        for version in ("1.0", "1.1"):
            with pda().wrap_socket(connect(port), suppress_ragged_eofs=False) as line:
                line.sendall(get("/torn/200000", version))
                assert not received(line)[1]


def test_through_the_proxy_a_reader_that_reads_nothing_makes_nothing_be_fetched(
    authority: Authority, tmp_path: Path
) -> None:
    pair = authority.issue("pda", "localhost", old=True)
    with toy() as served, nginx(tmp_path, pair, served.port) as port:
        with pda().wrap_socket(connect(port, room=4096)) as line:
            line.sendall(get("/stream/40"))
            assert 0 < served.settled()[0] < 20_000_000
        served.until_closed(1)
