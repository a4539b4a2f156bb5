"""Each refusal says whom it concerns: what a server says, and the sentences that a person then reads."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.session import Session
from gateway.errors import GatewayError, SubmissionError
from gateway.sending import outbox
from gateway.submission import refusals
from gateway.submission.refusals import Step
from tests.postbox import NOW, Letter, Wiring, act, signed_in, worker
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.scripted_smtp import CAPABILITIES, ScriptedSmtp, ehlo

ME, BOB, EVE = "refused@example.net", "bob@example.net", "eve@example.net"

UNREACHED = "The outgoing mail server cannot be reached. Please try again later."
WAIT = "The outgoing mail server is not accepting this mail yet. Please try again later."
GATEWAY = "The outgoing mail server does not accept mail from this gateway. Please tell its administrator."
SENDER = f"The mail server does not let you send from {ME}."
LARGE = "The message is too large for the mail server."
NOT_TAKEN = "The mail server did not accept the message."
CONTENT = "The mail server did not accept the content of the message."
PASSWORD = "The outgoing mail server refused your password."
APP_PASSWORD = (
    "Your provider requires an app password here. Create one in your account settings on its website."
)
NO_PASSWORDS = (
    "The outgoing mail server does not accept passwords from this gateway. Please tell its administrator."
)
STARTTLS = (
    "The outgoing mail server accepts passwords only after STARTTLS. "
    "Please tell the administrator of this gateway."
)
OAUTH = "Your provider does not let mail programs send with a password."
REFUSED = f"Refused, so not sent to: {BOB}"
LATER = f"The mail server asks you to wait. Not sent yet to: {BOB}"
LARGE_THERE = f"Too large for their mailbox, so not sent to: {BOB}"

#: Step, reply, and the sentence between "Not sent." and where the copy is.
CASES: tuple[tuple[str, bytes, str], ...] = (
    ("greeting", b"421 4.3.2 Service shutting down", UNREACHED),
    ("greeting", b"421 4.7.0 Too many connections from your address", WAIT),
    ("greeting", b"450 4.3.2 Server overloaded", WAIT),
    ("greeting", b"554 5.7.1 192.0.2.1 blocked using zen.spamhaus.org", GATEWAY),
    ("greeting", b"554 No SMTP service here", GATEWAY),
    ("greeting", b"", UNREACHED),
    ("ehlo", b"504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname", GATEWAY),
    ("ehlo", b"550 Access denied: invalid HELO name (see RFC 2821 4.1.1.1)", GATEWAY),
    ("ehlo", b"451 4.7.1 try later", WAIT),
    ("ehlo", ehlo(b"x.test", b"SIZE"), NO_PASSWORDS),
    ("ehlo", ehlo(b"x.test", b"STARTTLS"), STARTTLS),
    ("ehlo", ehlo(b"x.test", b"AUTH XOAUTH2 OAUTHBEARER"), OAUTH),
    ("ehlo", ehlo(b"x.test", b"AUTH GSSAPI"), NO_PASSWORDS),
    ("auth", b"535 5.7.8 Error: authentication failed", PASSWORD),
    ("auth", b"535 Incorrect authentication data", PASSWORD),
    ("auth", b"534-5.7.9 Application-specific password required.\r\n534 5.7.9 gsmtp", APP_PASSWORD),
    ("auth", b"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", OAUTH),
    ("auth", b"535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", OAUTH),
    ("auth", b"454 4.7.0 Temporary authentication failure: Connection lost", WAIT),
    ("auth", b"421 4.7.0 Too many connections", WAIT),
    ("auth", b"530 5.7.0 Must issue a STARTTLS command first", STARTTLS),
    ("auth", b"538 5.7.11 Encryption required for requested mechanism", STARTTLS),
    ("auth", b"504 5.5.4 Unrecognized authentication type", NO_PASSWORDS),
    ("auth", b"503 5.5.1 AUTH command used when not advertised", NO_PASSWORDS),
    ("auth", b"535 5.7.8 Error: authentication failed: no mechanism available", NO_PASSWORDS),
    (
        "auth",
        b"534-5.7.14 <https://x.test/> Please log in via your web browser and\r\n534 5.7.14 try again",
        APP_PASSWORD,
    ),
    ("auth", b"535 Too many failed attempts, try again later", WAIT),
    ("auth", b"535 5.7.0 too many login failures", WAIT),
    (
        "mail",
        b"554 5.7.0 The limit on the number of allowed outgoing messages was exceeded. Try later.",
        WAIT,
    ),
    ("mail", b"554 5.7.1 You are sending too fast", WAIT),
    ("mail", b"451 4.3.0 Local problem", WAIT),
    ("mail", b"450 4.7.1 Error: too much mail from 192.0.2.1", WAIT),
    ("mail", b"452 4.3.1 Insufficient system storage", WAIT),
    ("mail", b"421 4.4.2 closing", UNREACHED),
    ("mail", b"553 5.7.1 <refused@example.net>: Sender address rejected: not owned by user anna", SENDER),
    ("mail", b"550 5.1.8 Sender domain does not exist", SENDER),
    ("mail", b"550 you may not send as this one", SENDER),
    ("mail", b"552 5.3.4 Message size exceeds fixed limit", LARGE),
    ("mail", b"523 5.3.4 Message too big", LARGE),
    ("mail", b"550 5.4.5 Daily sending quota exceeded", WAIT),
    ("mail", b"554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", GATEWAY),
    ("mail", b"501 5.5.4 Syntax error in parameters", NOT_TAKEN),
    ("mail", b"530 5.7.0 Authentication required", NOT_TAKEN),
    ("rcpt", b"450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted for 60 s", LATER),
    ("rcpt", b"451 4.7.1 Greylisting in action, please come back later", LATER),
    ("rcpt", b"451 Temporary local problem - please try later", LATER),
    ("rcpt", b"452 4.2.2 The recipient's mailbox is full", LATER),
    ("rcpt", b"452 4.5.3 Too many recipients", LATER),
    ("rcpt", b"451 Temporarily deferred due to greylisting. Your IP 192.0.2.1", LATER),
    ("rcpt", b"450 Greylisted; sender not known, try again", LATER),
    ("rcpt", b"450 4.7.1 Client host is graylisted", LATER),
    ("rcpt", b"550 5.7.1 Message rate limit exceeded", LATER),
    ("rcpt", b"550 You have exceeded the maximum number of emails per hour", LATER),
    ("rcpt", b"554 Too many recipients received this hour", LATER),
    ("rcpt", b"550 5.7.1 sender not permitted to send to this group", REFUSED),
    ("rcpt", b"550 5.7.1 Sender mismatch", SENDER),
    ("rcpt", b"550 Sender domain must exist", SENDER),
    ("rcpt", b"553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)", SENDER),
    ("rcpt", b"553 Mail from must equal authorized user", SENDER),
    ("rcpt", b"550 JunkMail rejected - host is in an RBL", GATEWAY),
    ("rcpt", b"550 Rejected because 192.0.2.1 is in a black list at zen.spamhaus.org", GATEWAY),
    ("rcpt", b"550 5.7.606 Access denied, banned sending IP [192.0.2.1]", GATEWAY),
    ("rcpt", b"550 5.4.5 Daily user sending limit exceeded", LATER),
    ("rcpt", b"550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown", REFUSED),
    ("rcpt", b"550 5.1.1 <helo@example.net>: no such user", REFUSED),
    ("rcpt", b"554 5.7.1 <bob@example.net>: Relay access denied", REFUSED),
    ("rcpt", b"552 5.2.2 Mailbox full", REFUSED),
    ("rcpt", b"552 5.2.3 Message exceeds the recipient's limit", LARGE_THERE),
    ("rcpt", b"552 5.3.4 Message too large for this mailbox", LARGE_THERE),
    ("rcpt", b"553 5.7.1 <refused@example.net>: Sender address rejected: not owned by user x", SENDER),
    ("rcpt", b"550-Verification failed for <refused@example.net>\r\n550 Sender verify failed", SENDER),
    ("rcpt", b"553 Sender is not allowed to relay emails", SENDER),
    ("mail", b"550 not local sender over smtp", SENDER),
    ("rcpt", b"450 4.1.8 <refused@example.net>: Sender address rejected: Domain not found", WAIT),
    ("rcpt", b"504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname", GATEWAY),
    ("rcpt", b"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using x", GATEWAY),
    ("rcpt", b"530 5.7.0 Must issue a STARTTLS command first", STARTTLS),
    ("rcpt", b"421 4.3.0 going down", UNREACHED),
    ("data", b"451 4.7.1 Rate limit, slow down", WAIT),
    ("data", b"451 no", WAIT),
    ("data", b"554 5.5.1 Error: no valid recipients", NOT_TAKEN),
    ("data", b"", UNREACHED),
    ("end", b"451 4.3.0 Error: queue file write error", WAIT),
    ("end", b"450 4.7.28 unusual rate of mail from your account", WAIT),
    ("end", b"552 5.3.4 Error: message file too big", LARGE),
    ("end", b"552 too much data", LARGE),
    ("end", b"550 5.2.3 Message length exceeds administrative limit", LARGE_THERE),
    ("end", b"550 5.7.60 Client does not have permissions to send as this sender", SENDER),
    ("end", b"554 5.2.252 SendAsDenied; refused@example.net not allowed to send as x@example.net", SENDER),
    ("end", b"550 5.4.5 Daily user sending limit exceeded", WAIT),
    ("end", b"550 5.7.1 Header From does not match authenticated sender", SENDER),
    ("end", b"554 5.7.1 Message rejected as spam", CONTENT),
    ("end", b"550 5.6.0 Lone CR or LF in headers", CONTENT),
    ("end", b"550 This message contains a virus (Eicar)", CONTENT),
    (
        "end",
        b"552-5.7.0 This message was blocked because its content presents\r\n552 5.7.0 an issue",
        CONTENT,
    ),
    ("end", b"554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", WAIT),
    ("end", b"554 Transaction failed", NOT_TAKEN),
    ("end", b"421 4.4.2 timeout", UNREACHED),
)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def script() -> ScriptedSmtp:
    return ScriptedSmtp()


@pytest.fixture(scope="module")
def session(
    dovecot: Dovecot, script: ScriptedSmtp, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    dovecot.user(ME)
    state = tmp_path_factory.mktemp("refusals") / "state.sqlite"
    with script.peer() as peer:
        wiring = Wiring(str(state), dovecot.ports["imap"], peer.port, str(dovecot.ca_file), per_hour=0)
        with worker(wiring) as sessions:
            yield signed_in(sessions, ME)


def said(session: Session, *to: str) -> list[str]:
    """Send a letter; return what its writer reads."""
    session._resources.bulkhead._circuits.clear()  # three failures in a row are of the table, not of a server
    letter = Letter(f"refused {next(_numbers)}", ME, to)
    outcome = outbox.send(session, act(session.ticket()), letter.mail, NOW)
    return [msgid % values if values else msgid for msgid, values in outbox.sentences(outcome)]


@pytest.mark.parametrize(
    ("step", "reply", "expected"), CASES, ids=[f"{step} {reply[:50].decode()}" for step, reply, _ in CASES]
)
def test_a_refusal_is_told_as_what_it_is(
    session: Session, script: ScriptedSmtp, step: str, reply: bytes, expected: str
) -> None:
    script.answers = {step: reply, "helo": reply} if step == "ehlo" else {step: reply}
    assert said(session, BOB) == ["Not sent.", expected, "A copy is in Drafts."]


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        (b"550 5.1.1 no such user", f"Refused, so not sent to: {EVE}"),
        (b"450 4.2.0 greylisted", f"The mail server asks you to wait. Not sent yet to: {EVE}"),
        (b"552 5.2.3 too large", f"Too large for their mailbox, so not sent to: {EVE}"),
        (b"553 5.7.1 <x@y>: Sender address rejected: not for this one", f"Refused, so not sent to: {EVE}"),
    ],
)
@pytest.mark.parametrize("more", [(), (b"PIPELINING",)], ids=["one by one", "pipelined"])
def test_one_of_two_is_named(
    session: Session, script: ScriptedSmtp, reply: bytes, line: str, more: tuple[bytes, ...]
) -> None:
    script.answers = {f"rcpt {EVE}": reply, "ehlo": ehlo(CAPABILITIES[0], *more, *CAPABILITIES[1:])}
    assert said(session, BOB, EVE) == ["Sent.", line, "It was sent to the others."]
    assert script.taken[-1].recipients == [BOB]


@pytest.mark.parametrize("reply", [b"552 Mailbox full", b"552 Message size exceeds maximum permitted"])
def test_what_concerns_one_mailbox_is_not_too_many(
    session: Session, script: ScriptedSmtp, reply: bytes
) -> None:
    script.answers = {f"rcpt {EVE}": reply}
    before = len(script.taken)
    assert said(session, BOB, EVE)[0] == "Sent."
    assert script.heard.count(f"RCPT TO:<{EVE}>".encode()) == 1
    assert [one.recipients for one in script.taken[before:]] == [[BOB]]


@pytest.mark.parametrize("sent_on", [False, True])
def test_bcc_is_on_no_wire(session: Session, script: ScriptedSmtp, sent_on: bool) -> None:
    """Whoever is in Bcc is named to the server and to nobody else, in each transaction."""
    script.answers, script.room = {}, 1
    try:
        letter = Letter(f"refused {next(_numbers)}", ME, (BOB, EVE), sent_on=sent_on)
        everybody = (BOB, "hidden@example.net", EVE)
        outcome = outbox.send(
            session, act(session.ticket()), lambda _: replace(letter.mail(), recipients=everybody), NOW
        )
        assert outcome.kind == outbox.SENT
    finally:
        script.room = 1_000
    assert [one.recipients for one in script.taken[-3:]] == [[BOB], ["hidden@example.net"], [EVE]]
    assert not any(line.lower().startswith((b"bcc", b"resent-bcc")) for line in script.heard)
    assert {line for line in script.heard if b"hidden" in line} == {b"RCPT TO:<hidden@example.net>"}


def test_after_the_data_nothing_is_called_refused(session: Session, script: ScriptedSmtp) -> None:
    script.answers = {"end": b""}
    uncertain = "It is not certain whether the message was sent. Look in Sent."
    assert said(session, BOB) == [uncertain, "A copy is in Drafts."]


def test_who_has_certainly_not_got_it_is_named_beside_what_is_uncertain(
    session: Session, script: ScriptedSmtp
) -> None:
    script.answers, script.room = {f"rcpt {EVE}": b"550 5.1.1 no", "end": b""}, 1
    try:
        lines = said(session, EVE, BOB, "late@example.net")
    finally:
        script.room = 1_000
    assert lines == [
        "It is not certain whether the message was sent. Look in Sent.",
        f"Refused, so not sent to: {EVE}",
        "The mail server asks you to wait. Not sent yet to: late@example.net",
        "A copy is in Drafts.",
    ]


@given(step=st.sampled_from(Step), code=st.integers(200, 599), text=st.text() | st.binary())
def test_any_reply_has_an_error(step: Step, code: int, text: str | bytes) -> None:
    error = refusals.refusal(step, code, text, ME, (BOB,))
    assert isinstance(error, SubmissionError)
    assert GatewayError.sentence != error.sentence
    assert "\n" not in error.detail
    refusals.fate(code, text, 0)
    refusals.refuses_mechanism(code, text)


@given(code=st.integers(300, 599), text=st.text(alphabet="abc 5.7=", max_size=40))
def test_no_error_of_auth_repeats_what_was_said(code: int, text: str) -> None:
    error = refusals.auth_refusal(code, f"{text} c2VjcmV0")
    assert "c2VjcmV0" not in f"{error} {error.detail}"
