"""Servers whose answers never end: what they cost in memory, one of them and eight at a time.

Each test has a process of its own, which measures the most memory it has held (VmHWM) beyond what it had before.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.matrix import one_of
from tests.servers.scripted.endless import FLOODS, MOST, Endless

#: Bytes that one hostile server may cost, and eight.
ONE, EIGHT = 32 * 1024 * 1024, 128 * 1024 * 1024
_ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = """
import resource, sys, threading
from contextlib import closing
from gateway.config import Server, Tls
from gateway.errors import AnswerTooLong, StoreError
from gateway.message.query import Query, flag
from gateway.store.imap import imap_store as imap
from gateway.store.imap.connection import imap4
from gateway.store.abilities import Order
from gateway.store.base import MessageRef, Window
from tests import PATIENCE

REF = MessageRef("INBOX", 7, 1)
ACTIONS = {
    "list": lambda store: store.summaries("INBOX", Window(9)),
    "mailboxes": lambda store: store.folders(),
    "search": lambda store: store.search(flag("unread"), ["INBOX"]),
    "structure": lambda store: store.structure(REF),
    "octets": lambda store: list(store.octets(REF, "1")),
}
# A busy machine sends as much more slowly; memory is what is bounded here.
imap4.READ_SECONDS = imap4.ANSWER_SECONDS = PATIENCE
# Only against an endless loop: eight threads reserve as many arenas, of 128 MB of addresses each.
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
import gateway.web.request.visit  # noqa: what a gateway has loaded anyway

def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024

saying = threading.Lock()

def say(*words):
    with saying:  # a text stream loses lines that several threads write at once
        print(*words)

def act(port, action):
    store = None
    try:
        with closing(imap.connect(Server("imap", "127.0.0.1", port, Tls.NONE), "u", "p")) as store:
            ACTIONS[action](store)
            say("answered", action)
    except AnswerTooLong:
        assert store is None or store.broken  # all together may cost so much, whoever asks last
        say("too long", action)
    except StoreError as error:
        say(type(error).__name__, action, error.detail)

before = peak()
together = int(sys.argv[1])
for at in range(2, len(sys.argv), together):
    ports, actions = zip(*(each.split("=") for each in sys.argv[at : at + together]))
    for action in actions[0].split(","):
        threads = [threading.Thread(target=act, args=(int(port), action)) for port in ports]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    print("cost", peak() - before)
"""


ACTIONS = ("list", "mailboxes", "search", "structure")
#: How many of them each server is tested with: `make test` alternates, so that either half meets every second server.
ASKED = one_of(["two", "all"], "two")


def run(
    floods: Iterable[str], most: int, together: int = 1, people: int = 1, asked: str = "all"
) -> tuple[list[int], list[str]]:
    """Do things with this many hostile servers together; return what each step cost in total, and its result."""
    with ExitStack() as stack:
        ports = []
        for number, flood in enumerate(floods):
            port = stack.enter_context(Endless(FLOODS[flood], most)).port
            actions = ACTIONS if asked == "all" else ACTIONS[number % 2 :: 2]
            ports += [f"{port}={','.join(actions)}"] * people
        done = subprocess.run(
            [sys.executable, "-bb", "-c", _PROGRAM, str(max(together, people)), *ports],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    lines = done.stdout.splitlines()
    costs = [int(line.removeprefix("cost ")) for line in lines if line.startswith("cost ")]
    return costs, [line for line in lines if not line.startswith("cost ")]


@pytest.mark.long
@pytest.mark.parametrize("asked", ASKED)
def test_no_endless_server_costs_much(asked: str) -> None:
    costs, outcomes = run(FLOODS, MOST, asked=asked)
    assert max(costs) <= ONE, dict(zip(FLOODS, costs, strict=True))
    assert all(outcome.startswith("too long") for outcome in outcomes), outcomes


@pytest.mark.long
@pytest.mark.parametrize("most", one_of([300_000, 3_000_000], 3_000_000))
@pytest.mark.parametrize("asked", ASKED)
def test_no_long_answer_that_ends_costs_much(most: int, asked: str) -> None:
    """What fits is parsed, which costs more than the octets do."""
    costs, outcomes = run(FLOODS, most, asked=asked)
    assert max(costs) <= ONE, dict(zip(FLOODS, costs, strict=True))
    assert any(outcome.startswith("answered") for outcome in outcomes)


@pytest.mark.long
@pytest.mark.parametrize("flood", one_of(["rows of literals", "mailboxes"], "rows of literals"))
def test_one_server_costs_no_more_when_eight_people_use_it(flood: str) -> None:
    costs, outcomes = run([flood], 1_500_000, people=8)
    assert max(costs) <= ONE, costs
    assert len(outcomes) == 8 * 4, outcomes


@pytest.mark.parametrize("flood", one_of(["rows of literals", "extended numbers"], "extended numbers"))
def test_eight_servers_at_a_time_cost_no_more_than_they_may(flood: str) -> None:
    costs, outcomes = run([flood] * 8, 3_000_000, together=8)
    assert max(costs) <= EIGHT, costs
    assert len(outcomes) == 8 * 4
