"""`make faults`: every fault at every response of every action, and every quirk; exit 1 if one does harm.

Both kinds of handheld are used.

    make faults
    make faults ARGS="--action move --fault doubled"

Nothing here may reach beyond this machine, or leave a process behind.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hatch_build import compile_catalogues
from tests.faults.quirks import QUIRKS
from tests.faults.runs import responses, stage
from tests.faults.table import ACTIONS, FAULTS
from tests.servers import dovecot as dovecots
from tests.servers.dovecot import Dovecot
from tests.web.sweeps.everything import HANDHELDS

#: Bytes that the process may take, including the gateway, the proxy and the judge.
MOST_MEMORY: Final = 150 * 1024 * 1024


def perform(actions: Sequence[str], faults: Sequence[str]) -> int:
    """Run the table, print what did harm, and return the exit status."""
    begun, count, wrong = time.monotonic(), 0, 0
    dovecot = Dovecot()
    try:
        dovecot.start()
        with tempfile.TemporaryDirectory(prefix="pf") as folder, stage(dovecot, Path(folder)) as made:
            for action in actions:
                places = responses(made, action)
                cells = [
                    (fault, at, markup)
                    for fault in faults
                    for at in (range(places) if fault in FAULTS else (-1,))
                    for markup in HANDHELDS
                ]
                # Only these are kept: each includes its pages, and memory is measured.
                harmful = [verdict for cell in cells if (verdict := made.run(action, *cell)).wrong]
                print(
                    f"{action:20}{places:4} responses{len(cells):6} runs{len(harmful):4} did harm", flush=True
                )
                for verdict in harmful:
                    print(verdict, flush=True)
                count, wrong = count + len(cells), wrong + len(harmful)
    finally:
        dovecot.close()
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    memory = int(line.split()[1]) * 1024
    print(f"{count:,} runs in {time.monotonic() - begun:.0f} s, {memory >> 20} MB at most; {wrong} did harm")
    return int(wrong > 0 or memory > MOST_MEMORY)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="make faults ARGS=…", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--action", action="append", choices=ACTIONS, help="only this (may be repeated)")
    parser.add_argument(
        "--fault", action="append", choices=[*FAULTS, *QUIRKS], help="only this (may be repeated)"
    )
    given = parser.parse_args(arguments)
    if not dovecots.installed():
        print("Dovecot is needed (see tests/debian-packages.txt)", file=sys.stderr)
        return 2
    logging.getLogger("gateway").setLevel(logging.ERROR)
    compile_catalogues()
    return perform(given.action or list(ACTIONS), given.fault or [*FAULTS, *QUIRKS])


if __name__ == "__main__":
    sys.exit(main())
