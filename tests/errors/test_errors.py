"""The tree of errors, as the docstring of `gateway.errors` draws it."""

from __future__ import annotations

import re

from gateway import errors
from gateway.errors import GatewayError


def _drawn(doc: str) -> dict[str, str]:
    """Read the tree: the name of each error, and of its parent."""
    path: list[str] = []
    found: dict[str, str] = {}
    for bars, name in re.findall(r"^    ([│ ]*[├└]── )?([A-Z]\w+)\b", doc, re.MULTILINE):
        depth = len(bars) // 4
        path[depth:] = [name]
        found[name] = path[depth - 1] if depth else ""
    return found


def test_the_docstring_draws_every_error_in_its_place() -> None:
    made = {
        name: kind.__base__.__name__ if kind is not GatewayError else ""
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, GatewayError) and kind.__base__ is not None
    }
    assert _drawn(errors.__doc__ or "") == made
