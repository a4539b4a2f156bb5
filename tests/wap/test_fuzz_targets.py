"""The fuzz targets of `tests.fuzz.wap`, with Hypothesis and on their own samples: this keeps them alive without
Atheris."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import wap as fuzz
from tests.wap.mutants import ORIGINALS, mutant


@pytest.mark.parametrize("target", list(fuzz.TARGETS))
def test_samples(target: str) -> None:
    for sample in fuzz.samples(target):
        for end in range(len(sample) + 1):
            fuzz.TARGETS[target](sample[:end])


@pytest.mark.parametrize("target", ["wtp", "wsp", "headers", "push"])
@settings(max_examples=300)
@given(octets=st.binary(max_size=80))
def test_any_octets(target: str, octets: bytes) -> None:
    fuzz.TARGETS[target](octets)


@pytest.mark.parametrize("target", ["wtp", "wsp", "headers"])
@settings(max_examples=300)
@given(which=st.integers(0, 99), changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255))))
def test_mutated_samples(target: str, which: int, changes: list[tuple[int, int]]) -> None:
    samples = fuzz.samples(target)
    octets = bytearray(samples[which % len(samples)])
    for at, octet in changes:
        octets[at % len(octets)] = octet
    fuzz.TARGETS[target](bytes(octets))


@pytest.mark.parametrize("target", ["endpoint", "initiator"])
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 1 << 32), hows=st.lists(st.integers(0, 255), min_size=1, max_size=12))
def test_conversations(target: str, seed: int, hows: list[int]) -> None:
    """Mutated datagrams, in any order, from both phones; for the initiator with the direction bit."""
    chance = random.Random(seed)
    data = b""
    for how in hows:
        datagram = bytearray((mutant(chance) if how & 1 else chance.choice(ORIGINALS))[:255])
        if target == "initiator" and len(datagram) > 2:
            datagram[1] |= 0x80
        data += bytes((how, len(datagram))) + datagram
    fuzz.TARGETS[target](data)
