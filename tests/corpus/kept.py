"""Which words of a message its pages have kept, in order or elsewhere."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

#: Consecutive words by which a text is recognized.
STRETCH: Final = 5


def in_order(reference: Sequence[str], shown: Sequence[str]) -> int:
    """Return how many words of the reference are shown in its order (longest common subsequence)."""
    return len(_common(reference, shown))


def elsewhere(reference: Sequence[str], shown: Sequence[str]) -> int:
    """Return how many words of the reference are shown in rows of at least STRETCH, but not in its order.

    A browser puts what is in a table but in none of its cells before the table; a page may have it after the table.
    """
    common = _common(reference, shown)
    there = {each for row in _others(shown, [at for _, at in common]) for each in stretches(row)}
    count = 0
    for row in _others(reference, [at for at, _ in common]):
        end = 0
        for at, stretch in enumerate(stretches(row)):
            if stretch in there:
                count += at + STRETCH - max(end, at)
                end = at + STRETCH
    return count


def _others(words: Sequence[str], places: Sequence[int]) -> Iterable[Sequence[str]]:
    """Yield the rows of words between these places."""
    return (words[before + 1 : after] for before, after in pairwise([-1, *places, len(words)]))


def stretches(row: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each row of STRETCH words."""
    return [tuple(row[at : at + STRETCH]) for at in range(len(row) - STRETCH + 1)]


def _common(reference: Sequence[str], shown: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of the words that are in both, in order."""
    first, end = 0, 0
    while first < min(len(reference), len(shown)) and reference[first] == shown[first]:
        first += 1
    while end < min(len(reference), len(shown)) - first and reference[-1 - end] == shown[-1 - end]:
        end += 1
    inner = _longest(reference[first : len(reference) - end], shown[first : len(shown) - end])
    return [
        *((at, at) for at in range(first)),
        *((first + one, first + other) for one, other in inner),
        *((len(reference) - at, len(shown) - at) for at in range(end, 0, -1)),
    ]


@dataclass(frozen=True, slots=True)
class _Match:
    one: int
    other: int
    before: _Match | None


def _longest(reference: Sequence[str], shown: Sequence[str]) -> list[tuple[int, int]]:
    """Hunt and Szymanski: the longest increasing run of the places where the words are shown."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, word in enumerate(shown):
        places[word].append(at)
    ends: list[int] = []
    matches: list[_Match] = []
    for one, word in enumerate(reference):
        for at in reversed(places.get(word, ())):
            index = bisect_left(ends, at)
            match = _Match(one, at, matches[index - 1] if index else None)
            ends[index : index + 1] = [at]
            matches[index : index + 1] = [match]
    found: list[tuple[int, int]] = []
    last = matches[-1] if matches else None
    while last is not None:
        found.append((last.one, last.other))
        last = last.before
    return found[::-1]


def missing(reference: Sequence[str], shown: Iterable[str]) -> list[str]:
    """Return words of the reference that are shown less often, for the report."""
    left = defaultdict(int)
    for word in shown:
        left[word] += 1
    out = []
    for word in reference:
        if left[word]:
            left[word] -= 1
        else:
            out.append(word)
    return out
