"""Each public name of a class or of a type has one meaning in the whole gateway, and one module that defines it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

GATEWAY = Path(__file__).resolve().parent.parent / "gateway"


def defined(tree: ast.Module) -> Iterator[str]:
    """Yield the public names of classes, type aliases and type variables in a module."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                pass
            case ast.Assign(targets=[ast.Name(id=name)]):
                pass
            case _:
                continue
        if name[:1].isupper() and not name.isupper():
            yield name


def twice(trees: dict[str, ast.Module]) -> dict[str, list[str]]:
    """Return the names that several modules define, with those modules."""
    found = defaultdict(list)
    for module, tree in trees.items():
        for name in defined(tree):
            found[name].append(module)
    return {name: modules for name, modules in found.items() if len(modules) > 1}


def test_a_name_has_one_meaning() -> None:
    trees = {str(file.relative_to(GATEWAY)): ast.parse(file.read_text()) for file in GATEWAY.rglob("*.py")}
    assert len(trees) > 500
    assert twice(trees) == {}


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("class Reply:\n    pass", ["Reply"]),
        ("Reply: TypeAlias = 'dict[str, str]'", ["Reply"]),
        ("Reply = dict[str, str]\nT = TypeVar('T')", ["Reply"]),
        ("class _Reply:\n    pass\nMOST = 1\nMOST_ROWS: Final = 2\ndef Reply(): pass", []),
    ],
)
def test_what_counts_as_a_name(module: str, names: list[str]) -> None:
    assert [*defined(ast.parse(module))] == names
    assert twice({"a": ast.parse(module), "b": ast.parse(module)}) == {key: ["a", "b"] for key in names}
