"""Screens: the web makes and measures them in one place each."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import gateway.web

ROOMS = Path(gateway.web.__file__).parent
MODULES = sorted(ROOMS.rglob("*.py"))
#: What is called -> the one module of the web that may.
OWNERS = {"Screen": "request/screens.py", "markup.size": "request/visit.py"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOMS)))
def test_screens_are_made_and_weighed_in_one_place(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    owned = {name for name, owner in OWNERS.items() if owner == str(path.relative_to(ROOMS))}
    assert called & OWNERS.keys() == owned
