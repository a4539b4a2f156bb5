"""`make matrix`: every kind of mail server with every real client, and the whole job on every mail store."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")


def one_of(kinds: Iterable[T], *chosen: T) -> list[object]:
    """Parametrize over servers or clients: `make test` takes the chosen one, `make matrix` all others."""
    return [kind if kind in chosen else pytest.param(kind, marks=pytest.mark.matrix) for kind in kinds]


def by_turns(cases: Iterable[T], clients: Sequence[T]) -> list[object]:
    """Parametrize over cases with clients: `make test` takes one per case, in turn, `make matrix` all others."""
    return [
        pytest.param(case, client, marks=() if number % len(clients) == turn else pytest.mark.matrix)
        for number, case in enumerate(cases)
        for turn, client in enumerate(clients)
    ]
