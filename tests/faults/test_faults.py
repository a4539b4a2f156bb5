"""A sample: one fault at each response of each action, and each quirk once; `make faults` runs everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import runs
from tests.faults.quirks import HARMLESS, QUIRKS
from tests.faults.runs import Stage
from tests.faults.table import ACTIONS, FAULTS
from tests.matrix import one_of
from tests.servers.dovecot import Dovecot
from tests.web.sweeps.everything import HANDHELDS

#: Distance between the faults at two responses: one after the other gets all of them.
APART = 4


@pytest.fixture
def stage(dovecot: Dovecot, tmp_path: Path) -> Iterator[Stage]:
    with runs.stage(dovecot, tmp_path) as made:
        yield made


@pytest.mark.long
@pytest.mark.parametrize("begun", one_of(["at the first", "at the second"], "at the first"))
@pytest.mark.parametrize("action", ACTIONS)
def test_no_fault_of_a_server_does_harm(stage: Stage, action: str, begun: str) -> None:
    """Every second response has a fault; `make matrix` takes the others."""
    faults, markups = list(FAULTS), list(HANDHELDS)
    verdicts = [
        stage.run(action, faults[at * APART % len(faults)], at, markups[at // 2 % 2])
        for at in range(begun == "at the second", runs.responses(stage, action), 2)
    ]
    wrong = [str(verdict) for verdict in verdicts if verdict.wrong]
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
def test_no_quirk_of_a_server_does_harm(stage: Stage) -> None:
    actions, markups = list(ACTIONS), list(HANDHELDS)
    verdicts = [
        stage.run(actions[at % len(actions)], quirk, -1, markups[at % 2]) for at, quirk in enumerate(QUIRKS)
    ]
    wrong = [str(verdict) for verdict in verdicts if verdict.wrong]
    assert not wrong, "\n".join(wrong)


def test_a_harmless_quirk_costs_no_row(stage: Stage) -> None:
    markups = list(HANDHELDS)
    for at, quirk in enumerate(HARMLESS):
        page = stage.run("list", quirk, -1, markups[at % 2]).pages[0]
        assert sum(f"Number {number}" in page for number in range(1, runs.COUNT + 1)) == runs.COUNT, quirk


def test_a_copy_that_cannot_be_moved_to_sent_is_not_in_drafts_as_well(stage: Stage) -> None:
    assert not stage.run("reply", "folders", -1).wrong


def test_the_judge_sees_harm(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail that is sent twice, one that is lost, and an error of our own are detected."""
    monkeypatch.setattr(
        stage, "submit", lambda *arguments: [Stage.submit(stage, *arguments) for _ in "12"].pop()
    )
    assert any("sent 2 times" in why for why in stage.run("reply", "", -1).wrong)
    monkeypatch.setattr(
        "gateway.store.imap.imap_store.ImapStore.move", lambda store, refs, _: store.delete(refs)
    )
    assert any("Number 3 is in []" in why for why in stage.run("move", "", -1).wrong)
    monkeypatch.setattr("gateway.store.imap.imap_store.ImapStore.structure", lambda *_: 1 // 0)
    assert any("status 500" in why for why in stage.run("open", "", -1).wrong)
