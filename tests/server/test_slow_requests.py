"""Requests that come slowly, incomplete or too large: what they cost others, and what their senders hear."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest

from gateway.server import bridge
from gateway.wap import wbxml
from tests import PATIENCE
from tests.servers.toy import MEGABYTE, Served, connect, get, half, rest, say, toy

FORM = "Content-Type: application/x-www-form-urlencoded"
FILES = "Content-Type: multipart/form-data; boundary=x"
LARGE = bridge.SMALL_BODY + 100
LARGE_IN_ALL = bridge.LARGE_BODIES * bridge.BODY_LIMIT
STALLED = {
    "idle": b"",
    "half a header": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
    "half a body": half(),
    "half a large body": half(LARGE) + b"x" * (LARGE - 5),
    "an answer not read": get("/stream/40"),
}


@contextlib.contextmanager
def crowd(port: int, count: int, octets: bytes) -> Iterator[list[socket.socket]]:
    """Open connections that send something and then nothing more."""
    with contextlib.ExitStack() as lines:
        opened = []
        for _ in range(count):
            opened.append(lines.enter_context(connect(port, room=4096)))
            with contextlib.suppress(ConnectionError):  # its place has been given away
                opened[-1].sendall(octets)
        yield opened


@pytest.mark.parametrize("kind", STALLED)
def test_stalled_connections_block_nobody(kind: str) -> None:
    """Eight hundred, more than there are places, for longer than others wait: the others are answered all the time."""
    limits = dict.fromkeys(("http1__HEADER_SECONDS", "pace__BODY_STEP", "pace__ANSWER_STEP"), 10 * PATIENCE)
    with toy(threads=2, memory=64 * MEGABYTE, **limits) as served, crowd(served.port, 800, STALLED[kind]):
        for _ in range(120):
            assert say(served.port, get("/")).startswith(b"HTTP/1.1 200")


def test_memory_for_half_bodies_is_bounded_in_all() -> None:
    """Six hundred that are as large as allowed: those beyond the places are refused, in words."""
    octets = half(bridge.BODY_LIMIT) + b"x" * (bridge.BODY_LIMIT - 10)
    with toy(threads=2, memory=64 * MEGABYTE, bridge__SHARE=1000) as served:
        before = served.resident()
        with crowd(served.port, 600, octets) as lines:
            assert say(served.port, get("/")).startswith(b"HTTP/1.1 200")
            assert served.resident() - before < 600 * 4 * bridge.SMALL_BODY + 2 * LARGE_IN_ALL
            refused = [rest_of(line) for line in lines[bridge.LARGE_BODIES :]]
        assert all(said == b"" or said.startswith(b"HTTP/1.1 503") for said in refused)
        assert any(b"Too many files are on their way" in said for said in refused)


def rest_of(line: socket.socket) -> bytes:
    """Read what was sent, which a reset may have discarded."""
    try:
        return rest(line)
    except ConnectionError:
        return b""


@contextlib.contextmanager
def uploads(served: Served) -> Iterator[Callable[..., socket.socket]]:
    """Begin large bodies from loopback addresses."""
    with contextlib.ExitStack() as lines:

        def upload(source: str, *headers: str) -> socket.socket:
            line = lines.enter_context(connect(served.port, source))
            line.sendall(half(LARGE, *headers) + b"x" * (LARGE - 5))
            return line

        yield upload


def finish(line: socket.socket) -> bytes:
    """Send the missing octet, and return the beginning of the answer."""
    line.sendall(b"x")
    return line.recv(100)


def test_signed_in_people_upload_first() -> None:
    with (
        toy(bridge__LARGE_BODIES=2, bridge__SHARE=2, bridge__ASK_SECONDS=30) as served,
        uploads(served) as upload,
    ):
        strangers = [upload("127.0.0.2"), upload("127.0.0.2")]
        assert b"Too many files" in rest(upload("127.0.0.2"))
        known = upload("127.0.0.2", "Cookie: s=known")
        assert rest(strangers[0]).startswith(b"HTTP/1.1 503")
        assert finish(known).startswith(b"HTTP/1.1 200")
        assert finish(strangers[1]).startswith(b"HTTP/1.1 200")


def test_one_address_has_its_share_of_the_places() -> None:
    with (
        toy(bridge__LARGE_BODIES=4, bridge__SHARE=2, bridge__ASK_SECONDS=30) as served,
        uploads(served) as upload,
    ):
        lines = [upload("127.0.0.2", "Cookie: s=known") for _ in range(2)]
        assert b"Too many files" in rest(upload("127.0.0.2", "Cookie: s=known"))
        lines += [upload("127.0.0.3", "Cookie: s=known") for _ in range(2)]
        for line in lines:
            assert finish(line).startswith(b"HTTP/1.1 200")


def test_a_place_is_held_until_the_answer_and_then_free() -> None:
    with toy(bridge__LARGE_BODIES=1) as served, uploads(served) as upload:
        for _ in range(3):
            assert finish(upload("127.0.0.2")).startswith(b"HTTP/1.1 200")


def drip(line: socket.socket, octets: bytes) -> bytes:
    """Send an octet at a time until there is an answer; return it."""
    line.settimeout(0.1)
    with contextlib.suppress(ConnectionError):
        for octet in octets:
            with contextlib.suppress(TimeoutError):
                return line.recv(1000)
            line.sendall(bytes([octet]))
    return b""


def test_bodies_have_a_least_rate() -> None:
    """Each octet comes in time, all of them together do not."""
    with (
        toy(pace__BODY_STEP=1.5, pace__LEAST_RATE=1e9) as served,
        connect(served.port) as line,
    ):
        line.sendall(half(10_000))
        answer = drip(line, b"x" * 200)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"too slowly" in answer


def test_bodies_have_a_total_deadline() -> None:
    with (
        toy(pace__LEAST_RATE=0.001, pace__TOTAL=1.5) as served,
        connect(served.port) as line,
    ):
        line.sendall(half(10_000))
        assert drip(line, b"x" * 200).startswith(b"HTTP/1.1 408")


def test_headers_have_a_total_deadline() -> None:
    with toy(http1__HEADER_SECONDS=1.5) as served, connect(served.port) as line:
        assert drip(line, b"GET / HTTP/1.1\r\nHost: " + b"x" * 200).startswith(b"HTTP/1.1 408")


def test_an_idle_connection_is_closed_without_a_word() -> None:
    with (
        toy(http1__HEADER_SECONDS=3.0) as served,
        connect(served.port) as fresh,
        connect(served.port) as used,
    ):
        used.sendall(get("/").replace(b"Connection: close\r\n", b""))
        assert rest(used).count(b"HTTP/1.1 200 OK") == 1
        assert rest(fresh) == b""


def test_headers_are_bounded_in_octets() -> None:
    with toy() as served:
        for octets in (
            b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40_000,
            b"GET /" + b"x" * 40_000,
            get("/" + "x" * 17_000),
        ):
            assert say(served.port, octets).startswith(b"HTTP/1.1 431")


def posted(size: int, kind: str) -> bytes:
    return half(size, kind, "Connection: close")[:-4] + b"x" * size


def test_uploads_have_a_limit_of_their_own() -> None:
    """What exceeds it is read and dropped for a while, so that a browser hears that it was too much."""
    limit = bridge.BODY_LIMIT + MEGABYTE
    with toy() as served:
        for size, answer in ((900_000, b"body=900000"), (2_000_000, b"body=%d" % limit)):
            assert answer in say(served.port, posted(size, FILES.replace("multi", "Multi")))
        assert say(served.port, posted(5_000_000, FILES)).startswith(b"HTTP/1.1 413")
        answer = say(served.port, posted(900_000, FORM))
        assert answer.startswith(b"HTTP/1.1 413")
        assert b"too large" in answer


def test_a_full_folder_is_told() -> None:
    """A file in a form finds no room on the disk; a form without files needs none."""
    with toy(file=bridge.BODY_LIMIT) as served:
        answer = say(served.port, posted(900_000, FILES))
        assert answer.startswith(b"HTTP/1.1 507")
        assert b"no room" in answer
        assert b"body=%d" % bridge.BODY_LIMIT in say(served.port, posted(bridge.BODY_LIMIT, FORM))
        assert "no room for a body" in served.stop()


def test_a_wap_phone_is_told_in_a_deck() -> None:
    with toy(bridge__BODY_LIMIT=1000) as served:
        for accept, kind in (
            ("text/vnd.wap.wml, image/vnd.wap.wbmp", b"text/vnd.wap.wml"),
            ("*/*", b"text/plain"),
        ):
            head, _, body = say(served.port, posted(9000, f"{FORM}\r\nAccept: {accept}")).partition(
                b"\r\n\r\n"
            )
            assert b"Content-Type: " + kind in head
            said = wbxml.decode(wbxml.encode(body.decode("ascii"))).encode() if b"wml" in kind else body
            assert b"What you sent is too large. Nothing was done." in said


def test_few_file_descriptors_are_not_all_taken_by_who_says_nothing() -> None:
    """What the work needs remains, and whoever comes last gets in."""
    with toy(descriptors=64) as served, crowd(served.port, 200, b"GET / HTT"):
        for _ in range(3):
            assert say(served.port, get("/whole/1")).endswith(b"." * 1_000_000)
        assert "could not be accepted" not in served.stop()
