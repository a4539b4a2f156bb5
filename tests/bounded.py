"""Functions called in a process of their own, which the kernel ends if they take more than they may.

The process is forked from a server that has already loaded the gateway: that takes milliseconds, while a new
interpreter takes half a second. The limit on CPU time does not measure speed, since a busy machine is several times
slower: it is far above what is needed, and far below a cost that grows with the square of the input.
"""

from __future__ import annotations

import multiprocessing
import resource
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import ParamSpec, TypeVar

#: Seconds of CPU time, and octets beyond what the process has mapped when it starts.
SECONDS, ROOM = 20, 200 * 1024 * 1024

P = ParamSpec("P")
R = TypeVar("R")

_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(
    ["gateway.app", "gateway.rendition.documents", "pypdf", "PIL.AvifImagePlugin", "PIL.WebPImagePlugin",
     "hypothesis", "pytest"]
)  # fmt: skip


class Ended(AssertionError):
    """The function raised an exception, or took more than it may."""


def call(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a function of a module returns. Raise Ended."""
    return call_within(SECONDS, ROOM, function, *args, **kwargs)


def call_within(seconds: int, room: int, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do the same within other limits."""
    ours, theirs = _fork.Pipe(duplex=False)
    process = _fork.Process(target=_answer, args=(theirs, seconds, room, function, args, kwargs))
    process.start()
    theirs.close()
    try:
        returned, value = ours.recv()
    except EOFError:
        process.join()
        raise Ended(f"ended by {process.exitcode}") from None
    finally:
        ours.close()
        process.join()
    if not returned:
        raise Ended(value)
    return value  # type: ignore[no-any-return]


def _answer(
    line: Connection, seconds: int, room: int, function: Callable[..., object], args: tuple[object, ...],
    kwargs: dict[str, object],
) -> None:  # fmt: skip
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (mapped + room, mapped + room))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        said = True, function(*args, **kwargs)
    except BaseException:
        said = False, traceback.format_exc()
    line.send(said)
