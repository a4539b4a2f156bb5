"""`make chaos`: a thousand mails while everything around them fails; exit 1 if one is lost, doubled or lied about.

    make chaos                                   a thousand mails, ten minutes at most
    make chaos ARGS="--seed 7 --sendings 60"     the same faults again, on a small scale
    make chaos ARGS="--back"                     and write over pages that have sent a mail

Nothing here may reach beyond this machine, or leave a process behind. What fails and when follows from the seed; which
request it meets depends on the machine, so the same seed gives the same weather, not the same run.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.chaos import scene
from tests.chaos.judge import Fault, Judgement, judge
from tests.chaos.scene import Run
from tests.chaos.weather import BRIEF, Climate
from tests.servers import dovecot as dovecots
from tests.servers.dovecot import Dovecot

SEED: Final = 20261103
SENDINGS: Final = 1000
SECONDS: Final = 600.0
#: The part of the time over which mails are spread, so that the faults have time to come.
PACE: Final = 0.55
#: Fewer mails than this get the brief weather, or they would see none.
FEW: Final = 50
#: What makes a run fail.
GRAVE: Final = (Fault.DOUBLED, Fault.LOST, Fault.UNTRUE)


def table(run: Run, judgement: Judgement) -> str:
    """Print what there was, what became of it, and what is wrong with it, one line each."""
    rows = dict(run.figures)
    rows["accepted"] = f"{sum(bool(mail.accepted) for mail in run.mails):,}"
    rows |= {fault.value: f"{judgement.count(fault):,}" for fault in GRAVE}
    rows[Fault.STRAY.value] = f"{judgement.count(Fault.STRAY):,}"
    unsure = f"{len(judgement.uncertain):,}, {len(judgement.knowable):,} of which could have been known"
    rows["not certain"] = unsure
    lines = [
        f"{label:28}{value:>10}" if len(value) < 10 else f"{label:28}{value}" for label, value in rows.items()
    ]
    mails = {mail.mark: mail for mail in run.mails}
    for mark in dict.fromkeys([*(one.mark for one in judgement.verdicts), *judgement.knowable]):
        wrong = [one for one in judgement.verdicts if one.mark == mark]
        lines += [f"{one.fault.value.upper()} {mark}: {one.why}" for one in wrong]
        lines += [f"COULD HAVE BEEN KNOWN {mark}"] * (not wrong)
        lines += [f"    {what}" for what in mails[mark].story()]
    return "\n".join(lines)


def perform(
    seed: int, sendings: int, seconds: float, climate: Climate, back: bool, keep: Path | None = None
) -> int:
    """Run once, print, and return the exit status."""
    dovecot = Dovecot()
    try:
        dovecot.start()
        with tempfile.TemporaryDirectory(prefix="pc") as folder:
            pace = seconds * PACE
            run = scene.perform(dovecot, Path(folder), seed, sendings, pace, seconds, climate, back)
    finally:
        dovecot.close()
    judgement = judge(run.mails, run.nameless)
    print(f"seed {seed}\n{table(run, judgement)}")
    if keep is not None:
        keep.write_text("\n".join(run.logs))
    failed = any(judgement.count(fault) for fault in GRAVE)
    if failed:
        print(f'FAILED; the same weather again: make chaos ARGS="--seed {seed} --sendings {sendings}"')
    return int(failed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=…", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--seed", type=int, default=SEED, help="what the weather follows from")
    parser.add_argument("--sendings", type=int, default=SENDINGS, help="mails to write")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for all of it")
    parser.add_argument(
        "--back", action="store_true", help="write over pages that have sent a mail in any case"
    )
    parser.add_argument("--log", type=Path, help="keep the gateways' logs in this file")
    given = parser.parse_args(arguments)
    if not dovecots.installed():
        print("Dovecot is needed (see tests/debian-packages.txt)", file=sys.stderr)
        return 2
    logging.getLogger("mail").setLevel(logging.CRITICAL)  # of the SMTP server, which logs every cut
    climate = BRIEF if given.sendings < FEW else Climate()
    return perform(given.seed, given.sendings, given.seconds, climate, given.back, given.log)


if __name__ == "__main__":
    sys.exit(main())
