"""What peers may send: requests of all times, and octets that are not requests."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.server import wsgi
from gateway.server.http1 import Endpoints, HttpRequest
from tests.servers.toy import Served, connect, get, rest, say, toy


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with toy() as served:
        yield served
        assert "Traceback" not in served.stop()


ENDS = Endpoints("192.0.2.1", ("192.0.2.2", 80), "http")
KEEP = get("/").replace(b"Connection: close\r\n", b"")


def told(answer: bytes) -> dict[str, str]:
    return dict(line.split("=", 1) for line in answer.partition(b"\r\n\r\n")[2].decode("utf-8").splitlines())


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/f%C3%BC?a=%20", "/f\u00c3\u00bc", "a=%20"),
        ("http://pp.example/x?y#z", "/x", "y"),
        ("HTTPS://pp.example", "/", ""),
        ("http://[", "/", ""),
        ("/i#card", "/i", ""),
        ("//double", "//double", ""),
        ("/%", "/%", ""),
        ("/a?b?c", "/a", "b?c"),
        ("/x?http://y/z", "/x", "http://y/z"),
        ("*", "*", ""),
        ("", "/", ""),
    ],
)
def test_a_request_target_becomes_path_and_query(target: str, path: str, query: str) -> None:
    request = HttpRequest("GET", target.encode(), "1.1", [], ENDS)
    said = wsgi.environ(request, BytesIO())
    assert (said["PATH_INFO"], said["QUERY_STRING"]) == (path, query)


@given(st.binary(), st.lists(st.tuples(st.from_regex(rb"\A[!#-'*+.^_a-z|~0-9-]{1,9}\Z"), st.binary())))
def test_every_request_has_an_environ_of_native_strings(
    target: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    request = HttpRequest("GET", target, "1.1", headers, ENDS)
    for key, value in wsgi.environ(request, BytesIO()).items():
        if isinstance(value, str):
            key.encode("ascii")
            value.encode("latin-1")
    assert not {"HTTP_PROXY", "HTTP_CONTENT_LENGTH"} & wsgi.environ(request, BytesIO()).keys()


def test_a_field_does_not_pass_for_another() -> None:
    headers = [
        (b"x_forwarded_for", b"192.0.2.1"),
        (b"x-forwarded-for", b"192.0.2.2"),
        (b"proxy", b"http://evil"),
    ]
    said = wsgi.environ(HttpRequest("GET", b"/", "1.1", headers, ENDS), BytesIO())
    assert said["HTTP_X_FORWARDED_FOR"] == "192.0.2.2"
    assert "HTTP_PROXY" not in said


def test_requests_follow_each_other_on_one_connection(served: Served) -> None:
    with connect(served.port) as line:
        line.sendall(KEEP.replace(b"/ ", b"/1 ") + KEEP.replace(b"/ ", b"/2 ") + get("/3"))
        answer = rest(line)
    assert [part in answer for part in (b"PATH_INFO=/1\n", b"PATH_INFO=/2\n", b"PATH_INFO=/3\n")] == [
        True
    ] * 3


def recognised(served: Served) -> int:
    return int(say(served.port, get("/recognised")).rpartition(b"\r\n\r\n")[2])


def test_nobody_has_to_be_recognised_of_whom_nothing_is_awaited(served: Served) -> None:
    before = recognised(served)
    for request in (get("/"), get("/").replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n")):
        assert say(served.port, request).startswith(b"HTTP/1.1 200")
    assert recognised(served) == before
    post = get("/").replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\na=b")
    assert say(served.port, post).startswith(b"HTTP/1.1 200")
    assert recognised(served) == before + 1
    assert len(say(served.port, get("/stream/1"))) > 1_000_000
    assert recognised(served) == before + 2


@pytest.mark.parametrize("later", [False, True])
def test_an_empty_line_after_a_form_is_no_request(served: Served, later: bool) -> None:
    form = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b"
    with connect(served.port) as line:
        line.sendall(form + (b"" if later else b"\r\n"))
        assert line.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        line.sendall(b"\r\n" * later + get("/next"))
        assert b"PATH_INFO=/next\n" in rest(line)


def test_who_waits_for_100_hears_it(served: Served) -> None:
    with connect(served.port) as line:
        line.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
        )
        assert line.recv(100).startswith(b"HTTP/1.1 100 ")
        line.sendall(b"a=b")
        assert b"body=b'a=b'" in rest(line)


def test_http_1_0_is_answered_in_its_own_way(served: Served) -> None:
    answer = say(served.port, b"GET / HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert told(answer)["SERVER_PROTOCOL"] == "HTTP/1.0"
    streamed = say(served.port, b"GET /stream/-1 HTTP/1.0\r\n\r\n")
    assert b"chunked" not in streamed
    assert streamed.partition(b"\r\n\r\n")[2] == b"." * 1_000_000


def test_what_is_no_request_is_told_so_after_a_head_too(served: Served) -> None:
    with connect(served.port) as line:
        line.sendall(KEEP.replace(b"GET", b"HEAD") + b"rubbish\r\n\r\n")
        answers = rest(line)
    assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b"HTTP/1.1 400 ") == 1
    assert answers.endswith(b"This is no request that is understood here.\n")


@pytest.mark.parametrize("order", [1, -1])
def test_a_length_and_chunks_at_once_are_refused_and_nothing_behind_them_is_taken(
    served: Served, order: int
) -> None:
    """If a proxy goes by one and we by the other, what is a body to it is a request to us."""
    fields = (b"Content-Length: 4", b"Transfer-Encoding: chunked")[::order]
    octets = b"POST / HTTP/1.1\r\nHost: x\r\n%s\r\n%s\r\n\r\n0\r\n\r\n" % fields
    answers = say(served.port, octets + get("/smuggled"))
    assert answers.startswith(b"HTTP/1.1 400 ")
    assert answers.count(b"HTTP/1.1 ") == 1


def test_chunks_have_a_least_size(served: Served) -> None:
    """Short forms may be cut as finely as a peer likes; each chunk costs, whatever is in it."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    for count, size, status in ((900, 1, b"200"), (1100, 1, b"400"), (3000, 50, b"400"), (900, 280, b"200")):
        octets = head + (b"%x\r\n%s\r\n" % (size, b"x" * size)) * count + b"0\r\n\r\n"
        assert say(served.port, octets)[9:12] == status, (count, size)


def test_what_comes_after_the_last_answer_does_not_make_it_look_broken(served: Served) -> None:
    """A form's empty line that comes late, and an HTTP/1.0 answer that only its end shows to be complete."""
    with connect(served.port) as line:
        line.sendall(b"POST /stream/-1 HTTP/1.0\r\nContent-Length: 3\r\n\r\na=b")
        taken = bytearray()
        while taken.count(b".") < 1_000_000:
            taken += line.recv(65536)
        for octets in (b"\r", b"\n"):
            time.sleep(0.1)
            line.sendall(octets)
        time.sleep(0.1)
        assert line.recv(1) == b""


def test_fields_beyond_ascii_arrive(served: Served) -> None:
    answer = say(served.port, get("/").replace(b"Host:", b"X-Name: J\xfcrgen\r\nHost:"))
    assert told(answer)["HTTP_X_NAME"] == "J\u00fcrgen"


def test_a_peer_that_half_closes_is_answered(served: Served) -> None:
    with connect(served.port) as line:
        line.sendall(get("/slow/0.2"))
        line.shutdown(socket.SHUT_WR)
        assert rest(line).endswith(b"done")


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",  # no Host
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        b"CONNECT mail.example:25 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS at the plain port
    ],
)
def test_what_is_no_request_is_told_so(served: Served, octets: bytes) -> None:
    answer = say(served.port, octets + b"\r\n")
    assert answer[9:12] in {b"400", b"501", b"505"}
    assert b"This is no request" in answer


VERBS = st.sampled_from([b"GET", b"HEAD", b"POST", b"OPTIONS", b"CONNECT", b"\xff", b""])
LINES = st.sampled_from([
    b"Host: x", b"Content-Length: 5", b"Content-Length: 99", b"Transfer-Encoding: chunked", b"Connection: close",
    b"Connection: keep-alive", b"Expect: 100-continue", b"Upgrade: h2c", b"X: \xff", b": ", b" folded", b"\x00", b"",
])  # fmt: skip


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            VERBS,
            st.binary(max_size=9),
            st.sampled_from([b"1.0", b"1.1", b"9"]),
            st.lists(LINES),
            st.binary(max_size=20),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_whatever_comes_it_is_answered_or_ended(
    served: Served, sent: list[tuple[bytes, bytes, bytes, list[bytes], bytes]]
) -> None:
    octets = b"".join(
        b"%s /%s HTTP/%s\r\n%s\r\n\r\n%s" % (verb, target, version, b"\r\n".join(lines), body)
        for verb, target, version, lines, body in sent
    )
    with connect(served.port) as line:
        answer = b""
        with contextlib.suppress(OSError):
            line.sendall(octets)
            line.shutdown(socket.SHUT_WR)
            answer = rest(line)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert say(served.port, get("/")).startswith(b"HTTP/1.1 200")
