"""A server that accepts few recipients at a time: the rest goes in further transactions, and nobody gets it twice."""

from __future__ import annotations

import smtplib
import socket
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import submission
from gateway.errors import (
    RecipientsDeferred,
    StateFull,
    SubmissionDeferred,
    SubmissionError,
    SubmissionUncertain,
)
from gateway.submission import Receipt, mail_transaction
from gateway.submission.smtp_client import SmtpClient
from tests import rig
from tests.servers.scripted.scripted_smtp import CAPABILITIES, ScriptedSmtp, ehlo

MAIL = b"From: anna@example.org\r\nSubject: x\r\n\r\n.Hello\r\n"
PIPELINING = ehlo(CAPABILITIES[0], b"PIPELINING", *CAPABILITIES[1:])
BARE = b"452 Too much"


def people(count: int) -> list[str]:
    return [f"p{number}@example.net" for number in range(count)]


def send(
    script: ScriptedSmtp, recipients: list[str], settled: submission.Settled = lambda _: None
) -> Receipt:
    with script.peer() as peer:
        server = rig.plain(peer, "smtp")
        return submission.submit(server, "anna", "secret", "anna@example.org", recipients, MAIL, settled)


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize(
    "full", [b"452 4.5.3 Error: too many recipients", BARE, b"552 Too many recipients", b"552 x"]
)
def test_the_rest_goes_in_further_transactions(full: bytes, pipelining: bool) -> None:
    script = ScriptedSmtp({"ehlo": PIPELINING} if pipelining else {}, room=3, full=full)
    before: list[tuple[str, ...]] = []
    receipt = send(script, people(8), lambda known: before.append(known.accepted))
    assert [taken.recipients for taken in script.taken] == [people(8)[:3], people(8)[3:6], people(8)[6:]]
    assert {taken.octets for taken in script.taken} == {MAIL}
    assert receipt == Receipt(tuple(people(8)))
    assert before == [tuple(people(8)[:3]), tuple(people(8)[:6])]


def test_who_has_no_room_is_not_named_in_vain() -> None:
    """Servers hang up after some errors, and each recipient too many is one."""
    script = ScriptedSmtp(room=2)
    send(script, people(6))
    assert [line.startswith(b"RCPT") for line in script.heard].count(True) == 6 + 2


def test_where_there_is_room_for_nobody_it_ends() -> None:
    with pytest.raises(RecipientsDeferred) as caught:
        send(ScriptedSmtp(room=0), people(3))
    assert caught.value.later == tuple(people(3))
    # Without an enhanced code, and before anybody was accepted, it is about this recipient.
    script = ScriptedSmtp({"rcpt p0@example.net": b"452 insufficient storage"})
    assert list(send(script, people(2)).later) == ["p0@example.net"]
    assert len(script.taken) == 1


def test_refused_ones_take_no_room_from_the_others() -> None:
    script = ScriptedSmtp({"rcpt p0@example.net": b"550 5.1.1 no"}, room=1)
    receipt = send(script, people(3))
    assert (receipt.accepted, list(receipt.refused)) == (tuple(people(3)[1:]), ["p0@example.net"])


@pytest.mark.parametrize(
    ("answers", "cut", "reason", "third"),
    [
        ({"end 1": b"554 5.7.1 spam"}, {}, "refused", "refused"),
        ({"end 1": b"552 5.3.4 too big"}, {}, "too_large", "too_large"),
        ({"end 1": b"451 4.3.0 later"}, {}, "later", "later"),
        ({}, {1: False}, "doubtful", "later"),
        ({}, {1: True}, "doubtful", "later"),
        ({}, {0: True}, None, None),
    ],
)
def test_what_befalls_a_later_transaction_befalls_its_recipients(
    answers: dict[str, bytes], cut: dict[int, bool], reason: str | None, third: str | None
) -> None:
    script = ScriptedSmtp(answers, room=1, cut=cut)
    if reason is None or third is None:  # it was the first
        with pytest.raises(SubmissionUncertain):
            send(script, people(3))
        return
    receipt = send(script, people(3))
    assert receipt.accepted == ("p0@example.net",)
    assert list(getattr(receipt, reason))[:1] == ["p1@example.net"]
    assert list(getattr(receipt, third))[-1:] == ["p2@example.net"]


def test_a_server_that_hangs_up_between_two_has_not_got_the_rest() -> None:
    script = ScriptedSmtp({"end": b"250 taken"}, room=2)
    usual = script._answer_to
    mails = iter([b"250 OK", b""])
    script._answer_to = lambda verb: next(mails) if verb == "mail" else usual(verb)  # type: ignore[method-assign]
    receipt = send(script, people(3))
    assert (receipt.accepted, list(receipt.later)) == (tuple(people(2)), ["p2@example.net"])


def test_what_cannot_be_recorded_is_not_begun() -> None:
    def full(_: Receipt) -> None:
        raise StateFull

    script = ScriptedSmtp(room=2)
    receipt = send(script, people(3), full)
    assert (receipt.accepted, list(receipt.later), len(script.taken)) == (
        tuple(people(2)),
        ["p2@example.net"],
        1,
    )


def test_the_first_transaction_that_is_deferred_is_an_error() -> None:
    with pytest.raises(SubmissionDeferred):
        send(ScriptedSmtp({"mail": b"450 4.7.1 too fast"}), people(2))


def test_recipients_are_named_in_groups_where_that_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_transaction, "RCPT_AT_ONCE", 4)
    sent: list[int] = []
    send_octets = SmtpClient.send

    def counted(smtp: object, octets: bytes | str) -> None:
        sent.append(octets.count("RCPT TO") if isinstance(octets, str) else 0)
        send_octets(smtp, octets)  # type: ignore[arg-type]

    monkeypatch.setattr(SmtpClient, "send", counted)
    for answers, groups in (({"ehlo": PIPELINING}, [4, 4, 1]), ({}, [1] * 9)):
        sent.clear()
        assert len(send(ScriptedSmtp(answers), people(9)).accepted) == 9
        assert [count for count in sent if count] == groups


REPLIES = st.sampled_from(
    [
        b"250 OK",
        b"250 OK",
        b"251 x",
        b"550 5.1.1 no",
        b"450 4.2.0 grey",
        b"552 5.2.3 big",
        b"452 4.5.3 many",
        b"452 x",
        b"553 5.7.1 sender rejected",
    ]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    replies=st.lists(REPLIES, min_size=1, max_size=8),
    room=st.integers(0, 3),
    ends=st.dictionaries(st.integers(0, 3), st.sampled_from([b"250 x", b"451 x", b"554 x", b""]), max_size=2),
    pipelining=st.booleans(),
)
def test_nobody_twice_and_everybody_accounted_for(
    replies: list[bytes], room: int, ends: dict[int, bytes], pipelining: bool
) -> None:
    who = people(len(replies))
    answers = {f"rcpt {spec}": reply for spec, reply in zip(who, replies, strict=True)}
    answers |= {f"end {number}": reply for number, reply in ends.items()}
    script = ScriptedSmtp(answers | ({"ehlo": PIPELINING} if pipelining else {}), room=room)
    try:
        receipt = send(script, who)
    except SubmissionError:
        assert not script.taken
        return
    taken = Counter(spec for one in script.taken for spec in one.recipients)
    assert max(taken.values()) == 1
    assert set(taken) - set(receipt.doubtful) == set(receipt.accepted)
    groups = (receipt.accepted, *receipt.unsent().values())
    assert sorted(spec for group in groups for spec in group) == who


LINES = st.binary(max_size=30) | st.sampled_from(
    [
        b"250 OK",
        b"250-x",
        b"354 go",
        b"452 4.5.3 many",
        b"452 x",
        b"550 no",
        b"421 bye",
        b"221 x",
        b"999 x",
        b"25",
    ]
)


@given(st.lists(LINES, max_size=14), st.integers(1, 4), st.sampled_from(["", "pipelining"]))
def test_any_replies_end_in_a_receipt_or_an_error(lines: list[bytes], count: int, offered: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"".join(line + b"\r\n" for line in lines))
        theirs.shutdown(socket.SHUT_WR)
        smtp = SmtpClient()
        smtp.sock, smtp.does_esmtp, smtp.esmtp_features = ours, True, {offered: ""}
        try:
            receipt = mail_transaction.transact(smtp, "a@b.c", people(count), MAIL, lambda _: None)
        except (SubmissionError, smtplib.SMTPException):
            return
        finally:
            smtp.close()
    groups = (receipt.accepted, *receipt.unsent().values())
    assert sorted(spec for group in groups for spec in group) == people(count)
    assert receipt.accepted
