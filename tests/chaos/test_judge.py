"""The judge of `make chaos`: every kind of lie is found, and no truth is called one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos import sentences
from tests.chaos.judge import TRUE, Fault, Mail, Told, judge
from tests.chaos.sentences import QUESTION, TABLE, Claim, claims
from tests.language import collect


def told(*claims: Claim, at: float = 20.0, **facts: Any) -> Told:
    return Told(at, frozenset(claims), **facts)


def mail(*told: Told, **facts: Any) -> Mail:
    return Mail("m1", "me", pressed=facts.pop("pressed", [10.0]), told=list(told), **facts)


def faults(*mails: Mail, **nameless: list[Told]) -> list[Fault]:
    return [verdict.fault for verdict in judge(mails, nameless).verdicts]


FIRST = Mail("m0", "me", pressed=[1.0], accepted=[2.0], sent=1, told=[told(Claim.SENT, at=3.0, sent=1)])

LIES = {
    "sent, and was not": mail(told(Claim.SENT), drafts=1),
    "sent, and was only later": mail(told(Claim.SENT), accepted=[30.0], sent=1),
    "not sent, and was": mail(told(Claim.NOT_SENT), accepted=[15.0], sent=1),
    "not sent, and the first worker went on": mail(told(Claim.NOT_SENT), accepted=[25.0], sent=1),
    "a copy that is not there": mail(told(Claim.NOT_SENT, Claim.IN_DRAFTS, shows=True)),
    "a copy that goes by itself": mail(told(Claim.NOT_SENT, Claim.IN_DRAFTS, shows=True, drafts=1)),
    "no copy, and there is one": mail(told(Claim.NOT_SENT, Claim.NOT_IN_DRAFTS, drafts=1), drafts=1),
    "its copy is still there, and is not": mail(told(Claim.SENT, Claim.STILL_IN_DRAFTS), accepted=[15.0]),
    "no copy in Sent, and there is one": mail(
        told(Claim.SENT, Claim.NOT_IN_SENT, sent=1), accepted=[15.0], sent=1
    ),
    "a copy to its writer, and there was none": mail(told(Claim.SENT, Claim.COPIED), accepted=[15.0]),
    "saved, and was not": mail(told(Claim.SAVED, shows=True)),
    "not saved, and was": mail(told(Claim.NOT_SAVED, drafts=1), drafts=1),
    "offered as unsent, and was sent": mail(told(Claim.OFFERED), accepted=[15.0], sent=1),
    "kept and offered, and was sent": mail(told(Claim.KEPT), told(Claim.OFFERED), accepted=[15.0], sent=1),
    "asked, and the first one was never sent": mail(told(Claim.ASKED, shows=True), after="m9"),
    "the journal says sent": mail(told(Claim.UNCERTAIN), drafts=1, journal=["sent"]),
    "the journal says not sent": mail(told(Claim.UNCERTAIN), accepted=[15.0], sent=1, journal=["not sent"]),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_seen(lie: str) -> None:
    assert faults(FIRST, LIES[lie])[:1] == [Fault.UNTRUE]


def test_every_claim_that_can_be_decided_has_its_lie() -> None:
    lied = {claim for one in LIES.values() for told in one.told for claim in told.claims}
    assert lied >= TRUE.keys()


LOSSES = {
    "nothing told": mail(),
    "not certain, and nowhere": mail(told(Claim.UNCERTAIN)),
    "not sent, and no word of its text": mail(told(Claim.NOT_SENT)),
    "kept, and never offered": mail(told(Claim.KEPT)),
    "being sent for ever": mail(told(Claim.UNDER_WAY)),
    "shown once, and no more": mail(told(Claim.NOT_SENT, shows=True), told(Claim.UNCERTAIN, at=30.0)),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_is_seen(loss: str) -> None:
    assert faults(LOSSES[loss]) == [Fault.LOST]


TRUTHS = {
    "sent": mail(told(Claim.SENT, sent=1), accepted=[15.0], sent=1),
    "not sent, and on the page": mail(told(Claim.NOT_SENT, Claim.NOT_IN_DRAFTS, shows=True)),
    "not sent, and gone, which was told": mail(told(Claim.NOT_SENT, Claim.NOT_IN_DRAFTS)),
    "not sent, and in Drafts": mail(told(Claim.NOT_SENT, Claim.IN_DRAFTS, drafts=1), drafts=1),
    "not sent, and sent by pressing again": mail(
        told(Claim.NOT_SENT, Claim.IN_DRAFTS, drafts=1, shows=True),
        told(Claim.SENT, at=40.0, sent=1),
        pressed=[10.0, 30.0],
        accepted=[35.0],
        sent=1,
        journal=["not sent", "sent"],
    ),
    "not certain, and was": mail(told(Claim.UNCERTAIN, Claim.IN_DRAFTS, drafts=1), accepted=[15.0], drafts=1),
    "kept, since nobody knew yet that it was sent": mail(
        told(Claim.KEPT), told(Claim.SENT, at=30.0, sent=1), accepted=[15.0], sent=1
    ),
    "kept, offered": mail(told(Claim.KEPT), told(Claim.OFFERED, at=30.0)),
    "sent, its copy still in Drafts": mail(
        told(Claim.SENT, Claim.STILL_IN_DRAFTS, drafts=1), accepted=[15.0], drafts=1
    ),
    "sent, no copy in Sent": mail(told(Claim.SENT, Claim.NOT_IN_SENT), accepted=[15.0]),
    "sent, a copy to its writer": mail(told(Claim.SENT, Claim.COPIED), accepted=[15.0], copied=[15.0]),
    "saved, then sent": mail(
        told(Claim.SAVED, at=5.0, drafts=1), told(Claim.SENT, sent=1), accepted=[15.0], sent=1
    ),
    "saved twice, the second time not": mail(
        told(Claim.SAVED, drafts=1), told(Claim.NOT_SAVED, at=30.0, drafts=1), drafts=1
    ),
    "asked, and given up": mail(told(Claim.ASKED), after="m0", dropped=True),
    "a sentence that nobody typed": mail(told(Claim.NOT_SENT), typed=False),
    "never pressed": mail(pressed=[]),
}


@pytest.mark.parametrize("truth", TRUTHS)
def test_a_truth_is_none(truth: str) -> None:
    assert faults(FIRST, TRUTHS[truth]) == []


def test_what_is_sent_twice_is_seen() -> None:
    twice = mail(told(Claim.SENT, sent=1), accepted=[15.0, 16.0], sent=1)
    assert faults(twice) == [Fault.DOUBLED]


@pytest.mark.parametrize(
    "stray",
    [
        mail(told(Claim.SENT, sent=1), accepted=[15.0], sent=1, drafts=1),
        mail(told(Claim.NOT_SENT, Claim.IN_DRAFTS, drafts=1), drafts=2),
        mail(told(Claim.SENT, sent=0), accepted=[15.0]),
        mail(told(Claim.UNCERTAIN, shows=True), sent=1),
    ],
)
def test_a_stray_copy_is_seen(stray: Mail) -> None:
    assert faults(stray) == [Fault.STRAY]


def test_one_sentence_without_a_name_excuses_one_mail() -> None:
    lost = [Mail(f"m{n}", "me", pressed=[1.0]) for n in range(3)]
    stopped = told(Claim.NOT_SENT, Claim.NOT_IN_DRAFTS)
    assert faults(*lost, me=[stopped], you=[stopped]) == [Fault.LOST, Fault.LOST]


def test_what_nobody_knew_is_counted_and_what_could_be_known() -> None:
    unsure = told(Claim.UNCERTAIN, Claim.IN_DRAFTS, drafts=1)
    facts = {
        "cut": mail(unsure, addressed=15.0, drafts=1),
        "untouched": mail(unsure, drafts=1),
        "forgotten": mail(told(Claim.SENT, at=12.0), unsure, addressed=11.0, accepted=[11.5], drafts=1),
        "sure": mail(told(Claim.SENT, sent=1), accepted=[15.0], sent=1),
    }
    found = judge([replace(one, mark=name) for name, one in facts.items()])
    assert (found.uncertain, found.knowable) == (
        ("cut", "untouched", "forgotten"),
        ("untouched", "forgotten"),
    )


def test_sentences_are_read_the_longest_first() -> None:
    unsure = "It is not certain whether the message was sent.\n Look in Sent. A copy is in Drafts."
    assert claims(unsure) == {Claim.UNCERTAIN, Claim.IN_DRAFTS}
    assert claims("Not sent. Look in Drafts for a copy.") == {Claim.NOT_SENT, Claim.MAYBE_IN_DRAFTS}
    assert claims("Folders: Sent, Drafts. Not all is sent") == frozenset()
    for said, claim in TABLE:
        assert claims(f"Well: {said.replace('…', 'bob@example.net a minute ago.')} Go on") == {claim}


def test_the_table_has_what_the_gateway_says() -> None:
    msgids = [msgid for _context, msgid in collect.collect().entries]
    assert [said for said in sentences.missing(msgids) if QUESTION not in said] == []
    assert "Sent." in sentences.missing(msgid for msgid in msgids if msgid != "Sent.")
