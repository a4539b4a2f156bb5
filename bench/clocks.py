"""CPU time of other processes, to the nanosecond, from their own clocks (clock_getcpuclockid(3)).

Nothing here may sum more than it was given: a process that has ended in the meantime no longer counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path


def _clock(pid: int) -> int:
    """Name a process's clock: the kernel's encoding, CPUCLOCK_SCHED (linux/posix-timers_types.h)."""
    return (~pid << 3) | 2


def cpu(pids: Iterable[int]) -> float:
    """Sum the CPU seconds of processes."""
    total = 0.0
    for pid in pids:
        try:
            total += time.clock_gettime(_clock(pid))
        except OSError:  # it has ended
            pass
    return total


def family(pid: int) -> list[int]:
    """Name a process and its children."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid:
                found.append(int(entry.name))
    return found
