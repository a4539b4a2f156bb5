"""Signing in to submit: with which mechanism, with whose password, and what no line ever contains."""

from __future__ import annotations

import base64
import hmac

import pytest

from gateway import submission
from gateway.errors import (
    SubmissionAuthenticationFailed,
    SubmissionError,
    SubmissionPasswordsNotTaken,
    SubmissionTLSNeeded,
)
from tests import rig
from tests.servers.scripted.peer import Caller, Peer
from tests.servers.scripted.scripted_smtp import ehlo

USER, PASSWORD = "änna", "sécret"
CHALLENGE = b"<1896.697170952@postoffice.example>"
NOT_THIS = b"504 5.5.4 Unrecognized authentication type"
TOO_WEAK = b"534 5.7.9 Authentication mechanism is too weak"
WRONG = b"535 5.7.8 Authentication credentials invalid"


class Judge:
    """Offers mechanisms, and refuses some with a reply; `tried`: the mechanisms in order, `right`: a password was."""

    def __init__(self, offered: bytes, replies: dict[str, bytes], challenge: bytes = CHALLENGE) -> None:
        self.offered, self.replies, self.challenge = offered, replies, challenge
        self.tried: list[str] = []
        self.right = False

    def __call__(self, caller: Caller) -> None:
        caller.say(b"220 x")
        while True:
            words = caller.hear().split(b" ")
            if words[0].lower() == b"ehlo":
                caller.say(ehlo(b"x", b"AUTH " + self.offered))
            elif words[0] == b"AUTH":
                self._auth(caller, words[1].decode(), words[2:])
            else:
                caller.say(b"221 bye")

    def _auth(self, caller: Caller, mechanism: str, words: list[bytes]) -> None:
        self.tried.append(mechanism)
        if mechanism in self.replies:
            caller.say(self.replies[mechanism])
            return
        user, password = USER.encode(), PASSWORD.encode()
        if mechanism == "PLAIN":
            self.right = base64.b64decode(words[0]) == b"\0" + user + b"\0" + password
        elif mechanism == "LOGIN":
            answers = [self._ask(caller, prompt) for prompt in (b"Username:", b"Password:")]
            self.right = answers == [user, password]
        else:
            digest = hmac.new(password, self.challenge, "md5").hexdigest().encode()
            self.right = self._ask(caller, self.challenge) == user + b" " + digest
        caller.say(b"235 in" if self.right else WRONG)

    def _ask(self, caller: Caller, prompt: bytes) -> bytes:
        caller.say(b"334 " + base64.b64encode(prompt))
        return base64.b64decode(caller.hear())


def sign_in(judge: Judge, password: str = PASSWORD) -> None:
    with Peer(judge) as peer:
        submission.sign_in(rig.plain(peer, "smtp"), USER, password)


@pytest.mark.parametrize(
    ("offered", "refused", "tried"),
    [
        (b"PLAIN LOGIN CRAM-MD5", {}, ["PLAIN"]),
        (b"CRAM-MD5 LOGIN", {}, ["LOGIN"]),
        (b"CRAM-MD5 XOAUTH2", {}, ["CRAM-MD5"]),
        (b"LOGIN PLAIN", {"PLAIN": NOT_THIS}, ["PLAIN", "LOGIN"]),
        (b"LOGIN PLAIN CRAM-MD5", {"PLAIN": TOO_WEAK, "LOGIN": b"500 what"}, ["PLAIN", "LOGIN", "CRAM-MD5"]),
        (b"PLAIN CRAM-MD5", {"PLAIN": b"538 5.7.11 Encryption required"}, ["PLAIN", "CRAM-MD5"]),
        (b"PLAIN LOGIN", {"PLAIN": b"535 Unsupported authentication mechanism"}, ["PLAIN", "LOGIN"]),
    ],
)
def test_the_next_one_only_after_the_mechanism_was_refused(
    offered: bytes, refused: dict[str, bytes], tried: list[str]
) -> None:
    judge = Judge(offered, refused)
    sign_in(judge)
    assert (judge.tried, judge.right) == (tried, True)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (WRONG, SubmissionAuthenticationFailed),
        (b"535 5.7.0 not your day", SubmissionAuthenticationFailed),
        (b"534-5.7.9 Application-specific password required", SubmissionError),
        (b"454 4.7.0 Temporary authentication failure", SubmissionError),
        (b"503 5.5.1 no", SubmissionPasswordsNotTaken),
    ],
)
def test_a_password_that_was_called_wrong_is_not_offered_again(
    reply: bytes, error: type[SubmissionError]
) -> None:
    judge = Judge(b"PLAIN LOGIN CRAM-MD5", {"PLAIN": reply.replace(b"534-", b"534 ")})
    with pytest.raises(error):
        sign_in(judge)
    assert judge.tried == ["PLAIN"]


def test_when_all_are_refused_the_last_reason_is_told() -> None:
    judge = Judge(b"PLAIN LOGIN", {"PLAIN": NOT_THIS, "LOGIN": b"538 5.7.11 not without TLS"})
    with pytest.raises(SubmissionTLSNeeded):
        sign_in(judge)


def test_a_wrong_password_by_each_mechanism() -> None:
    for offered in (b"PLAIN", b"LOGIN", b"CRAM-MD5"):
        judge = Judge(offered, {})
        with pytest.raises(SubmissionAuthenticationFailed) as caught:
            sign_in(judge, "wr0ng")
        assert "wr0ng" not in f"{caught.value} {caught.value.detail}"


def test_a_challenge_that_is_none_gets_no_answer() -> None:
    def serve(caller: Caller) -> None:
        caller.say(b"220 x")
        caller.hear()
        caller.say(ehlo(b"x", b"AUTH CRAM-MD5"))
        caller.hear()
        caller.say(b"334 ~~~")
        assert caller.hear() == b"*"
        caller.say(b"501 5.7.0 cancelled")

    with Peer(serve) as peer, pytest.raises(SubmissionPasswordsNotTaken):
        submission.sign_in(rig.plain(peer, "smtp"), USER, PASSWORD)


def test_a_server_that_hangs_up_after_a_refusal_has_said_why() -> None:
    def serve(caller: Caller) -> None:
        caller.say(b"220 x")
        caller.hear()
        caller.say(ehlo(b"x", b"AUTH PLAIN LOGIN"))
        caller.hear()
        caller.say(NOT_THIS)

    with Peer(serve) as peer, pytest.raises(SubmissionPasswordsNotTaken):
        submission.sign_in(rig.plain(peer, "smtp"), USER, PASSWORD)
