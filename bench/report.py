"""Rows as Markdown tables.

Nothing here may measure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bench.first_openings import Opened
from bench.footprint import Footprint
from bench.measure import Row
from bench.phones import Idle, Load, Waited
from bench.sending import Sent
from bench.stages import Stage

_PAGE: list[tuple[str, Callable[[Row], str]]] = [
    ("messages", lambda row: f"{row.messages:,}"),
    ("markup", lambda row: row.markup),
    ("page", lambda row: row.page),
    ("ms", lambda row: f"{row.ms:.2f}"),
    ("floor ms", lambda row: f"{row.floor_ms:.2f}" if row.round_trips else ""),
    ("× floor", lambda row: f"{row.ms / row.floor_ms:.1f}" if row.round_trips else ""),
    ("CPU ms", lambda row: f"{row.cpu_ms:.2f}"),
    ("Dovecot CPU ms (floor)", lambda row: f"{row.dovecot_ms:.2f} ({row.floor_dovecot_ms:.2f})"),
]
_UPSTREAM: list[tuple[str, Callable[[Row], str]]] = [
    ("round trips", lambda row: f"{row.round_trips}"),
    ("octets up, down", lambda row: f"{row.octets_out:,}, {row.octets_in:,}"),
    ("page octets", lambda row: f"{row.octets:,}"),
]
_RATE: list[tuple[str, Callable[[Row], str]]] = [
    ("pages/s, many clients", lambda row: "" if row.rate is None else f"{row.rate:.0f}"),
    ("CPU ms then", lambda row: "" if row.rate_cpu_ms is None else f"{row.rate_cpu_ms:.2f}"),
]


_SENT: list[tuple[str, Callable[[Sent], str]]] = [
    ("gateway", lambda row: row.gateway),
    ("markup", lambda row: row.markup),
    ("of", lambda row: "a mail sent"),
    ("ms", lambda row: f"{row.ms:.2f}"),
    ("floor ms", lambda row: f"{row.floor_ms:.2f}"),
    ("× floor", lambda row: f"{row.ms / row.floor_ms:.1f}"),
    ("CPU ms", lambda row: f"{row.cpu_ms:.2f}"),
    ("round trips", lambda row: "" if row.round_trips is None else f"{row.round_trips}"),
    ("writes on the disk", lambda row: "" if row.synced is None else f"{row.synced}"),
]


_OPENED: list[tuple[str, Callable[[Opened], str]]] = [
    ("gateway", lambda row: row.gateway),
    ("markup", lambda row: row.markup),
    ("page", lambda row: row.page),
    ("people", lambda row: f"{row.people}"),
    ("pages/s", lambda row: f"{row.rate:.0f}"),
    ("CPU ms", lambda row: f"{row.cpu_ms:.2f}"),
]


_STAGES: list[tuple[str, Callable[[Stage], str]]] = [
    ("message", lambda row: row.message),
    ("stage", lambda row: row.stage),
    ("of", lambda row: "rendering alone"),
    ("calls", lambda row: f"{row.calls:,}"),
    ("CPU ms", lambda row: f"{row.cpu_ms:.2f}"),
]


_LOAD: list[tuple[str, Callable[[Load], str]]] = [
    ("way", lambda load: load.way),
    ("sessions", lambda load: "one per request" if load.connected else "none"),
    ("phones", lambda load: str(load.phones)),
    ("a second", lambda load: f"{load.rate:.1f}"),
    ("CPU ms, all processes", lambda load: f"{load.cpu_ms:.2f}"),
]
_WAITED: list[tuple[str, Callable[[Waited], str]]] = [
    ("way", lambda row: row.way),
    ("sessions", lambda row: "one"),
    ("phones", lambda row: "1"),
    ("ms of a request", lambda row: f"{row.median_ms:.1f}"),
    ("p95", lambda row: f"{row.p95_ms:.1f}"),
]


_IDLE: list[tuple[str, Callable[[Idle], str]]] = [
    ("way", lambda row: row.way),
    ("sessions", lambda row: f"{row.sessions:,} idle"),
    ("phones", lambda row: "1"),
    ("KB of each", lambda row: f"{row.kilobytes:.2f}"),
    ("ms of a request before", lambda row: f"{row.before_ms:.2f}"),
    ("with them", lambda row: f"{row.with_ms:.2f}"),
]


def tables(rows: Sequence[Row]) -> str:
    """Write all rows: a table for each gateway, and how much more the larger mailbox costs."""
    out = []
    for name in dict.fromkeys(row.gateway for row in rows):
        some = [row for row in rows if row.gateway == name]
        columns = _PAGE + (_UPSTREAM if name == "in process" else _RATE)
        out.append(f"### {name.capitalize()}\n\n{_table(columns, some)}")
    sizes = sorted({row.messages for row in rows})
    if len(sizes) > 1:
        out.append(f"### Growth from {sizes[0]:,} to {sizes[-1]:,} messages\n\n{_growth(rows, sizes)}")
    return "\n".join(out)


def sendings(rows: Sequence[Sent]) -> str:
    """Write what sending costs."""
    return f"### Sending\n\n{_table(_SENT, rows)}"


def openings(rows: Sequence[Opened]) -> str:
    """Write what first openings cost, by one person and by many."""
    return f"### First openings\n\n{_table(_OPENED, rows)}"


def stages(rows: Sequence[Stage]) -> str:
    """Write what rendering costs by itself, by stage."""
    return f"### Rendering alone, by stage\n\n{_table(_STAGES, rows)}" if rows else ""


def footprint(found: Footprint | None) -> str:
    """Write how long the served gateway takes to start, and how much memory its processes use."""
    if found is None:
        return ""
    workers = ", ".join(f"{each:.0f}" for each in found.workers_mb) or "none"
    said = f"{found.start_seconds:.2f} s to the first answer; MB of the parent {found.parent_mb:.0f}, workers {workers}"
    return f"### Start and memory\n\n{said}\n"


def phones(loads: Sequence[Load], waited: Sequence[Waited], idle: Sequence[Idle]) -> str:
    """Write what WAP phones get from our own ports, and through Kannel from our HTTP side."""
    if not loads:
        return ""
    return f"### WAP phones\n\n{_table(_LOAD, loads)}\n{_table(_WAITED, waited)}\n{_table(_IDLE, idle)}"


def _table(columns: Sequence[tuple[str, Callable[[Any], str]]], rows: Iterable[Any]) -> str:
    lines = [[name for name, _ in columns], ["---"] * 3 + ["--:"] * (len(columns) - 3)]
    lines += [[say(row) for _, say in columns] for row in rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def growth(rows: Sequence[Row], sizes: Sequence[int]) -> list[tuple[Row, Row]]:
    """Pair each row of the smallest mailbox with the corresponding one of the largest."""
    found = {(row.gateway, row.markup, row.page, row.messages): row for row in rows}
    return [
        (row, found[row.gateway, row.markup, row.page, sizes[-1]]) for row in rows if row.messages == sizes[0]
    ]


def _growth(rows: Sequence[Row], sizes: Sequence[int]) -> str:
    lines = [
        ["gateway", "markup", "page", "ms", "CPU", "floor ms", "round trips", "octets down"],
        ["---"] * 3 + ["--:"] * 5,
    ]
    for small, large in growth(rows, sizes):
        ratios = [
            getattr(large, name) / max(getattr(small, name), 1e-9)
            for name in ("ms", "cpu_ms", "floor_ms", "round_trips", "octets_in")
        ]
        lines.append([small.gateway, small.markup, small.page, *(f"{ratio:.2f}" for ratio in ratios)])
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
