"""Confined: files of strangers are read in a child process that can neither stay nor grow, and inherits nothing.

Nothing here may know what is read: jobs are pure functions named in a table, octets go in, values of a few known
classes come out (as JSON: a pickle from a child that was taken over would take us over too). What goes wrong in a
child, its death included, is the job's own error with a sentence.

How: one *server* process for each process of ours, started at the first use (about 0.3 s, nearly all of it imports),
single-threaded, with the libraries loaded. For each job it forks a child (about 4 ms; a new interpreter would take
250 ms, and forking ourselves, with threads that hold locks, is not safe). The child has its end of one socket pair
and no other descriptor, limits on CPU time, memory and wall time, and can put nothing into a file. It is no jail:
code that took it over could still read what our user can read and open a connection. Items are sent as they are
made, so that a reader who closes after the first page stops the work behind it. The server ends when we do.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import gc
import importlib
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final, cast

from gateway.language import Language
from gateway.message import tnef
from gateway.rendition import documents, image
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.context import Context
from gateway.rendition.documents.bounds import BUSY, DAMAGED, TOO_LARGE, TOO_LONG, DocumentError
from gateway.rendition.image import Picture, PictureError

_log = logging.getLogger(__name__)

#: Seconds of CPU for one job (hostile input is answered within 2 s), and of wall clock, which includes waiting for
#: the CPU and for the reader.
CPU_SECONDS: Final = 2
WALL_SECONDS: Final = 8
#: Octets of address space that a job may add to what the server has mapped.
MEMORY: Final = 300 * 1024 * 1024
#: Jobs at a time, so that all together have a bound: more wait, and after so many seconds give up.
JOBS_AT_A_TIME: Final = 4
PATIENCE_SECONDS: Final = 10
#: Open descriptors of a child: libraries may load a module late.
DESCRIPTORS: Final = 32
_START_SECONDS: Final = 15
#: Octets of one line of an answer: a whole ZIP entry in base64, and what is around it.
ITEM_LIMIT: Final = 48 * 1024 * 1024
_LENGTH: Final = 8
#: The descriptor of a child's socket.
_JOB: Final = 3
#: Loaded by the server before it forks, where they are installed.
_PRELOADED: Final = (
    "pypdf", "python_calamine", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "PIL.GifImagePlugin",
    "PIL.WebPImagePlugin", "PIL.AvifImagePlugin", "PIL.BmpImagePlugin",
)  # fmt: skip


# Jobs.


@dataclass(frozen=True, slots=True)
class Job:
    """A pure function of octets and JSON arguments that yields values, and the error that its caller expects."""

    function: Callable[..., Iterator[object]]
    error: Callable[[str], Exception]


def _document(
    octets: bytes, media_type: str, filename: str, language: str, fold: bool, at: Sequence[Any]
) -> Iterator[Block]:
    spoken = Language(language)
    context = Context(spoken.gettext, spoken.ngettext, fold=fold)
    return documents.read(octets, media_type, filename, context, Position(at[0], at[1], "", at[2]))


def _picture(octets: bytes, screen: Sequence[int], formats: Sequence[str], budget: int) -> Iterator[Picture]:
    yield image.picture(octets, screen=(screen[0], screen[1]), formats=formats, budget=budget)


def _tnef(octets: bytes) -> Iterator[tnef.Tnef]:
    yield tnef.read(octets)


def _entries(octets: bytes) -> Iterator[documents.Entry]:
    yield from documents.zip_entries(octets)


def _entry(octets: bytes, index: int) -> Iterator[bytes]:
    yield documents.zip_entry(octets, index)


JOBS: Final[dict[str, Job]] = {
    "document": Job(_document, DocumentError),
    "picture": Job(_picture, PictureError),
    "tnef": Job(_tnef, DocumentError),
    "zip entries": Job(_entries, DocumentError),
    "zip entry": Job(_entry, DocumentError),
}


def document(
    octets: bytes,
    media_type: str,
    filename: str,
    language: str,
    *,
    fold: bool = True,
    at: Position = Position(),  # noqa: B008
) -> Iterator[Block]:
    """Do `documents.read`, in the language of that tag; raise DocumentError, perhaps after some blocks."""
    place = (at.section, at.start, at.skip)
    items = stream(
        "document", octets, media_type=media_type, filename=filename, language=language, fold=fold, at=place
    )
    return cast(Iterator[Block], items)


def picture(octets: bytes, *, screen: tuple[int, int], formats: Sequence[str], budget: int) -> Picture:
    """Do `image.picture`; raise PictureError."""
    return cast(Picture, run("picture", octets, screen=screen, formats=tuple(formats), budget=budget))


# Values as JSON.

_CLASSES: Final[dict[str, type]] = {
    each.__name__: each for each in (Block, Run, Position, Picture, tnef.Tnef, tnef.Content, documents.Entry)
}


def _packed(value: object) -> object:
    if isinstance(value, Kind):
        return {"Kind": value.name}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if type(value).__name__ in _CLASSES and is_dataclass(value):
        return {type(value).__name__: [getattr(value, each.name) for each in fields(value)]}
    raise TypeError(type(value).__name__)


def _unpacked(pair: dict[str, Any]) -> object:
    ((name, content),) = pair.items()
    if name == "Kind":
        return Kind[content]
    if name == "bytes":
        return base64.b64decode(content)
    return _CLASSES[name](*(tuple(each) if isinstance(each, list) else each for each in content))


# Our side.


_PROGRAM: Final = "from gateway import confined; confined.serve()"


class _Server:
    """The process that forks; `control` is the socket over which it is given each job's socket."""

    def __init__(self, program: str = _PROGRAM) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # The environment is not handed on: it may hold secrets of the administrator's.
            environment = {"PYTHONPATH": str(Path(__file__).parents[1]), "LANG": "C.UTF-8"}
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
_server: _Server | None = None


def start() -> _Server:
    """Start the server, unless it runs, so that the first person does not wait for it."""
    global _server
    with _lock:
        if _server is None or _server.owner != os.getpid() or _server.process.poll() is not None:
            if _server is not None:
                _server.stop()
            _server = _Server()
        return _server


def stop() -> None:
    """Stop the server, if there is one; a later job starts another."""
    global _server
    with _lock:
        if _server is not None:
            _server.stop()
        _server = None


atexit.register(stop)


def _hand_over(theirs: socket.socket) -> None:
    """Give the server a job's socket; if it has died meanwhile, its successor."""
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
    if not _slots.acquire(timeout=PATIENCE_SECONDS):
        raise failed(BUSY)
    try:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours:
            with theirs:
                _hand_over(theirs)
            ours.settimeout(_START_SECONDS + WALL_SECONDS)
            yield from _items(ours, name, octets, arguments)
    except OSError as error:
        _log.warning("confined %s: %r", name, error)
        raise failed(TOO_LONG) from error
    finally:
        _slots.release()


def _items(ours: socket.socket, name: str, octets: bytes, arguments: dict[str, object]) -> Iterator[object]:
    head = json.dumps({"name": name, "arguments": arguments}).encode()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # why is in what it said, or did not say
        ours.sendall(len(head).to_bytes(_LENGTH) + len(octets).to_bytes(_LENGTH))
        ours.sendall(head)
        ours.sendall(octets)
    failed = JOBS[name].error
    with ours.makefile("rb") as answers:
        while line := answers.readline(ITEM_LIMIT):
            try:
                kind, *content = json.loads(line, object_hook=_unpacked)
            except (
                ValueError,
                TypeError,
                KeyError,
                RecursionError,
            ) as error:  # a line cut by its end, mostly
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


# The server's side, and the child's.


def serve() -> None:
    """Fork a child for every job's socket that comes over descriptor 0, until it is closed."""
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):  # an extra that is not installed
            importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    gc.collect()
    gc.freeze()
    control = socket.socket(fileno=0)
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(control, 16, 1)
        if not message:
            return
        for descriptor in descriptors:
            with contextlib.suppress(OSError):  # no process to be had: the job sees its socket closed
                if os.fork() == 0:
                    _child(descriptor)
            os.close(descriptor)


def _child(descriptor: int) -> None:
    """Do one job and end."""
    try:
        _confine(descriptor)
        with socket.socket(fileno=_JOB) as ours, ours.makefile("rb") as orders:
            lengths = orders.read(2 * _LENGTH)
            head = json.loads(orders.read(int.from_bytes(lengths[:_LENGTH])))
            octets = orders.read(int.from_bytes(lengths[_LENGTH:]))
            for answer in _answers(head["name"], octets, head["arguments"]):
                ours.sendall(json.dumps(answer, default=_packed).encode() + b"\n")
    finally:
        os._exit(0)


def _confine(descriptor: int) -> None:
    """Leave nothing open but the job's socket, and set the limits."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.dup2(descriptor, _JOB)
    os.closerange(_JOB + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    for none in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC):
        resource.setrlimit(none, (0, 0))
    signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)


def _answers(name: str, octets: bytes, arguments: dict[str, Any]) -> Iterator[list[object]]:
    try:
        for item in JOBS[name].function(octets, **arguments):
            yield ["item", item]
    except (DocumentError, PictureError) as error:
        yield ["error", error.sentence, getattr(error, "detail", "")]
    except MemoryError:
        yield ["error", TOO_LARGE, "memory"]
    except Exception as error:  # a job is a parser of hostile input; its message might quote the file
        yield ["error", DAMAGED, type(error).__name__]
    else:
        yield ["end"]
