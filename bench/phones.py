"""WAP phones: our own ports beside Kannel in front of our HTTP side, with the same deck, alternately.

The load is fakewap, Kannel's own phone, which opens a session for each request; the time of one request is that of our
initiator. Nothing here may judge a figure.
"""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench import clocks, footprint
from bench.gateway import Served
from gateway.wap import wsp
from gateway.wap.initiator import Initiator
from tests.devices.wap import kannel
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

#: Phones at a time, and total sessions of each load: first of those with sessions, then of those without.
CONNECTED: Final = {1: 30, 10: 150, 20: 300}
CONNECTIONLESS: Final = {1: 200, 4: 400}
ROUNDS: Final = 3
#: Requests of one phone, which are timed; the first one is not.
REQUESTS: Final = 100
#: Sessions that stay idle, each from an address of its own.
IDLE: Final = 10_000
PATIENCE: Final = 120.0


@dataclass(slots=True)
class Load:
    """What this many phones got: sessions per second, and CPU milliseconds of all processes for each."""

    way: str
    phones: int
    connected: bool
    rate: float
    cpu_ms: float


@dataclass(slots=True)
class Waited:
    """How long one phone waited for a request of its session, in milliseconds."""

    way: str
    median_ms: float
    p95_ms: float


@dataclass(slots=True)
class Idle:
    """What idle sessions cost: KB of all processes for each, and the median of a request before and with them."""

    way: str
    sessions: int
    kilobytes: float
    before_ms: float
    with_ms: float


class _Way:
    """A WAP gateway on two ports, and the processes that belong to it."""

    def __init__(self, name: str, ports: tuple[int, int], served: Served, boxes: list[int]) -> None:
        self.name, self.port, self.connectionless = name, *ports
        self._served, self._boxes = served, boxes
        self.times: list[float] = []

    @property
    def pids(self) -> list[int]:
        return [*self._served.pids, *self._boxes]

    def load(self, url: str, phones: int, sessions: int, connected: bool) -> Load:
        """Have fakewap request a page; without sessions, several phones need several processes."""
        threads, processes = (phones, 1) if connected else (1, phones)
        port = self.port if connected else self.connectionless
        command = [
            kannel.FAKEWAP,
            "-g",
            "127.0.0.1",
            "-p",
            str(port),
            "-I",
            "127.0.0.1",
            "-i",
            "0",
            "-c",
            str(threads),
        ]
        command += ["-M", str(int(connected)), "-m", str(sessions // processes), url]
        cpu, begun = clocks.cpu(self.pids), time.perf_counter()
        running = [
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(processes)
        ]
        ended = [each.wait(PATIENCE) for each in running]
        seconds = time.perf_counter() - begun
        if any(ended):
            raise RuntimeError(f"fakewap failed at {self.name}")
        used = clocks.cpu(self.pids) - cpu
        return Load(self.name, phones, connected, sessions / seconds, used / sessions * 1000)


class Phone:
    """Our initiator on a socket."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.bind((host, 0))
        self._line.connect(("127.0.0.1", port))
        self._line.settimeout(1.0)
        self._phone = Initiator()
        self.ask(wsp.Connect())

    def close(self) -> None:
        """Let the session expire."""
        self._line.close()

    def ask(self, pdu: wsp.WspPdu) -> None:
        """Send a request and wait for its answer."""
        self._phone.invoke(wsp.write_pdu(pdu), time.monotonic())
        while True:
            for data in self._phone.datagrams_to_send(time.monotonic()):
                self._line.send(data)
            answer = self._phone.next_event()
            if answer is not None:
                for data in self._phone.datagrams_to_send(time.monotonic()):  # its Ack
                    self._line.send(data)
                if answer.pdu is None:
                    raise RuntimeError(f"no answer: {answer}")
                return
            try:
                self._phone.receive_datagram(self._line.recv(65_536), time.monotonic())
            except TimeoutError:
                self._phone.handle_timer(time.monotonic())


def missing() -> str:
    """Name what is not installed, '' if everything is."""
    return kannel.missing()


def measure(
    server: Dovecot,
    smtp: SmtpServer,
    rounds: int = ROUNDS,
    requests: int = REQUESTS,
    connected: Mapping[int, int] = CONNECTED,
    connectionless: Mapping[int, int] = CONNECTIONLESS,
    idle: int = IDLE,
) -> tuple[list[Load], list[Waited], list[Idle]]:
    """Measure both ways alternately; loads as sessions by phones. Idle sessions are measured only on our own port."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pb")))
        base = kannel.free_udp_ports(2)
        served = stack.enter_context(closing(Served(server, smtp, folder, wap=(base + 1, base))))
        boxes = kannel.Kannel(folder).start()
        stack.callback(boxes.stop)
        ways = [
            _Way("Pocketpost", (base + 1, base), served, []),
            _Way("Kannel and HTTP", (boxes.port, boxes.connectionless), served, boxes.pids),
        ]
        url = served.origin + "/"
        waited = _waited(stack, ways, url, requests)
        loads: list[Load] = []
        for is_connected, rows in ((True, connected), (False, connectionless)):
            for phones, sessions in rows.items():
                found = [way.load(url, phones, sessions, is_connected) for _ in range(rounds) for way in ways]
                loads += _mean(found)
        return loads, waited, [_idle(ways[0], url, requests, idle)]


def _idle(way: _Way, url: str, requests: int, sessions: int) -> Idle:
    with closing(Phone(way.port)) as phone:
        before_ms, before = _median(phone, url, requests), sum(map(footprint.megabytes, way.pids))
        for number in range(sessions):
            Phone(way.port, f"127.1.{number >> 8}.{number & 255}").close()
        taken = sum(map(footprint.megabytes, way.pids)) - before
        return Idle(way.name, sessions, taken * 1024 / sessions, before_ms, _median(phone, url, requests))


def _median(phone: Phone, url: str, requests: int) -> float:
    times = []
    for _ in range(requests):
        begun = time.perf_counter()
        phone.ask(wsp.Method("GET", url))
        times.append((time.perf_counter() - begun) * 1000)
    return sorted(times)[requests // 2]


def _mean(loads: list[Load]) -> list[Load]:
    """Combine the rounds of each way into one row: total sessions divided by total seconds."""
    found = {}
    for way in dict.fromkeys(load.way for load in loads):
        own = [load for load in loads if load.way == way]
        rate = len(own) / sum(1 / load.rate for load in own)
        found[way] = Load(
            way, own[0].phones, own[0].connected, rate, sum(load.cpu_ms for load in own) / len(own)
        )
    return list(found.values())


def _waited(stack: ExitStack, ways: list[_Way], url: str, requests: int) -> list[Waited]:
    asking: list[tuple[_Way, Any]] = [(way, stack.enter_context(closing(Phone(way.port)))) for way in ways]
    for number in range(requests + 1):
        for way, phone in asking:
            begun = time.perf_counter()
            phone.ask(wsp.Method("GET", url))
            if number:
                way.times.append((time.perf_counter() - begun) * 1000)
    return [
        Waited(way.name, sorted(way.times)[requests // 2], sorted(way.times)[requests * 95 // 100])
        for way in ways
    ]
