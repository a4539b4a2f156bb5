"""One gateway, one mailbox, one handheld: what each of its pages costs, alternating with the floor of that page.

Nothing here may judge a figure: rows are returned, `report` prints them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from threading import Barrier, Thread
from typing import Any
from urllib.parse import urljoin

from bench import clocks
from bench.floor import Floor
from bench.gateway import InProcess, Request
from bench.mailbox import ARTICLE, NEWSLETTER, TEXT, WORDS
from tests.devices.phones import WmlPhone, XhtmlBrowser
from tests.servers.dovecot import PASSWORD, Dovecot

#: Fetches of each page before it is measured: the first one marks it \Seen, others fill caches.
WARM = 3
#: Seconds after which a slow page is no longer measured, and the least rounds that it gets in any case.
LONGEST, FEWEST = 1.0, 5
PAGES = (
    "list",
    "list, next page",
    "text message",
    "HTML newsletter",
    "newsletter, next page",
    "list by subject",
    "search results",
    "1,000 folders",
    "writing a mail",
)

Script = list[tuple[bytes, ...]]
#: What a page requested from the IMAP server, noted in process, for the floor of the served one.
_scripts: dict[tuple[int, str, str], tuple[Script, tuple[int, int, int]]] = {}


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured."""

    server: Dovecot
    gateway: Any
    user: str
    size: int
    markup: str


@dataclass(slots=True)
class Row:
    """The cost of one page: medians in milliseconds, CPU means in milliseconds, counts of one fetch.

    `rate`: pages per second with several clients, None if that was not measured.
    """

    gateway: str
    messages: int
    markup: str
    page: str
    ms: float
    floor_ms: float
    cpu_ms: float
    dovecot_ms: float
    floor_dovecot_ms: float
    round_trips: int
    octets_out: int
    octets_in: int
    octets: int
    rate: float | None = None
    rate_cpu_ms: float | None = None


def handheld(setting: Setting) -> Any:
    """Sign in as a phone or as a browser."""
    kind = WmlPhone if setting.markup == "wml" else XhtmlBrowser
    return kind(setting.gateway.origin, setting.gateway.transport).sign_in(setting.user, PASSWORD)


def requests(setting: Setting) -> dict[str, Request]:
    """Walk to each page once, and return the request for it."""
    device = handheld(setting)
    headers = {"Accept": device.accept, "User-Agent": device.agent}
    if setting.markup == "xhtml":
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in device.jar.items())
    inbox: str = device.url
    links: dict[str, str] = {label: urljoin(inbox, href) for label, href in device.links.items()}

    def titled(title: str) -> str:
        """Return the address of a message's first page; the list leads to where reading stopped."""
        url = next(links[label] for label in links if title[:8] in label)
        return re.sub(r"(/m\d+\.\d+).*", r"\1", url)

    device.fetch("GET", titled(NEWSLETTER))
    assert ARTICLE in device.text, "the newsletter is not read from its HTML"
    following = urljoin(device.url, device.links["Next"])
    number = re.search(r"/b(\d+)\.", links["Next"])
    assert number, links["Next"]
    by_subject = urljoin(inbox, f"b{number[1]}.s")
    device.fetch("GET", urljoin(inbox, "q"))
    device.fill("q", WORDS).press("Search")
    search = re.search(r"\bq\d+", device.links["Next"])
    assert search, device.links["Next"]
    found = urljoin(inbox, search[0])
    others = (urljoin(inbox, "za"), urljoin(inbox, "c"))
    urls = (inbox, links["Next"], titled(TEXT), titled(NEWSLETTER), following, by_subject, found, *others)
    return {page: Request(url, headers) for page, url in zip(PAGES, urls, strict=True)}


def measure(setting: Setting, rounds: int) -> list[Row]:
    """Measure every page."""
    client = setting.gateway.client()
    floor = Floor(setting.server.host, setting.server.ports["imap"], setting.user, PASSWORD)
    try:
        return [
            _measure(setting, client, floor, page, request, rounds)
            for page, request in requests(setting).items()
        ]
    finally:
        floor.close()
        client.close()


def _measure(setting: Setting, client: Any, floor: Floor, page: str, request: Request, rounds: int) -> Row:
    for _ in range(WARM):
        found = client.fetch(request)
    script, (round_trips, octets_out, octets_in) = _script(setting, client, page, request)
    dovecot = clocks.family(_master(setting.server))
    timed = {"floor": _Timed(dovecot, []), "gateway": _Timed(dovecot, setting.gateway.pids)}
    floor.play(script)
    end = time.perf_counter() + LONGEST
    for number in range(rounds):
        if number >= FEWEST and time.perf_counter() > end:
            break
        timed["floor"].call(lambda: floor.play(script))
        timed["gateway"].call(lambda: client.fetch(request))
    return Row(
        setting.gateway.name,
        setting.size,
        setting.markup,
        page,
        ms=timed["gateway"].ms,
        floor_ms=timed["floor"].ms,
        cpu_ms=timed["gateway"].cpu_ms,
        dovecot_ms=timed["gateway"].dovecot_ms,
        floor_dovecot_ms=timed["floor"].dovecot_ms,
        round_trips=round_trips,
        octets_out=octets_out,
        octets_in=octets_in,
        octets=len(found),
    )


def _master(server: Dovecot) -> int:
    return int((server.base / "run" / "master.pid").read_text())


def _script(
    setting: Setting, client: Any, page: str, request: Request
) -> tuple[Script, tuple[int, int, int]]:
    """Note what a page requests from the IMAP server; the served gateway requests what the one in process did."""
    key = (setting.size, setting.markup, page)
    if isinstance(setting.gateway, InProcess):
        before, sent = setting.gateway.traffic(), len(setting.gateway.trips)
        client.fetch(request)
        after = setting.gateway.traffic()
        a, b, c = (now - then for now, then in zip(after, before, strict=True))
        _scripts[key] = (setting.gateway.trips[sent:], (a, b, c))
    return _scripts[key]


class _Timed:
    """Wall time of each call, and CPU time of them all."""

    def __init__(self, dovecot: list[int], own: list[int]) -> None:
        self._dovecot_pids, self._own_pids = dovecot, own
        self._wall: list[float] = []
        self._cpu = self._dovecot = 0.0

    def call(self, act: Callable[[], object]) -> None:
        """Time one call."""
        dovecot, cpu = clocks.cpu(self._dovecot_pids), clocks.cpu(self._own_pids)
        begun = time.perf_counter()
        act()
        self._wall.append(time.perf_counter() - begun)
        self._cpu += clocks.cpu(self._own_pids) - cpu
        self._dovecot += clocks.cpu(self._dovecot_pids) - dovecot

    @property
    def ms(self) -> float:
        return median(self._wall) * 1000

    @property
    def cpu_ms(self) -> float:
        return self._cpu / len(self._wall) * 1000

    @property
    def dovecot_ms(self) -> float:
        return self._dovecot / len(self._wall) * 1000


def rate(setting: Setting, rows: list[Row], clients: int, seconds: float) -> None:
    """Count the pages per second that several clients get, each with its own session, and note them in the rows."""
    asked = [requests(setting) for _ in range(clients)]
    for row in rows:
        cpu = clocks.cpu(setting.gateway.pids)
        begun = time.perf_counter()
        count = _together(setting, [each[row.page] for each in asked], seconds)
        row.rate = count / (time.perf_counter() - begun)
        row.rate_cpu_ms = (clocks.cpu(setting.gateway.pids) - cpu) / count * 1000


def _together(setting: Setting, asked: list[Request], seconds: float) -> int:
    counts = [0] * len(asked)
    start = Barrier(len(asked))

    def work(index: int) -> None:
        client = setting.gateway.client()
        start.wait()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            client.fetch(asked[index])
            counts[index] += 1
        client.close()

    threads = [Thread(target=work, args=(index,)) for index in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)
