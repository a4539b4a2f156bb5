"""Removes each wall in a copy of the checkout, one after the other, and checks whether its test fails.

`python -m tests.walls.run [WORDS]` runs the walls whose names contain the words; it prints a line for each, and its
exit status is 1 if a test passed without its wall. The checkout itself is not touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.walls.table import WALLS, Wall

ROOT = Path(__file__).parents[2]
#: Exit status of pytest when tests have failed; anything else is no proof.
FAILED = 1
MISSED = "missed"
#: Seconds for one test.
LONGEST = 600


def without(wall: Wall, copy: Path) -> str:
    """Run a wall's test with the wall, and without it; return the verdict."""
    file = copy / wall.file
    whole = file.read_text()
    assert whole.count(wall.standing) == 1, wall.name
    if _status(wall, copy):
        return "FAILS ANYWAY"
    file.write_text(whole.replace(wall.standing, wall.gone))
    try:
        return MISSED if _status(wall, copy) == FAILED else "NOT MISSED"
    finally:
        file.write_text(whole)


def _status(wall: Wall, copy: Path) -> int:
    command = [sys.executable, "-bb", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", wall.test]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=copy, env=environment, timeout=LONGEST, capture_output=True, check=False
    )
    return done.returncode


def main(words: str) -> int:
    skipped = shutil.ignore_patterns(
        ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "dist", "build"
    )
    others = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(ROOT, copy, ignore=skipped)
        for wall in WALLS:
            if words in wall.name:
                verdict = without(wall, copy)
                others += verdict != MISSED
                print(verdict, wall.name, sep="\t", flush=True)
    return int(others > 0)


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
