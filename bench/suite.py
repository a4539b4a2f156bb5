"""The whole run: a private Dovecot, its mailboxes, the gateways, and every page measured.

Nothing here may compare with figures of another run: each page and its floor are measured alternately.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from bench import first_openings, mailbox, phones, report, sending, stages
from bench import footprint as footprints
from bench.first_openings import Opened
from bench.footprint import Footprint
from bench.gateway import InProcess, Served
from bench.measure import Row, Setting, measure, rate
from bench.sending import Sent
from bench.stages import Stage
from tests.servers import dovecot as dovecots
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

SIZES = (100, 100_000)
ROUNDS = 60
CLIENTS = 8
PEOPLE = (1, 8, 64)
SECONDS = 1.0


class Figures(NamedTuple):
    """All figures of a run."""

    rows: list[Row]
    sent: list[Sent]
    opened: list[Opened]
    footprint: Footprint | None
    phones: tuple[list[phones.Load], list[phones.Waited], list[phones.Idle]] = ([], [], [])
    stages: tuple[Stage, ...] = ()


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="messages in the mailboxes")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="times at most that each page is fetched")
    parser.add_argument("--clients", type=int, default=CLIENTS, help="how many for the rate; 0 leaves it out")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each rate is measured")
    parser.add_argument(
        "--people", type=int, nargs="*", default=PEOPLE, help="how many open messages for the first time"
    )
    parser.add_argument("--in-process", action="store_true", help="leave the served gateway out")
    parser.add_argument(
        "--phones",
        type=int,
        default=phones.ROUNDS,
        help="rounds of WAP phones beside Kannel; 0 leaves them out",
    )
    parser.add_argument("--only-phones", action="store_true", help="leave everything else out")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    return parser.parse_args(words)


def run(asked: argparse.Namespace) -> Figures:
    """Measure everything that was requested."""
    rows: list[Row] = []
    sent: list[Sent] = []
    opened: list[Opened] = []
    footprint: Footprint | None = None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pb")))
        server = stack.enter_context(closing(Dovecot()))
        server.start()
        smtp = SmtpServer(folder).start()
        stack.callback(smtp.stop)
        called = (
            phones.measure(server, smtp, asked.phones)
            if asked.phones and not phones.missing()
            else ([], [], [])
        )
        if asked.only_phones:
            return Figures([], [], [], None, called)
        users = {size: mailbox.make(server, size) for size in asked.sizes}
        gateways: list[Any] = [stack.enter_context(closing(InProcess(server, smtp, folder)))]
        if not asked.in_process:
            gateways.append(stack.enter_context(closing(Served(server, smtp, folder))))
        for gateway in gateways:
            for size, user in users.items():
                for markup in ("wml", "xhtml"):
                    setting = Setting(server, gateway, user, size, markup)
                    found = measure(setting, asked.rounds)
                    if asked.clients and gateway.remote:
                        rate(setting, found, asked.clients, asked.seconds)
                    rows += found
            for markup in ("wml", "xhtml"):
                setting = Setting(server, gateway, users[min(users)], min(users), markup)
                sent.append(sending.measure(setting, smtp, asked.rounds))
            if gateway.remote:
                footprint = footprints.measure(gateway)
            for people in asked.people if gateway.remote else (1,):
                opened += first_openings.measure(server, gateway, people)
    return Figures(rows, sent, opened, footprint, called, tuple(stages.measure(asked.rounds)))


def main() -> int:
    """Print the figures."""
    asked = arguments()
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # the SMTP server's warnings about its own future
    if not dovecots.installed():
        print("dovecot is not installed: see tests/debian-packages.txt", file=sys.stderr)
        return 1
    if asked.phones and (missing := phones.missing()):
        print(
            f"WAP phones are left out: {missing} not installed (see tests/debian-packages.txt)",
            file=sys.stderr,
        )
    figures = run(asked)
    if asked.json:
        parts: list[list[Any]] = [
            figures.rows,
            figures.sent,
            figures.opened,
            *figures.phones,
            [*figures.stages],
        ]
        print(json.dumps([asdict(row) for part in parts for row in part], indent=1))
    else:
        tables = report.tables(figures.rows), report.sendings(figures.sent), report.openings(figures.opened)
        print(
            *(() if asked.only_phones else tables),
            report.stages(figures.stages),
            report.footprint(figures.footprint),
            report.phones(*figures.phones),
            sep="\n",
        )
    return 0
