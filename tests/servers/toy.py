"""The gateway's HTTP server with a toy application, as a child process: what peers do to it is seen from outside.

Nothing here may look inside it: the toy counts what is pulled out of it, and reports that at `/counts`. Limits of
modules of `gateway.server` are set by name; `descriptors` limits the open files (RLIMIT_NOFILE), `memory` the address
space beyond what the child starts with (RLIMIT_AS), `file` the size of a file (RLIMIT_FSIZE), which is what a full
temporary folder looks like.
"""

from __future__ import annotations

import contextlib
import contextvars
import importlib
import json
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import PATIENCE
from tests.servers import free_ports

HOST = "127.0.0.1"
MEGABYTE = 1_000_000
UPLOAD_LIMIT = 1_000_000

# --- the child


class Toy:
    """The application; its paths are its methods."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pulled = self.closed = self.recognised = 0
        self.mark: contextvars.ContextVar[str] = contextvars.ContextVar("mark")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        name, _, argument = environ["PATH_INFO"][1:].partition("/")
        path = getattr(self, f"on_{name}", self.on_)
        return path(environ, start_response, argument)

    def say(self, start_response: Any, octets: bytes, *headers: tuple[str, str]) -> list[bytes]:
        start_response("200 OK", [("Content-Length", str(len(octets))), *headers])
        return [octets]

    def on_(self, environ: dict[str, Any], start_response: Any, _: str) -> list[bytes]:
        """Report what has come."""
        body = environ["wsgi.input"].read()
        body = body if len(body) < 1000 else len(body)
        words = [f"{key}={value}" for key, value in environ.items() if isinstance(value, str)]
        octets = "\n".join([*sorted(words), f"body={body!r}"]).encode("utf-8")
        found = self.say(start_response, octets, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
        return found if environ["REQUEST_METHOD"] != "HEAD" else []

    def on_counts(self, _: dict[str, Any], start_response: Any, __: str) -> list[bytes]:
        return self.say(start_response, json.dumps([self.pulled, self.closed]).encode())

    def knows(self, environ: dict[str, Any]) -> bool:
        """Return whether a request is from somebody known: what admission asks."""
        self.recognised += 1
        return "known" in environ.get("HTTP_COOKIE", "")

    def on_recognised(self, _: dict[str, Any], start_response: Any, __: str) -> list[bytes]:
        return self.say(start_response, str(self.recognised).encode())

    def on_slow(self, _: dict[str, Any], start_response: Any, seconds: str) -> list[bytes]:
        print("in flight", flush=True)
        time.sleep(float(seconds))
        return self.say(start_response, b"done")

    def on_boom(self, _: dict[str, Any], __: Any, ___: str) -> list[bytes]:
        raise ValueError("private text")

    def on_stream(self, _: dict[str, Any], start_response: Any, megabytes: str) -> Iterator[bytes]:
        """Stream this much, with its length; without any length for a negative number."""
        size = abs(int(megabytes)) * MEGABYTE
        start_response("200 OK", [("Content-Length", str(size))] if int(megabytes) > 0 else [])
        return self.pieces(size)

    def on_torn(self, _: dict[str, Any], start_response: Any, length: str) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", length)] if length else [])
        return self.torn()

    def on_short(self, _: dict[str, Any], start_response: Any, __: str) -> list[bytes]:
        """Send less than was announced."""
        start_response("200 OK", [("Content-Length", "1000")])
        return [b"half"]

    def on_whole(self, _: dict[str, Any], start_response: Any, megabytes: str) -> list[bytes]:
        return self.say(start_response, b"." * (int(megabytes) * MEGABYTE))

    def pieces(self, size: int) -> Iterator[bytes]:
        self.mark.set(".")
        try:
            for at in range(0, size, 50_000):
                octets = self.mark.get().encode() * min(50_000, size - at)
                with self.lock:
                    self.pulled += len(octets)
                yield octets
        finally:
            with self.lock:
                self.closed += 1

    def torn(self) -> Iterator[bytes]:
        yield b"." * 100_000
        raise ValueError("private text")


def child(settings: dict[str, Any]) -> None:
    """Serve until SIGTERM."""
    from gateway.server.listeners import Listener, Site, run

    for name, value in settings["limits"].items():
        module, _, constant = name.partition(".")
        setattr(importlib.import_module(f"gateway.server.{module}"), constant, value)
    where = tuple(Listener(host, port, *map(Path, pair)) for host, port, pair in settings["where"])
    if settings["memory"]:
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        # Each thread reserves eight megabytes for its stack, and up to 128 for an arena of its own.
        room = held + settings["memory"] + (settings["threads"] + 1) * 136 * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
    if settings["file"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (settings["file"],) * 2)
    if settings["descriptors"]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (settings["descriptors"],) * 2)
    app = Toy()
    site = Site(app, where, settings["threads"], UPLOAD_LIMIT, app.knows)
    run(site, ready=lambda: print("ready", flush=True))
    left = [each.name for each in threading.enumerate() if each.name.startswith("request")]
    print("threads", left, flush=True)
    if left:
        import os

        os._exit(0)


# --- the parent


@dataclass
class Served:
    """The child from outside."""

    process: subprocess.Popen[str]
    port: int
    secure: int

    def get(self, path: str) -> bytes:
        """Return an answer's body."""
        return say(self.port, get(path)).partition(b"\r\n\r\n")[2]

    def counts(self) -> tuple[int, int]:
        """Return how many octets were pulled, and how many streams were closed."""
        pulled, closed = json.loads(self.get("/counts"))
        return pulled, closed

    def settled(self) -> tuple[int, int]:
        """Return the counts once they have stopped changing."""
        before = self.counts()
        for _ in range(200):
            time.sleep(0.5)
            now = self.counts()
            if now == before:
                return now
            before = now
        raise AssertionError("it goes on and on")

    def until_closed(self, count: int) -> None:
        """Wait until this many streams have been closed."""
        end = time.monotonic() + PATIENCE
        while self.counts()[1] < count:
            assert time.monotonic() < end, self.counts()
            time.sleep(0.1)

    def resident(self) -> int:
        """Return the octets that it has in memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()

    def line(self) -> str:
        """Read a line of its output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def stop(self) -> str:
        """End it as a service manager does; return its output."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> str:
        """Wait until it has ended cleanly; return its output."""
        assert self.process.stdout is not None
        said = self.process.stdout.read()
        assert self.process.wait(PATIENCE) == 0, said
        return said


@contextlib.contextmanager
def toy(
    *,
    threads: int = 2,
    pair: tuple[Path, Path] | None = None,
    memory: int = 0,
    file: int = 0,
    descriptors: int = 0,
    hosts: tuple[str, ...] = (HOST,),
    **limits: float,
) -> Iterator[Served]:
    """Run the server; `limits`: constants of the modules of gateway.server, "module__CONSTANT"."""
    port, secure = free_ports(2)
    where: list[Any] = [(host, port, ()) for host in hosts]
    if pair:
        where.append((HOST, secure, [str(file) for file in pair]))
    settings = {
        "threads": threads,
        "where": where,
        "memory": memory,
        "file": file,
        "descriptors": descriptors,
        "limits": {name.replace("__", "."): value for name, value in limits.items()},
    }
    process = subprocess.Popen(
        [sys.executable, "-bb", "-W", "error", "-m", "tests.servers.toy", json.dumps(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    served = Served(process, port, secure)
    try:
        while (first := served.line()) != "ready\n":
            assert descriptors, first
        yield served
    finally:
        process.kill()
        process.communicate()


# --- what a peer does


def connect(port: int, source: str = "", room: int = 0, host: str = HOST) -> socket.socket:
    """Connect, from a loopback address; `room`: octets that the kernel may keep for us unread."""
    with contextlib.ExitStack() as undo:
        line = undo.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET))
        line.settimeout(PATIENCE)
        if room:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        if source:
            line.bind((source, 0))
        line.connect((host, port))
        undo.pop_all()
        return line


def secured(line: socket.socket, authority: Path, name: str = "localhost") -> ssl.SSLSocket:
    """Speak TLS, as a client that does not take the end of the connection for the end of TLS (RFC 8446 §6.1)."""
    context = ssl.create_default_context(cafile=authority)
    return context.wrap_socket(line, server_hostname=name, suppress_ragged_eofs=False)


def say(port: int, request: bytes, host: str = HOST) -> bytes:
    """Send a request and return everything that comes."""
    with connect(port, host=host) as line:
        line.sendall(request)
        return rest(line)


def rest(line: socket.socket) -> bytes:
    """Read to the end."""
    answer = bytearray()
    while piece := line.recv(65536):
        answer += piece
    return bytes(answer)


def get(path: str, version: str = "1.1") -> bytes:
    return f"GET {path} HTTP/{version}\r\nHost: m.example\r\nConnection: close\r\n\r\n".encode("latin-1")


def half(size: int = 1000, *headers: str) -> bytes:
    """Begin a body of this many octets, and send four."""
    more = "".join(f"{each}\r\n" for each in headers)
    return f"POST / HTTP/1.1\r\nHost: x\r\n{more}Content-Length: {size}\r\n\r\nto=a".encode()


def received(line: socket.socket) -> tuple[bytes, bool]:
    """Read an answer as a strict client does; return whether its end was seen (RFC 9112 §8)."""
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


if __name__ == "__main__":
    child(json.loads(sys.argv[1]))
