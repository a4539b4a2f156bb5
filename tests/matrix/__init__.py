"""`make matrix`: every kind of mail server with every real client, and the whole job on every mail store."""

from collections.abc import Iterable
from typing import TypeVar

import pytest

T = TypeVar("T")


def one_of(kinds: Iterable[T], chosen: T) -> list[object]:
    """Parametrize over servers or clients: `make test` takes the chosen one, `make matrix` all others."""
    return [kind if kind == chosen else pytest.param(kind, marks=pytest.mark.matrix) for kind in kinds]
