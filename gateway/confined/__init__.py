"""Confinement: untrusted files are parsed in a child process that is limited in time and memory and inherits nothing.

Nothing here may know what is parsed: jobs are pure functions named in a table, octets go in, values of a few known
classes come out (as JSON: a pickle from a compromised child would compromise us, too). Whatever goes wrong in a child,
including its death, is the job's own error with a sentence.

How: one *server* process for each process of ours, started at the first use (about 0.3 s, nearly all of it imports),
single-threaded, with the libraries loaded. For each job it forks a child (about 4 ms; a new interpreter would take 250
ms, and forking ourselves, with threads that hold locks, is not safe). The child has its end of one socket pair and no
other descriptor, limits on CPU time, memory and wall time, and cannot write to a file. It is not a sandbox: code that
took it over could still read what our user can read, and open a connection. Items are sent as they are made, so a
reader that closes after the first page stops the rest of the work. The server ends when we do. `jobs` is the table,
`child` is what runs in the server and its children.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Final, cast

from gateway import computing
from gateway.confined import child
from gateway.confined.child import LENGTH
from gateway.confined.jobs import JOBS, unpacked
from gateway.rendition.blocks import Block, Position
from gateway.rendition.documents.bounds import BUSY, DAMAGED, TOO_LONG
from gateway.rendition.pictures.image import Picture

_log = logging.getLogger(__name__)

#: Jobs at a time, to limit their total; more wait, and give up after the second number, seconds.
JOBS_AT_A_TIME: Final = 4
PATIENCE_SECONDS: Final = 10
_START_SECONDS: Final = 15
#: Octets of one line of output: a whole ZIP entry in base64, and its frame.
ITEM_LIMIT: Final = 48 * 1024 * 1024


def document(
    octets: bytes,
    media_type: str,
    filename: str,
    language: str,
    *,
    fold: bool = True,
    at: Position = Position(),
) -> Iterator[Block]:
    """Run `documents.read`, in the language of this tag. Raise DocumentError, perhaps after some blocks."""
    place = (at.section, at.start, at.skip)
    items = stream(
        "document", octets, media_type=media_type, filename=filename, language=language, fold=fold, at=place
    )
    return cast(Iterator[Block], items)


def picture(octets: bytes, *, screen: tuple[int, int], formats: Sequence[str], budget: int) -> Picture:
    """Run `image.picture`. Raise PictureError."""
    return cast(Picture, run("picture", octets, screen=screen, formats=tuple(formats), budget=budget))


_PROGRAM: Final = "from gateway.confined import child; child.serve()"


class _Server:
    """The process that forks; `control` is the socket over which it receives the sockets of jobs."""

    def __init__(self, program: str = _PROGRAM) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # The environment is not passed on: it may contain secrets of the administrator's.
            environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "LANG": "C.UTF-8"}
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", program],
                stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env=environment, cwd="/", start_new_session=True,
            )  # fmt: skip
        self.owner = os.getpid()

    def stop(self) -> None:
        self.control.close()
        if self.owner == os.getpid():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_START_SECONDS)


_lock = threading.Lock()
_slots = threading.BoundedSemaphore(JOBS_AT_A_TIME)
_jobs: set[object] = set()
_server: _Server | None = None


def start() -> _Server:
    """Start the server, unless it is running, so that the first person does not wait for it."""
    global _server
    with _lock:
        if _server is None or _server.owner != os.getpid() or _server.process.poll() is not None:
            if _server is not None:
                _server.stop()
            _server = _Server()
        return _server


def stop() -> None:
    """Stop the server, if it is running; a later job starts another."""
    global _server
    with _lock:
        if _server is not None:
            _server.stop()
        _server = None


atexit.register(stop)


def _hand_over(theirs: socket.socket) -> None:
    """Pass a job's socket to the server, or to a new one if it has died."""
    try:
        socket.send_fds(start().control, [b"job"], [theirs.fileno()])
    except BrokenPipeError:
        stop()
        socket.send_fds(start().control, [b"job"], [theirs.fileno()])


def run(name: str, octets: bytes, **arguments: object) -> object:
    """Return the first value of a job; raise its error."""
    with contextlib.closing(stream(name, octets, **arguments)) as items:
        for item in items:
            return item
    raise JOBS[name].error(DAMAGED)


def stream(name: str, octets: bytes, **arguments: object) -> Generator[object, None, None]:
    """Yield the values of a job as they are made; raise its error, which may come after some of them."""
    failed = JOBS[name].error
    with computing.waiting():
        mine = _slots.acquire(timeout=PATIENCE_SECONDS)
    if not mine:
        raise failed(BUSY)
    job = object()
    _jobs.add(job)
    try:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours:
            with theirs:
                _hand_over(theirs)
            ours.settimeout(_START_SECONDS + child.WALL_SECONDS)
            yield from _items(ours, name, octets, arguments)
    except OSError as error:
        _log.warning("confined %s: %r", name, error)
        raise failed(TOO_LONG) from error
    finally:
        _jobs.discard(job)
        _slots.release()


def running() -> int:
    """Count the jobs that are running now."""
    return len(_jobs)


def _next_line(answers: BufferedReader) -> bytes:
    with computing.waiting():
        return answers.readline(ITEM_LIMIT)


def _items(ours: socket.socket, name: str, octets: bytes, arguments: dict[str, object]) -> Iterator[object]:
    head = json.dumps({"name": name, "arguments": arguments}).encode()
    with contextlib.suppress(
        BrokenPipeError, ConnectionResetError
    ):  # the reason is in its output, or in the lack of it
        ours.sendall(len(head).to_bytes(LENGTH) + len(octets).to_bytes(LENGTH))
        ours.sendall(head)
        ours.sendall(octets)
    failed = JOBS[name].error
    with ours.makefile("rb") as answers:
        while line := _next_line(answers):
            try:
                kind, *content = json.loads(line, object_hook=unpacked)
            except (
                ValueError,
                TypeError,
                KeyError,
                RecursionError,
            ) as error:  # usually a line that was cut off
                _log.warning("confined %s: %s", name, type(error).__name__)
                raise failed(DAMAGED) from error
            if kind == "item":
                yield content[0]
            elif kind == "error":
                _log.info("confined %s: %s", name, content)
                raise failed(content[0])
            else:
                return
    _log.info("confined %s: ended by a limit", name)
    raise failed(TOO_LONG)
