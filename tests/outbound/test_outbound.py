"""outbound: whom it reaches, what it sends, and that it ends; against a real TLS server on loopback."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import OutboundRefused, OutboundUncertain, OutboundUnreachable
from gateway.outbound import ListedOrigins, Outbound, Response, client, http1_exchange, is_public, reach
from gateway.upstreams.connecting import LOOKUPS
from tests import PATIENCE
from tests.servers.certs import Authority

NAME = "list.example"
PUBLIC = "93.184.215.14"
FORM = {"List-Unsubscribe": "One-Click"}

# Whom it reaches


@pytest.mark.parametrize(
    "address",
    [PUBLIC, "8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.0.1.1",
     "223.255.255.255", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "2a00:1450:4001:80e::200e"],
)  # fmt: skip
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.9.9.9", "169.254.169.254",
     "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
     "198.51.100.9", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
     "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808",
     "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::",
     "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%lo", "fec0::1",
     "ff02::1", "ff0e::1", "2606:2800::1%eth0", "", "localhost", "127.1", "0x7f.1", "2130706433", "8.8.8.8 "],
)  # fmt: skip
def test_all_other_addresses(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_calls_otherwise(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not any((address.is_multicast, address.is_reserved, address.is_private))
        assert getattr(address, "ipv4_mapped", None) is getattr(address, "sixtofour", None) is None


@given(st.ip_addresses(v=4))
def test_no_wrapping_makes_an_address_public(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for wrapped in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80, number):
        assert not is_public(str(ipaddress.IPv6Address(wrapped)))


# The server

Script = Callable[[ssl.SSLSocket], None]


class Listener:
    """A TLS server that runs one script per connection and keeps what it receives."""

    def __init__(self, folder: Path, *names: str) -> None:
        authority = Authority(folder)
        pair = authority.issue("list", *(names or (NAME,)))
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(pair.cert, pair.key)
        self.trust = ssl.create_default_context(cafile=str(authority.ca_file))
        self.script: Script = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        self.received: list[bytes] = []
        self.names: list[str | None] = []
        self.context.sni_callback = lambda sock, name, context: self.names.append(name)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while True:
            plain, _ = self.socket.accept()
            with plain:
                if self.over.is_set():
                    return
                plain.settimeout(PATIENCE)
                try:
                    with self.context.wrap_socket(plain, server_side=True) as sock:
                        self.received.append(request(sock))
                        self.script(sock)
                except OSError:
                    pass

    def stop(self) -> None:
        self.over.set()
        socket.create_connection(self.socket.getsockname()).close()
        self.thread.join(PATIENCE)
        self.socket.close()


def request(sock: ssl.SSLSocket) -> bytes:
    octets = b""
    while not re.search(rb"(?s)Content-Length: (\d+)\r\n.*\r\n\r\n(?=List)|^GET .*\r\n\r\n", octets):
        piece = sock.recv(4096)
        if not piece:
            break
        octets += piece
    return octets


def answering(*pieces: bytes, pause: float = 0.0) -> Script:
    def script(sock: ssl.SSLSocket) -> None:
        for piece in pieces:
            sock.sendall(piece)
            time.sleep(pause)

    return script


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    made = Listener(tmp_path_factory.mktemp("outbound"))
    yield made
    made.stop()


@pytest.fixture
def listener(listening: Listener) -> Listener:
    listening.received.clear()
    listening.names.clear()
    listening.script = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    return listening


class Net:
    """A resolver and a network of one host, which is the listener."""

    def __init__(self, listener: Listener, addresses: Sequence[str] = (PUBLIC,)) -> None:
        self.listener, self.addresses = listener, addresses
        self.resolved: list[str] = []
        self.connected: list[tuple[str, int]] = []

    def resolve(self, host: str) -> Sequence[str]:
        self.resolved.append(host)
        return self.addresses

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        self.connected.append((address, port))
        return socket.create_connection(self.listener.socket.getsockname(), seconds)

    def outbound(self, seconds: float = 5.0) -> Outbound:
        return Outbound(self.resolve, self.connect, lambda: self.listener.trust, seconds)


def test_a_form_arrives_and_says_nothing_of_us(listener: Listener) -> None:
    net = Net(listener, (PUBLIC, "8.8.8.8"))
    assert net.outbound().post_form(f"https://{NAME}/u?a=1&b=%20#x", FORM) == 200
    head, _, body = listener.received[0].partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    assert lines[0] == "POST /u?a=1&b=%20 HTTP/1.1"
    assert body == b"List-Unsubscribe=One-Click"
    assert {line.partition(":")[0].lower() for line in lines[1:]} == {
        "host", "user-agent", "accept", "content-type", "content-length", "connection",
    }  # fmt: skip
    assert "Host: list.example" in lines
    assert "pocketpost" not in head.decode("ascii").lower()
    assert net.resolved == [NAME]
    assert net.connected == [(PUBLIC, 443)]
    assert listener.names == [NAME]


@pytest.mark.parametrize(
    ("status", "line"), [(302, "302 Found"), (404, "404"), (500, "500 Oops"), (202, "202 Ok")]
)
def test_the_status_is_told_and_nothing_is_followed(listener: Listener, status: int, line: str) -> None:
    net = Net(listener)
    listener.script = answering(f"HTTP/1.1 {line}\r\nLocation: https://{NAME}/again\r\n\r\n".encode())
    assert net.outbound().post_form(f"https://{NAME}/", FORM) == status
    assert len(listener.received) == len(net.connected) == 1


def test_interim_answers_are_passed_over(listener: Listener) -> None:
    listener.script = answering(
        b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 2", b"04 No\r\n\r\n"
    )
    assert Net(listener).outbound().post_form(f"https://{NAME}/", FORM) == 204


@pytest.mark.parametrize(
    "addresses", [("127.0.0.1",), (PUBLIC, "10.0.0.1"), ("::1", PUBLIC), ("fd00::1",), ("::ffff:8.8.8.8",)]
)
def test_one_address_that_is_not_public_spoils_all(listener: Listener, addresses: tuple[str, ...]) -> None:
    net = Net(listener, addresses)
    with pytest.raises(OutboundRefused):
        net.outbound().post_form(f"https://{NAME}/", FORM)
    assert net.connected == []


@pytest.mark.parametrize(
    "url",
    ["http://list.example/", "https://list.example:8443/", "https://user@list.example/",
     "https://list.example/\r\nX: y", "https://list.example/a b",
     "https://list.example\\@x/", "https://[::1]/", "https:///x", "ftp://list.example/",
     "https://list.example/ä", "https://list.example/" + "a" * 4000, "", "https://list..example/", "//list.example/",
     "https://list.example/\n", "https://list.example/\0", "https://\u0130.example/", "https://list.example/\u212a"],
)  # fmt: skip
def test_other_urls_are_refused_before_anything_is_looked_up(listener: Listener, url: str) -> None:
    net = Net(listener)
    with pytest.raises(OutboundRefused):
        net.outbound().post_form(url, FORM)
    assert net.resolved == []


@given(st.text(max_size=40), st.sampled_from(["https://list.example/", "http://list.example", "https://"]))
@example("\u0130", "https://list.example/")
def test_no_url_puts_a_line_into_the_request(text: str, start: str) -> None:
    try:
        target = reach.read(start + text)
    except OutboundRefused:
        return
    octets = http1_exchange.request("POST", target, b"", "text/plain")
    assert octets.count(b"\r\n") == 8
    assert octets.split(b"\r\n")[0].count(b" ") == 2


def test_another_hosts_certificate_is_not_accepted(listener: Listener) -> None:
    with pytest.raises(OutboundUnreachable, match="certificate"):
        Net(listener).outbound().post_form("https://bank.example/", FORM)
    assert listener.received == []


def test_an_unknown_authority_is_not_accepted(listener: Listener) -> None:
    net = Net(listener)
    with pytest.raises(OutboundUnreachable, match="certificate"):
        Outbound(net.resolve, net.connect).post_form(f"https://{NAME}/", FORM)
    assert listener.received == []


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n", b"A" * 100_000, b"HTTP/1.1 103 x\r\n\r\n" * 2000])
def test_what_is_no_answer_leaves_it_uncertain(listener: Listener, answer: bytes) -> None:
    listener.script = answering(answer)
    with pytest.raises(OutboundUncertain):
        Net(listener).outbound().post_form(f"https://{NAME}/", FORM)


def test_an_answer_that_drips_ends_at_the_deadline(listener: Listener) -> None:
    octets = b"HTTP/1.1 200 " + b"O" * 200 + b"\r\n"
    listener.script = answering(*(octets[n : n + 1] for n in range(len(octets))), pause=0.02)
    with pytest.raises(OutboundUncertain, match="took too long"):
        Net(listener).outbound(0.5).post_form(f"https://{NAME}/", FORM)


def test_a_handshake_that_does_not_come_ends_at_the_deadline(listener: Listener) -> None:
    net = Net(listener)
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(OutboundUnreachable, match="took too long"):
        Outbound(net.resolve, lambda *_: ours, lambda: listener.trust, 0.2).post_form(
            f"https://{NAME}/", FORM
        )


def test_a_lookup_that_hangs_ends_at_the_deadline_and_does_not_pile_up(listener: Listener) -> None:
    net, release = Net(listener), threading.Event()

    def hanging(host: str) -> Sequence[str]:
        net.resolved.append(host)
        release.wait(PATIENCE)
        return (PUBLIC,)

    way = Outbound(hanging, net.connect, lambda: listener.trust, 0.02)
    for name in (NAME, NAME, *(f"{n}.{NAME}" for n in range(LOOKUPS + 2))):
        with pytest.raises(OutboundUnreachable, match="took too long"):
            way.post_form(f"https://{name}/", FORM)
    assert net.resolved == [NAME, *(f"{n}.{NAME}" for n in range(LOOKUPS - 1))]
    release.set()


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label")])
def test_a_name_that_is_not_known_is_unreachable(listener: Listener, error: Exception) -> None:
    def failing(host: str) -> Sequence[str]:
        raise error

    with pytest.raises(OutboundUnreachable):
        Outbound(failing, Net(listener).connect).post_form(f"https://{NAME}/", FORM)


def test_the_real_connection_goes_to_an_address_and_never_to_a_name() -> None:
    with pytest.raises(ValueError, match="localhost"):
        client.connect("localhost", 1, 1.0)
    assert not any(is_public(address) for address in client.resolve("localhost"))


# Other methods, bodies, and the origins that an administrator has listed


def test_a_body_is_read_as_far_as_there_is_room(listener: Listener) -> None:
    way, url = Net(listener).outbound(), f"https://{NAME}/x"
    for answer in (
        b"HTTP/1.1 200 OK\r\nContent-Type: Text/XML; charset=x\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\nhello",
    ):
        listener.script = answering(answer)
        assert way.request("GET", url, most=5) == Response(200, "text/xml", "", b"hello")
        with pytest.raises(OutboundUncertain, match="too long"):
            way.request("GET", url, most=4)
    assert listener.received[0].startswith(b"GET /x HTTP/1.1\r\nHost: list.example\r\n")
    assert b"Content-Length" not in listener.received[0]


def test_a_body_without_end_is_not_read_to_its_end(listener: Listener) -> None:
    listener.script = answering(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n" * 4000] * 50
    )
    with pytest.raises(OutboundUncertain, match="too long"):
        Net(listener).outbound().request("GET", f"https://{NAME}/", most=100_000)


def test_a_body_that_is_cut_is_none(listener: Listener) -> None:
    listener.script = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
    with pytest.raises(OutboundUncertain):
        Net(listener).outbound().request("GET", f"https://{NAME}/", most=100)


ANSWERS = st.binary(max_size=300) | st.lists(
    st.sampled_from(
        [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 C\r\n\r\n", b"HTTP/1.1 204 x\r\n", b"Content-Length: 3\r\n",
         b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n", b"abc"]
    ),
    max_size=9,
).map(b"".join)  # fmt: skip


@given(ANSWERS, st.sampled_from(["GET", "HEAD", "POST"]), st.integers(0, 5))
def test_any_octets_are_a_response_or_none(octets: bytes, method: str, most: int) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(octets)
        theirs.shutdown(socket.SHUT_WR)
        try:
            found = http1_exchange.receive(ours, method, most, lambda: PATIENCE)
        except OutboundUncertain:
            return
    assert 200 <= found.status < 600
    assert len(found.body) <= most


def test_a_redirect_is_told_and_left_to_the_caller(listener: Listener) -> None:
    listener.script = answering(b"HTTP/1.1 301 x\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n")
    assert Net(listener).outbound().request("GET", f"https://{NAME}/", most=9).location == "http://127.0.0.1/"


def plain_server() -> tuple[socket.socket, threading.Thread, list[bytes]]:
    listening, received = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve() -> None:
        with listening, listening.accept()[0] as sock:
            received.append(sock.recv(4096))
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    thread = threading.Thread(target=serve)
    thread.start()
    return listening, thread, received


def test_a_listed_origin_may_be_plain_and_private() -> None:
    listening, thread, received = plain_server()
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    way = Outbound(reach=ListedOrigins([f"{origin}/ignored"]))
    assert way.request("PUT", f"{origin}/a?b", b"{}", "application/json", most=10).body == b"hi"
    thread.join(PATIENCE)
    assert received[0].startswith(b"PUT /a?b HTTP/1.1\r\nHost: 127.0.0.1:")
    assert received[0].endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example/", "https://hooks.example:444/", "https://other.example/", "http://127.0.0.1/",
     "https://hooks.example@other.example/", "https://hooks.example.other/", "https://hooks.example:0/",
     "https://hooks.example:99999/"],
)  # fmt: skip
def test_what_is_not_listed_is_not_looked_up(listener: Listener, url: str) -> None:
    net = Net(listener)
    way = Outbound(
        net.resolve, net.connect, lambda: listener.trust, reach=ListedOrigins(["https://Hooks.example:443/x"])
    )
    with pytest.raises(OutboundRefused):
        way.request("GET", url)
    assert net.resolved == []
    with pytest.raises(OutboundUnreachable):  # that certificate has another name
        way.request("GET", "https://hooks.example/y")
    assert net.resolved == ["hooks.example"]


@pytest.mark.parametrize("origin", ["hooks.example", "ftp://hooks.example", "https://", "https://a b"])
def test_an_origin_that_is_none(origin: str) -> None:
    with pytest.raises(OutboundRefused):
        ListedOrigins([origin])
