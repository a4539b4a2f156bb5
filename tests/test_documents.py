"""The documents name only files that exist, and architecture.md names every package."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.matrix.mail_stores import MAIL_STORES

ROOT = Path(__file__).parents[1]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: Entries of gateway/ that are not packages.
APART = {"__init__.py", "__main__.py", "__pycache__"}
#: Dotted names that are not modules of ours begin with another word.
ROOMS = {path.stem for path in (ROOT / "gateway").iterdir() if path.name not in APART}


def table(heading: str) -> str:
    """Return one section of architecture.md."""
    return ARCHITECTURE.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_every_room_has_its_line_and_no_other() -> None:
    named = re.findall(r"^\| `gateway/([a-z_.]+)/?` \|", table("The packages"), re.MULTILINE)
    there = {path.name for path in (ROOT / "gateway").iterdir()} - APART
    assert sorted(named) == sorted(there)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_is_named_exists(document: Path) -> None:
    named = re.findall(
        r"`((?:gateway|tests|bench|deploy|templates_[a-z]+)/[\w./-]*)`", document.read_text("utf-8")
    )
    # TAG represents a new language.
    assert [path for path in named if not (ROOT / path.replace("/TAG/", "/de/")).exists()] == []


def test_every_module_that_is_named_exists() -> None:
    """`store.pool` and the like in the two walks: a module, or a name in one."""
    missing = []
    for name in re.findall(r"`([a-z_]+(?:\.[a-z_0-9]+)+)`", table("One request") + table("One sent mail")):
        parts = name.split(".")
        if parts[0] not in ROOMS:
            continue
        folder = ROOT.joinpath("gateway", *parts[:-1])
        if not any((folder / (parts[-1] + suffix)).exists() for suffix in (".py", "")):
            module = (
                folder.with_suffix(".py") if folder.with_suffix(".py").exists() else folder / "__init__.py"
            )
            if not module.exists() or not re.search(rf"\b{parts[-1]}\b", module.read_text("utf-8")):
                missing.append(name)
    assert missing == []


def test_no_two_modules_have_one_name() -> None:
    names = Counter(path.stem for path in (ROOT / "gateway").rglob("*.py") if path.name != "__init__.py")
    assert [name for name, count in names.items() if count > 1] == []


def test_every_mail_store_of_the_matrix_has_its_row() -> None:
    section = (ROOT / "docs" / "protocols.md").read_text("utf-8").partition("\n## Mail stores\n")[2]
    rows = re.findall(r"^\| ([^|]+) \|", section.partition("\n## ")[0], re.MULTILINE)
    assert rows[1:] == list(MAIL_STORES)
