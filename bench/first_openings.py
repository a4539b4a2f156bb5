"""Messages opened for the first time, by one person and by many: what a person does with each.

Nothing here may open a message twice: a message that was opened before may be cheaper.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any
from urllib.parse import urljoin

from bench import clocks, mailbox
from bench.gateway import Request
from bench.measure import Setting, handheld
from tests.servers.dovecot import Dovecot

#: What is opened, and how many of each a person has.
KINDS = {"text message": mailbox.text, "HTML newsletter": mailbox.newsletter}
EACH = 12
#: The first ones of a process are not counted: templates are compiled, and connections opened.
WARM = 2


@dataclass(slots=True)
class Opened:
    """First openings by this many people at a time: pages per second, and CPU milliseconds per page."""

    gateway: str
    markup: str
    page: str
    people: int
    rate: float
    cpu_ms: float


def make(server: Dovecot, people: int, name: str) -> list[str]:
    """Make people, each with messages of each kind that nobody has opened."""
    users = [server.user(f"{name}{number}@{mailbox.DOMAIN}") for number in range(people)]
    for user in users:
        for octets in (make() for make in KINDS.values() for _ in range(WARM + EACH)):
            server.deliver(user, octets)
    return users


def measure(server: Dovecot, gateway: Any, people: int) -> Iterator[Opened]:
    """Open every message of this many people, all at the same time, in each markup."""
    for markup in ("wml", "xhtml"):
        users = make(server, people, f"{gateway.name.replace(' ', '')}{markup}{people}.")
        asked = [_requests(Setting(server, gateway, user, 0, markup)) for user in users]
        for number, page in enumerate(KINDS):
            some = [each[number * (WARM + EACH) :][: WARM + EACH] for each in asked]
            _together(gateway, [each[:WARM] for each in some])
            cpu, begun = clocks.cpu(gateway.pids), time.perf_counter()
            _together(gateway, [each[WARM:] for each in some])
            seconds, count = time.perf_counter() - begun, EACH * people
            spent = (clocks.cpu(gateway.pids) - cpu) * 1000 / count
            yield Opened(gateway.name, markup, page, people, count / seconds, spent)


def _requests(setting: Setting) -> list[Request]:
    """Sign in; return the request for each message, in the order of their delivery."""
    device = handheld(setting)
    headers = {"Accept": device.accept, "User-Agent": device.agent}
    if setting.markup == "xhtml":
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in device.jar.items())
    number = next(found[1] for href in device.links.values() if (found := re.search(r"\bm(\d+)\.\d+", href)))
    uids = range(1, len(KINDS) * (WARM + EACH) + 1)
    return [Request(urljoin(device.url, f"m{number}.{uid}"), headers) for uid in uids]


def _together(gateway: Any, asked: list[list[Request]]) -> None:
    """Have each person fetch their requests, one after the other, all people at the same time."""
    start = Barrier(len(asked))

    def work(requests: list[Request]) -> None:
        client = gateway.client()
        start.wait()
        for request in requests:
            client.fetch(request)
        client.close()

    with ThreadPoolExecutor(len(asked)) as pool:
        list(pool.map(work, asked))
