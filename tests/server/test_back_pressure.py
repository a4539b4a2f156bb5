"""Answers and the sockets by which they leave: what a slow reader costs, and what a broken answer looks like."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest

from gateway.server import http1, wsgi
from tests.servers.certs import Authority
from tests.servers.toy import MEGABYTE, connect, get, received, rest, say, secured, toy

#: Octets of one answer that may wait for a socket, and what a reader's kernel takes if it is asked for little.
MOST = 256 * 1024
LITTLE = 4096
READERS = 40
#: Octets that the process takes for itself when it begins to work: threads, arenas.
OWN = 16 * MEGABYTE


def test_readers_that_read_nothing_make_nothing_be_fetched() -> None:
    """Forty of forty megabytes: what is pulled stays within limits, and hanging up ends it."""
    with toy(threads=4, memory=64 * MEGABYTE) as served, contextlib.ExitStack() as lines:
        before = served.resident()
        for number in range(READERS):
            line = lines.enter_context(connect(served.port, room=LITTLE))
            line.sendall(get(f"/stream/{40 if number % 2 else -40}"))
        pulled, closed = served.settled()
        assert 0 < pulled <= READERS * MOST
        assert closed == 0
        assert served.resident() - before < READERS * MOST + OWN
        assert say(served.port, get("/")).startswith(b"HTTP/1.1 200")
        lines.close()
        served.until_closed(READERS)
        assert served.settled()[0] <= READERS * MOST
        assert served.resident() - before < READERS * MOST + OWN


def test_secure_readers_that_read_nothing_make_nothing_be_fetched(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("m", "localhost")
    with toy(pair=(pair.cert, pair.key)) as served, contextlib.ExitStack() as lines:
        for _ in range(4):
            line = secured(connect(served.secure, room=LITTLE), tmp_path / "ca.pem")
            lines.enter_context(line).sendall(get("/stream/40"))
        assert served.settled()[0] <= 4 * MOST
        lines.close()
        served.until_closed(4)


def test_what_is_made_whole_does_not_stay_in_memory() -> None:
    """Files from archives, exports: twenty of ten megabytes, of which nobody reads anything."""
    with toy(memory=64 * MEGABYTE) as served, contextlib.ExitStack() as lines:
        for _ in range(20):
            lines.enter_context(connect(served.port, room=LITTLE)).sendall(get("/whole/10"))
        with connect(served.port) as line:  # waits in line behind them
            line.sendall(get("/whole/10"))
            body, complete = received(line)
        assert complete
        assert len(body) == 10 * MEGABYTE
        assert served.resident() < 150 * MEGABYTE


def test_a_full_folder_is_told_where_a_file_is_made_whole() -> None:
    with toy(file=MEGABYTE // 2) as served:
        answer = say(served.port, get("/whole/1"))
        assert answer.startswith(b"HTTP/1.1 507")
        assert b"no room" in answer
        assert b"threads []" in served.stop().encode()


def test_a_reader_that_is_too_slow_is_left() -> None:
    """Its thread, its stream and its connection are free again, and it sees that it did not get everything."""
    with toy(threads=1, pace__ANSWER_STEP=0.5) as served, connect(served.port, room=LITTLE) as line:
        line.sendall(get("/stream/40", "1.0"))
        served.until_closed(1)
        assert served.get("/").startswith(b"CONTENT_LENGTH=0")
        assert not received(line)[1]


def test_a_reader_below_the_least_rate_is_left() -> None:
    """One that takes a little again and again, so that each step is short enough."""
    with toy(pace__ANSWER_STEP=1.0, pace__LEAST_RATE=1e12) as served, connect(served.port) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
        line.sendall(get("/stream/40"))
        taken = 0
        with contextlib.suppress(ConnectionError):
            while piece := line.recv(LITTLE):
                taken += len(piece)
                if taken % (64 * LITTLE) < LITTLE:
                    served.counts()  # some time passes
        assert taken < 40 * MEGABYTE


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("path", ["/torn", "/torn/200000", "/short", "/stream/4", "/stream/-4"])
def test_an_answer_that_fails_midway_does_not_look_complete(path: str, version: str) -> None:
    """Always, however busy the machine is."""
    whole = path.startswith("/stream")
    with toy() as served:
        for _ in range(20):
            with connect(served.port) as line:
                line.sendall(get(path, version))
                body, complete = received(line)
            assert complete == whole
            assert not whole or body.count(b".") == 4 * MEGABYTE
        assert say(served.port, get("/")).startswith(b"HTTP/1.1 200")
        log = served.stop()
    assert log.count("failed in the midst") == (0 if whole else 20)
    assert "threads []" in log


@pytest.mark.parametrize("path", ["/torn", "/torn/200000"])
def test_a_secure_answer_that_fails_midway_does_not_look_complete(path: str, tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("m", "localhost")
    with toy(pair=(pair.cert, pair.key)) as served:
        for version in ("1.0", "1.1"):
            with secured(connect(served.secure), tmp_path / "ca.pem") as line:
                line.sendall(get(path, version))
                assert not received(line)[1]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("path", ["/", "/stream/1", "/stream/-1"])
def test_the_end_of_an_answer_is_said_at_once(path: str, version: str, tmp_path: Path) -> None:
    """It does not wait for what a peer may still send, with or without TLS: peers themselves wait for the end."""
    pair = Authority(tmp_path).issue("m", "localhost")
    with toy(pair=(pair.cert, pair.key), http1__LINGER_SECONDS=3600.0) as served:
        for line in (connect(served.port), secured(connect(served.secure), tmp_path / "ca.pem")):
            with line:
                line.sendall(get(path, version))
                assert received(line)[1]


def test_only_the_connection_that_failed_is_reset() -> None:
    with toy() as served, connect(served.port) as other, connect(served.port) as line:
        other.sendall(get("/slow/1"))
        line.sendall(get("/torn"))
        assert not received(line)[1]
        assert rest(other).startswith(b"HTTP/1.1 200")


def test_a_long_answer_is_streamed_in_one_context() -> None:
    with toy() as served:
        body = say(served.port, get("/stream/3")).partition(b"\r\n\r\n")[2]
    assert body == b"." * 3 * MEGABYTE


def test_head_pulls_nothing() -> None:
    with toy() as served:
        for length in (3, -3):
            answer = say(served.port, get(f"/stream/{length}").replace(b"GET", b"HEAD"))
            assert answer.endswith(b"\r\n\r\n")
        assert served.counts()[0] <= 2 * MOST
        served.until_closed(2)


def test_the_bounds_are_what_is_promised() -> None:
    """What may be waiting of one answer: a piece of the application's, one at the socket, and the socket's own."""
    assert wsgi.INLINE + http1.WAITING_OCTETS + http1.PIECE <= MOST
    assert wsgi.LARGEST_PIECE + http1.WAITING_OCTETS + http1.PIECE <= MOST
