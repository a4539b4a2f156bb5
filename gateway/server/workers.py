"""Worker processes that share the listening sockets: this one starts them, passes signals on, and replaces the dead.

Nothing here may know what a worker does, or start a thread before the workers are there: a fork copies only one thread
(fork(2)). The kernel gives each new connection to a worker that waits for one. A worker whose parent is gone ends at
once, so that nobody is left holding the port. POSIX signals; RELOAD is ours.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Final, NoReturn

log = logging.getLogger(__name__)

#: Asks every worker to read the configuration again; a worker sends it to the parent, which passes it on to all.
RELOAD: Final = signal.SIGUSR1
_ENDING: Final = frozenset({signal.SIGTERM, signal.SIGINT})
_HANDLED: Final = _ENDING | {signal.SIGHUP, RELOAD, signal.SIGCHLD}
#: Seconds before a worker that has died is replaced, lest one that cannot start take all of a core.
PAUSE: Final = 0.5


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def run(
    count: int,
    work: Callable[[int], object],
    ending: Callable[[], None],
    name: Callable[[int], str] = "worker {}".format,
) -> None:
    """Run `work` in this many processes, each with its number from 0 on, until SIGINT or SIGTERM has ended them all.

    `ending` is called when they are told to end; `name` returns what the log calls one. Call this in a process with one
    thread.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
    gc.freeze()  # what exists already stays in memory that all share
    alive, parent = os.pipe()

    def start(number: int) -> int:
        pid = os.fork()
        if not pid:
            _work(partial(work, number), name(number), (alive, parent))
        return pid

    workers = {start(number): number for number in range(count)}
    stopping = False
    while workers:
        found = signal.sigwait(_HANDLED)
        if found in _ENDING and not stopping:
            stopping = True
            ending()
        if found != signal.SIGCHLD:
            _tell(workers, signal.SIGTERM if found in _ENDING else found)
        for pid in _ended(workers):
            number = workers.pop(pid)
            if not stopping:
                log.error("%s has ended and is replaced", name(number))
                time.sleep(PAUSE)
                workers[start(number)] = number


def announce_reload() -> None:
    """Have every worker read the configuration again; called in one of them."""
    os.kill(os.getppid(), RELOAD)


def _tell(workers: dict[int, int], number: int) -> None:
    for pid in workers:
        os.kill(pid, number)  # one that has ended exists until it is waited for


def _ended(workers: dict[int, int]) -> list[int]:
    """Wait for workers that have ended, and return their process ids."""
    return [pid for pid in workers if os.waitpid(pid, os.WNOHANG)[0]]


def _work(work: Callable[[], object], name: str, pipe: tuple[int, int]) -> NoReturn:
    alive, parent = pipe
    os.close(parent)
    try:
        # Until it serves, SIGTERM ends a worker, and there is nothing to read again.
        for each in (signal.SIGHUP, RELOAD):
            signal.signal(each, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        Thread(target=_end_with_parent, args=(alive,), name="parent", daemon=True).start()
        work()
        status = 0
    except BaseException:
        log.exception("%s failed", name)
        status = 1
    _exit(status)


def _end_with_parent(alive: int) -> None:
    """Wait for the end of the parent, which closes its end of the pipe."""
    os.read(alive, 1)
    _exit(1)


def _exit(status: int) -> NoReturn:
    logging.shutdown()
    os._exit(status)
