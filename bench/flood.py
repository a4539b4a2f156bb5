"""A flood of mutated datagrams at the live port, and what a phone's GET takes without it and during it.

    python -m bench.flood [--datagrams 1000000] [--rates 1000 5000 10000 0]

One niced process sends from one UDP port, in slices of two seconds, between which nothing is sent: so both halves of
the comparison see the same machine. One phone shares the flooder's address, another has its own; each has a session,
and they take turns. Nothing here may judge a figure.
"""

from __future__ import annotations

import argparse
import random
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench import clocks
from bench.gateway import Served
from bench.phones import Phone
from gateway.wap import wsp
from tests.devices.wap import kannel
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.wap.mutants import mutant

RATES: Final = (1000, 5000, 10_000, 0)
"""Datagrams per second; 0 for as many as the sender can send."""
HOSTS: Final = ("127.0.0.1", "127.0.0.2")
"""The addresses of the phones; the flooder has the first one, too."""
KINDS: Final = 100_000
"""Different datagrams; if more are needed, they are sent again."""
SLICE: Final = 2.0
"""Seconds with a flood, and as many without."""
SECONDS: Final = 20.0
"""Seconds of flood at each given rate."""
PAUSE: Final = 0.01
"""Seconds between two requests."""
STEP: Final = 0.001
"""Seconds after which a sender with a rate sends what has become due."""


@dataclass(slots=True)
class Flooded:
    """What one rate caused: milliseconds of each phone's requests, CPU and seconds of the floods, memory in KB."""

    rate: int
    quiet: list[list[float]] = field(default_factory=lambda: [[] for _ in HOSTS])
    meanwhile: list[list[float]] = field(default_factory=lambda: [[] for _ in HOSTS])
    sent: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    lost: int = 0
    memory: tuple[int, int] = (0, 0)


def send(port: int, rate: int) -> None:
    """Send mutated datagrams to a port, for as many seconds as each line on standard input says."""
    chance = random.Random(1)
    datagrams = [mutant(chance) for _ in range(KINDS)]
    print("ready", flush=True)
    first = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.connect((HOSTS[0], port))
        while seconds := sys.stdin.readline().strip():
            begun = time.perf_counter()
            sent = 0
            while (passed := time.perf_counter() - begun) < float(seconds):
                due = int(passed * rate) if rate else sent + 1000
                for number in range(first + sent, first + due):
                    line.send(datagrams[number % KINDS])
                sent = due
                if rate:
                    time.sleep(STEP)
            first += sent
            print(sent, flush=True)


def _asked(phones: list[Phone], url: str, times: list[list[float]]) -> None:
    """Have the phones take turns for a slice of time, and note how long each request took."""
    end = time.perf_counter() + SLICE
    while time.perf_counter() < end:
        for phone, own in zip(phones, times, strict=True):
            begun = time.perf_counter()
            phone.ask(wsp.Method("GET", url))
            own.append((time.perf_counter() - begun) * 1000)
            time.sleep(PAUSE)


def _flood(phones: list[Phone], url: str, port: int, pid: int, found: Flooded, datagrams: int) -> None:
    """Measure alternately until the time is over, or, at full speed, until this many datagrams were sent."""
    command = ["nice", sys.executable, "-m", "bench.flood", "--send", str(port), str(found.rate)]
    # A session of its own: Linux first divides the processors among sessions (sched(7), autogroup).
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as sender:
        assert sender.stdin is not None
        assert sender.stdout is not None
        sender.stdout.readline()
        before, lost = _memory(pid), _lost(port)
        while found.seconds < SECONDS if found.rate else found.sent < datagrams:
            _asked(phones, url, found.quiet)
            cpu, begun = clocks.cpu([pid]), time.perf_counter()
            print(SLICE, file=sender.stdin, flush=True)
            _asked(phones, url, found.meanwhile)
            found.sent += int(sender.stdout.readline())
            found.seconds += time.perf_counter() - begun
            found.cpu += clocks.cpu([pid]) - cpu
        found.lost, found.memory = _lost(port) - lost, (before, _memory(pid))
        sender.stdin.close()


def _memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text().split()
    return int(status[status.index("VmRSS:") + 1])


def _udp() -> list[list[str]]:
    return [row.split() for row in Path("/proc/net/udp").read_text().splitlines()[1:]]


def _lost(port: int) -> int:
    """Return the datagrams for which there was no room in the receive buffers of a port."""
    return sum(int(row[-1]) for row in _udp() if int(row[1].partition(":")[2], 16) == port)


def _bearer(served: Served) -> int:
    """Find the process that serves phones: the only child that keeps the UDP sockets, which all inherit."""
    while len(found := [pid for pid in served.pids[1:] if _has_udp(pid)]) != 1:
        time.sleep(PAUSE)
    return found[0]


def _has_udp(pid: int) -> bool:
    sockets = {f"socket:[{row[9]}]" for row in _udp()}
    with suppress(OSError):  # it, or one of its files, is gone by now
        return any(str(entry.readlink()) in sockets for entry in Path(f"/proc/{pid}/fd").iterdir())
    return False


def _p95(times: list[float]) -> float:
    return sorted(times)[len(times) * 95 // 100]


def _row(found: Flooded) -> str:
    """Write a row of Markdown."""
    cells = [f"{found.rate:,}" if found.rate else "all it can", f"{found.sent / found.seconds:,.0f}"]
    cells += [f"{found.sent:,}", f"{found.lost / max(found.sent, 1):.0%}", f"{found.cpu / found.seconds:.0%}"]
    for quiet, meanwhile in zip(found.quiet, found.meanwhile, strict=True):
        before, now = _p95(quiet), _p95(meanwhile)
        cells.append(f"{before:.1f} → {now:.1f} ({now / before:.2f}×)")
    return f"| {' | '.join(cells)} | {found.memory[0] / 1024:.1f} → {found.memory[1] / 1024:.1f} |"


def main(words: list[str] | None = None) -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.flood", description=__doc__)
    parser.add_argument("--datagrams", type=int, default=1_000_000, help="how many where no rate is stated")
    parser.add_argument(
        "--rates", type=int, nargs="+", default=RATES, help="a second; 0 as quickly as can be"
    )
    parser.add_argument("--send", type=int, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    if asked.send:
        send(*asked.send)
        return 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pb")))
        server = stack.enter_context(closing(Dovecot()))
        server.start()
        smtp = SmtpServer(folder).start()
        stack.callback(smtp.stop)
        base = kannel.free_udp_ports(2)
        served = stack.enter_context(closing(Served(server, smtp, folder, wap=(base + 1, base))))
        phones = [stack.enter_context(closing(Phone(base + 1, host))) for host in HOSTS]
        pid = _bearer(served)
        print(
            "| rate | a second | sent | lost by the kernel | CPU | p95 ms, same address | p95 ms, another | MB |"
        )
        print("|" + "--:|" * 8)
        for rate in asked.rates:
            found = Flooded(rate)
            _flood(phones, served.origin + "/", base + 1, pid, found, asked.datagrams)
            print(_row(found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
