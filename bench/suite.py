"""The whole run: a private Dovecot, its mailboxes, the gateways, and every page measured.

Nothing here may compare with figures of another run: each page and its floor are measured by turns.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import mailbox, report
from bench.gateway import InProcess, Served
from bench.measure import Row, Setting, measure, rate
from tests.servers import dovecot as dovecots
from tests.servers.dovecot import Dovecot

SIZES = (100, 100_000)
ROUNDS = 60
CLIENTS = 8
SECONDS = 1.0


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="messages in the mailboxes")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="times at most that each page is fetched")
    parser.add_argument("--clients", type=int, default=CLIENTS, help="how many for the rate; 0 leaves it out")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each rate is measured")
    parser.add_argument("--in-process", action="store_true", help="leave the served gateway out")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    return parser.parse_args(words)


def run(asked: argparse.Namespace) -> list[Row]:
    """Measure everything that was asked for."""
    rows: list[Row] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pb")))
        server = stack.enter_context(closing(Dovecot()))
        server.start()
        users = {size: mailbox.make(server, size) for size in asked.sizes}
        gateways: list[Any] = [stack.enter_context(closing(InProcess(server, folder)))]
        if not asked.in_process:
            gateways.append(stack.enter_context(closing(Served(server, folder))))
        for gateway in gateways:
            for size, user in users.items():
                for markup in ("wml", "xhtml"):
                    setting = Setting(server, gateway, user, size, markup)
                    found = measure(setting, asked.rounds)
                    if asked.clients and gateway.remote:
                        rate(setting, found, asked.clients, asked.seconds)
                    rows += found
    return rows


def main() -> int:
    """Print the figures."""
    asked = arguments()
    if not dovecots.installed():
        print("dovecot is not installed: see tests/debian-packages.txt", file=sys.stderr)
        return 1
    rows = run(asked)
    print(json.dumps([asdict(row) for row in rows], indent=1) if asked.json else report.tables(rows))
    return 0
