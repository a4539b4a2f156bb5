"""What the served gateway takes: the time until it answers, and memory of its processes.

Nothing here may count shared pages twice: memory is the proportional set size (proc_pid_smaps(5)).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bench.gateway import Served

_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


@dataclass(slots=True)
class Footprint:
    """Seconds until the first answer; megabytes of the parent and of each worker, none if there is one process."""

    start_seconds: float
    parent_mb: float
    workers_mb: list[float]


def measure(gateway: Served) -> Footprint:
    """Measure a gateway; how much it was used before determines what is in memory."""
    parent, *workers = gateway.pids
    return Footprint(gateway.start_seconds, megabytes(parent), [megabytes(pid) for pid in workers])


def megabytes(pid: int) -> float:
    """Return a process's proportional set size."""
    found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    return int(found[1]) / 1024 if found else 0.0
