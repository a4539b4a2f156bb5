"""The walls of docs/security.md, those of the table, the code and the tests are the same ones."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.walls import run
from tests.walls.table import WALLS, Wall

ROOT = Path(__file__).parents[2]


def test_the_document_has_each_wall_with_its_test() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| `(tests/[^`]+)` \|$", text, re.MULTILINE)
    assert rows == [(wall.name, wall.test) for wall in WALLS]


@pytest.mark.parametrize("wall", WALLS, ids=[wall.name for wall in WALLS])
def test_a_wall_stands_in_one_place_and_its_test_exists(wall: Wall) -> None:
    assert (ROOT / wall.file).read_text().count(wall.standing) == 1
    file, _, name = wall.test.partition("::")
    assert not name or re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_a_wall_that_is_not_missed_is_told(tmp_path: Path) -> None:
    """The proof itself can fail."""
    (tmp_path / "wall.py").write_text("HIGH = 1\n")
    (tmp_path / "test_wall.py").write_text("from wall import HIGH\n\n\ndef test_it():\n    assert HIGH\n")
    high = Wall("high", "wall.py", "HIGH = 1", "HIGH = 0", "test_wall.py")
    assert run.without(high, tmp_path) == run.MISSED
    assert (tmp_path / "wall.py").read_text() == "HIGH = 1\n"
    assert run.without(replace(high, gone="HIGH = 2"), tmp_path) == "NOT MISSED"
    (tmp_path / "test_wall.py").write_text("def test_it():\n    assert False\n")
    assert run.without(high, tmp_path) == "FAILS ANYWAY"
