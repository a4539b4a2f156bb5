"""POP3 servers whose answers never end: what they cost in memory.

Each test has a process of its own, which measures the most memory it has held (VmHWM) beyond what it had before.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.matrix import one_of
from tests.servers.scripted.rude_pop3 import Flood, Quirks, RudePop3

#: Bytes that one hostile server may cost; octets that it sends in answer to one command.
ONE, MOST = 32 * 1024 * 1024, 80 * 1024 * 1024
MAIL = b"Subject: x\r\n\r\nx\r\n"
_ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = """
import resource, sys, threading
from gateway.config import Server, Tls
from gateway.errors import AnswerTooLong, StoreError
from gateway.store.base import Window
from gateway.store.pop3 import connection, pop3_store
from tests import PATIENCE
import gateway.web.request.visit  # noqa: what a gateway has loaded anyway

# A busy machine sends as much more slowly; memory is what is bounded here.
connection.READ_SECONDS = PATIENCE
connection.BoundedPOP3.transmit.__defaults__ = (PATIENCE,)
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
saying = threading.Lock()

def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024

def act(port, user):
    def connect():
        return pop3_store.connect(Server("pop3", "127.0.0.1", port, Tls.NONE), user, "p")
    said = "answered"
    try:
        store = connect()
        kept.append(store)  # as the pool does
        with store.lent(connect):
            rows = store.summaries("INBOX", Window(9)).summaries
            for row in rows:
                sum(map(len, store.octets(row.ref, "")))
    except AnswerTooLong:
        said = "too long"
    except StoreError as error:
        said = type(error).__name__ + " " + error.detail
    with saying:
        print(said)

kept, before = [], peak()
people = int(sys.argv[1])
for port in sys.argv[2:]:
    threads = [threading.Thread(target=act, args=(int(port), f"u{n}")) for n in range(people)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print("cost", peak() - before)
"""


def floods(most: int) -> dict[str, Quirks]:
    """Return what comes endlessly, each in answer to one command."""
    return {
        "a greeting": {b"GREETING": Flood(b"", b"x" * 1000, most)},
        "capabilities": {b"CAPA": Flood(b"+OK\r\n", b"X {n}\r\n", most)},
        "empty capabilities": {b"CAPA": Flood(b"+OK\r\n", b"\r\n", most)},
        "a status line": {b"PASS": Flood(b"+OK ", b"x" * 1000, most, b"\r\n")},
        "messages": {b"LIST": Flood(b"+OK\r\n", b"{n} 9\r\n", most)},
        "lines": {b"LIST": Flood(b"+OK\r\n", b"\r\n", most)},
        "a line": {b"LIST": Flood(b"+OK\r\n", b"9" * 1000, most)},
        "unique-ids": {b"UIDL": Flood(b"+OK\r\n", b"{n} {n}{n}{n}\r\n", most)},
        "headers": {b"TOP": Flood(b"+OK\r\n", b"X-{n}: y\r\n", most)},
        "one field": {b"TOP": Flood(b"+OK\r\nTo: ", b"a@b.example, ", most)},
        "a message": {b"RETR": Flood(b"+OK\r\nSubject: x\r\n\r\n", b"x" * 70 + b"\r\n", most)},
        "a message of empty lines": {b"RETR": Flood(b"+OK\nSubject: x\n\n", b"\n", most)},
        "a message of parts": {
            b"RETR": Flood(
                b"+OK\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n", b"--x\r\nA: b\r\n\r\ny\r\n", most
            )
        },
    }


def run(each: dict[str, Quirks], people: int) -> tuple[dict[str, int], list[str]]:
    """Read mail on hostile servers, one after the other; return their costs, and the results."""
    with ExitStack() as stack:
        servers = [stack.enter_context(RudePop3([MAIL] * 3, quirks)) for quirks in each.values()]
        done = subprocess.run(
            [sys.executable, "-bb", "-c", _PROGRAM, str(people), *(str(server.port) for server in servers)],
            cwd=_ROOT, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    lines = done.stdout.splitlines()
    costs = [int(line.removeprefix("cost ")) for line in lines if line.startswith("cost ")]
    return dict(zip(each, costs, strict=True)), [line for line in lines if not line.startswith("cost ")]


@pytest.mark.long
def test_no_endless_server_costs_much() -> None:
    costs, outcomes = run(floods(MOST), 1)
    assert max(costs.values()) <= ONE, costs
    refused = [outcome for outcome in outcomes if outcome != "too long"]
    assert not refused or refused == ["StoreUnreachable no POP3 greeting"], outcomes


@pytest.mark.long
@pytest.mark.parametrize(
    "flood", one_of(["messages", "unique-ids", "a message of parts", "headers"], "unique-ids")
)
def test_one_server_costs_no_more_when_eight_people_use_it(flood: str) -> None:
    costs, _outcomes = run({flood: floods(1_400_000)[flood]}, 8)
    assert max(costs.values()) <= ONE, costs
