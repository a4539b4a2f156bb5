"""The unit for systemd: systemd itself reads it without complaint, and judges what it leaves open."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "pocketpost.service"
#: Tenths of systemd's measure of exposure, of 100: what remains is the network, the disk it reads, other users' names.
MOST_EXPOSED = 30


def analysed(*arguments: str) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("NOT TESTED: systemd-analyze is not installed (see tests/debian-packages.txt)")
    made = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout + made.stderr


def test_systemd_understands_each_line(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    # The program is elsewhere on this machine.
    unit.write_text(UNIT.read_text().replace("/opt/pocketpost/bin/pocketpost", sys.executable))
    said = analysed("verify", "--man=no", "--recursive-errors=one", str(unit))
    assert unit.name not in said, said


def test_little_is_left_open() -> None:
    said = analysed("security", "--offline=true", "--no-pager", str(UNIT))
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) * 10 <= MOST_EXPOSED, said
