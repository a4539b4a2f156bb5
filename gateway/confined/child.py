"""The server that forks, and its children: the code that runs confined.

Nothing here may write a file, or keep anything from one job to the next.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from gateway.confined.jobs import JOBS, packed
from gateway.rendition.documents.bounds import DAMAGED, TOO_LARGE, DocumentError
from gateway.rendition.pictures.image import PictureError

#: Seconds of CPU for one job (hostile input is rejected within 2 s), and of wall clock, which includes waiting for the
#: CPU and for the reader.
CPU_SECONDS: Final = 2
WALL_SECONDS: Final = 8
#: Octets of address space that a job may add to what the server has mapped.
MEMORY: Final = 300 * 1024 * 1024
#: Open descriptors of a child: libraries may load a module late.
DESCRIPTORS: Final = 32
#: Octets of the length before what is sent.
LENGTH: Final = 8
#: The descriptor of a child's socket.
_JOB: Final = 3
#: Modules that the server loads before it forks, if installed.
_PRELOADED: Final = (
    "pypdf", "python_calamine", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "PIL.GifImagePlugin",
    "PIL.WebPImagePlugin", "PIL.AvifImagePlugin", "PIL.BmpImagePlugin",
)  # fmt: skip


def serve() -> None:
    """Fork a child for each job's socket received over descriptor 0, until that is closed."""
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):  # a format without which its library was built
            importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
    gc.collect()
    gc.freeze()
    control = socket.socket(fileno=0)
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(control, 16, 1)
        if not message:
            return
        for descriptor in descriptors:
            with contextlib.suppress(OSError):  # no process available: the job sees its socket closed
                if os.fork() == 0:
                    _child(descriptor)
            os.close(descriptor)


def _child(descriptor: int) -> None:
    """Run one job and exit."""
    try:
        _confine(descriptor)
        with socket.socket(fileno=_JOB) as ours, ours.makefile("rb") as orders:
            lengths = orders.read(2 * LENGTH)
            head = json.loads(orders.read(int.from_bytes(lengths[:LENGTH])))
            octets = orders.read(int.from_bytes(lengths[LENGTH:]))
            for answer in _answers(head["name"], octets, head["arguments"]):
                ours.sendall(json.dumps(answer, default=packed).encode() + b"\n")
    finally:
        os._exit(0)


def _confine(descriptor: int) -> None:
    """Close everything but the job's socket, and set the limits."""
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
    except Exception as error:  # the job parses hostile input, and the message might quote it
        yield ["error", DAMAGED, type(error).__name__]
    else:
        yield ["end"]
